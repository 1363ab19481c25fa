//! `draft log`: the log of a ticket's newest job, run by run; raw gives the agent's bytes exactly.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::app::dialect_of;
use crate::domain::detail::Detail;
use crate::domain::id::JobId;
use crate::domain::job::Job;
use crate::domain::log::Entry;
use crate::domain::run::{Run, RunKind};
use crate::domain::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::engine::Workshop;
use crate::executor::decode::{Dialect, Reader as Decoder};
use crate::run::RunError;
use crate::run::folder::{Folder, Lengths, Stream};
use crate::run::growth::Growth;
use crate::run::tail::{Piece, Tail};
use crate::run::times::Times;
use crate::store::{Feed, Reader};
use crate::ui::widget::plain;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, entry, session};

/// How much of a file is read at once.
const PIECE: usize = 64 * 1024;

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

pub(super) fn log(global: &Global, args: &LogArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let ticket = session::find(&board, &args.id)?;
    let runtime = session::runtime()?;
    let inside = runtime.enter();
    let feed = Feed::new(&opened.workshop.paths.database())?;
    let reader = opened.reader()?;
    let detail = reader.detail(ticket.id)?.ok_or_else(|| session::gone(ticket))?;
    let job = job_of(args, ticket, &detail)?;
    let mut printing = Printing { global, args, workshop: &opened.workshop, ticket, job, next: 0, out };
    drop(inside);
    runtime.block_on(printing.print_runs(&reader, feed))?;
    Ok(Exit::Done)
}

fn job_of(args: &LogArgs, ticket: &Ticket, detail: &Detail) -> Result<JobId, CliError> {
    let Some(name) = &args.job else {
        // Who follows may also wait for the first run.
        let has_log =
            |job: &&Job| detail.runs.iter().any(|run| run.id.job == job.id) || (args.follow && job.status.is_active());
        return detail.jobs.iter().rev().find(has_log).map(|job| job.id).ok_or_else(|| {
            let message = format!("{} has no log yet", ticket.number);
            CliError::wrong_use("no_log", message, format!("`draft run {}` runs it.", ticket.number.0))
        });
    };
    detail.jobs.iter().find(|job| job.id.to_string() == *name).map(|job| job.id).ok_or_else(|| {
        let message = format!("{} has no job {name}", ticket.number);
        let hint = format!("`draft ticket show {}` lists its jobs.", ticket.number.0);
        CliError::wrong_use("unknown_job", message, hint)
    })
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    let path = path.to_owned();
    move |error| {
        let message = format!("could not read {}: {error}", path.display());
        CliError::environment("io", message, "The folder of the run may have been removed by hand.")
    }
}

fn lost(error: RunError) -> CliError {
    CliError::environment("io", error.to_string(), "The folder of the run may have been removed by hand.")
}

/// Prints the runs of one job, one after the other.
struct Printing<'a> {
    global: &'a Global,
    args: &'a LogArgs,
    workshop: &'a Workshop,
    ticket: &'a Ticket,
    job: JobId,
    /// Runs up to this one were printed.
    next: u32,
    out: &'a mut Out,
}

