//! Makes a line of any length small: JSON keeps its shape and loses the rest of its long texts; other text is cut.
//!
//! So a final event is still read when it carries a file of fifty megabytes, without fifty megabytes of memory.

use super::lines::LINE_MAX;

/// Most bytes of one text that are kept.
const TEXT_MAX: usize = 64 << 10;
const CUT: &[u8] = "…".as_bytes();

/// Where in a line we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Nothing but white space so far.
    Start,
    /// In JSON, between texts.
    Between,
    /// In a JSON text.
    Inside,
    /// After a backslash.
    Escape,
    /// In the digits of `\uXXXX`, that many still to come.
    Unicode { left: u8, value: u32 },
    /// In a line that is no JSON object.
    Plain,
}

/// Prunes one line, byte by byte, so that the result does not depend on how the line is cut.
#[derive(Clone, Debug)]
pub(super) struct Prune {
    place: Place,
    /// Bytes of the present text.
    text: usize,
    /// The present text is full, the rest of it is dropped.
    full: bool,
    /// The last escape was the first half of a pair, which must not be torn.
    half_pair: bool,
    overflowed: bool,
}

impl Default for Prune {
    fn default() -> Self {
        Self { place: Place::Start, text: 0, full: false, half_pair: false, overflowed: false }
    }
}

impl Prune {
    /// Appends to `kept` what is to be kept of the bytes.
    pub(super) fn push(&mut self, bytes: &[u8], kept: &mut Vec<u8>) {
        for &byte in bytes {
            self.byte(byte, kept);
        }
    }

    /// Says whether even the pruned line was too long.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    fn byte(&mut self, byte: u8, kept: &mut Vec<u8>) {
        match self.place {
            Place::Start if byte.is_ascii_whitespace() => return,
            Place::Start => {
                self.place = if byte == b'{' { Place::Between } else { Place::Plain };
                if self.place == Place::Plain {
                    self.inside(byte, kept);
                    return;
                }
            }
            Place::Between if byte == b'"' => {
                self.place = Place::Inside;
                (self.text, self.full, self.half_pair) = (0, false, false);
            }
            Place::Between => {}
            Place::Inside if byte == b'"' => {
                self.place = Place::Between;
                self.full = false;
            }
            Place::Inside | Place::Plain => return self.inside(byte, kept),
            Place::Escape => {
                self.place = if byte == b'u' { Place::Unicode { left: 4, value: 0 } } else { Place::Inside };
            }
            Place::Unicode { left, value } => {
                let value = (value << 4) | char::from(byte).to_digit(16).unwrap_or(0);
                self.place = if left > 1 { Place::Unicode { left: left - 1, value } } else { Place::Inside };
                self.half_pair = left == 1 && (0xd800..0xdc00).contains(&value);
            }
        }
        self.keep(byte, kept);
    }

    /// Takes a byte of a text that does not end it.
    fn inside(&mut self, byte: u8, kept: &mut Vec<u8>) {
        // A cut falls between characters: not into the middle of UTF-8, nor between the halves of an escaped pair.
        let starts_character = byte & 0xc0 != 0x80;
        if !self.full && self.text >= TEXT_MAX && starts_character && !self.half_pair {
            for &mark in CUT {
                self.keep(mark, kept);
            }
            self.full = true;
        }
        if byte == b'\\' && self.place == Place::Inside {
            self.place = Place::Escape;
        } else {
            self.half_pair = false;
        }
        self.keep(byte, kept);
    }

    fn keep(&mut self, byte: u8, kept: &mut Vec<u8>) {
        if self.full {
            return;
        }
        if kept.len() == LINE_MAX {
            self.overflowed = true;
            return;
        }
        self.text += 1;
        kept.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pruned(line: &str) -> (String, bool) {
        let (mut prune, mut kept) = (Prune::default(), Vec::new());
        prune.push(line.as_bytes(), &mut kept);
        (String::from_utf8(kept).unwrap(), prune.overflowed())
    }

    #[test]
    fn long_texts_are_cut_and_the_shape_stays() {
        for unit in ["x", "ż", "🚀", "\\n", "\\\\", "\\\"", "\\u017c", "\\ud83d\\ude80", "a\\ud83d\\ude80"] {
            let long = unit.repeat(70_000);
            let (line, overflowed) = pruned(&format!(r#" {{"a":"{long}","b":["{long}",1],"type":"result"}}"#));
            assert!(!overflowed && line.len() < 140_000, "{unit}: {}", line.len());
            let value: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{unit}: {e}"));
            assert_eq!(value["type"], "result");
            assert!(value["a"].as_str().unwrap().ends_with('…'));
            assert_eq!(value["b"][1], 1);
        }
    }

    #[test]
    fn many_short_texts_are_too_much_and_that_is_said() {
        let (line, overflowed) = pruned(&format!("{{\"a\":[{}0]}}", "\"short\",".repeat(300_000)));
        assert!(overflowed && line.len() == LINE_MAX);
    }

    #[test]
    fn a_line_that_is_no_json_is_cut() {
        let (line, overflowed) = pruned(&"ab\"c".repeat(1 << 20));
        assert!(!overflowed && line.len() < TEXT_MAX + 10 && line.ends_with('…'));
    }
}
