//! The entries of a stream whose reader joins lines: the newest are kept, older ones are decoded again from copies of the
//! reader, so that memory stays bounded whatever the size.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::domain::log::Entry;
use crate::executor::decode::Reader;
use crate::run::tail::{Piece, Tail};
use crate::run::thin::halve;

/// How much is read at once at the most, in bytes.
const SLICE: u64 = 1 << 20;
/// How long that may take, as it does where processors are short.
const SLICE_TIME: Duration = Duration::from_millis(16);
/// How much of the end is decoded to show it before all above is read, in bytes.
const GLIMPSE: u64 = 64 << 10;
/// Entries that are kept decoded, counted from the newest.
const KEPT: usize = 4096;
/// How long their texts may be together, in bytes.
const KEPT_BYTES: usize = 8 << 20;
/// Entries between two copies of the reader, at first.
const STRIDE: u64 = 1000;
/// Most copies. Past that every second one is dropped, and the stride doubles.
const MOST_MARKS: usize = 512;

/// An entry, with the offset of the last byte of the line that gave it.
pub(super) type Placed = (u64, Entry);

/// How far a log is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// As far as it is written.
    UpToDate,
    /// There is more to read at once.
    Behind,
}

/// The entries of one stream.
#[derive(Debug)]
pub(super) struct Entries {
    path: PathBuf,
    fresh: Reader,
    reader: Reader,
    tail: Option<Tail>,
    newest: VecDeque<Placed>,
    newest_bytes: usize,
    total: u64,
    marks: Vec<Mark>,
    stride: u64,
    finished: bool,
}

/// A place from which decoding can go on.
#[derive(Clone, Debug)]
struct Mark {
    entry: u64,
    offset: u64,
    reader: Reader,
}

impl Entries {
    /// The entries of a file, of which nothing is read yet.
    pub(super) fn new(path: PathBuf, reader: Reader) -> Self {
        Self::with_stride(path, reader, STRIDE)
    }

    /// As [`Entries::new`], with a copy of the reader for each so many entries at first.
    pub(super) fn with_stride(path: PathBuf, reader: Reader, stride: u64) -> Self {
        let start = Mark { entry: 0, offset: 0, reader: reader.clone() };
        Self {
            path,
            fresh: reader.clone(),
            reader,
            tail: None,
            newest: VecDeque::new(),
            newest_bytes: 0,
            total: 0,
            marks: vec![start],
            stride,
            finished: false,
        }
    }

    /// Returns how many there are as far as the file is read.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Returns how many entries are decoded at the most to read one.
    pub(super) fn stride(&self) -> usize {
        usize::try_from(self.stride).unwrap_or(usize::MAX)
    }

    #[cfg(test)]
    pub(super) fn kept_bytes(&self) -> usize {
        self.newest.iter().map(|(_, entry)| entry.text.len()).sum()
    }

    #[cfg(test)]
    pub(super) fn copies(&self) -> usize {
        self.marks.len()
    }

