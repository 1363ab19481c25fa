//! Writes `docs/commands.md` from the help of the commands themselves, and compares, so that the page is always right.

use clap::{Command, CommandFactory};

use super::Cli;

const PAGE: &str = "docs/commands.md";
const HEAD: &str = "\
# Commands

<!-- Written by a test: `DRAFT_WRITE_DOCS=1 cargo test commands_page` -->

Every command takes the flags that stand under `draft` itself; `--help` behind a command shows the same text as this page. With
`--json` results are JSON on standard output and errors are `{\"error\":{\"code\",\"message\",\"hint\"}}` on standard error.
";

/// Appends the help of a command and of those below it.
fn append(page: &mut String, command: &Command, path: &str, depth: usize) {
    let mut shown = command.clone().bin_name(path).term_width(100).disable_help_subcommand(true);
    let help = shown.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    page.push_str(&format!("\n{} {path}\n\n```text\n{}\n```\n", "#".repeat(depth), help.join("\n").trim_end()));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        append(page, below, &format!("{path} {}", below.get_name()), 3);
    }
}

#[test]
fn the_commands_page_is_what_help_says() {
    let mut page = HEAD.to_owned();
    append(&mut page, &Cli::command(), "draft", 2);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("DRAFT_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
    } else {
        let told = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(told == page, "{PAGE} is out of date: run this test once with DRAFT_WRITE_DOCS=1");
    }
}

#[test]
fn the_arguments_of_all_commands_fit_together() {
    Cli::command().debug_assert();
}
