//! Where the lines of a file start: an offset for each thousand, found by counting once over the bytes.

use super::thin::halve;

/// Lines between two offsets of the index, at first.
const STRIDE: u64 = 1000;
/// Most offsets in the index. Past that every second one is dropped, and the stride doubles.
const MOST_MARKS: usize = 64 * 1024;
/// What is known about line numbers.
#[derive(Debug)]
pub(super) struct Index {
    stride: u64,
    /// Offsets of the lines 0, stride, 2 · stride …
    marks: Vec<u64>,
    /// How many bytes were counted.
    pub(super) counted: u64,
    /// How many line ends are in them.
    pub(super) ends: u64,
    /// Where the line starts that was not over at that place.
    pub(super) open_line: u64,
}

impl Index {
    /// Returns one that knows nothing yet.
    pub(super) fn new() -> Self {
        Self::with_stride(STRIDE)
    }

    /// Returns one with an offset for each so many lines.
    pub(super) fn with_stride(stride: u64) -> Self {
        Self { stride, marks: vec![0], counted: 0, ends: 0, open_line: 0 }
    }

    /// Counts on over the next bytes of the file.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.ends += 1;
            self.open_line = self.counted + end as u64 + 1;
            if self.ends.is_multiple_of(self.stride) {
                self.mark();
            }
        }
        self.counted += bytes.len() as u64;
    }

    fn mark(&mut self) {
        if self.marks.len() == MOST_MARKS {
            halve(&mut self.marks);
            self.stride *= 2;
        }
        // The stride may just have doubled over this line.
        if self.ends.is_multiple_of(self.stride) {
            self.marks.push(self.open_line);
        }
    }

    /// Returns the nearest line at or before this one whose offset is known: its number and its offset.
    pub(super) fn line_before(&self, line: u64) -> (u64, u64) {
        let mark = usize::try_from(line / self.stride).unwrap_or(usize::MAX).min(self.marks.len() - 1);
        (mark as u64 * self.stride, self.marks[mark])
    }

    /// Returns the nearest line at or before this offset: its number and its offset.
    pub(super) fn offset_before(&self, offset: u64) -> (u64, u64) {
        let mark = self.marks.partition_point(|mark| *mark <= offset).saturating_sub(1);
        (mark as u64 * self.stride, self.marks[mark])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_file_of_very_many_lines_stays_small() {
        let mut index = Index::with_stride(1);
        for _ in 0..10 {
            index.add(&[b'\n'; 20_000]);
        }
        assert!(index.marks.len() <= MOST_MARKS && index.stride == 4, "{} {}", index.marks.len(), index.stride);
        // Every line is one byte here, so numbers are offsets.
        assert!(index.marks.iter().enumerate().all(|(n, mark)| n as u64 * index.stride == *mark));
        assert_eq!(index.line_before(101), (100, 100));
        assert_eq!(index.offset_before(199_999), (199_996, 199_996));
    }
}
