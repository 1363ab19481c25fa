//! The log goes elsewhere: a row copied, all of it saved or read in a pager, and all running logs at once.

use crate::domain::change::Change;
use crate::domain::id::TicketId;
use crate::domain::log::{Entry, EntryKind, LogPage, LogPlace, LogRows, LogView};
use crate::domain::run::{Run, RunId, RunKind};
use crate::ui::msg::{Controls, Effect, Existing, LogText, Msg, Saved, Setup};
use crate::ui::testing::{World, board, changes, check, job_id, setup, ticket_id};
use crate::ui::theme::{Glyphs, Theme};

const SIZES: [(u16, u16); 4] = [(200, 50), (120, 40), (80, 24), (40, 10)];

/// A ticket that runs, with the log over the whole screen.
fn zoomed() -> World {
    let run = Run { kind: RunKind::Execute, finished_at: None, end: None, ..check(RunId { job: job_id(1), n: 1 }) };
    World::board("executing").tell(Msg::Changed(vec![Change::Run(run)])).keys("z").answer_log()
}

fn copied(world: &World) -> Option<&str> {
    world.effects.iter().rev().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    })
}

fn saves(world: &World) -> Option<(&LogText, &str, Existing)> {
    world.effects.iter().rev().find_map(|effect| match effect {
        Effect::SaveLog { text, path, existing } => Some((text, path.as_str(), *existing)),
        _ => None,
    })
}

#[test]
fn a_row_is_copied_whole_and_without_its_colours() {
    let world = zoomed().keys("y");
    assert_eq!(copied(&world), Some("I'll add the middleware and wire it into the router."));
    assert!(world.screen().contains("copied: I'll add the"), "{}", world.screen());
    let world = zoomed().keys("p").answer_log().keys("y");
    assert_eq!(copied(&world), Some("{\"type\":\"assistant\"}"));
    // On the board the same key is about the ticket, and in a ticket it is as its tab is.
    let world = World::board("executing").keys("y");
    assert!(copied(&world).is_none() && world.screen().contains("Copy of #1"), "{}", world.screen());
    let world = World::board("executing").keys("<enter>2").answer_log().keys("y");
    assert_eq!(copied(&world), Some("I'll add the middleware and wire it into the router."));
    let world = World::board("executing").keys("z").keys("y");
    assert!(copied(&world).is_none() && world.screen().contains("no row here"), "{}", world.screen());
}

#[test]
fn a_row_of_many_lines_says_how_many() {
    let world = World::board("executing").keys("z");
    let request = world.model.asked_log().unwrap().clone();
    let rows = LogRows::Pretty(vec![(None, Entry::new(EntryKind::Error, "\u{1b}[31mone\u{1b}[0m\ntwo\nthree"))]);
    let world = world.tell(Msg::LogPage(Box::new(LogPage::of(request, rows)))).keys("y");
    assert_eq!(copied(&world), Some("one\ntwo\nthree"));
    assert!(world.screen().contains("copied: one and 2 more lines"), "{}", world.screen());
}

#[test]
fn the_question_where_a_log_is_saved_is_drawn_at_every_size() {
    for (width, height) in SIZES {
        let world = zoomed().size(width, height).keys("W");
        insta::assert_snapshot!(format!("save_{width}x{height}"), world.screen());
    }
}

#[test]
fn a_log_is_saved_as_it_is_shown_and_overwrites_nothing_unasked() {
    let world = zoomed().keys("W<enter>");
    let (text, path, existing) = saves(&world).unwrap();
    assert_eq!((path, existing), ("draft-1-execute.log", Existing::Kept));
    assert_eq!(
        (text.request.view, text.request.place, text.controls),
        (LogView::Pretty, LogPlace::From(0), Controls::Kept)
    );
    assert!(text.times.is_some());
    let text = text.clone();
    let exists = Msg::Saved(Saved::Exists { text: Box::new(text), path: "/home/ada/a.log".into() });
    let asked = world.forget().tell(exists.clone());
    insta::assert_snapshot!("overwrite", asked.screen());
    let kept = asked.keys("<enter>");
    assert!(saves(&kept).is_none() && kept.model.over.is_none());
    let replaced = kept.tell(exists).keys("y");
    assert_eq!(
        saves(&replaced).map(|(_, path, existing)| (path, existing)),
        Some(("/home/ada/a.log", Existing::Replaced))
    );
    let done = replaced.tell(Msg::Saved(Saved::Done { path: "/home/ada/a.log".into(), bytes: 2_048 }));
    assert!(done.screen().contains("saved: /home/ada/a.log (2"), "{}", done.screen());
    let failed = done.tell(Msg::Saved(Saved::Failed("no room".into())));
    assert!(failed.screen().contains("no room"), "{}", failed.screen());
    // Raw, without times, and where somebody says.
    let world = zoomed().keys("pt").answer_log().keys("W<c-u>").types("~/x y.log").keys("<enter>");
    let (text, path, _) = saves(&world).unwrap();
    assert_eq!((text.request.view, text.times, path), (LogView::Raw, None, "~/x y.log"));
    let world = zoomed().keys("W<c-u><enter><esc>");
    assert!(saves(&world).is_none() && world.model.over.is_none());
}

