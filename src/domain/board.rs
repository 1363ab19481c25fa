//! The board in memory: every ticket, and of the rest what rules and cards need.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::autonomy::SERVICE;
use super::autopilot::Autopilot;
use super::change::{Change, Live, Save};
use super::dependencies::{self, Readiness};
use super::event::Actor;
use super::goal::Goal;
use super::id::{BoardId, CommentId, GoalId, JobId, TicketId, TicketNumber, TicketRef};
use super::job::{Checks, Job, JobKind};
use super::review::{Comment, Review};
use super::revision::Revision;
use super::run::{Run, RunKind};
use super::state::{State, StateName};
use super::ticket::Ticket;
use super::time::Timestamp;

/// What a board is: one project bound to one repository.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// Its identity.
    pub id: BoardId,
    /// Its name.
    pub name: String,
    /// The repository's folder.
    pub repo_root: PathBuf,
    /// The branch from which tickets start and on which they are to land.
    pub base_branch: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The board in memory. It is rebuilt from the store and kept up to date by applying changes.
#[derive(Clone, PartialEq, Debug)]
pub struct Board {
    /// What the board is.
    pub about: About,
    goals: HashMap<GoalId, Goal>,
    /// The goals that were removed and can come back.
    removed_goals: HashMap<GoalId, Goal>,
    /// Each by itself and shared by copies of the board: a table of them would take twice the memory while it grows, and a
    /// large board is copied for the screen.
    tickets: HashMap<TicketId, Arc<Ticket>>,
    numbers: BTreeMap<TicketNumber, TicketId>,
    /// The tickets that were removed and can come back. Their numbers are never given again.
    removed: BTreeMap<TicketNumber, Ticket>,
    /// The newest job of each ticket, and with it every active one: a ticket has at most one.
    jobs: HashMap<TicketId, Job>,
    /// Whose newest job it is.
    job_tickets: HashMap<JobId, TicketId>,
    /// The jobs that are queued or running.
    active: BTreeSet<JobId>,
    /// The runs of those jobs, by number.
    runs: HashMap<JobId, BTreeMap<u32, Run>>,
    /// The newest revision of each ticket.
    revisions: HashMap<TicketId, Revision>,
    /// The comments on the changes of each ticket.
    comments: HashMap<TicketId, BTreeMap<CommentId, Comment>>,
    live: HashMap<JobId, Live>,
    /// When revisions were approved without a person, by ticket and number.
    auto_approvals: BTreeMap<(TicketId, u32), Timestamp>,
    /// What somebody said about the autopilot; nothing while nobody did.
    autopilot: Option<Autopilot>,
}

impl Board {
    /// Returns a board with nothing on it.
    pub fn new(about: About) -> Self {
        Self {
            about,
            goals: HashMap::new(),
            removed_goals: HashMap::new(),
            tickets: HashMap::new(),
            numbers: BTreeMap::new(),
            removed: BTreeMap::new(),
            jobs: HashMap::new(),
            job_tickets: HashMap::new(),
            active: BTreeSet::new(),
            runs: HashMap::new(),
            revisions: HashMap::new(),
            comments: HashMap::new(),
            live: HashMap::new(),
            auto_approvals: BTreeMap::new(),
            autopilot: None,
        }
    }

    /// Takes over what became true. Applying a change twice does nothing more; an older job or revision never hides a
    /// newer one.
    pub fn apply(&mut self, change: &Change) {
        match change {
            // The board keeps none of them, so they need not be copied.
            Change::Evidence(_) | Change::Event(_) => {}
            Change::Review(review) => self.take_review(review),
            Change::Goal(_)
            | Change::Ticket(_)
            | Change::Job(_)
            | Change::Run(_)
            | Change::Revision(_)
            | Change::Comment(_)
            | Change::Live { .. }
            | Change::Autopilot(_) => self.take(change.clone()),
        }
    }

