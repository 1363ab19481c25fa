//! The sample repository from outside: what its stories start with, and that its own checks prove each of them.

use std::collections::BTreeSet;

use super::*;

fn said_by_git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git").args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_repository_has_one_clean_commit_on_main() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("new/sample");
    make(&repo).unwrap();
    assert_eq!(said_by_git(&repo, &["rev-parse", "--abbrev-ref", "HEAD"]), "main\n");
    assert_eq!(said_by_git(&repo, &["log", "--format=%an: %s"]), "Draft demo: Odds and ends, with bugs\n");
    assert_eq!(said_by_git(&repo, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn every_file_of_the_assets_is_in_it() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/sample");
    let listed = said_by_git(&assets, &["ls-files", "--cached", "--others"]);
    let assets: BTreeSet<_> = listed.lines().collect();
    assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), assets);
}

#[test]
fn a_second_call_changes_nothing_and_an_empty_folder_will_do() {
    let dir = tempfile::tempdir().unwrap();
    let first = make(dir.path()).unwrap();
    fs::write(dir.path().join("README.md"), "mine now").unwrap();
    assert_eq!(make(dir.path()).unwrap(), first);
    assert_eq!(fs::read_to_string(dir.path().join("README.md")).unwrap(), "mine now");
}

#[test]
fn whatever_else_is_there_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "years").unwrap();
    let error = make(dir.path()).unwrap_err();
    assert!(matches!(error, DemoError::Occupied(_)));
    assert!(error.to_string().contains("is not empty"));
    assert!(matches!(make(&dir.path().join("thesis.txt")), Err(DemoError::Occupied(_))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn its_tickets_tell_every_story() {
    let sample = sample();
    assert!(sample.tickets.iter().any(|ticket| !ticket.accepted));
    for (n, ticket) in sample.tickets.iter().enumerate() {
        assert!(ticket.after.iter().all(|earlier| *earlier < n), "{}", ticket.title);
        assert_eq!(ticket.after.len(), fixes::known().tickets[n].after.len(), "a title that is waited for is misspelt");
        assert!(ticket.priority <= 100 && !ticket.verify.is_empty());
    }
}
