//! A program's output as its supervisor sees it: watched files, and pipes that are copied into them.

use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::error::RunError;
use super::folder::{Folder, Lengths, Stream, private};
use crate::domain::time::Timestamp;

/// Time between two looks while the output grows.
const FAST: Duration = Duration::from_millis(250);
/// Time between two looks when it has not grown for long.
const SLOW: Duration = Duration::from_secs(2);
/// How much is copied at once.
const CHUNK: usize = 64 * 1024;

/// Opens the file of a stream so that whoever writes always appends.
pub(super) fn appending(folder: &Folder, stream: Stream) -> Result<File, RunError> {
    let path = folder.stream(stream);
    private().create(true).append(true).open(&path).map_err(RunError::io("open", &path))
}

/// Watches how long the files of output are, and writes the index.
#[derive(Debug)]
pub(super) struct Watch {
    stdout: File,
    stderr: File,
    /// Advisory: a run goes on without.
    index: Option<File>,
    /// How long they were at the last look.
    pub(super) lengths: Lengths,
    /// Whether one of them got shorter between two looks.
    pub(super) shrank: bool,
    /// When growth was seen last.
    pub(super) grew_at: Instant,
    pace: Duration,
    /// When the next look is due.
    pub(super) next: Instant,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn new(folder: &Folder, now: Instant) -> Result<Self, RunError> {
        let open = |stream| {
            let path = folder.stream(stream);
            private().read(true).create(true).append(true).open(&path).map_err(RunError::io("open", &path))
        };
        let mut watch = Self {
            stdout: open(Stream::Stdout)?,
            stderr: open(Stream::Stderr)?,
            index: private().create(true).append(true).open(folder.index()).ok(),
            lengths: Lengths::default(),
            shrank: false,
            grew_at: now,
            pace: FAST,
            next: now + FAST,
        };
        // Also the sign that something may have been started here, should somebody delete the other ones.
        watch.note(wall_clock().0);
        Ok(watch)
    }

    /// Looks how long the files are now, and notes it if they changed.
    pub(super) fn look(&mut self, now: Instant) {
        let (Ok(stdout), Ok(stderr)) = (self.stdout.metadata(), self.stderr.metadata()) else { return };
        let lengths = Lengths { stdout: stdout.len(), stderr: stderr.len() };
        if lengths == self.lengths {
            self.pace = (self.pace * 2).min(SLOW);
        } else {
            // When it was written is more exact than when it was seen.
            let written = |was: u64, data: &std::fs::Metadata| (data.len() != was).then(|| modified_ms(data));
            let at =
                written(self.lengths.stdout, &stdout).max(written(self.lengths.stderr, &stderr)).unwrap_or_default();
            self.shrank |= lengths.shrank_since(self.lengths);
            self.lengths = lengths;
            self.grew_at = now;
            self.pace = FAST;
            self.note(at);
        }
        self.next = now + self.pace;
    }

    /// Makes what was written so far survive a power cut, as far as the disk can.
    pub(super) fn sync(&self) {
        for (file, length) in [(&self.stdout, self.lengths.stdout), (&self.stderr, self.lengths.stderr)] {
            // An empty file has nothing to lose, and asking the disk costs as much as for a full one.
            if length > 0 {
                let _ = file.sync_data(); // a full or broken disk must not cost the exit record
            }
        }
    }

    /// Writes a file of output again that somebody deleted: whoever has it open still has all of it.
    pub(super) fn bring_back_deleted(&mut self, folder: &Folder) -> io::Result<()> {
        for (file, stream) in [(&mut self.stdout, Stream::Stdout), (&mut self.stderr, Stream::Stderr)] {
            let path = folder.stream(stream);
            if matches!(path.try_exists(), Ok(false)) {
                let mut again = private().create_new(true).open(&path)?;
                file.seek(SeekFrom::Start(0))?;
                io::copy(file, &mut again)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, at: i64) {
        let Some(index) = &mut self.index else { return };
        // One write, so that a line is there whole or cut at the end, and a full disk is no trouble.
        let _ = index.write_all(format!("{at} {} {}\n", self.lengths.stdout, self.lengths.stderr).as_bytes());
    }
}

fn modified_ms(data: &std::fs::Metadata) -> i64 {
    data.mtime().saturating_mul(1000).saturating_add(data.mtime_nsec() / 1_000_000)
}

/// Returns what the clock on the wall says. Only supervisors and those who settle their runs ask it.
pub(super) fn wall_clock() -> Timestamp {
    chrono::Utc::now().into()
}

/// Copies one stream from a pipe to its file.
#[derive(Debug)]
pub(super) struct Pump {
    /// The end that is read; nothing when everything came.
    pub(super) pipe: Option<PipeReader>,
    file: File,
    /// What could not be written yet.
    pending: Vec<u8>,
}

impl Pump {
    /// Copies from `pipe` to `file`.
    pub(super) fn new(pipe: PipeReader, file: File) -> Self {
        Self { pipe: Some(pipe), file, pending: Vec::new() }
    }

    /// Returns the pipe if it may be read now: it has not ended, and nothing waits for space on the disk.
    pub(super) fn readable(&self) -> Option<&PipeReader> {
        self.pipe.as_ref().filter(|_| self.pending.is_empty())
    }

    /// Says whether bytes wait for space on the disk.
    pub(super) fn is_stuck(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Returns how many bytes wait for space on the disk.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Copies one chunk from a pipe that a poll called ready.
    pub(super) fn copy(&mut self, buffer: &mut Vec<u8>) {
        buffer.resize(CHUNK, 0);
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.read(buffer) {
            Ok(0) => self.pipe = None,
            Ok(count) => {
                self.pending.extend_from_slice(&buffer[..count]);
                self.flush();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.pipe = None,
        }
    }

    /// Writes what waits, as far as there is space.
    pub(super) fn flush(&mut self) {
        while !self.pending.is_empty() {
            match self.file.write(&self.pending) {
                Ok(count) if count > 0 => drop(self.pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}
