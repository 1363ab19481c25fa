//! Questions that are asked before something is lost or started. Enter gives the answer that loses nothing.

use std::path::PathBuf;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use crate::domain::command::Command;
use crate::domain::id::{GoalId, TicketId, TicketNumber};
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::pull_request::Errand;
use crate::ui::keys::{Action, Context, Keys};
use crate::ui::model::Model;
use crate::ui::msg::{Effect, LogText, StopAgents};
use crate::ui::theme::Role;
use crate::ui::widget::text;
use crate::ui::words;

use super::layout::{inner, put, split_bottom};
use super::places::Place;

/// The widest that a question gets.
const WIDEST: u16 = 76;

/// A question, and how far its text is scrolled.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) struct Dialog {
    pub(in crate::ui) question: Question,
    scroll: usize,
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) enum Question {
    /// Leave, although something runs?
    Quit,
    /// Stop the tickets' jobs?
    Cancel {
        /// The tickets.
        tickets: Vec<TicketId>,
    },
    /// Give tickets up?
    Abandon {
        /// The tickets.
        tickets: Vec<TicketId>,
        /// What is done then, all of it.
        then: Vec<Command>,
    },
    /// Let agents work on tickets, although some are done?
    RunAnew {
        /// Those that are done.
        tickets: Vec<TicketId>,
        /// What is done then, all of it.
        then: Vec<Command>,
    },
    /// Take tickets off the board?
    Remove {
        /// The tickets.
        tickets: Vec<TicketId>,
    },
    /// Approve the revision, although comments are not resolved?
    Approve {
        /// The ticket.
        ticket: TicketId,
        /// The revision.
        revision: u32,
    },
    /// Take over what was done by hand in the ticket's worktree?
    TakeOver {
        /// The ticket.
        ticket: TicketId,
    },
    /// Push the change, and open a pull request for it where there is none?
    Offer {
        /// The ticket.
        ticket: TicketId,
        /// What is asked for.
        errand: Errand,
    },
    /// Trust the repository's commands, then do what was asked for?
    Trust {
        /// What was asked for.
        then: Vec<Command>,
    },
    /// Take a goal off the board?
    RemoveGoal {
        /// The goal.
        goal: GoalId,
        /// Its row in the list.
        at: usize,
    },
    /// Leave for another board, although something runs?
    Switch {
        /// Its repository.
        to: PathBuf,
    },
    /// Put a log in the place of a file that is there?
    Overwrite {
        /// The log.
        text: LogText,
        /// The file.
        path: String,
    },
}

impl Dialog {
    /// Returns the question as it is at first.
    pub(in crate::ui) fn new(question: Question) -> Self {
        Self { question, scroll: 0 }
    }
}

impl Model {
    /// Takes a key while a question is asked. `dialog` is taken off the screen; to keep it, it is put back.
    pub(in crate::ui) fn answer(&mut self, dialog: Dialog, action: Action) -> Vec<Effect> {
        match action {
            Action::Agree => self.agreed(dialog.question),
            Action::Safe => match dialog.question {
                // Leaving stops nothing, so it is the harmless answer here.
                question @ (Question::Quit | Question::Switch { .. }) => self.agreed(question),
                question => self.declined(&question),
            },
            Action::StopAgents if dialog.question == Question::Quit => {
                vec![Effect::Quit { stop_agents: StopAgents::Yes }]
            }
            Action::Decline => self.declined(&dialog.question),
            Action::Down => self.keep(Dialog { scroll: self.scrolled(&dialog, 1), ..dialog }),
            Action::Up => self.keep(Dialog { scroll: self.scrolled(&dialog, -1), ..dialog }),
            // Stopping agents answers no other question, and the table has no other action here.
            _ => self.keep(dialog),
        }
    }

    /// Goes back to where the question came from.
    fn declined(&mut self, question: &Question) -> Vec<Effect> {
        match question {
            Question::RemoveGoal { at, .. } => self.show_place(Place::Goals, *at),
            Question::Quit
            | Question::Switch { .. }
            | Question::Cancel { .. }
            | Question::Abandon { .. }
            | Question::RunAnew { .. }
            | Question::Remove { .. }
            | Question::Approve { .. }
            | Question::TakeOver { .. }
            | Question::Offer { .. }
            | Question::Trust { .. }
            | Question::Overwrite { .. } => {}
        }
        Vec::new()
    }

    fn keep(&mut self, dialog: Dialog) -> Vec<Effect> {
        self.over = Some(super::Overlay::Dialog(dialog));
        Vec::new()
    }

