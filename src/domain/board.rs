//! The board in memory: every ticket, and of the rest what rules and cards need.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::change::{Change, Live};
use super::dependencies::{self, Readiness};
use super::goal::Goal;
use super::id::{BoardId, GoalId, JobId, TicketId, TicketNumber, TicketRef};
use super::job::{Job, JobKind};
use super::revision::Revision;
use super::run::Run;
use super::state::{NeedsHuman, State, StateName};
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
    tickets: HashMap<TicketId, Ticket>,
    numbers: BTreeMap<TicketNumber, TicketId>,
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
    live: HashMap<JobId, Live>,
}

/// How many checks of the newest verify job passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Checks {
    /// Passed so far.
    pub passed: u32,
    /// In all.
    pub total: u32,
}

impl Board {
    /// Returns a board with nothing on it.
    pub fn new(about: About) -> Self {
        Self {
            about,
            goals: HashMap::new(),
            tickets: HashMap::new(),
            numbers: BTreeMap::new(),
            jobs: HashMap::new(),
            job_tickets: HashMap::new(),
            active: BTreeSet::new(),
            runs: HashMap::new(),
            revisions: HashMap::new(),
            live: HashMap::new(),
        }
    }

    /// Takes over what became true. Applying a change twice does nothing more; an older job or revision never hides a
    /// newer one.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Goal(goal) => {
                self.goals.insert(goal.id, goal.clone());
            }
            Change::Ticket(ticket) => {
                self.numbers.insert(ticket.number, ticket.id);
                self.tickets.insert(ticket.id, ticket.clone());
            }
            Change::Job(job) => self.apply_job(job),
            Change::Run(run) => {
                if self.job_tickets.contains_key(&run.id.job) {
                    self.runs.entry(run.id.job).or_default().insert(run.id.n, run.clone());
                }
            }
            Change::Revision(revision) => {
                let newest = self.revisions.get(&revision.ticket).map_or(0, |known| known.number);
                if revision.number >= newest {
                    self.revisions.insert(revision.ticket, revision.clone());
                }
            }
            Change::Live { job, live } => {
                if self.active.contains(job) {
                    self.live.insert(*job, live.clone());
                }
            }
            Change::Evidence(_) | Change::Event(_) => {}
        }
    }

    fn apply_job(&mut self, job: &Job) {
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
        self.jobs.insert(job.ticket, job.clone());
    }

    /// Returns every ticket, by number.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.numbers.values().filter_map(|id| self.tickets.get(id))
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
        self.tickets.get(&id)
    }

    /// Returns the ticket that somebody names.
    pub fn find(&self, name: TicketRef) -> Option<&Ticket> {
        match name {
            TicketRef::Id(id) => self.tickets.get(&id),
            TicketRef::Number(number) => self.numbers.get(&number).and_then(|id| self.tickets.get(id)),
        }
    }

    /// Returns the number that the next new ticket gets.
    pub fn next_number(&self) -> TicketNumber {
        TicketNumber(self.numbers.last_key_value().map_or(0, |(number, _)| number.0) + 1)
    }

    /// Returns a goal.
    pub fn goal(&self, id: GoalId) -> Option<&Goal> {
        self.goals.get(&id)
    }

    /// Returns all goals, oldest first.
    pub fn goals(&self) -> Vec<&Goal> {
        let mut goals: Vec<&Goal> = self.goals.values().collect();
        goals.sort_by_key(|goal| (goal.created_at, goal.id));
        goals
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

    /// Returns what a running job does right now.
    pub fn live(&self, job: JobId) -> Option<&Live> {
        self.live.get(&job)
    }

    /// Returns how many checks passed, when the newest job is a verify job that has any.
    pub fn checks(&self, ticket: TicketId) -> Option<Checks> {
        let job = self.newest_job(ticket).filter(|job| job.kind == JobKind::Verify)?;
        let total = job.steps.filter(|steps| *steps > 0)?;
        let passed =
            self.runs(job.id).filter(|run| run.end.as_ref().is_some_and(super::run::RunEnd::is_success)).count();
        Some(Checks { passed: u32::try_from(passed).unwrap_or(u32::MAX).min(total), total })
    }

    /// Says whether the ticket may run, or what it waits for.
    pub fn readiness(&self, ticket: &Ticket) -> Readiness {
        dependencies::readiness(ticket, |id| self.ticket(id))
    }

    /// Says whether a person must act on the ticket.
    pub fn needs_you(&self, ticket: &Ticket) -> bool {
        match ticket.state {
            State::NeedsHuman { why } => match why {
                NeedsHuman::Review
                | NeedsHuman::Question
                | NeedsHuman::Handover
                | NeedsHuman::Landing
                | NeedsHuman::Conflict
                | NeedsHuman::Refused => self.active_job(ticket.id).is_none(),
                NeedsHuman::Approved => false,
            },
            State::Blocked { .. } => self.active_job(ticket.id).is_none(),
            State::Planned => matches!(self.readiness(ticket), Readiness::Dead(_)),
            State::Proposed | State::Executing { .. } | State::Verifying { .. } | State::Done | State::Abandoned => {
                false
            }
        }
    }

    /// Returns the tickets of a column in the order in which people see them: priority, hand order, age.
    pub fn column(&self, state: StateName) -> Vec<&Ticket> {
        let mut column: Vec<&Ticket> = self.tickets.values().filter(|ticket| ticket.state.name() == state).collect();
        column.sort_by_key(|ticket| order(ticket));
        column
    }
}

/// Returns what orders tickets: the more urgent first, then by hand, then the older first.
pub fn order(ticket: &Ticket) -> impl Ord + use<> {
    let priority = std::cmp::Reverse(ticket.priority);
    (priority, ticket.hand_order.is_none(), ticket.hand_order, ticket.number)
}
