//! The log: searching, scrolling away from its end, and how it is laid out.

use crate::domain::change::Change;
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::log::{Entry, EntryKind, Found, LogPage, LogPlace, LogRequest, LogRows, LogView, Ran, Way};
use crate::domain::log_find::Sought;
use crate::domain::run::{Run, RunEnd, RunId, RunKind};
use crate::ui::msg::Msg;
use crate::ui::testing::{NOW, World, at, board, job_id, setup, ticket_id, worked};
use crate::ui::theme::{Glyphs, Theme};

const SIZES: [(u16, u16); 4] = [(200, 50), (120, 40), (80, 24), (40, 10)];

fn asked(world: &World) -> LogRequest {
    world.model.asked_log().unwrap().clone()
}

/// What an agent says; each tenth entry is a command that failed.
fn entries(first: u64, count: u64) -> LogRows {
    let said = |n: u64| {
        if n % 10 == 9 {
            return Entry {
                exit_code: Some(1),
                ..Entry::new(EntryKind::Command, format!("cargo test {n}\nerror: no"))
            };
        }
        Entry::new(EntryKind::Assistant, format!("I look at the middleware, step {n}."))
    };
    LogRows::Pretty((first..first + count).map(|n| (None, said(n))).collect())
}

/// Answers the newest request as a log of so many entries would.
fn answer(world: World, total: u64, found: Option<Found>) -> World {
    let request = asked(&world);
    let count = u64::from(request.rows).min(total);
    let first = match (request.place, found.and_then(|found| found.row)) {
        (LogPlace::Found { .. }, Some((row, _))) => row.saturating_sub(count / 3),
        (LogPlace::Found { top, .. }, None) => top,
        (LogPlace::From(first), _) => first,
        (LogPlace::End, _) => total - count,
    };
    let rows = entries(first, count.min(total - first));
    world.tell(Msg::LogPage(Box::new(LogPage { first, total, found, ..LogPage::of(request, rows) })))
}

fn zoomed(theme: Theme, (width, height): (u16, u16)) -> World {
    let setup = crate::ui::msg::Setup { theme, ..setup(board("executing")) };
    answer(World::of(setup).size(width, height).keys("z"), 1_000, None)
}

fn found(total: u64, row: Option<(u64, u64)>) -> Option<Found> {
    Some(Found { total, row })
}

#[test]
fn words_that_are_typed_are_looked_for_at_once_and_shown() {
    for (width, height) in SIZES {
        let world = zoomed(Theme::color(), (width, height)).keys("/").types("middle");
        let world = answer(world, 1_000, found(900, Some((500, 451))));
        insta::assert_snapshot!(format!("search_typed_{width}x{height}"), world.screen());
        let world = world.keys("<enter>");
        insta::assert_snapshot!(format!("search_kept_{width}x{height}"), world.screen());
    }
    let world = zoomed(Theme::plain(), (80, 24)).keys("/").types("zebra");
    insta::assert_snapshot!("search_not_found_plain", answer(world, 1_000, found(0, None)).screen());
}

#[test]
fn a_search_begins_where_the_log_is_and_goes_on_in_both_directions() {
    let world = zoomed(Theme::color(), (80, 24)).keys("/").types("mi");
    let request = asked(&world);
    assert!(matches!(request.sought, Some(Sought::Words(words)) if words.text() == "mi"));
    assert_eq!(request.place, LogPlace::Found { from: 982, way: Way::Here, top: 982 });
    let world = answer(world, 1_000, found(900, Some((985, 888)))).keys("<enter>n");
    assert!(matches!(asked(&world).place, LogPlace::Found { from: 985, way: Way::Down, .. }));
    let world = answer(world, 1_000, found(900, Some((986, 889)))).keys("N");
    assert!(matches!(asked(&world).place, LogPlace::Found { from: 986, way: Way::Up, .. }));
    // Somewhere else, it goes on from what is in sight.
    let world = answer(world, 1_000, found(900, Some((985, 888)))).keys("gg");
    let world = answer(world, 1_000, found(900, None)).keys("n");
    assert!(matches!(asked(&world).place, LogPlace::Found { from: 0, way: Way::Here, .. }));
}

