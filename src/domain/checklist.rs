//! The merge checklist of a ticket's newest revision: what Draft finds out by itself, and the boxes that a person ticks.

use serde::{Deserialize, Serialize};

use super::autonomy::Checked;
use super::board::Board;
use super::event::Actor;
use super::gates;
use super::id::{TicketId, TicketNumber};
use super::money::{Money, dollars};
use super::outlook::target_of;
use super::revision::{ChangeSize, Revision};
use super::rollback::Plan;
use super::rule_revert::taken_back_by;
use super::state::words;
use super::ticket::Ticket;
use super::time::Timestamp;

words! {
    /// A box that a person ticks.
    Item, "box of the checklist" {
        /// Somebody read the code.
        CodeReviewed = "code_reviewed",
        /// Nothing in it is a secret.
        NoSensitiveData = "no_sensitive_data",
        /// Whoever lands it knows how to take it back.
        RollbackPlanUnderstood = "rollback_plan_understood",
        /// What is written about it is true again.
        DocumentationUpdated = "documentation_updated",
    }
}

impl Item {
    /// Says whether the checklist is not done without it.
    pub fn is_required(self) -> bool {
        match self {
            Self::CodeReviewed | Self::NoSensitiveData | Self::RollbackPlanUnderstood => true,
            Self::DocumentationUpdated => false,
        }
    }

    /// Returns what a person says by ticking it.
    pub fn says(self) -> &'static str {
        match self {
            Self::CodeReviewed => "the code was reviewed",
            Self::NoSensitiveData => "it brings no sensitive data",
            Self::RollbackPlanUnderstood => "the rollback plan is understood",
            Self::DocumentationUpdated => "the documentation is up to date",
        }
    }
}

/// A box that somebody ticked. It belongs to its revision: the next one has none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tick {
    /// The box.
    pub item: Item,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// What is known of the checks of a revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tests {
    /// Nobody looked.
    Unknown,
    /// So many passed on exactly this change, and none is left.
    Passed(usize),
    /// These did not, or did not run; why, one after the other.
    Open(Vec<String>),
}

impl Tests {
    /// Returns what the checks that ran say about a tree.
    pub fn of(commands: &[String], checked: &[Checked], tree: &str) -> Self {
        match gates::proven(commands, checked, tree) {
            (passed, open) if open.is_empty() => Self::Passed(passed),
            (_, open) => Self::Open(open),
        }
    }
}

/// Whether a landing waits for the checklist, as somebody looked it up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Required {
    /// It only informs.
    No,
    /// It must be done; the checks are known like this.
    Yes(Tests),
}

/// The change that is looked at for its checklist, as the board knows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Subject {
    /// The ticket.
    pub ticket: Ticket,
    /// Its newest revision.
    pub revision: Revision,
    /// The branch that has it, or is to have it.
    pub target: String,
    /// The ticket that takes it back already.
    pub taken_back_by: Option<TicketNumber>,
}

impl Subject {
    /// Returns the newest change of a ticket; nothing where it has none.
    pub fn of(board: &Board, ticket: TicketId) -> Option<Self> {
        let ticket = board.ticket(ticket)?;
        Some(Self {
            ticket: ticket.clone(),
            revision: board.revision(ticket.id)?.clone(),
            target: target_of(board, ticket),
            taken_back_by: taken_back_by(board, ticket.id).map(|back| back.number),
        })
    }
}

/// What Draft found out by itself for the checklist of a revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    /// The number of the revision.
    pub revision: u32,
    /// Its checks.
    pub tests: Tests,
    /// Whether nothing lands before the checklist is done.
    pub is_required: bool,
    /// How it is taken back.
    pub plan: Plan,
}

/// A line of the checklist that Draft found out by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What it is about, as scripts know it.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// The rest, in words.
    pub text: String,
}

/// How a line of the checklist stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// As it must be.
    Good,
    /// Not as it must be.
    Bad,
    /// It is only told.
    Told,
}

impl Row {
    fn new(name: &'static str, standing: Standing, text: impl Into<String>) -> Self {
        Self { name, standing, text: text.into() }
    }
}

