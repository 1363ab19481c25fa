//! What leads a ticket on that has worked before: checks again, edits taken over, a word to its agent, a visit to its
//! worktree, and the autopilot.

use crate::domain::autopilot::Autopilot;
use crate::domain::change::Change;
use crate::domain::command::{AgentChoice, Command, RefusalCode, Refused};
use crate::domain::detail::Detail;
use crate::domain::event::{Actor, Event, EventKind, NewEvent};
use crate::domain::id::TicketRef;
use crate::domain::job::JobStatus;
use crate::domain::run::{Run, RunId, RunKind};
use crate::domain::state::StateName;
use crate::domain::ticket::Message;
use crate::ui::msg::{Effect, Guest, Msg, Settings, Visit};
use crate::ui::testing::{NOW, World, check, settings, ticket_id, worked};

fn named(n: u32) -> TicketRef {
    TicketRef::Id(ticket_id(n))
}

fn told(n: u32, text: &str) -> Effect {
    Effect::Do(Command::Tell { ticket: named(n), text: Some(text.to_owned()) })
}

fn untrusted(words: &str) -> World {
    World::board(words).tell(Msg::Settings(Box::new(Settings { trusted: false, ..settings() })))
}

fn trust() -> Effect {
    Effect::Trust { content: "30 checks".into() }
}

#[test]
fn checks_and_edits_are_asked_for_and_need_trust() {
    let verify = Effect::Do(Command::Verify { ticket: named(1) });
    let resume = Effect::Do(Command::Resume { ticket: named(1) });
    for state in ["needs_human", "blocked"] {
        assert_eq!(World::board(state).keys("V").acts(), [&verify]);
        assert_eq!(World::board(state).keys("s").acts(), [&resume]);
        let asked = untrusted(state).keys("V");
        assert!(asked.screen().contains("To check it, Draft runs"), "{}", asked.screen());
        assert_eq!(asked.keys("y").acts(), [&trust(), &verify]);
        assert!(untrusted(state).keys("s<enter>").acts().is_empty());
    }
    let refused = untrusted("planned").keys("V");
    assert!(refused.acts().is_empty(), "the rules refuse it, and nobody is asked for trust before that");
    assert!(refused.screen().contains("#1"), "{}", refused.screen());
}

#[test]
fn the_autopilot_is_chosen_by_a_number_or_from_the_list() {
    let set = |mode| Effect::Do(Command::SetAutopilot(mode));
    assert_eq!(World::board("planned").keys("A<enter>").acts(), [&set(Autopilot::On)]);
    assert_eq!(World::board("planned").keys("A2").acts(), [&set(Autopilot::Finish)]);
    assert_eq!(World::board("planned").keys("Ajj<enter>").acts(), [&set(Autopilot::Off)]);
    assert!(World::board("planned").keys("A<esc>").acts().is_empty());
    let asked = untrusted("planned").keys("A1");
    assert!(asked.screen().contains("To run tickets"), "{}", asked.screen());
    assert_eq!(asked.keys("y").acts(), [&trust(), &set(Autopilot::On)]);
    assert_eq!(untrusted("planned").keys("A3").acts(), [&set(Autopilot::Off)], "this runs nothing");
}

#[test]
fn the_header_tells_the_mode_and_the_setting_holds_until_somebody_says_something() {
    let world = World::board("executing").size(120, 24);
    assert!(world.screen().contains("○ autopilot off   1/4 running"), "{}", world.screen());
    let world = world.tell(Msg::Settings(Box::new(Settings { autopilot: Autopilot::On, ..settings() })));
    assert!(world.screen().contains("● autopilot 1/4 running"), "{}", world.screen());
    let world = world.tell(Msg::Changed(vec![Change::Autopilot(Autopilot::Finish)]));
    assert!(world.screen().contains("◐ finishing 1/4 running"), "{}", world.screen());
}

#[test]
fn a_message_has_lines_and_is_told() {
    let world = World::board("executing").keys("t").types("Use zod").keys("<a-enter>").types("not yup");
    let world = world.tell(Msg::Paste("\nnever\u{1b}".into()));
    assert!(world.screen().contains("Tell #1's agent"), "{}", world.screen());
    assert_eq!(world.keys("<enter>").acts(), [&told(1, "Use zod\nnot yup\nnever")]);
}

#[test]
fn a_message_that_waits_is_gone_on_with_and_an_empty_one_takes_it_back() {
    let message = Some(Message { text: "Use zod".into(), at: NOW });
    let world = World::board("executing").with_ticket(1, |ticket| ticket.message = message);
    assert!(world.screen().contains('✉'), "{}", world.screen());
    let world = world.keys("t").types("!").keys("<enter>");
    assert_eq!(world.acts(), [&told(1, "Use zod!")]);
    let emptied = world.forget().keys("t<c-u><enter>");
    assert_eq!(emptied.acts(), [&Effect::Do(Command::Tell { ticket: named(1), text: None })]);
    let nothing = World::board("executing").keys("t<enter>");
    assert!(nothing.acts().is_empty());
    assert!(nothing.screen().contains("an empty message tells nothing"), "{}", nothing.screen());
}

