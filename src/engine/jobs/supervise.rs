//! Begins a run or takes it back, brings it to its end, looks on meanwhile, and stops it when asked to.
//!
//! The row of a run is stored after its folder was made and before its supervisor is started. So a run without a row never
//! started, and one with a row may live: it is brought to its end before anything else of its job is done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use crate::domain::change::Save;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::id::EvidenceId;
use crate::domain::run::{Run, RunEnd, RunId, RunKind};
use crate::git::MISLEADING;
use crate::run::adopt::{self, Standing};
use crate::run::folder::Folder;
use crate::run::follow;
use crate::run::launch;
use crate::run::record::ExitRecord;
use crate::run::spec::{Limits, Mark, Output, SPEC_VERSION, Spec, Stdin, this_boot};

use super::super::actor::now;
use super::super::error::EngineError;
use super::bench::Bench;

/// How often new output is looked at while a run goes on.
const GLANCE: Duration = Duration::from_millis(250);
/// How often when there was none for a while: a hundred quiet agents must cost nothing.
const GLANCE_AT_QUIET: Duration = Duration::from_secs(1);

/// What is to run, should it not have been started yet.
pub(super) struct Plan {
    pub(super) n: u32,
    pub(super) kind: RunKind,
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) cwd: PathBuf,
    /// Variables that are taken out of the environment.
    pub(super) drop: Vec<String>,
    /// Variables that are added to it.
    pub(super) set: BTreeMap<String, String>,
    pub(super) stdin: Stdin,
    pub(super) output: Output,
    pub(super) limits: Limits,
    /// The content of the file `prompt`.
    pub(super) prompt: Option<String>,
    /// What runs, as people would type it.
    pub(super) display: String,
}

/// A run that is there: it may be starting, alive or over.
pub(super) struct Begun {
    run: Run,
    folder: Folder,
}

/// A run that is over.
pub(super) struct Ended {
    pub(super) run: Run,
    pub(super) record: ExitRecord,
    pub(super) folder: Folder,
}

/// Looks at what a run leaves in its folder while it goes on.
pub(super) trait Onlooker {
    /// Takes note of what is there by now, and says whether anything was new.
    async fn glance(&mut self, bench: &Bench, folder: &Folder) -> bool;
}

/// Somebody who does not look.
pub(super) struct Nobody;

impl Onlooker for Nobody {
    async fn glance(&mut self, _bench: &Bench, _folder: &Folder) -> bool {
        false
    }
}

/// Returns the folder of a run of this job.
pub(super) fn folder_of(bench: &Bench, n: u32, kind: RunKind) -> PathBuf {
    bench.shop.paths.runs().join(RunId { job: bench.job.id, n }.folder(kind))
}

/// Makes a new run and stores its row. Nothing is started yet.
pub(super) async fn begin(bench: &Bench, plan: Plan) -> Result<Begun, EngineError> {
    let (spec, path, root) = (spec(bench, &plan), folder_of(bench, plan.n, plan.kind), bench.shop.paths.runs());
    let run = Run {
        id: RunId { job: bench.job.id, n: plan.n },
        kind: plan.kind,
        command: plan.display,
        started_at: now(),
        finished_at: None,
        end: None,
    };
    let folder = bench
        .blocking(move |_| {
            // A folder without a row is of an engine that was killed between the two: nothing started in it.
            match std::fs::remove_dir_all(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(EngineError::Remove { path, source });
                }
                Ok(()) | Err(_) => {}
            }
            Ok(Folder::create(&root, &spec, plan.prompt.as_deref().map(str::as_bytes))?)
        })
        .await?;
    bench.record(vec![Save::Run(run.clone())]).await?;
    Ok(Begun { run, folder })
}

/// Takes back a run whose row is stored. Its folder may have been deleted meanwhile, and then it is lost.
pub(super) fn take_back(bench: &Bench, run: &Run) -> Begun {
    let folder = Folder::at(bench.shop.paths.runs().join(run.folder()));
    Begun { run: run.clone(), folder }
}

/// Removes what an engine left that was killed before it stored the row of a run: nothing was started in it.
pub(super) async fn tidy(bench: &Bench) -> Result<(), EngineError> {
    let known: Vec<String> = bench.known_runs().await?.iter().map(Run::folder).collect();
    let job = bench.job.id.to_string();
    bench
        .blocking(move |shop| {
            let runs = shop.paths.runs();
            // Mostly there is none yet.
            let Ok(entries) = std::fs::read_dir(runs.join(&job)) else { return Ok(()) };
            for entry in entries.flatten() {
                let has_row = known.iter().any(|folder| runs.join(folder) == entry.path());
                if !has_row && let Err(error) = std::fs::remove_dir_all(entry.path()) {
                    tracing::warn!(path = %entry.path().display(), %error, "what is left of a run stays");
                }
            }
            Ok(())
        })
        .await
}

