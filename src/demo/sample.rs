//! The sample repository: a small shell library with real bugs and tests, and the tickets that mend them.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::fixes;

/// The sample repository's tickets, ready to be filed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// The goal in one line.
    pub goal_title: String,
    /// More about the goal; Markdown.
    pub goal_description: String,
    /// The tickets, in the order in which they can be filed: one that waits comes after what it waits for.
    pub tickets: Vec<SampleTicket>,
}

/// A ticket of the sample repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleTicket {
    /// One line; the demo agent knows the ticket by it.
    pub title: String,
    /// More about it; Markdown.
    pub description: String,
    /// How urgent, 0 to 100.
    pub priority: u8,
    /// Positions in the list of the tickets that must be done before it; all are smaller than its own.
    pub after: Vec<usize>,
    /// Whether it is accepted at once; the others are only proposed.
    pub accepted: bool,
    /// Its own checks.
    pub verify: Vec<String>,
}

/// Why the sample repository could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder holds something else.
    #[error("{} is not empty and is no sample repository of Draft; name an empty or a new folder", .0.display())]
    Occupied(PathBuf),
    /// A file or folder could not be made.
    #[error("could not make {}: {source}", .path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// git is not there.
    #[error("could not start git: {0}; is it installed?")]
    NoGit(io::Error),
    /// git refused.
    #[error("`git {command}` failed in {}: {stderr}", .dir.display())]
    Git {
        /// What git was asked to do.
        command: String,
        /// Where.
        dir: PathBuf,
        /// What it said.
        stderr: String,
    },
}

/// Marks a repository as one that was made here; it lies in `.git`, so it is part of no commit.
const MARKER: &str = "draft-sample";

/// The files of the first commit.
const FILES: &[(&str, &str)] = &{
    macro_rules! files {
        ($($path:literal),+ $(,)?) => {
            [$(($path, include_str!(concat!("../../assets/demo/sample/", $path)))),+]
        };
    }
    files![
        "README.md",
        "draft.yaml",
        "lib/duration.sh",
        "lib/median.sh",
        "lib/percent.sh",
        "lib/report.sh",
        "lib/round.sh",
        "lib/slug.sh",
        "lib/sqrt.sh",
        "tests/duration_test.sh",
        "tests/known-bugs/duration",
        "tests/known-bugs/median",
        "tests/known-bugs/percent",
        "tests/known-bugs/report",
        "tests/known-bugs/round",
        "tests/known-bugs/slug",
        "tests/known-bugs/sqrt",
        "tests/median_test.sh",
        "tests/percent_test.sh",
        "tests/report_test.sh",
        "tests/round_test.sh",
        "tests/run.sh",
        "tests/slug_test.sh",
        "tests/sqrt_test.sh",
        "tests/support/check.sh",
        "tests/syntax.sh",
    ]
};

/// Makes the sample repository in `dir`, which may be new, empty, or a sample repository already, in which case nothing
/// in it is changed. Returns the goal and tickets for its board.
///
/// It is built beside `dir` and moved there when it is whole, so that an interruption leaves no half of it. Commits
/// there are made as `Draft demo`, by a setting of that repository alone, so that it also works where git knows no name.
///
/// # Errors
/// When `dir` holds something else, a file cannot be made, or git is missing or fails. Nothing is overwritten.
pub fn make(dir: &Path) -> Result<Sample, DemoError> {
    if !is_ours(dir) {
        if !is_free(dir)? {
            return Err(DemoError::Occupied(dir.to_owned()));
        }
        build(dir)?;
    }
    Ok(sample())
}

/// Returns the goal and tickets of every sample repository.
pub fn sample() -> Sample {
    let known = fixes::known();
    let place = |title: &String| known.tickets.iter().position(|fix| fix.title == *title);
    let tickets = known.tickets.iter().map(|fix| SampleTicket {
        title: fix.title.clone(),
        description: fix.description.clone(),
        priority: fix.priority,
        after: fix.after.iter().filter_map(place).collect(),
        accepted: fix.accepted,
        verify: fix.verify.clone(),
    });
    Sample {
        goal_title: known.goal.title.clone(),
        goal_description: known.goal.description.clone(),
        tickets: tickets.collect(),
    }
}

fn is_ours(dir: &Path) -> bool {
    dir.join(".git").join(MARKER).is_file()
}

fn is_free(dir: &Path) -> Result<bool, DemoError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(source) => Err(DemoError::Disk { path: dir.to_owned(), source }),
    }
}

fn build(dir: &Path) -> Result<(), DemoError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::Disk { path, source }
    };
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(disk(parent))?;
    let scratch = tempfile::Builder::new().prefix(".draft-demo-").tempdir_in(parent).map_err(disk(parent))?;
    let whole = scratch.path().join("sample");
    for (name, content) in FILES {
        let path = whole.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(disk(folder))?;
        }
        fs::write(&path, content).map_err(disk(&path))?;
    }
    commit(&whole)?;
    let marker = whole.join(".git").join(MARKER);
    fs::write(&marker, "made by `draft demo`\n").map_err(disk(&marker))?;
    // Onto an empty folder this is one step; onto a full one it fails.
    fs::rename(&whole, dir).map_err(disk(dir))
}

fn commit(dir: &Path) -> Result<(), DemoError> {
    git(dir, &["init", "--quiet", "--template=", "--initial-branch=main"])?;
    git(dir, &["config", "user.name", "Draft demo"])?;
    git(dir, &["config", "user.email", "demo@draft.invalid"])?;
    git(dir, &["add", "--all"])?;
    git(dir, &["commit", "--quiet", "--message=Odds and ends, with bugs"])
}

/// Runs git without the user's settings, which may ask for signatures or hooks.
fn git(dir: &Path, args: &[&str]) -> Result<(), DemoError> {
    let mut git = Command::new("git");
    git.args(args).current_dir(dir).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_gits(name)) {
        git.env_remove(name);
    }
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = git.output().map_err(DemoError::NoGit)?;
    if output.status.success() {
        return Ok(());
    }
    Err(DemoError::Git {
        command: args.join(" "),
        dir: dir.to_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

fn is_gits(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("GIT_")
}

#[cfg(test)]
mod tests;
