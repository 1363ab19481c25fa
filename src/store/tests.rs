//! What callers of the store rely on: values come back as they went in, and a call is all or nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::samples::{
    BOARD, about, at, event, evidence, goal, job, job_id, new_ticket, place, revision, run, ticket, ticket_id,
};
use super::{EngineRow, Limits, Reader, StoreError, Write, ask, open, writer};
use crate::domain::board::About;
use crate::domain::change::{Change, Save};
use crate::domain::checklist::{Item, Tick};
use crate::domain::command::{AgentChoice, Command, RefusalCode, Refused, Request};
use crate::domain::event::{Actor, ActorKind, Event, EventKind, NewEvent};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::id::{BoardId, EvidenceId, TicketRef};
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::pull_request::Errand;
use crate::domain::revision::{Revision, RevisionStatus};
use crate::domain::run::{Run, RunEnd, RunId, RunKind};
use crate::domain::state::{Blocked, NeedsHuman, State, StateName};
use crate::domain::ticket::{Message, Priority, Ticket, Title, Usage, Worktree};
use crate::domain::time::Timestamp;

fn every_state() -> Vec<State> {
    let mut states = vec![State::Proposed, State::Planned, State::Done, State::Abandoned];
    states.push(State::Executing { job: job_id(1) });
    states.push(State::Verifying { job: job_id(1) });
    states.extend(NeedsHuman::ALL.iter().map(|why| State::NeedsHuman { why: *why }));
    states.extend(Blocked::ALL.iter().map(|why| State::Blocked { why: *why }));
    states
}

fn every_end() -> Vec<RunEnd> {
    vec![
        RunEnd::Exited { code: -1 },
        RunEnd::Signaled { signal: 9 },
        RunEnd::TimedOut,
        RunEnd::Silent,
        RunEnd::TooMuchOutput,
        RunEnd::Stopped,
        RunEnd::NotStarted { error: "not found".into() },
        RunEnd::Lost,
    ]
}

fn full_ticket() -> Ticket {
    Ticket {
        goal: Some(goal(1).id),
        title: Title::new(&"ü".repeat(255)).unwrap(),
        reason: "because 🦀\0".into(),
        priority: Some(Priority::try_from(100).unwrap()),
        hand_order: Some(i64::MIN),
        pull_request: None,
        blocked_by: vec![ticket_id(3), ticket_id(2)],
        verify: vec!["cargo test".into(), "echo '\"'".into()],
        agent: Some("claude".into()),
        model: Some("large".into()),
        base_branch: Some("release".into()),
        message: Some(Message { text: "and \0 this".into(), at: at(3) }),
        worktree: Some(Worktree {
            path: Path::new(OsStr::from_bytes(b"/w/not-utf-8-\xff")).to_owned(),
            branch: "draft/1-x".into(),
            base_branch: "main".into(),
            base: "a".repeat(40),
            port: Some(20_010),
        }),
        usage: Usage { input_tokens: i64::MAX.cast_unsigned(), output_tokens: 7, cost_micros: Some(0) },
        created_at: Timestamp(i64::MIN),
        updated_at: Timestamp(i64::MAX),
        ..ticket(1)
    }
}

#[test]
fn tickets_come_back_as_they_went_in_also_after_reopening() {
    let place = place();
    let writer = place.board();
    let full = full_ticket();
    let saves = vec![
        Save::Goal(goal(1)),
        Save::NewTicket { ticket: full.clone(), description: "long\n\0text".into() },
        new_ticket(2),
        new_ticket(3),
        Save::Job { job: job(1, 1), was: None },
    ];
    writer.commit_blocking(saves).unwrap();
    assert_eq!(place.read().ticket(full.id), Some(&full));

    let mut was = full.state.name();
    for state in every_state() {
        let ticket = Ticket { state, blocked_by: vec![ticket_id(2)], ..full.clone() };
        writer.commit_blocking(vec![Save::Ticket { ticket: ticket.clone(), was }]).unwrap();
        assert_eq!(place.read().ticket(full.id), Some(&ticket));
        was = state.name();
    }
    let before = place.read();
    drop(writer);
    let _writer = open(&place.path).unwrap();
    assert_eq!(place.read(), before);
    assert_eq!(place.reader().description(full.id).unwrap().as_deref(), Some("long\n\0text"));
    assert_eq!(place.reader().description(ticket_id(9)).unwrap(), None);
}

