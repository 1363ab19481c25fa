//! Holds what is built into Draft and its tests against the rules of `deny.toml`, with nothing but cargo.
//!
//! `cargo tree` is asked and not `cargo metadata`, since the latter also lists optional crates that nobody builds.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const RULES: &str = include_str!("../../deny.toml");

struct Package {
    name: String,
    version: String,
    /// What follows the version when it is neither from the registry nor this package.
    source: Option<String>,
    license: String,
}

/// Returns every package that a build or a test on this machine compiles, once.
fn packages() -> Vec<Package> {
    let folder = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal,build,dev", "--prefix", "none"])
        .args(["--format", "{p}|{l}"])
        .current_dir(folder)
        .output()
        .expect("cargo runs this test, so it can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: BTreeSet<&str> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines
        .into_iter()
        .map(|line| {
            let (package, license) = line.split_once('|').unwrap();
            let mut words = package.splitn(3, ' ');
            let (name, version) = (words.next().unwrap(), words.next().unwrap());
            let source = words.next().filter(|rest| *rest != "(proc-macro)" && *rest != format!("({folder})"));
            Package {
                name: name.to_owned(),
                version: version.trim_start_matches('v').to_owned(),
                source: source.map(str::to_owned),
                license: license.to_owned(),
            }
        })
        .collect()
}

/// Returns the quoted words of each line of a list in `deny.toml`.
fn rule(section: &str, key: &str) -> Vec<Vec<&'static str>> {
    let lines: Vec<Vec<&str>> = RULES
        .lines()
        .skip_while(|line| *line != format!("[{section}]"))
        .skip_while(|line| *line != format!("{key} = ["))
        .skip(1)
        .take_while(|line| *line != "]")
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| line.split('"').skip(1).step_by(2).collect())
        .collect();
    assert!(!lines.is_empty(), "deny.toml has no list `{key}` in [{section}]");
    lines
}

/// Returns the first word of each line: the name that the line is about.
fn names(section: &str, key: &str) -> BTreeSet<&'static str> {
    rule(section, key).into_iter().map(|words| words[0]).collect()
}

/// Says whether a licence expression can be met with licences that are allowed: AND binds closer than OR, WITH closest.
fn is_met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any_of(&mut words, allowed);
    assert_eq!(words.next(), None, "cannot read the licence `{expression}`");
    met
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Words, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words, allowed: &dyn Fn(&str) -> bool) -> bool {
    match words.next() {
        Some("(") => {
            let met = any_of(words, allowed);
            assert_eq!(words.next(), Some(")"), "a licence expression has a bracket too few");
            met
        }
        // An exception after WITH only adds to what the licence permits.
        Some(license) => match words.next_if_eq(&"WITH") {
            Some(_) => words.next().is_some() && allowed(license),
            None => allowed(license),
        },
        None => false,
    }
}

#[test]
fn every_licence_is_allowed() {
    let allow = names("licenses", "allow");
    let exceptions = rule("licenses", "exceptions");
    for package in packages() {
        let met = is_met(&package.license, &|license| {
            allow.contains(license)
                || exceptions.iter().any(|words| words[0] == package.name && words[1..].contains(&license))
        });
        assert!(met, "{} {} is under `{}`", package.name, package.version, package.license);
    }
}

#[test]
fn every_package_comes_from_the_registry() {
    for package in packages() {
        assert_eq!(package.source, None, "{} {}", package.name, package.version);
    }
}

#[test]
fn no_banned_crate_came_in() {
    let banned = names("bans", "deny");
    for package in packages() {
        assert!(!banned.contains(package.name.as_str()), "{} {}", package.name, package.version);
    }
}

#[test]
fn only_the_listed_crates_are_there_twice() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        versions.entry(package.name).or_default().insert(package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let twice: BTreeSet<&str> = versions.keys().map(String::as_str).collect();
    assert_eq!(twice, names("bans", "skip"), "{versions:?}");
}

#[test]
fn a_licence_expression_is_read_as_it_is_meant() {
    let mit_and_isc = |license: &str| ["MIT", "ISC"].contains(&license);
    for (expression, met) in [
        ("MIT", true),
        ("WTFPL", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND ISC", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("GPL-3.0 OR MIT AND WTFPL", false),
        ("MIT WITH LLVM-exception", true),
        ("GPL-3.0 WITH LLVM-exception", false),
    ] {
        assert_eq!(is_met(expression, &mit_and_isc), met, "{expression}");
    }
}
