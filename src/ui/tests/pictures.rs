//! Every screen at every size, as text and as a map of its styles.

use crate::domain::autopilot::Autopilot;
use crate::domain::change::{Change, Live};
use crate::domain::detail::Detail;
use crate::domain::event::{Actor, Event, EventKind, NewEvent};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::id::{EvidenceId, TicketId};
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::review::{Comment, Review, Verdict};
use crate::domain::revision::{Revision, RevisionStatus};
use crate::domain::run::{Run, RunEnd, RunId, RunKind};
use crate::domain::state::StateName;
use crate::domain::ticket::{Message, Ticket, Usage};
use crate::domain::time::Timestamp;
use crate::ui::msg::{Msg, Role, Settings};
use crate::ui::testing::{NOW, World, at, board, changes, check, job_id, revision, settings, setup, worked};
use crate::ui::theme::{Glyphs, Theme};

use super::diff::said;

pub(super) const FULL: &str = "executing waiting verifying needs_human blocked proposed done planned queued done question \
                    abandoned planned executing proposed";

const SIZES: [(u16, u16); 4] = [(200, 50), (120, 40), (80, 24), (40, 10)];

/// Compares the pictures at every size, and one without colours.
pub(super) fn assert_screens(name: &str, make: impl Fn(Theme) -> World) {
    for (width, height) in SIZES {
        let world = make(Theme::color()).size(width, height).answer_log();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), world.screen());
    }
    insta::assert_snapshot!(format!("{name}_plain"), make(Theme::plain()).answer_log().screen());
}

pub(super) fn world(theme: Theme, words: &str) -> World {
    World::of(crate::ui::Setup { theme, ..setup(board(words)) })
}

fn detail(ticket: TicketId) -> Detail {
    let run = RunId { job: job_id(4), n: 2 };
    let jobs = changes(4, "needs_human").into_iter().filter_map(|change| match change {
        crate::domain::change::Change::Job(job) => Some(job),
        _ => None,
    });
    let evidence = |n: u128, kind, command: &str, code| Evidence {
        id: EvidenceId(uuid::Uuid::from_u128(n)),
        ticket,
        run,
        folder: check(run).folder(),
        kind,
        command: command.into(),
        end: RunEnd::Exited { code },
        duration_ms: 6_149,
        tree: Some("1".repeat(40)),
        surroundings: None,
        at: at(80),
    };
    let event = |seq, kind, from, to, reason: &str| Event {
        seq,
        event: NewEvent {
            ticket,
            at: at(200 - seq),
            kind,
            from,
            to,
            actor: if seq == 1 { Actor::human() } else { Actor::executor("execute_worker") },
            reason: reason.into(),
            payload: serde_json::json!({}),
        },
    };
    Detail {
        ticket,
        description: "A prime has **exactly** two divisors.\n\n- 1 has one\n- \u{1b}[31mnot red\u{1b}[0m".into(),
        jobs: jobs.collect(),
        runs: vec![check(run)],
        revisions: vec![revision(4)],
        comments: Vec::new(),
        reviews: Vec::new(),
        remarks: Vec::new(),
        evidence: vec![
            evidence(1, EvidenceKind::Executor, "claude -p", 0),
            evidence(2, EvidenceKind::Check, "cargo test", 101),
        ],
        events: vec![
            event(1, EventKind::Created, None, Some(StateName::Proposed), ""),
            event(2, EventKind::Transitioned, Some(StateName::Executing), Some(StateName::Verifying), "left a change"),
        ],
    }
}

fn ticket(theme: Theme, keys: &str) -> World {
    let world = world(theme, FULL).keys("llll<enter>");
    let id = world.model.selected().unwrap();
    world.tell(Msg::Detail(Box::new(detail(id)))).keys(keys)
}

/// A ticket whose first revision was sent back with two comments, one of them answered, and whose second one is open.
fn reviewed(theme: Theme, keys: &str) -> World {
    let world = world(theme, FULL).keys("llll<enter>");
    let mut detail = detail(world.model.selected().unwrap());
    let first = Revision { status: RevisionStatus::ChangesRequested, ..detail.revisions[0].clone() };
    let second = Revision { number: 2, ..first.clone() };
    detail.revisions = vec![first, Revision { status: RevisionStatus::Open, ..second }];
    let asked = said(4, 1, "");
    let answer = Comment {
        reply_to: Some(asked.id),
        body: "It answers 401 then.".to_owned(),
        author: Actor::executor("claude"),
        ..said(4, 3, "")
    };
    detail.comments = vec![asked, said(4, 2, "\nSay so in the log."), answer];
    detail.reviews = vec![Review {
        ticket: detail.ticket,
        revision: 1,
        verdict: Verdict::RequestChanges,
        summary: "Nearly. The header matters most.".to_owned(),
        author: Actor::human(),
        at: at(50),
    }];
    world.tell(Msg::Detail(Box::new(detail))).keys(keys)
}

