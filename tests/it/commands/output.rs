//! What is printed where: readers who go away, disks that are full, and texts that would act on a terminal.

use super::DRAFT;
use crate::support::{World, demo_world};

/// A title and a description that would clear the screen, colour it, ring, and turn letters around.
const EVIL: &str = "Red \u{1b}[31m\u{1b}[2J \u{7} \u{9b}5m \u{202e}evil";

fn many_tickets(world: &World) {
    let lines: String = (0..2000).map(|n| format!("{{\"title\": \"Ticket number {n}\"}}\n")).collect();
    world.write("many.jsonl", lines);
    world.draft(&["ticket", "import", "many.jsonl"]).ok();
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let world = World::new();
    many_tickets(&world);
    for args in ["ticket list", "ticket list --json"] {
        let script = format!("set -o pipefail; '{DRAFT}' {args} | head -c 10");
        let outcome = world.run("bash", &["-c", &script]).ok();
        assert_eq!((outcome.stdout.len(), outcome.complaint()), (10, String::new()), "{args}");
    }
}

#[test]
fn nothing_that_is_printed_acts_on_a_terminal() {
    let world = demo_world();
    let script =
        format!("{EVIL}[[escape]][[say {EVIL}]][[stderr {EVIL}]][[write hello.txt {EVIL}]][[run printf '\\033[31m']]");
    super::planned(&world, EVIL, &script);
    world.draft(&["ticket", "move", "1", "proposed", "--reason", EVIL]).ok();
    world.draft(&["ticket", "move", "1", "planned", "--reason", EVIL]).ok();
    let acts = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
    };
    for args in [
        &["ticket", "list"][..],
        &["run", "--trust"],
        &["ticket", "show", "1"],
        &["ticket", "move", "1", "planned"],
        &["log", "1", "--stream", "stdout"],
        &["log", "1", "--json"],
        &["diff", "1", "--stat"],
        &["ticket", "show", "1", "--json"],
        &["ticket", "list", "--color", "always"],
        &["trust", "--show"],
    ] {
        let outcome = world.draft(args).ok();
        assert!(!acts(&outcome.stdout) && !acts(&outcome.stderr), "{args:?}: {outcome:?}");
    }
    let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    let job = shown["jobs"][0]["id"].as_str().unwrap();
    let log = world.draft(&["log", "1", "--job", job]).ok();
    assert!(!acts(&log.stdout) && log.text().contains("␛[31m"), "{log:?}");
}

#[test]
fn standard_output_may_be_closed() {
    let world = World::new();
    world.run("sh", &["-c", &format!("'{DRAFT}' ticket add A >&-")]).ok();
    assert!(world.draft(&["ticket", "list"]).ok().text().contains("A"));
}

#[test]
fn the_manual_page_and_completions_need_no_repository() {
    let world = World::bare();
    let page = world.draft(&["man"]).ok().text();
    for word in [".TH draft 1", "draft ticket add", "Go to the next ticket that needs you", "ui.mouse"] {
        assert!(page.contains(word), "{word}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = world.draft(&["completions", shell]).ok().text();
        assert!(script.contains("draft") && script.contains("doctor"), "{shell}");
    }
    let unknown = world.draft(&["completions", "tcsh"]);
    assert_eq!(unknown.status.code(), Some(2));
}
