//! The agent: prints lines, waits, edits a file, and ends.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Says what the agent does: `lines=3,rate=0,ms=50,edit=1,clock=0`. With `;` between several, each ticket takes its own by its
/// number, which is how the folder begins in which it works.
pub(crate) const VARIABLE: &str = "DRAFT_BENCH_AGENT";
/// The names of agents that it goes by: one whose output are events, and one whose output is text.
pub(crate) const NAMES: [&str; 2] = ["claude", "aider"];
/// The length of a line with its end.
pub(crate) const LINE: usize = 100;

pub(crate) fn is_called(program: &str) -> bool {
    Path::new(program).file_name().is_some_and(|name| NAMES.iter().any(|agent| name == *agent))
}

#[derive(Default)]
struct Script {
    lines: u64,
    /// Lines a second; 0 for as fast as they go.
    rate: u64,
    /// How long it lives at least, in milliseconds.
    ms: u64,
    /// 1 for a file that all write, 2 for one of the ticket's own.
    edit: u64,
    /// Whether each line says when it was written, in microseconds since 1970.
    clock: u64,
    /// Goes on with all this until the file `over-<n>` is in the home folder; 0 for not waiting.
    until: u64,
}

fn script() -> Script {
    let text = std::env::var(VARIABLE).unwrap_or_default();
    let folder = std::env::current_dir().expect("a folder");
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let ticket = name.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(1_usize);
    let all: Vec<&str> = text.split(';').collect();
    let mut script = Script { lines: 3, ms: 50, edit: 1, ..Script::default() };
    for (key, value) in all[(ticket - 1) % all.len()].split(',').filter_map(|pair| pair.split_once('=')) {
        let value = value.parse().expect("a number");
        match key {
            "lines" => script.lines = value,
            "rate" => script.rate = value,
            "ms" => script.ms = value,
            "edit" => script.edit = value,
            "clock" => script.clock = value,
            "until" => script.until = value,
            other => panic!("{VARIABLE}: {other}?"),
        }
    }
    script
}

/// Returns a line of exactly [`LINE`] bytes.
fn line(events: bool, n: u64, clock: bool) -> String {
    let (before, after) = if events {
        (r#"{"type":"assistant","message":{"content":[{"type":"text","text":""#, r#""}]}}"#)
    } else {
        ("", "")
    };
    let filler = LINE - 1 - before.len() - after.len();
    let said = if clock { format!("L{n:09} {} ", micros(SystemTime::now())) } else { format!("L{n:09} ") };
    format!("{before}{said:x<filler$}{after}\n")
}

/// Returns the microseconds since 1970.
pub(crate) fn micros(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).expect("a clock that goes right");
    u64::try_from(since.as_micros()).expect("not so late")
}

/// Says whether the agent may end.
fn is_over(script: &Script) -> bool {
    let home = std::env::var_os("HOME").expect("a home folder");
    script.until == 0 || Path::new(&home).join(format!("over-{}", script.until)).exists()
}

pub(crate) fn main() {
    let (script, begin) = (script(), Instant::now());
    let events = std::env::args().next().is_some_and(|name| name.ends_with(NAMES[0]));
    let mut out = BufWriter::with_capacity(64 * 1024, std::io::stdout());
    let mut said = 0;
    while said < script.lines {
        out.write_all(line(events, said, script.clock == 1).as_bytes()).expect("it can be written");
        said += 1;
        if let Some(pause) = 1_000_000_u64.checked_div(script.rate) {
            out.flush().expect("it can be written");
            std::thread::sleep(Duration::from_micros(pause));
            if script.until > 0 && is_over(&script) {
                break;
            }
        }
    }
    out.flush().expect("it can be written");
    while !is_over(&script) {
        std::thread::sleep(Duration::from_millis(10));
    }
    if events {
        let result = r#"{"type":"result","subtype":"success","is_error":false,"result":"done"}"#;
        writeln!(out, "{result}").and_then(|()| out.flush()).expect("it can be written");
    }
    if script.edit == 2 {
        let folder = std::env::current_dir().expect("a folder");
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ticket = name.split('-').next().unwrap_or_default();
        std::fs::write(format!("made-{ticket}.txt"), "made\n").expect("it can be written");
    }
    if script.edit == 1 {
        std::fs::write("edited.txt", "edited\n").expect("it can be written");
    }
    if script.until > 0 {
        std::fs::write("said.txt", said.to_string()).expect("it can be written");
    }
    std::thread::sleep(Duration::from_millis(script.ms).saturating_sub(begin.elapsed()));
}
