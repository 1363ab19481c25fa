//! The settings as people write them, and every way to get them wrong.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use super::autonomy::{AutonomyConfig, GatesConfig};
use super::cleanup::CleanupConfig;
use super::keys::{Kind, Who};
use super::later::Later;
use super::merge::MergeConfig;
use super::*;

fn file(text: impl Into<Vec<u8>>) -> Option<SourceFile> {
    Some(SourceFile { path: "draft.yaml".into(), bytes: text.into() })
}

fn user(text: &str) -> Result<Loaded, ConfigErrors> {
    load(&Sources { user: file(text), ..Sources::default() })
}

fn repo(text: &str) -> Result<Loaded, ConfigErrors> {
    load(&Sources { repo: file(text), ..Sources::default() })
}

/// What is wrong in a repository's file, a line each.
fn wrong(text: &str) -> String {
    repo(text).unwrap_err().to_string()
}

#[test]
fn without_files_everything_is_built_in() {
    let loaded = load(&Sources::default()).unwrap();
    assert_eq!(loaded, Loaded::default());
    assert_eq!(loaded.config.execute_config.max_output_bytes, 1024 * 1024 * 1024);
    assert!(loaded.settings().all(|setting| setting.origin == Origin::BuiltIn));
    assert_eq!(repo("# nothing\nexecute_config:\nverify_config: {}\n").unwrap(), loaded);
}

#[test]
fn the_repository_wins_over_the_user_and_each_value_knows_where_it_is_from() {
    let sources = Sources {
        user: file(
            "execute_config: {timeout: 60, executor_model: big, max_parallel_jobs: 4}\nverify_config: {commands: [a, b]}",
        ),
        repo: file("execute_config: {timeout: 30, executor_model: null}\nverify_config: {commands: [c]}"),
        board: file("execute_config: {retries: 9}"),
    };
    let loaded = load(&sources).unwrap();
    let execute = &loaded.config.execute_config;
    assert_eq!((execute.timeout.as_secs(), execute.max_parallel_jobs), (30, 4));
    assert_eq!(execute.executor_model, None, "null is a value");
    assert_eq!(loaded.config.verify_config.commands, ["c".into()], "a list replaces a list");
    assert_eq!(loaded.origin("execute_config.timeout"), Origin::Repo);
    assert_eq!(loaded.origin("execute_config.max_parallel_jobs"), Origin::User);
    assert_eq!(loaded.origin("execute_config.stop_grace"), Origin::BuiltIn);
    assert_eq!((loaded.origin("execute_config.retries"), execute.retries), (Origin::Board, 9));
}

#[test]
fn all_mistakes_of_both_files_are_told_at_once_with_their_places() {
    let sources = Sources {
        user: Some(SourceFile { path: "mine.yaml".into(), bytes: b"execute_config: 5\n".into() }),
        repo: file(
            "execute_config:\n  timeuot: 5\n  max_parallel_jobs: 0\n  timeout: 10m\n  stop_grace: 1\n  stop_grace: 2\n\
             verify_config:\n  commands: cargo test\n  extra_allowed_commands: [7, sh]\nfoo: 1\n",
        ),
        ..Sources::default()
    };
    let expected = "\
mine.yaml:1:17: `execute_config` should be a map of settings, but this is the number 5
draft.yaml:2:3: there is no setting `execute_config.timeuot`; did you mean `execute_config.timeout`?
draft.yaml:3:22: `execute_config.max_parallel_jobs` should be a whole number from 1 to 1000, but this is 0
draft.yaml:4:12: `execute_config.timeout` should be a whole number of seconds from 1 to 604800, but this is the text \"10m\"
draft.yaml:6:3: `execute_config.stop_grace` was set already in line 5; keep one of the two
draft.yaml:8:13: `verify_config.commands` should be a list of commands, each a text or a map of `run`, `shell` and `timeout`, but this is the text \"cargo test\"; write it as a list: [\"…\"]
draft.yaml:9:28: `verify_config.extra_allowed_commands` should be a list of texts, but this is the number 7; put it in quotes
draft.yaml:10:1: there is no setting `foo`; delete it, or see Draft's own `draft.yaml` for all that there are";
    assert_eq!(load(&sources).unwrap_err().to_string(), expected);
}

