//! Snapshots with real git: whatever an agent does, its work is in the tree.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use super::testing::{Sandbox, odd_name, write};
use super::tree::{Inner, LeftOut, Snapshot, keep_revision, snapshot};
use super::{GitError, diff};
use crate::domain::ticket::Worktree;

struct Work {
    sandbox: Sandbox,
    worktree: Worktree,
}

impl Work {
    fn new() -> Self {
        Self::on(Sandbox::new())
    }

    fn on(sandbox: Sandbox) -> Self {
        let worktree = sandbox.worktree("1-x").worktree;
        Self { sandbox, worktree }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        write(&self.worktree.path, name, content);
    }

    fn run(&self, args: &str) -> String {
        self.sandbox.run(&self.worktree.path, args)
    }

    fn snapshot(&self) -> Snapshot {
        self.try_snapshot().unwrap()
    }

    fn try_snapshot(&self) -> Result<Snapshot, GitError> {
        snapshot(&self.sandbox.repo(), &self.worktree, &[".aider*".to_owned()])
    }

    /// What changed against the base, as git says it.
    fn changes(&self) -> String {
        let found = self.snapshot();
        self.run(&format!("diff-tree -r --name-status --no-renames {} {}", found.base_tree, found.tree))
    }
}

#[test]
fn an_untouched_worktree_has_not_changed() {
    let work = Work::new();
    let found = work.snapshot();
    assert!(!found.changed());
    assert_eq!((&found.head, &found.tree), (&work.worktree.base, &found.head_tree));
    work.write("ignored.log", "x");
    std::fs::create_dir(work.worktree.path.join("empty")).unwrap();
    assert!(!work.snapshot().changed());
}

#[test]
fn commits_edits_staged_files_new_files_deletions_and_modes_are_all_in_the_tree() {
    let work = Work::new();
    work.write("committed.txt", "c\n");
    let head = work.sandbox.commit(&work.worktree.path, "the agent's own");
    work.write("committed.txt", "c, then edited\n");
    work.write("deep/er/new.txt", "n\n");
    work.write("staged.txt", "s\n");
    work.run("add staged.txt");
    std::fs::remove_file(work.worktree.path.join("src/b.txt")).unwrap();
    std::fs::set_permissions(work.worktree.path.join("a.txt"), std::fs::Permissions::from_mode(0o755)).unwrap();

    let found = work.snapshot();
    assert_eq!((found.changed(), &found.head), (true, &head));
    assert_eq!(work.changes(), "M\ta.txt\nA\tcommitted.txt\nA\tdeep/er/new.txt\nD\tsrc/b.txt\nA\tstaged.txt");
    assert_eq!(work.run(&format!("show {}:committed.txt", found.tree)), "c, then edited");
}

#[test]
fn neither_the_worktrees_index_nor_the_users_checkout_is_touched() {
    let work = Work::new();
    let before = work.sandbox.checkout();
    let index = work.sandbox.main().join(".git/worktrees/1-x/index");
    work.write("new.txt", "n\n");
    let (content, modified) = (std::fs::read(&index).unwrap(), index.metadata().unwrap().modified().unwrap());
    assert!(work.snapshot().changed());
    assert_eq!(std::fs::read(&index).unwrap(), content);
    assert_eq!(index.metadata().unwrap().modified().unwrap(), modified);
    assert_eq!(work.sandbox.checkout(), before);
    let left: Vec<_> = std::fs::read_dir(index.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("draft-index")), "{left:?}");
}

#[test]
fn only_a_new_file_or_only_a_deletion_is_a_change() {
    let work = Work::new();
    work.write("new.txt", "");
    assert_eq!(work.changes(), "A\tnew.txt");
    std::fs::remove_file(work.worktree.path.join("new.txt")).unwrap();
    assert!(!work.snapshot().changed());
    std::fs::remove_file(work.worktree.path.join("a.txt")).unwrap();
    assert_eq!(work.changes(), "D\ta.txt");
}

