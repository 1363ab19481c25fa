//! The supervisor: a small process that starts one program, outlives the board, and writes down how the program ended.
//!
//! It has no threads and no runtime, and it never waits without listening for stop requests. What it does is in order in
//! the function `run`; while the program lives, in `Supervision::go_on`.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{WaitOptions, WaitStatus};

use super::error::RunError;
use super::folder::{Folder, Holder, Lock, Place};
use super::os;
use super::output::{Pump, Watch, wall_clock};
use super::program::{command, why_not_started};
use super::record::ExitRecord;
use super::signals::Signals;
use super::spec::Spec;
use super::tree::{Hunt, Round, Tree};
use crate::domain::run::RunEnd;
use crate::domain::time::Timestamp;

/// How long what is left may end by itself when the program has: `exec > >(tee log)` needs a moment to write its last.
const LINGER: Duration = Duration::from_millis(300);
/// Longest time between the two signals for what is left when the program has ended by itself.
const STRAGGLER_GRACE: Duration = Duration::from_secs(2);
/// Longest time between the two signals for a tree that fills the disk.
const FLOOD_GRACE: Duration = Duration::from_secs(1);
/// How long a pipe may say nothing before its copying ends, when no process of the run is left to write into it.
const DRAIN: Duration = Duration::from_millis(200);
/// How long output may wait for space on the disk when the run is over otherwise.
const FULL_DISK_PATIENCE: Duration = Duration::from_secs(60);

