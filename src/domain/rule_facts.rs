//! What the facts about jobs lead to: a row for each outcome, each in one place.

use serde_json::json;

use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::dependencies::Readiness;
use super::event::EventKind;
use super::fact::Fact;
use super::id::{JobId, TicketId, TicketRef};
use super::job::{Job, JobKind, JobStatus};
use super::outcome::{Executed, Resumed, Verified, first_and_count, first_line};
use super::outlook::ConflictFile;
use super::revision::{Revision, RevisionStatus};
use super::rule::{Decision, Limit, about_job};
use super::rule_again::{check_again, hand_message};
use super::rule_autonomy;
use super::rule_cleanup::output_cleaned;
use super::rule_conflict;
use super::rule_end::{broke_off, end, finish, given_back, stopped, until_then};
use super::rule_land::landed;
use super::rule_pull::{dealt, seen, unseen};
use super::run::RunEnd;
use super::state::{Blocked, NeedsHuman, State, StateName};
use super::ticket::{Ticket, Usage};

/// How many files of a conflict a reason names.
const FILES_NAMED: usize = 5;
/// What a reason says after the check that failed, when its change goes back.
const SENT_BACK: &str = "; it goes back to its agent";

/// Takes in what was learned.
pub(super) fn learn(decision: &mut Decision<'_>, fact: &Fact) -> Result<(), Refused> {
    let (id, status, kind) = match fact {
        Fact::Taken { job } | Fact::Held { job, .. } => (*job, JobStatus::Queued, None),
        Fact::Resumed { job, .. } => (*job, JobStatus::Running, Some(JobKind::Resume)),
        Fact::AgentChosen { job, .. }
        | Fact::SessionTold { job, .. }
        | Fact::TryAgain { job, .. }
        | Fact::Executed { job, .. } => (*job, JobStatus::Running, Some(JobKind::Execute)),
        Fact::Counted { job, .. } | Fact::Verified { job, .. } => (*job, JobStatus::Running, Some(JobKind::Verify)),
        Fact::Intends { job, .. } | Fact::Landed { job, .. } => (*job, JobStatus::Running, Some(JobKind::Land)),
        Fact::Dealt { job, .. } => (*job, JobStatus::Running, Some(JobKind::PullRequest)),
        Fact::HostSeen { ticket, began, seen: said, remarks } => return seen(decision, *ticket, *began, said, remarks),
        Fact::HostUnseen { ticket, reason } => {
            unseen(decision, *ticket, reason);
            return Ok(());
        }
        Fact::WorktreeMade { job, .. }
        | Fact::Stopped { job, .. }
        | Fact::Lost { job, .. }
        | Fact::Broke { job, .. } => (*job, JobStatus::Running, None),
        Fact::Examined { ticket, examined } => return rule_autonomy::examined(decision, *ticket, examined),
        Fact::PassedOver { ticket, reason } => return pass_over(decision, *ticket, reason),
        Fact::Resolving { ticket, what } => return rule_conflict::learn(decision, *ticket, what),
        Fact::OutputCleaned { ticket, runs, bytes } => return output_cleaned(decision, *ticket, *runs, *bytes),
        Fact::WorktreeRemoved { ticket, .. }
        | Fact::WorktreeStays { ticket, .. }
        | Fact::WorktreeRestored { ticket, .. } => return learn_of_worktree(decision, *ticket, fact),
    };
    let (job, ticket) = expect(decision, id, status, kind)?;
    learn_of_job(decision, job, ticket, fact)
}

