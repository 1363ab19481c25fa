//! The host of a remote, where pull requests are: GitHub asked with `gh`, GitLab with `glab`. Which one it is follows from
//! the machine that the remote's address names and from nothing else of it.
//!
//! Every call says for which project it is, so that neither the folder nor a setting of the program has a say; it has a
//! limit on its time and its output, asks nothing back, and finds the person's own credentials.

mod github;
mod gitlab;
mod remote;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::invoke::{Call, cut};
use super::program::is_program;
use super::publish::{self, Addresses};
use super::{GitError, Repo};
use crate::domain::landing::Strategy;
use crate::domain::pull_request::{Provider, Remark, Seen};
use remote::Address;

/// How long a host may take to say who is logged in.
const LOGIN: Duration = Duration::from_secs(10);
/// How long it may take to tell something.
const READ: Duration = Duration::from_secs(15);
/// How long it may take to do something.
const WRITE: Duration = Duration::from_secs(30);
/// How much it may tell.
const MOST: usize = 16 << 20;
/// How many comments are taken from it, the newest.
const REMARKS: usize = 100;
/// How much of each comment, in characters.
const REMARK: usize = 4000;

/// What decides which host a remote is on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Which {
    /// The remote.
    pub remote: String,
    /// The kind of host, where somebody says so.
    pub provider: Option<Provider>,
    /// Machines that are GitHub beside `github.com`.
    pub github_hosts: Vec<String>,
    /// Machines that are GitLab beside `gitlab.com`.
    pub gitlab_hosts: Vec<String>,
}

/// The project that a remote's address names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// What kind of host it is on.
    pub provider: Provider,
    /// The machine; with its port where the address names one.
    pub host: String,
    /// The project on it, such as `owner/name`.
    pub path: String,
    /// The remote.
    pub remote: String,
    /// Where it is pushed, where that is elsewhere.
    pub push_url: Option<String>,
}

/// Why a host could not be asked, or what it said instead of an answer.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no such remote.
    #[error(
        "the repository has no remote `{0}`; add one with `git remote add {0} URL`, or name another one in \
         `git_host_config.remote`"
    )]
    NoRemote(String),
    /// The address names no project on a host.
    #[error("the address of the remote `{0}` names no project on GitHub or GitLab")]
    NoProject(String),
    /// Nobody said what kind of host this is.
    #[error(
        "Draft does not know whether {host} is GitHub or GitLab; say so in your own settings, for instance \
         `draft config set --user git_host_config.gitlab_hosts '[{host}]'`"
    )]
    Unknown {
        /// The machine.
        host: String,
    },
    /// Its program is not there.
    #[error("`{tool}`, which speaks to {host}, is not installed; {}", install(tool))]
    NotInstalled {
        /// The program.
        tool: &'static str,
        /// The machine.
        host: String,
    },
    /// Nobody is logged in.
    #[error("`{tool}` is not logged in to {host}: {said}; run `{tool} auth login --hostname {host}`")]
    NotLoggedIn {
        /// The program.
        tool: &'static str,
        /// The machine.
        host: String,
        /// What it said.
        said: String,
    },
    /// It was asked too often.
    #[error("{host} wants to be asked less often: {said}")]
    RateLimited {
        /// The machine.
        host: String,
        /// What it said.
        said: String,
    },
    /// It said no, or could not be reached.
    #[error("{host} did not do it: {said}")]
    Failed {
        /// The machine.
        host: String,
        /// What was said, in a line.
        said: String,
    },
    /// It answered something that makes no sense.
    #[error("could not understand what `{command}` printed: {why}")]
    Strange {
        /// The command.
        command: String,
        /// Why.
        why: String,
    },
    /// A program could not be started, or took too long.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl HostError {
    /// Says whether the machine lacks something: a remote, a program, a login, a setting.
    pub fn is_about_setup(&self) -> bool {
        match self {
            Self::NoRemote(_)
            | Self::NoProject(_)
            | Self::Unknown { .. }
            | Self::NotInstalled { .. }
            | Self::NotLoggedIn { .. } => true,
            Self::RateLimited { .. } | Self::Failed { .. } | Self::Strange { .. } | Self::Git(_) => false,
        }
    }
}

fn install(tool: &str) -> &'static str {
    match tool {
        "gh" => "see https://cli.github.com, then run `gh auth login`",
        _ => "see https://gitlab.com/gitlab-org/cli, then run `glab auth login`",
    }
}

/// A pull request that is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewPull<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its text.
    pub body: &'a str,
    /// The branch that is to be merged.
    pub branch: &'a str,
    /// The branch into which.
    pub base: &'a str,
    /// It is not ready yet.
    pub draft: bool,
}

/// A host that can be asked about a project.
#[derive(Clone, Debug)]
pub struct Host<'a> {
    repo: &'a Repo,
    program: PathBuf,
    /// The project.
    pub project: Project,
}

