//! The execute job: a worktree, an agent in it, and a judgement of what it left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use crate::config::yolo::{Yolo, yolo};
use crate::domain::change::Save;
use crate::domain::fact::Fact;
use crate::domain::outcome::{Executed, Report, Verdict, judge};
use crate::domain::revision::Revision;
use crate::domain::run::{RunEnd, RunKind};
use crate::domain::state::StateName;
use crate::domain::ticket::{Ticket, Usage, Worktree};
use crate::executor::decode::Dialect;
use crate::executor::invocation::{Approve, Ask, Session, invocation};
use crate::executor::table::{Executor, SessionBy, locate};
use crate::git::worktree::Created;
use crate::git::{trash, tree, worktree};
use crate::run::spec::{Limits, Output, Stdin};

use super::super::error::EngineError;
use super::super::workshop::Workshop;
use super::bench::Bench;
use super::listener::Listener;
use super::prompt;
use super::supervise::{Begun, Ended, Plan, begin, folder_of, how_it_was_lost, proof, see_through, take_back};

/// The number of the agent's run in its job.
const RUN: u32 = 1;

/// Works on an execute job until its end is stored.
pub(super) async fn execute(bench: &Bench) -> Result<(), EngineError> {
    // An agent that may live is followed whatever the configuration, the table or the disk say by now.
    let begun = bench.known_runs().await?.iter().find(|run| run.id.n == RUN).cloned();
    let (fact, records) = match begun {
        Some(run) => follow(bench, taken_back(bench, take_back(bench, &run)?)?).await?,
        None => match prepare(bench).await? {
            Prepared::Ready(agent) => follow(bench, start(bench, *agent).await?).await?,
            Prepared::Over(outcome) => (executed(bench, outcome, None, &Report::default()), Vec::new()),
            Prepared::Stopped => (Fact::Stopped { job: bench.job.id, usage: Usage::default() }, Vec::new()),
        },
    };
    bench.learn(fact, records).await
}

/// How far a job came before its agent.
enum Prepared {
    /// The agent can start.
    Ready(Box<Agent>),
    /// The job is over without an agent.
    Over(Executed),
    /// Somebody stopped it.
    Stopped,
}

/// An agent and where it is to work.
struct Agent {
    executor: Executor,
    program: PathBuf,
    approve: Approve,
    worktree: Worktree,
    config: Config,
}

/// An agent's run, where it works and how it talks.
struct AtWork {
    begun: Begun,
    worktree: Worktree,
    dialect: Dialect,
    /// Its session, as far as it is stored.
    session: Option<String>,
}

async fn prepare(bench: &Bench) -> Result<Prepared, EngineError> {
    if bench.stop.is_cancelled() {
        return Ok(Prepared::Stopped);
    }
    let config = bench.blocking(|shop| shop.settings()).await?.config;
    let approve = match may_approve(&config, bench.shop.repo.root()) {
        Yolo::Allowed => Approve::Everything,
        Yolo::Disabled => Approve::Edits,
        Yolo::Refused { reason } => return Ok(Prepared::Over(Executed::Refused { reason })),
    };
    let name = bench.ticket.agent.as_deref().unwrap_or(&config.execute_config.preferred_executor);
    let executor = match bench.shop.table.find(name) {
        Ok(executor) => executor.clone(),
        Err(error) => return Ok(Prepared::Over(Executed::Failed { reason: error.to_string() })),
    };
    let Some(program) = locate(&executor, &bench.shop.path_env, &bench.shop.draft_program) else {
        let reason = format!(
            "{} is not installed: there is no `{}` on PATH. {}",
            executor.display,
            executor.program_name(),
            executor.install
        );
        return Ok(Prepared::Over(Executed::Failed { reason }));
    };
    let worktree = ensure_worktree(bench).await?;
    let tree = worktree.clone();
    let danger =
        bench.blocking(move |shop| Ok(worktree::validate(&shop.repo, &shop.paths.worktrees(), &tree).err())).await?;
    if let Some(danger) = danger {
        return Ok(Prepared::Over(Executed::Unsafe { reason: danger.to_string() }));
    }
    if bench.stop.is_cancelled() {
        return Ok(Prepared::Stopped);
    }
    Ok(Prepared::Ready(Box::new(Agent { executor, program, approve, worktree, config })))
}

