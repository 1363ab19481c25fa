//! Finds out what is to be expected: of each change that waits, whether it goes together with its target as that is now; and of
//! all changes in flight, with what nobody committed yet, which of them will get in each other's way.
//!
//! Everything is remembered by the commits that it is about, so nothing is found out twice; a look stops when its time is over and
//! goes on with the next one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::id::TicketId;
use crate::domain::outlook::{Collision, ConflictFile, Flight, Forecast, Outlook, Radar, meeting};
use crate::domain::proof::Proof;
use crate::engine::{Workshop, proof_of};
use crate::git::GitError;
use crate::git::aside::Aside;
use crate::git::forecast;
use crate::git::land::beside;

/// How seldom the worktree of an agent at work is looked at, at the least.
const BUSY: Duration = Duration::from_secs(30);
/// How seldom worktrees are looked at although nothing points at a change: what happens deep inside leaves no sign elsewhere.
const ANYWAY: Duration = Duration::from_mins(10);
/// How many times as long as those looks together the time between them is, at the least.
const SELDOM: u32 = 300;
/// How long what was tried out is kept for the next tries.
const RENEW: Duration = Duration::from_hours(1);
/// How many commits are named with which a change fails together.
const BESIDE: usize = 5;

/// What a look found.
#[derive(Debug)]
pub struct Looked {
    /// All that is known now.
    pub radar: Radar,
    /// When something is left to be found out: at once, or once it may be looked at again.
    pub next: Option<Next>,
}

impl Looked {
    /// Says whether there was no time for all of it.
    pub fn has_more(&self) -> bool {
        self.next == Some(Next::More)
    }
}

/// What is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// There was no time for all of it.
    More,
    /// A worktree may be looked at again after this time.
    In(Duration),
}

/// Remembers what was found out.
#[derive(Debug)]
pub struct Lookout {
    workshop: Arc<Workshop>,
    aside: Option<(Aside, Instant)>,
    /// What comes of merging a commit with a target.
    landings: HashMap<(String, String), Landing>,
    /// What worktrees held when they were looked at.
    seen: HashMap<TicketId, Seen>,
    /// Which paths a commit changes against another one.
    paths: HashMap<(String, String), Arc<BTreeSet<String>>>,
    /// Where two commits conflict.
    pairs: HashMap<(String, String), Vec<ConflictFile>>,
}

#[derive(Clone, Debug)]
struct Landing {
    forecast: Forecast,
    behind: u32,
    /// What would be on the target.
    tree: Option<String>,
}

#[derive(Clone, Debug)]
struct Seen {
    stamp: u64,
    at: Instant,
    took: Duration,
    state: State,
}

/// A ticket's change as it is now.
#[derive(Clone, Debug)]
struct State {
    base: String,
    commit: String,
}

/// One look, while it lasts.
struct Look<'a> {
    aside: &'a Aside,
    until: Instant,
    now: Instant,
    /// Something was found out, so the look may stop: each brings at least one thing further.
    advanced: bool,
    next: Option<Next>,
    used_landings: HashSet<(String, String)>,
    used_paths: HashSet<(String, String)>,
    used_pairs: HashSet<(String, String)>,
}

impl Look<'_> {
    /// Says whether there is time for one thing more.
    fn has_time(&mut self) -> bool {
        let has_time = !self.advanced || Instant::now() < self.until;
        self.advanced = true;
        if !has_time {
            self.next = Some(Next::More);
        }
        has_time
    }

    fn again_in(&mut self, pause: Duration) {
        self.next = Some(match self.next {
            None => Next::In(pause),
            Some(Next::In(other)) => Next::In(pause.min(other)),
            Some(Next::More) => Next::More,
        });
    }
}

impl Lookout {
    /// Returns one that knows nothing yet.
    pub fn new(workshop: Arc<Workshop>) -> Self {
        Self {
            workshop,
            aside: None,
            landings: HashMap::new(),
            seen: HashMap::new(),
            paths: HashMap::new(),
            pairs: HashMap::new(),
        }
    }

