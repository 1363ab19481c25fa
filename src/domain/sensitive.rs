//! Files that a person must look at, by their names. Every file of a change counts, and both names of a renamed one.

use gix_glob::wildmatch::Mode;

use super::autonomy::{Action, Dossier, Objection, Rail};
use super::touched::Touched;

/// The patterns that hold where the settings name none.
pub const PATTERNS: &[&str] = &["**/.env*", "**/*.pem", "**/*.key", "**/secrets/**", "**/credentials*"];
/// What decides about rails and submodules is never changed without a person.
pub const OWN: &[&str] = &["draft.yaml", ".gitmodules"];
/// What a name must not have in it, for the gate of the profiles.
const WORDS: &[&str] = &[
    ".env",
    "credentials",
    "secrets",
    "password",
    ".key",
    ".pem",
    ".crt",
    "api_key",
    "token",
    "config/production",
    "database.yml",
    "production.yml",
];

/// Objects to files whose names match a pattern of the settings, and to those with one of the words of the gate in them, for
/// which `by_word` is what follows.
pub(super) fn judge(found: &Dossier, by_word: Action, objections: &mut Vec<Objection>) {
    let configured = found.policy.sensitive_file_patterns.iter().map(String::as_str);
    let patterns: Vec<&str> = if configured.len() == 0 { PATTERNS.to_vec() } else { configured.collect() };
    for name in found.files.iter().flat_map(Touched::names) {
        let low = name.to_lowercase();
        let word = WORDS.iter().find(|word| low.contains(**word));
        let touches = format!("touches `{name}`");
        let objection = if OWN.iter().any(|own| matches(own, name)) {
            // It could loosen the very rails that are asked here.
            Some((Action::Block, touches))
        } else if patterns.iter().any(|pattern| matches(pattern, name)) {
            let by_pattern = if word.is_some() && by_word == Action::Block { Action::Block } else { Action::Pause };
            Some((found.policy.actions.names.unwrap_or(by_pattern), touches))
        } else {
            word.map(|word| (by_word, format!("{touches} (`{word}` in its name)")))
        };
        objections.extend(objection.map(|(action, why)| Objection::new(Rail::SensitiveFiles, action, why)));
    }
}

/// Says whether a pattern means a file or a folder that it is in, as `.gitignore` reads patterns: one without a slash means
/// a name in any folder, `**/` any folder or none. Case does not matter.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches('/').to_lowercase();
    let path = path.to_lowercase();
    let pattern = if pattern.trim_end_matches('/').contains('/') { pattern } else { format!("**/{pattern}") };
    let pattern = pattern.trim_end_matches('/');
    let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    folders
        .chain([path.as_str()])
        .any(|part| gix_glob::wildmatch(pattern.into(), part.into(), Mode::NO_MATCH_SLASH_LITERAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_at_the_root_and_below_whatever_the_case() {
        for (pattern, path) in [
            ("**/.env*", ".env"),
            ("**/.env*", ".env.local"),
            ("**/.env*", "deploy/a/.ENV.production"),
            ("**/.env*", ".env.d/one"),
            ("**/*.key", "server.key"),
            ("**/*.pem", "tls/Server.PEM"),
            ("**/secrets/**", "secrets/x"),
            ("**/secrets/**", "a/secrets/b/c"),
            ("**/credentials*", "credentials.json"),
            ("*.tf", "infra/main.tf"),
            ("infra/", "infra/main.tf"),
            ("/infra/**", "infra/main.tf"),
        ] {
            assert!(matches(pattern, path), "{pattern} does not match {path}");
        }
        for (pattern, path) in [
            ("**/.env*", "src/environment.rs"),
            ("**/*.key", "src/key.rs"),
            ("**/secrets/**", "src/secrets.rs"),
            ("infra/**", "docs/infra/a"),
            ("draft.yaml", "src/draft.yml"),
        ] {
            assert!(!matches(pattern, path), "{pattern} matches {path}");
        }
    }
}
