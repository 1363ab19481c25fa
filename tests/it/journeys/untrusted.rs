//! Text that wants to be more than text: sequences of every family in everything that others write reach no terminal.

use serde_json::json;

use super::{board, leave};
use crate::support::pty::Pty;
use crate::support::{Size, World, until};

/// A sequence of every family that does something to a terminal, or to the order of what people read.
const HOSTILE: [&str; 34] = [
    // CSI: erase, move, modes, cursor shape, keyboard, window, report, print, margins, reset.
    "\x1b[2J",
    "\x1b[1;1H",
    "\x1b[?1049l",
    "\x1b[?25h",
    "\x1b[?1000h",
    "\x1b[?2004l",
    "\x1b[5 q",
    "\x1b[>4;2m",
    "\x1b[8;5;5t",
    "\x1b[6n",
    "\x1b[5i",
    "\x1b[3;5r",
    "\x1b[!p",
    // Escapes: reset, alignment, keypad, character set, index.
    "\x1bc",
    "\x1b#8",
    "\x1b=",
    "\x1b(0",
    "\x1bM",
    // OSC: title, icon, palette, colours, link, clipboard, notification, image.
    "\x1b]0;owned\x07",
    "\x1b]2;owned\x1b\\",
    "\x1b]4;1;#ff0000\x07",
    "\x1b]10;#ff0000\x1b\\",
    "\x1b]8;;http://owned/\x1b\\x\x1b]8;;\x1b\\",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x1b]9;owned\x07",
    "\x1b]1337;File=inline=1:AAAA\x07",
    // DCS, SOS, PM, APC.
    "\x1bPq#0;2;0;0;0#0~~\x1b\\",
    "\x1bXowned\x1b\\",
    "\x1b^owned\x1b\\",
    "\x1b_Gf=100;AAAA\x1b\\",
    // C1 in one character: CSI, OSC, DCS.
    "\u{9b}2J\u{9d}0;owned\u{9c}\u{90}q\u{9c}",
    // C0: bell, backspace, shifts, form feed, delete, return.
    "\x07\x08\x0e\x0f\x0c\x7f over\rwritten",
    // The direction of text, and what hides in it.
    "\u{202e}owned\u{202c}\u{2066}x\u{2069}\u{200f}\u{2028}\u{200b}\u{feff}",
    "\x1b",
];

/// Returns all of it between two words.
fn hostile(word: &str) -> String {
    format!("{word} {} {word}-end", HOSTILE.concat())
}

/// Returns what was written that a board has no need for. What it needs: colours, moves, erasing, showing and hiding the
/// cursor, the other screen, whole updates, pastes in brackets, the mouse, the focus, and the window's title.
fn beyond_drawing(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(is_odd) {
        let sequence = &rest[at..];
        match length_of_drawing(sequence) {
            Some(length) => rest = &sequence[length..],
            None => return Some(sequence.chars().take(40).collect()),
        }
    }
    None
}

fn is_odd(c: char) -> bool {
    let hides = matches!(c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    hides || c.is_control() && c != '\r' && c != '\n'
}

/// Returns the length of a sequence that a board needs.
fn length_of_drawing(text: &str) -> Option<usize> {
    if let Some(title) = text.strip_prefix("\x1b]0;") {
        let end = title.find(is_odd).filter(|end| title[*end..].starts_with('\x07'))?;
        return Some("\x1b]0;".len() + end + 1);
    }
    let inner = text.strip_prefix("\x1b[")?;
    let end = inner.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':' | '?')))?;
    let is_needed = match inner[end..].chars().next()? {
        'm' | 'H' | 'J' | 'K' => !inner[..end].contains('?'),
        'h' | 'l' => {
            matches!(&inner[..end], "?25" | "?1000" | "?1002" | "?1004" | "?1006" | "?1049" | "?2004" | "?2026")
        }
        // The title is put aside for the time of the board.
        't' => &inner[..end] == "22;0",
        _ => false,
    };
    is_needed.then_some("\x1b[".len() + end + 1)
}

