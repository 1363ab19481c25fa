//! The layers of `ARCHITECTURE.md` as a test, and a few habits of the house that no compiler checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules may use which others. `app`, `cli` and `main` wire everything and may use everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("store", &["domain"]),
    ("git", &["domain"]),
    ("executor", &["domain", "config"]),
    ("run", &["domain", "config"]),
    ("engine", &["domain", "config", "store", "git", "executor", "run"]),
    ("ui", &["domain", "config"]),
    ("demo", &[]),
];
const WIRING: &[&str] = &["app", "cli", "main", "lib"];
/// What may print: commands, the demo agent, and the supervisor that has no other voice.
const MAY_PRINT: &[&str] = &["cli", "main", "demo", "run/supervise"];
/// What decides, reads or draws: it gets the time, the environment and chance as arguments.
const PURE: &[&str] = &["domain", "config", "ui", "executor/decode", "executor/invocation"];
const IMPURE: &[&str] = &["::now(", "now_v7(", "new_v4(", "env::var", "env::current_dir", "thread::sleep"];
const LINES_MAX: usize = 600;

/// Returns every file below `src` as its module path with slashes and its text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let module = path.strip_prefix(&root).unwrap().with_extension("");
            (module.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Says whether the file is one of the modules, or below one.
fn is_in(path: &str, modules: &[&str]) -> bool {
    modules.iter().any(|module| path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Returns the code: lines that are no comment, up to the tests at the end of the file.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let until_tests = lines.take_while(|(_, line)| *line != "#[cfg(test)]");
    until_tests.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Returns the modules at the top of the crate that a text names: `crate::x` and `crate::{x::…, y}`.
fn used(text: &str) -> BTreeSet<&str> {
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(first_names(group)),
            None => used.extend(first_name(rest)),
        }
    }
    used
}

fn first_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    Some(&text[..end]).filter(|name| !name.is_empty())
}

/// Returns the names with which the items of a `{…}` group start, whose opening brace is gone.
fn first_names(group: &str) -> Vec<&str> {
    let mut names = Vec::from_iter(first_name(group.trim_start()));
    let mut depth = 0_usize;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.extend(first_name(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    names
}

#[test]
fn each_module_uses_only_the_layers_below_it() {
    let modules: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    for (path, text) in sources() {
        let module = path.split('/').next().unwrap();
        if WIRING.contains(&module) {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            panic!("src/{path}.rs belongs to no layer; give `{module}` a row here and in ARCHITECTURE.md");
        };
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for name in used(&code) {
            let is_layer = modules.contains(name) || WIRING.contains(&name);
            assert!(
                name == module || !is_layer || allowed.contains(&name),
                "src/{path}.rs uses crate::{name}; `{module}` may use only {allowed:?}"
            );
        }
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "src/{path}.rs does not start with `//! ` and its purpose");
    }
}

#[test]
fn no_file_outgrows_one_idea() {
    for (path, text) in sources() {
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        assert!(lines <= LINES_MAX, "src/{path}.rs has {lines} lines before its tests; look for the second idea");
    }
}

#[test]
fn what_decides_and_draws_asks_nothing_of_the_world() {
    // Tests read recorded streams and write pages of the documentation.
    let is_test = |path: &str| path.split('/').any(|part| part == "tests");
    for (path, text) in sources().into_iter().filter(|(path, _)| is_in(path, PURE) && !is_test(path)) {
        for (number, line) in code(&text) {
            let asks = IMPURE.iter().find(|call| line.contains(**call));
            assert_eq!(asks, None, "src/{path}.rs:{number}; take it as an argument");
        }
    }
}

#[test]
fn only_commands_print() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_in(path, MAY_PRINT)) {
        for (number, line) in code(&text) {
            let prints = ["print!(", "println!(", "dbg!("].iter().any(|mac| line.contains(mac));
            assert!(!prints, "src/{path}.rs:{number} would write over the board; use tracing");
        }
    }
}

#[test]
fn the_reader_of_use_lines_sees_groups_and_paths() {
    let text = "use crate::{config::Keys, run::{a, b}}; let x = crate::git::tree(); pub(crate) fn f() {}";
    assert_eq!(used(text), BTreeSet::from(["config", "run", "git"]));
}
