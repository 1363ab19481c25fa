//! What a run is to do: the file `spec.json`, written before anything starts and never changed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::os;
use crate::domain::run::{RunId, RunKind};

/// The version of `spec.json` that this Draft writes.
pub const SPEC_VERSION: u32 = 1;

/// The variable that every process of a run inherits. Its value is the run's mark; where a run contains runs (Draft
/// used by an agent of Draft) it is all their marks with spaces between, the outermost first.
pub const MARK_VARIABLE: &str = "DRAFT_RUN_MARK";

/// Everything that a supervisor has to know.
///
/// It names the variables that the program inherits but never holds their values, so that no secret of the user's gets
/// onto the disk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// [`SPEC_VERSION`] of the Draft that wrote it.
    pub version: u32,
    /// The run.
    pub id: RunId,
    /// What it is for.
    pub kind: RunKind,
    /// The program, as an absolute path.
    #[serde(with = "path")]
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub args: Vec<String>,
    /// The folder that it works in, as an absolute path.
    #[serde(with = "path")]
    pub cwd: PathBuf,
    /// Names of the variables that it gets from Draft's own environment, where they are set.
    pub inherit: Vec<String>,
    /// Variables that Draft adds; they win over inherited ones. No secrets: they are written to disk.
    pub set: BTreeMap<String, String>,
    /// What it reads.
    pub stdin: Stdin,
    /// Where it writes.
    pub output: Output,
    /// When it is stopped.
    pub limits: Limits,
    /// What its processes are found by.
    pub mark: Mark,
    /// Which start of the machine it was made in ([`this_boot`]). Nothing of it runs in another one, and whether something
    /// did before nobody knows: what a power cut left of its folder says nothing. Empty from a Draft that did not note it.
    #[serde(default)]
    pub boot: String,
}

/// Returns a text that is another one each time the machine starts; empty where the system does not tell.
pub fn this_boot() -> String {
    os::boot_id()
}

impl Spec {
    /// Says whether the machine was started again since it was made.
    pub(super) fn is_of_another_boot(&self) -> bool {
        !self.boot.is_empty() && self.boot != os::boot_id()
    }
}

/// What a program reads on its standard input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stdin {
    /// Nothing.
    Null,
    /// The file `prompt` of the run's folder, to its end.
    Prompt,
}

/// Where a program writes its output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Straight into the files, opened for appending: for agents. Nobody's death loses a byte or blocks them.
    File,
    /// Into pipes that the supervisor copies to the files: for scripts, which may reopen `/dev/stdout` and so would
    /// truncate a file.
    Pipe,
}

/// When a run is stopped by its supervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Longest time that it may take, in milliseconds.
    pub time_ms: Option<u64>,
    /// Longest time without new output, in milliseconds.
    pub silence_ms: Option<u64>,
    /// Most bytes on both streams together. It is looked at a few times a second, so more may have been written.
    pub output_bytes: Option<u64>,
    /// How long a process has between the polite signal and the one that cannot be ignored, in milliseconds.
    pub grace_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time_ms: None, silence_ms: None, output_bytes: None, grace_ms: 5_000 }
    }
}

/// A text that no other run has ([`Mark::of`]), so that its processes can be told from all others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub Uuid);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Mark {
    /// Returns the mark of a run: always the same one, so that its processes are found even when its folder is gone.
    pub fn of(run: RunId) -> Self {
        // The ids of jobs differ in their random halves, so that no two runs come to the same sum.
        Self(Uuid::from_u128(run.job.0.as_u128().wrapping_add(u128::from(run.n))))
    }
}

/// Paths as text where they are text, and as a list of bytes where they are not.
mod path {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        match path.to_str() {
            Some(text) => text.serialize(to),
            None => path.as_os_str().as_bytes().serialize(to),
        }
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<PathBuf, D::Error> {
        Ok(match Written::deserialize(from)? {
            Written::Text(text) => text.into(),
            Written::Bytes(bytes) => OsString::from_vec(bytes).into(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;
    use crate::domain::id::JobId;

    pub(crate) fn spec(n: u32) -> Spec {
        Spec {
            version: SPEC_VERSION,
            id: RunId { job: JobId(Uuid::from_u128(1)), n },
            kind: RunKind::Execute,
            program: "/bin/sh".into(),
            args: vec!["-c".into(), "true".into()],
            cwd: "/".into(),
            inherit: vec!["PATH".into()],
            set: BTreeMap::from([("A".into(), "b=c".into())]),
            stdin: Stdin::Null,
            output: Output::File,
            limits: Limits::default(),
            mark: Mark(Uuid::from_u128(7)),
            boot: this_boot(),
        }
    }

    #[test]
    fn a_specification_survives_being_written_also_with_paths_that_are_not_text() {
        let odd = Spec { cwd: OsStr::from_bytes(b"/tmp/\xff\xfe").into(), ..spec(1) };
        for spec in [spec(1), odd] {
            let written = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<Spec>(&written).unwrap(), spec);
        }
    }
}
