//! The form of a goal, a new one or one that is there: what it is for, what may happen for it without a person, and what it
//! may cost.

use crossterm::event::KeyEvent;
use ratatui_textarea::{TextArea, WrapMode};

use crate::domain::autonomy::{Autonomy, AutonomyEdit, Ceiling};
use crate::domain::command::Command;
use crate::domain::goal::Goal;
use crate::domain::id::GoalId;
use crate::domain::money::{read_dollars, typed};
use crate::domain::ticket::Title;
use crate::ui::keys::{Action, Context};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg::{Effect, GoalDraft};
use crate::ui::theme::Theme;

use super::Overlay;
use super::form::{text, type_in};
use super::places::Place;
use super::typing::{self, Lines, area};

/// The fields, in the order in which Tab goes through them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Title,
    Description,
    Switch(Switch),
    Most,
    Budget,
}

/// What may happen without a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Switch {
    Enabled,
    Revisions,
    Merge,
    Tickets,
    Followups,
}

/// Every field.
pub(super) const FIELDS: [Field; 9] = [
    Field::Title,
    Field::Description,
    Field::Switch(Switch::Enabled),
    Field::Switch(Switch::Revisions),
    Field::Switch(Switch::Merge),
    Field::Switch(Switch::Tickets),
    Field::Switch(Switch::Followups),
    Field::Most,
    Field::Budget,
];

impl Switch {
    /// Returns its place in the settings.
    fn of(self, autonomy: &mut Autonomy) -> &mut bool {
        match self {
            Self::Enabled => &mut autonomy.enabled,
            Self::Revisions => &mut autonomy.auto_approve_revisions,
            Self::Merge => &mut autonomy.auto_merge,
            Self::Tickets => &mut autonomy.auto_approve_tickets,
            Self::Followups => &mut autonomy.auto_approve_followups,
        }
    }
}

/// What is typed and chosen.
#[derive(Clone, Debug)]
pub(in crate::ui) struct GoalForm {
    /// The goal as it was when its form was opened; nothing for a new one.
    before: Option<Box<Goal>>,
    /// The row of the list from which it was opened.
    at: usize,
    pub(super) focus: Field,
    pub(super) title: TextArea<'static>,
    pub(super) description: TextArea<'static>,
    autonomy: Autonomy,
    pub(super) most: TextArea<'static>,
    pub(super) budget: TextArea<'static>,
    pub(super) errors: Vec<(Field, String)>,
}

/// What a form says, once nothing is wrong with it.
struct Said {
    title: Title,
    description: String,
    autonomy: Autonomy,
    budget: Option<u64>,
}

impl GoalForm {
    /// Returns an empty form.
    pub(super) fn new(at: usize, theme: &Theme) -> Self {
        let mut description = area(theme);
        description.set_wrap_mode(WrapMode::WordOrGlyph);
        Self {
            before: None,
            at,
            focus: Field::Title,
            title: area(theme),
            description,
            autonomy: Autonomy::default(),
            most: area(theme),
            budget: area(theme),
            errors: Vec::new(),
        }
    }

    /// Returns the form of a goal.
    pub(super) fn of(goal: Goal, at: usize, theme: &Theme) -> Self {
        let mut form = Self::new(at, theme);
        type_in(&mut form.title, goal.title.as_str());
        type_in(&mut form.description, &goal.description);
        type_in(&mut form.most, &goal.autonomy.max_auto_approvals.map_or_else(String::new, |most| most.to_string()));
        type_in(&mut form.budget, &goal.budget_micros.map_or_else(String::new, typed));
        form.autonomy = goal.autonomy;
        form.before = Some(Box::new(goal));
        form
    }

    /// Returns the goal that it is about; nothing for a new one.
    pub(in crate::ui) fn goal(&self) -> Option<GoalId> {
        self.before.as_ref().map(|goal| goal.id)
    }

    /// Returns the title of the goal that it is about.
    pub(super) fn named(&self) -> Option<&str> {
        self.before.as_ref().map(|goal| goal.title.as_str())
    }

