//! Reading a change: which one is shown, what keys do to it, and how it looks.

use crate::domain::change::Change;
use crate::domain::command::{Command, Reviewing};
use crate::domain::diff::{self, Content, DiffLine, DiffPage, DiffRequest, FileChange, FileDiff, Hunk};
use crate::domain::event::Actor;
use crate::domain::follow::Place;
use crate::domain::id::{CommentId, TicketRef};
use crate::domain::review::{Comment, Side, Spot, Verdict};
use crate::domain::revision::{Revision, RevisionStatus};
use crate::ui::msg::{Effect, Msg};
use crate::ui::testing::{World, at, revision, ticket_id};
use crate::ui::theme::Theme;

use super::pictures::{FULL, assert_screens, world};

fn text(change: FileChange, path: &str, lines: &[&str]) -> FileDiff {
    let line = |line: &&str| match line.split_at(1) {
        ("+", text) => DiffLine::Added(text.into()),
        ("-", text) => DiffLine::Removed(text.into()),
        (_, text) => DiffLine::Context(text.into()),
    };
    let lines: Vec<DiffLine> = lines.iter().map(line).collect();
    let count = |is: fn(&DiffLine) -> bool| u32::try_from(lines.iter().filter(|line| is(line)).count()).unwrap();
    let hunk = |start: u32| Hunk {
        old_start: start,
        old_lines: count(|line| !matches!(line, DiffLine::Added(_))),
        new_start: start,
        new_lines: count(|line| !matches!(line, DiffLine::Removed(_))),
        lines: lines.clone(),
    };
    let content = Content::Text(vec![hunk(9), hunk(120)]);
    FileDiff { change, path: path.into(), old_path: None, modes: None, content }
}

fn spot(line: u32) -> Spot {
    Spot {
        path: "src/router.rs".into(),
        side: Side::New,
        lines: Some((line, line)),
        quoted: "let user = jwt::verify();".into(),
        hunk: "@@ -9,4 +9,5 @@".into(),
    }
}

/// A comment on a ticket's change.
pub(super) fn said(n: u32, id: u128, others: &str) -> Comment {
    Comment {
        id: CommentId(uuid::Uuid::from_u128(id)),
        ticket: ticket_id(n),
        revision: 1,
        spot: spot(10),
        body: format!("What if the header is missing? {others}"),
        author: Actor::human(),
        reply_to: None,
        resolved: id == 2,
        at: at(60),
    }
}

/// The change of a ticket in that revision, with some text of others in it.
pub(super) fn page(n: u32, number: u32, others: &str) -> DiffPage {
    let files = vec![
        text(FileChange::Modified, "Cargo.lock", &["-version = \"1\"", "+version = \"2\""]),
        FileDiff {
            content: Content::Binary { old_size: 1_250, new_size: 41_000 },
            ..text(FileChange::Modified, "assets/logo.png", &[])
        },
        FileDiff {
            old_path: Some(format!("old {others}")),
            ..text(
                FileChange::Renamed,
                &format!("src/{others}router.rs"),
                &[
                    " fn route(request: &Request) -> Response {",
                    "-    let user = request.header(\"user\");",
                    "+    let user = jwt::verify(request.header(\"authorization\"))?;",
                    "     match request.path() {",
                    &format!("+{others}"),
                    " }",
                ],
            )
        },
    ];
    let ticket = ticket_id(n);
    DiffPage {
        request: DiffRequest { ticket, revision: number, since: None },
        change: Ok(diff::Change {
            revision: Revision { ticket, number, ..revision(n) },
            files,
            comments: vec![(said(n, 1, others), Place::At(spot(10))), (said(n, 2, "And why?"), Place::Orphaned)],
        }),
    }
}

/// A ticket in review, its change open.
fn reading(theme: Theme) -> World {
    let world = world(theme, FULL).keys("lllld");
    let n = world.cursor().unwrap();
    world.tell(Msg::Diff(Box::new(page(n, 1, ""))))
}

fn asked(world: &World) -> Vec<u32> {
    let asked = |effect: &Effect| if let Effect::LoadDiff(request) = effect { Some(request.revision) } else { None };
    world.effects.iter().filter_map(asked).collect()
}

#[test]
fn a_change_is_read_file_by_file() {
    assert_screens("diff", |theme| reading(theme).keys("}}}]c"));
}

