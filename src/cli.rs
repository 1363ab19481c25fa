//! The command line: arguments as typed, a file for each family of commands, results as text or JSON.
//!
//! Names, flags and JSON fields are a promise to scripts: add to them, never change them without a deprecation.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod agents;
mod archive;
mod autonomy;
mod board;
mod checklist;
mod cleanup;
mod complete;
mod config;
mod conflict;
mod conflicts;
mod demo;
mod diff;
mod doctor;
mod entry;
mod error;
mod filed;
mod goal;
mod goal_name;
mod init;
mod job;
mod json;
#[cfg(test)]
mod keys_page;
mod list;
mod log;
mod manual;
mod out;
#[cfg(test)]
mod page;
mod planner;
mod pr;
mod revert;
mod review;
mod run;
mod session;
mod show;
mod stored;
mod ticket;
mod trash;
mod trust;
mod watch;

pub use error::{CliError, ErrorCode, Exit};

use out::Out;

/// A terminal kanban board that gets tickets done by coding agents and proves that they are done.
///
/// Without a command, `draft` opens the board of the repository around the current directory.
#[derive(Debug, Parser)]
#[command(name = "draft", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done as asked; 1 done, but the answer is no (a ticket ended blocked, a check failed);
2 wrong use or bad configuration; 3 something is missing here (git, a repository, an agent, the disk).";

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
struct Global {
    /// The repository [default: the one around the current directory]
    #[arg(long, global = true, value_name = "PATH")]
    repo: Option<PathBuf>,
    /// The board by its name, whatever repository is around the current directory [default: the repository's]
    #[arg(long, global = true, value_name = "NAME")]
    board: Option<String>,
    /// Where Draft keeps everything [default: what `DRAFT_DATA_DIR` says, else `draft` in the XDG data directory]
    #[arg(long, global = true, value_name = "PATH")]
    data_dir: Option<PathBuf>,
    /// Print results as JSON on standard output, errors as JSON on standard error
    #[arg(long, global = true)]
    json: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN")]
    color: ColorWhen,
    /// Write more into Draft's own log file
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print only results
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a small sample repository with a board and run the built-in demo agent on it
    Demo(demo::DemoArgs),
    /// Write an explained draft.yaml for this repository, with the agents and checks found here
    Init(init::InitArgs),
    /// Check git, agents, disk, database and configuration, and what was left behind; --fix mends what is safe
    Doctor(doctor::DoctorArgs),
    /// List the agents: which are installed, and how each is run; and show how Draft reads what one prints
    Agents(agents::AgentsArgs),
    /// Trust what this repository's draft.yaml would run, in its present form
    Trust(trust::TrustArgs),
    /// Check, show and change settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// File, import, list, show, edit, move, order and remove tickets
    #[command(subcommand)]
    Ticket(ticket::TicketCommand),
    /// Add, list, remove and bring back boards; each repository has one, so `draft repo` is the same
    #[command(subcommand, visible_alias = "repo")]
    Board(board::BoardCommand),
    /// Set, list, show, edit and remove goals, which group tickets
    #[command(subcommand)]
    Goal(goal::GoalCommand),
    /// Run tickets without the board until nothing is queued or running
    Run(run::RunArgs),
    /// Run the checks again on what a ticket's worktree holds
    Verify(job::AgainArgs),
    /// Take over what you edited in a ticket's worktree: keep it as a revision and run the checks
    Resume(job::AgainArgs),
    /// Stop the job of a ticket, or take it out of the queue
    Cancel(job::CancelArgs),
    /// See and set what the board does by itself
    #[command(subcommand)]
    Planner(planner::PlannerCommand),
    /// Show the log of a ticket's newest job
    Log(log::LogArgs),
    /// Show the change of a ticket
    Diff(diff::DiffArgs),
    /// Review the change of a ticket: comment on its lines, approve it, or request changes
    Review(review::ReviewArgs),
    /// Show what must be true before a ticket's change lands and how it is taken back, and tick the boxes of that list
    Checklist(checklist::ChecklistArgs),
    /// Bring the approved change of a ticket to its target, after its checks pass on the result
    Merge(job::MergeArgs),
    /// Deal with a ticket's conflict: see it, resolve it in the ticket's worktree, or send it back to the agent
    Conflict(conflict::ConflictArgs),
    /// List which changes conflict with their targets as those are now, and which of those in flight will collide
    Conflicts,
    /// Open, show, comment on, refresh and merge a ticket's pull request on GitHub or GitLab
    #[command(subcommand)]
    Pr(pr::PrCommand),
    /// Take back the change of a ticket that landed, as a ticket of its own: git does it, then it is checked, reviewed and landed
    Revert(revert::RevertArgs),
    /// Print the board line by line: what is there, then every change, until Ctrl-C
    Watch(watch::WatchArgs),
    /// Write the board into a file: goals, tickets, what waits for what, and their history
    Export(archive::ExportArgs),
    /// Take a board in from a file that `draft export` wrote, all of it or nothing
    Import(archive::ImportArgs),
    /// Put worktrees into the trash that nobody touched for long, and remove the old output of tickets that have ended
    Cleanup(cleanup::CleanupArgs),
    /// List what was removed and can come back, or empty that for good
    Trash(trash::TrashArgs),
    /// Bring back a ticket, a goal or a worktree that was removed
    Restore(trash::RestoreArgs),
    /// Print what a shell needs to complete the arguments of draft
    Completions(manual::CompletionsArgs),
    /// Print the manual page, for `draft man | man -l -`
    Man,
    /// Print the tickets that could stand at the end of a command line; shells ask this
    #[command(hide = true)]
    Complete(complete::CompleteArgs),
}

