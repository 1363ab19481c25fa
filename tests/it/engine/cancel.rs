//! Cancelling at every moment of a job, from every side: the whole tree is gone, also what fled, and the ticket says so.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use draft_board::domain::command::{Command, Request};
use draft_board::domain::event::Actor;
use draft_board::domain::id::{BoardId, TicketNumber, TicketRef};
use draft_board::domain::time::Timestamp;
use draft_board::store;
use rustix::process::{Pid, Signal, kill_process};

use super::steps::{checked_yard, next_ticket};
use super::{Yard, is_alive, pid_in};
use crate::support::{Size, until, until_some};

impl Yard {
    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.world.data().join("draft.db")).unwrap()
    }

    /// Leaves the wish to cancel a ticket's job as another process does.
    pub(super) fn ask_to_cancel(&self, ticket: usize) -> i64 {
        let board: String = self.database().query_row("SELECT id FROM boards", [], |row| row.get(0)).unwrap();
        let board: BoardId = board.parse().unwrap();
        let name = TicketRef::Number(TicketNumber(ticket.try_into().unwrap()));
        let request = Request { actor: Actor::human(), command: Command::Cancel { ticket: name } };
        store::ask(&self.world.data().join("draft.db"), board, &request, Timestamp(1)).unwrap()
    }

    /// Waits for the answer: nothing, or the refusal.
    pub(super) fn await_answer(&self, id: i64) -> Option<String> {
        let database = self.database();
        let answer = "SELECT refused FROM commands WHERE id = ?1 AND answered_at IS NOT NULL";
        until_some("the wish is answered", || database.query_row(answer, [id], |row| row.get(0)).ok())
    }

    /// Has the engine cancel a ticket's job.
    #[track_caller]
    pub(super) fn cancel(&self, ticket: usize) {
        assert_eq!(self.await_answer(self.ask_to_cancel(ticket)), None);
    }
}

/// An agent with every kind of process that does not want to go: in its group, fled, orphaned twice, deaf to the polite
/// signal, renamed, without the environment that it was born with, and standing still.
const HYDRA: &str = "[[run echo $PPID > @pid]] [[daemon 900]] [[fork 900]] [[stubborn]] \
    [[run setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' > /dev/null 2>&1 &]] \
    [[run (setsid sh -c 'exec env PATH=$PATH bash -c \"exec -a kworker/u8:3 sleep 900\"' > /dev/null 2>&1 &)]] \
    [[run cd / && (env -i /bin/sh -c '(setsid /bin/sleep 901 &) & exit' > /dev/null 2>&1 &)]] \
    [[run setsid sh -c 'kill -STOP $$' > /dev/null 2>&1 &]] [[touch @ready]] [[hang]]";

fn assert_canceled(yard: &Yard, ticket: usize) {
    let shown = yard.show(ticket);
    shown.assert("blocked (canceled)", "canceled");
    let active = shown.value["jobs"].as_array().unwrap().iter().filter(|job| job["finished_at"].is_null()).count();
    assert_eq!(active, 0, "{:#}", shown.value);
}

