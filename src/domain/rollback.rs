//! How a change is taken back: ordered steps, how risky that is, how long it takes, and whether a person must act. Pure: what is
//! known of the change comes in as a value, and what is said is about this repository.

use serde::Serialize;

use super::id::TicketNumber;
use super::landing::Strategy;
use super::rule_revert::Traced;
use super::state::words;
use super::touched::{Differs, Touched};

mod paths;

use paths::{install, is_cache_setting, is_migration};

/// What is known of a change that may have to be taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts<'a> {
    /// Its ticket.
    pub number: TicketNumber,
    /// Every file of it.
    pub files: &'a [Touched],
    /// The branch that has it, or is to have it.
    pub target: &'a str,
    /// How it came there, or would.
    pub strategy: Strategy,
    /// Whether it is there.
    pub place: Place,
    /// Whether it is on a remote, or will be with its landing.
    pub pushed: Option<Pushed>,
    /// The commit that a host made of it, where a pull request brought it there.
    pub merged_as: Option<&'a str>,
    /// The ticket that takes it back already.
    pub taken_back_by: Option<TicketNumber>,
}

/// Where a change is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// It did not land.
    NotLanded,
    /// It landed, and this is left of it.
    Landed(Traced),
    /// It landed, and later changes touch the same lines of these files.
    BuiltOn {
        /// The newest commit that it brought.
        commit: String,
        /// The commit before it.
        from: String,
        /// The files.
        files: Vec<String>,
    },
}

/// What is known of a remote branch that has the change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pushed {
    /// The remote.
    pub remote: String,
    /// The branch there.
    pub branch: String,
    /// Who pushes what takes it back.
    pub again: Again,
}

/// Who pushes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// Each landing does.
    Landing,
    /// A person does.
    Person,
}

words! {
    /// What a step of a rollback does.
    Kind, "step of a rollback" {
        /// Takes the change itself back.
        TakeBack = "take_back",
        /// Undoes what migrations did.
        UndoMigrations = "undo_migrations",
        /// Clears what was kept of the changed state.
        ClearCaches = "clear_caches",
        /// Brings the result to the remote.
        PushAgain = "push_again",
    }
}

words! {
    /// How risky it is to take a change back.
    Risk, "risk" {
        /// Git does it, and little is touched.
        Low = "low",
        /// Something beside the code may keep the old state.
        Medium = "medium",
        /// Data, or what others did since, is at stake.
        High = "high",
    }
}

/// A step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Step {
    /// What it does.
    pub kind: Kind,
    /// What is to be done, in words.
    pub text: String,
    /// The commands that do it, where commands do.
    pub commands: Vec<String>,
    /// The files that it is about, where it is not about all.
    pub files: Vec<String>,
}

/// How a change is taken back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What is to be done, in this order; nothing where nothing is left to take back.
    pub steps: Vec<Step>,
    /// How risky it is.
    pub risk: Risk,
    /// Why it is not less; nothing where the risk is low.
    pub because: Vec<String>,
    /// About how many minutes it takes.
    pub minutes: u64,
    /// Whether something of it is done by neither `draft revert` nor a landing.
    pub requires_human: bool,
}

/// Beyond so many files or lines a change is large, and beyond so many it is no small one.
const LARGE: (usize, u64) = (50, 1000);
const NOT_SMALL: (usize, u64) = (10, 200);
/// Minutes for the checks, the review and the landing of what takes a change back.
const BASE_MINUTES: u64 = 10;
/// Minutes for each migration, up to so many of them.
const MIGRATION_MINUTES: u64 = 15;
const MIGRATIONS_COUNTED: usize = 8;
/// Minutes for caches, for a push by hand, and for a conflict.
const CACHE_MINUTES: u64 = 5;
const PUSH_MINUTES: u64 = 1;
const CONFLICT_MINUTES: u64 = 30;
/// Lines that a person reads in a minute.
const LINES_A_MINUTE: u64 = 50;

/// Returns how a change is taken back.
pub fn plan(facts: &Facts<'_>) -> Plan {
    let there = |file: &&Touched| file.is != 0;
    let named = |is_it: fn(&str) -> bool| -> Vec<String> {
        facts.files.iter().filter(there).map(|file| file.path.clone()).filter(|path| is_it(path)).collect()
    };
    let migrations = named(is_migration);
    let caches = named(|path| install(path).is_some() || is_cache_setting(path));
    let take_back = take_back(facts);
    let is_over = take_back.is_over;
    let mut steps = vec![take_back.step];
    if !is_over {
        steps.extend((!migrations.is_empty()).then(|| undo_migrations(facts, &migrations)));
        steps.extend((!caches.is_empty()).then(|| clear_caches(&caches)));
        steps.extend(facts.pushed.as_ref().map(|pushed| push_again(facts, pushed)));
    }
    let (risk, because) = if is_over { (Risk::Low, Vec::new()) } else { risk(facts, &migrations, &caches) };
    let by_hand = facts.pushed.as_ref().is_some_and(|pushed| pushed.again == Again::Person);
    Plan {
        risk,
        because,
        minutes: if is_over { 0 } else { minutes(facts, (migrations.len(), caches.len()), by_hand) },
        requires_human: !is_over && (take_back.needs_person || by_hand || !migrations.is_empty() || !caches.is_empty()),
        steps,
    }
}

