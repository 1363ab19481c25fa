//! A branch that moves just while the user does something else with it, or while a program fails in the middle.

use std::path::Path;

use super::forward::*;
use super::own::Own;
use super::testing::{Sandbox, executable, files, sealed_git, write};
use crate::domain::landing::Intent;

/// A repository in which `main` can go one commit forward: `a.txt` changes, `made.txt` and `z/last.txt` are new.
fn place() -> (Sandbox, Intent) {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "a.txt", "one\n2\nthree\n");
    write(&worktree.path, "made.txt", "made\n");
    write(&worktree.path, "z/last.txt", "last\n");
    let to = sandbox.commit(&worktree.path, "the change");
    (sandbox, Intent { branch: "main".into(), from: worktree.base, to })
}

/// Puts a git in the way that runs a line of shell once, before a call in which that word is.
fn before_call(sandbox: &mut Sandbox, word: &str, line: &str) {
    let path = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file()).unwrap();
    let (here, real) = (sandbox.dir().display(), real.display());
    std::fs::create_dir_all(sandbox.dir().join("bin")).unwrap();
    let text = format!(
        "#!/bin/sh\nhere={here} real={real}\ncase \"$*\" in *{word}*) [ -e $here/met ] || {{ : >$here/met\n{line}\n}};; esac\n\
         exec $real \"$@\"\n"
    );
    executable(&sandbox.dir().join("bin/git"), &text);
    let path = std::env::join_paths(std::iter::once(sandbox.dir().join("bin")).chain(std::env::split_paths(&path)));
    sandbox.git = sealed_git(sandbox.dir(), &path.unwrap());
}

#[test]
fn a_user_who_switches_to_another_branch_at_that_moment_keeps_it_as_it_is() {
    for switch in ["checkout -q -b mine", "checkout -q mine", "checkout -q --detach"] {
        let (mut sandbox, intent) = place();
        if !switch.contains("-b") {
            sandbox.run(&sandbox.main(), "branch mine");
        }
        before_call(&mut sandbox, "update-ref", &format!("$real -C $here/repo {switch}"));
        let repo = sandbox.repo();
        assert_eq!(move_target(&repo, &intent, "note").unwrap(), Moved::Elsewhere, "{switch}");
        assert!(sandbox.dir().join("met").exists());
        assert_eq!(repo.commit_of("main").unwrap(), intent.from, "{switch}");
        let before = Own::of(&sandbox, &sandbox.main());
        // The next look finds the branch checked out nowhere.
        assert_eq!(move_target(&repo, &intent, "note").unwrap(), Moved::Done, "{switch}");
        assert_eq!(repo.commit_of("main").unwrap(), intent.to, "{switch}");
        before.assert_same(&Own::of(&sandbox, &sandbox.main()), "main", switch);
        assert!(!sandbox.main().join("made.txt").exists(), "{switch}");
        assert_eq!(sandbox.run(&sandbox.main(), "rev-parse HEAD"), intent.from, "{switch}");
    }
}

#[test]
fn a_user_cannot_switch_or_commit_while_the_files_follow() {
    let (mut sandbox, intent) = place();
    let tries = "$real -C $here/repo checkout -q -b mine 2>$here/switch
        $real -C $here/repo commit -q --allow-empty -m mine 2>$here/commit";
    before_call(&mut sandbox, "read-tree", tries);
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Done);
    for refused in ["switch", "commit"] {
        let said = std::fs::read_to_string(sandbox.dir().join(refused)).unwrap();
        assert!(said.contains("HEAD.lock"), "{refused}: {said}");
    }
    assert_eq!(sandbox.run(&sandbox.main(), "log -1 --format=%H main"), intent.to);
    assert_eq!(sandbox.run(&sandbox.main(), "symbolic-ref HEAD"), "refs/heads/main");
    assert_eq!(sandbox.run(&sandbox.main(), "status --porcelain"), "");
}

#[test]
fn a_user_who_switches_to_the_branch_just_while_it_moves_gets_its_files() {
    let (mut sandbox, intent) = place();
    sandbox.run(&sandbox.main(), "checkout -q -b mine");
    before_call(&mut sandbox, "update-ref", "$real -C $here/repo checkout -q main");
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Done);
    assert_eq!(sandbox.run(&sandbox.main(), "status --porcelain --branch"), "## main");
    assert!(sandbox.main().join("z/last.txt").exists());
}

