//! Reads what an agent prints: bytes in, log entries and a report out, one dialect a file.
//!
//! A [`Reader`] may be fed pieces of any size, keeps a bounded amount of state whatever an agent prints, and gives the
//! same entries however the bytes were cut. Copies of it are cheap between lines; a pager keeps some, to go on from there.

mod calls;
mod claude;
mod cline;
mod codex;
mod copilot;
mod cursor;
mod droid;
mod edits;
mod fields;
mod gemini;
mod goose;
mod json;
mod kimi;
mod lines;
mod opencode;
mod pi;
mod prune;
mod shape;
mod text;

use std::path::Path;

use serde_json::Value;

use crate::domain::log::{Entry, EntryKind};
use crate::domain::outcome::Report;
use crate::domain::state::words;
use crate::domain::ticket::Usage;
use claude::Claude;
use cline::Cline;
use codex::Codex;
use copilot::Copilot;
use cursor::Cursor;
use droid::Droid;
use gemini::Gemini;
use goose::Goose;
use json::Json;
use kimi::Kimi;
use lines::{HalfLine, Line};
use opencode::OpenCode;
use pi::Pi;
use shape::{Paths, Pieces, clip, question, usage_text};
use text::Text;

/// Most bytes of the name of a tool, a file or a session.
const NAME_MAX: usize = 4096;

words! {
    /// How an agent's output is read.
    Dialect, "output dialect" {
        /// Claude Code's `stream-json`.
        Claude = "claude",
        /// Codex's `exec --json`.
        Codex = "codex",
        /// OpenCode's `run --format json`, and Kilo's.
        OpenCode = "opencode",
        /// Gemini CLI's `-o stream-json`.
        Gemini = "gemini",
        /// Copilot's `--output-format json`.
        Copilot = "copilot",
        /// Droid's `exec -o stream-json`.
        Droid = "droid",
        /// Cline's `--json`.
        Cline = "cline",
        /// Kimi Code's `stream-json`.
        Kimi = "kimi",
        /// pi's `--mode json`.
        Pi = "pi",
        /// Goose's `stream-json`.
        Goose = "goose",
        /// `stream-json` of Cursor's agent.
        Cursor = "cursor",
        /// An object a line, of any agent: what it means is guessed.
        Json = "json",
        /// Plain lines.
        Text = "text",
    }
}

impl Dialect {
    /// Says whether each line gives one entry, which is the same whatever came before: then any part of an output can be
    /// read without what is before it.
    pub fn has_an_entry_for_each_line(self) -> bool {
        match self {
            Self::Text => true,
            Self::Claude
            | Self::Codex
            | Self::OpenCode
            | Self::Gemini
            | Self::Copilot
            | Self::Droid
            | Self::Cline
            | Self::Kimi
            | Self::Pi
            | Self::Goose
            | Self::Cursor
            | Self::Json => false,
        }
    }
}

/// Reads one agent's output.
#[derive(Clone, Debug)]
pub struct Reader {
    offset: u64,
    half: HalfLine,
    state: State,
    paths: Paths,
    report: Report,
    asked: Option<String>,
}

#[derive(Clone, Debug)]
enum State {
    Claude(Claude),
    Codex(Codex),
    OpenCode(OpenCode),
    Gemini(Gemini),
    Copilot(Copilot),
    Droid(Droid),
    Cline(Cline),
    Kimi(Kimi),
    Pi(Pi),
    Goose(Goose),
    Cursor(Cursor),
    Json(Json),
    Text(Text),
}

impl Reader {
    /// Takes note of how the program ended: what it wrote to standard error, and its exit code where it has one. Some
    /// refusals and errors are told nowhere else, and where nothing names an error, its last words do.
    pub fn ended(&mut self, stderr: &str, code: Option<i32>) {
        self.overhear(stderr);
        if let Some(code) = code {
            self.exited(code);
        }
        self.report.error = self.report.error.take().or_else(|| last_words(stderr).map(clip));
    }

