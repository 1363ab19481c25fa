//! Landings beside a remote: brought up to date before, sent on afterwards, and never anything overwritten there.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{World, demo_world};

/// A world whose `main` follows that of a remote, with an approved change that adds `hello.txt`.
struct Place {
    world: World,
    remote: PathBuf,
    colleague: PathBuf,
}

impl Place {
    fn new(merge: &str) -> Self {
        let world = demo_world();
        let settings = world.read("draft.yaml");
        world.write("draft.yaml", format!("{settings}merge_config: {{{merge}}}\n"));
        world.commit("how changes land");
        let (remote, colleague) = (world.folder().join("remote.git"), world.folder().join("colleague"));
        let (there, clone) = (remote.to_str().unwrap(), colleague.to_str().unwrap());
        world.git(&["init", "--quiet", "--bare", "--initial-branch=main", there]);
        world.git(&["remote", "add", "origin", there]);
        world.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        world.git(&["clone", "--quiet", there, clone]);
        let script = "[[write hello.txt hi\\n]][[say done]]";
        world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
        world.draft(&["run", "1", "--trust"]).ok();
        world.draft(&["review", "1", "--approve"]).ok();
        Self { world, remote, colleague }
    }

    /// A commit of somebody else's on the remote.
    fn moved(&self, file: &str) {
        std::fs::write(self.colleague.join(file), "theirs\n").unwrap();
        let there = self.colleague.to_str().unwrap();
        self.world.git(&["-C", there, "add", "--all"]);
        self.world.git(&["-C", there, "commit", "--quiet", "--message", "theirs"]);
        self.world.git(&["-C", there, "push", "--quiet"]);
    }

    /// Where `main` is, here and on the remote.
    fn tips(&self) -> (String, String) {
        let there = self.world.git(&["-C", self.remote.to_str().unwrap(), "rev-parse", "main"]);
        (self.world.git(&["rev-parse", "main"]), there)
    }

    #[track_caller]
    fn shown(&self) -> Value {
        self.world.draft(&["ticket", "show", "1", "--json"]).ok().json()
    }

    /// Looks that nothing of Draft is left, and nothing of the user's own changed.
    #[track_caller]
    fn assert_tidy(&self) {
        assert_eq!(self.world.git(&["status", "--porcelain"]), "");
        assert_eq!(self.world.git(&["for-each-ref", "refs/draft/fetched"]), "");
        assert_eq!(self.world.git(&["stash", "list"]), "");
        self.world.assert_accounted_for();
        self.world.assert_nothing_left();
    }

    /// Demands that it does not land, for that reason, and that nothing moves.
    #[track_caller]
    fn assert_stays(&self, reason: &str) {
        let before = self.tips();
        let landed = self.world.draft(&["merge", "1", "--json"]).exits(1).json();
        let said = landed["ticket"]["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{said}");
        assert_eq!(self.tips(), before);
        self.assert_tidy();
    }

    /// Demands that it lands, and that this is said of it.
    #[track_caller]
    fn assert_lands(&self, said: &str) {
        self.world.draft(&["merge", "1"]).ok();
        let ticket = self.shown();
        assert_eq!(ticket["state"], "done", "{ticket:#}");
        let reason = ticket["reason"].as_str().unwrap();
        assert!(reason.contains(said), "{reason}");
        assert_eq!(self.world.read("hello.txt"), "hi\n");
        self.assert_tidy();
    }
}

#[test]
fn a_target_is_brought_up_to_date_first_and_nothing_is_sent_unasked() {
    let place = Place::new("");
    place.moved("theirs.txt");
    let (_, theirs) = place.tips();
    place.assert_lands("landed on main as ");
    assert_eq!(place.world.read("theirs.txt"), "theirs\n");
    assert_eq!(place.world.git(&["rev-parse", "main^"]), theirs);
    assert_eq!(place.tips().1, theirs);
}

#[test]
fn a_target_that_went_another_way_than_its_remote_stays_unless_that_is_wanted() {
    let place = Place::new("");
    place.moved("theirs.txt");
    place.world.write("ours.txt", "ours\n");
    place.world.commit("ours");
    place.assert_stays("went different ways; `merge_config.require_pull_success: false` lands it all the same");

    let place = Place::new("require_pull_success: false, push_after_merge: true");
    place.moved("theirs.txt");
    place.world.write("ours.txt", "ours\n");
    place.world.commit("ours");
    let (_, theirs) = place.tips();
    // It lands here; what is on the remote is never overwritten, and that is said.
    place.assert_lands("went different ways");
    let ticket = place.shown();
    let events = ticket["events"].as_array().unwrap();
    let landed = events.iter().find(|event| event["kind"] == "merge_succeeded").unwrap();
    let warnings = landed["payload"]["warnings"].to_string();
    assert!(warnings.contains("it could not be pushed") && warnings.contains("rejected"), "{warnings}");
    assert_eq!(place.tips().1, theirs);
}

#[test]
fn a_remote_that_does_not_answer_is_told() {
    let place = Place::new("");
    let away = place.world.folder().join("away.git");
    std::fs::rename(&place.remote, &away).unwrap();
    let before = place.world.git(&["rev-parse", "main"]);
    let landed = place.world.draft(&["merge", "1", "--json"]).exits(1).json();
    let said = landed["ticket"]["reason"].as_str().unwrap();
    assert!(said.contains("could not be brought up to date") && said.contains("remote.git"), "{said}");
    assert_eq!(place.world.git(&["rev-parse", "main"]), before);
    // Once it is back, it lands.
    std::fs::rename(&away, &place.remote).unwrap();
    place.assert_lands("landed on main as ");
}

#[test]
fn what_landed_is_sent_on_where_that_is_wanted() {
    let place = Place::new("push_after_merge: true");
    place.moved("theirs.txt");
    place.world.git(&["tag", "--annotate", "--message", "mine", "mine"]);
    place.world.git(&["config", "push.followTags", "true"]);
    place.assert_lands("landed on main as ");
    let (here, there) = place.tips();
    assert_eq!(here, there);
    let tags = place.world.git(&["-C", place.remote.to_str().unwrap(), "tag"]);
    assert_eq!(tags, "", "nothing but the target is sent");
}

#[test]
fn a_remote_that_has_moved_since_or_refuses_leaves_the_change_landed_here() {
    // Nothing is fetched, so that it is the push that finds out.
    let place = Place::new("pull_before_merge: false, push_after_merge: true");
    place.moved("theirs.txt");
    let (_, theirs) = place.tips();
    place.assert_lands("it could not be pushed");
    assert_eq!(place.tips().1, theirs);

    let place = Place::new("push_after_merge: true");
    let hook = place.remote.join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho 'main is protected' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (_, before) = place.tips();
    place.assert_lands("main is protected");
    assert_eq!(place.tips().1, before);
}
