//! The execute job: a worktree, an agent in it, further tries when it fails in a way that may pass, and a judgement of what it
//! left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::fact::Fact;
use crate::domain::outcome::{Executed, Report, Verdict, judge};
use crate::domain::revision::Revision;
use crate::domain::run::{Run, RunEnd, RunKind};
use crate::domain::ticket::{Usage, Worktree};
use crate::domain::transient::may_pass;
use crate::executor::decode::Dialect;
use crate::executor::row::UsageSpan;
use crate::git::conflict;

use super::super::actor::now;
use super::super::error::EngineError;
use super::agent::{Prepared, Try, earlier_session, patience, plan, prepare};
use super::bench::Bench;
use super::listener::Listener;
use super::revert;
use super::supervise::{Begun, Ended, begin, how_it_was_lost, proof, see_through, take_back};

/// Works on an execute job until its end is stored.
pub(super) async fn execute(bench: &Bench) -> Result<(), EngineError> {
    if let Some(landing) = &bench.job.takes_back {
        return revert::take_back(bench, landing).await;
    }
    let mut tries = Tries::of(bench).await?;
    // An agent that may live is followed whatever the configuration, the table or the disk say by now.
    let mut running = match tries.running() {
        Some(run) => Some(taken_back(bench, take_back(bench, &run)).await?),
        None => None,
    };
    loop {
        let at_work = match running.take() {
            Some(at_work) => at_work,
            None => match start(bench, &mut tries).await? {
                Started::Works(at_work) => *at_work,
                Started::Over(fact) => return bench.learn(*fact, Vec::new()).await,
            },
        };
        let (worktree, resumed) = (at_work.worktree.clone(), at_work.resumed);
        let (ended, mut report) = follow(bench, at_work).await?;
        report.usage = report.usage + tries.used;
        let records = proof(bench, &ended, None);
        tries.ended(&ended.run);
        let Some(again) = again(bench, &ended, &report, tries.count(), resumed).await? else {
            let fact = match conclude(bench, worktree, &ended, &report).await {
                // What the agent used was used, whatever became of its work.
                Err(error) if error.ends_a_job() => {
                    let (job, used) = (bench.job.id, Some(report.usage));
                    Fact::Broke { job, reason: error.to_string(), used }
                }
                concluded => concluded?,
            };
            return bench.learn(fact, records).await;
        };
        let (job, attempt, usage) = (bench.job.id, tries.count() + 1, report.usage);
        let told = Fact::TryAgain { job, attempt, reason: again.reason.clone(), usage };
        bench.learn(told, records).await?;
        tries.session = if again.forget_session { None } else { report.session.or(tries.session) };
        (tries.failed, tries.used) = (Some(again.reason), usage);
    }
}

/// Returns what the agent of a job used that is given up, as far as it is known; nothing when none was started.
pub(super) async fn used(bench: &Bench) -> Option<Usage> {
    let runs = bench.known_runs().await.ok()?;
    let was_started = runs.iter().any(|run| run.kind == RunKind::Execute);
    let id = bench.job.id;
    let usage = bench.look(move |board| board.job(id).map_or_else(Usage::default, |job| job.usage)).await.ok()?;
    was_started.then_some(usage)
}

/// The tries of a job's agent.
struct Tries {
    runs: Vec<Run>,
    /// The session of the newest one.
    session: Option<String>,
    /// Why the newest one failed; nothing before the first.
    failed: Option<String>,
    /// What those that are over used.
    used: Usage,
    /// Where they worked.
    worktree: Option<Worktree>,
}

impl Tries {
    async fn of(bench: &Bench) -> Result<Self, EngineError> {
        let known = bench.known_runs().await?;
        let runs: Vec<Run> = known.into_iter().filter(|run| run.kind == RunKind::Execute).collect();
        // A try that is over and after which the job goes on has left its reason in the job.
        let failed = runs.last().filter(|run| run.end.is_some()).map(|_| bench.job.reason.clone());
        let (session, worktree) = (bench.job.session.clone(), bench.ticket.worktree.clone());
        Ok(Self { runs, session, failed, used: bench.job.usage, worktree })
    }

