//! After a storm: every byte, every end, every process, lock, folder and row is accounted for.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::engine::{Shown, Yard, without_times};
use crate::support::running::Running;

use super::roles::Role;
use super::strike::Struck;

/// Demands that nothing was lost, started twice or left.
#[track_caller]
pub(super) fn assert_books_balance(yard: &Yard, roles: &[Role], struck: &Struck) {
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        yard.assert_tidy(roles.len());
        assert_no_lock_is_held(&yard.world.data());
        assert_rows(yard);
        let shown: Vec<Shown> = (1..=roles.len()).map(|n| yard.show(n)).collect();
        let books: Vec<Books<'_>> = (1..)
            .zip(shown.iter().zip(roles))
            .map(|(n, (shown, role))| Books { yard, shown, role, struck, n })
            .collect();
        // All at once, since agents pause.
        let again: Vec<Again> = books.iter().map(Books::once_more).collect();
        books.iter().zip(again).for_each(|(books, again)| books.assert(again));
    }));
    if let Err(panic) = checked {
        eprintln!("{:#?}", struck.story);
        std::panic::resume_unwind(panic);
    }
}

/// Demands that every lock file below the data directory can be locked.
fn assert_no_lock_is_held(data: &Path) {
    let mut open = vec![data.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if entry.file_type().unwrap().is_dir() && folder != data.join("worktrees") {
                open.push(path);
            } else if name == "lock" || name.ends_with(".lock") {
                let file = File::open(&path).unwrap();
                assert!(file.try_lock().is_ok(), "somebody holds {}", path.display());
            }
        }
    }
}

/// Demands that no job and no run is unfinished, and that folders and rows are the same runs.
fn assert_rows(yard: &Yard) {
    let database = rusqlite::Connection::open(yard.world.data().join("draft.db")).unwrap();
    let list = |sql: &str| -> Vec<String> {
        let mut query = database.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(list("SELECT id FROM jobs WHERE status IN ('queued', 'running')"), [""; 0], "unfinished jobs");
    assert_eq!(list("SELECT job_id FROM runs WHERE end_how IS NULL"), [""; 0], "unfinished runs");
    let waiting = "SELECT request FROM commands WHERE answered_at IS NULL";
    assert_eq!(list(waiting), [""; 0], "commands without an answer");
    let rows: BTreeSet<PathBuf> = list("SELECT job_id || '/' || n || '-' || kind FROM runs")
        .into_iter()
        .map(|run| yard.world.data().join("runs").join(run))
        .collect();
    let folders: BTreeSet<PathBuf> = yard.run_folders().into_iter().collect();
    assert_eq!(folders, rows, "folders of runs, and their rows");
    let held: Vec<String> =
        list("SELECT worktree_path FROM tickets WHERE worktree_path IS NOT NULL ORDER BY worktree_path");
    let boards = fs::read_dir(yard.world.data().join("worktrees")).unwrap().flatten();
    let mut found: Vec<String> = boards
        .flat_map(|board| fs::read_dir(board.path()).unwrap().flatten())
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect();
    found.sort_unstable();
    assert_eq!(found, held, "worktrees, and the tickets that have them");
}

/// What is known about one ticket.
struct Books<'a> {
    yard: &'a Yard,
    shown: &'a Shown,
    role: &'a Role,
    struck: &'a Struck,
    n: usize,
}

/// An agent that does once more what it did, and what was there before it began.
struct Again {
    folder: PathBuf,
    /// The process ids of the agents that began with it.
    starts: Vec<String>,
    /// How many parts of its output it had signed.
    signed: usize,
    agent: Running,
}

