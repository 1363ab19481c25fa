//! Many small repositories, and the `draft.yaml` that each gets.

use super::*;

/// Names and texts of files.
type Repository = &'static [(&'static str, &'static str)];

fn table() -> Table {
    Table::builtin()
}

/// Returns the findings of these files, with these programs on `PATH`.
fn found<'a>(table: &'a Table, files: &[(&str, &str)], programs: &[&str]) -> Findings<'a> {
    let seen = Glimpse::of_files(files);
    let (checks, setup) = checks::find(&seen, &|program: &str| programs.contains(&program));
    let is_there = |agent: &&Executor| programs.contains(&agent.name.as_str());
    Findings {
        agents: table.iter().filter(is_there).collect(),
        known: table,
        preferred: ("claude", Origin::BuiltIn),
        checks,
        setup,
        copy: Vec::new(),
        submodules: seen.has(".gitmodules"),
        list: seen.has(copies::LIST),
        odd: seen.odd().to_vec(),
    }
}

fn planned(findings: &Findings<'_>) -> Plan {
    finish("draft.yaml".into(), findings, Sources::default()).unwrap()
}

/// Returns the checks that run, and those that are comments, with everything on `PATH`.
#[track_caller]
fn checks_of(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let seen = Glimpse::of_files(files);
    let (checks, _) = checks::find(&seen, &|_: &str| true);
    let (no, yes): (Vec<_>, Vec<_>) = checks.into_iter().partition(|check| check.doubt.is_some());
    let commands = |some: Vec<Proposal>| some.into_iter().map(|check| check.command).collect();
    (commands(yes), commands(no))
}

