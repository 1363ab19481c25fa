//! What becomes of a run when its board or its supervisor is killed, comes late, comes twice or finds rubbish.

use super::*;

#[test]
fn a_killed_supervisor_means_lost_with_all_bytes_kept_and_nothing_running() {
    let runs = Runs::new();
    let spec = runs.spec(1, &format!("echo before; {}", stubborn(&runs)));
    let folder = runs.create(&spec);
    let supervisor = supervise(&folder);
    until_there(&runs.file("ready"));
    assert_eq!(adopt::look(&folder).unwrap(), Standing::Running);
    assert!(matches!(adopt::settle(&folder, NOW), Err(RunError::StillRunning { .. })));
    kill_supervisor(supervisor);

    assert_eq!(adopt::look(&folder).unwrap(), Standing::Dead);
    assert!(!marked(spec.mark).is_empty(), "the agent goes on");
    let record = adopt::settle(&folder, NOW).unwrap();
    assert_eq!((&record.end, record.ended_at, record.stdout_bytes), (&RunEnd::Lost, NOW, 7));
    assert!(record.stragglers >= 2 && record.started_at.is_some());
    assert_eq!((stdout(&folder), marked(spec.mark)), (b"before\n".to_vec(), vec![]));

    assert_eq!(adopt::look(&folder).unwrap(), Standing::Ended(record.clone()));
    assert!(supervise(&folder).wait().unwrap().success());
    assert_eq!(adopt::settle(&folder, Timestamp(2)).unwrap(), record, "an end never changes");
    assert_eq!(stdout(&folder), b"before\n", "a late supervisor starts nothing");
}

#[test]
fn the_program_of_a_killed_supervisor_is_never_started_twice() {
    let runs = Runs::new();
    let ready = runs.file("ready");
    let spec = runs.spec(1, &format!("echo once; touch {}; sleep 1000", ready.display()));
    let folder = runs.create(&spec);
    let supervisor = supervise(&folder);
    until_there(&ready);
    kill_supervisor(supervisor);
    assert!(supervise(&folder).wait().unwrap().success());
    assert_eq!((stdout(&folder), adopt::look(&folder).unwrap()), (b"once\n".to_vec(), Standing::Dead));
    adopt::settle(&folder, NOW).unwrap();
    assert_eq!(marked(spec.mark), [0; 0]);
}

#[test]
fn a_run_that_was_never_started_is_settled_as_that_and_never_starts() {
    let runs = Runs::new();
    let folder = runs.create(&runs.spec(1, "echo late"));
    assert_eq!(adopt::look(&folder).unwrap(), Standing::NeverStarted);
    assert!(matches!(adopt::settle(&folder, NOW).unwrap().end, RunEnd::NotStarted { .. }));
    assert!(supervise(&folder).wait().unwrap().success());
    assert_eq!(stdout(&folder), b"");
}

#[test]
fn after_another_start_of_the_machine_nobody_is_killed() {
    let runs = Runs::new();
    let ready = runs.file("ready");
    let spec = runs.spec(1, &format!("touch {}; exec sleep 1000", ready.display()));
    let folder = runs.create(&spec);
    let supervisor = supervise(&folder);
    until_there(&ready);
    kill_supervisor(supervisor);
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    let mut holder: serde_json::Value = serde_json::from_str(&pid).unwrap();
    holder["boot"] = "another".into();
    fs::write(folder.path().join("pid"), holder.to_string()).unwrap();
    let record = adopt::settle(&folder, NOW).unwrap();
    assert_eq!((record.end, record.stragglers), (RunEnd::Lost, 0));
    assert_eq!(record.message.as_deref(), Some("the machine was restarted meanwhile"));
    let left = marked(spec.mark);
    assert_eq!(left.len(), 1);
    left.into_iter().for_each(kill);
}

#[test]
fn a_run_from_before_a_restart_is_not_started_though_nothing_is_left_that_a_supervisor_wrote() {
    let runs = Runs::new();
    let folder = runs.create(&Spec { boot: "another".to_owned(), ..runs.spec(1, "echo twice") });
    assert_eq!(adopt::look(&folder).unwrap(), Standing::Dead);
    assert!(supervise(&folder).wait().unwrap().success());
    assert_eq!((stdout(&folder), folder.record().unwrap()), (Vec::new(), None));
    let record = adopt::settle(&folder, NOW).unwrap();
    assert_eq!(record.end, RunEnd::Lost);
    assert_eq!(record.message.as_deref(), Some("the machine was restarted meanwhile"));
}

