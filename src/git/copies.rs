//! Files that git does not have and a worktree needs to run, `.env` or `local.properties`: copied from the user's checkout.
//!
//! Only files that git ignores *in the worktree* are copied. One that it does not ignore would be added by the first
//! `git add --all` of an agent, secrets and all, whatever a snapshot leaves out; so it is named and left where it is.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};

use super::invoke::LONG;
use super::registered::settled;
use super::{GitError, Repo};

/// The file in a repository's root that lists what worktrees need, in the syntax of `.gitignore`.
pub const LIST: &str = ".worktreeinclude";
/// More files than this are a mistake in a pattern, or better installed in the worktree itself.
const MOST: usize = 100_000;
/// A list that is larger is none.
const LIST_MOST: u64 = 1024 * 1024;

/// What was copied.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Copied {
    /// Files and links that are new in the worktree.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// What was there already and stays as it is.
    pub kept: u64,
    /// What the patterns name and was not copied, with why.
    pub skipped: Vec<Skipped>,
}

/// Something that the patterns name and that was not copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// Where, relative to the worktree.
    pub path: PathBuf,
    /// Why not.
    pub why: Why,
}

/// Why something was not copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Why {
    /// It would become part of the ticket's change.
    #[error("git does not ignore it, so it would become part of the change; add it to .gitignore or .git/info/exclude")]
    NotIgnored,
    /// It is a repository of its own.
    #[error("it is a repository of its own")]
    Repository,
    /// A file or a link of the worktree stands where a folder would have to be.
    #[error("the worktree has a file or link in place of its folder")]
    InTheWay,
    /// It is neither file nor link, or went meanwhile.
    #[error("it is no file any more")]
    NoFile,
}

/// Copies what the patterns, and the repository's `.worktreeinclude`, name. The patterns come after the file's, so that
/// `!` takes away. Nothing that is in the worktree is overwritten, and doing it again copies what is missing.
///
/// # Errors
/// When more than 100,000 files are named (then nothing was copied), a file cannot be read or written, or git fails.
pub fn copy_in(repo: &Repo, worktree: &Path, patterns: &[String]) -> Result<Copied, GitError> {
    copy_at_most(MOST, repo, worktree, patterns)
}

pub(super) fn copy_at_most(most: usize, repo: &Repo, worktree: &Path, patterns: &[String]) -> Result<Copied, GitError> {
    let mut copied = Copied::default();
    let patterns = all_patterns(repo, patterns)?;
    if patterns.is_empty() {
        return Ok(copied);
    }
    let found = named(repo, repo.root(), &patterns)?;
    let mut wanted = Vec::new();
    for path in found {
        match place_in(worktree, &path)? {
            Spot::Free => wanted.push(path),
            Spot::Taken => copied.kept += 1,
            Spot::No(why) => copied.skipped.push(Skipped { path, why }),
        }
    }
    let ignored = ignored(repo, worktree, &wanted)?;
    if ignored.len() > most {
        return Err(GitError::TooManyCopies { found: ignored.len(), most, root: repo.root().to_owned() });
    }
    let mut ignored = ignored.into_iter().peekable();
    let ours = Scratch::beside(worktree)?;
    for path in wanted {
        // Git answers in the order in which it was asked.
        if ignored.next_if_eq(&path).is_none() {
            copied.skipped.push(Skipped { path, why: Why::NotIgnored });
            continue;
        }
        match copy(&repo.root().join(&path), &worktree.join(&path), &ours)? {
            Some(bytes) => {
                copied.files += 1;
                copied.bytes += bytes;
            }
            None => copied.skipped.push(Skipped { path, why: Why::NoFile }),
        }
    }
    Ok(copied)
}