    /// Says whether something is on.
    pub(super) fn is_on(&self, switch: Switch) -> bool {
        let mut autonomy = self.autonomy;
        *switch.of(&mut autonomy)
    }

    /// Says whether the field with the keys offers choices.
    pub(in crate::ui) fn is_at_choice(&self) -> bool {
        matches!(self.focus, Field::Switch(_))
    }

    /// Says whether the field with the keys takes more than one line.
    pub(in crate::ui) fn takes_lines(&self) -> bool {
        self.focus == Field::Description
    }

    /// Takes pasted text without what could not be seen in it.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        let lines = self.lines();
        if let Some(input) = self.input() {
            typing::pasted(input, lines, pasted);
        }
        self.forgive();
    }

    fn typed(&mut self, event: KeyEvent) {
        let lines = self.lines();
        if let Some(input) = self.input() {
            typing::typed(input, lines, event);
        }
        self.forgive();
    }

    fn lines(&self) -> Lines {
        if self.takes_lines() { Lines::Many } else { Lines::One }
    }

    fn forgive(&mut self) {
        let focus = self.focus;
        self.errors.retain(|(field, _)| *field != focus);
    }

    fn input(&mut self) -> Option<&mut TextArea<'static>> {
        match self.focus {
            Field::Title => Some(&mut self.title),
            Field::Description => Some(&mut self.description),
            Field::Most => Some(&mut self.most),
            Field::Budget => Some(&mut self.budget),
            Field::Switch(_) => None,
        }
    }

    fn turn(&mut self, by: usize) {
        let at = FIELDS.iter().position(|field| *field == self.focus).unwrap_or(0);
        self.focus = FIELDS[(at + by) % FIELDS.len()];
    }

    fn choose(&mut self) {
        if let Field::Switch(switch) = self.focus {
            let on = switch.of(&mut self.autonomy);
            *on = !*on;
        }
    }

    /// Says whether nothing was typed or chosen that is not there already.
    fn is_blank(&self) -> bool {
        match &self.before {
            Some(goal) => {
                let as_it_was = Self::of((**goal).clone(), self.at, &Theme::plain());
                self.typed_in_all() == as_it_was.typed_in_all() && self.autonomy == goal.autonomy
            }
            None => [&self.title, &self.description, &self.most, &self.budget].iter().all(|input| input.is_empty()),
        }
    }

    fn typed_in_all(&self) -> [&[String]; 4] {
        [&self.title, &self.description, &self.most, &self.budget].map(|input| input.lines())
    }

    /// Returns what it says, unless something is wrong; then it shows what.
    fn read(&mut self) -> Option<Said> {
        self.errors.clear();
        let one_line = |input: &TextArea<'static>| input.lines().join(" ").trim().to_owned();
        let title = Title::new(&self.title.lines().join(" ")).map_err(|error| error.to_string());
        let title = self.checked(Field::Title, title);
        let most = match one_line(&self.most).as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| format!("`{text}` is no number of approvals, such as 5")),
        };
        let most = self.checked(Field::Most, most);
        let budget = match one_line(&self.budget).as_str() {
            "" => Ok(None),
            text => read_dollars(text).map(Some).ok_or_else(|| format!("`{text}` is no amount, such as 5 or 2.50")),
        };
        let budget = self.checked(Field::Budget, budget);
        if let Some((field, _)) = self.errors.first() {
            self.focus = *field;
        }
        let autonomy = Autonomy { max_auto_approvals: most?, ..self.autonomy };
        Some(Said { title: title?, description: text(&self.description), autonomy, budget: budget? })
    }

    fn checked<T>(&mut self, field: Field, value: Result<T, String>) -> Option<T> {
        value.map_err(|error| self.errors.push((field, error))).ok()
    }
}