#[test]
fn a_question_is_answered_where_it_stands() {
    let world = World::board("question").size(120, 40);
    assert!(world.screen().contains("t answer"), "{}", world.screen());
    let world = world.keys("t");
    assert!(world.screen().contains("Answer #1's agent"), "{}", world.screen());
    assert!(world.screen().contains("? Which of the two routers do you mean?"));
    assert_eq!(world.types("The new one.").keys("<enter>").acts(), [&told(1, "The new one.")]);
}

#[test]
fn a_message_is_kept_when_it_is_put_aside_or_refused_until_it_has_arrived() {
    let again = |world: World| world.forget().keys("t<enter>");
    let aside = World::board("executing planned").size(160, 24).keys("lt").types("Use zod").keys("<esc>");
    assert!(aside.screen().contains("t goes on with it"), "{}", aside.screen());
    let sent = again(aside);
    assert_eq!(sent.acts(), [&told(1, "Use zod")]);
    let sent = again(sent.tell(Msg::Refused(Refused::new(RefusalCode::BadValue, "a message is too long", ""))));
    assert_eq!(sent.acts(), [&told(1, "Use zod")]);
    let arrived = Event {
        seq: 9,
        event: NewEvent {
            ticket: ticket_id(1),
            at: NOW,
            kind: EventKind::Comment,
            from: None,
            to: None,
            actor: Actor::human(),
            reason: "a message for its agent".into(),
            payload: serde_json::json!({ "message": "Use zod" }),
        },
    };
    let sent = sent.tell(Msg::Changed(vec![Change::Event(arrived)]));
    assert!(sent.screen().contains("#1 message: Use zod"), "{}", sent.screen());
    assert!(again(sent).acts().is_empty());
}

#[test]
fn a_message_that_is_refused_for_want_of_trust_is_told_again_once_there_is_trust() {
    let refused = Refused::new(RefusalCode::NotTrusted, "these commands are not trusted yet", "");
    let world = World::board("blocked").keys("t").types("Again").keys("<enter>").forget().tell(Msg::Refused(refused));
    assert!(world.screen().contains("Trust this repository's commands?"), "{}", world.screen());
    assert_eq!(world.keys("y").acts(), [&trust(), &told(1, "Again")]);
}

fn visit(n: u32, program: Guest) -> Effect {
    let what = match program {
        Guest::Shell => "a shell",
        Guest::Editor => "your editor",
        Guest::Session { .. } => "claude's session",
    };
    Effect::HandOver(Visit {
        ticket: ticket_id(n),
        folder: format!("/home/ada/.local/share/draft/worktrees/payments/{n}").into(),
        program,
        greeting: format!("draft: {what} in the worktree of #{n}; the board comes back when it ends"),
    })
}

#[test]
fn a_shell_opens_at_once_unless_there_is_a_session_to_choose() {
    let asked = World::board("needs_human").keys("!");
    assert!(asked.effects.contains(&Effect::LoadDetail(ticket_id(1))));
    let shell = asked.tell(Msg::Detail(Box::new(worked(1, "demo"))));
    assert_eq!(shell.acts(), [&visit(1, Guest::Shell)]);
    let offered = || World::board("blocked").keys("!").tell(Msg::Detail(Box::new(worked(1, "claude"))));
    assert!(offered().screen().contains("claude's own session"), "{}", offered().screen());
    assert_eq!(offered().keys("<enter>").acts(), [&visit(1, Guest::Shell)]);
    let session = Guest::Session { agent: "claude".into(), session: "s-1".into() };
    assert_eq!(offered().keys("2").acts(), [&visit(1, session)]);
}

#[test]
fn nobody_is_let_into_a_worktree_where_something_works() {
    for (words, said) in [
        ("planned", "no worktree yet"),
        ("executing", "an agent works in #1's worktree"),
        ("verifying", "#1's verify job works"),
        ("queued", "may start at any moment"),
    ] {
        let world = World::board(words).size(120, 24).keys("!");
        assert!(world.screen().contains(said), "{said}: {}", world.screen());
        let world = world.tell(Msg::Detail(Box::new(worked(1, "demo"))));
        assert!(world.acts().is_empty());
    }
    let begun = World::board("blocked").keys("!").with_job(1, |job| job.status = JobStatus::Queued);
    assert!(begun.tell(Msg::Detail(Box::new(worked(1, "demo")))).acts().is_empty(), "it was queued meanwhile");
}

