//! What is to be expected of changes that are not on their targets yet: whether each goes together with its target as that is now,
//! and which of them will get in each other's way.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::board::Board;
use super::id::{JobId, TicketId, TicketNumber};
use super::proof::Proof;
use super::revision::Revision;
use super::run::{RunEnd, RunKind};
use super::state::State;
use super::ticket::{Ticket, Worktree};

/// A file in which two changes do not go together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ConflictFile {
    /// Its name.
    pub path: String,
    /// How it comes about, in git's words: `content`, `add/add`, `modify/delete`, `rename/rename` and the like.
    pub kind: String,
}

/// How a change goes together with its target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Forecast {
    /// The target has it already.
    Contained,
    /// It does.
    Clean,
    /// It does not, in these files.
    Conflicts(Vec<ConflictFile>),
}

impl Forecast {
    /// Returns the word for it, as scripts read it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Contained => "contained",
            Self::Clean => "clean",
            Self::Conflicts(_) => "conflicts",
        }
    }

    /// Returns the files that conflict.
    pub fn files(&self) -> &[ConflictFile] {
        match self {
            Self::Contained | Self::Clean => &[],
            Self::Conflicts(files) => files,
        }
    }
}

/// What is to be expected of a landing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outlook {
    /// The branch on which the change is to land.
    pub target: String,
    /// Where that is now.
    pub commit: String,
    /// The revision that would land.
    pub revision: u32,
    /// How many commits the target has that the change was not made on.
    pub behind: u32,
    /// How they go together.
    pub forecast: Forecast,
    /// What the checks say about the result.
    pub proof: Proof,
    /// What came to the target since the change was made, where a check fails on the result and that could be why.
    pub beside: Vec<String>,
}

impl Outlook {
    /// Says whether the result is another tree than that of the change, and its checks did not run there yet.
    pub fn is_unproven(&self) -> bool {
        self.forecast == Forecast::Clean && self.behind > 0 && self.proof == Proof::Unknown
    }

    /// Says whether the result is another tree than that of the change, and its checks passed there.
    pub fn is_proven(&self) -> bool {
        self.forecast == Forecast::Clean && self.behind > 0 && self.proof == Proof::Passed
    }

    /// Returns the check that fails on the result, if one does.
    pub fn failing(&self) -> Option<(&str, &RunEnd)> {
        match &self.proof {
            Proof::Failed { command, end } if self.behind > 0 => Some((command, end)),
            Proof::Failed { .. } | Proof::None | Proof::Passed | Proof::Unknown => None,
        }
    }
}

/// Two tickets whose changes do not go together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collision {
    /// The one with the smaller number.
    pub one: TicketId,
    /// The other one.
    pub other: TicketId,
    /// Where they meet.
    pub files: Vec<ConflictFile>,
}

/// All that is expected, as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Radar {
    /// Of each change that waits for a person, what is to be expected of its landing.
    pub outlooks: HashMap<TicketId, Outlook>,
    /// The pairs that will get in each other's way, by their numbers.
    pub collisions: Vec<Collision>,
}

impl Radar {
    /// Returns what is to be expected of a ticket's landing.
    pub fn outlook(&self, ticket: TicketId) -> Option<&Outlook> {
        self.outlooks.get(&ticket)
    }

    /// Returns the files in which a ticket's change conflicts with its target.
    pub fn conflicts(&self, ticket: TicketId) -> &[ConflictFile] {
        self.outlook(ticket).map_or(&[], |outlook| outlook.forecast.files())
    }

    /// Returns the tickets whose changes do not go together with their targets or with another one.
    pub fn conflicting(&self) -> HashSet<TicketId> {
        let of_targets = self.outlooks.iter().filter(|(_, outlook)| !outlook.forecast.files().is_empty());
        let of_pairs = self.collisions.iter().flat_map(|pair| [pair.one, pair.other]);
        of_targets.map(|(ticket, _)| *ticket).chain(of_pairs).collect()
    }

    /// Returns the tickets that will get in the way of this one, and where.
    pub fn collisions_of(&self, ticket: TicketId) -> impl Iterator<Item = (TicketId, &[ConflictFile])> {
        self.collisions.iter().filter_map(move |pair| match pair {
            Collision { one, other, files } if *one == ticket => Some((*other, files.as_slice())),
            Collision { one, other, files } if *other == ticket => Some((*one, files.as_slice())),
            Collision { .. } => None,
        })
    }
}

/// A ticket whose change is not on its target, with what is needed to look at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flight {
    /// The ticket.
    pub ticket: TicketId,
    /// Its number.
    pub number: TicketNumber,
    /// The branch on which it is to land.
    pub target: String,
    /// Its worktree; nothing once that is gone.
    pub worktree: Option<Worktree>,
    /// Its newest revision.
    pub revision: Option<Revision>,
    /// Its own checks, in place of the repository's.
    pub checks: Vec<String>,
    /// Its newest job, once that is over: what it found out may matter.
    pub ended: Option<JobId>,
    /// Whether it waits for a person.
    pub waits: bool,
    /// The folder of the agent's run that works on it now, below that of all runs.
    pub works: Option<String>,
}

