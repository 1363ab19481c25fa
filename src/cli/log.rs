//! `draft log`: the log of a ticket's newest job, run by run; raw gives the agent's bytes exactly.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::app::{Opened, dialect_of, load_detail};
use crate::domain::detail::Detail;
use crate::domain::id::JobId;
use crate::domain::log::{Entry, EntryKind};
use crate::domain::run::{Run, RunKind};
use crate::domain::ticket::Ticket;
use crate::executor::decode::Reader;
use crate::run::folder::{Folder, Lengths, Stream};
use crate::run::growth::Growth;
use crate::run::tail::{Piece, Tail};
use crate::run::times::Times;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::{Global, session};

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// The ticket's number or UUID
    id: String,
    /// Of this job [default: the newest]
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// Only of this run of the job
    #[arg(long, value_name = "N")]
    run: Option<u32>,
    /// Go on until the runs are over
    #[arg(long)]
    follow: bool,
    /// Exactly the bytes that were printed
    #[arg(long)]
    raw: bool,
    /// Only of one stream; with --raw the default is stdout
    #[arg(long, value_enum, value_name = "STREAM")]
    stream: Option<StreamName>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum StreamName {
    Stdout,
    Stderr,
}

impl From<StreamName> for Stream {
    fn from(name: StreamName) -> Self {
        match name {
            StreamName::Stdout => Self::Stdout,
            StreamName::Stderr => Self::Stderr,
        }
    }
}

pub(super) fn log(global: &Global, args: &LogArgs) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened)?;
    let ticket = session::find(&board, &args.id)?;
    let detail = load_detail(&opened.workshop, ticket.id)?
        .ok_or_else(|| CliError::environment("database", format!("{} is gone", ticket.number), ""))?;
    let job = job_of(ticket, &detail, args.job.as_deref())?;
    let printed = session::runtime()?.block_on(print_runs(global, args, &opened, ticket, &detail, job));
    match printed {
        Ok(()) => Ok(Exit::Done),
        // Whoever read it has enough: `draft log 1 | head`.
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(Trouble::Output(error)) => Err(CliError::environment("io", format!("could not print: {error}"), "")),
        Err(Trouble::Log(error)) => Err(error),
    }
}

fn job_of(ticket: &Ticket, detail: &Detail, name: Option<&str>) -> Result<JobId, CliError> {
    match name {
        None => {
            let newest = detail.jobs.iter().rev().find(|job| detail.runs.iter().any(|run| run.id.job == job.id));
            newest.map(|job| job.id).ok_or_else(|| {
                let message = format!("{} has no log yet", ticket.number);
                CliError::wrong_use("no_log", message, format!("`draft run {}` runs it.", ticket.number.0))
            })
        }
        Some(name) => detail.jobs.iter().find(|job| job.id.to_string() == name).map(|job| job.id).ok_or_else(|| {
            let message = format!("{} has no job {name}", ticket.number);
            CliError::wrong_use(
                "unknown_job",
                message,
                format!("`draft ticket show {}` lists its jobs.", ticket.number.0),
            )
        }),
    }
}

enum Trouble {
    /// The log cannot be read.
    Log(CliError),
    /// What is printed cannot be written.
    Output(io::Error),
}