/// Returns the command that changes what differs; whatever others changed since is theirs.
fn edit(before: &Goal, said: Said) -> Option<Command> {
    let Said { title, description, autonomy, budget } = said;
    let was = before.autonomy;
    let switch = |now: bool, was: bool| (now != was).then_some(now);
    let ceiling = |most: Option<u32>| most.map_or(Ceiling::Unlimited, Ceiling::AtMost);
    let autonomy = AutonomyEdit {
        enabled: switch(autonomy.enabled, was.enabled),
        auto_approve_tickets: switch(autonomy.auto_approve_tickets, was.auto_approve_tickets),
        auto_approve_revisions: switch(autonomy.auto_approve_revisions, was.auto_approve_revisions),
        auto_merge: switch(autonomy.auto_merge, was.auto_merge),
        auto_approve_followups: switch(autonomy.auto_approve_followups, was.auto_approve_followups),
        max_auto_approvals: (autonomy.max_auto_approvals != was.max_auto_approvals)
            .then(|| ceiling(autonomy.max_auto_approvals)),
    };
    let title = Some(title).filter(|title| *title != before.title);
    let description = Some(description).filter(|text| text != before.description.trim_end());
    let budget = (budget != before.budget_micros).then(|| budget.map_or(Ceiling::Unlimited, Ceiling::AtMost));
    let is_same = title.is_none() && description.is_none() && budget.is_none() && autonomy == AutonomyEdit::default();
    (!is_same).then_some(Command::EditGoal { goal: before.id, title, description, autonomy, budget })
}

impl Model {
    /// Takes a key in the form of a goal: what the table says about it, or else as text.
    pub(in crate::ui) fn key_in_goal_form(
        &mut self,
        mut form: Box<GoalForm>,
        action: Option<Action>,
        event: KeyEvent,
    ) -> Vec<Effect> {
        match action {
            Some(Action::Back) => {
                self.show_place(Place::Goals, form.at);
                if !form.is_blank() {
                    let again = if form.goal().is_some() { Action::EditGoal } else { Action::NewGoal };
                    let key = self.keys.shown(Context::Goals, again);
                    self.say(NoticeKind::Answer, format!("the goal is put aside; {key} goes on with it"));
                    self.kept_goal = Some(form);
                }
                return Vec::new();
            }
            Some(Action::Save) if form.takes_lines() && event.modifiers.is_empty() => {
                form.description.insert_newline();
            }
            Some(Action::Save) => return self.save_goal(form),
            Some(Action::NextField) => form.turn(1),
            Some(Action::PreviousField) => form.turn(FIELDS.len() - 1),
            Some(Action::NextChoice | Action::PreviousChoice) if form.is_at_choice() => form.choose(),
            _ => form.typed(event),
        }
        self.over = Some(Overlay::GoalForm(form));
        Vec::new()
    }

    fn save_goal(&mut self, mut form: Box<GoalForm>) -> Vec<Effect> {
        let Some(said) = form.read() else {
            self.over = Some(Overlay::GoalForm(form));
            return Vec::new();
        };
        let effect = match &form.before {
            Some(before) => edit(before, said).map(Effect::Do),
            None => {
                let Said { title, description, autonomy, budget } = said;
                Some(Effect::AddGoal(GoalDraft { title, description, autonomy, budget }))
            }
        };
        // A new goal is the last one.
        let at = if form.before.is_some() { form.at } else { self.board.goals().len() };
        self.show_place(Place::Goals, at);
        if effect.is_some() {
            self.sent_goal = Some(form);
        } else {
            self.say(NoticeKind::Answer, "the goal is as it was");
        }
        effect.into_iter().collect()
    }

    /// Keeps the form of a goal that came to nothing, and says how to go on with it.
    pub(in crate::ui) fn keep_sent_goal(&mut self) -> Option<String> {
        let form = self.sent_goal.take()?;
        let again = if form.goal().is_some() { Action::EditGoal } else { Action::NewGoal };
        self.kept_goal = Some(form);
        let (goals, key) = (self.key_of(Action::Goals), self.keys.shown(Context::Goals, again));
        Some(format!(" {goals} {key} goes on with the goal."))
    }
}