    fn overhear(&mut self, stderr: &str) {
        let mut scene =
            Scene { paths: &mut self.paths, report: &mut self.report, asked: &mut self.asked, out: &mut Vec::new() };
        match &self.state {
            State::Codex(_) => stderr.lines().for_each(|line| codex::overhear(line, &mut scene)),
            State::OpenCode(_) => stderr.lines().for_each(|line| opencode::overhear(line, &mut scene)),
            State::Gemini(gemini) => stderr.lines().for_each(|line| gemini.overhear(line, &mut scene)),
            State::Claude(_)
            | State::Copilot(_)
            | State::Droid(_)
            | State::Cline(_)
            | State::Kimi(_)
            | State::Pi(_)
            | State::Goose(_)
            | State::Cursor(_)
            | State::Json(_)
            | State::Text(_) => {}
        }
    }

    fn exited(&mut self, code: i32) {
        let mut scene =
            Scene { paths: &mut self.paths, report: &mut self.report, asked: &mut self.asked, out: &mut Vec::new() };
        match &self.state {
            State::Gemini(_) => gemini::exited(code, &mut scene),
            State::Claude(_)
            | State::Codex(_)
            | State::OpenCode(_)
            | State::Copilot(_)
            | State::Droid(_)
            | State::Cline(_)
            | State::Kimi(_)
            | State::Pi(_)
            | State::Goose(_)
            | State::Cursor(_)
            | State::Json(_)
            | State::Text(_) => {}
        }
    }

    /// Returns a reader for the output of a run in that worktree. Without a root (an empty path), the folder that the
    /// agent names as its own is taken to show paths against.
    pub fn new(dialect: Dialect, worktree_root: &Path) -> Self {
        let (state, promises_end) = match dialect {
            Dialect::Claude => (State::Claude(Claude::default()), true),
            Dialect::Codex => (State::Codex(Codex::default()), true),
            Dialect::OpenCode => (State::OpenCode(OpenCode::default()), true),
            Dialect::Gemini => (State::Gemini(Gemini::default()), true),
            Dialect::Copilot => (State::Copilot(Copilot::default()), true),
            Dialect::Droid => (State::Droid(Droid::default()), true),
            Dialect::Cline => (State::Cline(Cline::default()), true),
            Dialect::Kimi => (State::Kimi(Kimi::default()), true),
            Dialect::Pi => (State::Pi(Pi::default()), true),
            Dialect::Goose => (State::Goose(Goose::default()), true),
            Dialect::Cursor => (State::Cursor(Cursor::default()), true),
            Dialect::Json => (State::Json(Json::default()), false),
            Dialect::Text => (State::Text(Text::default()), false),
        };
        let report = Report { promises_end, ..Report::default() };
        Self { offset: 0, half: HalfLine::default(), state, paths: Paths::new(worktree_root), report, asked: None }
    }

