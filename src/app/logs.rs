//! Reads the log of one run in pieces of rows, raw or as its agent's reader understands it, whatever its size.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::log::{Entry, EntryKind, LogPlace, LogRows, LogView};
use crate::domain::run::{Run, RunKind};
use crate::domain::time::Timestamp;
use crate::engine::Workshop;
use crate::executor::decode::{Dialect, Reader};
use crate::run::folder::{Folder, Stream};
use crate::run::pager::{Line, Pager, QUICK};
use crate::run::times::Times;

use super::entries::{Entries, Placed, Progress, Wanted, decode};

/// How much of standard error is shown below what an agent said, in lines.
const STDERR_LINES: usize = 200;

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
    /// The rows.
    pub rows: LogRows,
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
        Self { folder, times, pretty, stdout: None, stderr: None }
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
        if let LogPlace::From(first) = place {
            stdout.count(QUICK)?;
            let mut lines = stdout.lines(first, count)?.lines;
            if lines.len() < count {
                let above = stdout.line_count()?;
                lines.extend(stderr.lines(first.saturating_sub(above), count - lines.len())?.lines);
            }
            if lines.len() == count {
                let total = stdout.total().guess() + stderr.count(QUICK)?.guess();
                return Ok(Rows { first, total, rows: LogRows::Raw(texts(&lines)), behind: false });
            }
        }
        let below = stderr.last(count)?.lines;
        let mut lines = stdout.last(count - below.len())?.lines;
        lines.extend(below);
        let total = stdout.total().guess() + stderr.total().guess();
        Ok(Rows {
            first: total.saturating_sub(lines.len() as u64),
            total,
            rows: LogRows::Raw(texts(&lines)),
            behind: false,
        })
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
            LogPlace::From(first) => said.page(first, &below, count)?,
            LogPlace::End => None,
        };
        let page = match page {
            Some(page) => page,
            None => said.last_page(&below, count)?,
        };
        let times = &self.times;
        let said = page.said.into_iter().map(|(offset, entry)| (times.written_at(Stream::Stdout, offset), entry));
        let complaints = page
            .below
            .iter()
            .map(|line| (times.written_at(Stream::Stderr, line.at), Entry::new(EntryKind::Text, line.text())));
        let rows: Vec<(Option<Timestamp>, Entry)> = said.chain(complaints).collect();
        Ok(Rows {
            first: page.first,
            total: page.total,
            rows: LogRows::Pretty(rows),
            behind: progress == Progress::Behind,
        })
    }
}

/// What standard output says, as entries.
enum Said<'a> {
    Lines { reader: &'a Reader, is_over: bool, pager: &'a mut Pager },
    Entries(&'a Entries),
}

/// Entries, and the lines of standard error below them.
struct Page<'a> {
    first: u64,
    total: u64,
    said: Vec<Placed>,
    below: &'a [Line],
}

impl Said<'_> {
    /// Returns a full page from row number `first` on; nothing where fewer rows are left.
    fn page<'a>(&mut self, first: u64, below: &'a [Line], count: usize) -> io::Result<Option<Page<'a>>> {
        let said = self.from(first, count)?;
        let missing = count - said.len();
        let skip = if missing == 0 { 0 } else { first.saturating_sub(self.total()?) };
        let below_page = usize::try_from(skip).ok().and_then(|skip| below.get(skip..skip + missing));
        let total = self.total()? + below.len() as u64;
        Ok(below_page.map(|below| Page { first, total, said, below }))
    }

    /// Returns the last rows.
    fn last_page<'a>(&mut self, below: &'a [Line], count: usize) -> io::Result<Page<'a>> {
        let below_page = &below[below.len() - below.len().min(count)..];
        let said = self.last(count - below_page.len())?;
        let total = self.total()? + below.len() as u64;
        let first = total.saturating_sub((said.len() + below_page.len()) as u64);
        Ok(Page { first, total, said, below: below_page })
    }

    /// Returns how many entries there are, or the best guess.
    fn total(&self) -> io::Result<u64> {
        Ok(match self {
            Self::Entries(entries) => entries.total(),
            Self::Lines { pager, is_over, .. } => {
                pager.total().guess() - u64::from(!is_over && pager.is_last_line_open()?)
            }
        })
    }

    fn from(&mut self, first: u64, count: usize) -> io::Result<Vec<Placed>> {
        match self {
            Self::Entries(entries) if first >= entries.total() => Ok(Vec::new()),
            Self::Entries(entries) => entries.from(first, count),
            Self::Lines { reader, is_over, pager } => {
                pager.count(QUICK)?;
                let page = pager.lines(first, count)?;
                let wanted = Wanted { skip: 0, count: page.lines.len(), is_over: *is_over };
                decode(pager.path(), page.start, reader.clone(), wanted)
            }
        }
    }

    fn last(&mut self, count: usize) -> io::Result<Vec<Placed>> {
        match self {
            Self::Entries(entries) => entries.from(entries.total().saturating_sub(count as u64), count),
            Self::Lines { reader, is_over, pager } => {
                let lines = pager.last(count + 1)?.lines;
                // A line that is still written is none yet.
                let open = !*is_over && pager.is_last_line_open()?;
                let ended = &lines[..lines.len().saturating_sub(usize::from(open))];
                let ended = &ended[ended.len().saturating_sub(count)..];
                let start = ended.first().map_or(0, |line| line.at);
                let wanted = Wanted { skip: 0, count: ended.len(), is_over: *is_over };
                decode(pager.path(), start, reader.clone(), wanted)
            }
        }
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
