//! Which files of a change are folded away at first: those that no person wrote, and those that nobody reads to the end.

use crate::domain::diff::FileDiff;

/// A file with more changed lines than this is folded at first.
const LONGEST: u64 = 2_000;

/// Files in which tools write down what they chose.
const LOCKS: [&str; 15] = [
    "Cargo.lock",
    "Gemfile.lock",
    "Package.resolved",
    "Pipfile.lock",
    "bun.lock",
    "composer.lock",
    "deno.lock",
    "flake.lock",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
];

/// Ends of the names of files that tools write.
const GENERATED: [&str; 9] =
    [".min.js", ".min.css", ".js.map", ".css.map", ".pb.go", ".pb.rs", "_pb2.py", ".g.dart", ".designer.cs"];

/// Says whether a file is folded until somebody unfolds it.
pub(super) fn at_first(file: &FileDiff) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let size = file.size();
    let written_by_tools = LOCKS.contains(&name) || GENERATED.iter().any(|end| name.ends_with(end));
    written_by_tools || u64::from(size.insertions) + u64::from(size.deletions) > LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diff::{Content, DiffLine, FileChange, Hunk};

    fn file(path: &str, lines: usize) -> FileDiff {
        let lines = vec![DiffLine::Added("x".into()); lines];
        let hunk = Hunk { old_start: 0, old_lines: 0, new_start: 1, new_lines: 1, lines };
        let content = Content::Text(vec![hunk]);
        FileDiff { change: FileChange::Added, path: path.into(), old_path: None, modes: None, content }
    }

    #[test]
    fn what_tools_write_is_folded_and_what_is_very_long() {
        for folded in ["Cargo.lock", "web/package-lock.json", "dist/app.min.js", "api/user.pb.go"] {
            assert!(at_first(&file(folded, 1)), "{folded}");
        }
        for open in ["src/lock.rs", "Cargo.lock/readme.md", "app.js", "go.summary"] {
            assert!(!at_first(&file(open, 1)), "{open}");
        }
        assert!(!at_first(&file("a.rs", 2_000)) && at_first(&file("a.rs", 2_001)));
    }
}
