//! A line that is still coming in: bounded in memory however long it gets.

use std::borrow::Cow;

use super::prune::Prune;

/// Most bytes of one line that are kept. A longer one is pruned: its long texts are cut, its shape stays.
pub(super) const LINE_MAX: usize = 1 << 20;
/// A buffer that grew beyond this is given back after its line.
const KEEP_CAPACITY: usize = 64 << 10;

/// The bytes of a line that has not ended yet.
#[derive(Clone, Default, Debug)]
pub(super) struct HalfLine {
    kept: Vec<u8>,
    length: u64,
    prune: Option<Prune>,
}

/// A line that has ended, as text; bytes that are not UTF-8 are replaced.
pub(super) struct Line<'a> {
    pub(super) text: Cow<'a, str>,
    /// How many bytes it had, without its end.
    pub(super) length: u64,
    /// It did not fit even when pruned, so the rest of it is missing.
    pub(super) overflowed: bool,
}

impl HalfLine {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if self.prune.is_none() && self.kept.len() + bytes.len() <= LINE_MAX {
            self.kept.extend_from_slice(bytes);
            return;
        }
        // Pruning starts from the line's first byte, so that it does not matter how the bytes were cut.
        let prune = self.prune.get_or_insert_with(|| {
            let mut prune = Prune::default();
            let whole = std::mem::take(&mut self.kept);
            prune.push(&whole, &mut self.kept);
            prune
        });
        prune.push(bytes, &mut self.kept);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.kept.capacity()
    }

    /// Returns what is there as a whole line.
    pub(super) fn line(&mut self) -> Line<'_> {
        let overflowed = self.prune.as_ref().is_some_and(Prune::overflowed);
        let body = self.kept.strip_suffix(b"\r").unwrap_or(&self.kept);
        Line { text: String::from_utf8_lossy(body), length: self.length, overflowed }
    }

    /// Begins the next line, with the same memory if it is little.
    pub(super) fn reset(&mut self) {
        self.kept.clear();
        self.kept.shrink_to(KEEP_CAPACITY);
        self.length = 0;
        self.prune = None;
    }
}