#[test]
fn values_of_wrong_types_say_what_to_write() {
    for (text, said) in [
        ("execute_config: {executor_model: 4.5}", "put it in quotes"),
        ("execute_config: {preferred_executor: null}", "delete the line"),
        ("execute_config: {executor_model: --yolo}", "would take it for a flag"),
        ("execute_config: {preferred_executor: ''}", "empty or more than one line"),
        ("execute_config: {timeout: 1.5}", "whole number"),
        ("execute_config: {timeout: -1}", "but this is -1"),
        ("execute_config: {timeout: 99999999999999999999}", "whole number of seconds"),
        ("verify_config: {commands: }", "write [] for none"),
        ("verify_config: {commands: [\"a\\nb\"]}", "more than one line"),
        ("verify_config: {commands: [[a]]}", "this is a list"),
        ("1: 2", "a key should be a word, but this is the number 1"),
        ("[a]", "the file should be a map of settings, but this is a list"),
        ("timeout: 5", "did you mean `execute_config.timeout`"),
        (
            "merge_config: {default_strategy: sqush}",
            "one of merge, rebase, squash, but this is \"sqush\"; did you mean `squash`?",
        ),
        ("verify_config: {commands: [{shell: true}]}", "`verify_config.commands[0]` lacks `run`"),
        ("verify_config: {commands: [{run: a, shel: true}]}", "did you mean `verify_config.commands[0].shell`"),
        ("verify_config: {commands: [a, {run: a, timeout: 0}]}", "`verify_config.commands[1].timeout` should be"),
        ("a: *x", "is not valid YAML"),
        ("a: !env HOME", "YAML tags"),
    ] {
        assert!(wrong(text).contains(said), "{text}: {}", wrong(text));
    }
    let mode = user("execute_config: {yolo_mode: 'yes'}").unwrap_err().to_string();
    assert!(mode.contains("should be true or false, but this is the text \"yes\""), "{mode}");
}

#[test]
fn a_repository_cannot_give_agents_more_room() {
    let text = "execute_config:\n  yolo_mode: true\n  yolo_allowlist: [/]\n";
    assert_eq!(
        wrong(text),
        "draft.yaml:2:3: `execute_config.yolo_mode` is yours to decide and not a repository's; set it in your own file \
         and delete it here\n\
         draft.yaml:3:3: `execute_config.yolo_allowlist` is yours to decide and not a repository's; set it in your own \
         file and delete it here"
    );
    let loaded = user(text).unwrap();
    assert!(loaded.config.execute_config.yolo_mode);
    assert_eq!(loaded.config.execute_config.yolo_allowlist, ["/"]);
}

#[test]
fn a_template_that_names_two_branches_alike_is_refused_where_it_stands() {
    let told = wrong("workspace_config:\n  branch_template: work/{slug}\n");
    assert!(told.starts_with("draft.yaml:2:20: `workspace_config.branch_template`: it needs {number}"), "{told}");
}

#[test]
fn known_keys_without_effect_are_warnings() {
    let text = "planner_config:\n  features: {validate_tickets: true}\nteam_config: {max_team_size: 3}\n\
                verify_commands: [make]\n";
    let warnings = repo(text).unwrap().warnings;
    let told: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "draft.yaml:2:14: `planner_config.features.validate_tickets` is known, but not in use yet",
            "draft.yaml:3:15: `team_config.max_team_size` is known, but not in use yet",
            "draft.yaml:4:1: `verify_commands` is an old name and has no effect; write `verify_config.commands`",
        ]
    );
    assert!(wrong("planner_config: {features: {auto_exec: true}}").contains("planner_config.features.auto_execute"));
}

