//! Walks of random commands and facts over a board, for the laws in `rule_properties`.

use proptest::prelude::*;
use uuid::Uuid;

use super::autonomy::AutonomyEdit;
use super::autopilot::Autopilot;
use super::board::Board;
use super::change::{Change, Save, Steps};
use super::checklist::{Item, Required, Tests};
use super::command::{AgentChoice, Command, Edit, NewTicket, Place, Refused, Reviewing};
use super::event::{Actor, Event};
use super::fact::Fact;
use super::id::{CommentId, JobId, TicketId, TicketNumber, TicketRef};
use super::job::{Job, JobStatus};
use super::outlook::ConflictFile;
use super::pick::pick;
use super::pull_request::Errand;
use super::resolve::Deed;
use super::review::{NewComment, Side, Spot, Verdict};
use super::rule::{Input, Known, Landed, Limit, Trust, What, decide};
use super::rule_revert::Traced;
use super::state::{StateName, legal_moves};
use super::ticket::{Priority, Title};
use super::time::Timestamp;
use super::{sample, sample_rails};
use learned::{Learned, fact, learned, moved, said, worktree};

mod learned;

/// One thing that happens on a walk. Tickets are meant by their place, counted round, so that most of them exist.
#[derive(Clone, Debug)]
pub(super) struct Act {
    what: Kind,
    /// How far the clock goes on, in milliseconds; it may go back.
    clock: i64,
    trusted: bool,
    landed: bool,
    limited: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    File(Vec<Filing>),
    Move(u8, StateName),
    MoveLegally(u8, u8),
    Run(u8),
    Cancel(u8),
    Verify(u8),
    Resume(u8),
    Tell(u8, bool),
    Pick(u8),
    Autopilot(Autopilot),
    WaitFor(u8, Vec<u8>),
    Urgency(u8, Option<bool>),
    Place(u8, u8, bool),
    Remove(u8),
    Comment(u8, bool),
    Resolve(u8),
    Review(u8, Verdict, bool, bool),
    Land(u8),
    Recheck(u8),
    Conflict(u8, u8),
    Pull(u8, u8),
    HostSays(u8, u8),
    BringBack(u8),
    Revert(u8),
    Take { slots: usize },
    Learn(u8, Learned),
    Allow(AutonomyEdit),
    Examine(u8, u8),
}

/// With few tickets much happens to each.
const TICKETS_MAX: usize = 5;

/// A ticket to be filed: accepted or not, and what it waits for, as places in the same call.
#[derive(Clone, Debug)]
pub(super) struct Filing {
    accepted: bool,
    after: Vec<u8>,
    by_id: bool,
    /// Whether it serves the goal of the walk, if there is one.
    serves: bool,
}

pub(super) fn filing() -> impl Strategy<Value = Filing> {
    (any::<bool>(), prop::collection::vec(any::<u8>(), 0..3), any::<bool>(), any::<bool>())
        .prop_map(|(accepted, after, by_id, serves)| Filing { accepted, after, by_id, serves })
}

