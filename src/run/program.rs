//! The program of a run: how it is started exactly as its specification says, and why it could not be.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::error::RunError;
use super::folder::{Folder, Stream};
use super::output::{Pump, appending};
use super::spec::{MARK_VARIABLE, Output, Spec, Stdin};

/// Puts together how the program is started, and what copies its output.
pub(super) fn command(folder: &Folder, spec: &Spec) -> Result<(Command, Vec<Pump>), RunError> {
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).current_dir(&spec.cwd).process_group(0).env_clear();
    command.envs(spec.inherit.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(&spec.set).env(MARK_VARIABLE, marks(spec));
    command.stdin(match spec.stdin {
        Stdin::Null => Stdio::null(),
        Stdin::Prompt => {
            let path = folder.prompt();
            File::open(&path).map_err(RunError::io("open", &path))?.into()
        }
    });
    let (stdout, stderr) = (appending(folder, Stream::Stdout)?, appending(folder, Stream::Stderr)?);
    match spec.output {
        Output::File => {
            command.stdout(stdout).stderr(stderr);
            Ok((command, Vec::new()))
        }
        Output::Pipe => {
            let pipe = || io::pipe().map_err(RunError::io("make pipes for", folder.path()));
            let ((from_stdout, to_stdout), (from_stderr, to_stderr)) = (pipe()?, pipe()?);
            command.stdout(to_stdout).stderr(to_stderr);
            Ok((command, vec![Pump::new(from_stdout, stdout), Pump::new(from_stderr, stderr)]))
        }
    }
}

/// Returns the value of the mark's variable: marks of runs that this one is inside of, and its own.
fn marks(spec: &Spec) -> String {
    match std::env::var(MARK_VARIABLE) {
        Ok(outer) if !outer.is_empty() => format!("{outer} {}", spec.mark),
        Ok(_) | Err(_) => spec.mark.to_string(),
    }
}

/// Says why a program could not be started, and what to do about it.
pub(super) fn why_not_started(spec: &Spec, error: &io::Error) -> String {
    let (program, cwd) = (spec.program.display(), spec.cwd.display());
    let hint = match error.kind() {
        _ if !spec.cwd.is_dir() => "that folder is not there",
        io::ErrorKind::NotFound if spec.program.exists() => {
            "the file is there, but the interpreter that its first line names is not"
        }
        io::ErrorKind::NotFound => "no such file; is it installed?",
        io::ErrorKind::PermissionDenied => "may it be executed?",
        io::ErrorKind::ArgumentListTooLong => "its arguments and environment are too long; give a long prompt on stdin",
        _ => "is it a program for this system?",
    };
    format!("could not start `{program}` in {cwd}: {error}: {hint}")
}
