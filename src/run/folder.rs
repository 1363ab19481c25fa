//! The folder of a run, `runs/<job>/<n>-<kind>/`: which files there are, and how each is read and written.
//!
//! `spec.json` what to do · `prompt` its standard input · `lock` held as long as the supervisor lives · `pid` who the
//! supervisor is · `stdout`, `stderr` every byte · `index` when which byte came · `stop` somebody asked to stop it ·
//! `exit.json` how it ended.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::RunError;
use super::os::{self, Process};
use super::record::{ExitRecord, RECORD_VERSION};
use super::spec::{SPEC_VERSION, Spec};
use crate::domain::run::RunId;
use crate::domain::time::Timestamp;

/// The folder of one run. It may be looked at by any process at any time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// One of the two streams that a program writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How long the two files of output are, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lengths {
    /// Standard output.
    pub stdout: u64,
    /// Standard error.
    pub stderr: u64,
}

impl Lengths {
    /// Returns both together.
    pub fn total(self) -> u64 {
        self.stdout.saturating_add(self.stderr)
    }

    /// Returns the length of one stream.
    pub fn of(self, stream: Stream) -> u64 {
        match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        }
    }

    /// Says whether a file is shorter than it was.
    pub(super) fn shrank_since(self, earlier: Self) -> bool {
        self.stdout < earlier.stdout || self.stderr < earlier.stderr
    }
}

/// The supervisor of a run: the file `pid`. It is written under the lock, before anything is started.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Holder {
    /// The process.
    #[serde(flatten)]
    pub(super) process: Process,
    /// Which start of the machine it belongs to; after another one its number means nothing.
    pub(super) boot: String,
    /// When it took the run.
    pub(super) at: Timestamp,
}

/// A held lock of a run. It is given back when this is dropped, or when the process dies in whatever way.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Explicit, since a child between fork and exec may hold a copy of the file for a moment longer.
        let _ = flock(&self.0, FlockOperation::Unlock); // closing it does the same
    }
}

/// The folder of a run that is held open, so that one that was made again in its place is not taken for it.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    held: File,
}

impl Place {
    /// Says whether somebody deleted the folder; what has its path now is somebody else's.
    pub(super) fn is_gone(&self) -> bool {
        match (fs::metadata(&self.path), self.held.metadata()) {
            // The number of a file that is held open is not given away.
            (Ok(there), Ok(held)) => (there.dev(), there.ino()) != (held.dev(), held.ino()),
            (Err(error), _) => error.kind() == io::ErrorKind::NotFound,
            (Ok(_), Err(_)) => false,
        }
    }
}

impl Folder {
    /// Writes the folder of a new run below `runs_root`, with everything in it before it can be seen. `prompt` is what
    /// the program will read if its specification says so.
    ///
    /// # Errors
    ///
    /// [`RunError::Exists`] if there is such a run; [`RunError::Io`] if it cannot be written.
    pub fn create(runs_root: &Path, spec: &Spec, prompt: Option<&[u8]>) -> Result<Self, RunError> {
        let path = runs_root.join(spec.id.folder(spec.kind));
        let parent = path.parent().unwrap_or(runs_root);
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(RunError::io("make", parent))?;
        let new = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(RunError::io("make", parent))?;

        let write = |name: &str, bytes: &[u8]| {
            let file = new.path().join(name);
            private()
                .create_new(true)
                .open(&file)
                .and_then(|mut open| open.write_all(bytes))
                .map_err(RunError::io("write", &file))
        };
        write("spec.json", &json(spec, &path)?)?;
        if let Some(prompt) = prompt {
            write("prompt", prompt)?;
        }
        for empty in ["lock", "stdout", "stderr", "index"] {
            write(empty, b"")?;
        }
        match fs::rename(new.path(), &path) {
            Ok(()) => {
                let _ = new.keep(); // renamed: there is nothing left to delete
                Ok(Self { path })
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty) => {
                Err(RunError::Exists { path })
            }
            Err(error) => Err(RunError::io("make", &path)(error)),
        }
    }