#[test]
fn nothing_and_trouble_are_said() {
    insta::assert_snapshot!("diff_nothing", world(Theme::color(), FULL).keys("ll<enter>3").screen());
    let loading = world(Theme::color(), FULL).keys("lllld");
    insta::assert_snapshot!("diff_loading", loading.screen());
    let request = DiffRequest { ticket: loading.model.selected().unwrap(), revision: 1, since: None };
    let change = Err("the tree 1111111 is missing".to_owned());
    insta::assert_snapshot!("diff_trouble", loading.tell(Msg::Diff(Box::new(DiffPage { request, change }))).screen());
}

#[test]
fn a_lock_file_is_folded_until_somebody_unfolds_it() {
    let world = reading(Theme::color());
    assert!(world.screen().contains("4 changed lines are folded"));
    let world = world.keys("<space>");
    assert!(world.screen().contains("version = \"2\""));
    assert!(!world.keys("<space>").screen().contains("version = \"2\""));
}

#[test]
fn the_cursor_stays_on_its_line_when_the_sides_stand_beside_each_other() {
    let world = reading(Theme::plain()).size(150, 24).keys("}}]cjj");
    let line = |world: &World| {
        let sign = world.model.theme.glyphs.cursor;
        let screen = world.screen();
        // The list of files has a sign of its own.
        screen.lines().filter(|line| line.contains(sign)).find(|line| line.contains("header(")).unwrap_or("").to_owned()
    };
    assert!(line(&world).contains("request.header(\"user\")"), "{}", world.screen());
    let world = world.keys("|");
    assert!(line(&world).contains("request.header(\"user\")"), "{}", world.screen());
    assert!(line(&world).contains("jwt::verify"), "{}", world.screen());
}

#[test]
fn the_newest_revision_is_followed_unless_somebody_went_back() {
    let world = reading(Theme::color()).forget();
    let n = world.cursor().unwrap();
    let newer = |number| Msg::Changed(vec![Change::Revision(Revision { number, ..revision(n) })]);
    let world = world.tell(newer(2));
    assert_eq!(asked(&world), [2]);
    let world = world.keys("<lt>");
    assert_eq!(asked(&world), [2, 1]);
    let world = world.tell(Msg::Diff(Box::new(page(n, 1, ""))));
    assert!(world.screen().contains("revision 1 of 2, superseded"));
    let world = world.tell(newer(3));
    assert_eq!(asked(&world), [2, 1]);
    assert_eq!(asked(&world.keys("<gt><gt>")), [2, 1, 2, 3]);
}

#[test]
fn a_change_that_comes_late_is_dropped() {
    let world = reading(Theme::color());
    let n = world.cursor().unwrap();
    let newer = Revision { number: 2, status: RevisionStatus::Open, ..revision(n) };
    let world = world.tell(Msg::Changed(vec![Change::Revision(newer)]));
    let world = world.tell(Msg::Diff(Box::new(page(n, 1, "late"))));
    assert!(world.screen().contains("Loading"));
}

/// A ticket in review whose change is open, with a comment that is known to the board.
fn reviewing() -> World {
    let world = reading(Theme::color()).size(120, 40);
    let n = world.cursor().unwrap();
    world.tell(Msg::Changed(vec![Change::Comment(said(n, 1, ""))])).forget()
}

#[test]
fn a_line_is_commented_on_with_its_place_and_its_text() {
    let world = reviewing().keys("}}]cjjj");
    let n = world.cursor().unwrap();
    let world = world.keys("c").types("Name it token");
    insta::assert_snapshot!("diff_comment", world.screen());
    let world = world.keys("<enter>");
    let said = world.acts().into_iter().find_map(|effect| match effect {
        Effect::Comment { ticket, revision, spot, body, reply_to } => Some((*ticket, *revision, spot, body, *reply_to)),
        _ => None,
    });
    let (ticket, number, spot, body, reply_to) = said.unwrap();
    assert_eq!((ticket, number, body.as_str(), reply_to), (ticket_id(n), 1, "Name it token", None));
    assert_eq!((spot.path.as_str(), spot.side, spot.lines), ("src/router.rs", Side::New, Some((10, 10))));
    assert!(spot.quoted.contains("jwt::verify"), "{}", spot.quoted);
}

