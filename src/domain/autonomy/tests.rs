//! Laws of the rails: what refuses stays refused, and what is not known never approves.

use proptest::prelude::*;

use super::*;
use crate::domain::gates::Profile;
use crate::domain::policy::Actions;
use crate::domain::sample;
use crate::domain::sample_rails::{checked, dossier, file};
use crate::domain::touched::{Differs, EXECUTABLE, LINK};

const TREE: &str = "1111111111111111111111111111111111111111";

fn basis() -> Basis {
    let autonomy = Autonomy { enabled: true, auto_approve_revisions: true, auto_merge: true, ..Autonomy::default() };
    Basis {
        autonomy,
        revision: sample::revision(1, 1),
        approved_today: 0,
        open_comments: 0,
        message_waits: false,
        money: Money::default(),
        landing_tried: false,
    }
}

fn approves(basis: &Basis, found: Dossier) -> bool {
    matches!(may_approve(basis, &Ok(found)), Ruling::Granted { .. })
}

fn why(basis: &Basis, examined: &Examined) -> String {
    match may_approve(basis, examined) {
        Ruling::Granted { proof, .. } => proof,
        Ruling::Refused(objections) => in_short(&objections),
    }
}

fn some_file() -> impl Strategy<Value = Touched> {
    let name = prop_oneof![
        4 => "[a-z]{1,6}(/[a-z]{1,6}){0,2}\\.(rs|md)",
        1 => prop::sample::select(vec![".env", "a/.env.local", "tls/server.pem", "secrets/x", "draft.yaml"])
            .prop_map(str::to_owned),
    ];
    let modes = prop_oneof![
        6 => Just((0o100_644, 0o100_644)),
        1 => Just((0, 0o100_644)),
        1 => Just((0o100_644, 0)),
        1 => Just((0o100_644, EXECUTABLE)),
        1 => Just((LINK, LINK)),
    ];
    let differs = prop_oneof![
        8 => (0_u32..80, 0_u32..80).prop_map(|(added, removed)| Differs::Lines { added, removed }),
        1 => Just(Differs::Binary),
        1 => Just(Differs::TooLarge),
        1 => Just(Differs::Submodule),
    ];
    (name.clone(), prop::option::weighted(0.2, name), modes, differs)
        .prop_map(|(path, old_path, (was, is), differs)| Touched { path, old_path, was, is, differs })
}

fn some_files() -> impl Strategy<Value = Vec<Touched>> {
    prop::collection::vec(some_file(), 1..12)
}

fn some_profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(Profile::ALL)
}

/// A dossier with those files and nothing else against it.
fn with(files: Vec<Touched>, profile: Profile) -> Dossier {
    Dossier { files, policy: Policy { profile, ..Policy::default() }, ..dossier(1, TREE) }
}

proptest! {
    #[test]
    fn one_more_file_never_turns_a_refusal_into_an_approval(
        files in some_files(), more in some_file(), at in any::<prop::sample::Index>(), profile in some_profile(),
    ) {
        let mut all = files.clone();
        all.insert(at.index(files.len() + 1), more);
        prop_assert!(approves(&basis(), with(files, profile)) || !approves(&basis(), with(all, profile)));
    }

    #[test]
    fn a_sensitive_file_anywhere_in_the_change_refuses(
        files in some_files(),
        folder in "([a-z]{1,6}/){0,3}",
        name in prop::sample::select(vec![".env", ".env.production", "server.key", "cert.pem", "secrets/x", "credentials"]),
        at in any::<prop::sample::Index>(),
        how in 0..4_u8,
        profile in some_profile(),
    ) {
        let name = format!("{folder}{name}");
        let touched = match how {
            0 => file(&name),
            1 => Touched { was: 0, ..file(&name) },
            2 => Touched { is: 0, ..file(&name) },
            _ => Touched { old_path: Some(name.clone()), ..file("src/harmless.rs") },
        };
        let mut all = files.clone();
        all.insert(at.index(files.len() + 1), touched);
        prop_assert!(!approves(&basis(), with(all, profile)));
    }

    #[test]
    fn what_is_missing_never_approves(without in 0..8_u8, profile in some_profile()) {
        let good = with(vec![file("src/a.rs")], profile);
        prop_assert!(approves(&basis(), good.clone()));
        let other = "2".repeat(40);
        let lacking = match without {
            0 => Dossier { checked: Vec::new(), ..good },
            1 => Dossier { commands: Vec::new(), ..good },
            2 => Dossier { checked: vec![Checked { tree: None, ..checked(TREE, true) }], ..good },
            3 => Dossier { checked: vec![checked(&other, true)], ..good },
            4 => Dossier { commands: vec!["make test".into(), "make lint".into()], ..good },
            5 => Dossier { files: Vec::new(), ..good },
            6 => Dossier { tree: other, ..good },
            _ => Dossier { trust: Trust::Missing, ..good },
        };
        prop_assert!(!approves(&basis(), lacking));
        let unread = may_approve(&basis(), &Err("no disk".into()));
        prop_assert!(matches!(unread, Ruling::Refused(_)));
    }

    #[test]
    fn only_the_newest_evidence_of_this_very_tree_counts(
        before in prop::collection::vec((any::<bool>(), any::<bool>()), 0..6), last in any::<bool>(),
    ) {
        let other = "2".repeat(40);
        let mut all: Vec<Checked> =
            before.iter().map(|(here, passed)| checked(if *here { TREE } else { &other }, *passed)).collect();
        all.push(checked(TREE, last));
        all.push(checked(&other, !last));
        prop_assert_eq!(approves(&basis(), Dossier { checked: all, ..dossier(1, TREE) }), last);
    }

    #[test]
    fn lines_that_came_and_went_count_together(added in 0_u32..700, removed in 0_u32..700) {
        let file = Touched { differs: Differs::Lines { added, removed }, ..file("src/a.rs") };
        let found = Dossier { files: vec![file], ..dossier(1, TREE) };
        prop_assert_eq!(approves(&basis(), found), added + removed <= 500);
    }

    #[test]
    fn a_person_approving_ends_pauses_and_no_block(files in some_files(), profile in some_profile()) {
        let examined = Ok(with(files, profile));
        let lands = |by| matches!(may_land(&basis(), &examined, by), Ruling::Granted { .. });
        prop_assert_eq!(lands(ApprovedBy::Draft), matches!(may_approve(&basis(), &examined), Ruling::Granted { .. }));
        prop_assert!(lands(ApprovedBy::Person) || !lands(ApprovedBy::Draft));
        if let Ruling::Refused(objections) = may_land(&basis(), &examined, ApprovedBy::Person) {
            prop_assert!(objections.iter().any(|one| one.action == Action::Block));
        }
    }
}

