//! Ends of jobs: what is canceled stays so, what nobody heard is told again, and what landed stays done.

use super::*;
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::event::NewEvent;
use crate::domain::id::{JobId, TicketRef};
use crate::domain::job::{Checks, JobKind};
use crate::domain::outcome::Verified;
use crate::domain::rule::{What, decide};
use crate::domain::rule_walk::apply;
use crate::domain::run::{Run, RunId, RunKind};
use crate::domain::sample;
use crate::domain::state::NeedsHuman;
use crate::domain::ticket::{MESSAGE_LIFE, Message};
use crate::domain::time::Timestamp;

const SAID: &str = "Mind the gap.";

/// A board, and what happened on it.
struct Story {
    board: Board,
    events: Vec<NewEvent>,
}

impl Story {
    /// Begins with a ticket in that state, for which an agent is to run.
    fn of(state: State) -> Self {
        let mut board = sample::board_of(&[state]);
        board.apply(&Change::Job(sample::job(1, JobKind::Execute, 10)));
        Self { board, events: Vec::new() }
    }

    /// The same, with a message that waits, and the job is taken.
    fn told() -> Self {
        let mut story = Self::of(State::Planned);
        let message = Some(Message { text: SAID.into(), at: Timestamp(5) });
        story.board.apply(&Change::Ticket(Ticket { message, ..story.ticket().clone() }));
        story.learn(Fact::Taken { job: story.job().id });
        assert_eq!((&story.ticket().message, story.job().message.as_deref()), (&None, Some(SAID)));
        story
    }

    fn take(&mut self, what: What) {
        let steps = decide(&self.board, &sample::input(what)).unwrap();
        for save in &steps.saves {
            apply(&mut self.board, save);
            if let Save::Event(event) = save {
                self.events.push(event.clone());
            }
        }
    }

    fn learn(&mut self, fact: Fact) {
        self.take(What::Fact(fact));
    }

    fn ask(&mut self, command: Command) {
        self.take(What::Command(command));
    }

    fn ticket(&self) -> &Ticket {
        self.board.ticket(sample::id(1)).unwrap()
    }

    fn job(&self) -> &Job {
        self.board.newest_job(sample::id(1)).unwrap()
    }

    fn waiting(&self) -> Option<&str> {
        self.ticket().message.as_ref().map(|message| message.text.as_str())
    }
}

const TICKET: TicketRef = TicketRef::Id(crate::domain::id::TicketId(uuid::Uuid::from_u128(1)));

fn used(tokens: u64) -> Usage {
    Usage { input_tokens: tokens, ..Usage::default() }
}

/// The ends of a job whose agent was never started.
fn unheard(job: JobId) -> [Fact; 5] {
    let reason = "the set-up failed".to_owned();
    let failed = |end| Fact::Executed {
        job,
        outcome: Executed::Failed { reason: "the set-up failed".to_owned() },
        end,
        usage: Usage::default(),
        session: None,
        outside: Vec::new(),
    };
    [
        failed(None),
        failed(Some(RunEnd::NotStarted { error: "no such file".into() })),
        Fact::Stopped { job, used: None },
        Fact::Lost { job, reason: reason.clone(), used: None },
        Fact::Broke { job, reason, used: None },
    ]
}

#[test]
fn a_job_that_is_lost_or_breaks_after_somebody_canceled_it_is_canceled_and_nothing_starts_again() {
    for breaks in [false, true] {
        let mut story = Story::of(State::Planned);
        let job = story.job().id;
        story.learn(Fact::Taken { job });
        story.ask(Command::Tell { ticket: TICKET, text: Some("more".into()) });
        story.ask(Command::Cancel { ticket: TICKET });
        let (reason, used) = ("its supervisor was killed".to_owned(), Some(used(7)));
        story.learn(if breaks { Fact::Broke { job, reason, used } } else { Fact::Lost { job, reason, used } });
        assert_eq!(story.ticket().state, State::Blocked { why: Blocked::Canceled });
        assert_eq!(story.ticket().reason, "its execute job was canceled; its supervisor was killed");
        assert_eq!((story.job().id, story.job().status), (job, JobStatus::Canceled), "no other job");
        assert_eq!((story.job().usage, story.ticket().usage), (self::used(7), self::used(7)));
        assert_eq!(story.waiting(), Some("more"), "it waits for the next run");
    }
}