fn untrusted(theme: Theme) -> World {
    world(theme, FULL).tell(Msg::Settings(Box::new(Settings { trusted: false, ..settings() })))
}

#[test]
fn an_empty_board_says_what_to_press() {
    assert_screens("empty", |theme| world(theme, ""));
}

#[test]
fn an_empty_board_without_agents_and_checks_says_what_is_missing() {
    let none = Settings { agents: Vec::new(), checks: Vec::new(), ..settings() };
    insta::assert_snapshot!(
        "empty_without_agents",
        world(Theme::color(), "").tell(Msg::Settings(Box::new(none))).screen()
    );
}

#[test]
fn a_full_board_shows_every_state_by_sign_and_word() {
    assert_screens("full", |theme| world(theme, FULL));
}

#[test]
fn abandoned_tickets_show_on_request() {
    insta::assert_snapshot!("abandoned", world(Theme::color(), FULL).size(120, 40).keys(".").screen());
}

#[test]
fn the_log_stands_under_the_board_or_beside_it_or_fills_the_screen() {
    assert_screens("log_under", |theme| world(theme, FULL).keys("llO").answer_log());
    assert_screens("log_beside", |theme| world(theme, FULL).keys("ll|").answer_log());
    assert_screens("log_zoomed", |theme| world(theme, FULL).keys("llzp").answer_log());
}

#[test]
fn a_ticket_shows_what_it_is_and_where_it_can_go() {
    assert_screens("ticket_overview", |theme| ticket(theme, "1"));
}

#[test]
fn a_ticket_shows_its_log() {
    assert_screens("ticket_log", |theme| ticket(theme, "2").answer_log());
}

#[test]
fn a_ticket_shows_its_evidence_reviews_history_and_jobs() {
    assert_screens("ticket_evidence", |theme| ticket(theme, "4"));
    assert_screens("ticket_review", |theme| reviewed(theme, "5"));
    assert_screens("ticket_history", |theme| ticket(theme, "6"));
    assert_screens("ticket_jobs", |theme| ticket(theme, "7"));
}

#[test]
fn a_form_says_what_is_wrong_beside_the_field() {
    assert_screens("form", |theme| {
        let typed = world(theme, FULL).keys("n<tab>").types("More words").keys("<tab><right><tab>").types("99");
        typed.keys("<enter>")
    });
}

#[test]
fn a_ticket_is_edited_in_its_form() {
    assert_screens("edit", |theme| {
        let world = world(theme, FULL).keys("lle");
        let id = world.model.selected().unwrap();
        let world = world.tell(Msg::Detail(Box::new(detail(id))));
        world.keys("<tab><tab><tab>").types("99").keys("<enter>")
    });
    assert_screens("run_with", |theme| world(theme, FULL).keys("ljX<down><tab>").types("opus"));
    assert_screens("delete", |theme| world(theme, FULL).keys("llllD"));
    assert_screens("copy", |theme| world(theme, FULL).keys("lllly"));
    assert_screens("marked", |theme| world(theme, FULL).keys("<space>lvj"));
}

#[test]
fn questions_name_what_they_are_about() {
    assert_screens("quit", |theme| world(theme, FULL).keys("q"));
    assert_screens("cancel", |theme| world(theme, FULL).keys("llc"));
    assert_screens("abandon", |theme| world(theme, FULL).keys("llllllhL"));
    assert_screens("trust", |theme| untrusted(theme).keys("ljxjj"));
}

#[test]
fn a_word_to_an_agent_and_its_choices_stand_over_the_board() {
    assert_screens("tell", |theme| {
        world(theme, FULL).keys("llt").types("Use zod, and").keys("<a-enter>").types("not yup")
    });
    assert_screens("answer", |theme| world(theme, "question").keys("t").types("The new one."));
    assert_screens("autopilot", |theme| world(theme, FULL).keys("A"));
    assert_screens("visit", |theme| {
        let world = world(theme, FULL).keys("llll!");
        let id = world.model.selected().unwrap();
        let n = world.cursor().unwrap();
        world.tell(Msg::Detail(Box::new(Detail { ticket: id, ..worked(n, "claude") })))
    });
    assert_screens("take_over", |theme| {
        let world = world(theme, FULL).keys("llll");
        let ticket = world.model.selected().unwrap();
        world.tell(Msg::Returned { ticket, trouble: None })
    });
}