    /// Reads on in what was written since: at most a slice, so that a large log shows what it has, and can be left.
    pub(super) fn read_on(&mut self, is_over: bool) -> io::Result<Progress> {
        if self.finished {
            return Ok(Progress::UpToDate);
        }
        let (slice_ends, begin) = (self.reader.offset() + SLICE, Instant::now());
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
                    if self.reader.offset() >= slice_ends || begin.elapsed() >= SLICE_TIME {
                        self.tail = Some(tail);
                        return Ok(Progress::Behind);
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
        Ok(Progress::UpToDate)
    }

    fn keep(&mut self, entries: &mut Vec<Entry>) {
        let offset = self.reader.offset();
        for entry in entries.drain(..) {
            self.newest_bytes += entry.text.len();
            self.newest.push_back((offset.saturating_sub(1), entry));
            self.total += 1;
        }
        while self.newest.len() > KEPT || self.newest_bytes > KEPT_BYTES {
            let Some((_, oldest)) = self.newest.pop_front() else { break };
            self.newest_bytes -= oldest.text.len();
        }
        let last = self.marks.last().map_or(0, |mark| mark.entry);
        if self.total >= last + self.stride && self.reader.is_between_lines() && !self.finished {
            self.mark(offset);
        }
    }

    fn mark(&mut self, offset: u64) {
        if self.marks.len() == MOST_MARKS {
            halve(&mut self.marks);
            self.stride *= 2;
        }
        self.marks.push(Mark { entry: self.total, offset, reader: self.reader.clone() });
    }

    /// Returns at most `count` entries from the end of what is written, however far it is read: what is seen meanwhile. What
    /// they join with further above is not known. Also returns how many entries there are by a guess.
    pub(super) fn glimpse(&self, count: usize) -> io::Result<(Vec<Placed>, u64)> {
        let length = fs::metadata(&self.path)?.len();
        let read = self.reader.offset();
        let mut at = length.saturating_sub(GLIMPSE).max(read);
        let mut is_line = at == read && self.reader.is_between_lines();
        let mut reader = self.fresh.clone();
        let (mut last, mut entries) = (VecDeque::new(), Vec::new());
        let mut tail = Tail::open(&self.path, at)?;
        while let Piece::Bytes(mut bytes) = tail.next()? {
            if !is_line {
                // The line in which it begins is left out.
                let skipped = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
                is_line = skipped > 0 && bytes[skipped - 1] == b'\n';
                at += skipped as u64;
                bytes = &bytes[skipped..];
            }
            while !bytes.is_empty() {
                let taken = reader.feed_line(bytes, &mut entries);
                bytes = &bytes[taken..];
                let place = (at + reader.offset()).saturating_sub(1);
                last.extend(entries.drain(..).map(|entry| (place, entry)));
                last.drain(..last.len().saturating_sub(count));
            }
            if tail.offset() >= length {
                break;
            }
        }
        let guess = u128::from(self.total) * u128::from(length) / u128::from(read.max(1));
        let total = u64::try_from(guess).unwrap_or(u64::MAX).max(self.total + last.len() as u64);
        Ok((last.into(), total))
    }

    /// Returns at most `count` entries from number `first` on.
    pub(super) fn from(&self, first: u64, count: usize) -> io::Result<Vec<Placed>> {
        let oldest_kept = self.total - self.newest.len() as u64;
        if first >= oldest_kept {
            let skip = usize::try_from(first - oldest_kept).unwrap_or(usize::MAX);
            return Ok(self.newest.iter().skip(skip).take(count).cloned().collect());
        }
        // What was written since it was read on is not counted yet.
        let count = usize::try_from(self.total - first).unwrap_or(usize::MAX).min(count);
        let after = self.marks.partition_point(|mark| mark.entry <= first);
        let mark = &self.marks[after.saturating_sub(1)];
        let skip = first - mark.entry;
        decode(&self.path, mark.offset, mark.reader.clone(), Wanted { skip, count, is_over: self.finished })
    }
}

/// Which entries are wanted from a place on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// So many are left out.
    pub(super) skip: u64,
    /// At most so many are returned.
    pub(super) count: usize,
    /// Nothing more is written, so that a last line without an end is one too.
    pub(super) is_over: bool,
}

/// Decodes entries of a file from an offset between two lines on, with a reader that has read what is before it, or that
/// need not know.
pub(super) fn decode(path: &Path, from: u64, mut reader: Reader, wanted: Wanted) -> io::Result<Vec<Placed>> {
    let read_before = reader.offset();
    let mut found = Vec::with_capacity(wanted.count);
    if wanted.count == 0 {
        return Ok(found);
    }
    let (mut number, mut entries) = (0, Vec::new());
    let mut tail = Tail::open(path, from)?;
    let mut take = |reader: &Reader, entries: &mut Vec<Entry>| {
        for entry in entries.drain(..) {
            if number >= wanted.skip && found.len() < wanted.count {
                found.push(((from + reader.offset() - read_before).saturating_sub(1), entry));
            }
            number += 1;
        }
        found.len() == wanted.count
    };
    while let Piece::Bytes(mut bytes) = tail.next()? {
        while !bytes.is_empty() {
            let taken = reader.feed_line(bytes, &mut entries);
            bytes = &bytes[taken..];
            if take(&reader, &mut entries) {
                return Ok(found);
            }
        }
    }
    if wanted.is_over {
        reader.finish(&mut entries);
        take(&reader, &mut entries);
    }
    Ok(found)
}