#[test]
fn a_message_that_no_agent_heard_waits_again_and_starts_nothing_by_itself() {
    for n in 0..5 {
        let mut story = Story::told();
        let job = story.job().id;
        story.learn(unheard(job)[n].clone());
        assert_eq!(story.waiting(), Some(SAID), "end {n}");
        assert_eq!((story.job().id, story.job().status.is_active()), (job, false), "what failed would fail again");
        assert!(story.events.iter().any(|event| event.reason.contains("no agent was started")), "end {n}");
        story.ask(Command::Move { ticket: TICKET, to: crate::domain::state::StateName::Executing, reason: None });
        story.learn(Fact::Taken { job: story.job().id });
        assert_eq!((story.waiting(), story.job().message.as_deref()), (None, Some(SAID)), "end {n}");
    }
}

#[test]
fn what_was_written_after_a_message_that_nobody_heard_is_told_with_it() {
    let mut story = Story::told();
    story.ask(Command::Tell { ticket: TICKET, text: Some("And hurry.".into()) });
    let job = story.job().id;
    story.learn(unheard(job)[0].clone());
    let both = format!("{SAID}\n\nAnd hurry.");
    assert_eq!(story.waiting(), Some(both.as_str()));
    assert!(story.job().id != job && story.job().status.is_active(), "what came meanwhile is told as ever");
    let job = story.job().id;
    story.learn(Fact::Taken { job });
    assert_eq!(story.job().message.as_deref(), Some(both.as_str()));
    story.learn(unheard(job)[0].clone());
    assert_eq!((story.job().id, story.waiting()), (job, Some(both.as_str())), "and not once more");
}

#[test]
fn a_message_that_an_agent_or_a_person_got_is_told_once() {
    let ended = |outcome, end| Fact::Executed {
        job: Story::told().job().id,
        outcome,
        end,
        usage: Usage::default(),
        session: None,
        outside: Vec::new(),
    };
    let job = Story::told().job().id;
    let reason = || "it failed".to_owned();
    for fact in [
        ended(Executed::Failed { reason: reason() }, Some(RunEnd::Exited { code: 1 })),
        ended(Executed::HandedOver { reason: reason(), prompt_file: "/p".into() }, None),
        Fact::Lost { job, reason: reason(), used: Some(Usage::default()) },
        Fact::Broke { job, reason: reason(), used: Some(Usage::default()) },
    ] {
        let mut story = Story::told();
        story.learn(fact.clone());
        assert_eq!(story.waiting(), None, "{fact:?}");
    }
    // Its first try was told, whatever became of the second.
    let mut story = Story::told();
    story.learn(Fact::TryAgain { job, attempt: 2, reason: reason(), usage: used(5) });
    story.learn(Fact::Stopped { job, used: None });
    assert_eq!((story.waiting(), story.ticket().usage), (None, used(5)), "and what that one used counts");
}

#[test]
fn a_message_that_is_out_of_date_goes_and_the_history_keeps_it() {
    let mut story = Story::of(State::Planned);
    let old = Timestamp(1000 - i64::try_from(MESSAGE_LIFE.as_millis()).unwrap());
    let message = Some(Message { text: SAID.into(), at: old });
    story.board.apply(&Change::Ticket(Ticket { message, ..story.ticket().clone() }));
    story.learn(Fact::Taken { job: story.job().id });
    assert_eq!((story.waiting(), &story.job().message), (None, &None));
    let event = story.events.iter().find(|event| event.payload["action"] == "expired").unwrap();
    assert!(event.reason.contains(SAID) && event.payload["message"] == SAID, "{event:?}");
}

