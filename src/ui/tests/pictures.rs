//! Every screen at every size, as text and as a map of its styles.

use crate::domain::detail::Detail;
use crate::domain::event::{Actor, Event, EventKind, NewEvent};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::id::{EvidenceId, TicketId};
use crate::domain::run::{RunEnd, RunId};
use crate::domain::state::StateName;
use crate::ui::msg::{Msg, Role, Settings};
use crate::ui::testing::{World, at, board, changes, check, job_id, revision, settings, setup};
use crate::ui::theme::{Glyphs, Theme};

const FULL: &str = "executing waiting verifying needs_human blocked proposed done planned queued done question \
                    abandoned planned executing proposed";

const SIZES: [(u16, u16); 4] = [(200, 50), (120, 40), (80, 24), (40, 10)];

/// Compares the pictures at every size, and one without colours.
fn assert_screens(name: &str, make: impl Fn(Theme) -> World) {
    for (width, height) in SIZES {
        let world = make(Theme::color()).size(width, height).answer_log();
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), world.screen());
    }
    insta::assert_snapshot!(format!("{name}_plain"), make(Theme::plain()).answer_log().screen());
}

fn world(theme: Theme, words: &str) -> World {
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

fn untrusted(theme: Theme) -> World {
    world(theme, FULL).tell(Msg::Settings(Settings { trusted: false, ..settings() }))
}

#[test]
fn an_empty_board_says_what_to_press() {
    assert_screens("empty", |theme| world(theme, ""));
}

#[test]
fn an_empty_board_without_agents_and_checks_says_what_is_missing() {
    let none = Settings { agents: Vec::new(), checks: Vec::new(), ..settings() };
    insta::assert_snapshot!("empty_without_agents", world(Theme::color(), "").tell(Msg::Settings(none)).screen());
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
fn a_ticket_shows_its_evidence_history_and_jobs() {
    assert_screens("ticket_evidence", |theme| ticket(theme, "4"));
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
fn questions_name_what_they_are_about() {
    assert_screens("quit", |theme| world(theme, FULL).keys("q"));
    assert_screens("cancel", |theme| world(theme, FULL).keys("llc"));
    assert_screens("abandon", |theme| world(theme, FULL).keys("llllllhL"));
    assert_screens("trust", |theme| untrusted(theme).keys("ljxjj"));
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
    insta::assert_snapshot!("watcher_ascii", world(theme, FULL).tell(Msg::Settings(watcher)).size(120, 40).screen());
}