/// Takes in what was learned about a worktree outside any job.
fn learn_of_worktree(decision: &mut Decision<'_>, id: TicketId, fact: &Fact) -> Result<(), Refused> {
    // Also of a ticket that was removed: its worktree goes after it.
    let removed = decision.board.find_removed(TicketRef::Id(id));
    let mut ticket = removed.map_or_else(|| decision.find(TicketRef::Id(id)), Ok)?.clone();
    let was = ticket.state.name();
    let (kind, reason, payload, worktree) = match fact {
        Fact::WorktreeStays { reason, .. } => {
            decision.note(&ticket, EventKind::WorktreeCleanupFailed, reason, json!({}));
            return Ok(());
        }
        Fact::WorktreeRestored { worktree, reference, .. } => {
            let reason = format!("its worktree came back from {reference}");
            (EventKind::WorktreeRestored, reason, json!({ "reference": reference }), Some(worktree.clone()))
        }
        Fact::WorktreeRemoved { reference, why, kept_branch, .. } => {
            let because = if why.is_empty() { String::new() } else { format!(", since {why}") };
            let mut reason = match reference {
                Some(reference) => {
                    format!("its worktree was removed{because}; `draft restore {reference}` brings it back")
                }
                None => "its worktree was gone already".to_owned(),
            };
            if let Some(branch) = kept_branch {
                reason.push_str(&format!("; its branch {branch} stays"));
            }
            let payload = json!({ "reference": reference, "why": why, "kept_branch": kept_branch });
            (EventKind::WorktreeCleaned, reason, payload, None)
        }
        Fact::Taken { .. }
        | Fact::Examined { .. }
        | Fact::OutputCleaned { .. }
        | Fact::PassedOver { .. }
        | Fact::Resolving { .. }
        | Fact::Held { .. }
        | Fact::TryAgain { .. }
        | Fact::Resumed { .. }
        | Fact::Counted { .. }
        | Fact::WorktreeMade { .. }
        | Fact::AgentChosen { .. }
        | Fact::SessionTold { .. }
        | Fact::Executed { .. }
        | Fact::Verified { .. }
        | Fact::Intends { .. }
        | Fact::Landed { .. }
        | Fact::Dealt { .. }
        | Fact::HostSeen { .. }
        | Fact::HostUnseen { .. }
        | Fact::Stopped { .. }
        | Fact::Lost { .. }
        | Fact::Broke { .. } => return Ok(()),
    };
    ticket.worktree = worktree;
    ticket.updated_at = decision.input.at;
    decision.note(&ticket, kind, &reason, payload);
    decision.save(Save::Ticket { ticket, was });
    Ok(())
}

fn learn_of_job(decision: &mut Decision<'_>, job: Job, ticket: Ticket, fact: &Fact) -> Result<(), Refused> {
    let running = Some(JobStatus::Running);
    let ticket = given_back(decision, &job, ticket, fact);
    match fact {
        Fact::Taken { .. } => taken(decision, job, ticket),
        Fact::Held { reason, .. } => {
            decision.save(Save::Job { job: Job { reason: reason.clone(), ..job }, was: Some(JobStatus::Queued) });
            Ok(())
        }
        Fact::TryAgain { attempt, reason, usage, .. } => {
            decision.note(&ticket, EventKind::Comment, reason, about_job(job.id));
            let job = Job { attempt: *attempt, reason: reason.clone(), usage: *usage, ..job };
            decision.save(Save::Job { job, was: running });
            Ok(())
        }
        Fact::Counted { checks, .. } => {
            let job = Job { steps: Some(*checks), ..job };
            decision.save(Save::Job { job, was: running });
            Ok(())
        }
        Fact::WorktreeMade { worktree, .. } => {
            let mut ticket = ticket;
            let was = ticket.state.name();
            ticket.worktree = Some(worktree.clone());
            ticket.updated_at = decision.input.at;
            decision.save(Save::Ticket { ticket, was });
            Ok(())
        }
        Fact::AgentChosen { agent, model, session, .. } => {
            let job = Job { agent: Some(agent.clone()), model: model.clone(), session: session.clone(), ..job };
            decision.save(Save::Job { job, was: running });
            Ok(())
        }
        Fact::SessionTold { session, .. } => {
            decision.save(Save::Job { job: Job { session: Some(session.clone()), ..job }, was: running });
            Ok(())
        }
        Fact::Executed { outcome, end, usage, session, outside, .. } => {
            let mut job = job;
            if let Some(files) = first_and_count(outside) {
                let reason = format!("its agent wrote outside its worktree: {files}");
                decision.note(&ticket, EventKind::Comment, &reason, about_job(job.id));
            }
            job.session = session.clone().or(job.session);
            job.exit_code = end.as_ref().and_then(RunEnd::code);
            job.signal = end.as_ref().and_then(RunEnd::signal);
            if job.cancel_requested {
                // What it left was kept before anybody heard of the wish, and what is kept is known.
                if let Executed::Changed { revision } = outcome {
                    decision.save(Save::Revision(revision.clone()));
                }
                return stopped(decision, job, ticket, *usage);
            }
            executed(decision, job, ticket, (outcome, outside), *usage)
        }
        Fact::Verified { .. } | Fact::Resumed { .. } if job.cancel_requested => {
            stopped(decision, job, ticket, Usage::default())
        }
        Fact::Intends { intent, .. } => {
            decision.save(Save::Job { job: Job { intent: Some(intent.clone()), ..job }, was: running });
            Ok(())
        }
        // Whoever wanted to stop it comes too late when the target has it.
        Fact::Landed { outcome, .. } => landed(decision, job, ticket, outcome),
        // So with what the host has by now.
        Fact::Dealt { outcome, .. } => dealt(decision, job, ticket, outcome),
        Fact::Verified { outcome, .. } => verified(decision, job, ticket, outcome),
        Fact::Resumed { outcome, .. } => resumed(decision, job, ticket, outcome),
        Fact::Stopped { used, .. } => {
            let usage = until_then(&job, *used);
            stopped(decision, job, ticket, usage)
        }
        Fact::Lost { reason, used, .. } => {
            let usage = until_then(&job, *used);
            broke_off(decision, job, ticket, (JobStatus::Lost, Blocked::Lost), usage, reason)
        }
        Fact::Broke { reason, used, .. } => {
            let usage = until_then(&job, *used);
            broke_off(decision, job, ticket, (JobStatus::Failed, Blocked::Failed), usage, reason)
        }
        Fact::Examined { .. }
        | Fact::PassedOver { .. }
        | Fact::Resolving { .. }
        | Fact::HostSeen { .. }
        | Fact::HostUnseen { .. }
        | Fact::OutputCleaned { .. }
        | Fact::WorktreeRemoved { .. }
        | Fact::WorktreeStays { .. }
        | Fact::WorktreeRestored { .. } => Ok(()),
    }
}

