//! Reads the log of one run in pieces of rows, raw or as its agent's reader understands it, whatever its size.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::domain::log::{Counted, Entry, EntryKind, Found, LogPlace, LogRequest, LogRows, LogView};
use crate::domain::run::{Run, RunKind};
use crate::domain::time::Timestamp;
use crate::engine::Workshop;
use crate::executor::decode::{Dialect, Reader};
use crate::run::folder::{Folder, Stream};
use crate::run::pager::{Line, Pager, QUICK, Total};
use crate::run::times::Times;

use super::entries::{Entries, Progress};
use super::sift::{Passed, Read, Sift};
use super::source::{Row, Said, Source};

/// How much of standard error is shown below what an agent said, in lines.
const STDERR_LINES: usize = 200;
/// How long is searched and filtered before what is known is shown.
const SLICE: Duration = Duration::from_millis(30);

/// Returns how the output of a run is read: as its agent prints it, or as plain lines.
pub fn dialect_of(workshop: &Workshop, run: &Run, agent: Option<&str>) -> Dialect {
    match (run.kind, agent) {
        (RunKind::Execute, Some(agent)) => {
            workshop.known_agents().find(agent).map_or(Dialect::Text, |executor| executor.dialect)
        }
        (RunKind::Execute | RunKind::Check | RunKind::Setup | RunKind::Cleanup, _) => Dialect::Text,
    }
}

/// The log of one run.
#[derive(Debug)]
pub struct Log {
    folder: Folder,
    times: Times,
    pretty: Pretty,
    stdout: Option<Pager>,
    /// Standard error, which comes below: few lines, except of checks.
    stderr: Option<Pager>,
    sift: Sift,
}

/// How standard output becomes entries.
#[derive(Debug)]
enum Pretty {
    /// Each line is one, whatever came before it, so any of them can be read at once.
    Lines(Box<Reader>),
    /// They are known only when all before them is read.
    Entries(Box<Entries>),
}

/// Rows of a log.
#[derive(Debug)]
pub struct Rows {
    /// Number of the first row, counted from 0.
    pub first: u64,
    /// How many there are in all, as far as is known.
    pub total: u64,
    /// Whether that is a number or a guess.
    pub counted: Counted,
    /// The rows.
    pub rows: LogRows,
    /// How many rows the filter hides, as far as is known.
    pub hidden: u64,
    /// What the search found; nothing when nothing is sought.
    pub found: Option<Found>,
    /// How much is searched and filtered, in per cent; nothing when all is.
    pub progress: Option<u8>,
    /// Whether there is more to read before these are the rows that were asked for: ask again at once.
    pub behind: bool,
}

impl Log {
    /// Opens the log of a run; `root` is the worktree against which paths are shown.
    pub fn new(folder: Folder, dialect: Dialect, root: &Path) -> Self {
        let times = Times::open(folder.index());
        let reader = Reader::new(dialect, root);
        let pretty = if dialect.has_an_entry_for_each_line() {
            Pretty::Lines(Box::new(reader))
        } else {
            Pretty::Entries(Box::new(Entries::new(folder.stream(Stream::Stdout), reader)))
        };
        Self { folder, times, pretty, stdout: None, stderr: None, sift: Sift::default() }
    }

    /// Returns the file of a stream.
    pub(super) fn path(&self, stream: Stream) -> PathBuf {
        self.folder.stream(stream)
    }