/// Returns the patterns of the repository's list and then the given ones, a line each.
pub(super) fn all_patterns(repo: &Repo, given: &[String]) -> Result<Vec<u8>, GitError> {
    let list = repo.root().join(LIST);
    let mut all = match list.symlink_metadata() {
        Ok(meta) if meta.is_file() && meta.len() <= LIST_MOST => {
            fs::read(&list).map_err(GitError::io("read", &list))?
        }
        Ok(_) => Vec::new(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(GitError::io("look at", list)(error)),
    };
    for pattern in given {
        all.push(b'\n');
        all.extend_from_slice(pattern.as_bytes());
    }
    let says_something = all.split(|byte| *byte == b'\n').any(|line| !matches!(line.trim_ascii(), [] | [b'#', ..]));
    Ok(if says_something { all } else { Vec::new() })
}

/// Returns the untracked files of a work tree that match, relative to its top.
pub(super) fn named(repo: &Repo, folder: &Path, patterns: &[u8]) -> Result<Vec<PathBuf>, GitError> {
    let mut file = tempfile::NamedTempFile::new().map_err(GitError::io("make a file in", std::env::temp_dir()))?;
    io::Write::write_all(&mut file, patterns).map_err(GitError::io("write", file.path()))?;
    let mut from = OsString::from("--exclude-from=");
    from.push(file.path());
    let call = repo.git.reading(folder).within(LONG).args(["ls-files", "-z", "--others", "--ignored"]);
    Ok(paths(&call.args([from]).run()?))
}

/// Returns those of the paths that git ignores in the user's checkout, in their order.
///
/// # Errors
/// When git fails.
pub fn ignored_in_checkout(repo: &Repo, paths: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
    ignored(repo, repo.root(), paths)
}

/// Returns those of the paths that git ignores in the worktree, in their order.
fn ignored(repo: &Repo, worktree: &Path, paths_wanted: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
    if paths_wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut input = Vec::new();
    for path in paths_wanted {
        input.extend_from_slice(path.as_os_str().as_bytes());
        input.push(0);
    }
    // Exit code 1: none of them.
    let call = repo.git.reading(worktree).within(LONG).args(["check-ignore", "-z", "--stdin"]);
    Ok(paths(&call.input(input).run_to(&[1])?.stdout))
}

fn paths(said: &[u8]) -> Vec<PathBuf> {
    let parts = said.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    parts.map(|part| PathBuf::from(OsStr::from_bytes(part))).collect()
}

/// What is where a file would go.
enum Spot {
    Free,
    Taken,
    No(Why),
}

/// Looks where a file would go, without following any link on the way there.
fn place_in(worktree: &Path, path: &Path) -> Result<Spot, GitError> {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(name) if name != ".git"));
    // A repository inside is named with a slash at its end.
    if !is_plain || path.as_os_str().as_bytes().ends_with(b"/") {
        return Ok(Spot::No(Why::Repository));
    }
    let mut place = worktree.to_owned();
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        place.push(part);
        match place.symlink_metadata() {
            Ok(_) if parts.peek().is_none() => return Ok(Spot::Taken),
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Ok(Spot::No(Why::InTheWay)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Spot::Free),
            Err(error) => return Err(GitError::io("look at", place)(error)),
        }
    }
    Ok(Spot::Taken)
}

/// The name under which a file is written before it gets its own, so that after a crash no half of one is taken for the
/// whole. It lies beside the worktree: in it, git would see it.
struct Scratch(PathBuf);

impl Scratch {
    fn beside(worktree: &Path) -> Result<Self, GitError> {
        let worktree = settled(worktree);
        let mut name = OsString::from(".");
        name.push(worktree.file_name().unwrap_or(OsStr::new("worktree")));
        name.push(".copying");
        let scratch = Self(worktree.with_file_name(name));
        scratch.clear()?;
        Ok(scratch)
    }

    fn clear(&self) -> Result<(), GitError> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("remove", &self.0)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Whatever was to be told is told; the next copy removes it before it begins.
        let _ = self.clear();
    }
}

/// Copies a file or a link to where nothing is; returns its size, or nothing if it is neither.
fn copy(from: &Path, to: &Path, scratch: &Scratch) -> Result<Option<u64>, GitError> {
    let meta = match from.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(GitError::io("look at", from)(error)),
    };
    let bytes = if meta.is_symlink() {
        let target = fs::read_link(from).map_err(GitError::io("read the link", from))?;
        symlink(target, &scratch.0).map_err(GitError::io("make a link", to))?;
        0
    } else if meta.is_file() {
        copy_file(from, &scratch.0).map_err(GitError::io("copy", from))?
    } else {
        return Ok(None);
    };
    make_folders(from, to)?;
    match renameat_with(CWD, &scratch.0, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Some(bytes)),
        // Somebody was faster; what they wrote stays.
        Err(rustix::io::Errno::EXIST) => scratch.clear().map(|()| Some(0)),
        Err(error) => Err(GitError::io("write", to)(error.into())),
    }
}

/// Copies content (by reference, where the file system can), mode and time: caches are known to look at it.
fn copy_file(from: &Path, to: &Path) -> io::Result<u64> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let mut from = OpenOptions::new().read(true).custom_flags(flags).open(from)?;
    let meta = from.metadata()?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let bytes = io::copy(&mut from, &mut to)?;
    to.set_permissions(fs::Permissions::from_mode(meta.mode() & 0o777))?;
    set_time(&to, &meta)?;
    Ok(bytes)
}

fn set_time(file: &File, like: &fs::Metadata) -> io::Result<()> {
    file.set_modified(like.modified()?)
}

/// Makes the folders above a file, with the modes that they have in the user's checkout.
fn make_folders(from: &Path, to: &Path) -> Result<(), GitError> {
    let (Some(from), Some(to)) = (from.parent(), to.parent()) else { return Ok(()) };
    match to.symlink_metadata() {
        Ok(meta) if meta.is_dir() => return Ok(()),
        Ok(_) => return Err(GitError::io("make the folder", to)(io::ErrorKind::NotADirectory.into())),
        Err(_) => make_folders(from, to)?,
    }
    let mode = from.metadata().map_err(GitError::io("look at", from))?.mode() & 0o777;
    // This user has to be able to write in it.
    match DirBuilder::new().mode(mode | 0o700).create(to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(GitError::io("make the folder", to)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