impl Books<'_> {
    fn assert(&self, again: Again) {
        assert!(again.starts.len() <= 1, "it was started twice: {:?}\n{}", again.starts, self.context());
        let jobs = self.shown.jobs("execute");
        assert_eq!(jobs.len(), 1, "{}", self.context());
        let runs = jobs[0]["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 1, "{}", self.context());
        let as_planned = self.assert_executed(jobs[0], &runs[0]);
        self.assert_output(again, as_planned);
        assert_eq!(self.shown.jobs("verify").len(), usize::from(jobs[0]["exit_code"] == 0), "{}", self.context());
        if let Some(verify) = self.shown.jobs("verify").first() {
            self.assert_verified(verify);
        } else {
            let state = if jobs[0]["status"] == "lost" { "blocked (lost)" } else { "blocked (failed)" };
            assert_eq!(self.shown.state(), state, "{}", self.context());
        }
    }

    /// Demands the end that it should have, or one that a strike explains. Says whether it ended as it should.
    fn assert_executed(&self, job: &Value, run: &Value) -> bool {
        let end = &self.role.end;
        let found = (job["status"].as_str().unwrap(), job["exit_code"].as_i64(), job["signal"].as_i64());
        let hit = self.struck.agents.get(job["id"].as_str().unwrap());
        if found == (end.status, end.code, end.signal) {
            // The signal that it was to end with may have come before its time.
            return !end.signal.is_some_and(|signal| hit.is_some_and(|signals| signals.contains(&signal)));
        }
        let folder = PathBuf::from(run["path"].as_str().unwrap());
        let explained = match found {
            ("failed", None, Some(signal)) => hit.is_some_and(|signals| signals.contains(&signal)),
            ("lost", None, None) => self.struck.killed.contains(&folder) && !self.shown.reason().is_empty(),
            ("failed", None, None) => {
                self.struck.asked.contains(&folder) && self.shown.reason().contains("stopped from outside")
            }
            _ => false,
        };
        assert!(explained, "{found:?}\n{}", self.context());
        false
    }

    fn assert_verified(&self, job: &Value) {
        let runs = job["runs"].as_array().unwrap();
        let starts = self.yard.journal(&format!("checks-{}", self.n));
        assert!(starts.len() <= runs.len() && runs.len() <= 1, "{starts:?} {}", self.context());
        let found = (job["status"].as_str().unwrap(), job["exit_code"].as_i64(), job["signal"].as_i64());
        let folder = runs.first().map(|run| PathBuf::from(run["path"].as_str().unwrap())).unwrap_or_default();
        let hit = self.struck.checks.get(&self.n);
        let state = match found {
            ("succeeded", ..) => self.role.end.state,
            ("failed", None, Some(signal)) if hit.is_some_and(|signals| signals.contains(&signal)) => {
                "blocked (failed)"
            }
            ("failed", None, None) if self.struck.asked.contains(&folder) => "blocked (failed)",
            ("lost", None, None) if self.struck.killed.contains(&folder) => "blocked (lost)",
            _ => panic!("{found:?}\n{}", self.context()),
        };
        assert_eq!(self.shown.state(), state, "{}", self.context());
        let whole: String = (1..=3000).map(|n| format!("{n}\n")).collect();
        let kept = fs::read_to_string(folder.join("stdout")).unwrap();
        assert!(whole.starts_with(&kept), "{} bytes\n{}", kept.len(), self.context());
        assert!(found.0 != "succeeded" || kept == whole, "{} bytes\n{}", kept.len(), self.context());
    }

    /// Demands that its output is what the same agent prints when nothing of Draft is between: all of it, or all that it
    /// had written when it was struck.
    fn assert_output(&self, again: Again, as_planned: bool) {
        let Again { folder, signed, agent, .. } = again;
        let kept = without_times(&fs::read(folder.join("stdout")).unwrap()).concat();
        let last_line = format!("\nL{:09} ", self.role.lines);
        let floods = kept.windows(last_line.len()).filter(|window| *window == last_line.as_bytes()).count();
        assert!(floods >= signed, "{floods} of {signed} floods\n{}", self.context());
        let whole = without_times(&agent.wait().stdout).concat();
        let same = kept.iter().zip(&whole).take_while(|(kept, whole)| kept == whole).count();
        assert!(same == kept.len(), "differs after {same} of {} bytes\n{}", kept.len(), self.context());
        assert!(!as_planned || kept.len() == whole.len(), "cut to {same}\n{}", self.context());
    }

    /// Has the agent do its work once more, with nothing of Draft between.
    fn once_more(&self) -> Again {
        let job = self.shown.jobs("execute")[0];
        let folder = PathBuf::from(job["runs"][0]["path"].as_str().unwrap());
        let starts = self.yard.journal(&format!("starts-{}", self.n));
        let parts = 1..=self.role.parts;
        let signed = parts.filter(|part| self.yard.sign(&format!("part-{}-{part}", self.n)).exists()).count();
        let mut agent = self.yard.world.command(env!("CARGO_BIN_EXE_draft"));
        agent.args(["demo-agent", "--session-id", job["id"].as_str().unwrap()]).current_dir(self.shown.worktree());
        let agent = self.yard.world.start(agent.stdin(File::open(folder.join("prompt")).unwrap()));
        Again { folder, starts, signed, agent }
    }

    fn context(&self) -> String {
        format!("ticket {}: {:#}\nstruck: {:#?}", self.n, self.shown.value, self.struck)
    }
}
