//! Reads a growing file piece by piece, so that a decoder sees each byte once.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Most bytes that are read at once.
pub const CHUNK: usize = 64 * 1024;

/// A place in a file that somebody else appends to.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: File,
    offset: u64,
    buffer: Vec<u8>,
}

/// What [`Tail::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The next bytes, at most [`CHUNK`].
    Bytes(&'a [u8]),
    /// Nothing more at the moment.
    End,
    /// The file is shorter than what was read of it, or another one is in its place. Reading begins again at its start.
    Restarted,
}

impl Tail {
    /// Opens a file to be read from byte number `offset` on.
    ///
    /// # Errors
    ///
    /// What the system says if it cannot be opened.
    pub fn open(path: &Path, offset: u64) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::open(path)?, offset, buffer: Vec::new() })
    }

    /// Returns how many bytes lie before what is read next.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next piece. Does not wait for more.
    ///
    /// # Errors
    ///
    /// What the system says if it cannot be read.
    // Not an iterator: the piece borrows the buffer, and the end is not final.
    #[expect(clippy::should_implement_trait, reason = "it lends its buffer")]
    pub fn next(&mut self) -> io::Result<Piece<'_>> {
        self.buffer.resize(CHUNK, 0);
        let count = loop {
            match self.file.read_at(&mut self.buffer, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if count > 0 {
            self.offset += count as u64;
            return Ok(Piece::Bytes(&self.buffer[..count]));
        }
        // A hundred quiet files shall not keep a hundred buffers.
        self.buffer = Vec::new();
        let known = self.file.metadata()?;
        let is_replaced =
            fs::metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) != (known.dev(), known.ino()));
        if is_replaced {
            self.file = File::open(&self.path)?;
        }
        if is_replaced || known.len() < self.offset {
            self.offset = 0;
            return Ok(Piece::Restarted);
        }
        Ok(Piece::End)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_byte_is_seen_once_in_bounded_pieces_also_those_that_come_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        let all: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        fs::write(&path, &all).unwrap();
        let mut tail = Tail::open(&path, 7).unwrap();
        let mut seen = Vec::new();
        while let Piece::Bytes(bytes) = tail.next().unwrap() {
            assert!(bytes.len() <= CHUNK);
            seen.extend_from_slice(bytes);
        }
        assert_eq!((seen.as_slice(), tail.offset()), (&all[7..], 200_000));
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        assert_eq!(tail.next().unwrap(), Piece::Bytes(b"more"));
        assert_eq!(tail.next().unwrap(), Piece::End);
    }

    #[test]
    fn a_file_that_another_one_replaced_is_read_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("stdout"), folder.path().join("other"));
        fs::write(&path, b"old").unwrap();
        fs::write(&other, b"new and longer").unwrap();
        let mut tail = Tail::open(&path, 3).unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(tail.next().unwrap(), Piece::Restarted);
        assert_eq!(tail.next().unwrap(), Piece::Bytes(b"new and longer"));
    }

    #[test]
    fn a_truncated_file_is_read_again_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        fs::write(&path, b"a long line").unwrap();
        let mut tail = Tail::open(&path, 11).unwrap();
        fs::write(&path, b"new").unwrap();
        assert_eq!(tail.next().unwrap(), Piece::Restarted);
        assert_eq!(tail.next().unwrap(), Piece::Bytes(b"new"));
    }
}