#[test]
fn a_range_of_lines_and_a_whole_file_can_be_commented_on_and_a_comment_answered() {
    let lines = |world: World| {
        let world = world.keys("c").types("x").keys("<enter>");
        let about = world.acts().into_iter().find_map(|effect| match effect {
            Effect::Comment { spot, reply_to, .. } => Some((spot.side, spot.lines, *reply_to)),
            _ => None,
        });
        about.unwrap_or_else(|| panic!("{}", world.screen()))
    };
    assert_eq!(lines(reviewing().keys("}}]cjvjj")), (Side::New, Some((9, 10)), None));
    assert_eq!(lines(reviewing().keys("}}]cjj")), (Side::Old, Some((10, 10)), None));
    assert_eq!(lines(reviewing().keys("}}")), (Side::New, None, None));
    let first = Some(CommentId(uuid::Uuid::from_u128(1)));
    assert_eq!(lines(reviewing().keys("}}]cjjjj")), (Side::New, Some((10, 10)), first));
    let nowhere = reviewing().keys("}}]cc");
    assert!(nowhere.screen().contains("a comment is about a line or a file"), "{}", nowhere.screen());
}

#[test]
fn what_was_said_is_put_aside_and_found_again() {
    let world = reviewing().keys("}}c").types("Half a").keys("<esc>");
    assert!(world.screen().contains("is kept for the next time"), "{}", world.screen());
    assert!(world.keys("c").screen().contains("Half a"));
}

#[test]
fn open_comments_are_asked_about_before_an_approval() {
    let world = reviewing();
    let n = world.cursor().unwrap();
    let review = |anyway| Command::Review {
        ticket: TicketRef::Id(ticket_id(n)),
        review: Reviewing {
            revision: Some(1),
            verdict: Verdict::Approve,
            summary: String::new(),
            comments: Vec::new(),
            run: false,
            anyway,
        },
    };
    let world = world.keys("a");
    assert!(world.screen().contains("1 comment on revision 1 is not resolved"), "{}", world.screen());
    assert_eq!(world.keys("y").acts(), [&Effect::Do(review(true))]);
    let resolved = Comment { resolved: true, ..said(n, 1, "") };
    let world = reviewing().tell(Msg::Changed(vec![Change::Comment(resolved)])).forget().keys("a");
    assert_eq!(world.acts(), [&Effect::Do(review(false))]);
}

#[test]
fn a_comment_is_resolved_where_the_cursor_is() {
    let world = reviewing().keys("}}]cjjjr");
    let resolved = |effect: &&Effect| matches!(effect, Effect::Do(Command::Resolve { comment, resolved: true, .. }) if comment.0.as_u128() == 1);
    assert!(world.acts().iter().any(resolved), "{:?}", world.acts());
}

#[test]
fn changes_are_requested_with_a_summary_or_open_comments() {
    let world = reviewing().keys("R").types("Nearly.").keys("<enter>");
    let sent = |effect: &&Effect| match effect {
        Effect::Do(Command::Review { review, .. }) => review.verdict == Verdict::RequestChanges && review.run,
        Effect::DoAll(commands) => matches!(&commands[..], [Command::Review { review, .. }] if review.run),
        _ => false,
    };
    assert!(world.acts().iter().any(sent), "{:?}", world.acts());
}

#[test]
fn two_revisions_are_compared() {
    let world = reading(Theme::color());
    let n = world.cursor().unwrap();
    let newer = Msg::Changed(vec![Change::Revision(Revision { number: 2, ..revision(n) })]);
    let world = world.tell(newer).forget().keys("i");
    let since: Vec<_> = world
        .effects
        .iter()
        .filter_map(|effect| if let Effect::LoadDiff(request) = effect { Some(request.since) } else { None })
        .collect();
    assert_eq!(since, [Some(1)]);
}

#[test]
fn comments_that_are_not_dealt_with_are_counted_on_the_card_and_in_the_ticket() {
    let comments = |theme| {
        let said = [said(4, 1, ""), said(4, 2, "")].map(Change::Comment);
        world(theme, FULL).size(120, 40).tell(Msg::Changed(said.to_vec())).keys("llllj")
    };
    // The second is resolved.
    let screen = comments(Theme::color()).screen();
    assert!(screen.contains("✎ 1"), "{screen}");
    let screen = comments(Theme::color()).keys("<enter>").screen();
    assert!(screen.contains("1 comment, not resolved; 5 shows them"), "{screen}");
    assert!(!world(Theme::color(), FULL).size(120, 40).screen().contains('✎'));
}

#[test]
fn a_landed_change_is_taken_back_where_it_is_read_too() {
    let world = world(Theme::color(), FULL).size(120, 40).keys("llllj<enter>3U");
    assert!(!world.screen().contains("means nothing"), "{}", world.screen());
    assert!(world.screen().contains("#4"), "{}", world.screen());
}
