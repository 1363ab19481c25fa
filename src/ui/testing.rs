//! A made-up board for tests: states in, keys as people write them, pictures out. Ids, clock and zone are fixed.

use chrono::FixedOffset;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use uuid::Uuid;

use crate::config::UiConfig;
use crate::domain::autopilot::Autopilot;
use crate::domain::board::{About, Board};
use crate::domain::change::{Change, Live};
use crate::domain::detail::Detail;
use crate::domain::id::{BoardId, JobId, TicketId, TicketNumber};
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::log::{Entry, EntryKind, LogPage, LogRows, LogView};
use crate::domain::revision::{ChangeSize, Revision, RevisionStatus};
use crate::domain::run::{Run, RunEnd, RunId, RunKind};
use crate::domain::sight::Rest;
use crate::domain::state::{Blocked, NeedsHuman, State, StateName};
use crate::domain::ticket::{Ticket, Title, Usage, Worktree};
use crate::domain::time::Timestamp;

use super::keys::{KeyTable, Keys};
use super::msg::{Effect, Msg, Role, Settings, Setup};
use super::screen::board::BoardScreen;
use super::theme::Theme;
use super::widget::testing::picture;
use super::{Filing, Model};

/// 2026-11-24 12:03:41 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_795_521_821_000);

const TITLES: [&str; 8] = [
    "Add JWT authentication to the router",
    "Guard sqrt of negatives",
    "Retry uploads that were cut off in the middle, and say so",
    "Fix prime of 1",
    "Migrate users",
    "Accept 日本語 in names",
    "Speed up the parser",
    "Write the changelog",
];

/// A screen and all that it wanted so far.
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) effects: Vec<Effect>,
}

pub(crate) fn ticket_id(n: u32) -> TicketId {
    TicketId(Uuid::from_u128(u128::from(n)))
}

pub(crate) fn job_id(n: u32) -> JobId {
    JobId(Uuid::from_u128(1_000_000 + u128::from(n)))
}

pub(crate) fn at(seconds_ago: i64) -> Timestamp {
    Timestamp(NOW.0 - seconds_ago * 1_000)
}

pub(crate) fn about() -> About {
    About {
        id: BoardId(Uuid::from_u128(7)),
        name: "payments".into(),
        repo_root: "/home/ada/payments".into(),
        base_branch: "main".into(),
        created_at: at(86_400),
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        agents: vec!["claude".into(), "codex".into()],
        checks: vec!["cargo fmt --check".into(), "cargo test".into()],
        trusted: true,
        would_run: (1..=30).map(|n| format!("sh -c 'check number {n}'")).collect(),
        content: Some("30 checks".into()),
        problem: None,
        warning: None,
        ui: UiConfig::default(),
        max_parallel: 4,
        role: Role::Engine,
        autopilot: Autopilot::Off,
        takeovers: vec!["claude".into()],
        leave_open: false,
        require_checklist: false,
        remote: "origin".to_owned(),
        no_remote: None,
        preferred: "claude".into(),
        missing: vec!["gemini".into(), "gemini-cli".into()],
        indifferent: vec!["demo".into()],
    }
}

pub(crate) fn setup(board: Board) -> Setup {
    Setup {
        board,
        keys: KeyTable::built_in().clone(),
        now: NOW,
        size: (80, 24),
        settings: settings(),
        spent_today: Some(1_420_000),
        rest: Rest::default(),
        theme: Theme::color(),
        zone: FixedOffset::east_opt(0).unwrap(),
        runs: "/home/ada/.local/share/draft/runs".into(),
    }
}

/// Returns a ticket in that state, and what belongs to it there.
pub(crate) fn changes(n: u32, word: &str) -> Vec<Change> {
    let job = job_id(n);
    let state = match word {
        "queued" | "waiting" => State::Planned,
        "question" => State::NeedsHuman { why: NeedsHuman::Question },
        word => match word.parse().unwrap() {
            StateName::Proposed => State::Proposed,
            StateName::Planned => State::Planned,
            StateName::Executing => State::Executing { job },
            StateName::Verifying => State::Verifying { job },
            StateName::NeedsHuman => State::NeedsHuman { why: NeedsHuman::Review },
            StateName::Blocked => State::Blocked { why: Blocked::Failed },
            StateName::Done => State::Done,
            StateName::Abandoned => State::Abandoned,
        },
    };
    let index = usize::try_from(n).unwrap();
    let mut changes = vec![Change::Ticket(Ticket {
        id: ticket_id(n),
        number: TicketNumber(n),
        board: about().id,
        goal: None,
        title: Title::new(TITLES[(index - 1) % TITLES.len()]).unwrap(),
        state,
        reason: reason(state).to_owned(),
        priority: [None, Some(90), Some(70), Some(40)][index % 4].map(|value| value.try_into().unwrap()),
        hand_order: None,
        pull_request: None,
        blocked_by: if word == "waiting" { vec![ticket_id(n - 1)] } else { Vec::new() },
        verify: Vec::new(),
        agent: None,
        model: None,
        base_branch: None,
        message: None,
        worktree: worktree(n, state),
        usage: Usage::default(),
        created_at: at(7_200),
        updated_at: at(92),
        reverts: None,
        landed: None,
        removed_at: None,
    })];
    changes.extend(work(n, word, state));
    changes
}