    /// Returns the rows that are asked for, of those that the filter lets through, and what the search found. Reads on for a
    /// moment only: while it is `behind` the answer is what is known by now.
    ///
    /// # Errors
    /// What the system says if the output cannot be read.
    pub fn look(&mut self, request: &LogRequest) -> io::Result<Rows> {
        let LogRequest { view, place, rows: count, filter, sought, .. } = request;
        if filter.is_open() && sought.is_none() {
            self.sift = Sift::default();
            return self.rows(*view, *place, *count);
        }
        let until = Instant::now() + SLICE;
        let count = usize::from(*count);
        let (mut looked, progress) = self.with_sources(*view, |sift, sources, restarts| {
            sift.turn_to(*view, filter, sought.as_ref(), restarts);
            let read = sift.read_on(sources, until)?;
            let found = if sought.is_some() { Some(sift.found(sources, *place, read)?) } else { None };
            let place = match found.and_then(|found| found.row) {
                Some((row, _)) => LogPlace::From(row.saturating_sub(count as u64 / 3)),
                None => *place,
            };
            let passed = if filter.is_open() { None } else { Some(sift.rows(sources, place, count)?) };
            let progress = (read == Read::Part).then(|| sift.progress(sources));
            Ok(Looked { place, found, passed, progress, hidden: sift.hidden(sources) })
        })?;
        let mut rows = match looked.passed.take() {
            Some(passed) => self.shown(*view, passed),
            None => self.rows(*view, looked.place, u16::try_from(count).unwrap_or(u16::MAX))?,
        };
        rows.behind |= progress == Progress::Behind || looked.progress.is_some();
        if rows.behind {
            rows.progress = Some(looked.progress.unwrap_or(99));
        }
        Ok(Rows { found: looked.found, hidden: looked.hidden, ..rows })
    }

    /// Lends the streams as they are read in a view, and says how often a file was found to be begun again.
    fn with_sources<T>(
        &mut self,
        view: LogView,
        look: impl FnOnce(&mut Sift, &mut [Source; 2], u32) -> io::Result<T>,
    ) -> io::Result<(T, Progress)> {
        self.times.refresh();
        let Self { folder, pretty, stdout, stderr, sift, .. } = self;
        let is_over = folder.is_over();
        let stdout = open_once(stdout, folder.stream(Stream::Stdout))?;
        let stderr = open_once(stderr, folder.stream(Stream::Stderr))?;
        stdout.count(QUICK)?;
        let mut progress = Progress::UpToDate;
        let below;
        let restarts = stdout.restarts() + stderr.restarts();
        let mut sources = match view {
            LogView::Raw => {
                stderr.count(QUICK)?;
                [Source::Lines { pager: stdout, is_over }, Source::Lines { pager: stderr, is_over }]
            }
            LogView::Pretty => {
                below = stderr.last(STDERR_LINES)?.lines;
                let said = match pretty {
                    Pretty::Lines(reader) => Said::Lines { reader, is_over, pager: stdout },
                    Pretty::Entries(entries) => {
                        progress = entries.read_on(is_over)?;
                        Said::Entries(entries)
                    }
                };
                [Source::Said(said), Source::Below(&below)]
            }
        };
        Ok((look(sift, &mut sources, restarts)?, progress))
    }

    fn shown(&self, view: LogView, passed: Passed) -> Rows {
        let Passed { first, total, rows } = passed;
        let times = &self.times;
        let rows = match view {
            LogView::Raw => LogRows::Raw(rows.into_iter().filter_map(line).map(|line| line.text()).collect()),
            LogView::Pretty => LogRows::Pretty(
                rows.into_iter()
                    .map(|row| match row {
                        Row::Said((offset, entry)) => (times.written_at(Stream::Stdout, offset), entry),
                        Row::Line(line) | Row::Below(line) => complaint(times, &line),
                    })
                    .collect(),
            ),
        };
        Rows::plain(first, total, Counted::Yes, rows)
    }

    /// Returns some rows; at the end, and behind it, the last ones. Memory stays bounded whatever the size, and what was
    /// read once is not read again, except to go back.
    ///
    /// # Errors
    /// What the system says if the output cannot be read.
    pub fn rows(&mut self, view: LogView, place: LogPlace, count: u16) -> io::Result<Rows> {
        let count = count.into();
        match view {
            LogView::Raw => self.raw_rows(place, count),
            LogView::Pretty => self.pretty_rows(place, count),
        }
    }