    /// Reads bytes, and appends the entries of every line that they end.
    pub fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<Entry>) {
        while !bytes.is_empty() {
            let taken = self.feed_line(bytes, out);
            bytes = &bytes[taken..];
        }
    }

    /// Reads to the end of the next line, or all of the bytes if they do not end it, and returns how many were read.
    ///
    /// After each call [`Reader::offset`] says how far the output is read, and [`Reader::is_between_lines`] whether a
    /// copy made now can go on from there.
    pub fn feed_line(&mut self, bytes: &[u8], out: &mut Vec<Entry>) -> usize {
        let (body, taken, ends) = match memchr::memchr(b'\n', bytes) {
            Some(at) => (&bytes[..at], at + 1, true),
            None => (bytes, bytes.len(), false),
        };
        self.offset += taken as u64;
        self.half.push(body);
        if ends {
            self.end_line(out);
        }
        taken
    }

    /// Reads what is left when the output is over: a last line without an end, and what the dialect held back.
    pub fn finish(&mut self, out: &mut Vec<Entry>) {
        if !self.half.is_empty() {
            self.end_line(out);
        }
        let mut scene = Scene { paths: &mut self.paths, report: &mut self.report, asked: &mut self.asked, out };
        match &mut self.state {
            State::Claude(claude) => claude.finish(&mut scene),
            State::Codex(_) | State::OpenCode(_) | State::Droid(_) | State::Kimi(_) | State::Pi(_) => {}
            State::Gemini(gemini) => gemini.finish(&mut scene),
            State::Copilot(copilot) => copilot.finish(&mut scene),
            State::Cline(cline) => cline.finish(&mut scene),
            State::Goose(goose) => goose.finish(&mut scene),
            State::Cursor(cursor) => cursor.finish(&mut scene),
            State::Json(json) => json.finish(&mut scene),
            State::Text(text) => text.finish(&mut scene),
        }
    }

    /// Returns what the output says about the work so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Returns how many bytes were read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns how many of those bytes belong to a line that has not ended yet, and so gave no entry.
    pub fn unread(&self) -> u64 {
        self.half.len()
    }

    /// Says whether the last line that was read has ended, so that a copy holds no half of one.
    pub fn is_between_lines(&self) -> bool {
        self.half.is_empty()
    }

    fn end_line(&mut self, out: &mut Vec<Entry>) {
        let mut half = std::mem::take(&mut self.half);
        self.line(&half.line(), out);
        // What is longer names no session, and would have to be kept and handed on.
        self.report.session.take_if(|session| session.len() > NAME_MAX);
        half.reset();
        self.half = half;
    }

    fn line(&mut self, line: &Line<'_>, out: &mut Vec<Entry>) {
        let mut scene = Scene { paths: &mut self.paths, report: &mut self.report, asked: &mut self.asked, out };
        match &mut self.state {
            State::Text(text) => text.line(&line.text, &mut scene),
            State::Claude(claude) => event(line, &mut scene, |event, scene| claude.event(event, scene)),
            State::Codex(codex) => event(line, &mut scene, |event, scene| codex.event(event, scene)),
            State::OpenCode(opencode) => event(line, &mut scene, |event, scene| opencode.event(event, scene)),
            State::Gemini(gemini) => event(line, &mut scene, |event, scene| gemini.event(event, scene)),
            State::Copilot(copilot) => event(line, &mut scene, |event, scene| copilot.event(event, scene)),
            State::Droid(droid) => event(line, &mut scene, |event, scene| droid.event(event, scene)),
            State::Cline(cline) => event(line, &mut scene, |event, scene| cline.event(event, scene)),
            State::Kimi(kimi) => event(line, &mut scene, |event, scene| kimi.event(event, scene)),
            State::Pi(pi) => event(line, &mut scene, |event, scene| pi.event(event, scene)),
            State::Goose(goose) => event(line, &mut scene, |event, scene| goose.event(event, scene)),
            State::Cursor(cursor) => event(line, &mut scene, |event, scene| cursor.event(event, scene)),
            State::Json(json) => event(line, &mut scene, |event, scene| json.event(event, scene)),
        }
    }
}

/// Returns the last line that complains, or says something at all: the rest of a trace of calls does not, and a program that
/// was called in a wrong way says so above the whole of its help.
fn last_words(text: &str) -> Option<&str> {
    const COMPLAINTS: [&str; 5] = ["error", "fatal", "invalid", "unknown option", "unrecognized"];
    let complains = |line: &&str| {
        let line = line.to_lowercase();
        COMPLAINTS.iter().any(|word| line.starts_with(word))
    };
    let says_something = |line: &&str| line.contains(char::is_alphanumeric) && !line.starts_with("at ");
    let lines = || text.lines().rev().map(str::trim);
    lines().find(complains).or_else(|| lines().find(says_something))
}

