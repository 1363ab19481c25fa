//! `draft run`: the engine without the board, with a line for each step.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::app::{AppError, Door, Watcher};
use crate::config::trust::trust_content;
use crate::domain::autonomy::{WAITS, is_due};
use crate::domain::autopilot::{Autopilot, Choice, choose, may_start};
use crate::domain::board::Board;
use crate::domain::command::{AgentChoice, Command, RefusalCode, Refused};
use crate::domain::dependencies::Readiness;
use crate::domain::event::Actor;
use crate::domain::id::{JobId, TicketId, TicketRef};
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::policy::Policy;
use crate::domain::rule::{Input, Known, Trust, What, decide};
use crate::domain::state::{State, StateName};
use crate::domain::ticket::Ticket;
use crate::engine::{AskError, Working, Workshop};
use crate::executor::row::Executor;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, filed, session};

mod progress;
mod signals;

/// How long the autopilot may take to pick something before it is asked why it does not.
const STUCK: Duration = Duration::from_secs(1);

/// What agents may do, where nobody said it; the board would ask.
const NOBODY_SAID: &str = "agents may edit files in their worktrees and do little else here; what they are refused is said. \
                           `draft config set --on-board execute_config.yolo_mode false` keeps it like that, and \
                           docs/agents.md tells how to allow more";

use signals::{Heard, Signals};

pub(super) use progress::{Manner, Progress, Report, is_fine};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Tickets by number or UUID [default: every planned one]
    ids: Vec<String>,
    /// When to stop
    #[arg(long, value_enum, default_value_t = Until::Idle, value_name = "WHEN")]
    until: Until,
    /// How many jobs run at once [default: `execute_config.max_parallel_jobs`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_parallel: Option<u32>,
    /// Turn the autopilot on until nothing is planned that may run: also tickets that are planned or become free meanwhile run
    #[arg(long, conflicts_with = "ids")]
    autopilot: bool,
    /// The agent that is to do it this time, whatever the tickets say
    #[arg(long, value_name = "NAME", conflicts_with = "autopilot")]
    agent: Option<String>,
    /// The profile that is to do it this time: an agent with settings of its own, from `executor_profiles`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["agent", "autopilot"])]
    profile: Option<String>,
    /// The model that the agent is to use this time
    #[arg(long, value_name = "NAME", conflicts_with = "autopilot", value_parser = filed::model)]
    model: Option<String>,
    /// Trust what the repository's draft.yaml would run, in its present form
    #[arg(long)]
    trust: bool,
}

/// When a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Until {
    /// When nothing is queued or running.
    Idle,
}

/// What a run is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// These tickets, none named means every planned one; and who is to do them this time.
    Tickets(Vec<TicketRef>, AgentChoice),
    /// Whatever the autopilot picks.
    Autopilot,
}

pub(super) fn run(global: &Global, args: &RunArgs, out: &mut Out) -> Result<Exit, CliError> {
    let Until::Idle = args.until;
    let mut options = session::options(global);
    options.max_parallel = args.max_parallel;
    let opened = session::opened_with(global, &options)?;
    let wanted = if args.autopilot {
        Wanted::Autopilot
    } else {
        let names = args.ids.iter().map(|id| session::ticket_ref(id)).collect::<Result<_, _>>()?;
        Wanted::Tickets(names, choice(args, &opened.workshop)?)
    };
    let report = Report::of(&opened.workshop, global.json, global.quiet);
    let content = if args.trust { trust_content(&*opened.workshop.settings()?) } else { None };
    let means = Means::of(&opened.workshop);
    if std::io::stderr().is_terminal() && !global.json && !global.quiet && is_unsaid(&opened.workshop) {
        session::say(NOBODY_SAID);
    }
    // Said before the autopilot is on: it would only write into each ticket that it may not run.
    if args.autopilot && !args.trust && opened.workshop.trust()? == Trust::Missing {
        return Err(Refused::not_trusted().into());
    }
    let work = async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let done = async {
            if let Some(content) = content {
                door.trust(content).await?;
            }
            run_wanted(&mut door, wanted, means, report, out).await
        }
        .await;
        door.close().await?;
        done
    };
    session::runtime()?.block_on(work)
}

