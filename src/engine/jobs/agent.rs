//! Which agent works for a ticket, where, in which session, and with what command line.

use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use crate::config::yolo::Yolo;
use crate::config::{Config, Origin};
use crate::domain::fact::Fact;
use crate::domain::job::{Job, JobKind};
use crate::domain::outcome::Executed;
use crate::domain::rule::Trust;
use crate::domain::run::RunKind;
use crate::domain::ticket::Worktree;
use crate::executor::again::{go_on, retry};
use crate::executor::invocation::{Approve, Ask, Session, granted, invocation};
use crate::executor::row::{Executor, SessionBy};
use crate::executor::table::{Table, locate};
use crate::run::spec::{Output, Stdin};

use super::super::error::EngineError;
use super::super::workshop::Workshop;
use super::bench::Bench;
use super::command::{limits, surroundings};
use super::prompt::News;
use super::scripts::{Scripts, set_up};
use super::supervise::{Plan, folder_of};
use super::{place, prompt, resume, verify};

/// How far a job came before its agent.
pub(super) enum Prepared {
    /// The agent can start.
    Ready(Box<Agent>),
    /// The job is over without an agent.
    Over(Executed),
    /// It ended otherwise.
    Ended(Fact),
}

/// An agent and where it is to work.
pub(super) struct Agent {
    pub(super) executor: Executor,
    program: PathBuf,
    approve: Approve,
    pub(super) worktree: Worktree,
    pub(super) config: Config,
}

/// Which try of a job's agent comes next, and how it begins.
#[derive(Clone, Debug)]
pub(super) struct Try {
    /// Counted from 1.
    pub(super) attempt: u32,
    /// The number of its run.
    pub(super) n: u32,
    /// The session that the job's earlier tries left; for the first one, the session of an earlier job.
    pub(super) session: Option<String>,
    /// Why the try before failed.
    pub(super) failed: Option<String>,
}

/// Finds out which agent is to work, and makes its place ready.
pub(super) async fn prepare(bench: &Bench, known: Option<&Worktree>) -> Result<Prepared, EngineError> {
    let stopped = || Prepared::Ended(bench.stopped());
    if bench.stop.is_cancelled() {
        return Ok(stopped());
    }
    let settings = bench.blocking(|shop| shop.settings()).await?;
    let config = settings.config.clone();
    let approve = match bench.shop.yolo(&config) {
        Yolo::Allowed => Approve::Everything,
        Yolo::Disabled => Approve::Edits,
        Yolo::Refused { reason } => return Ok(Prepared::Over(Executed::Refused { reason })),
    };
    let name = chosen(bench, &config).await?;
    let agents = Table::of(&settings)?;
    let executor = match agents.find(&name) {
        Ok(executor) => executor.clone(),
        Err(error) => return Ok(Prepared::Over(Executed::Failed { reason: error.to_string() })),
    };
    let program = locate(&executor, &bench.shop.path_env, &bench.shop.draft_program);
    if program.is_none() && !executor.interactive {
        let reason = agents.missing(&executor, &bench.shop.path_env, &bench.shop.draft_program);
        return Ok(Prepared::Over(Executed::Failed { reason }));
    }
    if let Err(error) = granted(&executor, approve) {
        return Ok(Prepared::Over(Executed::Refused { reason: error.to_string() }));
    }
    // What would be refused after the agent's work is refused before it.
    if let Err(reason) = verify::checks(bench, &config).await? {
        return Ok(Prepared::Over(Executed::Unsafe { reason }));
    }
    let worktree = place::ensure(bench, &config, known).await?;
    if let Some(reason) = resume::danger(bench, worktree.clone()).await? {
        return Ok(Prepared::Over(Executed::Unsafe { reason }));
    }
    if executor.source == Origin::Repo || !config.workspace_config.setup.is_empty() {
        let trust = bench.blocking(move |shop| shop.trust_of(&settings)).await?;
        if trust == Trust::Missing {
            let reason = "what this repository's file would run is not trusted any more: `draft trust --show` shows it";
            return Ok(Prepared::Over(Executed::Unsafe { reason: reason.to_owned() }));
        }
    }
    match set_up(bench, &config, &worktree).await? {
        Scripts::Done => {}
        Scripts::Failed(reason) => {
            let reason = format!("its worktree could not be made ready: {reason}");
            return Ok(Prepared::Over(Executed::Failed { reason }));
        }
        Scripts::Stopped => return Ok(stopped()),
        Scripts::Lost(reason) => return Ok(Prepared::Ended(bench.lost(reason))),
    }
    if bench.stop.is_cancelled() {
        return Ok(stopped());
    }
    match program {
        Some(program) if !executor.interactive => {
            Ok(Prepared::Ready(Box::new(Agent { executor, program, approve, worktree, config })))
        }
        Some(_) | None => Ok(Prepared::Over(hand_over(bench, &executor, &worktree).await?)),
    }
}

/// Returns the name of the agent that is to work: the one that was asked for with this job, the one whose work goes on, the
/// ticket's, or the one of the settings.
async fn chosen(bench: &Bench, config: &Config) -> Result<String, EngineError> {
    let asked = match &bench.job.agent {
        Some(agent) => Some(agent.clone()),
        None => worked_before(bench).await?.and_then(|job| job.agent),
    };
    let asked = asked.or_else(|| bench.ticket.agent.clone());
    Ok(asked.unwrap_or_else(|| config.execute_config.preferred_executor.clone()))
}

