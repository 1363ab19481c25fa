//! What differs between two trees, as people read it.

use std::fmt::Write;
use std::ops::ControlFlow;

use gix::ObjectId;
use gix::diff::Rewrites;
use gix::diff::blob::pipeline::{Mode, WorktreeRoots};
use gix::object::tree::diff::ChangeDetached;
use gix::objs::tree::{EntryKind, EntryMode};
use gix::worktree::stack::state::attributes::Source;

use super::hunks::hunks;
pub use super::patch::patch_text;
use super::repo::tree;
use super::{GitError, Repo};
use crate::domain::diff::{Content, FileChange, FileDiff, total_size};
use crate::domain::revision::ChangeSize;
use crate::domain::touched::{Differs, Touched};

/// The largest file, in bytes, that is compared line by line.
pub const TEXT_MAX: u64 = 2 * 1024 * 1024;
/// The largest file, in bytes, that is read to find out whether it is text.
const SNIFF_MAX: u64 = 64 * 1024 * 1024;
/// How far git and we look for a zero byte, which makes a file binary.
const SNIFF: usize = 8000;

/// Compares two commits or trees, files in the order of their names, renames found as git finds them.
///
/// # Errors
/// When one of them is missing or cannot be read.
pub fn between(repo: &Repo, base: &str, tree_or_commit: &str) -> Result<Vec<FileDiff>, GitError> {
    let mut files = compared(repo, base, tree_or_commit, |_, file| file)?;
    files.sort_by(|a, b| (&a.path, a.change == FileChange::Added).cmp(&(&b.path, b.change == FileChange::Added)));
    Ok(files)
}

/// Returns the size of the difference of two commits or trees.
///
/// # Errors
/// As [`between`].
pub fn size(repo: &Repo, base: &str, tree_or_commit: &str) -> Result<ChangeSize, GitError> {
    between(repo, base, tree_or_commit).map(|files| total_size(&files))
}

/// Returns the files that differ between two commits or trees as rules see them, in no order.
///
/// # Errors
/// As [`between`].
pub fn touched(repo: &Repo, base: &str, tree_or_commit: &str) -> Result<Vec<Touched>, GitError> {
    compared(repo, base, tree_or_commit, |(was, is), file| {
        let size = file.size();
        let differs = match file.content {
            Content::Text(_) => Differs::Lines { added: size.insertions, removed: size.deletions },
            Content::Binary { .. } => Differs::Binary,
            Content::TooLarge { .. } => Differs::TooLarge,
            Content::Submodule { .. } => Differs::Submodule,
        };
        Touched { path: file.path, old_path: file.old_path, was, is, differs }
    })
}

/// Returns the lines of a file of a commit or tree as they are shown in a comparison, none for a file that is not there. Nothing
/// where it is no text that would be compared line by line.
///
/// # Errors
/// When it cannot be read.
pub fn lines_of(repo: &Repo, tree_or_commit: &str, path: &str) -> Result<Option<Vec<String>>, GitError> {
    let gix = repo.gix();
    let entry = tree(&gix, tree_or_commit)?.lookup_entry_by_path(path).map_err(GitError::read(path))?;
    let Some(entry) = entry else { return Ok(Some(Vec::new())) };
    let (mode, id) = (entry.mode(), entry.object_id());
    if mode.is_tree() || mode.is_commit() {
        return Ok(None);
    }
    let side = Side { path: path.to_owned(), mode, id };
    if size_of(&gix, Some(&side))? > TEXT_MAX {
        return Ok(None);
    }
    let content = read(&gix, Some(&side))?;
    let line = |line: &[u8]| readable(line.strip_suffix(b"\n").unwrap_or(line));
    Ok((!is_binary(&content)).then(|| content.split_inclusive(|byte| *byte == b'\n').map(line).collect()))
}

/// Compares two commits or trees and returns what `make` makes of each file, given its modes before and now.
fn compared<T>(
    repo: &Repo,
    base: &str,
    tree_or_commit: &str,
    make: impl Fn((u32, u32), FileDiff) -> T,
) -> Result<Vec<T>, GitError> {
    let mut gix = repo.gix();
    gix.object_cache_size_if_unset(4 * 1024 * 1024);
    let (old, new) = (tree(&gix, base)?, tree(&gix, tree_or_commit)?);
    let changes =
        changes(&gix, &old, &new).map_err(GitError::read(format!("the difference of {base} and {tree_or_commit}")))?;
    let mut files = Vec::new();
    for change in changes {
        for pair in Pair::of(change) {
            let modes = pair.both_modes();
            files.push(make(modes, pair.compare(&gix)?));
        }
    }
    Ok(files)
}