    fn scrolled(&self, dialog: &Dialog, by: isize) -> usize {
        let area = self.over_area();
        let frame = frame(self, dialog, area);
        let lines = body(self, dialog, content(frame).width).len();
        let most = lines.saturating_sub(text_area(frame).height.into());
        dialog.scroll.saturating_add_signed(by).min(most)
    }
}

fn title(dialog: &Dialog) -> &'static str {
    match &dialog.question {
        Question::Quit => "Leave the board?",
        Question::Cancel { tickets } if tickets.len() > 1 => "Stop these jobs?",
        Question::Cancel { .. } => "Stop this job?",
        Question::Abandon { tickets, .. } if tickets.len() > 1 => "Give these tickets up?",
        Question::Abandon { .. } => "Give this ticket up?",
        Question::RunAnew { tickets, .. } if tickets.len() > 1 => "Run these, although they are done?",
        Question::RunAnew { .. } => "Run it, although it is done?",
        Question::Remove { tickets } if tickets.len() > 1 => "Delete these tickets?",
        Question::Remove { .. } => "Delete this ticket?",
        Question::Approve { .. } => "Approve it all the same?",
        Question::TakeOver { .. } => "Take over what you did?",
        Question::Offer { errand: Errand::Push, .. } => "Push to its pull request?",
        Question::Offer { .. } => "Open a pull request?",
        Question::Trust { .. } => "Trust this repository's commands?",
        Question::Overwrite { .. } => "Overwrite this file?",
        Question::RemoveGoal { .. } => "Remove this goal?",
        Question::Switch { .. } => "Leave for another board?",
    }
}

/// Returns the text: paragraphs, before they are wrapped.
fn paragraphs(model: &Model, dialog: &Dialog) -> Vec<(Role, String)> {
    let named = |id: TicketId| {
        model.board.ticket(id).map_or_else(String::new, |ticket| format!("{} {}", ticket.number, ticket.title))
    };
    match &dialog.question {
        Question::Quit => vec![(Role::Text, model.what_goes_on())],
        Question::Cancel { tickets } if tickets.len() > 1 => {
            let said = "Their jobs are stopped, or leave the queue. Worktrees stay as they are.";
            all_named(tickets, named, said.to_owned())
        }
        Question::Cancel { tickets } => {
            let Some(ticket) = tickets.first() else { return Vec::new() };
            let job = model.board.active_job(*ticket);
            let what = match job.map(|job| (job.status, job.kind)) {
                Some((JobStatus::Running, JobKind::Land)) if job.is_some_and(|job| job.recheck) => {
                    "What checks its result is stopped. Nothing else changes.".to_owned()
                }
                Some((JobStatus::Queued, kind)) => format!("Its {kind} job leaves the queue."),
                Some((_, kind @ (JobKind::Resume | JobKind::PullRequest))) => {
                    format!("Its {kind} job is stopped. Nothing else changes.")
                }
                Some((_, kind)) => {
                    format!("Its {kind} job is stopped. The worktree stays as it is; the ticket becomes blocked.")
                }
                None => "Its job is over already.".to_owned(),
            };
            vec![(Role::Title, named(*ticket)), (Role::Text, what)]
        }
        Question::Abandon { tickets, .. } if tickets.len() > 1 => {
            let said = format!(
                "They leave the board; {} shows abandoned tickets, and {} takes them back.",
                model.key_of(Action::ToggleAbandoned),
                model.key_of(Action::MoveBack)
            );
            all_named(tickets, named, said)
        }
        Question::Abandon { tickets, .. } => {
            let said = format!(
                "It leaves the board; {} shows abandoned tickets, and {} takes it back.",
                model.key_of(Action::ToggleAbandoned),
                model.key_of(Action::MoveBack)
            );
            all_named(tickets, named, said)
        }
        Question::RunAnew { tickets, .. } => {
            let said = "An agent starts anew from the target branch. What landed stays there; to take it back, ";
            all_named(tickets, named, format!("{said}{} files a ticket of its own.", model.key_of(Action::Revert)))
        }
        Question::Remove { tickets } => {
            let mut lines: Vec<(Role, String)> = Vec::new();
            for ticket in tickets {
                lines.push((Role::Title, named(*ticket)));
                lines.extend(what_goes(model, *ticket).into_iter().map(|line| (Role::Text, line)));
            }
            lines.push((Role::Dim, format!("{} undoes it while this board is open.", model.key_of(Action::Undo))));
            lines
        }
        Question::Approve { ticket, revision } => {
            let open = model.board.open_comments(*ticket).count();
            let verb = if open == 1 { "is" } else { "are" };
            let said = format!("{} on revision {revision} {verb} not resolved.", words::count(open, "comment"));
            vec![(Role::Title, named(*ticket)), (Role::Text, said)]
        }
        Question::TakeOver { ticket } => vec![
            (Role::Title, named(*ticket)),
            (
                Role::Text,
                format!(
                    "What its worktree holds now becomes a revision, and the checks run on it. {} does the same later.",
                    model.key_of(Action::Resume)
                ),
            ),
        ],
        Question::Offer { ticket, errand } => {
            vec![(Role::Title, named(*ticket)), (Role::Text, model.offer(*ticket, errand))]
        }
        Question::Trust { then } => trust(model, then, named),
        Question::RemoveGoal { goal, .. } => {
            let title = model.board.goal(*goal).map_or("a goal that is gone", |goal| goal.title.as_str());
            let left = model.board.tickets().filter(|ticket| ticket.goal == Some(*goal)).count();
            let stay = match left {
                0 => "No ticket serves it.".to_owned(),
                1 => "Its ticket stays, without a goal.".to_owned(),
                more => format!("Its {more} tickets stay, without a goal."),
            };
            vec![
                (Role::Title, title.to_owned()),
                (Role::Text, stay),
                (Role::Dim, "`draft restore` with its title brings it back to them.".to_owned()),
            ]
        }
        Question::Switch { to } => {
            vec![(Role::Title, to.to_string_lossy().into_owned()), (Role::Text, model.what_goes_on())]
        }
        Question::Overwrite { text, path } => vec![
            (Role::Title, path.clone()),
            (Role::Text, format!("What it holds is lost; the log of {} takes its place.", named(text.request.ticket))),
        ],
    }
}

