//! Changes the model: a message comes in, effects go out. Nothing here waits for anything.

use crossterm::event::KeyEventKind;
use ratatui::layout::Size;

use crate::domain::command::{Command, RefusalCode, Refused};

use super::act::Way;
use super::arrange::Neighbour;
use super::keys::{Action, Context};
use super::model::{Model, NoticeKind};
use super::msg::{Effect, Msg, Role, Settings};
use super::screen::board::{Side, Step};
use super::screen::places::Place;
use super::screen::{Help, Overlay};

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
            Msg::Checklist { ticket, found } => {
                self.take_findings(ticket, *found);
                Vec::new()
            }
            Msg::LogPage(page) => {
                self.take_page(page);
                Vec::new()
            }
            Msg::Saved(saved) => self.saved(saved),
            Msg::Boards(boards) => {
                self.take_boards(boards);
                Vec::new()
            }
            Msg::Refused(refused) => self.refused(&refused),
            Msg::Done(answers) => self.done(answers),
            Msg::Written(written) => self.written(written),
            Msg::Failed(mut text) => {
                self.give_up_waiting();
                text.extend(self.keep_sent_goal());
                self.say(NoticeKind::Failed, text);
                Vec::new()
            }
            Msg::Settings(settings) => {
                self.take_settings(*settings);
                self.pull_now();
                Vec::new()
            }
            Msg::Radar(radar) => {
                self.dirty |= *radar != self.radar;
                self.radar = *radar;
                self.index.foresee(&self.board, self.radar.conflicting());
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
        if (before.role, self.settings.role) == (Role::Watcher, Role::Engine) {
            self.say(NoticeKind::News, "the other Draft is gone; this one runs the jobs now");
        }
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
        let mut text = self.refusal(refused);
        // A ticket that was refused is not lost: what was typed waits in the form.
        if let Some((_, form)) = self.sent_form.take() {
            self.kept_form = Some(form);
            text.push_str(&format!(" {} goes on with the ticket.", self.key_of(Action::NewTicket)));
        }
        if self.wanted.as_ref().is_some_and(|command| matches!(command, Command::Tell { text: Some(_), .. })) {
            text.push_str(&format!(" {} goes on with the message.", self.key_of(Action::Tell)));
        }
        text.extend(self.keep_sent_goal());
        self.say(NoticeKind::Refused, text.trim_end());
        Vec::new()
    }

    fn resize(&mut self, size: Size) -> Vec<Effect> {
        self.dirty |= size != self.size;
        self.size = size;
        Vec::new()
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
            Action::Checklist => self.checklist(),
            Action::Conflict => self.conflict(),
            Action::Pull => self.pull(),
            Action::Revert => self.revert(),
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
            Action::Goals => self.open_place(Place::Goals),
            Action::Boards => self.open_place(Place::Boards),
            Action::Queue => self.open_place(Place::Queue),
            Action::Dashboard => self.open_place(Place::Dashboard),
            Action::Open if context == Context::Grid => self.open_log(),
            Action::Open => self.open_ticket(),
            Action::Diff if context == Context::Board => self.open_diff(),
            Action::Filter => self.open_filter(),
            Action::Palette => self.open_palette(context),
            Action::Suspend => vec![Effect::Suspend],
            Action::Redraw => vec![Effect::Redraw],
            Action::Help => {
                self.over = Some(Overlay::Help(Help::of(context)));
                Vec::new()
            }
            other => {
                let understood = self.act_here(context, other);
                debug_assert!(understood, "{context}: {other} is in the table of keys and does nothing");
                Vec::new()
            }
        }
    }

    /// Does what an action means in one place; says nothing when it means nothing there.
    fn act_here(&mut self, context: Context, action: Action) -> bool {
        match context {
            Context::Ticket | Context::Diff => self.act_on_ticket(action),
            Context::Grid => self.act_on_grid(action),
            Context::Log => self.act_on_log(action),
            Context::Board => self.act_on_board(action) || self.act_on_log(action),
            Context::Form
            | Context::RunWith
            | Context::Tell
            | Context::Choice
            | Context::Find
            | Context::Save
            | Context::LogFilter
            | Context::Runs
            | Context::Checklist
            | Context::Goals
            | Context::GoalForm
            | Context::Boards
            | Context::Queue
            | Context::Dashboard
            | Context::Dialog
            | Context::Filter
            | Context::Palette
            | Context::Help
            | Context::Everywhere => action == Action::Back,
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
            Action::Back if !self.desk.marks.is_empty() => self.desk.unmark(),
            Action::Back => self.clear_filter(),
            _ => return false,
        }
        true
    }
}