#[test]
fn whoever_comes_back_from_a_worktree_is_asked_and_can_do_it_later() {
    let back = || World::board("needs_human").size(160, 24).tell(Msg::Returned { ticket: ticket_id(1), trouble: None });
    assert!(back().screen().contains("Take over what you did?"), "{}", back().screen());
    let resume = Effect::Do(Command::Resume { ticket: named(1) });
    assert_eq!(back().keys("y").acts(), [&resume]);
    let later = back().keys("<enter>");
    assert!(later.acts().is_empty());
    assert!(later.screen().contains("s take over"), "{}", later.screen());
    assert_eq!(later.keys("s").acts(), [&resume]);
    let trouble = Some("claude's session ended with code 1".to_owned());
    let world = World::board("planned").tell(Msg::Returned { ticket: ticket_id(1), trouble });
    assert!(world.screen().contains("claude's session ended with code 1"), "{}", world.screen());
}

#[test]
fn a_card_tells_what_its_ticket_waits_for() {
    let world = World::board("planned waiting queued").size(160, 40);
    assert!(world.screen().contains("○ waits for you to run it"), "{}", world.screen());
    assert!(world.screen().contains("○ waits for #1"));
    assert!(world.screen().contains("○ queued: waits for a free slot"));
    let on = world.tell(Msg::Changed(vec![Change::Autopilot(Autopilot::On)]));
    assert!(on.screen().contains("○ waits for a free slot"), "{}", on.screen());
    let held = on.with_job(3, |job| job.reason = "waits for memory: 300 MB are free, 1.0 GB are wanted".into());
    assert!(held.screen().contains("○ waits for memory: 300 MB"), "{}", held.screen());
}

#[test]
fn a_ticket_that_was_sent_back_and_not_started_yet_shows_as_queued() {
    let world = World::board("executing").with_job(1, |job| {
        (job.status, job.rework) = (JobStatus::Queued, Some(1));
    });
    assert!(world.screen().contains("↻ sent back 1×"), "{}", world.screen());
    assert!(world.screen().contains("○ queued: waits for a free slot"));
    assert_eq!(world.model.current_column(), Some(StateName::Executing));
}

#[test]
fn a_log_names_the_set_up_the_attempt_and_the_clean_up() {
    let world = World::board("executing").size(160, 40).with_job(1, |job| job.attempt = 2);
    let job = world.model.board().newest_job(ticket_id(1)).cloned().unwrap();
    let run = |n: u32, kind| Run { kind, ..check(RunId { job: job.id, n }) };
    let kinds = [RunKind::Setup, RunKind::Setup, RunKind::Execute, RunKind::Execute, RunKind::Cleanup];
    let runs: Vec<Run> = kinds.into_iter().zip(1..).map(|(kind, n)| run(n, kind)).collect();
    let world = world.tell(Msg::Changed(vec![Change::Run(runs[0].clone())]));
    assert!(world.screen().contains("#1 set-up 1 · cargo test"), "how many there are is not known: {}", world.screen());
    let mut world = world.tell(Msg::Changed(runs.iter().cloned().map(Change::Run).collect()));
    let detail = Detail { jobs: vec![job], runs, ..worked(1, "claude") };
    let back = ["#1 clean-up 1", "attempt 2", "attempt 1", "#1 set-up 2/2", "#1 set-up 1/2"];
    for (n, title) in back.into_iter().enumerate() {
        assert!(world.screen().contains(title), "{title}: {}", world.screen());
        world = world.keys("<lt>");
        if n == 0 {
            world = world.tell(Msg::Detail(Box::new(detail.clone())));
        }
    }
}

#[test]
fn an_agent_is_not_started_for_what_is_done_before_somebody_said_so() {
    let run = Effect::Do(Command::Run { ticket: named(1), choice: AgentChoice::default() });
    for keys in ["x", "H"] {
        let asked = World::board("done").keys(keys);
        assert!(asked.acts().is_empty(), "{keys}");
        assert!(asked.screen().contains("Run it, although it is done?"), "{}", asked.screen());
        assert!(asked.screen().contains("What landed stays there"), "{}", asked.screen());
        assert_eq!(asked.keys("y").acts(), [&run]);
        assert!(World::board("done").keys(keys).keys("<enter>").acts().is_empty(), "no is the harmless answer");
    }
    assert_eq!(World::board("planned").keys("x").acts(), [&run]);
}

#[test]
fn a_pull_request_is_refused_before_anything_is_promised_where_there_is_no_remote() {
    let without = || Msg::Settings(Box::new(Settings { no_remote: Some("no remote `origin`.".into()), ..settings() }));
    let open = || World::board("needs_human").tell(without()).keys("P");
    assert!(!open().screen().contains("Open a pull request?"), "{}", open().screen());
    assert!(open().effects.contains(&Effect::LookAround), "somebody may have added one");
    let refused = open().tell(without());
    assert!(refused.screen().contains("no remote `origin`."), "{}", refused.screen());
    let asked = open().tell(Msg::Settings(Box::new(settings())));
    assert!(asked.screen().contains("Open a pull request?"), "{}", asked.screen());
}
