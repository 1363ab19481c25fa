//! The limits that hold before a job is queued, or before one that is queued starts.

use std::path::Path;

use crate::config::Config;
use crate::domain::id::TicketRef;
use crate::domain::job::JobKind;
use crate::domain::rule::Limit;
use crate::domain::time::Timestamp;

use super::error::EngineError;
use super::workshop::Workshop;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Returns the limit on a ticket's jobs that one more of this kind would break.
pub(super) fn reached(
    shop: &Workshop,
    config: &Config,
    ticket: TicketRef,
    kind: JobKind,
    now: Timestamp,
) -> Result<Option<Limit>, EngineError> {
    let execute = &config.execute_config;
    let reached = shop.readers.read(|reader| {
        let id = match ticket {
            TicketRef::Id(id) => Some(id),
            TicketRef::Number(number) => reader.ticket_numbered(shop.about.id, number)?,
        };
        // A ticket that is not there is refused for that.
        let Some(id) = id else { return Ok(None) };
        let had = |within: i64| reader.jobs_since(id, kind, Timestamp(now.0.saturating_sub(within)));
        if had(HOUR_MS)? >= execute.jobs_per_hour {
            return Ok(Some(Limit::Hour(execute.jobs_per_hour)));
        }
        if kind == JobKind::Execute && had(DAY_MS)? >= execute.jobs_per_day {
            return Ok(Some(Limit::Day(execute.jobs_per_day)));
        }
        Ok(None)
    });
    Ok(reached?)
}

/// What the machine has room for; nothing where it cannot be found out, which holds nobody up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Room {
    memory: Option<u64>,
    disk: Option<u64>,
}

impl Room {
    /// Looks at the machine as it is now.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self { memory: free_memory(), disk: free_disk(data_dir) }
    }

    /// Returns what lacks for one more agent that takes so many bytes of memory, in words. Agents that started a moment ago are
    /// going to take what they claim of what is free.
    pub(super) fn lack(self, config: &Config, takes: u64, claimed: u64) -> Option<String> {
        let execute = &config.execute_config;
        // Who asks for no free memory wants no agent to wait for it.
        let memory = if execute.min_free_memory == 0 { 0 } else { execute.min_free_memory.max(takes) };
        let left = self.memory.map(|free| free.saturating_sub(claimed));
        if let Some(left) = left.filter(|left| *left < memory) {
            let why = if memory == takes { "so much does its agent take" } else { "`execute_config.min_free_memory`" };
            let beside = if claimed == 0 { "" } else { " beside what agents that just started may take" };
            return Some(lack("memory", left, beside, memory, why));
        }
        if let Some(free) = self.disk.filter(|free| *free < execute.min_free_disk) {
            return Some(lack("disk", free, "", execute.min_free_disk, "`execute_config.min_free_disk`"));
        }
        None
    }
}

fn lack(what: &str, free: u64, beside: &str, wanted: u64, why: &str) -> String {
    format!("waits for {what}: {} are free{beside}, {} are wanted ({why})", size(free), size(wanted))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10),
    }
}

/// Memory that can be had without swapping, in bytes, as Linux estimates it.
pub fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    available(&text)
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Room for users on the disk of a folder, in bytes.
pub fn free_disk(folder: &Path) -> Option<u64> {
    let said = rustix::fs::statvfs(folder).ok()?;
    said.f_bavail.checked_mul(said.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read_as_linux_says_it() {
        let text = "MemTotal:       24000000 kB\nMemFree:  1 kB\nMemAvailable:   312000 kB\n";
        assert_eq!(available(text), Some(312_000 * 1024));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert!(free_disk(Path::new("/")).is_some());
    }

    #[test]
    fn a_lack_is_told_with_its_setting() {
        let mut config = Config::default();
        config.execute_config.min_free_disk = 0;
        config.execute_config.min_free_memory = 0;
        let room = Room { memory: Some(3_000_000), disk: Some(0) };
        assert_eq!(room.lack(&config, u64::MAX, 0), None);
        config.execute_config.min_free_disk = u64::MAX;
        let told = room.lack(&config, 0, 0).unwrap();
        assert!(told.starts_with("waits for disk: ") && told.contains("`execute_config.min_free_disk`"), "{told}");
        config.execute_config.min_free_memory = 1;
        let told = room.lack(&config, u64::MAX, 0).unwrap();
        assert!(told.starts_with("waits for memory: ") && told.contains("so much does its agent take"), "{told}");
    }

    #[test]
    fn what_agents_claim_is_free_no_more() {
        let mut config = Config::default();
        config.execute_config.min_free_memory = 2_000_000;
        let room = Room { memory: Some(3_000_000), disk: None };
        assert_eq!(room.lack(&config, 0, 1_000_000), None);
        assert_eq!(
            room.lack(&config, 0, 1_000_001).unwrap(),
            "waits for memory: 1 MB are free beside what agents that just started may take, 2 MB are wanted \
             (`execute_config.min_free_memory`)"
        );
    }
}
