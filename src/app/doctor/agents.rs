//! Which agents are installed, and whether they answer when they are asked for their version.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::Loaded;
use crate::executor::table::{Executor, Program, locate};

use super::{Check, Patient};

/// How long an agent may take to say its version.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is shown, in characters.
const ANSWER_MAX: usize = 80;

/// Looks at every agent of the table, all at once.
pub(super) async fn look(patient: &Patient, settings: Option<&Loaded>) -> Vec<Check> {
    let preferred = settings.map(|loaded| loaded.config.execute_config.preferred_executor.as_str());
    let mut checks = join_all(patient.table.iter().map(|agent| one(patient, agent, preferred))).await;
    if let Some(preferred) = preferred
        && let Err(unknown) = patient.table.find(preferred)
    {
        let fix = "set `execute_config.preferred_executor` to one of these";
        checks.push(Check::warning(&format!("agent {preferred}"), unknown.to_string(), fix));
    }
    checks
}

async fn one(patient: &Patient, agent: &Executor, preferred: Option<&str>) -> Check {
    let name = format!("agent {}", agent.name);
    let is_preferred = preferred == Some(agent.name.as_str());
    if agent.program == Program::Draft {
        return Check::ok(&name, format!("{}, built in, {}", agent.display, env!("CARGO_PKG_VERSION")));
    }
    let Some(program) = locate(agent, &patient.path_env, &patient.draft_program) else {
        let missing = format!("{} is not installed", agent.display);
        if !is_preferred {
            return Check { fix: agent.install.clone(), ..Check::ok(&name, missing) };
        }
        let fix = format!("{}; or set `execute_config.preferred_executor` to another one", agent.install);
        return Check::warning(&name, format!("{missing}, and tickets that name no agent ask for it"), fix);
    };
    let at = program.display();
    if agent.version.is_empty() {
        return Check::ok(&name, format!("{} at {at}", agent.display));
    }
    match version(&program, &agent.version).await {
        Ok(version) => Check::ok(&name, format!("{version} at {at}")),
        Err(why) => {
            let asked = format!("{at} {}", agent.version.join(" "));
            Check::warning(&name, format!("`{asked}` {why}"), "try it by hand; perhaps it wants to be set up first")
        }
    }
}

/// Asks a program for its version. What it says is for people.
async fn version(program: &Path, args: &[String]) -> Result<String, String> {
    let asked = Command::new(program)
        .args(args)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Alone, so that a Ctrl-C of the terminal is not its to answer.
        .process_group(0)
        .kill_on_drop(true)
        .output();
    let output = match timeout(PATIENCE, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("could not be started: {error}")),
        Err(_) => return Err(format!("said nothing for {} s and was stopped", PATIENCE.as_secs())),
    };
    if !output.status.success() {
        return Err(format!("ended with {}: {}", output.status, first_line(&output.stderr)));
    }
    let said = [&output.stdout, &output.stderr].map(|said| first_line(said));
    Ok(said.into_iter().find(|line| !line.is_empty()).unwrap_or_else(|| "it says no version".to_owned()))
}

fn first_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().chars().take(ANSWER_MAX).collect()
}
