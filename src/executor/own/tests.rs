//! Agents and profiles of a configuration: laid over the table, applied, and refused with the place where they are wrong.

use super::*;
use crate::config::{SourceFile, Sources, load};
use crate::executor::row::{PromptBy, SessionBy};

fn loaded(user: &str, repo: &str) -> Loaded {
    let file = |path: &str, text: &str| Some(SourceFile { path: path.into(), bytes: text.into() });
    load(&Sources { user: file("config.yaml", user), repo: file("draft.yaml", repo), ..Sources::default() }).unwrap()
}

fn table(user: &str, repo: &str) -> Table {
    Table::of(&loaded(user, repo)).unwrap()
}

#[test]
fn four_keys_are_enough_for_an_agent_of_ones_own() {
    let own =
        "executors:\n  mine: {program: my-agent, prompt: stdin, start: [run], approve: {everything: [], edits: none}}";
    let table = table(own, "");
    let mine = table.find("mine").unwrap();
    assert_eq!((mine.display.as_str(), mine.prompt, mine.session), ("mine", PromptBy::Stdin, SessionBy::None));
    assert_eq!((mine.source, &mine.profile_of), (Origin::User, &None));
    assert_eq!(table.iter().count(), Table::builtin().iter().count() + 1);
}

#[test]
fn a_row_may_be_like_another_and_takes_over_all_but_what_it_is_called() {
    let own = "executors:\n  claude-next: {like: claude, program: [/opt/next/claude], set: {A: b}}\n  claude: {like: claude, memory: 9}";
    let table = table(own, "");
    let (next, claude) = (table.find("claude-next").unwrap(), Table::builtin().find("claude").unwrap().clone());
    assert_eq!((&next.start, &next.approve, next.dialect), (&claude.start, &claude.approve, claude.dialect));
    assert_eq!((next.display.as_str(), &next.seen), ("claude-next", &None));
    assert_eq!(next.set.len(), 1, "a key that it says replaces the whole key");
    assert_eq!(table.find("claude").unwrap().memory, 9);
}

#[test]
fn a_profile_is_an_agent_with_a_model_arguments_variables_and_a_time_of_its_own() {
    let user = "executor_profiles:\n  quick: {executor_type: codex, timeout: 60, extra_flags: [-c, x=1], model: small, env: {A: b}}";
    let table = table(user, "");
    let (quick, codex) = (table.find("quick").unwrap(), table.find("codex").unwrap());
    assert_eq!(quick.profile_of.as_deref(), Some("codex"));
    assert_eq!(quick.display, "Codex (quick)");
    assert_eq!((quick.timeout, quick.default_model.as_deref()), (Some(60), Some("small")));
    assert_eq!((quick.extra.as_slice(), quick.set["A"].as_str()), (&["-c".to_owned(), "x=1".to_owned()][..], "b"));
    assert_eq!((&quick.start, quick.dialect), (&codex.start, codex.dialect));
    assert_eq!((codex.timeout, codex.extra.len()), (None, 0), "the agent itself stays as it is");
}

#[test]
fn a_profile_of_an_own_agent_works_and_one_with_the_name_of_an_agent_takes_its_place() {
    let user = "executors:\n  mine: {like: demo, program: m}\nexecutor_profiles:\n  fast: {executor_type: mine}\n  \
                claude: {executor_type: claude, model: big}";
    let table = table(user, "");
    assert_eq!(table.find("fast").unwrap().program, Program::Named(vec!["m".into()]));
    assert_eq!(table.find("claude").unwrap().default_model.as_deref(), Some("big"));
    assert_eq!(table.iter().filter(|row| row.name == "claude").count(), 1);
}

#[test]
fn what_a_repository_brings_is_known_as_its_own() {
    let repo = "executors:\n  theirs: {like: demo, program: t}\nexecutor_profiles:\n  some: {executor_type: claude}";
    let user = "executor_profiles:\n  over: {executor_type: theirs}";
    let table = table(user, repo);
    for name in ["theirs", "some", "over"] {
        assert_eq!(table.find(name).unwrap().source, Origin::Repo, "{name}");
    }
    assert_eq!(table.find("claude").unwrap().source, Origin::BuiltIn);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let user = "executors:\n  one: {program: a, promt: stdin, start: [], approve: {everything: [], edits: []}}\n  \
                three: {like: nobody}\n  four: {like: claude, start: [x]}\n  five: {program: self, like: demo}\n\
                executor_profiles:\n  six: {executor_type: cluade}\n  seven: {executor_type: crush, extra_flags: [x]}\n  \
                eight: {executor_type: cursor, model: m}";
    let text = Table::of(&loaded(user, "")).unwrap_err().to_string();
    for part in [
        "config.yaml:2:3: `executors.one`: unknown field `promt`, expected one of",
        "`executors.three`: `like`: no agent is called `nobody`",
        "`executors.four`: `start` needs {approve}",
        "`executors.five`: `program: self` is for the demo agent only",
        "config.yaml:7:3: `executor_profiles.six`: `executor_type`: no agent is called `cluade`, did you mean `claude`?",
        "`executor_profiles.eight`: `default_model` needs `model`",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("seven"), "{text}");
}
