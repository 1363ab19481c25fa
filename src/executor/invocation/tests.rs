//! The exact command line of every agent, and that no prompt or model becomes a flag.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::executor::row::Approval;
use crate::executor::table::Table;

const ID: Uuid = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);

fn ask(prompt: &str) -> Ask<'_> {
    Ask {
        prompt,
        prompt_file: Path::new("/data/runs/7/1-execute/prompt.md"),
        model: None,
        approve: Approve::Everything,
        session: Session::Fresh(ID),
        extra: &[],
    }
}

/// A call as people would type it, after the variables that only this one needs.
fn shown(row: &Executor, call: &Invocation) -> String {
    let own = call.set.iter().filter(|(name, value)| row.set.get(*name) != Some(value));
    own.map(|(name, value)| format!("{name}={value} ")).chain([call.display.clone()]).collect()
}

/// Two agents that take their prompt as an argument, behind `--` and as an option.
fn by_argument() -> Table {
    let row = |name: &str, start: &str| {
        format!(
            "- {{name: {name}, display: B, program: [b], install: i, dialect: text, prompt: argument, session: none, \
             usage: run, start: {start}, approve: {{everything: [], edits: []}}}}\n"
        )
    };
    let rows = [row("option", "['--message={prompt}', '{extra}']"), row("last", "['-q', '{extra}', '--', '{prompt}']")];
    Table::parse(&rows.concat()).unwrap()
}

