//! Which commands may be run as checks, and how their text becomes a program and its arguments. No shell is involved.
//!
//! The list protects nobody from a repository that is trusted: it has interpreters on it. It keeps a check from being
//! something that nobody meant, such as `rm`. What keeps strange code from running is trust (see [`super::trust`]).

use std::path::Path;
use std::time::Duration;

use super::CommandSpec;

/// Programs that checks may use without being asked for.
pub const ALLOWED: [&str; 21] = [
    "black", "cargo", "eslint", "flake8", "go", "isort", "jest", "make", "mypy", "node", "npm", "pnpm", "pylint",
    "pytest", "python", "python3", "ruff", "rustc", "tsc", "vitest", "yarn",
];

/// A check that may run: exactly this program with exactly these arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckCommand {
    /// The program as it was written; one without a slash is looked for in `PATH`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What runs, as a person would type it.
    pub display: String,
    /// Longest time; nothing leaves it to the section.
    pub timeout: Option<Duration>,
}

/// Why a text is no check that may run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAllowed {
    /// No word in it.
    #[error("a check is empty; write a command or delete the entry")]
    Empty,
    /// A quote is not closed, or a backslash ends it.
    #[error("`{0}` has a quote without its partner or ends with a backslash; close the quote")]
    Quotes(String),
    /// It relies on a shell.
    #[error(
        "`{text}` uses `{sign}`, which only a shell understands, and checks run without one; quote it if it is meant \
         as it is, write two checks, put the line into a script, or ask for a shell in `draft.yaml`: \
         `{{run: …, shell: true}}`"
    )]
    Shell {
        /// The command.
        text: String,
        /// What the shell would act on.
        sign: char,
    },
    /// A variable is set in front of the program.
    #[error(
        "`{0}` sets a variable in front of the program, which only a shell understands; begin with `env` and allow it"
    )]
    Variable(String),
    /// The program is not on the list.
    #[error(
        "`{program}` is not on the list of commands that checks may use; add it to \
         `verify_config.extra_allowed_commands` if you want it to run"
    )]
    Program {
        /// The program as it was written.
        program: String,
    },
    /// It has a zero byte or a line break.
    #[error("a check has a control character in it; write it as one line")]
    Control,
}

/// Reads a check that somebody configured. One that asks for a shell needs no place on the list: to ask is to say that it is
/// wanted, and a shell can run anything whatever a list says.
///
/// # Errors
/// When the text is empty, needs a shell that it does not ask for, or its program is not on the list.
pub fn check(spec: &CommandSpec, extra: &[String]) -> Result<CheckCommand, NotAllowed> {
    let command = if spec.shell { in_shell(spec)? } else { parse_check(&spec.run, extra)? };
    Ok(CheckCommand { timeout: spec.timeout, ..command })
}

/// Reads a command that somebody configured and that may use any program.
///
/// # Errors
/// When the text is empty or needs a shell that it does not ask for.
pub fn script(spec: &CommandSpec) -> Result<CheckCommand, NotAllowed> {
    let command = if spec.shell { in_shell(spec)? } else { parse_script(&spec.run)? };
    Ok(CheckCommand { timeout: spec.timeout, ..command })
}

fn in_shell(spec: &CommandSpec) -> Result<CheckCommand, NotAllowed> {
    if spec.run.chars().any(char::is_control) {
        return Err(NotAllowed::Control);
    }
    let args = vec!["-c".to_owned(), spec.run.clone()];
    Ok(CheckCommand { program: "sh".to_owned(), args, display: spec.to_string(), timeout: None })
}

/// Reads the text of a check with a shell's rules for quoting, and looks its program up in the list.
///
/// The list is compared with the program's base name, so that `./venv/bin/pytest` is allowed as `pytest` is; and it is
/// that very file which runs. An entry of `extra` that has a slash allows only the program that is written like it.
///
/// # Errors
/// When the text is empty, needs a shell, or its program is not on the list.
fn parse_check(text: &str, extra: &[String]) -> Result<CheckCommand, NotAllowed> {
    let command = parse_script(text)?;
    if is_allowed(&command.program, extra) {
        return Ok(command);
    }
    if command.program.split_once('=').is_some_and(|(name, _)| is_variable(name)) {
        return Err(NotAllowed::Variable(command.display));
    }
    Err(NotAllowed::Program { program: command.program })
}

/// Reads the text of a command that may use any program, with a shell's rules for quoting.
///
/// # Errors
/// When the text is empty or needs a shell.
fn parse_script(text: &str) -> Result<CheckCommand, NotAllowed> {
    if text.chars().any(char::is_control) {
        return Err(NotAllowed::Control);
    }
    if let Some(sign) = shell_sign(text) {
        return Err(NotAllowed::Shell { text: text.to_owned(), sign });
    }
    let words = shlex::split(text).ok_or_else(|| NotAllowed::Quotes(text.to_owned()))?;
    let mut words = words.into_iter();
    let program = words.next().filter(|program| !program.is_empty()).ok_or(NotAllowed::Empty)?;
    Ok(CheckCommand { program, args: words.collect(), display: text.to_owned(), timeout: None })
}