/// Writes down why the autopilot does not run a planned ticket; once for each reason.
fn pass_over(decision: &mut Decision<'_>, id: TicketId, reason: &str) -> Result<(), Refused> {
    let mut ticket = decision.find(TicketRef::Id(id))?.clone();
    let reason = format!("the autopilot cannot run it: {reason}");
    if ticket.state == State::Planned && ticket.reason != reason {
        decision.note(&ticket, EventKind::Comment, &reason, json!({ "action": "skipped" }));
        ticket.reason = reason;
        ticket.updated_at = decision.input.at;
        decision.save(Save::Ticket { ticket, was: StateName::Planned });
    }
    Ok(())
}

/// Returns the job and its ticket, if the job is what the fact takes it for; a fact that comes twice changes nothing.
fn expect(
    decision: &Decision<'_>,
    id: JobId,
    status: JobStatus,
    kind: Option<JobKind>,
) -> Result<(Job, Ticket), Refused> {
    let fits = |job: &&Job| job.status == status && kind.is_none_or(|kind| kind == job.kind);
    let job = decision.board.job(id).filter(fits);
    let found = job.and_then(|job| decision.board.ticket(job.ticket).map(|ticket| (job.clone(), ticket.clone())));
    found.ok_or_else(|| {
        let message = format!("job {id} is not {status} any more");
        Refused::new(RefusalCode::Idle, message, "Its end is in its ticket's history.")
    })
}

fn taken(decision: &mut Decision<'_>, mut job: Job, ticket: Ticket) -> Result<(), Refused> {
    let (id, kind) = (job.id, job.kind);
    job.status = JobStatus::Running;
    job.started_at = Some(decision.input.at);
    job.reason.clear();
    let mut ticket = ticket;
    if kind == JobKind::Execute && ticket.message.is_some() {
        hand_message(decision, &mut ticket, &mut job);
        ticket.updated_at = decision.input.at;
        decision.save(Save::Ticket { was: ticket.state.name(), ticket: ticket.clone() });
    }
    decision.save(Save::Job { job, was: Some(JobStatus::Queued) });
    match (kind, ticket.state) {
        // The checks sent it back, so it is there since they failed.
        (JobKind::Execute, State::Executing { .. }) => Ok(()),
        (JobKind::Execute, _) | (JobKind::Resume, State::Blocked { .. }) => start_executing(decision, id, ticket),
        // The ticket is in `verifying` since its change was kept; landing and resume stay in `needs_human` until they end.
        (JobKind::Verify | JobKind::Resume | JobKind::Land | JobKind::PullRequest, _) => Ok(()),
    }
}