    /// Looks at what is in flight until a moment: the changes that wait first, the smallest before the others; then, where
    /// `pairs` are wanted, all of them with each other. What cannot be looked at is left out.
    ///
    /// # Errors
    /// When there is no place to try things out.
    pub fn look(&mut self, flights: &[Flight], pairs: bool, until: Instant) -> Result<Looked, GitError> {
        if flights.is_empty() {
            *self = Self::new(Arc::clone(&self.workshop));
            return Ok(Looked { radar: Radar::default(), next: None });
        }
        let now = Instant::now();
        let (aside, made) = match self.aside.take().filter(|(_, made)| now.duration_since(*made) < RENEW) {
            Some(known) => known,
            None => {
                // What was made there is made anew, since it is gone; the same content has the same names.
                self.seen.clear();
                self.landings.clear();
                (Aside::of(&self.workshop.repo)?, now)
            }
        };
        let mut look = Look {
            aside: &aside,
            until,
            now,
            advanced: false,
            next: None,
            used_landings: HashSet::new(),
            used_paths: HashSet::new(),
            used_pairs: HashSet::new(),
        };
        let targets: HashMap<&str, String> = flights
            .iter()
            .filter_map(|flight| Some((flight.target.as_str(), self.workshop.repo.commit_of(&flight.target).ok()?)))
            .collect();
        let mut radar = Radar { outlooks: self.outlooks(&mut look, flights, &targets), collisions: Vec::new() };
        if pairs {
            radar.collisions = self.collisions(&mut look, flights, &targets);
        }
        let Look { next, used_landings, used_paths, used_pairs, .. } = look;
        if next != Some(Next::More) {
            self.landings.retain(|key, _| used_landings.contains(key));
            self.paths.retain(|key, _| used_paths.contains(key));
            self.pairs.retain(|key, _| used_pairs.contains(key));
        }
        self.seen.retain(|id, _| flights.iter().any(|flight| flight.ticket == *id));
        self.aside = Some((aside, made));
        Ok(Looked { radar, next })
    }

    fn outlooks(
        &mut self,
        look: &mut Look<'_>,
        flights: &[Flight],
        targets: &HashMap<&str, String>,
    ) -> HashMap<TicketId, Outlook> {
        let waits = |flight: &&Flight| flight.waits && flight.revision.is_some();
        let mut waiting: Vec<&Flight> = flights.iter().filter(waits).collect();
        waiting.sort_by_key(|flight| flight.revision.as_ref().map(|revision| revision.size.files));
        let mut outlooks = HashMap::new();
        for flight in waiting {
            let (Some(revision), Some(commit)) = (&flight.revision, targets.get(flight.target.as_str())) else {
                continue;
            };
            let Some(landing) = self.landing(look, commit, &revision.head) else { continue };
            let proof = landing.tree.as_deref().map_or(Proof::Unknown, |tree| self.proof(flight, tree));
            let beside = match &proof {
                Proof::Failed { .. } => beside(&self.workshop.repo, &revision.base, commit, BESIDE),
                Proof::None | Proof::Passed | Proof::Unknown => Ok(Vec::new()),
            };
            let outlook = Outlook {
                target: flight.target.clone(),
                commit: commit.clone(),
                revision: revision.number,
                behind: landing.behind,
                forecast: landing.forecast,
                proof,
                beside: beside.unwrap_or_default(),
            };
            outlooks.insert(flight.ticket, outlook);
        }
        outlooks
    }

    /// Returns what the checks say about a tree; that nobody knows where it cannot be looked up.
    fn proof(&self, flight: &Flight, tree: &str) -> Proof {
        let found = proof_of(&self.workshop, &flight.checks, tree);
        found.inspect_err(|error| tracing::debug!(%error, "what is proven could not be looked up")).unwrap_or_default()
    }

    /// Returns what comes of a commit's landing; nothing where there is no time left, or it cannot be told.
    fn landing(&mut self, look: &mut Look<'_>, target: &str, head: &str) -> Option<Landing> {
        let key = (target.to_owned(), head.to_owned());
        if !self.landings.contains_key(&key) && look.has_time() {
            let found = forecast::of(look.aside, target, head).and_then(|(forecast, tree)| {
                let behind = forecast::behind(look.aside.repo(), head, target)?;
                Ok(Landing { forecast, behind, tree })
            });
            match found {
                Ok(landing) => drop(self.landings.insert(key.clone(), landing)),
                Err(error) => tracing::warn!(%error, head, "a landing could not be foreseen"),
            }
        }
        let known = self.landings.get(&key).cloned();
        look.used_landings.insert(key);
        known
    }

    fn collisions(
        &mut self,
        look: &mut Look<'_>,
        flights: &[Flight],
        targets: &HashMap<&str, String>,
    ) -> Vec<Collision> {
        let mut changes: Vec<(&Flight, State, Arc<BTreeSet<String>>)> = Vec::new();
        for flight in flights {
            let state = self.state(look, flight);
            let Some(state) = state else { continue };
            if let Some(paths) = self.changed_paths(look, &state) {
                changes.push((flight, state, paths));
            }
        }
        let paths: Vec<&BTreeSet<String>> = changes.iter().map(|(.., paths)| paths.as_ref()).collect();
        let mut collisions = Vec::new();
        for (one, other) in meeting(&paths) {
            let ((one, a, its), (other, b, others)) = (&changes[one], &changes[other]);
            let target = targets.get(one.target.as_str()).filter(|_| one.target == other.target);
            let as_landed = target.and_then(|target| {
                Some((self.as_landed(look, target, &a.commit)?, self.as_landed(look, target, &b.commit)?))
            });
            let files = match as_landed {
                // Nothing of it is left once it is on the target.
                Some((Some(a), Some(b))) => self.conflicts(look, &a, &b),
                // One of them conflicts with the target already, so only what both changed is told.
                Some(_) | None => self.conflicts(look, &a.commit, &b.commit).map(|files| {
                    let both = |file: &ConflictFile| its.contains(&file.path) && others.contains(&file.path);
                    files.into_iter().filter(both).collect()
                }),
            };
            if let Some(files) = files.filter(|files| !files.is_empty()) {
                collisions.push(Collision { one: one.ticket, other: other.ticket, files });
            }
        }
        collisions
    }

