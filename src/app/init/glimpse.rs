//! What `draft init` sees of a repository: names in a few folders, and the beginning of a few files. Links that lead out of
//! the repository are as if they were not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde_json::Value;

/// The folders whose names are read; the empty one is the top.
const FOLDERS: [&str; 3] = ["", "tests", "test"];
/// Most names of one folder.
const NAMES_MAX: usize = 4096;
/// The files that are read.
const READ: [&str; 14] = [
    "Cargo.toml",
    "GNUmakefile",
    "Makefile",
    "makefile",
    "Justfile",
    "justfile",
    "package.json",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "requirements_dev.txt",
    "setup.cfg",
    "setup.py",
    "tox.ini",
];
/// Most bytes of one file.
const BYTES_MAX: u64 = 256 * 1024;

/// What is seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Glimpse {
    names: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    package: Option<Value>,
    odd: Vec<String>,
}

impl Glimpse {
    /// Looks at a folder.
    pub(super) fn of(root: &Path) -> Self {
        let Ok(root) = root.canonicalize() else { return Self::default() };
        let inside = |name: &str| {
            let path = root.join(name).canonicalize().ok()?;
            path.starts_with(&root).then_some(path)
        };
        let mut names = BTreeSet::new();
        for folder in FOLDERS {
            let Some(path) = inside(folder) else { continue };
            let entries = fs::read_dir(path).into_iter().flatten().take(NAMES_MAX).flatten();
            let entries = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let within = |name: String| if folder.is_empty() { name } else { format!("{folder}/{name}") };
            names.extend(entries.map(within).filter(|name| inside(name).is_some()));
        }
        let wanted = READ.iter().filter(|name| names.contains(**name));
        let texts = wanted.filter_map(|name| Some(((*name).to_owned(), beginning(&inside(name)?)?)));
        let texts = texts.collect();
        Self::with(names, texts)
    }

    fn with(names: BTreeSet<String>, texts: BTreeMap<String, String>) -> Self {
        let mut odd = Vec::new();
        let package = texts.get("package.json").and_then(|text| match serde_json::from_str(text) {
            Ok(package @ Value::Object(_)) => Some(package),
            Ok(_) | Err(_) => {
                odd.push("package.json could not be read as JSON, so its scripts are left out.".to_owned());
                None
            }
        });
        Self { names, texts, package, odd }
    }

    /// Says whether there is a file or folder of that name; `*.x` asks for any at the top that ends with `.x`.
    pub(super) fn has(&self, name: &str) -> bool {
        match name.strip_prefix('*') {
            Some(end) => self.at_top().any(|name| name.ends_with(end)),
            None => self.names.contains(name),
        }
    }

    /// Returns the first of these that is there.
    pub(super) fn first<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// Returns every name, those of subfolders with the folder before them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    fn at_top(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| !name.contains('/'))
    }

    /// Returns the text of a file, empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    /// Returns `package.json`.
    pub(super) fn package(&self) -> Option<&Value> {
        self.package.as_ref()
    }

    /// Says whether a file has a section `[name]` or one below it, `[name.more]`. TOML and INI are alike in that.
    pub(super) fn has_section(&self, file: &str, name: &str) -> bool {
        let is_it =
            |section: &str| section.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.text(file).lines().filter_map(section).any(|section| is_it(&section))
    }

    /// Says whether a line of a file that is no comment has a word.
    pub(super) fn mentions(&self, file: &str, word: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let lines = self.text(file).lines().map(|line| line.split('#').next().unwrap_or_default());
        lines.flat_map(|line| line.split(|c| !is_part(c))).any(|found| found == word)
    }

    /// Returns what could not be understood, a sentence each.
    pub(super) fn odd(&self) -> &[String] {
        &self.odd
    }
}

/// Reads the beginning of a file; nothing when it is no plain file.
fn beginning(path: &Path) -> Option<String> {
    // Opening a pipe would wait for its writer.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned())
}

/// Returns the name in a line like `[a.b]`, without quotes and spaces.
fn section(line: &str) -> Option<String> {
    let inner = line.trim().trim_start_matches('[');
    let (name, _) = inner.split_once(']').filter(|_| line.trim_start().starts_with('['))?;
    Some(name.chars().filter(|c| !c.is_whitespace() && *c != '"' && *c != '\'').collect())
}

#[cfg(test)]
impl Glimpse {
    /// Returns what would be seen of these files.
    pub(super) fn of_files(files: &[(&str, &str)]) -> Self {
        let names = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        let read = files.iter().filter(|(name, _)| READ.contains(name));
        Self::with(names, read.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }
}
