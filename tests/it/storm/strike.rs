//! The strikes of a storm: who is hit, with what, and what is remembered of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::engine::Yard;
use crate::support::process::Process;
use crate::support::pty::Pty;
use crate::support::running::Running;
use crate::support::{Size, until_within};

use super::chance::Chance;

/// Longest time that the runs of a storm may take to end when it is over; the machine may be busy.
const CALM: Duration = Duration::from_secs(240);

/// Who was struck so that it could not end as it would have.
#[derive(Default, Debug)]
pub(super) struct Struck {
    /// The folders of runs whose supervisors were killed.
    pub(super) killed: BTreeSet<PathBuf>,
    /// The folders of runs whose supervisors were asked to end.
    pub(super) asked: BTreeSet<PathBuf>,
    /// The signals that agents got, by their job.
    pub(super) agents: BTreeMap<String, BTreeSet<i64>>,
    /// The signals that checks got, by the number of their ticket.
    pub(super) checks: BTreeMap<usize, BTreeSet<i64>>,
    /// What was done, in order.
    pub(super) story: Vec<String>,
}

/// Somebody who may be the engine of the board.
enum Engine {
    /// `draft run`.
    Run(Running),
    /// The board in a terminal.
    Board(Box<Pty>),
}

impl Engine {
    fn pid(&self) -> i32 {
        match self {
            Self::Run(run) => run.pid(),
            Self::Board(board) => board.pid(),
        }
    }

    /// Kills it without a word.
    fn kill_9(self) {
        match self {
            Self::Run(run) => drop(run.kill_9()),
            Self::Board(mut board) => board.kill_9(),
        }
    }
}

/// A process of a storm's world, by what it is.
struct Target {
    process: Process,
    what: What,
}

enum What {
    Supervisor(PathBuf),
    Agent(String),
    Check(usize),
}

pub(super) struct Storm<'a> {
    yard: &'a Yard,
    chance: Chance,
    runs: usize,
    engines: Vec<Engine>,
    /// Processes that stand still, and until when.
    frozen: Vec<(i32, Instant)>,
    struck: Struck,
}

impl<'a> Storm<'a> {
    pub(super) fn new(yard: &'a Yard, chance: Chance, runs: usize) -> Self {
        Self { yard, chance, runs, engines: Vec::new(), frozen: Vec::new(), struck: Struck::default() }
    }

    /// Strikes until the storm has spent itself.
    pub(super) fn rage(&mut self) {
        self.start_run();
        for _ in 0..self.chance.of(6..18) {
            let pause = self.chance.millis(0..250);
            self.pass(pause);
            self.strike();
            if self.engines.is_empty() || self.engines.len() < 3 && self.chance.once_in(5) {
                self.start_any();
            }
        }
    }

    /// Lets everything come to its end, and says who was struck.
    pub(super) fn calm(mut self) -> Struck {
        self.frozen.iter().for_each(|(pid, _)| signal(*pid, Signal::CONT));
        for engine in std::mem::take(&mut self.engines) {
            signal(engine.pid(), Signal::CONT);
            engine.kill_9();
        }
        let mut last = self.yard.engine(&["--max-parallel", &self.runs.to_string()]);
        until_within(CALM, "everything is over", || last.has_ended());
        let outcome = last.wait();
        assert!(matches!(outcome.status.code(), Some(0 | 1)), "{outcome:?}\n{:#?}", self.struck);
        self.struck
    }

    fn start_run(&mut self) {
        self.tell("start draft run");
        self.engines.push(Engine::Run(self.yard.engine(&["--max-parallel", &self.runs.to_string()])));
    }

    fn start_any(&mut self) {
        if self.chance.once_in(3) {
            self.tell("start the board");
            let board = self.yard.world.draft_in_terminal(Size::new(100, 30), &[]);
            self.engines.push(Engine::Board(Box::new(board)));
        } else {
            self.start_run();
        }
    }