/// Compares two trees. Only objects are read: neither the user's index nor any attributes have a say.
fn changes(gix: &gix::Repository, old: &gix::Tree<'_>, new: &gix::Tree<'_>) -> gix::Result<Vec<ChangeDetached>> {
    let no_index = gix::index::State::new(gix.object_hash());
    let attributes = gix.attributes_only(&no_index, Source::IdMapping)?.detach();
    let mut cache = gix::diff::resource_cache(gix, Mode::ToGit, attributes, WorktreeRoots::default())?;
    let mut all = Vec::new();
    let mut platform = old.changes()?;
    platform.options(|options| {
        options.track_rewrites(Some(Rewrites::default()));
    });
    platform.for_each_to_obtain_tree_with_cache(new, &mut cache, |change| {
        all.push(change.detach());
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(all)
}

/// One side of a file.
struct Side {
    path: String,
    mode: EntryMode,
    id: ObjectId,
}

/// A file before and now.
enum Pair {
    Added(Side),
    Deleted(Side),
    Both(Side, Side),
}

impl Pair {
    /// Splits a change into what is shown as one file each. Folders are left out: their files are there as well.
    fn of(change: ChangeDetached) -> Vec<Self> {
        let (old, new) = match change {
            ChangeDetached::Addition { location, entry_mode, id, .. } => (None, Side::new(&location, entry_mode, id)),
            ChangeDetached::Deletion { location, entry_mode, id, .. } => (Side::new(&location, entry_mode, id), None),
            ChangeDetached::Modification { location, previous_entry_mode, previous_id, entry_mode, id } => {
                (Side::new(&location, previous_entry_mode, previous_id), Side::new(&location, entry_mode, id))
            }
            ChangeDetached::Rewrite {
                source_location, source_entry_mode, source_id, entry_mode, location, id, ..
            } => (Side::new(&source_location, source_entry_mode, source_id), Side::new(&location, entry_mode, id)),
        };
        match (old, new) {
            (None, None) => Vec::new(),
            (Some(old), None) => vec![Self::Deleted(old)],
            (None, Some(new)) => vec![Self::Added(new)],
            (Some(old), Some(new)) if sort(old.mode) == sort(new.mode) => vec![Self::Both(old, new)],
            (Some(old), Some(new)) => vec![Self::Deleted(old), Self::Added(new)],
        }
    }

    fn sides(&self) -> [Option<&Side>; 2] {
        match self {
            Self::Added(new) => [None, Some(new)],
            Self::Deleted(old) => [Some(old), None],
            Self::Both(old, new) => [Some(old), Some(new)],
        }
    }

    fn compare(self, gix: &gix::Repository) -> Result<FileDiff, GitError> {
        let content = self.content(gix)?;
        let modes = self.modes();
        let (change, path, old_path) = match self {
            Self::Added(new) => (FileChange::Added, new.path, None),
            Self::Deleted(old) => (FileChange::Deleted, old.path, None),
            Self::Both(old, new) if old.path == new.path => (FileChange::Modified, new.path, None),
            Self::Both(old, new) => (FileChange::Renamed, new.path, Some(old.path)),
        };
        Ok(FileDiff { change, path, old_path, modes, content })
    }

    /// Returns the octal modes before and now, 0 where there is no file.
    fn both_modes(&self) -> (u32, u32) {
        let [was, is] = self.sides().map(|side| side.map_or(0, |side| u32::from(side.mode.value())));
        (was, is)
    }

    /// Returns the modes where they are worth a word: the usual one of a file that comes or goes is not.
    fn modes(&self) -> Option<(u32, u32)> {
        let (was, is) = self.both_modes();
        let usual = u32::from(EntryMode::from(EntryKind::Blob).value());
        (was != is && (was, is) != (0, usual) && (was, is) != (usual, 0)).then_some((was, is))
    }

    fn content(&self, gix: &gix::Repository) -> Result<Content, GitError> {
        let sides = self.sides();
        if sides.iter().flatten().any(|side| side.mode.is_commit()) {
            let [old, new] = sides.map(|side| side.map(|side| side.id.to_string()));
            return Ok(Content::Submodule { old, new });
        }
        if let [Some(old), Some(new)] = sides
            && old.id == new.id
        {
            return Ok(Content::Text(Vec::new()));
        }
        let [old, new] = sides;
        let (old_size, new_size) = (size_of(gix, old)?, size_of(gix, new)?);
        if old_size.max(new_size) > SNIFF_MAX {
            return Ok(Content::TooLarge { old_size, new_size });
        }
        let (old, new) = (read(gix, old)?, read(gix, new)?);
        Ok(if is_binary(&old) || is_binary(&new) {
            Content::Binary { old_size, new_size }
        } else if old_size.max(new_size) > TEXT_MAX {
            Content::TooLarge { old_size, new_size }
        } else {
            Content::Text(hunks(&old, &new))
        })
    }
}

impl Side {
    fn new(path: &[u8], mode: EntryMode, id: ObjectId) -> Option<Self> {
        (!mode.is_tree()).then(|| Self { path: readable(path), mode, id })
    }
}

/// Files, links and submodules do not turn into each other: one goes, another comes.
fn sort(mode: EntryMode) -> EntryKind {
    match mode.kind() {
        EntryKind::Blob | EntryKind::BlobExecutable => EntryKind::Blob,
        kind @ (EntryKind::Link | EntryKind::Commit | EntryKind::Tree) => kind,
    }
}

fn size_of(gix: &gix::Repository, side: Option<&Side>) -> Result<u64, GitError> {
    let Some(side) = side else { return Ok(0) };
    gix.find_header(side.id).map(|header| header.size()).map_err(GitError::read(side.path.clone()))
}

fn read(gix: &gix::Repository, side: Option<&Side>) -> Result<Vec<u8>, GitError> {
    let Some(side) = side else { return Ok(Vec::new()) };
    gix.find_blob(side.id).map(|mut blob| blob.take_data()).map_err(GitError::read(side.path.clone()))
}

fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(SNIFF)].contains(&0)
}

/// Returns text with each byte that is not UTF-8 as `\xNN`.
pub(super) fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}"); // A string takes everything.
        }
    }
    text
}
