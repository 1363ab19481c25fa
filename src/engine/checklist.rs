//! What is looked up for the merge checklist of a change: which checks ran on it, whether its landing waits for the list,
//! and how it would be taken back.

use crate::config::Config;
use crate::config::merge::MergeConfig;
use crate::domain::autonomy::Checked;
use crate::domain::checklist::{Findings, Required, Subject, Tests};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::landing::Intent;
use crate::domain::revision::Revision;
use crate::domain::rollback::{self, Again, Facts, Place, Plan, Pushed};
use crate::domain::rule_revert::Traced;
use crate::domain::state::State;
use crate::domain::ticket::Ticket;
use crate::domain::touched::Touched;
use crate::git::diff::touched;
use crate::git::land::{Upstream, is_ancestor, upstream};
use crate::git::revert::{Left, shape};

use super::error::EngineError;
use super::jobs::left_of;
use super::proof::commands;
use super::workshop::Workshop;

/// The checks that a change must pass, and those that ran for its ticket, oldest first.
pub(super) struct Ran {
    pub(super) commands: Vec<String>,
    pub(super) checked: Vec<Checked>,
}

/// Looks up which checks ran for a ticket, with evidence that is not stored yet; the inner error says why a check may not run.
pub(super) fn ran(
    shop: &Workshop,
    ticket: &Ticket,
    config: &Config,
    fresh: &[Evidence],
) -> Result<Result<Ran, String>, EngineError> {
    let commands = match commands(&ticket.verify, config) {
        Ok(commands) => commands,
        Err(refused) => return Ok(Err(refused)),
    };
    let stored = shop.readers.read(|reader| reader.evidence_of(ticket.id))?;
    let checks = stored.iter().chain(fresh).filter(|one| one.kind == EvidenceKind::Check);
    let checked = checks.map(|one| Checked {
        command: one.command.clone(),
        tree: one.tree.clone(),
        passed: one.end.is_success(),
    });
    Ok(Ok(Ran { commands, checked: checked.collect() }))
}

/// Looks up what the checks say about a revision.
fn tests(shop: &Workshop, ticket: &Ticket, revision: &Revision, config: &Config) -> Result<Tests, EngineError> {
    Ok(match ran(shop, ticket, config, &[])? {
        Ok(ran) => Tests::of(&ran.commands, &ran.checked, &revision.tree),
        Err(refused) => Tests::Open(vec![refused]),
    })
}

/// Looks up whether the landing of a revision waits for its checklist.
pub(super) fn required(shop: &Workshop, ticket: &Ticket, revision: &Revision) -> Result<Required, EngineError> {
    let settings = shop.settings()?;
    if !settings.config.merge_config.require_checklist {
        return Ok(Required::No);
    }
    Ok(Required::Yes(tests(shop, ticket, revision, &settings.config)?))
}

/// Looks up what Draft finds out by itself for the checklist of a change; it blocks.
///
/// # Errors
/// When the settings, the database or git cannot be read.
pub fn find_out(shop: &Workshop, subject: &Subject) -> Result<Findings, EngineError> {
    let revision = &subject.revision;
    let settings = shop.settings()?;
    let merge = &settings.config.merge_config;
    let files = touched(&shop.repo, &revision.base, &revision.tree)?;
    Ok(Findings {
        revision: revision.number,
        tests: tests(shop, &subject.ticket, revision, &settings.config)?,
        is_required: merge.require_checklist,
        plan: plan(shop, subject, merge, &files)?,
    })
}

/// Looks up where a change is, and plans how it is taken back.
fn plan(shop: &Workshop, subject: &Subject, merge: &MergeConfig, files: &[Touched]) -> Result<Plan, EngineError> {
    let ticket = &subject.ticket;
    let repo = &shop.repo;
    let landing = if ticket.state == State::Done { left_of(shop, ticket.id)? } else { None };
    let target = landing.as_ref().map_or_else(|| subject.target.clone(), |(landing, _)| landing.branch.clone());
    let strategy = match &landing {
        Some((landing, Left::Nothing | Left::Clean(_) | Left::Conflicts(_))) => shape(repo, landing)?,
        Some((_, Left::NotThere)) | None => merge.strategy(None),
    };
    let pushed = pushed(shop, merge, &target, landing.as_ref())?;
    let place = match landing {
        Some((intent, Left::NotThere)) => Place::Landed(Traced::Gone(intent)),
        Some((intent, Left::Nothing)) => Place::Landed(Traced::Undone(intent)),
        Some((intent, Left::Clean(_))) => Place::Landed(Traced::There(intent)),
        Some((Intent { from, to, .. }, Left::Conflicts(files))) => {
            Place::BuiltOn { commit: to, from, files: files.into_iter().map(|file| file.path).collect() }
        }
        None if ticket.state == State::Done => Place::Landed(Traced::Nothing),
        None => Place::NotLanded,
    };
    let pull = ticket.pull_request.as_deref();
    Ok(rollback::plan(&Facts {
        number: ticket.number,
        files,
        target: &target,
        strategy,
        place,
        pushed,
        merged_as: pull.and_then(|pull| pull.seen.merge_commit.as_deref()),
        taken_back_by: subject.taken_back_by,
    }))
}

/// Looks up whether the remote branch that the target follows has the landing, as far as it was heard of here, or will have it.
fn pushed(
    shop: &Workshop,
    merge: &MergeConfig,
    target: &str,
    landing: Option<&(Intent, Left)>,
) -> Result<Option<Pushed>, EngineError> {
    let Some(Upstream { remote, branch }) = upstream(&shop.repo, target) else { return Ok(None) };
    let is_there = match landing {
        Some((landing, Left::Clean(_) | Left::Conflicts(_))) => {
            match shop.repo.commit_of(&format!("{remote}/{branch}")) {
                Ok(tip) => is_ancestor(&shop.repo, &landing.to, &tip)?,
                // Nobody fetched it or pushed to it here.
                Err(_) => false,
            }
        }
        Some((_, Left::Nothing | Left::NotThere)) => false,
        None => merge.push_after_merge,
    };
    let again = if merge.push_after_merge { Again::Landing } else { Again::Person };
    Ok(is_there.then_some(Pushed { remote, branch, again }))
}
