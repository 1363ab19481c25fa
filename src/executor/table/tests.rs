//! The table of agents that is compiled in, and rows of a user laid over it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::ticket::Usage;
use crate::executor::invocation::{Approve, Run, sketch};
use crate::executor::row::UsageSpan;

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
    let reference = "claude codex gemini droid qwen opencode amp cursor aider goose cline copilot amazon-q kilo kimi pi mini-swe-agent \
         crush auggie cursor-agent kiro antigravity demo";
    for name in reference.split_whitespace() {
        assert!(table.find(name).is_ok(), "{name}");
    }
    for row in table.iter() {
        assert_eq!(table.find(&row.name), Ok(row));
        assert!(!row.display.is_empty() && !row.install.is_empty(), "{}", row.name);
        for alias in &row.aliases {
            assert_eq!(table.find(alias), Ok(row), "another agent has the name {alias} too");
        }
    }
    assert_eq!(names.first(), Some(&"demo"));
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
        ("resume: ['{session}']", "need a session, but `session` says none"),
        ("takeover: ['{session}']", "need a session, but `session` says none"),
        ("model: [-m]", "`model` needs `{model}`"),
        ("model: ['{model}']", "`start` needs {model}, since"),
        ("default_model: big", "`default_model` needs `model`"),
        ("extra: [-x]", "`start` needs {extra}, since"),
        ("approve: {everything: [-y], edits: []}", "`start` needs {approve}, since"),
        ("approve: {everything: [], edits: {set: {'A=B': c}}}", "variable's name"),
        ("approve: {everything: [], edits: never}", "expected a list of arguments, `args` and `set`, or none"),
        ("set: {'': x}", "variable's name"),
        ("aliases: ['A']", "small letters"),
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
        [("cluade", "claude"), ("Codex", "codex"), ("ader", "aider"), ("dmeo", "demo"), ("amazonq", "amazon-q")]
    {
        assert_eq!(Table::builtin().find(name).unwrap_err().nearest.as_deref(), Some(nearest), "{name}");
    }
    let error = Table::builtin().find("gpt").unwrap_err().to_string();
    assert!(error.starts_with("no agent is called `gpt`; known are demo, claude, codex, "), "{error}");
    let error = Table::builtin().find("cluade").unwrap_err();
    assert!(error.to_string().contains(", did you mean `claude`?"), "{error}");
    assert_eq!(Table::builtin().find("").unwrap_err().nearest, None);
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

/// The page that tells people about the agents; its table is written from the rows.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/agents.md");
const BEGIN: &str =
    "<!-- The rest of this section is written by a test: `DRAFT_WRITE_DOCS=1 cargo test agents_page` -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn the_agents_page_shows_every_row_as_it_is() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    let wanted = rows_for_people();
    if std::env::var_os("DRAFT_WRITE_DOCS").is_some() {
        fs::write(PAGE, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert_eq!(told, wanted, "run it once with DRAFT_WRITE_DOCS=1");
    }
}

fn rows_for_people() -> String {
    let mut page = String::from(
        "\n| agent | name | seen at work | output read as | goes on in its session | may be held to edits |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let table = Table::builtin();
    for row in table.iter().filter(|row| !row.interactive) {
        let names: Vec<String> =
            std::iter::once(&row.name).chain(&row.aliases).map(|name| format!("`{name}`")).collect();
        let seen = row.seen.as_deref().unwrap_or("no, from its documentation");
        let (resumes, edits) = (yes(row.can_resume()), yes(row.approve.edits.is_some()));
        let (display, names) = (&row.display, names.join(", "));
        page.push_str(&format!("| {display} | {names} | {seen} | {} | {resumes} | {edits} |\n", row.dialect));
    }
    page.push_str(
        "\nHow each is run, first where agents may edit files only, then where they are allowed everything:\n\n```sh\n",
    );
    for row in table.iter().filter(|row| !row.interactive) {
        page.push_str(&format!("# {}\n", row.display));
        let calls = [Approve::Edits, Approve::Everything].map(|approve| sketch(row, approve, Run::First));
        for (i, call) in calls.iter().enumerate() {
            match call {
                Ok(call) if i == 0 || calls[0].as_ref() != Ok(call) => page.push_str(&format!("{call}\n")),
                Ok(_) | Err(_) => {}
            }
        }
    }
    page.push_str("```\n\n");
    let set =
        |row: &Executor| -> Vec<String> { row.set.iter().map(|(name, value)| format!("`{name}={value}`")).collect() };
    let notes = table.iter().filter_map(|row| Some(format!("- {}: {}.\n", row.display, row.note.as_ref()?)));
    page.extend(notes);
    let quiet = table.iter().filter(|row| !row.set.is_empty());
    page.extend(quiet.map(|row| format!("- {} is started with {}.\n", row.display, set(row).join(", "))));
    page.push('\n');
    page
}