    /// Takes over what became true as [`Board::apply`] does, where nobody else needs it: a large board is loaded like this.
    pub fn take(&mut self, change: Change) {
        match change {
            Change::Goal(goal) if goal.removed_at.is_some() => {
                self.goals.remove(&goal.id);
                self.removed_goals.insert(goal.id, goal);
            }
            Change::Goal(goal) => {
                self.removed_goals.remove(&goal.id);
                self.goals.insert(goal.id, goal);
            }
            Change::Ticket(ticket) if ticket.removed_at.is_some() => {
                self.numbers.remove(&ticket.number);
                self.tickets.remove(&ticket.id);
                self.removed.insert(ticket.number, ticket);
            }
            Change::Ticket(ticket) => {
                self.removed.remove(&ticket.number);
                self.numbers.insert(ticket.number, ticket.id);
                self.tickets.insert(ticket.id, Arc::new(ticket));
            }
            Change::Job(job) => self.take_job(job),
            Change::Run(run) => {
                if self.job_tickets.contains_key(&run.id.job) {
                    self.runs.entry(run.id.job).or_default().insert(run.id.n, run);
                }
            }
            Change::Revision(revision) => {
                let newest = self.revisions.get(&revision.ticket).map_or(0, |known| known.number);
                if revision.number >= newest {
                    self.revisions.insert(revision.ticket, revision);
                }
            }
            Change::Live { job, live } => {
                if self.active.contains(&job) {
                    self.live.insert(job, live);
                }
            }
            Change::Autopilot(mode) => self.autopilot = Some(mode),
            Change::Comment(comment) => {
                self.comments.entry(comment.ticket).or_default().insert(comment.id, comment);
            }
            Change::Review(review) => self.take_review(&review),
            Change::Evidence(_) | Change::Event(_) => {}
        }
    }

    /// Of reviews, the board keeps when Draft itself approved something: how often that may be is limited.
    fn take_review(&mut self, review: &Review) {
        if review.author == Actor::system(SERVICE) {
            self.auto_approvals.insert((review.ticket, review.revision), review.at);
        }
    }

    /// Takes over what a decision saves before it is saved, for the decisions that come after it.
    pub fn foresee(&mut self, save: &Save) {
        self.take(match save.clone() {
            Save::Goal(goal) => Change::Goal(goal),
            Save::NewTicket { ticket, .. } | Save::Ticket { ticket, .. } => Change::Ticket(ticket),
            Save::Job { job, .. } => Change::Job(job),
            Save::Run(run) => Change::Run(run),
            Save::Revision(revision) | Save::Ticks(revision) => Change::Revision(revision),
            Save::Autopilot(_, mode) => Change::Autopilot(mode),
            Save::Comment(comment) => Change::Comment(comment),
            Save::Review(review) => Change::Review(review),
            Save::Description { .. } | Save::Remarks(_) | Save::Evidence(_) | Save::Event(_) => return,
        });
    }

    fn take_job(&mut self, job: Job) {
        match self.jobs.get(&job.ticket) {
            Some(known) if known.id != job.id => {
                let newer = (job.queued_at, job.id) > (known.queued_at, known.id);
                if !newer {
                    return;
                }
                self.runs.remove(&known.id);
                self.live.remove(&known.id);
                self.active.remove(&known.id);
                self.job_tickets.remove(&known.id);
            }
            Some(_) | None => {}
        }
        if job.status.is_active() {
            self.active.insert(job.id);
        } else {
            self.active.remove(&job.id);
            self.live.remove(&job.id);
        }
        self.job_tickets.insert(job.id, job.ticket);
        self.jobs.insert(job.ticket, job);
    }