fn ready_filing() -> Filing {
    Filing { accepted: true, after: Vec::new(), by_id: false, serves: true }
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let what = prop_oneof![
        2 => prop::collection::vec(filing(), 1..3).prop_map(Kind::File),
        2 => (any::<u8>(), prop::sample::select(StateName::ALL)).prop_map(|(n, to)| Kind::Move(n, to)),
        8 => (any::<u8>(), any::<u8>()).prop_map(|(n, way)| Kind::MoveLegally(n, way)),
        12 => any::<u8>().prop_map(Kind::Run),
        1 => any::<u8>().prop_map(Kind::Cancel),
        2 => any::<u8>().prop_map(Kind::Verify),
        2 => any::<u8>().prop_map(Kind::Resume),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(n, says)| Kind::Tell(n, says)),
        1 => any::<u8>().prop_map(Kind::Pick),
        1 => prop::sample::select(Autopilot::ALL).prop_map(Kind::Autopilot),
        1 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..3)).prop_map(|(n, on)| Kind::WaitFor(n, on)),
        1 => (any::<u8>(), any::<Option<bool>>()).prop_map(|(n, urgent)| Kind::Urgency(n, urgent)),
        2 => (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(n, other, above)| Kind::Place(n, other, above)),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(n, on_newest)| Kind::Comment(n, on_newest)),
        1 => any::<u8>().prop_map(Kind::Resolve),
        6 => (any::<u8>(), prop::sample::select(Verdict::ALL), any::<bool>(), any::<bool>())
            .prop_map(|(n, verdict, run, anyway)| Kind::Review(n, verdict, run, anyway)),
        4 => any::<u8>().prop_map(Kind::Land),
        2 => any::<u8>().prop_map(Kind::Recheck),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(n, how)| Kind::Conflict(n, how)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(n, what)| Kind::Pull(n, what)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(n, how)| Kind::HostSays(n, how)),
        1 => any::<u8>().prop_map(Kind::Remove),
        1 => any::<u8>().prop_map(Kind::BringBack),
        2 => any::<u8>().prop_map(Kind::Revert),
        10 => (1_usize..5).prop_map(|slots| Kind::Take { slots }),
        24 => (any::<u8>(), learned()).prop_map(|(n, learned)| Kind::Learn(n, learned)),
        6 => sample_rails::edit().prop_map(Kind::Allow),
        6 => (any::<u8>(), any::<u8>()).prop_map(|(n, how)| Kind::Examine(n, how)),
    ];
    let clock = prop_oneof![9 => 0_i64..100, 1 => -5_000_i64..0];
    let known = (prop::bool::weighted(0.9), any::<bool>(), prop::bool::weighted(0.05));
    (what, clock, known).prop_map(|(what, clock, (trusted, landed, limited))| Act {
        what,
        clock,
        trusted,
        landed,
        limited,
    })
}

/// One decision of a walk, with the board before and after it.
pub(super) struct Moment<'a> {
    pub(super) before: &'a Board,
    pub(super) input: &'a Input,
    pub(super) result: &'a Result<Steps, Refused>,
    pub(super) after: &'a Board,
}

