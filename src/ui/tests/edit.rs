//! What a person does to tickets on the board: their form, their descriptions, several at once, and undo.

use crate::domain::change::Change;
use crate::domain::command::{AgentChoice, Command, Edit, Place, RefusalCode, Refused};
use crate::domain::detail::Detail;
use crate::domain::event::{Actor, Event, EventKind, NewEvent};
use crate::domain::id::TicketRef;
use crate::domain::state::{State, StateName};
use crate::domain::ticket::{Ticket, Title};
use crate::ui::msg::{Effect, Guest, Msg, Settings};
use crate::ui::testing::{NOW, World, revision, settings, ticket_id, worked};

fn name(n: u32) -> TicketRef {
    TicketRef::Id(ticket_id(n))
}

fn all(commands: Vec<Command>) -> Effect {
    Effect::DoAll(commands)
}

fn undoing(commands: Vec<Command>) -> Effect {
    match <[Command; 1]>::try_from(commands) {
        Ok(one) => all(one.into()),
        Err(several) => all(vec![Command::Together(several)]),
    }
}

fn edit(n: u32, edits: Vec<Edit>) -> Command {
    Command::Edit { ticket: name(n), edits }
}

fn moving(n: u32, to: StateName) -> Command {
    Command::Move { ticket: name(n), to, reason: None }
}

fn priority(n: u32, name: &str) -> Command {
    edit(n, vec![Edit::Priority(name.parse().ok())])
}

fn described(n: u32, description: &str) -> Msg {
    Msg::Detail(Box::new(Detail { description: description.into(), ..worked(n, "demo") }))
}

fn no() -> Refused {
    Refused::new(RefusalCode::Busy, "#1 has a job already", "Wait until it ends.")
}

/// Returns a world in which the form of the first ticket is open and whole.
fn form(description: &str) -> World {
    World::board("planned planned").size(120, 40).keys("gg").forget().keys("e").tell(described(1, description))
}

#[test]
fn a_form_sends_only_what_was_changed_in_it() {
    let world = form("as it was");
    assert!(world.screen().contains("Edit #1") && world.screen().contains("as it was"), "{}", world.screen());
    let title = "Add JWT authentication to the router, and say so";
    let world = world.types(", and say so").keys("<tab>").types("!").keys("<tab><tab>").types("2").keys("<enter>");
    let edits = vec![
        Edit::Title(Title::new(title).unwrap()),
        Edit::Description("as it was!".into()),
        Edit::After(vec![name(2)]),
    ];
    assert_eq!(world.acts(), [&all(vec![edit(1, edits)])]);
    let unchanged = form("as it was").keys("<enter>");
    assert!(unchanged.acts().is_empty());
    assert!(unchanged.screen().contains("#1 is as it was"), "{}", unchanged.screen());
}

#[test]
fn what_others_changed_while_a_form_was_open_stays_theirs() {
    let world = form("").with_ticket(1, |ticket| {
        ticket.title = Title::new("another's title").unwrap();
        ticket.agent = Some("codex".into());
    });
    let world = world.keys("<tab>").types("words").keys("<a-enter>");
    assert_eq!(world.acts(), [&all(vec![edit(1, vec![Edit::Description("words".into())])])]);
}

#[test]
fn a_description_that_is_not_loaded_is_neither_typed_into_nor_overwritten() {
    let world = World::board("planned").size(120, 40).keys("e<tab>").types("lost").keys("<a-e>");
    assert!(world.screen().contains("loading"), "{}", world.screen());
    let world = world.keys("<s-tab>").types("!").keys("<enter>");
    let title = Title::new("Add JWT authentication to the router!").unwrap();
    assert_eq!(world.acts(), [&all(vec![edit(1, vec![Edit::Title(title)])])]);
}

#[test]
fn a_form_says_at_the_field_what_is_wrong() {
    let typed = |after: &str| form("").keys("<tab><tab><tab>").types(after).keys("<enter>");
    for (after, why) in [("99", "there is no ticket #99"), ("1", "a ticket cannot wait for itself")] {
        let world = typed(after);
        assert!(world.acts().is_empty());
        assert!(world.screen().contains(why), "{}", world.screen());
    }
    let circle = form("").with_ticket(2, |ticket| ticket.blocked_by = vec![ticket_id(1)]);
    let circle = circle.keys("<tab><tab><tab>").types("2").keys("<enter>");
    assert!(circle.screen().contains("for ever: #1, #2, #1"), "{}", circle.screen());
    let checks = form("").keys("<s-tab>").types("a").keys("<enter>b<enter>c<enter>d<enter>e<enter>f<a-enter>");
    assert!(checks.screen().contains("at most 5 checks, these are 6"), "{}", checks.screen());
}