#[test]
fn profiles_and_agents_of_both_files_are_laid_over_each_other_by_name() {
    let sources = Sources {
        user: file(
            "executor_profiles:\n  fast: {model: small, timeout: 60, extra_flags: [--yolo], env: {A: '1', PATH: /x}}\n\
             executors:\n  mine: {program: mine, start: [a]}\n",
        ),
        repo: file(
            "executor_profiles:\n  fast: {model: null, env: {B: ''}}\n  deep: {executor_type: codex}\n\
             executors:\n  mine: {program: theirs}\n",
        ),
        ..Sources::default()
    };
    let loaded = load(&sources).unwrap();
    let fast = &loaded.config.executor_profiles["fast"];
    let env = [("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new()), ("PATH".to_owned(), "/x".to_owned())];
    let expected = ExecutorProfile {
        executor_type: "claude".into(),
        timeout: Some(Duration::from_secs(60)),
        extra_flags: vec!["--yolo".into()],
        model: None,
        env: env.into(),
    };
    assert_eq!(*fast, expected);
    let deep = ExecutorProfile { executor_type: "codex".into(), ..ExecutorProfile::default() };
    assert_eq!(loaded.config.executor_profiles["deep"], deep);
    assert_eq!(loaded.config.executors["mine"], serde_json::json!({"program": "theirs"}), "a row replaces a row");
    let spot = loaded.spot("executors.mine").unwrap();
    assert_eq!(spot.place, Place { line: 5, column: 3 });
    let origins = ["executor_profiles.fast.env.A", "executor_profiles.fast.env.B", "executor_profiles.fast.timeout"];
    assert_eq!(origins.map(|path| loaded.origin(path)), [Origin::User, Origin::Repo, Origin::User]);
    let content = r#"{"executor_profiles.fast.env.B":"","executors.mine":{"program":"theirs"}}"#;
    assert_eq!(trust::trust_content(&loaded).as_deref(), Some(content));
}

#[test]
fn free_names_and_what_a_repository_sets_there_are_checked() {
    let text = "\
executor_profiles:
  a/b: {}
  fast:
    modle: x
    timeout: 0
    extra_flags: [--verbose, --yolo]
    env: {LD_PRELOAD: x.so, 'A B': x, DRAFT_RUN: x, PORT: 80}
  slow: 7
executors:
  ../x: {}
  mine: [a]
  big: {n: 99999999999999999999999999999999}
  two: {a: 1, a: 2}
";
    insta::assert_snapshot!(wrong(text));
}

/// Files that a repository might bring, by carelessness or with intent; what is said of each.
#[test]
fn hostile_and_careless_files_are_refused_with_place_and_mend() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/config");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut told = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let source = SourceFile { path: "draft.yaml".into(), bytes: fs::read(&file).unwrap() };
        told.push_str(&format!("--- {name}\n"));
        match load(&Sources { repo: Some(source), ..Sources::default() }) {
            Err(errors) => told.push_str(&format!("{errors}\n")),
            Ok(loaded) => {
                loaded.warnings.iter().for_each(|warning| told.push_str(&format!("warning: {warning}\n")));
                told.push_str(&format!("trust: {:?}\n", trust::trust_content(&loaded)));
            }
        }
    }
    assert!(!told.contains('\u{1b}') && !told.contains('\0'), "no message carries what a terminal obeys");
    insta::assert_snapshot!(told);
}

