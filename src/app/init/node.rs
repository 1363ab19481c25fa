//! What `package.json` speaks for: its scripts, by the package manager whose lock file is there.

use serde_json::Value;

use super::checks::{Kind, Proposal};
use super::glimpse::Glimpse;

/// How a package manager is told things.
struct Manager {
    name: &'static str,
    locks: &'static [&'static str],
    test: &'static str,
    /// Installs exactly what the lock file says.
    install: &'static str,
    /// Installs where there is no lock file.
    install_anything: &'static str,
}

const NPM: Manager = Manager {
    name: "npm",
    locks: &["package-lock.json", "npm-shrinkwrap.json"],
    test: "npm test",
    install: "npm ci",
    install_anything: "npm install",
};
const PNPM: Manager = Manager {
    name: "pnpm",
    locks: &["pnpm-lock.yaml"],
    test: "pnpm test",
    install: "pnpm install --frozen-lockfile",
    install_anything: "pnpm install",
};
const YARN: Manager = Manager {
    name: "yarn",
    locks: &["yarn.lock"],
    test: "yarn test",
    install: "yarn install --frozen-lockfile",
    install_anything: "yarn install",
};
const BUN: Manager = Manager {
    name: "bun",
    locks: &["bun.lock", "bun.lockb"],
    // `bun test` would be its own runner, not the script.
    test: "bun run test",
    install: "bun install --frozen-lockfile",
    install_anything: "bun install",
};
const MANAGERS: [&Manager; 4] = [&PNPM, &YARN, &BUN, &NPM];

/// Scripts that read code, each with other names that people give it.
const LOOKS: [&[&str]; 2] = [&["lint"], &["typecheck", "type-check", "check-types", "check:types", "tsc"]];
/// Scripts that test; the first that ends by itself is taken.
const TESTS: [&str; 4] = ["test", "test:ci", "test:run", "test:unit"];
/// What `npm init` writes where there is no test.
const NO_TEST: &str = "no test specified";

/// Returns the checks and the set-up command.
pub(super) fn find(seen: &Glimpse) -> (Vec<Proposal>, Vec<Proposal>) {
    let Some(package) = seen.package() else { return Default::default() };
    let (manager, lock) = manager(seen, package);
    let mut checks: Vec<Proposal> = LOOKS
        .iter()
        .filter_map(|names| {
            let name = names.iter().find(|name| script(package, name).is_some())?;
            let command = format!("{} run {name}", manager.name);
            let doubt = doubt(script(package, name)?);
            Some(Proposal::look(command, &[manager.name], because(name)).but(doubt))
        })
        .collect();
    checks.extend(test(package, manager));
    let setup = if checks.is_empty() { None } else { setup(seen, package, manager, lock) };
    (checks, setup.into_iter().collect())
}

fn because(name: &str) -> String {
    format!("package.json has the script `{name}`.")
}

fn test(package: &Value, manager: &Manager) -> Option<Proposal> {
    let there = |name: &&&str| script(package, name).is_some_and(|text| !text.contains(NO_TEST));
    let ends = |name: &&&str| script(package, name).is_some_and(|text| doubt(text).is_none());
    let candidates: Vec<&&str> = TESTS.iter().filter(there).collect();
    let name = candidates.iter().copied().find(|name| ends(name)).or(candidates.first().copied())?;
    let command = if *name == "test" { manager.test.to_owned() } else { format!("{} run {name}", manager.name) };
    let doubt = doubt(script(package, name)?);
    Some(Proposal::test(command, &[manager.name], because(name)).but(doubt))
}

fn script<'p>(package: &'p Value, name: &str) -> Option<&'p str> {
    package.get("scripts")?.get(name)?.as_str()
}

/// Says why a script is no check.
fn doubt(script: &str) -> Option<String> {
    let words: Vec<&str> = script.split_whitespace().collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let watches = has(&["--watch", "--watchAll", "--watch-all", "watch"])
        // Both wait for changes unless they are told not to.
        || (has(&["react-scripts"]) && !has(&["--watchAll=false"]) && !script.contains("CI="))
        || (words.starts_with(&["ng", "test"]) && !has(&["--watch=false", "--no-watch"]));
    if watches {
        return Some("The script waits for changes and never ends; a check must end.".to_owned());
    }
    has(&["--fix", "--write"]).then(|| "The script changes files; a check must only look at them.".to_owned())
}

/// Returns the package manager and its lock file.
fn manager(seen: &Glimpse, package: &Value) -> (&'static Manager, Option<&'static str>) {
    let named = package.get("packageManager").and_then(Value::as_str).and_then(|text| text.split('@').next());
    let by_name = MANAGERS.into_iter().find(|manager| Some(manager.name) == named);
    let by_lock = MANAGERS.into_iter().find(|manager| seen.first(manager.locks).is_some());
    let manager = by_name.or(by_lock).unwrap_or(&NPM);
    (manager, seen.first(manager.locks))
}

fn setup(seen: &Glimpse, package: &Value, manager: &Manager, lock: Option<&str>) -> Option<Proposal> {
    let needs = |key: &str| package.get(key).and_then(Value::as_object).is_some_and(|needed| !needed.is_empty());
    if !["dependencies", "devDependencies"].into_iter().any(needs) {
        return None;
    }
    let command = match lock {
        // Yarn 2 and newer know the flag by another name.
        Some(_) if manager.name == YARN.name && seen.has(".yarnrc.yml") => "yarn install --immutable",
        Some(_) => manager.install,
        None => manager.install_anything,
    };
    let why =
        format!("package.json has dependencies, and a new worktree has no node_modules; `{}` needs it.", manager.name);
    Some(Proposal::new(Kind::Test, command, &[manager.name], why))
}