fn is_allowed(program: &str, extra: &[String]) -> bool {
    // `dir/` has a base name for the standard library, but names no program.
    let base = match Path::new(program).file_name().and_then(|name| name.to_str()) {
        Some(base) if !program.ends_with('/') => base,
        Some(_) | None => return false,
    };
    let built_in = ALLOWED.contains(&base);
    built_in || extra.iter().any(|allowed| if allowed.contains('/') { allowed == program } else { allowed == base })
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// Returns the first sign outside quotes that a shell would act on. Passed on as an argument it would change what is
/// checked without a word: `cargo test && cargo clippy` would run one command, and perhaps be green.
fn shell_sign(text: &str) -> Option<char> {
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"') | None, '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some('"'), '`') => return Some('`'),
            (Some('"') | None, '$') if chars.peek().is_some_and(|next| is_expansion(*next)) => return Some('$'),
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '`') => return Some(c),
            (None, _) => {}
        }
    }
    None
}

fn is_expansion(next: char) -> bool {
    next == '(' || next == '{' || next == '_' || next.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, extra: &[&str]) -> Result<Vec<String>, NotAllowed> {
        let extra: Vec<String> = extra.iter().map(|&entry| entry.to_owned()).collect();
        parse_check(text, &extra).map(|check| [vec![check.program], check.args].concat())
    }

    #[test]
    fn a_command_is_split_as_a_shell_would_and_keeps_what_was_quoted() {
        assert_eq!(
            words(r#"pytest -k "a and not b" 'x|y' c\ d '' "e\"f" '$HOME' 5$"#, &[]).unwrap(),
            ["pytest", "-k", "a and not b", "x|y", "c d", "", "e\"f", "$HOME", "5$"]
        );
    }

    #[test]
    fn a_path_is_allowed_by_its_base_name_and_stays_a_path() {
        assert_eq!(words("./venv/bin/pytest -q", &[]).unwrap(), ["./venv/bin/pytest", "-q"]);
        assert_eq!(words("/opt/tool/ruff", &[]).unwrap(), ["/opt/tool/ruff"]);
    }

    #[test]
    fn only_programs_of_the_lists_are_allowed() {
        for bad in ["rm -rf /", "pytest/", "pytest/..", "..", "/", "cargo-nextest run", "Cargo test", "''", "''x"] {
            assert!(words(bad, &[]).is_err(), "{bad}");
        }
        assert_eq!(words("sh x.sh", &[]), Err(NotAllowed::Program { program: "sh".into() }));
        assert!(words("sh x.sh", &["sh"]).is_ok());
        assert!(words("./gradlew test", &["./gradlew"]).is_ok());
        assert!(words("../gradlew test", &["./gradlew"]).is_err(), "an entry with a slash allows only itself");
        for name in ALLOWED {
            assert!(words(name, &[]).is_ok());
        }
    }

    #[test]
    fn what_only_a_shell_understands_is_refused_with_a_reason() {
        for (text, sign) in [
            ("cargo test && cargo clippy", '&'),
            ("cargo test || true", '|'),
            ("cargo test; true", ';'),
            ("cargo test >/dev/null", '>'),
            ("make $(cat x)", '$'),
            ("make \"$TARGET\"", '$'),
            ("make `cat x`", '`'),
        ] {
            assert!(matches!(words(text, &[]), Err(NotAllowed::Shell { sign: found, .. }) if found == sign), "{text}");
        }
        assert!(matches!(words("RUST_LOG=x cargo test", &[]), Err(NotAllowed::Variable(_))));
        assert!(words("env RUST_LOG=x cargo test", &["env"]).is_ok());
    }

    #[test]
    fn a_command_that_asks_for_a_shell_is_run_by_one_as_it_is() {
        let run = "cargo test && echo \"$HOME\" | tee x".to_owned();
        let spec = CommandSpec { run: run.clone(), shell: true, timeout: Some(Duration::from_secs(7)) };
        let command = check(&spec, &[]).unwrap();
        assert_eq!((command.program.as_str(), command.args), ("sh", vec!["-c".to_owned(), run]));
        assert_eq!(command.display, r#"sh -c 'cargo test && echo "$HOME" | tee x'"#);
        assert_eq!(command.timeout, spec.timeout);
        assert_eq!(script(&spec).unwrap().program, "sh");
        assert!(check(&CommandSpec { shell: false, ..spec }, &[]).is_err());
        assert!(check(&"rm x".into(), &[]).is_err() && script(&"rm x".into()).is_ok());
    }

    #[test]
    fn empty_and_unbalanced_texts_have_reasons_of_their_own() {
        assert_eq!(words("", &[]), Err(NotAllowed::Empty));
        assert_eq!(words("   # only a comment", &[]), Err(NotAllowed::Empty));
        assert!(matches!(words("cargo 'test", &[]), Err(NotAllowed::Quotes(_))));
        assert!(matches!(words("cargo test\\", &[]), Err(NotAllowed::Quotes(_))));
        assert_eq!(words("cargo test\nrm x", &[]), Err(NotAllowed::Control));
        assert_eq!(words("cargo te\0st", &[]), Err(NotAllowed::Control));
    }

    proptest::proptest! {
        #[test]
        fn quoted_words_come_back_as_they_were(args in proptest::collection::vec("[^\\p{Cc}]{0,12}", 0..5)) {
            let all: Vec<&str> = std::iter::once("cargo").chain(args.iter().map(String::as_str)).collect();
            let text = shlex::try_join(all.iter().copied()).unwrap();
            proptest::prop_assert_eq!(words(&text, &[]).unwrap(), all);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,40}") {
            let _ = words(&text, &["sh"]);
        }
    }
}
