//! What dealing with a conflict leads to: a merge in the worktree that a person resolves, its end, or work for the agent.

use serde_json::json;

use super::change::{Merging, Save};
use super::command::{AgentChoice, RefusalCode, Refused};
use super::event::EventKind;
use super::id::{TicketId, TicketRef};
use super::outcome::first_and_count;
use super::outlook::{ConflictFile, feedback};
use super::resolve::{Deed, Resolving};
use super::review::REVISIONS_MAX;
use super::rule::Decision;
use super::rule_again::with_worktree;
use super::rule_commands::run;
use super::state::State;
use super::ticket::{Message, Ticket};

/// Does what somebody wants done about a ticket's conflict.
pub(super) fn deal(decision: &mut Decision<'_>, name: TicketRef, deed: &Deed) -> Result<(), Refused> {
    let ticket = with_worktree(decision, name)?;
    match ticket.state {
        State::NeedsHuman { .. } | State::Blocked { .. } => {}
        State::Proposed
        | State::Planned
        | State::Executing { .. }
        | State::Verifying { .. }
        | State::Done
        | State::Abandoned => {
            let message = format!("{} is {}", ticket.number, ticket.state.name());
            let hint = "Only the conflict of a ticket that needs you or is blocked can be dealt with.";
            return Err(Refused::new(RefusalCode::IllegalMove, message, hint));
        }
    }
    match deed {
        Deed::Start => decision.merge(ticket.id, Merging::Begin),
        Deed::Abort => decision.merge(ticket.id, Merging::GiveUp),
        Deed::Send { target, files } => return send(decision, ticket, target, files),
    }
    Ok(())
}

/// Lets the ticket's agent work on a conflict, as often as reviews may send a change back.
fn send(decision: &mut Decision<'_>, ticket: &Ticket, target: &str, files: &[ConflictFile]) -> Result<(), Refused> {
    let number = ticket.number;
    let refuse = |code, message: String, hint: String| Err(Refused::new(code, message, hint));
    let Some(revision) = decision.board.revision(ticket.id) else {
        let hint = "A run that leaves a change makes one.".to_owned();
        return refuse(RefusalCode::UnknownRevision, format!("{number} has no change yet"), hint);
    };
    if files.is_empty() {
        let hint = "`draft conflicts` lists the changes that do.".to_owned();
        return refuse(RefusalCode::BadValue, format!("{number} does not conflict with {target}"), hint);
    }
    if revision.number >= REVISIONS_MAX {
        let message =
            format!("{number} has had {REVISIONS_MAX} revisions, so its agent is not started by itself any more");
        let hint = format!("Resolve it in its worktree (`draft conflict {} start`), or `draft run` it.", number.0);
        return refuse(RefusalCode::Limit, message, hint);
    }
    let mut text = feedback(target, files);
    if let Some(waiting) = ticket.message.as_ref().filter(|message| message.is_due(decision.input.at)) {
        text.push_str(&format!("\n{}\n", waiting.text));
    }
    let was = ticket.state.name();
    let at = decision.input.at;
    let ticket = Ticket { message: Some(Message { text, at }), updated_at: at, ..ticket.clone() };
    decision.save(Save::Ticket { ticket: ticket.clone(), was });
    let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    let named = first_and_count(&paths).unwrap_or_default();
    run(
        decision,
        &ticket,
        &format!("its agent is to resolve its conflict with {target}: {named}"),
        &AgentChoice::default(),
    )
}

/// Takes in what came of a merge in a worktree, or of giving it up.
pub(super) fn learn(decision: &mut Decision<'_>, id: TicketId, what: &Resolving) -> Result<(), Refused> {
    let mut ticket = decision.find(TicketRef::Id(id))?.clone();
    let (reason, payload) = match what {
        Resolving::Begun { target, files } if files.is_empty() => {
            let reason = format!("{target} was merged into its worktree without a conflict");
            (reason, json!({ "action": "conflict_started", "target": target, "files": files }))
        }
        Resolving::Begun { target, files } => {
            let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
            let named = first_and_count(&paths).unwrap_or_default();
            let reason = format!("{target} was merged into its worktree; to be resolved: {named}");
            (reason, json!({ "action": "conflict_started", "target": target, "files": files }))
        }
        Resolving::Aborted { kept } => {
            let kept_at = kept.as_ref().map(|kept| format!("; what was there is kept as {kept}")).unwrap_or_default();
            let reason = format!("the merge in its worktree was given up{kept_at}");
            (reason, json!({ "action": "conflict_aborted", "reference": kept }))
        }
        Resolving::Refused { reason } => (reason.clone(), json!({ "action": "conflict_refused" })),
    };
    decision.note(&ticket, EventKind::Comment, &reason, payload);
    ticket.updated_at = decision.input.at;
    decision.save(Save::Ticket { was: ticket.state.name(), ticket });
    Ok(())
}
