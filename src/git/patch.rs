//! Writes a change as a patch in git's unified form.

use std::fmt::Write;

use crate::domain::diff::{Content, DiffLine, FileChange, FileDiff, Hunk};

/// The mode of an ordinary file.
const ORDINARY: u32 = 0o100_644;

/// Returns a change as a patch. `git apply` takes it where names and lines are UTF-8 and no file is binary or too
/// large; such files have a line that says so in place of their content.
pub fn patch_text(files: &[FileDiff]) -> String {
    let mut text = String::new();
    for file in files {
        // A string takes everything.
        let _ = write_file(&mut text, file);
    }
    text
}

fn write_file(out: &mut String, file: &FileDiff) -> std::fmt::Result {
    let old = quoted("a/", file.old_path.as_deref().unwrap_or(&file.path));
    let new = quoted("b/", &file.path);
    writeln!(out, "diff --git {old} {new}")?;
    write_modes(out, file)?;
    if let Some(old_path) = &file.old_path {
        writeln!(out, "rename from {}\nrename to {}", quoted("", old_path), quoted("", &file.path))?;
    }
    let is_new = file.change == FileChange::Added;
    let is_gone = file.change == FileChange::Deleted;
    let names = Names { old: if is_new { "/dev/null" } else { &old }, new: if is_gone { "/dev/null" } else { &new } };
    match &file.content {
        Content::Text(hunks) => write_text(out, names, hunks),
        Content::Submodule { old, new } => write_submodule(out, names, old.as_deref(), new.as_deref()),
        Content::Binary { .. } => writeln!(out, "Binary files {} and {} differ", names.old, names.new),
        Content::TooLarge { .. } => writeln!(out, "Large files {} and {} differ", names.old, names.new),
    }
}

fn write_modes(out: &mut String, file: &FileDiff) -> std::fmt::Result {
    let (was, is) = file.modes.unwrap_or((ORDINARY, ORDINARY));
    match file.change {
        FileChange::Added => writeln!(out, "new file mode {is:06o}"),
        FileChange::Deleted => writeln!(out, "deleted file mode {was:06o}"),
        FileChange::Modified | FileChange::Renamed if file.modes.is_some() => {
            writeln!(out, "old mode {was:06o}\nnew mode {is:06o}")
        }
        FileChange::Modified | FileChange::Renamed => Ok(()),
    }
}

#[derive(Clone, Copy)]
struct Names<'a> {
    old: &'a str,
    new: &'a str,
}

fn write_names(out: &mut String, names: Names<'_>) -> std::fmt::Result {
    // A name with a blank ends with a tab, as in git, so that the blank is not taken for its end.
    let ending = |name: &str| if name.contains(' ') && !name.starts_with('"') { "\t" } else { "" };
    writeln!(out, "--- {}{}\n+++ {}{}", names.old, ending(names.old), names.new, ending(names.new))
}

fn write_text(out: &mut String, names: Names<'_>, hunks: &[Hunk]) -> std::fmt::Result {
    if hunks.is_empty() {
        return Ok(());
    }
    write_names(out, names)?;
    for hunk in hunks {
        writeln!(out, "@@ -{},{} +{},{} @@", hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines)?;
        for line in &hunk.lines {
            match line {
                DiffLine::Context(text) => writeln!(out, " {text}")?,
                DiffLine::Added(text) => writeln!(out, "+{text}")?,
                DiffLine::Removed(text) => writeln!(out, "-{text}")?,
                DiffLine::NoNewline => writeln!(out, "\\ No newline at end of file")?,
            }
        }
    }
    Ok(())
}

fn write_submodule(out: &mut String, names: Names<'_>, old: Option<&str>, new: Option<&str>) -> std::fmt::Result {
    if let (Some(old), Some(new)) = (old, new) {
        writeln!(out, "index {old}..{new} 160000")?;
    }
    write_names(out, names)?;
    let lines = |id: Option<&str>| if id.is_some() { "1" } else { "0,0" };
    writeln!(out, "@@ -{} +{} @@", lines(old), lines(new))?;
    for (sign, id) in [('-', old), ('+', new)] {
        if let Some(id) = id {
            writeln!(out, "{sign}Subproject commit {id}")?;
        }
    }
    Ok(())
}

/// Returns a name as git writes it: in quotes with escapes where it has quotes, backslashes or control characters.
fn quoted(prefix: &str, name: &str) -> String {
    if !name.chars().any(|c| c.is_ascii_control() || c == '"' || c == '\\') {
        return format!("{prefix}{name}");
    }
    let mut text = format!("\"{prefix}");
    for c in name.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if c.is_ascii_control() => {
                let _ = write!(text, "\\{:03o}", u32::from(c)); // A string takes everything.
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