    fn raw_rows(&mut self, place: LogPlace, count: usize) -> io::Result<Rows> {
        let stdout = open_once(&mut self.stdout, self.folder.stream(Stream::Stdout))?;
        let stderr = open_once(&mut self.stderr, self.folder.stream(Stream::Stderr))?;
        if let LogPlace::From(first) | LogPlace::Found { top: first, .. } = place {
            stdout.count(QUICK)?;
            let mut lines = stdout.lines(first, count)?.lines;
            if lines.len() < count {
                let above = stdout.line_count()?;
                lines.extend(stderr.lines(first.saturating_sub(above), count - lines.len())?.lines);
            }
            if lines.len() == count {
                let below = stderr.count(QUICK)?;
                let total = stdout.total().guess() + below.guess();
                let counted = counted(stdout.total(), below);
                return Ok(Rows::plain(first, total, counted, LogRows::Raw(texts(&lines))));
            }
        }
        let below = stderr.last(count)?.lines;
        let mut lines = stdout.last(count - below.len())?.lines;
        lines.extend(below);
        let total = stdout.total().guess() + stderr.total().guess();
        let first = total.saturating_sub(lines.len() as u64);
        let counted = counted(stdout.total(), stderr.total());
        Ok(Rows::plain(first, total, counted, LogRows::Raw(texts(&lines))))
    }

    fn pretty_rows(&mut self, place: LogPlace, count: usize) -> io::Result<Rows> {
        self.times.refresh();
        let stderr = open_once(&mut self.stderr, self.folder.stream(Stream::Stderr))?;
        let below = stderr.last(STDERR_LINES)?.lines;
        let mut progress = Progress::UpToDate;
        let mut said = match &mut self.pretty {
            Pretty::Lines(reader) => Said::Lines {
                reader,
                is_over: self.folder.is_over(),
                pager: open_once(&mut self.stdout, self.folder.stream(Stream::Stdout))?,
            },
            Pretty::Entries(entries) => {
                progress = entries.read_on(self.folder.is_over())?;
                Said::Entries(entries)
            }
        };
        let page = match place {
            LogPlace::From(first) | LogPlace::Found { top: first, .. } => said.page(first, &below, count)?,
            LogPlace::End => None,
        };
        let page = match page {
            Some(page) => page,
            None if progress == Progress::Behind => said.glimpse(&below, count)?,
            None => said.last_page(&below, count)?,
        };
        let is_counted = said.is_counted();
        let times = &self.times;
        let said = page.said.into_iter().map(|(offset, entry)| (times.written_at(Stream::Stdout, offset), entry));
        let complaints = page.below.iter().map(|line| complaint(times, line));
        let rows: Vec<(Option<Timestamp>, Entry)> = said.chain(complaints).collect();
        let behind = progress == Progress::Behind;
        let counted = if is_counted && !behind { Counted::Yes } else { Counted::Guessed };
        Ok(Rows { behind, ..Rows::plain(page.first, page.total, counted, LogRows::Pretty(rows)) })
    }
}

/// What one look found.
struct Looked {
    place: LogPlace,
    found: Option<Found>,
    /// The rows, where there is a filter.
    passed: Option<Passed>,
    progress: Option<u8>,
    hidden: u64,
}

impl Rows {
    fn plain(first: u64, total: u64, counted: Counted, rows: LogRows) -> Self {
        Self { first, total, counted, rows, hidden: 0, found: None, progress: None, behind: false }
    }
}

fn counted(stdout: Total, stderr: Total) -> Counted {
    match (stdout, stderr) {
        (Total::Exact(_), Total::Exact(_)) => Counted::Yes,
        (Total::AtLeast { .. } | Total::Exact(_), _) => Counted::Guessed,
    }
}

fn complaint(times: &Times, line: &Line) -> (Option<Timestamp>, Entry) {
    (times.written_at(Stream::Stderr, line.at), Entry::new(EntryKind::Text, line.text()))
}

fn line(row: Row) -> Option<Line> {
    match row {
        Row::Line(line) | Row::Below(line) => Some(line),
        Row::Said(_) => None,
    }
}

fn open_once(pager: &mut Option<Pager>, path: PathBuf) -> io::Result<&mut Pager> {
    Ok(match pager {
        Some(pager) => pager,
        none => none.insert(Pager::open(path)?),
    })
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(Line::text).collect()
}