#[test]
fn a_refused_edit_gives_the_form_back_with_what_was_typed() {
    let world = form("").types("!").keys("<enter>").tell(Msg::Done(vec![Err(no())]));
    assert!(world.screen().contains("router!") && world.screen().contains("has a job already"), "{}", world.screen());
    assert!(!world.model.deeds.is_any_done());
    let aside = form("").types("?").keys("<esc>");
    assert!(aside.screen().contains("e goes on with it"), "{}", aside.screen());
    assert!(aside.keys("e").screen().contains("router?"));
}

#[test]
fn a_description_is_written_elsewhere_and_comes_back() {
    let world = form("before").keys("<tab>").types("!").keys("<a-e>");
    let Some(Effect::EditText { text, .. }) = world.effects.last() else { panic!("{:?}", world.effects) };
    assert_eq!(text, "before!");
    let failed = Msg::Written(Err("your editor ended with code 1".into()));
    let world = world.tell(failed);
    assert!(world.screen().contains("before!") && world.screen().contains("code 1"), "{}", world.screen());
    let world = world.keys("<a-e>").tell(Msg::Written(Ok("all\tnew".into()))).forget().keys("<a-enter>");
    assert_eq!(world.acts(), [&all(vec![edit(1, vec![Edit::Description("all\tnew".into())])])]);
    let direct = |text: &str| {
        let world = World::board("planned").keys("E").tell(described(1, "before")).forget();
        world.tell(Msg::Written(Ok(text.into())))
    };
    assert_eq!(direct("after\n").acts(), [&all(vec![edit(1, vec![Edit::Description("after".into())])])]);
    assert!(direct("before\n").acts().is_empty());
    let refused = direct("after").tell(Msg::Done(vec![Err(no())]));
    assert!(refused.screen().contains("after"), "nothing that was written is lost\n{}", refused.screen());
}

#[test]
fn a_worktree_opens_in_the_editor_where_there_is_one() {
    let world = World::board("needs_human").keys("o");
    assert!(matches!(world.acts().as_slice(), [Effect::HandOver(visit)] if visit.program == Guest::Editor));
    let none = World::board("planned").size(120, 40).keys("o");
    assert!(none.acts().is_empty() && none.screen().contains("no worktree yet"), "{}", none.screen());
}

#[test]
fn what_was_done_is_undone_and_done_again() {
    assert!(World::board("proposed").size(120, 40).keys("u").screen().contains("nothing to undo"));
    let done = World::board("proposed").size(120, 40).keys("a").tell(Msg::Done(vec![Ok(())]));
    let done = done.with_ticket(1, |ticket| ticket.state = State::Planned).forget();
    let undone = done.keys("u");
    assert_eq!(undone.acts(), [&undoing(vec![moving(1, StateName::Proposed)])]);
    let undone = undone.tell(Msg::Done(vec![Ok(())]));
    assert!(undone.screen().contains("undone: #1 from proposed to planned"), "{}", undone.screen());
    let undone = undone.with_ticket(1, |ticket| ticket.state = State::Proposed).forget();
    let again = undone.keys("<c-r>");
    assert_eq!(again.acts(), [&undoing(vec![moving(1, StateName::Planned)])]);
    let again = again.tell(Msg::Done(vec![Ok(())]));
    assert!(again.screen().contains("done again: #1"), "{}", again.screen());
    assert!(again.model.deeds.is_any_done() && !again.model.deeds.is_any_undone());
}

#[test]
fn an_undo_that_is_too_fast_waits_until_there_is_something_to_undo() {
    let planned =
        |world: World| world.with_ticket(1, |ticket| (ticket.state, ticket.updated_at) = (State::Planned, NOW));
    let back = undoing(vec![moving(1, StateName::Proposed)]);
    let fast = || World::board("proposed").keys("a").forget().keys("u");
    assert!(fast().acts().is_empty());
    let told_first = fast().tell(Msg::Done(vec![Ok(())]));
    assert!(told_first.acts().is_empty(), "the board does not know yet");
    assert_eq!(planned(told_first).acts(), [&back]);
    assert_eq!(planned(fast()).tell(Msg::Done(vec![Ok(())])).acts(), [&back]);
}

