//! Reads the log of one run in pieces of rows, raw or as its agent's reader understands it, whatever its size.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::log::{Entry, EntryKind, LogPlace, LogRows, LogView};
use crate::domain::run::{Run, RunKind};
use crate::domain::time::Timestamp;
use crate::engine::Workshop;
use crate::executor::decode::{Dialect, Reader};
use crate::run::folder::{Folder, Stream};
use crate::run::pager::Pager;
use crate::run::tail::{Piece, Tail};
use crate::run::times::Times;

/// Entries that are kept decoded, counted from the newest.
const KEPT: usize = 4096;
/// Entries between two copies of the reader, from which older ones are decoded again.
const STRIDE: u64 = 1000;
/// How much of standard error is shown below what an agent said, in lines.
const STDERR_LINES: usize = 200;

/// Returns how the output of a run is read: as its agent prints it, or as plain lines.
pub fn dialect_of(workshop: &Workshop, run: &Run, agent: Option<&str>) -> Dialect {
    match (run.kind, agent) {
        (RunKind::Execute, Some(agent)) => {
            workshop.table.find(agent).map_or(Dialect::Text, |executor| executor.dialect)
        }
        (RunKind::Execute | RunKind::Check | RunKind::Setup | RunKind::Cleanup, _) => Dialect::Text,
    }
}

/// The log of one run.
#[derive(Debug)]
pub struct Log {
    folder: Folder,
    times: Times,
    stdout: Pretty,
    raw: Option<Pager>,
    /// Standard error, which comes below: few lines, except of checks.
    stderr: Option<Pager>,
}

/// Rows of a log.
#[derive(Debug)]
pub struct Rows {
    /// Number of the first row, counted from 0.
    pub first: u64,
    /// How many there are in all, as far as is known.
    pub total: u64,
    /// The rows.
    pub rows: LogRows,
}

impl Log {
    /// Opens the log of a run; `root` is the worktree against which paths are shown.
    pub fn new(folder: Folder, dialect: Dialect, root: &Path) -> Self {
        let times = Times::open(folder.index());
        let stdout = Pretty::new(folder.stream(Stream::Stdout), Reader::new(dialect, root));
        Self { folder, times, stdout, raw: None, stderr: None }
    }

    /// Returns some rows. Memory stays bounded whatever the size; what was read once is not read again, except to go back.
    ///
    /// # Errors
    /// What the system says if the output cannot be read.
    pub fn rows(&mut self, view: LogView, place: LogPlace, count: u16) -> io::Result<Rows> {
        match view {
            LogView::Raw => self.raw_rows(place, count.into()),
            LogView::Pretty => self.pretty_rows(place, count.into()),
        }
    }

    fn raw_rows(&mut self, place: LogPlace, count: usize) -> io::Result<Rows> {
        let path = self.folder.stream(Stream::Stdout);
        let stdout = open_once(&mut self.raw, path)?;
        let stderr = open_once(&mut self.stderr, self.folder.stream(Stream::Stderr))?;
        let below = stderr.line_count()?;
        if let (LogPlace::End, 0) = (place, below) {
            let page = stdout.last(count)?;
            let total = stdout.total().guess();
            let first = page.first.unwrap_or(total.saturating_sub(page.lines.len() as u64));
            return Ok(Rows { first, total, rows: LogRows::Raw(texts(page.lines)) });
        }
        let above = stdout.line_count()?;
        let total = above + below;
        let first = first_row(place, total, count);
        let mut lines = Vec::new();
        if first < above {
            lines = texts(stdout.lines(first, count)?.lines);
        }
        if lines.len() < count {
            let missing = count - lines.len();
            lines.extend(texts(stderr.lines(first.saturating_sub(above), missing)?.lines));
        }
        Ok(Rows { first, total, rows: LogRows::Raw(lines) })
    }

    fn pretty_rows(&mut self, place: LogPlace, count: usize) -> io::Result<Rows> {
        self.times.refresh();
        self.stdout.read_on(self.folder.is_over())?;
        let stderr = open_once(&mut self.stderr, self.folder.stream(Stream::Stderr))?;
        let below = stderr.last(STDERR_LINES)?.lines;
        let above = self.stdout.total;
        let total = above + below.len() as u64;
        let first = first_row(place, total, count);
        let mut rows: Vec<(Option<Timestamp>, Entry)> = self
            .stdout
            .entries(first, count)?
            .into_iter()
            .map(|(offset, entry)| (self.times.written_at(Stream::Stdout, offset), entry))
            .collect();
        let skip = usize::try_from(first.saturating_sub(above)).unwrap_or(usize::MAX);
        for line in below.iter().skip(skip).take(count - rows.len()) {
            let at = self.times.written_at(Stream::Stderr, line.at);
            rows.push((at, Entry::new(EntryKind::Text, line.text())));
        }
        Ok(Rows { first, total, rows: LogRows::Pretty(rows) })
    }
}

