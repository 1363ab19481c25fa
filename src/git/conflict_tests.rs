//! Resolving a conflict in a worktree with real git: what a person leaves becomes the change, and giving up takes everything back.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use uuid::Uuid;

use super::conflict::*;
use super::land::{Change, Combined, Moved, Scratch, move_target};
use super::testing::{Sandbox, files, write};
use super::tree::{keep_revision, snapshot};
use super::{Repo, trash};
use crate::domain::id::TicketId;
use crate::domain::landing::{Intent, Strategy};
use crate::domain::outlook::ConflictFile;
use crate::domain::resolve::{Operation, Resolving};
use crate::domain::state::StateName;
use crate::domain::ticket::Worktree;
use crate::domain::time::Timestamp;

const TICKET: TicketId = TicketId(Uuid::from_u128(7));
const OWNER: Owner<'_> = Owner { ticket: TICKET, state: StateName::NeedsHuman, message: "Work before the merge\n" };
const AT: Timestamp = Timestamp(1_700_000_000_000);

/// A worktree with a commit, a staged edit, an edit, a new file, one that git ignores and litter; and a target that went on.
struct Place {
    sandbox: Sandbox,
    worktree: Worktree,
}

/// Everything that a worktree is.
#[derive(PartialEq, Eq, Debug)]
struct All {
    files: BTreeMap<PathBuf, Vec<u8>>,
    head: String,
    branch: String,
    index: Vec<u8>,
    status: String,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        let here = worktree.path.clone();
        write(&here, "committed.txt", "c\n");
        sandbox.commit(&here, "agent");
        write(&here, "src/b.txt", "staged\n");
        sandbox.run(&here, "add src/b.txt");
        write(&here, "a.txt", "one\nmine\nthree\n");
        write(&here, "new.txt", "n\n");
        write(&here, "ignored.log", "i\n");
        write(&here, ".aider.history", "h\n");
        sandbox.write("a.txt", "one\nTWO\nthree\n");
        sandbox.write("other.txt", "o\n");
        sandbox.commit(&sandbox.main(), "meanwhile");
        Self { sandbox, worktree }
    }

    fn repo(&self) -> Repo {
        self.sandbox.repo()
    }

    fn all(&self) -> All {
        let here = &self.worktree.path;
        let git_dir = PathBuf::from(self.sandbox.run(here, "rev-parse --git-dir"));
        let index = fs::read(git_dir.join("index")).unwrap();
        let status = self.sandbox.git.reading(here).args(["status", "--porcelain=v2", "-uall", "--ignored"]).run();
        All {
            files: files(here),
            head: self.sandbox.run(here, "rev-parse HEAD"),
            branch: self.sandbox.run(here, "symbolic-ref HEAD"),
            index,
            status: String::from_utf8(status.unwrap()).unwrap(),
        }
    }

    fn start(&self) -> Resolving {
        start(&self.repo(), &self.worktree, OWNER, AT, &[".aider*".to_owned()]).unwrap()
    }

    fn abort(&self) -> Resolving {
        abort(&self.repo(), &self.worktree, OWNER, AT).unwrap()
    }

    fn conclude(&self) -> Concluded {
        conclude(&self.repo(), &self.worktree, "Merged\n", &[".aider*".to_owned()]).unwrap()
    }

    fn under_way(&self) -> Option<Operation> {
        under_way(&self.repo(), &self.worktree).unwrap().map(|now| now.operation)
    }

    fn refs(&self) -> String {
        self.sandbox.run(&self.sandbox.main(), "for-each-ref --format=%(refname) refs/draft")
    }
}

fn content(path: &str) -> ConflictFile {
    ConflictFile { path: path.into(), kind: "content".into() }
}