/// Does one thing after the other and shows each decision to `check`.
pub(super) fn walk(plan: &[Act], mut check: impl FnMut(&Moment<'_>)) {
    let mut board = sample_rails::board();
    let mut clock = 1_000_000_000_i64;
    let mut made = 0_u128;
    // As UUIDs of version 7: the clock first, then what tells apart those of one millisecond.
    let mut fresh = |clock: i64| {
        made += 1;
        Uuid::from_u128((u128::try_from(clock).unwrap() << 80) + made)
    };
    let begin = Act {
        what: Kind::File(vec![ready_filing(), ready_filing()]),
        clock: 0,
        trusted: true,
        landed: false,
        limited: false,
    };
    for act in std::iter::once(&begin).chain(plan) {
        clock += act.clock;
        let wishes = match &act.what {
            Kind::File(_) if board.len() >= TICKETS_MAX => Vec::new(),
            Kind::File(tickets) => {
                let ids = tickets.iter().map(|_| TicketId(fresh(clock))).collect::<Vec<_>>();
                vec![What::Command(filed(&board, tickets, &ids))]
            }
            Kind::Move(n, to) => vec![What::Command(Command::Move { ticket: name(&board, *n), to: *to, reason: None })],
            Kind::MoveLegally(n, way) => move_legally(&board, *n, *way).map(What::Command).into_iter().collect(),
            Kind::Run(n) => {
                vec![What::Command(Command::Run { ticket: name(&board, *n), choice: AgentChoice::default() })]
            }
            Kind::Conflict(n, how) => {
                let file = ConflictFile { path: "src/a.rs".into(), kind: "content".into() };
                let deed = match how % 3 {
                    0 => Deed::Start,
                    1 => Deed::Abort,
                    _ => Deed::Send { target: "main".into(), files: vec![file] },
                };
                vec![What::Command(Command::Conflict { ticket: name(&board, *n), deed })]
            }
            Kind::Cancel(n) => vec![What::Command(Command::Cancel { ticket: name(&board, *n) })],
            Kind::Verify(n) => vec![What::Command(Command::Verify { ticket: name(&board, *n) })],
            Kind::Resume(n) => vec![What::Command(Command::Resume { ticket: name(&board, *n) })],
            Kind::Tell(n, says) => {
                let text = says.then(|| "also this".to_owned());
                vec![What::Command(Command::Tell { ticket: name(&board, *n), text })]
            }
            Kind::Pick(n) => {
                vec![What::Command(Command::Pick { ticket: name(&board, *n), reason: "it is first".into() })]
            }
            Kind::Autopilot(mode) => vec![What::Command(Command::SetAutopilot(*mode))],
            Kind::WaitFor(n, on) => {
                let after = Edit::After(on.iter().map(|n| name(&board, *n)).collect());
                vec![What::Command(Command::Edit { ticket: name(&board, *n), edits: vec![after] })]
            }
            Kind::Urgency(n, urgent) => {
                let priority = urgent.map(|high| Priority::try_from(if high { 90 } else { 10 }).unwrap());
                let edits = vec![Edit::Priority(priority)];
                vec![What::Command(Command::Edit { ticket: name(&board, *n), edits })]
            }
            Kind::Place(n, other, above) => {
                let other = name(&board, *other);
                let place = if *above { Place::Above(other) } else { Place::Below(other) };
                vec![What::Command(Command::Place { ticket: name(&board, *n), place })]
            }
            Kind::Comment(n, on_newest) => {
                let ticket = name(&board, *n);
                let newest = board.find(ticket).and_then(|it| board.revision(it.id)).map_or(1, |newest| newest.number);
                let revision = if *on_newest { newest } else { 1 };
                let comments = vec![comment(CommentId(fresh(clock)))];
                vec![What::Command(Command::Comment { ticket, revision, comments })]
            }
            Kind::Resolve(n) => {
                let ticket = name(&board, *n);
                let comment = board.find(ticket).and_then(|it| board.open_comments(it.id).next()).map(|one| one.id);
                let resolving = |comment| Command::Resolve { ticket, comment, resolved: true };
                comment.map(resolving).map(What::Command).into_iter().collect()
            }
            Kind::Review(n, verdict, run, anyway) => {
                let review = Reviewing {
                    revision: None,
                    verdict: *verdict,
                    summary: if *run { "do this".into() } else { String::new() },
                    comments: if *anyway { vec![comment(CommentId(fresh(clock)))] } else { Vec::new() },
                    run: *run,
                    anyway: *anyway,
                };
                vec![What::Command(Command::Review { ticket: name(&board, *n), review })]
            }
            Kind::Land(n) => {
                // Somebody ticks boxes before, now all of them and now some.
                let ticket = name(&board, *n);
                let is_ticked = |item: Item| act.landed || clock & (1 << item as i64) != 0;
                let boxes = Item::ALL.iter().map(|item| (*item, is_ticked(*item))).collect();
                let wishes =
                    [Command::Tick { ticket, revision: None, boxes }, Command::Land { ticket, strategy: None }];
                wishes.into_iter().map(What::Command).collect()
            }
            Kind::Recheck(n) => vec![What::Command(Command::Recheck { ticket: name(&board, *n) })],
            Kind::Pull(n, what) => {
                let errand = match what % 4 {
                    0 => Errand::Push,
                    1 => Errand::Merge { strategy: None },
                    _ => Errand::Open { title: None, body: None, base: None, draft: false },
                };
                vec![What::Command(Command::PullRequest { ticket: name(&board, *n), errand })]
            }
            Kind::HostSays(n, how) => {
                let ticket = board.find(name(&board, *n)).map(|ticket| ticket.id);
                let seen = |ticket| match how % 5 {
                    0 => Fact::HostUnseen { ticket, reason: "no network".into() },
                    _ => Fact::HostSeen {
                        ticket,
                        began: Timestamp(clock),
                        seen: Box::new(said(*how)),
                        remarks: Vec::new(),
                    },
                };
                ticket.map(seen).map(What::Fact).into_iter().collect()
            }
            Kind::Remove(n) => vec![What::Command(Command::Remove { ticket: name(&board, *n) })],
            Kind::Revert(n) => {
                vec![What::Command(Command::Revert { ticket: name(&board, *n), id: None })]
            }
            Kind::BringBack(n) => vec![What::Command(Command::BringBack { ticket: name(&board, *n) })],
            Kind::Take { slots } => {
                let began = |job| [Fact::Taken { job }, Fact::WorktreeMade { job, worktree: worktree() }];
                pick(&board, *slots).into_iter().flat_map(began).map(What::Fact).collect()
            }
            Kind::Learn(n, learned) => {
                job(&board, *n).map(|job| What::Fact(fact(&board, job, *learned))).into_iter().collect()
            }
            Kind::Allow(edit) => vec![What::Command(sample_rails::allow(*edit))],
            Kind::Examine(n, how) => {
                let ticket = board.find(name(&board, *n));
                let examined = ticket.map(|ticket| (ticket.id, sample_rails::found(&board, ticket.id, *how)));
                let fact = |(ticket, examined)| What::Fact(Fact::Examined { ticket, examined: Box::new(examined) });
                examined.map(fact).into_iter().collect()
            }
        };
        // Half of what is filed comes from the planner.
        let actor = if matches!(act.what, Kind::File(_)) && clock % 2 == 0 { Actor::planner() } else { Actor::human() };
        for what in wishes {
            let input = Input {
                at: Timestamp(clock),
                actor: actor.clone(),
                fresh: JobId(fresh(clock)),
                known: Known {
                    checks: if act.trusted { Trust::Given } else { Trust::Missing },
                    landed: if act.landed { Landed::Yes } else { Landed::No },
                    limit: act.limited.then_some(Limit::Hour(10)),
                    traced: if act.landed { Traced::There(moved("main".to_owned())) } else { Traced::Nothing },
                    checklist: if act.limited { Required::Yes(Tests::Unknown) } else { Required::No },
                },
                what,
            };
            let before = board.clone();
            let result = decide(&board, &input);
            for save in result.iter().flat_map(|steps| &steps.saves) {
                apply(&mut board, save);
            }
            check(&Moment { before: &before, input: &input, result: &result, after: &board });
        }
    }
}

/// Takes a save over as if the store had written it.
pub(super) fn apply(board: &mut Board, save: &Save) {
    board.apply(&match save.clone() {
        Save::Description { .. } | Save::Remarks(_) => return,
        Save::Goal(goal) => Change::Goal(goal),
        Save::NewTicket { ticket, .. } | Save::Ticket { ticket, .. } => Change::Ticket(ticket),
        Save::Job { job, .. } => Change::Job(job),
        Save::Run(run) => Change::Run(run),
        Save::Evidence(evidence) => Change::Evidence(evidence),
        Save::Revision(revision) | Save::Ticks(revision) => Change::Revision(revision),
        Save::Comment(comment) => Change::Comment(comment),
        Save::Review(review) => Change::Review(review),
        Save::Event(event) => Change::Event(Event { seq: 0, event }),
        Save::Autopilot(_, mode) => Change::Autopilot(mode),
    });
}

/// Returns the ticket that a place means; one place in all means none that exists.
fn name(board: &Board, n: u8) -> TicketRef {
    let places = board.next_number().0;
    TicketRef::Number(TicketNumber(1 + u32::from(n) % places))
}

/// Returns one of the moves that the table has for a ticket.
fn move_legally(board: &Board, n: u8, way: u8) -> Option<Command> {
    let ticket = board.find(name(board, n))?;
    let ways: Vec<StateName> = legal_moves(ticket.state.name()).collect();
    let to = ways[usize::from(way) % ways.len()];
    Some(Command::Move { ticket: TicketRef::Id(ticket.id), to, reason: Some("by hand".into()) })
}

fn filed(board: &Board, tickets: &[Filing], ids: &[TicketId]) -> Command {
    let first = board.next_number().0;
    let new = tickets.iter().zip(ids).map(|(filing, id)| NewTicket {
        id: *id,
        title: Title::new("a ticket").unwrap(),
        description: String::new(),
        priority: None,
        goal: board.goals().first().map(|goal| goal.id).filter(|_| filing.serves),
        // On a board with tickets, places reach back to those too, so that chains over several calls come up.
        after: filing.after.iter().map(|n| place(*n, first, tickets.len(), filing.by_id, ids)).collect(),
        accepted: filing.accepted,
        agent: None,
        model: None,
        verify: Vec::new(),
        base_branch: None,
    });
    Command::AddTickets(new.collect())
}

fn place(n: u8, first: u32, count: usize, by_id: bool, ids: &[TicketId]) -> TicketRef {
    let all = first - 1 + u32::try_from(count).unwrap();
    let number = 1 + u32::from(n) % all;
    match number.checked_sub(first) {
        Some(index) if by_id => TicketRef::Id(ids[index as usize]),
        Some(_) | None => TicketRef::Number(TicketNumber(number)),
    }
}

/// Files tickets on an empty board; returns the board before and what came of it.
pub(super) fn file(tickets: &[Filing]) -> (Board, Result<Board, Refused>) {
    let board = sample::board();
    let ids: Vec<TicketId> = (1..=tickets.len()).map(|n| TicketId(Uuid::from_u128(n as u128))).collect();
    let what = What::Command(filed(&board, tickets, &ids));
    let input = sample::input(what);
    let result = decide(&board, &input).map(|steps| {
        let mut after = board.clone();
        steps.saves.iter().for_each(|save| apply(&mut after, save));
        after
    });
    (board, result)
}

/// Returns who waits for whom among tickets that are filed on an empty board, by number.
pub(super) fn edges(tickets: &[Filing]) -> Vec<(u32, u32)> {
    let count = u32::try_from(tickets.len()).unwrap();
    (1..)
        .zip(tickets)
        .flat_map(|(from, one)| one.after.iter().map(move |n| (from, 1 + u32::from(*n) % count)))
        .collect()
}

/// Returns the job that something is learned about, mostly an active one; about one that is over it comes too late.
fn job(board: &Board, n: u8) -> Option<&Job> {
    let active: Vec<&Job> = board.active_jobs().collect();
    match active.len() {
        count if count > 0 && !n.is_multiple_of(8) => Some(active[usize::from(n) % count]),
        _ => board.find(name(board, n)).and_then(|ticket| board.newest_job(ticket.id)),
    }
}

fn comment(id: CommentId) -> NewComment {
    let spot = Spot {
        path: "src/a.rs".into(),
        side: Side::New,
        lines: Some((3, 4)),
        quoted: "let a = 1;".into(),
        hunk: "@@ -1,3 +1,4 @@".into(),
    };
    NewComment { id, spot, body: "why?".into(), reply_to: None }
}

#[test]
fn walks_get_everywhere() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut states, mut ends, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..200 {
        let plan = prop::collection::vec(act(), 60).new_tree(&mut runner).unwrap().current();
        walk(&plan, |moment| {
            states.extend(moment.after.tickets().map(|ticket| ticket.state.name()));
            ends.extend(
                moment.after.tickets().filter_map(|ticket| moment.after.newest_job(ticket.id)).map(|job| job.status),
            );
            refused.extend(moment.result.as_ref().err().map(|refused| refused.code));
        });
    }
    let unseen: Vec<_> = StateName::ALL.iter().filter(|state| !states.contains(state)).collect();
    assert!(unseen.is_empty(), "no walk reaches {unseen:?}");
    let unseen: Vec<_> = JobStatus::ALL.iter().filter(|status| !ends.contains(status)).collect();
    assert!(unseen.is_empty(), "no walk has a job {unseen:?}");
    refused.sort();
    refused.dedup();
    assert!(refused.len() >= 8, "{refused:?}");
}
