//! Worktrees with real git: made, kept, restored, refused, and the user's checkout as it was.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::testing::{Sandbox, executable, files, odd_name, write};
use super::worktree::{Created, Origin, Plan, Unsafe, create, validate};
use super::{GitError, Repo};
use crate::domain::ticket::Worktree;

fn again(sandbox: &Sandbox, existing: &Worktree) -> Created {
    let plan = Plan {
        path: &existing.path,
        branch: &existing.branch,
        base_branch: &existing.base_branch,
        existing: Some(existing),
        on_top: None,
    };
    let made = create(&sandbox.repo(), &plan).unwrap();
    made.recorded().unwrap();
    made
}

#[test]
fn a_worktree_has_the_files_of_the_base_on_a_branch_of_its_own() {
    let sandbox = Sandbox::new();
    let before = sandbox.checkout();
    let made = sandbox.worktree("1-x");
    assert_eq!(made.origin, Origin::New);
    assert!(made.hook_failed.is_none());
    let worktree = made.worktree;
    assert_eq!((worktree.branch.as_str(), worktree.base_branch.as_str()), ("draft/1-x", "main"));
    assert_eq!(worktree.base, sandbox.run(&sandbox.main(), "rev-parse main"));
    assert_eq!(sandbox.run(&worktree.path, "branch --show-current"), "draft/1-x");
    assert_eq!(sandbox.run(&worktree.path, "status --porcelain"), "");
    assert_eq!(files(&worktree.path).len(), 3);
    assert_eq!(sandbox.checkout(), before);
}

#[test]
fn the_users_checkout_stays_as_it_is_with_edits_staged_files_and_a_lock_left_behind() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "edited\n");
    sandbox.write("staged.txt", "s\n");
    sandbox.run(&sandbox.main(), "add staged.txt");
    sandbox.write("untracked.txt", "u\n");
    sandbox.write(".git/index.lock", "");
    let before = sandbox.checkout();
    let worktree = sandbox.worktree("1-x").worktree;
    assert_eq!(std::fs::read(worktree.path.join("a.txt")).unwrap(), b"one\ntwo\nthree\n");
    assert!(!worktree.path.join("staged.txt").exists());
    assert_eq!(sandbox.checkout(), before);
}

#[test]
fn eight_worktrees_at_once_are_all_made() {
    let sandbox = Sandbox::new();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let sandbox = &sandbox;
            scope.spawn(move || sandbox.worktree(&format!("{n}-x")));
        }
    });
    assert_eq!(sandbox.run(&sandbox.main(), "worktree list").lines().count(), 9);
    for n in 0..8 {
        assert_eq!(sandbox.run(&sandbox.worktrees().join(format!("{n}-x")), "status --porcelain"), "");
    }
}

#[test]
fn eight_equal_wishes_give_eight_branches_and_folders() {
    let sandbox = Sandbox::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| sandbox.worktree("1-x"));
        }
    });
    let branches = sandbox.run(&sandbox.main(), "branch --list draft/* --format %(refname:short)");
    assert_eq!(branches.lines().count(), 8);
    assert!(branches.contains("draft/1-x-8"), "{branches}");
    assert!(sandbox.worktrees().join("1-x-8/a.txt").exists());
}

#[test]
fn a_worktree_that_is_there_is_kept_with_all_in_it() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "a.txt", "work\n");
    let kept = again(&sandbox, &worktree);
    assert_eq!((kept.origin, &kept.worktree), (Origin::Kept, &worktree));
    assert_eq!(std::fs::read(worktree.path.join("a.txt")).unwrap(), b"work\n");
}

#[test]
fn a_folder_deleted_by_hand_comes_back_on_its_branch_with_its_commits() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "new.txt", "n\n");
    let commit = sandbox.commit(&worktree.path, "work");
    sandbox.write("later.txt", "l\n");
    sandbox.commit(&sandbox.main(), "main goes on");
    std::fs::remove_dir_all(sandbox.worktrees()).unwrap();

    let restored = again(&sandbox, &worktree);
    assert_eq!((restored.origin, &restored.worktree), (Origin::Restored, &worktree));
    assert_eq!(sandbox.run(&worktree.path, "rev-parse HEAD"), commit);
    assert!(worktree.path.join("new.txt").exists());
}

