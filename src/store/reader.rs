//! Reads the database through a connection of its own, which changes nothing. Each answer is of one moment.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::boards::EngineRow;
use super::commands::Pending;
use super::error::{Fault, StoreError};
use super::inventory::{self, Inventory};
use super::open::{self, Limits};
use super::{boards, commands, events, evidence, goals, jobs, remarks, reviews, revisions, runs, save, sight, tickets};
use crate::domain::autonomy::SERVICE;
use crate::domain::board::{About, Board};
use crate::domain::change::Change;
use crate::domain::command::Refused;
use crate::domain::detail::Detail;
use crate::domain::evidence::Evidence;
use crate::domain::id::{BoardId, JobId, TicketId, TicketNumber};
use crate::domain::job::{Job, JobKind};
use crate::domain::revision::Revision;
use crate::domain::run::Run;
use crate::domain::sight::{Rest, Sight};
use crate::domain::time::Timestamp;

/// A board with more tickets than this is not read whole before it is seen.
const LARGE: u32 = 500;

/// Reads the database. It never waits for the writer, and each answer is of one moment.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    db: Connection,
}

impl Reader {
    /// Opens the database to read.
    ///
    /// # Errors
    /// When there is none, or it is not Draft's, damaged, or of another schema than this Draft needs.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // Allowed to write as far as the file goes: whoever closes the database last writes back what lies beside it and
        // removes that, which a connection that may only read cannot do.
        let db = open::existing(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Limits::default().busy)?;
        db.pragma_update(None, "query_only", true).map_err(|error| Fault::from(error).at(path))?;
        Ok(Self { path: path.to_owned(), db })
    }

    /// Returns all boards that were not removed, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read; so with all that follow.
    pub fn boards(&self) -> Result<Vec<About>, StoreError> {
        self.read(boards::present)
    }

    /// Returns the boards that were removed and when, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn removed_boards(&self) -> Result<Vec<(About, Timestamp)>, StoreError> {
        self.read(boards::removed)
    }

    /// Returns the board of a repository, also one that was removed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn board_by_repo(&self, repo_root: &Path) -> Result<Option<About>, StoreError> {
        self.read(|db| boards::by_repo(db, repo_root))
    }

    /// Returns a board with all that rules and cards need, and the number of the change at which it stands.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn board(&self, id: BoardId) -> Result<Option<(Board, u64)>, StoreError> {
        self.read(|db| {
            let Some(about) = boards::by_id(db, id)? else { return Ok(None) };
            let mut board = Board::new(about);
            goals::since(db, id, 0)?.into_iter().map(Change::Goal).for_each(|goal| board.take(goal));
            let mut here = HashSet::new();
            tickets::each(db, id, |ticket| {
                here.insert(ticket.id);
                board.take(Change::Ticket(ticket));
            })?;
            for job in jobs::newest(db, |ticket| here.contains(&ticket))? {
                let of = job.id;
                board.take(Change::Job(job));
                runs::of_job(db, of)?.into_iter().map(Change::Run).for_each(|run| board.take(run));
            }
            let revisions = revisions::newest(db, |ticket| here.contains(&ticket))?;
            revisions.into_iter().map(Change::Revision).for_each(|revision| board.take(revision));
            let comments = reviews::comments_since(db, id, 0)?;
            comments.into_iter().map(Change::Comment).for_each(|comment| board.take(comment));
            reviews::by(db, id, SERVICE)?.into_iter().map(Change::Review).for_each(|review| board.take(review));
            boards::autopilot_since(db, id, 0)?.into_iter().for_each(|mode| board.take(Change::Autopilot(mode)));
            Ok(Some((board, save::newest_change(db)?.cast_unsigned())))
        })
    }

    /// Returns what is seen of a board first, with so many tickets of each column; all of a board that is not large.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sight(&self, id: BoardId, first: usize) -> Result<Option<Sight>, StoreError> {
        if self.read(|db| tickets::count(db, id))?.iter().map(|(_, count)| count).sum::<u32>() > LARGE {
            return self.part(id, first);
        }
        Ok(self.board(id)?.map(|(board, _)| Sight { board, rest: Rest::default() }))
    }

    /// Returns what is seen first even of a small board.
    pub(super) fn part(&self, id: BoardId, first: usize) -> Result<Option<Sight>, StoreError> {
        self.read(|db| sight::first(db, id, first))
    }

    /// Returns what changed on a board after that change, and the number of the change at which it now stands.
    ///
    /// A smaller number than `since` means that the database was replaced by an older copy: load the board anew.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn changes_since(&self, board: BoardId, since: u64) -> Result<(u64, Vec<Change>), StoreError> {
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        self.read(|db| {
            let mut changes: Vec<Change> = Vec::new();
            changes.extend(goals::since(db, board, since)?.into_iter().map(Change::Goal));
            changes.extend(tickets::since(db, board, since)?.into_iter().map(Change::Ticket));
            changes.extend(jobs::since(db, board, since)?.into_iter().map(Change::Job));
            changes.extend(runs::since(db, board, since)?.into_iter().map(Change::Run));
            changes.extend(revisions::since(db, board, since)?.into_iter().map(Change::Revision));
            changes.extend(evidence::since(db, board, since)?.into_iter().map(Change::Evidence));
            changes.extend(reviews::comments_since(db, board, since)?.into_iter().map(Change::Comment));
            changes.extend(reviews::reviews_since(db, board, since)?.into_iter().map(Change::Review));
            changes.extend(boards::autopilot_since(db, board, since)?.map(Change::Autopilot));
            changes.extend(events::since(db, board, since)?.into_iter().map(Change::Event));
            Ok((save::newest_change(db)?.cast_unsigned(), changes))
        })
    }

    /// Returns everything about a ticket that the board itself does not keep.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn detail(&self, ticket: TicketId) -> Result<Option<Detail>, StoreError> {
        self.read(|db| {
            let Some(description) = tickets::description(db, ticket)? else { return Ok(None) };
            Ok(Some(Detail {
                ticket,
                description,
                jobs: jobs::of_ticket(db, ticket)?,
                runs: runs::of_ticket(db, ticket)?,
                revisions: revisions::of_ticket(db, ticket)?,
                comments: reviews::comments_of(db, ticket)?,
                reviews: reviews::reviews_of(db, ticket)?,
                remarks: remarks::of_ticket(db, ticket)?,
                evidence: evidence::of_ticket(db, ticket)?,
                events: events::of_ticket(db, ticket)?,
            }))
        })
    }

    /// Says whether a check passed before, for whatever ticket of the board: on this tree, this command, in these surroundings.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_passed(&self, board: BoardId, check: (&str, &str, &str)) -> Result<bool, StoreError> {
        self.read(|db| evidence::has_passed(db, board, check))
    }

    /// Returns what ran on a tree, for whatever ticket of the board, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn results_on(&self, board: BoardId, tree: &str) -> Result<Vec<Evidence>, StoreError> {
        self.read(|db| evidence::on_tree(db, board, tree))
    }

    /// Returns the evidence of a ticket, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn evidence_of(&self, ticket: TicketId) -> Result<Vec<Evidence>, StoreError> {
        self.read(|db| evidence::of_ticket(db, ticket))
    }

    /// Returns a ticket's description.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn description(&self, ticket: TicketId) -> Result<Option<String>, StoreError> {
        self.read(|db| tickets::description(db, ticket))
    }

    /// Returns the descriptions of a board's tickets; those that have none are not in it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn descriptions(&self, board: BoardId) -> Result<HashMap<TicketId, String>, StoreError> {
        self.read(|db| tickets::descriptions(db, board))
    }

    /// Returns a job's runs, by number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn runs_of(&self, job: JobId) -> Result<Vec<Run>, StoreError> {
        self.read(|db| runs::of_job(db, job))
    }

    /// Returns a ticket's revisions, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn revisions(&self, ticket: TicketId) -> Result<Vec<Revision>, StoreError> {
        self.read(|db| revisions::of_ticket(db, ticket))
    }

    /// Returns a board's jobs that are queued or running, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn active_jobs(&self, board: BoardId) -> Result<Vec<Job>, StoreError> {
        self.read(|db| jobs::active(db, board))
    }

    /// Returns how many jobs of a kind a ticket has had since a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn jobs_since(&self, ticket: TicketId, kind: JobKind, since: Timestamp) -> Result<u32, StoreError> {
        self.read(|db| jobs::count_since(db, ticket, kind, since))
    }

    /// Returns what a board's jobs cost that ended since a moment, in millionths of a US dollar; nothing when none said a cost.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn spent_since(&self, board: BoardId, since: Timestamp) -> Result<Option<u64>, StoreError> {
        self.read(|db| jobs::spent_since(db, board, since))
    }

    /// Returns a ticket's jobs, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn jobs_of(&self, ticket: TicketId) -> Result<Vec<Job>, StoreError> {
        self.read(|db| jobs::of_ticket(db, ticket))
    }

    /// Returns the ticket of a board that has this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ticket_numbered(&self, board: BoardId, number: TicketNumber) -> Result<Option<TicketId>, StoreError> {
        self.read(|db| tickets::numbered(db, board, number))
    }

    /// Returns the first ports of all worktrees, on whatever board.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ports(&self) -> Result<Vec<u16>, StoreError> {
        self.read(tickets::ports)
    }

    /// Returns the text of the repository's configuration that the user trusts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn trusted(&self, repo_root: &Path) -> Result<Option<String>, StoreError> {
        self.read(|db| boards::trusted(db, repo_root))
    }

    /// Returns the commands of other processes that nobody answered yet, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pending_commands(&self, board: BoardId) -> Result<Vec<Pending>, StoreError> {
        self.read(|db| commands::pending(db, board))
    }

    /// Returns the answer to a command, once there is one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn answer(&self, command: i64) -> Result<Option<Result<(), Refused>>, StoreError> {
        self.read(|db| commands::answered(db, command))
    }

    /// Returns who last said that it is the board's engine.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn engine(&self, board: BoardId) -> Result<Option<EngineRow>, StoreError> {
        self.read(|db| boards::engine(db, board))
    }

    /// Returns everything that the database says is there, of all boards and of one moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn inventory(&self) -> Result<Inventory, StoreError> {
        self.read(inventory::take)
    }

    /// Has SQLite look through the whole file, and returns what it complains about; nothing when the file is sound.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn complaints(&self) -> Result<Vec<String>, StoreError> {
        self.read(inventory::complaints)
    }

    /// Returns the number of the schema that the database has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn schema(&self) -> Result<u32, StoreError> {
        self.read(|db| Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?))
    }

    /// Returns a number that differs once another connection, of this process or another, has written.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        let version =
            self.db.prepare_cached("PRAGMA data_version").and_then(|mut query| query.query_row([], |row| row.get(0)));
        version.map_err(|error| Fault::from(error).at(&self.path))
    }

    /// Reads in one transaction, so that all of an answer is of one moment.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let read = || {
            let tx = self.db.unchecked_transaction()?;
            read(&tx)
        };
        read().map_err(|fault| fault.at(&self.path))
    }
}
