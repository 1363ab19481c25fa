//! Which agents are installed, whether they answer when they are asked for their version, and whether somebody is signed in.

use crate::app::agents::{Place, Seen, SignedIn, Version, look as look_at};
use crate::config::Loaded;
use crate::executor::row::Program;
use crate::executor::table::Table;

use super::{Check, Patient};

/// Looks at every agent of the settings.
pub(super) async fn look(patient: &Patient, settings: Option<&Loaded>, trusted: bool) -> Vec<Check> {
    let preferred = settings.map(|loaded| loaded.config.execute_config.preferred_executor.as_str());
    let mut checks = Vec::new();
    let table = settings.map_or_else(|| Ok(Table::builtin()), Table::of).unwrap_or_else(|bad| {
        let fix = "mend this place; until then no agent starts";
        checks.extend(bad.0.iter().map(|bad| Check::error("agents", bad.to_string(), fix)));
        Table::builtin()
    });
    let place = Place {
        path_env: patient.path_env.clone(),
        draft_program: patient.draft_program.clone(),
        data_dir: patient.paths.data_dir.clone(),
        trusted,
    };
    let seen = look_at(&place, &table).await;
    checks.extend(seen.iter().map(|seen| one(patient, &table, seen, preferred)));
    if let Some(preferred) = preferred
        && let Err(unknown) = table.find(preferred)
    {
        let fix = "set `execute_config.preferred_executor` to one of these";
        checks.push(Check::warning(&format!("agent {preferred}"), unknown.to_string(), fix));
    }
    checks
}

fn one(patient: &Patient, table: &Table, seen: &Seen, preferred: Option<&str>) -> Check {
    let Seen { executor: agent, program, version, login } = seen;
    let name = format!("agent {}", agent.name);
    if let (Program::Draft, Version::Says(version)) = (&agent.program, version) {
        return Check::ok(&name, format!("{}, built in, {version}", agent.display));
    }
    let is_preferred = preferred.is_some_and(|preferred| agent.is_called(preferred));
    let Some(program) = program else {
        let missing = format!("{} is not installed", agent.display);
        if !is_preferred {
            return Check { fix: agent.install.clone(), ..Check::ok(&name, missing) };
        }
        let reason = table.missing(agent, &patient.path_env, &patient.draft_program);
        let fix = format!("{}; or set `execute_config.preferred_executor` to another one", agent.install);
        return Check::warning(&name, format!("tickets that name no agent ask for it: {reason}"), fix);
    };
    let at = program.display();
    let signed_in = match login {
        SignedIn::Yes(how) => format!(", signed in ({how})"),
        SignedIn::No(how) if is_preferred => {
            let message = format!("{} at {at} is preferred, but nobody is signed in ({how})", agent.display);
            return Check::warning(&name, message, &agent.install);
        }
        SignedIn::No(how) => format!(", not signed in ({how})"),
        SignedIn::Unknown(_) => String::new(),
    };
    match version {
        Version::Says(version) => Check::ok(&name, format!("{version} at {at}{signed_in}")),
        Version::NotAsked => Check::ok(&name, format!("{} at {at}{signed_in}", agent.display)),
        Version::Fails(why) => {
            let asked = format!("{at} {}", agent.version.join(" "));
            Check::warning(&name, format!("`{asked}` {why}"), "try it by hand; perhaps it wants to be set up first")
        }
    }
}
