//! What keys do: where the cursor goes and what is asked of the world.

use crate::domain::change::Change;
use crate::domain::command::{AgentChoice, Command, RefusalCode, Refused};
use crate::domain::detail::Detail;
use crate::domain::id::TicketRef;
use crate::domain::job::{Job, JobStatus};
use crate::domain::run::RunId;
use crate::domain::state::StateName;
use crate::ui::Model;
use crate::ui::keys::{Context, KeyTable};
use crate::ui::msg::{Effect, Msg, Role, Settings, StopAgents};
use crate::ui::testing::{NOW, World, board, changes, check, job_id, settings, setup, ticket_id};

fn run(n: u32) -> Effect {
    Effect::Do(Command::Run { ticket: TicketRef::Id(ticket_id(n)), choice: AgentChoice::default() })
}

fn moved(n: u32, to: StateName) -> Effect {
    let command = Command::Move { ticket: TicketRef::Id(ticket_id(n)), to, reason: None };
    Effect::DoAll(vec![command])
}

#[test]
fn a_board_that_takes_over_says_so() {
    let role = |role| Msg::Settings(Box::new(Settings { role, ..settings() }));
    let world = World::board("planned").size(120, 40).tell(role(Role::Watcher));
    assert!(world.screen().contains("another Draft runs the jobs"), "{}", world.screen());
    let world = world.tell(role(Role::Engine));
    assert!(world.screen().contains("this one runs the jobs now"), "{}", world.screen());
}

#[test]
fn a_letter_that_breaks_a_sequence_does_nothing_by_itself() {
    let world = World::board("planned").size(120, 40).forget().keys("gx");
    assert!(world.acts().is_empty() && world.screen().contains("gx means nothing here; ? shows"), "{}", world.screen());
    let alone = World::board("planned").size(120, 40).forget().keys("Q");
    assert!(alone.acts().is_empty() && alone.screen().contains("Q means nothing here; ? shows"), "{}", alone.screen());
    let left = World::board("planned").forget().keys("g<c-c>");
    assert_eq!(left.acts(), [&Effect::Quit { stop_agents: StopAgents::No }]);
    let put_away = World::board("planned planned").size(120, 40).forget().keys("g<esc>q");
    assert_eq!(put_away.acts(), [&Effect::Quit { stop_agents: StopAgents::No }]);
}

#[test]
fn who_leaves_is_told_when_nothing_runs_any_more() {
    let world = World::board("executing").size(120, 40).keys("q");
    assert!(world.screen().contains("1 agent keeps running"), "{}", world.screen());
    let job = world.model.board().newest_job(ticket_id(1)).unwrap().clone();
    let over = Job { status: JobStatus::Succeeded, ..job };
    let world = world.tell(Msg::Changed(vec![Change::Job(over)]));
    assert!(world.screen().contains("Nothing runs any more"), "{}", world.screen());
    assert!(!world.screen().contains("stop the agents"), "{}", world.screen());
    assert_eq!(world.forget().keys("<enter>").acts(), [&Effect::Quit { stop_agents: StopAgents::No }]);
}

#[test]
fn the_cursor_walks_over_columns_and_cards_and_skips_empty_columns() {
    let world = World::board("proposed proposed blocked blocked blocked");
    assert_eq!(world.cursor(), Some(1), "the first card has the cursor");
    let world = world.keys("j");
    assert_eq!(world.cursor(), Some(2));
    let world = world.keys("l");
    assert_eq!(world.cursor(), Some(3), "a row down is a row down in the next column too");
    assert_eq!(world.keys("hhhl<down>").cursor(), Some(4));
}

#[test]
fn the_cursor_goes_to_both_ends_and_never_past_them() {
    let world = World::board("planned planned planned planned planned");
    let order: Vec<u32> = [1, 5, 2, 3, 4].into();
    let mut world = world.keys("G");
    assert_eq!(world.cursor(), order.last().copied());
    world = world.keys("jjl");
    assert_eq!(world.cursor(), order.last().copied());
    world = world.keys("gg");
    assert_eq!(world.cursor(), order.first().copied());
    assert_eq!(world.keys("kkh").cursor(), order.first().copied());
}

#[test]
fn the_cursor_follows_its_ticket_into_another_column() {
    let world = World::board("proposed proposed").keys("j").tell(Msg::Changed(changes(2, "blocked")));
    assert_eq!(world.cursor(), Some(2));
    let world = world.tell(Msg::Changed(changes(2, "abandoned")));
    assert_eq!(world.cursor(), Some(1), "what is not shown cannot be selected");
}

