//! How the form of a ticket is drawn: fields below each other, as many as there is room for around the one that has
//! the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::domain::ticket::Priority;
use crate::ui::keys::Context;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::field::{self, Focus};
use crate::ui::widget::popup::Popup;
use crate::ui::widget::text;
use crate::ui::words;

use super::bars;
use super::form::{Field, Form};
use super::layout::{put, split_bottom, split_top};

/// The size of the form where there is room for it.
const BEST: Size = Size { width: 72, height: 24 };
/// The least rows to type a description in.
const DESCRIPTION: u16 = 2;
/// The most rows that checks get by themselves.
const CHECKS: u16 = 3;
/// The width of the names of choices.
const NAMES: usize = 16;

/// Draws the form over what is there.
pub(in crate::ui) fn draw(model: &Model, form: &Form, area: Rect, buffer: &mut Buffer) {
    let title = match &form.before {
        Some(before) => format!("Edit {}", before.ticket.number),
        None => "New ticket".to_owned(),
    };
    let popup = Popup { title: &title, footer: "", content: BEST };
    let (fields, keys) = split_bottom(popup.draw(area, &model.theme, buffer), 1);
    bars::draw_keys(model, Context::Form, keys, buffer);
    let mut rest = fields;
    let all = form.fields.iter().map(|field| (*field, least(form, *field))).collect();
    for (field, height) in in_sight(all, form.focus, Field::Description, fields.height) {
        let (place, below) = split_top(rest, height);
        draw_field(model, form, field, place, buffer);
        rest = below;
    }
}

/// Returns the fields of a form that fit, with their heights: from the top, until the one with the keys fits. The one that
/// grows has the room that is left.
pub(super) fn in_sight<F: Copy + PartialEq>(mut fields: Vec<(F, u16)>, focus: F, grows: F, room: u16) -> Vec<(F, u16)> {
    let total = |fields: &[(F, u16)]| fields.iter().map(|(_, height)| height).sum::<u16>();
    while fields.len() > 1 && fields[0].0 != focus {
        let to_focus = fields.iter().position(|(field, _)| *field == focus).unwrap_or(0);
        if total(&fields[..=to_focus]) <= room {
            break;
        }
        fields.remove(0);
    }
    let spare = room.saturating_sub(total(&fields));
    if let Some((_, height)) = fields.iter_mut().find(|(field, _)| *field == grows) {
        *height += spare;
    }
    fields
}

fn least(form: &Form, field: Field) -> u16 {
    let error = u16::from(form.errors.iter().any(|(wrong, _)| *wrong == field));
    match field {
        Field::Title | Field::After | Field::Model => 2 + error,
        Field::Description => 1 + DESCRIPTION,
        Field::Verify => {
            let typed = u16::try_from(form.verify.lines().len()).unwrap_or(CHECKS);
            1 + error + typed.clamp(1, CHECKS)
        }
        Field::Priority | Field::Agent | Field::Goal | Field::Accept => 1,
    }
}

fn draw_field(model: &Model, form: &Form, field: Field, area: Rect, buffer: &mut Buffer) {
    let focus = if form.focus == field { Focus::Here } else { Focus::Elsewhere };
    let error = form.errors.iter().find(|(wrong, _)| *wrong == field).map(|(_, error)| error.as_str());
    let typed = |label, input| field::Field { label, input, error, focus };
    match field {
        Field::Title => typed("Title", &form.title).draw(area, &model.theme, buffer),
        Field::Description if form.is_loading() => {
            let loading = form.description.clone();
            typed("Description (loading …)", &loading).draw(area, &model.theme, buffer);
        }
        Field::Description => typed("Description", &form.description).draw(area, &model.theme, buffer),
        Field::After => {
            typed("After (numbers of tickets that must be done first)", &form.after).draw(area, &model.theme, buffer)
        }
        Field::Model => {
            typed("Model (none: the agent's own choice)", &form.model).draw(area, &model.theme, buffer);
        }
        Field::Verify => {
            let label = "Checks, one a line (none: those of the repository)";
            typed(label, &form.verify).draw(area, &model.theme, buffer);
        }
        Field::Priority => {
            let chosen = form.priority.map_or_else(|| "none".to_owned(), priority_name);
            draw_choice(model, "Priority", &chosen, focus, area, buffer);
        }
        Field::Agent => {
            let chosen = form.agent.as_deref().unwrap_or("the board's choice");
            draw_choice(model, "Agent", chosen, focus, area, buffer);
        }
        Field::Goal => {
            let goal =
                form.goal.map(|goal| model.board.goal(goal).map_or("a goal that is gone", |it| it.title.as_str()));
            draw_choice(model, "Goal", goal.unwrap_or("none"), focus, area, buffer);
        }
        Field::Accept => {
            let chosen = if form.accepted { "yes, it is planned" } else { "no, it is proposed" };
            draw_choice(model, "Accept at once", chosen, focus, area, buffer);
        }
    }
}

/// Returns the bucket, with the number where it is not the usual one.
fn priority_name(priority: Priority) -> String {
    let bucket = priority.bucket();
    let usual = bucket.parse() == Ok(priority);
    if usual { bucket.to_owned() } else { format!("{bucket} ({})", priority.value()) }
}

/// Draws a field that offers choices.
pub(super) fn draw_choice(model: &Model, name: &str, chosen: &str, focus: Focus, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let (name_role, role) = match focus {
        Focus::Here => (Role::Title, Role::Selected),
        Focus::Elsewhere => (Role::Dim, Role::Text),
    };
    let chosen = words::cut(&model.theme, chosen, usize::from(area.width).saturating_sub(NAMES + 4));
    let line = Line::from(vec![
        Span::styled(text::pad(name, NAMES, text::Side::Left), theme.style(name_role)),
        Span::styled(format!("< {chosen} >"), theme.style(role)),
    ]);
    put(area, &line, buffer);
}
