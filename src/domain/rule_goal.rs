//! What a person does with goals: set, edit, remove and bring back. A goal moves nothing, so its tickets stay where they are.

use super::autonomy::{Autonomy, AutonomyEdit, Ceiling};
use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::goal::Goal;
use super::id::GoalId;
use super::rule::Decision;
use super::ticket::Title;

/// Sets a goal.
pub(super) fn add(decision: &mut Decision<'_>, goal: &Goal) -> Result<(), Refused> {
    let board = decision.board;
    if board.goal(goal.id).or_else(|| board.removed_goal(goal.id)).is_some() {
        let message = format!("there is a goal {} already", goal.id);
        return Err(Refused::new(RefusalCode::BadValue, message, "A new goal needs a new identity."));
    }
    let autonomy = Autonomy { auto_approval_count: 0, ..goal.autonomy };
    decision.save(Save::Goal(Goal { autonomy, ..goal.clone() }));
    Ok(())
}

/// What somebody wants otherwise about a goal; what is left out stays as it is.
pub(super) struct GoalEdit<'a> {
    pub(super) title: Option<&'a Title>,
    pub(super) description: Option<&'a String>,
    pub(super) autonomy: &'a AutonomyEdit,
    pub(super) budget: &'a Option<Ceiling<u64>>,
}

/// Changes a goal. What changes nothing is not saved.
pub(super) fn edit(decision: &mut Decision<'_>, id: GoalId, edit: GoalEdit<'_>) -> Result<(), Refused> {
    let old = find(decision, id)?;
    let goal = Goal {
        title: edit.title.unwrap_or(&old.title).clone(),
        description: edit.description.unwrap_or(&old.description).clone(),
        autonomy: old.autonomy.edited(*edit.autonomy),
        budget_micros: edit.budget.map_or(old.budget_micros, Into::into),
        ..old.clone()
    };
    if goal != *old {
        decision.save(Save::Goal(Goal { updated_at: decision.input.at, ..goal }));
    }
    Ok(())
}

/// Takes a goal off the board. Its tickets keep their link, which means nothing while the goal is away.
pub(super) fn remove(decision: &mut Decision<'_>, id: GoalId) -> Result<(), Refused> {
    let at = decision.input.at;
    let removed = Goal { removed_at: Some(at), updated_at: at, ..find(decision, id)?.clone() };
    decision.save(Save::Goal(removed));
    Ok(())
}

/// Puts a goal that was removed back on the board, with its tickets.
pub(super) fn bring_back(decision: &mut Decision<'_>, id: GoalId) -> Result<(), Refused> {
    let Some(removed) = decision.board.removed_goal(id) else {
        let goal = find(decision, id)?;
        let message = format!("the goal `{}` was not removed", goal.title);
        return Err(Refused::new(RefusalCode::NotRemoved, message, "It is on the board."));
    };
    decision.save(Save::Goal(Goal { removed_at: None, updated_at: decision.input.at, ..removed.clone() }));
    Ok(())
}

fn find<'a>(decision: &Decision<'a>, id: GoalId) -> Result<&'a Goal, Refused> {
    decision.board.goal(id).ok_or_else(|| {
        let message = format!("there is no goal {id} on board {}", decision.board.about.name);
        Refused::new(RefusalCode::UnknownGoal, message, "`draft goal list` shows the goals of this board.")
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::board::Board;
    use crate::domain::change::Change;
    use crate::domain::command::{Command, Edit};
    use crate::domain::id::TicketRef;
    use crate::domain::rule::{What, decide};
    use crate::domain::rule_walk::apply;
    use crate::domain::sample;
    use crate::domain::state::State;
    use crate::domain::ticket::Ticket;
    use crate::domain::time::Timestamp;

    const ID: GoalId = GoalId(Uuid::from_u128(9));

    fn ask(board: &mut Board, command: Command) -> Result<usize, Refused> {
        let steps = decide(board, &sample::input(What::Command(command)))?;
        steps.saves.iter().for_each(|save| apply(board, save));
        Ok(steps.saves.len())
    }

    fn title(text: &str) -> Title {
        Title::new(text).unwrap()
    }

    /// A board with a goal and a ticket that serves it.
    fn board() -> Board {
        let mut board = sample::board_of(&[State::Planned]);
        let goal = Goal::new(ID, board.about.id, title("Safe arithmetic"), "More".into(), Timestamp(1));
        assert_eq!(ask(&mut board, Command::AddGoal(goal)), Ok(1));
        let ticket = Ticket { goal: Some(ID), ..sample::ticket(1) };
        board.apply(&Change::Ticket(ticket));
        board
    }

    #[test]
    fn a_goal_is_edited_field_by_field_and_saved_only_when_it_changed() {
        let mut board = board();
        let edit = |title: Option<Title>, description| Command::EditGoal {
            goal: ID,
            title,
            description,
            autonomy: AutonomyEdit::default(),
            budget: None,
        };
        assert_eq!(ask(&mut board, edit(Some(title("Sound arithmetic")), None)), Ok(1));
        let goal = board.goal(ID).unwrap();
        assert_eq!((goal.title.as_str(), goal.description.as_str()), ("Sound arithmetic", "More"));
        assert_eq!(ask(&mut board, edit(None, Some("More".into()))), Ok(0));
        assert_eq!(ask(&mut board, edit(None, Some(String::new()))), Ok(1));
        assert_eq!(board.goal(ID).unwrap().description, "");
    }

    #[test]
    fn a_goal_that_was_removed_comes_back_with_its_tickets() {
        let mut board = board();
        assert_eq!(ask(&mut board, Command::RemoveGoal { goal: ID }), Ok(1));
        assert_eq!((board.goals().len(), board.goal(ID)), (0, None));
        let refused = ask(&mut board, Command::RemoveGoal { goal: ID }).unwrap_err();
        assert_eq!(refused.code, RefusalCode::UnknownGoal);
        let ticket = TicketRef::Id(sample::id(1));
        let serve = Command::Edit { ticket, edits: vec![Edit::Goal(Some(ID))] };
        assert_eq!(ask(&mut board, serve).unwrap_err().code, RefusalCode::UnknownGoal);
        assert_eq!(ask(&mut board, Command::BringBackGoal { goal: ID }), Ok(1));
        assert_eq!(board.find(ticket).unwrap().goal, Some(ID));
        assert_eq!(board.goal(ID).unwrap().removed_at, None);
        let refused = ask(&mut board, Command::BringBackGoal { goal: ID }).unwrap_err();
        assert_eq!(refused.code, RefusalCode::NotRemoved);
    }

    #[test]
    fn a_goal_is_never_overwritten_by_a_new_one() {
        let mut board = board();
        let other = Goal::new(ID, board.about.id, title("Other"), String::new(), Timestamp(2));
        assert_eq!(ask(&mut board, Command::AddGoal(other.clone())).unwrap_err().code, RefusalCode::BadValue);
        ask(&mut board, Command::RemoveGoal { goal: ID }).unwrap();
        assert_eq!(ask(&mut board, Command::AddGoal(other)).unwrap_err().code, RefusalCode::BadValue);
    }
}