#[test]
fn tab_visits_each_ticket_that_needs_a_person_and_starts_again() {
    let world = World::board("planned needs_human done blocked");
    let mut visited = Vec::new();
    let mut world = world;
    for _ in 0..3 {
        world = world.keys("<tab>");
        visited.extend(world.cursor());
    }
    assert_eq!(visited, [2, 4, 2]);
}

#[test]
fn accepting_moves_a_proposed_ticket_and_refuses_others_with_a_reason() {
    assert_eq!(World::board("proposed").keys("a").acts(), [&moved(1, StateName::Planned)]);
    let refused = World::board("done").keys("a");
    assert!(refused.acts().is_empty());
    assert!(refused.screen().contains("#1 is done already"));
}

#[test]
fn running_asks_for_trust_first_and_the_default_is_no() {
    assert_eq!(World::board("planned").keys("x").acts(), [&run(1)]);
    let untrusted = || World::board("planned").tell(Msg::Settings(Box::new(Settings { trusted: false, ..settings() })));
    assert!(untrusted().keys("x<enter>").acts().is_empty());
    let trust = Effect::Trust { content: "30 checks".into() };
    assert_eq!(untrusted().keys("xy").acts(), [&trust, &run(1)]);
    assert!(untrusted().keys("xj").screen().contains("check number 12"));
}

#[test]
fn trust_is_about_what_was_shown_and_not_about_what_the_file_says_by_then() {
    let later =
        Settings { trusted: false, content: Some("rm -rf".into()), would_run: vec!["rm -rf".into()], ..settings() };
    let world =
        World::board("planned").tell(Msg::Settings(Box::new(Settings { trusted: false, ..settings() }))).keys("x");
    assert!(world.effects.contains(&Effect::LookAround), "the file may be newer than what is known of it");
    let world = world.tell(Msg::Settings(Box::new(later)));
    assert!(world.screen().contains("rm -rf"), "what changed meanwhile is shown");
    assert_eq!(world.keys("y").acts(), [&Effect::Trust { content: "rm -rf".into() }, &run(1)]);
}

#[test]
fn a_run_that_is_refused_for_want_of_trust_asks_for_it() {
    let refused = Refused::new(RefusalCode::NotTrusted, "these commands are not trusted yet", "");
    let world = World::board("planned").keys("x").forget().tell(Msg::Refused(refused));
    assert!(world.effects.contains(&Effect::LookAround));
    assert!(world.screen().contains("Trust this repository's commands?"), "{}", world.screen());
}

#[test]
fn a_configuration_that_cannot_be_used_is_told_and_nobody_is_asked_to_trust_it() {
    let broken = Settings { trusted: false, content: None, problem: Some("draft.yaml:1:1: no".into()), ..settings() };
    let world = World::board("planned").tell(Msg::Settings(Box::new(broken)));
    assert!(world.screen().contains("draft.yaml:1:1: no"), "{}", world.screen());
    let world = world.keys("jx");
    assert!(world.acts().is_empty());
    assert!(world.effects.contains(&Effect::LookAround));
    assert!(world.screen().contains("draft.yaml:1:1: no"));
    let mended = world.tell(Msg::Settings(Box::new(settings())));
    assert!(mended.screen().contains("can be used now"), "{}", mended.screen());
    assert_eq!(mended.keys("x").acts(), [&run(1)]);
}

#[test]
fn canceling_asks_and_names_the_ticket() {
    let world = World::board("executing").keys("c");
    assert!(world.screen().contains("#1 Add JWT"));
    assert!(World::board("executing").keys("c<enter>").acts().is_empty());
    let cancel = Effect::Do(Command::Cancel { ticket: TicketRef::Id(ticket_id(1)) });
    assert_eq!(world.keys("y").acts(), [&cancel]);
    assert!(World::board("planned").keys("c").screen().contains("no job to stop"));
}

#[test]
fn a_card_moves_to_the_nearest_legal_state_and_says_what_is_legal_where_there_is_none() {
    assert_eq!(World::board("proposed").keys("L").acts(), [&moved(1, StateName::Planned)]);
    assert_eq!(World::board("planned").keys("H").acts(), [&moved(1, StateName::Proposed)]);
    assert_eq!(World::board("planned").keys("L").acts(), [&run(1)], "a move to executing is a run");
    assert_eq!(World::board("needs_human").keys("L").acts(), [&moved(1, StateName::Done)]);
    assert_eq!(World::board("blocked").keys("Ly").acts(), [&moved(1, StateName::Abandoned)]);
    let refused = World::board("proposed").size(200, 50).keys("H");
    assert!(refused.acts().is_empty());
    assert!(refused.screen().contains("it can go to planned or abandoned."));
}