#[test]
fn every_refusal_says_why() {
    let good = || dossier(1, TREE);
    let of = |file: Touched| why(&basis(), &Ok(Dossier { files: vec![file], ..good() }));
    assert_eq!(why(&basis(), &Ok(good())), "its check passed; +3 −1 in 1 file");
    assert_eq!(of(file(".env")), "touches `.env`");
    assert_eq!(of(file("src/token.rs")), "touches `src/token.rs` (`token` in its name)");
    assert_eq!(of(Touched { is: EXECUTABLE, ..file("run.sh") }), "`run.sh` becomes executable");
    assert_eq!(of(Touched { is: LINK, was: 0, ..file("there") }), "`there` is a symbolic link");
    assert_eq!(of(Touched { differs: Differs::Submodule, ..file("lib") }), "`lib` is a submodule");
    let failed = Dossier { checked: vec![checked(TREE, false)], ..good() };
    assert_eq!(why(&basis(), &Ok(failed)), "`make test` failed on this change");
    assert_eq!(why(&basis(), &Err("no disk".into())), "its change could not be looked at: no disk");
    let full = Autonomy { max_auto_approvals: Some(2), auto_approval_count: 2, ..basis().autonomy };
    assert_eq!(why(&Basis { autonomy: full, ..basis() }, &Ok(good())), "2 of 2 automatic approvals are used");
    let both = Basis { autonomy: full, open_comments: 1, ..basis() };
    assert_eq!(why(&both, &Ok(good())), "1 comment is not resolved, and 1 more reason");
    let busy = Basis { approved_today: 50, ..basis() };
    assert!(why(&busy, &Ok(good())).starts_with("50 of 50 automatic approvals of this board within a day"));
    let spent = |spent, is_unknown| Basis { money: Money { budget: Some(1_000_000), spent, is_unknown }, ..basis() };
    assert_eq!(why(&spent(800_000, false), &Ok(good())), "$0.80 of the goal's budget of $1.00 are spent");
    assert!(why(&spent(0, true), &Ok(good())).contains("do not say what they cost"));
    assert!(matches!(may_approve(&spent(700_000, false), &Ok(good())), Ruling::Granted { .. }));
}

#[test]
fn a_spent_budget_blocks_whoever_approved_and_in_every_profile() {
    let money = Money { budget: Some(1_000_000), spent: 1_000_000, is_unknown: false };
    for profile in Profile::ALL {
        let examined = Ok(with(vec![file("src/a.rs")], *profile));
        let ruling = may_land(&Basis { money, ..basis() }, &examined, ApprovedBy::Person);
        assert!(matches!(ruling, Ruling::Refused(_)), "{profile}");
    }
}

#[test]
fn the_reckless_profile_tells_what_the_others_hold_up() {
    let files: Vec<Touched> = (0..60).map(|n| file(&format!("src/token{n}.rs"))).collect();
    assert!(!approves(&basis(), with(files.clone(), Profile::Default)));
    let Ruling::Granted { alerts, .. } = may_approve(&basis(), &Ok(with(files, Profile::Yolo))) else {
        panic!("only checks and a spent budget hold something up");
    };
    assert_eq!(alerts.len(), 61);
}

