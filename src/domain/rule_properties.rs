//! Laws that hold on every walk of commands and facts, whatever their order, the clock's whims included.

use proptest::prelude::*;

use super::autonomy::SERVICE;
use super::board::Board;
use super::change::Save;
use super::command::{Command, NewTicket, Place, RefusalCode};
use super::dependencies::{Readiness, find_cycle};
use super::event::{Actor, EventKind};
use super::fact::Fact;
use super::id::{JobId, TicketId, TicketRef};
use super::job::{Job, JobKind, JobStatus};
use super::landing::Landing;
use super::pick::{holds_slot, pick};
use super::pull_request::Remarks;
use super::review::{REVISIONS_MAX, Verdict};
use super::revision::{Revision, RevisionStatus};
use super::rule::{Landed, What, decide};
use super::rule_walk::{Moment, act, apply, edges, file, filing, walk};
use super::sample;
use super::state::{NeedsHuman, State, StateName, may_move};
use super::ticket::{Ticket, Title};

/// Shows each save with the board as it is just before that save.
pub(super) fn each_save(moment: &Moment<'_>, mut check: impl FnMut(&Board, &Save)) {
    let Ok(steps) = moment.result else { return };
    let mut board = moment.before.clone();
    for save in &steps.saves {
        check(&board, save);
        apply(&mut board, save);
    }
    assert_eq!(&board, moment.after);
}

/// Returns the state of a ticket, on the board or removed.
fn state_of(board: &Board, id: TicketId) -> Option<StateName> {
    let ticket = board.ticket(id).or_else(|| board.find_removed(TicketRef::Id(id)));
    ticket.map(|ticket| ticket.state.name())
}