#[test]
fn what_cannot_be_undone_any_more_says_why_and_changes_nothing() {
    let world = World::board("proposed").size(200, 50).keys("a").tell(Msg::Done(vec![Ok(())]));
    let world = world.with_ticket(1, |ticket| ticket.updated_at = NOW).forget().keys("u");
    assert!(world.acts().is_empty());
    assert!(world.screen().contains("cannot be undone any more: #1 is proposed by now."), "{}", world.screen());
    let described = World::board("planned").size(200, 50).keys("E").tell(described(1, "before"));
    let described = described.tell(Msg::Written(Ok("mine".into()))).tell(Msg::Done(vec![Ok(())]));
    let described = described.with_ticket(1, |ticket| ticket.updated_at = NOW).forget();
    let asked = described.keys("u");
    assert_eq!(asked.effects, [Effect::LoadDetail(ticket_id(1))]);
    let refused = asked.tell(self::described(1, "another's"));
    assert!(refused.acts().is_empty());
    assert!(refused.screen().contains("the description of #1 was changed since"), "{}", refused.screen());
}

#[test]
fn a_deleted_ticket_comes_back_with_its_worktree() {
    let world = World::board("needs_human planned").size(120, 40).keys("l").forget().keys("D");
    assert!(world.screen().contains("branch draft/1-ticket goes into the trash"), "{}", world.screen());
    assert!(World::board("planned").keys("D<enter>").acts().is_empty(), "Enter deletes nothing");
    let world = World::board("needs_human planned").size(120, 40).keys("l").forget().keys("Dy");
    assert_eq!(world.acts(), [&all(vec![Command::Remove { ticket: name(1) }])]);
    let mut removed = world.model.board().ticket(ticket_id(1)).unwrap().clone();
    removed.removed_at = Some(NOW);
    removed.worktree = None;
    let back = Ticket { removed_at: None, ..removed.clone() };
    let gone = world.tell(Msg::Done(vec![Ok(())])).tell(Msg::Changed(vec![Change::Ticket(removed)])).forget();
    assert_eq!(gone.cursor(), Some(2));
    let undone = gone.keys("u");
    assert_eq!(undone.acts(), [&undoing(vec![Command::BringBack { ticket: name(1) }])]);
    let undone = undone.tell(Msg::Changed(vec![Change::Ticket(back)])).tell(Msg::Done(vec![Ok(())]));
    assert!(undone.effects.contains(&Effect::LoadDetail(ticket_id(1))));
    assert_eq!(undone.cursor(), Some(1));
    let event = Event {
        seq: 1,
        event: NewEvent {
            ticket: ticket_id(1),
            at: NOW,
            kind: EventKind::WorktreeCleaned,
            from: None,
            to: None,
            actor: Actor::human(),
            reason: String::new(),
            payload: serde_json::json!({ "reference": "refs/draft/trash/1" }),
        },
    };
    let detail = Detail { events: vec![event], ..worked(1, "demo") };
    let restore = Command::Restore { ticket: name(1), reference: "refs/draft/trash/1".into() };
    assert_eq!(undone.forget().tell(Msg::Detail(Box::new(detail))).acts(), [&undoing(vec![restore])]);
}

#[test]
fn a_ticket_at_work_is_not_deleted_and_says_what_stops_it() {
    let world = World::board("executing").size(120, 40).keys("D");
    assert!(world.screen().contains("c stops that first"), "{}", world.screen());
    let waited_for = World::board("proposed waiting").size(120, 40).keys("D");
    assert!(waited_for.screen().contains("#2 waits for it, and will not any more."), "{}", waited_for.screen());
}

