//! The demo agent's dealings with other processes and with signals.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::SIGTERM;

/// Makes the program live on in a session of its own for so many milliseconds.
pub(super) const DAEMON_FLAG: &str = "--live-apart";

/// Runs a command with the shell and returns what it printed, in front of it the exit code when that is not 0.
pub(super) fn shell(dir: &Path, command: &str) -> Result<String, String> {
    printed(Command::new("sh").args(["-c", command]).current_dir(dir), command)
}

/// Runs git with an identity of the agent's own.
pub(super) fn git(dir: &Path, args: &[&str]) -> Result<String, String> {
    let mut git = Command::new("git");
    git.args(args).current_dir(dir);
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "Draft demo agent");
        git.env(format!("GIT_{who}_EMAIL"), "demo-agent@draft.invalid");
    }
    printed(&mut git, "git")
}

fn printed(command: &mut Command, name: &str) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("could not start `{name}`: {error}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let text = text.trim_end();
    match (output.status.code(), text) {
        (Some(0), "") => Ok("(Bash completed with no output)".to_owned()),
        (Some(0), text) => Ok(text.to_owned()),
        (Some(code), text) => Err(format!("Exit code {code}\n{text}")),
        (None, text) => Err(format!("Killed by a signal\n{text}")),
    }
}

/// Leaves a child in the agent's own process group, with the agent's output open.
pub(super) fn leave_child(time: Duration) -> Result<(), String> {
    // Nobody waits for it: that is what it is for.
    Command::new("sleep")
        .arg(time.as_secs_f64().to_string())
        .stdin(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(|error| format!("could not start `sleep`: {error}"))
}

/// Leaves a grandchild in a session of its own, whose parent is gone.
pub(super) fn leave_daemon(program: &Path, time: Duration) -> Result<(), String> {
    let millis = time.as_millis().to_string();
    let started = Command::new("sh")
        .args(["-c", r#""$0" demo-agent "$1" "$2" &"#])
        .arg(program)
        .args([DAEMON_FLAG, &millis])
        .stdin(Stdio::null())
        .status();
    match started {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the shell that starts the daemon ended with {status}")),
        Err(error) => Err(format!("could not start `sh`: {error}")),
    }
}

/// Leaves the agent's session and sleeps.
pub(super) fn live_apart(time: Duration) -> ExitCode {
    match rustix::process::setsid() {
        Ok(_) => std::thread::sleep(time),
        Err(_) => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

/// From now on SIGTERM does nothing.
pub(super) fn ignore_polite_signal() -> Result<(), String> {
    // A handler whose flag nobody reads; programs that the agent starts do not inherit it.
    signal_hook::flag::register(SIGTERM, Arc::new(AtomicBool::new(false)))
        .map(drop)
        .map_err(|error| format!("could not ignore SIGTERM: {error}"))
}

/// Does nothing, for ever.
pub(super) fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
