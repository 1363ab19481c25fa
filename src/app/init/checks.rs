//! Which checks and set-up commands the files of a repository speak for. Pure: a glimpse of the files, and whether a program
//! is on `PATH`, come in.

use super::glimpse::Glimpse;
use super::{node, python};

/// What a command is for; looks come before tests, since they take less time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// It reads the code: a linter, a type checker.
    Look,
    /// It runs the code.
    Test,
}

/// A command that a repository's files speak for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Proposal {
    pub(super) kind: Kind,
    /// The command as people type it.
    pub(super) command: String,
    /// Programs that it needs, the one that is started first.
    pub(super) programs: Vec<&'static str>,
    /// What speaks for it, a sentence.
    pub(super) why: String,
    /// Why it is not to run as it is, a sentence.
    pub(super) doubt: Option<String>,
}

impl Proposal {
    pub(super) fn new(
        kind: Kind,
        command: impl Into<String>,
        programs: &[&'static str],
        why: impl Into<String>,
    ) -> Self {
        Self { kind, command: command.into(), programs: programs.to_vec(), why: why.into(), doubt: None }
    }

    pub(super) fn test(command: impl Into<String>, programs: &[&'static str], why: impl Into<String>) -> Self {
        Self::new(Kind::Test, command, programs, why)
    }

    pub(super) fn look(command: impl Into<String>, programs: &[&'static str], why: impl Into<String>) -> Self {
        Self::new(Kind::Look, command, programs, why)
    }

    pub(super) fn but(self, doubt: Option<String>) -> Self {
        Self { doubt: self.doubt.or(doubt), ..self }
    }
}

/// A sign that needs no second look.
struct Sign {
    /// Any of these files.
    files: &'static [&'static str],
    kind: Kind,
    command: &'static str,
    programs: &'static [&'static str],
    /// A command that makes a worktree ready for it.
    setup: Option<&'static str>,
}

const fn sign(
    files: &'static [&'static str],
    kind: Kind,
    command: &'static str,
    programs: &'static [&'static str],
) -> Sign {
    Sign { files, kind, command, programs, setup: None }
}

const SIGNS: [Sign; 11] = [
    sign(&["go.mod", "go.work"], Kind::Test, "go test ./...", &["go"]),
    sign(
        &[".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json"],
        Kind::Look,
        "golangci-lint run",
        &["golangci-lint"],
    ),
    sign(&["gradlew"], Kind::Test, "./gradlew test", &["./gradlew"]),
    sign(&["mvnw"], Kind::Test, "./mvnw --batch-mode test", &["./mvnw"]),
    sign(&["pom.xml"], Kind::Test, "mvn --batch-mode test", &["mvn"]),
    sign(&["*.sln", "*.slnx"], Kind::Test, "dotnet test", &["dotnet"]),
    sign(&["Package.swift"], Kind::Test, "swift test", &["swift"]),
    sign(&["deno.json", "deno.jsonc"], Kind::Test, "deno test", &["deno"]),
    Sign { setup: Some("mix deps.get"), ..sign(&["mix.exs"], Kind::Test, "mix test", &["mix"]) },
    Sign { setup: Some("bundle install"), ..sign(&[".rspec"], Kind::Test, "bundle exec rspec", &["bundle"]) },
    Sign {
        setup: Some("composer install"),
        ..sign(&["phpunit.xml", "phpunit.xml.dist"], Kind::Test, "./vendor/bin/phpunit", &["php"])
    },
];

/// Returns the checks, in the order in which they should run, and the set-up commands.
pub(super) fn find(seen: &Glimpse, has: &dyn Fn(&str) -> bool) -> (Vec<Proposal>, Vec<Proposal>) {
    let (mut checks, mut setup) = (cargo(seen), Vec::new());
    for (more, ready) in [node::find(seen), python::find(seen, has), signs(seen)] {
        checks.extend(more);
        setup.extend(ready);
    }
    let runs = |check: &Proposal| check.kind == Kind::Test && check.doubt.is_none();
    let tested = checks.iter().any(|check| runs(check) && check.programs.iter().all(|program| has(program)));
    let other = tested.then(|| "The tests above may be the same; take it in their place if it does more.".to_owned());
    checks.extend(recipes(seen).map(|check| check.but(other.clone())));
    for proposal in checks.iter_mut().chain(&mut setup) {
        let missing = proposal.programs.iter().find(|program| !has(program));
        proposal.doubt = missing.map(|program| absent(program)).or(proposal.doubt.take());
    }
    checks.sort_by_key(|check| check.kind);
    (checks, setup)
}