/// Says whether the repository has a remote of that name right now. Where its settings cannot be read, whoever needs them says so.
pub fn has_remote(repo: &Repo, name: &str) -> bool {
    let Ok(config) = gix::config::File::from_git_dir(repo.common_dir().to_owned()) else { return true };
    let is_it = |name: &str, found: Option<&gix::bstr::BStr>| found.is_some_and(|found| found == name);
    let mut remotes = config.sections_by_name("remote").into_iter().flatten();
    remotes.any(|section| is_it(name, section.header().subsection_name()))
}

/// Finds the project that the remote's address names.
///
/// # Errors
/// When there is no such remote, or nobody knows what kind of host it is on.
pub fn project(repo: &Repo, which: &Which) -> Result<Project, HostError> {
    let Some(Addresses { fetch, push }) = publish::addresses(repo, &which.remote)? else {
        return Err(HostError::NoRemote(which.remote.clone()));
    };
    let Some(address) = Address::read(&fetch) else { return Err(HostError::NoProject(which.remote.clone())) };
    let provider = which.provider.or_else(|| kind(&address, which));
    let provider = provider.ok_or_else(|| HostError::Unknown { host: address.host.clone() })?;
    Ok(Project { provider, host: address.host, path: address.path, remote: which.remote.clone(), push_url: push })
}

/// Returns what kind of host a machine is.
fn kind(address: &Address, which: &Which) -> Option<Provider> {
    let named = |hosts: &[String]| {
        let is_it =
            |host: &String| host.eq_ignore_ascii_case(&address.host) || host.eq_ignore_ascii_case(address.machine());
        hosts.iter().any(is_it)
    };
    match address.host.as_str() {
        _ if named(&which.github_hosts) => Some(Provider::GitHub),
        _ if named(&which.gitlab_hosts) => Some(Provider::GitLab),
        "github.com" => Some(Provider::GitHub),
        "gitlab.com" => Some(Provider::GitLab),
        // Where GitHub hosts it for a company.
        host if host.ends_with(".ghe.com") => Some(Provider::GitHub),
        _ => None,
    }
}

impl<'a> Host<'a> {
    /// Finds the program that asks a project's host, in a search path such as `PATH`.
    ///
    /// # Errors
    /// When it is not there.
    pub fn of(repo: &'a Repo, project: Project, search_path: &OsStr) -> Result<Self, HostError> {
        let tool = project.provider.tool();
        // A repository must not bring its own.
        let folders = std::env::split_paths(search_path).filter(|folder| folder.is_absolute());
        let program = folders.map(|folder| folder.join(tool)).find(|program| is_program(program));
        let missing = || HostError::NotInstalled { tool, host: project.host.clone() };
        let program = program.ok_or_else(missing)?;
        Ok(Self { repo, program, project })
    }