/// What a run goes by beside the board.
pub(super) struct Means {
    /// How many jobs run at once.
    slots: usize,
    /// What may happen without a person; nothing where the settings cannot be read.
    policy: Option<Policy>,
}

impl Means {
    pub(super) fn of(workshop: &Workshop) -> Self {
        let settings = workshop.settings().ok();
        Self {
            slots: workshop.slots(),
            policy: settings.map(|loaded| loaded.config.autonomy_config.policy(&loaded.config.merge_config)),
        }
    }
}

/// Says whether the preferred agent may do less than it could, and nobody said so.
fn is_unsaid(workshop: &Workshop) -> bool {
    let Ok(loaded) = workshop.settings() else { return false };
    let execute = &loaded.config.execute_config;
    let differs = |executor: &Executor| !executor.is_held_by_nothing();
    workshop.known_agents().find(&execute.preferred_executor).is_ok_and(differs)
        && !execute.yolo_mode
        && workshop.is_leave_open(&loaded)
}

/// Returns who is to do the tickets this time; a name that nobody has is refused before anything is asked for.
fn choice(args: &RunArgs, workshop: &Workshop) -> Result<AgentChoice, CliError> {
    let agent = args.agent.as_ref().or(args.profile.as_ref());
    filed::known_agent(workshop, agent.map(String::as_str))?;
    Ok(AgentChoice { agent: agent.cloned(), model: args.model.clone() })
}

/// Does what is wanted and waits until nothing is queued or running. Jobs are worked on once nothing was refused: whoever is
/// refused leaves none behind that nobody goes on with.
pub(super) async fn run_wanted(
    door: &mut Door,
    wanted: Wanted,
    means: Means,
    report: Report,
    out: &mut Out,
) -> Result<Exit, CliError> {
    let signals = Signals::listen(wanted == Wanted::Autopilot)?;
    let (board, watcher) = door.watch().await?;
    let mode = board.autopilot();
    let tickets = match &wanted {
        Wanted::Tickets(names, _) => tickets(&board, names)?,
        Wanted::Autopilot => Vec::new(),
    };
    let progress = Progress::new(board, report, tickets.iter().copied(), out);
    let mut run = Running {
        progress,
        wanted,
        asked: tickets.iter().copied().collect(),
        means,
        refused: BTreeSet::new(),
        interrupted: Interrupted::Never,
        is_engine: door.is_engine(),
    };
    let is_named = matches!(&run.wanted, Wanted::Tickets(names, _) if !names.is_empty());
    let asked = if is_named { Asked::ByName } else { Asked::AsPlanned };
    for ticket in tickets {
        run.ask(door, ticket, asked).await?;
    }
    if run.wanted == Wanted::Autopilot && mode != Some(Autopilot::On) {
        door.ask(Command::SetAutopilot(Autopilot::On)).await?;
    }
    door.work(Working::Jobs).await?;
    let watched = run.watch(door, watcher, signals).await;
    if run.wanted == Wanted::Autopilot {
        run.turn_off(door, mode.unwrap_or(report.configured)).await?;
    }
    watched?;
    run.tell_what_waits()?;
    run.progress.idle()
}

/// Returns the tickets that are to run. One that was named and may not run is refused before anything starts; none named
/// means every planned one.
fn tickets(board: &Board, names: &[TicketRef]) -> Result<Vec<TicketId>, CliError> {
    if names.is_empty() {
        return Ok(board.column(StateName::Planned).into_iter().map(|ticket| ticket.id).collect());
    }
    names.iter().map(|name| may_run(board, *name)).collect()
}