#[test]
fn cards_change_places_only_among_those_as_urgent() {
    let world = World::board("planned planned").size(120, 40);
    let equal = |world: World| {
        world.with_ticket(1, |ticket| ticket.priority = None).with_ticket(2, |ticket| ticket.priority = None)
    };
    let world = equal(world).keys("gg").forget().keys("J");
    assert_eq!(world.acts(), [&all(vec![Command::Place { ticket: name(1), place: Place::Below(name(2)) }])]);
    assert_eq!(world.cursor(), Some(1));
    let first = equal(World::board("planned planned").size(120, 40)).keys("gg").forget().keys("K");
    assert!(first.acts().is_empty());
    assert!(first.screen().contains("#1 is the first of those without a priority here"), "{}", first.screen());
}

#[test]
fn a_ticket_passes_those_that_the_filter_shows() {
    let equal = |world: World, n| world.with_ticket(n, |ticket| ticket.priority = "P2".parse().ok());
    let world = (1..=4).fold(World::board("planned planned planned planned").size(120, 40), equal);
    // Only 1 and 3 have it in their titles.
    let world = world.keys("/").types("the").keys("<enter>gg").forget();
    let lower = Command::Place { ticket: name(1), place: Place::Below(name(3)) };
    assert_eq!(world.keys("J").acts(), [&all(vec![lower])]);
    let world = (1..=4).fold(World::board("planned planned planned planned").size(120, 40), equal);
    let world = world.keys("/").types("sqrt").keys("<enter>gg").forget().keys("J");
    assert!(world.acts().is_empty());
    assert!(world.screen().contains("#2 is the last of P2 that the filter shows"), "{}", world.screen());
}

#[test]
fn two_in_one_bucket_need_not_be_as_urgent() {
    let urgent = |world: World, n, value: u8| world.with_ticket(n, |ticket| ticket.priority = value.try_into().ok());
    let world =
        urgent(urgent(World::board("planned planned").size(120, 40), 1, 60), 2, 55).keys("gg").forget().keys("J");
    assert!(world.screen().contains("#1 is the last of priority 60 here"), "{}", world.screen());
}

#[test]
fn a_key_acts_on_all_that_are_marked_and_says_what_was_refused() {
    let world = World::board("proposed proposed proposed").size(120, 40).keys("gg").keys("vjj");
    assert!(world.screen().contains("3 marked"), "{}", world.screen());
    let world = world.keys("<esc>");
    assert!(!world.screen().contains("marked"));
    let world = world.keys("gg<space>j<space>").forget().keys("a");
    let Some(Effect::DoAll(commands)) = world.effects.first() else { panic!("{:?}", world.effects) };
    assert_eq!(commands.len(), 2);
    let world = world.tell(Msg::Done(vec![Ok(()), Err(no())]));
    assert!(world.screen().contains("1 of 2 refused: #1 has a job already"), "{}", world.screen());
    assert_eq!(world.model.desk.marks.len(), 1);
    let world =
        World::board("proposed proposed").size(120, 40).keys("<space>j<space>a").tell(Msg::Done(vec![Ok(()), Ok(())]));
    assert!(world.screen().contains("done for all 2 tickets; u undoes it"), "{}", world.screen());
    let mixed = World::board("proposed planned").size(120, 40).keys("<space>l<space>").forget().keys("a");
    assert_eq!(mixed.acts(), [&all(vec![moving(1, StateName::Planned)])]);
    let mixed = mixed.tell(Msg::Done(vec![Ok(())]));
    assert!(mixed.screen().contains("1 of 2 refused: #2 is planned already"), "{}", mixed.screen());
}

#[test]
fn what_is_refused_stays_marked() {
    let marked = |world: &World| {
        let marks = &world.model.desk.marks;
        (1..=3).filter(|n| marks.contains(ticket_id(*n))).collect::<Vec<u32>>()
    };
    let asked = || World::board("proposed proposed planned").size(120, 40).keys("gg<space>j<space>l<space>").forget();
    let world = asked().keys("a");
    assert_eq!(marked(&world), [3], "it was not even asked");
    let world = world.tell(Msg::Done(vec![Err(no()), Ok(())]));
    assert_eq!(marked(&world).len(), 2);
    assert!(world.screen().contains("2 of 3 refused: #1 has a job already"), "{}", world.screen());
    let none = World::board("done done").size(120, 40).keys("gg<space>j<space>L");
    assert_eq!(marked(&none), [1, 2]);
    assert!(none.screen().contains("none of 2 tickets"), "{}", none.screen());
}

