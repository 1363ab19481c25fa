//! Terminals of all kinds: tiny ones, ones that change, ones without colours, and people who paste.

use super::{Gate, WIDE, board, leave};
use crate::support::pty::Pty;
use crate::support::{Size, World, demo_world, until};

#[test]
fn a_storm_of_sizes_while_output_flows_ends_in_a_whole_picture() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    let script = format!("[[rate 4000/2000]]{}[[write hello.txt hi]][[say finished]]", gate.wait());
    world.draft(&["ticket", "add", "Flood", "--description", &script, "--state", "planned"]).ok();
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("Executing 1");
    for size in (0..60).map(|n| Size::new(1 + n * 37 % 160, 1 + n * 17 % 50)) {
        pty.resize(size);
    }
    pty.resize(Size::new(1, 1));
    pty.resize(WIDE);
    gate.open();
    pty.until_shows("Review 1");
    pty.until("the picture is whole", |screen| screen.lines().next().is_some_and(|line| line.contains("draft")));
    leave(&world, pty);
}

#[test]
fn a_terminal_of_one_cell_shows_what_it_can_and_can_be_left() {
    let world = World::new();
    let mut pty = world.draft_in_terminal(Size::new(1, 1), &[]);
    until("the screen was taken", || pty.bytes().windows(8).any(|bytes| bytes == b"\x1b[?1049h"));
    pty.resize(Size::new(80, 24));
    pty.until_shows("q quit");
    pty.keys("n");
    pty.until_shows("New ticket");
    // An escape that the next key follows at once would be read as that key with Alt.
    pty.keys("<esc>");
    pty.until_shows("q quit");
    let before = pty.bytes().len();
    pty.resize(Size::new(1, 1));
    until("the one cell is drawn", || pty.bytes().len() > before);
    pty.keys("q");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    world.assert_nothing_left();
}

#[test]
fn a_megabyte_can_be_pasted_into_a_description() {
    let world = World::new();
    let pty = board(&world);
    pty.keys("n");
    pty.until_shows("New ticket");
    pty.keys("Large<tab>");
    let line = "All work and no play makes a long description, again and again.\n";
    let text = line.repeat(1024 * 1024 / line.len() - 1) + "The end.";
    pty.paste(&text);
    pty.until_shows("The end.");
    pty.keys("<a-enter>");
    pty.until_shows("Proposed 1");
    let ticket = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert!(ticket["description"] == text, "the description is whole");
    leave(&world, pty);
}

/// Starts the board with these arguments, in an environment that also has these variables.
fn plain_board(world: &World, variables: &[&str], args: &[&str]) -> Pty {
    let program = [variables, &[env!("CARGO_BIN_EXE_draft")], args].concat();
    let pty = world.in_terminal(WIDE, "env", &program);
    pty.until_shows("q quit");
    pty
}

/// Says whether a colour was set: what is bold, dim or reversed is none.
fn has_colour(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m')).any(|(parameters, _)| {
        let numbers = parameters.split(';').map(str::parse::<u32>);
        parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';')
            && numbers.flatten().any(|number| matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107))
    })
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let world = World::new();
    world.draft(&["ticket", "add", "Coloured"]).ok();
    for (variables, args, colour) in [
        (&[][..], &[][..], true),
        (&["NO_COLOR=1"], &[], false),
        (&["NO_COLOR="], &[], true),
        (&["TERM=dumb"], &[], false),
        (&[], &["--color", "never"], false),
        (&["NO_COLOR=1"], &["--color", "always"], true),
    ] {
        let pty = plain_board(&world, variables, args);
        pty.until_shows("Coloured");
        assert_eq!(has_colour(&pty.bytes()), colour, "{variables:?} {args:?}");
        leave(&world, pty);
    }
}

/// Returns what is around the first byte that is not ASCII, if there is one.
fn beyond_ascii(bytes: &[u8]) -> Option<String> {
    let at = bytes.iter().position(|byte| !byte.is_ascii())?;
    Some(String::from_utf8_lossy(&bytes[at.saturating_sub(20)..(at + 20).min(bytes.len())]).into_owned())
}

#[test]
fn where_the_locale_is_not_utf_8_every_byte_is_ascii() {
    let world = World::new();
    world.draft(&["ticket", "add", "Größe → 日本 …", "--description", "– é 😀"]).ok();
    for variables in [&["LANG=C"][..], &["LC_ALL=POSIX"], &["LANG="], &["LC_CTYPE=de_DE.ISO-8859-1"]] {
        let pty = plain_board(&world, variables, &[]);
        pty.until_shows("Gr??e > ? ?  ~");
        assert!(pty.screen().contains("+ Proposed 1 -"), "{}", pty.screen());
        for (keys, shows) in [("?", "Show every key"), ("<c-c>", "q quit"), ("n", "New ticket"), ("<c-c>", "q quit")] {
            pty.keys(keys);
            pty.until_shows(shows);
        }
        pty.keys("<enter>");
        pty.until_shows("History");
        assert_eq!(beyond_ascii(&pty.bytes()), None, "{variables:?}");
        leave(&world, pty);
    }
    let pty = plain_board(&world, &["LANG=C", "LC_ALL=de_DE.utf8"], &[]);
    pty.until_shows("Größe → 日本 …");
    leave(&world, pty);
}

#[test]
fn a_terminal_that_goes_away_in_the_middle_of_frames_ends_the_board_and_no_agent() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    let script = format!("[[rate 4000/2000]]{}[[write hello.txt hi]][[say finished]]", gate.wait());
    world.draft(&["ticket", "add", "Flood", "--description", &script, "--state", "planned"]).ok();
    world.draft(&["trust"]).ok();
    let mut pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("Executing 1");
    until("the agent is there beside the board and its supervisor", || world.processes().len() > 2);
    pty.hang_up();
    pty.wait_end();
    assert!(!world.processes().is_empty(), "the agent goes on");
    gate.open();
    let pty = board(&world);
    pty.until_shows("Review 1");
    leave(&world, pty);
}
