//! What the work for a goal costs: what was spent, what may be, and how people write an amount.

use super::board::Board;
use super::goal::Goal;
use super::ticket::Ticket;

/// A cent in millionths of a dollar.
const CENT: u64 = 10_000;

/// What was spent for a goal, in millionths of a dollar.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Money {
    /// What may be spent; nothing and zero set no limit.
    pub budget: Option<u64>,
    /// What is known to be spent.
    pub spent: u64,
    /// Whether an agent worked and did not say what it cost.
    pub is_unknown: bool,
}

impl Money {
    /// Returns what the tickets of a goal have cost.
    pub fn of_goal(board: &Board, goal: &Goal) -> Self {
        Self::of_tickets(goal, board.tickets().filter(|one| one.goal == Some(goal.id)))
    }

    /// Returns what these tickets of a goal have cost.
    pub fn of_tickets<'a>(goal: &Goal, tickets: impl IntoIterator<Item = &'a Ticket>) -> Self {
        let mut money = Self { budget: goal.budget_micros, ..Self::default() };
        for one in tickets {
            money.spent = money.spent.saturating_add(one.usage.cost_micros.unwrap_or(0));
            money.is_unknown |= one.usage.tokens() > 0 && one.usage.cost_micros.is_none();
        }
        money
    }

    /// Returns the budget, if all of it is spent.
    pub fn exceeded(&self) -> Option<u64> {
        self.budget.filter(|budget| *budget > 0 && self.spent >= *budget)
    }

    /// Returns what was spent for the goal of a ticket. The sum is made only where there is a budget to compare it with.
    pub fn of(board: &Board, ticket: &Ticket) -> Self {
        match board.goal_of(ticket) {
            Some(goal) if goal.budget_micros.is_some_and(|budget| budget > 0) => Self::of_goal(board, goal),
            Some(goal) => Self { budget: goal.budget_micros, ..Self::default() },
            None => Self::default(),
        }
    }
}

/// Returns an amount in millionths of a dollar as people read it, rounded to cents: `$1.42`. What is less than one is `<$0.01`,
/// so that something spent never looks like nothing.
pub fn dollars(micros: u64) -> String {
    if (1..CENT).contains(&micros) {
        return "<$0.01".to_owned();
    }
    let cents = micros.saturating_add(CENT / 2) / CENT;
    format!("${}.{:02}", grouped(cents / 100), cents % 100)
}

/// Returns a count with separators between thousands: `1,204`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Reads an amount in US dollars, such as `5` or `$2.50`, as millionths of a dollar; nothing for what is none.
pub fn read_dollars(text: &str) -> Option<u64> {
    let text = text.trim_start_matches('$');
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || part.len() > 6 || !is_number(part) {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(format!("{part:0<6}").parse().ok()?)
}

/// Returns an amount as [`read_dollars`] reads it, exactly.
pub fn typed(micros: u64) -> String {
    let exact = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    exact.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        assert_eq!(read_dollars("5"), Some(5_000_000));
        assert_eq!(read_dollars("$2.5"), Some(2_500_000));
        assert_eq!(read_dollars("0.000001"), Some(1));
        for bad in ["", "-1", "1.0000001", "1e3", ".5", "1.5.5", "99999999999999999999"] {
            assert_eq!(read_dollars(bad), None, "{bad}");
        }
    }

    #[test]
    fn money_is_in_cents_and_never_nothing_when_something_was_spent() {
        for (micros, text) in [
            (0, "$0.00"),
            (1, "<$0.01"),
            (8_227, "<$0.01"),
            (10_000, "$0.01"),
            (14_999, "$0.01"),
            (15_000, "$0.02"),
            (1_420_000, "$1.42"),
            (1_204_999_999, "$1,205.00"),
            (u64::MAX, "$18,446,744,073,709.55"),
        ] {
            assert_eq!(dollars(micros), text);
        }
    }

    proptest! {
        #[test]
        fn an_amount_survives_being_written_and_read(micros: u64) {
            prop_assert_eq!(read_dollars(&typed(micros)), Some(micros));
        }
    }
}
