//! The trees and commits that Draft adds to a repository by itself, to keep a state: each start of git costs as much as ten
//! of them. They outlive a power cut, since a row of the store will name them.

use std::fs::File;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode, Stage};
use gix::objs::tree::Editor;
use gix::objs::{Tree, WriteTo};

use super::{GitError, Repo};

/// Writes an object, unless the repository has it, and returns its id.
pub(super) fn write(repo: &Repo, object: &impl WriteTo) -> Result<ObjectId, GitError> {
    let gix = repo.gix();
    let mut bytes = Vec::new();
    object.write_to(&mut bytes).map_err(GitError::read("an object"))?;
    let id = gix::objs::compute_hash(gix.object_hash(), object.kind(), &bytes).map_err(GitError::read("an object"))?;
    if gix.has_object(id) {
        return Ok(id);
    }
    // What a shared repository wants of its files, and what is wrong with a disk, git knows best.
    if gix.config_snapshot().string("core.sharedRepository").is_some() || gix.write_object(object).is_err() {
        let kind = object.kind().to_string();
        let call = repo.git.writing(repo.common_dir()).args(super::invoke::DURABLE);
        call.args(["hash-object", "-w", "--stdin", "-t", &kind]).input(bytes).run()?;
        return Ok(id);
    }
    let hex = id.to_string();
    let file = gix.objects.store_ref().path().join(&hex[..2]).join(&hex[2..]);
    File::open(&file).and_then(|file| file.sync_all()).map_err(GitError::io("write", file))?;
    Ok(id)
}

/// Writes the tree of an index and returns its id; nothing if it has entries that only git understands.
pub(super) fn write_tree(repo: &Repo, index: &gix::index::File) -> Result<Option<String>, GitError> {
    let gix = repo.gix();
    let mut tree = Editor::new(Tree::empty(), &gix.objects, gix.object_hash());
    for entry in index.entries().iter().filter(|entry| !entry.flags.contains(Flags::INTENT_TO_ADD)) {
        let is_known = entry.stage() == Stage::Unconflicted && entry.mode != Mode::DIR;
        let Some(mode) = entry.mode.to_tree_entry_mode().filter(|_| is_known) else { return Ok(None) };
        let path = entry.path(index).split_str(b"/").map(ByteSlice::as_bstr);
        tree.upsert(path, mode.kind(), entry.id).map_err(GitError::read("the index"))?;
    }
    tree.write(|tree| write(repo, tree)).map(|id| Some(id.to_string()))
}
