//! Diffs with real git: what they show, and that their text form is a patch that git applies.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;

use super::diff::{TEXT_MAX, between, patch_text, size};
use super::testing::{Sandbox, odd_name, write};
use crate::domain::diff::{Content, DiffLine, FileChange, FileDiff};
use crate::domain::revision::ChangeSize;

/// Commits what is in the main checkout and compares it with the first commit.
fn diff(sandbox: &Sandbox) -> Vec<FileDiff> {
    sandbox.commit(&sandbox.main(), "change");
    between(&sandbox.repo(), "HEAD~1", "HEAD").unwrap()
}

fn names(files: &[FileDiff]) -> Vec<String> {
    files.iter().map(|file| format!("{} {}", file.change, file.path)).collect()
}

/// Applies the text form to the base and returns the tree that it gives.
fn applied(sandbox: &Sandbox, base: &str, files: &[FileDiff]) -> String {
    let index = sandbox.dir().join("apply-index");
    let main = sandbox.main();
    let call = || sandbox.git.writing(&main).variable("GIT_INDEX_FILE", &index);
    call().args(["read-tree", base]).run().unwrap();
    let patch = patch_text(files);
    if !patch.is_empty() {
        let apply = call().args(["apply", "--cached", "--whitespace=nowarn", "-"]).input(patch.clone().into_bytes());
        apply.run().unwrap_or_else(|error| panic!("{error}\n{patch}"));
    }
    call().args(["write-tree"]).line().unwrap()
}

#[test]
fn new_gone_edited_and_renamed_files_are_told_apart() {
    let sandbox = Sandbox::new();
    let long: String = (0..30).map(|n| format!("line {n}\n")).collect();
    sandbox.write("long.txt", &long);
    sandbox.commit(&sandbox.main(), "long");
    std::fs::rename(sandbox.main().join("long.txt"), sandbox.main().join("moved.txt")).unwrap();
    sandbox.write("moved.txt", long.replace("line 3\n", "line three\n"));
    std::fs::remove_file(sandbox.main().join("src/b.txt")).unwrap();
    sandbox.write("a.txt", "one\n2\nthree\n");
    sandbox.write("new/file.txt", "n\n");
    let files = diff(&sandbox);
    assert_eq!(names(&files), ["modified a.txt", "renamed moved.txt", "added new/file.txt", "deleted src/b.txt"]);
    assert_eq!(files[1].old_path.as_deref(), Some("long.txt"));
    assert_eq!(files[1].size(), ChangeSize { files: 1, insertions: 1, deletions: 1 });
    assert!(files.iter().all(|file| file.modes.is_none()));
    let total = size(&sandbox.repo(), "HEAD~1", "HEAD").unwrap();
    assert_eq!(total, ChangeSize { files: 4, insertions: 3, deletions: 3 });
    assert_eq!(applied(&sandbox, "HEAD~1", &files), sandbox.run(&sandbox.main(), "rev-parse HEAD^{tree}"));
}

#[test]
fn a_renamed_folder_is_its_files() {
    let sandbox = Sandbox::new();
    std::fs::rename(sandbox.main().join("src"), sandbox.main().join("lib")).unwrap();
    let files = diff(&sandbox);
    assert_eq!(names(&files), ["renamed lib/b.txt"]);
    assert_eq!(files[0].content, Content::Text(Vec::new()));
    assert_eq!(applied(&sandbox, "HEAD~1", &files), sandbox.run(&sandbox.main(), "rev-parse HEAD^{tree}"));
}