fn first_row(place: LogPlace, total: u64, count: usize) -> u64 {
    let last_page = total.saturating_sub(count as u64);
    match place {
        LogPlace::End => last_page,
        LogPlace::From(row) => row.min(last_page),
    }
}

fn open_once(pager: &mut Option<Pager>, path: PathBuf) -> io::Result<&mut Pager> {
    Ok(match pager {
        Some(pager) => pager,
        none => none.insert(Pager::open(path)?),
    })
}

fn texts(lines: Vec<crate::run::pager::Line>) -> Vec<String> {
    lines.iter().map(crate::run::pager::Line::text).collect()
}

/// The entries of one stream: the newest are kept, older ones are decoded again from copies of the reader.
#[derive(Debug)]
struct Pretty {
    path: PathBuf,
    fresh: Reader,
    reader: Reader,
    tail: Option<Tail>,
    /// The newest entries, each with the offset behind the line that gave it.
    newest: VecDeque<(u64, Entry)>,
    total: u64,
    marks: Vec<Mark>,
    finished: bool,
}

/// A place from which decoding can go on.
#[derive(Clone, Debug)]
struct Mark {
    entry: u64,
    offset: u64,
    reader: Reader,
}

impl Pretty {
    fn new(path: PathBuf, reader: Reader) -> Self {
        let start = Mark { entry: 0, offset: 0, reader: reader.clone() };
        Self {
            path,
            fresh: reader.clone(),
            reader,
            tail: None,
            newest: VecDeque::new(),
            total: 0,
            marks: vec![start],
            finished: false,
        }
    }

    /// Reads what was written since.
    fn read_on(&mut self, is_over: bool) -> io::Result<()> {
        if self.finished {
            return Ok(());
        }
        let mut tail = match self.tail.take() {
            Some(tail) => tail,
            None => Tail::open(&self.path, 0)?,
        };
        let mut entries = Vec::new();
        loop {
            match tail.next()? {
                Piece::Bytes(mut bytes) => {
                    while !bytes.is_empty() {
                        let taken = self.reader.feed_line(bytes, &mut entries);
                        bytes = &bytes[taken..];
                        self.keep(&mut entries);
                    }
                }
                Piece::Restarted => {
                    let (path, fresh) = (self.path.clone(), self.fresh.clone());
                    *self = Self::new(path, fresh);
                }
                Piece::End => break,
            }
        }
        self.tail = Some(tail);
        if is_over {
            self.finished = true;
            self.reader.finish(&mut entries);
            self.keep(&mut entries);
        }
        Ok(())
    }

    fn keep(&mut self, entries: &mut Vec<Entry>) {
        let offset = self.reader.offset();
        for entry in entries.drain(..) {
            self.newest.push_back((offset.saturating_sub(1), entry));
            self.total += 1;
        }
        while self.newest.len() > KEPT {
            self.newest.pop_front();
        }
        let last = self.marks.last().map_or(0, |mark| mark.entry);
        if self.total >= last + STRIDE && self.reader.is_between_lines() {
            self.marks.push(Mark { entry: self.total, offset, reader: self.reader.clone() });
        }
    }

    /// Returns at most `count` entries from number `first` on.
    fn entries(&self, first: u64, count: usize) -> io::Result<Vec<(u64, Entry)>> {
        let oldest_kept = self.total - self.newest.len() as u64;
        if first >= oldest_kept {
            let skip = usize::try_from(first - oldest_kept).unwrap_or(usize::MAX);
            return Ok(self.newest.iter().skip(skip).take(count).cloned().collect());
        }
        self.decode_again(first, count)
    }

    fn decode_again(&self, first: u64, count: usize) -> io::Result<Vec<(u64, Entry)>> {
        let after = self.marks.partition_point(|mark| mark.entry <= first);
        let mark = &self.marks[after.saturating_sub(1)];
        let (mut reader, mut number) = (mark.reader.clone(), mark.entry);
        let mut tail = Tail::open(&self.path, mark.offset)?;
        let mut found = Vec::with_capacity(count);
        let mut entries = Vec::new();
        while let Piece::Bytes(mut bytes) = tail.next()? {
            while !bytes.is_empty() {
                let taken = reader.feed_line(bytes, &mut entries);
                bytes = &bytes[taken..];
                for entry in entries.drain(..) {
                    if number >= first && found.len() < count {
                        found.push((reader.offset().saturating_sub(1), entry));
                    }
                    number += 1;
                }
                if found.len() == count {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}