#[test]
fn a_merge_is_begun_resolved_and_becomes_a_commit_of_both() {
    let place = Place::new();
    let here = &place.worktree.path;
    let target = place.sandbox.run(&place.sandbox.main(), "rev-parse main");
    assert_eq!(place.start(), Resolving::Begun { target: "main".into(), files: vec![content("a.txt")] });
    assert_eq!(place.under_way(), Some(Operation::Merge));
    assert!(is_begun(&place.repo(), TICKET).unwrap());
    assert!(here.join("other.txt").exists() && here.join(".aider.history").exists());
    let Concluded::Unresolved(left) = place.conclude() else { panic!("there are marks") };
    assert_eq!(left.unresolved, [content("a.txt")]);
    // Added with its marks, it is not resolved either.
    place.sandbox.run(here, "add a.txt");
    assert!(matches!(place.conclude(), Concluded::Unresolved(_)));

    write(here, "a.txt", "one\nmine and TWO\nthree\n");
    assert_eq!(place.conclude(), Concluded::Done);
    assert_eq!(place.conclude(), Concluded::Done, "again after a crash");
    assert_eq!(place.under_way(), None);
    let parents = place.sandbox.run(here, "rev-parse HEAD^1 HEAD^2");
    assert!(parents.ends_with(&target), "{parents}");
    assert_eq!(place.sandbox.run(here, "status --porcelain"), "?? .aider.history");

    let found = snapshot(&place.repo(), &place.worktree, &[".aider*".to_owned()]).unwrap();
    assert_eq!(found.base, target, "what came from the target is not the ticket's change");
    let changed = place.sandbox.run(here, &format!("diff --name-only {} {}", found.base, found.tree));
    assert_eq!(changed, "a.txt\ncommitted.txt\nnew.txt\nsrc/b.txt");
    settle(&place.repo(), TICKET, AT, Some(&found.head)).unwrap();
    assert_eq!(place.refs(), "", "the commit has all that was kept");
}

#[test]
fn giving_up_puts_everything_back_and_keeps_what_was_there() {
    let place = Place::new();
    let before = place.all();
    place.start();
    write(&place.worktree.path, "a.txt", "half resolved\n");
    write(&place.worktree.path, "scratch/notes.txt", "mine\n");
    let Resolving::Aborted { kept: Some(kept) } = place.abort() else { panic!("there was something") };
    assert_eq!(place.all(), before);
    assert_eq!(place.sandbox.run(&place.sandbox.main(), &format!("show {kept}:a.txt")), "half resolved");
    assert_eq!(place.sandbox.run(&place.sandbox.main(), &format!("show {kept}:scratch/notes.txt")), "mine");
    assert_eq!(trash::list(&place.repo()).unwrap().len(), 1);
    assert_eq!(place.refs(), kept);
    assert!(matches!(place.abort(), Resolving::Refused { .. }), "nothing is left to give up");
    // And once more from the same state.
    place.start();
    place.abort();
    assert_eq!(place.all(), before);
}

#[test]
fn a_start_that_was_killed_goes_on_and_can_still_be_given_up() {
    for killed_after in ["the ref", "the reset"] {
        let place = Place::new();
        let before = place.all();
        place.start();
        let here = &place.worktree.path;
        // As it was when the process died: the ref is there, and nothing is merged.
        let kept = place.sandbox.run(here, &format!("rev-parse refs/draft/conflict/{TICKET}"));
        place.abort();
        assert_eq!(place.all(), before);
        place.sandbox.run(here, &format!("update-ref refs/draft/conflict/{TICKET} {kept}"));
        if killed_after == "the reset" {
            place.sandbox.run(here, &format!("reset -q --mixed {kept}^2"));
        }
        assert_eq!(place.under_way(), None);
        assert!(matches!(place.start(), Resolving::Begun { .. }), "{killed_after}");
        place.abort();
        assert_eq!(place.all(), before, "{killed_after}");
    }
}

#[test]
fn what_was_begun_by_hand_is_seen_and_given_up_in_its_own_way() {
    for (command, operation) in [
        ("merge main", Operation::Merge),
        ("rebase main", Operation::Rebase),
        ("cherry-pick main", Operation::CherryPick),
        ("revert --no-edit HEAD~1", Operation::Revert),
    ] {
        let place = Place::new();
        let here = &place.worktree.path;
        place.sandbox.run(here, "add -A");
        place.sandbox.commit(here, "all of it");
        write(here, "committed.txt", "d\n");
        if operation == Operation::Revert {
            // What is to be taken back was changed since.
            write(here, "a.txt", "one\nagain\nthree\n");
        }
        place.sandbox.commit(here, "more");
        let before = place.all();
        let said = place.sandbox.git.writing(here).args(command.split(' ')).run();
        assert!(said.is_err(), "{command} conflicts");
        assert_eq!(place.under_way(), Some(operation));
        let Resolving::Refused { reason } = place.start() else { panic!("{command} is under way") };
        assert!(reason.contains(operation.as_str()), "{reason}");
        assert!(matches!(place.abort(), Resolving::Aborted { kept: Some(_) }), "{command}");
        let after = place.all();
        assert_eq!((after.files, after.head, after.branch), (before.files, before.head, before.branch), "{command}");
        assert_eq!(place.under_way(), None);
    }
}