#[test]
fn modes_links_and_types_that_change_are_shown() {
    let sandbox = Sandbox::new();
    let main = sandbox.main();
    std::fs::set_permissions(main.join("a.txt"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_file(main.join("src/b.txt")).unwrap();
    symlink("../a.txt", main.join("src/b.txt")).unwrap();
    write(&main, "run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(main.join("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let files = diff(&sandbox);
    assert_eq!(names(&files), ["modified a.txt", "added run.sh", "deleted src/b.txt", "added src/b.txt"]);
    let modes: Vec<_> = files.iter().map(|file| file.modes).collect();
    assert_eq!(modes, [Some((0o100_644, 0o100_755)), Some((0, 0o100_755)), None, Some((0, 0o120_000))]);
    assert_eq!(applied(&sandbox, "HEAD~1", &files), sandbox.run(&main, "rev-parse HEAD^{tree}"));
}

#[test]
fn binary_and_large_files_show_their_sizes_only() {
    let sandbox = Sandbox::new();
    sandbox.write("bin", [1, 0, 2]);
    sandbox.write("a.txt", "x\n".repeat(usize::try_from(TEXT_MAX).unwrap() / 2 + 1));
    let files = diff(&sandbox);
    assert_eq!(files[0].content, Content::TooLarge { old_size: 14, new_size: TEXT_MAX + 2 });
    assert_eq!(files[1].content, Content::Binary { old_size: 0, new_size: 3 });
    let patch = patch_text(&files);
    assert!(patch.contains("Binary files /dev/null and b/bin differ"), "{patch}");
}

#[test]
fn a_submodule_shows_its_commits() {
    let sandbox = Sandbox::new();
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let add = |id: &str| {
        let main = sandbox.main();
        sandbox.run(&main, &format!("update-index --add --cacheinfo 160000,{id},lib"));
        sandbox.args(&main, ["commit", "-q", "-m", "submodule"]);
        between(&sandbox.repo(), "HEAD~1", "HEAD").unwrap()
    };
    let files = add(&one);
    assert_eq!(files[0].content, Content::Submodule { old: None, new: Some(one.clone()) });
    assert_eq!(applied(&sandbox, "HEAD~1", &files), sandbox.run(&sandbox.main(), "rev-parse HEAD^{tree}"));
    let files = add(&two);
    assert_eq!(files[0].content, Content::Submodule { old: Some(one), new: Some(two) });
    assert_eq!(applied(&sandbox, "HEAD~1", &files), sandbox.run(&sandbox.main(), "rev-parse HEAD^{tree}"));
}

#[test]
fn names_and_lines_that_are_not_utf_8_are_shown_in_hexadecimal() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.main().join(odd_name("odd")), b"gr\xfc\xdf\n").unwrap();
    let files = diff(&sandbox);
    assert_eq!(files[0].path, "odd\\xff");
    let Content::Text(hunks) = &files[0].content else { panic!("{files:?}") };
    assert_eq!(hunks[0].lines, [DiffLine::Added("gr\\xfc\\xdf".to_owned())]);
}

#[test]
fn equal_states_do_not_differ_and_missing_ones_are_errors() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo();
    assert_eq!(between(&repo, "HEAD", "HEAD^{tree}").unwrap(), []);
    assert!(between(&repo, "HEAD", &"1".repeat(40)).is_err());
    assert!(between(&repo, "nope", "HEAD").is_err());
}

#[test]
fn unusual_kinds_of_the_users_index_do_not_matter() {
    let sandbox = Sandbox::new();
    let main = sandbox.main();
    sandbox.write("src/b.txt", "other\n");
    sandbox.commit(&main, "change");
    for change in ["update-index --split-index", "sparse-checkout set --cone --sparse-index src"] {
        sandbox.run(&main, change);
        assert_eq!(names(&between(&sandbox.repo(), "HEAD~1", "HEAD").unwrap()), ["modified src/b.txt"], "{change}");
    }
    sandbox.write(".git/index", "broken");
    assert_eq!(names(&between(&sandbox.repo(), "HEAD~1", "HEAD").unwrap()), ["modified src/b.txt"]);
}

/// A few files with text of few different lines, so that they look alike.
fn some_files() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = prop_oneof!["[ab]", "d/[ab]", "[a ]\"?\t?\\\\?b", "ü\n[ab]"];
    let line = prop_oneof!["a", "b", "", "}", "  x", "-- y", "\\ z", "ü\r", "[a-d]{1,3}"];
    let text = (prop::collection::vec(line, 0..25), any::<bool>()).prop_map(|(lines, ends)| {
        let text = lines.join("\n");
        if ends { text + "\n" } else { text }
    });
    prop::collection::btree_map(name, text, 0..5)
}

/// Writes files as a tree, without a checkout.
fn write_tree(sandbox: &Sandbox, files: &BTreeMap<String, String>) -> String {
    let index = sandbox.dir().join("index");
    let _ = std::fs::remove_file(&index);
    let main = sandbox.main();
    let call = || sandbox.git.writing(&main).variable("GIT_INDEX_FILE", &index);
    let mut entries = Vec::new();
    for (name, text) in files {
        let id = call().args(["hash-object", "-w", "--stdin"]).input(text.clone().into_bytes()).line().unwrap();
        entries.extend_from_slice(format!("100644 {id}\t{name}\0").as_bytes());
    }
    call().args(["update-index", "-z", "--index-info"]).input(entries).run().unwrap();
    call().args(["write-tree"]).line().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_text_form_applied_to_the_base_gives_the_tree(old in some_files(), new in some_files()) {
        let sandbox = Sandbox::new();
        let (base, tree) = (write_tree(&sandbox, &old), write_tree(&sandbox, &new));
        let files = between(&sandbox.repo(), &base, &tree).unwrap();
        prop_assert!(files.iter().all(|file| file.change != FileChange::Modified || file.old_path.is_none()));
        prop_assert_eq!(applied(&sandbox, &base, &files), tree);
    }
}
