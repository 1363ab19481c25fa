//! Folders of runs that somebody deletes or breaks, and machines that start again: a job ends as it truly ended, or `lost`
//! with a reason that a person understands.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

use super::{Yard, is_alive, pid_in};
use crate::support::running::Running;
use crate::support::{Size, until};

const SCRIPT: &str = "[[run echo one >> @starts; echo $PPID > @pid]] [[daemon 600]] [[say first]] [[touch @ready]] \
                      [[until @go]] [[write a.txt a]] [[say last]]";

/// One agent in its middle, with the folder of its run.
struct Middle {
    yard: Yard,
    engine: Option<Running>,
    folder: PathBuf,
}

impl Middle {
    fn new() -> Self {
        let yard = Yard::new();
        yard.tickets(&[SCRIPT]);
        let engine = yard.engine(&[]);
        yard.await_sign("ready");
        let folder = yard.run_folders().pop().unwrap();
        Self { yard, engine: Some(engine), folder }
    }

    fn kill_engine(&mut self) {
        drop(self.engine.take().unwrap().kill_9());
    }

    fn supervisor(&self) -> Pid {
        Pid::from_raw(self.yard.supervisors()[&self.folder]).unwrap()
    }

    /// Kills the supervisor, and waits until it is gone.
    fn kill_supervisor(&self) {
        kill_process(self.supervisor(), Signal::KILL).unwrap();
        until("the supervisor is gone", || self.yard.supervisors().is_empty());
    }

    /// Lets the agent and the engine come to their end, the next engine if there is none, and demands this end.
    #[track_caller]
    fn ends(mut self, state: &str, reason: &str, status: &str, code: Option<i32>) {
        self.yard.give("go");
        match self.engine.take() {
            Some(engine) => drop(engine.wait()),
            None => drop(self.yard.run(&[])),
        }
        let shown = self.yard.show(1);
        shown.assert(state, reason).assert_executed(status, code, None);
        assert_eq!(self.yard.journal("starts"), ["one"]);
        assert!(!is_alive(pid_in(&self.yard.sign("pid"))));
        self.yard.assert_tidy(1);
    }

    #[track_caller]
    fn ends_lost(self, reason: &str) {
        self.ends("blocked (lost)", reason, "lost", None);
    }

    #[track_caller]
    fn ends_well(self) {
        self.ends("needs_human (review)", "", "succeeded", Some(0));
    }
}

#[test]
fn a_run_folder_that_is_deleted_makes_a_lost_job_that_says_so_and_no_process_stays() {
    // Everybody lives and sees it.
    let middle = Middle::new();
    fs::remove_dir_all(&middle.folder).unwrap();
    until("the agent is stopped", || !is_alive(pid_in(&middle.yard.sign("pid"))));
    middle.ends_lost("its folder was deleted");

    // Only the supervisor lives.
    let mut middle = Middle::new();
    middle.kill_engine();
    fs::remove_dir_all(&middle.folder).unwrap();
    middle.ends_lost("its folder was deleted");

    // Only the agent lives, and the folder of the whole job is gone.
    let mut middle = Middle::new();
    middle.kill_engine();
    middle.kill_supervisor();
    fs::remove_dir_all(middle.folder.parent().unwrap()).unwrap();
    middle.ends_lost("its folder was deleted");
}

#[test]
fn files_that_are_deleted_while_a_run_goes_on_change_nothing_about_its_end() {
    for name in ["lock", "pid", "spec.json", "stdout", "stderr", "index", "prompt"] {
        let mut middle = Middle::new();
        middle.kill_engine();
        fs::remove_file(middle.folder.join(name)).unwrap();
        middle.ends_well();
    }
}

#[test]
fn files_that_are_deleted_when_the_supervisor_is_dead_make_a_lost_job_and_nothing_starts_twice() {
    for name in ["lock", "pid", "spec.json", "stdout", "index"] {
        let mut middle = Middle::new();
        middle.kill_engine();
        middle.kill_supervisor();
        fs::remove_file(middle.folder.join(name)).unwrap();
        middle.ends_lost("no one saw how: its supervisor was killed");
    }
}