#[test]
fn damaged_files_make_a_lost_run_with_a_reason_and_no_panic() {
    let runs = Runs::new();
    let folder = runs.create(&runs.spec(1, "true"));
    fs::write(folder.path().join("spec.json"), b"{\"version\": 1").unwrap();
    fs::write(folder.path().join("pid"), b"\xff").unwrap();
    let record = adopt::settle(&folder, NOW).unwrap();
    assert_eq!(record.end, RunEnd::Lost);
    assert!(record.message.unwrap().contains("spec.json is damaged"));

    fs::write(folder.path().join("exit.json"), b"cut").unwrap();
    let Standing::Ended(record) = adopt::look(&folder).unwrap() else { panic!("there is a record") };
    assert_eq!(record.end, RunEnd::Lost);
    assert!(record.message.unwrap().contains("exit.json is damaged"));
}

#[test]
fn a_supervisor_that_cannot_read_its_specification_says_so() {
    let runs = Runs::new();
    let folder = runs.create(&runs.spec(1, "true"));
    fs::write(folder.path().join("spec.json"), b"{}").unwrap();
    assert!(supervise(&folder).wait().unwrap().success());
    let RunEnd::NotStarted { error } = folder.record().unwrap().unwrap().end else { panic!("nothing could start") };
    assert!(error.contains("spec.json is damaged"), "{error}");
}

#[test]
fn of_many_supervisors_on_one_folder_one_runs() {
    let runs = Runs::new();
    let spec = runs.spec(1, "echo once; sleep 0.2");
    let folder = runs.create(&spec);
    let mut supervisors: Vec<_> = (0..8).map(|_| supervise(&folder)).collect();
    for supervisor in &mut supervisors {
        assert!(supervisor.wait().unwrap().success());
    }
    assert_eq!(stdout(&folder), b"once\n");
    assert_eq!(folder.record().unwrap().unwrap().end, RunEnd::Exited { code: 0 });
}

#[test]
fn looking_at_a_run_never_keeps_it_from_starting() {
    let runs = Runs::new();
    for n in 1..=10 {
        let folder = runs.create(&runs.spec(n, "echo ran"));
        let mut supervisor = supervise(&folder);
        while supervisor.try_wait().unwrap().is_none() {
            adopt::look(&folder).unwrap();
        }
        assert_eq!(stdout(&folder), b"ran\n");
    }
}

#[tokio::test]
async fn a_run_outlives_whoever_started_it_and_is_taken_back_with_its_true_code() {
    let runs = Runs::new();
    let (ready, go) = (runs.file("ready"), runs.file("go"));
    let wait = format!("touch {}; until test -e {}; do sleep 0.02; done", ready.display(), go.display());
    let spec = runs.spec(1, &format!("echo one; {wait}; echo two; exit 42"));
    let folder = runs.create(&spec);
    // A board with a terminal's whole group, killed without a word.
    let mut board = Command::new("/bin/sh")
        .args(["-c", "\"$0\" supervise \"$1\" & wait", DRAFT])
        .arg(folder.path())
        .process_group(0)
        .spawn()
        .unwrap();
    until_there(&ready);
    Command::new("kill").args(["-9", "--", &format!("-{}", board.id())]).status().unwrap();
    board.wait().unwrap();

    assert_eq!(adopt::look(&folder).unwrap(), Standing::Running);
    let follower = tokio::spawn({
        let folder = folder.clone();
        async move { follow::ended(&folder).await.unwrap() }
    });
    fs::write(&go, b"").unwrap();
    let record = tokio::time::timeout(DEADLINE, follower).await.unwrap().unwrap();
    assert_eq!((record.end, stdout(&folder)), (RunEnd::Exited { code: 42 }, b"one\ntwo\n".to_vec()));
}

#[tokio::test]
async fn a_follower_settles_a_run_whose_supervisor_is_killed() {
    let runs = Runs::new();
    let ready = runs.file("ready");
    let spec = runs.spec(1, &format!("touch {}; sleep 1000", ready.display()));
    let folder = runs.create(&spec);
    let supervisor = supervise(&folder);
    until_there(&ready);
    let (record, ()) = tokio::join!(follow::ended(&folder), async { kill_supervisor(supervisor) });
    assert_eq!(record.unwrap().end, RunEnd::Lost);
    assert_eq!(marked(spec.mark), [0; 0]);
}

#[tokio::test]
async fn a_launched_supervisor_that_does_nothing_is_a_run_that_was_not_started() {
    let runs = Runs::new();
    let folder = runs.create(&runs.spec(1, "true"));
    let record = launch(Path::new("/bin/false"), &folder).unwrap().ended().await.unwrap();
    let RunEnd::NotStarted { error } = record.end else { panic!("{:?}", record.end) };
    assert_eq!(error, "its supervisor ended with exit status: 1");
    let error = launch(Path::new("/no/such/draft"), &folder).unwrap_err().to_string();
    assert!(error.contains("/no/such/draft supervise"), "{error}");
}
