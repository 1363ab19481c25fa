//! How people name a goal: by its UUID, its title, or a part of the title that no other goal has.

use crate::domain::board::Board;
use crate::domain::command::RefusalCode;
use crate::domain::goal::Goal;
use crate::domain::id::GoalId;
use crate::ui::widget::text::visible;

use super::error::CliError;

/// Returns the goal of a board that somebody names.
pub(super) fn find<'a>(board: &'a Board, name: &str) -> Result<&'a Goal, CliError> {
    find_among(&board.goals(), name).map_err(|named| match named {
        Named::Nothing => {
            let message = format!("there is no goal `{}` on board {}", visible(name), board.about.name);
            let hint = "`draft goal list` shows the goals of this board; a part of the title is enough.";
            CliError::wrong_use(RefusalCode::UnknownGoal.as_str(), message, hint)
        }
        Named::Several(goals) => several(name, &goals),
    })
}

/// Why a name means no goal.
pub(super) enum Named<'a> {
    Nothing,
    Several(Vec<&'a Goal>),
}

/// Returns the goal that is meant: the one with that UUID, else with that title, else the only one with that in its title.
pub(super) fn find_among<'a>(goals: &[&'a Goal], name: &str) -> Result<&'a Goal, Named<'a>> {
    let of = |is_meant: &dyn Fn(&Goal) -> bool| -> Vec<&'a Goal> {
        goals.iter().copied().filter(|goal| is_meant(goal)).collect()
    };
    if let Ok(id) = name.parse::<GoalId>() {
        return of(&|goal| goal.id == id).first().copied().ok_or(Named::Nothing);
    }
    let name = name.trim().to_lowercase();
    if name.is_empty() {
        return Err(Named::Nothing);
    }
    let is_titled = of(&|goal| goal.title.as_str().to_lowercase() == name);
    let found =
        if is_titled.is_empty() { of(&|goal| goal.title.as_str().to_lowercase().contains(&name)) } else { is_titled };
    match found.as_slice() {
        [] => Err(Named::Nothing),
        [goal] => Ok(goal),
        [..] => Err(Named::Several(found)),
    }
}

/// Says that a name may mean several goals.
pub(super) fn several(name: &str, goals: &[&Goal]) -> CliError {
    let all: Vec<String> =
        goals.iter().map(|goal| format!("  {}  {}", goal.id, visible(goal.title.as_str()))).collect();
    let message = format!("`{}` may mean {} goals:\n{}", visible(name), goals.len(), all.join("\n"));
    CliError::wrong_use("ambiguous_goal", message, "Name it by its UUID, or by more of its title.")
}
