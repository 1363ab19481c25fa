//! What the files of a Python project speak for, run through `uv` or `poetry` where their lock file is there.

use super::checks::{Kind, Proposal};
use super::glimpse::Glimpse;

/// Files that make a repository a Python project.
const PROJECT: [&str; 9] = [
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "tox.ini",
    "pytest.ini",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "conftest.py",
];

/// A tool that looks at code, and the files and sections that configure it.
struct Tool {
    name: &'static str,
    command: &'static str,
    files: &'static [&'static str],
    sections: &'static [(&'static str, &'static str)],
}

const TOOLS: [Tool; 4] = [
    Tool {
        name: "ruff",
        command: "ruff check",
        files: &["ruff.toml", ".ruff.toml"],
        sections: &[("pyproject.toml", "tool.ruff")],
    },
    Tool { name: "black", command: "black --check .", files: &[], sections: &[("pyproject.toml", "tool.black")] },
    Tool {
        name: "flake8",
        command: "flake8",
        files: &[".flake8"],
        sections: &[("setup.cfg", "flake8"), ("tox.ini", "flake8")],
    },
    Tool {
        name: "mypy",
        command: "mypy .",
        files: &["mypy.ini", ".mypy.ini"],
        sections: &[("pyproject.toml", "tool.mypy"), ("setup.cfg", "mypy")],
    },
];

const PYTEST_FILES: [&str; 5] = ["pytest.ini", ".pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"];
const PYTEST_SECTIONS: [(&str, &str); 3] =
    [("pyproject.toml", "tool.pytest"), ("setup.cfg", "tool:pytest"), ("tox.ini", "pytest")];
const LISTS: [&str; 7] = [
    "pyproject.toml",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "setup.cfg",
    "setup.py",
    "tox.ini",
];

/// Returns the checks and the set-up command.
pub(super) fn find(seen: &Glimpse, has: &dyn Fn(&str) -> bool) -> (Vec<Proposal>, Vec<Proposal>) {
    let runner = Runner::of(seen);
    let mut checks: Vec<Proposal> =
        TOOLS.iter().filter_map(|tool| Some(runner.tool(tool, sign(seen, tool)?))).collect();
    let python = if has("python") || !has("python3") { "python" } else { "python3" };
    checks.extend(test(seen).map(|(module, why)| runner.python(python, module, why)));
    let setup = if checks.is_empty() { None } else { runner.setup() };
    (checks, setup.into_iter().collect())
}

/// Returns what configures a tool.
fn sign(seen: &Glimpse, tool: &Tool) -> Option<String> {
    let file = seen.first(tool.files).map(|file| format!("{file} is there."));
    file.or_else(|| section(seen, tool.sections))
}

fn section(seen: &Glimpse, sections: &[(&str, &str)]) -> Option<String> {
    let (file, name) = sections.iter().find(|(file, name)| seen.has_section(file, name))?;
    Some(format!("{file} has [{name}]."))
}

/// Returns what `python -m` is to run.
fn test(seen: &Glimpse) -> Option<(&'static str, String)> {
    let named = LISTS.iter().find(|file| seen.mentions(file, "pytest"));
    let pytest = seen
        .first(&PYTEST_FILES)
        .map(|file| format!("{file} is there."))
        .or_else(|| section(seen, &PYTEST_SECTIONS))
        .or_else(|| named.map(|file| format!("{file} names pytest.")));
    if let Some(why) = pytest {
        return Some(("pytest", why));
    }
    seen.first(&PROJECT)?;
    let is_test = |name: &str| name.starts_with("test") && name.ends_with(".py");
    let within = |folder: &str| seen.names().any(|name| name.strip_prefix(folder).is_some_and(is_test));
    let folder = ["tests", "test"].into_iter().find(|folder| within(&format!("{folder}/")));
    match folder {
        Some("tests") if !seen.has("tests/__init__.py") => {
            Some(("unittest discover -s tests", "tests/ has tests, and nothing names pytest.".to_owned()))
        }
        Some("test") if !seen.has("test/__init__.py") => {
            Some(("unittest discover -s test", "test/ has tests, and nothing names pytest.".to_owned()))
        }
        Some(_) => Some(("unittest", "There are tests, and nothing names pytest.".to_owned())),
        None => within("").then(|| ("unittest", "There are tests, and nothing names pytest.".to_owned())),
    }
}

/// How programs of the project's own environment are started.
enum Runner {
    /// What is on `PATH` is used.
    Bare,
    /// `uv` makes the environment itself, in each worktree.
    Uv,
    /// `poetry` wants to be asked to make it.
    Poetry,
}

impl Runner {
    fn of(seen: &Glimpse) -> Self {
        match seen.first(&["uv.lock", "poetry.lock"]) {
            Some("uv.lock") => Self::Uv,
            Some(_) => Self::Poetry,
            None => Self::Bare,
        }
    }

    fn tool(&self, tool: &Tool, why: String) -> Proposal {
        match self.prefix() {
            Some((program, lock)) => {
                let why = format!("{why} {lock} says by which program it is run.");
                Proposal::look(format!("{program} run {}", tool.command), &[program], why)
            }
            None => Proposal::look(tool.command, &[tool.name], why),
        }
    }

    fn python(&self, python: &'static str, module: &str, why: String) -> Proposal {
        match self.prefix() {
            Some((program, lock)) => {
                let why = format!("{why} {lock} says by which program it is run.");
                Proposal::test(format!("{program} run python -m {module}"), &[program], why)
            }
            None => Proposal::test(format!("{python} -m {module}"), &[python], why),
        }
    }

    fn prefix(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Bare => None,
            Self::Uv => Some(("uv", "uv.lock")),
            Self::Poetry => Some(("poetry", "poetry.lock")),
        }
    }

    fn setup(&self) -> Option<Proposal> {
        match self {
            Self::Bare | Self::Uv => None,
            Self::Poetry => {
                let why = "poetry.lock is there; without it the checks lack the packages that it names.";
                Some(Proposal::new(Kind::Test, "poetry install --no-interaction", &["poetry"], why))
            }
        }
    }
}