#[test]
fn an_edit_of_the_same_size_in_the_instant_of_the_checkout_is_seen() {
    let work = Work::new();
    let file = work.worktree.path.join("a.txt");
    let index = work.sandbox.main().join(".git/worktrees/1-x/index");
    let moment = file.metadata().unwrap().modified().unwrap() - Duration::from_secs(100);
    let set = |path: &PathBuf| std::fs::File::options().write(true).open(path).unwrap().set_modified(moment).unwrap();
    // The change time of the file would be one more sign, but not all file systems have it.
    work.run("config core.trustctime false");
    set(&file);
    work.run("update-index --refresh");
    std::fs::write(&file, "ONE\ntwo\nthree\n").unwrap();
    set(&file);
    set(&index);
    assert_eq!(work.changes(), "M\ta.txt");
}

#[test]
fn an_edit_hidden_by_assume_unchanged_is_seen() {
    let work = Work::new();
    work.run("update-index --assume-unchanged a.txt");
    work.write("a.txt", "hidden\n");
    assert_eq!(work.changes(), "M\ta.txt");
}

#[test]
fn locks_and_a_lost_index_do_not_matter() {
    let work = Work::new();
    let git_dir = work.sandbox.main().join(".git/worktrees/1-x");
    std::fs::write(git_dir.join("index.lock"), "").unwrap();
    work.write("new.txt", "n\n");
    assert_eq!(work.changes(), "A\tnew.txt");
    std::fs::remove_file(git_dir.join("index")).unwrap();
    assert_eq!(work.changes(), "A\tnew.txt");
}

#[test]
fn what_a_killed_snapshot_left_goes_with_the_next_one_and_one_that_is_being_taken_stays() {
    let work = Work::new();
    let git_dir = work.sandbox.main().join(".git/worktrees/1-x");
    let (left, in_use) = (git_dir.join("draft-index-left"), git_dir.join("draft-index-in-use"));
    for folder in [&left, &in_use] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("index"), "").unwrap();
    }
    let lock = std::fs::File::open(&in_use).unwrap();
    lock.lock().unwrap();
    work.snapshot();
    assert!(!left.exists() && in_use.join("index").exists());
    drop(lock);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| work.snapshot())).collect();
        all.into_iter().for_each(|one| assert!(!one.join().unwrap().changed(), "they do not disturb each other"));
    });
    let names = git_dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("draft-")).count(), 0);
}

#[test]
fn litter_is_left_out_also_when_the_agent_committed_it_but_not_the_projects_own_file() {
    let sandbox = Sandbox::new();
    sandbox.write(".aider.conf.yml", "project's own\n");
    sandbox.commit(&sandbox.main(), "configuration");
    let work = Work::on(sandbox);
    work.write(".aider.chat.history.md", "chat");
    work.write("sub/.aider.tags.cache.v4/cache.db", "tags");
    work.sandbox.commit(&work.worktree.path, "litter too");
    work.write(".aider.input.history", "input");
    assert!(!work.snapshot().changed());
    work.write(".aider.conf.yml", "edited for the ticket\n");
    assert_eq!(work.changes(), "M\t.aider.conf.yml");
}

#[test]
fn binary_links_odd_names_and_missing_line_ends_are_complete() {
    let work = Work::new();
    work.write("bin", [0, 1, 2, 0xff]);
    work.write("no-end", "x");
    work.write("crlf", "a\r\nb\n");
    symlink("nowhere", work.worktree.path.join("link")).unwrap();
    for name in [odd_name("odd"), "new\nline".into(), " blank ".into(), "-dash".into(), ":(top)x".into()] {
        std::fs::write(work.worktree.path.join(name), "o").unwrap();
    }
    work.run("config core.safecrlf true");
    let found = work.snapshot();
    let names = work.run(&format!("ls-tree -r --name-only {}", found.tree));
    assert_eq!(names.lines().count(), 3 + 4 + 5, "{names}");
    // What git itself would commit has the same tree.
    work.run("-c core.safecrlf=false add -A");
    assert_eq!(work.run("write-tree"), found.tree);
}

