//! The plan for each place where a change can be.

use super::*;
use crate::domain::landing::Intent;
use crate::domain::sample_rails::file;

fn intent() -> Intent {
    Intent { branch: "main".into(), from: "a".repeat(40), to: "b".repeat(40) }
}

fn facts(files: &[Touched], place: Place) -> Facts<'_> {
    Facts {
        number: TicketNumber(7),
        files,
        target: "main",
        strategy: Strategy::Squash,
        place,
        pushed: None,
        merged_as: None,
        taken_back_by: None,
    }
}

fn pushed(again: Again) -> Option<Pushed> {
    Some(Pushed { remote: "origin".into(), branch: "main".into(), again })
}

fn kinds(plan: &Plan) -> Vec<Kind> {
    plan.steps.iter().map(|step| step.kind).collect()
}

#[test]
fn a_small_landed_change_is_taken_back_by_one_command_with_its_commit_named() {
    let files = [file("src/a.rs")];
    let landed = Place::Landed(Traced::There(intent()));
    for (strategy, named) in [
        (Strategy::Squash, "commit bbbbbbbbbbbb on main"),
        (Strategy::Merge, "merge commit bbbbbbbbbbbb on main"),
        (Strategy::Rebase, "commits aaaaaaaaaaaa..bbbbbbbbbbbb on main"),
    ] {
        let plan = plan(&Facts { strategy, ..facts(&files, landed.clone()) });
        assert_eq!(kinds(&plan), [Kind::TakeBack]);
        assert!(plan.steps[0].text.contains(named), "{}", plan.steps[0].text);
        assert_eq!(plan.steps[0].commands, ["draft revert 7"]);
        assert_eq!((plan.risk, plan.because, plan.requires_human), (Risk::Low, Vec::new(), false));
        assert_eq!(plan.minutes, 10);
    }
}

#[test]
fn migrations_caches_and_a_push_are_steps_in_this_order_and_need_a_person() {
    let gone = Touched { is: 0, ..file("migrations/0001_old.sql") };
    let files = [file("migrations/0002_users.sql"), file("web/yarn.lock"), file("src/a.rs"), file("yarn.lock"), gone];
    let landed = Place::Landed(Traced::There(intent()));
    let plan = plan(&Facts { pushed: pushed(Again::Person), ..facts(&files, landed) });
    assert_eq!(kinds(&plan), Kind::ALL);
    let [_, migrations, caches, push] = plan.steps.as_slice() else { panic!("{plan:?}") };
    assert_eq!(migrations.files, ["migrations/0002_users.sql"]);
    assert_eq!(migrations.commands, ["git show bbbbbbbbbbbb:migrations/0002_users.sql"]);
    assert_eq!(caches.files, ["web/yarn.lock", "yarn.lock"]);
    assert_eq!(caches.commands, ["yarn install --frozen-lockfile"]);
    assert_eq!(push.commands, ["git push origin main"]);
    assert_eq!((plan.risk, plan.requires_human, plan.minutes), (Risk::High, true, 31));
    assert_eq!(plan.because, ["1 migration", "2 lock files or cache settings", "origin/main has it"]);
}

#[test]
fn what_did_not_land_says_what_is_to_be_done_once_it_has() {
    let files = [file("src/a.rs"), file("db/migrate/1.rb")];
    let plan = plan(&Facts { pushed: pushed(Again::Landing), ..facts(&files, Place::NotLanded) });
    assert_eq!(kinds(&plan), [Kind::TakeBack, Kind::UndoMigrations, Kind::PushAgain]);
    assert!(plan.steps[0].text.starts_with("nothing of it is on main yet"), "{}", plan.steps[0].text);
    assert_eq!(plan.steps[0].commands, ["draft revert 7"]);
    assert_eq!((&plan.steps[1].commands, &plan.steps[2].commands), (&Vec::new(), &Vec::new()), "no commit has it yet");
    assert_eq!(plan.because, ["1 migration", "origin/main will have it"]);
}

#[test]
fn where_nothing_is_left_nothing_is_to_be_done() {
    let files = [file("migrations/1.sql")];
    for place in [Place::Landed(Traced::Undone(intent())), Place::Landed(Traced::Gone(intent()))] {
        let plan = plan(&Facts { pushed: pushed(Again::Person), ..facts(&files, place) });
        assert_eq!((kinds(&plan).len(), plan.steps[0].commands.len()), (1, 0));
        assert_eq!((plan.risk, plan.minutes, plan.requires_human), (Risk::Low, 0, false));
        assert_eq!(plan.estimated_time(), "no time");
    }
}

#[test]
fn what_others_built_on_is_a_risk_and_names_the_files() {
    let files = [file("src/a.rs")];
    let place = Place::BuiltOn { commit: "b".repeat(40), from: "a".repeat(40), files: vec!["src/a.rs".into()] };
    let plan = plan(&facts(&files, place));
    assert_eq!(plan.steps[0].files, ["src/a.rs"]);
    assert_eq!((plan.risk, plan.requires_human, plan.minutes), (Risk::High, true, 40));
    assert_eq!(plan.because, ["later changes touch 1 of its files"]);
}

#[test]
fn a_ticket_that_takes_it_back_already_is_the_first_step() {
    let files = [file("src/a.rs")];
    let landed = Place::Landed(Traced::There(intent()));
    let plan = plan(&Facts { taken_back_by: Some(TicketNumber(9)), ..facts(&files, landed) });
    assert_eq!(plan.steps[0].commands, ["draft merge 9"]);
}

#[test]
fn what_a_host_or_a_person_merged_is_taken_back_by_git() {
    let files = [file("src/a.rs")];
    let place = Place::Landed(Traced::Nothing);
    let by_hand = plan(&facts(&files, place.clone()));
    assert_eq!(by_hand.steps[0].commands, ["git revert COMMIT"]);
    let commit = "c".repeat(40);
    let by_host = plan(&Facts { merged_as: Some(&commit), ..facts(&files, place) });
    assert_eq!(by_host.steps[0].commands, ["git revert cccccccccccc"]);
    assert!(by_hand.requires_human && by_host.requires_human);
}

#[test]
fn size_alone_makes_a_change_riskier() {
    let of = |count: usize| -> Vec<Touched> { (0..count).map(|n| file(&format!("src/{n}.rs"))).collect() };
    for (count, risk) in [(10, Risk::Low), (11, Risk::Medium), (50, Risk::Medium), (51, Risk::High)] {
        assert_eq!(plan(&facts(&of(count), Place::NotLanded)).risk, risk, "{count} files");
    }
}

#[test]
fn a_name_that_a_shell_would_read_otherwise_is_in_no_command() {
    let files = [file("migrations/0001 $(rm -rf .).sql")];
    let plan = plan(&facts(&files, Place::Landed(Traced::There(intent()))));
    assert_eq!((plan.steps[1].files.len(), plan.steps[1].commands.len()), (1, 0));
}

#[test]
fn a_time_is_said_in_minutes_and_hours() {
    let of = |minutes| Plan { minutes, ..plan(&facts(&[], Place::NotLanded)) }.estimated_time();
    assert_eq!([of(10), of(60), of(125)], ["about 10 minutes", "about 1 hour", "about 2 h 5 min"]);
}