/// Supervises the run in this folder to its end: the whole of `draft supervise FOLDER`.
///
/// It starts nothing if somebody else has the run, had it, or it has an exit record already.
pub fn main(folder: &Path) -> ExitCode {
    match run(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads it when the board started this, but a person might.
            eprintln!("draft supervise: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &Path) -> Result<(), RunError> {
    let path = path.canonicalize().map_err(RunError::io("open", path))?;
    let folder = Folder::open(path)?;
    let place = folder.hold()?;
    let adopts = os::detach();
    // The folder is absolute now, and nobody's mount or worktree shall be held by this process.
    let _ = std::env::set_current_dir("/");
    let mut signals = Signals::catch().map_err(RunError::io("catch signals for", folder.path()))?;

    let Some(lock) = claim(&folder, &mut signals)? else { return Ok(()) };
    let at = wall_clock();
    let process = os::this_process()
        .ok_or_else(|| RunError::io("find this process in", Path::new("/proc"))(io::ErrorKind::NotFound.into()))?;
    let holder = Holder { process, boot: os::boot_id(), at };
    keep_trying(&folder, &place, &mut signals, GivesUp::WhenAsked, |folder| folder.write_holder(&holder))?;

    // From here on a request is a signal; one from before is a file.
    let record = if folder.stop_requested() || signals.stop_requested() {
        ExitRecord::new(RunEnd::Stopped, wall_clock(), folder.lengths().unwrap_or_default())
    } else {
        match Supervision::begin(&folder, &place, &mut signals, adopts) {
            Ok(mut supervision) => {
                supervision.go_on();
                supervision.record(at)
            }
            Err(error) => {
                ExitRecord::new(RunEnd::NotStarted { error }, wall_clock(), folder.lengths().unwrap_or_default())
            }
        }
    };
    keep_trying(&folder, &place, &mut signals, GivesUp::Never, |folder| folder.write_record(&record))?;
    drop(lock);
    Ok(())
}

/// Takes the run; nothing if it is somebody else's, was, or is over.
fn claim(folder: &Folder, signals: &mut Signals) -> Result<Option<Lock>, RunError> {
    let patience = Instant::now() + Duration::from_secs(1);
    loop {
        if let Some(lock) = folder.try_lock()? {
            // Taken before and no record: that supervisor died, and its program may live. It is not started twice.
            let is_new = !folder.was_taken() && matches!(folder.record(), Ok(None));
            return Ok(is_new.then_some(lock));
        }
        // Somebody who only looks whether the lock is free has it for an instant.
        if folder.was_taken() || Instant::now() >= patience {
            return Ok(None);
        }
        pause(signals, Duration::from_millis(5));
    }
}

/// Whether a request to stop ends the attempts to write something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GivesUp {
    /// Nothing was started yet.
    WhenAsked,
    /// How a run ended is known here and nowhere else.
    Never,
}

/// Does something until it works: what becomes of a run must not be lost to a full disk. Gives up when the folder is
/// gone: in one that was made again in its place somebody else has written what became of the run.
fn keep_trying(
    folder: &Folder,
    place: &Place,
    signals: &mut Signals,
    gives_up: GivesUp,
    mut what: impl FnMut(&Folder) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let asked = |signals: &Signals| signals.stop_requested() || folder.stop_requested();
    let mut wait = Duration::from_millis(50);
    loop {
        if place.is_gone() {
            return Err(RunError::io("write into", folder.path())(io::ErrorKind::NotFound.into()));
        }
        let Err(error) = what(folder) else { return Ok(()) };
        if gives_up == GivesUp::WhenAsked && asked(signals) {
            return Err(error);
        }
        pause(signals, wait);
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

/// Waits, but not longer than until a signal comes.
fn pause(signals: &mut Signals, time: Duration) {
    os::wait_for(&[signals.as_fd()], time);
    signals.drain();
}

/// A program that runs.
struct Supervision<'a> {
    folder: &'a Folder,
    place: &'a Place,
    spec: Spec,
    signals: &'a mut Signals,
    tree: Tree,
    child: i32,
    /// How the program ended.
    status: Option<WaitStatus>,
    /// Whether descendants are left. Orphans become children of this process, so the system knows it for sure, while one
    /// that is born as its parent dies can be missing in a list of processes that is read just then.
    has_children: bool,
    /// Whether orphans do become its children.
    adopts: bool,
    /// Why it was stopped, if it was.
    why: Option<RunEnd>,
    watch: Watch,
    pumps: Vec<Pump>,
    buffer: Vec<u8>,
    started: Instant,
    linger_until: Option<Instant>,
    /// What was learned at the last look at the folder.
    unwanted: Option<RunEnd>,
    hunt: Option<Hunt>,
    message: Option<String>,
}

/// What a supervisor does next.
enum Next {
    /// Waits until then, or until something happens.
    Wait(Instant),
    /// Nothing of the run is left.
    Over,
}

impl<'a> Supervision<'a> {
    /// Starts the program. The error is for people.
    fn begin(folder: &'a Folder, place: &'a Place, signals: &'a mut Signals, adopts: bool) -> Result<Self, String> {
        let spec = folder.spec().map_err(|error| error.to_string())?;
        let now = Instant::now();
        let watch = Watch::new(folder, now).map_err(|error| error.to_string())?;
        let (mut command, pumps) = command(folder, &spec).map_err(|error| error.to_string())?;
        let child = command.spawn().map_err(|error| why_not_started(&spec, &error))?;
        // Dropped here: it holds the writing ends of the pipes, and they must be the program's alone.
        drop(command);
        let child = i32::try_from(child.id()).map_err(|error| error.to_string())?;
        os::step_back(child);
        let tree = Tree { mark: spec.mark, root: Some(rustix::process::getpid().as_raw_pid()) };
        Ok(Self {
            folder,
            place,
            spec,
            signals,
            tree,
            child,
            status: None,
            has_children: true,
            adopts,
            why: None,
            watch,
            pumps,
            buffer: Vec::new(),
            started: now,
            linger_until: None,
            unwanted: None,
            hunt: None,
            message: None,
        })
    }

    /// Waits until nothing of the run is left.
    fn go_on(&mut self) {
        loop {
            self.reap();
            let now = Instant::now();
            if now >= self.watch.next {
                self.watch.look(now);
                self.look_at_folder();
            }
            match self.next(now) {
                Next::Wait(until) => self.wait(until.min(self.watch.next)),
                Next::Over => break,
            }
        }
        self.drain();
        self.reap();
        self.watch.look(Instant::now());
        if !self.place.is_gone()
            && let Err(error) = self.watch.bring_back_deleted(self.folder)
        {
            self.message = Some(format!("its output was deleted, and could not be written again: {error}"));
        }
        self.watch.sync();
    }

    /// Decides what to do next.
    fn next(&mut self, now: Instant) -> Next {
        if let Some(hunt) = &mut self.hunt {
            return match hunt.round(now) {
                Round::Gone if self.has_children => Next::Wait(now + Duration::from_millis(5)),
                Round::Gone => Next::Over,
                Round::Left(_) => Next::Wait(hunt.next_step(now)),
                Round::GaveUp(count) => {
                    self.message = Some(format!("{count} of its processes could not be ended, not even by SIGKILL"));
                    Next::Over
                }
            };
        }
        if self.status.is_some() {
            return self.after_its_end(now);
        }
        if let Some(why) = self.reason_to_stop(now) {
            let most = if why == RunEnd::TooMuchOutput { FLOOD_GRACE } else { Duration::MAX };
            self.why = Some(why);
            return self.hunt(now, self.grace().min(most));
        }
        Next::Wait(self.next_limit(now))
    }

    /// The program has ended by itself: what it left has a moment to end too, and is stopped then.
    fn after_its_end(&mut self, now: Instant) -> Next {
        // Whoever looks at all processes of the machine for the mark is busy for milliseconds.
        if !self.has_children && (self.adopts || self.tree.members().is_empty()) {
            return Next::Over;
        }
        let until = *self.linger_until.get_or_insert(now + LINGER);
        if now >= until || self.signals.stop_requested() {
            return self.hunt(now, self.grace().min(STRAGGLER_GRACE));
        }
        Next::Wait(until.min(now + Duration::from_millis(50)))
    }

    fn hunt(&mut self, now: Instant, grace: Duration) -> Next {
        self.hunt = Some(Hunt::new(self.tree, now, grace));
        Next::Wait(now)
    }

    /// Returns why the program has to be stopped now, if it has to.
    fn reason_to_stop(&mut self, now: Instant) -> Option<RunEnd> {
        let limits = self.spec.limits;
        if self.signals.stop_requested() {
            if !self.folder.stop_requested() {
                self.message = Some("its supervisor was asked to end, and not by Draft".to_owned());
            }
            return Some(RunEnd::Stopped);
        }
        if self.unwanted.is_some() {
            return self.unwanted.take();
        }
        if limits.time_ms.is_some_and(|most| now >= self.started + Duration::from_millis(most)) {
            return Some(RunEnd::TimedOut);
        }
        if limits.output_bytes.is_some_and(|most| self.watch.lengths.total() > most) {
            return Some(RunEnd::TooMuchOutput);
        }
        let silence = Duration::from_millis(limits.silence_ms?);
        if now >= self.watch.grew_at + silence {
            // The last look may be two seconds old.
            self.watch.look(now);
        }
        (now >= self.watch.grew_at + silence).then_some(RunEnd::Silent)
    }

    fn next_limit(&self, now: Instant) -> Instant {
        let limits = self.spec.limits;
        let time = limits.time_ms.map(|most| self.started + Duration::from_millis(most));
        let silence = limits.silence_ms.map(|most| self.watch.grew_at + Duration::from_millis(most));
        [time, silence].into_iter().flatten().min().unwrap_or(now + Duration::from_secs(3600))
    }

    /// Looks whether it is still wanted. A request can come without its signal, when nobody finds this process; and a run
    /// whose folder was deleted is stopped, since nobody can follow it any more.
    fn look_at_folder(&mut self) {
        if self.place.is_gone() {
            self.unwanted = Some(RunEnd::Lost);
        } else if self.folder.stop_requested() {
            self.unwanted = Some(RunEnd::Stopped);
        }
    }

    fn grace(&self) -> Duration {
        Duration::from_millis(self.spec.limits.grace_ms)
    }

    /// Waits for signals and for output in pipes.
    fn wait(&mut self, until: Instant) {
        let stuck = self.pumps.iter().any(Pump::is_stuck);
        let most = if stuck { Duration::from_millis(250) } else { Duration::MAX };
        self.poll(until.saturating_duration_since(Instant::now()).min(most));
        self.signals.drain();
    }

    /// Waits once, and copies what came. Says whether anything did.
    fn poll(&mut self, time: Duration) -> bool {
        let mut descriptors = vec![self.signals.as_fd()];
        descriptors.extend(self.pumps.iter().filter_map(Pump::readable).map(AsFd::as_fd));
        let mut ready = os::wait_for(&descriptors, time).into_iter().skip(1);
        let mut came = false;
        for pump in &mut self.pumps {
            if pump.readable().is_none() {
                pump.flush();
            } else if ready.next() == Some(true) {
                pump.copy(&mut self.buffer);
                came = true;
            }
        }
        came
    }

    /// Copies what is left in the pipes. A process that nobody found may hold one open, so silence ends it too.
    fn drain(&mut self) {
        let patience = Instant::now() + FULL_DISK_PATIENCE;
        while self.pumps.iter().any(|pump| pump.pipe.is_some() || pump.is_stuck()) {
            let came = self.poll(DRAIN);
            self.signals.drain();
            let stuck: usize = self.pumps.iter().map(Pump::pending).sum();
            if !came && stuck == 0 {
                return;
            }
            if stuck > 0 && Instant::now() >= patience {
                self.message = Some(format!("the last {stuck} bytes of output found no space on the disk"));
                return;
            }
        }
    }

    /// Waits for all children that have ended: the program and orphans that became ours.
    fn reap(&mut self) {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid.as_raw_pid() == self.child && (status.exited() || status.signaled()) => {
                    self.status = Some(status);
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return self.has_children = true,
                Err(_) => return self.has_children = false,
            }
        }
    }

    fn record(self, started_at: Timestamp) -> ExitRecord {
        let own_end = self.status.map(|status| match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => RunEnd::Exited { code },
            (None, Some(signal)) => RunEnd::Signaled { signal },
            (None, None) => RunEnd::Lost,
        });
        let asked = self.hunt.as_ref().map_or(0, Hunt::asked);
        let stragglers = if self.why.is_none() { u32::try_from(asked).unwrap_or(u32::MAX) } else { 0 };
        ExitRecord {
            started_at: Some(started_at),
            shrank: self.watch.shrank,
            stragglers,
            message: self.message,
            ..ExitRecord::new(self.why.or(own_end).unwrap_or(RunEnd::Lost), wall_clock(), self.watch.lengths)
        }
    }
}
