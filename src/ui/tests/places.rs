//! Where `g` goes: goals, boards, the queue and the figures.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use uuid::Uuid;

use crate::domain::autonomy::{Autonomy, AutonomyEdit, Ceiling};
use crate::domain::board::About;
use crate::domain::change::Change;
use crate::domain::command::{Command, RefusalCode, Refused};
use crate::domain::glance::{Glance, Tally};
use crate::domain::goal::Goal;
use crate::domain::id::{BoardId, GoalId};
use crate::domain::state::StateName;
use crate::domain::ticket::{Title, Usage};
use crate::ui::msg::{Effect, GoalDraft, Msg, Role, Settings};
use crate::ui::testing::{NOW, World, about, at, settings, ticket_id};
use crate::ui::theme::Theme;

use super::pictures::{FULL, assert_screens, world};

fn goal_id(n: u8) -> GoalId {
    GoalId(Uuid::from_u128(u128::from(n)))
}

fn goal(n: u8, title: &str) -> Goal {
    Goal::new(goal_id(n), about().id, Title::new(title).unwrap(), String::new(), at(1_000 - i64::from(n)))
}

/// Two goals: one with five tickets and everything that can be said of it, and one that nobody serves.
fn with_goals(world: World) -> World {
    let mut safe = goal(1, "Safe arithmetic");
    safe.description = "Every function *refuses* what it cannot do.".to_owned();
    safe.budget_micros = Some(5_000_000);
    safe.autonomy = Autonomy {
        enabled: true,
        auto_approve_revisions: true,
        max_auto_approvals: Some(5),
        auto_approval_count: 2,
        ..Autonomy::default()
    };
    let docs = goal(2, "Documentation that a newcomer understands without asking anybody at all, in every detail");
    let world = world.tell(Msg::Changed(vec![Change::Goal(safe), Change::Goal(docs)]));
    [1, 4, 6, 7, 10].into_iter().fold(world, |world, n| {
        world.with_ticket(n, |ticket| {
            ticket.goal = Some(goal_id(1));
            ticket.usage = Usage { input_tokens: 1_000, output_tokens: 10, cost_micros: Some(240_000) };
            if n == 4 {
                ticket.reason = "all 3 checks passed; waits for you: touches `.env`".into();
            }
        })
    })
}

fn glance(n: u8, name: &str, running: usize, exists: bool) -> Glance {
    let repo_root = format!("/home/ada/{name}").into();
    let about = About { id: BoardId(Uuid::from_u128(u128::from(n))), name: name.to_owned(), repo_root, ..about() };
    let tickets = Tally(vec![(StateName::Planned, 3), (StateName::Done, 12)]);
    Glance { about, tickets, goals: 1, running, exists, engine: (n == 8).then_some(4_711) }
}

fn boards() -> Vec<Glance> {
    // The second is the board of every world here.
    vec![
        glance(6, "tools", 0, true),
        glance(7, "payments", 2, true),
        glance(8, "website", 1, true),
        glance(9, "attic", 0, false),
    ]
}

fn click(world: World, needle: &str) -> World {
    let screen = world.screen();
    let (row, line) = screen.lines().enumerate().find(|(_, line)| line.contains(needle)).expect(needle);
    let column = line.chars().count() - line.split_once(needle).unwrap().1.chars().count() - 1;
    let event = MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: u16::try_from(column).unwrap(),
        row: u16::try_from(row).unwrap(),
        modifiers: KeyModifiers::NONE,
    };
    world.tell(Msg::Mouse(event, NOW))
}

#[test]
fn the_goals_are_drawn_at_every_size() {
    assert_screens("goals", |theme| with_goals(world(theme, FULL)).keys("go"));
    assert_screens("goals_none", |theme| world(theme, FULL).keys("go"));
}

#[test]
fn the_form_of_a_goal_is_drawn_at_every_size() {
    assert_screens("goal_form", |theme| with_goals(world(theme, FULL)).keys("goe<tab><tab>"));
    let wrong = with_goals(world(Theme::color(), FULL)).size(80, 24).keys("gon").keys("<a-enter>");
    insta::assert_snapshot!("goal_form_wrong", wrong.screen());
}

#[test]
fn the_boards_are_drawn_at_every_size() {
    assert_screens("boards", |theme| world(theme, FULL).keys("gb").tell(Msg::Boards(boards())).keys("j"));
}

#[test]
fn the_queue_and_the_figures_are_drawn_at_every_size() {
    assert_screens("queue", |theme| world(theme, FULL).keys("gqjj"));
    assert_screens("dashboard", |theme| with_goals(world(theme, FULL)).keys("gd"));
}