/// Brings a run to its end. What is on disk decides whether it still has to be started.
pub(super) async fn see_through(
    bench: &Bench,
    begun: Begun,
    onlooker: &mut impl Onlooker,
) -> Result<Ended, EngineError> {
    let Begun { mut run, folder } = begun;
    let record = bring_to_end(bench, &folder, onlooker).await?;
    run.started_at = record.started_at.unwrap_or(run.started_at);
    run.finished_at = Some(record.ended_at);
    run.end = Some(record.end.clone());
    Ok(Ended { run, record, folder })
}

/// Stops what a job has running, when Draft cannot go on with the job, and returns what proves how it ended.
pub(super) async fn stop_all(bench: &Bench) -> Vec<Save> {
    bench.stop.cancel();
    let known = match bench.known_runs().await {
        Ok(known) => known,
        Err(error) => {
            tracing::error!(job = %bench.job.id, %error, "the runs of a broken job cannot be looked up");
            return Vec::new();
        }
    };
    let mut records = Vec::new();
    for run in known.iter().filter(|run| run.end.is_none()) {
        match see_through(bench, take_back(bench, run), &mut Nobody).await {
            Ok(ended) => records.extend(proof(bench, &ended, None)),
            Err(error) => tracing::error!(job = %bench.job.id, %error, "a run of a broken job cannot be stopped"),
        }
    }
    records
}

fn spec(bench: &Bench, plan: &Plan) -> Spec {
    let mut set = plan.set.clone();
    set.insert("DRAFT_TICKET".to_owned(), bench.ticket.number.0.to_string());
    set.insert("DRAFT_TICKET_ID".to_owned(), bench.ticket.id.to_string());
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let dropped = |name: &String| MISLEADING.contains(&name.as_str()) || plan.drop.contains(name);
    Spec {
        version: SPEC_VERSION,
        id: RunId { job: bench.job.id, n: plan.n },
        kind: plan.kind,
        program: plan.program.clone(),
        args: plan.args.clone(),
        cwd: plan.cwd.clone(),
        inherit: names.filter(|name| !dropped(name)).collect(),
        set,
        stdin: plan.stdin,
        output: plan.output,
        limits: plan.limits,
        mark: Mark::of(RunId { job: bench.job.id, n: plan.n }),
        boot: this_boot(),
    }
}

async fn bring_to_end(bench: &Bench, folder: &Folder, onlooker: &mut impl Onlooker) -> Result<ExitRecord, EngineError> {
    let ended = async {
        match adopt::look(folder)? {
            // Nothing was ever started in it, so starting it now starts nothing twice: the lock sees to that.
            Standing::NeverStarted => match launch::launch(&bench.shop.draft_program, folder) {
                Ok(mut launched) => launched.ended().await,
                Err(error) => follow::settle(folder, Some(error.to_string())).await,
            },
            Standing::Ended(_) | Standing::Running | Standing::Dead => follow::ended(folder).await,
        }
    };
    if bench.stop.is_cancelled() {
        // Stored before anything could start, so a supervisor that only starts now obeys it.
        follow::stop(folder)?;
    }
    tokio::pin!(ended);
    let mut stopping = bench.stop.is_cancelled();
    let mut pause = GLANCE;
    loop {
        tokio::select! {
            biased;
            record = &mut ended => {
                onlooker.glance(bench, folder).await;
                return Ok(record?);
            }
            () = bench.stop.cancelled(), if !stopping => {
                stopping = true;
                follow::stop(folder)?;
            }
            () = tokio::time::sleep(pause) => {
                let was_new = onlooker.glance(bench, folder).await;
                pause = if was_new { GLANCE } else { (pause * 2).min(GLANCE_AT_QUIET) };
            }
        }
    }
}

/// Returns what proves how a run ended: its row and a piece of evidence.
pub(super) fn proof(bench: &Bench, ended: &Ended, tree: Option<String>) -> Vec<Save> {
    proof_in(bench, ended, tree, None)
}

/// The same for a check of which is known in what surroundings it ran.
pub(super) fn proof_in(bench: &Bench, ended: &Ended, tree: Option<String>, surroundings: Option<String>) -> Vec<Save> {
    let kind = match ended.run.kind {
        RunKind::Execute => EvidenceKind::Executor,
        RunKind::Check | RunKind::Setup | RunKind::Cleanup => EvidenceKind::Check,
    };
    let took = ended.record.ended_at.since(ended.run.started_at);
    let evidence = Evidence {
        id: EvidenceId(Uuid::now_v7()),
        ticket: bench.ticket.id,
        run: ended.run.id,
        folder: ended.run.folder(),
        kind,
        command: ended.run.command.clone(),
        end: ended.record.end.clone(),
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        tree,
        surroundings,
        at: ended.record.ended_at,
    };
    vec![Save::Run(ended.run.clone()), Save::Evidence(evidence)]
}

/// Returns what people should know about a run that was lost.
pub(super) fn how_it_was_lost(bench: &Bench, run: &Run) -> String {
    let folder = Folder::at(bench.shop.paths.runs().join(run.folder()));
    let why = match adopt::look(&folder) {
        Ok(Standing::Ended(ExitRecord { message: Some(message), .. })) => format!(": {message}"),
        Ok(_) | Err(_) => String::new(),
    };
    format!("`{}` {}{why}", run.command, RunEnd::Lost)
}