/// What a reader of JSON Schemas does, for the words that ours uses but `pattern`.
fn fits(schema: &serde_json::Value, value: &serde_json::Value) -> Result<(), String> {
    let no = |why: &str| Err(format!("{value} {why} {schema}"));
    if let Some(options) = schema["anyOf"].as_array() {
        return if options.iter().any(|one| fits(one, value).is_ok()) { Ok(()) } else { no("fits none of") };
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return no("is none of");
    }
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    match &schema["type"] {
        serde_json::Value::String(name) if !is(name) => return no("is no"),
        serde_json::Value::Array(names) if !names.iter().any(|name| is(name.as_str().unwrap())) => return no("is no"),
        _ => {}
    }
    if let (Some(number), Some(least), Some(most)) =
        (value.as_u64(), schema["minimum"].as_u64(), schema["maximum"].as_u64())
        && !(least..=most).contains(&number)
    {
        return no("is beyond");
    }
    value.as_array().into_iter().flatten().try_for_each(|entry| fits(&schema["items"], entry))?;
    let demanded = schema["required"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    if let Some(map) = value.as_object() {
        if let Some(lacking) = demanded.into_iter().find(|name| !map.contains_key(*name)) {
            return no(&format!("lacks {lacking} of"));
        }
        for (name, entry) in map {
            match (&schema["properties"][name.as_str()], &schema["additionalProperties"]) {
                (serde_json::Value::Null, serde_json::Value::Bool(false)) => return no(&format!("has {name} beside")),
                (serde_json::Value::Null, any) => fits(any, entry)?,
                (property, _) => fits(property, entry)?,
            }
        }
    }
    Ok(())
}

#[test]
fn the_schema_takes_what_draft_takes_and_refuses_what_it_refuses() {
    let schema = schema();
    let yaml = |text: &str| serde_yaml::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(fits(&schema, &yaml(&annotated())), Ok(()));
    assert_eq!(fits(&schema, &yaml(include_str!("../../draft.yaml"))), Ok(()));
    for text in [
        "execute_config: {timeout: 60, executor_model: null}",
        "execute_config:",
        "verify_config: {commands: [a, {run: 'a | b', shell: true, timeout: 5}]}",
        "executor_profiles: {fast: {model: x, timeout: null, env: {A: ''}}}",
        "executors: {mine: {program: x}}",
        "webhooks: [{url: 'https://a', events: [x], secret: y}]",
        "merge_config: {default_strategy: rebase}",
        "execute_config: {timeuot: 5}",
        "execute_config: {timeout: 0}",
        "execute_config: {timeout: '5'}",
        "verify_config: {commands: [{shell: true}]}",
        "verify_config: {commands: a}",
        "executor_profiles: {fast: {modle: x}}",
        "webhooks: [{events: [x]}]",
        "merge_config: {default_strategy: other}",
        "nothing: 1",
    ] {
        assert_eq!(fits(&schema, &yaml(text)).is_ok(), user(text).is_ok(), "{text}: {:?}", fits(&schema, &yaml(text)));
    }
    insta::assert_snapshot!(format!("{schema:#}"));
}

#[test]
fn the_document_on_settings_is_what_the_table_says() {
    let wanted = include_str!("../../docs/configuration.md");
    assert_eq!(reference(), wanted, "`draft config reference > docs/configuration.md` writes it again");
}

/// The file at the root, with the lines that only a user's file may have and those that are not in use yet.
fn annotated() -> String {
    let key = |text: &str| {
        let name = text.trim_start().split(':').next().unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_lowercase()) && text.contains(':')
    };
    let uncommented = include_str!("../../draft.yaml").lines().map(|line| match line.split_once("# ") {
        Some((indent, rest)) if indent.trim().is_empty() && key(rest) => format!("{indent}{rest}\n"),
        Some(_) | None => format!("{line}\n"),
    });
    uncommented.collect()
}

#[test]
fn draft_yaml_sets_every_field_to_its_default() {
    let loaded = user(&annotated()).unwrap();
    assert_eq!(loaded.config, Config::default());
    let warned: BTreeSet<_> = loaded.warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(warned, KEYS.iter().filter(|key| key.used == Used::Later).map(|key| key.path).collect());
    let maps = |kind: &Kind<Config>| matches!(kind, Kind::Old { .. } | Kind::Profiles { .. } | Kind::Rows { .. });
    for key in KEYS.iter().filter(|key| !maps(&key.kind)) {
        assert_eq!(loaded.origin(key.path), Origin::User, "{} is missing", key.path);
    }
}

