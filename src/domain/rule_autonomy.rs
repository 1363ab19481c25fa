//! What happens without a person: tickets of the planner start, changes are approved, approved ones land. Each is decided
//! in the one transaction with what led to it, so that a crash neither doubles nor loses one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::autonomy::{
    ApprovedBy, Basis, Examined, Objection, Ruling, SERVICE, is_due, may_approve, may_land, with_wait,
};
use super::change::Save;
use super::command::Refused;
use super::event::{Actor, ActorKind, EventKind};
use super::goal::Goal;
use super::id::{GoalId, TicketId};
use super::job::{Job, JobStatus};
use super::policy::Policy;
use super::review::{Review, Verdict};
use super::revision::{Revision, RevisionStatus};
use super::rule::Decision;
use super::rule_end::{close, finish};
use super::rule_land::queue;
use super::state::{NeedsHuman, State};
use super::ticket::{Ticket, Usage};

const REVIEW: State = State::NeedsHuman { why: NeedsHuman::Review };
const APPROVED: State = State::NeedsHuman { why: NeedsHuman::Approved };

/// The settings by which something was looked at. Whoever could not look did so because it was wanted.
fn policy(examined: &Examined) -> Policy {
    examined.as_ref().map_or_else(|_| Policy { without_goal: true, ..Policy::default() }, |found| found.policy.clone())
}

/// Ends a verify job whose checks passed: the change is approved by itself, or waits for a person and says why.
pub(super) fn passed(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    said: &str,
    examined: &Examined,
) -> Result<(), Refused> {
    let policy = policy(examined);
    let basis = Basis::of(decision.board, &ticket, &policy, decision.input.at)
        .filter(|basis| basis.autonomy.enabled && basis.autonomy.auto_approve_revisions);
    let Some(basis) = basis else {
        return finish(decision, job, ticket, JobStatus::Succeeded, Usage::default(), REVIEW, said);
    };
    match may_approve(&basis, examined) {
        Ruling::Refused(objections) => {
            refuse(decision, &ticket, "approve_revision", &objections);
            let reason = with_wait(said, &objections);
            finish(decision, job, ticket, JobStatus::Succeeded, Usage::default(), REVIEW, &reason)
        }
        Ruling::Granted { proof, alerts } => {
            let ticket = close(decision, job, ticket, JobStatus::Succeeded, Usage::default(), said);
            let reason = approved_because(&basis.revision, &proof);
            let payload = approval(&basis, &proof, &alerts);
            decision.by_itself(|decision| {
                decision.transition(ticket.clone(), APPROVED, &reason, payload)?;
                let ticket = Ticket { state: APPROVED, reason, ..ticket };
                approve(decision, &ticket, &basis, &proof, &alerts);
                land_on(decision, &ticket, &basis, examined);
                Ok(())
            })
        }
    }
}

/// Takes in what was found of a change that waits for a person. What does not fit any more changes nothing, and a refusal
/// that the ticket tells already is not told again.
pub(super) fn examined(decision: &mut Decision<'_>, id: TicketId, examined: &Examined) -> Result<(), Refused> {
    let board = decision.board;
    let policy = policy(examined);
    let Some(ticket) = board.ticket(id).filter(|ticket| is_due(board, ticket, &policy)) else { return Ok(()) };
    let Some(basis) = Basis::of(board, ticket, &policy, decision.input.at) else { return Ok(()) };
    match (ticket.state, basis.revision.status) {
        (REVIEW, RevisionStatus::Open) => match may_approve(&basis, examined) {
            Ruling::Refused(objections) => wait(decision, ticket, "approve_revision", &objections),
            Ruling::Granted { proof, alerts } => decision.by_itself(|decision| {
                let reason = approved_because(&basis.revision, &proof);
                decision.note(ticket, EventKind::Comment, &reason, approval(&basis, &proof, &alerts));
                approve(decision, ticket, &basis, &proof, &alerts);
                decision.restate(ticket, APPROVED, &reason);
                land_on(decision, ticket, &basis, examined);
            }),
        },
        (APPROVED, RevisionStatus::Approved) if !basis.landing_tried => {
            let is_ours = board.is_auto_approved(ticket.id, basis.revision.number);
            let by = if is_ours { ApprovedBy::Draft } else { ApprovedBy::Person };
            match may_land(&basis, examined, by) {
                Ruling::Refused(objections) => wait(decision, ticket, "merge", &objections),
                Ruling::Granted { proof, alerts } => decision.by_itself(|decision| {
                    tell_alerts(decision, ticket, &alerts);
                    land(decision, ticket, &basis.revision, &proof);
                }),
            }
        }
        _ => {}
    }
    Ok(())
}

fn approved_because(revision: &Revision, proof: &str) -> String {
    format!("Auto-approved revision {}: {proof}", revision.number)
}