#[test]
fn jobs_runs_evidence_revisions_and_events_come_back_as_they_went_in() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    let jobs: Vec<Job> = (1..)
        .zip(JobKind::ALL.iter().flat_map(|kind| JobStatus::ALL.iter().map(move |status| (*kind, *status))))
        .filter(|(n, (_, status))| !status.is_active() || *n == 1)
        .map(|(n, (kind, status))| Job {
            kind,
            status,
            errand: (kind == JobKind::PullRequest).then_some(Errand::Push),
            cancel_requested: true,
            steps: Some(u32::MAX),
            agent: Some("a".into()),
            session: Some("s".into()),
            exit_code: Some(-1),
            signal: Some(15),
            usage: full_ticket().usage,
            started_at: Some(at(5)),
            finished_at: Some(at(6)),
            ..job(n, 1)
        })
        .collect();
    let runs: Vec<Run> = (1..)
        .zip(every_end())
        .map(|(n, end)| {
            let kind = RunKind::ALL[n as usize % RunKind::ALL.len()];
            Run { kind, finished_at: Some(at(9)), end: Some(end), ..run(1, n) }
        })
        .chain([run(1, 99)])
        .collect();
    let pieces: Vec<Evidence> = (1..)
        .zip(every_end())
        .map(|(n, end)| {
            let kind = EvidenceKind::ALL[n as usize % EvidenceKind::ALL.len()];
            Evidence { end, kind, tree: None, at: at(n.into()), ..evidence(n, 1, RunId { job: job_id(1), n }) }
        })
        .collect();
    let revisions: Vec<Revision> = (1..)
        .zip(RevisionStatus::ALL.iter().rev())
        .map(|(n, status)| Revision { status: *status, job: jobs[n as usize].id, ..revision(1, n, n) })
        .collect();
    let events: Vec<NewEvent> = (0..)
        .zip(EventKind::ALL)
        .map(|(n, kind): (usize, _)| NewEvent {
            kind: *kind,
            from: StateName::ALL.get(n).copied(),
            to: StateName::ALL.get(n + 1).copied(),
            actor: Actor { kind: ActorKind::ALL[n % ActorKind::ALL.len()], name: Some("x".into()) },
            ..event(1)
        })
        .collect();

    let mut saves: Vec<Save> = jobs.iter().map(|job| Save::Job { job: job.clone(), was: None }).collect();
    saves.extend(runs.iter().cloned().map(Save::Run));
    saves.extend(pieces.iter().cloned().map(Save::Evidence));
    saves.extend(revisions.iter().cloned().map(Save::Revision));
    saves.extend(events.iter().cloned().map(Save::Event));
    writer.commit_blocking(saves).unwrap();

    let detail = place.reader().detail(ticket_id(1)).unwrap().unwrap();
    assert_eq!((detail.description.as_str(), &detail.jobs), ("What ticket 1 is about.", &jobs));
    assert_eq!((&detail.runs, &detail.evidence, &detail.revisions), (&runs, &pieces, &revisions));
    assert_eq!(detail.events, (1..).zip(events).map(|(seq, event)| Event { seq, event }).collect::<Vec<_>>());

    let reader = place.reader();
    assert_eq!(reader.runs_of(job_id(1)).unwrap(), runs);
    assert_eq!(reader.revisions(ticket_id(1)).unwrap(), revisions);
    assert_eq!(reader.active_jobs(BOARD).unwrap(), [jobs[0].clone()]);
    assert_eq!(reader.detail(ticket_id(9)).unwrap(), None);
}

#[test]
fn boards_trusts_and_the_engine_are_found_by_what_they_are_about() {
    let place = place();
    let writer = place.board();
    let odd = About {
        id: BoardId(uuid::Uuid::from_u128(2)),
        repo_root: Path::new(OsStr::from_bytes(b"/r/\xff")).to_owned(),
        created_at: at(1),
        ..about()
    };
    writer.write_blocking(Write::Board(odd.clone())).unwrap();
    let reader = place.reader();
    assert_eq!(reader.boards().unwrap(), [about(), odd.clone()]);
    assert_eq!(reader.board_by_repo(&odd.repo_root).unwrap(), Some(odd.clone()));
    assert_eq!(reader.board_by_repo(Path::new("/r")).unwrap(), None);
    assert_eq!(reader.board(BoardId(uuid::Uuid::from_u128(3))).unwrap(), None);
    let again = writer.write_blocking(Write::Board(About { id: BoardId(uuid::Uuid::from_u128(3)), ..about() }));
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");

    let repo_root = odd.repo_root.clone();
    for content in ["checks: [a]", "checks: [b]"] {
        let trust = Write::Trust { repo_root: repo_root.clone(), content: content.into(), at: at(3) };
        writer.write_blocking(trust).unwrap();
        assert_eq!(reader.trusted(&repo_root).unwrap().as_deref(), Some(content));
    }
    writer.write_blocking(Write::Revoke { repo_root: repo_root.clone() }).unwrap();
    assert_eq!(reader.trusted(&repo_root).unwrap(), None);

    assert_eq!(reader.engine(BOARD).unwrap(), None);
    for pid in [7, u32::MAX] {
        writer.write_blocking(Write::Engine { board: BOARD, pid, at: at(4) }).unwrap();
        assert_eq!(reader.engine(BOARD).unwrap(), Some(EngineRow { pid, since: at(4) }));
    }
}

