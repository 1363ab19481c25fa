//! Filters and searches the rows of a log: a slice at a time, so that nobody waits, and in bounded memory whatever the
//! size. A search covers what is shown, and of a very long line also what is left out.

use std::borrow::Cow;
use std::io;
use std::time::Instant;

use crate::domain::log::{Entry, EntryKind, Found, LogPlace, LogView, Way};
use crate::domain::log_filter::{LogFilter, Part};
use crate::domain::log_find::{Sought, Words, looks_wrong, went_wrong};
use crate::run::pager::Line;
use crate::ui::widget::{ansi, entry};

use super::sieve::{Block, Sieve};
use super::source::{Row, Source};

/// The streams in the order in which their rows are shown.
const STREAMS: [Part; 2] = [Part::Stdout, Part::Stderr];
/// How many rows are in memory at once.
const BATCH: usize = 1000;

/// What passed the filter and what was found, as far as the log is read.
#[derive(Debug, Default)]
pub(super) struct Sift {
    view: Option<LogView>,
    filter: LogFilter,
    sought: Option<Sought>,
    restarts: u32,
    streams: [Known; 2],
}

/// What is known of a stream.
#[derive(Debug, Default)]
struct Known {
    /// The rows that the filter lets through; not kept while it lets all through.
    shown: Sieve,
    /// Those of them that have what is sought.
    hits: Sieve,
}

/// Rows that the filter lets through.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) first: u64,
    pub(super) total: u64,
    pub(super) rows: Vec<Row>,
}

/// Whether a log is read to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Read {
    All,
    Part,
}

impl Sift {
    /// Turns to another view, filter or search, or to files that were begun again, and forgets what no longer holds.
    pub(super) fn turn_to(&mut self, view: LogView, filter: &LogFilter, sought: Option<&Sought>, restarts: u32) {
        if self.view != Some(view) || self.filter != *filter || self.restarts != restarts {
            let filter = filter.clone();
            *self = Self { view: Some(view), filter, restarts, sought: None, streams: Default::default() };
        }
        if self.sought.as_ref() != sought {
            self.sought = sought.cloned();
            for known in &mut self.streams {
                known.hits = Sieve::default();
            }
        }
    }

    /// Reads on until that moment.
    pub(super) fn read_on(&mut self, sources: &mut [Source; 2], until: Instant) -> io::Result<Read> {
        let (filter, sought) = (&self.filter, self.sought.as_ref());
        for ((known, source), part) in self.streams.iter_mut().zip(sources).zip(STREAMS) {
            if source.is_window() {
                *known = Known::default();
            }
            if !filter.shows(part) {
                continue;
            }
            if !filter.is_open()
                && test(source, &mut known.shown, until, |source, row| passes(filter, source, row))? == Read::Part
            {
                return Ok(Read::Part);
            }
            let Some(sought) = sought else { continue };
            let is_hit = |source: &Source, row: &Row| passes(filter, source, row) && is_in(sought, source, row);
            if test(source, &mut known.hits, until, is_hit)? == Read::Part {
                // Rows below have no numbers before all above are known.
                return Ok(Read::Part);
            }
        }
        Ok(Read::All)
    }

    /// Returns rows that pass the filter, as far as the log is read.
    pub(super) fn rows(&self, sources: &mut [Source; 2], place: LogPlace, count: usize) -> io::Result<Passed> {
        let above = self.streams[0].shown.passed();
        let total = above + self.streams[1].shown.passed();
        let last = total.saturating_sub(count as u64);
        let first = match place {
            LogPlace::End => last,
            LogPlace::From(first) | LogPlace::Found { top: first, .. } => first.min(last),
        };
        let [stdout, stderr] = sources;
        let mut rows = self.shown(stdout, 0, first, count)?;
        let below = self.shown(stderr, 1, first.saturating_sub(above), count - rows.len())?;
        rows.extend(below);
        Ok(Passed { first, total, rows })
    }

    fn shown(&self, source: &mut Source, stream: usize, first: u64, count: usize) -> io::Result<Vec<Row>> {
        let mut rows = Vec::new();
        while rows.len() < count {
            let Some(block) = self.streams[stream].shown.block_of(first + rows.len() as u64) else { break };
            let skip = first + rows.len() as u64 - block.before;
            let found = select(source, block, |source, row| passes(&self.filter, source, row))?;
            let before = rows.len();
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            rows.extend(found.into_iter().skip(skip).take(count - before).map(|(_, row)| row));
            if rows.len() == before {
                // The file was cut since it was read.
                break;
            }
        }
        Ok(rows)
    }