/// Returns the names of tickets and what happens to all of them.
fn all_named(tickets: &[TicketId], named: impl Fn(TicketId) -> String, said: String) -> Vec<(Role, String)> {
    tickets.iter().map(|id| (Role::Title, named(*id))).chain([(Role::Text, said)]).collect()
}

/// Returns what goes with a ticket that is taken off the board, and who waits for it.
fn what_goes(model: &Model, id: TicketId) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(worktree) = model.board.ticket(id).and_then(|ticket| ticket.worktree.as_ref()) {
        lines.push(format!("Its worktree with branch {} goes into the trash.", text::visible(&worktree.branch)));
    }
    let waiting = model.index.dependents(id).filter_map(|id| model.board.ticket(id));
    let mut waiting: Vec<TicketNumber> = waiting.map(|ticket| ticket.number).collect();
    waiting.sort();
    if !waiting.is_empty() {
        let verb = if waiting.len() == 1 { "waits" } else { "wait" };
        lines.push(format!("{} {verb} for it, and will not any more.", words::numbers(&waiting)));
    }
    lines
}

fn trust(model: &Model, then: &[Command], named: impl Fn(TicketId) -> String) -> Vec<(Role, String)> {
    let (about, what) = match then {
        [command] => (command.ticket(), needed_for(command)),
        _ => (None, "To run them"),
    };
    let about = about.and_then(|ticket| model.board.find(ticket));
    let several = then.len() > 1;
    let title = match about {
        Some(ticket) => named(ticket.id),
        None if several => words::count(then.len(), "ticket"),
        None => "The autopilot".to_owned(),
    };
    let mut lines = vec![
        (Role::Title, title),
        (
            Role::Text,
            format!("{what}, Draft runs what draft.yaml of this repository says. Trust holds until that file changes."),
        ),
        (Role::Text, String::new()),
    ];
    if model.settings.would_run.is_empty() {
        lines.push((Role::Dim, "(no command)".to_owned()));
    }
    let commands = model.settings.would_run.iter();
    lines.extend(commands.map(|command| (Role::Code, format!("{} {command}", model.theme.glyphs.command))));
    lines
}

/// Returns what the repository's commands are needed for.
fn needed_for(command: &Command) -> &'static str {
    match command.job() {
        Some(JobKind::Verify | JobKind::Resume) => "To check it",
        Some(JobKind::Land) => "To check what is to land",
        Some(JobKind::Execute) => "To run it",
        None if matches!(command, Command::Revert { .. }) => "To check what takes it back",
        Some(JobKind::PullRequest) | None => "To run tickets",
    }
}

