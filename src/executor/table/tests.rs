//! The table of agents that is compiled in, and rows of a user laid over it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn row(change: &str) -> Result<Table, BadTable> {
    let (key, _) = change.split_once(':').unwrap();
    let lines = [
        "name: a",
        "display: A",
        "program: [a]",
        "install: i",
        "dialect: text",
        "prompt: stdin",
        "session: none",
        "usage: run",
        "start: [x]",
        "approve: {everything: [], edits: []}",
    ];
    let kept = lines.into_iter().filter(|line| !line.starts_with(&format!("{key}:")));
    Table::parse(&format!("- {}\n", kept.chain([change]).collect::<Vec<_>>().join("\n  ")))
}

#[test]
fn the_builtin_table_is_right() {
    let table = Table::builtin();
    let names: Vec<&str> = table.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["demo", "claude", "codex", "aider", "cursor"]);
    for row in table.iter() {
        assert_eq!(table.find(&row.name), Ok(row));
        assert!(!row.display.is_empty() && !row.install.is_empty(), "{}", row.name);
        assert!(!row.can_resume() || row.session != SessionBy::None, "{}", row.name);
    }
}

#[test]
fn a_row_that_contradicts_itself_is_refused_with_the_reason() {
    assert!(row("display: B").is_ok());
    for (change, reason) in [
        ("name: A b", "small letters"),
        ("program: []", "names to look for"),
        ("program: [bin/a]", "absolute paths"),
        ("colour: red", "unknown field `colour`"),
        ("dialect: klaud", "unknown variant"),
        ("start: [x, '{promt}']", "{promt} is not known; known are {approve}"),
        ("start: ['--model={model}']", "{model} must be an argument of its own"),
        ("start: ['--', '{prompt}']", "`prompt` says stdin"),
        ("prompt: argument", "needs {prompt}"),
        ("prompt: file", "needs {prompt_file}"),
        ("start: ['{prompt}']", "must have `--` before {prompt}"),
        ("start: [-m, '{prompt}']", "must have `--` before {prompt}"),
        ("session: chosen", "needs `{session}` in `start`"),
        ("start: ['{session}']", "needs `session: chosen`"),
        ("resume: [x]", "`resume` needs `{session}`"),
        ("model: [-m]", "`model` needs `{model}`"),
    ] {
        let error = row(change).unwrap_err().to_string();
        assert!(error.contains(reason), "{change}: {error}");
    }
    assert!(row("start: ['-c', '{\"json\": {}}', '{approve}', '{model}', '{extra}']").is_ok());
}

#[test]
fn a_program_is_one_name_or_several_or_draft_itself() {
    let program = |change: &str| row(change).unwrap().find("a").unwrap().program.clone();
    assert_eq!(program("program: self"), Program::Draft);
    assert_eq!(program("program: b"), Program::Named(vec!["b".into()]));
    assert_eq!(program("program: [b, self]"), Program::Named(vec!["b".into(), "self".into()]));
    for row in Table::builtin().iter() {
        let yaml = serde_yaml::to_string(&[row]).unwrap();
        assert_eq!(Table::parse(&yaml).unwrap().find(&row.name), Ok(row), "what is written is read as the same");
    }
}

#[test]
fn counts_that_cover_a_session_are_taken_apart() {
    let usage = |input_tokens, output_tokens| Usage { input_tokens, output_tokens, cost_micros: None };
    // As recorded: one Codex run, and another that resumed it.
    let (first, both) = (usage(29_556, 42), usage(60_217, 71));
    assert_eq!(UsageSpan::Session.of_run(both, first), usage(30_661, 29));
    assert_eq!(UsageSpan::Run.of_run(both, first), both);
}

#[test]
fn a_row_of_the_users_takes_the_place_of_ours() {
    let mut own = Table::builtin().find("claude").unwrap().clone();
    own.display = "Mine".into();
    let twice = Table::builtin().with(vec![own.clone(), own.clone()]).unwrap_err();
    assert_eq!(twice.to_string(), "agent `claude`: the name is there twice");
    let table = Table::builtin().with(vec![own]).unwrap();
    assert_eq!(table.find("claude").unwrap().display, "Mine");
    assert_eq!(table.iter().count(), Table::builtin().iter().count());
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    for (name, nearest) in
        [("cluade", "claude"), ("Codex", "codex"), ("cod", "codex"), ("ader", "aider"), ("dmeo", "demo")]
    {
        assert_eq!(Table::builtin().find(name).unwrap_err().nearest, [nearest], "{name}");
    }
    let error = Table::builtin().find("gpt").unwrap_err();
    assert_eq!(error.to_string(), "no agent is called `gpt`; known are demo, claude, codex, aider, cursor");
    let error = Table::builtin().find("cluade").unwrap_err();
    assert!(error.to_string().contains(", did you mean `claude`?"), "{error}");
    assert!(Table::builtin().find("").unwrap_err().nearest.is_empty());
}

#[test]
fn a_program_is_the_first_executable_file_in_an_absolute_folder_of_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str, mode: Option<u32>| {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        if let Some(mode) = mode {
            fs::write(folder.join("claude"), "").unwrap();
            fs::set_permissions(folder.join("claude"), fs::Permissions::from_mode(mode)).unwrap();
        }
        folder
    };
    let (empty, plain, first, second) = (
        folder("empty", None),
        folder("plain", Some(0o644)),
        folder("first", Some(0o755)),
        folder("second", Some(0o755)),
    );
    fs::create_dir(empty.join("claude")).unwrap();
    let relative = Path::new(".").to_owned();
    let path = std::env::join_paths([&relative, &empty, &plain, &first, &second]).unwrap();

    let table = Table::builtin();
    let at = |name: &str, path: &OsStr| locate(table.find(name).unwrap(), path, Path::new("/opt/draft"));
    assert_eq!(at("claude", &path), Some(first.join("claude")));
    assert_eq!(at("codex", &path), None);
    assert_eq!(at("claude", OsStr::new("")), None);
    assert_eq!(at("demo", OsStr::new("")), Some("/opt/draft".into()));

    let mut absolute = table.find("claude").unwrap().clone();
    absolute.program = Program::Named(vec!["/nowhere/claude".into(), second.join("claude").to_str().unwrap().into()]);
    assert_eq!(locate(&absolute, OsStr::new(""), Path::new("")), Some(second.join("claude")));
}
