//! What may happen without a person: which tickets start, which changes are approved and land by themselves. Pure: all
//! that is known of a change comes in as a value, and what is not known never approves anything.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::board::Board;
use super::checklist::{Checklist, Tests};
use super::gates;
use super::job::Job;
use super::money::Money;
use super::policy::Policy;
use super::revision::{Revision, RevisionStatus};
use super::rule::Trust;
use super::state::{NeedsHuman, State, words};
use super::ticket::Ticket;
use super::time::Timestamp;
use super::touched::Touched;

/// The name under which Draft acts by itself.
pub const SERVICE: &str = "autonomy_service";
/// How a reason begins that says why something waits for a person.
pub const WAITS: &str = "waits for you: ";
/// How long an automatic approval counts against the board's ceiling, in milliseconds.
const DAY: i64 = 24 * 3600 * 1000;

/// What may happen for a goal without a person. All of it is off until somebody wants it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Autonomy {
    /// Whether any of it holds.
    pub enabled: bool,
    /// Whether tickets that the planner files start as planned.
    pub auto_approve_tickets: bool,
    /// Whether a change is approved once its checks passed.
    pub auto_approve_revisions: bool,
    /// Whether an approved change lands at once.
    pub auto_merge: bool,
    /// Whether tickets that follow from others start as planned.
    pub auto_approve_followups: bool,
    /// Most automatic approvals of tickets and changes in all; nothing sets no limit.
    pub max_auto_approvals: Option<u32>,
    /// How many there were.
    pub auto_approval_count: u32,
}

/// New values of what may happen without a person; what is left out stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AutonomyEdit {
    /// The master switch.
    pub enabled: Option<bool>,
    /// For tickets.
    pub auto_approve_tickets: Option<bool>,
    /// For changes.
    pub auto_approve_revisions: Option<bool>,
    /// For landings.
    pub auto_merge: Option<bool>,
    /// For tickets that follow from others.
    pub auto_approve_followups: Option<bool>,
    /// The ceiling.
    pub max_auto_approvals: Option<Ceiling>,
}

/// A limit that may be taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceiling<T = u32> {
    /// There is none.
    Unlimited,
    /// So much, and no more.
    AtMost(T),
}

impl<T> From<Ceiling<T>> for Option<T> {
    fn from(ceiling: Ceiling<T>) -> Self {
        match ceiling {
            Ceiling::Unlimited => None,
            Ceiling::AtMost(most) => Some(most),
        }
    }
}

impl Autonomy {
    /// Returns these settings with what somebody wants otherwise.
    #[must_use]
    pub fn edited(self, edit: AutonomyEdit) -> Self {
        Self {
            enabled: edit.enabled.unwrap_or(self.enabled),
            auto_approve_tickets: edit.auto_approve_tickets.unwrap_or(self.auto_approve_tickets),
            auto_approve_revisions: edit.auto_approve_revisions.unwrap_or(self.auto_approve_revisions),
            auto_merge: edit.auto_merge.unwrap_or(self.auto_merge),
            auto_approve_followups: edit.auto_approve_followups.unwrap_or(self.auto_approve_followups),
            max_auto_approvals: edit.max_auto_approvals.map_or(self.max_auto_approvals, Into::into),
            auto_approval_count: self.auto_approval_count,
        }
    }

    /// Says whether one more automatic approval stays below the ceiling.
    ///
    /// # Errors
    /// With what to tell when it does not.
    pub fn has_room(&self) -> Result<(), Objection> {
        match self.max_auto_approvals {
            Some(most) if self.auto_approval_count >= most => {
                let why = format!("{} of {most} automatic approvals are used", self.auto_approval_count);
                Err(Objection::new(Rail::Ceiling, Action::Pause, why))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Says whether a ticket that the planner files may start as planned.
    pub fn starts_tickets(&self) -> bool {
        self.enabled && self.auto_approve_tickets && self.has_room().is_ok()
    }

    /// Says whether a ticket that follows from another may start as planned.
    pub fn starts_followups(&self) -> bool {
        self.enabled && self.auto_approve_followups && self.has_room().is_ok()
    }

    /// Says whether changes are approved or land without a person.
    pub fn cares_for_changes(&self) -> bool {
        self.enabled && (self.auto_approve_revisions || self.auto_merge)
    }
}

/// What happens without a person, as people read it.
impl fmt::Display for Autonomy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.enabled {
            return f.write_str("nothing happens");
        }
        let parts = [
            (self.auto_approve_tickets, "the planner's tickets start"),
            (self.auto_approve_revisions, "changes are approved"),
            (self.auto_merge, "approved changes land"),
            (self.auto_approve_followups, "tickets that follow start"),
        ];
        let on: Vec<&str> = parts.into_iter().filter(|(is_on, _)| *is_on).map(|(_, what)| what).collect();
        f.write_str(if on.is_empty() { "nothing is allowed yet" } else { "" })?;
        f.write_str(&on.join(", "))?;
        match self.max_auto_approvals {
            Some(most) => write!(f, "; {} of {most} approvals used", self.auto_approval_count),
            None => write!(f, "; {} approvals so far, no limit", self.auto_approval_count),
        }
    }
}

/// A check that ran for a ticket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// The command.
    pub command: String,
    /// The tree that it ran on, if that is known.
    pub tree: Option<String>,
    /// Whether it passed.
    pub passed: bool,
}