/// Brings back the worktree of a ticket that was abandoned and is wanted again, so that its work goes on where it was.
fn restored(shop: &Workshop, ticket: &Ticket) -> Result<Option<Created>, EngineError> {
    if ticket.worktree.is_some() {
        return Ok(None);
    }
    let newest = trash::list(&shop.repo)?.into_iter().find(|one| one.ticket == ticket.id);
    let Some(abandoned) = newest.filter(|one| one.state == StateName::Abandoned) else { return Ok(None) };
    Ok(Some(trash::restore(&shop.repo, &abandoned)?))
}

/// Says whether agents may do everything without asking in this repository.
fn may_approve(config: &Config, repo_root: &Path) -> Yolo {
    // A folder that is not there trusts nothing.
    let trusted = config.execute_config.yolo_allowlist.iter().filter_map(|path| Path::new(path).canonicalize().ok());
    let root = repo_root.canonicalize().unwrap_or_else(|_| repo_root.to_owned());
    yolo(config, &root, &trusted.collect::<Vec<_>>())
}

/// Returns the ticket's worktree: the one that it has, or a new one, which is stored before anything runs in it.
async fn ensure_worktree(bench: &Bench) -> Result<Worktree, EngineError> {
    let ticket = bench.ticket.clone();
    let made = bench
        .blocking(move |shop| {
            if let Some(restored) = restored(shop, &ticket)? {
                return Ok(restored);
            }
            let branch = worktree::branch_name(ticket.number, ticket.title.as_str());
            let folder = branch.strip_prefix("draft/").unwrap_or(&branch);
            let plan = worktree::Plan {
                path: &shop.worktrees().join(folder),
                branch: &branch,
                base_branch: &shop.about.base_branch,
                existing: ticket.worktree.as_ref(),
            };
            Ok(worktree::create(&shop.repo, &plan)?)
        })
        .await?;
    if let Some(error) = &made.hook_failed {
        tracing::warn!(ticket = %bench.ticket.number, %error, "the post-checkout hook failed");
    }
    let worktree = made.worktree.clone();
    if bench.ticket.worktree.as_ref() != Some(&worktree) {
        bench.learn(Fact::WorktreeMade { job: bench.job.id, worktree: worktree.clone() }, Vec::new()).await?;
    }
    bench.blocking(move |_| Ok(made.recorded()?)).await?;
    Ok(worktree)
}

/// Begins an agent's run. Which agent it is gets stored first: taken back, its output is read in its own way.
async fn start(bench: &Bench, agent: Agent) -> Result<AtWork, EngineError> {
    let plan = plan(bench, &agent).await?;
    let mut session = bench.job.session.clone();
    if bench.job.agent.is_none() {
        session = (agent.executor.session == SessionBy::Chosen).then(|| bench.job.id.to_string());
        let (job, name) = (bench.job.id, agent.executor.name.clone());
        let session = session.clone();
        let chosen = Fact::AgentChosen { job, agent: name, model: model(bench, &agent.config), session };
        bench.learn(chosen, Vec::new()).await?;
    }
    let begun = begin(bench, plan).await?;
    Ok(AtWork { begun, worktree: agent.worktree, dialect: agent.executor.dialect, session })
}

/// Returns an agent's run that an earlier engine began. Its agent and its worktree were stored before it.
fn taken_back(bench: &Bench, begun: Begun) -> Result<AtWork, EngineError> {
    let worktree = bench.ticket.worktree.clone().ok_or(EngineError::NoWorktree(bench.ticket.number))?;
    let executor = bench.job.agent.as_deref().and_then(|name| bench.shop.table.find(name).ok());
    // An agent that the table does not know any more has printed lines of some kind.
    let dialect = executor.map_or(Dialect::Text, |executor| executor.dialect);
    Ok(AtWork { begun, worktree, dialect, session: bench.job.session.clone() })
}

