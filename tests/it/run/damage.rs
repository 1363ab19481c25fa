//! What somebody deletes or breaks in the folder of a run: nothing starts twice, nothing is left, and the end is the true
//! one or says why nobody knows it.

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// A run that says something, waits for a sign and ends with 42, found by the mark that its path gives.
struct Waiting {
    runs: Runs,
    folder: Folder,
    mark: Mark,
    supervisor: Child,
}

impl Waiting {
    fn new(before: &str) -> Self {
        let runs = Runs::new();
        let (ready, go) = (runs.file("ready"), runs.file("go"));
        let script = format!(
            "echo one; {before} touch {}; until test -e {}; do sleep 0.02; done; echo two; exit 42",
            ready.display(),
            go.display()
        );
        let spec = runs.spec(1, &script);
        let spec = Spec { mark: Mark::of(spec.id), ..spec };
        let folder = runs.create(&spec);
        let supervisor = supervise(&folder);
        until_there(&ready);
        Self { runs, folder, mark: spec.mark, supervisor }
    }

    fn delete(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.supervisor.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    fn kill(&mut self) {
        self.supervisor.kill().unwrap();
        self.supervisor.wait().unwrap();
    }

    /// Lets it go on to its end.
    #[track_caller]
    fn ends(&mut self) -> ExitRecord {
        fs::write(self.runs.file("go"), b"").unwrap();
        self.supervisor.wait().unwrap();
        self.ended()
    }

    /// Demands all output, and that nothing is left.
    #[track_caller]
    fn ended(&self) -> ExitRecord {
        assert_eq!(marked(self.mark), [0; 0]);
        let record = self.folder.record().unwrap().expect("a run that ended has a record");
        assert_eq!(stdout(&self.folder).len() as u64, record.stdout_bytes);
        record
    }
}

#[test]
fn a_run_whose_lock_file_is_deleted_is_still_running_and_ends_once() {
    let mut run = Waiting::new("");
    run.delete("lock");
    assert_eq!(adopt::look(&run.folder).unwrap(), Standing::Running);
    assert!(matches!(adopt::settle(&run.folder, NOW), Err(RunError::StillRunning { .. })));
    assert!(supervise(&run.folder).wait().unwrap().success());
    assert_eq!(run.ends().end, RunEnd::Exited { code: 42 });
}

#[test]
fn a_run_whose_pid_file_is_deleted_can_be_stopped_and_ends_right() {
    let mut run = Waiting::new("");
    run.delete("pid");
    assert_eq!(run.ends().end, RunEnd::Exited { code: 42 });

    let mut run = Waiting::new("");
    run.delete("pid");
    assert_eq!(follow::stop(&run.folder).unwrap(), Asked::Noted);
    run.supervisor.wait().unwrap();
    assert_eq!(run.ended().end, RunEnd::Stopped);
}

#[test]
fn a_run_that_was_taken_is_never_started_again_whatever_is_deleted() {
    for names in [&["pid"][..], &["pid", "lock"], &["pid", "index"], &["pid", "stdout", "stderr", "spec.json"]] {
        let mut run = Waiting::new("");
        names.iter().for_each(|name| run.delete(name));
        run.kill();
        assert_eq!(adopt::look(&run.folder).unwrap(), Standing::Dead, "{names:?}");
        assert!(supervise(&run.folder).wait().unwrap().success());
        let record = adopt::settle(&run.folder, NOW).unwrap();
        assert_eq!((&record.end, marked(run.mark)), (&RunEnd::Lost, vec![]), "{names:?}");
        assert!(record.stragglers > 0 && record.message.is_some(), "{record:?}");
    }
}

#[test]
fn output_that_is_deleted_while_it_is_written_is_there_again_at_the_end() {
    let mut run = Waiting::new("echo oh >&2;");
    run.delete("stdout");
    run.delete("stderr");
    run.delete("index");
    assert_eq!(run.ends().end, RunEnd::Exited { code: 42 });
    assert_eq!(stdout(&run.folder), b"one\ntwo\n");
    assert_eq!(fs::read(run.folder.stream(Stream::Stderr)).unwrap(), b"oh\n");
}

#[test]
fn a_damaged_index_costs_nothing_but_times() {
    let mut run = Waiting::new("");
    fs::write(run.folder.index(), b"\xff\0 1 2\n99999999999999999999 1 1\n\n").unwrap();
    assert_eq!(run.ends().end, RunEnd::Exited { code: 42 });
    Times::open(run.folder.index()).written_at(Stream::Stdout, 0);
}

#[test]
fn a_run_whose_folder_is_deleted_is_stopped_by_its_supervisor_and_lost() {
    let mut run = Waiting::new("setsid sleep 1000 >/dev/null 2>&1 &");
    fs::remove_dir_all(run.folder.path()).unwrap();
    assert!(!run.supervisor.wait().unwrap().success());
    assert_eq!((marked(run.mark), adopt::look(&run.folder).unwrap()), (vec![], Standing::Dead));
    let record = adopt::settle(&run.folder, NOW).unwrap();
    assert_eq!((record.end, record.message.as_deref()), (RunEnd::Lost, Some("its folder was deleted")));
}

#[test]
fn a_supervisor_whose_folder_was_made_again_to_say_that_its_run_is_lost_writes_nothing_there() {
    let mut run = Waiting::new("");
    run.signal(Signal::STOP);
    fs::remove_dir_all(run.folder.path()).unwrap();
    let record = adopt::settle(&run.folder, NOW).unwrap();
    assert_eq!((&record.end, record.message.as_deref()), (&RunEnd::Lost, Some("its folder was deleted")));
    run.signal(Signal::CONT);
    assert!(!run.supervisor.wait().unwrap().success());
    assert_eq!(run.folder.record().unwrap(), Some(record), "an end never changes");
    assert!(!run.folder.stream(Stream::Stdout).exists());
    assert_eq!(marked(run.mark), [0; 0]);
}

#[test]
fn what_is_left_of_a_run_whose_folder_is_deleted_is_found_by_its_mark() {
    let mut run = Waiting::new("setsid sleep 1000 >/dev/null 2>&1 &");
    run.kill();
    fs::remove_dir_all(run.folder.path()).unwrap();
    assert_eq!(follow::stop(&run.folder).unwrap(), Asked::Noted);
    let record = adopt::settle(&run.folder, NOW).unwrap();
    assert_eq!((&record.end, marked(run.mark)), (&RunEnd::Lost, vec![]));
    assert!(record.stragglers >= 2 && record.message.unwrap().contains("its folder was deleted"));
    assert!(supervise(&run.folder).wait().unwrap().success());
    assert!(!run.folder.stream(Stream::Stdout).exists(), "a late supervisor starts nothing");
}

#[test]
fn a_supervisor_that_stands_still_is_stopped_all_the_same() {
    let mut run = Waiting::new("");
    run.signal(Signal::STOP);
    assert_eq!(follow::stop(&run.folder).unwrap(), Asked::Told);
    run.supervisor.wait().unwrap();
    let record = run.ended();
    assert_eq!((record.end, record.message), (RunEnd::Stopped, None));
}

#[test]
fn a_supervisor_that_somebody_else_ends_says_so() {
    let mut run = Waiting::new("");
    run.signal(Signal::TERM);
    run.supervisor.wait().unwrap();
    let record = run.ended();
    assert_eq!(record.end, RunEnd::Stopped);
    assert_eq!(record.message.as_deref(), Some("its supervisor was asked to end, and not by Draft"));
}

#[test]
fn an_end_that_cannot_be_written_is_not_forgotten_by_a_request_to_stop() {
    let mut run = Waiting::new("");
    let in_the_way = run.folder.path().join("exit.json.new");
    fs::create_dir(&in_the_way).unwrap();
    fs::write(run.runs.file("go"), b"").unwrap();
    until("the program is gone", || marked(run.mark).is_empty().then_some(()));
    assert_eq!(follow::stop(&run.folder).unwrap(), Asked::Told);
    assert_eq!(adopt::look(&run.folder).unwrap(), Standing::Running);
    fs::remove_dir(&in_the_way).unwrap();
    run.supervisor.wait().unwrap();
    assert_eq!(run.ended().end, RunEnd::Exited { code: 42 });
}

#[test]
fn a_limit_holds_for_a_supervisor_that_stood_still_beyond_it() {
    let runs = Runs::new();
    let ready = runs.file("ready");
    let spec = runs.spec(1, &format!("touch {}; exec sleep 1000", ready.display()));
    let spec = Spec { limits: Limits { time_ms: Some(600), ..spec.limits }, ..spec };
    let folder = runs.create(&spec);
    let mut supervisor = supervise(&folder);
    until_there(&ready);
    let pid = Pid::from_raw(supervisor.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let beyond = Instant::now() + Duration::from_millis(700);
    until("its time is over", || (Instant::now() > beyond).then_some(()));
    assert_eq!(adopt::look(&folder).unwrap(), Standing::Running);
    kill_process(pid, Signal::CONT).unwrap();
    supervisor.wait().unwrap();
    assert_eq!(folder.record().unwrap().unwrap().end, RunEnd::TimedOut);
    assert_eq!(marked(spec.mark), [0; 0]);
}

#[tokio::test]
async fn a_supervisor_that_is_killed_before_it_took_its_run_is_started_again() {
    let runs = Runs::new();
    let program = runs.file("draft");
    let script = format!(
        "#!/bin/sh\ntest -e {0} || {{ touch {0}; kill -INT $$; }}\nexec {DRAFT} \"$@\"\n",
        runs.file("once").display()
    );
    // Another process writes it: a program that a thread of this one has open for writing cannot be started.
    let mut write = Command::new("sh");
    write.args(["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\""]).arg(&program).arg(script);
    assert!(write.status().unwrap().success());
    let folder = runs.create(&runs.spec(1, "echo ran"));
    assert_eq!(launch(&program, &folder).unwrap().ended().await.unwrap().end, RunEnd::Exited { code: 0 });
    assert!(runs.file("once").exists());
    assert_eq!(stdout(&folder), b"ran\n");
}
