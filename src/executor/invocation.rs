//! From a row of the table and what is asked to one exact command line. Pure: nothing is started or written here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::row::{Executor, Grant, PromptBy, SessionBy};
use super::template::{self, Values};

/// Longest prompt that goes into an argument, in bytes. Linux refuses an argument of 128 KiB.
pub const ARGUMENT_MAX: usize = 100_000;

/// What an agent is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The whole prompt.
    pub prompt: &'a str,
    /// Where the prompt is to lie, if the agent reads it from a file.
    pub prompt_file: &'a Path,
    /// The model to use; nothing leaves it to the agent.
    pub model: Option<&'a str>,
    /// What it may do without asking.
    pub approve: Approve,
    /// In which session it works.
    pub session: Session<'a>,
    /// More arguments of the user's.
    pub extra: &'a [String],
}

/// What an agent may do without asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approve {
    /// Everything.
    Everything,
    /// Edit files, and as little else as it can do with.
    Edits,
}

/// In which session an agent works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Session<'a> {
    /// A new one; it gets this name if the agent lets us choose.
    Fresh(Uuid),
    /// The one that the agent calls so.
    Resume(&'a str),
}

/// One exact call of an agent. The program itself is found by [`super::table::locate`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invocation {
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads on standard input; nothing is an empty one.
    pub stdin: Option<String>,
    /// A file that must be there before it starts, with its content.
    pub file: Option<(PathBuf, String)>,
    /// Variables to add to its environment.
    pub set: BTreeMap<String, String>,
    /// Variables to take out of its environment.
    pub drop: Vec<String>,
    /// The session's name, where it is known before the start.
    pub session: Option<String>,
    /// The call as people would type it, with PROMPT in place of the prompt.
    pub display: String,
}

/// Why an agent cannot be called like this.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotInvoke {
    /// A person has to work in it.
    #[error("`{0}` is an interactive program; hand the ticket over to a person instead")]
    Interactive(String),
    /// It cannot go on in an old session.
    #[error("`{0}` cannot go on in an old session; start a new one")]
    NoResume(String),
    /// It takes no model.
    #[error("{0} cannot be asked for a model: leave the model out, and choose it in the program's own settings")]
    NoModel(String),
    /// It can be allowed everything, or nothing.
    #[error(
        "{0} cannot be held to editing files: it acts without asking, or does nothing. Allow agents everything in this \
         repository (`execute_config.yolo_mode` and `yolo_allowlist` in your own file), or choose another agent"
    )]
    Everything(String),
    /// The value would be taken for a flag, or cannot be an argument at all.
    #[error(
        "the {what} `{value}` cannot be given to an agent; it must not be empty, begin with `-` or hold control characters"
    )]
    BadValue {
        /// Which value.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// The name of the prompt's file is not UTF-8.
    #[error("the prompt's file `{}` cannot be named in an argument: not UTF-8. Choose another data directory", .0.display())]
    PromptFile(PathBuf),
}

/// Returns the exact call of an agent.
///
/// # Errors
/// When the agent cannot be called like this; nothing depends on what is installed.
pub fn invocation(executor: &Executor, ask: &Ask<'_>) -> Result<Invocation, CannotInvoke> {
    if executor.interactive {
        return Err(CannotInvoke::Interactive(executor.name.clone()));
    }
    let (line, session) = match ask.session {
        Session::Fresh(id) => (&executor.start, (executor.session == SessionBy::Chosen).then(|| id.to_string())),
        Session::Resume(id) => {
            let line = executor.resume.as_ref().ok_or_else(|| CannotInvoke::NoResume(executor.name.clone()))?;
            (line, Some(checked("session", id)?))
        }
    };
    let grant = granted(executor, ask.approve)?;
    let model = ask.model.map(|model| checked("model", model)).transpose()?;
    if model.is_some() && executor.model.is_empty() {
        return Err(CannotInvoke::NoModel(executor.display.clone()));
    }
    let extra = [executor.extra.as_slice(), ask.extra].concat();
    let prompt_file = ask.prompt_file.to_str().ok_or_else(|| CannotInvoke::PromptFile(ask.prompt_file.to_owned()))?;
    let prompt = Prompt::carry(executor.prompt, ask.prompt, prompt_file);
    let values = Values {
        approve: &grant.args,
        model_args: &executor.model,
        model: model.as_deref(),
        extra: &extra,
        session: session.as_deref(),
        prompt: &prompt.argument,
        prompt_file,
    };
    let args = template::fill(line, &values);
    let shown = template::fill(line, &Values { prompt: "PROMPT", ..values });
    let mut display = join(executor.program_name(), &shown);
    if prompt.stdin.is_some() {
        display.push_str(" < PROMPT");
    }
    let mut set = executor.set.clone();
    set.extend(grant.set.clone());
    Ok(Invocation {
        args,
        stdin: prompt.stdin,
        file: prompt.file.map(|content| (ask.prompt_file.to_owned(), content)),
        set,
        drop: executor.drop.clone(),
        session,
        display,
    })
}

