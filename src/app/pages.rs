//! Follows the log that the screen shows: sends its rows now and whenever they change, and only the newest wish counts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::domain::board::Board;
use crate::domain::id::{JobId, TicketId};
use crate::domain::job::Job;
use crate::domain::log::{LogPage, LogRequest, LogRows, LogView, Ran};
use crate::domain::run::{Run, RunId};
use crate::engine::Workshop;
use crate::executor::decode::Dialect;
use crate::run::folder::{Folder, Lengths};
use crate::run::growth::Growth;
use crate::store::{Reader, StoreError};
use crate::ui::Msg;

use super::logs::{Log, Rows, dialect_of};
use super::service::Told;

/// Follows several logs at once, each by itself.
#[derive(Debug)]
pub(super) struct Followers {
    workshop: Arc<Workshop>,
    told: mpsc::Sender<Told>,
    /// What is wanted of each ticket, and its follower, which ends when this is dropped.
    by_ticket: HashMap<TicketId, (LogRequest, watch::Sender<Option<Target>>)>,
}

impl Followers {
    /// Returns none yet; they tell what they read to `told`.
    pub(super) fn new(workshop: Arc<Workshop>, told: mpsc::Sender<Told>) -> Self {
        Self { workshop, told, by_ticket: HashMap::new() }
    }

    /// Follows these and no others any more. What is followed already goes on.
    pub(super) fn follow(&mut self, requests: Vec<LogRequest>, board: &Board) {
        self.by_ticket.retain(|id, _| requests.iter().any(|request| request.ticket == *id));
        for request in requests {
            match self.by_ticket.get_mut(&request.ticket) {
                Some((known, _)) => *known = request,
                None => {
                    let (wanted, news) = watch::channel(None);
                    tokio::spawn(follow(Arc::clone(&self.workshop), news, self.told.clone()));
                    self.by_ticket.insert(request.ticket, (request, wanted));
                }
            }
        }
        self.retarget(board);
    }

    /// Follows the runs that the wishes mean now: new runs may have begun since.
    pub(super) fn retarget(&self, board: &Board) {
        for (request, wanted) in self.by_ticket.values() {
            aim(wanted, Some(Target::of(request.clone(), board, &self.workshop)));
        }
    }
}

/// Changes what a follower is to follow, if it differs.
pub(super) fn aim(follower: &watch::Sender<Option<Target>>, target: Option<Target>) {
    follower.send_if_modified(|wanted| {
        let differs = *wanted != target;
        if differs {
            *wanted = target;
        }
        differs
    });
}

/// What is to be followed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Target {
    request: LogRequest,
    source: Source,
}

/// Where the run comes from.
#[derive(Clone, PartialEq, Debug)]
enum Source {
    /// Nothing has run.
    Nowhere,
    /// A run of the newest job, which the board knows.
    Known(Followed),
    /// A run of an older job, which is to be looked up.
    Older(Older, PathBuf),
}

/// Which run of an older job.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Older {
    /// This one.
    This(RunId),
    /// The last one before this job, of which nothing has run.
    Before(JobId),
}

#[derive(Clone, PartialEq, Debug)]
struct Followed {
    id: RunId,
    folder: String,
    dialect: Dialect,
    root: PathBuf,
    earlier: Option<Box<Ran>>,
}

impl Target {
    /// Finds out which run a request means, as the board stands now.
    pub(super) fn of(request: LogRequest, board: &Board, workshop: &Workshop) -> Self {
        let Some(job) = board.newest_job(request.ticket) else {
            return Self { request, source: Source::Nowhere };
        };
        // The log of a ticket that gave its worktree back is read as before; only paths in it may be longer.
        let worktree = board.ticket(request.ticket).and_then(|ticket| ticket.worktree.as_ref());
        let root = worktree.map_or_else(|| workshop.worktrees(), |worktree| worktree.path.clone());
        let run = match request.run {
            Some(id) => board.runs(job.id).find(|run| run.id == id),
            None => board.runs(job.id).next_back(),
        };
        let source = match (run, request.run) {
            (Some(run), _) => Source::Known(Followed::new(workshop, run, job, root)),
            (None, Some(id)) => Source::Older(Older::This(id), root),
            (None, None) => Source::Older(Older::Before(job.id), root),
        };
        Self { request, source }
    }
}

impl Followed {
    fn new(workshop: &Workshop, run: &Run, job: &Job, root: PathBuf) -> Self {
        let dialect = dialect_of(workshop, run, job.agent.as_deref());
        Self { id: run.id, folder: run.folder(), dialect, root, earlier: None }
    }

    /// Looks up a run that the board does not know any more; it blocks.
    fn look_up(workshop: &Workshop, ticket: TicketId, which: Older, root: PathBuf) -> Result<Option<Self>, StoreError> {
        let Some(detail) = Reader::open(&workshop.paths.database())?.detail(ticket)? else { return Ok(None) };
        let run = match which {
            Older::This(id) => detail.runs.iter().find(|run| run.id == id),
            // One that began meanwhile is not of an older job: the board is about to tell of it.
            Older::Before(newest) => detail.runs.iter().rfind(|run| run.id.job != newest),
        };
        let Some(run) = run else { return Ok(None) };
        let Some(job) = detail.jobs.iter().find(|job| job.id == run.id.job) else { return Ok(None) };
        let earlier = matches!(which, Older::Before(_)).then(|| {
            let runs = detail.runs.iter().filter(|other| other.id.job == job.id && other.id.n <= run.id.n);
            Box::new(Ran { job: job.clone(), runs: runs.cloned().collect() })
        });
        Ok(Some(Self { earlier, ..Self::new(workshop, run, job, root) }))
    }
}

