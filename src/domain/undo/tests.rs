//! What was done is undone, whatever was done in which order.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::change::{Change, Save};
use super::super::command::Refused;
use super::super::job::JobKind;
use super::super::rule::{What, decide};
use super::super::sample;
use super::super::ticket::{Priority, Title};
use super::*;

/// A board with the descriptions that it does not keep.
struct World {
    board: Board,
    descriptions: HashMap<TicketId, String>,
}

impl World {
    fn of(states: &[State]) -> Self {
        let board = sample::board_of(states);
        let descriptions = board.tickets().map(|ticket| (ticket.id, "as filed".to_owned())).collect();
        Self { board, descriptions }
    }

    fn ask(&mut self, command: &Command) -> Result<(), Refused> {
        let steps = decide(&self.board, &sample::input(What::Command(command.clone())))?;
        for save in steps.saves {
            match save {
                Save::Ticket { ticket, .. } => self.board.apply(&Change::Ticket(ticket)),
                Save::Description { ticket, text } => drop(self.descriptions.insert(ticket, text)),
                _ => {}
            }
        }
        Ok(())
    }

    fn act(&self, command: &Command, id: TicketId) -> Option<Act> {
        Act::of(&self.board, command, self.descriptions.get(&id).map(String::as_str))
    }

    fn undo(&mut self, act: &Act) -> Result<(), String> {
        let commands = act.undo(&self.board, self.descriptions.get(&act.ticket()).map(String::as_str))?;
        commands.iter().try_for_each(|command| self.ask(command)).map_err(|refused| refused.message)
    }

    fn redo(&mut self, act: &Act) -> Result<(), String> {
        let commands = act.redo(&self.board, self.descriptions.get(&act.ticket()).map(String::as_str))?;
        commands.iter().try_for_each(|command| self.ask(command)).map_err(|refused| refused.message)
    }

    fn abandons_blocker(&self, command: &Command, id: TicketId) -> bool {
        matches!(command, Command::Move { to: StateName::Abandoned, .. })
            && self.board.tickets().any(|one| one.blocked_by.contains(&id))
    }

    /// Says whether a ticket that is planned although it waits for this abandoned one would wait no more. When that is
    /// undone it is blocked, as every ticket whose blocker is abandoned: nobody could have known that it was planned so.
    fn frees_dead(&self, command: &Command, id: TicketId) -> bool {
        let comes_back = matches!(command, Command::Move { .. } | Command::Remove { .. })
            && self.board.ticket(id).is_some_and(|ticket| ticket.state == State::Abandoned);
        comes_back && self.board.tickets().any(|one| one.state == State::Planned && one.blocked_by.contains(&id))
    }

    /// Returns all that a person sees of the fields, and the order of every column.
    fn seen(&self) -> (Vec<Ticket>, Vec<Vec<u32>>, Vec<String>) {
        let plain = |ticket: &Ticket| Ticket {
            hand_order: None,
            pull_request: None,
            updated_at: ticket.created_at,
            reason: String::new(),
            ..ticket.clone()
        };
        let tickets: Vec<Ticket> = self.board.tickets().map(plain).collect();
        let column = |state: &StateName| self.board.column(*state).iter().map(|ticket| ticket.number.0).collect();
        let described = tickets.iter().map(|ticket| self.descriptions[&ticket.id].clone()).collect();
        (tickets, StateName::ALL.iter().map(column).collect(), described)
    }
}

fn name(number: u32) -> TicketRef {
    TicketRef::Id(sample::id(number))
}

const TICKETS: u32 = 5;

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        "[a-c]{1,2}".prop_map(|title| Edit::Title(Title::new(&title).unwrap())),
        "[a-c]{0,2}".prop_map(Edit::Description),
        prop::option::of(prop::sample::select(vec![10_u8, 90]))
            .prop_map(|value| Edit::Priority(value.map(|value| Priority::try_from(value).unwrap()))),
        prop::collection::vec(1..=TICKETS, 0..3).prop_map(|after| Edit::After(after.into_iter().map(name).collect())),
        prop::option::of("[a-c]").prop_map(Edit::Agent),
        prop::option::of("[a-c]").prop_map(Edit::Model),
        prop::collection::vec("[a-c]", 0..3).prop_map(Edit::Verify),
    ]
}

/// Edits of which none is about the field of another one.
fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 1..4).prop_map(|edits| {
        let mut once: Vec<Edit> = Vec::new();
        for edit in edits {
            if once.iter().all(|other| field(other) != field(&edit)) {
                once.push(edit);
            }
        }
        once
    })
}

fn command() -> impl Strategy<Value = (u32, Command)> {
    (1..=TICKETS).prop_flat_map(|n| {
        let ticket = name(n);
        let what = prop_oneof![
            3 => edits().prop_map(move |edits| Command::Edit { ticket, edits }),
            3 => (1..=TICKETS, any::<bool>()).prop_map(move |(other, above)| {
                let other = name(other);
                Command::Place { ticket, place: if above { Place::Above(other) } else { Place::Below(other) } }
            }),
            3 => prop::sample::select(vec![StateName::Proposed, StateName::Planned, StateName::Abandoned])
                .prop_map(move |to| Command::Move { ticket, to, reason: None }),
            1 => Just(Command::Remove { ticket }),
        ];
        what.prop_map(move |command| (n, command))
    })
}