    /// Returns every ticket, by number.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.numbers.values().filter_map(|id| self.ticket(*id))
    }

    /// Returns how many tickets there are.
    pub fn len(&self) -> usize {
        self.tickets.len()
    }

    /// Says whether there is no ticket.
    pub fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    /// Returns a ticket.
    pub fn ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.tickets.get(&id).map(Arc::as_ref)
    }

    /// Returns the ticket that somebody names.
    pub fn find(&self, name: TicketRef) -> Option<&Ticket> {
        match name {
            TicketRef::Id(id) => self.ticket(id),
            TicketRef::Number(number) => self.numbers.get(&number).and_then(|id| self.ticket(*id)),
        }
    }

    /// Returns the tickets that were removed, by number.
    pub fn removed(&self) -> impl Iterator<Item = &Ticket> {
        self.removed.values()
    }

    /// Returns the removed ticket that somebody names.
    pub fn find_removed(&self, name: TicketRef) -> Option<&Ticket> {
        match name {
            TicketRef::Id(id) => self.removed().find(|ticket| ticket.id == id),
            TicketRef::Number(number) => self.removed.get(&number),
        }
    }

    /// Returns the number that the next new ticket gets.
    pub fn next_number(&self) -> TicketNumber {
        let last = self.numbers.last_key_value().map(|(number, _)| number.0);
        let removed = self.removed.last_key_value().map(|(number, _)| number.0);
        TicketNumber(last.max(removed).unwrap_or(0) + 1)
    }

    /// Returns a goal.
    pub fn goal(&self, id: GoalId) -> Option<&Goal> {
        self.goals.get(&id)
    }

    /// Returns all goals, oldest first.
    pub fn goals(&self) -> Vec<&Goal> {
        by_age(self.goals.values())
    }

    /// Returns a goal that was removed.
    pub fn removed_goal(&self, id: GoalId) -> Option<&Goal> {
        self.removed_goals.get(&id)
    }

    /// Returns the goals that were removed, oldest first.
    pub fn removed_goals(&self) -> Vec<&Goal> {
        by_age(self.removed_goals.values())
    }

    /// Returns the goal that a ticket serves; one that was removed is none.
    pub fn goal_of(&self, ticket: &Ticket) -> Option<&Goal> {
        ticket.goal.and_then(|id| self.goal(id))
    }

    /// Returns the newest job of a ticket.
    pub fn newest_job(&self, ticket: TicketId) -> Option<&Job> {
        self.jobs.get(&ticket)
    }

    /// Returns the job of a ticket that is queued or running.
    pub fn active_job(&self, ticket: TicketId) -> Option<&Job> {
        self.newest_job(ticket).filter(|job| job.status.is_active())
    }

    /// Returns a job that is the newest of its ticket.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.job_tickets.get(&id).and_then(|ticket| self.jobs.get(ticket))
    }

    /// Returns the jobs that are queued or running, oldest first.
    pub fn active_jobs(&self) -> impl Iterator<Item = &Job> {
        self.active.iter().filter_map(|id| self.job(*id))
    }

    /// Returns the runs of a job, by number.
    pub fn runs(&self, job: JobId) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.get(&job).into_iter().flat_map(BTreeMap::values)
    }

    /// Returns the newest revision of a ticket.
    pub fn revision(&self, ticket: TicketId) -> Option<&Revision> {
        self.revisions.get(&ticket)
    }

    /// Returns a comment on a ticket's change.
    pub fn comment(&self, ticket: TicketId, id: CommentId) -> Option<&Comment> {
        self.comments.get(&ticket)?.get(&id)
    }

    /// Returns the comments on a ticket's changes, oldest first.
    pub fn comments(&self, ticket: TicketId) -> impl Iterator<Item = &Comment> {
        self.comments.get(&ticket).into_iter().flat_map(BTreeMap::values)
    }

    /// Returns the comments about which something is still to be done.
    pub fn open_comments(&self, ticket: TicketId) -> impl Iterator<Item = &Comment> {
        self.comments(ticket).filter(|comment| comment.is_open())
    }

    /// Returns how many revisions were approved without a person since then.
    pub fn auto_approvals_since(&self, since: Timestamp) -> u32 {
        let count = self.auto_approvals.values().filter(|at| **at >= since).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Says whether a revision was approved without a person.
    pub fn is_auto_approved(&self, ticket: TicketId, revision: u32) -> bool {
        self.auto_approvals.contains_key(&(ticket, revision))
    }

    /// Returns what a running job does right now.
    pub fn live(&self, job: JobId) -> Option<&Live> {
        self.live.get(&job)
    }

    /// Returns what somebody said about the autopilot; nothing while nobody did, and the settings decide.
    pub fn autopilot(&self) -> Option<Autopilot> {
        self.autopilot
    }

    /// Returns how many checks of the newest revision passed, in the newest verify job that has any.
    pub fn checks(&self, ticket: TicketId) -> Option<Checks> {
        let job = self.newest_job(ticket)?;
        if job.kind != JobKind::Verify {
            return job.checked;
        }
        let total = job.steps.filter(|steps| *steps > 0)?;
        let checks = self.runs(job.id).filter(|run| run.kind == RunKind::Check);
        let passed = checks.filter(|run| run.end.as_ref().is_some_and(super::run::RunEnd::is_success)).count();
        Some(Checks { passed: u32::try_from(passed).unwrap_or(u32::MAX).min(total), total })
    }

    /// Says whether the ticket may run, or what it waits for.
    pub fn readiness(&self, ticket: &Ticket) -> Readiness {
        dependencies::readiness(ticket, |id| self.ticket(id))
    }

    /// Says whether a person must act on the ticket.
    pub fn needs_you(&self, ticket: &Ticket) -> bool {
        if ticket.state.asks_for_a_person() {
            return self.active_job(ticket.id).is_none();
        }
        ticket.state == State::Planned && matches!(self.readiness(ticket), Readiness::Dead(_))
    }

    /// Returns the tickets of a column in the order in which people see them: priority, hand order, age.
    pub fn column(&self, state: StateName) -> Vec<&Ticket> {
        let mut column: Vec<&Ticket> = self.tickets().filter(|ticket| ticket.state.name() == state).collect();
        column.sort_by_key(|ticket| order(ticket));
        column
    }
}

