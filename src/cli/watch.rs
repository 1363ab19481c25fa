//! `draft watch`: the board as a stream of lines, first what is there and then what changes, whoever works on it.

use std::sync::Arc;

use clap::Args;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::json;
use tokio::sync::oneshot;

use crate::app::{AppError, Watcher};
use crate::ui::widget::format::counted;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::run::{Manner, Progress, Report};
use super::stored::Stored;
use super::{Global, list, session};

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Words in place of signs, and no times: for screen readers and braille displays
    #[arg(long)]
    plain: bool,
}

pub(super) fn watch(global: &Global, args: &WatchArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let manner = if args.plain { Manner::WatchPlainly } else { Manner::Watch };
    let mut report = Report::of(&opened.workshop, global.json, global.quiet);
    report.manner = manner;
    let runtime = session::runtime()?;
    let watched = runtime.block_on(async {
        let gone = reader_gone()?;
        // The watcher first, so that nothing falls between what is there and what changes.
        let (board, watcher) = Watcher::of_others(Arc::clone(&opened.workshop))?;
        let mut stored = Stored::load(&opened.workshop)?;
        stored.board = board;
        what_is_there(global, &stored, out)?;
        follow(Progress::new(stored.board, report, [], out), watcher, gone).await
    });
    // A thread may still wait for a reader to go; nobody waits for that.
    runtime.shutdown_background();
    watched?;
    Ok(Exit::Done)
}

fn what_is_there(global: &Global, stored: &Stored, out: &mut Out) -> Result<(), CliError> {
    let board = &stored.board;
    let tickets: Vec<_> = board.tickets().collect();
    if global.json {
        out.json(&json!({
            "event": "board", "board": board.about.name, "repository": board.about.repo_root.to_string_lossy(),
            "autopilot": stored.mode, "tickets": tickets.len(),
        }))?;
        for ticket in tickets {
            out.json(&json!({ "event": "ticket", "ticket": ticket.number, "fields": stored.json(ticket) }))?;
        }
        out.json(&json!({ "event": "watching" }))?;
    } else if !global.quiet {
        let count = counted(tickets.len() as u64, "ticket", "tickets");
        out.line(format_args!("board {}: {count}, autopilot {}", visible(&board.about.name), stored.mode))?;
        list::table(board, &tickets, stored.mode, None).iter().try_for_each(|line| out.line(line))?;
        session::say("watching; press Ctrl-C to end");
    }
    out.flush()
}

async fn follow(mut progress: Progress<'_>, mut watcher: Watcher, gone: oneshot::Receiver<()>) -> Result<(), CliError> {
    let interrupted = tokio::signal::ctrl_c();
    let gone = async {
        if gone.await.is_err() {
            // There was never a reader that could go.
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(interrupted, gone);
    loop {
        tokio::select! {
            news = watcher.next() => progress.learn(news?)?,
            ended = &mut interrupted => return ended.map_err(cannot_listen),
            () = &mut gone => return Ok(()),
        }
    }
}

fn cannot_listen(error: std::io::Error) -> CliError {
    CliError::environment("io", format!("could not listen for Ctrl-C: {error}"), "")
}

/// Tells when nobody reads standard output any more, so that a watch in a pipe does not outlive its reader. The system is
/// asked, and only waits: the thread ends with the process.
fn reader_gone() -> Result<oneshot::Receiver<()>, CliError> {
    let (tell, gone) = oneshot::channel();
    let wait = move || {
        let stdout = std::io::stdout();
        // Nothing is asked for but what is always told: that the other end is gone.
        let mut wanted = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut wanted, None).is_err_and(|error| error == rustix::io::Errno::INTR) {}
        if wanted[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            // Whoever wanted to know may be gone itself.
            let _ = tell.send(());
        }
    };
    let spawned = std::thread::Builder::new().name("reader-gone".to_owned()).spawn(wait);
    spawned
        .map(|_| gone)
        .map_err(|source| AppError::Io { action: "start a thread for", path: "standard output".into(), source }.into())
}