proptest! {
    #[test]
    fn a_ticket_moves_only_along_the_table(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            for ticket in moment.after.tickets() {
                match moment.before.ticket(ticket.id) {
                    Some(was) if was.state.name() != ticket.state.name() => {
                        assert!(may_move(was.state.name(), ticket.state.name()), "{:?} → {:?}", was.state, ticket.state);
                    }
                    // What a person is needed for changes as they review, and what changed under its checks is checked by
                    // another job; no other state changes within itself.
                    Some(was) if matches!(was.state.name(), StateName::NeedsHuman | StateName::Verifying) => {}
                    Some(was) => assert_eq!(was.state, ticket.state, "a state never changes within itself"),
                    None => {
                        let removed = moment.before.find_removed(TicketRef::Id(ticket.id));
                        let was = removed.map_or(State::Proposed, |removed| removed.state);
                        assert!(was == ticket.state || (removed.is_none() && ticket.state == State::Planned));
                    }
                }
            }
        });
    }

    #[test]
    fn a_job_says_how_often_the_checks_sent_the_change_back(plan in prop::collection::vec(act(), 1..60)) {
        walk(&plan, |moment| {
            each_save(moment, |board, save| {
                let Save::Job { job, was: None } = save else { return };
                let before = board.newest_job(job.ticket).and_then(|before| Some((before.kind, before.rework?)));
                match (job.kind, job.rework) {
                    (_, None | Some(0)) => {}
                    (JobKind::Execute, Some(times)) => assert_eq!(before, Some((JobKind::Verify, times - 1))),
                    (JobKind::Verify, Some(times)) => {
                        assert!([(JobKind::Execute, times), (JobKind::Verify, times)].map(Some).contains(&before));
                    }
                    (kind, Some(_)) => panic!("{kind} is no part of that"),
                }
            });
        });
    }

    #[test]
    fn every_save_names_what_is_there_before_it(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            each_save(moment, |board, save| {
                match save {
                    Save::NewTicket { ticket, .. } => {
                        assert_eq!(board.ticket(ticket.id), None);
                        assert_eq!(board.next_number(), ticket.number);
                    }
                    Save::Ticket { ticket, was } => {
                        assert_eq!(state_of(board, ticket.id), Some(*was));
                        // What a host says again is no change of the ticket.
                        let removed = || board.find_removed(TicketRef::Id(ticket.id));
                        let known = board.ticket(ticket.id).or_else(removed).unwrap();
                        let pull_request = known.pull_request.clone();
                        let is_only_seen = Ticket { pull_request, ..ticket.clone() } == *known;
                        assert!(ticket.updated_at == moment.input.at || is_only_seen, "{ticket:?}");
                    }
                    Save::Job { job, was } => assert_eq!(board.job(job.id).map(|job| job.status), *was),
                    Save::Revision(revision) => assert!(board.ticket(revision.ticket).is_some()),
                    Save::Description { ticket, .. } | Save::Remarks(Remarks { ticket, .. }) => {
                        assert!(board.ticket(*ticket).is_some());
                    }
                    Save::Comment(comment) => {
                        assert!(board.revision(comment.ticket).is_some_and(|newest| newest.number >= comment.revision));
                    }
                    Save::Review(review) => {
                        let newest = board.revision(review.ticket).unwrap();
                        assert_eq!((newest.number, newest.status), (review.revision, RevisionStatus::Open));
                    }
                    Save::Ticks(revision) => {
                        let newest = board.revision(revision.ticket).unwrap();
                        assert_eq!(&Revision { ticks: newest.ticks.clone(), ..revision.clone() }, newest);
                        assert!(revision.ticks.is_sorted_by(|one, next| one.item < next.item), "{:?}", revision.ticks);
                    }
                    Save::Goal(_) | Save::Run(_) | Save::Evidence(_) | Save::Event(_) | Save::Autopilot(..) => {}
                }
            });
        });
    }

    #[test]
    fn a_ticket_has_at_most_one_active_job_and_its_state_says_which(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            each_save(moment, |board, save| {
                if let Save::Job { job, was: None } = save {
                    assert_eq!(board.active_job(job.ticket), None, "a second job for {:?}", job.ticket);
                }
            });
            for ticket in moment.after.tickets() {
                let active = moment.after.active_job(ticket.id);
                let found = active.map(|job| (job.kind, job.status));
                match ticket.state {
                    State::Executing { job } => {
                        assert_eq!(active.map(|job| job.id), Some(job));
                        let works = matches!(found, Some((JobKind::Execute, _) | (JobKind::Resume, JobStatus::Running)));
                        assert!(works, "{found:?}");
                    }
                    State::Verifying { job } => {
                        assert_eq!(active.map(|job| job.id), Some(job));
                        assert!(matches!(found, Some((JobKind::Verify, _))));
                    }
                    State::Proposed | State::Abandoned => assert_eq!(found, None),
                    State::Planned | State::Done => {
                        assert!(matches!(found, None | Some((JobKind::Execute, JobStatus::Queued))), "{found:?}");
                    }
                    State::Blocked { .. } => {
                        let may_be = matches!(found, None | Some((JobKind::Execute | JobKind::Resume, JobStatus::Queued)));
                        assert!(may_be, "{found:?}");
                    }
                    State::NeedsHuman { .. } => {
                        let may_be = matches!(
                            found,
                            None | Some(
                                (JobKind::Execute, JobStatus::Queued)
                                    | (JobKind::Resume | JobKind::Land | JobKind::PullRequest, _)
                            )
                        );
                        assert!(may_be, "{found:?}");
                    }
                }
            }
        });
    }

    #[test]
    fn a_job_that_was_saved_is_the_newest_whatever_the_clock_says(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            let Ok(steps) = moment.result else { return };
            let last = steps.saves.iter().rev().find_map(|save| match save {
                Save::Job { job, .. } => Some(job),
                Save::Goal(_)
                | Save::NewTicket { .. }
                | Save::Ticket { .. }
                | Save::Description { .. }
                | Save::Run(_)
                | Save::Evidence(_)
                | Save::Revision(_)
                | Save::Ticks(_)
                | Save::Comment(_)
                | Save::Review(_)
                | Save::Remarks(_)
                | Save::Event(_)
                | Save::Autopilot(..) => None,
            });
            if let Some(job) = last {
                assert_eq!(moment.after.newest_job(job.ticket), Some(job));
            }
        });
    }

    #[test]
    fn an_agent_is_queued_only_for_a_ticket_that_waits_for_nothing(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            each_save(moment, |board, save| {
                if let Save::Job { job, was: None } = save
                    && job.kind == JobKind::Execute
                {
                    let ticket = board.ticket(job.ticket).unwrap();
                    assert_eq!(board.readiness(ticket), Readiness::Ready);
                }
            });
        });
    }

    #[test]
    fn the_history_tells_every_move_once_and_nothing_else(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            let mut told: Vec<(_, StateName, StateName)> = Vec::new();
            each_save(moment, |board, save| {
                let Save::Event(event) = save else { return };
                assert!(event.actor == moment.input.actor || event.actor == Actor::system(SERVICE));
                match (event.kind, event.from, event.to) {
                    (EventKind::Created, None, Some(to)) => assert_eq!(state_of(board, event.ticket), Some(to)),
                    // A ticket of the planner may start at once.
                    (EventKind::Transitioned, Some(_), Some(_)) if moment.before.ticket(event.ticket).is_none() => {}
                    (EventKind::Transitioned, Some(from), Some(to)) => told.push((event.ticket, from, to)),
                    (_, from, to) => {
                        let state = state_of(board, event.ticket);
                        assert_eq!((from, to), (state, state), "{:?} moves nothing", event.kind);
                    }
                }
            });
            let moved: Vec<_> = moment.before.tickets()
                .filter_map(|was| moment.after.ticket(was.id).map(|is| (was.id, was.state.name(), is.state.name())))
                .filter(|(_, from, to)| from != to)
                .collect();
            told.sort_by_key(|(ticket, ..)| moment.after.ticket(*ticket).map(|ticket| ticket.number));
            assert_eq!(told, moved);
        });
    }

    #[test]
    fn a_refusal_says_why_and_what_is_possible_instead(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| match moment.result {
            Ok(_) => {}
            Err(refused) => {
                assert_eq!(moment.before, moment.after);
                assert!(!refused.message.is_empty() && !refused.hint.is_empty());
                let from_fact = matches!(moment.input.what, What::Fact(_));
                assert!(!from_fact || refused.code == RefusalCode::Idle, "a fact can only come too late: {refused:?}");
            }
        });
    }

    #[test]
    fn applying_changes_twice_or_late_is_harmless(plan in prop::collection::vec(act(), 1..40)) {
        let mut replica: Option<Board> = None;
        walk(&plan, |moment| {
            let replica = replica.get_or_insert_with(|| moment.before.clone());
            let Ok(steps) = moment.result else { return };
            for _ in 0..2 {
                steps.saves.iter().for_each(|save| apply(replica, save));
            }
            assert_eq!(&*replica, moment.after);
        });
    }

    #[test]
    fn only_a_running_job_is_stopped_and_the_wish_is_saved_first(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            for stop in moment.result.iter().flat_map(|steps| &steps.stops) {
                let job = moment.after.job(*stop).unwrap();
                assert_eq!((job.status, job.cancel_requested), (JobStatus::Running, true));
            }
        });
    }

    #[test]
    fn a_job_that_somebody_stops_never_leads_to_more_work(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            let What::Fact(fact) = &moment.input.what else { return };
            let Some(job) = fact.job().and_then(|job| moment.before.job(job)).filter(|job| job.cancel_requested) else { return };
            if moment.result.is_ok() {
                let ticket = moment.after.ticket(job.ticket).unwrap();
                let going_on = moment.after.job(job.id).is_some_and(|job| job.status == JobStatus::Running);
                // A person's edits that were not taken over after all leave the ticket with the person.
                // So does what was to land, or was looked at ahead.
                let with_person = matches!(job.kind, JobKind::Resume | JobKind::Land)
                    && matches!(ticket.state, State::NeedsHuman { .. } | State::Done);
                assert!(going_on || with_person || matches!(ticket.state, State::Blocked { .. }), "{:?}", ticket.state);
            }
        });
    }

    #[test]
    fn a_change_that_did_not_land_is_never_done(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            for ticket in moment.after.tickets().filter(|ticket| ticket.state == State::Done) {
                let was_done = moment.before.ticket(ticket.id).is_some_and(|was| was.state == State::Done);
                let has_change = ticket.worktree.is_some() && moment.after.revision(ticket.id).is_some();
                let by_landing = matches!(
                    &moment.input.what,
                    What::Fact(Fact::Landed { outcome: Landing::Landed { .. } | Landing::Already { .. }, .. })
                );
                assert!(was_done || !has_change || by_landing || moment.input.known.landed == Landed::Yes);
            }
        });
    }

    #[test]
    fn a_ticket_is_put_right_beside_the_other_and_nothing_else_changes_its_order(
        plan in prop::collection::vec(act(), 1..40),
    ) {
        walk(&plan, |moment| {
            let What::Command(Command::Place { ticket, place }) = &moment.input.what else { return };
            if moment.result.is_err() {
                return;
            }
            let moved = moment.before.find(*ticket).unwrap();
            let column = |board: &Board| -> Vec<TicketId> {
                board.column(moved.state.name()).iter().map(|ticket| ticket.id).collect()
            };
            let (before, after) = (column(moment.before), column(moment.after));
            let without = |column: &[TicketId]| -> Vec<TicketId> {
                column.iter().copied().filter(|id| *id != moved.id).collect()
            };
            assert_eq!(without(&before), without(&after));
            let at = |name| after.iter().position(|id| Some(*id) == moment.after.find(name).map(|it| it.id)).unwrap();
            match *place {
                Place::Above(other) if other == *ticket => {}
                Place::Below(other) if other == *ticket => {}
                Place::Above(other) => assert_eq!(at(*ticket) + 1, at(other)),
                Place::Below(other) => assert_eq!(at(other) + 1, at(*ticket)),
            }
        });
    }

    #[test]
    fn a_removed_ticket_has_no_job_and_its_number_is_never_given_again(plan in prop::collection::vec(act(), 1..40)) {
        let mut highest = 0;
        walk(&plan, |moment| {
            for removed in moment.after.removed() {
                assert_eq!(moment.after.active_job(removed.id), None);
                assert_eq!(moment.after.ticket(removed.id), None);
                highest = highest.max(removed.number.0);
            }
            assert!(moment.after.next_number().0 > highest);
        });
    }

    #[test]
    fn whoever_waits_never_waits_in_a_circle(plan in prop::collection::vec(act(), 1..40)) {
        walk(&plan, |moment| {
            let on_board = moment.after.tickets().map(|ticket| (ticket.id, ticket.blocked_by.clone()));
            let removed = moment.after.removed().map(|ticket| (ticket.id, ticket.blocked_by.clone()));
            assert_eq!(find_cycle(&on_board.chain(removed).collect()), None);
        });
    }

    #[test]
    fn no_more_jobs_are_picked_than_there_are_slots(
        plan in prop::collection::vec(act(), 1..40),
        slots in 0_usize..5,
    ) {
        walk(&plan, |moment| {
            let board = moment.after;
            let picked = pick(board, slots);
            let running = board.active_jobs().filter(|job| holds_slot(job)).count();
            assert!(picked.is_empty() || picked.len() + running <= slots);
            let mut tickets = Vec::new();
            for id in &picked {
                let job = board.job(*id).unwrap();
                assert_eq!(job.status, JobStatus::Queued);
                assert!(!tickets.contains(&job.ticket), "{:?} is picked twice", job.ticket);
                tickets.push(job.ticket);
                let ready = board.ticket(job.ticket).map(|ticket| board.readiness(ticket));
                assert!(job.kind != JobKind::Execute || ready == Some(Readiness::Ready));
            }
            assert_eq!(picked, pick(board, slots), "the same board, the same choice");
        });
    }

    #[test]
    fn only_an_approved_change_lands_and_one_at_a_time(plan in prop::collection::vec(act(), 1..60), slots in 1_usize..5) {
        walk(&plan, |moment| {
            each_save(moment, |board, save| {
                if let Save::Job { job, .. } = save
                    && job.lands()
                    && job.status.is_active()
                {
                    let newest = board.revision(job.ticket).unwrap();
                    assert_eq!(newest.status, RevisionStatus::Approved);
                }
            });
            let board = moment.after;
            let lands = |id: &JobId| board.job(*id).is_some_and(|job| job.lands());
            let running = |job: &&Job| job.lands() && job.status == JobStatus::Running;
            let at_work = board.active_jobs().filter(running).count();
            let next = pick(board, slots).into_iter().filter(lands).count();
            assert!(next == 0 || at_work + next == 1, "{at_work} and {next}");
        });
    }

    #[test]
    fn a_look_ahead_moves_no_ticket(plan in prop::collection::vec(act(), 1..60)) {
        walk(&plan, |moment| {
            let What::Fact(fact) = &moment.input.what else { return };
            let job = fact.job().and_then(|job| moment.before.job(job)).filter(|job| job.recheck);
            let has_landed = matches!(fact, Fact::Landed { outcome: Landing::Landed { .. }, .. });
            if let Some(job) = job.filter(|_| !has_landed) {
                let state = |board: &Board| board.ticket(job.ticket).map(|ticket| ticket.state);
                assert_eq!(state(moment.before), state(moment.after));
            }
        });
    }

    #[test]
    fn a_change_is_approved_only_with_everything_resolved_or_on_purpose(plan in prop::collection::vec(act(), 1..60)) {
        walk(&plan, |moment| {
            let What::Command(Command::Review { ticket, review }) = &moment.input.what else { return };
            if moment.result.is_err() {
                return;
            }
            let ticket = moment.after.find(*ticket).unwrap();
            let status = moment.after.revision(ticket.id).unwrap().status;
            match review.verdict {
                Verdict::Approve => {
                    assert_eq!(status, RevisionStatus::Approved);
                    assert!(review.anyway || moment.after.open_comments(ticket.id).next().is_none());
                    assert_eq!(ticket.state, State::NeedsHuman { why: NeedsHuman::Approved });
                }
                Verdict::RequestChanges => {
                    assert_eq!(status, RevisionStatus::ChangesRequested);
                    let job = moment.after.active_job(ticket.id);
                    let few = moment.after.revision(ticket.id).unwrap().number < REVISIONS_MAX;
                    assert_eq!(job.is_some(), review.run && few);
                }
            }
        });
    }

    #[test]
    fn circles_are_refused_by_name_and_nothing_else_is(tickets in prop::collection::vec(filing(), 1..8)) {
        let (before, result) = file(&tickets);
        let edges = edges(&tickets);
        match result {
            Ok(after) => {
                prop_assert!(!has_circle(tickets.len(), &edges), "{edges:?}");
                prop_assert_eq!(after.len(), before.len() + tickets.len());
                let graph = after.tickets().map(|ticket| (ticket.id, ticket.blocked_by.clone())).collect();
                prop_assert_eq!(find_cycle(&graph), None);
            }
            Err(refused) => {
                prop_assert_eq!(refused.code, RefusalCode::Cycle);
                let (_, names) = refused.message.split_once(": ").unwrap();
                let circle: Vec<u32> =
                    names.split(" → ").map(|name| name.trim_start_matches('#').parse().unwrap()).collect();
                prop_assert_eq!(circle.first(), circle.last());
                prop_assert!(circle.len() > 1);
                for pair in circle.windows(2) {
                    prop_assert!(edges.contains(&(pair[0], pair[1])), "{} does not wait for {}", pair[0], pair[1]);
                }
            }
        }
    }
}

#[test]
fn two_tickets_of_one_call_cannot_have_one_identity() {
    let one = NewTicket {
        id: sample::id(7),
        title: Title::new("a ticket").unwrap(),
        description: String::new(),
        priority: None,
        goal: None,
        after: Vec::new(),
        accepted: true,
        agent: None,
        model: None,
        verify: Vec::new(),
        base_branch: None,
    };
    let input = sample::input(What::Command(Command::AddTickets(vec![one.clone(), one])));
    assert_eq!(decide(&sample::board(), &input).unwrap_err().code, RefusalCode::BadValue);
}

/// Says whether there is a circle, by taking away what waits for nothing until nothing more goes.
fn has_circle(count: usize, edges: &[(u32, u32)]) -> bool {
    let mut left: Vec<u32> = (1..=u32::try_from(count).unwrap()).collect();
    loop {
        let stays = |one: &u32| edges.iter().any(|(from, to)| from == one && left.contains(to));
        let next: Vec<u32> = left.iter().copied().filter(stays).collect();
        if next.len() == left.len() {
            return !left.is_empty();
        }
        left = next;
    }
}
