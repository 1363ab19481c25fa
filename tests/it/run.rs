//! Runs with the real supervisor and real programs: what must hold when things flood, hang, flee or are stopped.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which the exception for tests does not reach")]

mod crash;
mod damage;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use draft_board::domain::id::JobId;
use draft_board::domain::run::{RunEnd, RunId, RunKind};
use draft_board::domain::time::Timestamp;
use draft_board::run::adopt::{self, Standing};
use draft_board::run::follow::{self, Asked};
use draft_board::run::launch::launch;
use draft_board::run::spec::{MARK_VARIABLE, SPEC_VERSION, this_boot};
use draft_board::run::times::Times;
use draft_board::run::{ExitRecord, Folder, Limits, Mark, Output, RunError, Spec, Stdin, Stream};
use uuid::Uuid;

const DRAFT: &str = env!("CARGO_BIN_EXE_draft");
/// Nothing here takes nearly that long, but the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(60);
const NOW: Timestamp = Timestamp(1_000);

/// A folder of runs, and a way to run shell scripts in it as if they were agents.
struct Runs {
    root: tempfile::TempDir,
}

impl Runs {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    fn spec(&self, n: u32, script: &str) -> Spec {
        Spec {
            version: SPEC_VERSION,
            id: RunId { job: JobId(Uuid::now_v7()), n },
            kind: RunKind::Execute,
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: self.root.path().into(),
            inherit: vec!["PATH".into()],
            set: BTreeMap::new(),
            stdin: Stdin::Null,
            output: Output::File,
            limits: Limits { grace_ms: 300, ..Limits::default() },
            mark: Mark(Uuid::now_v7()),
            boot: this_boot(),
        }
    }

    fn create(&self, spec: &Spec) -> Folder {
        Folder::create(&self.root.path().join("runs"), spec, Some(b"the prompt\n")).unwrap()
    }

    /// Runs a script to its end.
    fn run(&self, script: &str) -> (Folder, ExitRecord) {
        self.run_spec(&self.spec(1, script))
    }

    fn run_spec(&self, spec: &Spec) -> (Folder, ExitRecord) {
        let folder = self.create(spec);
        let status = supervise(&folder).wait().unwrap();
        assert!(status.success(), "{status}");
        let record = folder.record().unwrap().expect("a supervisor that ends well leaves a record");
        assert_eq!(marked(spec.mark), [0; 0], "nothing is left behind");
        (folder, record)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
}

fn supervise(folder: &Folder) -> Child {
    supervisor(folder).spawn().unwrap()
}

fn supervisor(folder: &Folder) -> Command {
    let mut command = Command::new(DRAFT);
    command.arg("supervise").arg(folder.path()).stdin(Stdio::null());
    command
}

fn stdout(folder: &Folder) -> Vec<u8> {
    fs::read(folder.stream(Stream::Stdout)).unwrap()
}

/// Returns the processes that live and have the mark.
fn marked(mark: Mark) -> Vec<i32> {
    let wanted = format!("{MARK_VARIABLE}={mark}").into_bytes();
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
    })
    .collect()
}

/// Waits for a condition, and fails with its name.
fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn until_there(path: &Path) {
    until(&format!("{} is there", path.display()), || path.exists().then_some(()));
}

fn kill(pid: i32) {
    Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
}