/// What an abandonment does to the tickets that wait for it.
#[derive(Clone, Copy, PartialEq)]
enum Blockers {
    /// Tickets that others wait for are not abandoned: those are moved by a rule, and nobody gives them their place back.
    Stay,
    /// They are, and the order of the columns is not looked at.
    MayBeAbandoned,
}

fn undone_and_done_again(commands: Vec<(u32, Command)>, blockers: Blockers) -> Result<(), TestCaseError> {
    let mut world = World::of(&[State::Planned, State::Proposed, State::Planned, State::Planned, State::Proposed]);
    let seen = |world: &World| {
        let (tickets, columns, described) = world.seen();
        let columns = if blockers == Blockers::Stay { columns } else { Vec::new() };
        (tickets, columns, described)
    };
    let mut done = Vec::new();
    for (n, command) in commands {
        // Nobody can move a ticket back to where only an abandoned blocker brings it.
        let is_blocked = world.board.ticket(sample::id(n)).is_some_and(|one| one.state.name() == StateName::Blocked);
        let abandons = blockers == Blockers::Stay && world.abandons_blocker(&command, sample::id(n));
        if is_blocked || abandons || world.frees_dead(&command, sample::id(n)) {
            continue;
        }
        let before = seen(&world);
        let Some(act) = world.act(&command, sample::id(n)) else { continue };
        if world.ask(&command).is_ok() {
            done.push((before, act));
        }
    }
    let mut undone = Vec::new();
    while let Some((before, mut act)) = done.pop() {
        let after = seen(&world);
        act.note(&world.board);
        world.undo(&act).map_err(TestCaseError::fail)?;
        prop_assert_eq!(seen(&world), before, "{:?}", act);
        undone.push((after, act));
    }
    while let Some((after, act)) = undone.pop() {
        world.redo(&act).map_err(TestCaseError::fail)?;
        prop_assert_eq!(seen(&world), after, "{:?}", act);
    }
    Ok(())
}

proptest! {
    #[test]
    fn undoing_what_was_done_gives_everything_back_and_redoing_does_it_again(
        commands in prop::collection::vec(command(), 1..12),
    ) {
        undone_and_done_again(commands, Blockers::Stay)?;
    }

    #[test]
    fn tickets_that_wait_for_an_abandoned_one_are_given_back_with_it(
        commands in prop::collection::vec(command(), 1..12),
    ) {
        undone_and_done_again(commands, Blockers::MayBeAbandoned)?;
    }
}

#[test]
fn what_was_changed_since_is_refused_with_the_reason_and_nothing_changes() {
    let mut world = World::of(&[State::Planned, State::Planned]);
    let retitle = |title: &str| Command::Edit {
        ticket: name(1),
        edits: vec![Edit::Title(Title::new(title).unwrap()), Edit::Description(title.to_owned())],
    };
    let act = world.act(&retitle("mine"), sample::id(1)).unwrap();
    world.ask(&retitle("mine")).unwrap();
    world.descriptions.insert(sample::id(1), "another's".into());
    assert_eq!(world.undo(&act).unwrap_err(), "the description of #1 was changed since");
    world.ask(&retitle("another's")).unwrap();
    assert_eq!(world.undo(&act).unwrap_err(), "the title of #1 was changed since");
    let accept = Command::Move { ticket: name(2), to: StateName::Proposed, reason: None };
    let act = world.act(&accept, sample::id(2)).unwrap();
    world.ask(&accept).unwrap();
    world.ask(&Command::Move { ticket: name(2), to: StateName::Planned, reason: None }).unwrap();
    assert_eq!(world.undo(&act).unwrap_err(), "#2 is planned by now");
    world.board.apply(&Change::Job(sample::job(2, JobKind::Execute, 1)));
    assert_eq!(world.undo(&act).unwrap_err(), "#2 has a job now (execute)");
}

#[test]
fn what_only_a_job_leads_to_cannot_be_given_back() {
    let blocked = State::Blocked { why: Blocked::Failed };
    let mut world = World::of(&[blocked]);
    let plan = Command::Move { ticket: name(1), to: StateName::Planned, reason: None };
    let act = world.act(&plan, sample::id(1)).unwrap();
    world.ask(&plan).unwrap();
    assert_eq!(world.undo(&act).unwrap_err(), "#1 was blocked, and nobody can move it back there");
    let run = Command::Move { ticket: name(1), to: StateName::Executing, reason: None };
    assert_eq!(world.act(&run, sample::id(1)), None);
}

#[test]
fn only_so_many_deeds_are_kept_and_a_new_one_ends_what_could_be_done_again() {
    let world = World::of(&[State::Planned]);
    let act = world.act(&Command::Remove { ticket: name(1) }, sample::id(1)).unwrap();
    let mut deeds = Deeds::default();
    for _ in 0..KEPT + 3 {
        deeds.did(vec![act.clone()]);
    }
    let last = deeds.take_done().unwrap();
    deeds.undid(last);
    assert!(deeds.is_any_undone());
    deeds.did(vec![act]);
    assert!(!deeds.is_any_undone());
    assert_eq!(std::iter::from_fn(|| deeds.take_done()).count(), KEPT);
}