/// Follows an agent to its end.
async fn follow(bench: &Bench, agent: AtWork) -> Result<(Fact, Vec<Save>), EngineError> {
    let AtWork { begun, worktree, dialect, session } = agent;
    let mut listener = Listener::new(dialect, &worktree.path, session);
    let ended = see_through(bench, begun, &mut listener).await?;
    let report = listener.finish(bench, &ended.folder).await?;
    let records = proof(bench, &ended, None);
    let fact = conclude(bench, worktree, &ended, &report).await?;
    Ok((fact, records))
}

async fn plan(bench: &Bench, agent: &Agent) -> Result<Plan, EngineError> {
    let prompt = prompt::of(bench).await?;
    let model = model(bench, &agent.config);
    let prompt_file = folder_of(bench, RUN, RunKind::Execute).join("prompt");
    let call = invocation(
        &agent.executor,
        &Ask {
            prompt: &prompt,
            prompt_file: &prompt_file,
            model: model.as_deref(),
            approve: agent.approve,
            session: Session::Fresh(bench.job.id.0),
            extra: &[],
        },
    )?;
    let execute = &agent.config.execute_config;
    let stdin = if call.stdin.is_some() { Stdin::Prompt } else { Stdin::Null };
    Ok(Plan {
        n: RUN,
        kind: RunKind::Execute,
        program: agent.program.clone(),
        args: call.args,
        cwd: agent.worktree.path.clone(),
        drop: call.drop,
        set: call.set,
        stdin,
        output: Output::File,
        limits: Limits {
            time_ms: Some(millis(execute.timeout)),
            silence_ms: Some(millis(execute.idle_timeout)),
            output_bytes: Some(execute.max_output_bytes),
            grace_ms: millis(execute.stop_grace),
        },
        prompt: call.stdin.or(call.file.map(|(_, content)| content)),
        display: call.display,
    })
}

/// Judges what the agent left, and keeps its change before anybody is told of it.
async fn conclude(bench: &Bench, worktree: Worktree, ended: &Ended, report: &Report) -> Result<Fact, EngineError> {
    let job = bench.job.id;
    let end = &ended.record.end;
    let kept = match judge(end, report, false) {
        // Whether anything changed does not matter here, and the worktree may be as broken as its agent.
        Verdict::Failed(_) | Verdict::Stopped | Verdict::Lost => None,
        Verdict::Changed | Verdict::Unchanged | Verdict::Asked(_) | Verdict::Refused(_) => {
            kept_change(bench, worktree).await?
        }
    };
    let outcome = match (judge(end, report, kept.is_some()), kept) {
        (Verdict::Changed, Some(revision)) => Executed::Changed { revision },
        (Verdict::Changed | Verdict::Unchanged, _) => Executed::Unchanged { said: report.said.clone() },
        (Verdict::Asked(question), _) => Executed::Asked { question },
        (Verdict::Refused(reason), _) => Executed::Refused { reason },
        (Verdict::Failed(reason), _) => Executed::Failed { reason },
        (Verdict::Stopped, _) => return Ok(Fact::Stopped { job, usage: report.usage }),
        (Verdict::Lost, _) => return Ok(Fact::Lost { job, reason: how_it_was_lost(ended), usage: report.usage }),
    };
    Ok(executed(bench, outcome, Some(end.clone()), report))
}

/// Keeps what a worktree holds as a revision, if it differs from where its ticket started.
async fn kept_change(bench: &Bench, worktree: Worktree) -> Result<Option<Revision>, EngineError> {
    let tree = worktree.clone();
    let snapshot = bench.blocking(move |shop| Ok(tree::snapshot(&shop.repo, &tree, &shop.litter())?)).await?;
    if !snapshot.changed() {
        return Ok(None);
    }
    bench.keep(worktree, snapshot).await.map(Some)
}

fn executed(bench: &Bench, outcome: Executed, end: Option<RunEnd>, report: &Report) -> Fact {
    Fact::Executed { job: bench.job.id, outcome, end, usage: report.usage, session: report.session.clone() }
}

fn model(bench: &Bench, config: &Config) -> Option<String> {
    bench.ticket.model.clone().or_else(|| config.execute_config.executor_model.clone())
}

/// A duration as run specifications have it.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
