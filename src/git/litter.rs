//! Which files are agents' litter: histories and caches that they leave for themselves.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use gix::glob::{wildmatch, wildmatch::Mode};

/// Says whether a path, or a folder above it, matches one of the patterns. `*` does not match `/`. A pattern matches at
/// any depth; one that begins with `/` only at the top.
pub(super) fn is_litter(path: &Path, patterns: &[String]) -> bool {
    let parts: Vec<&[u8]> = path.as_os_str().as_bytes().split(|byte| *byte == b'/').collect();
    patterns.iter().any(|pattern| matches(&parts, pattern))
}

fn matches(parts: &[&[u8]], pattern: &str) -> bool {
    let at_top = pattern.starts_with('/');
    let pattern = pattern.trim_matches('/');
    let length = pattern.split('/').count();
    let places = if at_top { 1 } else { parts.len() };
    parts.windows(length).take(places).any(|window| {
        let text = window.join(&b'/');
        wildmatch(pattern.into(), text.as_slice().into(), Mode::NO_MATCH_SLASH_LITERAL)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_files_and_all_in_folders_at_any_depth() {
        for (path, pattern, litter) in [
            (".aider.chat.history.md", ".aider*", true),
            ("sub/.aider.tags.cache.v4/cache.db", ".aider*", true),
            ("src/aider.rs", ".aider*", false),
            (".claude/settings.local.json", ".claude/settings.local.json", true),
            ("sub/.claude/settings.local.json", ".claude/settings.local.json", true),
            (".claude/settings.json", ".claude/settings.local.json", false),
            ("sub/.aider", "/.aider*", false),
            (".aider", "/.aider*", true),
            ("a", "b/c", false),
        ] {
            assert_eq!(is_litter(Path::new(path), &[pattern.to_owned()]), litter, "{path} {pattern}");
        }
    }
}