#[test]
fn a_search_that_is_given_up_leaves_everything_as_it_was() {
    let world = zoomed(Theme::color(), (80, 24));
    let before = asked(&world);
    let world = world.keys("/").types("mi");
    let world = answer(world, 1_000, found(900, Some((4, 5)))).keys("<esc>");
    assert_eq!(asked(&world), before);
    // One that is kept ends with Esc, and the next Esc leaves the log.
    let world = answer(world, 1_000, None).keys("/").types("mi");
    let world = answer(world, 1_000, found(900, Some((400, 360)))).keys("<enter><esc>");
    assert_eq!((asked(&world).sought, world.model.log.is_zoomed()), (None, true));
    assert!(matches!(asked(&world).place, LogPlace::From(_)));
    let world = answer(world, 1_000, None).keys("<esc>");
    assert!(!world.model.log.is_zoomed());
}

#[test]
fn errors_are_gone_to_without_typing() {
    let world = zoomed(Theme::color(), (80, 24)).keys("gg");
    let world = answer(world, 1_000, None).keys("]e");
    assert_eq!(asked(&world).sought, Some(Sought::Errors));
    let world = answer(world, 1_000, found(100, Some((9, 1))));
    assert!(world.screen().contains("errors 1/100"), "{}", world.screen());
    let world = world.keys("[e");
    assert!(matches!(asked(&world).place, LogPlace::Found { from: 9, way: Way::Up, .. }));
}

#[test]
fn while_a_search_goes_on_it_says_how_far_it_is() {
    let world = zoomed(Theme::color(), (80, 24)).keys("/").types("x");
    let request = asked(&world);
    let page = LogPage {
        first: 900,
        total: 1_000,
        found: found(12, None),
        progress: Some(43),
        ..LogPage::of(request, entries(900, 18))
    };
    let world = world.tell(Msg::LogPage(Box::new(page)));
    assert!(world.screen().contains("12 searching 43%"), "{}", world.screen());
}

#[test]
fn scrolling_up_pauses_and_says_how_much_is_new() {
    let world = zoomed(Theme::color(), (80, 24)).keys("k");
    let world = answer(world, 1_000, None);
    assert!(!world.screen().contains("new"), "{}", world.screen());
    let world = answer(world, 2_204, None);
    assert!(world.screen().contains("1,204 new entries"), "{}", world.screen());
    let world = world.keys("G");
    assert_eq!(asked(&world).place, LogPlace::End);
    let world = answer(world, 2_204, None);
    assert!(world.screen().contains("follow") && !world.screen().contains("new entries"), "{}", world.screen());
}

#[test]
fn long_lines_are_wrapped_or_cut_and_times_and_tools_can_go() {
    let world = World::board("executing").size(60, 12).keys("z");
    let request = asked(&world);
    let command =
        Entry::new(EntryKind::Command, "cargo test --workspace --all-targets --all-features --locked\none\ntwo");
    let rows = LogRows::Pretty(vec![(Some(crate::ui::testing::at(30)), command)]);
    let world = world.tell(Msg::LogPage(Box::new(LogPage::of(request, rows))));
    insta::assert_snapshot!("log_wrapped", world.screen());
    let world = world.keys("w");
    insta::assert_snapshot!("log_cut", world.screen());
    let world = world.keys("wtF");
    insta::assert_snapshot!("log_folded", world.screen());
}

#[test]
fn a_match_far_down_in_a_long_entry_is_in_sight() {
    let world = World::board("executing").size(60, 16).keys("z");
    let world = answer(world, 3, None).keys("/").types("needle");
    let text: Vec<String> = (0..90).map(|n| if n == 70 { "a needle".into() } else { format!("line {n}") }).collect();
    let rows = LogRows::Pretty(vec![(None, Entry::new(EntryKind::Assistant, text.join("\n")))]);
    let page = LogPage { found: found(1, Some((0, 1))), ..LogPage::of(asked(&world), rows) };
    let world = world.tell(Msg::LogPage(Box::new(page)));
    assert!(world.screen().contains("a needle") && world.screen().contains("line 69"), "{}", world.screen());
}