/// Hands on a line that is one JSON object, and keeps any other as it is.
fn event(line: &Line<'_>, scene: &mut Scene<'_>, read: impl FnOnce(&Value, &mut Scene<'_>)) {
    // A tool may print a million lines that are no events; an error of the parser for each would cost seconds.
    let may_be_one = line.text.trim_start().starts_with('{');
    match may_be_one.then(|| serde_json::from_str::<Value>(&line.text)) {
        Some(Ok(event)) => read(&event, scene),
        Some(Err(_)) | None => no_event(line, scene),
    }
}

/// Keeps a line that is not one JSON object: agents, their wrappers and their tools print such lines too.
fn no_event(line: &Line<'_>, scene: &mut Scene<'_>) {
    if line.overflowed {
        scene.say(
            EntryKind::System,
            &format!("a line of {} bytes is too long to read; the raw view has it", line.length),
        );
    } else if !line.text.trim().is_empty() {
        scene.say(EntryKind::Text, &line.text);
    }
}

/// What a dialect works with while it reads one line.
struct Scene<'a> {
    paths: &'a mut Paths,
    report: &'a mut Report,
    /// What the agent asked by a tool and nobody answered.
    asked: &'a mut Option<String>,
    out: &'a mut Vec<Entry>,
}

impl Scene<'_> {
    /// Appends an entry that has only a text.
    fn say(&mut self, kind: EntryKind, text: &str) {
        self.out.push(Entry::new(kind, clip(text)));
    }

    /// Appends a text that came in pieces, if there is any of it.
    fn say_pieces(&mut self, kind: EntryKind, pieces: &mut Pieces) {
        let text = pieces.take();
        if !text.trim().is_empty() {
            self.say(kind, &text);
        }
    }

    /// Appends an entry.
    fn add(&mut self, mut entry: Entry) {
        entry.text = clip(&entry.text);
        for name in [&mut entry.tool, &mut entry.path, &mut entry.session].into_iter().flatten() {
            name.truncate(name.floor_char_boundary(NAME_MAX));
        }
        // Some agents do not say whether it went well.
        if let (EntryKind::Edit, Some(path)) = (entry.kind, entry.path.as_ref().filter(|_| entry.ok != Some(false))) {
            self.wrote(path.clone());
        }
        self.out.push(entry);
    }

    /// Appends an error, and remembers it as the newest.
    fn error(&mut self, text: &str) {
        self.report.error = Some(clip(text));
        self.say(EntryKind::Error, text);
    }

    /// Appends what was used, if it was anything.
    fn used(&mut self, usage: Usage) {
        if usage.tokens() > 0 || usage.cost_micros.is_some_and(|cost| cost > 0) {
            self.add(Entry { usage: Some(usage), ..Entry::new(EntryKind::Usage, usage_text(usage)) });
        }
    }

    /// Notes an action that was not allowed. A run that is refused without end is noted up to a bound.
    fn denied(&mut self, what: String) {
        if self.report.denied.len() < 100 {
            self.report.denied.push(what);
        }
    }

    /// Notes a file that the agent wrote where no change of its worktree shows it, up to a bound.
    fn wrote(&mut self, path: String) {
        let outside = &mut self.report.outside;
        if self.paths.is_outside(&path) && outside.len() < 100 && !outside.contains(&path) {
            outside.push(path);
        }
    }

    /// Appends the agent's verdict on its own work. If it is good, an error before it was overcome, and what the agent asks is
    /// for the person.
    fn end(&mut self, ok: bool, text: &str) {
        self.report.ok = Some(ok);
        self.report.retrying = None;
        self.report.question = None;
        if ok {
            self.report.error = None;
            let said = self.report.said.as_deref().and_then(question);
            self.report.question = said.or_else(|| self.asked.clone());
        }
        self.add(Entry { ok: Some(ok), ..Entry::new(EntryKind::End, text) });
    }
}

#[cfg(test)]
mod tests;