/// Returns the ticket's newest job with an agent, where this one goes on with its work.
async fn worked_before(bench: &Bench) -> Result<Option<Job>, EngineError> {
    let told = bench.job.message.is_some() || bench.job.rework.is_some_and(|times| times > 0);
    let goes_on = told || prompt::feedback(bench).await?.is_some();
    if !goes_on {
        return Ok(None);
    }
    let (ticket, own) = (bench.ticket.id, bench.job.id);
    let jobs = bench.blocking(move |shop| Ok(shop.readers.read(|reader| reader.jobs_of(ticket))?)).await?;
    let had = jobs.into_iter().filter(|job| job.kind == JobKind::Execute && job.id != own && job.agent.is_some());
    Ok(had.max_by_key(|job| (job.queued_at, job.id)))
}

/// Writes the task down for a person who works in an interactive program, and says what to do.
async fn hand_over(bench: &Bench, executor: &Executor, worktree: &Worktree) -> Result<Executed, EngineError> {
    let task = prompt::of(bench, &News::of(bench).await?).await?;
    let folder = bench.shop.paths.handovers();
    let prompt_file = folder.join(format!("{}.md", bench.job.id));
    let path = prompt_file.clone();
    bench
        .blocking(move |_| {
            crate::run::folder::write_private(&folder, &path, task.as_bytes())
                .map_err(|source| EngineError::Write { path, source })
        })
        .await?;
    let reason = format!(
        "yours to do in {}: the task is in {}, the worktree is {}; then take over your edits (`draft resume {}`)",
        executor.display,
        prompt_file.display(),
        worktree.path.display(),
        bench.ticket.number.0,
    );
    Ok(Executed::HandedOver { reason, prompt_file })
}

/// Returns the session in which the job's first try is to go on: that of the agent's last job, when it has something to add.
pub(super) async fn earlier_session(bench: &Bench, agent: &Executor) -> Result<Option<String>, EngineError> {
    // Sessions belong to the folder in which they began, and a ticket without one starts in a new folder.
    if bench.ticket.worktree.is_none() {
        return Ok(None);
    }
    let before = worked_before(bench).await?;
    Ok(before.filter(|job| job.agent.as_deref() == Some(&agent.name)).and_then(|job| job.session))
}

/// Returns what to start for a try, and the session's name where it is known before. Which agent it is gets stored first:
/// taken back, its output is read in its own way.
pub(super) async fn plan(bench: &Bench, agent: &Agent, this: &Try) -> Result<(Plan, Option<String>), EngineError> {
    let news = News::of(bench).await?;
    let again = news.text();
    let resumed = this.session.as_deref().filter(|_| agent.executor.resume.is_some());
    let task = match (&again, resumed, this.attempt) {
        // It knows its task.
        (Some(news), Some(_), 1) => go_on(bench.ticket.title.as_str(), news),
        (Some(_), _, _) | (None, _, _) => prompt::of(bench, &news).await?,
    };
    let prompt = this.failed.as_deref().map_or_else(|| task.clone(), |why| retry(why, &task));
    let fresh = if this.attempt == 1 { bench.job.id.0 } else { Uuid::now_v7() };
    let model = model(bench, agent);
    let call = invocation(
        &agent.executor,
        &Ask {
            prompt: &prompt,
            prompt_file: &folder_of(bench, this.n, RunKind::Execute).join("prompt"),
            model: model.as_deref(),
            approve: agent.approve,
            session: resumed.map_or(Session::Fresh(fresh), Session::Resume),
            extra: &[],
        },
    )?;
    let chosen = agent.executor.session == SessionBy::Chosen;
    let session = call.session.clone().filter(|_| chosen || resumed.is_some());
    let told =
        Fact::AgentChosen { job: bench.job.id, agent: agent.executor.name.clone(), model, session: session.clone() };
    bench.learn(told, Vec::new()).await?;
    let execute = &agent.config.execute_config;
    let timeout = agent.executor.timeout.map_or(execute.timeout, Duration::from_secs);
    let mut set = surroundings(&agent.config, &bench.shop, &agent.worktree);
    set.extend(call.set);
    let plan = Plan {
        n: this.n,
        kind: RunKind::Execute,
        program: agent.program.clone(),
        args: call.args,
        cwd: agent.worktree.path.clone(),
        drop: call.drop,
        set,
        stdin: if call.stdin.is_some() { Stdin::Prompt } else { Stdin::Null },
        output: Output::File,
        limits: limits(&agent.config, timeout, Some(execute.idle_timeout)),
        prompt: call.stdin.or(call.file.map(|(_, content)| content)),
        display: call.display,
    };
    Ok((plan, session))
}

/// Returns the model that the agent is asked to use: the one that was asked for with this job, the ticket's, or the agent's
/// own. The setting names a model of the preferred agent; another one would not know it.
fn model(bench: &Bench, agent: &Agent) -> Option<String> {
    let asked = bench.job.model.clone().or_else(|| bench.ticket.model.clone());
    let own = asked.or_else(|| agent.executor.default_model.clone());
    let execute = &agent.config.execute_config;
    let is_preferred = agent.executor.is_called(&execute.preferred_executor) && !agent.executor.model.is_empty();
    own.or_else(|| execute.executor_model.clone().filter(|_| is_preferred))
}

/// Returns how often a failed agent may be started again, and the pause before that try.
pub(super) fn patience(shop: &Workshop, attempt: u32) -> (u32, Duration) {
    // Settings that cannot be read any more allow what they allow by default.
    let config = shop.settings().map(|loaded| loaded.config.clone()).unwrap_or_default();
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    (config.execute_config.retries, config.execute_config.retry_delay.saturating_mul(doubled))
}