/// Asks the rules beforehand. Whether the commands are trusted is for the engine to look up, and concerns all tickets.
fn may_run(board: &Board, name: TicketRef) -> Result<TicketId, CliError> {
    let ticket = session::find(board, &name.to_string())?;
    if board.active_job(ticket.id).is_none() {
        let input = Input {
            at: chrono::Utc::now().into(),
            actor: Actor::human(),
            fresh: JobId(uuid::Uuid::now_v7()),
            known: Known::only(Trust::Given),
            what: What::Command(Command::Run { ticket: name, choice: AgentChoice::default() }),
        };
        decide(board, &input)?;
    }
    Ok(ticket.id)
}

/// Why a ticket is to run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Somebody named it, so it runs from any state from which it may.
    ByName,
    /// It is planned, as long as it is.
    AsPlanned,
}

/// Says whether another process asked for the same before: then its job is waited for, or was over already.
fn was_faster(refused: &Refused, asked: Asked) -> bool {
    refused.code == RefusalCode::Busy || asked == Asked::AsPlanned && refused.code == RefusalCode::IllegalMove
}

/// A run that is under way.
struct Running<'a> {
    progress: Progress<'a>,
    wanted: Wanted,
    /// The tickets that were asked for.
    asked: BTreeSet<TicketId>,
    means: Means,
    /// Tickets that the autopilot may not run.
    refused: BTreeSet<TicketId>,
    interrupted: Interrupted,
    /// This process runs the jobs, and not another one.
    is_engine: bool,
}

/// How often the person asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Interrupted {
    Never,
    /// What runs may end; nothing more starts.
    Once,
    /// What runs was told to stop.
    Twice,
}