#[test]
fn a_key_that_is_refused_names_only_keys_that_there_are() {
    let world = World::board("needs_human").tell(Msg::Changed(vec![Change::Revision(revision(1))])).keys("m");
    assert!(world.screen().contains("d reads its change, and a there"), "{}", world.screen());
    let world = World::board("planned").keys("C");
    assert!(world.screen().contains("#1 has no worktree, so there is no conflict"), "{}", world.screen());
}

#[test]
fn a_refused_move_of_the_only_marked_ticket_leaves_its_mark() {
    for keys in ["<space>L", "<space>x", "<space>lL"] {
        let world = World::board("planned verifying").keys(keys);
        let world = if world.acts().is_empty() { world } else { world.tell(Msg::Done(vec![Err(no())])) };
        assert!(world.model.desk.marks.contains(ticket_id(1)), "{keys}: {}", world.screen());
        assert!(world.screen().contains("has a job already"), "{keys}: {}", world.screen());
    }
}

#[test]
fn a_ticket_that_changes_its_place_leaves_the_marks_alone() {
    let world = World::board("planned planned").size(120, 40).with_ticket(1, |ticket| ticket.priority = None);
    let world = world.with_ticket(2, |ticket| ticket.priority = None).keys("gg<space>").forget().keys("J");
    assert_eq!(world.acts().len(), 1);
    assert!(world.model.desk.marks.contains(ticket_id(1)));
}

#[test]
fn what_was_done_to_several_is_undone_and_done_again_as_one() {
    let state = |world: World, state: State, at: i64| {
        let change = |ticket: &mut Ticket| (ticket.state, ticket.updated_at) = (state, crate::ui::testing::at(at));
        world.with_ticket(1, change).with_ticket(2, change)
    };
    let done = World::board("proposed proposed").size(120, 40).keys("<space>j<space>a");
    let done = state(done, State::Planned, 9).tell(Msg::Done(vec![Ok(()), Ok(())])).forget().keys("u");
    let back = [2, 1].map(|n| moving(n, StateName::Proposed));
    assert_eq!(done.acts(), [&all(vec![Command::Together(back.to_vec())])]);
    let refused = state(done, State::Planned, 9).tell(Msg::Done(vec![Err(no())]));
    assert!(refused.screen().contains("2 changes cannot be undone any more"), "{}", refused.screen());
}

#[test]
fn what_is_done_again_too_fast_waits_until_it_is_undone() {
    let change = |world: World, state: State, at: i64| {
        world.with_ticket(1, |ticket| (ticket.state, ticket.updated_at) = (state, crate::ui::testing::at(at)))
    };
    let undoing = || {
        let done = World::board("proposed").size(120, 40).keys("a").tell(Msg::Done(vec![Ok(())]));
        change(done, State::Planned, 9).keys("u").forget().keys("<c-r>")
    };
    let again = all(vec![moving(1, StateName::Planned)]);
    assert!(undoing().acts().is_empty());
    let told_first = undoing().tell(Msg::Done(vec![Ok(())]));
    assert!(told_first.acts().is_empty(), "the board does not know yet");
    assert_eq!(change(told_first, State::Proposed, 8).acts(), [&again]);
    assert_eq!(change(undoing(), State::Proposed, 8).tell(Msg::Done(vec![Ok(())])).acts(), [&again]);
    let refused = undoing().tell(Msg::Done(vec![Err(no())]));
    assert!(refused.acts().is_empty() && refused.screen().contains("cannot be undone"), "{}", refused.screen());
}

#[test]
fn giving_up_stopping_and_deleting_several_names_all_of_them() {
    let world = World::board("blocked blocked").size(120, 40).keys("<space>j<space>").forget().keys("L");
    assert!(world.screen().contains("Give these tickets up?"), "{}", world.screen());
    assert!(world.screen().contains("#1 Add JWT") && world.screen().contains("#2 Guard"), "{}", world.screen());
    let given_up = [moving(1, StateName::Abandoned), moving(2, StateName::Abandoned)];
    assert_eq!(world.keys("y").acts(), [&all(given_up.to_vec())]);
    let stop = World::board("executing executing").size(120, 40).keys("<space>j<space>").forget().keys("cy");
    let stopped = [1, 2].map(|n| Command::Cancel { ticket: name(n) });
    assert_eq!(stop.acts(), [&all(stopped.to_vec())]);
    let delete = World::board("proposed proposed").size(120, 40).keys("<space>j<space>").forget().keys("Dy");
    let deleted = [1, 2].map(|n| Command::Remove { ticket: name(n) });
    assert_eq!(delete.acts(), [&all(deleted.to_vec())]);
}

