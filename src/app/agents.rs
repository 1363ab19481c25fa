//! Which agents there are on this machine: where each program is, which version it says, whether somebody is signed in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::{self, Loaded, Origin};
use crate::executor::row::{Executor, Program};
use crate::executor::table::{Table, locate};
use crate::run::folder::write_private;
use crate::store::Reader;

use super::error::AppError;
use super::open::{ConfigFiles, Options, config_files, paths};

/// How long a program may take for an answer. Some need seconds to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many programs are asked at once.
const AT_ONCE: usize = 4;
/// Longest answer that is shown, in characters.
const ANSWER_MAX: usize = 80;
/// What versions said, so that nobody is asked twice.
const CACHE: &str = "agents.json";

/// An agent, and what is known of it here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Its row.
    pub executor: Executor,
    /// Where its program is; nothing where it is not installed.
    pub program: Option<PathBuf>,
    /// What it says about its version.
    pub version: Version,
    /// Whether somebody is signed in.
    pub login: SignedIn,
}

/// What a program says about its version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Version {
    /// This.
    Says(String),
    /// It was not asked.
    NotAsked,
    /// It gave no answer, and why.
    Fails(String),
}

/// Whether somebody is signed in, and how that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignedIn {
    /// Somebody is.
    Yes(String),
    /// Nobody is.
    No(String),
    /// It cannot be told.
    Unknown(String),
}

/// The agents of a machine and a repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survey {
    /// Every agent, in the order of the table.
    pub agents: Vec<Seen>,
    /// The agent that works when a ticket names none.
    pub preferred: String,
    /// Why a repository's own agents were left alone.
    pub untrusted: bool,
}

/// Looks at every agent that is in force here. It makes nothing, and works outside of a repository too.
///
/// # Errors
/// When the configuration or the agents in it are wrong.
pub async fn survey(options: &Options) -> Result<Survey, AppError> {
    let Known { table, loaded, place } = known(options)?;
    let agents = look(&place, &table).await;
    let untrusted = !place.trusted && agents.iter().any(|seen| seen.executor.source == Origin::Repo);
    Ok(Survey { agents, preferred: loaded.config.execute_config.preferred_executor, untrusted })
}

/// Returns the agents that are in force here, without looking at any.
///
/// # Errors
/// When the configuration or the agents in it are wrong.
pub fn agents_here(options: &Options) -> Result<Table, AppError> {
    Ok(known(options)?.table)
}

/// What is known before any agent is looked at.
struct Known {
    table: Table,
    loaded: Loaded,
    place: Place,
}

fn known(options: &Options) -> Result<Known, AppError> {
    let ConfigFiles { files, repo_root } = config_files(options)?;
    let loaded = config::load(&config::read(&files)?)?;
    let table = Table::of(&loaded)?;
    let paths = paths(options.data_dir.as_deref())?;
    let trusted = repo_root.is_none_or(|root| is_trusted(&paths.database(), &root, &loaded));
    let path_env = std::env::var_os("PATH").unwrap_or_default();
    let draft_program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("draft"));
    let place = Place { path_env, draft_program, data_dir: paths.data_dir, trusted };
    Ok(Known { table, loaded, place })
}

/// Says whether what a repository's file would run is trusted in its present form.
pub(super) fn is_trusted(database: &Path, repo_root: &Path, loaded: &Loaded) -> bool {
    let Some(content) = config::trust::trust_content(loaded) else { return true };
    let trusted = Reader::open(database).and_then(|reader| reader.trusted(repo_root)).ok().flatten();
    trusted.as_ref() == Some(&content)
}

/// Where agents are looked for.
pub(super) struct Place {
    pub(super) path_env: OsString,
    pub(super) draft_program: PathBuf,
    /// Answers are kept there, if it exists.
    pub(super) data_dir: PathBuf,
    /// Whether agents that a repository brings may be started.
    pub(super) trusted: bool,
}

/// Looks at every agent of a table, some at once.
pub(super) async fn look(place: &Place, table: &Table) -> Vec<Seen> {
    let file = place.data_dir.join(CACHE);
    let read = std::fs::read(&file).ok();
    let known: Answers = read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let found: Vec<(Seen, Option<Answer>)> =
        stream::iter(table.iter()).map(|row| one(place, row, &known)).buffered(AT_ONCE).collect().await;
    let now: Answers = found
        .iter()
        .filter_map(|(seen, answer)| Some((seen.program.as_ref()?.to_str()?.to_owned(), answer.clone()?)))
        .collect();
    if now != known && place.data_dir.is_dir() {
        let text = serde_json::to_vec_pretty(&now).unwrap_or_default();
        if let Err(error) = write_private(&place.data_dir, &file, &text) {
            tracing::warn!(file = %file.display(), %error, "the versions of agents could not be kept");
        }
    }
    found.into_iter().map(|(seen, _)| seen).collect()
}

/// Answers by the path of the program.
type Answers = BTreeMap<String, Answer>;