/// A ticket that was done starts anew from its target. What could not be cleaned up stays, and its history says where.
fn start_executing(decision: &mut Decision<'_>, job: JobId, mut ticket: Ticket) -> Result<(), Refused> {
    let mut payload = about_job(job);
    if ticket.state == State::Done
        && let Some(former) = ticket.worktree.take()
    {
        payload["former_worktree"] = json!({ "path": former.path.to_string_lossy(), "branch": former.branch });
    }
    decision.transition(ticket, State::Executing { job }, "", payload)
}

fn executed(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    (outcome, outside): (&Executed, &[String]),
    usage: Usage,
) -> Result<(), Refused> {
    let needs = |why| State::NeedsHuman { why };
    let blocked = State::Blocked { why: Blocked::Failed };
    let (status, state, reason) = match outcome {
        Executed::Changed { revision } => {
            decision.save(Save::Revision(revision.clone()));
            let reason = about_revision(revision);
            return check(decision, job, ticket, usage, &reason);
        }
        Executed::Unchanged { said } => {
            let said = said.as_deref().map(first_line).filter(|said| !said.is_empty());
            let nothing = match first_and_count(outside) {
                Some(files) => format!("the agent changed nothing in its worktree, but wrote {files}"),
                None => "the agent changed nothing".to_owned(),
            };
            let nothing = said.map_or_else(|| nothing.clone(), |said| format!("{nothing}; it says: {said}"));
            // What failed before it was sent back has still failed, and is the reason to look.
            let reason = match ticket.reason.split_once(SENT_BACK) {
                Some((failed, _)) if job.rework.is_some_and(|times| times > 0) => {
                    format!("{failed}; sent back for that, {nothing}")
                }
                Some(_) | None => nothing,
            };
            (JobStatus::Succeeded, blocked, reason)
        }
        Executed::Asked { question } => (JobStatus::Succeeded, needs(NeedsHuman::Question), question.clone()),
        Executed::Refused { reason } => (JobStatus::Succeeded, needs(NeedsHuman::Refused), reason.clone()),
        Executed::HandedOver { reason, prompt_file } => {
            let mut payload = about_job(job.id);
            payload["prompt_file"] = json!(prompt_file.to_string_lossy());
            payload["worktree"] = json!(ticket.worktree.as_ref().map(|worktree| worktree.path.to_string_lossy()));
            payload["executor"] = json!(job.agent);
            decision.note(&ticket, EventKind::Comment, reason, payload);
            (JobStatus::Succeeded, needs(NeedsHuman::Handover), reason.clone())
        }
        Executed::Conflict { branch, files } => {
            let mut payload = about_job(job.id);
            payload["branch"] = json!(branch);
            payload["files"] = json!(files);
            let reason = format!("later changes to {branch} build on it: {}", named(files));
            decision.note(&ticket, EventKind::Comment, &reason, payload);
            (JobStatus::Failed, needs(NeedsHuman::Conflict), reason)
        }
        Executed::Unsafe { reason } => (JobStatus::Failed, State::Blocked { why: Blocked::Refused }, reason.clone()),
        Executed::Failed { reason } => (JobStatus::Failed, blocked, reason.clone()),
    };
    finish(decision, job, ticket, status, usage, state, &reason)
}

/// Names the first files of a conflict, each with its kind, and says how many more there are.
fn named(files: &[ConflictFile]) -> String {
    let first = files.iter().take(FILES_NAMED).map(|file| format!("{} ({})", file.path, file.kind));
    let named = first.collect::<Vec<_>>().join(", ");
    match files.len().checked_sub(FILES_NAMED).filter(|more| *more > 0) {
        Some(more) => format!("{named} and {more} more"),
        None => named,
    }
}

