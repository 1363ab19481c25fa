//! Shows any part of a file of lines, however large, in bounded memory and without reading what nobody looks at.
//!
//! Line numbers come from an index of offsets that is built as far as it is needed. The end of a file is found from
//! behind; its line numbers are known only when somebody has counted that far, and the pager says which it is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::line_index::Index;

/// Longest part of a line that is kept, in bytes. What is left out is counted.
pub const LONGEST_LINE: usize = 16 * 1024;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// How much [`Pager::last`] counts at the most, in bytes, so that lines of usual logs have numbers at once.
pub const QUICK: u64 = 8 * 1024 * 1024;

/// A file of lines that somebody else may append to. Lines end with `\n`; a last one without is a line too.
#[derive(Debug)]
pub struct Pager {
    path: PathBuf,
    file: File,
    /// As it was seen last.
    length: u64,
    restarts: u32,
    index: Index,
    /// The last line, where it was long to look for: from its start to where no end was found.
    long_line: Option<(u64, u64)>,
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Offset of its first byte in the file.
    pub at: u64,
    /// Its bytes without the end, at most [`LONGEST_LINE`].
    pub bytes: Vec<u8>,
    /// How many bytes of it were left out.
    pub left_out: u64,
}

impl Line {
    /// Returns it as text, with a note where it was cut. Control characters are still in it.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        match self.left_out {
            0 => text.into_owned(),
            more => format!("{text} … ({more} bytes more)"),
        }
    }
}

/// Some lines that follow each other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Number of the first line, counted from 0; nothing when nobody counted that far.
    pub first: Option<u64>,
    /// Offset of the first line; [`Pager::before`] continues from here.
    pub start: u64,
    /// Offset behind the last line; [`Pager::after`] continues from here.
    pub end: u64,
    /// The lines.
    pub lines: Vec<Line>,
}

/// How many lines there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    /// So many, all counted.
    Exact(u64),
    /// Not all were counted.
    AtLeast {
        /// So many were.
        counted: u64,
        /// So many there are in all if the others are as long.
        estimate: u64,
    },
}

impl Total {
    /// Returns the number, or the best guess.
    pub fn guess(self) -> u64 {
        match self {
            Self::Exact(lines) => lines,
            Self::AtLeast { estimate, .. } => estimate,
        }
    }
}

impl Pager {
    /// Opens a file; reads nothing of it yet.
    ///
    /// # Errors
    ///
    /// What the system says if it cannot be opened. The same holds for all that read.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        Ok(Self { path, file, length, restarts: 0, index: Index::new(), long_line: None })
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how long the file was when it was looked at last, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns how often the file was found shorter than before, or another one in its place. Numbers and offsets from before mean nothing then.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Returns how many lines there are, as far as is known now. Reads nothing.
    pub fn total(&self) -> Total {
        let index = &self.index;
        let counted = index.ends + u64::from(index.counted > index.open_line);
        if index.counted >= self.length {
            return Total::Exact(counted);
        }
        // Before anything is counted, a line of usual length.
        let (bytes, lines) = if index.ends == 0 { (100.max(index.counted), 1) } else { (index.open_line, index.ends) };
        let rest = u128::from(self.length - index.counted) * u128::from(lines) / u128::from(bytes);
        Total::AtLeast { counted, estimate: counted + u64::try_from(rest).unwrap_or(u64::MAX - counted).max(1) }
    }

    /// Says whether the last line had no end when the file was looked at last: somebody may still write it.
    pub fn is_last_line_open(&self) -> io::Result<bool> {
        let mut byte = [0];
        let last = self.chunk(&mut byte, self.length.saturating_sub(1), self.length)?;
        Ok(!matches!(last, [] | [b'\n']))
    }

    /// Counts on, reading at most about `most` bytes, and returns how many lines there are. For counting in small
    /// steps while nobody waits.
    pub fn count(&mut self, most: u64) -> io::Result<Total> {
        self.refresh()?;
        let until = self.index.counted.saturating_add(most).min(self.length);
        self.index_until(until, u64::MAX)?;
        Ok(self.total())
    }

    /// Counts all lines. Reads the whole file, once.
    pub fn line_count(&mut self) -> io::Result<u64> {
        Ok(self.count(u64::MAX)?.guess())
    }

    /// Returns at most `count` lines from number `first` on, counted from 0. Reads up to them, once.
    pub fn lines(&mut self, first: u64, count: usize) -> io::Result<Page> {
        self.refresh()?;
        self.index_until(self.length, first)?;
        let (line, mark) = self.index.line_before(first);
        let (start, missing) = self.skip(mark, first - line)?;
        if missing > 0 {
            let total = self.total().guess();
            return Ok(Page { first: Some(total), start: self.length, end: self.length, lines: Vec::new() });
        }
        Ok(Page { first: Some(first), ..self.read(start, count)? })
    }