fn by_age<'a>(goals: impl Iterator<Item = &'a Goal>) -> Vec<&'a Goal> {
    let mut goals: Vec<&Goal> = goals.collect();
    goals.sort_by_key(|goal| (goal.created_at, goal.id));
    goals
}

/// Returns what orders tickets: the more urgent first, then by hand, then the older first.
pub fn order(ticket: &Ticket) -> impl Ord + use<> {
    let priority = std::cmp::Reverse(ticket.priority);
    (priority, ticket.hand_order.is_none(), ticket.hand_order, ticket.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::JobStatus;
    use crate::domain::run::{RunEnd, RunId};
    use crate::domain::sample;
    use crate::domain::state::{Blocked, NeedsHuman};
    use crate::domain::ticket::{Priority, Usage};

    fn check(job: JobId, n: u32, end: Option<RunEnd>) -> Change {
        Change::Run(Run {
            id: RunId { job, n },
            kind: RunKind::Check,
            command: "make test".into(),
            started_at: Timestamp(0),
            finished_at: end.as_ref().map(|_| Timestamp(1)),
            end,
        })
    }

    #[test]
    fn an_older_job_never_hides_a_newer_one() {
        let mut board = sample::board_of(&[State::Planned]);
        let (old, new) = (sample::job(1, JobKind::Execute, 1), sample::job(1, JobKind::Verify, 2));
        board.apply(&Change::Job(new.clone()));
        board.apply(&Change::Job(old.clone()));
        assert_eq!(board.active_job(sample::id(1)), Some(&new));
        assert_eq!(board.job(old.id), None);
        assert_eq!(board.active_jobs().collect::<Vec<_>>(), [&new]);
    }

    #[test]
    fn a_newer_job_takes_the_place_of_the_older_one_and_of_all_that_belongs_to_it() {
        let mut board = sample::board_of(&[State::Planned]);
        let (old, new) = (sample::job(1, JobKind::Execute, 1), sample::job(1, JobKind::Verify, 2));
        board.apply(&Change::Job(old.clone()));
        board.apply(&check(old.id, 1, None));
        board.apply(&Change::Live { job: old.id, live: Live::default() });
        board.apply(&Change::Job(new.clone()));
        assert_eq!(board.newest_job(sample::id(1)), Some(&new));
        assert_eq!((board.job(old.id), board.live(old.id), board.runs(old.id).count()), (None, None, 0));
        board.apply(&check(old.id, 1, None));
        assert_eq!(board.runs(old.id).count(), 0, "a late row of it is not kept");
    }

    #[test]
    fn what_a_job_does_right_now_ends_with_it() {
        let mut board = sample::board_of(&[State::Planned]);
        let job = sample::job(1, JobKind::Execute, 1);
        let live = Live { usage: Usage::default(), retrying: None, output_bytes: 7 };
        board.apply(&Change::Job(job.clone()));
        board.apply(&Change::Live { job: job.id, live: live.clone() });
        assert_eq!(board.live(job.id), Some(&live));
        board.apply(&Change::Job(Job { status: JobStatus::Failed, ..job.clone() }));
        assert_eq!((board.live(job.id), board.active_job(sample::id(1))), (None, None));
        board.apply(&Change::Live { job: job.id, live });
        assert_eq!(board.live(job.id), None, "news that comes late is dropped");
    }

    #[test]
    fn checks_are_counted_for_a_verify_job_whose_number_is_known() {
        let mut board = sample::board_of(&[State::Planned]);
        let job = sample::job(1, JobKind::Verify, 1);
        board.apply(&Change::Job(job.clone()));
        assert_eq!(board.checks(sample::id(1)), None, "nobody counted them yet");
        board.apply(&Change::Job(Job { steps: Some(0), ..job.clone() }));
        assert_eq!(board.checks(sample::id(1)), None, "there are none");
        board.apply(&Change::Job(Job { steps: Some(3), ..job.clone() }));
        board.apply(&check(job.id, 1, Some(RunEnd::Exited { code: 0 })));
        board.apply(&check(job.id, 2, Some(RunEnd::Exited { code: 1 })));
        board.apply(&check(job.id, 3, None));
        assert_eq!(board.checks(sample::id(1)), Some(Checks { passed: 1, total: 3 }));
        let Change::Run(run) = check(job.id, 4, Some(RunEnd::Exited { code: 0 })) else { unreachable!("it is a run") };
        board.apply(&Change::Run(Run { kind: RunKind::Cleanup, ..run }));
        assert_eq!(board.checks(sample::id(1)).map(|checks| checks.passed), Some(1), "cleaning up proves nothing");
    }

    #[test]
    fn an_older_revision_never_hides_a_newer_one() {
        let mut board = sample::board_of(&[State::Planned]);
        let revision = |number| sample::revision(1, number);
        for number in [1, 3, 2] {
            board.apply(&Change::Revision(revision(number)));
        }
        assert_eq!(board.revision(sample::id(1)), Some(&revision(3)));
    }

    #[test]
    fn a_column_is_ordered_by_priority_then_by_hand_then_by_age() {
        let mut board = sample::board();
        let urgent = Some(Priority::try_from(80).unwrap());
        for ticket in [
            sample::ticket(1),
            Ticket { hand_order: Some(9), ..sample::ticket(2) },
            Ticket { hand_order: Some(-1), ..sample::ticket(3) },
            Ticket { priority: urgent, ..sample::ticket(4) },
            Ticket { state: State::Done, ..sample::ticket(5) },
        ] {
            board.apply(&Change::Ticket(ticket));
        }
        let numbers: Vec<u32> = board.column(StateName::Planned).iter().map(|ticket| ticket.number.0).collect();
        assert_eq!(numbers, [4, 3, 2, 1]);
        assert_eq!(board.next_number(), TicketNumber(6));
    }

    #[test]
    fn a_person_is_needed_where_nothing_goes_on_by_itself() {
        let blocked = State::Blocked { why: Blocked::Failed };
        let mut board = sample::board_of(&[blocked, State::Abandoned, State::Planned]);
        let needed = |board: &Board, number| board.ticket(sample::id(number)).map(|ticket| board.needs_you(ticket));
        assert_eq!([1, 2, 3].map(|number| needed(&board, number)), [Some(true), Some(false), Some(false)]);
        for why in NeedsHuman::ALL {
            board.apply(&Change::Ticket(Ticket { state: State::NeedsHuman { why: *why }, ..sample::ticket(4) }));
            assert_eq!(needed(&board, 4), Some(*why != NeedsHuman::Approved), "{why}");
        }
        board.apply(&Change::Job(sample::job(1, JobKind::Execute, 1)));
        assert_eq!(needed(&board, 1), Some(false), "it was asked to run again");
        board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(2)], ..sample::ticket(3) }));
        assert_eq!(needed(&board, 3), Some(true), "it waits for an abandoned ticket");
    }
}