fn kill_supervisor(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn exit_codes_and_signals_are_the_true_ones() {
    let runs = Runs::new();
    for (script, end) in [
        ("exit 0", RunEnd::Exited { code: 0 }),
        ("exit 3", RunEnd::Exited { code: 3 }),
        ("exit 255", RunEnd::Exited { code: 255 }),
        ("kill -9 $$", RunEnd::Signaled { signal: 9 }),
        ("kill -15 $$", RunEnd::Signaled { signal: 15 }),
    ] {
        let (_, record) = runs.run(script);
        assert_eq!(record.end, end, "{script}");
        assert!(record.started_at.unwrap() <= record.ended_at && !record.shrank && record.stragglers == 0);
    }
}

#[test]
fn the_prompt_is_what_the_program_reads_to_its_end() {
    let runs = Runs::new();
    let spec = Spec { stdin: Stdin::Prompt, ..runs.spec(1, "cat") };
    assert_eq!(stdout(&runs.run_spec(&spec).0), b"the prompt\n");
    let spec = Spec { stdin: Stdin::Null, ..runs.spec(1, "cat") };
    assert_eq!(stdout(&runs.run_spec(&spec).0), b"");
}

#[test]
fn every_byte_is_kept_also_half_characters_and_zeros() {
    let runs = Runs::new();
    for output in [Output::File, Output::Pipe] {
        let script = r"printf 'a\000\303'; printf 'e\377\n' >&2; printf 'no end'";
        let (folder, record) = runs.run_spec(&Spec { output, ..runs.spec(1, script) });
        assert_eq!(stdout(&folder), b"a\0\xc3no end");
        assert_eq!(fs::read(folder.stream(Stream::Stderr)).unwrap(), b"e\xff\n");
        assert_eq!((record.stdout_bytes, record.stderr_bytes), (9, 3));
        let times = Times::open(folder.index());
        assert!(times.written_at(Stream::Stdout, 8).unwrap() <= record.ended_at);
    }
}

#[test]
fn only_named_variables_are_passed_on_and_their_values_are_not_written_down() {
    let runs = Runs::new();
    let mut spec = runs.spec(1, "env | sort");
    spec.inherit = vec!["KEPT".into(), "UNSET".into()];
    spec.set = BTreeMap::from([("ADDED".into(), "by draft".into())]);
    let folder = runs.create(&spec);
    let status = supervisor(&folder).env("KEPT", "kept-secret").env("OTHER", "other-secret").status().unwrap();
    assert!(status.success());
    let seen = String::from_utf8(stdout(&folder)).unwrap();
    let mut names: Vec<_> =
        seen.lines().filter(|line| !["PWD=", "SHLVL=", "_="].iter().any(|own| line.starts_with(own))).collect();
    names.sort_unstable();
    assert_eq!(names, ["ADDED=by draft", &format!("{MARK_VARIABLE}={}", spec.mark), "KEPT=kept-secret"]);
    for file in
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).filter(|file| !file.ends_with("stdout"))
    {
        let bytes = fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"), "{}", file.display());
    }
}

#[test]
fn limits_on_time_silence_and_output_stop_the_tree_and_say_which() {
    let runs = Runs::new();
    let grace = Limits { grace_ms: 300, ..Limits::default() };
    for (script, limits, end) in [
        ("while :; do echo x; sleep 0.05; done", Limits { time_ms: Some(400), ..grace }, RunEnd::TimedOut),
        ("echo x; sleep 1000", Limits { silence_ms: Some(400), time_ms: Some(60_000), ..grace }, RunEnd::Silent),
        ("cat /dev/zero", Limits { output_bytes: Some(1_000_000), ..grace }, RunEnd::TooMuchOutput),
    ] {
        for output in [Output::File, Output::Pipe] {
            let (_, record) = runs.run_spec(&Spec { limits, output, ..runs.spec(1, script) });
            assert_eq!(record.end, end, "{script}");
        }
    }
}

#[test]
fn a_program_that_talks_now_and_then_is_not_silent() {
    let runs = Runs::new();
    let limits = Limits { silence_ms: Some(1_500), ..Limits::default() };
    let script = "for i in 1 2 3 4 5; do echo $i; sleep 0.4; done";
    let (_, record) = runs.run_spec(&Spec { limits, ..runs.spec(1, script) });
    assert_eq!(record.end, RunEnd::Exited { code: 0 });
}

/// Ignores the polite signal, and has a child in a session of its own that does too.
fn stubborn(runs: &Runs) -> String {
    let ready = runs.file("ready").display().to_string();
    format!(
        "trap '' TERM; setsid sh -c \"trap '' TERM; touch {ready}; while :; do sleep 1; done\" & while :; do sleep 1; done"
    )
}

#[tokio::test]
async fn a_stop_ends_even_those_that_ignore_it_and_fled_into_a_session_of_their_own() {
    let runs = Runs::new();
    let spec = runs.spec(1, &stubborn(&runs));
    let folder = runs.create(&spec);
    let mut run = launch(Path::new(DRAFT), &folder).unwrap();
    until_there(&runs.file("ready"));
    assert!(matches!(folder.record(), Ok(None)) && marked(spec.mark).len() >= 2);
    assert_eq!(follow::stop(&folder).unwrap(), Asked::Told);
    assert_eq!(run.ended().await.unwrap().end, RunEnd::Stopped);
    assert_eq!(marked(spec.mark), [0; 0]);
    assert_eq!(follow::stop(&folder).unwrap(), Asked::Over);
    assert_eq!(run.ended().await.unwrap().end, RunEnd::Stopped, "asking again is harmless");
}

