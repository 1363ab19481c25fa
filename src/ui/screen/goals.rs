//! The goals of the board: how far each is, what may happen for it without a person, and what it costs.

use std::collections::HashMap;

use ratatui::text::Line;

use crate::domain::autonomy::waits_because;
use crate::domain::command::Command;
use crate::domain::glance::Tally;
use crate::domain::goal::{Goal, Progress};
use crate::domain::id::GoalId;
use crate::domain::money::{Money, dollars};
use crate::domain::query::{Key, word};
use crate::domain::ticket::Ticket;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::format;
use crate::ui::widget::text::{self, Side};

use super::Overlay;
use super::dialog::Question;
use super::goal_form::GoalForm;
use super::overview::Page;
use super::places::{Listed, Place, row, tally};

/// How many columns the bar of progress has.
const BAR: usize = 12;
/// From this width on there is room for the bar.
const BAR_FROM: usize = 60;

impl Model {
    /// Shows only the tickets of a goal.
    pub(super) fn choose_goal(&mut self, at: usize) -> Vec<Effect> {
        let Some(goal) = self.goal_at(at) else { return self.new_goal(at) };
        let filter = word(Key::Goal, goal.title.as_str());
        if !self.board.tickets().any(|ticket| ticket.goal == Some(goal.id)) {
            self.show_place(Place::Goals, at);
            let edit = self.key_of(Action::Edit);
            return self.refuse(format!("no ticket serves this goal yet; {edit} on a ticket gives it to one."));
        }
        self.show_tickets(filter);
        Vec::new()
    }

    /// Opens the form of a new goal, with what was put aside.
    pub(super) fn new_goal(&mut self, at: usize) -> Vec<Effect> {
        let kept = self.kept_goal.take_if(|form| form.goal().is_none());
        let form = kept.unwrap_or_else(|| Box::new(GoalForm::new(at, &self.theme)));
        self.over = Some(Overlay::GoalForm(form));
        Vec::new()
    }

    /// Opens the form of a goal, with what was put aside.
    pub(super) fn edit_goal(&mut self, at: usize) -> Vec<Effect> {
        let Some(goal) = self.goal_at(at).cloned() else { return self.no_goal(at) };
        let kept = self.kept_goal.take_if(|form| form.goal() == Some(goal.id));
        let form = kept.unwrap_or_else(|| Box::new(GoalForm::of(goal, at, &self.theme)));
        self.over = Some(Overlay::GoalForm(form));
        Vec::new()
    }

    /// Asks whether to take a goal off the board.
    pub(super) fn remove_goal(&mut self, at: usize) -> Vec<Effect> {
        match self.goal_at(at).map(|goal| goal.id) {
            Some(goal) => self.ask(Question::RemoveGoal { goal, at }),
            None => self.no_goal(at),
        }
    }

    /// Takes a goal off the board.
    pub(in crate::ui) fn removed_goal(&mut self, goal: GoalId, at: usize) -> Vec<Effect> {
        self.show_place(Place::Goals, at);
        vec![Effect::Do(Command::RemoveGoal { goal })]
    }

    fn no_goal(&mut self, at: usize) -> Vec<Effect> {
        self.show_place(Place::Goals, at);
        let new = self.keys.shown(Context::Goals, Action::NewGoal);
        self.refuse(format!("there is no goal here; {new} sets one."))
    }

    fn goal_at(&self, at: usize) -> Option<&Goal> {
        self.board.goals().get(at).copied()
    }
}

/// Returns the goals, and more about the one that is marked.
pub(super) fn listed(model: &Model, at: usize, width: usize) -> Listed {
    let goals = model.board.goals();
    let mut tickets: HashMap<GoalId, Vec<&Ticket>> = HashMap::new();
    for ticket in model.board.tickets() {
        if let Some(goal) = ticket.goal {
            tickets.entry(goal).or_default().push(ticket);
        }
    }
    let of = |goal: &Goal| tickets.get(&goal.id).map_or(&[][..], Vec::as_slice);
    let marked = goals.get(at.min(goals.len().saturating_sub(1)));
    let facts: Vec<Facts> = goals.iter().map(|goal| Facts::of(goal, of(goal))).collect();
    let widest = Widths::of(&facts);
    let new = model.keys.shown(Context::Goals, Action::NewGoal);
    Listed {
        rows: goals.iter().zip(&facts).map(|(goal, facts)| facts.row(model, goal, &widest, width)).collect(),
        details: marked.map_or_else(Vec::new, |goal| details(model, goal, of(goal), width)),
        none: format!("No goal is set yet. A goal groups tickets and says how far they are; {new} sets one."),
    }
}