#[test]
fn a_reason_says_once_why_it_waits() {
    let objection = |why: &str| vec![Objection::new(Rail::Ceiling, Action::Pause, why)];
    let first = with_wait("all 2 checks passed", &objection("touches `.env`"));
    assert_eq!(first, "all 2 checks passed; waits for you: touches `.env`");
    assert_eq!(with_wait(&first, &objection("2 of 2 are used")), "all 2 checks passed; waits for you: 2 of 2 are used");
    assert_eq!(with_wait("", &objection("x")), "waits for you: x");
}

#[test]
fn what_nobody_names_stays_as_it_is() {
    let on = Autonomy { max_auto_approvals: Some(3), auto_approval_count: 2, ..basis().autonomy };
    assert_eq!(on.edited(AutonomyEdit::default()), on);
    let edit = AutonomyEdit { auto_merge: Some(false), ..AutonomyEdit::default() };
    assert_eq!(on.edited(edit), Autonomy { auto_merge: false, ..on });
    let edit = AutonomyEdit { max_auto_approvals: Some(Ceiling::Unlimited), ..AutonomyEdit::default() };
    assert_eq!(on.edited(edit), Autonomy { max_auto_approvals: None, ..on });
    let written = serde_json::to_string(&edit).unwrap();
    assert_eq!(serde_json::from_str::<AutonomyEdit>(&written).unwrap(), edit);
}

/// Returns what speaks against a change: the gate, what follows and why, the weightiest first; alerts too.
fn objections(basis: &Basis, found: Dossier) -> Vec<(Rail, Action)> {
    let all = match may_approve(basis, &Ok(found)) {
        Ruling::Granted { alerts, .. } => alerts,
        Ruling::Refused(objections) => objections,
    };
    all.into_iter().map(|one| (one.gate, one.action)).collect()
}

#[test]
fn a_gate_of_ones_own_counts_only_with_its_newest_run_on_this_very_tree() {
    let gate = |tree: &str, passed| Checked { command: "audit".into(), tree: Some(tree.into()), passed };
    let of = |more: Vec<Checked>, custom| {
        let mut found = dossier(1, TREE);
        found.gates = vec!["audit".into()];
        found.checked.extend(more);
        found.policy.actions.custom = custom;
        objections(&basis(), found)
    };
    assert_eq!(of(vec![gate(TREE, false), gate(TREE, true)], None), []);
    for lacking in [Vec::new(), vec![gate(TREE, true), gate(TREE, false)], vec![gate(&"2".repeat(40), true)]] {
        assert_eq!(of(lacking.clone(), None), [(Rail::Custom, Action::Block)]);
        for action in Action::ALL {
            assert_eq!(of(lacking.clone(), Some(*action)), [(Rail::Custom, *action)]);
        }
    }
    let mut found = dossier(1, TREE);
    found.gates = vec!["audit".into()];
    assert_eq!(why(&basis(), &Ok(found)), "the gate `audit` did not run on this change");
}

#[test]
fn what_follows_at_a_gate_is_what_somebody_wants_but_where_the_gates_themselves_are_at_stake() {
    let large = |lines| {
        let differs = Differs::Lines { added: lines, removed: 0 };
        vec![Touched { differs, ..file("src/a.rs") }]
    };
    let near = Money { budget: Some(100), spent: 90, is_unknown: false };
    for profile in Profile::ALL {
        for action in Action::ALL {
            let wanted = Some(*action);
            let actions = Actions { tests: wanted, size: wanted, names: wanted, budget: wanted, custom: wanted };
            let policy = Policy { profile: *profile, actions, ..Policy::default() };
            let of = |files: Vec<Touched>, checked: Vec<Checked>, money: Money| {
                let basis = Basis { money, ..basis() };
                objections(&basis, Dossier { files, checked, policy: policy.clone(), ..dossier(1, TREE) })
            };
            let passed = || vec![checked(TREE, true)];
            let none = Money::default();
            assert_eq!(of(large(1), Vec::new(), none), [(Rail::TestsPassed, *action)]);
            assert!(of(large(2000), passed(), none).iter().all(|one| *one == (Rail::DiffSize, *action)));
            assert_eq!(of(vec![file(".env")], passed(), none), [(Rail::SensitiveFiles, *action)]);
            assert_eq!(of(vec![file("src/token.rs")], passed(), none), [(Rail::SensitiveFiles, *action)]);
            assert_eq!(of(large(1), passed(), near), [(Rail::CostBudget, *action)]);
            let spent = Money { spent: 100, ..near };
            assert_eq!(of(large(1), passed(), spent), [(Rail::CostBudget, Action::Block)]);
            assert_eq!(of(vec![file("draft.yaml")], passed(), none), [(Rail::SensitiveFiles, Action::Block)]);
        }
    }
}