fn approval(basis: &Basis, proof: &str, alerts: &[Objection]) -> Value {
    let autonomy = basis.autonomy;
    json!({
        "autonomy_action": "approve_revision", "revision": basis.revision.number, "tree": basis.revision.tree,
        "proof": proof, "alerts": alerts, "auto_approval_count": autonomy.auto_approval_count.saturating_add(1),
        "max_auto_approvals": autonomy.max_auto_approvals,
    })
}

/// Writes down that Draft approved a revision, and counts it.
fn approve(decision: &mut Decision<'_>, ticket: &Ticket, basis: &Basis, proof: &str, alerts: &[Objection]) {
    let number = basis.revision.number;
    decision.save(Save::Review(Review {
        ticket: ticket.id,
        revision: number,
        verdict: Verdict::Approve,
        summary: proof.to_owned(),
        author: Actor::system(SERVICE),
        at: decision.input.at,
    }));
    let payload = json!({ "revision": number, "decision": Verdict::Approve, "summary": proof });
    decision.note(ticket, EventKind::ReviewSubmitted, proof, payload);
    tell_alerts(decision, ticket, alerts);
    decision.save(Save::Revision(Revision { status: RevisionStatus::Approved, ..basis.revision.clone() }));
    if let Some(goal) = decision.board.goal_of(ticket) {
        decision.save(Save::Goal(counted(goal.clone())));
    }
}

/// Returns a goal with one more automatic approval. That is no edit of it.
fn counted(mut goal: Goal) -> Goal {
    goal.autonomy.auto_approval_count = goal.autonomy.auto_approval_count.saturating_add(1);
    goal
}

fn tell_alerts(decision: &mut Decision<'_>, ticket: &Ticket, alerts: &[Objection]) {
    for alert in alerts {
        let payload = json!({ "autonomy_action": "alert", "gate": alert.gate });
        decision.note(ticket, EventKind::Comment, &format!("worth a look: {alert}"), payload);
    }
}

/// Lets a change land that was approved right now, where that is wanted.
fn land_on(decision: &mut Decision<'_>, ticket: &Ticket, basis: &Basis, examined: &Examined) {
    let before = Basis { landing_tried: false, ..basis.clone() };
    if let Ruling::Granted { proof, .. } = may_land(&before, examined, ApprovedBy::Draft) {
        land(decision, ticket, &basis.revision, &proof);
    }
}

fn land(decision: &mut Decision<'_>, ticket: &Ticket, revision: &Revision, proof: &str) {
    let reason = format!("Auto-merge of revision {}: {proof}", revision.number);
    queue(decision, ticket, revision, None, (&reason, json!({ "autonomy_action": "merge" })));
}

/// Says once why a ticket waits for a person.
fn wait(decision: &mut Decision<'_>, ticket: &Ticket, what: &str, objections: &[Objection]) {
    let reason = with_wait(&ticket.reason, objections);
    if reason != ticket.reason {
        refuse(decision, ticket, what, objections);
        decision.restate(ticket, ticket.state, &reason);
    }
}

fn refuse(decision: &mut Decision<'_>, ticket: &Ticket, what: &str, objections: &[Objection]) {
    let payload = json!({ "autonomy_action": "refused", "refused": what, "objections": objections });
    let reason = with_wait("", objections);
    decision.by_itself(|decision| decision.note(ticket, EventKind::Comment, &reason, payload));
}

/// The goals whose tickets started by themselves in one decision, with their counts.
#[derive(Default)]
pub(super) struct Started {
    goals: BTreeMap<GoalId, Goal>,
}

impl Started {
    /// Moves a new ticket of the planner on, where its goal allows that and has room.
    pub(super) fn start(&mut self, decision: &mut Decision<'_>, ticket: Ticket) -> Result<(), Refused> {
        let is_proposed = ticket.state == State::Proposed && decision.input.actor.kind == ActorKind::Planner;
        let Some(goal) = decision.board.goal_of(&ticket).filter(|_| is_proposed) else { return Ok(()) };
        let goal = self.goals.get(&goal.id).unwrap_or(goal).clone();
        if !goal.autonomy.starts_tickets() {
            if let (true, Err(objection)) =
                (goal.autonomy.enabled && goal.autonomy.auto_approve_tickets, goal.autonomy.has_room())
            {
                refuse(decision, &ticket, "approve_ticket", &[objection]);
            }
            return Ok(());
        }
        let payload = json!({ "autonomy_action": "approve_ticket", "goal": goal.id });
        self.goals.insert(goal.id, counted(goal));
        let reason = "Auto-approved: its goal lets the planner's tickets start";
        decision.by_itself(|decision| decision.transition(ticket, State::Planned, reason, payload))
    }

    /// Stores the counts.
    pub(super) fn count(self, decision: &mut Decision<'_>) {
        self.goals.into_values().for_each(|goal| decision.save(Save::Goal(goal)));
    }
}
