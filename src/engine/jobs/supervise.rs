//! Brings one run to its end: starts it unless it was started already, looks on, and stops it when asked to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use crate::domain::change::Save;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::id::EvidenceId;
use crate::domain::run::{Run, RunEnd, RunId, RunKind};
use crate::run::adopt::{self, Standing};
use crate::run::folder::Folder;
use crate::run::follow;
use crate::run::launch;
use crate::run::record::ExitRecord;
use crate::run::spec::{Limits, Mark, Output, SPEC_VERSION, Spec, Stdin};

use super::super::actor::now;
use super::super::error::EngineError;
use super::bench::Bench;

/// How often new output is looked at while a run goes on.
const GLANCE: Duration = Duration::from_millis(250);

/// Variables that would make git in a worktree work on another repository.
const MISLEADING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

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

/// A run that is over.
pub(super) struct Ended {
    pub(super) run: Run,
    pub(super) record: ExitRecord,
    pub(super) folder: Folder,
}

/// Looks at what a run leaves in its folder while it goes on.
pub(super) trait Onlooker {
    /// Takes note of what is there by now.
    async fn glance(&mut self, bench: &Bench, folder: &Folder);
}

/// Somebody who does not look.
pub(super) struct Nobody;

impl Onlooker for Nobody {
    async fn glance(&mut self, _bench: &Bench, _folder: &Folder) {}
}

/// Returns the folder of a run of this job.
pub(super) fn folder_of(bench: &Bench, n: u32, kind: RunKind) -> PathBuf {
    bench.shop.paths.runs().join(RunId { job: bench.job.id, n }.folder(kind))
}

/// Brings a run to its end. What is on disk decides: a folder that is there is taken over, whoever made it.
pub(super) async fn see_through(
    bench: &Bench,
    known: &[Run],
    plan: Plan,
    onlooker: &mut impl Onlooker,
) -> Result<Ended, EngineError> {
    let id = RunId { job: bench.job.id, n: plan.n };
    let path = folder_of(bench, plan.n, plan.kind);
    let folder = if path.is_dir() {
        Folder::open(path)?
    } else {
        Folder::create(&bench.shop.paths.runs(), &spec(bench, &plan), plan.prompt.as_deref().map(str::as_bytes))?
    };
    let mut run = known.iter().find(|run| run.id == id).cloned().unwrap_or_else(|| Run {
        id,
        kind: plan.kind,
        command: plan.display,
        started_at: now(),
        finished_at: None,
        end: None,
    });
    if run.end.is_none() {
        bench.record(vec![Save::Run(run.clone())]).await?;
    }
    let record = bring_to_end(bench, &folder, onlooker).await?;
    run.started_at = record.started_at.unwrap_or(run.started_at);
    run.finished_at = Some(record.ended_at);
    run.end = Some(record.end.clone());
    Ok(Ended { run, record, folder })
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
        mark: Mark(Uuid::now_v7()),
    }
}

async fn bring_to_end(bench: &Bench, folder: &Folder, onlooker: &mut impl Onlooker) -> Result<ExitRecord, EngineError> {
    let ended = async {
        match adopt::look(folder)? {
            // Nothing was ever started in it, so starting it now starts nothing twice: the lock sees to that.
            Standing::NeverStarted => launch::launch(&bench.shop.draft_program, folder)?.ended().await,
            Standing::Ended(_) | Standing::Running | Standing::Dead => follow::ended(folder).await,
        }
    };
    if bench.stop.is_cancelled() {
        // Stored before anything could start, so a supervisor that only starts now obeys it.
        follow::stop(folder)?;
    }
    tokio::pin!(ended);
    let mut stopping = bench.stop.is_cancelled();
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
            () = tokio::time::sleep(GLANCE) => onlooker.glance(bench, folder).await,
        }
    }
}

/// Returns what proves how a run ended: its row and a piece of evidence.
pub(super) fn proof(bench: &Bench, ended: &Ended, kind: EvidenceKind, tree: Option<String>) -> Vec<Save> {
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
        at: ended.record.ended_at,
    };
    vec![Save::Run(ended.run.clone()), Save::Evidence(evidence)]
}

/// Returns what people should know about a run that was lost.
pub(super) fn how_it_was_lost(ended: &Ended) -> String {
    match &ended.record.message {
        Some(message) => format!("`{}` ended, and no one saw how: {message}", ended.run.command),
        None => format!("`{}` {}", ended.run.command, RunEnd::Lost),
    }
}
