//! What a worktree holds right now, as a git tree: commits, edits, deletions and new files alike.
//!
//! It is made with an index of its own, so that neither the worktree's index nor the user's checkout is touched, and a
//! lock that a killed agent left behind does not matter.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::Read as _;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use gix::index::entry::{Flags, Mode};
use gix::object::tree::diff::Change;
use tempfile::TempDir;

pub use super::contained::is_contained;
use super::invoke::{Call, LONG, UNDER_WAY};
pub use super::keep::keep_revision;
use super::litter::is_litter;
use super::repo::tree as tree_of;
use super::validate::Place;
use super::{GitError, Repo, index_tree};
use crate::domain::ticket::Worktree;

/// How the folder of a snapshot's index is called, before what makes it unique.
pub(super) const INDEX_PREFIX: &str = "draft-index-";

/// What a worktree held at a moment. Ids are in full hexadecimal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The tree with everything.
    pub tree: String,
    /// The commit that was checked out.
    pub head: String,
    /// The tree of that commit.
    pub head_tree: String,
    /// The commit against which the change is: that from which the ticket started, or a newer one of its target that was
    /// brought into it since.
    pub base: String,
    /// The tree of that commit.
    pub base_tree: String,
    /// The commits that a merge brings in which is under way there.
    pub merging: Vec<String>,
    /// The folder of the files that are the worktree's alone.
    pub(super) git_dir: PathBuf,
    /// What a tree cannot hold, so it lives in the folder alone.
    pub left_out: Vec<LeftOut>,
}

/// Something in a worktree that its tree does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// Where, relative to the worktree.
    pub path: PathBuf,
    /// What it is.
    pub what: Inner,
}

/// What of other repositories inside a worktree is not part of its tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inner {
    /// A repository that somebody made inside it.
    Repository,
    /// Edits or new files in a submodule, not committed there.
    SubmoduleEdits,
    /// A commit of a submodule: the tree has its id, but only the submodule's own repository has its content.
    SubmoduleCommit,
}

impl Snapshot {
    /// Says whether anything differs from where the ticket started.
    pub fn changed(&self) -> bool {
        self.tree != self.base_tree
    }

    /// Says whether the commit that is checked out has all of it.
    pub(super) fn is_committed(&self) -> bool {
        self.tree == self.head_tree && self.merging.is_empty()
    }

    /// The commits on top of which all of it is.
    pub(super) fn parents(&self) -> Vec<&str> {
        std::iter::once(&self.head).chain(&self.merging).map(String::as_str).collect()
    }
}

/// Takes a snapshot. Ignored files are left out, and so is `litter`: new files that agents leave for themselves, given
/// as patterns (`.aider*`) which match at any depth. A file that was there at the base is never litter.
///
/// # Errors
/// When the folder is no worktree of the repository, a file in it cannot be read, or git fails.
pub fn snapshot(repo: &Repo, worktree: &Worktree, litter: &[String]) -> Result<Snapshot, GitError> {
    snapshot_into(repo, repo, worktree, litter)
}

/// Takes a snapshot whose objects go into another repository that borrows those of the first.
pub(super) fn snapshot_into(
    repo: &Repo,
    objects: &Repo,
    worktree: &Worktree,
    litter: &[String],
) -> Result<Snapshot, GitError> {
    let dir = &worktree.path;
    let place = Place::of(dir)
        .ok()
        .filter(|place| place.is_linked(dir, repo))
        .ok_or_else(|| GitError::NotARepository { path: dir.clone() })?;
    let head = head(repo, &place.git_dir)?.unwrap_or_else(|| worktree.base.clone());
    let head_tree = repo.tree_of(&head)?;
    let merging = merging(&place.git_dir);
    let base = base(repo, worktree, std::iter::once(&head).chain(&merging))?;
    let base_tree = repo.tree_of(&base)?;

    let index = Index::copy(repo, objects, dir, &place.git_dir, &head_tree)?;
    let (mut left_out, mut tree, mut changed) = index.take_everything(&base_tree)?;
    let unwanted = |entry: &&Changed| {
        let is_inner = left_out.iter().any(|out| out.what == Inner::Repository && out.path == entry.path);
        is_inner || (entry.is_new && is_litter(&entry.path, litter))
    };
    if index.remove(changed.iter().filter(unwanted))? {
        tree = index.write_tree()?;
        changed = changed_between(objects, &base_tree, &tree)?;
    }
    let moved = changed.iter().filter(|entry| entry.is_submodule && left_out.iter().all(|out| out.path != entry.path));
    let moved: Vec<_> = moved.map(|entry| LeftOut { path: entry.path.clone(), what: Inner::SubmoduleCommit }).collect();
    left_out.extend(moved);
    Ok(Snapshot { tree, head, head_tree, base, base_tree, merging, git_dir: place.git_dir, left_out })
}