fn reason(state: State) -> &'static str {
    match state {
        State::Blocked { .. } => "`cargo test` exited with code 101",
        State::NeedsHuman { why: NeedsHuman::Question } => "Which of the two routers do you mean?",
        State::NeedsHuman { .. } => "every check passed",
        State::Abandoned => "not worth it",
        State::Proposed | State::Planned | State::Executing { .. } | State::Verifying { .. } | State::Done => "",
    }
}

fn worktree(n: u32, state: State) -> Option<Worktree> {
    (!matches!(state, State::Proposed | State::Planned)).then(|| Worktree {
        path: format!("/home/ada/.local/share/draft/worktrees/payments/{n}").into(),
        branch: format!("draft/{n}-ticket"),
        base_branch: "main".into(),
        base: "0123456789abcdef0123456789abcdef01234567".into(),
        port: None,
    })
}

/// Returns the job of a ticket, with its runs and its change.
fn work(n: u32, word: &str, state: State) -> Vec<Change> {
    let (kind, status) = match (word, state) {
        ("queued", _) => (JobKind::Execute, JobStatus::Queued),
        (_, State::Executing { .. }) => (JobKind::Execute, JobStatus::Running),
        (_, State::Verifying { .. }) => (JobKind::Verify, JobStatus::Running),
        (_, State::NeedsHuman { .. } | State::Done) => (JobKind::Verify, JobStatus::Succeeded),
        (_, State::Blocked { .. }) => (JobKind::Verify, JobStatus::Failed),
        (_, State::Proposed | State::Planned | State::Abandoned) => return Vec::new(),
    };
    let mut job = Job::queued(job_id(n), ticket_id(n), kind, at(120));
    job.status = status;
    job.steps = (kind == JobKind::Verify).then_some(3);
    if kind == JobKind::Execute {
        (job.agent, job.model) = (Some("claude".into()), Some("opus".into()));
    }
    if status != JobStatus::Queued {
        job.started_at = Some(at(92));
    }
    if !status.is_active() {
        job.finished_at = Some(at(80));
    }
    let id = job.id;
    let mut changes = vec![Change::Job(job)];
    let passed = match status {
        JobStatus::Succeeded => 3,
        JobStatus::Queued | JobStatus::Running | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost => 2,
    };
    if kind == JobKind::Verify {
        changes.extend((1..=passed).map(|run| Change::Run(check(RunId { job: id, n: run }))));
        changes.push(Change::Revision(revision(n)));
    } else if status == JobStatus::Running {
        let usage = Usage { input_tokens: 40_000, output_tokens: 1_500, cost_micros: Some(210_000) };
        changes.push(Change::Live { job: id, live: Live { usage, retrying: None, output_bytes: 9_000 } });
    }
    changes
}

pub(crate) fn check(id: RunId) -> Run {
    Run {
        id,
        kind: RunKind::Check,
        command: "cargo test".into(),
        started_at: at(92),
        finished_at: Some(at(90)),
        end: Some(RunEnd::Exited { code: 0 }),
    }
}

pub(crate) fn revision(n: u32) -> Revision {
    Revision {
        ticket: ticket_id(n),
        number: 1,
        job: job_id(n),
        status: RevisionStatus::Open,
        base: "0".repeat(40),
        tree: "1".repeat(40),
        head: "2".repeat(40),
        size: ChangeSize { files: 2, insertions: 12, deletions: 4 },
        at: at(90),
        ticks: Vec::new(),
    }
}

/// Returns a board with a ticket for each word: a state, or `queued`, `waiting` (for the one before), `question`.
pub(crate) fn board(words: &str) -> Board {
    let mut board = Board::new(about());
    for (word, n) in words.split_whitespace().zip(1..) {
        for change in changes(n, word) {
            board.apply(&change);
        }
    }
    board
}

/// Returns the details of a ticket on which that agent worked, in a session with the name `s-1`.
pub(crate) fn worked(n: u32, agent: &str) -> Detail {
    let mut job = Job::queued(job_id(500 + n), ticket_id(n), JobKind::Execute, at(300));
    job.status = JobStatus::Succeeded;
    (job.agent, job.session) = (Some(agent.to_owned()), Some("s-1".to_owned()));
    Detail {
        ticket: ticket_id(n),
        description: String::new(),
        jobs: vec![job],
        runs: Vec::new(),
        revisions: Vec::new(),
        comments: Vec::new(),
        reviews: Vec::new(),
        remarks: Vec::new(),
        evidence: Vec::new(),
        events: Vec::new(),
    }
}

