//! Submodules of a ticket's worktree: those that the user's checkout has, with the objects that lie there, so that making a
//! worktree asks no network for what is on the disk.
//!
//! Git gives each worktree repositories of its own for its submodules. They are cloned from those of the user's checkout
//! (by hard links, so they share no fate with them), and then told where they really come from.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use super::interrupted::is_nothing_or_empty;
use super::invoke::{Call, LONG};
use super::repo::open;
use super::turn::wait_for;
use super::validate::Place;
use super::{GitError, Repo};

/// In a worktree's own files: which submodule is being filled. Its lock says that somebody is at it.
const NOTE: &str = "draft-submodule";

/// Fills the submodules of a worktree that the user's checkout has and the worktree has not yet; returns where they are.
/// One that is there stays as it is. Doing it again after a crash in between finishes it.
///
/// # Errors
/// When a submodule can be had neither from the user's checkout nor from its remote, or git fails.
pub fn fill(repo: &Repo, worktree: &Path) -> Result<Vec<PathBuf>, GitError> {
    if !worktree.join(".gitmodules").exists() {
        return Ok(Vec::new());
    }
    let place = Place::of(worktree).map_err(|_| GitError::NotARepository { path: worktree.to_owned() })?;
    let mut note = Note::begin(&place.git_dir)?;
    note.clear(worktree, &place.git_dir)?;
    let source = Source { git_dir: repo.common_dir().to_owned(), top: repo.root().to_owned() };
    let mut filled = Vec::new();
    for module in missing(repo, worktree, &source)? {
        note.write(&module)?;
        let done = fill_one(repo, worktree, &module, &note.file, Owns::Configuration, &mut filled);
        if done.is_ok() {
            note.done()?;
        } else {
            // The error that led here is the one to tell; what cannot be cleared now is noted for the next try.
            let _ = note.clear(worktree, &place.git_dir);
        }
        done?;
    }
    Ok(filled)
}

/// Where submodules of one level come from: the repository in the user's checkout and its work tree.
struct Source {
    git_dir: PathBuf,
    top: PathBuf,
}

/// A submodule that is to be filled.
struct Module {
    name: String,
    /// Its place in the work tree above it.
    path: PathBuf,
    /// The commit that is wanted.
    commit: String,
    /// Where it really comes from, as the user's checkout has it.
    url: String,
    /// The same submodule in the user's checkout.
    source: Option<Source>,
}

/// Whether the repository above has the submodule's address in its configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owns {
    /// The worktree shares the configuration of the user's checkout.
    Configuration,
    /// A submodule was just cloned, and knows nothing of those inside it.
    Nothing,
}

/// Fills one submodule and those in it.
fn fill_one(
    repo: &Repo,
    above: &Path,
    module: &Module,
    lock: &File,
    owns: Owns,
    filled: &mut Vec<PathBuf>,
) -> Result<(), GitError> {
    let place = above.join(&module.path);
    let told = |source| GitError::Submodule { path: place.clone(), source: Box::new(source) };
    if owns == Owns::Nothing {
        let call = repo.git.writing(above).args(["submodule", "--quiet", "init", "--"]);
        call.args([&module.path]).run().map_err(told)?;
    }
    check_out(repo, above, module, lock).map_err(told)?;
    filled.push(place.clone());
    let Some(source) = &module.source else { return Ok(()) };
    for inner in missing(repo, &place, source)? {
        fill_one(repo, &place, &inner, lock, Owns::Nothing, filled)?;
    }
    Ok(())
}

fn check_out(repo: &Repo, above: &Path, module: &Module, lock: &File) -> Result<(), GitError> {
    let update = || {
        let call = repo.git.writing(above).within(LONG).sharing(lock);
        call.args(["submodule", "--quiet", "update"])
    };
    match &module.source {
        Some(source) if has_commit(&source.git_dir, &module.commit) => {
            let url = format!("submodule.{}.url", module.name);
            let call = configured(update(), &[(&url, source.git_dir.as_os_str())]);
            call.args([OsStr::new("--"), module.path.as_os_str()]).run()?;
            tell_origin(repo, &above.join(&module.path), module, source)
        }
        Some(source) => {
            // The user has not fetched the commit yet. Only what is missing comes over the network.
            let borrow = [OsStr::new("--dissociate"), OsStr::new("--reference"), source.git_dir.as_os_str()];
            update().args(borrow).args([OsStr::new("--"), module.path.as_os_str()]).run().map(drop)
        }
        None => update().args([OsStr::new("--"), module.path.as_os_str()]).run().map(drop),
    }
}

/// Lets git clone from a folder of the user's own repository, which it does not allow for submodules: an address in
/// somebody's `.gitmodules` could be any folder. This one comes from no such file, and only for this call.
fn configured<'a>(call: Call<'a>, more: &[(&str, &OsStr)]) -> Call<'a> {
    let call = call.variable("GIT_CONFIG_KEY_0", "protocol.file.allow").variable("GIT_CONFIG_VALUE_0", "always");
    let call = call.variable("GIT_CONFIG_KEY_1", "clone.defaultRemoteName").variable("GIT_CONFIG_VALUE_1", "origin");
    match more {
        [(key, value)] => call
            .variable("GIT_CONFIG_COUNT", "3")
            .variable("GIT_CONFIG_KEY_2", *key)
            .variable("GIT_CONFIG_VALUE_2", *value),
        _ => call.variable("GIT_CONFIG_COUNT", "2"),
    }
}