/// Returns the commits that a merge brings in which is under way.
pub(super) fn merging(git_dir: &Path) -> Vec<String> {
    let said = std::fs::read_to_string(git_dir.join("MERGE_HEAD")).unwrap_or_default();
    said.split_whitespace().map(str::to_owned).collect()
}

/// Returns the commit against which a change is that is on top of these: the newest one of its target that is before one of
/// them, and never one before that from which the ticket started.
fn base<'c>(repo: &Repo, worktree: &Worktree, commits: impl Iterator<Item = &'c String>) -> Result<String, GitError> {
    let mut base = worktree.base.clone();
    // A target that is gone brings nothing in.
    let Ok(target) = repo.commit_of(&worktree.base_branch) else { return Ok(base) };
    for commit in commits.filter(|commit| **commit != worktree.base) {
        if let Some(common) = repo.merge_base(&target, commit)?
            && common != base
            && repo.merge_base(&base, &common)?.as_ref() == Some(&base)
        {
            base = common;
        }
    }
    Ok(base)
}

/// The commit that is checked out; none on a branch that has no commit yet.
fn head(repo: &Repo, git_dir: &Path) -> Result<Option<String>, GitError> {
    let file = git_dir.join("HEAD");
    let head = std::fs::read_to_string(&file).map_err(GitError::io("read", file))?;
    match head.trim_end().strip_prefix("ref: ") {
        Some(branch) => repo.commit_at(branch),
        None => Ok(Some(head.trim_end().to_owned())),
    }
}

/// A copy of a worktree's index.
struct Index<'a> {
    repo: &'a Repo,
    /// Where what it takes up goes.
    objects: &'a Repo,
    worktree: &'a Path,
    file: PathBuf,
    /// Held as long as it is in use, so that one that a killed process left can be told from it.
    _lock: File,
    _folder: TempDir,
}

/// An index as it was read.
struct Read {
    index: gix::index::File,
    /// Which file it was then.
    inode: u64,
}

/// An entry that differs from the base.
struct Changed {
    path: PathBuf,
    is_new: bool,
    is_submodule: bool,
}