#[test]
fn several_run_after_one_question_of_trust() {
    let untrusted = Msg::Settings(Box::new(Settings { trusted: false, ..settings() }));
    let world = World::board("planned planned").tell(untrusted).keys("<space>j<space>").forget().keys("x");
    assert!(world.acts().is_empty());
    assert!(world.screen().contains("2 tickets"), "{}", world.screen());
    let world = world.keys("y");
    let Some(Effect::DoAll(commands)) = world.effects.iter().find(|effect| matches!(effect, Effect::DoAll(_))) else {
        panic!("{:?}", world.effects)
    };
    assert!(commands.len() == 2 && commands.iter().all(|command| matches!(command, Command::Run { .. })));
}

#[test]
fn a_deletion_is_told_as_one_and_by_the_tickets_number() {
    let told = |world: World, kind, payload| {
        let (actor, reason) = (Actor::human(), String::new());
        let event = NewEvent { ticket: ticket_id(1), at: NOW, kind, from: None, to: None, actor, reason, payload };
        world.tell(Msg::Changed(vec![Change::Event(Event { seq: 9, event })])).screen()
    };
    let world = || World::board("proposed planned").size(120, 40);
    let deleted = || world().with_ticket(1, |ticket| ticket.removed_at = Some(NOW));
    let screen = told(deleted(), EventKind::Updated, serde_json::json!({ "removed": true }));
    assert!(screen.contains("#1 deleted"), "{screen}");
    let screen = told(deleted(), EventKind::WorktreeCleaned, serde_json::json!({}));
    assert!(screen.contains("#1 worktree removed"), "{screen}");
    let screen = told(world(), EventKind::Updated, serde_json::json!({ "removed": false }));
    assert!(screen.contains("#1 brought back"), "{screen}");
}

#[test]
fn numbers_say_how_urgent_and_say_so_when_they_change_nothing() {
    let world = World::board("planned").size(120, 40).forget().keys("2");
    assert_eq!(world.acts(), [&all(vec![priority(1, "P2")])]);
    let same = World::board("planned").size(120, 40).forget().keys("0");
    assert!(same.acts().is_empty() && same.screen().contains("#1 is P0 already"), "{}", same.screen());
}

#[test]
fn a_run_can_have_an_agent_and_a_model_of_its_own() {
    let world = World::board("planned").size(120, 40).forget().keys("X");
    assert!(world.screen().contains("Run #1 this once with"), "{}", world.screen());
    let world = world.keys("<down><tab>").types("o4").keys("<enter>");
    let choice = AgentChoice { agent: Some("codex".into()), model: Some("o4".into()) };
    assert_eq!(world.acts(), [&Effect::Do(Command::Run { ticket: name(1), choice })]);
    let none = Settings { agents: Vec::new(), ..settings() };
    let world = World::board("planned").size(120, 40).tell(Msg::Settings(Box::new(none))).keys("X");
    assert!(world.screen().contains("no agent is installed"), "{}", world.screen());
}

#[test]
fn what_is_copied_goes_out_as_it_is() {
    let world = World::board("needs_human").size(120, 40).forget().keys("y2");
    assert_eq!(world.acts(), [&Effect::Copy("draft/1-ticket".into())]);
    assert!(world.screen().contains("copied: draft/1-ticket"), "{}", world.screen());
    let world = World::board("planned").forget().keys("y<enter>");
    assert_eq!(world.acts(), [&Effect::Copy(ticket_id(1).to_string())]);
}

#[test]
fn an_abandoned_ticket_is_taken_back_by_a_key_that_is_shown() {
    let world = World::board("abandoned planned").size(200, 40);
    assert!(world.screen().contains(". show abandoned"), "{}", world.screen());
    let world = world.keys(".l");
    assert!(world.screen().contains("a reactivate") && world.screen().contains("hide abandoned"), "{}", world.screen());
    assert_eq!(world.forget().keys("a").acts(), [&all(vec![moving(1, StateName::Planned)])]);
}
