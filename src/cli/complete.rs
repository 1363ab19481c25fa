//! `draft complete`, which the scripts of `draft completions` ask: the tickets, or the words of a filter, that could stand where
//! somebody types.

use clap::{Arg, Args, Command, CommandFactory};

use crate::app::board_here;
use crate::domain::board::Board;
use crate::domain::query::words_like;
use crate::domain::state::StateName;
use crate::domain::ticket::Ticket;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Cli, Global, session};

/// More than anybody looks through.
const MOST: usize = 200;

#[derive(Debug, Args)]
pub(super) struct CompleteArgs {
    /// The words of the command line after its first, the last one as far as it is typed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Prints a line for each ticket that could stand there: its number, a tab and its title; or one for each word of a filter. Whoever
/// asks in vain gets nothing: a shell has no place for an error.
pub(super) fn complete(global: &Global, args: &CompleteArgs, out: &mut Out) -> Result<Exit, CliError> {
    let Some((typed, before)) = args.words.split_last() else { return Ok(Exit::Done) };
    let mut root = Cli::command();
    root.build();
    match wanted(&root, before, typed) {
        Wanted::Ticket => {}
        Wanted::Query => {
            words_like(typed).iter().try_for_each(|word| out.line(word))?;
            return Ok(Exit::Done);
        }
        Wanted::Else => return Ok(Exit::Done),
    }
    let global = with_flags(global.clone(), before);
    let Ok(Some(board)) = board_here(&session::options(&global)) else { return Ok(Exit::Done) };
    for ticket in tickets(&board, typed) {
        out.line(format_args!("{}\t{}", ticket.number.0, visible(ticket.title.as_str())))?;
    }
    Ok(Exit::Done)
}

/// Returns the tickets whose number begins like that: those about which there is something to do first, and the newest first.
fn tickets<'a>(board: &'a Board, typed: &str) -> Vec<&'a Ticket> {
    let is_over = |ticket: &&Ticket| matches!(ticket.state.name(), StateName::Done | StateName::Abandoned);
    let mut found: Vec<&Ticket> =
        board.tickets().filter(|ticket| ticket.number.0.to_string().starts_with(typed)).collect();
    found.sort_by_key(|ticket| (is_over(ticket), std::cmp::Reverse(ticket.number)));
    found.truncate(MOST);
    found
}

/// What is typed after some words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Ticket,
    Query,
    Else,
}

/// Says what is typed after these words.
fn wanted(root: &Command, before: &[String], typed: &str) -> Wanted {
    let mut command = root;
    let mut place = 0;
    let mut words = before.iter();
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            let takes_next = |arg: &&Arg| arg.get_action().takes_values() && !word.contains('=');
            if let Some(option) = option(command, word).filter(takes_next)
                && words.next().is_none()
            {
                return wanted_by(option);
            }
        } else if let Some(sub) = command.find_subcommand(word) {
            (command, place) = (sub, 0);
        } else {
            place += 1;
        }
    }
    let mut all = command.get_positionals();
    let last = command.get_positionals().last().filter(|arg| matches!(arg.get_action(), clap::ArgAction::Append));
    if typed.starts_with('-') { Wanted::Else } else { all.nth(place).or(last).map_or(Wanted::Else, wanted_by) }
}

fn option<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
    command.get_arguments().find(|arg| match word.starts_with("--") {
        true => arg.get_long() == Some(name),
        false => arg.get_short().is_some_and(|short| name.starts_with(short)),
    })
}

fn wanted_by(arg: &Arg) -> Wanted {
    match arg.get_value_names().and_then(<[_]>::first).map(|name| name.as_str()) {
        Some("ID" | "IDS") => Wanted::Ticket,
        Some("QUERY") => Wanted::Query,
        Some(_) | None => Wanted::Else,
    }
}

/// Returns the flags with what the words say about which board is meant.
fn with_flags(mut global: Global, words: &[String]) -> Global {
    let value = |name: &str| {
        let next = words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        next.cloned()
            .or_else(|| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned))
    };
    global.repo = value("--repo").map(Into::into).or(global.repo);
    global.board = value("--board").or(global.board);
    global.data_dir = value("--data-dir").map(Into::into).or(global.data_dir);
    global
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(line: &str) -> Wanted {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (typed, before) = words.split_last().unwrap();
        let mut root = Cli::command();
        root.build();
        wanted(&root, before, typed)
    }

    #[test]
    fn a_ticket_is_offered_where_a_command_wants_one_and_a_word_of_a_filter_where_it_wants_that() {
        for line in [
            "log ",
            "log 1",
            "ticket show ",
            "ticket show --json ",
            "--board other ticket show ",
            "run 1 2 ",
            "ticket remove 1 ",
            "ticket place 3 --above ",
            "ticket add title --after ",
        ] {
            assert_eq!(wants(line), Wanted::Ticket, "{line}");
        }
        for line in ["", "ticket ", "ticket add ", "ticket add title --agent ", "log 1 ", "log --", "goal show "] {
            assert_eq!(wants(line), Wanted::Else, "{line}");
        }
        assert_eq!(wants("ticket list --json --query con"), Wanted::Query);
    }
}