#[test]
fn draft_yaml_is_a_clean_repository_file_that_runs_nothing() {
    let loaded = repo(include_str!("../../draft.yaml")).unwrap();
    assert_eq!((&loaded.config, &loaded.warnings), (&Config::default(), &vec![]));
    assert_eq!(trust::trust_content(&loaded), None);
    let own = KEYS.iter().filter(|key| key.who == Who::User).map(|key| key.path).collect::<Vec<_>>();
    assert!(own.iter().all(|path| loaded.origin(path) == Origin::BuiltIn));
    let commented = include_str!("../../draft.yaml").replace('\n', " ").replace(" and ", ", ").replace("  # ", " ");
    for name in allow::ALLOWED {
        assert!(commented.contains(&format!(" {name}")), "{name} is not named in draft.yaml");
    }
}

#[test]
fn files_are_read_when_they_are_there_and_only_when_they_are_files() {
    let dir = tempfile::tempdir().unwrap();
    let [mine, theirs] = ["mine.yaml", "draft.yaml"].map(|name| dir.path().join(name));
    let only_mine = Files { user: Some(mine.clone()), ..Files::default() };
    let both = Files { repo: Some(theirs.clone()), ..only_mine.clone() };
    assert_eq!(read(&only_mine).unwrap(), Sources::default());
    fs::write(&mine, "a").unwrap();
    let sources = read(&both).unwrap();
    assert_eq!(
        sources,
        Sources { user: Some(SourceFile { path: mine.clone(), bytes: b"a".into() }), ..Sources::default() }
    );

    fs::create_dir(&theirs).unwrap();
    let errors = read(&both).unwrap_err();
    assert_eq!(errors.0, [ConfigError { file: theirs, place: None, problem: Problem::NotAFile }]);
    let through_a_file = mine.join("draft.yaml");
    let errors = read(&Files { repo: Some(through_a_file), ..Files::default() }).unwrap_err();
    assert!(matches!(&errors.0[0].problem, Problem::Unreadable(_)));

    fs::write(&mine, vec![b'#'; FILE_BYTES_MAX + 100]).unwrap();
    let errors = load(&read(&only_mine).unwrap()).unwrap_err();
    assert_eq!(errors.0[0].problem, Problem::TooLarge);
}

#[test]
fn a_file_of_mistakes_is_told_up_to_a_limit() {
    let text: String = (0..500).map(|n| format!("k{n}: 1\n")).collect();
    let errors = repo(&text).unwrap_err().0;
    assert_eq!((errors.len(), &errors[20].problem), (21, &Problem::More(480)));
    let twice = "webhooks: 1\n".repeat(500);
    assert_eq!(repo(&twice).unwrap_err().0.len(), 21);
}

/// Writes settings as a file that sets every one of them; read as the user's file it gives the same settings.
fn print(config: &Config) -> String {
    let mut root = serde_json::Map::new();
    for leaf in leaves(config) {
        put(&mut root, &leaf.path, leaf.value);
    }
    serde_yaml::to_string(&root).unwrap()
}

fn put(map: &mut serde_json::Map<String, Value>, path: &str, value: Value) {
    let Some((section, rest)) = path.split_once('.') else {
        map.insert(path.to_owned(), value);
        return;
    };
    let section = map.entry(section).or_insert_with(|| Value::Object(serde_json::Map::new()));
    if let Value::Object(section) = section {
        put(section, rest, value);
    }
}

