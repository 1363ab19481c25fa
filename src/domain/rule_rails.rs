//! Laws of what happens without a person, on every walk of commands and facts.

use proptest::prelude::*;

use super::autonomy::{Autonomy, Basis, Examined, Ruling, SERVICE, autonomy_of, may_approve};
use super::board::Board;
use super::change::Save;
use super::checklist::{Checklist, Required, Tests};
use super::event::{Actor, EventKind, NewEvent};
use super::fact::Fact;
use super::id::{TicketId, TicketRef};
use super::outcome::Verified;
use super::revision::RevisionStatus;
use super::rule::What;
use super::rule_properties::each_save;
use super::rule_walk::{Moment, act, walk};
use super::sample_rails::GOAL;
use super::state::{NeedsHuman, State};

/// Returns what somebody found who looked at a change, if that is what was learned.
fn examined<'a>(moment: &'a Moment<'_>) -> Option<&'a Examined> {
    match &moment.input.what {
        What::Fact(Fact::Examined { examined, .. }) => Some(examined),
        What::Fact(Fact::Verified { outcome: Verified::Passed { examined, .. }, .. }) => examined.as_deref(),
        What::Fact(_) | What::Command(_) => None,
    }
}

/// Returns what the goal, or the settings that were looked up, allow for a ticket.
fn allowed(moment: &Moment<'_>, board: &Board, ticket: TicketId) -> Autonomy {
    let policy = examined(moment).and_then(|examined| examined.as_ref().ok()).map(|found| found.policy.clone());
    let ticket = board.find(TicketRef::Id(ticket)).unwrap();
    autonomy_of(board, ticket, &policy.unwrap_or_default())
}

fn is_by_itself(event: &NewEvent) -> bool {
    event.actor == Actor::system(SERVICE)
}

fn action(event: &NewEvent) -> Option<&str> {
    event.payload.get("autonomy_action").and_then(serde_json::Value::as_str)
}

proptest! {
    #[test]
    fn nothing_is_approved_by_itself_without_the_flags_and_the_facts(plan in prop::collection::vec(act(), 1..80)) {
        walk(&plan, |moment| {
            each_save(moment, |board, save| {
                let Save::Review(review) = save else { return };
                if review.author != Actor::system(SERVICE) {
                    return;
                }
                let autonomy = allowed(moment, moment.before, review.ticket);
                assert!(autonomy.enabled && autonomy.auto_approve_revisions && autonomy.has_room().is_ok());
                let found = examined(moment).unwrap().as_ref().unwrap();
                let newest = board.revision(review.ticket).unwrap();
                assert_eq!((found.revision, &found.tree), (newest.number, &newest.tree));
                assert_eq!(newest.status, RevisionStatus::Open);
                assert_eq!(board.open_comments(review.ticket).count(), 0);
                let basis = Basis::of(
                    moment.before, moment.before.ticket(review.ticket).unwrap(), &found.policy, moment.input.at,
                );
                let ruling = may_approve(&basis.unwrap(), examined(moment).unwrap());
                assert!(matches!(ruling, Ruling::Granted { .. }), "{ruling:?}");
            });
        });
    }

    #[test]
    fn the_count_is_what_was_approved_and_never_beyond_the_ceiling(plan in prop::collection::vec(act(), 1..80)) {
        walk(&plan, |moment| {
            let of = |board: &Board| board.goal(GOAL).unwrap().autonomy;
            let (before, after) = (of(moment.before), of(moment.after));
            let mut counted = 0;
            each_save(moment, |board, save| {
                let Save::Event(event) = save else { return };
                let serves = board.ticket(event.ticket).is_some_and(|ticket| ticket.goal == Some(GOAL));
                counted += u32::from(serves && matches!(action(event), Some("approve_revision" | "approve_ticket")));
            });
            assert_eq!(after.auto_approval_count, before.auto_approval_count + counted);
            if counted > 0 {
                assert!(before.max_auto_approvals.is_none_or(|most| after.auto_approval_count <= most));
            }
        });
    }

    #[test]
    fn only_an_approved_change_of_a_willing_goal_lands_by_itself(plan in prop::collection::vec(act(), 1..80)) {
        walk(&plan, |moment| {
            each_save(moment, |board, save| {
                let Save::Event(event) = save else { return };
                if event.kind != EventKind::MergeRequested || !is_by_itself(event) {
                    return;
                }
                let autonomy = allowed(moment, moment.before, event.ticket);
                assert!(autonomy.enabled && autonomy.auto_merge);
                assert_eq!(board.revision(event.ticket).unwrap().status, RevisionStatus::Approved);
                let state = moment.after.ticket(event.ticket).unwrap().state;
                assert_eq!(state, State::NeedsHuman { why: NeedsHuman::Approved }, "done is written by the landing");
                assert!(moment.after.active_job(event.ticket).is_some());
            });
        });
    }

    #[test]
    fn what_waits_for_its_checklist_lands_with_its_required_boxes_ticked(plan in prop::collection::vec(act(), 1..80)) {
        walk(&plan, |moment| {
            let is_wanted = match examined(moment) {
                Some(examined) => examined.as_ref().is_ok_and(|found| found.policy.require_checklist),
                None => matches!(moment.input.known.checklist, Required::Yes(_)),
            };
            each_save(moment, |board, save| {
                let Save::Event(event) = save else { return };
                if event.kind != EventKind::MergeRequested || !is_wanted {
                    return;
                }
                let ticket = board.ticket(event.ticket).unwrap();
                let list = Checklist::of(board, ticket, Tests::Unknown).unwrap();
                assert_eq!(list.open(), [""; 0]);
            });
        });
    }

    #[test]
    fn what_is_done_by_itself_says_what_and_why(plan in prop::collection::vec(act(), 1..80)) {
        walk(&plan, |moment| {
            each_save(moment, |_, save| {
                let Save::Event(event) = save else { return };
                if !is_by_itself(event) {
                    assert_eq!(action(event), None);
                    return;
                }
                match action(event) {
                    Some("approve_revision" | "approve_ticket" | "merge") => {
                        assert!(event.reason.starts_with("Auto-"), "{}", event.reason);
                    }
                    Some("refused") => assert!(event.reason.starts_with("waits for you: "), "{}", event.reason),
                    Some("alert") => {}
                    other => assert_eq!((other, event.kind), (None, EventKind::ReviewSubmitted)),
                }
            });
        });
    }
}

#[test]
fn walks_approve_start_land_and_refuse_by_themselves() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut actions: Vec<String> = Vec::new();
    for _ in 0..200 {
        let plan = prop::collection::vec(act(), 80).new_tree(&mut runner).unwrap().current();
        walk(&plan, |moment| {
            each_save(moment, |_, save| {
                if let Save::Event(event) = save {
                    actions.extend(action(event).map(str::to_owned));
                }
            });
        });
    }
    for wanted in ["approve_revision", "approve_ticket", "merge", "refused"] {
        let count = actions.iter().filter(|action| *action == wanted).count();
        assert!(count > 3, "{wanted}: {count}");
    }
}