    /// Opens the folder of a run that was created before.
    ///
    /// # Errors
    ///
    /// [`RunError::Io`] if there is no such folder.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunError> {
        let path = path.into();
        fs::read_dir(&path).map_err(RunError::io("open", &path))?;
        Ok(Self { path })
    }

    /// Returns which run this is, as its path says; nothing for a folder that is named otherwise.
    pub(super) fn run_id(&self) -> Option<RunId> {
        let number = self.path.file_name()?.to_str()?.split('-').next()?;
        let job = self.path.parent()?.file_name()?.to_str()?;
        Some(RunId { job: job.parse().ok()?, n: number.parse().ok()? })
    }

    /// Returns the folder of a run that somebody else created, whether it is still there or not.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes the folder again after somebody deleted it, so that what became of the run can be written down.
    pub(super) fn make_again(&self) -> Result<(), RunError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(RunError::io("make", &self.path))
    }

    /// Holds the folder open.
    pub(super) fn hold(&self) -> Result<Place, RunError> {
        let held = File::open(&self.path).map_err(RunError::io("open", &self.path))?;
        Ok(Place { path: self.path.clone(), held })
    }

    /// Says whether somebody deleted the folder.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.path.try_exists(), Ok(false))
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file that holds all output of one stream.
    pub fn stream(&self, stream: Stream) -> PathBuf {
        self.path.join(match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        })
    }

    /// Returns the file that says when which byte was written; [`super::times::Times`] reads it.
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// Returns the file that the program reads as its standard input.
    pub fn prompt(&self) -> PathBuf {
        self.path.join("prompt")
    }

    /// Reads what the run is to do.
    ///
    /// # Errors
    ///
    /// [`RunError::Damaged`] if it cannot be understood; [`RunError::Io`] if it cannot be read.
    pub fn spec(&self) -> Result<Spec, RunError> {
        let path = self.path.join("spec.json");
        let Some(spec) = read_json::<Spec>(&path)? else {
            return Err(RunError::damaged(&path, "it is not there"));
        };
        if spec.version > SPEC_VERSION {
            return Err(RunError::damaged(&path, format!("its version is {}", spec.version)));
        }
        Ok(spec)
    }

    /// Reads how the run ended; nothing when it has no exit record.
    ///
    /// # Errors
    ///
    /// [`RunError::Damaged`] if it cannot be understood; [`RunError::Io`] if it cannot be read.
    pub fn record(&self) -> Result<Option<ExitRecord>, RunError> {
        let path = self.path.join("exit.json");
        let record = read_json::<ExitRecord>(&path)?;
        match record.as_ref().map(|record| record.version) {
            Some(version) if version > RECORD_VERSION => {
                Err(RunError::damaged(&path, format!("its version is {version}")))
            }
            Some(_) | None => Ok(record),
        }
    }

    /// Says whether the run is over: whether there is an exit record, which is never taken away.
    pub fn is_over(&self) -> bool {
        self.path.join("exit.json").exists()
    }

    /// Returns when the exit record was written, as the disk knows it.
    pub(super) fn record_written_at(&self) -> Timestamp {
        let written = fs::metadata(self.path.join("exit.json")).and_then(|data| data.modified());
        written.map_or_else(|_| Timestamp::default(), |time| chrono::DateTime::<chrono::Utc>::from(time).into())
    }

    /// Returns how long the files of output are. A missing one counts as empty.
    ///
    /// # Errors
    ///
    /// [`RunError::Io`] if the system does not tell.
    pub fn lengths(&self) -> Result<Lengths, RunError> {
        let length = |stream| {
            let path = self.stream(stream);
            match fs::metadata(&path) {
                Ok(data) => Ok(data.len()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
                Err(error) => Err(RunError::io("look at", &path)(error)),
            }
        };
        Ok(Lengths { stdout: length(Stream::Stdout)?, stderr: length(Stream::Stderr)? })
    }

    /// Returns how long the index of times is; one that cannot be looked at says nothing.
    pub(super) fn noted(&self) -> u64 {
        fs::metadata(self.index()).map_or(0, |data| data.len())
    }

    /// Reads who the supervisor is or was; nothing when there never was one, or what it left cannot be read.
    pub(super) fn holder(&self) -> Option<Holder> {
        read_json(&self.path.join("pid")).ok().flatten()
    }

    /// Says whether a supervisor may have taken this run, now or earlier: unless the folder is just as it was created, also
    /// when somebody damaged it since, and in this start of the machine: a power cut may have taken back what was written.
    /// A run that may have been started is never started again.
    pub(super) fn was_taken(&self) -> bool {
        let untouched = |name| fs::metadata(self.path.join(name)).is_ok_and(|data| data.len() == 0);
        let as_created = ["lock", "index", "stdout", "stderr"].into_iter().all(untouched);
        !as_created || self.path.join("pid").exists() || self.is_of_another_boot()
    }

    /// Says whether the machine was started again since the run was made, as far as the folder tells.
    pub(super) fn is_of_another_boot(&self) -> bool {
        let boot = os::boot_id();
        self.holder().is_some_and(|holder| holder.boot != boot)
            || self.spec().is_ok_and(|spec| spec.is_of_another_boot())
    }

    /// Says who the supervisor is. Only who has the lock does. It need not survive a power cut, which no process does.
    pub(super) fn write_holder(&self, holder: &Holder) -> Result<(), RunError> {
        let path = self.path.join("pid");
        self.replace("pid", &json(holder, &path)?, |_| Ok(())).map_err(RunError::io("write", &path))
    }

    /// Writes how the run ended, so that it is there after a power cut too. Only who has the lock does.
    pub(super) fn write_record(&self, record: &ExitRecord) -> Result<(), RunError> {
        let path = self.path.join("exit.json");
        self.replace("exit.json", &json(record, &path)?, File::sync_all)
            .and_then(|()| File::open(&self.path)?.sync_all())
            .map_err(RunError::io("write", &path))
    }

    /// Notes that somebody asked to stop the run; a supervisor that starts later sees it.
    pub(super) fn request_stop(&self) -> Result<(), RunError> {
        let path = self.path.join("stop");
        private().create(true).truncate(false).open(&path).map(drop).map_err(RunError::io("write", &path))
    }

    /// Says whether somebody asked to stop the run.
    pub(super) fn stop_requested(&self) -> bool {
        self.path.join("stop").exists()
    }

    /// Returns the supervisor if it lives. One from before the machine was restarted does not, whoever has its number now.
    pub(super) fn living_supervisor(&self) -> io::Result<Option<OwnedFd>> {
        match self.holder().filter(|holder| holder.boot == os::boot_id()) {
            Some(holder) => holder.process.open(),
            None => Ok(None),
        }
    }

    /// Takes the lock if nobody has it.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>, RunError> {
        self.flock(FlockOperation::NonBlockingLockExclusive)
    }

    /// Says whether somebody has the lock. For an instant this itself holds a shared one, so whoever wants the lock
    /// tries more than once.
    pub(super) fn is_locked(&self) -> Result<bool, RunError> {
        Ok(self.flock(FlockOperation::NonBlockingLockShared)?.is_none())
    }

    fn flock(&self, how: FlockOperation) -> Result<Option<Lock>, RunError> {
        let path = self.path.join("lock");
        let file = private().create(true).truncate(false).open(&path).map_err(RunError::io("open", &path))?;
        loop {
            match flock(&file, how) {
                Ok(()) => return Ok(Some(Lock(file))),
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(RunError::io("lock", &path)(error.into())),
            }
        }
    }

    /// Writes a whole file beside and renames it into place, so that it is seen whole or not at all.
    fn replace(&self, name: &str, bytes: &[u8], sync: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        let new = self.path.join(format!("{name}.new"));
        let mut file = private().create(true).truncate(true).open(&new)?;
        file.write_all(bytes)?;
        sync(&file)?;
        fs::rename(&new, self.path.join(name))
    }
}