#[test]
fn an_exit_record_that_is_cut_or_garbage_makes_a_lost_job_that_names_it() {
    for bytes in [&b""[..], b"{\"version\": 1, \"end\": {\"how\"", b"\xff\0\xfe"] {
        let mut middle = Middle::new();
        middle.kill_engine();
        middle.yard.give("go");
        middle.yard.await_ended(1);
        until("the supervisor is gone", || middle.yard.supervisors().is_empty());
        fs::write(middle.folder.join("exit.json"), bytes).unwrap();
        middle.ends_lost("exit.json is damaged");
    }
}

#[test]
fn after_a_restart_of_the_machine_a_job_is_lost_and_says_so_and_no_number_from_before_is_signaled() {
    let mut middle = Middle::new();
    middle.kill_engine();
    middle.kill_supervisor();
    // Somebody who has nothing to do with it has the supervisor's number now, and even its time of start.
    let stranger =
        middle.yard.world.start(middle.yard.world.command("sleep").arg("600").env_remove("DRAFT_TEST_WORLD"));
    let stat = fs::read_to_string(format!("/proc/{}/stat", stranger.pid())).unwrap();
    let started: u64 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap();
    let holder = fs::read_to_string(middle.folder.join("pid")).unwrap();
    let mut holder: serde_json::Value = serde_json::from_str(&holder).unwrap();
    holder["pid"] = stranger.pid().into();
    holder["started"] = started.into();
    holder["boot"] = "before".into();
    fs::write(middle.folder.join("pid"), holder.to_string()).unwrap();
    // The agent died with the machine.
    let agents = middle.yard.world.processes();
    agents.iter().filter(|one| one.command.contains("demo-agent")).for_each(|one| one.signal(Signal::KILL));
    let alive = stranger.pid();
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(middle.yard.run(&[]));
        middle.yard.show(1).assert("blocked (lost)", "the machine was restarted").assert_executed("lost", None, None);
        assert!(is_alive(alive), "a stranger was killed");
    }));
    drop(stranger);
    checked.unwrap();
    assert_eq!(middle.yard.journal("starts"), ["one"]);
    middle.yard.assert_tidy(1);
}

#[test]
fn what_a_killed_engine_left_of_runs_without_a_row_is_removed() {
    let mut middle = Middle::new();
    middle.kill_engine();
    let job = middle.folder.parent().unwrap().to_owned();
    for name in [".new-half", "2-execute"] {
        fs::create_dir(job.join(name)).unwrap();
        fs::write(job.join(name).join("spec.json"), "{").unwrap();
    }
    middle.yard.give("go");
    middle.yard.run(&[]).ok();
    assert_eq!(middle.yard.run_folders().iter().filter(|folder| folder.starts_with(&job)).count(), 1);
    middle.yard.assert_tidy(1);
}

#[test]
fn a_supervisor_that_somebody_ends_is_no_cancel() {
    let middle = Middle::new();
    kill_process(middle.supervisor(), Signal::TERM).unwrap();
    until("the agent is stopped", || !is_alive(pid_in(&middle.yard.sign("pid"))));
    middle.ends("blocked (failed)", "stopped from outside", "failed", None);
}

#[test]
fn an_engine_that_stands_still_while_its_runs_end_finds_them_all() {
    let yard = Yard::new();
    let script =
        |n: usize| format!("[[touch @ready-{n}]] [[until @go]] [[lines 5000]] [[write a.txt {n}]] [[daemon 600]]");
    yard.tickets(&(1..=4).map(script).collect::<Vec<_>>());
    let engine = yard.engine(&["--max-parallel", "4"]);
    (1..=4).for_each(|n| yard.await_sign(&format!("ready-{n}")));
    engine.signal(Signal::STOP);
    yard.give("go");
    yard.await_ended(4);
    until("the supervisors are gone", || yard.supervisors().values().all(|pid| !is_alive(*pid)));
    engine.signal(Signal::CONT);
    engine.wait().ok();
    for n in 1..=4 {
        yard.show(n).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    }
    yard.assert_tidy(4);
}

