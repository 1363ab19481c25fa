//! `draft man` and `draft completions`: the manual page, and what shells need to complete a command line. Both are made
//! from the tables of commands and keys, so they say what is there.

use std::io::{self, Write};

use clap::{Args, Command, CommandFactory};
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::ui::keys::{Context, KeyTable, Keys};

use super::Cli;
use super::error::{CliError, Exit};
use super::out::Out;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Prints what a shell needs to complete the arguments of `draft`.
pub(super) fn completions(args: &CompletionsArgs, out: &mut Out) -> Result<Exit, CliError> {
    out.bytes(script(args.shell).as_bytes())?;
    Ok(Exit::Done)
}

/// Returns what a shell reads: the commands and their flags, and how to ask for the numbers of tickets.
fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "draft", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => script + include_str!("../../assets/completions/bash"),
        Shell::Fish => script + include_str!("../../assets/completions/fish"),
        // Asked first: what is generated offers files where a ticket is meant.
        Shell::Zsh => {
            let begin = "_draft() {\n";
            script.replacen(begin, &format!("{begin}{}", include_str!("../../assets/completions/zsh")), 1)
        }
        _ => script, // other shells know the commands only
    }
}

/// Prints the manual page.
pub(super) fn man(out: &mut Out) -> Result<Exit, CliError> {
    out.bytes(page().as_bytes())?;
    Ok(Exit::Done)
}

/// Writes a section of a page.
type Part = fn(&Man, &mut dyn Write) -> io::Result<()>;

fn page() -> String {
    let mut command = Cli::command();
    command.build();
    let page = Man::new(command.clone()).title("draft").section("1").manual("Draft");
    let mut bytes = Vec::new();
    let parts: [Part; 5] = [
        Man::render_title,
        Man::render_name_section,
        Man::render_synopsis_section,
        Man::render_description_section,
        Man::render_options_section,
    ];
    for part in parts {
        part(&page, &mut bytes).expect("memory takes every byte");
    }
    let mut rest = Roff::new();
    rest.control("SH", ["COMMANDS"]);
    commands(&command, "draft", &mut rest);
    rest.control("SH", ["KEYS"]);
    rest.text([roman(
        "The board answers to these keys. A file keys.yaml beside the user's configuration gives an action other keys.",
    )]);
    keys(&mut rest);
    rest.control("SH", ["MOUSE"]);
    rest.text([roman(MOUSE)]);
    rest.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXITS {
        rest.control("TP", []).text([bold(code)]).text([roman(meaning)]);
    }
    String::from_utf8_lossy(&bytes).into_owned() + &rest.to_roff()
}

/// What the mouse does.
const MOUSE: &str = "A click selects, a second one opens. The wheel scrolls what is under it. A card can be dragged to \
another column, and the frame between board and log to where it should be. Tabs and the keys of the bottom line can be \
clicked. With Shift held down the mouse belongs to the terminal, which then selects text. The setting ui.mouse turns all \
of that off.";

const EXITS: [(&str, &str); 4] = [
    ("0", "It is done as asked."),
    ("1", "It is done, but the answer is no: a ticket ended blocked, a check failed."),
    ("2", "Wrong use or bad configuration."),
    ("3", "Something is missing here: git, a repository, an agent, the disk."),
];

/// Writes every command below this one with its own arguments; those of all commands stand above.
fn commands(command: &Command, name: &str, page: &mut Roff) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let name = format!("{name} {}", sub.get_name());
        if sub.has_subcommands() {
            commands(sub, &name, page);
            continue;
        }
        page.control("SS", [name.as_str()]);
        if let Some(about) = sub.get_about() {
            page.text([roman(format!("{about}."))]);
        }
        for arg in sub.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set()) {
            if arg.get_id() == "help" {
                continue;
            }
            page.control("TP", []).text([bold(arg.to_string())]);
            page.text([roman(arg.get_help().map(ToString::to_string).unwrap_or_default())]);
        }
    }
}

fn keys(page: &mut Roff) {
    for context in Context::ALL {
        page.control("SS", [context.heading()]);
        for row in KeyTable::built_in().rows(*context) {
            let keys: Vec<String> = row.keys.iter().map(Keys::shown).collect();
            page.control("TP", []).text([bold(keys.join(" "))]).text([roman(row.help.as_str())]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_that_can_ask_for_tickets_do() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            assert!(script(shell).contains("complete -- "), "{shell}");
        }
    }

    #[test]
    fn the_page_has_every_command_and_every_key() {
        let page = page();
        for word in ["draft ticket add", "draft completions", "next ticket that needs you", "EXIT STATUS"] {
            assert!(page.contains(word), "{word} is missing in\n{page}");
        }
        for row in Context::ALL.iter().flat_map(|context| KeyTable::built_in().rows(*context)) {
            let start: String = row.help.chars().take_while(|c| c.is_alphanumeric() || *c == ' ').collect();
            assert!(page.contains(start.trim()), "{}", row.help);
        }
    }
}
