//! What the rules make of pull requests, without any host.

use super::*;
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::fact::Fact;
use crate::domain::rule::{What, decide};
use crate::domain::rule_walk::apply;
use crate::domain::sample;

/// A board with a ticket whose approved revision is on an open pull request.
fn offered() -> Board {
    let mut board = sample::board_of(&[State::NeedsHuman { why: NeedsHuman::Approved }]);
    board.apply(&Change::Revision(Revision { status: RevisionStatus::Approved, ..sample::revision(1, 1) }));
    let ticket = board.ticket(sample::id(1)).unwrap().clone();
    board.apply(&Change::Ticket(Ticket { pull_request: Some(Box::new(sample::pull_request(12))), ..ticket }));
    board
}

fn ask(board: &Board, errand: Errand) -> Result<(), RefusalCode> {
    let command = Command::PullRequest { ticket: TicketRef::Id(sample::id(1)), errand };
    decide(board, &sample::input(What::Command(command))).map(drop).map_err(|refused| refused.code)
}

fn open() -> Errand {
    Errand::Open { title: None, body: None, base: None, draft: false }
}

fn learn(board: &mut Board, fact: Fact) -> Ticket {
    let steps = decide(board, &sample::input(What::Fact(fact))).unwrap();
    steps.saves.iter().for_each(|save| apply(board, save));
    board.ticket(sample::id(1)).unwrap().clone()
}

fn said(seen: Seen) -> Fact {
    Fact::HostSeen { ticket: sample::id(1), began: Timestamp(500), seen: Box::new(seen), remarks: Vec::new() }
}

fn in_state(state: PullState) -> Seen {
    Seen { state, ..sample::pull_request(12).seen }
}

#[test]
fn one_is_opened_for_a_change_that_waits_and_that_has_none_that_is_open() {
    let mut board = sample::board_of(&[State::NeedsHuman { why: NeedsHuman::Review }]);
    assert_eq!(ask(&board, open()), Err(RefusalCode::NotApproved), "nothing changed yet");
    assert_eq!(ask(&board, Errand::Push), Err(RefusalCode::NotApproved));
    board.apply(&Change::Revision(sample::revision(1, 1)));
    assert_eq!(ask(&board, open()), Ok(()), "it can be read there before it is approved here");
    assert_eq!(ask(&board, Errand::Push), Err(RefusalCode::NoPullRequest));
    assert_eq!(ask(&offered(), open()), Err(RefusalCode::HasPullRequest));
    let long = Errand::Open { title: Some("x".repeat(256)), body: None, base: None, draft: false };
    assert_eq!(ask(&board, long), Err(RefusalCode::BadValue));
    let flag = Errand::Open { title: None, body: None, base: Some("--force".into()), draft: false };
    assert_eq!(ask(&board, flag), Err(RefusalCode::BadValue));
}

#[test]
fn only_the_approved_revision_is_merged_and_only_if_nobody_pushed_over_it() {
    let merge = || Errand::Merge { strategy: None };
    let board = offered();
    assert_eq!(ask(&board, merge()), Ok(()));
    let with = |change: Change| {
        let mut board = board.clone();
        board.apply(&change);
        ask(&board, merge())
    };
    assert_eq!(with(Change::Revision(sample::revision(1, 1))), Err(RefusalCode::NotApproved));
    let newer = Revision { head: "5".repeat(40), status: RevisionStatus::Approved, ..sample::revision(1, 2) };
    assert_eq!(with(Change::Revision(newer)), Err(RefusalCode::NotApproved), "the newer one is not there");
    let mut pushed = board.ticket(sample::id(1)).unwrap().clone();
    pushed.pull_request.as_mut().unwrap().seen.head = "6".repeat(40);
    assert_eq!(with(Change::Ticket(pushed)), Err(RefusalCode::NotApproved));
}

#[test]
fn what_is_open_on_a_host_does_not_land_here_too() {
    let land = |board: &Board| {
        let command = Command::Land { ticket: TicketRef::Id(sample::id(1)), strategy: None };
        decide(board, &sample::input(What::Command(command))).map(drop).map_err(|refused| refused.code)
    };
    let mut board = offered();
    assert_eq!(land(&board), Err(RefusalCode::HasPullRequest));
    learn(&mut board, said(in_state(PullState::Closed)));
    assert_eq!(land(&board), Ok(()));
}

#[test]
fn a_ticket_is_done_when_the_host_says_merged_and_at_nothing_less() {
    let mut board = offered();
    let checks = super::super::pull_request::HostChecks { passed: 3, failed: 0, pending: 0 };
    let approved = Some(super::super::pull_request::ReviewDecision::Approved);
    let ticket = learn(&mut board, said(Seen { checks, review: approved, ..in_state(PullState::Open) }));
    assert_eq!(ticket.state, State::NeedsHuman { why: NeedsHuman::Approved });
    let merged = Seen { merge_commit: Some("7".repeat(40)), ..in_state(PullState::Merged) };
    let ticket = learn(
        &mut board,
        Fact::HostSeen { ticket: sample::id(1), began: Timestamp(1000), seen: Box::new(merged), remarks: Vec::new() },
    );
    assert_eq!((ticket.state, ticket.reason.as_str()), (State::Done, "merged as #12 on github.com"));
}

#[test]
fn a_merge_of_an_earlier_revision_leaves_the_newest_to_its_person() {
    let mut board = offered();
    board.apply(&Change::Revision(Revision { head: "5".repeat(40), ..sample::revision(1, 2) }));
    let ticket = learn(&mut board, said(in_state(PullState::Merged)));
    assert_eq!(ticket.state, State::NeedsHuman { why: NeedsHuman::Landing });
    assert!(ticket.reason.contains("with revision 1; revision 2 is not part of it"), "{}", ticket.reason);
    assert!(!is_watched(&board, &ticket), "nothing more is to be learned");
}

#[test]
fn a_merge_while_a_job_runs_is_kept_and_leads_on_when_the_job_is_over() {
    let mut board = offered();
    let job = sample::job(1, JobKind::Resume, 1);
    board.apply(&Change::Job(job.clone()));
    let ticket = learn(&mut board, said(in_state(PullState::Merged)));
    assert!(matches!(ticket.state, State::NeedsHuman { .. }) && !is_watched(&board, &ticket));
    board.apply(&Change::Job(Job { status: JobStatus::Succeeded, ..job }));
    assert!(is_watched(&board, &ticket));
    let again = Fact::HostSeen {
        ticket: sample::id(1),
        began: Timestamp(1000),
        seen: Box::new(in_state(PullState::Merged)),
        remarks: Vec::new(),
    };
    assert_eq!(learn(&mut board, again).state, State::Done);
}

#[test]
fn a_host_that_does_not_answer_and_one_that_answers_late_change_nothing() {
    let mut board = offered();
    let before = board.ticket(sample::id(1)).unwrap().clone();
    let ticket = learn(&mut board, Fact::HostUnseen { ticket: sample::id(1), reason: "no network".into() });
    let pull = ticket.pull_request.as_deref().unwrap();
    assert_eq!((pull.error.as_deref(), pull.looked_at), (Some("no network"), Timestamp(0)));
    assert_eq!((ticket.state, &ticket.reason, pull.seen.state), (before.state, &before.reason, PullState::Open));
    // Seen now, and then comes what was asked before.
    learn(&mut board, said(in_state(PullState::Open)));
    let ticket = learn(&mut board, said(in_state(PullState::Merged)));
    assert_eq!(ticket.state, before.state);
}
