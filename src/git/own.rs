//! What of a repository is the user's own, bit for bit, to see that a landing changed nothing of it but what it was to change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::testing::Sandbox;

/// Files of a work tree's own git folder that say where it is and what is under way in it.
const STATE: [&str; 13] = [
    "HEAD",
    "ORIG_HEAD",
    "MERGE_HEAD",
    "MERGE_MSG",
    "MERGE_MODE",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "AUTO_MERGE",
    "BISECT_START",
    "BISECT_LOG",
    "SQUASH_MSG",
    "config.worktree",
    "info/sparse-checkout",
];
/// Folders of the same kind, and those that all work trees share.
const FOLDERS: [&str; 4] = ["rebase-merge", "rebase-apply", "sequencer", "hooks"];

/// One file: its mode, its bytes or where it links to, and when it was last written.
type File = (u32, Vec<u8>, (i64, i64));

/// All that is the user's own in one work tree, and what its repository shares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Own {
    checkout: PathBuf,
    files: BTreeMap<PathBuf, File>,
    index: Vec<u8>,
    entries: BTreeMap<Vec<u8>, String>,
    status: BTreeMap<Vec<u8>, String>,
    state: BTreeMap<PathBuf, Vec<u8>>,
    history: String,
    refs: BTreeSet<String>,
    stash: String,
    config: Vec<u8>,
}

impl Own {
    /// Reads it. Nothing is written, not even a refreshed index.
    pub(super) fn of(sandbox: &Sandbox, checkout: &Path) -> Self {
        let git = |args: &[&str]| {
            let safe = ["--no-optional-locks", "-c", "core.fsmonitor=false"].iter().chain(args);
            sandbox.git.reading(checkout).args(safe).run().unwrap()
        };
        let text = |args: &[&str]| String::from_utf8_lossy(&git(args)).into_owned();
        let folder = |what: &str| PathBuf::from(text(&["rev-parse", "--path-format=absolute", what]).trim_end());
        let (git_dir, common) = (folder("--git-dir"), folder("--git-common-dir"));
        let bare = text(&["rev-parse", "--is-bare-repository"]).trim() == "true";
        let in_tree = |args: &[&str]| if bare { Vec::new() } else { git(args) };
        let reflog = ["reflog", "--format=%H %gs", "HEAD"];
        let mut state = BTreeMap::new();
        for name in STATE.iter().map(Path::new) {
            state.extend(fs::read(git_dir.join(name)).ok().map(|bytes| (name.to_owned(), bytes)));
        }
        for name in FOLDERS {
            let within = if name == "hooks" { common.join(name) } else { git_dir.join(name) };
            state.extend(files(&within).into_iter().map(|(path, file)| (within.join(path), file.1)));
        }
        Self {
            checkout: checkout.to_owned(),
            files: if bare { BTreeMap::new() } else { files(checkout) },
            index: fs::read(git_dir.join("index")).unwrap_or_default(),
            entries: entries(&in_tree(&["ls-files", "-v", "--stage", "-z"])),
            status: status(&in_tree(&["status", "--porcelain=v2", "-z", "-uall", "--ignored", "--no-renames"])),
            state,
            // A branch without a commit has none.
            history: String::from_utf8_lossy(
                &sandbox.git.reading(checkout).args(reflog).run_to(&[128]).unwrap().stdout,
            )
            .into_owned(),
            refs: text(&["for-each-ref", "--format=%(refname) %(objectname) %(symref)"])
                .lines()
                .map(str::to_owned)
                .collect(),
            stash: text(&["stash", "list", "--format=%H %gs"]),
            config: fs::read(common.join("config")).unwrap(),
        }
    }

    /// Looks that nothing changed at all, but refs of Draft and the target.
    #[track_caller]
    pub(super) fn assert_same(&self, after: &Self, target: &str, cell: &str) {
        self.assert_around(after, target, cell);
        assert_eq!(self.files.keys().collect::<Vec<_>>(), after.files.keys().collect::<Vec<_>>(), "{cell}: files");
        for (path, file) in &self.files {
            assert!(after.files.get(path) == Some(file), "{cell}: {} changed", path.display());
        }
        assert!(self.index == after.index, "{cell}: the index changed");
        assert_eq!(self.status, after.status, "{cell}: status");
        assert_eq!(self.history, after.history, "{cell}: the history of HEAD");
    }