impl From<CliError> for Trouble {
    fn from(error: CliError) -> Self {
        Self::Log(error)
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Trouble {
    let path = path.to_owned();
    move |error| Trouble::Log(CliError::environment("io", format!("could not read {}: {error}", path.display()), ""))
}

async fn print_runs(
    global: &Global,
    args: &LogArgs,
    opened: &Opened,
    ticket: &Ticket,
    detail: &Detail,
    job: JobId,
) -> Result<(), Trouble> {
    let mut next = 0;
    let agent = detail.jobs.iter().find(|one| one.id == job).and_then(|one| one.agent.clone());
    loop {
        let reader = opened.reader().map_err(CliError::from)?;
        let runs = reader.runs_of(job).map_err(CliError::from)?;
        drop(reader);
        let fresh: Vec<&Run> =
            runs.iter().filter(|run| run.id.n > next && args.run.is_none_or(|n| n == run.id.n)).collect();
        for run in &fresh {
            next = run.id.n;
            let path = opened.workshop.paths.runs().join(run.folder());
            let folder = Folder::open(&path)
                .map_err(|error| CliError::environment("io", format!("{}: {error}", path.display()), ""))?;
            if args.raw {
                print_raw(args, &folder).await?;
            } else {
                let root = ticket.worktree.as_ref().map(|tree| tree.path.clone()).unwrap_or_default();
                let decoder = Reader::new(dialect_of(&opened.workshop, run, agent.as_deref()), &root);
                Printer { json: global.json, run: (*run).clone(), folder, decoder }.print(args).await?;
            }
        }
        if !args.follow || fresh.is_empty() {
            return Ok(());
        }
    }
}

/// Waits until the output is longer; nothing when the run is over or nobody wants to follow.
async fn more(args: &LogArgs, growth: &mut Growth) -> Result<bool, Trouble> {
    if !args.follow {
        return Ok(false);
    }
    let grown = growth.changed().await;
    let grown = grown.map_err(|error| CliError::environment("io", error.to_string(), ""))?;
    Ok(grown.is_some())
}

async fn print_raw(args: &LogArgs, folder: &Folder) -> Result<(), Trouble> {
    let path = folder.stream(args.stream.map_or(Stream::Stdout, Stream::from));
    let mut growth = Growth::since(folder.clone(), Lengths::default());
    let mut file = File::open(&path).map_err(unreadable(&path))?;
    loop {
        io::copy(&mut file, &mut io::stdout().lock()).map_err(Trouble::Output)?;
        io::stdout().flush().map_err(Trouble::Output)?;
        if !more(args, &mut growth).await? {
            return Ok(());
        }
    }
}

/// Prints one run as entries.
struct Printer {
    json: bool,
    run: Run,
    folder: Folder,
    decoder: Reader,
}

impl Printer {
    async fn print(mut self, args: &LogArgs) -> Result<(), Trouble> {
        let wants = |stream| args.stream.is_none_or(|name| Stream::from(name) == stream);
        if !self.json && self.run.kind != RunKind::Execute {
            writeln!(io::stdout(), "$ {}", visible(&self.run.command)).map_err(Trouble::Output)?;
        }
        let mut growth = Growth::since(self.folder.clone(), Lengths::default());
        let mut streams = [
            wants(Stream::Stdout).then(|| self.open(Stream::Stdout)).transpose()?,
            wants(Stream::Stderr).then(|| self.open(Stream::Stderr)).transpose()?,
        ];
        loop {
            for stream in streams.iter_mut().flatten() {
                self.read(stream)?;
            }
            if !more(args, &mut growth).await? {
                break;
            }
        }
        for stream in streams.iter_mut().flatten() {
            let mut entries = Vec::new();
            stream.decoder.finish(&mut entries);
            self.write(stream, &mut entries)?;
        }
        Ok(())
    }

    /// Standard error holds plain lines, whatever the agent speaks on standard output.
    fn open(&mut self, stream: Stream) -> Result<Reading, Trouble> {
        let path = self.folder.stream(stream);
        let tail = Tail::open(&path, 0).map_err(unreadable(&path))?;
        let decoder = match stream {
            Stream::Stdout => self.decoder.clone(),
            Stream::Stderr => Reader::new(crate::executor::decode::Dialect::Text, Path::new("")),
        };
        Ok(Reading { stream, path, tail, decoder, times: Times::open(self.folder.index()) })
    }

    fn read(&self, reading: &mut Reading) -> Result<(), Trouble> {
        reading.times.refresh();
        let mut entries = Vec::new();
        loop {
            let piece = reading.tail.next().map_err(unreadable(&reading.path))?;
            let mut bytes = match piece {
                Piece::Bytes(bytes) => bytes.to_vec(),
                Piece::Restarted => continue,
                Piece::End => return Ok(()),
            };
            while !bytes.is_empty() {
                let taken = reading.decoder.feed_line(&bytes, &mut entries);
                bytes.drain(..taken);
                self.write(reading, &mut entries)?;
            }
        }
    }

    fn write(&self, reading: &Reading, entries: &mut Vec<Entry>) -> Result<(), Trouble> {
        let offset = reading.decoder.offset().saturating_sub(1);
        let at = reading.times.written_at(reading.stream, offset);
        let mut out = io::stdout().lock();
        for entry in entries.drain(..) {
            let line = if self.json {
                let mut value = serde_json::to_value(&entry).unwrap_or(Value::Null);
                if let Some(usage) = value.as_object_mut().and_then(|fields| fields.remove("usage")) {
                    value["tokens"] = entry.usage.map(|usage| usage.tokens()).into();
                    value["cost_usd"] = entry.usage.and_then(|usage| usage.cost_usd()).into();
                    value["usage"] = usage;
                }
                value["at"] = at.map(|at| at.to_string()).into();
                value["run"] = self.run.id.n.into();
                value.to_string()
            } else {
                plain(&entry)
            };
            writeln!(out, "{line}").map_err(Trouble::Output)?;
        }
        Ok(())
    }
}

struct Reading {
    stream: Stream,
    path: PathBuf,
    tail: Tail,
    decoder: Reader,
    times: Times,
}

/// An entry as people read it, without anything that acts on a terminal.
fn plain(entry: &Entry) -> String {
    let text: Vec<String> = entry.text.lines().map(|line| visible(line).into_owned()).collect();
    let text = text.join("\n    ");
    if entry.kind == EntryKind::Text {
        return text;
    }
    // A call says which tool it is of; of other entries the tool is plain from the call before.
    let tool = entry.tool.as_deref().filter(|_| entry.kind == EntryKind::ToolCall);
    // Some calls have no other text than the path.
    let path = entry.path.as_deref().filter(|path| *path != entry.text);
    let before: String =
        [tool, path].into_iter().flatten().map(|word| format!("{} ", visible(&word.replace('\n', " ")))).collect();
    let code = entry.exit_code.map(|code| format!(" [exit {code}]")).unwrap_or_default();
    format!("{:<11} {before}{text}{code}", entry.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_tells_its_tool_and_its_file_once() {
        let call = |tool: &str, path: Option<&str>, text: &str| {
            let (tool, path) = (Some(tool.to_owned()), path.map(str::to_owned));
            plain(&Entry { tool, path, ..Entry::new(EntryKind::ToolCall, text) })
        };
        assert_eq!(call("Read", Some("a.rs"), "a.rs"), "tool_call   Read a.rs");
        assert_eq!(call("Grep", Some("src"), "fn main"), "tool_call   Grep src fn main");
        assert_eq!(call("Bash", None, "ls"), "tool_call   Bash ls");
        let ended = Entry { tool: Some("Bash".into()), exit_code: Some(2), ..Entry::new(EntryKind::Command, "ls") };
        assert_eq!(plain(&ended), "command     ls [exit 2]");
    }
}