#[test]
fn commits_of_a_lost_worktree_that_no_branch_has_are_kept_in_the_trash() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    sandbox.run(&worktree.path, "checkout -q --detach");
    write(&worktree.path, "new.txt", "n\n");
    let commit = sandbox.commit(&worktree.path, "detached work");
    std::fs::remove_dir_all(&worktree.path).unwrap();
    assert_eq!(again(&sandbox, &worktree).worktree, worktree);
    let kept = sandbox.run(&sandbox.main(), &format!("rev-parse refs/draft/trash/heads/{commit}"));
    assert_eq!(kept, commit);
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_goes_on_under_another_name() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "new.txt", "n\n");
    let commit = sandbox.commit(&worktree.path, "work");
    std::fs::remove_dir_all(&worktree.path).unwrap();
    sandbox.run(&sandbox.main(), "worktree prune");
    sandbox.run(&sandbox.main(), "checkout -q draft/1-x");

    let made = again(&sandbox, &worktree);
    assert_eq!(made.worktree, Worktree { branch: "draft/1-x-2".to_owned(), ..worktree.clone() });
    assert_eq!(sandbox.run(&worktree.path, "rev-parse HEAD"), commit);
}

#[test]
fn a_ticket_whose_branch_is_gone_too_starts_anew() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    sandbox.args(&sandbox.main(), ["worktree".as_ref(), "remove".as_ref(), worktree.path.as_os_str()]);
    sandbox.run(&sandbox.main(), "branch -q -D draft/1-x");
    assert_eq!(again(&sandbox, &worktree).origin, Origin::New);
}

#[test]
fn what_lies_in_the_way_is_never_deleted() {
    let sandbox = Sandbox::new();
    write(&sandbox.worktrees(), "1-x/precious", "p");
    let made = sandbox.worktree("1-x");
    assert_eq!(made.worktree.path, sandbox.worktrees().join("1-x-2"));
    assert_eq!(std::fs::read(sandbox.worktrees().join("1-x/precious")).unwrap(), b"p");

    symlink(sandbox.dir(), sandbox.worktrees().join("2-y")).unwrap();
    assert_eq!(sandbox.worktree("2-y").worktree.path, sandbox.worktrees().join("2-y-2"));

    std::fs::create_dir(sandbox.worktrees().join("3-z")).unwrap();
    assert_eq!(sandbox.worktree("3-z").worktree.path, sandbox.worktrees().join("3-z"));
}

#[test]
fn a_registration_that_somebody_locked_is_left_alone() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    sandbox.args(&sandbox.main(), ["worktree".as_ref(), "lock".as_ref(), worktree.path.as_os_str()]);
    std::fs::remove_dir_all(&worktree.path).unwrap();
    let made = again(&sandbox, &worktree);
    assert_eq!(made.worktree.path, sandbox.worktrees().join("1-x-2"));
    assert_eq!(made.worktree.branch, "draft/1-x-2");
}

#[test]
fn branch_names_in_use_get_a_suffix_or_another_prefix() {
    let sandbox = Sandbox::new();
    sandbox.run(&sandbox.main(), "branch draft/1-x");
    sandbox.run(&sandbox.main(), "tag draft/1-x-2");
    sandbox.run(&sandbox.main(), "branch draft/1-x-3/deeper");
    assert_eq!(sandbox.worktree("1-x").worktree.branch, "draft/1-x-4");

    let sandbox = Sandbox::new();
    sandbox.run(&sandbox.main(), "branch draft");
    assert_eq!(sandbox.worktree("1-x").worktree.branch, "draft-1-x");
    assert_eq!(sandbox.worktree("1-x").worktree.branch, "draft-1-x-2");
}

#[test]
fn the_post_checkout_hook_runs_once_and_may_fail() {
    let sandbox = Sandbox::new();
    let hook = sandbox.main().join(".git/hooks/post-checkout");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    executable(&hook, "#!/bin/sh\necho $@ $(ls | wc -l) ${GIT_DIR-none} >>hooked\nexit 3\n");
    let made = sandbox.worktree("1-x");
    let said = std::fs::read_to_string(made.worktree.path.join("hooked")).unwrap();
    assert_eq!(said.trim_end(), format!("{} {} 1 2 none", "0".repeat(40), made.worktree.base));
    assert!(matches!(made.hook_failed, Some(GitError::Failed { .. })));
}

#[test]
fn a_hook_from_a_configured_folder_runs_and_one_that_may_not_run_does_not() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks/post-checkout", "#!/bin/sh\necho ran >hooked\n");
    let hook = sandbox.main().join("hooks/post-checkout");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.commit(&sandbox.main(), "hooks in the repository");
    sandbox.run(&sandbox.main(), "config core.hooksPath hooks");
    let made = sandbox.worktree("1-x");
    assert!(made.hook_failed.is_none() && made.worktree.path.join("hooked").exists());

    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o644)).unwrap();
    sandbox.commit(&sandbox.main(), "no longer");
    let made = sandbox.worktree("2-y");
    assert!(made.hook_failed.is_none() && !made.worktree.path.join("hooked").exists());
}