/// The checklist of one revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checklist {
    /// The number of the revision.
    pub revision: u32,
    /// Its checks.
    pub tests: Tests,
    /// How large it is.
    pub size: ChangeSize,
    /// What the ticket has cost, in millionths of a US dollar; nothing where no agent said it.
    pub cost: Option<u64>,
    /// What the ticket's goal may cost and has cost.
    pub money: Money,
    ticks: Vec<Tick>,
}

impl Checklist {
    /// Returns the checklist of a ticket's newest revision; nothing for a ticket that has none.
    pub fn of(board: &Board, ticket: &Ticket, tests: Tests) -> Option<Self> {
        let revision = board.revision(ticket.id)?;
        Some(Self::with(revision, Money::of(board, ticket), ticket.usage.cost_micros, tests))
    }

    /// Returns the checklist of a revision of which the rest is known.
    pub(super) fn with(revision: &Revision, money: Money, cost: Option<u64>, tests: Tests) -> Self {
        Self { revision: revision.number, tests, size: revision.size, cost, money, ticks: revision.ticks.clone() }
    }

    /// Returns who ticked a box, if somebody did.
    pub fn tick(&self, item: Item) -> Option<&Tick> {
        self.ticks.iter().find(|tick| tick.item == item)
    }

    /// Returns how many lines the change adds and removes together.
    pub fn lines(&self) -> u64 {
        u64::from(self.size.insertions) + u64::from(self.size.deletions)
    }

    /// Returns what Draft found out by itself, in the order of the list.
    pub fn rows(&self) -> [Row; 5] {
        let tests = match &self.tests {
            Tests::Unknown => Row::new("all_tests_passed", Standing::Told, "not looked up yet"),
            Tests::Passed(1) => Row::new("all_tests_passed", Standing::Good, "1 check passed on this change"),
            Tests::Passed(count) => {
                Row::new("all_tests_passed", Standing::Good, format!("{count} checks passed on this change"))
            }
            Tests::Open(why) => Row::new("all_tests_passed", Standing::Bad, why.join("; ")),
        };
        let ChangeSize { files, insertions, deletions } = self.size;
        let lines = format!("{}, +{insertions} −{deletions}", self.lines());
        let cost = self.cost.map_or_else(|| "no agent said a cost".to_owned(), dollars);
        let at_least = if self.money.is_unknown { "at least " } else { "" };
        let spent = |budget| format!("{at_least}{} of {} are spent", dollars(self.money.spent), dollars(budget));
        let budget = match (self.money.budget.filter(|budget| *budget > 0), self.money.exceeded()) {
            (_, Some(budget)) => Row::new("budget_exceeded", Standing::Bad, format!("yes, {}", spent(budget))),
            (Some(budget), None) => Row::new("budget_exceeded", Standing::Good, format!("no, {}", spent(budget))),
            (None, None) => Row::new("budget_exceeded", Standing::Good, "no, there is no budget"),
        };
        [
            tests,
            Row::new("total_files_changed", Standing::Told, files.to_string()),
            Row::new("total_lines_changed", Standing::Told, lines),
            Row::new("total_cost", Standing::Told, cost),
            budget,
        ]
    }

    /// Returns what is not done yet, in the order of the list; what nobody looked at is not named.
    pub fn open(&self) -> Vec<String> {
        let mut open = match &self.tests {
            Tests::Unknown | Tests::Passed(_) => Vec::new(),
            Tests::Open(why) => why.clone(),
        };
        if let Some(budget) = self.money.exceeded() {
            open.push(format!("{} of the goal's budget of {} are spent", dollars(self.money.spent), dollars(budget)));
        }
        let missing = Item::ALL.iter().filter(|item| item.is_required() && self.tick(**item).is_none());
        open.extend(missing.map(|item| format!("`{item}` is not ticked")));
        open
    }

