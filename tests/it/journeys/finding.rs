//! Finding one's way: filter, palette, mouse, keys of one's own, and a board that is stopped and brought back.

use super::{WIDE, board, leave, state};
use crate::support::pty::Pty;
use crate::support::{World, demo_world, until};

/// A world with three tickets: two proposed ones and a planned one.
fn three() -> World {
    let world = demo_world();
    world.draft(&["ticket", "add", "Guard the router"]).ok();
    world.draft(&["ticket", "add", "Retry uploads"]).ok();
    world.draft(&["ticket", "add", "Write the changelog", "--state", "planned"]).ok();
    world
}

/// Returns where a text is on the screen, counted from 1 as the mouse's reports do.
fn place(pty: &Pty, text: &str) -> (usize, usize) {
    let screen = pty.screen();
    let found = screen.lines().enumerate().find_map(|(y, line)| {
        let at = line.find(text)?;
        Some((line[..at].chars().count() + 1, y + 1))
    });
    found.unwrap_or_else(|| panic!("there is no `{text}` in\n{screen}"))
}

/// Sends what a terminal sends for the mouse: a button's number, a place, and whether it goes down.
fn mouse(pty: &Pty, button: u8, (x, y): (usize, usize), down: bool) {
    pty.send(format!("\x1b[<{button};{x};{y}{}", if down { 'M' } else { 'm' }).as_bytes());
}

#[test]
fn a_ticket_is_found_by_the_filter_and_by_the_palette() {
    let world = three();
    let pty = board(&world);
    pty.until_shows("Write the changelog");
    pty.keys("/state:proposed -router");
    pty.until("the board is narrow", |screen| {
        screen.contains("filter state:proposed -router 1 of 3") && !screen.contains("Write the changelog")
    });
    pty.keys("<enter>");
    pty.until_shows("q quit");
    pty.keys(":changel<enter>");
    pty.until("the filter made way", |screen| screen.contains("Write the changelog") && !screen.contains("1 of 3"));
    pty.keys(":move back<enter>");
    pty.until_shows("Proposed 3");
    assert_eq!(state(&world, "3"), "proposed");
    leave(&world, pty);
}

#[test]
fn a_card_is_clicked_and_dragged_and_the_mouse_goes_back_to_the_terminal() {
    let world = three();
    let pty = board(&world);
    let card = place(&pty, "Retry uploads");
    mouse(&pty, 0, card, true);
    mouse(&pty, 0, card, false);
    pty.until("it is selected", |screen| screen.contains("▌#2"));
    let planned = place(&pty, "Write the");
    mouse(&pty, 0, card, true);
    mouse(&pty, 32, planned, true);
    pty.until_shows("#2 → Planned");
    mouse(&pty, 0, planned, false);
    pty.until_shows("Planned 2");
    assert_eq!(state(&world, "2"), "planned");
    let new = place(&pty, "n new");
    mouse(&pty, 0, new, true);
    mouse(&pty, 0, new, false);
    pty.until_shows("New ticket");
    pty.keys("<esc>");
    pty.until("the form is away", |screen| screen.contains("q quit") && !screen.contains("New ticket"));
    leave(&world, pty);
}

#[test]
fn the_mouse_stays_the_terminals_where_the_setting_says_so() {
    let world = three();
    world.draft(&["config", "set", "--user", "ui.mouse", "false"]).ok();
    let pty = board(&world);
    assert!(!String::from_utf8_lossy(&pty.bytes()).contains("\x1b[?1000h"));
    world.draft(&["config", "set", "--user", "ui.mouse", "true"]).ok();
    until("an open board takes it", || String::from_utf8_lossy(&pty.bytes()).contains("\x1b[?1000h"));
    leave(&world, pty);
}

#[test]
fn own_keys_hold_and_a_wrong_file_is_told_and_counts_for_nothing() {
    let world = three();
    let file = world.folder().join("config/draft/keys.yaml");
    world.write(&file, "board:\n  accept: Z\n");
    let pty = board(&world);
    pty.keys("h");
    pty.until_shows("Z accept");
    pty.keys("Z");
    pty.until_shows("Planned 2");
    leave(&world, pty);
    world.write(&file, "board:\n  acept: Z\n");
    let pty = board(&world);
    pty.until_shows("keys.yaml:2:3");
    pty.until_shows("`accept`");
    pty.until_shows("the built-in keys hold");
    leave(&world, pty);
}

#[test]
fn a_board_that_is_stopped_gives_the_terminal_back_and_comes_again() {
    let world = three();
    let shell = format!("set -m; {}; echo \"stopped with $?\"; read line; fg", env!("CARGO_BIN_EXE_draft"));
    let mut pty = world.in_terminal(WIDE, "bash", &["--norc", "-c", &shell]);
    pty.until_shows("q quit");
    until("the window says what it is", || pty.title().starts_with("draft: "));
    pty.keys("<c-z>");
    pty.until_shows("stopped with");
    assert_eq!(pty.title(), "");
    pty.keys("<enter>");
    pty.until_shows("q quit");
    pty.keys("q");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    world.assert_nothing_left();
}

#[test]
fn a_person_who_looks_elsewhere_is_called() {
    let world = three();
    world.draft(&["config", "set", "--user", "ui.notify", "osc9"]).ok();
    let pty = board(&world);
    pty.send(b"\x1b[O");
    // A ticket that waits for an abandoned one needs somebody.
    pty.until_shows("q quit");
    world.draft(&["ticket", "add", "Follow up", "--after", "1", "--state", "planned"]).ok();
    world.draft(&["ticket", "move", "1", "abandoned"]).ok();
    until("the terminal was asked", || String::from_utf8_lossy(&pty.bytes()).contains("\x1b]9;#4 needs you ("));
    leave(&world, pty);
}