/// Runs the program with these arguments and returns its exit code.
pub fn main(args: Vec<OsString>) -> std::process::ExitCode {
    let mut cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return error::wrong_use(&error, args.iter().any(|arg| arg == "--json")),
    };
    // The parser would take a flag that a variable stands for as one that was typed, and show it with every wrong use.
    let named = || std::env::var_os("DRAFT_DATA_DIR").filter(|folder| !folder.is_empty());
    cli.global.data_dir = cli.global.data_dir.or_else(|| named().map(PathBuf::from));
    let as_json = cli.global.json;
    let mut out = Out::new();
    let done = dispatch(cli, &mut out);
    // Also what was printed before an error.
    let printed = out.flush();
    match done.and_then(|exit| printed.map(|()| exit)) {
        Ok(exit) => exit.into(),
        Err(error) => error.report(as_json),
    }
}

fn dispatch(cli: Cli, out: &mut Out) -> Result<Exit, CliError> {
    let global = &cli.global;
    match cli.command {
        None => session::open_board(global),
        Some(Command::Demo(args)) => demo::demo(global, &args, out),
        Some(Command::Init(args)) => init::init(global, &args, out),
        Some(Command::Doctor(args)) => doctor::doctor(global, &args, out),
        Some(Command::Agents(args)) => agents::agents(global, &args, out),
        Some(Command::Trust(args)) => trust::trust(global, &args, out),
        Some(Command::Config(command)) => config::config(global, command, out),
        Some(Command::Ticket(command)) => ticket::ticket(global, command, out),
        Some(Command::Board(command)) => board::board(global, &command, out),
        Some(Command::Goal(command)) => goal::goal(global, command, out),
        Some(Command::Run(args)) => run::run(global, &args, out),
        Some(Command::Verify(args)) => job::verify(global, &args, out),
        Some(Command::Resume(args)) => job::resume(global, &args, out),
        Some(Command::Cancel(args)) => job::cancel(global, &args, out),
        Some(Command::Planner(command)) => planner::planner(global, command, out),
        Some(Command::Log(args)) => log::log(global, &args, out),
        Some(Command::Diff(args)) => diff::diff(global, &args, out),
        Some(Command::Review(args)) => review::review(global, &args, out),
        Some(Command::Checklist(args)) => checklist::checklist(global, &args, out),
        Some(Command::Merge(args)) => job::merge(global, &args, out),
        Some(Command::Conflict(args)) => conflict::conflict(global, &args, out),
        Some(Command::Conflicts) => conflicts::conflicts(global, out),
        Some(Command::Pr(command)) => pr::pr(global, command, out),
        Some(Command::Revert(args)) => revert::revert(global, &args, out),
        Some(Command::Watch(args)) => watch::watch(global, &args, out),
        Some(Command::Export(args)) => archive::export(global, &args, out),
        Some(Command::Import(args)) => archive::import(global, &args, out),
        Some(Command::Cleanup(args)) => cleanup::cleanup(global, &args, out),
        Some(Command::Trash(args)) => trash::trash(global, &args, out),
        Some(Command::Restore(args)) => trash::restore(global, &args, out),
        Some(Command::Completions(args)) => manual::completions(&args, out),
        Some(Command::Man) => manual::man(out),
        Some(Command::Complete(args)) => complete::complete(global, &args, out),
    }
}