#[tokio::test]
async fn a_stop_that_comes_before_the_supervisor_is_obeyed() {
    let runs = Runs::new();
    let spec = runs.spec(1, "echo started");
    let folder = runs.create(&spec);
    assert_eq!(follow::stop(&folder).unwrap(), Asked::Noted);
    let mut run = launch(Path::new(DRAFT), &folder).unwrap();
    assert_eq!(run.ended().await.unwrap().end, RunEnd::Stopped);
    assert_eq!(stdout(&folder), b"");
}

#[test]
fn a_program_that_ends_politely_when_stopped_counts_as_stopped_and_keeps_its_last_words() {
    let runs = Runs::new();
    let ready = runs.file("ready");
    let script = format!("trap 'echo bye; exit 0' TERM; touch {}; while :; do sleep 0.05; done", ready.display());
    let spec = runs.spec(1, &script);
    let folder = runs.create(&spec);
    let mut supervisor = supervise(&folder);
    until_there(&ready);
    follow::stop(&folder).unwrap();
    supervisor.wait().unwrap();
    assert_eq!(folder.record().unwrap().unwrap().end, RunEnd::Stopped);
    assert_eq!(stdout(&folder), b"bye\n");
}

#[test]
fn a_hang_up_does_not_stop_a_run_and_is_not_ignored_by_its_program() {
    let runs = Runs::new();
    let (ready, go) = (runs.file("ready"), runs.file("go"));
    let wait = format!("touch {}; until test -e {}; do sleep 0.02; done", ready.display(), go.display());
    let spec = runs.spec(1, &format!("{wait}; grep SigIgn /proc/self/status; exit 4"));
    let folder = runs.create(&spec);
    // Ignored, as `nohup` does it.
    let mut supervisor = Command::new("/bin/sh")
        .args(["-c", "trap '' HUP; exec \"$0\" supervise \"$1\"", DRAFT])
        .arg(folder.path())
        .spawn()
        .unwrap();
    until_there(&ready);
    Command::new("kill").args(["-HUP", &supervisor.id().to_string()]).status().unwrap();
    fs::write(&go, b"").unwrap();
    supervisor.wait().unwrap();
    assert_eq!(folder.record().unwrap().unwrap().end, RunEnd::Exited { code: 4 });
    let ignored = String::from_utf8(stdout(&folder)).unwrap();
    let ignored = u64::from_str_radix(ignored.trim().trim_start_matches("SigIgn:\t"), 16).unwrap();
    assert_eq!(ignored & 1, 0, "hang-up is signal 1, the lowest bit");
}

#[test]
fn what_a_program_leaves_behind_is_stopped_and_counted() {
    let runs = Runs::new();
    for output in [Output::File, Output::Pipe] {
        // One keeps the pipe, one fled and closed everything, one dropped the mark.
        let script = "sleep 1000 & setsid sleep 1000 >/dev/null 2>&1 & env -i setsid sleep 1000 & exit 5";
        let (_, record) = runs.run_spec(&Spec { output, ..runs.spec(1, script) });
        assert_eq!((record.end, record.stragglers), (RunEnd::Exited { code: 5 }, 3));
    }
}

#[test]
fn a_helper_that_only_has_to_write_its_last_words_may() {
    let runs = Runs::new();
    let script = "mkfifo f; (cat f; sleep 0.1; echo last) & exec >f; echo first";
    let (folder, record) = runs.run_spec(&Spec { output: Output::Pipe, ..runs.spec(1, script) });
    assert_eq!((stdout(&folder), record.stragglers), (b"first\nlast\n".to_vec(), 0));
}

#[test]
fn orphans_are_waited_for_while_the_program_lives() {
    let runs = Runs::new();
    // Each `sh -c` leaves an orphan; a dead one that nobody waits for would be counted here.
    let script = "for i in 1 2 3 4 5; do sh -c 'sleep 0.01 &'; done; sleep 0.5; ps -o stat= --ppid $PPID | grep -c Z";
    let (folder, _) = runs.run(script);
    assert_eq!(stdout(&folder), b"0\n");
}