/// Returns the tickets in flight: those at work, and those that wait for somebody with something to show; by number.
pub fn in_flight(board: &Board) -> Vec<Flight> {
    board.tickets().filter_map(|ticket| flight(board, ticket)).collect()
}

/// Returns what is needed to look at a ticket's change; nothing where there is none on its way.
pub fn flight(board: &Board, ticket: &Ticket) -> Option<Flight> {
    let waits = match ticket.state {
        State::NeedsHuman { .. } => true,
        State::Executing { .. } | State::Verifying { .. } | State::Blocked { .. } => false,
        State::Proposed | State::Planned | State::Done | State::Abandoned => return None,
    };
    let revision = board.revision(ticket.id).cloned();
    if ticket.worktree.is_none() && revision.is_none() {
        return None;
    }
    let run = board.active_job(ticket.id).and_then(|job| board.runs(job.id).next_back());
    let works = run.filter(|run| run.kind == RunKind::Execute && run.end.is_none()).map(|run| run.folder());
    Some(Flight {
        ticket: ticket.id,
        number: ticket.number,
        target: target_of(board, ticket),
        worktree: ticket.worktree.clone(),
        revision,
        checks: ticket.verify.clone(),
        ended: board.newest_job(ticket.id).filter(|job| !job.status.is_active()).map(|job| job.id),
        waits,
        works,
    })
}

/// Returns the branch on which a ticket's change is to land.
pub fn target_of(board: &Board, ticket: &Ticket) -> String {
    let started = ticket.worktree.as_ref().map(|tree| &tree.base_branch);
    started.or(ticket.base_branch.as_ref()).unwrap_or(&board.about.base_branch).clone()
}

/// Returns the pairs, by their places in the list, that change a common path, or one a file where the other has a folder.
pub fn meeting(changes: &[&BTreeSet<String>]) -> BTreeSet<(usize, usize)> {
    let mut by_path: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, paths) in changes.iter().enumerate() {
        paths.iter().for_each(|path| by_path.entry(path).or_default().push(n));
    }
    let mut pairs = BTreeSet::new();
    for (path, here) in &by_path {
        for (at, one) in here.iter().enumerate() {
            pairs.extend(here[at + 1..].iter().map(|other| (*one, *other)));
        }
        let above = path.match_indices('/').filter_map(|(end, _)| by_path.get(&path[..end]));
        for (one, other) in above.flatten().flat_map(|one| here.iter().map(move |other| (*one, *other))) {
            if one != other {
                pairs.insert((one.min(other), one.max(other)));
            }
        }
    }
    pairs
}

/// How many files are named where an agent is told of a conflict.
const NAMED: usize = 50;

/// Returns what an agent is told of a conflict: where it is, and what to do about it.
pub fn feedback(target: &str, files: &[ConflictFile]) -> String {
    let mut text = format!(
        "Your change and what came to `{target}` meanwhile do not go together, so it cannot land. These files conflict:\n\n"
    );
    for file in files.iter().take(NAMED) {
        // A name may have anything in it, and must not end the list.
        let path: String = file.path.chars().map(|c| if c.is_control() || c == '`' { '?' } else { c }).collect();
        text.push_str(&format!("- `{path}` ({})\n", file.kind));
    }
    if let Some(more) = files.len().checked_sub(NAMED).filter(|more| *more > 0) {
        text.push_str(&format!("- and {more} more\n"));
    }
    text.push_str(&format!(
        "\nBring your change up to date: merge `{target}` into your branch (`git merge {target}`), or make your change anew on \
         top of it. Read what came there to understand what it is for. Resolve each conflict so that both intents are kept: \
         what `{target}` now does, and what this task asks for. Leave no conflict markers behind, and check the result.\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meets(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
        let is_above = |above: &str, below: &str| below.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
        one.iter().any(|a| other.iter().any(|b| a == b || is_above(a, b) || is_above(b, a)))
    }

    proptest! {
        #[test]
        fn exactly_the_pairs_that_share_a_path_meet(
            changes in prop::collection::vec(prop::collection::btree_set("[ab](/[ab]){0,2}", 0..5), 0..8),
        ) {
            let found = meeting(&changes.iter().collect::<Vec<_>>());
            for one in 0..changes.len() {
                for other in one + 1..changes.len() {
                    prop_assert_eq!(found.contains(&(one, other)), meets(&changes[one], &changes[other]));
                }
            }
            prop_assert!(found.iter().all(|(one, other)| one < other));
        }
    }

    #[test]
    fn an_agent_is_told_where_it_is_and_what_to_do_and_no_name_ends_the_list() {
        let file = |path: &str, kind: &str| ConflictFile { path: path.into(), kind: kind.into() };
        let told = feedback("main", &[file("src/a.rs", "content"), file("odd`\n- name", "add/add")]);
        insta::assert_snapshot!(told);
    }
}
