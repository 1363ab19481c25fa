//! The text of a new `draft.yaml`: only what differs from the defaults, each with why, and what a person may want as comments.

use crate::config::Origin;
use crate::config::allow::{NotAllowed, check};
use crate::executor::row::Program;
use crate::ui::widget::text::visible;

use super::Findings;
use super::checks::Proposal;

const HEAD: &str = "\
# Settings of Draft for this repository, begun by `draft init` with what was found here. Only what differs from the
# defaults is set: `draft config reference` explains every setting, `draft config show` says what is in force.
#
# Commit this file. It names commands that run on your machine: what Draft wrote is trusted, and you are asked again when
# somebody changes it. Lines that begin with `# ` and a setting are proposals; delete the `# ` to take them.
";

/// An entry of a list, or a whole line; taken, or as a comment.
struct Entry {
    why: Vec<String>,
    line: String,
    taken: bool,
}

/// Writes the file.
pub(super) fn write(findings: &Findings<'_>) -> String {
    let sections = [section("execute_config", &agent(findings)), verify(findings), workspace(findings)];
    let mut text = HEAD.to_owned();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text.push_str(section);
    }
    for odd in &findings.odd {
        text.push_str(&format!("\n# {odd}\n"));
    }
    text
}

/// Puts a section's lines under its name; as comments where none of them says anything.
fn section(name: &str, lines: &str) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let whole = format!("{name}:\n{lines}");
    if lines.lines().any(|line| !line.trim_start().starts_with('#')) {
        return whole;
    }
    // Without anything under it, the name alone would be a setting without a value.
    whole.lines().map(|line| if line.starts_with(name) { format!("# {line}\n") } else { format!("{line}\n") }).collect()
}

fn agent(findings: &Findings<'_>) -> String {
    let current = findings.preferred.0;
    let names = |but: Option<&str>| {
        let others = findings.agents.iter().map(|agent| agent.name.as_str()).filter(|name| Some(*name) != but);
        others.collect::<Vec<_>>().join(", ")
    };
    if findings.preferred.1 != Origin::BuiltIn {
        let found = names(None);
        let found = if found.is_empty() { "none".to_owned() } else { found };
        let why =
            format!("Your own settings ask for {}, so nothing is set here. Installed are: {found}.", visible(current));
        return entry(
            2,
            &Entry { why: vec![why], line: format!("preferred_executor: {}", visible(current)), taken: false },
        );
    }
    let Some(choice) = findings.choice() else {
        let known = findings.known.iter().filter(|agent| agent.program != Program::Draft && !agent.interactive);
        let mut why =
            vec!["No coding agent is installed here. `draft agents` lists all that are known, among them:".to_owned()];
        why.extend(known.take(3).map(|agent| format!("  {}: {}", agent.display, visible(&agent.install))));
        why.push(
            "Until then the built-in demo agent shows how Draft works; it does what the ticket's text tells it.".into(),
        );
        return entry(2, &Entry { why, line: "preferred_executor: demo".to_owned(), taken: false });
    };
    let others = names(Some(choice));
    let mut why = vec!["The agent that works when a ticket names none.".to_owned()];
    if !others.is_empty() {
        why.push(format!("Installed here as well: {others}."));
    }
    if choice == current {
        why.push("It is the default, so this line changes nothing.".to_owned());
    }
    entry(2, &Entry { why, line: format!("preferred_executor: {choice}"), taken: choice != current })
}

fn verify(findings: &Findings<'_>) -> String {
    let about = "Every change must pass these, in this order, until one fails. They run without a shell.";
    let mut lines = list("commands", about, &findings.checks.iter().map(command).collect::<Vec<_>>());
    if findings.checks.is_empty() {
        let why = "Nothing here says how to check a change, so nothing can be proven yet. Name what must pass:";
        let entry = Entry { why: Vec::new(), line: "make test".to_owned(), taken: false };
        lines = list("commands", why, &[entry]);
    }
    lines.push_str(&list(
        "extra_allowed_commands",
        "Checks may use only some programs unless they are named here; `draft config show verify_config` lists yours.",
        &extra(&findings.checks),
    ));
    section("verify_config", &lines)
}

/// Returns the programs that checks need beside those that are allowed anyway.
fn extra(checks: &[Proposal]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for proposal in checks {
        let Err(NotAllowed::Program { program }) = check(&proposal.command.as_str().into(), &[]) else { continue };
        let taken = proposal.doubt.is_none();
        match entries.iter_mut().find(|entry| entry.line == program) {
            Some(entry) => entry.taken |= taken,
            None => {
                let why = vec![format!("`{}` runs it.", proposal.command)];
                entries.push(Entry { why, line: program, taken });
            }
        }
    }
    entries
}

fn workspace(findings: &Findings<'_>) -> String {
    let mut lines = String::new();
    let copies = findings.copy.iter().map(|file| Entry { why: Vec::new(), line: file.clone(), taken: false });
    let about = if findings.list {
        "These are here, git ignores them, and a new worktree lacks them unless .worktreeinclude names them. An agent can read \
         what is copied."
    } else {
        "These are here, git ignores them, and a new worktree lacks them. An agent can read what is copied."
    };
    lines.push_str(&list("copy", about, &copies.collect::<Vec<_>>()));
    let setup: Vec<Entry> = findings.setup.iter().map(|one| Entry { taken: false, ..command(one) }).collect();
    lines.push_str(&list("setup", "Runs in each new worktree before its agent starts.", &setup));
    if findings.submodules {
        let why = "Worktrees get the submodules that your checkout has, without asking the network. They do without them when:";
        let no = Entry { why: vec![why.to_owned()], line: "submodules: false".to_owned(), taken: false };
        lines.push_str(&entry(2, &no));
    }
    section("workspace_config", &lines)
}

fn command(proposal: &Proposal) -> Entry {
    let why = std::iter::once(&proposal.why).chain(&proposal.doubt).cloned().collect();
    Entry { why, line: proposal.command.clone(), taken: proposal.doubt.is_none() }
}

/// Writes a list; as comments where no entry is taken.
fn list(key: &str, about: &str, entries: &[Entry]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mark = if entries.iter().any(|entry| entry.taken) { "" } else { "# " };
    let mut text = comment(2, about);
    text.push_str(&format!("  {mark}{key}:\n"));
    for one in entries {
        text.push_str(&entry(4, &Entry { why: one.why.clone(), line: format!("- {}", one.line), taken: one.taken }));
    }
    text
}

fn entry(indent: usize, entry: &Entry) -> String {
    let mut text: String = entry.why.iter().map(|why| comment(indent, why)).collect();
    let mark = if entry.taken { "" } else { "# " };
    text.push_str(&format!("{:indent$}{mark}{}\n", "", entry.line));
    text
}

/// Writes a comment, in as many lines as it needs.
fn comment(indent: usize, text: &str) -> String {
    let lines = crate::ui::widget::text::wrap(text, 110);
    lines.into_iter().map(|line| format!("{:indent$}# {}\n", "", line.trim_end())).collect()
}