fn verified(decision: &mut Decision<'_>, mut job: Job, ticket: Ticket, outcome: &Verified) -> Result<(), Refused> {
    // Checks again change nothing about what was approved.
    let newest = decision.board.revision(ticket.id).map(|revision| revision.status);
    let approved = newest == Some(RevisionStatus::Approved);
    let why = if approved { NeedsHuman::Approved } else { NeedsHuman::Review };
    let review = State::NeedsHuman { why };
    let (status, state, reason) = match outcome {
        Verified::Passed { checks, examined } => {
            let said = match checks {
                0 => "no checks are configured, so nothing is proven".to_owned(),
                1 => "its check passed".to_owned(),
                more => format!("all {more} checks passed"),
            };
            if let (Some(examined), NeedsHuman::Review) = (examined, why) {
                return rule_autonomy::passed(decision, job, ticket, &said, examined);
            }
            (JobStatus::Succeeded, review, said)
        }
        Verified::Failed { command, end, rework_attempts } => {
            job.exit_code = end.code();
            job.signal = end.signal();
            let reason = format!("`{command}` {end}");
            if let Some(before) = job.rework.filter(|before| *before < *rework_attempts && can_be_reworked(end))
                && decision.board.readiness(&ticket) == Readiness::Ready
            {
                let Some((had, key)) = decision.input.known.limit.map(Limit::told) else {
                    let times = before + 1;
                    let reason = format!("{reason}{SENT_BACK} ({times} of {rework_attempts})");
                    return send_back(decision, job, ticket, times, &reason);
                };
                let reason = format!("{reason}; it does not go back to its agent, which has had {had} (`{key}`)");
                (JobStatus::Failed, State::Blocked { why: Blocked::Failed }, reason)
            } else {
                (JobStatus::Failed, State::Blocked { why: Blocked::Failed }, reason)
            }
        }
        Verified::Overtaken { reason } => {
            check_again(decision, job, ticket, reason);
            return Ok(());
        }
        Verified::Refused { reason } => (JobStatus::Failed, State::Blocked { why: Blocked::Refused }, reason.clone()),
    };
    finish(decision, job, ticket, status, Usage::default(), state, &reason)
}

/// Says whether an agent could do something about a check that ended like this.
fn can_be_reworked(end: &RunEnd) -> bool {
    match end {
        RunEnd::Exited { .. } | RunEnd::Signaled { .. } | RunEnd::TimedOut | RunEnd::Silent | RunEnd::TooMuchOutput => {
            true
        }
        RunEnd::Stopped | RunEnd::NotStarted { .. } | RunEnd::Lost => false,
    }
}

/// Ends a verify job that failed, and lets the ticket's agent work on what failed.
fn send_back(decision: &mut Decision<'_>, job: Job, ticket: Ticket, times: u32, reason: &str) -> Result<(), Refused> {
    let again = Job { rework: Some(times), ..decision.new_job(ticket.id, JobKind::Execute) };
    decision.note(&ticket, EventKind::JobQueued, "its agent is to mend what failed", about_job(again.id));
    let state = State::Executing { job: again.id };
    finish(decision, job, ticket, JobStatus::Failed, Usage::default(), state, reason)?;
    decision.save(Save::Job { job: again, was: None });
    Ok(())
}

/// Ends a job whose change is kept, and lets the checks decide about it.
fn check(decision: &mut Decision<'_>, job: Job, ticket: Ticket, usage: Usage, reason: &str) -> Result<(), Refused> {
    let verify = Job { rework: job.rework, ..decision.new_job(ticket.id, JobKind::Verify) };
    let state = State::Verifying { job: verify.id };
    decision.note(&ticket, EventKind::JobQueued, "the change is to be checked", about_job(verify.id));
    // The finished job is saved before the new one: a ticket has at most one active job.
    finish(decision, job, ticket, JobStatus::Succeeded, usage, state, reason)?;
    decision.save(Save::Job { job: verify, was: None });
    Ok(())
}

fn about_revision(revision: &Revision) -> String {
    let size = revision.size;
    format!("revision {}: +{} −{}", revision.number, size.insertions, size.deletions)
}

fn resumed(decision: &mut Decision<'_>, job: Job, ticket: Ticket, outcome: &Resumed) -> Result<(), Refused> {
    let is_blocked = matches!(ticket.state, State::Executing { .. });
    let none = Usage::default();
    let (status, why, reason) = match outcome {
        Resumed::Edited { revision } => {
            decision.save(Save::Revision(revision.clone()));
            return check(decision, job, ticket, none, &about_revision(revision));
        }
        Resumed::Same { revision } if is_blocked => {
            let reason = format!("nothing was edited since revision {revision}, which is checked again");
            return check(decision, job, ticket, none, &reason);
        }
        Resumed::Same { revision } => {
            let reason = format!("nothing was edited since revision {revision}");
            (JobStatus::Succeeded, Blocked::Failed, reason)
        }
        Resumed::Unchanged => {
            (JobStatus::Succeeded, Blocked::Failed, "nothing is changed in its worktree yet".to_owned())
        }
        Resumed::Unsafe { reason } => (JobStatus::Failed, Blocked::Refused, reason.clone()),
    };
    end(decision, job, ticket, (status, why), none, &reason)
}