impl Running<'_> {
    /// Asks for a ticket to run. One that waits for another is told and left alone.
    async fn ask(&mut self, door: &mut Door, id: TicketId, asked: Asked) -> Result<(), CliError> {
        let board = &self.progress.board;
        let Some(ticket) = board.ticket(id) else { return Ok(()) };
        if board.active_job(id).is_some() {
            return Ok(());
        }
        if board.readiness(ticket) != Readiness::Ready {
            return self.progress.waits(id);
        }
        let name = TicketRef::Id(id);
        let choice = match &self.wanted {
            Wanted::Tickets(_, choice) => choice.clone(),
            Wanted::Autopilot => AgentChoice::default(),
        };
        let command = match asked {
            // The autopilot has no say in which agent works.
            Asked::AsPlanned if choice != AgentChoice::default() => Command::Run { ticket: name, choice },
            Asked::ByName => Command::Run { ticket: name, choice },
            Asked::AsPlanned => Command::Pick { ticket: name, reason: String::new() },
        };
        match door.ask(command).await {
            Err(AppError::Ask(AskError::Refused(refused))) if was_faster(&refused, asked) => Ok(()),
            answer => Ok(answer?),
        }
    }

    /// Prints what happens until nothing is left to do.
    async fn watch(&mut self, door: &mut Door, mut watcher: Watcher, mut signals: Signals) -> Result<(), CliError> {
        self.progress.begin()?;
        // Whoever asked was answered after its job was stored, so an idle board here has nothing left to do.
        self.catch_up(door).await?;
        while self.is_busy() {
            tokio::select! {
                news = watcher.next() => self.progress.learn(news?)?,
                heard = signals.next() => match heard {
                    Heard::Interrupt => self.interrupt(door).await?,
                    Heard::End => {
                        let hint = "What runs goes on, and the next board or `draft run` takes it over.";
                        return Err(CliError::environment("ended", "somebody ended this run", hint));
                    }
                },
                taken = door.take_over() => {
                    taken?;
                    self.is_engine = true;
                    let (_, new) = door.watch().await?;
                    self.progress.learn(watcher.rest()?)?;
                    watcher = new;
                }
                () = tokio::time::sleep(STUCK), if self.is_stuck() => self.pick_what_is_left(door).await?,
            }
        }
        Ok(())
    }

    /// Takes in the jobs that were queued since the board was loaded.
    async fn catch_up(&mut self, door: &mut Door) -> Result<(), CliError> {
        let (now, _) = door.watch().await?;
        let active: Vec<Job> = now.active_jobs().cloned().collect();
        for job in active {
            if self.progress.board.job(job.id).is_none() {
                let queued = Job { status: JobStatus::Queued, reason: String::new(), started_at: None, ..job };
                self.progress.queued(queued)?;
            }
        }
        if let Some(mode) = now.autopilot() {
            self.progress.autopilot(mode)?;
        }
        Ok(())
    }

    fn is_busy(&self) -> bool {
        let board = &self.progress.board;
        let under_way = |job: &Job| board.ticket(job.ticket).is_some_and(|one| may_start(Autopilot::Finish, one));
        let has_to_do = board.active_jobs().any(|job| match (job.status, self.interrupted, &self.wanted) {
            (JobStatus::Running, Interrupted::Never, _) => true,
            (JobStatus::Queued, Interrupted::Never, _) => self.can_start(job),
            (JobStatus::Running, Interrupted::Once | Interrupted::Twice, _) => self.is_ours(job),
            (JobStatus::Queued, Interrupted::Once, Wanted::Autopilot) => under_way(job),
            (JobStatus::Queued, Interrupted::Once | Interrupted::Twice, _) => false,
            (JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost, _, _) => false,
        });
        has_to_do || self.left().next().is_some() || self.may_go_on()
    }

    /// Says whether a queued job waits for a slot or for room, and not for another ticket: that may take a person.
    fn can_start(&self, job: &Job) -> bool {
        let is_ready = |ticket| self.progress.board.readiness(ticket) == Readiness::Ready;
        job.kind != JobKind::Execute || self.progress.board.ticket(job.ticket).is_some_and(is_ready)
    }

    /// Tells of what was asked for by name or as planned and is queued still, since it waits for other tickets.
    fn tell_what_waits(&mut self) -> Result<(), CliError> {
        let is_left = |job: &&Job| self.asked.contains(&job.ticket) && !self.can_start(job);
        let left: Vec<TicketId> = self.progress.board.active_jobs().filter(is_left).map(|job| job.ticket).collect();
        left.into_iter().try_for_each(|ticket| self.progress.waits(ticket))
    }

    /// Says whether a change waits that the engine has still to look at: it may go on without a person.
    fn may_go_on(&self) -> bool {
        let board = &self.progress.board;
        let is_meant = |ticket: &Ticket| match &self.wanted {
            Wanted::Tickets(names, _) => names.is_empty() || self.asked.contains(&ticket.id),
            Wanted::Autopilot => true,
        };
        self.interrupted == Interrupted::Never
            && self.means.policy.as_ref().is_some_and(|policy| {
                board.tickets().any(|one| is_meant(one) && is_due(board, one, policy) && !one.reason.contains(WAITS))
            })
    }

    /// Says whether a job is this call's to stop: what another process runs for others is not.
    fn is_ours(&self, job: &Job) -> bool {
        self.is_engine || self.wanted == Wanted::Autopilot || self.asked.contains(&job.ticket)
    }

    /// Returns the tickets that the autopilot has still to pick.
    fn left(&self) -> impl Iterator<Item = &Ticket> {
        let board = &self.progress.board;
        let is_on = self.wanted == Wanted::Autopilot
            && self.interrupted == Interrupted::Never
            && board.autopilot() == Some(Autopilot::On);
        board
            .tickets()
            .filter(move |ticket| is_on && ticket.state == State::Planned && !self.refused.contains(&ticket.id))
            .filter(|ticket| board.active_job(ticket.id).is_none() && board.readiness(ticket) == Readiness::Ready)
    }

    /// Says whether nothing runs and the autopilot seems not to pick what is left.
    fn is_stuck(&self) -> bool {
        let goes_on = |job: &Job| job.status == JobStatus::Running || self.can_start(job);
        !self.progress.board.active_jobs().any(goes_on) && self.left().next().is_some()
    }

    /// Asks for what is left. The autopilot may be about to pick it, or may have been refused; the answer tells which.
    async fn pick_what_is_left(&mut self, door: &mut Door) -> Result<(), CliError> {
        let choices = choose(&self.progress.board, self.means.slots, |ticket| self.refused.contains(&ticket.id));
        for Choice { ticket, reason } in choices {
            let refused = match door.ask(Command::Pick { ticket: TicketRef::Id(ticket), reason }).await {
                Ok(()) => continue,
                Err(AppError::Ask(AskError::Refused(refused))) => refused,
                Err(error) => return Err(error.into()),
            };
            match refused.code {
                RefusalCode::NotTrusted => return Err(refused.into()),
                // It runs, or has run, and the news are on their way.
                RefusalCode::Busy | RefusalCode::IllegalMove | RefusalCode::Waits => {}
                RefusalCode::UnknownTicket
                | RefusalCode::UnknownGoal
                | RefusalCode::BadValue
                | RefusalCode::Cycle
                | RefusalCode::Idle
                | RefusalCode::Limit
                | RefusalCode::NoWorktree
                | RefusalCode::NotLanded
                | RefusalCode::NotRemoved
                | RefusalCode::UnknownRevision
                | RefusalCode::UnknownComment
                | RefusalCode::Reviewed
                | RefusalCode::Unresolved
                | RefusalCode::NotApproved
                | RefusalCode::ChecklistOpen
                | RefusalCode::NoPullRequest
                | RefusalCode::HasPullRequest
                | RefusalCode::HasWorktree
                | RefusalCode::AlreadyReverted
                | RefusalCode::Protected
                | RefusalCode::Failed => {
                    self.refused.insert(ticket);
                    self.progress.refused(ticket, &refused.message)?;
                }
            }
        }
        Ok(())
    }

    /// Turns off what this call turned on, unless somebody did meanwhile, and tells what is left.
    async fn turn_off(&mut self, door: &mut Door, before: Autopilot) -> Result<(), CliError> {
        if before != Autopilot::On && self.progress.board.autopilot() == Some(Autopilot::On) {
            door.ask(Command::SetAutopilot(Autopilot::Off)).await?;
            self.progress.autopilot(Autopilot::Off)?;
        }
        self.progress.all_that_wait()
    }

    async fn interrupt(&mut self, door: &mut Door) -> Result<(), CliError> {
        match self.interrupted {
            Interrupted::Never => {
                self.interrupted = Interrupted::Once;
                match self.wanted {
                    Wanted::Tickets(..) => door.work(Working::Running).await?,
                    Wanted::Autopilot => {
                        door.work(Working::UnderWay).await?;
                        door.ask(Command::SetAutopilot(Autopilot::Finish)).await?;
                    }
                }
                self.progress.say(if self.is_engine {
                    "running jobs may end, nothing more starts; press Ctrl-C again to cancel them"
                } else {
                    "another process runs these jobs and they may end; press Ctrl-C again to cancel them"
                });
            }
            Interrupted::Once | Interrupted::Twice => {
                self.interrupted = Interrupted::Twice;
                door.work(Working::Running).await?;
                let running = self.progress.board.active_jobs().filter(|job| job.status == JobStatus::Running);
                let running: Vec<TicketId> = running.filter(|job| self.is_ours(job)).map(|job| job.ticket).collect();
                for ticket in running {
                    door.ask(Command::Cancel { ticket: TicketRef::Id(ticket) }).await?;
                }
                self.progress.say("canceling what runs");
            }
        }
        Ok(())
    }
}