    /// Says whether the change may land as far as the checklist goes.
    pub fn is_ready(&self) -> bool {
        matches!(self.tests, Tests::Passed(_)) && self.open().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Change;
    use crate::domain::sample;
    use crate::domain::state::{NeedsHuman, State};

    fn tick(item: Item) -> Tick {
        Tick { item, by: Actor::human(), at: Timestamp(7) }
    }

    fn listed(ticks: &[Item], tests: Tests, money: Money) -> Checklist {
        let ticks = ticks.iter().copied().map(tick).collect();
        Checklist::with(&Revision { ticks, ..sample::revision(1, 1) }, money, None, tests)
    }

    const REQUIRED: [Item; 3] = [Item::CodeReviewed, Item::NoSensitiveData, Item::RollbackPlanUnderstood];

    #[test]
    fn it_is_ready_with_passed_tests_money_left_and_the_three_required_boxes() {
        assert!(listed(&REQUIRED, Tests::Passed(2), Money::default()).is_ready());
        for left_out in REQUIRED {
            let rest: Vec<Item> = Item::ALL.iter().copied().filter(|item| *item != left_out).collect();
            let list = listed(&rest, Tests::Passed(2), Money::default());
            assert_eq!(list.open(), [format!("`{left_out}` is not ticked")]);
            assert!(!list.is_ready());
        }
    }

    #[test]
    fn tests_that_failed_and_a_spent_budget_are_open_and_come_first() {
        let failed = Tests::Open(vec!["`make test` failed on this change".into()]);
        let spent = Money { budget: Some(1_500_000), spent: 1_500_000, is_unknown: false };
        let list = listed(&REQUIRED, failed, spent);
        let open = ["`make test` failed on this change", "$1.50 of the goal's budget of $1.50 are spent"];
        assert_eq!(list.open(), open);
        assert!(!list.is_ready());
    }

    #[test]
    fn tests_at_which_nobody_looked_are_not_named_and_prove_nothing() {
        let list = listed(&REQUIRED, Tests::Unknown, Money::default());
        assert_eq!(list.open(), [""; 0]);
        assert!(!list.is_ready());
    }

    #[test]
    fn what_is_found_out_is_told_in_five_rows() {
        let told = |list: Checklist| list.rows().map(|row| format!("{} {:?} {}", row.name, row.standing, row.text));
        let unknown = Money { budget: Some(5_000_000), spent: 420_000, is_unknown: true };
        let open = Tests::Open(vec!["`make` failed on this change".into(), "`lint` did not run on this change".into()]);
        assert_eq!(
            told(listed(&[], open, unknown)),
            [
                "all_tests_passed Bad `make` failed on this change; `lint` did not run on this change",
                "total_files_changed Told 0",
                "total_lines_changed Told 0, +0 −0",
                "total_cost Told no agent said a cost",
                "budget_exceeded Good no, at least $0.42 of $5.00 are spent",
            ]
        );
        let spent = Money { spent: 9_000_000, is_unknown: false, ..unknown };
        let rows = told(listed(&[], Tests::Passed(1), spent));
        assert_eq!(rows[0], "all_tests_passed Good 1 check passed on this change");
        assert_eq!(rows[4], "budget_exceeded Bad yes, $9.00 of $5.00 are spent");
        assert_eq!(
            told(listed(&[], Tests::Passed(2), Money::default()))[4],
            "budget_exceeded Good no, there is no budget"
        );
    }

    #[test]
    fn the_boxes_are_those_of_the_newest_revision() {
        let mut board = sample::board_of(&[State::NeedsHuman { why: NeedsHuman::Review }]);
        let of =
            |board: &Board| board.ticket(sample::id(1)).and_then(|ticket| Checklist::of(board, ticket, Tests::Unknown));
        assert_eq!(of(&board), None, "there is no change");
        let first = Revision { ticks: vec![tick(Item::CodeReviewed)], ..sample::revision(1, 1) };
        board.apply(&Change::Revision(first));
        assert!(of(&board).unwrap().tick(Item::CodeReviewed).is_some());
        board.apply(&Change::Revision(sample::revision(1, 2)));
        let list = of(&board).unwrap();
        assert_eq!((list.revision, list.tick(Item::CodeReviewed)), (2, None));
    }
}