fn any_config() -> impl Strategy<Value = Config> {
    let line = "[^\\p{C}\\p{Z}-][^\\p{C}\u{2028}\u{2029}]{0,10}[a-z0-9~:#'\"é]";
    let lines = || proptest::collection::vec(line, 0..4);
    let execute = (1..=604_800_u64, line, proptest::option::of(line), 1..=1000_u32, any::<bool>(), lines());
    (execute, 4096..=1_u64 << 40, 0..=3600_u64, lines(), lines(), lines()).prop_map(
        |(execute, bytes, grace, commands, extra, scripts)| {
            let (timeout, preferred_executor, executor_model, max_parallel_jobs, yolo_mode, yolo_allowlist) = execute;
            let extra_command = executor_model.clone();
            let command = |text: &String| CommandSpec {
                run: text.clone(),
                shell: yolo_mode,
                timeout: (timeout > 9).then_some(Duration::from_secs(timeout)),
            };
            let profile = ExecutorProfile {
                executor_type: preferred_executor.clone(),
                timeout: yolo_mode.then_some(Duration::from_secs(timeout)),
                extra_flags: yolo_allowlist.clone(),
                model: executor_model.clone(),
                env: yolo_allowlist.iter().enumerate().map(|(n, text)| (format!("V{n}"), text.clone())).collect(),
            };
            Config {
                execute_config: ExecuteConfig {
                    timeout: Duration::from_secs(timeout),
                    preferred_executor,
                    executor_model,
                    max_parallel_jobs,
                    yolo_mode,
                    yolo_allowlist,
                    idle_timeout: Duration::from_secs(timeout),
                    max_output_bytes: bytes,
                    stop_grace: Duration::from_secs(grace),
                    retries: max_parallel_jobs.min(20),
                    retry_delay: Duration::from_secs(grace),
                    jobs_per_hour: max_parallel_jobs,
                    jobs_per_day: max_parallel_jobs,
                    min_free_memory: bytes,
                    min_free_disk: bytes,
                },
                verify_config: VerifyConfig {
                    commands: commands.iter().map(command).collect(),
                    extra_allowed_commands: extra,
                    timeout: Duration::from_secs(timeout),
                    rework_attempts: max_parallel_jobs.min(20),
                },
                ui: UiConfig { mouse: yolo_mode, notify: "osc9".to_owned(), notify_command: extra_command.clone() },
                workspace_config: WorkspaceConfig {
                    copy: scripts.clone(),
                    setup: scripts.iter().map(command).collect(),
                    cleanup: scripts.iter().map(|text| text.as_str().into()).collect(),
                    script_timeout: Duration::from_secs(timeout),
                    submodules: yolo_mode,
                    ports: max_parallel_jobs,
                    port_base: 1024 + max_parallel_jobs,
                    ..WorkspaceConfig::default()
                },
                autonomy_config: AutonomyConfig {
                    max_diff_lines: max_parallel_jobs,
                    sensitive_file_patterns: scripts.clone(),
                    require_verification_pass: yolo_mode,
                    profile: "strict".to_owned(),
                    gates: GatesConfig { custom: "pause".to_owned(), ..GatesConfig::default() },
                    custom_gates: scripts.iter().map(command).collect(),
                    enabled: yolo_mode,
                    auto_merge: !yolo_mode,
                    max_auto_approvals: max_parallel_jobs,
                },
                planner_config: PlannerConfig { auto_execute: yolo_mode },
                executor_profiles: BTreeMap::from([("fast".to_owned(), profile)]),
                merge_config: MergeConfig::default(),
                git_host_config: GitHostConfig::default(),
                cleanup_config: CleanupConfig {
                    auto_cleanup_on_merge: yolo_mode,
                    max_worktrees: max_parallel_jobs,
                    ..CleanupConfig::default()
                },
                later: Later::default(),
                executors: BTreeMap::from([("mine".to_owned(), serde_json::json!({"start": [timeout, null, 0.5]}))]),
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(config in any_config()) {
        let text = print(&config);
        prop_assert_eq!(user(&text).map(|loaded| loaded.config), Ok(config), "{}", text);
    }

    #[test]
    fn any_bytes_as_a_file_are_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(&Sources { user: file(bytes.clone()), repo: file(bytes.clone()), board: file(bytes) });
    }

    #[test]
    fn anything_like_yaml_is_no_panic_and_every_mistake_has_a_place(
        text in "(execute_config|timeout|commands|- |: |:\n  |\n|[\\[\\]{}&*!'\"|>~?,%@`#]|[0-9a-z]|é|<<){0,30}"
    ) {
        if let Err(ConfigErrors(errors)) = load(&Sources { repo: file(text), ..Sources::default() }) {
            for error in errors {
                let whole = matches!(error.problem, Problem::Syntax(_));
                prop_assert!(whole || error.place.is_some(), "{}", error);
            }
        }
    }
}
