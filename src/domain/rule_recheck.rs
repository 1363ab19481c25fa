//! What asking for a check on the result of a landing leads to, and what comes of it: the ticket stays where it is, whatever the
//! checks say. A landing that is asked for meanwhile takes the job over.

use serde_json::json;

use super::board::Board;
use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::id::TicketRef;
use super::job::{Job, JobKind, JobStatus};
use super::landing::Landing;
use super::revision::RevisionStatus;
use super::rule::{Decision, Trust, about_job};
use super::rule_again::tell_what_waited;
use super::rule_commands::busy;
use super::rule_end::close;
use super::rule_land;
use super::rule_pull::not_on_a_host;
use super::state::{NeedsHuman, State, words};
use super::ticket::{Ticket, Usage};

words! {
    /// Which changes that wait are checked again when their target moves.
    Recheck, "kind of change that is checked again" {
        /// None.
        Off = "off",
        /// Those that are approved.
        Approved = "approved",
        /// All of them.
        All = "all",
    }
}

/// Says whether the result of a ticket's landing may be checked ahead. One that was tried to be landed waits for its person.
pub fn may_be_rechecked(board: &Board, ticket: &Ticket, setting: Recheck) -> bool {
    let Some(status) = board.revision(ticket.id).map(|revision| revision.status) else { return false };
    let is_meant = match (ticket.state, status) {
        (State::NeedsHuman { why: NeedsHuman::Approved }, RevisionStatus::Approved) => setting != Recheck::Off,
        (State::NeedsHuman { why: NeedsHuman::Review }, RevisionStatus::Open) => setting == Recheck::All,
        (
            State::Proposed
            | State::Planned
            | State::Executing { .. }
            | State::Verifying { .. }
            | State::NeedsHuman { .. }
            | State::Blocked { .. }
            | State::Done
            | State::Abandoned,
            _,
        ) => false,
    };
    let newest = board.newest_job(ticket.id);
    is_meant
        && board.active_job(ticket.id).is_none()
        && newest.is_none_or(|job| !job.lands())
        && not_on_a_host(ticket).is_ok()
}

/// Asks for what would be on the target to be checked.
pub(super) fn recheck(decision: &mut Decision<'_>, name: TicketRef) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    if !may_be_rechecked(decision.board, ticket, Recheck::All) {
        let message = format!("{} has no change that waits to be landed", ticket.number);
        return Err(Refused::new(RefusalCode::NotApproved, message, "Only a change that waits is checked ahead."));
    }
    if decision.input.known.checks == Trust::Missing {
        return Err(Refused::not_trusted());
    }
    let job = Job { recheck: true, ..decision.new_job(ticket.id, JobKind::Land) };
    decision.note(ticket, EventKind::JobQueued, "", json!({ "job_id": job.id, "recheck": true }));
    decision.save(Save::Job { job, was: None });
    Ok(())
}

