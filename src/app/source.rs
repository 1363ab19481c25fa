//! The rows of one stream of a log, as the raw and the readable view have them, read by number.

use std::io;

use crate::domain::log_find::Words;
use crate::executor::decode::Reader;
use crate::run::pager::{Line, Pager, QUICK, Total};
use crate::ui::widget::ansi;

use super::entries::{Entries, Placed, Wanted, decode};

/// One row, as it is shown.
#[derive(Clone, Debug)]
pub(super) enum Row {
    /// A line as it was written.
    Line(Line),
    /// What an agent said, with the offset of its last byte.
    Said(Placed),
    /// A line of standard error, below what the agent said.
    Below(Line),
}

/// The rows of one stream.
pub(super) enum Source<'a> {
    /// Lines as they were written.
    Lines { pager: &'a mut Pager, is_over: bool },
    /// What standard output says, as entries.
    Said(Said<'a>),
    /// The last lines of standard error, which are few.
    Below(&'a [Line]),
}

impl Source<'_> {
    /// Returns at most `count` rows from number `first` on. A line that is still written is none yet.
    pub(super) fn read(&mut self, first: u64, count: usize) -> io::Result<Vec<Row>> {
        Ok(match self {
            Self::Lines { pager, is_over } => {
                let page = pager.lines(first, count)?;
                let open = !*is_over && page.end == pager.length() && pager.is_last_line_open()?;
                let whole = page.lines.len().saturating_sub(usize::from(open));
                page.lines.into_iter().take(whole).map(Row::Line).collect()
            }
            Self::Said(said) => said.from(first, count)?.into_iter().map(Row::Said).collect(),
            Self::Below(lines) => {
                let first = usize::try_from(first).unwrap_or(usize::MAX);
                lines.iter().skip(first).take(count).cloned().map(Row::Below).collect()
            }
        })
    }

    /// Says whether words are in what is left out of a long line. One that cannot be read has none.
    pub(super) fn has_in_rest(&self, line: &Line, words: &Words) -> bool {
        // Letters may be longer in the other case.
        let overlap = 2 * words.text().len();
        match self {
            Self::Lines { pager, .. } if line.left_out > 0 => {
                pager.is_in_rest(line, overlap, |part| words.are_in(&ansi::shown(part))).unwrap_or(false)
            }
            Self::Lines { .. } | Self::Said(_) | Self::Below(_) => false,
        }
    }

    /// Returns how many rows there are, or the best guess.
    pub(super) fn total(&self) -> u64 {
        match self {
            Self::Lines { pager, .. } => pager.total().guess(),
            Self::Said(said) => said.total().unwrap_or(0),
            Self::Below(lines) => lines.len() as u64,
        }
    }

    /// Says whether its first row may be another one the next time.
    pub(super) fn is_window(&self) -> bool {
        matches!(self, Self::Below(_))
    }

    /// Returns how many rows are best read at once, since it costs no more than to read fewer.
    pub(super) fn best_batch(&self) -> usize {
        match self {
            Self::Said(Said::Entries(entries)) => entries.stride(),
            Self::Said(Said::Lines { .. }) | Self::Lines { .. } | Self::Below(_) => 1,
        }
    }
}

/// What standard output says, as entries.
pub(super) enum Said<'a> {
    /// Each line is one.
    Lines { reader: &'a Reader, is_over: bool, pager: &'a mut Pager },
    /// They are known only when all before them is read.
    Entries(&'a Entries),
}

/// Entries, and the lines of standard error below them.
pub(super) struct Page<'a> {
    pub(super) first: u64,
    pub(super) total: u64,
    pub(super) said: Vec<Placed>,
    pub(super) below: &'a [Line],
}

impl Said<'_> {
    /// Returns a full page from row number `first` on; nothing where fewer rows are left.
    pub(super) fn page<'a>(&mut self, first: u64, below: &'a [Line], count: usize) -> io::Result<Option<Page<'a>>> {
        let said = self.from(first, count)?;
        let missing = count - said.len();
        let skip = if missing == 0 { 0 } else { first.saturating_sub(self.total()?) };
        let below_page = usize::try_from(skip).ok().and_then(|skip| below.get(skip..skip + missing));
        let total = self.total()? + below.len() as u64;
        Ok(below_page.map(|below| Page { first, total, said, below }))
    }

    /// Returns the last rows.
    pub(super) fn last_page<'a>(&mut self, below: &'a [Line], count: usize) -> io::Result<Page<'a>> {
        let below_page = &below[below.len() - below.len().min(count)..];
        let said = self.last(count - below_page.len())?;
        let total = self.total()? + below.len() as u64;
        let first = total.saturating_sub((said.len() + below_page.len()) as u64);
        Ok(Page { first, total, said, below: below_page })
    }

    /// Returns the last rows of what is written, although what is above them is not read yet.
    pub(super) fn glimpse<'a>(&mut self, below: &'a [Line], count: usize) -> io::Result<Page<'a>> {
        let Self::Entries(entries) = self else { return self.last_page(below, count) };
        let below_page = &below[below.len() - below.len().min(count)..];
        let (said, total) = entries.glimpse(count - below_page.len())?;
        if said.is_empty() {
            // One line is longer than what is looked at.
            return self.last_page(below, count);
        }
        let total = total + below.len() as u64;
        let first = total.saturating_sub((said.len() + below_page.len()) as u64);
        Ok(Page { first, total, said, below: below_page })
    }

    /// Returns how many entries there are, or the best guess.
    pub(super) fn total(&self) -> io::Result<u64> {
        Ok(match self {
            Self::Entries(entries) => entries.total(),
            Self::Lines { pager, is_over, .. } => {
                pager.total().guess() - u64::from(!is_over && pager.is_last_line_open()?)
            }
        })
    }

    /// Says whether all that is written is counted.
    pub(super) fn is_counted(&self) -> bool {
        match self {
            Self::Entries(_) => true,
            Self::Lines { pager, .. } => matches!(pager.total(), Total::Exact(_)),
        }
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
