//! What a landing costs beyond git's own calls: one made by this library beside the same commands of git alone, on repositories of
//! ten files and of 100,000, and with a change of 100 MB. Each landing is also looked at: the user's own edits, index and stash
//! are what they were.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use draft_board::domain::landing::{Intent, Strategy};
use draft_board::git::land::{Change, Combined, Forecast, Moved, Scratch, forecast, move_target};
use draft_board::git::{Git, Repo};
use tempfile::TempDir;

const LARGE: u64 = 100 << 20;

fn main() {
    // As a test, it only has to start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for (name, files, rounds, large) in
        [("10 files", 10, 15, false), ("100,000 files", 100_000, 3, false), ("10 files and one of 100 MB", 10, 3, true)]
    {
        for strategy in Strategy::ALL {
            beside_plain(name, files, rounds, large, *strategy);
        }
    }
}

/// Lands changes in turn with plain git and with this library.
fn beside_plain(name: &str, files: usize, rounds: usize, large: bool, strategy: Strategy) {
    let place = Place::new(files);
    let repo = Repo::discover(&place.git, &place.root()).expect("a repository");
    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (base, head) = place.change(&format!("plain-{round}"), large);
        let begin = Instant::now();
        place.land_plainly(strategy, &base, &head);
        plain.push(begin.elapsed());
        let (base, head) = place.change(&format!("ours-{round}"), large);
        let before = place.own();
        let begin = Instant::now();
        place.land(&repo, strategy, &base, &head);
        ours.push(begin.elapsed());
        assert_eq!(place.own(), before, "what is the user's own stays");
    }
    plain.sort();
    ours.sort();
    let (best, median) = (0, rounds / 2);
    let ratio = |nth: usize| ours[nth].as_secs_f64() / plain[nth].as_secs_f64();
    let beyond = |nth: usize| 1000.0 * (ours[nth].as_secs_f64() - plain[nth].as_secs_f64());
    println!(
        "{name:28} {strategy:7} git alone {:>9.1?} (median {:>9.1?}), a landing {:>9.1?} (median {:>9.1?}), ratio {:.2} (of \
         medians {:.2}), beyond git {:.1} ms (of medians {:.1})",
        plain[best],
        plain[median],
        ours[best],
        ours[median],
        ratio(best),
        ratio(median),
        beyond(best),
        beyond(median),
    );
}

/// A repository with edits of its user, and a folder in which changes are made.
struct Place {
    folder: TempDir,
    git: Git,
}

impl Place {
    fn new(files: usize) -> Self {
        let git = Git::find(&std::env::var_os("PATH").expect("a path")).expect("git");
        let place = Self { folder: tempfile::tempdir().expect("a folder"), git };
        fs::create_dir(place.root()).expect("a folder");
        place.run(&place.root(), &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "Bench"), ("user.email", "bench@localhost"), ("gc.auto", "0")] {
            place.run(&place.root(), &["config", key, value]);
        }
        place.import(files);
        place.run(&place.root(), &["reset", "--quiet", "--hard"]);
        let work = place.work();
        place.run(&place.root(), &["worktree", "add", "--quiet", "--detach", work.to_str().expect("a text")]);
        fs::write(place.root().join("folder-0/file-0.txt"), "the user's own\n").expect("a file");
        fs::write(place.root().join("mine.txt"), "mine\n").expect("a file");
        place.run(&place.root(), &["add", "mine.txt"]);
        place
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Makes a commit of so many files, a hundred in each folder, without writing them first.
    fn import(&self, files: usize) {
        let mut command = self.command(&self.root(), &["fast-import", "--quiet"]);
        let mut importing = command.stdin(Stdio::piped()).spawn().expect("git starts");
        let mut input = std::io::BufWriter::new(importing.stdin.take().expect("its input"));
        let text = "some text\n".repeat(20);
        write!(input, "blob\nmark :1\ndata {}\n{text}\n", text.len()).expect("it listens");
        write!(input, "commit refs/heads/main\ncommitter B <b@l> 1700000000 +0000\ndata 5\nfirst\n")
            .expect("it listens");
        for n in 0..files {
            writeln!(input, "M 100644 :1 folder-{}/file-{n}.txt", n / 100).expect("it listens");
        }
        drop(input);
        assert!(importing.wait().expect("it ends").success());
    }

    fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(self.git.program());
        command.arg("-C").arg(dir).args(args).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    fn run(&self, dir: &Path, args: &[&str]) -> String {
        let ended = self.command(dir, args).output().expect("git starts");
        assert!(ended.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8_lossy(&ended.stdout).trim().to_owned()
    }

    /// Makes a change on top of the target: a few files, or one large one; and moves the target beside it.
    fn change(&self, name: &str, large: bool) -> (String, String) {
        let (work, root) = (self.work(), self.root());
        self.run(&work, &["checkout", "--quiet", "--detach", "main"]);
        let base = self.run(&work, &["rev-parse", "HEAD"]);
        for n in 0..3 {
            fs::write(work.join(format!("{name}-{n}.txt")), "made\n").expect("a file");
        }
        if large {
            let mut file = File::create(work.join(format!("{name}.bin"))).expect("a file");
            file.write_all(name.as_bytes()).and_then(|()| file.set_len(LARGE)).expect("room");
        }
        self.run(&work, &["add", "--all"]);
        self.run(&work, &["commit", "--quiet", "--message", name]);
        let head = self.run(&work, &["rev-parse", "HEAD"]);
        fs::write(root.join(format!("beside-{name}.txt")), "beside\n").expect("a file");
        self.run(&root, &["add", &format!("beside-{name}.txt")]);
        self.run(&root, &["commit", "--quiet", "--message", "beside", "--", &format!("beside-{name}.txt")]);
        (base, head)
    }

    /// What is the user's own: edits, index, stash, and where they are.
    fn own(&self) -> [String; 3] {
        let root = self.root();
        [&["status", "--porcelain"][..], &["diff"], &["symbolic-ref", "HEAD"]].map(|args| self.run(&root, args))
    }

    /// The commands of git that bring a change to its target, and nothing else.
    fn land_plainly(&self, strategy: Strategy, base: &str, head: &str) {
        let (root, scratch) = (self.root(), self.folder.path().join("plain"));
        let at = scratch.to_str().expect("a text");
        self.run(&root, &["merge-tree", "--write-tree", "main", head]);
        self.run(&root, &["worktree", "add", "--quiet", "--detach", at, "main"]);
        match strategy {
            Strategy::Squash => {
                self.run(&scratch, &["merge", "--quiet", "--squash", head]);
                self.run(&scratch, &["commit", "--quiet", "--message", "landed"]);
            }
            Strategy::Merge => {
                self.run(&scratch, &["merge", "--quiet", "--no-ff", "--message", "landed", head]);
            }
            Strategy::Rebase => {
                self.run(&scratch, &["rebase", "--quiet", "--onto", "main", base, head]);
            }
        }
        let commit = self.run(&scratch, &["rev-parse", "HEAD"]);
        self.run(&root, &["merge", "--quiet", "--ff-only", &commit]);
        self.run(&root, &["worktree", "remove", "--force", at]);
    }

    fn land(&self, repo: &Repo, strategy: Strategy, base: &str, head: &str) {
        let from = repo.commit_of("main").expect("a target");
        assert!(matches!(forecast(repo, &from, head).expect("git"), Forecast::Clean(_)));
        let scratch = Scratch::at(repo, &self.folder.path().join("ours"), &from).expect("a work tree");
        let change = Change { base, head, message: "landed\n" };
        let Combined::Made { commit, .. } = scratch.combine(strategy, change).expect("git") else {
            panic!("it is not made");
        };
        let intent = Intent { branch: "main".to_owned(), from, to: commit };
        assert_eq!(move_target(repo, &intent, "landed").expect("git"), Moved::Done);
        scratch.clear().expect("it can be removed");
    }
}