    /// Looks that nothing changed but what a fast-forward between two commits is about.
    #[track_caller]
    pub(super) fn assert_forwarded(
        &self,
        after: &Self,
        sandbox: &Sandbox,
        (target, from, to): (&str, &str, &str),
        cell: &str,
    ) {
        self.assert_around(after, target, cell);
        let diff = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", from, to];
        let said = sandbox.git.reading(&self.checkout).args(diff).run().unwrap();
        let changed: BTreeSet<Vec<u8>> = said.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        let is_changed = |path: &Path| changed.contains(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
        let rest = |own: &Self| -> BTreeMap<PathBuf, File> {
            own.files.clone().into_iter().filter(|(path, _)| !is_changed(path)).collect()
        };
        let (ours, theirs) = (rest(self), rest(after));
        assert_eq!(
            ours.keys().collect::<Vec<_>>(),
            theirs.keys().collect::<Vec<_>>(),
            "{cell}: files beside the change"
        );
        for (path, file) in &ours {
            assert!(theirs.get(path) == Some(file), "{cell}: {} changed", path.display());
        }
        let beside = |of: &BTreeMap<Vec<u8>, String>| -> BTreeMap<Vec<u8>, String> {
            // A submodule's folder that git does not know any more has a slash.
            let is_of = |path: &[u8]| changed.contains(path.strip_suffix(b"/").unwrap_or(path));
            of.clone().into_iter().filter(|(path, _)| !is_of(path)).collect()
        };
        assert_eq!(beside(&self.entries), beside(&after.entries), "{cell}: the index beside the change");
        assert_eq!(beside(&self.status), beside(&after.status), "{cell}: status beside the change");
        let (line, before) = after.history.split_once('\n').unwrap_or_default();
        assert_eq!(before, self.history, "{cell}: the history of HEAD before");
        assert!(line.starts_with(to), "{cell}: {line}");
    }

    #[track_caller]
    fn assert_around(&self, after: &Self, target: &str, cell: &str) {
        let foreign = |own: &Self| -> Vec<String> {
            let is_ours =
                |line: &&String| line.starts_with("refs/draft/") || line.starts_with(&format!("refs/heads/{target} "));
            own.refs.iter().filter(|line| !is_ours(line)).cloned().collect()
        };
        assert_eq!(foreign(self), foreign(after), "{cell}: refs");
        assert_eq!(self.stash, after.stash, "{cell}: stash");
        assert!(self.config == after.config, "{cell}: config: {}", String::from_utf8_lossy(&after.config));
        assert_eq!(self.state.keys().collect::<Vec<_>>(), after.state.keys().collect::<Vec<_>>(), "{cell}: state");
        assert_eq!(self.state, after.state, "{cell}: state");
    }
}

fn files(top: &Path) -> BTreeMap<PathBuf, File> {
    fn collect(top: &Path, folder: &Path, all: &mut BTreeMap<PathBuf, File>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if path == top.join(".git") {
                continue;
            }
            if meta.is_dir() {
                collect(top, &path, all);
                continue;
            }
            let bytes = if meta.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else {
                fs::read(&path).unwrap()
            };
            let file = (meta.mode(), bytes, (meta.mtime(), meta.mtime_nsec()));
            all.insert(path.strip_prefix(top).unwrap().to_owned(), file);
        }
    }
    let mut all = BTreeMap::new();
    collect(top, top, &mut all);
    all
}

fn records(said: &[u8]) -> impl Iterator<Item = &[u8]> {
    said.split(|byte| *byte == 0).filter(|record| !record.is_empty())
}

/// `<tag> <mode> <object> <stage><tab><path>`
fn entries(said: &[u8]) -> BTreeMap<Vec<u8>, String> {
    let mut all: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    for record in records(said) {
        let tab = record.iter().position(|byte| *byte == b'\t').unwrap();
        let entry = String::from_utf8_lossy(&record[..tab]).into_owned();
        all.entry(record[tab + 1..].to_vec()).or_default().push_str(&(entry + ";"));
    }
    all
}

/// The path is the last of eight or ten fields, or follows the sign of what git does not know.
fn status(said: &[u8]) -> BTreeMap<Vec<u8>, String> {
    let read = |record: &[u8]| {
        let fields = match record[0] {
            b'1' => 8,
            b'u' => 10,
            _ => 1,
        };
        let mut at = 0;
        for _ in 0..fields {
            at += record[at..].iter().position(|byte| *byte == b' ').unwrap() + 1;
        }
        (record[at..].to_vec(), String::from_utf8_lossy(&record[..at]).into_owned())
    };
    records(said).map(read).collect()
}