/// What a row says of a goal.
struct Facts {
    progress: Progress,
    far: String,
    auto: &'static str,
    cost: String,
}

/// The widest of each, so that they stand below each other.
struct Widths {
    far: usize,
    auto: usize,
    cost: usize,
}

impl Facts {
    fn of(goal: &Goal, tickets: &[&Ticket]) -> Self {
        let progress = Progress::of(tickets.iter().copied());
        let Progress { total, done, .. } = progress;
        let far = if total == 0 { "no tickets".to_owned() } else { format!("{done} of {total} done") };
        let money = Money::of_tickets(goal, tickets.iter().copied());
        let cost = match money.budget.filter(|budget| *budget > 0) {
            Some(budget) => format!("{} of {}", dollars(money.spent), dollars(budget)),
            None if money.spent > 0 => dollars(money.spent),
            None => String::new(),
        };
        Self { progress, far, auto: if goal.autonomy.enabled { "auto" } else { "" }, cost }
    }

    fn row(&self, model: &Model, goal: &Goal, widest: &Widths, width: usize) -> Line<'static> {
        let mut facts = Vec::new();
        if width >= BAR_FROM {
            facts.push((Role::Ok, bar(model, self.progress)));
        }
        facts.push((Role::Dim, text::pad(&self.far, widest.far, Side::Left)));
        let beside = [(Role::Running, self.auto, widest.auto), (Role::Text, self.cost.as_str(), widest.cost)];
        for (role, said, columns) in beside.into_iter().filter(|(_, _, columns)| *columns > 0 && width >= BAR_FROM) {
            facts.push((role, text::pad(said, columns, Side::Left)));
        }
        row(model, goal.title.as_str(), &facts, width)
    }
}

impl Widths {
    fn of(all: &[Facts]) -> Self {
        let widest = |of: fn(&Facts) -> &str| all.iter().map(|facts| text::width(of(facts))).max().unwrap_or(0);
        Self { far: widest(|it| &it.far), auto: widest(|it| it.auto), cost: widest(|it| &it.cost) }
    }
}

fn bar(model: &Model, progress: Progress) -> String {
    let glyphs = &model.theme.glyphs;
    let full = (progress.done * BAR).checked_div(progress.total).unwrap_or(0);
    format!("{}{}", glyphs.bar_full.repeat(full), glyphs.bar_empty.repeat(BAR - full))
}

fn details(model: &Model, goal: &Goal, tickets: &[&Ticket], width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(model, width);
    let progress = Progress::of(tickets.iter().copied());
    page.heading(goal.title.as_str());
    let status = progress.status.as_str().replace('_', " ");
    page.fact("status", Role::Text, &format!("{status}, {}%", progress.percent()));
    page.fact("tickets", Role::Text, &tally(&Tally::of(tickets.iter().copied())));
    page.fact("without you", Role::Text, &goal.autonomy.to_string());
    let money = Money::of_tickets(goal, tickets.iter().copied());
    let cost = match money.budget.filter(|budget| *budget > 0) {
        Some(budget) => format!("{} of {} spent", dollars(money.spent), dollars(budget)),
        None => format!("{} spent, no limit", dollars(money.spent)),
    };
    let unsaid = if money.is_unknown { "; some agents do not say what they cost" } else { "" };
    page.fact("cost", Role::Text, &format!("{cost}{unsaid}"));
    for (ticket, why) in tickets.iter().filter_map(|ticket| Some((ticket, waits_because(ticket)?))) {
        page.fact("for you", Role::Warn, &format!("{}: {why}", ticket.number));
    }
    page.fact("set", Role::Dim, &format::date(goal.created_at, model.zone));
    if !goal.description.trim().is_empty() {
        page.text(Role::Text, "");
        page.markdown(goal.description.trim());
    }
    page.lines()
}
