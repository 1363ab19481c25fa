//! Reading a change: which one is shown, what keys do to it, and how it looks.

use crate::domain::change::Change;
use crate::domain::diff::{Content, DiffLine, DiffPage, DiffRequest, FileChange, FileDiff, Hunk};
use crate::domain::revision::{Revision, RevisionStatus};
use crate::ui::msg::{Effect, Msg};
use crate::ui::testing::{World, revision, ticket_id};
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
        request: DiffRequest { ticket, revision: number },
        change: Ok((Revision { ticket, number, ..revision(n) }, files)),
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
    let request = DiffRequest { ticket: loading.model.selected().unwrap(), revision: 1 };
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
        screen.lines().filter(|line| line.contains(sign)).find(|line| line.contains("user")).unwrap_or("").to_owned()
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
