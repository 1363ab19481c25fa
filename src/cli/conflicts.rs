//! `draft conflicts`: which changes do not go together with their targets as those are now, and which of those in flight will
//! get in each other's way.

use serde_json::{Value, json};

use crate::app;
use crate::domain::board::Board;
use crate::domain::id::TicketId;
use crate::domain::outlook::{ConflictFile, Forecast, Outlook, Radar};
use crate::domain::proof::Proof;
use crate::domain::ticket::Ticket;
use crate::ui::widget::format::counted;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session};

pub(super) fn conflicts(global: &Global, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let radar = app::look_ahead(&opened.workshop, &board)?;
    let waiting = board.tickets().filter_map(|ticket| Some((ticket, radar.outlook(ticket.id)?)));
    let waiting: Vec<(&Ticket, &Outlook)> = waiting.collect();
    if global.json {
        let landings: Vec<Value> = waiting
            .iter()
            .map(|(ticket, outlook)| {
                let mut value = landing(outlook);
                value["ticket"] = json!(ticket.number);
                value
            })
            .collect();
        out.json(&json!({ "landings": landings, "collisions": collisions(&board, &radar) }))?;
        return Ok(Exit::Done);
    }
    let is_bad = |outlook: &Outlook| matches!(outlook.forecast, Forecast::Conflicts(_)) || outlook.failing().is_some();
    let bad = waiting.iter().filter(|(_, outlook)| is_bad(outlook));
    for (ticket, outlook) in bad.clone() {
        out.line(format_args!("{} {}  {}", ticket.number, visible(ticket.title.as_str()), in_words(outlook)))?;
        files(outlook.forecast.files(), out)?;
    }
    for pair in &radar.collisions {
        let name = |id: TicketId| board.ticket(id).map(|one| format!("{} {}", one.number, visible(one.title.as_str())));
        let (Some(one), Some(other)) = (name(pair.one), name(pair.other)) else { continue };
        out.line(format_args!("{one}  collides with {other}"))?;
        files(&pair.files, out)?;
    }
    if bad.count() == 0 && radar.collisions.is_empty() && !global.quiet {
        let waiting = counted(waiting.len() as u64, "change that waits", "changes that wait");
        out.line(format_args!("No conflict: {waiting}, and nothing in flight collides."))?;
    }
    Ok(Exit::Done)
}

fn files(files: &[ConflictFile], out: &mut Out) -> Result<(), CliError> {
    files.iter().try_for_each(|file| out.line(format_args!("    {} ({})", visible(&file.path), file.kind)))
}

/// Says what is to be expected of a landing.
pub(super) fn in_words(outlook: &Outlook) -> String {
    let target = visible(&outlook.target);
    let ahead = match outlook.behind {
        0 => String::new(),
        behind => format!(", which went on by {}", counted(behind.into(), "commit", "commits")),
    };
    match &outlook.forecast {
        Forecast::Contained => format!("{target} has it already"),
        Forecast::Clean if outlook.behind > 0 => {
            format!("goes together with {target}{ahead}{}", proof(outlook))
        }
        Forecast::Clean => format!("goes together with {target}"),
        Forecast::Conflicts(files) => {
            format!("conflicts with {target}{ahead}, in {}", counted(files.len() as u64, "file", "files"))
        }
    }
}

/// Says what the checks say about the result.
fn proof(outlook: &Outlook) -> String {
    match &outlook.proof {
        Proof::None => String::new(),
        Proof::Passed => "; its checks passed on the result".to_owned(),
        Proof::Unknown => "; its checks did not run on the result yet".to_owned(),
        Proof::Failed { command, end } => {
            let beside = outlook.beside.iter().map(|commit| visible(commit)).collect::<Vec<_>>().join(", ");
            format!("; `{}` {end} on the result, together with {beside}", visible(command))
        }
    }
}

/// Says what is to be expected of a landing, with the files that conflict, a line each.
pub(super) fn in_full(outlook: &Outlook) -> Vec<String> {
    let files = outlook.forecast.files().iter().map(|file| format!("  {} ({})", visible(&file.path), file.kind));
    std::iter::once(in_words(outlook)).chain(files).collect()
}

/// Returns what is to be expected of a landing as JSON.
pub(super) fn landing(outlook: &Outlook) -> Value {
    json!({
        "target": outlook.target, "commit": outlook.commit, "revision": outlook.revision, "behind": outlook.behind,
        "forecast": outlook.forecast.as_str(), "files": outlook.forecast.files(), "proof": outlook.proof,
        "beside": outlook.beside,
    })
}

fn collisions(board: &Board, radar: &Radar) -> Vec<Value> {
    let number = |id: TicketId| board.ticket(id).map(|ticket| ticket.number);
    let pairs = radar.collisions.iter();
    pairs.map(|pair| json!({ "tickets": [number(pair.one), number(pair.other)], "files": pair.files })).collect()
}