#[test]
fn a_pager_reads_all_of_the_log_and_only_where_there_is_one() {
    let world = zoomed().keys("P");
    let Some(Effect::PageLog(text)) = world.acts().pop() else { panic!("{:?}", world.effects) };
    assert_eq!((text.request.place, text.controls), (LogPlace::From(0), Controls::Shown));
    let world = World::board("planned").keys("z").forget().keys("PW");
    assert!(world.acts().is_empty() && world.screen().contains("nothing has run for #1"), "{}", world.screen());
    let world = World::board("executing").keys("<enter>").forget().keys("W");
    assert!(world.acts().is_empty() && world.screen().contains("2 shows it"), "{}", world.screen());
}

/// Answers what the cells want with what their agents say.
fn answered(mut world: World) -> World {
    let wanted = world.effects.iter().rev().find_map(|effect| match effect {
        Effect::WatchAll(requests) => Some(requests.clone()),
        _ => None,
    });
    for request in wanted.unwrap_or_default() {
        let number = world.model.board().ticket(request.ticket).unwrap().number;
        let said = (1..=20).map(|n| (None, Entry::new(EntryKind::Assistant, format!("{number} does step {n}"))));
        let rows = LogRows::Pretty(said.collect());
        world = world.tell(Msg::LogPage(Box::new(LogPage::of(request, rows))));
    }
    world
}

fn cell(world: &World) -> Option<TicketId> {
    world.model.grid.as_ref().and_then(|grid| grid.at)
}

#[test]
fn all_running_logs_are_a_grid_at_every_size() {
    for count in [1, 3, 7, 14] {
        let words = "executing ".repeat(count) + "planned verifying";
        for (width, height) in SIZES {
            let world = answered(World::board(&words).size(width, height).keys("gl"));
            insta::assert_snapshot!(format!("grid_{count}_{width}x{height}"), world.screen());
        }
    }
    let plain = Setup { theme: Theme::plain().with_glyphs(Glyphs::ascii()), ..setup(board("executing executing")) };
    insta::assert_snapshot!("grid_ascii", answered(World::of(plain).keys("gl")).screen());
}

#[test]
fn the_grid_is_moved_in_and_opens_the_log_of_a_ticket() {
    let world = answered(World::board("executing executing executing executing planned").size(200, 50).keys("gl"));
    assert_eq!(cell(&world), Some(ticket_id(1)));
    let world = world.keys("l");
    assert_eq!(cell(&world), Some(ticket_id(2)));
    let world = world.keys("<down>");
    assert_eq!(cell(&world), Some(ticket_id(4)));
    let world = world.keys("h<up>");
    assert_eq!(cell(&world), Some(ticket_id(1)));
    let world = world.keys("G<enter>");
    assert_eq!(world.model.ticket.as_ref().map(|screen| screen.ticket), Some(ticket_id(4)));
    assert_eq!(world.model.asked_log().map(|request| request.ticket), Some(ticket_id(4)));
    assert_eq!(
        world.effects.iter().rev().find(|effect| matches!(effect, Effect::WatchAll(_))),
        Some(&Effect::WatchAll(Vec::new()))
    );
    let world = answered(world.keys("<esc>"));
    assert!(world.screen().contains("#2 does step 20"), "{}", world.screen());
    let world = world.keys("<esc>");
    assert_eq!((world.model.grid.is_some(), world.cursor()), (false, Some(4)));
}

#[test]
fn a_ticket_that_is_over_leaves_its_cell_to_the_next_one() {
    let world = answered(World::board("executing executing executing").keys("gl"));
    let world = world.keys("l").tell(Msg::Changed(changes(2, "needs_human")));
    assert_eq!(cell(&world), Some(ticket_id(3)));
    assert!(!world.screen().contains("#2 Guard"), "{}", world.screen());
    let world = world.tell(Msg::Changed(changes(3, "done"))).tell(Msg::Changed(changes(1, "done")));
    assert!(cell(&world).is_none() && world.screen().contains("Nothing runs any more"), "{}", world.screen());
    let world = world.forget().keys("c<enter>");
    assert!(world.acts().is_empty() && world.model.ticket.is_none());
    assert!(world.keys("<esc>").model.grid.is_none());
    let world = World::board("planned").keys("gl");
    assert!(world.model.grid.is_none() && world.screen().contains("nothing runs now"), "{}", world.screen());
    // A late answer of a log that nobody wants any more changes nothing.
    let world = answered(World::board("executing").keys("gl")).keys("<esc>");
    let before = world.screen();
    assert_eq!(answered(world).screen(), before);
}
