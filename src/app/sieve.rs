//! Remembers which rows of a stream passed a test, in bounded memory however many there are: how many passed before each
//! thousandth row. Which ones exactly is found again by testing a thousand rows.

use crate::run::thin::halve;

/// Rows between two numbers, at first.
const STRIDE: u64 = 1000;
/// Most numbers. Past that every second one is dropped, and the stride doubles.
const MOST_MARKS: usize = 64 * 1024;

/// What is known about the rows that were tested.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    stride: u64,
    /// How many passed before the rows 0, stride, 2 · stride …
    marks: Vec<u64>,
    tested: u64,
    passed: u64,
}

/// Some rows that follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block {
    /// Number of the first row.
    pub(super) first: u64,
    /// How many they are.
    pub(super) count: u64,
    /// How many rows passed before.
    pub(super) before: u64,
}

impl Default for Sieve {
    fn default() -> Self {
        Self::with_stride(STRIDE)
    }
}

impl Sieve {
    /// Returns one that knows nothing yet, with a number for each so many rows.
    pub(super) fn with_stride(stride: u64) -> Self {
        Self { stride, marks: Vec::new(), tested: 0, passed: 0 }
    }

    /// Takes over how the next row did.
    pub(super) fn add(&mut self, passes: bool) {
        if self.tested.is_multiple_of(self.stride) {
            self.mark();
        }
        self.tested += 1;
        self.passed += u64::from(passes);
    }

    fn mark(&mut self) {
        if self.marks.len() == MOST_MARKS {
            halve(&mut self.marks);
            self.stride *= 2;
        }
        // The stride may just have doubled over this row.
        if self.tested.is_multiple_of(self.stride) {
            self.marks.push(self.passed);
        }
    }

    /// Returns how many rows were tested.
    pub(super) fn tested(&self) -> u64 {
        self.tested
    }

    /// Returns how many of them passed.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Returns the rows among which is the one that passed as number `n`, counted from 0.
    pub(super) fn block_of(&self, n: u64) -> Option<Block> {
        let at = self.marks.partition_point(|before| *before <= n).checked_sub(1)?;
        (n < self.passed).then(|| self.block(at))
    }

    /// Returns the tested rows around one of them.
    pub(super) fn block_around(&self, row: u64) -> Option<Block> {
        let at = usize::try_from(row / self.stride).ok()?;
        (row < self.tested).then(|| self.block(at))
    }

    fn block(&self, at: usize) -> Block {
        let first = at as u64 * self.stride;
        Block { first, count: self.stride.min(self.tested - first), before: self.marks[at] }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn however_many_rows_there_are_little_is_kept() {
        let mut sieve = Sieve::with_stride(1);
        for row in 0..200_000 {
            sieve.add(row % 3 == 0);
        }
        assert!(sieve.marks.len() <= MOST_MARKS && sieve.stride == 4, "{} {}", sieve.marks.len(), sieve.stride);
        assert_eq!(sieve.block_of(100), Some(Block { first: 300, count: 4, before: 100 }));
        assert_eq!(sieve.block_around(199_999), Some(Block { first: 199_996, count: 4, before: 66_666 }));
    }

    proptest! {
        #[test]
        fn each_row_that_passed_is_in_the_block_that_is_named(
            rows in prop::collection::vec(any::<bool>(), 0..60), stride in 1_u64..7, n in 0_u64..70,
        ) {
            let mut sieve = Sieve::with_stride(stride);
            rows.iter().for_each(|passes| sieve.add(*passes));
            let passed: Vec<u64> = (0..).zip(&rows).filter(|(_, passes)| **passes).map(|(row, _)| row).collect();
            prop_assert_eq!(sieve.passed(), passed.len() as u64);
            let row = usize::try_from(n).ok().and_then(|n| passed.get(n)).copied();
            prop_assert_eq!(sieve.block_of(n).is_some(), row.is_some());
            for (block, row) in [(sieve.block_of(n), row), (sieve.block_around(n), Some(n))] {
                let (Some(block), Some(row)) = (block, row) else { continue };
                prop_assert!((block.first..block.first + block.count).contains(&row));
                prop_assert_eq!(block.before, passed.iter().filter(|row| **row < block.first).count() as u64);
            }
        }
    }
}