#[test]
fn enter_on_a_goal_shows_its_tickets_and_escape_all_again() {
    let world = with_goals(World::board(FULL).size(120, 40)).keys("go<enter>");
    assert!(world.screen().contains("filter goal:\"safe arithmetic\" 5 of"), "{}", world.screen());
    assert!(!world.keys("<esc>").screen().contains("filter goal:"));
    // From within a ticket, too.
    let world = with_goals(World::board(FULL).size(120, 40)).keys("<enter>go<enter>");
    assert!(world.screen().contains("filter goal:"), "{}", world.screen());
    let none = with_goals(World::board(FULL).size(120, 40)).keys("goj<enter>");
    assert!(none.screen().contains("no ticket serves this goal yet"), "{}", none.screen());
    assert!(none.screen().contains("Goals"), "the list stays: {}", none.screen());
}

#[test]
fn a_goal_is_set_in_its_form() {
    let world = World::board("planned").size(120, 40).keys("gon").types("Safe").keys("<tab>").types("More");
    // Without you, changes, approved ones: the first two on.
    let world = world.keys("<tab><space><tab><space><tab><tab><tab><tab>").types("5").keys("<tab>").types("2.50");
    let world = world.keys("<enter>");
    let autonomy =
        Autonomy { enabled: true, auto_approve_revisions: true, max_auto_approvals: Some(5), ..Autonomy::default() };
    let draft = GoalDraft {
        title: Title::new("Safe").unwrap(),
        description: "More".to_owned(),
        autonomy,
        budget: Some(2_500_000),
    };
    assert_eq!(world.acts(), [&Effect::AddGoal(draft)]);
}

#[test]
fn the_form_of_a_goal_says_what_is_wrong_and_keeps_what_was_typed() {
    let world = World::board("planned").size(120, 40).keys("gon<s-tab>").types("many").keys("<enter>");
    assert!(world.acts().is_empty());
    let screen = world.screen();
    assert!(screen.contains("`many` is no amount"), "{screen}");
    let world = world.keys("<esc>");
    assert!(world.screen().contains("the goal is put aside; n goes on with it"), "{}", world.screen());
    assert!(world.keys("n").screen().contains("many"));
}

#[test]
fn an_edited_goal_sends_only_what_was_changed() {
    let edited = with_goals(World::board(FULL).size(120, 40)).forget().keys("goe").types("!").keys("<enter>");
    let title = Title::new("Safe arithmetic!").ok();
    let autonomy = AutonomyEdit::default();
    let edit = Command::EditGoal { goal: goal_id(1), title, description: None, autonomy, budget: None };
    assert_eq!(edited.acts(), [&Effect::Do(edit)]);
    let refused = Refused::new(RefusalCode::UnknownGoal, "there is no such goal", "");
    let world = edited.tell(Msg::Refused(refused));
    assert!(world.screen().contains("go e goes on with the goal"), "{}", world.screen());
    assert!(world.keys("e").screen().contains("Safe arithmetic!"), "nothing that was typed is lost");
    let unlimited = with_goals(World::board(FULL).size(120, 40)).forget().keys("goe<s-tab>").keys("<c-u><enter>");
    let Some(Effect::Do(Command::EditGoal { budget, title: None, .. })) = unlimited.acts().first().copied() else {
        panic!("{:?}", unlimited.acts())
    };
    assert_eq!(*budget, Some(Ceiling::Unlimited));
    let same = with_goals(World::board(FULL).size(120, 40)).forget().keys("goe<enter>");
    assert!(same.acts().is_empty() && same.screen().contains("the goal is as it was"), "{}", same.screen());
}

#[test]
fn a_goal_is_removed_only_after_a_question_which_names_what_stays() {
    let asked = || with_goals(World::board(FULL).size(120, 40)).forget().keys("goD");
    let screen = asked().screen();
    assert!(screen.contains("Safe arithmetic") && screen.contains("Its 5 tickets stay"), "{screen}");
    let kept = asked().keys("<enter>");
    assert!(kept.acts().is_empty() && kept.screen().contains("Goals"), "{}", kept.screen());
    assert_eq!(asked().keys("y").acts(), [&Effect::Do(Command::RemoveGoal { goal: goal_id(1) })]);
    let none = World::board("planned").size(120, 40).keys("goD");
    assert!(none.screen().contains("there is no goal here; n sets one"), "{}", none.screen());
}