/// What is known of a change, as somebody looked it up before a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dossier {
    /// The number of the revision.
    pub revision: u32,
    /// Its tree.
    pub tree: String,
    /// Every file of the change.
    pub files: Vec<Touched>,
    /// The checks that it must pass.
    pub commands: Vec<String>,
    /// The gates of one's own that it must pass.
    pub gates: Vec<String>,
    /// The checks and gates that ran for its ticket, oldest first.
    pub checked: Vec<Checked>,
    /// The settings in force.
    pub policy: Policy,
    /// Whether the repository's commands and rails are trusted by the user.
    pub trust: Trust,
}

/// What somebody found who looked at a change, or why it could not be looked at.
pub type Examined = Result<Dossier, String>;

/// What the board itself says about an automatic decision. As long as it and the settings stay the same, so does the
/// decision.
#[derive(Clone, PartialEq, Debug)]
pub struct Basis {
    /// What may happen.
    pub autonomy: Autonomy,
    /// The newest revision: its number, its tree and what became of it.
    pub revision: Revision,
    /// How many changes of the board were approved without a person within a day.
    pub approved_today: u32,
    /// Comments that are not resolved.
    pub open_comments: usize,
    /// Whether a message waits for the agent.
    pub message_waits: bool,
    /// What the goal has cost.
    pub money: Money,
    /// Whether the newest job is a landing: what became of one is for a person.
    pub landing_tried: bool,
}

words! {
    /// What can hold something up that would happen without a person.
    Rail, "rail" {
        /// The checks of exactly this change.
        TestsPassed = "tests_passed",
        /// Its size.
        DiffSize = "diff_size_threshold",
        /// What the gates of one's own say.
        Custom = "custom",
        /// What its files are called.
        SensitiveFiles = "no_sensitive_files",
        /// What the goal may cost.
        CostBudget = "cost_budget",
        /// What its files are, where lines do not show it.
        Form = "file_form",
        /// How much may happen without a person.
        Ceiling = "ceiling",
        /// Somebody said something about it.
        Said = "open_comments",
        /// What must be ticked before anything lands.
        Checklist = "checklist",
        /// The user's trust in the repository's settings.
        Trust = "trust",
        /// Nobody could look at it.
        Unread = "evidence",
    }
}

words! {
    /// What follows where a rail holds something up.
    Action, "action" {
        /// A person must do it, approval and landing alike.
        Block = "block",
        /// A person must approve it; after that it goes on.
        Pause = "pause",
        /// It goes on, and its history says so.
        Alert = "alert",
    }
}

/// Why something does not happen without a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Objection {
    /// What holds it up.
    pub gate: Rail,
    /// What follows.
    pub action: Action,
    /// Why, in words.
    pub why: String,
}

