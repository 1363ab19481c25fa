//! The table of keys as a document for people.

use super::keys::{Key, Kind, Runs, Used, Who};
use super::later::Webhook;
use super::table::{COMMAND, KEYS, PROFILE, WEBHOOK};
use super::{CommandSpec, Config, ExecutorProfile};

const HEAD: &str = "\
# Settings

Draft works without a configuration. What you want otherwise is said in two files with the same keys: your own,
`draft/config.yaml` in the XDG configuration directory (`~/.config`), for all your repositories; and `draft.yaml` at the root
of a repository, for everybody who works on it. The repository's file wins over yours; what you set for a single board with
`draft config set --on-board` wins over both. A list replaces a list; maps are laid over each other key by key. Draft's own
`draft.yaml` has every key with its default.

`draft config check` says all that is wrong at once, with file, line and column. `draft config show` shows what is in force
and where each value comes from. `draft config set KEY VALUE` and `draft config unset KEY` change one value in the
repository's file, with `--user` in yours, and leave all else there as it is. `draft config schema` prints a JSON Schema for
your editor. A board that is open follows the files; while one of them is wrong it says so, and the last good settings
stay in force.

What a repository's file would run counts only when you trust it: `draft trust` shows it and trusts it as it is, and after a
change you are asked again. What gives agents more room cannot be set there at all.

Checks, set-up and clean-up are programs with arguments, and no shell is involved. A command that needs one asks for it:
`{run: \"cargo test | tee test.log\", shell: true}` is run by `sh -c`. Such a check needs no place on the list of allowed
programs, since a shell can run anything; it is shown as what it is when you are asked to trust it.
";
const COLUMNS: &str = "| key | what it does | takes | default | who sets it |\n| --- | --- | --- | --- | --- |\n";

/// Returns the document.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    let defaults = Config::default();
    for key in KEYS.iter().filter(|key| !matches!(key.kind, Kind::Old { .. })) {
        let name = key.path.split('.').next().unwrap_or_default();
        if name != section {
            section = name;
            text.push_str(&format!("\n## {section}\n\n{COLUMNS}"));
        }
        text.push_str(&row(key, &defaults));
    }
    below(&mut text, "A profile, below `executor_profiles.<name>`", PROFILE, &ExecutorProfile::default());
    below(&mut text, "A command that is written as a map", COMMAND, &CommandSpec::default());
    below(&mut text, "A webhook", WEBHOOK, &Webhook::default());
    text.push_str("\n## Old names\n\nThey are taken with a warning.\n\n| name | what to know |\n| --- | --- |\n");
    for key in KEYS {
        if let Kind::Old { note } = key.kind {
            text.push_str(&format!("| `{}` | {note} |\n", key.path));
        }
    }
    text
}

fn below<S: Clone>(text: &mut String, title: &str, table: &'static [Key<S>], defaults: &S) {
    text.push_str(&format!("\n## {title}\n\n{COLUMNS}"));
    table.iter().for_each(|key| text.push_str(&row(key, defaults)));
}

fn row<S: Clone>(key: &Key<S>, defaults: &S) -> String {
    let default = key.leaves("", &mut defaults.clone()).pop().map(|leaf| leaf.value.to_string());
    let default = default.filter(|value| value != "\"\"").map(|value| format!("`{value}`")).unwrap_or_default();
    let who = match (key.who, key.runs) {
        (Who::User, _) => "you",
        (Who::Anybody, Runs::Something) => "you; a repository that you trust",
        (Who::Anybody, Runs::Nothing) => "you; a repository",
    };
    let later = if key.used == Used::Later { "; not in use yet" } else { "" };
    format!("| `{}` | {}{later} | {} | {default} | {who} |\n", key.path, key.about, key.kind.expected())
}