#[test]
fn an_inventory_is_all_that_is_there_and_a_sound_file_has_no_complaints() {
    let place = place();
    let writer = place.board();
    assert_eq!(place.reader().inventory().unwrap().boards[0].about, about());
    let (one, row) = (job(1, 1), run(1, 1));
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    writer.commit_blocking(vec![Save::Job { job: one.clone(), was: None }, Save::Run(row.clone())]).unwrap();
    let request = Request { actor: Actor::human(), command: Command::AddTickets(Vec::new()) };
    ask(&place.path, BOARD, &request, at(1)).unwrap();
    let found = place.reader().inventory().unwrap();
    assert_eq!((found.boards[0].tickets.len(), found.boards[0].pending, found.boards[0].engine), (1, 1, None));
    assert_eq!(found.jobs[&one.id], super::JobRow { ticket: one.ticket, status: one.status });
    assert_eq!(found.runs, [row]);
    assert_eq!(place.reader().complaints().unwrap(), Vec::<String>::new());
    assert!(place.reader().schema().unwrap() >= 1);
}

#[test]
fn a_command_is_answered_once() {
    let place = place();
    let writer = place.board();
    let request = Request {
        actor: Actor::human(),
        command: Command::Run { ticket: TicketRef::Number(ticket(1).number), choice: AgentChoice::default() },
    };
    let first = ask(&place.path, BOARD, &request, at(1)).unwrap();
    let second = ask(&place.path, BOARD, &request, at(2)).unwrap();
    let reader = place.reader();
    let pending = reader.pending_commands(BOARD).unwrap();
    assert_eq!(
        pending.iter().map(|pending| (pending.id, pending.request.clone())).collect::<Vec<_>>(),
        [(first, Ok(request.clone())), (second, Ok(request.clone()))]
    );
    assert_eq!(reader.answer(first).unwrap(), None);

    let refused = Refused::new(RefusalCode::Busy, "it runs", "wait");
    for answer in [Err(refused.clone()), Ok(())] {
        writer.write_blocking(Write::Answer { id: first, answer, at: at(3) }).unwrap();
    }
    writer.write_blocking(Write::Answer { id: second, answer: Ok(()), at: at(3) }).unwrap();
    assert_eq!(reader.answer(first).unwrap(), Some(Err(refused)));
    assert_eq!(reader.answer(second).unwrap(), Some(Ok(())));
    assert_eq!(reader.pending_commands(BOARD).unwrap(), []);

    let nowhere = ask(&place.path, BoardId(uuid::Uuid::from_u128(9)), &request, at(1));
    assert!(matches!(nowhere, Err(StoreError::Invalid { .. })), "{nowhere:?}");
}

#[test]
fn a_command_is_answered_together_with_what_it_changes_or_not_at_all() {
    let place = place();
    let writer = place.board();
    let request = Request { actor: Actor::human(), command: Command::AddTickets(Vec::new()) };
    let command = ask(&place.path, BOARD, &request, at(1)).unwrap();
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    let (saves, commands) = (vec![new_ticket(1)], vec![command]);
    let error = writer.write_blocking(Write::SavesAnswering { saves, commands, at: at(2) }).unwrap_err();
    assert!(error.is_about_one_write() && error.may_pass(), "{error}");
    assert_eq!(place.reader().answer(command).unwrap(), None, "what was not saved is not answered");

    let (saves, commands) = (vec![new_ticket(2)], vec![command]);
    let changes = writer.write_blocking(Write::SavesAnswering { saves, commands, at: at(3) }).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(place.reader().answer(command).unwrap(), Some(Ok(())));
}