/// Lets `origin` be what it is in the user's checkout, with what was last fetched from there.
fn tell_origin(repo: &Repo, place: &Path, module: &Module, source: &Source) -> Result<(), GitError> {
    repo.git.writing(place).args(["config", "remote.origin.url", &module.url]).run()?;
    let fetch = ["fetch", "--quiet", "--prune", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
    let call = configured(repo.git.writing(place).within(LONG), &[]).args(fetch).args(["--no-auto-maintenance"]);
    let refs = OsStr::new("+refs/remotes/origin/*:refs/remotes/origin/*");
    call.args([source.git_dir.as_os_str(), refs]).run().map(drop)
}

/// Returns the submodules of a work tree that the source has initialised and that are not filled.
fn missing(repo: &Repo, top: &Path, source: &Source) -> Result<Vec<Module>, GitError> {
    if !top.join(".gitmodules").exists() {
        return Ok(Vec::new());
    }
    let known = values(repo, &source.git_dir, &["config", "-z", "--get-regexp", r"^submodule\..*\.url$"], ".url")?;
    let file = ["config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"];
    let commits = commits(repo, top)?;
    let mut all = Vec::new();
    for (name, path) in values(repo, top, &file, ".path")? {
        let (Some(url), true) = (known.get(&name), is_plain(&name) && is_plain(&path)) else { continue };
        let path = PathBuf::from(path);
        let Some(commit) = commits.get(&path) else { continue };
        if !is_nothing_or_empty(&top.join(&path))? {
            continue;
        }
        let inner = find(source, &name, &path);
        all.push(Module { name, path, commit: commit.clone(), url: url.clone(), source: inner });
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

/// Reads `submodule.<name>.<key>` of all names.
fn values(repo: &Repo, dir: &Path, args: &[&str], key: &str) -> Result<HashMap<String, String>, GitError> {
    // Exit code 1: there is none.
    let said = repo.git.reading(dir).args(args).run_to(&[1])?.stdout;
    let text = String::from_utf8_lossy(&said);
    let entries = text.split('\0').filter_map(|entry| entry.split_once('\n'));
    let named = entries.filter_map(|(name, value)| {
        let name = name.strip_prefix("submodule.")?.strip_suffix(key)?;
        Some((name.to_owned(), value.to_owned()))
    });
    Ok(named.collect())
}

/// Returns the commits of all submodules in the index but those that sparse patterns leave out.
fn commits(repo: &Repo, top: &Path) -> Result<HashMap<PathBuf, String>, GitError> {
    let said = repo.git.reading(top).args(["ls-files", "-z", "--stage", "-t"]).run()?;
    let entries = said.split(|byte| *byte == 0).filter_map(|entry| {
        // `H 160000 <id> 0<tab><path>`
        let entry = entry.strip_prefix(b"H 160000 ")?;
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let commit = entry[..tab].split(|byte| *byte == b' ').next()?;
        let path = PathBuf::from(OsStr::from_bytes(&entry[tab + 1..]));
        Some((path, String::from_utf8_lossy(commit).into_owned()))
    });
    Ok(entries.collect())
}

/// Says whether a name leads nowhere else: it stands in a file that anybody may have written.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Finds a submodule of the user's checkout: where it is checked out, or else where git keeps its repository.
fn find(above: &Source, name: &str, path: &Path) -> Option<Source> {
    let top = above.top.join(path);
    if top.join(".git").exists()
        && let Ok(store) = open(&top)
        && let Ok(git_dir) = store.to_thread_local().git_dir().canonicalize()
    {
        return Some(Source { git_dir, top });
    }
    let git_dir = above.git_dir.join("modules").join(name);
    git_dir.join("HEAD").exists().then_some(Source { git_dir, top })
}

fn has_commit(git_dir: &Path, commit: &str) -> bool {
    let Ok(id) = gix::ObjectId::from_hex(commit.as_bytes()) else { return false };
    open(git_dir).is_ok_and(|store| store.to_thread_local().has_object(id))
}

/// The note in the worktree's own files.
struct Note {
    path: PathBuf,
    file: File,
}

impl Note {
    /// Waits until nobody else fills submodules of this worktree, a git that outlived its board included.
    fn begin(git_dir: &Path) -> Result<Self, GitError> {
        let path = git_dir.join(NOTE);
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).read(true).write(true).mode(0o600);
        let file = options.open(&path).map_err(GitError::io("open", &path))?;
        wait_for(&file, &path, LONG)?;
        Ok(Self { path, file })
    }

    /// Clears away the submodule in whose middle somebody was killed. Nothing ran in that worktree yet.
    fn clear(&mut self, worktree: &Path, git_dir: &Path) -> Result<(), GitError> {
        let mut text = Vec::new();
        let read = self.file.rewind().and_then(|()| self.file.read_to_end(&mut text));
        read.map_err(GitError::io("read", &self.path))?;
        // One that is not whole was written before anything was begun.
        let Some(text) = text.strip_suffix(b"\n") else { return self.done() };
        let mut parts = text.split(|byte| *byte == 0);
        if let (Some(name), Some(path)) = (parts.next(), parts.next()) {
            let path = worktree.join(OsStr::from_bytes(path));
            remove_folder(&git_dir.join("modules").join(OsStr::from_bytes(name)))?;
            remove_folder(&path)?;
            std::fs::create_dir(&path).map_err(GitError::io("make the folder", &path))?;
        }
        self.done()
    }

    fn write(&mut self, module: &Module) -> Result<(), GitError> {
        let path = module.path.as_os_str().as_bytes();
        let text = [module.name.as_bytes(), b"\0", path, b"\n"].concat();
        let written = self.file.rewind().and_then(|()| self.file.write_all(&text));
        written.map_err(GitError::io("write", &self.path))
    }

    fn done(&mut self) -> Result<(), GitError> {
        self.file.set_len(0).map_err(GitError::io("write", &self.path))
    }
}

fn remove_folder(path: &Path) -> Result<(), GitError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