fn absent(program: &str) -> String {
    if program.contains('/') {
        format!("`{program}` cannot be executed here.")
    } else {
        format!("`{program}` is not on your PATH.")
    }
}

fn cargo(seen: &Glimpse) -> Vec<Proposal> {
    const FILE: &str = "Cargo.toml";
    if !seen.has(FILE) {
        return Vec::new();
    }
    let mut checks = Vec::new();
    let lints = ["lints.clippy", "workspace.lints.clippy"].into_iter().find(|name| seen.has_section(FILE, name));
    let clippy = seen.first(&["clippy.toml", ".clippy.toml"]).map(|file| format!("{file} configures clippy."));
    if let Some(why) = clippy.or_else(|| lints.map(|name| format!("{FILE} has [{name}]."))) {
        let why = format!("{why} Add `-- -D warnings` if a warning is to be a failure.");
        checks.push(Proposal::look("cargo clippy --all-targets", &["cargo", "cargo-clippy"], why));
    }
    if let Some(file) = seen.first(&["rustfmt.toml", ".rustfmt.toml"]) {
        let why = format!("{file} says how the code is to look.");
        checks.push(Proposal::look("cargo fmt --check", &["cargo", "cargo-fmt"], why));
    }
    let (command, why) = match seen.has_section(FILE, "workspace") && seen.has_section(FILE, "package") {
        true => ("cargo test --workspace", format!("{FILE} has a package and a workspace around it.")),
        false => ("cargo test", format!("{FILE} is there.")),
    };
    checks.push(Proposal::test(command, &["cargo"], why));
    checks
}

fn signs(seen: &Glimpse) -> (Vec<Proposal>, Vec<Proposal>) {
    let (mut checks, mut setup) = (Vec::new(), Vec::new());
    for sign in &SIGNS {
        let Some(file) = seen.first(sign.files) else { continue };
        // With a wrapper there is no need for the program that it wraps.
        if file == "pom.xml" && seen.has("mvnw") {
            continue;
        }
        let why = match file.strip_prefix('*') {
            Some(end) => format!("A file ends with {end}."),
            None => format!("{file} is there."),
        };
        checks.push(Proposal::new(sign.kind, sign.command, sign.programs, why));
        if let Some(command) = sign.setup {
            let why = format!("`{}` needs what this brings.", sign.command);
            let program: Vec<&'static str> = command.split(' ').take(1).collect();
            setup.push(Proposal::new(sign.kind, command, &program, why));
        }
    }
    (checks, setup)
}

/// Returns the recipe that people of this repository use to test it.
fn recipes(seen: &Glimpse) -> impl Iterator<Item = Proposal> {
    let kinds = [(&["GNUmakefile", "makefile", "Makefile"][..], "make"), (&["justfile", "Justfile"][..], "just")];
    kinds.into_iter().filter_map(|(files, program)| {
        let file = seen.first(files)?;
        let target = ["test", "check"].into_iter().find(|target| has_recipe(seen.text(file), target))?;
        let why = format!("{file} has the target `{target}`.");
        Some(Proposal::test(format!("{program} {target}"), &[program], why))
    })
}

/// Says whether a line begins with a target, alone or among others: `test:`, `test check: build`, `test *args:`.
fn has_recipe(text: &str, target: &str) -> bool {
    let begins = |line: &str| !line.starts_with([' ', '\t', '#', '.', '@']);
    text.lines().filter(|line| begins(line)).any(|line| {
        let is_value = |rest: &str| rest.starts_with('=') || rest.starts_with(":=");
        let targets = line.split_once(':').filter(|(targets, rest)| !targets.contains('=') && !is_value(rest));
        targets.is_some_and(|(targets, _)| targets.split_whitespace().any(|word| word == target))
    })
}