#[test]
fn the_raw_view_marks_what_is_found_and_keeps_the_colours() {
    let world = World::board("executing").size(60, 12).keys("zp");
    let request = asked(&world);
    assert_eq!(request.view, LogView::Raw);
    let raw = || LogRows::Raw(vec!["\u{1b}[32mall \u{1b}[1mgood\u{1b}[0m here \u{1b}[2J".into(), "not good".into()]);
    let world = world.tell(Msg::LogPage(Box::new(LogPage::of(request, raw()))));
    let world = world.keys("/").types("l good");
    let page = LogPage { found: found(1, Some((0, 1))), ..LogPage::of(asked(&world), raw()) };
    insta::assert_snapshot!("search_raw", world.tell(Msg::LogPage(Box::new(page))).screen());
}

#[test]
fn what_of_a_log_is_shown_is_chosen_in_a_panel_and_said_in_the_title() {
    for (width, height) in SIZES {
        let world = zoomed(Theme::color(), (width, height)).keys("fj<space>jj<space>");
        let request = asked(&world);
        assert_eq!(request.filter.hidden.iter().map(|part| part.as_str()).collect::<Vec<_>>(), ["stderr", "thinking"]);
        assert_eq!(request.place, LogPlace::End);
        let page = LogPage { hidden: 1_203, ..LogPage::of(request, entries(0, 4)) };
        let world = world.tell(Msg::LogPage(Box::new(page)));
        insta::assert_snapshot!(format!("log_filter_{width}x{height}"), world.screen());
        insta::assert_snapshot!(format!("log_filtered_{width}x{height}"), world.keys("<enter>").screen());
    }
}

#[test]
fn words_of_the_filter_are_typed_and_all_is_shown_again_with_one_key() {
    let world = zoomed(Theme::color(), (80, 24)).keys("fk").types("a j q");
    assert_eq!(asked(&world).filter.words.unwrap().text(), "a j q");
    let world = answer(world, 3, None);
    assert!(world.screen().contains("only with  a j q"), "{}", world.screen());
    let world = world.keys("<up>a");
    assert!(asked(&world).filter.is_open());
    let world = world.keys("fk").types("zebra");
    let page = LogPage { hidden: 9, ..LogPage::of(asked(&world), LogRows::Pretty(Vec::new())) };
    let world = world.tell(Msg::LogPage(Box::new(page))).keys("<enter>");
    assert!(world.screen().contains("Nothing of this log passes the filter"), "{}", world.screen());
}

/// Everything that ran for the first ticket: three tries of an agent, and the checks of each.
fn ran() -> Msg {
    let mut detail = worked(1, "claude");
    for n in 1..=3_u32 {
        let mut job = detail.jobs[0].clone();
        (job.id, job.attempt) = (job_id(700 + n), n);
        let run = |kind, number, command: &str, end| Run {
            id: RunId { job: job.id, n: number },
            kind,
            command: command.into(),
            started_at: at(4_000 - i64::from(n * 600 + number)),
            finished_at: Some(at(3_900 - i64::from(n * 600 + number))),
            end: Some(end),
        };
        detail.runs.push(run(RunKind::Execute, 1, "claude -p", RunEnd::Exited { code: 0 }));
        detail.runs.push(run(RunKind::Check, 2, "cargo test --workspace \u{1b}[2J", RunEnd::Exited { code: 101 }));
        detail.jobs.push(job);
    }
    Msg::Detail(Box::new(detail))
}