/// Takes in what came of one. Nobody has to act on it, so its ticket is as it was.
pub(super) fn rechecked(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    outcome: &Landing,
) -> Result<(), Refused> {
    let mut payload = about_job(job.id);
    payload["recheck"] = json!(true);
    let (status, reason) = match outcome {
        Landing::Green { branch } => (JobStatus::Succeeded, format!("its checks passed on the result with {branch}")),
        Landing::Already { branch } => (JobStatus::Succeeded, format!("{branch} has its change already")),
        Landing::Red { command, end, beside } => {
            payload["command"] = json!(command);
            payload["beside"] = json!(beside);
            (JobStatus::Failed, rule_land::red(command, end, beside))
        }
        Landing::Conflict { branch, files } => {
            payload["files"] = json!(files);
            (JobStatus::Failed, rule_land::conflict(branch, files))
        }
        Landing::Refused { reason } => {
            (JobStatus::Failed, format!("the result of its landing was not checked: {reason}"))
        }
        // It was to be landed when its target moved.
        Landing::Landed { .. } => return rule_land::landed(decision, Job { recheck: false, ..job }, ticket, outcome),
    };
    if status == JobStatus::Failed {
        decision.note(&ticket, EventKind::Comment, &reason, payload);
    }
    let same = close(decision, job, ticket, status, Usage::default(), &reason);
    tell_what_waited(decision, &same);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::{Change, Steps};
    use crate::domain::command::Command;
    use crate::domain::event::Actor;
    use crate::domain::fact::Fact;
    use crate::domain::id::JobId;
    use crate::domain::rule::{Input, Known, What, decide};
    use crate::domain::run::RunEnd;
    use crate::domain::sample;
    use crate::domain::time::Timestamp;

    fn board(why: NeedsHuman, status: RevisionStatus) -> Board {
        let mut board = sample::board();
        board.apply(&Change::Ticket(Ticket { state: State::NeedsHuman { why }, ..sample::ticket(1) }));
        board.apply(&Change::Revision(crate::domain::revision::Revision { status, ..sample::revision(1, 1) }));
        board
    }

    fn approved() -> Board {
        board(NeedsHuman::Approved, RevisionStatus::Approved)
    }

    fn apply(board: &mut Board, what: What) -> Result<Steps, Refused> {
        let known = Known::only(Trust::Given);
        let fresh = JobId(uuid::Uuid::from_u128(77));
        let actor = Actor::system("test");
        let steps = decide(board, &Input { at: Timestamp(9), actor, fresh, known, what })?;
        steps.saves.iter().for_each(|save| board.foresee(save));
        Ok(steps)
    }

    fn ask(board: &mut Board, command: Command) -> Result<Steps, Refused> {
        apply(board, What::Command(command))
    }

    fn begin(board: &mut Board) -> JobId {
        ask(board, Command::Recheck { ticket: TicketRef::Id(sample::id(1)) }).unwrap();
        let job = board.active_job(sample::id(1)).unwrap().id;
        apply(board, What::Fact(Fact::Taken { job })).unwrap();
        job
    }

    fn red() -> Landing {
        let beside = vec!["3333333 Make a".to_owned()];
        Landing::Red { command: "make".into(), end: RunEnd::Exited { code: 1 }, beside }
    }

    #[test]
    fn what_waits_is_checked_again_as_the_settings_say() {
        let may = |board: &Board, setting| may_be_rechecked(board, board.ticket(sample::id(1)).unwrap(), setting);
        let review = board(NeedsHuman::Review, RevisionStatus::Open);
        let told = |board: &Board| Recheck::ALL.iter().map(|setting| may(board, *setting)).collect::<Vec<_>>();
        assert_eq!(told(&approved()), [false, true, true]);
        assert_eq!(told(&review), [false, false, true]);
        assert_eq!(told(&board(NeedsHuman::Landing, RevisionStatus::Approved)), [false; 3], "a person was told");
    }

    #[test]
    fn whatever_comes_of_it_its_ticket_is_as_it_was() {
        for outcome in [red(), Landing::Green { branch: "main".into() }, Landing::Refused { reason: "no".into() }] {
            let mut board = approved();
            let before = board.ticket(sample::id(1)).unwrap().clone();
            let job = begin(&mut board);
            let steps = apply(&mut board, What::Fact(Fact::Landed { job, outcome: outcome.clone() })).unwrap();
            assert_eq!(board.ticket(sample::id(1)), Some(&before), "{outcome:?}");
            assert_eq!(board.active_job(sample::id(1)), None);
            let said =
                steps.saves.iter().any(|save| matches!(save, Save::Event(event) if event.reason.contains("Make a")));
            assert_eq!(said, outcome == red(), "it names what it fails together with");
        }
    }

    #[test]
    fn a_landing_takes_the_job_over_and_its_end_is_that_of_a_landing() {
        let mut board = approved();
        let job = begin(&mut board);
        ask(&mut board, Command::Land { ticket: TicketRef::Id(sample::id(1)), strategy: None }).unwrap();
        assert!(board.job(job).unwrap().lands());
        let green = Fact::Landed { job, outcome: Landing::Green { branch: "main".into() } };
        let refused = apply(&mut board, What::Fact(green)).unwrap_err();
        assert_eq!(refused.code, RefusalCode::Idle, "it has to go on");
        apply(&mut board, What::Fact(Fact::Landed { job, outcome: red() })).unwrap();
        let state = board.ticket(sample::id(1)).unwrap().state;
        assert_eq!(state, State::NeedsHuman { why: NeedsHuman::Landing });
    }
}