impl Objection {
    pub(super) fn new(gate: Rail, action: Action, why: impl Into<String>) -> Self {
        Self { gate, action, why: why.into() }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// What may be done with a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// It may go on; alerts are what is worth a word.
    Granted {
        /// What is proven of it, in words.
        proof: String,
        /// What a person should hear of.
        alerts: Vec<Objection>,
    },
    /// A person must look; at least one objection, the weightiest first.
    Refused(Vec<Objection>),
}

/// Returns what may happen for a ticket without a person: what its goal says, or the settings where it has none.
pub fn autonomy_of(board: &Board, ticket: &Ticket, policy: &Policy) -> Autonomy {
    match ticket.goal {
        // A goal that was removed allows nothing.
        Some(_) => board.goal_of(ticket).map(|goal| goal.autonomy).unwrap_or_default(),
        None => Autonomy {
            enabled: policy.without_goal,
            auto_approve_revisions: policy.without_goal,
            auto_merge: policy.merge_without_goal,
            ..Autonomy::default()
        },
    }
}

/// Says whether a change of that ticket might be approved, or might land, without a person right now. A landing that was
/// tried is not tried again: what became of it is for a person.
pub fn is_due(board: &Board, ticket: &Ticket, policy: &Policy) -> bool {
    let (State::NeedsHuman { why }, Some(revision)) = (ticket.state, board.revision(ticket.id)) else { return false };
    let autonomy = autonomy_of(board, ticket, policy);
    let newest = board.newest_job(ticket.id);
    let wanted = match (why, revision.status) {
        (NeedsHuman::Review, RevisionStatus::Open) => autonomy.auto_approve_revisions,
        (NeedsHuman::Approved, RevisionStatus::Approved) => {
            autonomy.auto_merge && newest.is_none_or(|job| !job.lands())
        }
        (
            NeedsHuman::Review
            | NeedsHuman::Approved
            | NeedsHuman::Question
            | NeedsHuman::Handover
            | NeedsHuman::Landing
            | NeedsHuman::Conflict
            | NeedsHuman::Refused,
            _,
        ) => false,
    };
    autonomy.enabled && wanted && board.active_job(ticket.id).is_none()
}

impl Basis {
    /// Returns what the board says about a ticket; nothing for one that has no change.
    pub fn of(board: &Board, ticket: &Ticket, policy: &Policy, now: Timestamp) -> Option<Self> {
        Some(Self {
            autonomy: autonomy_of(board, ticket, policy),
            revision: board.revision(ticket.id)?.clone(),
            approved_today: board.auto_approvals_since(Timestamp(now.0.saturating_sub(DAY))),
            open_comments: board.open_comments(ticket.id).count(),
            message_waits: ticket.message.as_ref().is_some_and(|message| message.is_due(now)),
            money: Money::of(board, ticket),
            landing_tried: board.newest_job(ticket.id).is_some_and(Job::lands),
        })
    }
}

/// Decides whether a revision is approved without a person.
pub fn may_approve(basis: &Basis, examined: &Examined) -> Ruling {
    let autonomy = &basis.autonomy;
    if !(autonomy.enabled && autonomy.auto_approve_revisions) {
        let off = "automatic approval is off";
        return Ruling::Refused(vec![Objection::new(Rail::Ceiling, Action::Block, off)]);
    }
    rule(basis, examined, |objections, found| {
        objections.extend(autonomy.has_room().err());
        if basis.approved_today >= found.policy.max_a_day {
            let most = found.policy.max_a_day;
            let why =
                format!("{} of {most} automatic approvals of this board within a day are used", basis.approved_today);
            objections.push(Objection::new(Rail::Ceiling, Action::Pause, why));
        }
    })
}

/// Decides whether an approved revision lands without a person. Where a person approved it, that answered every pause.
pub fn may_land(basis: &Basis, examined: &Examined, approved_by: ApprovedBy) -> Ruling {
    let autonomy = &basis.autonomy;
    if !(autonomy.enabled && autonomy.auto_merge) || basis.landing_tried {
        let off = "it was tried, or landing by itself is off";
        return Ruling::Refused(vec![Objection::new(Rail::Ceiling, Action::Block, off)]);
    }
    match (rule(basis, examined, |objections, found| checklist(basis, found, objections)), approved_by) {
        (Ruling::Refused(objections), ApprovedBy::Person)
            if objections.iter().all(|one| one.action != Action::Block) =>
        {
            Ruling::Granted { proof: "approved by a person".to_owned(), alerts: Vec::new() }
        }
        (ruling, ApprovedBy::Person | ApprovedBy::Draft) => ruling,
    }
}

/// Who approved a revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApprovedBy {
    /// A person.
    Person,
    /// Draft itself.
    Draft,
}

