//! One number for what a worktree has of the files that are copied into it: a check may pass with one `.env` and fail with
//! another, and no tree says which it was.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha1_smol::Sha1;

use super::copies::{all_patterns, named};
use super::{GitError, Repo};

/// Of a file that is larger, the size and the time of its last change stand for its content. A copy has both.
const LARGE: u64 = 64 * 1024;
/// The same for all files after so much was read.
const READ_MOST: u64 = 16 * 1024 * 1024;

/// Returns a number for the files that the patterns, and the repository's list, name: as they are in the worktree, and where it has
/// none yet, as it would get them from the user's checkout. Links are not followed.
///
/// # Errors
/// When git fails.
pub fn sum(repo: &Repo, worktree: &Path, patterns: &[String]) -> Result<String, GitError> {
    let patterns = all_patterns(repo, patterns)?;
    let mut sum = Sum { digest: Sha1::new(), left: READ_MOST };
    if patterns.is_empty() {
        return Ok(sum.digest.digest().to_string());
    }
    let mut paths: BTreeSet<PathBuf> = named(repo, repo.root(), &patterns)?.into_iter().collect();
    // A landing asks before its work tree is there.
    if worktree.join(".git").exists() {
        paths.extend(named(repo, worktree, &patterns)?);
    }
    for path in &paths {
        sum.add_first(path, [&worktree.join(path), &repo.root().join(path)]);
    }
    Ok(sum.digest.digest().to_string())
}

struct Sum {
    digest: Sha1,
    /// How much may still be read.
    left: u64,
}

impl Sum {
    /// Adds what is at the first of the places that has something. What is neither file nor link is never copied.
    fn add_first(&mut self, path: &Path, places: [&Path; 2]) {
        let there = places.into_iter().find_map(|place| Some((place, place.symlink_metadata().ok()?)));
        let Some((place, meta)) = there.filter(|(_, meta)| meta.is_file() || meta.is_symlink()) else { return };
        self.part(path.as_os_str().as_bytes());
        self.part(&(meta.mode() & 0o777).to_le_bytes());
        match self.content(place, &meta) {
            Ok(Some(content)) => self.part(&content),
            // One that cannot be read is known by its outside.
            Ok(None) | Err(_) => {
                let outside = [meta.size(), meta.mtime().cast_unsigned(), meta.mtime_nsec().cast_unsigned()];
                outside.iter().for_each(|number| self.part(&number.to_le_bytes()));
            }
        }
    }

    fn content(&mut self, place: &Path, meta: &Metadata) -> io::Result<Option<Vec<u8>>> {
        if meta.is_symlink() {
            return Ok(Some(fs::read_link(place)?.into_os_string().as_bytes().to_vec()));
        }
        if meta.len() > LARGE || meta.len() > self.left {
            return Ok(None);
        }
        self.left -= meta.len();
        fs::read(place).map(Some)
    }

    /// With its length, so that no two lists look the same.
    fn part(&mut self, part: &[u8]) {
        self.digest.update(&part.len().to_le_bytes());
        self.digest.update(part);
    }
}

#[cfg(test)]
mod tests {
    use super::super::copies::{LIST, copy_in};
    use super::super::testing::Sandbox;
    use super::*;

    /// A repository that ignores `.env*`, and a worktree of it.
    fn ignoring() -> (Sandbox, PathBuf) {
        let sandbox = Sandbox::new();
        sandbox.write(".gitignore", ".env*\n");
        sandbox.commit(&sandbox.main(), "ignore");
        sandbox.worktree("1-x");
        let worktree = sandbox.worktrees().join("1-x");
        (sandbox, worktree)
    }

    fn patterns() -> Vec<String> {
        vec![".env*".to_owned()]
    }

    #[test]
    fn a_copy_has_the_number_of_what_was_copied_and_every_difference_another_one() {
        let (sandbox, worktree) = ignoring();
        let repo = sandbox.repo();
        let now = || sum(&repo, &worktree, &patterns()).unwrap();
        let nothing = now();
        sandbox.write(".env", "A=1\n");
        let before = now();
        assert_ne!(before, nothing);
        copy_in(&repo, &worktree, &patterns()).unwrap();
        assert_eq!(now(), before, "the copy is what was announced");

        sandbox.write(".env", "A=2\n");
        assert_eq!(now(), before, "what the worktree has counts");
        let elsewhere = sandbox.worktrees().join("not-there-yet");
        assert_ne!(sum(&repo, &elsewhere, &patterns()).unwrap(), before, "a new worktree gets the new content");
        fs::write(worktree.join(".env"), "A=2\n").unwrap();
        assert_eq!(now(), sum(&repo, &elsewhere, &patterns()).unwrap(), "whoever wrote it");

        fs::write(worktree.join(".env.mine"), "B=1\n").unwrap();
        assert_ne!(now(), sum(&repo, &elsewhere, &patterns()).unwrap(), "what only the worktree has counts");
        assert_eq!(sum(&repo, &worktree, &[]).unwrap(), nothing, "what nothing names does not");
        sandbox.write(LIST, ".env*\n");
        assert_eq!(sum(&repo, &worktree, &[]).unwrap(), now(), "the repository's list names too");
    }

    #[test]
    fn a_large_file_is_known_by_its_size_and_time() {
        let (sandbox, worktree) = ignoring();
        let (repo, large) = (sandbox.repo(), usize::try_from(LARGE).unwrap() + 1);
        sandbox.write(".env", "a".repeat(large));
        let before = sum(&repo, &worktree, &patterns()).unwrap();
        copy_in(&repo, &worktree, &patterns()).unwrap();
        assert_eq!(sum(&repo, &worktree, &patterns()).unwrap(), before);
        let copy = fs::File::options().write(true).open(worktree.join(".env")).unwrap();
        copy.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert_ne!(sum(&repo, &worktree, &patterns()).unwrap(), before);
    }
}