/// Returns the run that a target means, or what to send in place of its rows.
async fn find(workshop: &Arc<Workshop>, target: &Target) -> Result<Followed, LogPage> {
    let found = match &target.source {
        Source::Nowhere => Ok(None),
        Source::Known(run) => Ok(Some(run.clone())),
        Source::Older(which, root) => {
            let (workshop, which, root) = (Arc::clone(workshop), *which, root.clone());
            let ticket = target.request.ticket;
            let found = tokio::task::spawn_blocking(move || Followed::look_up(&workshop, ticket, which, root)).await;
            found.map_err(|error| error.to_string()).and_then(|found| found.map_err(|error| error.to_string()))
        }
    };
    match found {
        Ok(Some(run)) => Ok(run),
        Ok(None) => Err(empty(&target.request, None)),
        Err(trouble) => Err(empty(&target.request, Some(trouble))),
    }
}

/// Opens the log of the run that a target means.
///
/// # Errors
/// In words, why there is none.
pub(super) async fn open(workshop: &Arc<Workshop>, target: &Target) -> Result<Log, String> {
    let run =
        find(workshop, target).await.map_err(|page| page.trouble.unwrap_or_else(|| "nothing has run".to_owned()))?;
    let folder = Folder::open(workshop.paths.runs().join(&run.folder)).map_err(|error| error.to_string())?;
    Ok(Log::new(folder, run.dialect, &run.root))
}

/// Sends pages for the newest target until nobody wants any more.
pub(super) async fn follow(
    workshop: Arc<Workshop>,
    mut wanted: watch::Receiver<Option<Target>>,
    pages: mpsc::Sender<Told>,
) {
    let mut open: Option<(RunId, Log, Growth)> = None;
    loop {
        let target = wanted.borrow_and_update().clone();
        let Some(target) = target else {
            open = None;
            if wanted.changed().await.is_err() {
                return;
            }
            continue;
        };
        let run = match find(&workshop, &target).await {
            Ok(run) => run,
            Err(page) => {
                if pages.send(told(page)).await.is_err() || wanted.changed().await.is_err() {
                    return;
                }
                continue;
            }
        };
        let path = workshop.paths.runs().join(&run.folder);
        let folder = match Folder::open(&path) {
            Ok(folder) => folder,
            Err(error) => {
                let page = empty(&target.request, Some(error.to_string()));
                if pages.send(told(page)).await.is_err() || wanted.changed().await.is_err() {
                    return;
                }
                continue;
            }
        };
        let (log, mut growth) = match open.take() {
            Some((id, log, growth)) if id == run.id => (log, growth),
            Some(_) | None => {
                let log = Log::new(folder.clone(), run.dialect, &run.root);
                (log, Growth::since(folder.clone(), Lengths::default()))
            }
        };
        let was_over = folder.is_over();
        let request = target.request.clone();
        let read = tokio::task::spawn_blocking(move || read(log, target, run)).await;
        let (log, page, behind) = match read {
            Ok((log, id, page, behind)) => (Some((id, log)), page, behind),
            Err(error) => {
                let trouble = format!("the log cannot be read: an internal error: {error}");
                (None, empty(&request, Some(trouble)), false)
            }
        };
        if pages.send(told(page)).await.is_err() {
            return;
        }
        if !behind {
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                grown = growth.changed() => match grown {
                    Ok(Some(_)) => {}
                    // Only now a last line that nobody ended is one.
                    Ok(None) if !was_over => {}
                    // It is over, or cannot be read: nothing more comes until somebody wants something else.
                    Ok(None) | Err(_) => if wanted.changed().await.is_err() { return },
                },
            }
        }
        open = log.map(|(id, log)| (id, log, growth));
    }
}

fn told(page: LogPage) -> Told {
    Told::Msg(Box::new(Msg::LogPage(Box::new(page))))
}

/// Reads the rows, and says whether there is more to read before they are right.
fn read(mut log: Log, target: Target, run: Followed) -> (Log, RunId, LogPage, bool) {
    let request = target.request;
    let mut behind = false;
    let page = match log.look(&request) {
        Ok(rows) => {
            behind = rows.behind;
            let Rows { first, total, counted, rows, hidden, found, progress, behind: _ } = rows;
            let (run, earlier) = (Some(run.id), run.earlier);
            LogPage { run, earlier, first, total, counted, rows, hidden, found, progress, trouble: None, request }
        }
        Err(error) => empty(&request, Some(format!("the log cannot be read: {error}"))),
    };
    (log, run.id, page, behind)
}

fn empty(request: &LogRequest, trouble: Option<String>) -> LogPage {
    let rows = match request.view {
        LogView::Pretty => LogRows::Pretty(Vec::new()),
        LogView::Raw => LogRows::Raw(Vec::new()),
    };
    LogPage { trouble, ..LogPage::of(request.clone(), rows) }
}