fn rule(basis: &Basis, examined: &Examined, more: impl FnOnce(&mut Vec<Objection>, &Dossier)) -> Ruling {
    let found = match examined {
        Ok(found) => found,
        Err(why) => {
            let why = format!("its change could not be looked at: {why}");
            return Ruling::Refused(vec![Objection::new(Rail::Unread, Action::Block, why)]);
        }
    };
    let mut objections = Vec::new();
    if (found.revision, &found.tree) != (basis.revision.number, &basis.revision.tree) {
        let why = format!("what was looked at is not revision {}", basis.revision.number);
        objections.push(Objection::new(Rail::Unread, Action::Block, why));
    }
    if found.trust == Trust::Missing {
        let why = "this repository's settings are not trusted";
        objections.push(Objection::new(Rail::Trust, Action::Block, why));
    }
    let passed = gates::tests(found, &mut objections);
    gates::custom(found, &mut objections);
    forms(found, &mut objections);
    lines(found, &mut objections);
    gates::judge(found, &basis.money, &mut objections);
    said(basis, &mut objections);
    more(&mut objections, found);
    let (alerts, mut refused): (Vec<_>, Vec<_>) =
        objections.into_iter().partition(|objection| objection.action == Action::Alert);
    if refused.is_empty() {
        return Ruling::Granted { proof: proof(found, passed), alerts };
    }
    // What a person must do comes before what only waits for their yes.
    refused.sort_by_key(|objection| objection.action != Action::Block);
    Ruling::Refused(refused)
}

fn proof(found: &Dossier, passed: usize) -> String {
    let checks = match passed {
        0 => String::new(),
        1 => "its check passed; ".to_owned(),
        more => format!("all {more} checks passed; "),
    };
    let count = found.files.len();
    let (added, removed) = gates::size(&found.files);
    format!("{checks}+{added} −{removed} in {count} file{}", if count == 1 { "" } else { "s" })
}

/// A person looks at what lines do not show.
fn forms(found: &Dossier, objections: &mut Vec<Objection>) {
    if found.files.is_empty() {
        objections.push(Objection::new(Rail::Unread, Action::Block, "its change names no file"));
    }
    for file in &found.files {
        if let Some(what) = file.needs_eyes() {
            objections.push(Objection::new(Rail::Form, Action::Pause, format!("`{}` {what}", file.path)));
        }
    }
}

fn lines(found: &Dossier, objections: &mut Vec<Objection>) {
    let most = u64::from(found.policy.max_diff_lines);
    let (added, removed) = gates::size(&found.files);
    if added + removed > most {
        let why = format!("{} lines, and at most {most} are approved without you", added + removed);
        let action = found.policy.actions.size.unwrap_or(Action::Pause);
        objections.push(Objection::new(Rail::DiffSize, action, why));
    }
}

fn said(basis: &Basis, objections: &mut Vec<Objection>) {
    if basis.open_comments > 0 {
        let noun = if basis.open_comments == 1 { "comment is" } else { "comments are" };
        let why = format!("{} {noun} not resolved", basis.open_comments);
        objections.push(Objection::new(Rail::Said, Action::Pause, why));
    }
    if basis.message_waits {
        objections.push(Objection::new(Rail::Said, Action::Pause, "a message waits for its agent"));
    }
}

/// Only a person ticks the boxes, so an automatic landing waits for them too.
fn checklist(basis: &Basis, found: &Dossier, objections: &mut Vec<Objection>) {
    if !found.policy.require_checklist {
        return;
    }
    let tests = Tests::of(&found.commands, &found.checked, &found.tree);
    let list = Checklist::with(&basis.revision, basis.money, None, tests);
    objections.extend(list.open().into_iter().map(|why| Objection::new(Rail::Checklist, Action::Block, why)));
}

/// Returns objections in one line: the first, and how many there are beside it.
pub fn in_short(objections: &[Objection]) -> String {
    match objections {
        [] => String::new(),
        [only] => only.to_string(),
        [first, rest @ ..] => {
            let noun = if rest.len() == 1 { "reason" } else { "reasons" };
            format!("{first}, and {} more {noun}", rest.len())
        }
    }
}

/// Returns why a ticket waits for a person although its goal lets things happen.
pub fn waits_because(ticket: &Ticket) -> Option<&str> {
    ticket.reason.split_once(WAITS).map(|(_, why)| why)
}

/// Returns the reason of a ticket without what somebody said of it that no longer holds, and with why it waits.
pub fn with_wait(reason: &str, objections: &[Objection]) -> String {
    let before = reason.split(WAITS).next().unwrap_or_default().trim_end_matches([' ', ';']);
    let waits = format!("{WAITS}{}", in_short(objections));
    if before.is_empty() { waits } else { format!("{before}; {waits}") }
}

#[cfg(test)]
mod tests;