#[test]
fn leaving_asks_only_when_something_runs_here() {
    let leave = Effect::Quit { stop_agents: StopAgents::No };
    let stop = Effect::Quit { stop_agents: StopAgents::Yes };
    assert_eq!(World::board("planned").keys("q").acts(), [&leave]);
    let running = || World::board("executing executing verifying").keys("q");
    assert!(running().screen().contains("2 agents keep running; checks wait until Draft runs again."));
    assert!(running().keys("n").acts().is_empty());
    assert_eq!(running().keys("<enter>").acts(), [&leave], "Enter is never the answer that stops something");
    assert_eq!(running().keys("s").acts(), [&stop]);
    let watcher = Msg::Settings(Box::new(Settings { role: Role::Watcher, ..settings() }));
    assert_eq!(World::board("executing").tell(watcher).keys("q").acts(), [&leave]);
}

#[test]
fn a_form_gives_a_whole_ticket() {
    let world = World::board("planned planned").keys("n").types("Fix it");
    let world = world.keys("<tab>").types("one").keys("<enter>").types("two");
    let world = world.keys("<tab><space><tab>").types("#1, 2").keys("<tab><right><right><tab>").types("opus");
    let world = world.keys("<tab>").types("make test").keys("<tab><space><a-enter>");
    let filing = world.filed().unwrap();
    assert_eq!(filing.title.as_str(), "Fix it");
    assert_eq!(filing.description, "one\ntwo");
    assert_eq!(filing.priority.map(|priority| priority.bucket()), Some("P0"));
    assert_eq!(filing.after, [TicketRef::Id(ticket_id(1)), TicketRef::Id(ticket_id(2))]);
    assert_eq!(filing.agent.as_deref(), Some("codex"));
    assert_eq!((filing.model.as_deref(), filing.verify.as_slice()), (Some("opus"), &["make test".to_owned()][..]));
    assert!(filing.accepted);
}

#[test]
fn a_form_that_is_put_aside_keeps_what_was_typed() {
    let world = World::board("planned").keys("n").types("Half a th").keys("<esc>n").types("ought <").keys("<enter>");
    assert_eq!(world.filed().unwrap().title.as_str(), "Half a thought <");
}

#[test]
fn a_ticket_that_was_refused_is_still_in_the_form() {
    let world = World::board("planned").keys("n").types("Fix it").keys("<enter>");
    let refused = Refused::new(RefusalCode::Cycle, "#2 would wait for itself", "");
    let world = world.tell(Msg::Refused(refused)).forget().keys("n<enter>");
    assert_eq!(world.filed().unwrap().title.as_str(), "Fix it");
}

#[test]
fn what_a_job_prints_alone_draws_nothing() {
    let mut world = World::board("executing");
    world.model.take_dirty();
    let mut live = world.model.board().live(job_id(1)).unwrap().clone();
    live.output_bytes += 1;
    let mut world = world.tell(Msg::Changed(vec![Change::Live { job: job_id(1), live: live.clone() }]));
    assert!(!world.model.take_dirty());
    live.retrying = Some("429".into());
    assert!(world.tell(Msg::Changed(vec![Change::Live { job: job_id(1), live }])).model.take_dirty());
}

#[test]
fn on_the_smallest_screens_one_list_holds_all_tickets() {
    let world = World::board("proposed blocked done").size(39, 9).keys("jj");
    assert_eq!(world.cursor(), Some(3));
    assert!(world.screen().contains("#3 done"));
}

#[test]
fn a_paste_loses_what_cannot_be_seen() {
    let world = World::board("planned").keys("n");
    let world = world.tell(Msg::Paste("a\u{1b}[31m\u{202e}b\r\nc\td".into())).keys("<enter>");
    assert_eq!(world.filed().unwrap().title.as_str(), "a[31mb c    d");
}

