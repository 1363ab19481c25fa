//! The tree of an index, made in process. Git keeps in an index which trees its folders had, and forgets those of folders in which
//! something changes; so only these are made anew, and what costs is the change and not the repository.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::index::Entry;
use gix::index::entry::{Flags, Mode, Stage};
use gix::index::extension::Tree as Known;
use gix::objs::Tree;
use gix::objs::tree::{self, EntryKind};

use super::{GitError, Repo, object};

/// How many bytes of a path may lead to a folder; git itself, which needs less of the stack, makes those below.
const DEEPEST: usize = 1000;

/// Writes the tree of an index and returns its id; nothing if it has something that is better left to git.
pub(super) fn write(repo: &Repo, index: &gix::index::File) -> Result<Option<String>, GitError> {
    let top = Folder { entries: index.entries(), depth: 0, known: index.tree() };
    let id = Writing { repo, gix: repo.gix(), index }.folder(&top)?;
    Ok(id.map(|id| id.to_string()))
}

struct Writing<'a> {
    repo: &'a Repo,
    gix: gix::Repository,
    index: &'a gix::index::File,
}

/// The entries below a folder, which stand together in an index.
struct Folder<'a> {
    entries: &'a [Entry],
    /// How many bytes of their paths lead to the folder.
    depth: usize,
    /// What git last knew of it.
    known: Option<&'a Known>,
}

impl<'a> Writing<'a> {
    fn folder(&self, folder: &Folder<'a>) -> Result<Option<ObjectId>, GitError> {
        if let Some(known) = folder.known.filter(|known| self.is_current(known, folder.entries)) {
            return Ok(Some(known.id));
        }
        if folder.depth > DEEPEST {
            return Ok(None);
        }
        let children = folder.known.map(|known| known.children.as_slice()).unwrap_or_default();
        let known: HashMap<&[u8], &Known> = children.iter().map(|child| (child.name.as_slice(), child)).collect();
        let mut tree = Tree::empty();
        let mut rest = folder.entries;
        while let Some(first) = rest.first() {
            let path = first.path(self.index);
            let name = &path[folder.depth..];
            let end = name.find_byte(b'/');
            let (these, others) =
                rest.split_at(end.map_or(1, |end| self.count_below(rest, &path[..=folder.depth + end])));
            rest = others;
            if these.iter().all(|entry| entry.flags.contains(Flags::INTENT_TO_ADD)) {
                continue;
            }
            let made = match end {
                None => file(first, name),
                Some(end) => {
                    let inner = Folder {
                        entries: these,
                        depth: folder.depth + end + 1,
                        known: known.get(name[..end].as_bytes()).copied(),
                    };
                    let entry = |oid| tree::Entry { mode: EntryKind::Tree.into(), filename: name[..end].into(), oid };
                    self.folder(&inner)?.map(entry)
                }
            };
            let Some(entry) = made else { return Ok(None) };
            tree.entries.push(entry);
        }
        object::write(self.repo, &tree).map(Some)
    }

    /// Says whether nothing changed below a folder since git made its tree, and the tree is still there.
    fn is_current(&self, known: &Known, entries: &[Entry]) -> bool {
        known.num_entries.is_some_and(|count| count as usize == entries.len()) && self.gix.has_object(known.id)
    }

    /// Returns how many of these entries, of which the first is below a folder, are.
    fn count_below(&self, entries: &[Entry], folder: &[u8]) -> usize {
        entries.partition_point(|entry| entry.path(self.index).starts_with(folder))
    }
}