    /// Returns how many rows the filter hides, as far as the log is read.
    pub(super) fn hidden(&self, sources: &[Source; 2]) -> u64 {
        if self.filter.is_open() {
            return 0;
        }
        let streams = self.streams.iter().zip(sources).zip(STREAMS);
        streams
            .map(
                |((known, source), part)| {
                    if self.filter.shows(part) { known.shown.tested() - known.shown.passed() } else { source.total() }
                },
            )
            .sum()
    }

    /// Returns how much is read, in per cent.
    pub(super) fn progress(&self, sources: &[Source; 2]) -> u8 {
        let (mut tested, mut total) = (0_u64, 0_u64);
        for ((known, source), part) in self.streams.iter().zip(sources).zip(STREAMS) {
            if self.filter.shows(part) {
                let sieve = if self.sought.is_some() { &known.hits } else { &known.shown };
                tested += sieve.tested();
                total += source.total().max(sieve.tested());
            }
        }
        u8::try_from(u128::from(tested) * 100 / u128::from(total.max(1))).unwrap_or(100)
    }

    /// Returns how many rows have what is sought, and the one that a place means, when it is known by now.
    pub(super) fn found(&self, sources: &mut [Source; 2], place: LogPlace, read: Read) -> io::Result<Found> {
        let total = self.streams.iter().map(|known| known.hits.passed()).sum();
        let row = match place {
            LogPlace::Found { from, way, .. } if total > 0 => self.go(sources, from, way, (total, read))?,
            LogPlace::Found { .. } | LogPlace::From(_) | LogPlace::End => None,
        };
        Ok(Found { total, row })
    }

    fn go(
        &self,
        sources: &mut [Source; 2],
        from: u64,
        way: Way,
        (total, read): (u64, Read),
    ) -> io::Result<Option<(u64, u64)>> {
        let Some((before, is_hit)) = self.hits_before(sources, from, read)? else { return Ok(None) };
        let next = match way {
            Way::Here => Some(before).filter(|n| *n < total),
            Way::Down => Some(before + u64::from(is_hit)).filter(|n| *n < total),
            Way::Up => before.checked_sub(1),
        };
        let n = match (next, read) {
            (Some(n), _) => n,
            // It may still come.
            (None, Read::Part) => return Ok(None),
            (None, Read::All) if way == Way::Up => total - 1,
            (None, Read::All) => 0,
        };
        Ok(self.row_of_hit(sources, n)?.map(|row| (row, n + 1)))
    }

    /// Returns how many hits are above a row, and whether it is one; nothing while the log is not read that far.
    fn hits_before(&self, sources: &mut [Source; 2], row: u64, read: Read) -> io::Result<Option<(u64, bool)>> {
        let above = self.above(sources);
        let stream = usize::from(row >= above && read == Read::All);
        let (row, hits_above) = if stream == 0 { (row, 0) } else { (row - above, self.streams[0].hits.passed()) };
        let known = &self.streams[stream];
        let source = &mut sources[stream];
        let row = if self.filter.is_open() { Some(row) } else { self.nth_shown(source, stream, row)? };
        let Some(block) = row.and_then(|row| known.hits.block_around(row)) else {
            return Ok((read == Read::All).then_some((hits_above + known.hits.passed(), false)));
        };
        let hits = self.hits(source, block)?;
        let before = hits.iter().filter(|hit| Some(**hit) < row).count() as u64;
        Ok(Some((hits_above + block.before + before, hits.iter().any(|hit| Some(*hit) == row))))
    }

    fn row_of_hit(&self, sources: &mut [Source; 2], n: u64) -> io::Result<Option<u64>> {
        let above = self.above(sources);
        let in_first = self.streams[0].hits.passed();
        let stream = usize::from(n >= in_first);
        let (n, above) = if stream == 0 { (n, 0) } else { (n - in_first, above) };
        let source = &mut sources[stream];
        let Some(block) = self.streams[stream].hits.block_of(n) else { return Ok(None) };
        let hits = self.hits(source, block)?;
        let Some(row) = usize::try_from(n - block.before).ok().and_then(|n| hits.get(n)).copied() else {
            return Ok(None);
        };
        let number = if self.filter.is_open() { Some(row) } else { self.number_of(source, stream, row)? };
        Ok(number.map(|number| above + number))
    }

    /// Returns how many rows of standard output are shown.
    fn above(&self, sources: &[Source; 2]) -> u64 {
        if self.filter.is_open() { sources[0].total() } else { self.streams[0].shown.passed() }
    }