#[test]
fn a_paste_that_is_too_long_is_cut_between_characters_and_that_is_said() {
    let world = World::board("planned").keys("n").types("Large").keys("<tab>");
    let world = world.tell(Msg::Paste("é\n".repeat(600_000)));
    assert!(world.screen().contains("the paste was cut: 1 MB of 1.8 MB were taken"), "{}", world.screen());
    let world = world.keys("<a-enter>");
    let description = &world.filed().unwrap().description;
    assert!((1_047_000..=1_048_576).contains(&description.len()), "{} bytes", description.len());
    let world = World::board("planned").keys("n").tell(Msg::Paste("a".repeat(1_000_000))).keys("<enter>");
    assert_eq!(world.filed(), None);
    assert!(world.screen().contains("255"), "{}", world.screen());
}

#[test]
fn the_cursor_goes_to_a_ticket_that_was_filed_here() {
    let world = World::board("planned").keys("n").types("Guard sqrt of negatives").keys("<enter>");
    assert_eq!(world.tell(Msg::Changed(changes(2, "proposed"))).cursor(), Some(2));
}

#[test]
fn an_open_ticket_loads_its_details_again_when_it_changes() {
    let world = World::board("planned planned").keys("<enter>");
    assert!(world.effects.contains(&Effect::LoadDetail(ticket_id(1))));
    let world = world.forget().tell(Msg::Changed(changes(2, "done")));
    assert!(world.effects.is_empty(), "another ticket is none of its business: {:?}", world.effects);
    let world = world.tell(Msg::Changed(changes(1, "blocked")));
    assert_eq!(world.effects.iter().filter(|e| **e == Effect::LoadDetail(ticket_id(1))).count(), 1);
}

#[test]
fn the_log_is_asked_for_only_where_it_is_seen_and_something_ran() {
    let world = World::board("planned executing").size(80, 40).forget();
    let world = world.keys("l");
    assert!(matches!(world.effects.last(), Some(Effect::Watch(Some(request))) if request.ticket == ticket_id(2)));
    let world = world.keys("h");
    assert_eq!(world.effects.last(), Some(&Effect::Watch(None)));
    let world = world.keys("lO");
    assert_eq!(world.effects.last(), Some(&Effect::Watch(None)));
}

#[test]
fn a_log_stops_following_when_it_is_scrolled_up_and_follows_again_at_the_end() {
    let world = World::board("executing").keys("O").answer_log().keys("<s-tab>k").answer_log();
    assert!(world.screen().contains("paused"), "it says that it does not follow");
    assert!(world.keys("G").screen().contains("follow"));
}

#[test]
fn keys_never_go_into_a_log_that_is_not_seen() {
    let world = World::board("executing planned").keys("<s-tab>").size(39, 9).keys("h");
    assert_eq!(world.cursor(), Some(2), "h is a key of the board");
}

#[test]
fn a_late_page_of_another_ticket_is_dropped() {
    let world = World::board("executing blocked").size(80, 40).keys("h");
    let first = world.effects.clone();
    let world = world.keys("l");
    let mut late = World { model: world.model, effects: first };
    late.model.take_dirty();
    let mut late = late.answer_log();
    assert!(!late.model.take_dirty());
}

#[test]
fn elapsed_time_ticks_only_while_something_runs() {
    let mut idle = World::board("planned");
    assert!(!idle.effects.contains(&Effect::WakeEachSecond(true)));
    idle.model.take_dirty();
    let mut idle = idle.tell(Msg::Second(NOW));
    assert!(!idle.model.take_dirty(), "nothing that is shown depends on the time");
    let mut running = World::board("executing");
    assert!(running.effects.contains(&Effect::WakeEachSecond(true)));
    running.model.take_dirty();
    let mut running = running.tell(Msg::Second(NOW));
    assert!(running.model.take_dirty());
    let ended = running.tell(Msg::Changed(changes(1, "needs_human")));
    assert_eq!(ended.effects.last(), Some(&Effect::WakeEachSecond(false)));
}

#[test]
fn a_refusal_stays_until_a_key_is_pressed() {
    let refused = Refused::new(RefusalCode::Waits, "#1 waits for #2", "Run #2 first.");
    let world =
        World::board("planned").size(200, 50).tell(Msg::Refused(refused)).tell(Msg::Changed(changes(1, "planned")));
    assert!(world.screen().contains("#1 waits for #2. Run #2 first."));
    assert!(!world.keys("j").screen().contains("Run #2 first."));
}