/// A board on which nothing goes smoothly.
fn troubled(theme: Theme) -> World {
    let run = |n: u32, nth: u32| Run { kind: RunKind::Execute, ..check(RunId { job: job_id(n), n: nth }) };
    let live = |n: u32, retrying: Option<&str>| Change::Live {
        job: job_id(n),
        live: Live { usage: Usage::default(), retrying: retrying.map(str::to_owned), output_bytes: 9_000 },
    };
    let words = "executing executing executing executing executing verifying queued planned needs_human blocked";
    let world = world(theme, words)
        .with_job(1, |job| (job.attempt, job.reason) = (2, "the model is overloaded; attempt 2 of 3 in 5s".into()))
        .with_job(2, |job| job.attempt = 2)
        .with_job(4, |job| job.rework = Some(1))
        .with_job(5, |job| (job.status, job.rework) = (JobStatus::Queued, Some(1)))
        .with_job(6, |job| job.rework = Some(2))
        .with_job(7, |job| job.reason = "waits for memory: 300 MB are free, 1.0 GB are wanted".into())
        .with_job(10, |job| (job.status, job.kind) = (JobStatus::Queued, JobKind::Resume))
        .with_ticket(4, |ticket| ticket.message = Some(Message { text: "Use zod".into(), at: NOW }))
        .with_ticket(8, |ticket| ticket.reason = "the autopilot cannot run it: it had 10 jobs within an hour".into())
        .with_ticket(9, |ticket| ticket.message = Some(Message { text: "And yup".into(), at: NOW }));
    let heard = vec![
        Change::Run(run(1, 1)),
        Change::Run(run(2, 1)),
        Change::Run(run(2, 2)),
        live(2, Some("429 Too Many Requests")),
        live(3, None),
        live(4, None),
        Change::Autopilot(Autopilot::On),
    ];
    let later = Timestamp(NOW.0 + 185_000);
    world.tell(Msg::Changed(heard)).tell(Msg::Second(later)).tell(Msg::Changed(vec![Change::Live {
        job: job_id(4),
        live: Live { output_bytes: 9_001, ..Live::default() },
    }]))
}

#[test]
fn what_goes_wrong_or_waits_stands_on_the_cards() {
    assert_screens("troubled", troubled);
}

#[test]
fn an_overview_tells_what_a_ticket_waits_for_and_what_waits_for_its_agent() {
    let edit = |ticket: &mut Ticket| {
        ticket.message = Some(Message { text: "Use zod, and\nnot yup".into(), at: NOW });
        ticket.worktree.as_mut().unwrap().port = Some(20_010);
    };
    let make = |theme, keys| troubled(theme).keys(keys).keys("<enter>");
    insta::assert_snapshot!("overview_at_work", make(Theme::color(), "lG").with_ticket(4, edit).size(120, 40).screen());
    insta::assert_snapshot!("overview_queued", make(Theme::color(), "gg").size(120, 40).screen());
}

#[test]
fn the_help_begins_where_it_was_opened_and_goes_by_pages() {
    let help = |keys: &str| {
        let screen = world(Theme::color(), FULL).size(80, 24).keys(keys).screen();
        let (_, body) = screen.split_once("type to filter").unwrap();
        let (body, _) = body.split_once("esc back").unwrap();
        let inside = |line: &str| line.chars().skip(3).take(71).collect::<String>().trim().to_owned();
        body.lines().skip(1).map(inside).filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    let start = help("?");
    assert_eq!(
        [&start[0], &help("z?")[0], &help("<enter>?")[0], &help("<enter>3?")[0]],
        ["On the board", "In the log", "In a ticket", "In the change of a ticket"]
    );
    // A row stays in sight, so that one sees where it goes on.
    assert_eq!(help("?<pagedown>").first(), start.last());
    assert_eq!(help("?<pagedown><pageup>"), start);
    assert!(help("?<end>").iter().any(|row| row.contains("Draw the screen anew")));
    assert_eq!(help("?<end><home>"), start);
}

#[test]
fn the_help_filters_as_one_types() {
    assert_screens("help", |theme| world(theme, FULL).keys("?"));
    insta::assert_snapshot!("help_filtered", world(Theme::color(), FULL).keys("?").types("log").screen());
}

#[test]
fn a_long_refusal_has_lines_of_its_own() {
    let refused = crate::domain::command::Refused::new(
        crate::domain::command::RefusalCode::Waits,
        "#2 waits for #1, which is executing",
        "It starts by itself once #1 is done; H sends it back to proposed.",
    );
    insta::assert_snapshot!("refused", world(Theme::color(), FULL).tell(Msg::Refused(refused)).screen());
}

#[test]
fn a_watcher_says_that_another_process_runs_the_jobs() {
    let watcher = Settings { role: Role::Watcher, ..settings() };
    let theme = Theme::plain().with_glyphs(Glyphs::ascii());
    insta::assert_snapshot!(
        "watcher_ascii",
        world(theme, FULL).tell(Msg::Settings(Box::new(watcher))).size(120, 40).screen()
    );
}