    fn running(&self) -> Option<Run> {
        self.runs.last().filter(|run| run.end.is_none()).cloned()
    }

    fn ended(&mut self, run: &Run) {
        self.runs.retain(|known| known.id != run.id);
        self.runs.push(run.clone());
    }

    fn count(&self) -> u32 {
        u32::try_from(self.runs.len()).unwrap_or(u32::MAX)
    }
}

/// What came of starting a try.
enum Started {
    Works(Box<AtWork>),
    Over(Box<Fact>),
}

/// Begins the next try: at once, or after a pause when one failed before.
async fn start(bench: &Bench, tries: &mut Tries) -> Result<Started, EngineError> {
    if let Some(before) = tries.runs.last() {
        pause(bench, before, tries.count()).await?;
    }
    let agent = match prepare(bench, tries.worktree.as_ref()).await? {
        Prepared::Ready(agent) => agent,
        Prepared::Over(outcome) => {
            let report = Report { usage: tries.used, ..Report::default() };
            return Ok(Started::Over(Box::new(executed(bench, outcome, None, &report))));
        }
        Prepared::Ended(fact) => return Ok(Started::Over(Box::new(fact))),
    };
    tries.worktree = Some(agent.worktree.clone());
    if tries.runs.is_empty() {
        tries.session = earlier_session(bench, &agent.executor).await?;
    }
    let this = Try {
        attempt: tries.count() + 1,
        n: bench.known_runs().await?.iter().map(|run| run.id.n).max().unwrap_or(0) + 1,
        session: tries.session.clone(),
        failed: tries.failed.clone(),
    };
    let before = used_in(bench, this.session.as_deref()).await?;
    let (plan, session) = plan(bench, &agent, &this).await?;
    let begun = begin(bench, plan).await?;
    Ok(Started::Works(Box::new(AtWork {
        begun,
        worktree: agent.worktree,
        dialect: agent.executor.dialect,
        span: agent.executor.usage,
        before,
        resumed: this.session.is_some() && session == this.session,
        session,
    })))
}

/// An agent's run, where it works and how it talks.
struct AtWork {
    begun: Begun,
    worktree: Worktree,
    dialect: Dialect,
    /// Its session, as far as it is stored.
    session: Option<String>,
    /// It went on in an earlier session.
    resumed: bool,
    /// What its token counts cover, and what runs before it in its session used.
    span: UsageSpan,
    before: Usage,
}

/// Returns an agent's run that an earlier engine began. Its agent and its worktree were stored before it.
async fn taken_back(bench: &Bench, begun: Begun) -> Result<AtWork, EngineError> {
    let worktree = bench.ticket.worktree.clone().ok_or(EngineError::NoWorktree(bench.ticket.number))?;
    let agents = bench.shop.known_agents();
    let executor = bench.job.agent.as_deref().and_then(|name| agents.find(name).ok());
    // An agent that the table does not know any more has printed lines of some kind.
    let dialect = executor.map_or(Dialect::Text, |executor| executor.dialect);
    let span = executor.map_or(UsageSpan::Run, |executor| executor.usage);
    let session = bench.job.session.clone();
    let before = used_in(bench, session.as_deref()).await?;
    Ok(AtWork { begun, worktree, dialect, session, resumed: false, span, before })
}

/// Returns what the ticket's runs have used in a session, as far as they are over.
async fn used_in(bench: &Bench, session: Option<&str>) -> Result<Usage, EngineError> {
    let Some(session) = session.map(str::to_owned) else { return Ok(Usage::default()) };
    let ticket = bench.ticket.id;
    let jobs = bench.blocking(move |shop| Ok(shop.readers.read(|reader| reader.jobs_of(ticket))?)).await?;
    let same = jobs.iter().filter(|job| job.session.as_ref() == Some(&session));
    Ok(same.fold(Usage::default(), |sum, job| sum + job.usage))
}