/// Returns how every file of a run is opened for writing: for its owner alone.
/// Writes a file that only its owner can read, whole or not at all, and the folder that it lies in.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn json(value: &impl Serialize, path: &Path) -> Result<Vec<u8>, RunError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| RunError::damaged(path, error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RunError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| RunError::damaged(path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RunError::io("read", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::spec::tests::spec;

    #[test]
    fn a_folder_is_there_whole_and_for_its_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &spec(1), Some(b"do it")).unwrap();
        assert_eq!(folder.path(), root.path().join(format!("{}/1-execute", spec(1).id.job)));
        assert_eq!(Folder::open(folder.path()).unwrap().spec().unwrap(), spec(1));
        assert_eq!(fs::read(folder.prompt()).unwrap(), b"do it");
        assert_eq!((folder.record().unwrap(), folder.lengths().unwrap()), (None, Lengths::default()));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(folder.path().parent().unwrap())), (0o700, 0o700));
        assert!(fs::read_dir(folder.path()).unwrap().all(|file| mode(&file.unwrap().path()) == 0o600));
    }

    #[test]
    fn a_run_is_never_created_twice_and_leaves_no_rest_behind() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &spec(1), None).unwrap();
        assert!(matches!(Folder::create(root.path(), &spec(1), None), Err(RunError::Exists { .. })));
        assert_eq!(fs::read_dir(folder.path().parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn damaged_and_newer_files_are_errors_that_name_them() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &spec(1), None).unwrap();
        fs::write(folder.path().join("spec.json"), b"{").unwrap();
        fs::write(folder.path().join("exit.json"), b"\0\0").unwrap();
        fs::write(folder.path().join("pid"), b"12").unwrap();
        assert!(folder.spec().unwrap_err().to_string().contains("spec.json is damaged"));
        assert!(folder.record().unwrap_err().to_string().contains("exit.json is damaged"));
        assert_eq!((folder.holder(), folder.was_taken()), (None, true));
        let newer = serde_json::to_vec(&Spec { version: 99, ..spec(1) }).unwrap();
        fs::write(folder.path().join("spec.json"), newer).unwrap();
        assert!(folder.spec().unwrap_err().to_string().contains("its version is 99"));
    }

    #[test]
    fn only_one_has_the_lock_and_looking_does_not_take_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &spec(1), None).unwrap();
        assert!(!folder.is_locked().unwrap());
        let lock = folder.try_lock().unwrap();
        assert!(lock.is_some() && folder.try_lock().unwrap().is_none() && folder.is_locked().unwrap());
        drop(lock);
        assert!(folder.try_lock().unwrap().is_some());
    }
}