#[test]
fn five_thousand_new_files_are_complete() {
    let work = Work::new();
    for n in 0..5000 {
        work.write(&format!("many/{}/{n}", n % 50), (n % 100).to_string());
    }
    let found = work.snapshot();
    assert_eq!(work.run(&format!("ls-tree -r --name-only {}:many", found.tree)).lines().count(), 5000);
    assert!(found.changed());
}

#[test]
fn a_file_in_place_of_a_folder_and_the_reverse_are_complete() {
    let work = Work::new();
    std::fs::remove_dir_all(work.worktree.path.join("src")).unwrap();
    work.write("src", "now a file\n");
    std::fs::remove_file(work.worktree.path.join("a.txt")).unwrap();
    work.write("a.txt/inside", "now a folder\n");
    assert_eq!(work.changes(), "D\ta.txt\nA\ta.txt/inside\nA\tsrc\nD\tsrc/b.txt");
}

#[test]
fn an_unfinished_merge_gives_the_files_as_they_are() {
    let work = Work::new();
    work.sandbox.write("a.txt", "theirs\n");
    work.sandbox.commit(&work.sandbox.main(), "theirs");
    work.write("a.txt", "ours\n");
    work.sandbox.commit(&work.worktree.path, "ours");
    assert!(work.sandbox.git.writing(&work.worktree.path).args(["merge", "main"]).run().is_err());
    let found = work.snapshot();
    assert!(work.run(&format!("show {}:a.txt", found.tree)).contains("<<<<<<<"));
}

#[test]
fn a_detached_or_unborn_head_is_no_obstacle() {
    let work = Work::new();
    work.run("checkout -q --detach");
    work.write("new.txt", "n\n");
    let head = work.sandbox.commit(&work.worktree.path, "detached");
    assert_eq!(work.snapshot().head, head);
    work.run("checkout -q --orphan lonely");
    let found = work.snapshot();
    assert_eq!((&found.head, found.changed()), (&work.worktree.base, true));
}

#[test]
fn sparse_worktrees_lose_nothing_and_take_new_files_outside() {
    let sandbox = Sandbox::new();
    sandbox.run(&sandbox.main(), "sparse-checkout set --no-cone /* !/src/");
    let work = Work::on(sandbox);
    assert!(!work.worktree.path.join("src").exists());
    assert!(!work.snapshot().changed());
    work.write("src/new.txt", "n\n");
    assert_eq!(work.changes(), "A\tsrc/new.txt");
}

#[test]
fn repositories_inside_are_left_out_and_said() {
    let work = Work::new();
    for name in ["with-commit", "without"] {
        let inner = work.worktree.path.join("nested").join(name);
        std::fs::create_dir_all(&inner).unwrap();
        work.sandbox.run(&inner, "init -q");
        write(&inner, "x", "x");
    }
    work.sandbox.commit(&work.worktree.path.join("nested/with-commit"), "inner");
    work.write("nested/plain.txt", "p\n");
    let left = |path: &str| LeftOut { path: path.into(), what: Inner::Repository };
    assert_eq!(work.snapshot().left_out, [left("nested/with-commit"), left("nested/without")]);
    assert_eq!(work.changes(), "A\tnested/plain.txt");
}