#[test]
fn a_flood_arrives_whole() {
    let runs = Runs::new();
    for output in [Output::File, Output::Pipe] {
        let script = "head -c 100000000 /dev/zero; echo end; head -c 1000000 /dev/zero >&2";
        let (folder, record) = runs.run_spec(&Spec { output, ..runs.spec(1, script) });
        assert_eq!((record.stdout_bytes, record.stderr_bytes), (100_000_004, 1_000_000));
        assert_eq!(fs::metadata(folder.stream(Stream::Stdout)).unwrap().len(), 100_000_004);
    }
}

const REOPENS: &str = "echo one; echo two >/dev/stdout; echo three >/dev/stdout; echo four >&2; echo five >/dev/stderr";

#[test]
fn a_script_that_reopens_its_streams_loses_nothing_through_a_pipe() {
    let runs = Runs::new();
    let (folder, record) = runs.run_spec(&Spec { output: Output::Pipe, ..runs.spec(1, REOPENS) });
    assert_eq!(stdout(&folder), b"one\ntwo\nthree\n");
    assert_eq!(fs::read(folder.stream(Stream::Stderr)).unwrap(), b"four\nfive\n");
    assert!(!record.shrank);
}

#[test]
fn a_program_that_truncates_its_output_is_noticed() {
    let runs = Runs::new();
    // The first line says when it started.
    let noted = "until test $(wc -l < \"$INDEX\") -gt 1; do sleep 0.02; done";
    let mut spec = runs.spec(1, &format!("echo a long first line; {noted}; : >/dev/stdout; echo short"));
    let index = runs.root.path().join("runs").join(spec.id.folder(spec.kind)).join("index");
    spec.set.insert("INDEX".into(), index.display().to_string());
    let (folder, record) = runs.run_spec(&spec);
    assert!(record.shrank);
    assert_eq!((stdout(&folder), record.stdout_bytes), (b"short\n".to_vec(), 6));
}

#[tokio::test]
async fn thirty_two_at_once_all_end_with_their_own_codes() {
    let runs = Runs::new();
    let mut waits = tokio::task::JoinSet::new();
    for n in 0..32 {
        let folder = runs.create(&runs.spec(n + 1, &format!("echo {n}; exit {n}")));
        let mut run = launch(Path::new(DRAFT), &folder).unwrap();
        waits.spawn(async move { (n, folder, run.ended().await.unwrap().end) });
    }
    while let Some(ended) = waits.join_next().await {
        let (n, folder, end) = ended.unwrap();
        assert_eq!(end, RunEnd::Exited { code: n.try_into().unwrap() });
        assert_eq!(stdout(&folder), format!("{n}\n").into_bytes());
    }
}

#[test]
fn a_program_that_cannot_start_leaves_a_reason_that_helps() {
    let runs = Runs::new();
    let script = runs.file("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    Command::new("chmod").arg("+x").arg(&script).status().unwrap();
    let plain = runs.file("plain");
    fs::write(&plain, "text").unwrap();
    let base = runs.spec(1, "");
    for (spec, hint) in [
        (Spec { program: "/no/such/agent".into(), ..base.clone() }, "is it installed?"),
        (Spec { cwd: "/no/such/folder".into(), ..base.clone() }, "that folder is not there"),
        (Spec { program: script, ..base.clone() }, "the interpreter that its first line names"),
        (Spec { program: plain, ..base.clone() }, "may it be executed?"),
        (Spec { args: vec!["x".repeat(5_000_000)], ..base }, "give a long prompt on stdin"),
    ] {
        let spec = Spec { id: RunId { job: JobId(Uuid::now_v7()), n: 1 }, ..spec };
        let (_, record) = runs.run_spec(&spec);
        let RunEnd::NotStarted { error } = record.end else { panic!("{hint}: {:?}", record.end) };
        assert!(error.contains(hint), "{error}");
        assert!(
            error.contains(spec.program.to_str().unwrap()) && error.contains(spec.cwd.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn runs_inside_a_run_carry_both_marks() {
    let runs = Runs::new();
    let spec = runs.spec(1, &format!("echo ${MARK_VARIABLE}"));
    let folder = runs.create(&spec);
    assert!(supervisor(&folder).env(MARK_VARIABLE, "outer").status().unwrap().success());
    assert_eq!(stdout(&folder), format!("outer {}\n", spec.mark).into_bytes());
}