#[test]
fn a_command_of_another_version_is_handed_over_as_its_refusal() {
    let place = place();
    let _writer = place.board();
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.execute("INSERT INTO commands (board_id, request, asked_at) VALUES (?1, '{\"command\":\"fly\"}', 0)", [BOARD])
        .unwrap();
    let pending = place.reader().pending_commands(BOARD).unwrap();
    assert_eq!(pending[0].request.as_ref().unwrap_err().code, RefusalCode::BadValue);
}

#[test]
fn a_conflict_tells_how_it_is_and_changes_nothing() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1), Save::Job { job: job(1, 1), was: None }]).unwrap();
    let before = place.read();
    let moved = Ticket { state: State::Done, ..ticket(1) };
    let running = Job { status: JobStatus::Running, ..job(1, 1) };
    for (save, why) in [
        (Save::Ticket { ticket: moved.clone(), was: StateName::Blocked }, "it is planned and not blocked any more"),
        (Save::Ticket { ticket: ticket(7), was: StateName::Planned }, "there is no such ticket"),
        (Save::Job { job: running, was: Some(JobStatus::Failed) }, "it is queued and not failed any more"),
        (Save::Job { job: job(7, 1), was: Some(JobStatus::Queued) }, "there is no such job"),
        (Save::Job { job: job(2, 1), was: None }, "its ticket has an active job already"),
        (new_ticket(1), "there is one already"),
    ] {
        let answer = writer.commit_blocking(vec![new_ticket(2), save, Save::Event(event(1))]);
        match answer {
            Err(StoreError::Conflict { why: found, .. }) => assert_eq!(found, why),
            other => panic!("{why}: {other:?}"),
        }
        assert_eq!(place.read(), before);
    }
    assert_eq!(place.reader().detail(ticket_id(1)).unwrap().unwrap().events, []);
}

#[test]
fn a_ticket_has_one_active_job_and_may_have_the_next_once_that_is_over() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1), Save::Job { job: job(1, 1), was: None }]).unwrap();
    let second = vec![Save::Job { job: job(2, 1), was: None }];
    assert!(matches!(writer.commit_blocking(second.clone()), Err(StoreError::Conflict { .. })));
    let over = Save::Job { job: Job { status: JobStatus::Canceled, ..job(1, 1) }, was: Some(JobStatus::Queued) };
    writer.commit_blocking(vec![over]).unwrap();
    writer.commit_blocking(second).unwrap();
    assert_eq!(place.read().active_job(ticket_id(1)), Some(&job(2, 1)));
}

#[test]
fn what_a_job_or_a_ticket_is_never_changes() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1), Save::Job { job: job(1, 1), was: None }]).unwrap();
    for save in [
        Save::Job { job: Job { kind: JobKind::Land, ..job(1, 1) }, was: Some(JobStatus::Queued) },
        Save::Job { job: Job { queued_at: at(0), ..job(1, 1) }, was: Some(JobStatus::Queued) },
        Save::Ticket { ticket: Ticket { number: ticket(5).number, ..ticket(1) }, was: StateName::Planned },
        Save::Ticket { ticket: Ticket { blocked_by: vec![ticket_id(1)], ..ticket(1) }, was: StateName::Planned },
        Save::Ticket { ticket: Ticket { blocked_by: vec![ticket_id(8)], ..ticket(1) }, was: StateName::Planned },
        Save::Run(run(9, 1)),
    ] {
        let answer = writer.commit_blocking(vec![save]);
        assert!(matches!(answer, Err(StoreError::Invalid { .. })), "{answer:?}");
    }
}

#[test]
fn a_new_revision_supersedes_the_open_one_and_a_repeated_save_does_nothing() {
    let place = place();
    let writer = place.board();
    let over = |n| Save::Job { job: Job { status: JobStatus::Succeeded, ..job(n, 1) }, was: None };
    writer.commit_blocking(vec![new_ticket(1), over(1), over(2)]).unwrap();
    let (first, second) = (revision(1, 1, 1), revision(1, 2, 2));
    let save = |revision: &Revision| writer.commit_blocking(vec![Save::Revision(revision.clone())]).unwrap();
    assert_eq!(save(&first), [Change::Revision(first.clone())]);
    assert_eq!(save(&first), [Change::Revision(first.clone())]);
    let superseded = Revision { status: RevisionStatus::Superseded, ..first.clone() };
    assert_eq!(save(&second), [Change::Revision(superseded.clone()), Change::Revision(second.clone())]);
    assert_eq!(save(&first), [Change::Revision(superseded.clone())], "it stays superseded");
    let approved = Revision { status: RevisionStatus::Approved, ..second.clone() };
    assert_eq!(save(&approved), [Change::Revision(approved.clone())]);
    assert_eq!(save(&second), [Change::Revision(approved.clone())], "a repeated save does not undo the approval");
    assert_eq!(place.reader().revisions(ticket_id(1)).unwrap(), [superseded, approved]);
}

