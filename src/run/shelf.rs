//! All run folders below one folder, and what each of them is: told by what it holds, not by its name.

use std::fs;
use std::path::{Path, PathBuf};

use super::adopt::{self, Standing};
use super::folder::Folder;
use super::spec::Mark;
use crate::domain::run::RunId;

/// The beginning of the name that a folder has until everything is in it.
const HALF_MADE: &str = ".new-";

/// A folder among the runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shelved {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
}

/// What a folder among the runs is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The folder of a run.
    Run(About),
    /// Its maker was killed before everything was in it, so nothing was ever started in it; or it is made right now.
    HalfMade,
    /// A folder whose specification cannot be read.
    Unreadable(String),
}

/// A run as its folder tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// The run.
    pub id: RunId,
    /// What its processes are found by.
    pub mark: Mark,
    /// Where it stands.
    pub stage: Stage,
    /// How much it printed, in bytes.
    pub output: u64,
}

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// No supervisor took it yet.
    NeverStarted,
    /// A supervisor lives.
    Running,
    /// Its supervisor is gone, and nobody wrote how it ended.
    Dead,
    /// It is over.
    Over,
}

/// Returns every folder of a run, by path. What vanishes meanwhile is left out.
pub fn list(runs_root: &Path) -> Vec<Shelved> {
    let mut all: Vec<Shelved> =
        folders(runs_root).iter().flat_map(|job| folders(job)).filter_map(|path| look(&path)).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// Looks at one folder; nothing when it is not there.
pub fn look(path: &Path) -> Option<Shelved> {
    let name = path.file_name()?.to_string_lossy();
    let what = if name.starts_with(HALF_MADE) { What::HalfMade } else { about(path)? };
    Some(Shelved { path: path.to_owned(), what })
}

fn about(path: &Path) -> Option<What> {
    let folder = Folder::open(path).ok()?;
    let (id, mark) = match (folder.spec(), folder.run_id()) {
        (Ok(spec), _) => (spec.id, spec.mark),
        (Err(_), _) if !path.exists() => return None,
        // What is over needs no specification; the end of a run whose folder was deleted is all that there is.
        (Err(_), Some(id)) if folder.is_over() => (id, Mark::of(id)),
        (Err(error), _) => return Some(What::Unreadable(error.to_string())),
    };
    let stage = match adopt::look(&folder) {
        Ok(Standing::Ended(_)) => Stage::Over,
        Ok(Standing::Running) => Stage::Running,
        Ok(Standing::NeverStarted) => Stage::NeverStarted,
        Ok(Standing::Dead) => Stage::Dead,
        Err(_) if !path.exists() => return None,
        Err(error) => return Some(What::Unreadable(error.to_string())),
    };
    let output = folder.lengths().unwrap_or_default().total();
    Some(What::Run(About { id, mark, stage, output }))
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::spec::tests::spec;

    #[test]
    fn folders_are_told_by_what_they_hold() {
        let root = tempfile::tempdir().unwrap();
        let new = Folder::create(root.path(), &spec(1), None).unwrap();
        let held = Folder::create(root.path(), &spec(2), None).unwrap();
        let _lock = held.try_lock().unwrap().unwrap();
        let job = new.path().parent().unwrap();
        fs::create_dir(job.join(".new-x")).unwrap();
        fs::create_dir(job.join("3-execute")).unwrap();
        let over = Folder::create(root.path(), &spec(4), None).unwrap();
        fs::write(over.stream(crate::run::Stream::Stdout), b"12345").unwrap();
        adopt::settle(&over, crate::domain::time::Timestamp(1)).unwrap();
        fs::remove_file(over.path().join("spec.json")).unwrap();

        let all = list(root.path());
        let run = |n, stage, output| What::Run(About { id: spec(n).id, mark: spec(n).mark, stage, output });
        let whats: Vec<&What> = all.iter().map(|one| &one.what).collect();
        assert_eq!(whats[..3], [&What::HalfMade, &run(1, Stage::NeverStarted, 0), &run(2, Stage::Running, 0)]);
        assert!(matches!(whats[3], What::Unreadable(why) if why.contains("spec.json")), "{whats:?}");
        let about = About { id: spec(4).id, mark: Mark::of(spec(4).id), stage: Stage::Over, output: 5 };
        assert_eq!(whats[4..], [&What::Run(about)]);
        assert_eq!(list(&root.path().join("missing")), []);
    }
}
