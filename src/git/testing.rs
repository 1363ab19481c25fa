//! Real git in a folder of its own, with an environment in which nothing of the machine is seen.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::worktree::{Created, Plan, create};
use super::{Git, Repo};

/// Waits until something is so. A process that another test starts has all open files of this one for an instant, so a lock may
/// go a little after the file that held it.
pub(super) fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A folder with a home, a configuration and repositories.
pub(super) struct Sandbox {
    pub(super) git: Git,
    dir: TempDir,
}

/// What a checkout is, to see that nobody touched it.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Checkout {
    head: Vec<u8>,
    index: Vec<u8>,
    status: String,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Sandbox {
    /// A sandbox without a repository.
    pub(super) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        std::fs::write(
            dir.path().join("gitconfig"),
            "[user]\n\tname = Test\n\temail = test@localhost\n[init]\n\tdefaultBranch = main\n\
             [protocol \"file\"]\n\tallow = always\n",
        )
        .unwrap();
        let git = sealed_git(dir.path(), &path);
        Self { git, dir }
    }

    /// A sandbox with a repository `repo` that has one commit with `a.txt` and `src/b.txt`.
    pub(super) fn new() -> Self {
        let sandbox = Self::empty();
        std::fs::create_dir_all(sandbox.main().join("src")).unwrap();
        sandbox.run(&sandbox.main(), "init -q");
        sandbox.write("a.txt", "one\ntwo\nthree\n");
        sandbox.write("src/b.txt", "b\n");
        sandbox.write(".gitignore", "*.log\ntarget/\n");
        sandbox.commit(&sandbox.main(), "start");
        sandbox
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn main(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub(super) fn worktrees(&self) -> PathBuf {
        self.dir.path().join("worktrees")
    }

    pub(super) fn repo(&self) -> Repo {
        Repo::discover(&self.git, &self.main()).unwrap()
    }

    /// Writes a file in the main checkout.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        write(&self.main(), name, content);
    }

    /// Runs git with arguments that have no blanks in them, and returns what it printed.
    pub(super) fn run(&self, dir: &Path, args: &str) -> String {
        self.args(dir, args.split_whitespace())
    }

    pub(super) fn args<A: AsRef<OsStr>>(&self, dir: &Path, args: impl IntoIterator<Item = A>) -> String {
        let said = self.git.writing(dir).args(args).run().unwrap();
        String::from_utf8_lossy(&said).trim_end().to_owned()
    }

    pub(super) fn commit(&self, dir: &Path, message: &str) -> String {
        self.run(dir, "add -A");
        self.args(dir, ["commit", "-q", "--allow-empty", "-m", message]);
        self.run(dir, "rev-parse HEAD")
    }

    /// Makes a worktree for a ticket `draft/<name>` in the folder `<name>`.
    pub(super) fn worktree(&self, name: &str) -> Created {
        self.try_worktree(name).unwrap()
    }

    pub(super) fn try_worktree(&self, name: &str) -> Result<Created, super::GitError> {
        let (path, branch) = (self.worktrees().join(name), format!("draft/{name}"));
        let plan = Plan { path: &path, branch: &branch, base_branch: "main", existing: None, on_top: None };
        let made = create(&self.repo(), &plan)?;
        made.recorded()?;
        Ok(made)
    }

    /// Reads all that belongs to the main checkout.
    pub(super) fn checkout(&self) -> Checkout {
        let dir = self.main();
        let status = self.git.reading(&dir).args(["status", "--porcelain=v2", "--branch", "-uall"]).run().unwrap();
        Checkout {
            head: std::fs::read(dir.join(".git/HEAD")).unwrap(),
            index: std::fs::read(dir.join(".git/index")).unwrap(),
            status: String::from_utf8(status).unwrap(),
            files: files(&dir),
        }
    }
}

/// Finds git in a search path, for a sandbox in that folder.
pub(super) fn sealed_git(dir: &Path, path: &OsStr) -> Git {
    let environment = [
        ("PATH", path.to_owned()),
        ("HOME", dir.into()),
        ("GIT_CONFIG_GLOBAL", dir.join("gitconfig").into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
    ];
    Git::find(path).unwrap().with_environment(environment.map(|(name, value)| (OsString::from(name), value)))
}

/// Writes a file and the folders above it.
pub(super) fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Writes a program. Another process opens the file: one that this process opens for writing may be inherited by what
/// another test starts at that moment, and a program that somebody has open for writing cannot be started.
pub(super) fn executable(path: &Path, text: &str) {
    let mut shell = std::process::Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{}", path.display());
}

/// A name with a byte that is not UTF-8.
pub(super) fn odd_name(before: &str) -> OsString {
    let mut bytes = before.as_bytes().to_vec();
    bytes.push(0xff);
    OsString::from_vec(bytes)
}

/// All files below a folder without those of git.
pub(super) fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git") {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}