#[test]
fn when_files_cannot_be_checked_out_nothing_is_left_behind() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.bin filter=broken\n");
    sandbox.write("x.bin", "x");
    sandbox.commit(&sandbox.main(), "filtered");
    sandbox.run(&sandbox.main(), "config filter.broken.smudge false");
    sandbox.run(&sandbox.main(), "config filter.broken.required true");
    let error = sandbox.try_worktree("1-x").unwrap_err();
    assert!(matches!(&error, GitError::Filter { filter, .. } if filter == "broken"), "{error}");
    assert!(error.to_string().contains("x.bin"), "{error}");
    assert_eq!(sandbox.run(&sandbox.main(), "worktree list").lines().count(), 1);
    assert_eq!(sandbox.run(&sandbox.main(), "branch --list draft/*"), "");
    assert!(!sandbox.worktrees().join("1-x").exists());
}

#[test]
fn filters_and_sparse_patterns_hold_in_the_new_worktree() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.up filter=up\n");
    sandbox.write("x.up", "low");
    sandbox.commit(&sandbox.main(), "filtered");
    sandbox.args(&sandbox.main(), ["config", "filter.up.smudge", "tr a-z A-Z"]);
    sandbox.run(&sandbox.main(), "sparse-checkout set --no-cone /* !/src/");
    let path = sandbox.worktree("1-x").worktree.path;
    assert_eq!(std::fs::read(path.join("x.up")).unwrap(), b"LOW");
    assert!(!path.join("src").exists());
}

#[test]
fn a_missing_base_branch_is_an_error_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let (repo, path) = (sandbox.repo(), sandbox.worktrees().join("1-x"));
    let plan = Plan { path: &path, branch: "draft/1-x", base_branch: "nope", existing: None, on_top: None };
    assert!(matches!(create(&repo, &plan), Err(GitError::NoBranch { branch, .. }) if branch == "nope"));
    assert!(!sandbox.worktrees().exists());
}

#[test]
fn a_worktree_from_a_remote_branch_records_it_and_keeps_its_local_one_safe() {
    let sandbox = Sandbox::new();
    let upstream = sandbox.commit(&sandbox.main(), "upstream");
    sandbox.run(&sandbox.main(), "update-ref refs/remotes/origin/next HEAD");
    sandbox.run(&sandbox.main(), "reset -q --hard HEAD~1");
    let path = sandbox.worktrees().join("1-x");
    let plan = Plan {
        path: &path,
        branch: "draft/1-x",
        base_branch: "refs/remotes/origin/next",
        existing: None,
        on_top: None,
    };
    let made = create(&sandbox.repo(), &plan).unwrap();
    made.recorded().unwrap();
    assert_eq!((made.worktree.base_branch.as_str(), made.worktree.base), ("origin/next", upstream));
    let worktree = Worktree { base_branch: "origin/next".into(), ..sandbox.worktree("2-y").worktree };
    assert_eq!(validate(&sandbox.repo(), &sandbox.worktrees(), &worktree), Ok(()));
    sandbox.run(&worktree.path, "checkout -q -b next");
    assert_eq!(unsafe_name(&sandbox, &sandbox.worktrees(), &worktree), "on_protected_branch");
}

#[test]
fn a_tag_or_a_commit_as_base_is_refused_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    sandbox.run(&sandbox.main(), "tag v1");
    let commit = sandbox.run(&sandbox.main(), "rev-parse HEAD");
    for base_branch in ["v1", &commit, "HEAD"] {
        let path = sandbox.worktrees().join("1-x");
        let plan = Plan { path: &path, branch: "draft/1-x", base_branch, existing: None, on_top: None };
        assert!(matches!(create(&sandbox.repo(), &plan), Err(GitError::NotABranch { .. })), "{base_branch}");
    }
    assert!(!sandbox.worktrees().exists());
}

