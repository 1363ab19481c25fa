//! How a person edits a ticket: in its form, or its description in an editor of their own.

use crate::domain::command::Edit;
use crate::domain::detail::Detail;
use crate::domain::id::TicketId;

use super::model::{Model, NoticeKind};
use super::msg::{Effect, Guest};
use super::screen::{Form, Overlay};
use super::words;

/// What a text that the person writes elsewhere is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Writing {
    /// The description in the form that is open.
    Form,
    /// The description of this ticket, which was that before.
    Ticket(TicketId, String),
}

impl Model {
    /// Opens the form of the selected ticket, with what was put aside.
    pub(super) fn edit(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return Vec::new() };
        let id = ticket.id;
        let new = Box::new(Form::of(ticket, &self.board, &self.theme));
        let form = self.kept_edit.take_if(|form| form.ticket() == Some(id)).unwrap_or(new);
        self.over = Some(Overlay::Form(form));
        vec![Effect::LoadDetail(id)]
    }

    /// Lets the person write the description of the selected ticket elsewhere, as soon as it is known.
    pub(super) fn write(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.wanted_text = Some(ticket);
        vec![Effect::LoadDetail(ticket)]
    }

    /// Lets the person write the description of the form that is open elsewhere.
    pub(super) fn write_form(&mut self, form: Box<Form>, text: String) -> Vec<Effect> {
        let about = form.ticket().map_or_else(|| "a new ticket".to_owned(), |id| words::number(&self.board, id));
        self.over = Some(Overlay::Form(form));
        self.writing = Some(Writing::Form);
        vec![writing(text, &about)]
    }

    /// Takes in the description of a ticket where somebody waits for it.
    pub(super) fn describe(&mut self, detail: &Detail) -> Vec<Effect> {
        let id = detail.ticket;
        if let Some(Overlay::Form(form)) = &mut self.over
            && form.ticket() == Some(id)
        {
            form.fill(&detail.description);
            self.dirty = true;
        }
        if self.wanted_text.take_if(|wanted| *wanted == id).is_none() || self.over.is_some() {
            return Vec::new();
        }
        self.writing = Some(Writing::Ticket(id, detail.description.clone()));
        vec![writing(detail.description.clone(), &words::number(&self.board, id))]
    }

    /// The person wrote a text, or there is none.
    pub(super) fn written(&mut self, written: Result<String, String>) -> Vec<Effect> {
        self.dirty = true;
        let (text, writing) = match (written, self.writing.take()) {
            (Err(trouble), _) => {
                self.say(NoticeKind::Failed, trouble);
                return Vec::new();
            }
            (Ok(_), None) => return Vec::new(),
            (Ok(text), Some(writing)) => (text, writing),
        };
        match writing {
            Writing::Form => {
                if let Some(Overlay::Form(form)) = &mut self.over {
                    form.describe(&text);
                }
                Vec::new()
            }
            Writing::Ticket(_, before) if before.trim_end() == text.trim_end() => {
                self.say(NoticeKind::Answer, "the description is as it was");
                Vec::new()
            }
            Writing::Ticket(id, before) => {
                let Some(ticket) = self.board.ticket(id) else {
                    return self.refuse("the ticket was removed meanwhile; u may bring it back.".to_owned());
                };
                let mut form = Form::of(ticket, &self.board, &self.theme);
                form.fill(&before);
                form.describe(&text);
                let edit = Edit::Description(text.trim_end().to_owned());
                self.send_edit(id, vec![edit], Some(&before), Box::new(form))
            }
        }
    }

    /// Sends what was changed in a form.
    pub(super) fn edited(&mut self, id: TicketId, edits: Vec<Edit>, form: Box<Form>) -> Vec<Effect> {
        if edits.is_empty() {
            let number = words::number(&self.board, id);
            self.say(NoticeKind::Answer, format!("{number} is as it was"));
            return Vec::new();
        }
        let description = form.stored_description().map(str::to_owned);
        self.send_edit(id, edits, description.as_deref(), form)
    }

    /// Opens the worktree of the selected ticket in the person's own editor.
    pub(super) fn open_folder(&mut self) -> Vec<Effect> {
        self.selected().map_or_else(Vec::new, |ticket| self.start_visit(ticket, Guest::Editor))
    }
}

fn writing(text: String, about: &str) -> Effect {
    let greeting = format!("draft: the description of {about} in your editor; the board comes back when it ends");
    Effect::EditText { text, name: "description".to_owned(), greeting }
}
