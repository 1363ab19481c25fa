//! Plain lines, as people would see them in a terminal. A few lines of Aider's are understood.

use super::Scene;
use super::calls::edited;
use super::shape::{clip, micros, question};
use crate::domain::log::EntryKind;
use crate::domain::ticket::Usage;

/// Most bytes of a paragraph that are remembered as the last thing said.
const PARAGRAPH_MAX: usize = 16 << 10;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Text {
    /// The last lines that belong together.
    paragraph: String,
    /// A blank line came after them.
    is_closed: bool,
    /// The paragraph before the newest count of tokens, which is the end of what the model answered.
    answer: Option<String>,
    /// Its model could not be asked, and no answer came since: it ends with 0 all the same.
    is_failed: bool,
}

impl Text {
    pub(super) fn line(&mut self, line: &str, scene: &mut Scene<'_>) {
        // A line that was written over itself, as progress bars are, is what it was in the end.
        let line = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
        if line.starts_with("Retrying in ") {
            scene.report.retrying = Some(clip(line));
            return scene.say(EntryKind::Retry, line);
        }
        if !line.trim().is_empty() {
            scene.report.retrying = None;
        }
        if let Some(path) = line.strip_prefix("Applied edit to ") {
            let path = scene.paths.short(path.trim());
            return scene.add(edited(None, path, "edited"));
        }
        if let Some(usage) = tokens(line) {
            scene.report.usage = scene.report.usage + usage;
            self.is_failed = false;
            self.answer = Some(std::mem::take(&mut self.paragraph)).filter(|answer| !answer.is_empty());
            return scene.used(usage);
        }
        if line.starts_with("litellm.") && line.contains("Error") {
            self.is_failed = true;
            return scene.error(line);
        }
        self.remember(line);
        scene.say(EntryKind::Text, line);
    }

    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        if self.is_failed {
            scene.report.ok = Some(false);
        }
        let paragraph = Some(std::mem::take(&mut self.paragraph)).filter(|paragraph| !paragraph.is_empty());
        if let Some(said) = self.answer.take().or(paragraph) {
            scene.report.question = question(&said);
            scene.report.said = Some(said);
        }
    }

    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() {
            self.is_closed = true;
            return;
        }
        if std::mem::take(&mut self.is_closed) {
            self.paragraph.clear();
        }
        if self.paragraph.len() + line.len() < PARAGRAPH_MAX {
            if !self.paragraph.is_empty() {
                self.paragraph.push('\n');
            }
            self.paragraph.push_str(line);
        }
    }
}

/// Reads `Tokens: 2.9k sent, 43 received. Cost: $0.01 message, $0.02 session.`
fn tokens(line: &str) -> Option<Usage> {
    let counts = line.strip_prefix("Tokens: ")?;
    let (counts, cost) = counts.split_once(" Cost: ").unwrap_or((counts, ""));
    let of = |word: &str| {
        counts.split(", ").find_map(|part| number(part.trim_end_matches('.').strip_suffix(word)?.trim_end()))
    };
    let cost = cost.split(", ").find_map(|part| part.strip_suffix(" message")?.trim_start_matches('$').parse().ok());
    Some(Usage { input_tokens: of("sent")?, output_tokens: of("received")?, cost_micros: cost.and_then(micros) })
}

/// Reads `43`, `1,234`, `2.9k` or `1.2M`.
fn number(text: &str) -> Option<u64> {
    let plain = text.replace(',', "");
    let (digits, unit) = match plain.chars().last()? {
        'k' => (&plain[..plain.len() - 1], 1e3),
        'M' => (&plain[..plain.len() - 1], 1e6),
        _ => (plain.as_str(), 1.0),
    };
    let value: f64 = digits.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` stops at the ends of u64")]
    (value.is_finite() && value >= 0.0).then(|| (value * unit).round() as u64)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Dialect, Reader};
    use super::*;

    #[test]
    fn an_aider_whose_model_gave_no_answer_failed_although_it_ends_with_0() {
        let ok = |text: &str| {
            let mut reader = Reader::new(Dialect::Text, Path::new(""));
            reader.feed(text.as_bytes(), &mut Vec::new());
            reader.finish(&mut Vec::new());
            reader.report().ok
        };
        let refused = "litellm.AuthenticationError: AuthenticationError: no such\nkey\nCheck your API key.\n";
        assert_eq!(ok(refused), Some(false));
        assert_eq!(ok(&format!("{refused}Retrying in 0.2 seconds...\nHi.\n\nTokens: 12 sent, 3 received.\n")), None);
        assert_eq!(ok("Hi.\n"), None);
    }

    #[test]
    fn a_count_of_tokens_is_read() {
        let usage = |input_tokens, output_tokens, cost_micros| Usage { input_tokens, output_tokens, cost_micros };
        assert_eq!(tokens("Tokens: 2.9k sent, 43 received."), Some(usage(2900, 43, None)));
        assert_eq!(
            tokens("Tokens: 12k sent, 1.1k cache hit, 1,234 received. Cost: $0.01 message, $0.02 session."),
            Some(usage(12_000, 1234, Some(10_000)))
        );
        for other in ["Tokens: none", "Tokens: -1 sent, 2 received.", "tokens: 1 sent, 2 received.", "Tokens: "] {
            assert_eq!(tokens(other), None, "{other}");
        }
    }
}
