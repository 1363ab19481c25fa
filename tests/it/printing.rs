//! What a command does when its output cannot be written.

use std::fs::File;
use std::io::pipe;
use std::process::Stdio;

use crate::support::World;

const DRAFT: &str = env!("CARGO_BIN_EXE_draft");

#[test]
fn a_reader_that_has_enough_stops_neither_a_listing_nor_a_run() {
    let world = World::new();
    world.write("draft.yaml", "execute_config:\n  preferred_executor: demo\n");
    world.commit("configure");
    let script = "[[write a.txt x]]";
    world.draft(&["ticket", "add", "Read on", "--state", "planned", "--description", script]).ok();
    for args in [&["ticket", "list"][..], &["ticket", "show", "1", "--json"], &["run", "1"], &["diff", "1"]] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let done = world.command(DRAFT).args(args).stdout(writer).output().unwrap();
        assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""), "{args:?}");
    }
    assert_eq!(world.draft(&["ticket", "show", "1", "--json"]).ok().json()["state"], "needs_human");
}

#[test]
fn output_that_is_lost_to_a_full_disk_is_an_error() {
    let world = World::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let done = world.command(DRAFT).args(["ticket", "list", "--json"]).stdout(full).output().unwrap();
    assert_eq!(done.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&done.stderr).contains("could not print"));
    let both = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let done = world.command(DRAFT).args(["ticket", "show", "9"]).stdout(both()).stderr(both()).status().unwrap();
    assert_eq!(done.code(), Some(2), "it does not panic");
}