    /// Returns the commit that would be on the target after a landing: none where they conflict. Nothing where that is not known.
    #[expect(clippy::option_option, reason = "not known and none are different answers")]
    fn as_landed(&mut self, look: &mut Look<'_>, target: &str, commit: &str) -> Option<Option<String>> {
        let landing = self.landing(look, target, commit)?;
        let Some(tree) = landing.tree else { return Some(None) };
        look.aside.commit(&tree, &[target]).ok().map(Some)
    }

    fn conflicts(&mut self, look: &mut Look<'_>, one: &str, other: &str) -> Option<Vec<ConflictFile>> {
        let key = (one.to_owned(), other.to_owned());
        if !self.pairs.contains_key(&key) && look.has_time() {
            match look.aside.merge(one, other) {
                Ok((_, files)) => drop(self.pairs.insert(key.clone(), files)),
                Err(error) => tracing::debug!(%error, one, other, "two changes could not be merged"),
            }
        }
        let known = self.pairs.get(&key).cloned();
        look.used_pairs.insert(key);
        known
    }

    /// Returns a ticket's change as it is now, or was when there was last time to look.
    fn state(&mut self, look: &mut Look<'_>, flight: &Flight) -> Option<State> {
        let revision = flight.revision.as_ref();
        let Some(worktree) = flight.worktree.as_ref().filter(|worktree| worktree.path.is_dir()) else {
            let whole = |revision: &crate::domain::revision::Revision| State {
                base: revision.base.clone(),
                commit: revision.head.clone(),
            };
            return revision.map(whole);
        };
        let known = self.seen.get(&flight.ticket).cloned();
        let age = known.as_ref().map(|seen| look.now.duration_since(seen.at));
        if flight.works.is_some()
            && let Some(age) = age.filter(|age| *age < BUSY)
        {
            look.again_in(BUSY.saturating_sub(age));
            return known.map(|seen| seen.state);
        }
        let told =
            known.as_ref().and_then(|seen| self.paths.get(&(seen.state.base.clone(), seen.state.commit.clone())));
        let told = told.cloned().unwrap_or_default();
        let output = flight.works.as_ref().map(|folder| self.workshop.paths.runs().join(folder).join("stdout"));
        let stamp = forecast::stamp(&self.workshop.repo, worktree, &told, output.as_deref());
        let anyway = pace(self.seen.values().map(|seen| seen.took).sum());
        // How long what was seen holds; nothing where something points at a change, or it is too long ago.
        let holds = known.as_ref().filter(|seen| seen.stamp == stamp);
        let holds = holds.and_then(|seen| anyway.checked_sub(look.now.duration_since(seen.at)));
        look.again_in(if flight.works.is_some() { BUSY } else { holds.unwrap_or(anyway) });
        if holds.is_some() || !look.has_time() {
            return known.map(|seen| seen.state);
        }
        let begun = Instant::now();
        let found = look.aside.snapshot(worktree, &self.workshop.litter()).and_then(|snapshot| {
            let commit = look.aside.commit_of(&snapshot)?;
            Ok(State { base: snapshot.base, commit })
        });
        match found {
            Ok(state) => {
                let seen = Seen { stamp, at: look.now, took: begun.elapsed(), state: state.clone() };
                self.seen.insert(flight.ticket, seen);
                Some(state)
            }
            Err(error) => {
                tracing::debug!(%error, ticket = %flight.number, "a worktree could not be looked at");
                known.map(|seen| seen.state)
            }
        }
    }

    fn changed_paths(&mut self, look: &mut Look<'_>, state: &State) -> Option<Arc<BTreeSet<String>>> {
        let key = (state.base.clone(), state.commit.clone());
        if !self.paths.contains_key(&key) {
            let paths = forecast::paths(look.aside.repo(), &state.base, &state.commit);
            let paths = paths.inspect_err(|error| tracing::debug!(%error, "a change could not be read")).ok()?;
            self.paths.insert(key.clone(), Arc::new(paths));
        }
        let known = self.paths.get(&key).cloned();
        look.used_paths.insert(key);
        known
    }
}

/// Returns how long worktrees are left alone at which nothing points, when a look at all of them takes so long.
fn pace(looks: Duration) -> Duration {
    (looks * SELDOM).clamp(BUSY, ANYWAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_worktrees_are_looked_at_often_and_large_ones_for_a_small_part_of_the_time() {
        assert_eq!(pace(Duration::ZERO), Duration::from_secs(30));
        assert_eq!(pace(Duration::from_millis(20)), Duration::from_secs(30));
        assert_eq!(pace(Duration::from_millis(300)), Duration::from_secs(90));
        assert_eq!(pace(Duration::from_secs(9)), Duration::from_mins(10));
    }
}