#[test]
fn a_rebase_by_hand_is_concluded_commit_by_commit() {
    let place = Place::new();
    let here = &place.worktree.path;
    place.sandbox.commit(here, "all of it");
    assert!(place.sandbox.git.writing(here).args(["rebase", "main"]).run().is_err());
    assert!(matches!(place.conclude(), Concluded::Unresolved(_)));
    write(here, "a.txt", "one\nboth\nthree\n");
    assert_eq!(place.conclude(), Concluded::Done);
    assert_eq!(place.under_way(), None);
    let target = place.sandbox.run(&place.sandbox.main(), "rev-parse main");
    assert_eq!(snapshot(&place.repo(), &place.worktree, &[]).unwrap().base, target);
}

#[test]
fn a_file_that_one_side_deleted_is_resolved_by_saying_so() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "a.txt", "mine\n");
    fs::remove_file(sandbox.main().join("a.txt")).unwrap();
    sandbox.commit(&sandbox.main(), "gone");
    let place = Place { sandbox, worktree };
    let files = vec![ConflictFile { path: "a.txt".into(), kind: "modify/delete".into() }];
    assert_eq!(place.start(), Resolving::Begun { target: "main".into(), files: files.clone() });
    let Concluded::Unresolved(left) = place.conclude() else { panic!("nobody said which") };
    assert_eq!(left.unresolved, files);
    place.sandbox.run(&place.worktree.path, "rm -q --force a.txt");
    assert_eq!(place.conclude(), Concluded::Done);
    assert!(!place.worktree.path.join("a.txt").exists());
}

#[test]
fn an_ignored_file_that_the_target_would_overwrite_stops_the_merge_before_anything_happens() {
    let place = Place::new();
    place.sandbox.write("ignored.log", "theirs\n");
    place.sandbox.run(&place.sandbox.main(), "add --force ignored.log");
    place.sandbox.commit(&place.sandbox.main(), "brings it");
    let before = place.all();
    let Resolving::Refused { reason } = place.start() else { panic!("it is in the way") };
    assert!(reason.contains("ignored.log"), "{reason}");
    assert_eq!(place.all(), before);
    assert_eq!(place.refs(), "");
}

#[test]
fn a_resolved_change_lands_in_every_way() {
    for strategy in [Strategy::Squash, Strategy::Merge, Strategy::Rebase] {
        let place = Place::new();
        let (repo, here) = (place.repo(), &place.worktree.path);
        place.start();
        write(here, "a.txt", "one\nmine and TWO\nthree\n");
        place.conclude();
        let found = snapshot(&repo, &place.worktree, &[]).unwrap();
        let head = keep_revision(&repo, &place.worktree, &found, "refs/draft/revisions/x/1", "kept\n").unwrap();
        // The target goes on once more, elsewhere.
        place.sandbox.write("later.txt", "l\n");
        let from = place.sandbox.commit(&place.sandbox.main(), "later");
        let scratch = Scratch::at(&repo, &place.sandbox.dir().join("landing"), &from).unwrap();
        let change = Change { base: &found.base, head: &head, message: "landed\n" };
        let combined = scratch.combine(strategy, change).unwrap();
        let Combined::Made { commit, .. } = combined else { panic!("{strategy}: {combined:?}") };
        scratch.clear().unwrap();
        let intent = Intent { branch: "main".into(), from, to: commit };
        assert_eq!(move_target(&repo, &intent, "note").unwrap(), Moved::Done);
        let main = place.sandbox.main();
        assert_eq!(fs::read_to_string(main.join("a.txt")).unwrap(), "one\nmine and TWO\nthree\n", "{strategy}");
        assert!(main.join("later.txt").exists() && main.join("new.txt").exists() && main.join("other.txt").exists());
    }
}

#[test]
fn a_merge_that_an_agent_left_resolved_but_not_committed_is_part_of_its_revision() {
    let place = Place::new();
    let here = &place.worktree.path;
    place.sandbox.commit(here, "all of it");
    assert!(place.sandbox.git.writing(here).args(["merge", "main"]).run().is_err());
    write(here, "a.txt", "one\nboth\nthree\n");
    place.sandbox.run(here, "add a.txt");
    let target = place.sandbox.run(&place.sandbox.main(), "rev-parse main");
    let found = snapshot(&place.repo(), &place.worktree, &[]).unwrap();
    assert_eq!((found.base.as_str(), found.merging.as_slice()), (target.as_str(), [target.clone()].as_slice()));
    let head = keep_revision(&place.repo(), &place.worktree, &found, "refs/draft/revisions/x/1", "kept\n").unwrap();
    let parents = place.sandbox.run(here, &format!("rev-parse {head}^2"));
    assert_eq!(parents, target);
}
