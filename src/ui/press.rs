//! Keys and pasted text: what has the keys, and what a key means there.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::{Action, Context, Found, Key, Keys};
use super::model::{Model, NoticeKind};
use super::msg::Effect;
use super::screen::form::Outcome;
use super::screen::{Form, Overlay, typing};
use super::widget::format;

impl Model {
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
            (Some(Overlay::Checklist(_)), _) => Context::Checklist,
            (Some(Overlay::Place(list)), _) => list.place.context(),
            (Some(Overlay::GoalForm(_)), _) => Context::GoalForm,
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

    pub(super) fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        self.dirty = true;
        let context = self.context();
        self.pressed.push(Key::of(event));
        let found = self.keys.find(context, &self.pressed);
        let action = match found {
            Found::Prefix => return Vec::new(),
            Found::Action(action) => Some(action),
            Found::Nothing if self.pressed.len() > 1 => {
                let pressed = Keys::of(std::mem::take(&mut self.pressed));
                return match event.code {
                    KeyCode::Esc => Vec::new(),
                    // A letter by itself may do what nobody meant: `gx` is no `x`.
                    KeyCode::Char(_) if is_plain(event) => self.means_nothing(&pressed),
                    _ => self.key(event), // an arrow or ^c is not a mistyped letter
                };
            }
            Found::Nothing if self.over.is_none() && matches!(event.code, KeyCode::Char(_)) && is_plain(event) => {
                let pressed = Keys::of(std::mem::take(&mut self.pressed));
                return self.means_nothing(&pressed);
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

    fn means_nothing(&mut self, pressed: &Keys) -> Vec<Effect> {
        let help = self.key_of(Action::Help);
        self.refuse(format!("{} means nothing here; {help} shows every key.", pressed.shown()))
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
            Some(Overlay::Checklist(panel)) => self.key_in_checklist(panel, action),
            Some(Overlay::Place(list)) => self.key_in_place(list, action),
            Some(Overlay::GoalForm(form)) => self.key_in_goal_form(form, action, event),
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

    pub(super) fn paste(&mut self, pasted: &str) -> Vec<Effect> {
        let whole = pasted.len();
        let pasted = typing::bounded(pasted);
        match &mut self.over {
            Some(Overlay::Form(form)) => form.paste(pasted),
            Some(Overlay::GoalForm(form)) => form.paste(pasted),
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
            Some(
                Overlay::Choice(_)
                | Overlay::Dialog(_)
                | Overlay::Runs(_)
                | Overlay::Checklist(_)
                | Overlay::Place(_)
                | Overlay::Help(_),
            )
            | None => return Vec::new(),
        }
        if pasted.len() < whole {
            let (taken, whole) = (format::bytes(pasted.len() as u64), format::bytes(whole as u64));
            self.say(NoticeKind::Refused, format!("the paste was cut: {taken} of {whole} were taken"));
        }
        self.dirty = true;
        Vec::new()
    }

    fn key_in_form(&mut self, mut form: Box<Form>, action: Option<Action>, event: KeyEvent) -> Vec<Effect> {
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
}

/// Says whether a key was pressed by itself.
fn is_plain(event: KeyEvent) -> bool {
    event.modifiers.difference(KeyModifiers::SHIFT).is_empty()
}