/// Follows an agent to its end.
async fn follow(bench: &Bench, agent: AtWork) -> Result<(Ended, Report), EngineError> {
    let AtWork { begun, worktree, dialect, session, span, before, .. } = agent;
    let mut listener = Listener::new(dialect, &worktree.path, session);
    let ended = see_through(bench, begun, &mut listener).await?;
    let mut report = listener.finish(bench, &ended.folder, &ended.record.end).await?;
    report.usage = span.of_run(report.usage, before);
    Ok((ended, report))
}

/// Another try, and why.
struct Again {
    reason: String,
    /// The session that was to be resumed is not there any more.
    forget_session: bool,
}

/// Says whether an agent that ended like this is to be started again.
async fn again(
    bench: &Bench,
    ended: &Ended,
    report: &Report,
    attempt: u32,
    resumed: bool,
) -> Result<Option<Again>, EngineError> {
    if bench.stop.is_cancelled() {
        return Ok(None);
    }
    let (retries, delay) = bench.blocking(move |shop| Ok(patience(shop, attempt))).await?;
    if attempt > retries {
        return Ok(None);
    }
    if let Some(why) = may_pass(&ended.record.end, report) {
        let reason =
            format!("{why}; try {} of {} starts in {} s", attempt + 1, retries.saturating_add(1), delay.as_secs());
        return Ok(Some(Again { reason, forget_session: false }));
    }
    // An old session may be gone; an agent that did nothing at all in it begins a new one.
    let failed = matches!(judge(&ended.record.end, report, false), Verdict::Failed(_));
    let did_nothing = report.said.is_none() && report.usage.tokens() == 0;
    if resumed && failed && did_nothing && matches!(ended.record.end, RunEnd::Exited { .. }) {
        let why =
            report.error.as_deref().map_or_else(|| ended.record.end.to_string(), crate::domain::outcome::first_line);
        let reason = format!("its session could not go on ({why}); a new one starts");
        return Ok(Some(Again { reason, forget_session: true }));
    }
    Ok(None)
}

/// Waits until a further try may start. An engine that comes later waits only for what is left.
async fn pause(bench: &Bench, before: &Run, attempt: u32) -> Result<(), EngineError> {
    let (_, delay) = bench.blocking(move |shop| Ok(patience(shop, attempt))).await?;
    let since = before.finished_at.map_or(Duration::ZERO, |ended| now().since(ended));
    tokio::select! {
        () = bench.stop.cancelled() => {}
        () = tokio::time::sleep(delay.saturating_sub(since)) => {}
    }
    Ok(())
}

/// Judges what the agent left, and keeps its change before anybody is told of it.
async fn conclude(bench: &Bench, worktree: Worktree, ended: &Ended, report: &Report) -> Result<Fact, EngineError> {
    let job = bench.job.id;
    let root = worktree.path.clone();
    let end = &ended.record.end;
    let verdict = judge(end, report, false);
    if let Some(reason) = gone(bench, &root).filter(|_| !matches!(verdict, Verdict::Stopped | Verdict::Lost)) {
        return Ok(executed(bench, Executed::Failed { reason }, Some(end.clone()), report));
    }
    let kept = match verdict {
        // Whether anything changed does not matter here, and the worktree may be as broken as its agent.
        Verdict::Failed(_) | Verdict::Stopped | Verdict::Lost => None,
        Verdict::Changed | Verdict::Unchanged | Verdict::Asked(_) | Verdict::Refused(_) => {
            kept_change(bench, worktree).await?
        }
    };
    let outside = outside(bench, root, report).await?;
    let outcome = match (judge(end, report, kept.is_some()), kept) {
        (Verdict::Changed | Verdict::Unchanged, Some(Kept::Unresolved(reason))) => Executed::Failed { reason },
        (Verdict::Changed, Some(Kept::Revision(revision))) => Executed::Changed { revision },
        (Verdict::Changed | Verdict::Unchanged, _) => unchanged(bench, report),
        (Verdict::Asked(question), _) => Executed::Asked { question },
        (Verdict::Refused(reason), _) => Executed::Refused { reason },
        (Verdict::Failed(reason), _) => Executed::Failed { reason },
        (Verdict::Stopped, _) if !bench.stop.is_cancelled() => {
            Executed::Failed { reason: "the agent was stopped from outside, and nobody canceled its job".to_owned() }
        }
        (Verdict::Stopped, _) => {
            let used = ended.record.started_at.map(|_| report.usage);
            return Ok(Fact::Stopped { job, used });
        }
        (Verdict::Lost, _) => {
            let (reason, used) = (how_it_was_lost(bench, &ended.run), Some(report.usage));
            return Ok(Fact::Lost { job, reason, used });
        }
    };
    Ok(executed(bench, outcome, Some(end.clone()), &Report { outside, ..report.clone() }))
}