#[test]
fn a_submodules_commit_is_in_the_tree_and_its_edits_are_said() {
    let sandbox = Sandbox::new();
    let library = sandbox.dir().join("library");
    std::fs::create_dir(&library).unwrap();
    sandbox.run(&library, "init -q");
    sandbox.commit(&library, "library");
    sandbox.args(&sandbox.main(), ["submodule", "--quiet", "add", "../library", "lib"]);
    sandbox.commit(&sandbox.main(), "with a submodule");
    let work = Work::on(sandbox);
    assert!(!work.snapshot().changed());
    work.run("submodule --quiet update --init");
    assert!(!work.snapshot().changed());

    let inner = work.worktree.path.join("lib");
    write(&inner, "edit.txt", "e\n");
    let found = work.snapshot();
    assert_eq!(found.left_out, [LeftOut { path: "lib".into(), what: Inner::SubmoduleEdits }]);
    assert!(!found.changed());
    work.sandbox.commit(&inner, "inner work");
    let found = work.snapshot();
    assert_eq!(found.left_out, [LeftOut { path: "lib".into(), what: Inner::SubmoduleCommit }]);
    assert_eq!(work.changes(), "M\tlib");
}

#[test]
fn a_file_that_cannot_be_added_is_an_error_and_not_an_empty_change() {
    let work = Work::new();
    work.sandbox.args(&work.sandbox.main(), ["config", "filter.broken.clean", "false"]);
    work.run("config filter.broken.required true");
    work.write(".gitattributes", "*.bin filter=broken\n");
    work.write("x.bin", "x");
    assert!(matches!(work.try_snapshot(), Err(GitError::Filter { stderr, .. }) if stderr.contains("x.bin")));
}

#[test]
fn a_folder_that_is_no_worktree_is_refused() {
    let mut work = Work::new();
    work.worktree.path = work.sandbox.main();
    assert!(matches!(work.try_snapshot(), Err(GitError::NotARepository { .. })));
    work.worktree.path = work.sandbox.dir().join("gone");
    assert!(matches!(work.try_snapshot(), Err(GitError::NotARepository { .. })));
}

const KEPT: &str = "refs/draft/revisions/t/1";

#[test]
fn a_revision_is_a_commit_by_draft_on_top_of_the_agents() {
    let work = Work::new();
    work.write("new.txt", "n\n");
    let found = work.snapshot();
    let repo = work.sandbox.repo();
    let commit = keep_revision(&repo, &work.worktree, &found, KEPT, "Ticket ü\n\nmore").unwrap();
    assert_eq!(
        work.run(&format!("rev-parse {KEPT} {KEPT}^{{tree}} {KEPT}^")),
        [&*commit, &found.tree, &found.head].join("\n")
    );
    assert_eq!(work.run(&format!("log -1 --format=%an<%ae>%s {KEPT}")), "Draft<draft@localhost>Ticket ü");
    assert_eq!(work.run("rev-parse HEAD"), found.head);
    assert_eq!(keep_revision(&repo, &work.worktree, &found, KEPT, "again").unwrap(), commit);

    work.write("new.txt", "other\n");
    let error = keep_revision(&repo, &work.worktree, &work.snapshot(), KEPT, "other").unwrap_err();
    assert!(matches!(error, GitError::RefTaken { found, .. } if found == commit));
}

#[test]
fn a_revision_of_a_committed_state_is_that_commit() {
    let work = Work::new();
    work.write("new.txt", "n\n");
    let head = work.sandbox.commit(&work.worktree.path, "the agent's own");
    let kept = keep_revision(&work.sandbox.repo(), &work.worktree, &work.snapshot(), KEPT, "x").unwrap();
    assert_eq!(kept, head);
}

#[test]
fn a_revision_survives_the_worktree_the_branch_and_garbage_collection() {
    let work = Work::new();
    work.write("new.txt", "n\n");
    let found = work.snapshot();
    let repo = work.sandbox.repo();
    keep_revision(&repo, &work.worktree, &found, KEPT, "x").unwrap();
    let main = work.sandbox.main();
    std::fs::remove_dir_all(&work.worktree.path).unwrap();
    work.sandbox.run(&main, "worktree prune");
    work.sandbox.run(&main, "branch -q -D draft/1-x");
    work.sandbox.run(&main, "gc -q --prune=now");
    assert_eq!(diff::size(&repo, &work.worktree.base, KEPT).unwrap().files, 1);
}
