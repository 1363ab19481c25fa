//! What a ticket's worktree costs beside plain `git worktree add`, in memory where the machine has a folder for that; and
//! whether 160 of them at eight at once are all made, by threads of one process and by processes of their own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use draft_board::git::worktree::{Plan, create};
use draft_board::git::{Git, Repo};
use tempfile::TempDir;

/// Tells this program that it is one of the eight processes: the repository and which of the eight.
const ELSEWHERE: &str = "DRAFT_BENCH_WORKTREES";
const ROUNDS: usize = 15;
const AT_ONCE: usize = 8;
const EACH: usize = 20;

fn main() {
    if let Some(place) = std::env::var_os(ELSEWHERE) {
        let (repo, who) = (PathBuf::from(&place), std::env::args().nth(1).unwrap_or_default());
        std::process::exit(i32::try_from(make_some(&repo, &who)).unwrap_or(i32::MAX));
    }
    // As a test, it only has to start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for files in [10, 1_000, 10_000] {
        beside_plain(files);
    }
    at_once("threads", |repo| {
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..AT_ONCE).map(|who| scope.spawn(move || make_some(repo, &who.to_string()))).collect();
            all.into_iter().map(|one| one.join().expect("it ends")).sum()
        })
    });
    at_once("processes", |repo| {
        let this = std::env::current_exe().expect("this program");
        let start = |who: usize| Command::new(&this).arg(who.to_string()).env(ELSEWHERE, repo).spawn();
        let mut all: Vec<_> = (0..AT_ONCE).map(|who| start(who).expect("it starts")).collect();
        all.iter_mut().map(|one| one.wait().expect("it ends").code().unwrap_or(1)).map(|code| code as usize).sum()
    });
}

/// Makes worktrees in turn with plain git and with Draft, and prints the best and the median of both. On a machine that
/// does other things too, the best ones are what to compare.
fn beside_plain(files: usize) {
    let (folder, root) = repository(files);
    let repo = open(&root);
    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("plain-{round}");
        let path = folder.path().join(&name);
        let begin = Instant::now();
        git(&root, &["worktree", "add", "--quiet", "-b", &name, path.to_str().expect("a text"), "main"]);
        plain.push(begin.elapsed());
        remove(&root, &path);
        let path = folder.path().join(format!("worktrees/{round}"));
        let begin = Instant::now();
        make(&repo, &path, &format!("draft/{round}")).expect("it is made");
        ours.push(begin.elapsed());
        remove(&root, &path);
    }
    plain.sort();
    ours.sort();
    let ratio = |nth: usize| ours[nth].as_secs_f64() / plain[nth].as_secs_f64();
    let (best, median) = (0, ROUNDS / 2);
    println!(
        "{files:>6} files: git worktree add {:.1?} (median {:.1?}), a ticket's worktree {:.1?} (median {:.1?}), ratio {:.2} \
         (of medians {:.2})",
        plain[best],
        plain[median],
        ours[best],
        ours[median],
        ratio(best),
        ratio(median),
    );
}

fn at_once(who: &str, make_all: impl FnOnce(&Path) -> usize) {
    let (_folder, root) = repository(100);
    let begin = Instant::now();
    let failed = make_all(&root);
    let all = AT_ONCE * EACH;
    println!("{all} worktrees of 100 files by {AT_ONCE} {who}: {failed} failed, {:.1?}", begin.elapsed());
}

/// Makes one worktree after another and returns how many were not made whole.
fn make_some(root: &Path, who: &str) -> usize {
    let repo = open(root);
    let is_made = |n: &usize| {
        let name = format!("{who}-{n}");
        let path = root.with_file_name("worktrees").join(&name);
        match make(&repo, &path, &format!("draft/{name}")) {
            Ok(()) if path.join(file_name(99)).exists() && status(&path).is_empty() => true,
            Ok(()) => {
                eprintln!("{} is not whole", path.display());
                false
            }
            Err(error) => {
                eprintln!("{error}");
                false
            }
        }
    };
    EACH - (0..EACH).filter(is_made).count()
}

fn make(repo: &Repo, path: &Path, branch: &str) -> Result<(), draft_board::git::GitError> {
    create(repo, &Plan { path, branch, base_branch: "main", existing: None, on_top: None })?.recorded()
}

fn open(root: &Path) -> Repo {
    let program = Git::find(&std::env::var_os("PATH").unwrap_or_default()).expect("git is there");
    Repo::discover(&program, root).expect("a repository")
}

fn file_name(n: usize) -> String {
    format!("src/d{:03}/f{n:06}.txt", n / 100)
}

/// A repository with so many files of a thousand bytes, in a folder of its own.
fn repository(files: usize) -> (TempDir, PathBuf) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder");
    let root = folder.path().join("repo");
    std::fs::create_dir(&root).expect("a folder");
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    let mut text =
        "commit refs/heads/main\ncommitter Bench <bench@localhost> 1700000000 +0000\ndata 5\nstart\n".to_owned();
    for n in 0..files {
        let content = format!("file {n}\n").repeat(1000 / 9);
        // A string takes everything.
        let _ = write!(text, "M 100644 inline {}\ndata {}\n{content}\n", file_name(n), content.len());
    }
    let mut import = Command::new("git")
        .current_dir(&root)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git starts");
    import.stdin.take().expect("it is a pipe").write_all(text.as_bytes()).expect("git reads");
    assert!(import.wait().expect("it ends").success());
    git(&root, &["checkout", "--quiet", "--force", "main"]);
    (folder, root)
}

fn remove(root: &Path, path: &Path) {
    git(root, &["worktree", "remove", "--force", path.to_str().expect("a text")]);
}

fn status(folder: &Path) -> Vec<u8> {
    let said = Command::new("git").current_dir(folder).args(["status", "--porcelain"]).output();
    said.expect("git starts").stdout
}

fn git(folder: &Path, args: &[&str]) {
    let ended = Command::new("git").current_dir(folder).args(args).status().expect("git starts");
    assert!(ended.success(), "git {args:?}");
}