#[test]
fn a_commit_that_comes_first_is_not_overwritten() {
    let (mut sandbox, intent) = place();
    before_call(&mut sandbox, "update-ref", "$real -C $here/repo commit -q --allow-empty -m mine");
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Elsewhere);
    assert_eq!(sandbox.run(&sandbox.main(), "log -1 --format=%s"), "mine");
    assert_eq!(sandbox.run(&sandbox.main(), "status --porcelain"), "");
}

#[test]
fn a_filter_that_fails_in_the_middle_leaves_the_files_as_they_were() {
    let (sandbox, intent) = place();
    let main = sandbox.main();
    // All was well where the change was made; here the last file cannot be written.
    sandbox.args(&main, ["config", "filter.odd.smudge", "case %f in *last*) exit 1;; esac; cat"]);
    sandbox.args(&main, ["config", "filter.odd.clean", "cat"]);
    sandbox.args(&main, ["config", "filter.odd.required", "true"]);
    write(&main, ".git/info/attributes", "*.txt filter=odd\n");
    write(&main, "mine.txt", "mine\n");
    let before = files(&main);
    let moved = move_target(&sandbox.repo(), &intent, "note").unwrap();
    assert!(matches!(&moved, Moved::Refused(reason) if reason.contains("filter `odd`")), "{moved:?}");
    assert_eq!(files(&main), before);
    assert_eq!(sandbox.run(&main, "status --porcelain"), "?? mine.txt");
    assert_eq!(sandbox.repo().commit_of("main").unwrap(), intent.from);
}

#[test]
fn a_lock_on_the_index_is_waited_for_and_then_told() {
    let (mut sandbox, intent) = place();
    // Somebody's editor looks at the repository for a moment.
    before_call(
        &mut sandbox,
        "read-tree",
        ": >$here/repo/.git/index.lock; (sleep 0.2; rm $here/repo/.git/index.lock) >/dev/null 2>&1 &",
    );
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Done);

    let (sandbox, intent) = place();
    write(&sandbox.main(), ".git/index.lock", "");
    let before = Own::of(&sandbox, &sandbox.main());
    let moved = move_target(&sandbox.repo(), &intent, "note").unwrap();
    assert!(matches!(&moved, Moved::Refused(reason) if reason.contains("index.lock is in the way")), "{moved:?}");
    before.assert_same(&Own::of(&sandbox, &sandbox.main()), "main", "locked");
    assert_eq!(sandbox.repo().commit_of("main").unwrap(), intent.from);
}

#[test]
fn hooks_of_the_user_see_a_landing_as_any_other_fast_forward() {
    let (sandbox, intent) = place();
    let hook = |name: &str, text: &str| {
        executable(&sandbox.main().join(".git/hooks").join(name), &format!("#!/bin/sh\n{text}\n"))
    };
    let log = sandbox.dir().join("hooks.log");
    hook("post-merge", &format!("echo post-merge $1 >>{}; exit 1", log.display()));
    hook("reference-transaction", &format!("echo $1 $(cat) >>{}", log.display()));
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Done);
    let said = std::fs::read_to_string(&log).unwrap();
    for wanted in ["prepared ", "committed ", "refs/heads/main", "post-merge 0"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }

    // One that forbids it is obeyed.
    let (sandbox, intent) = place();
    let veto = sandbox.main().join(".git/hooks/reference-transaction");
    executable(&veto, "#!/bin/sh\n[ \"$1\" != prepared ] || { echo 'main is frozen' >&2; exit 1; }\n");
    let before = Own::of(&sandbox, &sandbox.main());
    let moved = move_target(&sandbox.repo(), &intent, "note").unwrap();
    assert!(matches!(&moved, Moved::Refused(reason) if reason.contains("main is frozen")), "{moved:?}");
    before.assert_same(&Own::of(&sandbox, &sandbox.main()), "main", "a veto");
}

#[test]
fn what_was_left_half_way_by_a_power_cut_is_finished_by_the_next_try() {
    let (sandbox, intent) = place();
    let main = sandbox.main();
    write(&main, "src/b.txt", "mine\n");
    sandbox.args(&main, ["read-tree", "-m", "-u", &intent.from, &intent.to]);
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Done);
    assert_eq!(sandbox.run(&main, "status --porcelain"), " M src/b.txt");
}