/// Installs an agent that prints it as events, as plain lines on standard error, and byte by byte; that leaves a file with
/// such a name, and ends with such a result.
fn install_agent(world: &World) {
    let events = [
        json!({"type": "system", "subtype": "init", "session_id": hostile("session"), "model": hostile("model")}),
        json!({"type": "assistant", "message": {"content": [{"type": "text", "text": hostile("said")}]}}),
        json!({"type": "assistant", "message": {"content": [
            {"type": "tool_use", "id": "1", "name": hostile("tool"), "input": {"command": hostile("command")}}
        ]}}),
        json!({"type": "user", "message": {"content": [
            {"type": "tool_result", "tool_use_id": "1", "content": hostile("result")}
        ]}}),
    ];
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    let ends = json!({"type": "result", "subtype": "success", "is_error": false, "result": hostile("verdict")});
    let name: String = hostile("name").chars().filter(|c| *c != '/').take(100).collect();
    for (file, content) in
        [("events", lines), ("plain", hostile("plain")), ("name", name), ("ends", format!("{ends}\n"))]
    {
        std::fs::write(world.folder().join(file), content).unwrap();
    }
    let bytes: String = hostile("bytes").bytes().map(|byte| format!("\\\\{byte:03o} ")).collect();
    let script = format!(
        "cat >/dev/null; here={}\n\
         cat $here/events; cat $here/plain >&2; echo >&2\n\
         for byte in {bytes}; do printf \"$byte\"; printf \"$byte\" >&2; done; echo; echo >&2\n\
         cp $here/plain \"$(cat $here/name)\"; cp $here/plain text.txt; cat $here/ends",
        world.folder().display()
    );
    world.install("claude", &script);
}

#[track_caller]
fn assert_only_drawn(pty: &Pty, place: &str) {
    let bytes = pty.bytes();
    // What comes behind the last whole frame may end in the middle of a sequence.
    let frame_end = b"\x1b[?2026l";
    let whole = bytes.windows(frame_end.len()).rposition(|part| part == frame_end).expect("a frame") + frame_end.len();
    assert_eq!(beyond_drawing(&bytes[..whole]), None, "{place}\n{}", pty.screen());
    let titles = ["title ", "icon "];
    let own = |deed: &String| titles.iter().any(|what| deed.strip_prefix(what).is_some_and(|text| text != "owned"));
    let others: Vec<String> = pty.deeds().into_iter().filter(|deed| !own(deed)).collect();
    assert_eq!(others, Vec::<String>::new(), "{place}\n{}", pty.screen());
}

#[test]
fn nothing_that_others_write_does_anything_to_the_terminal() {
    let world = World::new();
    install_agent(&world);
    let settings = "execute_config: {preferred_executor: claude, yolo_mode: false, retries: 0}\n\
                    verify_config: {commands: [\"true\"], extra_allowed_commands: [\"true\"]}\n";
    std::fs::create_dir_all(world.folder().join("config/draft")).unwrap();
    std::fs::write(world.folder().join("config/draft/config.yaml"), settings).unwrap();
    // Git itself takes no control characters of ASCII in a branch's name.
    world.git(&["checkout", "--quiet", "-b", "branch\u{9b}2J\u{9d}0;owned\u{9c}\u{202e}x"]);
    let title: String = hostile("title").chars().take(200).collect();
    world.draft(&["ticket", "add", &title, "--description", &hostile("words"), "--state", "planned"]).ok();
    world.draft(&["run"]).ok();
    world.draft(&["review", "1", "--comment", &format!("text.txt:1:{}", hostile("remark"))]).ok();
    let pty = world.draft_in_terminal(Size::new(200, 50), &[]);
    pty.until_shows("q quit");
    assert_only_drawn(&pty, "the board");
    pty.keys("<enter>");
    pty.until_shows("words ");
    assert_only_drawn(&pty, "the overview");
    // The newest run is that of the check.
    pty.keys("2<lt>");
    pty.until_shows("bytes-end");
    assert_only_drawn(&pty, "the log");
    pty.keys("p");
    pty.until_shows("bytes-end");
    assert_only_drawn(&pty, "the raw log");
    for (tab, shows) in [("3", "text.txt"), ("4", "claude"), ("5", "remark-end"), ("6", "filed"), ("7", "execute")] {
        pty.keys(tab);
        pty.until_shows(shows);
        assert_only_drawn(&pty, tab);
    }
    pty.keys("<esc>");
    until("the board is back", || pty.screen().contains("q quit") && pty.screen().contains("Review 1"));
    assert_only_drawn(&pty, "the board again");
    leave(&world, pty);
}

#[test]
fn what_is_pasted_is_text_wherever_it_goes() {
    let world = World::new();
    let pty = board(&world);
    pty.keys("n");
    pty.until_shows("New ticket");
    pty.paste(&hostile("title"));
    pty.until_shows("title-end");
    pty.keys("<tab>");
    pty.paste(&hostile("words"));
    pty.until_shows("words-end");
    assert_only_drawn(&pty, "the form");
    pty.keys("<c-c>");
    pty.until_shows("put aside");
    leave(&world, pty);
}