/// Returns the answers in words.
fn answers(model: &Model, question: &Question) -> Vec<(Action, &'static str)> {
    match question {
        Question::Quit if model.may_stop_agents() => {
            vec![(Action::Agree, "leave"), (Action::StopAgents, "stop the agents first"), (Action::Decline, "stay")]
        }
        Question::Quit => vec![(Action::Agree, "leave"), (Action::Decline, "stay")],
        Question::Cancel { tickets } if tickets.len() > 1 => {
            vec![(Action::Agree, "stop them"), (Action::Decline, "let them go on")]
        }
        Question::Cancel { .. } => vec![(Action::Agree, "stop it"), (Action::Decline, "let it go on")],
        Question::Abandon { tickets, .. } if tickets.len() > 1 => {
            vec![(Action::Agree, "give them up"), (Action::Decline, "keep them")]
        }
        Question::Abandon { .. } => vec![(Action::Agree, "give it up"), (Action::Decline, "keep it")],
        Question::RunAnew { .. } => vec![(Action::Agree, "run"), (Action::Decline, "leave it done")],
        Question::Remove { .. } => vec![(Action::Agree, "delete"), (Action::Decline, "keep")],
        Question::Approve { .. } => vec![(Action::Agree, "approve"), (Action::Decline, "not yet")],
        Question::TakeOver { .. } => vec![(Action::Agree, "take it over"), (Action::Decline, "not now")],
        Question::Offer { errand: Errand::Push, .. } => vec![(Action::Agree, "push it"), (Action::Decline, "not now")],
        Question::Offer { .. } => vec![(Action::Agree, "open it"), (Action::Decline, "not now")],
        Question::Overwrite { .. } => vec![(Action::Agree, "overwrite"), (Action::Decline, "keep it")],
        Question::RemoveGoal { .. } => vec![(Action::Agree, "remove it"), (Action::Decline, "keep it")],
        Question::Switch { .. } => vec![(Action::Agree, "open it"), (Action::Decline, "stay")],
        Question::Trust { .. } => vec![(Action::Agree, "trust them and run"), (Action::Decline, "do not")],
    }
}

/// Returns the answers with their keys; Enter stands beside the one that loses nothing.
fn answer_line(model: &Model, question: &Question) -> Line<'static> {
    let safe = match question {
        Question::Quit | Question::Switch { .. } => Action::Agree,
        Question::Cancel { .. }
        | Question::RemoveGoal { .. }
        | Question::Abandon { .. }
        | Question::RunAnew { .. }
        | Question::Remove { .. }
        | Question::Approve { .. }
        | Question::TakeOver { .. }
        | Question::Offer { .. }
        | Question::Overwrite { .. }
        | Question::Trust { .. } => Action::Decline,
    };
    let key = |action| model.keys.keys_of(Context::Dialog, action);
    let mut spans = Vec::new();
    for (action, word) in answers(model, question) {
        let keys = [Some(action), (action == safe).then_some(Action::Safe)].into_iter().flatten().filter_map(key);
        let keys: Vec<String> = keys.map(Keys::shown).collect();
        spans.push(Span::styled(keys.join("/"), model.theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {word}  "), model.theme.style(Role::Dim)));
    }
    Line::from(spans)
}

fn body(model: &Model, dialog: &Dialog, width: u16) -> Vec<(Role, String)> {
    let mut lines = Vec::new();
    for (role, paragraph) in paragraphs(model, dialog) {
        lines.extend(text::wrap(&paragraph, usize::from(width)).into_iter().map(|line| (role, line)));
    }
    lines
}

fn frame(model: &Model, dialog: &Dialog, area: Rect) -> Rect {
    let width = WIDEST.min(area.width);
    let lines = body(model, dialog, width.saturating_sub(4)).len();
    let height = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(4).min(area.height);
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// Returns the place for text and answers: inside the frame, with a margin.
fn content(frame: Rect) -> Rect {
    let inside = inner(frame);
    Rect { x: inside.x.saturating_add(1), width: inside.width.saturating_sub(2), ..inside }
}

fn text_area(frame: Rect) -> Rect {
    split_bottom(content(frame), 1).0
}

/// Draws the question over what is there.
pub(in crate::ui) fn draw(model: &Model, dialog: &Dialog, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let frame = frame(model, dialog, area);
    Clear.render(frame, buffer);
    Block::bordered()
        .border_set(theme.glyphs.border)
        .border_style(theme.style(Role::Focus))
        .title(Line::styled(format!(" {} ", title(dialog)), theme.style(Role::Title)))
        .render(frame, buffer);
    let lines = body(model, dialog, content(frame).width);
    let (text, keys) = split_bottom(content(frame), 1);
    for (row, (role, line)) in text.rows().zip(lines.iter().skip(dialog.scroll)) {
        buffer.set_stringn(row.x, row.y, line, usize::from(row.width), theme.style(*role));
    }
    let below = lines.len().saturating_sub(dialog.scroll + usize::from(text.height));
    if below > 0 {
        let label = format!(" {} {below} more lines ", theme.glyphs.down);
        let x = frame.x.saturating_add(2);
        let y = frame.bottom().saturating_sub(1);
        buffer.set_stringn(x, y, label, usize::from(frame.width.saturating_sub(4)), theme.style(Role::Warn));
    }
    put(keys, &answer_line(model, &dialog.question), buffer);
}