#[test]
fn each_kind_of_repository_gets_the_checks_that_its_files_speak_for() {
    const NPM: &str = r#"{"scripts": {"test": "vitest run", "lint": "eslint ."}}"#;
    let cases: &[(Repository, &[&str])] = &[
        (&[], &[]),
        (&[("README.md", "")], &[]),
        (&[("Cargo.toml", "[package]")], &["cargo test"]),
        (&[("Cargo.toml", "[workspace]")], &["cargo test"]),
        (&[("Cargo.toml", "[package]\n[workspace]")], &["cargo test --workspace"]),
        (&[("Cargo.toml", "[package]\n[ lints . clippy ] # x")], &["cargo clippy --all-targets", "cargo test"]),
        (
            &[("Cargo.toml", ""), ("clippy.toml", ""), ("rustfmt.toml", "")],
            &["cargo clippy --all-targets", "cargo fmt --check", "cargo test"],
        ),
        (&[("package.json", NPM)], &["npm run lint", "npm test"]),
        (&[("package.json", NPM), ("package-lock.json", "")], &["npm run lint", "npm test"]),
        (&[("package.json", NPM), ("pnpm-lock.yaml", "")], &["pnpm run lint", "pnpm test"]),
        (&[("package.json", NPM), ("yarn.lock", "")], &["yarn run lint", "yarn test"]),
        (&[("package.json", NPM), ("bun.lock", "")], &["bun run lint", "bun run test"]),
        (
            &[("package.json", r#"{"packageManager": "pnpm@9.1", "scripts": {"test": "x"}}"#), ("yarn.lock", "")],
            &["pnpm test"],
        ),
        (&[("package.json", r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#)], &[]),
        (&[("package.json", r#"{"scripts": {"test": "jest --watch", "test:ci": "jest"}}"#)], &["npm run test:ci"]),
        (&[("package.json", r#"{"scripts": {"check-types": "tsc", "test": 7}}"#)], &["npm run check-types"]),
        (&[("pyproject.toml", "[tool.pytest.ini_options]")], &["python -m pytest"]),
        (&[("pytest.ini", "")], &["python -m pytest"]),
        (&[("tox.ini", "[pytest]")], &["python -m pytest"]),
        (&[("requirements-dev.txt", "pytest>=8")], &["python -m pytest"]),
        (
            &[("requirements.txt", "# pytest\nflask"), ("tests/test_a.py", "")],
            &["python -m unittest discover -s tests"],
        ),
        (&[("setup.py", ""), ("tests/test_a.py", ""), ("tests/__init__.py", "")], &["python -m unittest"]),
        (&[("pyproject.toml", "[project]")], &[]),
        (
            &[("pyproject.toml", "[tool.ruff.lint]\n[tool.mypy]\n[tool.pytest]")],
            &["ruff check", "mypy .", "python -m pytest"],
        ),
        (
            &[("pyproject.toml", "[tool.ruff]\n[tool.pytest]"), ("uv.lock", "")],
            &["uv run ruff check", "uv run python -m pytest"],
        ),
        (
            &[("setup.cfg", "[flake8]\n[tool:pytest]"), ("poetry.lock", "")],
            &["poetry run flake8", "poetry run python -m pytest"],
        ),
        (&[("go.mod", "")], &["go test ./..."]),
        (&[("go.mod", ""), (".golangci.yml", "")], &["golangci-lint run", "go test ./..."]),
        (&[("Makefile", "all:\n\ttest: no\n.PHONY: test\ntest check: all\n")], &["make test"]),
        (&[("Makefile", "check: x")], &["make check"]),
        (&[("Makefile", "test := 1\ntest:=2\nbuild: test\n")], &[]),
        (&[("justfile", "test *args:\n    x\n")], &["just test"]),
        (&[("gradlew", ""), ("build.gradle", "")], &["./gradlew test"]),
        (&[("pom.xml", ""), ("mvnw", "")], &["./mvnw --batch-mode test"]),
        (&[("A.sln", "")], &["dotnet test"]),
        (&[("tests/A.sln", "")], &[]),
    ];
    for (files, expected) in cases {
        assert_eq!(checks_of(files).0, *expected, "{files:?}");
    }
}

#[test]
fn what_does_not_end_or_changes_files_is_a_comment_and_a_recipe_gives_way_to_tests() {
    let package = |script: &str| format!(r#"{{"scripts": {{"test": {script:?}}}}}"#);
    for script in ["jest --watch", "react-scripts test", "ng test", "eslint --fix . && jest"] {
        assert_eq!(checks_of(&[("package.json", &package(script))]), (vec![], vec!["npm test".to_owned()]), "{script}");
    }
    for script in ["vitest", "CI=true react-scripts test", "ng test --watch=false"] {
        assert_eq!(checks_of(&[("package.json", &package(script))]).1, [""; 0], "{script}");
    }
    let both = checks_of(&[("Cargo.toml", ""), ("Makefile", "test:\n")]);
    assert_eq!(both, (vec!["cargo test".to_owned()], vec!["make test".to_owned()]));
}

#[test]
fn a_tool_that_is_missing_is_a_comment_with_the_reason_and_a_recipe_takes_its_place() {
    let table = table();
    let plan = planned(&found(&table, &[("Cargo.toml", ""), ("clippy.toml", ""), ("Makefile", "test:")], &["make"]));
    let commands = |found: &[Found]| found.iter().map(|one| one.command.clone()).collect::<Vec<_>>();
    assert_eq!(commands(&plan.checks), ["make test"]);
    assert_eq!(commands(&plan.left_out), ["cargo clippy --all-targets", "cargo test"]);
    assert_eq!(plan.left_out[1].why, "`cargo` is not on your PATH.");
    assert!(plan.text.contains("    # `cargo` is not on your PATH.\n    # - cargo test\n"), "{}", plan.text);
}

#[test]
fn the_agent_is_the_first_that_works_by_itself_and_the_default_is_not_written() {
    let table = table();
    let agent = |programs: &[&str]| {
        let plan = planned(&found(&table, &[], programs));
        (plan.agent, plan.loaded.origin("execute_config.preferred_executor"))
    };
    assert_eq!(agent(&["claude", "codex"]), (Some("claude".into()), Origin::BuiltIn));
    assert_eq!(agent(&["cursor", "codex", "aider"]), (Some("codex".into()), Origin::Repo));
    assert_eq!(agent(&["cursor"]), (Some("cursor".into()), Origin::Repo));
    assert_eq!(agent(&[]), (None, Origin::BuiltIn));
    let own = Findings { preferred: ("aider", Origin::User), ..found(&table, &[], &["codex"]) };
    let text = planned(&own).text;
    assert!(text.contains("# preferred_executor: aider") && !text.contains("\n  preferred_executor"), "{text}");
}

#[test]
fn the_file_explains_itself() {
    let table = table();
    let package = r#"{"scripts": {"test": "vitest", "lint": "eslint . --fix"}, "devDependencies": {"vitest": "3"}}"#;
    let files = &[
        ("Cargo.toml", "[workspace.lints.clippy]"),
        ("package.json", package),
        ("pnpm-lock.yaml", ""),
        ("pyproject.toml", "[tool.ruff]\n[tool.pytest]"),
        ("uv.lock", ""),
        (".golangci.yml", ""),
        ("Makefile", "check:"),
        (".gitmodules", ""),
    ];
    let programs = ["codex", "aider", "cargo", "cargo-clippy", "pnpm", "uv", "make"];
    let findings =
        Findings { copy: vec![".env".into(), "config/master.key".into()], ..found(&table, files, &programs) };
    insta::assert_snapshot!("everything", planned(&findings).text);
    insta::assert_snapshot!("nothing", planned(&found(&table, &[("package.json", "{")], &[])).text);
}

/// Returns the text with every proposal taken.
fn all_taken(text: &str) -> String {
    let take = |line: &str| {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        let Some(proposal) = bare.strip_prefix("# ") else { return line.to_owned() };
        let (key, rest) = proposal.split_once(':').unwrap_or((proposal, " "));
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let is_proposal = proposal.starts_with("- ") || (is_key && (rest.is_empty() || !rest.contains('.')));
        if is_proposal { format!("{:indent$}{proposal}", "") } else { line.to_owned() }
    };
    text.lines().map(|line| take(line) + "\n").collect()
}

proptest::proptest! {
    #[test]
    fn every_file_is_right_as_it_is_and_with_every_proposal_taken(
        files in proptest::sample::subsequence(FILES.to_vec(), 0..FILES.len()),
        programs in proptest::sample::subsequence(PROGRAMS.to_vec(), 0..PROGRAMS.len()),
        copy in proptest::sample::subsequence(NEEDED.to_vec(), 0..NEEDED.len()),
    ) {
        let table = table();
        let copy: Vec<String> = copy.into_iter().map(str::to_owned).collect();
        let findings = Findings { copy, ..found(&table, &files, &programs) };
        let plan = planned(&findings);
        let extra = &plan.loaded.config.verify_config.extra_allowed_commands;
        for command in &plan.loaded.config.verify_config.commands {
            proptest::prop_assert!(config::allow::check(command, extra).is_ok(), "{}", plan.text);
        }
        let runs: Vec<String> = plan.loaded.config.verify_config.commands.iter().map(ToString::to_string).collect();
        let told: Vec<String> = plan.checks.iter().map(|check| check.command.clone()).collect();
        proptest::prop_assert_eq!(runs, told);
        let bytes = all_taken(&plan.text).into_bytes();
        let repo = Some(SourceFile { path: "draft.yaml".into(), bytes });
        let taken = config::load(&Sources { repo, ..Sources::default() });
        proptest::prop_assert!(taken.is_ok(), "{:?}\n{}", taken.err(), all_taken(&plan.text));
        let taken = taken.unwrap().config;
        proptest::prop_assert_eq!(&taken.workspace_config.copy, &findings.copy);
        proptest::prop_assert_eq!(taken.workspace_config.setup.len(), findings.setup.len());
        proptest::prop_assert_eq!(taken.verify_config.commands.len(), findings.checks.len().max(1));
        for command in &taken.verify_config.commands {
            let extra = &taken.verify_config.extra_allowed_commands;
            proptest::prop_assert!(config::allow::check(command, extra).is_ok(), "{}", plan.text);
        }
    }

    #[test]
    fn odd_files_are_looked_at_without_a_panic(text in "\\PC{0,60}", name in proptest::sample::select(FILES.to_vec())) {
        checks_of(&[(name.0, &text)]);
    }
}

const PROGRAMS: [&str; 14] = [
    "claude",
    "codex",
    "cursor",
    "cargo",
    "cargo-clippy",
    "npm",
    "pnpm",
    "python3",
    "ruff",
    "uv",
    "go",
    "make",
    "just",
    "golangci-lint",
];
const FILES: [(&str, &str); 15] = [
    ("Cargo.toml", "[lints.clippy]"),
    ("package.json", r#"{"scripts": {"test": "jest", "lint": "x --fix"}, "dependencies": {"a": "1"}}"#),
    ("pnpm-lock.yaml", ""),
    ("yarn.lock", ""),
    ("pyproject.toml", "[tool.ruff]\n[tool.pytest]"),
    ("uv.lock", ""),
    ("poetry.lock", ""),
    ("go.mod", ""),
    (".golangci.yml", ""),
    ("Makefile", "test:"),
    ("justfile", "check:"),
    ("gradlew", ""),
    ("mix.exs", ""),
    (".gitmodules", ""),
    (".worktreeinclude", ""),
];

#[test]
fn nothing_outside_the_repository_is_looked_at_and_odd_files_do_no_harm() {
    use std::os::unix::fs::symlink;
    let temp = tempfile::tempdir().unwrap();
    let (inside, outside) = (temp.path().join("repo"), temp.path().join("outside"));
    std::fs::create_dir_all(&inside).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("Cargo.toml"), "[lints.clippy]").unwrap();
    std::fs::write(outside.join("test_a.py"), "").unwrap();
    symlink(outside.join("Cargo.toml"), inside.join("Cargo.toml")).unwrap();
    symlink(&outside, inside.join("tests")).unwrap();
    symlink("nowhere", inside.join("go.mod")).unwrap();
    assert_eq!(Glimpse::of(&inside), Glimpse::default());
    std::fs::write(inside.join("real.toml"), "[lints.clippy]").unwrap();
    std::fs::remove_file(inside.join("Cargo.toml")).unwrap();
    symlink("real.toml", inside.join("Cargo.toml")).unwrap();
    assert!(Glimpse::of(&inside).has_section("Cargo.toml", "lints.clippy"), "a link within the repository is followed");
    std::fs::write(inside.join("package.json"), [0xff, b'{']).unwrap();
    std::fs::create_dir(inside.join("Makefile")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, inside.join("tox.ini"), rustix::fs::Mode::RUSR).unwrap();
    let seen = Glimpse::of(&inside);
    assert_eq!(seen.odd().len(), 1);
    assert_eq!((seen.text("Makefile"), seen.text("tox.ini")), ("", ""));
}
