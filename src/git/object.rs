//! The trees and commits that Draft adds to a repository by itself, to keep a state, and the refs that hold them: each start
//! of git costs as much as ten of them. They outlive a power cut, since a row of the store will name them.

use std::fs::File;
use std::path::PathBuf;

use gix::ObjectId;
use gix::actor::Signature;
use gix::date::Time;
use gix::date::parse::TimeBuf;
use gix::lock::acquire::Fail;
use gix::objs::WriteTo;
use gix::refs::FullName;
use gix::refs::transaction::{PreviousValue, RefEdit};

use super::invoke::DURABLE;
use super::{GitError, Repo, locks};

/// Who makes what only keeps a state. The user's identity need not be configured, and nothing writes it.
const NAME: &str = "Draft";
const EMAIL: &str = "draft@localhost";

/// Returns Draft's name, and the time now.
pub(super) fn signature() -> Signature {
    Signature { name: NAME.into(), email: EMAIL.into(), time: Time::now_local_or_utc() }
}

/// Writes an object, unless the repository has it, and returns its id.
pub(super) fn write(repo: &Repo, object: &impl WriteTo) -> Result<ObjectId, GitError> {
    let mut gix = repo.gix();
    // Most objects are new. Looking for them in packs that were made meanwhile costs more than writing one twice.
    gix.objects.refresh_never();
    let mut bytes = Vec::new();
    object.write_to(&mut bytes).map_err(GitError::read("an object"))?;
    let id = gix::objs::compute_hash(gix.object_hash(), object.kind(), &bytes).map_err(GitError::read("an object"))?;
    if gix.has_object(id) {
        return Ok(id);
    }
    // What a shared repository wants of its files, and what is wrong with a disk, git knows best.
    if is_shared(&gix) || gix.write_object(object).is_err() {
        let kind = object.kind().to_string();
        let call = repo.git.writing(repo.common_dir()).args(DURABLE);
        call.args(["hash-object", "-w", "--stdin", "-t", &kind]).input(bytes).run()?;
        return Ok(id);
    }
    let hex = id.to_string();
    let file = gix.objects.store_ref().path().join(&hex[..2]).join(&hex[2..]);
    File::open(&file).and_then(|file| file.sync_all()).map_err(GitError::io("write", file))?;
    Ok(id)
}

fn is_shared(gix: &gix::Repository) -> bool {
    gix.config_snapshot().string("core.sharedRepository").is_some()
}

/// Makes a ref of Draft's own, which must not be there, for a commit.
pub(super) fn hold(repo: &Repo, reference: &str, commit: &str, reason: &str) -> Result<(), GitError> {
    let gix = repo.gix();
    if !is_shared(&gix) && make_ref(&gix, repo, reference, commit, reason).is_ok() {
        return Ok(());
    }
    // Nobody but the one engine of this board makes such a ref, so a lock that stays was left by one that was killed.
    locks::clear(&lock_of(repo, reference), &[], locks::PATIENCE)?;
    let none = "0".repeat(commit.len());
    let args = ["update-ref", "-m", reason, reference, commit, &none];
    repo.git.writing(repo.common_dir()).args(DURABLE).args(args).run().map(drop)
}

fn lock_of(repo: &Repo, reference: &str) -> PathBuf {
    repo.common_dir().join(format!("{reference}.lock"))
}

fn make_ref(gix: &gix::Repository, repo: &Repo, reference: &str, commit: &str, reason: &str) -> Result<(), GitError> {
    let what = || format!("the ref {reference}");
    let name = FullName::try_from(reference).map_err(GitError::read(what()))?;
    let id = ObjectId::from_hex(commit.as_bytes()).map_err(GitError::read(what()))?;
    let edit = RefEdit::update(name, id, PreviousValue::MustNotExist, reason);
    let prepared = gix.refs.transaction().prepare([edit], Fail::Immediately, Fail::Immediately);
    let prepared = prepared.map_err(GitError::read(what()))?;
    // What is in the lock becomes the ref; an empty one after a power cut would be in the way for ever.
    let lock = lock_of(repo, reference);
    File::open(&lock).and_then(|file| file.sync_all()).map_err(GitError::io("write", &lock))?;
    let (who, mut time) = (signature(), TimeBuf::default());
    prepared.commit(Some(who.to_ref(&mut time))).map_err(GitError::read(what()))?;
    let folder = lock.parent().unwrap_or(repo.common_dir());
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(GitError::io("write", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Sandbox;

    #[test]
    fn a_ref_is_made_once_and_what_a_killed_engine_left_is_not_in_its_way() {
        let sandbox = Sandbox::new();
        let repo = sandbox.repo();
        let commit = repo.commit_at("refs/heads/main").unwrap().unwrap();
        let name = "refs/draft/revisions/x/1";
        let lock = lock_of(&repo, name);
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        File::create(&lock).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        hold(&repo, name, &commit, "why").unwrap();
        assert_eq!((repo.commit_at(name).unwrap(), lock.exists()), (Some(commit.clone()), false));
        hold(&repo, name, &commit, "why").unwrap_err();
        let other = "refs/draft/revisions/x/2";
        hold(&repo, other, &commit, "why").unwrap();
        let shown = sandbox.run(&sandbox.main(), &format!("rev-parse {other}"));
        assert_eq!((shown.trim(), lock_of(&repo, other).exists()), (commit.as_str(), false));
    }
}