#[test]
fn a_work_tree_is_found_wherever_its_repository_lies() {
    let (sandbox, intent) = place();
    let main = sandbox.main();
    // `git init --separate-git-dir` moves the repository of an existing work tree.
    sandbox.args(&main, ["init", "-q", "--separate-git-dir", sandbox.dir().join("store").to_str().unwrap()]);
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Done);
    assert_eq!(sandbox.run(&main, "status --porcelain"), "");
    assert!(main.join("made.txt").exists());

    // From another work tree nobody can say where it is.
    let (sandbox, intent) = place();
    sandbox.args(&sandbox.main(), ["init", "-q", "--separate-git-dir", sandbox.dir().join("store").to_str().unwrap()]);
    let linked = sandbox.dir().join("linked");
    sandbox.args(&sandbox.main(), ["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let before = Own::of(&sandbox, &sandbox.main());
    let repo = super::Repo::discover(&sandbox.git, &linked).unwrap();
    let moved = move_target(&repo, &intent, "note").unwrap();
    assert!(matches!(&moved, Moved::Refused(reason) if reason.contains("open the board there")), "{moved:?}");
    before.assert_same(&Own::of(&sandbox, &sandbox.main()), "main", "a hidden work tree");
}

#[test]
fn a_repository_that_is_a_submodule_of_another_one_follows() {
    let sandbox = Sandbox::new();
    sandbox.run(sandbox.dir(), "init -q above");
    let above = sandbox.dir().join("above");
    sandbox.args(&above, ["submodule", "--quiet", "add", sandbox.main().to_str().unwrap(), "sub"]);
    let sub = above.join("sub");
    sandbox.run(&sub, "checkout -q -b next");
    write(&sub, "made.txt", "made\n");
    let to = sandbox.commit(&sub, "the change");
    sandbox.run(&sub, "checkout -q main");
    let from = sandbox.run(&sub, "rev-parse HEAD");
    let repo = super::Repo::discover(&sandbox.git, &sub).unwrap();
    let intent = Intent { branch: "main".into(), from, to };
    assert_eq!(move_target(&repo, &intent, "note").unwrap(), Moved::Done);
    assert_eq!(sandbox.run(&sub, "status --porcelain"), "");

    // And so it does when it is seen from another work tree.
    let linked = sandbox.dir().join("linked");
    sandbox.args(&sub, ["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    write(&linked, "more.txt", "more\n");
    let to = sandbox.commit(&linked, "more");
    let repo = super::Repo::discover(&sandbox.git, &linked).unwrap();
    let intent = Intent { branch: "main".into(), from: intent.to, to };
    assert_eq!(move_target(&repo, &intent, "note").unwrap(), Moved::Done);
    assert_eq!(sandbox.run(&sub, "status --porcelain"), "");
    assert!(Path::new(&sub).join("more.txt").exists());
}

/// Lets the process that moves the branch be killed with its git where that word is in a call, once.
fn killed_at(sandbox: &mut Sandbox, word: &str, before: &str) {
    before_call(sandbox, word, &format!("{before}\nkill -9 -$(ps -o pgid= -p $$ | tr -d ' ')\nsleep 1000"));
}

#[test]
fn locks_and_files_that_a_kill_in_the_middle_left_are_cleared_by_the_next_try() {
    // Before the files, with half of them, with all of them, and with git's own lock on the index.
    for half in [
        "",
        "echo made >$here/repo/made.txt; rm $here/repo/a.txt",
        "$real -C $here/repo read-tree -m -u main draft/1-x",
        "echo half >$here/repo/.git/index.lock",
    ] {
        let (mut sandbox, intent) = place();
        let main = sandbox.main();
        write(&main, "src/b.txt", "mine\n");
        killed_at(&mut sandbox, "read-tree", half);
        let killed = move_target(&sandbox.repo(), &intent, "note");
        assert!(sandbox.dir().join("met").exists(), "{half}: {killed:?}");
        assert_eq!(sandbox.repo().commit_of("main").unwrap(), intent.from, "{half}");
        let moved = move_target(&sandbox.repo(), &intent, "note").unwrap();
        assert_eq!(moved, Moved::Done, "{half}");
        assert_eq!(sandbox.run(&main, "status --porcelain"), " M src/b.txt", "{half}");
        assert_eq!(sandbox.run(&main, "rev-parse HEAD"), intent.to, "{half}");
        for lock in ["HEAD.lock", "index.lock", "refs/heads/main.lock"] {
            assert!(!main.join(".git").join(lock).exists(), "{half}: {lock}");
        }
    }
}
