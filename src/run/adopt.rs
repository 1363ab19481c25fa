//! Takes back a run after a crash: finds out where it stands, and settles one whose supervisor is gone.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::error::RunError;
use super::folder::{Folder, Lengths, Lock, Stream};
use super::os::{self, Process};
use super::record::ExitRecord;
use super::spec::{Limits, Mark};
use super::times::Times;
use super::tree::{Hunt, Round, Tree};
use crate::domain::run::RunEnd;
use crate::domain::time::Timestamp;

/// Where a run stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Its lock is held: a supervisor lives, or somebody settles it right now.
    Running,
    /// It is over.
    Ended(ExitRecord),
    /// No supervisor ever took it. One that was launched a moment ago may still come.
    NeverStarted,
    /// Its supervisor is gone without an exit record, or its folder is, where the record would be. Its program may live.
    Dead,
}

/// Finds out where a run stands. A damaged exit record is an end that nobody knows.
///
/// # Errors
///
/// [`RunError::Io`] if the folder cannot be read.
pub fn look(folder: &Folder) -> Result<Standing, RunError> {
    if let Some(record) = record(folder)? {
        return Ok(Standing::Ended(record));
    }
    if folder.is_gone() {
        return Ok(Standing::Dead);
    }
    // Somebody may have deleted the file with the lock, and then the process says as much.
    if folder.is_locked()? || lives(folder) {
        return Ok(Standing::Running);
    }
    // It may have ended between the two looks; a record is always there before the lock is given back.
    Ok(match record(folder)? {
        Some(record) => Standing::Ended(record),
        None if folder.was_taken() => Standing::Dead,
        None => Standing::NeverStarted,
    })
}

/// Settles a run that no supervisor will end: stops what is left of its tree, and writes that it is lost, or that it
/// was never started. Its output is kept. A supervisor that comes late finds the record and starts nothing.
///
/// The tree is stopped before the record is written, under the lock, so that a crash in between only means that it is
/// done again. Blocks as long as the processes take to end: at most the grace of the run and ten seconds.
///
/// # Errors
///
/// [`RunError::StillRunning`] if its supervisor lives; [`RunError::Io`] if the record cannot be written.
pub fn settle(folder: &Folder, now: Timestamp) -> Result<ExitRecord, RunError> {
    settle_because(folder, now, None)
}

/// Settles a run; `because` is what the caller knows about why its supervisor is gone.
pub(super) fn settle_because(folder: &Folder, now: Timestamp, because: Option<String>) -> Result<ExitRecord, RunError> {
    if let Some(record) = record(folder)? {
        return Ok(record);
    }
    let was_gone = folder.is_gone();
    if was_gone {
        folder.make_again()?;
    }
    let _lock = take_lock(folder)?;
    if let Some(record) = record(folder)? {
        return Ok(record);
    }
    let lengths = folder.lengths()?;
    let record = if folder.was_taken() {
        let because = if was_gone { Some("its folder was deleted".to_owned()) } else { because };
        lost(folder, now, because)
    } else if folder.stop_requested() {
        ExitRecord::new(RunEnd::Stopped, now, lengths)
    } else {
        let error = because.unwrap_or_else(|| "no supervisor took it".to_owned());
        ExitRecord::new(RunEnd::NotStarted { error }, now, lengths)
    };
    folder.write_record(&record)?;
    Ok(record)
}

/// Reads the exit record; a damaged one says that the end is unknown.
fn record(folder: &Folder) -> Result<Option<ExitRecord>, RunError> {
    match folder.record() {
        Err(error @ RunError::Damaged { .. }) => {
            let record = ExitRecord::new(RunEnd::Lost, folder.record_written_at(), folder.lengths()?);
            Ok(Some(ExitRecord { message: Some(error.to_string()), ..record }))
        }
        other => other,
    }
}

/// Takes the lock. Others who only look have it for an instant, so it is tried for a while.
fn take_lock(folder: &Folder) -> Result<Lock, RunError> {
    let patience = Instant::now() + Duration::from_secs(1);
    loop {
        let lives = lives(folder);
        if !lives && let Some(lock) = folder.try_lock()? {
            return Ok(lock);
        }
        if lives || Instant::now() >= patience {
            return Err(RunError::StillRunning { path: folder.path().to_owned() });
        }
        os::wait_for(&[], Duration::from_millis(5));
    }
}

/// Says whether the run's supervisor lives, whoever has the lock.
fn lives(folder: &Folder) -> bool {
    folder.living_supervisor().is_ok_and(|process| process.is_some())
}

/// Stops what is left of a run whose supervisor died, and says what is known about it.
fn lost(folder: &Folder, now: Timestamp, because: Option<String>) -> ExitRecord {
    let holder = folder.holder();
    let mut messages: Vec<String> = because.into_iter().collect();
    let mut stragglers = 0;
    if folder.is_of_another_boot() {
        messages.push("the machine was restarted meanwhile".to_owned());
    } else {
        let cause = if messages.is_empty() { Some("its supervisor was killed".to_owned()) } else { None };
        let is_explained = cause.is_none();
        messages.extend(cause);
        let (mark, limits) = match folder.spec() {
            Ok(spec) => (Some(spec.mark), spec.limits),
            Err(error) => {
                if !is_explained {
                    messages.push(error.to_string());
                }
                (folder.run_id().map(Mark::of), Limits::default())
            }
        };
        match mark {
            Some(mark) => stragglers = stop_tree(mark, limits, &mut messages),
            None => messages.push("its processes could not be looked for".to_owned()),
        }
    }
    let lengths = folder.lengths().unwrap_or_default();
    ExitRecord {
        started_at: holder.map(|holder| holder.at),
        shrank: lengths.shrank_since(last_noted(folder)),
        stragglers,
        message: (!messages.is_empty()).then(|| messages.join("; ")),
        ..ExitRecord::new(RunEnd::Lost, now, lengths)
    }
}

/// Stops all processes with the mark, and returns how many there were.
fn stop_tree(mark: Mark, limits: Limits, messages: &mut Vec<String>) -> u32 {
    let (asked, left) = hunt_down(mark, Duration::from_millis(limits.grace_ms));
    if left > 0 {
        messages.push(format!("{left} of its processes could not be ended, not even by SIGKILL"));
    }
    u32::try_from(asked).unwrap_or(u32::MAX)
}

/// Stops all processes with the mark; returns how many were asked to end, and how many are left all the same.
pub(super) fn hunt_down(mark: Mark, grace: Duration) -> (usize, usize) {
    let mut hunt = Hunt::new(Tree { mark, root: None }, Instant::now(), grace);
    let left = loop {
        let now = Instant::now();
        match hunt.round(now) {
            Round::Gone => break 0,
            Round::Left(left) => wait_for_any(&left, hunt.next_step(now).saturating_duration_since(now)),
            Round::GaveUp(count) => break count,
        }
    };
    (hunt.asked(), left)
}

/// Waits until one of the processes ends, or the time is over.
fn wait_for_any(processes: &[Process], time: Duration) {
    // A few are enough to wake early; all of a large tree would need as many descriptors.
    let open: Vec<_> = processes.iter().take(16).filter_map(|process| process.open().ok().flatten()).collect();
    let descriptors: Vec<_> = open.iter().map(AsFd::as_fd).collect();
    os::wait_for(&descriptors, time);
}

/// Returns how long the files were when the index was written last.
fn last_noted(folder: &Folder) -> Lengths {
    let times = Times::open(folder.index());
    Lengths { stdout: times.noted(Stream::Stdout), stderr: times.noted(Stream::Stderr) }
}