#[test]
fn ticks_belong_to_their_revision_and_outlast_repeated_saves_and_newer_revisions() {
    let place = place();
    let writer = place.board();
    let over = |n| Save::Job { job: Job { status: JobStatus::Succeeded, ..job(n, 1) }, was: None };
    let (first, second) = (revision(1, 1, 1), revision(1, 2, 2));
    writer.commit_blocking(vec![new_ticket(1), over(1), over(2), Save::Revision(first.clone())]).unwrap();
    let tick = |item| Tick { item, by: Actor::human(), at: at(5) };
    let ticked = Revision { ticks: vec![tick(Item::CodeReviewed), tick(Item::DocumentationUpdated)], ..first.clone() };
    let changes = writer.commit_blocking(vec![Save::Ticks(ticked.clone())]).unwrap();
    assert_eq!(changes, [Change::Revision(ticked.clone())]);
    let changes = writer.commit_blocking(vec![Save::Revision(first)]).unwrap();
    assert_eq!(changes, [Change::Revision(ticked.clone())], "a repeated save of the job takes no tick away");
    writer.commit_blocking(vec![Save::Revision(second.clone())]).unwrap();
    let superseded = Revision { status: RevisionStatus::Superseded, ..ticked };
    let reader = place.reader();
    assert_eq!(reader.revisions(ticket_id(1)).unwrap(), [superseded, second.clone()]);
    let (board, _) = reader.board(BOARD).unwrap().unwrap();
    assert_eq!(board.revision(ticket_id(1)), Some(&second));
    let none = Revision { ticks: Vec::new(), ..revision(1, 1, 1) };
    writer.commit_blocking(vec![Save::Ticks(none)]).unwrap();
    assert_eq!(reader.revisions(ticket_id(1)).unwrap()[0].ticks, []);
}

#[test]
fn evidence_is_stored_once_for_each_run() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1), Save::Job { job: job(1, 1), was: None }, Save::Run(run(1, 1))]).unwrap();
    let first = evidence(1, 1, run(1, 1).id);
    let again = Evidence { id: EvidenceId(uuid::Uuid::from_u128(5)), ..first.clone() };
    for piece in [&first, &again] {
        let changes = writer.commit_blocking(vec![Save::Evidence(piece.clone())]).unwrap();
        assert_eq!(changes, [Change::Evidence(first.clone())]);
    }
    assert_eq!(place.reader().detail(ticket_id(1)).unwrap().unwrap().evidence, [first]);
}

#[test]
fn a_result_is_good_again_for_the_same_tree_command_and_surroundings() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1), Save::Job { job: job(1, 1), was: None }]).unwrap();
    let passed = evidence(1, 1, run(1, 1).id);
    let (tree, surroundings) = (passed.tree.clone().unwrap(), passed.surroundings.clone().unwrap());
    let failed =
        Evidence { end: RunEnd::Exited { code: 1 }, command: "cargo clippy".into(), ..evidence(2, 1, run(1, 2).id) };
    // As it was stored before surroundings were.
    let old = Evidence { surroundings: None, command: "cargo fmt".into(), ..evidence(3, 1, run(1, 3).id) };
    for (n, piece) in (1..).zip([&passed, &failed, &old]) {
        writer.commit_blocking(vec![Save::Run(run(1, n)), Save::Evidence(piece.clone())]).unwrap();
    }
    let has_passed = |tree: &str, command: &str, surroundings: &str| {
        place.reader().has_passed(BOARD, (tree, command, surroundings)).unwrap()
    };
    assert!(has_passed(&tree, "cargo test", &surroundings));
    assert!(!has_passed(&"e".repeat(40), "cargo test", &surroundings), "another tree");
    assert!(!has_passed(&tree, "cargo test --all", &surroundings), "another command");
    assert!(!has_passed(&tree, "cargo test", &"e".repeat(40)), "other surroundings");
    assert!(!has_passed(&tree, "cargo clippy", &surroundings), "it failed");
    assert!(!has_passed(&tree, "cargo fmt", &surroundings), "nobody knows in which surroundings");
}