#[test]
fn every_command_line_is_as_before() {
    let extra = ["--add-dir".to_owned(), "/two words".to_owned()];
    let mut page = String::new();
    for row in Table::builtin().iter().filter(|row| !row.interactive) {
        let _ = writeln!(page, "{} ({})", row.name, row.display);
        let mut show = |what: &str, ask: &Ask<'_>| {
            let told = invocation(row, ask).map_or_else(|error| format!("– {error}"), |call| shown(row, &call));
            let _ = writeln!(page, "  {what:<11} {told}");
        };
        let plain = ask("Do it.");
        show("everything", &plain);
        show("edits", &Ask { approve: Approve::Edits, ..plain });
        show("all", &Ask { model: Some("large"), extra: &extra, ..plain });
        show("resume", &Ask { session: Session::Resume("s-1"), ..plain });
        show("resume all", &Ask { session: Session::Resume("s-1"), model: Some("large"), extra: &extra, ..plain });
        let call = invocation(row, &plain).unwrap();
        let _ = writeln!(page, "  session     {:?}", call.session);
        let _ = writeln!(page, "  environment +{:?} -{:?}", call.set, call.drop);
        let _ = writeln!(page, "  takeover    {:?}\n", takeover(row, "s-1").unwrap());
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a_prompt_goes_where_the_agent_reads_it_and_nowhere_else() {
    let table = Table::builtin();
    for row in table.iter().filter(|row| !row.interactive) {
        let call = invocation(row, &ask("--dangerous {model}\nZażółć")).unwrap();
        let carried = call.args.iter().filter(|arg| arg.contains("--dangerous {")).count();
        assert_eq!(carried, usize::from(row.prompt == PromptBy::Argument), "{}: {:?}", row.name, call.args);
        let file = call.file.map(|(path, content)| {
            assert_eq!(path, Path::new("/data/runs/7/1-execute/prompt.md"));
            content
        });
        let (wanted_stdin, wanted_file) = match row.prompt {
            PromptBy::Stdin => (true, false),
            PromptBy::File => (false, true),
            PromptBy::Argument => (false, false),
        };
        assert_eq!((call.stdin.is_some(), file.is_some()), (wanted_stdin, wanted_file), "{}", row.name);
        let told = call.stdin.or(file).unwrap_or_else(|| "--dangerous {model}\nZażółć".to_owned());
        assert_eq!(told, "--dangerous {model}\nZażółć");
    }
}

#[test]
fn a_prompt_too_long_for_an_argument_goes_into_a_file() {
    let table = by_argument();
    let row = table.find("last").unwrap();
    let short = "ż".repeat(ARGUMENT_MAX / 2);
    assert_eq!(invocation(row, &ask(&short)).unwrap().args.last(), Some(&short));
    let long = format!("{short}.");
    let call = invocation(row, &ask(&long)).unwrap();
    assert_eq!(call.file.unwrap().1, long);
    let told = "Read the file /data/runs/7/1-execute/prompt.md to its end and do what it says.";
    assert_eq!(call.args, ["-q", "--", told]);
}

#[test]
fn what_would_be_taken_for_a_flag_is_refused() {
    let table = Table::builtin();
    let claude = table.find("claude").unwrap();
    for bad in ["", "-x", "--help", "a\nb", "a\0b"] {
        assert!(invocation(claude, &Ask { session: Session::Resume(bad), ..ask("p") }).is_err(), "{bad:?}");
        assert!(invocation(claude, &Ask { model: Some(bad), ..ask("p") }).is_err(), "{bad:?}");
        assert!(takeover(claude, bad).is_err(), "{bad:?}");
    }
    let resumed = Ask { session: Session::Resume("s"), ..ask("p") };
    assert_eq!(invocation(table.find("aider").unwrap(), &resumed), Err(CannotInvoke::NoResume("aider".into())));
    let interactive = Executor { interactive: true, ..claude.clone() };
    assert_eq!(invocation(&interactive, &ask("p")), Err(CannotInvoke::Interactive("claude".into())));
}

#[test]
fn an_agent_that_cannot_be_held_to_edits_is_not_called_without_everything() {
    let table = Table::builtin();
    let crush = table.find("crush").unwrap();
    assert!(invocation(crush, &ask("p")).is_ok());
    let error = invocation(crush, &Ask { approve: Approve::Edits, ..ask("p") }).unwrap_err();
    assert_eq!(error, CannotInvoke::Everything("Crush".into()));
    assert!(error.to_string().contains("`execute_config.yolo_mode`"), "{error}");
}

#[test]
fn a_model_is_never_passed_over_in_silence() {
    let demo = Table::builtin().find("demo").unwrap().clone();
    let modelless = Executor { model: Vec::new(), ..demo };
    let error = invocation(&modelless, &Ask { model: Some("m"), ..ask("p") });
    assert_eq!(error, Err(CannotInvoke::NoModel("Demo agent".into())));
}

#[test]
fn what_a_row_always_adds_comes_before_what_is_asked_for() {
    let demo = Table::builtin().find("demo").unwrap().clone();
    let grant = Grant { args: vec!["--yes".into()], set: [("HOW".into(), "all".into())].into() };
    let approve = Approval { everything: grant, edits: None };
    let set = [("HOW".into(), "some".into()), ("ROW".into(), "1".into())].into();
    let own = Executor { extra: vec!["--mine".into()], approve, set, ..demo };
    let call = invocation(&own, &Ask { extra: &["--more".into()], ..ask("p") }).unwrap();
    assert_eq!(call.args[call.args.len() - 3..], ["--yes", "--mine", "--more"]);
    assert_eq!(call.set, [("HOW".to_owned(), "all".to_owned()), ("ROW".into(), "1".into())].into());
}

proptest! {
    #[test]
    fn a_prompt_never_becomes_a_flag_or_more_than_one_argument(prompt in "(-{0,2}|\\{prompt\\}|\\{extra\\})\\PC{0,40}[\0\n\"' ]?") {
        for row in by_argument().iter() {
            let call = invocation(row, &ask(&prompt)).unwrap();
            let told = prompt.replace('\0', "\u{fffd}");
            let wanted = match row.name.as_str() {
                "option" => vec![format!("--message={told}")],
                _ => vec!["-q".to_owned(), "--".to_owned(), told],
            };
            prop_assert_eq!(call.args, wanted);
        }
    }

    #[test]
    fn what_is_shown_can_be_typed(word in "\\PC{0,30}[\n\0]?\\PC{0,5}") {
        let extra = [word];
        let call = invocation(by_argument().find("option").unwrap(), &Ask { extra: &extra, ..ask("secret prompt") }).unwrap();
        prop_assert!(!call.display.contains("secret"));
        let typed = shlex::split(&call.display).unwrap();
        prop_assert_eq!(&typed[..2], &["b".to_owned(), "--message=PROMPT".to_owned()][..]);
        prop_assert_eq!(&typed[2..], &[extra[0].replace('\0', "\u{fffd}")][..]);
    }
}