impl<'a> Index<'a> {
    /// Copies the index; should this process die, the next snapshot removes the copy.
    fn copy(
        repo: &'a Repo,
        objects: &'a Repo,
        worktree: &'a Path,
        git_dir: &Path,
        head_tree: &str,
    ) -> Result<Self, GitError> {
        sweep(git_dir);
        let in_memory = memory_for(&git_dir.join("index")).and_then(|memory| folder_in(&memory).ok());
        let (folder, lock) = in_memory.map_or_else(|| folder_in(git_dir), Ok)?;
        let index = Self { repo, objects, worktree, file: folder.path().join("index"), _lock: lock, _folder: folder };
        let real = git_dir.join("index");
        match File::open(&real) {
            Ok(file) => copy_with_time(file, &index.file).map_err(GitError::io("copy", &real))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                index.call(["read-tree", head_tree]).run()?;
            }
            Err(error) => return Err(GitError::io("open", real)(error)),
        }
        Ok(index)
    }

    /// Takes up all that is in the worktree. Returns what a tree cannot hold, the tree, and what in it differs from the
    /// base. Each call of git costs milliseconds, so what few worktrees need is done only for them.
    fn take_everything(&self, base_tree: &str) -> Result<(Vec<LeftOut>, String, Vec<Changed>), GitError> {
        let plain = self.read().filter(|read| is_plain(&read.index));
        // It fails where a repository inside has no commit.
        if plain.is_some() && self.add_everything(&[]).is_ok() {
            // Where nothing changed, git left the file alone.
            let read = plain.filter(|read| inode(&self.file) == Some(read.inode)).or_else(|| self.read());
            let tree = self.tree_of(read)?;
            let changed = changed_between(self.objects, base_tree, &tree)?;
            // No submodule was there, so these are repositories that somebody made inside.
            let inner = changed.iter().filter(|entry| entry.is_submodule);
            let left_out = inner.map(|entry| LeftOut { path: entry.path.clone(), what: Inner::Repository }).collect();
            return Ok((left_out, tree, changed));
        }
        // Entries marked `assume-unchanged` are looked at all the same. Exit code 1: some need an update.
        self.call(["update-index", "-q", "--really-refresh"]).run_to(&[1])?;
        let left_out = self.inner_repositories()?;
        self.add_everything(&left_out)?;
        let tree = self.write_tree()?;
        let changed = changed_between(self.objects, base_tree, &tree)?;
        Ok((left_out, tree, changed))
    }

    fn read(&self) -> Option<Read> {
        let inode = inode(&self.file)?;
        read_index(self.repo, &self.file).map(|index| Read { index, inode })
    }

    fn write_tree(&self) -> Result<String, GitError> {
        self.tree_of(self.read())
    }

    fn tree_of(&self, read: Option<Read>) -> Result<String, GitError> {
        let tree = read.map(|read| index_tree::write(self.objects, &read.index)).transpose()?;
        match tree.flatten() {
            Some(tree) => Ok(tree),
            None => self.call(["write-tree"]).line(),
        }
    }

    fn call<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        let call = self.repo.git.writing(self.worktree).within(LONG).variable("GIT_INDEX_FILE", &self.file);
        super::aside::into(call, self.repo, self.objects)
            // One whole file, no daemon, no hook, and mixed line ends are no reason to refuse.
            .args(["-c", "core.splitIndex=false", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
            .args(["-c", "core.safecrlf=false"])
            .args(UNDER_WAY)
            .args(args)
    }

    /// Finds repositories inside the worktree whose content a tree cannot hold.
    fn inner_repositories(&self) -> Result<Vec<LeftOut>, GitError> {
        let call = self.call(["status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames"]);
        let said = call.args(["--ignore-submodules=none"]).run()?;
        Ok(said.split(|byte| *byte == 0).filter_map(inner_repository).collect())
    }

    fn add_everything(&self, left_out: &[LeftOut]) -> Result<(), GitError> {
        let mut paths = b".\0".to_vec();
        for out in left_out.iter().filter(|out| out.what == Inner::Repository) {
            paths.extend_from_slice(b":(exclude,literal)");
            paths.extend_from_slice(out.path.as_os_str().as_bytes());
            paths.push(0);
        }
        // --sparse: files outside the user's sparse patterns count as well when they are there.
        let call = self.call(["add", "--all", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul"]);
        call.input(paths).run().map(drop)
    }

    /// Removes entries, and says whether there were any.
    fn remove<'e>(&self, entries: impl Iterator<Item = &'e Changed>) -> Result<bool, GitError> {
        let mut paths = Vec::new();
        for entry in entries {
            paths.extend_from_slice(entry.path.as_os_str().as_bytes());
            paths.push(0);
        }
        if paths.is_empty() {
            return Ok(false);
        }
        self.call(["update-index", "--force-remove", "-z", "--stdin"]).input(paths).run().map(|_| true)
    }
}

/// Says whether all entries are files that git looks at by itself.
fn is_plain(index: &gix::index::File) -> bool {
    let odd = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE;
    index.entries().iter().all(|entry| entry.mode != Mode::COMMIT && !entry.flags.intersects(odd))
}

/// Returns which file this is: git writes an index beside the one before and puts it in its place.
fn inode(file: &Path) -> Option<u64> {
    file.metadata().ok().map(|found| found.ino())
}

/// Reads an index; nothing where it is missing or cannot be read without git.
pub(super) fn read_index(repo: &Repo, file: &Path) -> Option<gix::index::File> {
    let hash = repo.gix().object_hash();
    gix::index::File::at(file, hash, true, gix::index::decode::Options::default()).ok()
}

/// Returns the files and submodules of a tree that differ from another one.
fn changed_between(repo: &Repo, base: &str, tree: &str) -> Result<Vec<Changed>, GitError> {
    if base == tree {
        return Ok(Vec::new());
    }
    let gix = repo.gix();
    let (old, new) = (tree_of(&gix, base)?, tree_of(&gix, tree)?);
    let mut all = Vec::new();
    let mut compare = || -> gix::Result<()> {
        let mut platform = old.changes()?;
        platform.options(|options| {
            options.track_path().track_rewrites(None);
        });
        platform.for_each_to_obtain_tree(&new, |change| {
            let (mode, is_new) = match &change {
                Change::Addition { entry_mode, .. } => (*entry_mode, true),
                Change::Modification { entry_mode, .. } => (*entry_mode, false),
                Change::Deletion { .. } | Change::Rewrite { .. } => return Ok(ControlFlow::Continue(())),
            };
            if !mode.is_tree() {
                let path = PathBuf::from(OsStr::from_bytes(change.location()));
                all.push(Changed { path, is_new, is_submodule: mode.is_commit() });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    };
    compare().map_err(GitError::read(format!("the difference of {base} and {tree}")))?;
    Ok(all)
}

/// Returns a folder in the machine's memory with room for a copy of this file, and removes what killed processes left there.
/// On some disks each file that is made and removed slows down the making of all others for seconds.
fn memory_for(file: &Path) -> Option<PathBuf> {
    let size = file.metadata().ok()?.len();
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    own.into_iter().chain([PathBuf::from("/dev/shm")]).find(|folder| {
        sweep(folder);
        // Git writes a second one beside it.
        rustix::fs::statvfs(folder).is_ok_and(|room| room.f_bavail * room.f_frsize > 4 * size + (1 << 20))
    })
}

/// Makes a folder in the machine's memory, or else there, that the next snapshot removes should this process die.
pub(super) fn folder_of_its_own(git_dir: &Path) -> Result<(TempDir, File), GitError> {
    let in_memory = memory_for(&git_dir.join("HEAD")).and_then(|memory| folder_in(&memory).ok());
    in_memory.map_or_else(|| folder_in(git_dir), Ok)
}

/// Makes a folder for an index and locks it. Whoever removes what is left over could have met it before it was locked.
fn folder_in(place: &Path) -> Result<(TempDir, File), GitError> {
    let failed = || GitError::io("make a folder in", place);
    loop {
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(INDEX_PREFIX).permissions(private).tempdir_in(place);
        let folder = folder.map_err(failed())?;
        match File::open(folder.path()) {
            Ok(lock) if lock.try_lock().is_ok() && folder.path().exists() => return Ok((folder, lock)),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed()(error)),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Removes what killed processes left of their snapshots. What cannot be removed is in nobody's way.
fn sweep(place: &Path) {
    let entries = place.read_dir().into_iter().flatten().flatten();
    for left in entries.filter(|entry| entry.file_name().as_bytes().starts_with(INDEX_PREFIX.as_bytes())) {
        let _ = discard(&left.path());
    }
}

/// Removes the folder of an index unless somebody uses it. Says whether it is gone.
pub(super) fn discard(folder: &Path) -> Result<bool, GitError> {
    let lock = match File::open(folder) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(GitError::io("open", folder)(error)),
    };
    if lock.try_lock().is_err() {
        return Ok(false);
    }
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(GitError::io("remove", folder)(error)),
        Ok(()) | Err(_) => Ok(true),
    }
}

/// Copies a file with the time of its last change, by which git knows for which entries it has to look at the content:
/// those of files that changed in the same instant. With a later time, an edit of the same size would be missed.
fn copy_with_time(mut from: File, to: &Path) -> std::io::Result<()> {
    let modified = from.metadata()?.modified()?;
    let mut content = Vec::new();
    from.read_to_end(&mut content)?;
    std::fs::write(to, content)?;
    File::options().write(true).open(to)?.set_modified(modified)
}

/// Reads an entry of `git status --porcelain=v2`.
fn inner_repository(entry: &[u8]) -> Option<LeftOut> {
    let left_out = |path: &[u8], what| Some(LeftOut { path: PathBuf::from(OsStr::from_bytes(path)), what });
    if let Some(untracked) = entry.strip_prefix(b"? ") {
        return left_out(untracked.strip_suffix(b"/")?, Inner::Repository);
    }
    // `1 XY <sub> <mH> <mI> <mW> <hH> <hI> <path>`, where <sub> is `S<commit><modified><untracked>` in a submodule.
    let mut words = entry.strip_prefix(b"1 ")?.splitn(8, |byte| *byte == b' ');
    let submodule = words.nth(1)?.strip_prefix(b"S")?;
    let path = words.nth(5)?;
    match submodule {
        [_, b'M', _] | [_, _, b'U'] => left_out(path, Inner::SubmoduleEdits),
        _ => None,
    }
}
