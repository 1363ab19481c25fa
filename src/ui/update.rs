//! Changes the model: a message comes in, effects go out. Nothing here waits for anything.

use std::collections::HashSet;

use std::collections::BTreeSet;

use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::layout::Size;

use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::command::{Command, RefusalCode, Refused};
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::id::TicketId;
use crate::domain::job::JobStatus;

use super::act::Way;
use super::arrange::Neighbour;
use super::index::Index;
use super::keys::{Action, Context, Found, Key};
use super::model::{Model, NoticeKind};
use super::msg::{Effect, Msg, Settings};
use super::screen::board::{Side, Step};
use super::screen::form::Outcome;
use super::screen::{Help, Overlay, history, typing};
use super::widget::format;
use super::words;

impl Model {
    /// Takes in what happened and returns what is to be done about it.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = match msg {
            Msg::Key(event) if event.kind == KeyEventKind::Release => Vec::new(),
            Msg::Key(event) => self.key(event),
            Msg::Paste(pasted) => self.paste(&pasted),
            Msg::Mouse(event, at) => self.mouse(event, at),
            Msg::Focus(focused) => {
                self.focused = focused;
                Vec::new()
            }
            Msg::Resize(width, height) => self.resize(Size::new(width, height)),
            Msg::Changed(changes) => self.changed(&changes),
            Msg::Reloaded(board) => self.reloaded(*board),
            Msg::Detail(detail) => {
                let mut effects = self.prepare_visit(&detail);
                effects.extend(self.detailed(&detail));
                self.take_detail(detail);
                effects
            }
            Msg::Diff(page) => {
                self.take_diff(*page);
                Vec::new()
            }
            Msg::LogPage(page) => {
                self.take_page(page);
                Vec::new()
            }
            Msg::Saved(saved) => self.saved(saved),
            Msg::Refused(refused) => self.refused(&refused),
            Msg::Done(answers) => self.done(answers),
            Msg::Written(written) => self.written(written),
            Msg::Failed(text) => {
                self.say(NoticeKind::Failed, text);
                Vec::new()
            }
            Msg::Settings(settings) => {
                self.take_settings(*settings);
                Vec::new()
            }
            Msg::Returned { ticket, trouble } => self.returned(ticket, trouble),
            Msg::Second(now) => {
                self.set_now(now);
                self.dirty |= self.is_ticking();
                Vec::new()
            }
        };
        effects.extend(self.settle());
        effects
    }

    fn take_settings(&mut self, settings: Settings) {
        self.dirty |= settings != self.settings;
        let before = std::mem::replace(&mut self.settings, settings);
        if before.problem != self.settings.problem || before.warning != self.settings.warning {
            self.notice = None;
            if before.problem.is_some() && self.settings.problem.is_none() {
                self.say(NoticeKind::News, "draft.yaml can be used now");
            }
            self.say_trouble();
        }
    }

    fn refused(&mut self, refused: &Refused) -> Vec<Effect> {
        if refused.code == RefusalCode::NotTrusted
            && self.over.is_none()
            && let Some(command) = self.wanted.take()
        {
            self.dirty = true;
            self.settings.trusted = false;
            return self.ask_for_trust(vec![command]);
        }
        let mut text = format!("{}. {}", refused.message.trim_end_matches('.'), refused.hint);
        // A ticket that was refused is not lost: what was typed waits in the form.
        if let Some((_, form)) = self.sent_form.take() {
            self.kept_form = Some(form);
            text.push_str(&format!(" {} goes on with the ticket.", self.key_of(Action::NewTicket)));
        }
        if self.wanted.as_ref().is_some_and(|command| matches!(command, Command::Tell { text: Some(_), .. })) {
            text.push_str(&format!(" {} goes on with the message.", self.key_of(Action::Tell)));
        }
        self.say(NoticeKind::Refused, text.trim_end());
        Vec::new()
    }

    fn resize(&mut self, size: Size) -> Vec<Effect> {
        self.dirty |= size != self.size;
        self.size = size;
        Vec::new()
    }

    fn paste(&mut self, pasted: &str) -> Vec<Effect> {
        let whole = pasted.len();
        let pasted = typing::bounded(pasted);
        match &mut self.over {
            Some(Overlay::Form(form)) => form.paste(pasted),
            Some(Overlay::Tell(tell)) => tell.paste(pasted),
            Some(Overlay::Remark(remark)) => remark.paste(pasted),
            Some(Overlay::RunWith(with)) => with.paste(pasted),
            Some(Overlay::Save(save)) => save.paste(pasted),
            Some(Overlay::Filter(filter)) => {
                filter.paste(pasted);
                self.refilter();
            }
            Some(Overlay::Palette(_)) => self.paste_into_palette(pasted),
            Some(Overlay::Find(find)) => {
                find.paste(pasted);
                let find = find.clone();
                self.find_typed(&find);
            }
            Some(Overlay::LogFilter(panel)) => {
                let mut panel = panel.clone();
                self.paste_in_log_filter(&mut panel, pasted);
                self.over = Some(Overlay::LogFilter(panel));
            }
            Some(Overlay::Choice(_) | Overlay::Dialog(_) | Overlay::Runs(_) | Overlay::Help(_)) | None => {
                return Vec::new();
            }
        }
        if pasted.len() < whole {
            let (taken, whole) = (format::bytes(pasted.len() as u64), format::bytes(whole as u64));
            self.say(NoticeKind::Refused, format!("the paste was cut: {taken} of {whole} were taken"));
        }
        self.dirty = true;
        Vec::new()
    }

    fn reloaded(&mut self, board: Board) -> Vec<Effect> {
        self.index = Index::filtered(&board, self.index.filter().clone());
        self.board = board;
        self.dirty = true;
        let open = self.ticket.as_ref().map(|screen| screen.ticket).filter(|id| self.board.ticket(*id).is_some());
        open.map(Effect::LoadDetail).into_iter().collect()
    }

    fn changed(&mut self, changes: &[Change]) -> Vec<Effect> {
        let mut effects = Vec::new();
        let said = changes.iter().filter_map(|change| match change {
            Change::Comment(comment) => Some(comment.ticket),
            Change::Review(review) => Some(review.ticket),
            // A newer one is asked for anyway.
            Change::Revision(revision) if self.shows_revision(revision) => Some(revision.ticket),
            _ => None,
        });
        let said: BTreeSet<TicketId> = said.collect();
        effects.extend(said.into_iter().filter_map(|ticket| self.reload_diff(ticket)));
        if changes.iter().any(|change| matches!(change, Change::Review(_))) {
            self.kept_remark = None;
        }
        let needed: HashSet<TicketId> = self.index.all_needing_you().collect();
        for change in changes {
            self.notice_change(change);
            self.dirty |= self.is_seen(change);
            self.quiet.hear(change, self.now);
            self.index.apply(&mut self.board, change);
        }
        effects.extend(self.call(&needed));
        let touched = |screen: &&super::screen::ticket::TicketScreen| {
            changes.iter().any(|c| screen.is_touched_by(c, &self.board))
        };
        effects.extend(self.ticket.as_ref().filter(touched).map(|screen| Effect::LoadDetail(screen.ticket)));
        effects.extend(self.late_worktrees(changes));
        effects.extend(self.catch_up());
        effects
    }

    /// Says whether a change that is not applied yet changes what is drawn.
    fn is_seen(&self, change: &Change) -> bool {
        match change {
            // How much was printed shows in the log, which says so itself.
            Change::Live { job, live } => {
                self.board.live(*job).is_none_or(|known| known.usage != live.usage || known.retrying != live.retrying)
            }
            Change::Goal(_)
            | Change::Autopilot(_)
            | Change::Ticket(_)
            | Change::Job(_)
            | Change::Run(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Event(_) => true,
        }
    }

    /// Takes from a change what goes beyond the board: the time, the cost, the cursor, and what to say.
    fn notice_change(&mut self, change: &Change) {
        match change {
            Change::Ticket(ticket) => {
                self.set_now(ticket.updated_at);
                let old = self.board.ticket(ticket.id);
                self.spent.add(old, ticket);
                if old.is_none() && self.sent_form.as_ref().is_some_and(|(title, _)| *title == ticket.title) {
                    self.sent_form = None;
                    self.desk.cursor = Some(ticket.id);
                }
            }
            Change::Job(job) => {
                if job.status == JobStatus::Running {
                    // Whatever works in the worktree now takes along what a person did there.
                    self.visited.remove(&job.ticket);
                }
                self.set_now(job.finished_at.or(job.started_at).unwrap_or(job.queued_at));
            }
            Change::Run(run) => self.set_now(run.finished_at.unwrap_or(run.started_at)),
            Change::Event(event) => {
                self.set_now(event.event.at);
                self.forget_message(&event.event);
                match event.event.kind {
                    EventKind::JobQueued if event.event.reason.is_empty() => {}
                    EventKind::Created
                    | EventKind::Transitioned
                    | EventKind::Updated
                    | EventKind::Comment
                    | EventKind::JobQueued
                    | EventKind::CancelRequested
                    | EventKind::MergeRequested
                    | EventKind::MergeSucceeded
                    | EventKind::MergeFailed
                    | EventKind::CommentAdded
                    | EventKind::CommentResolved
                    | EventKind::ReviewSubmitted
                    | EventKind::WorktreeCleaned
                    | EventKind::WorktreeCleanupFailed
                    | EventKind::WorktreeRestored => {
                        let number = words::number(&self.board, event.event.ticket);
                        self.say(NoticeKind::News, format!("{number} {}", history::news(self, &event.event)));
                    }
                }
            }
            Change::Goal(_)
            | Change::Autopilot(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Live { .. } => {}
        }
    }

    /// A message that arrived need not be kept any more.
    fn forget_message(&mut self, event: &NewEvent) {
        let told = history::message(event);
        if self.kept_message.as_ref().is_some_and(|(of, text)| *of == event.ticket && told == Some(text.trim())) {
            self.kept_message = None;
        }
    }

    /// Returns what has the keys.
    pub(super) fn context(&self) -> Context {
        match (&self.over, &self.ticket) {
            (Some(Overlay::Form(_)), _) => Context::Form,
            (Some(Overlay::Tell(_)), _) => Context::Tell,
            (Some(Overlay::RunWith(_)), _) => Context::RunWith,
            (Some(Overlay::Remark(_)), _) => Context::Tell,
            (Some(Overlay::Choice(_)), _) => Context::Choice,
            (Some(Overlay::Find(_)), _) => Context::Find,
            (Some(Overlay::Save(_)), _) => Context::Save,
            (Some(Overlay::LogFilter(_)), _) => Context::LogFilter,
            (Some(Overlay::Runs(_)), _) => Context::Runs,
            (Some(Overlay::Dialog(_)), _) => Context::Dialog,
            (Some(Overlay::Filter(_)), _) => Context::Filter,
            (Some(Overlay::Palette(_)), _) => Context::Palette,
            (Some(Overlay::Help(_)), _) => Context::Help,
            (None, Some(screen)) if screen.is_at_diff() => Context::Diff,
            (None, Some(_)) => Context::Ticket,
            (None, None) if self.shows_grid() => Context::Grid,
            (None, None) if self.log.has_focus() => Context::Log,
            (None, None) => Context::Board,
        }
    }

    fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        self.dirty = true;
        let context = self.context();
        self.pressed.push(Key::of(event));
        let found = self.keys.find(context, &self.pressed);
        let action = match found {
            Found::Prefix => return Vec::new(),
            Found::Action(action) => Some(action),
            Found::Nothing if self.pressed.len() > 1 => {
                // The key that broke the sequence may mean something by itself.
                self.pressed.clear();
                return self.key(event);
            }
            Found::Nothing => None,
        };
        self.pressed.clear();
        match action {
            Some(Action::Suspend) => return vec![Effect::Suspend],
            Some(Action::Redraw) => return vec![Effect::Redraw],
            _ => {}
        }
        // A person who goes on has read it.
        let had_notice = self.notice.is_some();
        if self.over.is_none() && action.is_some() {
            self.notice = None;
        }
        // The first time it only puts away what the bottom line says.
        if action == Some(Action::Back) && context == Context::Board && had_notice {
            return Vec::new();
        }
        self.give(context, action, event)
    }

    /// Gives a key to what has the keys.
    pub(super) fn give(&mut self, context: Context, action: Option<Action>, event: KeyEvent) -> Vec<Effect> {
        match self.over.take() {
            Some(Overlay::Form(form)) => self.key_in_form(form, action, event),
            Some(Overlay::Tell(mut tell)) => {
                let outcome = tell.key(action, event);
                self.told(tell, outcome)
            }
            Some(Overlay::Find(find)) => {
                self.key_in_find(find, action, event);
                Vec::new()
            }
            Some(Overlay::LogFilter(panel)) => {
                self.key_in_log_filter(panel, action, event);
                Vec::new()
            }
            Some(Overlay::Runs(list)) => {
                self.key_in_runs(list, action);
                Vec::new()
            }
            Some(Overlay::Save(save)) => self.key_in_save(save, action, event),
            Some(Overlay::RunWith(with)) => self.key_in_run_with(with, action, event),
            Some(Overlay::Remark(remark)) => self.key_in_remark(remark, action, event),
            Some(Overlay::Choice(choice)) => self.choose(choice, action),
            Some(Overlay::Dialog(dialog)) => match action {
                Some(action) => self.answer(dialog, action),
                None => {
                    self.over = Some(Overlay::Dialog(dialog));
                    Vec::new()
                }
            },
            Some(Overlay::Filter(filter)) => self.key_in_filter(filter, action, event),
            Some(Overlay::Palette(palette)) => self.key_in_palette(palette, action, event),
            Some(Overlay::Help(mut help)) => {
                if help.key(action, event, &self.keys, self.size) {
                    self.over = Some(Overlay::Help(help));
                }
                Vec::new()
            }
            None => action.map_or_else(Vec::new, |action| self.act(context, action)),
        }
    }

    fn key_in_form(
        &mut self,
        mut form: Box<super::screen::Form>,
        action: Option<Action>,
        event: KeyEvent,
    ) -> Vec<Effect> {
        match form.key(action, event, &self.settings.agents, &self.board) {
            Outcome::Open => {
                self.over = Some(Overlay::Form(form));
                Vec::new()
            }
            Outcome::Aside if form.ticket().is_some() => {
                if !form.is_blank() {
                    self.kept_edit = Some(form);
                    self.say(NoticeKind::Answer, "the edit is put aside; e goes on with it");
                }
                Vec::new()
            }
            Outcome::Edit(ticket, edits) => self.edited(ticket, edits, form),
            Outcome::Editor(text) => self.write_form(form, text),
            Outcome::Aside => {
                if !form.is_blank() {
                    self.kept_form = Some(form);
                    let new = self.key_of(Action::NewTicket);
                    self.say(NoticeKind::News, format!("the ticket is put aside; {new} goes on with it"));
                }
                Vec::new()
            }
            Outcome::File(filing) => {
                self.sent_form = Some((filing.title.clone(), form));
                vec![Effect::File(filing)]
            }
        }
    }

    /// Does what an action means in that context, or says why it cannot be.
    pub(super) fn act(&mut self, context: Context, action: Action) -> Vec<Effect> {
        self.unsent.clear();
        if let Some(why) = self.why_not(action) {
            return self.refuse(why);
        }
        match action {
            Action::Accept => self.accept(),
            Action::Run => self.run(),
            Action::Cancel => self.cancel(),
            Action::Verify => self.verify(),
            Action::Resume => self.take_over(),
            Action::Tell => self.tell(),
            Action::Comment => self.comment(),
            Action::Resolve => self.resolve(),
            Action::Approve => self.approve(),
            Action::RequestChanges => self.request_changes(),
            Action::Land => self.land(),
            Action::MarkRange if context == Context::Diff => self.begin_range(),
            Action::HandOver => self.visit(),
            Action::Autopilot => self.choose_autopilot(),
            Action::MoveBack => self.move_along(Way::Back),
            Action::MoveOn => self.move_along(Way::On),
            Action::NewTicket => self.new_ticket(),
            Action::Edit => self.edit(),
            Action::Editor => self.write(),
            Action::OpenFolder => self.open_folder(),
            Action::RunWith => self.run_with(),
            Action::Remove => self.remove(),
            Action::Undo => self.undo(),
            Action::Redo => self.redo(),
            Action::PlaceLower => self.place(Neighbour::Below),
            Action::PlaceHigher => self.place(Neighbour::Above),
            Action::Urgency0 => self.set_priority(action, "P0"),
            Action::Urgency1 => self.set_priority(action, "P1"),
            Action::Urgency2 => self.set_priority(action, "P2"),
            Action::Urgency3 => self.set_priority(action, "P3"),
            Action::Copy if self.reads_log() => self.copy_row(),
            Action::Copy => self.copy(),
            Action::SaveLog => self.save_log(),
            Action::PageLog => self.page_log(),
            Action::Quit => self.quit(),
            Action::Logs => self.open_grid(),
            Action::Open if context == Context::Grid => self.open_log(),
            Action::Open => self.open_ticket(),
            Action::Diff if context == Context::Board => self.open_diff(),
            Action::Filter => self.open_filter(),
            Action::Palette => self.open_palette(context),
            Action::Suspend => vec![Effect::Suspend],
            Action::Redraw => vec![Effect::Redraw],
            Action::Help => {
                self.over = Some(Overlay::Help(Help::default()));
                Vec::new()
            }
            Action::Back => {
                match context {
                    Context::Ticket | Context::Log if self.end_search() => {}
                    Context::Diff if self.end_range() => {}
                    Context::Ticket | Context::Diff => self.ticket = None,
                    Context::Grid => self.close_grid(),
                    Context::Log => self.log.leave(),
                    Context::Board if !self.desk.marks.is_empty() => self.desk.unmark(),
                    Context::Board => self.clear_filter(),
                    Context::Form
                    | Context::RunWith
                    | Context::Tell
                    | Context::Choice
                    | Context::Find
                    | Context::Save
                    | Context::LogFilter
                    | Context::Runs
                    | Context::Dialog
                    | Context::Filter
                    | Context::Palette
                    | Context::Help
                    | Context::Everywhere => {}
                }
                Vec::new()
            }
            other => {
                let understood = match context {
                    Context::Ticket | Context::Diff => self.act_on_ticket(other),
                    Context::Grid => self.act_on_grid(other),
                    Context::Log => self.act_on_log(other),
                    Context::Board => self.act_on_board(other) || self.act_on_log(other),
                    Context::Form
                    | Context::RunWith
                    | Context::Tell
                    | Context::Choice
                    | Context::Find
                    | Context::Save
                    | Context::LogFilter
                    | Context::Runs
                    | Context::Dialog
                    | Context::Filter
                    | Context::Palette
                    | Context::Help
                    | Context::Everywhere => false,
                };
                debug_assert!(understood, "{context}: {other} is in the table of keys and does nothing");
                Vec::new()
            }
        }
    }

    /// Does what a key means for the board; says nothing when it means nothing here.
    pub(super) fn act_on_board(&mut self, action: Action) -> bool {
        match action {
            Action::Left => self.step_aside(Side::Left),
            Action::Right => self.step_aside(Side::Right),
            Action::Down => self.step(Step::Down(1)),
            Action::Up => self.step(Step::Up(1)),
            Action::HalfDown => self.step(Step::Down(self.half_column())),
            Action::HalfUp => self.step(Step::Up(self.half_column())),
            Action::Top => self.step(Step::First),
            Action::Bottom => self.step(Step::Last),
            Action::NextNeedingYou => self.step_to_next_needing_you(),
            Action::Mark => self.mark(),
            Action::MarkRange => self.mark_range(),
            Action::ToggleAbandoned => self.desk.abandoned = !self.desk.abandoned,
            _ => return false,
        }
        true
    }
}
