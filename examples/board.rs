//! A made-up board, for looking at the screen: `cargo run --example board [TICKETS]`. Nothing is run or stored; what
//! would be done is shown in the bottom line.

use std::io;

use chrono::{FixedOffset, Utc};
use crossterm::event::{self, Event};
use draft_board::config::UiConfig;
use draft_board::domain::autopilot::Autopilot;
use draft_board::domain::board::{About, Board};
use draft_board::domain::change::Change;
use draft_board::domain::command::{RefusalCode, Refused};
use draft_board::domain::id::{BoardId, JobId, TicketId, TicketNumber};
use draft_board::domain::job::{Job, JobKind, JobStatus};
use draft_board::domain::log::{Entry, EntryKind, LogPage, LogRows};
use draft_board::domain::sight::Rest;
use draft_board::domain::state::{Blocked, NeedsHuman, State};
use draft_board::domain::ticket::{Ticket, Title, Usage};
use draft_board::domain::time::Timestamp;
use draft_board::ui::keys::KeyTable;
use draft_board::ui::terminal::Terminal;
use draft_board::ui::theme::Theme;
use draft_board::ui::{Effect, Model, Msg, Role, Settings, Setup};
use uuid::Uuid;

fn main() -> io::Result<()> {
    let tickets = std::env::args().nth(1).and_then(|number| number.parse().ok()).unwrap_or(24);
    let mut terminal = Terminal::enter()?;
    let (mut model, effects) = Model::new(setup(board(tickets), terminal.size()?));
    let mut left = answer(&mut model, effects);
    while !left {
        if model.take_dirty() {
            terminal.draw(|frame| model.view(frame))?;
        }
        let msg = match event::read()? {
            Event::Key(key) => Msg::Key(key),
            Event::Paste(text) => Msg::Paste(text),
            Event::Resize(width, height) => Msg::Resize(width, height),
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) => continue,
        };
        let effects = model.update(msg);
        left = answer(&mut model, effects);
    }
    terminal.leave()
}

/// Plays the world: answers what can be answered, and says whether the board is to be left.
fn answer(model: &mut Model, effects: Vec<Effect>) -> bool {
    for effect in effects {
        let msg = match effect {
            Effect::Quit { .. } => return true,
            Effect::Watch(Some(request)) => {
                let said = |text: &str| (Some(now()), Entry::new(EntryKind::Assistant, text));
                let rows =
                    LogRows::Pretty(vec![said("I'll look at the router first."), said("Then I'll add the test.")]);
                Msg::LogPage(Box::new(LogPage::of(request, rows)))
            }
            Effect::Do(command) => Msg::Failed(format!("this board is made up; it would do: {command:?}")),
            Effect::DoAll(commands) => {
                let message = format!("this board is made up; it would do: {commands:?}");
                Msg::Done(vec![Err(Refused::new(RefusalCode::Failed, message, ""))])
            }
            Effect::EditText { .. } => Msg::Written(Err("this board is made up and has no editor".to_owned())),
            Effect::HandOver(visit) => Msg::Failed(format!("this board is made up: {}", visit.greeting)),
            Effect::Comment { body, .. } => Msg::Failed(format!("this board is made up; it would say: {body}")),
            Effect::File(filing) => Msg::Failed(format!("this board is made up; it would file: {}", filing.title)),
            Effect::LoadDetail(_)
            | Effect::Watch(None)
            | Effect::Trust { .. }
            | Effect::Allow(_)
            | Effect::Copy(_)
            | Effect::SaveLog { .. }
            | Effect::WatchAll(_)
            | Effect::PageLog(_)
            | Effect::LookAround
            | Effect::LoadDiff(_)
            | Effect::LoadChecklist(_)
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Notify(_)
            | Effect::AddGoal(_)
            | Effect::LoadBoards
            | Effect::Switch(_)
            | Effect::WakeEachSecond(_) => continue,
        };
        model.update(msg);
    }
    false
}

fn now() -> Timestamp {
    Timestamp::from(Utc::now())
}

fn setup(board: Board, size: (u16, u16)) -> Setup {
    Setup {
        board,
        keys: KeyTable::built_in().clone(),
        now: now(),
        size,
        settings: Settings {
            agents: vec!["claude".into(), "codex".into()],
            checks: vec!["cargo test".into()],
            trusted: false,
            would_run: vec!["cargo test".into()],
            content: Some("cargo test".into()),
            problem: None,
            warning: None,
            ui: UiConfig::default(),
            max_parallel: 4,
            role: Role::Engine,
            autopilot: Autopilot::Off,
            takeovers: vec!["claude".into()],
            leave_open: true,
            require_checklist: false,
            remote: "origin".to_owned(),
            no_remote: None,
            preferred: "claude".into(),
            missing: Vec::new(),
            indifferent: Vec::new(),
        },
        spent_today: Some(1_420_000),
        rest: Rest::default(),
        theme: Theme::color(),
        zone: FixedOffset::east_opt(0).unwrap_or_else(|| unreachable!("no offset is an offset")),
        runs: "/tmp/runs".into(),
    }
}

fn board(tickets: u32) -> Board {
    let id = BoardId(Uuid::from_u128(1));
    let about =
        About { id, name: "made up".into(), repo_root: ".".into(), base_branch: "main".into(), created_at: now() };
    let mut board = Board::new(about);
    for n in 1..=tickets {
        let (ticket, job) = ticket(id, n);
        board.apply(&Change::Ticket(ticket));
        if let Some(job) = job {
            board.apply(&Change::Job(job));
        }
    }
    board
}

fn ticket(board: BoardId, n: u32) -> (Ticket, Option<Job>) {
    let job = JobId(Uuid::from_u128(u128::from(n)));
    let state = match n % 8 {
        0 => State::Executing { job },
        1 | 2 => State::Proposed,
        3 | 4 => State::Planned,
        5 => State::NeedsHuman { why: NeedsHuman::Review },
        6 => State::Blocked { why: Blocked::Failed },
        _ => State::Done,
    };
    let id = TicketId(Uuid::from_u128(u128::from(n)));
    let title = Title::new(&format!("Made-up ticket {n}, which wants something done"))
        .unwrap_or_else(|error| unreachable!("the title is short: {error}"));
    let ticket = Ticket {
        id,
        number: TicketNumber(n),
        board,
        goal: None,
        title,
        state,
        reason: String::new(),
        priority: "P1".parse().ok(),
        hand_order: None,
        pull_request: None,
        blocked_by: Vec::new(),
        verify: Vec::new(),
        agent: None,
        model: None,
        base_branch: None,
        message: None,
        worktree: None,
        usage: Usage::default(),
        created_at: now(),
        updated_at: now(),
        reverts: None,
        landed: None,
        removed_at: None,
    };
    let running = state.job().map(|job| Job {
        status: JobStatus::Running,
        agent: Some("claude".into()),
        started_at: Some(now()),
        ..Job::queued(job, id, JobKind::Execute, now())
    });
    (ticket, running)
}