impl Printing<'_> {
    async fn print_runs(&mut self, reader: &Reader, mut feed: Feed) -> Result<(), CliError> {
        loop {
            // The job first: when it is over, all its runs are there.
            let detail = reader.detail(self.ticket.id)?.ok_or_else(|| session::gone(self.ticket))?;
            let job = detail.jobs.iter().find(|job| job.id == self.job);
            let goes_on = self.args.follow && job.is_some_and(|job| job.status.is_active());
            let agent = job.and_then(|job| job.agent.as_deref());
            let printed = self.print_fresh(&detail.runs, agent).await?;
            if self.args.run.is_some_and(|n| self.next >= n) || !goes_on || self.out.is_gone() {
                return self.refuse_missing();
            }
            if !printed {
                feed.changed().await?;
            }
        }
    }

    /// Prints the runs that were not printed yet; says whether there was one.
    async fn print_fresh(&mut self, runs: &[Run], agent: Option<&str>) -> Result<bool, CliError> {
        let before = self.next;
        for run in runs.iter().filter(|run| run.id.job == self.job && run.id.n > before) {
            if self.args.run.is_some_and(|n| n != run.id.n) {
                continue;
            }
            self.next = run.id.n;
            let folder = Folder::open(self.workshop.paths.runs().join(run.folder())).map_err(lost)?;
            if self.args.raw {
                print_raw(self.args, &folder, self.out).await?;
                continue;
            }
            let root = self.ticket.worktree.as_ref().map(|tree| tree.path.clone()).unwrap_or_default();
            let decoder = Decoder::new(dialect_of(self.workshop, run, agent), &root);
            let mut printer = Printer { json: self.global.json, run, folder, out: self.out };
            printer.print(self.args, decoder).await?;
        }
        Ok(self.next > before)
    }

    fn refuse_missing(&self) -> Result<(), CliError> {
        match self.args.run {
            Some(n) if self.next != n => {
                let message = format!("job {} has no run {n}", self.job);
                let hint = format!("`draft ticket show {} --json` lists the runs of its jobs.", self.ticket.number.0);
                Err(CliError::wrong_use("unknown_run", message, hint))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Waits until the output is longer; no when the run is over, or nobody wants to follow or reads any more.
async fn more(args: &LogArgs, growth: &mut Growth, out: &mut Out) -> Result<bool, CliError> {
    out.flush()?;
    if !args.follow || out.is_gone() {
        return Ok(false);
    }
    Ok(growth.changed().await.map_err(lost)?.is_some())
}

async fn print_raw(args: &LogArgs, folder: &Folder, out: &mut Out) -> Result<(), CliError> {
    let path = folder.stream(args.stream.map_or(Stream::Stdout, Stream::from));
    let mut growth = Growth::since(folder.clone(), Lengths::default());
    let mut file = File::open(&path).map_err(unreadable(&path))?;
    let mut buffer = vec![0; PIECE];
    loop {
        loop {
            let length = file.read(&mut buffer).map_err(unreadable(&path))?;
            if length == 0 || out.is_gone() {
                break;
            }
            out.bytes(&buffer[..length])?;
        }
        if !more(args, &mut growth, out).await? {
            return Ok(());
        }
    }
}

/// Prints one run as entries.
struct Printer<'a> {
    json: bool,
    run: &'a Run,
    folder: Folder,
    out: &'a mut Out,
}

impl Printer<'_> {
    async fn print(&mut self, args: &LogArgs, decoder: Decoder) -> Result<(), CliError> {
        if !self.json && self.run.kind != RunKind::Execute {
            self.out.line(format_args!("$ {}", visible(&self.run.command)))?;
        }
        let mut growth = Growth::since(self.folder.clone(), Lengths::default());
        let mut streams = Vec::new();
        // Standard error holds plain lines, whatever the agent speaks on standard output.
        let plain = Decoder::new(Dialect::Text, Path::new(""));
        for (stream, decoder) in [(Stream::Stdout, decoder), (Stream::Stderr, plain)] {
            if args.stream.is_none_or(|name| Stream::from(name) == stream) {
                streams.push(self.open(stream, decoder)?);
            }
        }
        loop {
            for stream in &mut streams {
                self.read(stream)?;
            }
            if !more(args, &mut growth, self.out).await? {
                break;
            }
        }
        for stream in &mut streams {
            let mut entries = Vec::new();
            stream.decoder.finish(&mut entries);
            self.write(stream.written_at(), &mut entries)?;
        }
        Ok(())
    }

    fn open(&self, stream: Stream, decoder: Decoder) -> Result<Reading, CliError> {
        let path = self.folder.stream(stream);
        let tail = Tail::open(&path, 0).map_err(unreadable(&path))?;
        Ok(Reading { stream, path, tail, decoder, times: Times::open(self.folder.index()) })
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), CliError> {
        reading.times.refresh();
        let mut entries = Vec::new();
        while !self.out.is_gone() {
            let piece = reading.tail.next().map_err(unreadable(&reading.path))?;
            let mut bytes = match piece {
                Piece::Bytes(bytes) => bytes,
                Piece::Restarted => continue,
                Piece::End => break,
            };
            while !bytes.is_empty() {
                bytes = &bytes[reading.decoder.feed_line(bytes, &mut entries)..];
                if !entries.is_empty() {
                    let at = written_at(&reading.times, reading.stream, &reading.decoder);
                    self.write(at, &mut entries)?;
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, at: Option<Timestamp>, entries: &mut Vec<Entry>) -> Result<(), CliError> {
        for entry in entries.drain(..) {
            if self.json {
                let value = self.entry_json(&entry, at);
                self.out.json(&value)?;
            } else {
                self.out.line(plain::entry(&entry))?;
            }
        }
        Ok(())
    }

    fn entry_json(&self, entry: &Entry, at: Option<Timestamp>) -> Value {
        let mut value = entry::json(entry);
        value["at"] = at.map(|at| at.to_string()).into();
        value["run"] = self.run.id.n.into();
        value
    }
}

struct Reading {
    stream: Stream,
    path: PathBuf,
    tail: Tail,
    decoder: Decoder,
    times: Times,
}

impl Reading {
    fn written_at(&self) -> Option<Timestamp> {
        written_at(&self.times, self.stream, &self.decoder)
    }
}

/// When the line was written that the decoder read last.
fn written_at(times: &Times, stream: Stream, decoder: &Decoder) -> Option<Timestamp> {
    times.written_at(stream, decoder.offset().saturating_sub(1))
}
