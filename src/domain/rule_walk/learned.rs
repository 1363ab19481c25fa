//! What is learned on a walk about a job: that it was taken, that it goes on, how it ended.

use proptest::prelude::*;

use crate::domain::board::Board;
use crate::domain::fact::Fact;
use crate::domain::job::{Job, JobKind};
use crate::domain::landing::{Intent, Landing};
use crate::domain::outcome::{Executed, Resumed, Verified};
use crate::domain::outlook::ConflictFile;
use crate::domain::pull_request::{Dealt, Errand, Provider, PullState, Seen};
use crate::domain::revision::Revision;
use crate::domain::run::RunEnd;
use crate::domain::ticket::{Usage, Worktree};
use crate::domain::{sample, sample_rails};

/// What is learned about a ticket's newest job.
#[derive(Clone, Copy, Debug)]
pub(super) enum Learned {
    Taken,
    Counted,
    Held,
    Again,
    PassedOver,
    Worktree,
    Agent,
    Session,
    Intent,
    Ended(u8),
    Stopped,
    Lost,
    Broke,
}

/// Returns what may be learned, ends above all, so that walks get far.
pub(super) fn learned() -> impl Strategy<Value = Learned> {
    prop_oneof![
        1 => Just(Learned::Taken),
        1 => Just(Learned::Counted),
        2 => Just(Learned::Worktree),
        1 => Just(Learned::Held),
        1 => Just(Learned::Again),
        1 => Just(Learned::PassedOver),
        1 => Just(Learned::Agent),
        1 => Just(Learned::Session),
        1 => Just(Learned::Intent),
        8 => any::<u8>().prop_map(Learned::Ended),
        1 => Just(Learned::Stopped),
        1 => Just(Learned::Lost),
        1 => Just(Learned::Broke),
    ]
}

/// Returns what is learned about a job.
pub(super) fn fact(board: &Board, newest: &Job, learned: Learned) -> Fact {
    let job = newest.id;
    let reason = "a reason".to_owned();
    match learned {
        Learned::Taken => Fact::Taken { job },
        Learned::Counted => Fact::Counted { job, checks: 2 },
        Learned::Held => Fact::Held { job, reason },
        Learned::Again => Fact::TryAgain { job, attempt: newest.attempt + 1, reason, usage: Usage::default() },
        Learned::PassedOver => Fact::PassedOver { ticket: newest.ticket, reason },
        Learned::Worktree => Fact::WorktreeMade { job, worktree: worktree() },
        Learned::Agent => Fact::AgentChosen { job, agent: "demo".into(), model: None, session: None },
        Learned::Intent => {
            let intent = moved("main".to_owned());
            Fact::Intends { job, intent }
        }
        Learned::Session => Fact::SessionTold { job, session: "s".into() },
        Learned::Ended(how) => ended(board, newest, how),
        Learned::Stopped => Fact::Stopped { job, used: None },
        Learned::Lost => Fact::Lost { job, reason, used: Some(Usage::default()) },
        Learned::Broke => Fact::Broke { job, reason, used: None },
    }
}

/// Returns an end of a landing, half of them good.
fn landing(how: u8) -> Landing {
    let branch = "main".to_owned();
    match how % 8 {
        0 => Landing::Already { branch },
        1 => {
            let file = ConflictFile { path: "src/a.rs".into(), kind: "content".into() };
            Landing::Conflict { branch, files: vec![file] }
        }
        2 => {
            let beside = vec!["#7 landed".to_owned()];
            Landing::Red { command: "make".into(), end: RunEnd::Exited { code: 1 }, beside }
        }
        3 => Landing::Refused { reason: "main moves too fast".into() },
        4 => Landing::Green { branch },
        _ => Landing::Landed { intent: moved(branch), warnings: Vec::new() },
    }
}

pub(super) fn moved(branch: String) -> Intent {
    Intent { branch, from: "0".repeat(40), to: "3".repeat(40) }
}

pub(super) fn worktree() -> Worktree {
    Worktree {
        path: "/worktrees/1".into(),
        branch: "draft/1".into(),
        base_branch: "main".into(),
        base: "0".repeat(40),
        port: None,
    }
}

/// Returns an end of the kind that the job can have: half of them good, so that walks get far.
fn ended(board: &Board, job: &Job, how: u8) -> Fact {
    let reason = "a reason".to_owned();
    match job.kind {
        JobKind::Resume => {
            let outcome = match how % 8 {
                0 => Resumed::Same { revision: 1 },
                1 => Resumed::Unchanged,
                2 => Resumed::Unsafe { reason },
                _ => Resumed::Edited { revision: revision(board, job) },
            };
            Fact::Resumed { job: job.id, outcome }
        }
        JobKind::Land => Fact::Landed { job: job.id, outcome: landing(how) },
        JobKind::PullRequest => Fact::Dealt { job: job.id, outcome: dealt(board, job, how) },
        JobKind::Execute => {
            let outcome = match how % 12 {
                0 => Executed::Unchanged { said: None },
                1 => Executed::Asked { question: "which?".into() },
                2 => Executed::Refused { reason },
                3 => Executed::HandedOver { reason, prompt_file: "/runs/1/prompt".into() },
                4 => Executed::Unsafe { reason },
                5 => Executed::Failed { reason },
                6 => Executed::Conflict {
                    branch: "main".into(),
                    files: vec![ConflictFile { path: "a.txt".into(), kind: "content".into() }],
                },
                _ => Executed::Changed { revision: revision(board, job) },
            };
            let end = Some(RunEnd::Exited { code: 0 });
            Fact::Executed { job: job.id, outcome, end, usage: Usage::default(), session: None, outside: Vec::new() }
        }
        JobKind::Verify => {
            let outcome = match how % 4 {
                0 => {
                    let end = RunEnd::Exited { code: 2 };
                    Verified::Failed { command: "make".into(), end, rework_attempts: u32::from(how / 4 % 3) }
                }
                1 if how % 16 > 8 => Verified::Overtaken { reason },
                1 => Verified::Refused { reason },
                checks => {
                    let examined = (how % 8 > 3).then(|| Box::new(sample_rails::found(board, job.ticket, how / 8)));
                    Verified::Passed { checks: u32::from(checks) - 2, examined }
                }
            };
            Fact::Verified { job: job.id, outcome }
        }
    }
}

fn dealt(board: &Board, job: &Job, how: u8) -> Dealt {
    let newest = board.revision(job.ticket).filter(|_| !matches!(job.errand, Some(Errand::Merge { .. })));
    match how % 4 {
        0 => Dealt::Refused { reason: "the host says no".into() },
        _ => Dealt::Done {
            provider: Provider::GitHub,
            host: "github.com".into(),
            seen: Box::new(said(how)),
            pushed: newest.map(|newest| (newest.number, newest.head.clone())),
        },
    }
}

/// What a host says about the one pull request that there is.
pub(super) fn said(how: u8) -> Seen {
    let state = PullState::ALL[usize::from(how / 4) % PullState::ALL.len()];
    let head = if how > 200 { "4".repeat(40) } else { "2".repeat(40) };
    Seen { state, head, ..sample::pull_request(1).seen }
}

fn revision(board: &Board, job: &Job) -> Revision {
    let number = 1 + board.revision(job.ticket).map_or(0, |newest| newest.number);
    Revision { ticket: job.ticket, job: job.id, ..sample::revision(1, number) }
}