/// What a program said about its version, and which program it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Answer {
    stamp: Stamp,
    args: Vec<String>,
    version: String,
}

/// What differs when another program stands in the same place. Packages give their files any time of change, but not any
/// time of arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
    arrived: (i64, i64),
}

impl Stamp {
    fn of(program: &Path) -> Option<Self> {
        let data = program.metadata().ok()?;
        Some(Self {
            device: data.dev(),
            inode: data.ino(),
            size: data.size(),
            changed: (data.mtime(), data.mtime_nsec()),
            arrived: (data.ctime(), data.ctime_nsec()),
        })
    }
}

async fn one(place: &Place, row: &Executor, known: &Answers) -> (Seen, Option<Answer>) {
    let seen = |program, version, login| Seen { executor: row.clone(), program, version, login };
    if row.program == Program::Draft {
        let (version, login) = (env!("CARGO_PKG_VERSION").to_owned(), "it needs no account".to_owned());
        return (seen(Some(place.draft_program.clone()), Version::Says(version), SignedIn::Yes(login)), None);
    }
    let Some(program) = locate(row, &place.path_env, &place.draft_program) else {
        return (seen(None, Version::NotAsked, SignedIn::Unknown("it is not installed".to_owned())), None);
    };
    if row.source == Origin::Repo && !place.trusted {
        let login = SignedIn::Unknown("the repository's file that brings it is not trusted".to_owned());
        return (seen(Some(program), Version::NotAsked, login), None);
    }
    let (version, answer) = version(&program, row, known).await;
    let login = signed_in(&program, row).await;
    (seen(Some(program), version, login), answer)
}

async fn version(program: &Path, row: &Executor, known: &Answers) -> (Version, Option<Answer>) {
    if row.version.is_empty() {
        return (Version::NotAsked, None);
    }
    let stamp = Stamp::of(program);
    let before = program.to_str().and_then(|path| known.get(path));
    if let Some(answer) = before.filter(|answer| Some(answer.stamp) == stamp && answer.args == row.version) {
        return (Version::Says(answer.version.clone()), Some(answer.clone()));
    }
    let output = match ask(program, &row.version, row).await {
        Ok(output) => output,
        Err(why) => return (Version::Fails(why), None),
    };
    if !output.status.success() {
        let why = format!("ended with {}: {}", output.status, first_line(&output.stderr));
        return (Version::Fails(why), None);
    }
    let said = [&output.stdout, &output.stderr].map(|said| first_line(said));
    let version = said.into_iter().find(|line| !line.is_empty()).unwrap_or_else(|| "it says no version".to_owned());
    let answer = stamp.map(|stamp| Answer { stamp, args: row.version.clone(), version: version.clone() });
    (Version::Says(version), answer)
}

/// Says whether somebody is signed in: by what is set, by what the program says, by what is there. No secret is looked at.
async fn signed_in(program: &Path, row: &Executor) -> SignedIn {
    let login = &row.login;
    let is_set = |name: &&String| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if let Some(name) = login.variables.iter().find(is_set) {
        return SignedIn::Yes(format!("{name} is set"));
    }
    if !login.status.is_empty() {
        let asked = format!("`{} {}`", row.program_name(), login.status.join(" "));
        return match ask(program, &login.status, row).await {
            Ok(output) if output.status.success() => SignedIn::Yes(format!("{asked} says so")),
            Ok(_) => SignedIn::No(format!("{asked} says so")),
            Err(why) => SignedIn::Unknown(format!("{asked} {why}")),
        };
    }
    if let Some(file) = login.files.iter().find(|file| at_home(file).is_some_and(|path| path.exists())) {
        return SignedIn::Yes(format!("{file} is there"));
    }
    let looked: Vec<&str> = login.variables.iter().chain(&login.files).map(String::as_str).collect();
    SignedIn::Unknown(match looked.as_slice() {
        [] => "it has no sign that could be looked for".to_owned(),
        looked => format!("there is no sign of it: {}", looked.join(", ")),
    })
}

fn at_home(file: &str) -> Option<PathBuf> {
    match file.strip_prefix("~/") {
        Some(rest) => Some(PathBuf::from(std::env::var_os("HOME")?).join(rest)),
        None => Some(PathBuf::from(file)),
    }
}

/// Asks a program something. What it says is for people.
async fn ask(program: &Path, args: &[String], row: &Executor) -> Result<Output, String> {
    let mut command = Command::new(program);
    row.drop.iter().for_each(|name| {
        command.env_remove(name);
    });
    let asked = command
        .args(args)
        .envs(&row.set)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Alone, so that a Ctrl-C of the terminal is not its to answer.
        .process_group(0)
        .kill_on_drop(true)
        .output();
    match timeout(PATIENCE, asked).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(format!("could not be started: {error}")),
        Err(_) => Err(format!("said nothing for {} s and was stopped", PATIENCE.as_secs())),
    }
}

fn first_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().chars().take(ANSWER_MAX).collect()
}