#[test]
fn odd_paths_and_a_linked_worktree_as_root_are_fine() {
    let sandbox = Sandbox::new();
    let linked = sandbox.dir().join(odd_name("linked \n"));
    let add = ["worktree", "add", "-q", "-b", "side"].map(AsRef::as_ref);
    sandbox.args(&sandbox.main(), add.into_iter().chain([linked.as_os_str()]));
    let repo = Repo::discover(&sandbox.git, &linked.join("src")).unwrap();
    assert_eq!(repo.root(), linked.canonicalize().unwrap());
    assert_eq!(repo.base_branch().unwrap(), "side");

    let path = sandbox.worktrees().join(odd_name("a b\n"));
    let plan = Plan { path: &path, branch: "draft/1-x", base_branch: "side", existing: None, on_top: None };
    let made = create(&repo, &plan).unwrap();
    made.recorded().unwrap();
    let worktree = made.worktree;
    assert_eq!(worktree.path, path);
    assert_eq!(validate(&repo, &sandbox.worktrees(), &worktree), Ok(()));
    std::fs::remove_dir_all(&path).unwrap();
    let restored = create(&repo, &Plan { existing: Some(&worktree), ..plan }).unwrap();
    assert_eq!((restored.origin, restored.worktree), (Origin::Restored, worktree));
}

fn unsafe_name(sandbox: &Sandbox, root: &Path, worktree: &Worktree) -> &'static str {
    validate(&sandbox.repo(), root, worktree).unwrap_err().name()
}

#[test]
fn a_fresh_worktree_is_safe_also_through_links_and_detached() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    let repo = sandbox.repo();
    assert_eq!(validate(&repo, &sandbox.worktrees(), &worktree), Ok(()));
    let link = sandbox.dir().join("link");
    symlink(sandbox.worktrees(), &link).unwrap();
    let through = Worktree { path: link.join("1-x"), ..worktree.clone() };
    assert_eq!(validate(&repo, &sandbox.worktrees(), &through), Ok(()));
    assert_eq!(validate(&repo, &link, &worktree), Ok(()));
    sandbox.run(&worktree.path, "checkout -q --detach");
    assert_eq!(validate(&repo, &sandbox.worktrees(), &worktree), Ok(()));
}

#[test]
fn unsafe_places_are_named_by_the_first_check_that_fails() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    let root = sandbox.worktrees();
    let at = |path: &Path| Worktree { path: path.to_owned(), ..worktree.clone() };

    // A root of which ours is a text prefix, the root itself, and a link that leads out.
    let beside = sandbox.dir().join("worktrees-2/1-x");
    std::fs::create_dir_all(&beside).unwrap();
    symlink(sandbox.main(), root.join("out")).unwrap();
    for path in [beside, root.clone(), root.join("out"), root.join("../repo"), "/".into()] {
        assert_eq!(unsafe_name(&sandbox, &root, &at(&path)), "not_in_draft_dir", "{}", path.display());
    }
    std::fs::create_dir(root.join("plain")).unwrap();
    for path in [root.join("plain"), root.join("missing")] {
        assert_eq!(unsafe_name(&sandbox, &root, &at(&path)), "not_a_git_repo", "{}", path.display());
    }
    let other = root.join("other");
    std::fs::create_dir(&other).unwrap();
    sandbox.run(&other, "init -q");
    for path in [worktree.path.join("src"), other] {
        assert_eq!(unsafe_name(&sandbox, &root, &at(&path)), "path_mismatch", "{}", path.display());
    }
    assert_eq!(unsafe_name(&sandbox, sandbox.dir(), &at(&sandbox.main())), "is_main_repo");
    sandbox.run(&worktree.path, "checkout -q -b Production");
    assert_eq!(unsafe_name(&sandbox, &root, &worktree), "on_protected_branch");
    // For git any blanks will do.
    let head = sandbox.main().join(".git/worktrees/1-x/HEAD");
    std::fs::write(head, "ref:  refs/heads/Production\n").unwrap();
    assert_eq!(unsafe_name(&sandbox, &root, &worktree), "on_protected_branch");
}

#[test]
fn a_folder_whose_git_file_is_gone_is_not_taken_for_the_repository_around_it() {
    let sandbox = Sandbox::new();
    let root = sandbox.main().join(".draft/worktrees");
    let plan = Plan { path: &root.join("1-x"), branch: "draft/1-x", base_branch: "main", existing: None, on_top: None };
    let worktree = create(&sandbox.repo(), &plan).unwrap().worktree;
    assert_eq!(validate(&sandbox.repo(), Path::new("/elsewhere"), &worktree), Ok(()));
    std::fs::remove_file(worktree.path.join(".git")).unwrap();
    let error = validate(&sandbox.repo(), &root, &worktree).unwrap_err();
    assert!(matches!(error, Unsafe::PathMismatch { found, .. } if found == sandbox.repo().root()));
}