    /// Makes sure that somebody is logged in.
    ///
    /// # Errors
    /// When nobody is, or the program does not say.
    pub fn require_login(&self) -> Result<(), HostError> {
        // Both know this command and end with 1 where nobody is.
        match self.call(["auth", "status", "--hostname", &self.project.host], LOGIN).run() {
            Ok(_) => Ok(()),
            Err(GitError::Failed { stderr, .. }) => Err(HostError::NotLoggedIn {
                tool: self.project.provider.tool(),
                host: self.project.host.clone(),
                said: in_a_line(&stderr),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns how a pull request stands.
    ///
    /// # Errors
    /// When the host cannot be reached, or there is none of that number; so with all that follow.
    pub fn see(&self, number: u64) -> Result<Seen, HostError> {
        match self.project.provider {
            Provider::GitHub => github::see(self, number),
            Provider::GitLab => gitlab::see(self, number),
        }
    }

    /// Returns the open pull request of a branch of this project, if there is one.
    ///
    /// # Errors
    /// When the host cannot be reached.
    pub fn open_of(&self, branch: &str) -> Result<Option<Seen>, HostError> {
        match self.project.provider {
            Provider::GitHub => github::open_of(self, branch),
            Provider::GitLab => gitlab::open_of(self, branch),
        }
    }

    /// Opens a pull request for a branch that was pushed, and returns how it stands.
    ///
    /// # Errors
    /// When the host cannot be reached, or says no.
    pub fn create(&self, new: NewPull<'_>) -> Result<Seen, HostError> {
        let said = match self.project.provider {
            Provider::GitHub => github::create(self, new),
            Provider::GitLab => gitlab::create(self, new),
        }?;
        if let Some(number) = number_in(&said) {
            return self.see(number);
        }
        self.open_of(new.branch)?.ok_or_else(|| HostError::Strange {
            command: format!("{} create", self.project.provider.tool()),
            why: "it names no address, and there is no open one of that branch".to_owned(),
        })
    }

    /// Returns the newest comments, oldest first.
    ///
    /// # Errors
    /// When the host cannot be reached.
    pub fn remarks(&self, number: u64) -> Result<Vec<Remark>, HostError> {
        let mut remarks = match self.project.provider {
            Provider::GitHub => github::remarks(self, number),
            Provider::GitLab => gitlab::remarks(self, number),
        }?;
        remarks.retain(|remark| !remark.body.trim().is_empty());
        remarks.sort_by_key(|remark| remark.at);
        remarks.drain(..remarks.len().saturating_sub(REMARKS));
        for remark in &mut remarks {
            if let Some((cut, _)) = remark.body.char_indices().nth(REMARK) {
                remark.body.truncate(cut);
                remark.body.push('…');
            }
        }
        Ok(remarks)
    }

    /// Comments on a pull request.
    ///
    /// # Errors
    /// When the host cannot be reached, or says no.
    pub fn comment(&self, number: u64, text: &str) -> Result<(), HostError> {
        match self.project.provider {
            Provider::GitHub => github::comment(self, number, text),
            Provider::GitLab => gitlab::comment(self, number, text),
        }
    }

    /// Has the host merge a pull request, if its branch is still at this commit. Whether it did is to be seen afterwards:
    /// it may have put it into a queue.
    ///
    /// # Errors
    /// When the host cannot be reached, or says no.
    pub fn merge(&self, number: u64, strategy: Strategy, head: &str) -> Result<(), HostError> {
        match self.project.provider {
            Provider::GitHub => github::merge(self, number, strategy, head),
            Provider::GitLab => gitlab::merge(self, number, strategy, head),
        }
    }

    fn call<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, limit: Duration) -> Call<'_> {
        let call = self.repo.git.other(self.dir(), &self.program).args(args).within(limit).at_most(MOST);
        // Nothing is asked back, nothing is coloured or paged, and nobody is told of new versions.
        [
            ("GH_PROMPT_DISABLED", "1"),
            ("GH_NO_UPDATE_NOTIFIER", "1"),
            ("GH_FORCE_TTY", ""),
            ("NO_PROMPT", "1"),
            ("GLAB_NO_PROMPT", "1"),
            ("GLAB_CHECK_UPDATE", "false"),
            ("NO_COLOR", "1"),
            ("CLICOLOR_FORCE", "0"),
        ]
        .into_iter()
        .fold(call, |call, (name, value)| call.variable(name, value))
    }

    fn dir(&self) -> &Path {
        self.repo.root()
    }

    /// Asks and returns what was printed.
    fn ask(&self, call: Call<'_>) -> Result<String, HostError> {
        let said = call.run().map_err(|error| self.understood(error))?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// Asks for JSON. Programs that follow pages print one text after the other.
    fn ask_for<T: DeserializeOwned>(&self, what: &str, call: Call<'_>) -> Result<Vec<T>, HostError> {
        let said = self.ask(call)?;
        let values = serde_json::Deserializer::from_str(&said).into_iter::<T>().collect::<Result<Vec<T>, _>>();
        values.map_err(|error| HostError::Strange { command: what.to_owned(), why: cut(error.to_string().as_bytes()) })
    }

    /// Asks for one JSON value.
    fn ask_for_one<T: DeserializeOwned>(&self, what: &str, call: Call<'_>) -> Result<T, HostError> {
        self.ask_for(what, call)?
            .pop()
            .ok_or_else(|| HostError::Strange { command: what.to_owned(), why: "it printed nothing".to_owned() })
    }

    /// Tells apart what a program may mean when it fails.
    fn understood(&self, error: GitError) -> HostError {
        let GitError::Failed { stderr, code, .. } = error else { return error.into() };
        let (host, said) = (self.project.host.clone(), in_a_line(&stderr));
        let small = stderr.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| small.contains(word));
        let tool = self.project.provider.tool();
        // `gh` has an exit code for it.
        let no_login = tool == "gh" && code == Some(4);
        if no_login || says(&["auth login", "401 unauthorized", "http 401", "bad credentials"]) {
            return HostError::NotLoggedIn { tool, host, said };
        }
        if says(&["rate limit", "429", "too many requests", "abuse detection"]) {
            return HostError::RateLimited { host, said };
        }
        HostError::Failed { host, said }
    }
}

/// Returns the first lines that say something, as one.
fn in_a_line(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.take(4).collect::<Vec<_>>().join(" · ");
    if line.is_empty() { "it does not say why".to_owned() } else { line }
}

/// Returns the number at the end of the address of a pull request that a program printed.
fn number_in(said: &str) -> Option<u64> {
    let word =
        said.split_whitespace().rev().find(|word| word.contains("/pull/") || word.contains("/merge_requests/"))?;
    let (_, number) = word.trim_end_matches('/').rsplit_once('/')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests;
