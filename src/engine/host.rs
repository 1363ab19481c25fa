//! What the settings say about the host of the board's repository.

use crate::config::Config;
use crate::domain::pull_request::Provider;
use crate::git::Repo;
use crate::git::host::{self, Host, HostError, Which};

use super::workshop::Workshop;

/// Returns what decides which host the repository is on.
pub fn which(config: &Config) -> Which {
    let settings = &config.git_host_config;
    Which {
        remote: settings.remote.clone(),
        // `auto` is no kind of host.
        provider: settings.provider.parse::<Provider>().ok(),
        github_hosts: settings.github_hosts.clone(),
        gitlab_hosts: settings.gitlab_hosts.clone(),
    }
}

/// Finds the host of a repository and the program that asks it.
///
/// # Errors
/// When the remote is on no host that Draft knows, or the program is not there.
pub fn host<'a>(shop: &Workshop, repo: &'a Repo, config: &Config) -> Result<Host<'a>, HostError> {
    Host::of(repo, host::project(repo, &which(config))?, &shop.path_env)
}