/// Says that a worktree is not there any more, if so, and what to do.
fn gone(bench: &Bench, root: &Path) -> Option<String> {
    let what = match (root.exists(), root.join(".git").exists()) {
        (true, true) => return None,
        (true, false) => "lost its `.git`",
        (false, _) => "was deleted",
    };
    let (root, number) = (root.display(), bench.ticket.number.0);
    Some(format!(
        "its worktree {root} {what} while its agent worked; `draft run {number}` makes one on its branch anew"
    ))
}

/// Returns the files that an agent wrote outside its worktree. What it calls by another name may lie inside: a link may lead
/// there.
async fn outside(bench: &Bench, root: PathBuf, report: &Report) -> Result<Vec<String>, EngineError> {
    if report.outside.is_empty() {
        return Ok(Vec::new());
    }
    let mut files = report.outside.clone();
    bench
        .blocking(move |_| {
            let inside = root.canonicalize().unwrap_or_else(|_| root.clone());
            // One that is not there was not written, whatever was said.
            files.retain(|file| root.join(file).canonicalize().is_ok_and(|real| !real.starts_with(&inside)));
            Ok(files)
        })
        .await
}

/// An agent that was told something and changed nothing has answered.
fn unchanged(bench: &Bench, report: &Report) -> Executed {
    match (&bench.job.message, &report.said) {
        (Some(_), Some(said)) => Executed::Asked { question: said.clone() },
        (Some(_) | None, said) => Executed::Unchanged { said: said.clone() },
    }
}

/// What an agent left.
enum Kept {
    /// A change.
    Revision(Revision),
    /// Files with marks of a conflict, which are no change; in words.
    Unresolved(String),
}

/// Keeps what a worktree holds as a revision, if it differs from where its ticket started. An agent that was to mend or to
/// add something has done nothing when it left the newest revision as it was.
async fn kept_change(bench: &Bench, worktree: Worktree) -> Result<Option<Kept>, EngineError> {
    let place = worktree.clone();
    let under_way = bench.blocking(move |shop| Ok(conflict::under_way(&shop.repo, &place)?)).await?;
    if let Some(left) = under_way.filter(|left| !left.unresolved.is_empty()) {
        return Ok(Some(Kept::Unresolved(format!("its agent ended, and {}", left.in_words()))));
    }
    let snapshot = bench.snapshot(&worktree).await?;
    let goes_on = bench.job.message.is_some() || bench.job.rework.is_some_and(|times| times > 0);
    if goes_on {
        let newest = bench.newest_revision().await?.filter(|newest| newest.job != bench.job.id);
        if newest.is_some_and(|newest| newest.tree == snapshot.tree) {
            return Ok(None);
        }
    }
    if !snapshot.changed() {
        return Ok(None);
    }
    bench.keep(worktree, snapshot).await.map(|revision| Some(Kept::Revision(revision)))
}

fn executed(bench: &Bench, outcome: Executed, end: Option<RunEnd>, report: &Report) -> Fact {
    let Report { usage, session, outside, .. } = report.clone();
    Fact::Executed { job: bench.job.id, outcome, end, usage, session, outside }
}

/// A duration as run specifications have it.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