impl World {
    /// Returns a screen of 80×24 with such a board.
    pub(crate) fn board(words: &str) -> Self {
        Self::of(setup(board(words)))
    }

    /// Returns the screen of a setup, with the cursor on the first ticket of the first column.
    pub(crate) fn of(setup: Setup) -> Self {
        let (mut model, mut effects) = Model::new(setup);
        model.desk = BoardScreen::default();
        effects.extend(model.settle());
        Self { model, effects }
    }

    /// Gives a message.
    pub(crate) fn tell(mut self, msg: Msg) -> Self {
        self.effects.extend(self.model.update(msg));
        self
    }

    /// Presses keys.
    pub(crate) fn keys(mut self, keys: &str) -> Self {
        for key in keys.parse::<Keys>().unwrap().as_slice() {
            self = self.tell(Msg::Key(key.event()));
        }
        self
    }

    /// Types a text.
    pub(crate) fn types(self, typed: &str) -> Self {
        self.keys(&typed.replace('<', "<lt>").replace(' ', "<space>"))
    }

    pub(crate) fn size(self, width: u16, height: u16) -> Self {
        self.tell(Msg::Resize(width, height))
    }

    /// Changes a ticket of the board.
    pub(crate) fn with_ticket(self, n: u32, edit: impl FnOnce(&mut Ticket)) -> Self {
        let mut ticket = self.model.board().ticket(ticket_id(n)).unwrap().clone();
        edit(&mut ticket);
        self.tell(Msg::Changed(vec![Change::Ticket(ticket)]))
    }

    /// Changes the newest job of a ticket.
    pub(crate) fn with_job(self, n: u32, edit: impl FnOnce(&mut Job)) -> Self {
        let mut job = self.model.board().newest_job(ticket_id(n)).unwrap().clone();
        edit(&mut job);
        self.tell(Msg::Changed(vec![Change::Job(job)]))
    }

    /// Forgets what was wanted so far.
    pub(crate) fn forget(mut self) -> Self {
        self.effects.clear();
        self
    }

    /// Answers the newest request for a log with what an agent could have said.
    pub(crate) fn answer_log(self) -> Self {
        let Some(request) = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Watch(request) => Some(request.clone()),
            _ => None,
        }) else {
            return self;
        };
        let Some(request) = request else { return self };
        let rows = match request.view {
            LogView::Pretty => LogRows::Pretty(entries()),
            LogView::Raw => {
                LogRows::Raw(vec!["{\"type\":\"assistant\"}".into(), "\u{1b}[32mok\u{1b}[0m \u{1b}[2J".into()])
            }
        };
        let total = 1_204;
        let first = total - rows.len() as u64;
        let run = Some(RunId { job: job_id(1), n: 1 });
        self.tell(Msg::LogPage(Box::new(LogPage { run, first, total, ..LogPage::of(request, rows) })))
    }

    /// Draws the screen.
    pub(crate) fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.model.size.width, self.model.size.height)).unwrap();
        terminal.draw(|frame| self.model.view(frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// Returns the picture of the screen.
    pub(crate) fn screen(&self) -> String {
        picture(&self.buffer())
    }

    /// Returns the effects that go beyond looking: no watching, loading or waking.
    pub(crate) fn acts(&self) -> Vec<&Effect> {
        let looks = |effect: &&Effect| {
            matches!(
                effect,
                Effect::LoadDetail(_)
                    | Effect::LoadDiff(_)
                    | Effect::LoadChecklist(_)
                    | Effect::Watch(_)
                    | Effect::WatchAll(_)
                    | Effect::WakeEachSecond(_)
                    | Effect::LookAround
            )
        };
        self.effects.iter().filter(|effect| !looks(effect)).collect()
    }

    /// Returns the number of the ticket under the cursor.
    pub(crate) fn cursor(&self) -> Option<u32> {
        self.model.selected_ticket().map(|ticket| ticket.number.0)
    }

    pub(crate) fn filed(&self) -> Option<&Filing> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::File(filing) => Some(filing),
            _ => None,
        })
    }
}

fn entries() -> Vec<(Option<Timestamp>, Entry)> {
    let edit = Entry { path: Some("src/auth/jwt.rs".into()), ..Entry::new(EntryKind::Edit, "+28 -0") };
    let command = Entry { exit_code: Some(0), ..Entry::new(EntryKind::Command, "cargo check") };
    vec![
        (Some(at(30)), Entry::new(EntryKind::Assistant, "I'll add the middleware and wire it into the router.")),
        (Some(at(27)), edit),
        (Some(at(19)), command),
        (None, Entry::new(EntryKind::Error, "\u{1b}[31merror[E0425]\u{1b}[0m: cannot find value `secret`")),
    ]
}
