//! What processes cost, as the system counts it.

use std::time::Duration;

/// The clock ticks of `/proc` in a second, the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// The processes below one, and it, without those whose program has one of these names.
pub(crate) fn tree(root: u32, without: &[&str]) -> Vec<u32> {
    let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?.parent)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid);
        found.extend(children.filter(|pid| !without.iter().any(|name| is_called(*pid, name))));
        next += 1;
    }
    found
}

fn is_called(pid: u32, name: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
}

struct Stat {
    parent: u32,
    seconds: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything.
    let words: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = words[11..15].iter().filter_map(|word| word.parse::<u64>().ok()).sum();
    Some(Stat { parent: words[1].parse().ok()?, seconds: ticks as f64 / TICKS })
}

/// The CPU seconds of processes so far, and of their children that ended.
pub(crate) fn seconds(pids: &[u32]) -> f64 {
    pids.iter().filter_map(|pid| stat(*pid)).map(|stat| stat.seconds).sum()
}

/// The share of one core that processes use for so long, in percent.
pub(crate) fn cpu(pids: &[u32], window: Duration) -> f64 {
    let before = seconds(pids);
    std::thread::sleep(window);
    (seconds(pids) - before) / window.as_secs_f64() * 100.0
}

/// What a process did in some time.
pub(crate) struct Effort {
    /// The share of a core, in percent.
    pub(crate) cpu: f64,
    /// How often a thread of it slept and was woken, a second.
    pub(crate) wakeups: f64,
    /// Page faults of children that ended: no program starts without some.
    pub(crate) children: f64,
}

/// Watches a process for so long.
pub(crate) fn effort(pid: u32, window: Duration) -> Effort {
    let before = (run_time(pid), switches(pid), children_faults(pid));
    std::thread::sleep(window);
    let seconds = window.as_secs_f64();
    Effort {
        // A thread that ended meanwhile takes its time along.
        cpu: (run_time(pid) - before.0).max(0.0) / seconds * 100.0,
        wakeups: switches(pid).saturating_sub(before.1) as f64 / seconds,
        children: children_faults(pid).saturating_sub(before.2) as f64,
    }
}

/// The threads of a process, as files of `/proc`.
fn threads(pid: u32, file: &str) -> Vec<String> {
    let all = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a process that lives");
    all.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join(file)).ok()).collect()
}

/// The seconds for which a process ran so far, to the nanosecond where ticks of a clock would be too coarse.
fn run_time(pid: u32) -> f64 {
    let nanos = |text: String| text.split_whitespace().next()?.parse::<f64>().ok();
    threads(pid, "schedstat").into_iter().filter_map(nanos).sum::<f64>() / 1e9
}

/// How often threads of a process gave up the processor because there was nothing to do.
fn switches(pid: u32) -> u64 {
    let count = |text: String| {
        text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
    };
    threads(pid, "status").into_iter().filter_map(count).sum()
}

/// The page faults of children that ended and were waited for.
fn children_faults(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process that lives");
    let words: Vec<&str> = text.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    words[8].parse().expect("a number")
}

/// The memory of processes, shared pages divided among those who share them, in MB.
pub(crate) fn memory(pids: &[u32]) -> f64 {
    pids.iter().filter_map(|pid| value(&format!("/proc/{pid}/smaps_rollup"), "Pss:")).sum::<u64>() as f64 / 1024.0
}

/// The most memory that a process ever had, in MB.
pub(crate) fn peak(pid: u32) -> Option<f64> {
    Some(value(&format!("/proc/{pid}/status"), "VmHWM:")? as f64 / 1024.0)
}

/// A number of KiB in a file of `/proc`.
fn value(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
