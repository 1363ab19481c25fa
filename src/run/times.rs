//! When which byte of a run's output was written, from the advisory file `index`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use super::folder::Stream;
use crate::domain::time::Timestamp;

/// Most moments that are kept of a stream. Past that every second one is forgotten, so long runs are known more coarsely.
const MOST: usize = 32 * 1024;

/// The times of a run's output. A missing or damaged index only means that less is known.
#[derive(Debug)]
pub struct Times {
    path: PathBuf,
    read: u64,
    stdout: Vec<Moment>,
    stderr: Vec<Moment>,
}

/// At this time the stream was this long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Moment {
    length: u64,
    at: Timestamp,
}

impl Times {
    /// Reads an index.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        let mut times = Self { path: path.into(), read: 0, stdout: Vec::new(), stderr: Vec::new() };
        times.refresh();
        times
    }

    /// Reads what was added to the index since.
    pub fn refresh(&mut self) {
        // Advisory: what cannot be read is not known.
        let _ = self.try_refresh();
    }

    /// Returns when byte number `byte` of a stream, counted from 0, was written, to about a quarter of a second; nothing
    /// when the index does not know it, or not yet.
    pub fn written_at(&self, stream: Stream, byte: u64) -> Option<Timestamp> {
        let moments = self.of(stream);
        let first_after = moments.partition_point(|moment| moment.length <= byte);
        moments.get(first_after).map(|moment| moment.at)
    }

    /// Returns how long the stream was when it was noted last.
    pub(super) fn noted(&self, stream: Stream) -> u64 {
        self.of(stream).last().map_or(0, |moment| moment.length)
    }

    fn of(&self, stream: Stream) -> &[Moment] {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }

    fn try_refresh(&mut self) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // The last line may be half written.
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        for line in bytes[..whole].split(|byte| *byte == b'\n') {
            let Some((at, stdout, stderr)) = parse(line) else { continue };
            note(&mut self.stdout, Moment { length: stdout, at });
            note(&mut self.stderr, Moment { length: stderr, at });
        }
        self.read += whole as u64;
        Ok(())
    }
}

fn parse(line: &[u8]) -> Option<(Timestamp, u64, u64)> {
    let mut fields = std::str::from_utf8(line).ok()?.split(' ');
    let parsed = (Timestamp(fields.next()?.parse().ok()?), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.next().is_none().then_some(parsed)
}

/// Adds a moment, so that lengths only grow: what a truncated file had is not there any more.
fn note(moments: &mut Vec<Moment>, moment: Moment) {
    while moments.last().is_some_and(|last| last.length > moment.length) {
        moments.pop();
    }
    if moments.last().map_or(0, |last| last.length) == moment.length {
        return;
    }
    if moments.len() == MOST {
        let mut keep = false;
        moments.retain(|_| {
            keep = !keep;
            keep
        });
    }
    moments.push(moment);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn times(index: &[u8]) -> (tempfile::TempDir, Times) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index"), index).unwrap();
        let times = Times::open(folder.path().join("index"));
        (folder, times)
    }

    #[test]
    fn a_byte_was_written_when_the_stream_first_was_longer() {
        let (_folder, times) = times(b"1000 10 0\n2000 10 5\n3000 25 5\n");
        let at = |stream, byte| times.written_at(stream, byte).map(|at| at.0);
        assert_eq!([at(Stream::Stdout, 0), at(Stream::Stdout, 9)], [Some(1000), Some(1000)]);
        assert_eq!(
            [at(Stream::Stdout, 10), at(Stream::Stdout, 24), at(Stream::Stdout, 25)],
            [Some(3000), Some(3000), None]
        );
        assert_eq!([at(Stream::Stderr, 4), at(Stream::Stderr, 5)], [Some(2000), None]);
    }

    #[test]
    fn damaged_lines_are_passed_over_and_half_ones_read_later() {
        let (folder, mut times) = times(b"rubbish\n1000 10\n\xff 1 1\n2000 20 0\n3000 3");
        assert_eq!((times.written_at(Stream::Stdout, 5), times.noted(Stream::Stdout)), (Some(Timestamp(2000)), 20));
        fs::write(folder.path().join("index"), b"rubbish\n1000 10\n\xff 1 1\n2000 20 0\n3000 30 0\n").unwrap();
        times.refresh();
        assert_eq!(times.written_at(Stream::Stdout, 25), Some(Timestamp(3000)));
    }

    #[test]
    fn without_an_index_nothing_is_known() {
        assert_eq!(Times::open("/nowhere/index").written_at(Stream::Stdout, 0), None);
    }

    #[test]
    fn after_a_truncation_the_old_times_are_gone() {
        let (_folder, times) = times(b"1000 100 0\n2000 5 0\n3000 50 0\n");
        let at = |byte| times.written_at(Stream::Stdout, byte).map(|at| at.0);
        assert_eq!([at(0), at(20), at(60)], [Some(2000), Some(3000), None]);
    }

    #[test]
    fn a_long_index_is_kept_in_bounded_memory() {
        let lines: String = (1..=100_000).map(|n| format!("{n} {n} 0\n")).collect();
        let (_folder, times) = times(lines.as_bytes());
        assert!(times.stdout.len() <= MOST);
        let late = times.written_at(Stream::Stdout, 50_000).unwrap().0;
        assert!((50_001..50_010).contains(&late), "{late}");
    }
}
