//! What is to be expected of a change, on its card and in its ticket: whether it goes together with its target, and with which
//! other changes in flight it will collide.

use crate::domain::id::TicketId;
use crate::domain::outlook::{ConflictFile, Forecast, Outlook};
use crate::domain::proof::Proof;
use crate::domain::ticket::Ticket;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::words;

use super::card::Facts;
use super::overview::Page;

/// How many files are named in a line.
const NAMED: usize = 3;
/// How many files are listed.
const LISTED: usize = 20;

/// Returns what a card says: conflicts with the target, and the tickets that it will collide with.
pub(super) fn on_card(model: &Model, ticket: TicketId) -> Option<Facts> {
    let glyphs = &model.theme.glyphs;
    let mut facts = Facts::new();
    let conflicts = model.radar.conflicts(ticket).len();
    if conflicts > 0 {
        facts.push((Role::Bad, format!("{} conflicts {conflicts}", glyphs.warn)));
    }
    if let Some(outlook) = model.radar.outlook(ticket) {
        if outlook.failing().is_some() {
            facts.push((Role::Bad, format!("{} on {}", glyphs.bad, outlook.target)));
        } else if outlook.is_unproven() && model.board.active_job(ticket).is_none() {
            facts.push((Role::Dim, format!("{} to recheck", glyphs.retry)));
        } else if outlook.is_proven() {
            facts.push((Role::Ok, format!("{} on {}", glyphs.ok, outlook.target)));
        }
    }
    let others: Vec<String> =
        model.radar.collisions_of(ticket).map(|(other, _)| words::number(&model.board, other)).collect();
    if let Some((first, more)) = others.split_first() {
        let more = if more.is_empty() { String::new() } else { format!(" +{}", more.len()) };
        facts.push((Role::Warn, format!("{} {first}{more}", glyphs.collision)));
    }
    (!facts.is_empty()).then_some(facts)
}

/// Returns a line that warns of a conflict, if there is one.
pub(super) fn banner(model: &Model, ticket: TicketId) -> Option<String> {
    let outlook = model.radar.outlook(ticket)?;
    let files = outlook.forecast.files();
    if files.is_empty() {
        return None;
    }
    Some(format!(" {} conflicts with {}: {}", model.theme.glyphs.warn, outlook.target, named(files)))
}

/// Adds what is to be expected to a ticket's overview.
pub(super) fn on_page(page: &mut Page<'_>, ticket: &Ticket) {
    let radar = &page.model.radar;
    if let Some(outlook) = radar.outlook(ticket.id) {
        landing(page, outlook);
    }
    let mut name = "collides";
    for (other, files) in radar.collisions_of(ticket.id) {
        let Some(other) = page.model.board.ticket(other) else { continue };
        let sign = page.model.theme.glyphs.collision;
        page.fact(name, Role::Warn, &format!("{sign} {} {}: {}", other.number, other.title, named(files)));
        name = "";
    }
}

fn landing(page: &mut Page<'_>, outlook: &Outlook) {
    let glyphs = page.model.theme.glyphs;
    let target = &outlook.target;
    let ahead = match outlook.behind {
        0 => String::new(),
        behind => format!(", which went on by {}", words::count(usize::try_from(behind).unwrap_or(0), "commit")),
    };
    match &outlook.forecast {
        Forecast::Contained => page.fact("landing", Role::Ok, &format!("{} {target} has it already", glyphs.ok)),
        Forecast::Clean => {
            page.fact("landing", Role::Ok, &format!("{} goes together with {target}{ahead}", glyphs.ok));
            if outlook.behind > 0 {
                proof(page, outlook);
            }
        }
        Forecast::Conflicts(files) => {
            let many = words::count(files.len(), "file");
            page.fact("landing", Role::Bad, &format!("{} conflicts with {target}{ahead}, in {many}", glyphs.warn));
            for file in files.iter().take(LISTED) {
                page.fact("", Role::Bad, &format!("{} ({})", file.path, file.kind));
            }
            if let Some(more) = files.len().checked_sub(LISTED).filter(|more| *more > 0) {
                page.fact("", Role::Dim, &format!("and {more} more"));
            }
        }
    }
}

/// Says what the checks say about the result, which is another tree than that of the change.
fn proof(page: &mut Page<'_>, outlook: &Outlook) {
    let glyphs = page.model.theme.glyphs;
    match &outlook.proof {
        Proof::None => {}
        Proof::Passed => page.fact("", Role::Ok, &format!("{} its checks passed on the result", glyphs.ok)),
        Proof::Unknown => page.fact("", Role::Warn, "to be checked again on the result; landing does that"),
        Proof::Failed { command, end } => {
            page.fact("", Role::Bad, &format!("{} `{command}` {end} on the result, together with:", glyphs.bad));
            outlook.beside.iter().for_each(|commit| page.fact("", Role::Bad, commit));
        }
    }
}

/// Returns the first few files, each with its kind.
fn named(files: &[ConflictFile]) -> String {
    let mut named: Vec<String> =
        files.iter().take(NAMED).map(|file| format!("{} ({})", file.path, file.kind)).collect();
    named.extend(files.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!("{more} more")));
    named.join(", ")
}