/// The first step, and what it says about the others.
struct TakeBack {
    step: Step,
    /// Nothing of the change is left.
    is_over: bool,
    needs_person: bool,
}

fn take_back(facts: &Facts<'_>) -> TakeBack {
    let (number, target) = (facts.number, facts.target);
    let revert = format!("draft revert {}", number.0);
    let step =
        |text: String, commands: Vec<String>, files: Vec<String>| Step { kind: Kind::TakeBack, text, commands, files };
    let begun = |back: TicketNumber| {
        let text = format!("{back} takes it back already; once that has landed on {target}, its change is gone");
        step(text, vec![format!("draft merge {}", back.0)], Vec::new())
    };
    let what = |commit: &str, from: &str| match facts.strategy {
        Strategy::Squash => format!("commit {}", short(commit)),
        Strategy::Merge => format!("merge commit {}", short(commit)),
        Strategy::Rebase => format!("commits {}..{}", short(from), short(commit)),
    };
    let going = |step| TakeBack { step, is_over: false, needs_person: false };
    let over = |text: String| TakeBack { step: step(text, Vec::new(), Vec::new()), is_over: true, needs_person: false };
    match (&facts.place, facts.taken_back_by) {
        (Place::Landed(Traced::Undone(intent)), Some(back)) => {
            over(format!("nothing of it is left on {}: {back} took it back", intent.branch))
        }
        (Place::Landed(Traced::Undone(intent)), None) => {
            over(format!("nothing of it is left on {}: it was taken back before", intent.branch))
        }
        (Place::Landed(Traced::Gone(intent)), _) => over(format!(
            "{} does not have {} any more: its history was written anew, so nothing is to be taken back",
            intent.branch,
            short(&intent.to)
        )),
        (Place::Landed(Traced::There(_)) | Place::BuiltOn { .. }, Some(back)) => going(begun(back)),
        (Place::Landed(Traced::There(intent)), None) => going(step(
            format!(
                "take {} on {} back, as a ticket of its own that is checked, reviewed and landed",
                what(&intent.to, &intent.from),
                intent.branch
            ),
            vec![revert],
            Vec::new(),
        )),
        (Place::BuiltOn { commit, from, files }, None) => TakeBack {
            step: step(
                format!(
                    "take {} on {target} back, as a ticket of its own; later changes touch the same lines, so its agent or you \
                     must say what stays",
                    what(commit, from)
                ),
                vec![revert],
                files.clone(),
            ),
            is_over: false,
            needs_person: true,
        },
        (Place::Landed(Traced::Nothing | Traced::Unknown), _) => {
            let (text, command) = match facts.merged_as {
                Some(commit) => (
                    format!(
                        "take commit {} back, which its host put on {target}; a merge needs `-m 1` for that",
                        short(commit)
                    ),
                    format!("git revert {}", short(commit)),
                ),
                None => (
                    format!("find the commit that brought it to {target}, which Draft did not, and take that back"),
                    "git revert COMMIT".to_owned(),
                ),
            };
            TakeBack { step: step(text, vec![command], Vec::new()), is_over: false, needs_person: true }
        }
        (Place::NotLanded, _) => {
            let lands = match facts.strategy {
                Strategy::Squash => "one commit",
                Strategy::Merge => "a merge commit",
                Strategy::Rebase => "commits of its own",
            };
            going(step(
                format!(
                    "nothing of it is on {target} yet; once it landed there as {lands}, take that back as a ticket of its own that is \
                     checked, reviewed and landed"
                ),
                vec![revert],
                Vec::new(),
            ))
        }
    }
}

fn undo_migrations(facts: &Facts<'_>, files: &[String]) -> Step {
    let landed = match &facts.place {
        Place::Landed(Traced::There(intent)) => Some(&intent.to),
        Place::BuiltOn { commit, .. } => Some(commit),
        Place::NotLanded | Place::Landed(_) => None,
    };
    let kept = landed.map_or_else(
        || "git keeps them when the change is taken back".to_owned(),
        |commit| format!("git keeps them in {}", short(commit)),
    );
    Step {
        kind: Kind::UndoMigrations,
        text: format!("undo what these migrations did, wherever they ran; {kept}"),
        commands: landed.into_iter().flat_map(|commit| files.iter().filter_map(|file| show(commit, file))).collect(),
        files: files.to_vec(),
    }
}

