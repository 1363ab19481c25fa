//! The `git` program: where it is and how new it is.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use super::GitError;
use super::invoke::cut;

/// The oldest git that will do: the first with `merge-tree --write-tree`.
pub const OLDEST: Version = Version { major: 2, minor: 38, patch: 0 };

/// A `git` program. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Git {
    pub(super) program: Arc<Path>,
    pub(super) environment: Environment,
    /// When what it does is not wanted any more.
    pub(super) stop: Option<Stop>,
}

/// Tells whether what git does for somebody is to end, hooks included.
#[derive(Clone)]
pub struct Stop(Arc<dyn Fn() -> bool + Send + Sync>);

impl Stop {
    /// Makes one that asks this each time.
    pub fn when(is_wanted: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_wanted))
    }

    /// Says whether an end is wanted by now.
    pub(super) fn is_wanted(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stop({})", self.is_wanted())
    }
}

/// What the program sees of the environment, before what Draft sets itself.
#[derive(Clone, Debug)]
pub(super) enum Environment {
    /// That of this process without its `GIT_…` variables.
    Inherited,
    /// These variables and no others.
    Given(Arc<[(OsString, OsString)]>),
}

/// A version of git.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl Git {
    /// Finds `git` in a search path such as `PATH` that is new enough.
    ///
    /// # Errors
    /// As [`Git::locate`] and [`Git::check`].
    pub fn find(search_path: &OsStr) -> Result<Self, GitError> {
        let git = Self::locate(search_path)?;
        git.check()?;
        Ok(git)
    }

    /// Finds `git` in a search path such as `PATH`, without starting it. Relative entries are skipped: a repository must
    /// not bring its own.
    ///
    /// # Errors
    /// When there is none.
    pub fn locate(search_path: &OsStr) -> Result<Self, GitError> {
        let program = std::env::split_paths(search_path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("git"))
            .find(|program| is_program(program))
            .ok_or(GitError::NotInstalled)?;
        Ok(Self { program: program.into(), environment: Environment::Inherited, stop: None })
    }

    /// Asks the program for its version, which takes as long as any start of it.
    ///
    /// # Errors
    /// When it cannot be started, or is older than [`OLDEST`].
    pub fn check(&self) -> Result<Version, GitError> {
        let said = self.reading(Path::new("/")).args(["version"]).run()?;
        let said = String::from_utf8_lossy(&said);
        let version = Version::read(&said)
            .ok_or_else(|| GitError::Strange { command: "git version".to_owned(), said: cut(said.as_bytes()) })?;
        if version < OLDEST {
            return Err(GitError::TooOld { program: self.program.to_path_buf(), found: version });
        }
        Ok(version)
    }

    /// Returns the same program which sees these variables and nothing of this process's environment.
    #[must_use]
    pub fn with_environment(self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { environment: Environment::Given(variables.into_iter().collect()), ..self }
    }

    /// Returns the program's absolute path.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

pub(super) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

impl Version {
    /// Reads what `git version` prints; builds add words and further numbers.
    fn read(said: &str) -> Option<Self> {
        let number = said.strip_prefix("git version ")?.split_whitespace().next()?;
        let mut parts = number.split('.').map(str::parse::<u32>);
        let major = parts.next()?.ok()?;
        let minor = parts.next()?.ok()?;
        let patch = parts.next().and_then(Result::ok).unwrap_or(0);
        Some(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pretend_git(says: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("git");
        crate::git::testing::executable(&program, &format!("#!/bin/sh\necho '{says}'\n"));
        dir
    }

    #[test]
    fn versions_of_all_builds_are_read() {
        for (said, version) in [
            ("git version 2.47.3\n", (2, 47, 3)),
            ("git version 2.39.5 (Apple Git-154)\n", (2, 39, 5)),
            ("git version 2.45.1.windows.1\n", (2, 45, 1)),
            ("git version 2.38.GIT\n", (2, 38, 0)),
        ] {
            let (major, minor, patch) = version;
            assert_eq!(Version::read(said), Some(Version { major, minor, patch }), "{said}");
        }
        assert_eq!(Version::read("hub 1"), None);
    }

    #[test]
    fn a_missing_git_is_not_installed() {
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(Git::find(empty.path().as_os_str()), Err(GitError::NotInstalled)));
        assert!(matches!(Git::find(OsStr::new("")), Err(GitError::NotInstalled)));
    }

    #[test]
    fn a_git_that_is_too_old_is_named_with_its_version() {
        let dir = pretend_git("git version 2.37.9");
        let error = Git::find(dir.path().as_os_str()).unwrap_err();
        assert!(matches!(&error, GitError::TooOld { found, .. } if found.minor == 37));
        assert!(error.to_string().contains("2.37.9"), "{error}");
    }

    #[test]
    fn a_program_that_is_no_git_is_strange() {
        let dir = pretend_git("hello");
        assert!(matches!(Git::find(dir.path().as_os_str()), Err(GitError::Strange { .. })));
    }
}
