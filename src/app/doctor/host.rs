//! Whether pull requests can be opened from here: the remote is on a host that Draft knows, its program is there, and somebody
//! is logged in. Draft works without, so nothing of it is more than a warning.

use crate::config::Loaded;
use crate::engine::which;
use crate::git::host::{Host, HostError, project};

use super::repository::Surroundings;
use super::{Check, Patient};

const HOST: &str = "pull requests";

/// Returns nothing for a repository that has no remote.
pub(super) fn look(patient: &Patient, surroundings: &Surroundings, loaded: Option<&Loaded>) -> Option<Check> {
    let (repo, loaded) = (surroundings.repo()?, loaded?);
    let project = match project(repo, &which(&loaded.config)) {
        Ok(project) => project,
        Err(HostError::NoRemote(_)) => return None,
        Err(HostError::NoProject(remote)) => {
            let message = format!("the remote {remote} is on no host, so changes land here only");
            return Some(Check::ok(HOST, message));
        }
        Err(error) => {
            let fix = "name its kind in your own file, or leave it: changes land here without it";
            return Some(Check::warning(HOST, error.to_string(), fix));
        }
    };
    let (noun, host, tool) = (project.provider.noun(), project.host.clone(), project.provider.tool());
    let asked = Host::of(repo, project, &patient.path_env).and_then(|host| host.require_login());
    Some(match asked {
        Ok(()) => Check::ok(HOST, format!("`{tool}` is logged in to {host}, so a {noun} can be opened there")),
        Err(error) => {
            let fix = format!("install `{tool}` and log in where a {noun} is wanted; changes land here without it");
            Check::warning(HOST, error.to_string(), fix)
        }
    })
}