/// Which run of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// The one that begins it.
    First,
    /// One that goes on in it.
    Again,
}

/// Returns an agent's call as people would type it, with words in capitals for what only a run knows.
///
/// # Errors
/// When the agent cannot be called like this.
pub fn sketch(executor: &Executor, approve: Approve, run: Run) -> Result<String, CannotInvoke> {
    let session = match run {
        Run::First => Session::Fresh(Uuid::nil()),
        Run::Again => Session::Resume("SESSION"),
    };
    let model = executor.default_model.as_deref();
    let prompt_file = Path::new("PROMPT_FILE");
    let call = invocation(executor, &Ask { prompt: "", prompt_file, model, approve, session, extra: &[] })?;
    let set = granted(executor, approve)?.set.iter().map(|(name, value)| {
        let value = shlex::try_quote(value).map_or_else(|_| value.clone(), Into::into);
        format!("{name}={value} ")
    });
    Ok(set.chain([call.display.replace(&Uuid::nil().to_string(), "SESSION")]).collect())
}

/// Returns how an agent is told what it may do.
///
/// # Errors
/// When it cannot be held to so little.
pub fn granted(executor: &Executor, approve: Approve) -> Result<&Grant, CannotInvoke> {
    match approve {
        Approve::Everything => Ok(&executor.approve.everything),
        Approve::Edits => {
            executor.approve.edits.as_ref().ok_or_else(|| CannotInvoke::Everything(executor.display.clone()))
        }
    }
}

/// Returns the arguments with which a person opens the session; nothing where the agent has no such way.
///
/// # Errors
/// When the session's name would be taken for a flag.
pub fn takeover(executor: &Executor, session: &str) -> Result<Option<Vec<String>>, CannotInvoke> {
    let session = checked("session", session)?;
    let filled = executor.takeover.iter().map(|arg| arg.replace("{session}", &session)).collect();
    Ok((!executor.takeover.is_empty()).then_some(filled))
}

/// Where the prompt goes.
struct Prompt {
    argument: String,
    stdin: Option<String>,
    file: Option<String>,
}

impl Prompt {
    fn carry(by: PromptBy, prompt: &str, prompt_file: &str) -> Self {
        let none = Self { argument: String::new(), stdin: None, file: None };
        match by {
            PromptBy::Stdin => Self { stdin: Some(prompt.to_owned()), ..none },
            PromptBy::File => Self { file: Some(prompt.to_owned()), ..none },
            PromptBy::Argument if prompt.len() > ARGUMENT_MAX => Self {
                argument: format!("Read the file {prompt_file} to its end and do what it says."),
                file: Some(prompt.to_owned()),
                ..none
            },
            // No argument can hold a NUL.
            PromptBy::Argument => Self { argument: prompt.replace('\0', "\u{fffd}"), ..none },
        }
    }
}

/// Agents report their session's name, so it is no more to be trusted than the rest of their output.
fn checked(what: &'static str, value: &str) -> Result<String, CannotInvoke> {
    if value.is_empty() || value.starts_with('-') || value.chars().any(char::is_control) {
        return Err(CannotInvoke::BadValue { what, value: value.escape_debug().to_string() });
    }
    Ok(value.to_owned())
}

fn join(program: &str, args: &[String]) -> String {
    let words = std::iter::once(program).chain(args.iter().map(String::as_str));
    // What the shell cannot be given at all, a NUL, is shown as the character that stands for the unreadable.
    words
        .map(|word| shlex::try_quote(&word.replace('\0', "\u{fffd}")).map_or_else(|_| word.to_owned(), Into::into))
        .collect::<Vec<String>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