/// Returns the command that shows a file that is gone; nothing for a name that a shell would read otherwise.
fn show(commit: &str, file: &str) -> Option<String> {
    let is_plain = file.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c));
    is_plain.then(|| format!("git show {}:{file}", short(commit)))
}

fn clear_caches(files: &[String]) -> Step {
    let mut commands: Vec<String> = files.iter().filter_map(|file| install(file)).map(str::to_owned).collect();
    commands.sort();
    commands.dedup();
    let text = if commands.is_empty() {
        "clear the caches that these files set up, wherever the change ran"
    } else {
        "install again what these files lock, in their folders, and clear what was cached since"
    };
    Step { kind: Kind::ClearCaches, text: text.to_owned(), commands, files: files.to_vec() }
}

fn push_again(facts: &Facts<'_>, pushed: &Pushed) -> Step {
    let (target, Pushed { remote, branch, again }) = (facts.target, pushed);
    let (text, commands) = match again {
        Again::Landing => {
            (format!("the landing of what takes it back pushes {target} to {remote}/{branch} by itself"), Vec::new())
        }
        Again::Person => {
            let what = if target == branch { target.to_owned() } else { format!("{target}:{branch}") };
            (
                format!("push {target} again once it is taken back: {remote}/{branch} has the change"),
                vec![format!("git push {remote} {what}")],
            )
        }
    };
    Step { kind: Kind::PushAgain, text, commands, files: Vec::new() }
}

fn risk(facts: &Facts<'_>, migrations: &[String], caches: &[String]) -> (Risk, Vec<String>) {
    let (files, lines) = (facts.files.len(), lines(facts));
    let is_beyond = |(most_files, most_lines): (usize, u64)| files > most_files || lines > most_lines;
    let size = || format!("{files} files and {lines} lines");
    let mut high = Vec::new();
    if !migrations.is_empty() {
        high.push(counted(migrations.len(), "migration", "migrations"));
    }
    if let Place::BuiltOn { files, .. } = &facts.place {
        high.push(format!("later changes touch {}", counted(files.len(), "of its files", "of its files")));
    }
    if is_beyond(LARGE) {
        high.push(size());
    }
    let mut medium = Vec::new();
    if !caches.is_empty() {
        medium.push(counted(caches.len(), "lock file or cache setting", "lock files or cache settings"));
    }
    if let Some(Pushed { remote, branch, .. }) = &facts.pushed {
        let has = if matches!(facts.place, Place::NotLanded) { "will have it" } else { "has it" };
        medium.push(format!("{remote}/{branch} {has}"));
    }
    if facts.files.iter().any(|file| file.differs == Differs::Submodule) {
        medium.push("a submodule".to_owned());
    }
    if is_beyond(NOT_SMALL) && !is_beyond(LARGE) {
        medium.push(size());
    }
    let risk = match (high.is_empty(), medium.is_empty()) {
        (false, _) => Risk::High,
        (true, false) => Risk::Medium,
        (true, true) => Risk::Low,
    };
    high.extend(medium);
    (risk, high)
}

fn minutes(facts: &Facts<'_>, (migrations, caches): (usize, usize), pushed_by_hand: bool) -> u64 {
    let migrations = u64::try_from(migrations.min(MIGRATIONS_COUNTED)).unwrap_or(0);
    let conflict = matches!(facts.place, Place::BuiltOn { .. });
    let reading = lines(facts).min(10_000) / LINES_A_MINUTE;
    let extra = [(conflict, CONFLICT_MINUTES), (caches > 0, CACHE_MINUTES), (pushed_by_hand, PUSH_MINUTES)];
    let extra: u64 = extra.iter().filter(|(counts, _)| *counts).map(|(_, minutes)| minutes).sum();
    BASE_MINUTES + reading + migrations * MIGRATION_MINUTES + extra
}

fn lines(facts: &Facts<'_>) -> u64 {
    let (added, removed) = super::gates::size(facts.files);
    added + removed
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

impl Plan {
    /// Returns how long it takes, as people read it.
    pub fn estimated_time(&self) -> String {
        match (self.minutes / 60, self.minutes % 60) {
            (0, 0) => "no time".to_owned(),
            (0, minutes) => format!("about {minutes} minutes"),
            (hours, 0) => format!("about {}", counted(usize::try_from(hours).unwrap_or(usize::MAX), "hour", "hours")),
            (hours, minutes) => format!("about {hours} h {minutes} min"),
        }
    }
}

#[cfg(test)]
mod tests;