    /// Lets time pass; who stood still long enough goes on.
    fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let now = Instant::now();
            let (thawed, frozen) = std::mem::take(&mut self.frozen).into_iter().partition(|(_, until)| *until <= now);
            self.frozen = frozen;
            let thawed: Vec<(i32, Instant)> = thawed;
            thawed.iter().for_each(|(pid, _)| signal(*pid, Signal::CONT));
            if now >= end {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(5).min(end - now));
        }
    }

    fn strike(&mut self) {
        match self.chance.of(0..12) {
            0..=2 => self.strike_engines(Signal::KILL),
            3 => self.strike_engines(Signal::HUP),
            4 => self.strike_engines(Signal::TERM),
            5 => self.freeze_engine(),
            6 => self.strike_some(Signal::KILL, 2),
            7 => self.strike_some(Signal::TERM, 1),
            8 => self.hang_up_supervisors(),
            9 => self.freeze_some(),
            10 => {
                // Several at once, with no time in between.
                self.strike_some(Signal::KILL, 3);
                self.strike_engines(Signal::KILL);
            }
            _ => {
                self.strike_engines(Signal::KILL);
                self.start_any();
                self.strike_engines(Signal::KILL);
            }
        }
    }

    /// Strikes one of the engines, or all of them.
    fn strike_engines(&mut self, with: Signal) {
        let all = self.chance.once_in(3);
        while !self.engines.is_empty() {
            let which = self.chance.of(0..self.engines.len());
            let engine = self.engines.swap_remove(which);
            self.tell(&format!("{with:?} to engine {}", engine.pid()));
            if with != Signal::KILL {
                signal(engine.pid(), with);
                // It may end in its own time, or not at all when it had just begun.
                self.pass(Duration::from_millis(20));
            }
            engine.kill_9();
            if !all {
                return;
            }
        }
    }

    fn freeze_engine(&mut self) {
        let pids: Vec<i32> = self.engines.iter().map(Engine::pid).collect();
        if let Some(pid) = self.chance.one(&pids).copied() {
            self.freeze(pid);
        }
    }

    fn freeze(&mut self, pid: i32) {
        let time = self.chance.millis(10..1500);
        self.tell(&format!("{pid} stands still for {time:?}"));
        signal(pid, Signal::STOP);
        self.frozen.push((pid, Instant::now() + time));
    }

    fn freeze_some(&mut self) {
        for _ in 0..self.chance.of(1..4) {
            let targets = self.targets();
            if let Some(target) = self.chance.one(&targets) {
                let pid = target.process.pid;
                self.freeze(pid);
            }
        }
    }

    /// Strikes supervisors, agents and checks, a few of them.
    fn strike_some(&mut self, with: Signal, most: usize) {
        for _ in 0..self.chance.of(1..most + 1) {
            let targets = self.targets();
            let Some(target) = self.chance.one(&targets) else { return };
            let number = i64::from(with.as_raw());
            match &target.what {
                What::Supervisor(folder) if with == Signal::KILL => drop(self.struck.killed.insert(folder.clone())),
                What::Supervisor(folder) => drop(self.struck.asked.insert(folder.clone())),
                What::Agent(job) => drop(self.struck.agents.entry(job.clone()).or_default().insert(number)),
                What::Check(ticket) => drop(self.struck.checks.entry(*ticket).or_default().insert(number)),
            }
            self.tell(&format!("{with:?} to {:?}", target.process));
            target.process.signal(with);
        }
    }

    fn hang_up_supervisors(&mut self) {
        self.tell("all supervisors are hung up");
        let is_supervisor = |target: &Target| matches!(target.what, What::Supervisor(_));
        self.targets().into_iter().filter(is_supervisor).for_each(|target| target.process.signal(Signal::HUP));
    }

    fn targets(&self) -> Vec<Target> {
        self.yard.world.processes().into_iter().filter_map(target).collect()
    }

    fn tell(&mut self, what: &str) {
        self.struck.story.push(what.to_owned());
    }
}

fn target(process: Process) -> Option<Target> {
    let command = &process.command;
    let what = if let Some((_, folder)) = command.split_once(" supervise ") {
        // One that did not take its run yet has nothing to lose, and its child looks like it until it is the agent.
        let holder = fs::read(Path::new(folder).join("pid")).ok()?;
        let holder: serde_json::Value = serde_json::from_slice(&holder).ok()?;
        (holder["pid"] == process.pid).then(|| What::Supervisor(PathBuf::from(folder)))?
    } else if let Some((_, job)) = command.split_once(" demo-agent --session-id ") {
        is_child_of_supervisor(process.pid)?;
        What::Agent(job.split(' ').next()?.to_owned())
    } else if command.starts_with("sh -c echo $$ >> ") {
        is_child_of_supervisor(process.pid)?;
        let environment = fs::read(format!("/proc/{}/environ", process.pid)).ok()?;
        let variables = String::from_utf8_lossy(&environment).into_owned();
        What::Check(variables.split('\0').find_map(|one| one.strip_prefix("DRAFT_TICKET="))?.parse().ok()?)
    } else {
        return None;
    };
    Some(Target { process, what })
}

/// A child of an agent or a check looks like its parent until it has become what it is to be, and is none.
fn is_child_of_supervisor(pid: i32) -> Option<()> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_owned();
    let command = fs::read(format!("/proc/{parent}/cmdline")).ok()?;
    command.split(|byte| *byte == 0).any(|word| word == b"supervise").then_some(())
}

/// Sends a signal; a process that is gone meanwhile is fine.
fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}