#[test]
fn changes_since_a_number_are_those_of_that_board_and_no_others() {
    let place = place();
    let writer = place.board();
    let other = About { id: BoardId(uuid::Uuid::from_u128(2)), repo_root: "/other".into(), ..about() };
    writer.write_blocking(Write::Board(other.clone())).unwrap();
    let reader = place.reader();
    assert_eq!(reader.changes_since(BOARD, 0).unwrap(), (0, vec![]));
    let elsewhere = Ticket { board: other.id, ..ticket(2) };
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    writer.commit_blocking(vec![Save::NewTicket { ticket: elsewhere, description: String::new() }]).unwrap();
    let events = writer.commit_blocking(vec![Save::Event(event(1))]).unwrap();
    assert_eq!(reader.changes_since(BOARD, 0).unwrap(), (3, vec![Change::Ticket(ticket(1)), events[0].clone()]));
    assert_eq!(reader.changes_since(BOARD, 1).unwrap(), (3, events));
    assert_eq!(reader.changes_since(BOARD, 3).unwrap(), (3, vec![]));
}

#[test]
fn calls_that_wait_share_a_commit_and_one_that_fails_does_not_touch_the_others() {
    let place = place();
    drop(place.board());
    let mut db = super::open::to_write(&place.path, Limits::default()).unwrap();
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    db.commit_hook(Some(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    }))
    .unwrap();

    let late = Save::Ticket { ticket: ticket(1), was: StateName::Done };
    let calls = [
        Write::Saves(vec![new_ticket(1)]),
        Write::Saves(vec![new_ticket(2), late]),
        Write::Saves(vec![]),
        Write::Saves(vec![new_ticket(3)]),
    ];
    let answers = writer::settle(&mut db, &place.path, &calls);
    assert_eq!(commits.load(Ordering::Relaxed), 1);
    assert_eq!(answers[0].as_ref().unwrap(), &[Change::Ticket(ticket(1))]);
    assert!(matches!(answers[1], Err(StoreError::Conflict { .. })));
    assert_eq!(answers[2].as_ref().unwrap(), &[]);
    assert_eq!(answers[3].as_ref().unwrap(), &[Change::Ticket(ticket(3))]);
    assert_eq!(place.read().tickets().map(|ticket| ticket.number.0).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_reference_that_fails_only_at_the_commit_fails_only_its_own_call() {
    let place = place();
    drop(place.board());
    let mut db = super::open::to_write(&place.path, Limits::default()).unwrap();
    let lost = Ticket { state: State::Executing { job: job_id(9) }, ..ticket(2) };
    let calls = [
        Write::Saves(vec![new_ticket(1)]),
        Write::Saves(vec![Save::NewTicket { ticket: lost, description: String::new() }]),
        Write::Saves(vec![new_ticket(3)]),
    ];
    let answers = writer::settle(&mut db, &place.path, &calls);
    assert!(matches!(answers[..], [Ok(_), Err(StoreError::Invalid { .. }), Ok(_)]), "{answers:?}");
    assert_eq!(place.read().tickets().map(|ticket| ticket.number.0).collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test]
async fn many_tasks_save_at_once_and_dropping_the_writer_waits_for_all() {
    let place = place();
    let writer = Arc::new(super::open(&place.path).unwrap());
    writer.create_board(about()).await.unwrap();
    let tasks: Vec<_> = (1..=200)
        .map(|n| {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move { writer.commit(vec![new_ticket(n)]).await })
        })
        .collect();
    for (n, task) in (1..).zip(tasks) {
        assert_eq!(task.await.unwrap().unwrap(), [Change::Ticket(ticket(n))]);
    }
    drop(writer);
    assert_eq!(place.read().len(), 200);
    assert!(Reader::open(&place.path).is_ok());
}

#[test]
fn what_was_spent_since_a_moment_is_what_the_jobs_cost_that_ended_since() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    let spent = |since| place.reader().spent_since(BOARD, since).unwrap();
    assert_eq!(spent(at(0)), None);
    for (n, cost, end) in [(1, Some(5), 10), (2, None, 20), (3, Some(7), 30)] {
        let usage = Usage { cost_micros: cost, ..Usage::default() };
        let ended = Job { status: JobStatus::Failed, finished_at: Some(at(end)), usage, ..job(n, 1) };
        writer.commit_blocking(vec![Save::Job { job: ended, was: None }]).unwrap();
    }
    assert_eq!([0, 11, 30, 31].map(|since| spent(at(since))), [Some(12), Some(7), Some(7), None]);
}