#[test]
fn the_log_of_anything_that_ran_is_chosen_from_a_list() {
    for (width, height) in SIZES {
        let world = zoomed(Theme::color(), (width, height)).keys("J").tell(ran());
        insta::assert_snapshot!(format!("log_runs_{width}x{height}"), world.screen());
    }
    let world = zoomed(Theme::color(), (80, 24)).keys("J").tell(ran()).keys("jj<enter>");
    assert_eq!(asked(&world).run, Some(RunId { job: job_id(702), n: 2 }));
    let world = world.keys("J").tell(ran());
    assert!(world.screen().lines().any(|line| line.contains(Glyphs::unicode().cursor) && line.contains("check")));
    // The newest one is followed, whatever comes.
    let world = answer(world.keys("gg<enter>"), 1_000, None);
    assert_eq!(asked(&world).run, None);
    // What is looked at already stays there.
    let world = world.keys("J").tell(ran()).keys("<enter>");
    assert!(world.screen().contains("step 998"), "{}", world.screen());
    let none = zoomed(Theme::color(), (80, 24)).keys("J").tell(Msg::Detail(Box::new(worked(1, "claude"))));
    assert!(none.screen().contains("nothing has run"), "{}", none.screen());
}

#[test]
fn times_that_nobody_noted_are_not_promised() {
    let world = zoomed(Theme::color(), (80, 24)).keys("t");
    assert!(!world.screen().contains("nobody noted"), "hiding them needs no excuse");
    let world = world.keys("t");
    assert!(world.screen().contains("nobody noted"), "{}", world.screen());
}

#[test]
fn what_is_looked_for_and_hidden_ends_with_the_ticket() {
    let world = answer(World::board("executing executing").size(80, 40).keys("<s-tab>"), 1_000, None);
    let world = answer(world.keys("f<space><enter>"), 1_000, None).keys("/").types("mi");
    let world = answer(world, 1_000, found(900, Some((4, 5)))).keys("<enter>");
    assert!(asked(&world).sought.is_some() && !asked(&world).filter.is_open());
    let world = world.keys("<esc><esc>j");
    assert_eq!((asked(&world).sought.is_none(), asked(&world).filter.is_open()), (true, true));
}

/// The three tries, their checks, and a landing of which nothing runs.
fn landed() -> (World, Ran) {
    let Msg::Detail(detail) = ran() else { unreachable!("what ran comes with the details") };
    let mut job = detail.jobs.last().unwrap().clone();
    (job.kind, job.status) = (JobKind::Execute, JobStatus::Succeeded);
    let runs: Vec<Run> = detail.runs.iter().filter(|run| run.id.job == job.id).cloned().collect();
    let landing = Job { status: JobStatus::Succeeded, ..Job::queued(job_id(800), ticket_id(1), JobKind::Land, NOW) };
    let world = zoomed(Theme::color(), (200, 50)).tell(Msg::Changed(vec![Change::Job(landing)]));
    (world, Ran { job, runs })
}

#[test]
fn a_job_of_which_nothing_runs_leaves_the_log_of_what_ran_before() {
    let (world, earlier) = landed();
    let page = LogPage { earlier: Some(Box::new(earlier)), ..LogPage::of(asked(&world), entries(0, 4)) };
    let world = world.tell(Msg::LogPage(Box::new(page)));
    let screen = world.screen();
    assert!(screen.contains("check 1 · cargo test") && screen.contains("then land succeeded"), "{screen}");
    assert!(screen.contains("step 3"), "{screen}");
    // What follows it is another log.
    assert!(!world.keys("<lt>").tell(ran()).screen().contains("then land"));
}

#[test]
fn a_run_of_the_newest_job_takes_the_place_of_what_ran_before() {
    let (world, earlier) = landed();
    let page = LogPage { earlier: Some(Box::new(earlier)), ..LogPage::of(asked(&world), entries(0, 4)) };
    let check = Run {
        id: RunId { job: job_id(800), n: 1 },
        kind: RunKind::Check,
        command: "cargo clippy".into(),
        started_at: NOW,
        finished_at: None,
        end: None,
    };
    let world = world.tell(Msg::LogPage(Box::new(page))).tell(Msg::Changed(vec![Change::Run(check)]));
    let screen = world.screen();
    assert!(screen.contains("cargo clippy") && !screen.contains("then land"), "{screen}");
}