#[test]
fn what_landed_stays_done_where_a_later_run_leaves_no_new_revision() {
    let waits = State::NeedsHuman { why: NeedsHuman::Approved };
    let job = Story::of(State::Done).job().id;
    let reason = || "nothing came of it".to_owned();
    for fact in [
        Fact::Stopped { job, used: None },
        Fact::Lost { job, reason: reason(), used: None },
        Fact::Broke { job, reason: reason(), used: None },
        unheard(job)[0].clone(),
    ] {
        let mut story = Story { board: sample::board_of(&[waits]), events: Vec::new() };
        story.board.apply(&Change::Revision(sample::revision(1, 1)));
        let known = crate::domain::rule::Known {
            landed: crate::domain::rule::Landed::Yes,
            ..crate::domain::rule::Known::only(crate::domain::rule::Trust::Given)
        };
        let done = Command::Move { ticket: TICKET, to: crate::domain::state::StateName::Done, reason: None };
        let input = crate::domain::rule::Input { known, ..sample::input(What::Command(done)) };
        decide(&story.board, &input).unwrap().saves.iter().for_each(|save| apply(&mut story.board, save));
        assert_eq!((story.ticket().state, story.ticket().landed), (State::Done, Some(1)));
        story.board.apply(&Change::Job(sample::job(1, JobKind::Execute, 10)));
        story.learn(Fact::Taken { job });
        // What waits is told, but not by itself to what was stopped.
        story.ask(Command::Tell { ticket: TICKET, text: Some("more".into()) });
        story.learn(fact.clone());
        assert_eq!(story.ticket().state, State::Done, "{fact:?}");
        assert!(story.ticket().reason.starts_with("done as before: "), "{}", story.ticket().reason);
        let goes_on = story.job().status.is_active();
        assert_eq!(goes_on, !matches!(fact, Fact::Stopped { .. }), "{fact:?}");
    }
    // What never landed, and what has a newer revision, is not on its target.
    for landed in [None, Some(1)] {
        let mut story = Story::of(State::Planned);
        story.board.apply(&Change::Ticket(Ticket { landed, ..story.ticket().clone() }));
        story.board.apply(&Change::Revision(sample::revision(1, 2)));
        story.learn(Fact::Taken { job: story.job().id });
        story.learn(Fact::Stopped { job: story.job().id, used: None });
        assert_eq!(story.ticket().state, State::Blocked { why: Blocked::Canceled });
    }
}

#[test]
fn what_the_checks_proved_stays_known_while_something_else_is_done_with_the_change() {
    let mut story = Story { board: sample::board_of(&[State::Planned]), events: Vec::new() };
    let verify = Job { steps: Some(2), status: JobStatus::Running, ..sample::job(1, JobKind::Verify, 10) };
    let verifying = State::Verifying { job: verify.id };
    story.board.apply(&Change::Ticket(Ticket { state: verifying, ..sample::ticket(1) }));
    story.board.apply(&Change::Revision(sample::revision(1, 1)));
    story.board.apply(&Change::Job(verify.clone()));
    for n in [1, 2] {
        let (id, end) = (RunId { job: verify.id, n }, Some(RunEnd::Exited { code: 0 }));
        let (started_at, finished_at) = (Timestamp(10), Some(Timestamp(11)));
        let command = "make".to_owned();
        story.board.apply(&Change::Run(Run { id, kind: RunKind::Check, command, started_at, finished_at, end }));
    }
    story.learn(Fact::Verified { job: verify.id, outcome: Verified::Passed { checks: 2, examined: None } });
    let all = Some(Checks { passed: 2, total: 2 });
    assert_eq!(story.board.checks(sample::id(1)), all);
    let errand = crate::domain::pull_request::Errand::Open { title: None, body: None, base: None, draft: false };
    story.ask(Command::PullRequest { ticket: TICKET, errand });
    let job = story.job().id;
    assert_eq!((job != verify.id, story.board.checks(sample::id(1))), (true, all));
    story.learn(Fact::Taken { job });
    let outcome = crate::domain::pull_request::Dealt::Refused { reason: "no remote".into() };
    story.learn(Fact::Dealt { job, outcome });
    assert_eq!(story.board.checks(sample::id(1)), all);
}
