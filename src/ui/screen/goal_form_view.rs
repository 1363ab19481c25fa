//! How the form of a goal is drawn: fields below each other, as many as there is room for around the one that has the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use crate::ui::keys::Context;
use crate::ui::model::Model;
use crate::ui::widget::field::{self, Focus};
use crate::ui::widget::popup::Popup;

use super::bars;
use super::form_view::{draw_choice, in_sight};
use super::goal_form::{FIELDS, Field, GoalForm, Switch};
use super::layout::{split_bottom, split_top};

/// The size of the form where there is room for it.
const BEST: Size = Size { width: 72, height: 19 };
/// The least rows to type a description in.
const DESCRIPTION: u16 = 2;

/// Draws the form over what is there.
pub(in crate::ui) fn draw(model: &Model, form: &GoalForm, area: Rect, buffer: &mut Buffer) {
    let title = form.named().map_or_else(|| "New goal".to_owned(), |goal| format!("Edit {goal}"));
    let popup = Popup { title: &crate::ui::words::cut(&model.theme, &title, 60), footer: "", content: BEST };
    let (fields, keys) = split_bottom(popup.draw(area, &model.theme, buffer), 1);
    bars::draw_keys(model, Context::GoalForm, keys, buffer);
    let mut rest = fields;
    let all = FIELDS.iter().map(|field| (*field, least(form, *field))).collect();
    for (field, height) in in_sight(all, form.focus, Field::Description, fields.height) {
        let (place, below) = split_top(rest, height);
        draw_field(model, form, field, place, buffer);
        rest = below;
    }
}

fn least(form: &GoalForm, field: Field) -> u16 {
    let error = u16::from(form.errors.iter().any(|(wrong, _)| *wrong == field));
    match field {
        Field::Title | Field::Most | Field::Budget => 2 + error,
        Field::Description => 1 + DESCRIPTION,
        Field::Switch(_) => 1,
    }
}

fn draw_field(model: &Model, form: &GoalForm, field: Field, area: Rect, buffer: &mut Buffer) {
    let focus = if form.focus == field { Focus::Here } else { Focus::Elsewhere };
    let error = form.errors.iter().find(|(wrong, _)| *wrong == field).map(|(_, error)| error.as_str());
    let typed = |label, input| field::Field { label, input, error, focus };
    match field {
        Field::Title => typed("Title", &form.title).draw(area, &model.theme, buffer),
        Field::Description => typed("Description", &form.description).draw(area, &model.theme, buffer),
        Field::Switch(switch) => {
            let (name, on, off) = words(switch);
            draw_choice(model, name, if form.is_on(switch) { on } else { off }, focus, area, buffer);
        }
        Field::Most => {
            typed("Most automatic approvals in all (none: no limit)", &form.most).draw(area, &model.theme, buffer);
        }
        Field::Budget => {
            let label = "Budget in US dollars; beyond it nothing goes on by itself";
            typed(label, &form.budget).draw(area, &model.theme, buffer);
        }
    }
}

/// Returns the name of a choice, and what it says when it is on and when it is off.
fn words(switch: Switch) -> (&'static str, &'static str, &'static str) {
    match switch {
        Switch::Enabled => ("Without you", "on: what follows may happen", "off: nothing happens without you"),
        Switch::Revisions => ("Changes", "approved once every check passed", "approved by you"),
        Switch::Merge => ("Approved ones", "land at once", "land when you say so"),
        Switch::Tickets => ("Planner's ones", "tickets start as planned", "tickets are proposed to you"),
        Switch::Followups => ("What follows", "tickets start as planned", "tickets are proposed to you"),
    }
}
