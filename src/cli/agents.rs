//! `draft agents`: what Draft makes of an agent's output, for people who add an agent or wonder about one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::agents_here;
use crate::domain::log::{Entry, EntryKind};
use crate::domain::outcome::{Report, Verdict, first_line, judge};
use crate::domain::run::RunEnd;
use crate::executor::decode::{Dialect, Reader};
use crate::executor::table::Table;
use crate::ui::widget::plain;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, entry, session};

/// How much of the output is read at once.
const PIECE: usize = 64 * 1024;

mod list;

#[derive(Debug, Args)]
pub(super) struct AgentsArgs {
    #[command(subcommand)]
    command: Option<AgentsCommand>,
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    /// Show how Draft reads an agent's output, entry by entry, and what it would conclude
    Read(ReadArgs),
}

#[derive(Debug, Args)]
struct ReadArgs {
    /// The agent, or an output dialect such as `json`
    name: String,
    /// What it printed [default: standard input]
    file: Option<PathBuf>,
    /// What it printed on standard error: some agents tell their failure only there
    #[arg(long, value_name = "FILE")]
    stderr: Option<PathBuf>,
    /// How it ended
    #[arg(long, value_name = "CODE", default_value_t = 0, allow_negative_numbers = true)]
    exit_code: i32,
}

pub(super) fn agents(global: &Global, args: &AgentsArgs, out: &mut Out) -> Result<Exit, CliError> {
    match &args.command {
        None => list::list(global, out),
        Some(AgentsCommand::Read(args)) => read(global, args, out),
    }
}

fn read(global: &Global, args: &ReadArgs, out: &mut Out) -> Result<Exit, CliError> {
    // Without a worktree, paths are shown against the folder that the agent names.
    let mut reader = Reader::new(dialect(global, &args.name)?, Path::new(""));
    match args.file.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => {
            let file = File::open(path).map_err(unreadable(path))?;
            print(global, &mut reader, file, path, out)?;
        }
        None => print(global, &mut reader, io::stdin().lock(), Path::new("standard input"), out)?,
    }
    let stderr = match &args.stderr {
        Some(path) => String::from_utf8_lossy(&fs::read(path).map_err(unreadable(path))?).into_owned(),
        None => String::new(),
    };
    reader.ended(&stderr, Some(args.exit_code));
    let conclusion = Conclusion::new(reader.report(), args.exit_code);
    if global.json {
        out.json(&conclusion.json())?
    } else {
        conclusion.print(out)?
    }
    Ok(Exit::Done)
}

/// Returns how the output of that agent is read; who writes a new row may also name the dialect itself.
fn dialect(global: &Global, name: &str) -> Result<Dialect, CliError> {
    // What somebody printed can be read whatever is wrong with the settings here.
    let table = agents_here(&session::options(global)).unwrap_or_else(|_| Table::builtin());
    table.find(name).map(|executor| executor.dialect).or_else(|unknown| {
        name.parse().map_err(|_| {
            let dialects: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.as_str()).collect();
            let hint = format!("Name an agent, or a dialect: {}.", dialects.join(", "));
            CliError::wrong_use("unknown_agent", unknown.to_string(), hint)
        })
    })
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    let message = format!("could not read {}", path.display());
    move |error| CliError::wrong_use("io", format!("{message}: {error}"), "Name a file, or `-` for standard input.")
}

/// Prints the entries as they come, so that an output of any length takes little memory and a pipe shows them at once.
fn print(
    global: &Global,
    reader: &mut Reader,
    mut output: impl Read,
    name: &Path,
    out: &mut Out,
) -> Result<(), CliError> {
    let write = |entries: &mut Vec<Entry>, out: &mut Out| {
        entries.drain(..).try_for_each(|entry| {
            if global.json { out.json(&entry::json(&entry)) } else { out.line(plain::entry(&entry)) }
        })
    };
    let (mut piece, mut entries) = (vec![0; PIECE], Vec::new());
    while !out.is_gone() {
        let length = match output.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(name)(error)),
        };
        reader.feed(&piece[..length], &mut entries);
        write(&mut entries, out)?;
        out.flush()?;
    }
    reader.finish(&mut entries);
    write(&mut entries, out)
}

/// What the output reports in the end, and what would come of it.
struct Conclusion<'a> {
    report: &'a Report,
    exit_code: i32,
    with_change: String,
    without: String,
}

impl<'a> Conclusion<'a> {
    fn new(report: &'a Report, exit_code: i32) -> Self {
        let of = |changed| words(judge(&RunEnd::Exited { code: exit_code }, report, changed));
        Self { report, exit_code, with_change: of(true), without: of(false) }
    }

    fn has_failed(&self) -> bool {
        self.exit_code != 0 || self.report.ok == Some(false)
    }

    /// A last entry for programs, which alone has a report.
    fn json(&self) -> Value {
        let report = self.report;
        let mut value = entry::json(&Entry::new(EntryKind::System, self.text()));
        value["report"] = json!({
            "session": report.session, "ok": report.ok, "promises_end": report.promises_end, "said": report.said,
            "error": report.error.as_ref().filter(|_| self.has_failed()), "denied": report.denied, "outside": report.outside, "question": report.question, "retrying": report.retrying,
            "tokens": report.usage.tokens(), "cost_usd": report.usage.cost_usd(), "exit_code": self.exit_code,
            "with_change": self.with_change, "without_change": self.without,
        });
        value
    }

    fn text(&self) -> String {
        let Self { exit_code, with_change, without, .. } = self;
        if with_change == without {
            return format!("exit {exit_code}: {without}");
        }
        format!("exit {exit_code} with a change: {with_change}; without: {without}")
    }

    fn print(&self, out: &mut Out) -> Result<(), CliError> {
        let report = self.report;
        let own = match (report.ok, report.promises_end) {
            (Some(true), _) => "it says that it finished",
            (Some(false), _) => "it says that it failed",
            (None, true) => "missing, and this agent always gives one",
            (None, false) => "none, and this agent need not give one",
        };
        let used = report.usage;
        let cost = used.cost_usd().map(|cost| format!(", ${cost:.4}")).unwrap_or_default();
        let used = (used.tokens() > 0 || !cost.is_empty()).then(|| format!("{} tokens{cost}", used.tokens()));
        out.line("")?;
        for (name, value) in [
            ("session", report.session.clone()),
            ("used", used),
            ("said", report.said.as_deref().map(first_line)),
            // What was overcome, or only looked like one, is none.
            ("error", report.error.as_deref().filter(|_| self.has_failed()).map(first_line)),
            ("refused", (!report.denied.is_empty()).then(|| report.denied.join("; "))),
            ("outside", (!report.outside.is_empty()).then(|| report.outside.join("; "))),
            ("asks", report.question.as_deref().map(first_line)),
            ("retrying", report.retrying.as_deref().map(first_line)),
            ("verdict", Some(own.to_owned())),
            ("outcome", Some(self.text())),
        ] {
            if let Some(value) = value {
                out.line(format_args!("{name:<11} {}", visible(&value)))?;
            }
        }
        Ok(())
    }
}

/// Says what a verdict leads to.
fn words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Changed => "the change is kept and checked".to_owned(),
        Verdict::Unchanged => "it ended well and changed nothing".to_owned(),
        Verdict::Asked(question) => format!("it asks you: {}", first_line(&question)),
        Verdict::Refused(reason) | Verdict::Failed(reason) => reason,
        Verdict::Stopped => "it was stopped".to_owned(),
        Verdict::Lost => "no one saw how it ended".to_owned(),
    }
}
