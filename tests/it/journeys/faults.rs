//! What ends a board without being asked: signals and panics. The terminal is given back each time, and agents go on.

use std::io::Read;

use draft_board::ui::terminal::Terminal;
use rustix::process::Signal;

use super::{Gate, board, gated, leave};
use crate::support::pty::Pty;
use crate::support::{Size, World, demo_world};

#[test]
fn a_signal_gives_the_terminal_back_and_leaves_agents_alone() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    gated(&world, "Say hello", &gate);
    world.draft(&["trust"]).ok();
    for (index, signal) in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT].into_iter().enumerate() {
        let mut pty = board(&world);
        if index == 0 {
            pty.until_shows("Planned 1");
            pty.keys("x");
        }
        pty.until_shows("begun");
        pty.signal(signal);
        assert!(pty.wait_exit().success(), "{signal:?}");
        pty.assert_restored();
        assert!(!world.processes().is_empty(), "{signal:?}: the agent goes on");
    }
    let pty = board(&world);
    pty.until_shows("begun");
    gate.open();
    pty.until_shows("Review 1");
    leave(&world, pty);
}

/// Which thread breaks.
const BREAKS: &str = "DRAFT_TEST_BREAKS";

/// Runs this very test once more in a terminal, where it plays the program that breaks.
fn play(breaks: &str, test: &str) -> (World, Pty) {
    let world = World::bare();
    let ourselves = std::env::current_exe().unwrap();
    let variable = format!("{BREAKS}={breaks}");
    let args = [&variable, ourselves.to_str().unwrap(), "--exact", test, "--nocapture", "--test-threads=1"];
    let pty = world.in_terminal(Size::new(80, 24), "env", &args);
    (world, pty)
}

fn is_player() -> bool {
    std::env::var_os(BREAKS).is_some()
}

#[test]
fn a_panic_of_the_drawing_thread_gives_the_terminal_back_before_it_is_told() {
    if is_player() {
        let mut terminal = Terminal::enter().unwrap();
        terminal.draw(|frame| frame.render_widget("a picture", frame.area())).unwrap();
        let _ = std::io::stdin().read(&mut [0]).unwrap();
        // The beginning of a frame is lost with it.
        terminal.draw(|_| panic!("the picture fell down")).unwrap();
    }
    let (world, mut pty) =
        play("drawing", "journeys::faults::a_panic_of_the_drawing_thread_gives_the_terminal_back_before_it_is_told");
    pty.until_shows("a picture");
    pty.keys("<space>");
    assert!(!pty.wait_exit().success());
    pty.assert_restored();
    pty.until_shows("the picture fell down");
    world.assert_nothing_left();
}

#[test]
fn a_panic_of_another_thread_leaves_the_picture_alone() {
    if is_player() {
        let mut terminal = Terminal::enter().unwrap();
        terminal.draw(|frame| frame.render_widget("a picture", frame.area())).unwrap();
        let broken = std::thread::spawn(|| panic!("something fell down behind it")).join();
        terminal.draw(|frame| frame.render_widget("still a picture", frame.area())).unwrap();
        let _ = std::io::stdin().read(&mut [0]).unwrap();
        terminal.leave().unwrap();
        assert!(broken.is_err());
        return;
    }
    let (world, mut pty) = play("behind", "journeys::faults::a_panic_of_another_thread_leaves_the_picture_alone");
    pty.until_shows("still a picture");
    assert_eq!(pty.screen().trim_end(), "still a picture");
    pty.keys("<space>");
    assert!(pty.wait_exit().success(), "{}", pty.screen());
    pty.assert_restored();
    assert!(!String::from_utf8_lossy(&pty.bytes()).contains("fell down"));
    world.assert_nothing_left();
}