    /// Returns the last `count` lines. Reads from behind, so it is quick however large the file is.
    pub fn last(&mut self, count: usize) -> io::Result<Page> {
        self.count(QUICK)?;
        let page = self.before_known(self.length, count)?;
        if let Some(line) = page.lines.last() {
            self.long_line = (line.left_out > 0).then_some((line.at, self.length));
        }
        Ok(page)
    }

    /// Returns the `count` lines before the one that starts at offset `at`.
    pub fn before(&mut self, at: u64, count: usize) -> io::Result<Page> {
        self.refresh()?;
        self.before_known(at.min(self.length), count)
    }

    /// Returns `count` lines from the one on that starts at offset `at`.
    pub fn after(&mut self, at: u64, count: usize) -> io::Result<Page> {
        self.refresh()?;
        let page = self.read(at.min(self.length), count)?;
        Ok(Page { first: self.number_of(page.start)?, ..page })
    }

    fn before_known(&self, end: u64, count: usize) -> io::Result<Page> {
        let start = self.starts_before(end, count)?;
        let page = self.read_until(start, end, count)?;
        Ok(Page { first: self.number_of(start)?, ..page })
    }

    /// Looks how long the file is now.
    fn refresh(&mut self) -> io::Result<()> {
        let mut known = self.file.metadata()?;
        let mut begun_again = known.len() < self.length;
        if fs::metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) != (known.dev(), known.ino())) {
            self.file = File::open(&self.path)?;
            known = self.file.metadata()?;
            begun_again = true;
        }
        let length = known.len();
        if begun_again {
            self.restarts += 1;
            self.index = Index::new();
            self.long_line = None;
        }
        self.length = length;
        Ok(())
    }

    /// Counts until this offset, or until the offset of this line is known.
    fn index_until(&mut self, offset: u64, line: u64) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        while self.index.counted < offset && self.index.ends < line {
            let chunk = self.chunk(&mut buffer, self.index.counted, offset)?;
            if chunk.is_empty() {
                break;
            }
            self.index.add(chunk);
        }
        Ok(())
    }

    /// Reads some bytes from one offset on and not past the other. Nothing means that the file got shorter.
    fn chunk<'a>(&self, buffer: &'a mut [u8], from: u64, until: u64) -> io::Result<&'a [u8]> {
        let most = usize::try_from(until.saturating_sub(from)).unwrap_or(usize::MAX).min(buffer.len());
        loop {
            match self.file.read_at(&mut buffer[..most], from) {
                Ok(count) => return Ok(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes over so many line ends, and returns where it got and how many it did not find.
    fn skip(&self, from: u64, mut ends: u64) -> io::Result<(u64, u64)> {
        let (mut at, mut buffer) = (from, vec![0; CHUNK]);
        while ends > 0 {
            let chunk = self.chunk(&mut buffer, at, self.length)?;
            if chunk.is_empty() {
                break;
            }
            let wanted = usize::try_from(ends - 1).unwrap_or(usize::MAX);
            match memchr::memchr_iter(b'\n', chunk).nth(wanted) {
                Some(end) => return Ok((at + end as u64 + 1, 0)),
                None => ends -= memchr::memchr_iter(b'\n', chunk).count() as u64,
            }
            at += chunk.len() as u64;
        }
        Ok((at, ends))
    }

    /// Returns where the line starts that is `count` lines before offset `end`, which is behind a line.
    fn starts_before(&self, end: u64, count: usize) -> io::Result<u64> {
        let mut buffer = vec![0; CHUNK];
        // The end of the last line is not one between two lines.
        let (mut until, mut missing) = (end.saturating_sub(1), count);
        if missing == 0 {
            return Ok(end);
        }
        while until > 0 {
            let open_line = (self.index.open_line, self.index.counted);
            if let Some((start, _)) = [Some(open_line), self.long_line]
                .into_iter()
                .flatten()
                .find(|known| known.0 < until && until <= known.1)
            {
                until = start;
                continue;
            }
            let from = until.saturating_sub(CHUNK as u64);
            let chunk = self.chunk(&mut buffer, from, until)?;
            for end in memchr::memrchr_iter(b'\n', chunk) {
                missing -= 1;
                if missing == 0 {
                    return Ok(from + end as u64 + 1);
                }
            }
            until = from;
        }
        Ok(0)
    }

    /// Returns the number of the line that starts at this offset, if that was counted.
    fn number_of(&self, start: u64) -> io::Result<Option<u64>> {
        if start > self.index.counted {
            return Ok(None);
        }
        if start == self.length {
            // Behind the last line, which may have no end to count.
            return Ok(Some(self.total().guess()));
        }
        let (mut line, mut at) = self.index.offset_before(start);
        let mut buffer = vec![0; CHUNK];
        while at < start {
            let chunk = self.chunk(&mut buffer, at, start)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            line += memchr::memchr_iter(b'\n', chunk).count() as u64;
            at += chunk.len() as u64;
        }
        Ok(Some(line))
    }

    /// Says whether something is so of a part of what was left out of a line. The parts overlap by so many bytes, and so does the
    /// first with what is kept.
    ///
    /// # Errors
    ///
    /// What the system says if the file cannot be read.
    pub fn is_in_rest(&self, line: &Line, overlap: usize, is_so: impl Fn(&str) -> bool) -> io::Result<bool> {
        let kept = line.bytes.len();
        let mut at = line.at + kept.saturating_sub(overlap) as u64;
        let end = line.at + kept as u64 + line.left_out;
        let mut buffer = vec![0; CHUNK];
        while at < end {
            let chunk = self.chunk(&mut buffer, at, end)?;
            if chunk.is_empty() {
                break;
            }
            if is_so(&String::from_utf8_lossy(chunk)) {
                return Ok(true);
            }
            let read = chunk.len() as u64;
            at += if at + read < end { read.saturating_sub(overlap as u64).max(1) } else { read };
        }
        Ok(false)
    }

    fn read(&self, start: u64, count: usize) -> io::Result<Page> {
        self.read_until(start, self.length, count)
    }

    /// Reads at most `count` lines from a line's start on, and not past `until`.
    fn read_until(&self, start: u64, until: u64, count: usize) -> io::Result<Page> {
        let (mut at, mut buffer) = (start, vec![0; CHUNK]);
        let mut lines = Vec::new();
        let mut open: Option<Line> = None;
        while lines.len() < count {
            let mut rest = self.chunk(&mut buffer, at, until)?;
            if rest.is_empty() {
                lines.extend(open.take());
                break;
            }
            while !rest.is_empty() && lines.len() < count {
                let line = open.get_or_insert_with(|| Line { at, bytes: Vec::new(), left_out: 0 });
                let end = memchr::memchr(b'\n', rest);
                let part = &rest[..end.unwrap_or(rest.len())];
                let kept = part.len().min(LONGEST_LINE - line.bytes.len());
                line.bytes.extend_from_slice(&part[..kept]);
                line.left_out += (part.len() - kept) as u64;
                let used = part.len() + usize::from(end.is_some());
                at += used as u64;
                rest = &rest[used..];
                if end.is_some() {
                    lines.extend(open.take());
                }
            }
        }
        Ok(Page { first: None, start, end: at, lines })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, Pager) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        fs::write(&path, bytes).unwrap();
        let pager = Pager::open(&path).unwrap();
        (folder, pager)
    }

    fn append(pager: &Pager, bytes: &[u8]) {
        OpenOptions::new().append(true).open(pager.path()).unwrap().write_all(bytes).unwrap();
    }

    fn naive(bytes: &[u8]) -> Vec<&[u8]> {
        let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        lines
    }

    fn texts(page: &Page) -> Vec<&[u8]> {
        page.lines.iter().map(|line| line.bytes.as_slice()).collect()
    }

    fn numbered(lines: u64) -> Vec<u8> {
        (0..lines).flat_map(|n| format!("line {n}\n").into_bytes()).collect()
    }

    #[test]
    fn any_lines_are_found_by_number_and_those_past_the_end_are_none() {
        let (_folder, mut pager) = file(&numbered(55_000));
        let page = pager.lines(3_210, 2).unwrap();
        assert_eq!((texts(&page), page.first), (vec![&b"line 3210"[..], b"line 3211"], Some(3_210)));
        assert!(matches!(pager.total(), Total::AtLeast { counted, estimate } if counted < 20_000 && estimate > 40_000));
        assert_eq!(texts(&pager.lines(54_999, 9).unwrap()), [b"line 54999"]);
        let past = pager.lines(99_999, 1).unwrap();
        assert_eq!((past.lines.len(), past.first), (0, Some(55_000)));
        assert_eq!(pager.line_count().unwrap(), 55_000);
    }

    #[test]
    fn one_can_walk_from_the_end_to_the_start_and_back_by_offsets() {
        let (_folder, mut pager) = file(&numbered(100));
        let mut page = pager.last(30).unwrap();
        assert_eq!((page.first, texts(&page)[29]), (Some(70), &b"line 99"[..]));
        for first in [40, 10, 0] {
            page = pager.before(page.start, 30).unwrap();
            assert_eq!(page.first, Some(first));
        }
        assert_eq!((page.lines.len(), page.start), (10, 0));
        assert_eq!(texts(&pager.after(page.end, 1).unwrap()), [b"line 10"]);
    }

    #[test]
    fn the_end_of_a_huge_file_is_shown_without_counting_it() {
        let (_folder, mut pager) = file(b"");
        // Sparse: two gigabytes of zeros are one line, and cost no disk.
        let huge = OpenOptions::new().write(true).open(pager.path()).unwrap();
        huge.set_len(2 << 30).unwrap();
        append(&pager, b"\nlast but one\nlast");
        let page = pager.last(2).unwrap();
        assert_eq!((texts(&page), page.first), (vec![&b"last but one"[..], b"last"], None));
        assert!(matches!(pager.total(), Total::AtLeast { counted: 1, .. }));
    }

    #[test]
    fn a_long_line_is_cut_and_says_how_much_is_missing() {
        let mut bytes = vec![b'x'; 3 * LONGEST_LINE];
        bytes.extend_from_slice(b"\nshort\n");
        let (_folder, mut pager) = file(&bytes);
        let page = pager.lines(0, 2).unwrap();
        assert_eq!((page.lines[0].bytes.len(), page.lines[0].left_out), (LONGEST_LINE, 2 * LONGEST_LINE as u64));
        assert!(page.lines[0].text().ends_with("x … (32768 bytes more)"));
        assert_eq!(page.lines[1], Line { at: 3 * LONGEST_LINE as u64 + 1, bytes: b"short".to_vec(), left_out: 0 });
    }

    #[test]
    fn a_file_that_grows_is_followed_and_one_that_shrinks_is_begun_again() {
        let (_folder, mut pager) = file(b"one\ntw");
        assert_eq!(texts(&pager.last(5).unwrap()), [&b"one"[..], b"tw"]);
        append(&pager, b"o\nthree");
        assert_eq!(texts(&pager.last(2).unwrap()), [&b"two"[..], b"three"]);
        assert_eq!((pager.line_count().unwrap(), pager.restarts()), (3, 0));
        fs::write(pager.path(), b"new\n").unwrap();
        assert_eq!((texts(&pager.lines(0, 9).unwrap()), pager.restarts()), (vec![&b"new"[..]], 1));
        assert_eq!(pager.line_count().unwrap(), 1);
    }

    #[test]
    fn a_file_that_another_one_replaced_is_begun_again_and_one_that_is_gone_is_still_read() {
        let (folder, mut pager) = file(b"old one\nold two\n");
        assert_eq!(pager.line_count().unwrap(), 2);
        let other = folder.path().join("other");
        fs::write(&other, b"new one, and longer than the old ones\n").unwrap();
        fs::rename(&other, pager.path()).unwrap();
        assert_eq!(texts(&pager.last(9).unwrap()), [b"new one, and longer than the old ones"]);
        assert_eq!(pager.restarts(), 1);
        fs::remove_file(pager.path()).unwrap();
        assert_eq!((pager.line_count().unwrap(), pager.restarts()), (1, 1));
    }

    #[test]
    fn a_line_of_a_hundred_megabytes_is_shown_in_bounded_memory_and_so_are_its_neighbours() {
        let (_folder, mut pager) = file(b"before\n");
        let huge = OpenOptions::new().append(true).open(pager.path()).unwrap();
        huge.set_len(100 << 20).unwrap();
        append(&pager, b"\nafter\n");
        let page = pager.lines(0, 9).unwrap();
        assert_eq!(page.lines.iter().map(|line| line.bytes.len()).collect::<Vec<_>>(), [6, LONGEST_LINE, 5]);
        assert_eq!(texts(&pager.last(1).unwrap()), [b"after"]);
        assert_eq!(pager.last(2).unwrap().lines[0].left_out, (100 << 20) - 7 - LONGEST_LINE as u64);
    }

    proptest! {
        #[test]
        fn the_lines_are_those_of_a_naive_split_however_the_bytes_came(
            pieces in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..60), 0..8),
            first in 0u64..40,
            count in 0usize..40,
        ) {
            let (_folder, mut pager) = file(b"");
            pager.index = Index::with_stride(3);
            let mut bytes = Vec::new();
            for piece in &pieces {
                append(&pager, piece);
                bytes.extend_from_slice(piece);
                let all = naive(&bytes);
                let from = usize::try_from(first).unwrap().min(all.len());
                let to = (from + count).min(all.len());
                let page = pager.lines(first, count).unwrap();
                prop_assert_eq!(texts(&page), &all[from..to]);
                let last = pager.last(count).unwrap();
                let tail = all.len().saturating_sub(count);
                prop_assert_eq!(texts(&last), &all[tail..]);
                prop_assert_eq!(last.first, Some(tail as u64));
                prop_assert_eq!(pager.line_count().unwrap(), all.len() as u64);
                let before = pager.before(last.start, count).unwrap();
                prop_assert_eq!(texts(&before), &all[tail.saturating_sub(count)..tail]);
            }
        }
    }
}
