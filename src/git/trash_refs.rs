//! Refs of a ticket that no database knows: out of the way into the trash, and back. Another data directory may know the ticket, so they
//! come back under the names that they had.

use std::collections::BTreeMap;

use super::leftovers::REFS;
use super::trash::FOLDER;
use super::{GitError, Repo};
use crate::domain::id::TicketId;
use crate::domain::time::Timestamp;

/// Below it lies `<ticket>/<moment>/<name>`.
const BINNED: &str = "refs/draft/trash/refs/";

/// Refs of a ticket that went into the trash together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BinnedRefs {
    /// Under which name they lie there.
    pub reference: String,
    /// The ticket.
    pub ticket: TicketId,
    /// When they went there.
    pub at: Timestamp,
    /// The names that they had, without what those of Draft begin with, and what they keep.
    pub kept: BTreeMap<String, String>,
}

/// Moves all refs of a ticket into the trash at once, and returns under which name they lie there; nothing if it has none.
///
/// # Errors
/// When git fails; then all of them are where they were.
pub fn bin(repo: &Repo, ticket: TicketId, at: Timestamp) -> Result<Option<String>, GitError> {
    let is_its = |name: &str| !name.starts_with(FOLDER) && name.split('/').any(|part| part.parse() == Ok(ticket));
    let all: Vec<(String, String)> = read(repo, REFS)?.into_iter().filter(|(name, _)| is_its(name)).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let reference = format!("{BINNED}{ticket}/{}", at.0);
    let moves = all.iter().filter_map(|(name, id)| {
        let rest = name.strip_prefix(REFS)?;
        Some((name.clone(), format!("{reference}/{rest}"), id.clone()))
    });
    rename(repo, moves, "draft: into the trash")?;
    Ok(Some(reference))
}

/// Gives refs in the trash their old names again.
///
/// # Errors
/// When git fails, or one of the names is taken; then all of them are where they were.
pub fn restore(repo: &Repo, binned: &BinnedRefs) -> Result<(), GitError> {
    let moves = binned
        .kept
        .iter()
        .map(|(rest, id)| (format!("{}/{rest}", binned.reference), format!("{REFS}{rest}"), id.clone()));
    rename(repo, moves, "draft: out of the trash")
}

/// Returns what went into the trash like this, the newest first.
///
/// # Errors
/// When git fails.
pub fn list(repo: &Repo) -> Result<Vec<BinnedRefs>, GitError> {
    let mut all: BTreeMap<(Timestamp, TicketId), BinnedRefs> = BTreeMap::new();
    for (name, id) in read(repo, BINNED)? {
        let mut parts = name.trim_start_matches(BINNED).splitn(3, '/');
        let (Some(ticket), Some(at), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (Ok(ticket), Ok(moment)) = (ticket.parse::<TicketId>(), at.parse()) else { continue };
        let at = Timestamp(moment);
        let reference = format!("{BINNED}{ticket}/{moment}");
        let binned = || BinnedRefs { reference, ticket, at, kept: BTreeMap::new() };
        all.entry((at, ticket)).or_insert_with(binned).kept.insert(rest.to_owned(), id);
    }
    Ok(all.into_values().rev().collect())
}

/// Returns the refs below a folder with what they are at.
fn read(repo: &Repo, folder: &str) -> Result<Vec<(String, String)>, GitError> {
    let format = "--format=%(objectname) %(refname)";
    let said = repo.git.reading(repo.common_dir()).args(["for-each-ref", format, folder]).run()?;
    let said = String::from_utf8_lossy(&said);
    Ok(said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(id, name)| (name.to_owned(), id.to_owned()))
        .collect())
}

/// Renames refs, all of them or none: each from a name to another, with what it is at.
fn rename(repo: &Repo, moves: impl Iterator<Item = (String, String, String)>, why: &str) -> Result<(), GitError> {
    let mut input = String::new();
    for (from, to, id) in moves {
        input.push_str(&format!("create {to} {id}\ndelete {from} {id}\n"));
    }
    let call = repo.git.writing(repo.common_dir()).args(["update-ref", "-m", why, "--stdin"]);
    call.input(input.into_bytes()).run().map(drop)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::testing::Sandbox;
    use super::super::{leftovers, trash};
    use super::*;
    use crate::domain::revision::revision_ref;

    const TICKET: TicketId = TicketId(Uuid::from_u128(7));
    const OTHER: TicketId = TicketId(Uuid::from_u128(8));

    #[test]
    fn refs_go_into_the_trash_together_and_come_back_under_their_names() {
        let sandbox = Sandbox::new();
        let repo = sandbox.repo();
        let conflict = format!("refs/draft/conflict/{TICKET}");
        for name in [&revision_ref(TICKET, 1), &revision_ref(TICKET, 2), &revision_ref(OTHER, 1), &conflict] {
            sandbox.run(&sandbox.main(), &format!("update-ref {name} main"));
        }
        let refs = || sandbox.run(&sandbox.main(), "for-each-ref refs/draft");
        let before = refs();

        let reference = bin(&repo, TICKET, Timestamp(5)).unwrap().unwrap();
        assert_eq!(bin(&repo, TICKET, Timestamp(6)).unwrap(), None, "nothing is left to go");
        let of_tickets = leftovers::kept(&repo).unwrap().of_tickets;
        assert_eq!(of_tickets, [(OTHER, revision_ref(OTHER, 1))]);
        assert_eq!(trash::list(&repo).unwrap(), [], "they are no worktrees");
        let binned = list(&repo).unwrap();
        let names: Vec<&str> = binned[0].kept.keys().map(String::as_str).collect();
        let revision = |n: u32| format!("revisions/{TICKET}/{n}");
        assert_eq!(names, [&format!("conflict/{TICKET}"), &revision(1), &revision(2)]);
        assert_eq!((&binned[0].reference, binned[0].at, binned.len()), (&reference, Timestamp(5), 1));

        // Where a name is taken again, all stays in the trash.
        let head = sandbox.run(&sandbox.main(), "commit-tree -m other main^{tree}");
        sandbox.run(&sandbox.main(), &format!("update-ref {} {head}", revision_ref(TICKET, 2)));
        let taken = refs();
        restore(&repo, &binned[0]).unwrap_err();
        assert_eq!(refs(), taken);
        sandbox.run(&sandbox.main(), &format!("update-ref -d {}", revision_ref(TICKET, 2)));
        restore(&repo, &binned[0]).unwrap();
        assert_eq!(refs(), before);
    }
}