#[test]
fn what_was_spent_today_grows_with_what_tickets_cost_more() {
    let mut grown = changes(1, "planned");
    let Some(Change::Ticket(ticket)) = grown.first_mut() else { unreachable!("a ticket is its first change") };
    ticket.usage.cost_micros = Some(580_000);
    let world = World::board("planned").tell(Msg::Changed(grown.clone())).tell(Msg::Changed(grown));
    assert!(world.screen().contains("$2.00 today"));
}

#[test]
fn every_row_of_the_table_does_something() {
    // Actions that nobody takes end in a debug assertion.
    for (context, first) in [
        (Context::Board, "<esc>"),
        (Context::Log, "<s-tab>"),
        (Context::Ticket, "<enter>"),
        (Context::Ticket, "<enter>2"),
        (Context::Diff, "<enter>3"),
        (Context::Form, "n"),
        (Context::Form, "e"),
        (Context::RunWith, "X"),
        (Context::Tell, "t"),
        (Context::Choice, "A"),
        (Context::Dialog, "c"),
        (Context::Help, "?"),
        (Context::Filter, "/"),
        (Context::Palette, ":"),
        (Context::Everywhere, "<esc>"),
    ] {
        for keys in KeyTable::built_in().rows(context).iter().flat_map(|row| &row.keys) {
            World::board("executing planned").keys("l").keys(first).keys(&keys.to_string()).screen();
        }
    }
}

#[test]
fn a_board_opens_where_something_can_be_done() {
    let first = |words: &str| Model::new(setup(board(words))).0.selected_ticket().map(|ticket| ticket.number.0);
    assert_eq!(first("proposed waiting planned executing blocked"), Some(5), "what needs a person");
    assert_eq!(first("proposed waiting planned executing"), Some(4), "else what runs");
    assert_eq!(first("proposed waiting planned"), Some(3), "else what can be run");
    assert_eq!(first("proposed"), Some(1));
    assert_eq!(first(""), None);
}

#[test]
fn older_runs_are_loaded_once_somebody_goes_back_and_the_newest_is_followed_again() {
    let world = World::board("needs_human").size(120, 40).answer_log().forget().keys("<lt>");
    assert_eq!(world.effects, [Effect::LoadDetail(ticket_id(1))]);
    let job = world.model.board().newest_job(ticket_id(1)).cloned().unwrap();
    let run = |n| check(RunId { job: job.id, n });
    let detail = Detail {
        ticket: ticket_id(1),
        description: String::new(),
        jobs: vec![job.clone()],
        runs: vec![run(1), run(2), run(3)],
        revisions: Vec::new(),
        comments: Vec::new(),
        reviews: Vec::new(),
        remarks: Vec::new(),
        evidence: Vec::new(),
        events: Vec::new(),
    };
    let asked = |world: &World| world.model.asked_log().and_then(|request| request.run).map(|run| run.n);
    let world = world.tell(Msg::Detail(Box::new(detail)));
    assert_eq!(asked(&world), Some(2));
    let world = world.answer_log();
    assert!(world.screen().contains("run 2 of 3"), "{}", world.screen());
    assert!(world.screen().contains("check 2/3"), "{}", world.screen());
    let world = world.keys("<lt>");
    assert_eq!(asked(&world), Some(1));
    let world = world.keys("<lt>");
    assert!(world.screen().contains("first run"), "{}", world.screen());
    assert_eq!(asked(&world.keys("<gt><gt>")), None);
}

#[test]
fn a_ticket_at_work_stays_where_it_is_and_the_key_that_stops_it_is_named() {
    for keys in ["H", "L"] {
        let world = World::board("executing").keys(keys);
        assert!(world.acts().is_empty());
        assert!(world.screen().contains("c stops that"), "{}", world.screen());
    }
}

#[test]
fn what_is_not_possible_is_said_and_does_nothing_else() {
    for word in
        ["", "proposed", "planned", "executing", "verifying", "needs_human", "blocked", "done", "queued", "question"]
    {
        for action in KeyTable::built_in().rows(Context::Board).iter().map(|row| row.action) {
            let mut world = World::board(word).size(200, 50).forget();
            let why = world.model.why_not(action);
            let effects = world.model.act(Context::Board, action);
            match why {
                Some(why) => {
                    assert_eq!(effects, [], "{word}: {action}");
                    assert!(why.ends_with('.'), "{why}");
                    assert!(world.screen().contains(&why[..why.len().min(90)]), "{why}\n{}", world.screen());
                }
                None => assert!(!world.screen().contains("cannot"), "{word}: {action}\n{}", world.screen()),
            }
        }
    }
}
