//! The terminal and the limits of the machine: open files, watches on files, memory.

use std::ffi::OsStr;
use std::fs;
use std::io::IsTerminal;

use rustix::process::{Resource, getrlimit};

use crate::config::Loaded;
use crate::engine::free_memory;
use crate::git::land::missing_programs;
use crate::ui::widget::format::bytes;

use super::super::locale;
use super::Check;

/// Files that a process may have open at once: a board with 32 runs needs some hundred.
const OPEN_FILES: u64 = 1024;
/// Processes that a user may have at once: a build in each of some worktrees needs hundreds.
const PROCESSES: u64 = 1024;
/// Folders that all programs of a user may watch together: each process of Draft watches one, editors thousands.
const WATCHES: u64 = 8192;

/// The smallest terminal in which a board shows something of everything: columns and rows.
const SMALLEST: (u16, u16) = (40, 10);

/// Looks for what lets the files of a checkout follow a landing.
pub(super) fn shell(path_env: &OsStr) -> Check {
    let name = "shell";
    let missing = missing_programs(path_env).join(", ");
    if missing.is_empty() {
        return Check::ok(name, "has what moves a branch that is checked out");
    }
    let message = format!("not found: {missing}; so nothing lands on a branch that is checked out");
    Check::warning(name, message, "install a POSIX shell and coreutils")
}

/// Looks at the terminal that the board would be drawn on.
pub(super) fn terminal() -> Check {
    let name = "terminal";
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let term = variable("TERM");
    if !std::io::stdout().is_terminal() {
        return Check::ok(name, "there is none here; the board needs one, the other commands do not");
    }
    let measured = crossterm::terminal::size().ok();
    let size = measured.map(|(columns, rows)| format!("{columns}×{rows}")).unwrap_or_default();
    let locale = locale::name();
    if term.is_empty() || term == "dumb" {
        let fix = "set TERM to what your terminal is, such as xterm-256color";
        return Check::warning(name, format!("TERM is `{term}`, which says that it can do nothing"), fix);
    }
    if !locale::is_utf8(locale.as_deref()) {
        let locale = locale.unwrap_or_else(|| "not set".to_owned());
        let fix = "set LANG to one that ends in .UTF-8, such as C.UTF-8";
        return Check::warning(name, format!("the locale is {locale}, so the board is drawn in ASCII"), fix);
    }
    if measured.is_some_and(|(columns, rows)| columns < SMALLEST.0 || rows < SMALLEST.1) {
        let fix = format!("make it {}×{} or larger", SMALLEST.0, SMALLEST.1);
        return Check::warning(name, format!("{size} is too small to see much of a board"), fix);
    }
    let color = match variable("COLORTERM").as_str() {
        "truecolor" | "24bit" => "all colours",
        _ if term.contains("256color") => "256 colours",
        _ => "16 colours",
    };
    let off = if variable("NO_COLOR").is_empty() { "" } else { ", switched off by NO_COLOR" };
    Check::ok(name, format!("{size}, {term}, {color}{off}"))
}

/// Looks at the limits that runs meet.
pub(super) fn limits(settings: Option<&Loaded>) -> Vec<Check> {
    [Some(open_files()), Some(processes()), watches(), memory(settings)].into_iter().flatten().collect()
}

fn open_files() -> Check {
    let name = "open files";
    match getrlimit(Resource::Nofile).current {
        Some(most) if most < OPEN_FILES => {
            let message = format!("a process may have {most} files open, which many runs at once exceed");
            Check::warning(name, message, format!("`ulimit -n {OPEN_FILES}` before you start draft"))
        }
        Some(most) => Check::ok(name, format!("up to {most}")),
        None => Check::ok(name, "without limit"),
    }
}

fn processes() -> Check {
    let name = "process limit";
    match getrlimit(Resource::Nproc).current {
        Some(most) if most < PROCESSES => {
            let message = format!("you may have {most} processes at once, which agents and builds side by side exceed");
            Check::warning(name, message, format!("`ulimit -u {PROCESSES}` before you start draft"))
        }
        Some(most) => Check::ok(name, format!("up to {most}")),
        None => Check::ok(name, "without limit"),
    }
}

fn watches() -> Option<Check> {
    let read = |what: &str| fs::read_to_string(format!("/proc/sys/fs/inotify/{what}")).ok()?.trim().parse::<u64>().ok();
    let (watches, instances) = (read("max_user_watches")?, read("max_user_instances")?);
    let name = "watches";
    Some(if watches < WATCHES || instances < 16 {
        let message = format!("all your programs together may watch {watches} folders with {instances} watchers");
        let fix = format!("`sysctl fs.inotify.max_user_watches={WATCHES} fs.inotify.max_user_instances=128` as root");
        Check::warning(name, message, fix)
    } else {
        Check::ok(name, format!("up to {watches} folders with {instances} watchers"))
    })
}

fn memory(settings: Option<&Loaded>) -> Option<Check> {
    let free = free_memory()?;
    let wanted = settings.map_or(0, |loaded| loaded.config.execute_config.min_free_memory);
    let name = "memory";
    Some(if free < wanted {
        let message =
            format!("{} are free, and no agent starts below {} (min_free_memory)", bytes(free), bytes(wanted));
        Check::warning(name, message, "close what you do not need, or run fewer jobs at once")
    } else {
        Check::ok(name, format!("{} free", bytes(free)))
    })
}