    /// Returns the number, among all rows of a stream, of one that is shown.
    fn nth_shown(&self, source: &mut Source, stream: usize, n: u64) -> io::Result<Option<u64>> {
        let Some(block) = self.streams[stream].shown.block_of(n) else { return Ok(None) };
        let shown = select(source, block, |source, row| passes(&self.filter, source, row))?;
        Ok(usize::try_from(n - block.before).ok().and_then(|n| shown.get(n)).map(|(row, _)| *row))
    }

    /// Returns the number, among those that are shown, of a row of a stream.
    fn number_of(&self, source: &mut Source, stream: usize, row: u64) -> io::Result<Option<u64>> {
        let Some(block) = self.streams[stream].shown.block_around(row) else { return Ok(None) };
        let shown = select(source, block, |source, row| passes(&self.filter, source, row))?;
        Ok(Some(block.before + shown.iter().filter(|(shown, _)| *shown < row).count() as u64))
    }

    fn hits(&self, source: &mut Source, block: Block) -> io::Result<Vec<u64>> {
        let Some(sought) = &self.sought else { return Ok(Vec::new()) };
        let hits =
            select(source, block, |source, row| passes(&self.filter, source, row) && is_in(sought, source, row))?;
        Ok(hits.into_iter().map(|(row, _)| row).collect())
    }
}

/// Tests the rows that are not tested yet, at least some of them and until that moment.
fn test(
    source: &mut Source,
    sieve: &mut Sieve,
    until: Instant,
    passes: impl Fn(&Source, &Row) -> bool,
) -> io::Result<Read> {
    loop {
        let most = source.best_batch().max(BATCH);
        let rows = source.read(sieve.tested(), most)?;
        rows.iter().for_each(|row| sieve.add(passes(source, row)));
        if rows.len() < most {
            return Ok(Read::All);
        }
        if Instant::now() >= until {
            return Ok(Read::Part);
        }
    }
}

/// Returns the rows of a block that pass, each with its number.
fn select(source: &mut Source, block: Block, passes: impl Fn(&Source, &Row) -> bool) -> io::Result<Vec<(u64, Row)>> {
    let mut selected = Vec::new();
    let most = source.best_batch().max(BATCH);
    let mut at = block.first;
    while at < block.first + block.count {
        let count = usize::try_from(block.first + block.count - at).unwrap_or(most).min(most);
        let rows = source.read(at, count)?;
        if rows.is_empty() {
            break;
        }
        let numbers = at..;
        at += rows.len() as u64;
        selected.extend(numbers.zip(rows).filter(|(_, row)| passes(source, row)));
    }
    Ok(selected)
}

/// Says whether the filter lets a row of a stream that is shown through.
fn passes(filter: &LogFilter, source: &Source, row: &Row) -> bool {
    let kind = match row {
        Row::Line(_) => None,
        Row::Said((_, entry)) => Some(entry.kind),
        Row::Below(_) => Some(EntryKind::Text),
    };
    kind.is_none_or(|kind| filter.shows(Part::of(kind)))
        && filter.words.as_ref().is_none_or(|words| has_words(words, source, row))
}

fn is_in(sought: &Sought, source: &Source, row: &Row) -> bool {
    match sought {
        Sought::Words(words) => has_words(words, source, row),
        Sought::Errors => match row {
            Row::Said((_, entry)) if went_wrong(entry) => true,
            Row::Said((_, entry)) => entry.kind == EntryKind::Text && entry.text.lines().any(is_wrong),
            Row::Line(line) | Row::Below(line) => is_wrong(&line.text()),
        },
    }
}

fn is_wrong(line: &str) -> bool {
    looks_wrong(&ansi::shown(line))
}

fn has_words(words: &Words, source: &Source, row: &Row) -> bool {
    match row {
        Row::Line(line) => words.are_in(&ansi::shown(&text(line))) || source.has_in_rest(line, words),
        Row::Said((_, said)) => entry::has_words(said, words),
        Row::Below(line) => entry::has_words(&Entry::new(EntryKind::Text, line.text()), words),
    }
}

fn text(line: &Line) -> Cow<'_, str> {
    // Most lines are short and in UTF-8, and then nothing is copied.
    match (line.left_out, std::str::from_utf8(&line.bytes)) {
        (0, Ok(text)) => Cow::Borrowed(text),
        (_, Ok(_) | Err(_)) => Cow::Owned(line.text()),
    }
}