#[test]
fn a_whole_tree_with_all_that_fled_is_gone_and_a_second_cancel_changes_nothing() {
    let yard = Yard::new();
    yard.tickets(&[HYDRA]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    // Some stand still, the agent among them.
    let agent = Pid::from_raw(pid_in(&yard.sign("pid"))).unwrap();
    kill_process(agent, Signal::STOP).unwrap();
    let (first, second) = (yard.ask_to_cancel(1), yard.ask_to_cancel(1));
    assert_eq!((yard.await_answer(first), yard.await_answer(second)), (None, None));
    engine.wait().exits(1);
    assert_canceled(&yard, 1);
    yard.show(1).assert_executed("canceled", None, None);
    let mut board = yard.world.draft_in_terminal(Size::new(120, 40), &[]);
    assert!(yard.await_answer(yard.ask_to_cancel(1)).unwrap().contains("has no job to stop"));
    board.keys("q");
    assert!(board.wait_exit().success());
    assert_strays_are_gone();
    yard.assert_tidy(1);
}

/// Looks for the process that threw everything away by which a world would find it.
fn assert_strays_are_gone() {
    let lines = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
    let lines = String::from_utf8_lossy(&lines.stdout).into_owned();
    assert!(!lines.lines().any(|line| line.trim() == "/bin/sleep 901"), "a stray without environment is left");
}

#[test]
fn a_board_that_is_open_cancels_for_others_what_runs_and_what_waits() {
    let yard = Yard::new();
    yard.settings("  max_parallel_jobs: 1\n");
    yard.tickets(&["[[daemon 600]] [[stubborn]] [[touch @ready]] [[hang]]", "[[run echo two >> @starts]]"]);
    let mut board = yard.world.draft_in_terminal(Size::new(120, 40), &[]);
    board.until_shows("Ticket 2");
    for n in ["1", "2"] {
        yard.world.draft(&["ticket", "move", n, "executing"]).ok();
    }
    yard.await_sign("ready");
    // The one that waits first, so that it never starts.
    yard.cancel(2);
    assert_canceled(&yard, 2);
    yard.cancel(1);
    until("the first is canceled", || yard.show(1).state() == "blocked (canceled)");
    assert_canceled(&yard, 1);
    assert_eq!(yard.journal("starts"), [""; 0]);
    board.keys("q");
    assert!(board.wait_exit().success());
    yard.assert_tidy(1);
}

/// Gives the repository a hook that does not end by itself.
fn endless_hook(yard: &Yard, name: &str) {
    let (pid, ready) = (yard.sign("hook"), yard.sign("ready"));
    let script = format!("#!/bin/sh\necho $$ > {}\ntouch {}\nsleep 1000\n", pid.display(), ready.display());
    let hook = yard.world.repo().join(".git/hooks").join(name);
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_waits_for_a_hook_of_git_ends_at_once() {
    let yard = Yard::new();
    yard.tickets(&["[[write made.txt made\\n]] [[say made]]", "[[say never]]"]);
    yard.run(&["1"]).ok();
    yard.world.draft(&["review", "1", "--approve"]).ok();

    endless_hook(&yard, "post-checkout");
    let engine = yard.engine(&["2"]);
    yard.await_sign("ready");
    yard.cancel(2);
    engine.wait().exits(1);
    assert_canceled(&yard, 2);
    assert!(!is_alive(pid_in(&yard.sign("hook"))), "the hook goes on");
    fs::remove_file(yard.world.repo().join(".git/hooks/post-checkout")).unwrap();
    fs::remove_file(yard.sign("ready")).unwrap();

    endless_hook(&yard, "pre-commit");
    let landing = yard.world.draft_in_background(&["merge", "1"]);
    yard.await_sign("ready");
    yard.cancel(1);
    landing.wait().exits(1);
    assert!(!is_alive(pid_in(&yard.sign("hook"))), "the hook goes on");
    let shown = yard.show(1);
    assert_eq!(shown.jobs("land")[0]["status"], "canceled", "{:#}", shown.value);
    assert_eq!(yard.world.git(&["log", "--format=%s", "main"]), "first");
    fs::remove_file(yard.world.repo().join(".git/hooks/pre-commit")).unwrap();
    yard.world.draft(&["merge", "1"]).ok();
}

#[test]
fn a_job_can_be_canceled_between_its_checks() {
    let yard = Yard::new();
    let checks = ["echo 1 >> @checks", "touch @ready; setsid sleep 600 & sleep 600", "echo 3 >> @checks"];
    let checks = checks.map(|check| yard.script(&format!("sh -c '{check}'")));
    yard.checks(&checks.each_ref().map(String::as_str));
    yard.world.draft(&["trust"]).ok();
    yard.tickets(&["[[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    yard.cancel(1);
    engine.wait().exits(1);
    assert_canceled(&yard, 1);
    let shown = yard.show(1);
    shown.assert_executed("succeeded", Some(0), None);
    assert_eq!((&shown.job("verify")["status"], yard.journal("checks")), (&"canceled".into(), vec!["1".to_owned()]));
    yard.assert_tidy(1);
}

/// Cancels a ticket's job while the engine waits for this call of git, and sometimes kills the engine right after.
fn canceled_at(yard: &Yard, ticket: usize, number: usize, place: &str) {
    let when = format!("canceled {place} call {number}");
    next_ticket(yard, number, place);
    let engine = yard.engine(&[]);
    let _ = pid_in(&yard.sign("stopped"));
    // Before it has a job, the engine only looks at the repository and listens to nobody.
    let has_job = yard.has_job(ticket);
    if has_job {
        yard.cancel(ticket);
    }
    if number.is_multiple_of(3) {
        drop(engine.kill_9());
        yard.give("release");
        let _ = yard.run(&[]);
    } else {
        yard.give("release");
        let _ = engine.wait();
    }
    let _ = std::fs::remove_file(yard.sign("plan"));
    if has_job {
        assert_canceled(yard, ticket);
    }
    assert!(yard.journal(&format!("starts-{ticket}")).len() <= 2, "{when}");
    yard.world.assert_nothing_left();
    assert_refs_have_rows(yard, ticket, &when);
    for folder in yard.run_folders() {
        assert!(folder.join("exit.json").exists(), "{when}: {}", folder.display());
    }
}

impl Yard {
    /// Says whether a ticket has a job that is not over, without running git.
    fn has_job(&self, ticket: usize) -> bool {
        let active = "SELECT count(*) FROM jobs JOIN tickets ON tickets.id = ticket_id
                      WHERE number = ?1 AND status IN ('queued', 'running')";
        self.database().query_row(active, [ticket as i64], |row| row.get::<_, i64>(0)).unwrap() > 0
    }
}

/// Demands that everything that is kept as a revision is known as one.
fn assert_refs_have_rows(yard: &Yard, ticket: usize, when: &str) {
    let shown = yard.show(ticket);
    let folder = format!("refs/draft/revisions/{}", shown.id());
    let refs = yard.world.git(&["for-each-ref", "--format=%(objectname)", &folder]);
    let rows: Vec<&str> = shown.revisions().iter().map(|one| one["head"].as_str().unwrap()).collect();
    assert_eq!(refs.lines().collect::<Vec<_>>(), rows, "{when}");
}

#[test]
fn a_job_can_be_canceled_at_every_call_of_git() {
    let yard = checked_yard();
    next_ticket(&yard, 0, "Never");
    yard.run(&[]).ok();
    let calls = yard.journal("calls").len();
    assert!(calls > 4, "{:#?}", yard.journal("calls"));
    for (ticket, number) in (2..).zip(1..=calls) {
        canceled_at(&yard, ticket, number, if number % 2 == 0 { "Before" } else { "After" });
    }
}