#[test]
fn another_board_is_opened_or_it_says_why_not() {
    let open = |words: &str, keys: &str| {
        let world = World::board(words).size(120, 40).keys("gb");
        assert!(world.effects.contains(&Effect::LoadBoards));
        world.tell(Msg::Boards(boards())).forget().keys(keys)
    };
    let switch = Effect::Switch("/home/ada/website".into());
    assert_eq!(open("planned", "j<enter>").acts(), [&switch]);
    let here = open("planned", "<enter>");
    assert!(here.acts().is_empty() && here.screen().contains("the board that you are on"), "{}", here.screen());
    let gone = open("planned", "G<enter>");
    assert!(gone.acts().is_empty());
    assert!(gone.screen().contains("/home/ada/attic is gone"), "{}", gone.screen());
    let busy = open("executing", "j<enter>");
    assert!(busy.acts().is_empty() && busy.screen().contains("1 agent keeps running"), "{}", busy.screen());
    assert_eq!(busy.keys("y").acts(), [&switch]);
    let watcher = Settings { role: Role::Watcher, ..settings() };
    let world = World::board("executing").tell(Msg::Settings(Box::new(watcher))).keys("gb").tell(Msg::Boards(boards()));
    assert_eq!(world.forget().keys("j<enter>").acts(), [&switch], "what runs is another's");
}

#[test]
fn the_queue_is_in_the_order_of_turns_and_leads_to_its_tickets() {
    let world = World::board("planned queued executing waiting done").size(120, 40).keys("gq");
    let screen = world.screen();
    let row = |number: &str| screen.lines().position(|line| line.contains(&format!(" {number} "))).expect(number);
    assert!(row("#3") < row("#2") && row("#2") < row("#1") && row("#1") < row("#4"), "{screen}");
    let world = world.keys("j<enter>");
    assert_eq!(world.cursor(), Some(2));
    assert!(!world.screen().contains("What runs and what waits"), "{}", world.screen());
}

#[test]
fn a_figure_shows_the_tickets_that_it_counts() {
    let world = World::board(FULL).size(120, 40).keys("gd<enter>");
    assert!(world.screen().contains("filter needs:me"), "{}", world.screen());
    let world = World::board("planned").size(120, 40).keys("gd<enter>");
    assert!(world.screen().contains("no ticket is needs:me now"), "{}", world.screen());
    let world = World::board(FULL).size(120, 40).keys("gd");
    assert!(world.screen().contains("enter show them"), "{}", world.screen());
    let world = world.keys("G");
    assert!(!world.screen().contains("show them"), "a figure without tickets offers none: {}", world.screen());
    let world = world.keys("<enter>");
    assert!(world.screen().contains("this figure counts no tickets"), "{}", world.screen());
}

#[test]
fn a_click_marks_a_row_and_another_one_chooses_it() {
    let world = with_goals(World::board(FULL).size(120, 40)).keys("goj");
    let world = click(world, "Safe arithmetic");
    assert!(world.screen().contains("status      "), "{}", world.screen());
    let world = click(world, "Safe arithmetic");
    assert!(world.screen().contains("filter goal:"), "{}", world.screen());
}

#[test]
fn rows_that_go_while_a_list_is_open_leave_the_mark_on_what_is_there() {
    let world = World::board("executing executing").size(120, 40).keys("gqG");
    let world = world.with_ticket(2, |ticket| ticket.removed_at = Some(NOW)).keys("<enter>");
    assert_eq!(world.model.selected(), Some(ticket_id(1)));
}

#[test]
fn a_board_without_goals_offers_only_to_set_one() {
    let screen = World::board("planned").size(120, 40).keys("go").screen();
    assert!(screen.contains("n new  j next  esc back") && screen.contains("No goal is set yet"), "{screen}");
    let screen = World::board("done").size(120, 40).keys("gq").screen();
    assert!(screen.contains("Nothing runs") && !screen.contains("go to it"), "{screen}");
}

#[test]
fn boards_of_one_name_say_where_they_are() {
    let twin = Glance {
        about: About { repo_root: "/srv/website".into(), ..glance(9, "website", 0, true).about },
        ..glance(9, "website", 0, true)
    };
    let mut all = boards();
    all.push(twin);
    let screen = World::board("planned").size(120, 40).keys("gb").tell(Msg::Boards(all)).screen();
    assert!(screen.contains("website  /home/ada/website") && screen.contains("website  /srv/website"), "{screen}");
    assert!(!screen.contains("tools  /home/ada/tools"), "{screen}");
}