/// Returns what a tree has of a file; nothing for what only git understands.
fn file(entry: &Entry, name: &BStr) -> Option<tree::Entry> {
    let is_known = entry.stage() == Stage::Unconflicted && entry.mode != Mode::DIR;
    let mode = entry.mode.to_tree_entry_mode().filter(|_| is_known)?;
    Some(tree::Entry { mode: mode.kind().into(), filename: name.to_owned(), oid: entry.id })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::git::testing::Sandbox;
    use crate::git::tree::read_index;

    fn read(repo: &Repo, dir: &Path) -> gix::index::File {
        read_index(repo, &dir.join(".git/index")).unwrap()
    }

    /// Writes lines of `git update-index --index-info` into the index.
    fn enter(sandbox: &Sandbox, lines: &str) {
        let main = sandbox.main();
        let call = sandbox.git.writing(&main).args(["update-index", "--add", "--replace", "--index-info"]);
        call.input(lines.as_bytes().to_vec()).run().unwrap();
    }

    fn assert_as_git(sandbox: &Sandbox, repo: &Repo) {
        let ours = write(repo, &read(repo, &sandbox.main())).unwrap();
        assert_eq!(ours, Some(sandbox.run(&sandbox.main(), "write-tree")));
    }

    /// Names that sort differently as files and as folders, and the same name as both.
    const NAMES: [&str; 5] = ["a", "a.b", "a0", "b", "\u{e9}"];

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(&NAMES[..]), 1..4).prop_map(|names| names.join("/"))
    }

    #[test]
    fn a_tree_is_that_which_git_makes_whatever_changed_since_the_last_one() {
        let sandbox = Sandbox::new();
        let repo = sandbox.repo();
        let blobs: Vec<String> =
            ["a.txt", "src/b.txt"].map(|name| sandbox.run(&sandbox.main(), &format!("rev-parse HEAD:{name}"))).into();
        let mode = prop::sample::select(&["100644", "100755", "120000", "0"][..]);
        let edits = prop::collection::vec((mode, 0..2_usize, path()), 0..6);
        // Each case goes on where the one before ended, so git knows the trees of whatever this one leaves alone.
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
        let ran = runner.run(&edits, |edits| {
            let line = |(mode, blob, path): &(&str, usize, String)| format!("{mode} {} 0\t{path}\n", blobs[*blob]);
            enter(&sandbox, &edits.iter().map(line).collect::<String>());
            assert_as_git(&sandbox, &repo);
            Ok(())
        });
        ran.unwrap();
    }

    #[test]
    fn what_git_knows_of_a_folder_is_taken_over_while_its_tree_is_there() {
        let sandbox = Sandbox::new();
        let (repo, main) = (sandbox.repo(), sandbox.main());
        let tree = sandbox.run(&main, "write-tree");
        let mut index = read(&repo, &main);
        let other = ObjectId::from_hex(sandbox.run(&main, "rev-parse HEAD:src").as_bytes()).unwrap();
        index.tree_mut().unwrap().id = other;
        assert_eq!(write(&repo, &index).unwrap(), Some(other.to_string()), "no folder is looked into");
        index.tree_mut().unwrap().id = ObjectId::from_hex(&[b'1'; 40]).unwrap();
        assert_eq!(write(&repo, &index).unwrap(), Some(tree), "a tree that is gone is made again");
    }

    #[test]
    fn files_that_are_only_announced_are_in_no_tree() {
        let sandbox = Sandbox::new();
        let (repo, main) = (sandbox.repo(), sandbox.main());
        for name in ["new/deep.txt", "src/new.txt", "zz.txt"] {
            sandbox.write(name, "new\n");
        }
        sandbox.run(&main, "add --intent-to-add .");
        assert_eq!(write(&repo, &read(&repo, &main)).unwrap(), Some(sandbox.run(&main, "rev-parse HEAD^{tree}")));
        assert_as_git(&sandbox, &repo);
    }

    #[test]
    fn conflicts_and_very_deep_folders_are_left_to_git() {
        let sandbox = Sandbox::new();
        let (repo, main) = (sandbox.repo(), sandbox.main());
        let blob = sandbox.run(&main, "rev-parse HEAD:a.txt");
        enter(&sandbox, &format!("100644 {blob} 0\t{}x\n", "f/".repeat(1000)));
        assert_eq!(write(&repo, &read(&repo, &main)).unwrap(), None);
        sandbox.run(&main, "read-tree HEAD");
        enter(&sandbox, &format!("0 {blob} 0\ta.txt\n100644 {blob} 1\ta.txt\n100644 {blob} 2\ta.txt\n"));
        assert_eq!(write(&repo, &read(&repo, &main)).unwrap(), None);
    }

    #[test]
    fn an_empty_index_is_the_empty_tree() {
        let sandbox = Sandbox::new();
        let (repo, main) = (sandbox.repo(), sandbox.main());
        sandbox.run(&main, "read-tree --empty");
        assert_as_git(&sandbox, &repo);
        assert_eq!(
            write(&repo, &read(&repo, &main)).unwrap(),
            Some(ObjectId::empty_tree(repo.gix().object_hash()).to_string())
        );
    }
}
