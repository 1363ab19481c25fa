//! Processes that outlived their run, and supervisors whose folder is gone.

use std::collections::HashMap;

use crate::domain::id::TicketId;
use crate::run::Mark;
use crate::run::census::Marked;
use crate::run::shelf::{About, Stage, What};

use super::super::stray::{Remedy, Subject};
use super::super::{Survey, find::grouped};
use super::Seen;

/// Most processes that a message names.
const NAMED_MAX: usize = 4;

pub(super) fn find(seen: &Seen<'_>, survey: &mut Survey) {
    let runs: HashMap<Mark, &About> = seen.shelved.iter().filter_map(|one| about(&one.what)).collect();
    let mut outlived = Vec::new();
    let mut unknown = Vec::new();
    for process in seen.census.marked() {
        let known = process.marks.iter().filter_map(|mark| runs.get(mark).copied());
        match known.clone().find(|run| run.stage == Stage::Over) {
            Some(run) => outlived.push((run.mark, process)),
            None if known.count() > 0 => survey.counts.processes += 1,
            None => unknown.extend(of_nobody(seen, process).map(|ticket| ((process.marks.last(), ticket), process))),
        }
    }
    for (mark, processes) in grouped(outlived) {
        let Some(run) = runs.get(&mark) else { continue };
        let whose = format!("run {} of {} is over", run.id.n, seen.label_of_job(run.id.job));
        let advice = "`draft doctor --fix` stops it, politely and then hard";
        let words = (said(&processes, &whose), advice.to_owned());
        survey.found(Subject::Processes, mark.to_string(), words, Remedy::StopProcesses(mark));
    }
    for ((mark, ticket), processes) in grouped(unknown) {
        let Some(mark) = mark else { continue };
        of_a_lost_run(seen, survey, *mark, ticket, &processes);
    }
    supervisors(seen, survey);
}

fn about(what: &What) -> Option<(Mark, &About)> {
    match what {
        What::Run(about) => Some((about.mark, about)),
        What::HalfMade | What::Unreadable(_) => None,
    }
}

/// Returns the ticket of a process whose run is not among ours, if the ticket is: unless somebody supervises it, since
/// then it is of a copy of this data directory, or its supervisor is the one to speak to.
fn of_nobody(seen: &Seen<'_>, process: &Marked) -> Option<TicketId> {
    if seen.census.supervisor_of(process.pid).is_some() {
        return None;
    }
    let ticket = TicketId(process.ticket?);
    seen.ticket(ticket).map(|(_, ticket)| ticket.id)
}

fn of_a_lost_run(seen: &Seen<'_>, survey: &mut Survey, mark: Mark, ticket: TicketId, processes: &[&Marked]) {
    let whose = format!("it is of a run of {} whose folder is gone", seen.label(ticket));
    let message = said(processes, &whose);
    // Only a ticket that has nothing to do any more proves that the run is over.
    let (advice, remedy) = if seen.has_active_job(ticket) {
        let pids: Vec<String> = processes.iter().map(|process| process.pid.to_string()).collect();
        (format!("`kill {}` once you know what it does", pids.join(" ")), Remedy::Nothing)
    } else {
        ("`draft doctor --fix` stops it, politely and then hard".to_owned(), Remedy::StopProcesses(mark))
    };
    survey.found(Subject::Processes, mark.to_string(), (message, advice), remedy);
}

fn said(processes: &[&Marked], whose: &str) -> String {
    let named = processes.iter().take(NAMED_MAX).map(|one| format!("{} `{}`", one.pid, cut(&one.command)));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = processes.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let noun = if processes.len() == 1 { "process" } else { "processes" };
    format!("{noun} {named}{more} still there, although {whose}")
}

/// A command line as long as a message can have it.
fn cut(command: &str) -> String {
    let mut chars = command.chars();
    let short: String = chars.by_ref().take(60).collect();
    if chars.next().is_some() { format!("{short}…") } else { short }
}

fn supervisors(seen: &Seen<'_>, survey: &mut Survey) {
    let root = seen.grounds.paths.runs();
    let root = root.canonicalize().unwrap_or(root);
    for supervisor in seen.census.supervisors().iter().filter(|one| one.folder.starts_with(&root)) {
        if !supervisor.is_orphaned {
            survey.counts.supervisors += 1;
            continue;
        }
        let folder = supervisor.folder.display();
        let message =
            format!("supervisor {} goes on, although the folder of its run is gone: {folder}", supervisor.pid());
        let advice = "`draft doctor --fix` has it stop its run".to_owned();
        let remedy = Remedy::StopSupervisor(supervisor.clone());
        survey.found(Subject::Supervisors, supervisor.pid().to_string(), (message, advice), remedy);
    }
}