#[test]
fn a_board_that_stands_still_takes_up_what_ended_meanwhile() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let mut board = yard.world.draft_in_terminal(Size::new(120, 40), &[]);
    board.until_shows("Ticket 1");
    yard.world.draft(&["ticket", "move", "1", "executing"]).ok();
    yard.await_sign("ready");
    board.signal(Signal::STOP);
    let is_stopped = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    };
    until("the board stands still", || is_stopped(board.pid()));
    yard.give("go");
    yard.await_ended(1);
    board.signal(Signal::CONT);
    until("the job is over", || yard.show(1).state() == "needs_human (review)");
    board.until_shows("Review 1");
    board.keys("q");
    assert!(board.wait_exit().success());
    board.assert_restored();
    yard.show(1).assert_executed("succeeded", Some(0), None);
    yard.assert_tidy(1);
}

#[test]
fn checks_are_taken_back_like_agents_and_each_runs_once() {
    let yard = Yard::new();
    let checks = [
        "echo 1 >> @checks",
        "echo 2 >> @checks; echo half; touch @ready; until test -e @go; do sleep 0.02; done; echo all",
    ];
    let checks = checks.map(|check| yard.script(&format!("sh -c '{check}'")));
    yard.checks(&checks.each_ref().map(String::as_str));
    yard.world.draft(&["trust"]).ok();
    for is_alone in [true, false] {
        for sign in ["ready", "go", "checks"] {
            let _ = fs::remove_file(yard.sign(sign));
        }
        yard.tickets(&["[[write a.txt a]]"]);
        let engine = yard.engine(&[]);
        yard.await_sign("ready");
        drop(engine.kill_9());
        if is_alone {
            // It ends while nobody is there.
            yard.give("go");
            until("the check is over", || yard.supervisors().is_empty());
        }
        let engine = yard.engine(&[]);
        yard.give("go");
        engine.wait().ok();
        assert_eq!(yard.journal("checks"), ["1", "2"]);
    }
    for n in [1, 2] {
        let shown = yard.show(n);
        shown.assert("needs_human (review)", "all 2 checks passed");
        let runs = shown.runs("verify");
        assert_eq!(runs.len(), 2, "{runs:#?}");
        let output = fs::read(PathBuf::from(runs[1]["path"].as_str().unwrap()).join("stdout")).unwrap();
        assert_eq!(output, b"half\nall\n");
    }
    yard.assert_tidy(2);
}

#[test]
fn a_check_whose_supervisor_is_killed_is_lost_and_the_next_engine_says_why() {
    let check_script = "sh -c 'touch @ready; sleep 600'";
    let yard = Yard::new();
    let check = yard.script(check_script);
    yard.checks(&[&check]);
    yard.world.draft(&["trust"]).ok();
    yard.tickets(&["[[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    drop(engine.kill_9());
    let supervisors: Vec<i32> = yard.supervisors().into_values().collect();
    supervisors.iter().for_each(|pid| kill_process(Pid::from_raw(*pid).unwrap(), Signal::KILL).unwrap());
    yard.run(&[]).exits(1);
    yard.show(1).assert("blocked (lost)", "no one saw how: its supervisor was killed");
    yard.assert_tidy(1);
}

#[test]
fn a_job_that_is_canceled_after_its_supervisor_died_is_canceled_and_no_agent_is_started_for_what_waits() {
    let mut middle = Middle::new();
    middle.yard.world.draft(&["ticket", "tell", "1", "And more."]).ok();
    middle.kill_engine();
    middle.kill_supervisor();
    drop(middle.yard.world.draft(&["cancel", "1"]));
    let shown = middle.yard.show(1);
    shown.assert("blocked (canceled)", "its execute job was canceled; ").assert_executed("canceled", None, None);
    assert_eq!(middle.yard.journal("starts"), ["one"]);
    middle.yard.assert_tidy(1);
}

#[test]
fn a_worktree_that_is_deleted_under_its_agent_is_named_with_what_to_do_and_what_was_used_counts() {
    let yard = Yard::new();
    yard.tickets(&["[[say working]] [[touch @ready]] [[until @go]] [[run cd / && rm -rf \"$OLDPWD\"]] [[say done]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    yard.give("go");
    engine.wait().exits(1);
    let shown = yard.show(1);
    shown.assert("blocked (failed)", "was deleted while its agent worked; `draft run 1` makes one on its branch anew");
    assert!(shown.job("execute")["tokens"].as_u64().unwrap() > 0, "{:#}", shown.value);
    assert_eq!(shown.value["tokens"], shown.job("execute")["tokens"]);
}
