//! A ticket as somebody files it, by flags or in a file, and what is wrong with it.

use std::io::Read;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::board::Board;
use crate::domain::command::NewTicket;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::ticket::{Priority, Title};
use crate::engine::Workshop;
use crate::ui::widget::text::visible;

use super::error::CliError;
use super::goal_name;

/// The fields of `draft ticket add`; an imported file has the same ones.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filed {
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) priority: Option<Value>,
    #[serde(default)]
    pub(super) goal: Option<String>,
    #[serde(default)]
    pub(super) after: Vec<Value>,
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) agent: Option<String>,
    #[serde(default)]
    pub(super) model: Option<String>,
    #[serde(default)]
    pub(super) verify: Vec<String>,
    #[serde(default)]
    pub(super) base_branch: Option<String>,
}

/// Reads a JSON array, or one object after the other.
pub(super) fn parse(text: &str) -> Result<Vec<Filed>, CliError> {
    let text = text.trim_start_matches('\u{feff}');
    let parsed = if text.trim_start().starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::Deserializer::from_str(text).into_iter().collect()
    };
    parsed.map_err(|error| {
        let hint = "Give a JSON array of tickets, or one object a line, with the fields of `draft ticket add`. \
                    Nothing was filed.";
        CliError::wrong_use("bad_import", format!("the tickets cannot be read: {error}"), hint)
    })
}

/// Checks the values of one ticket that is to be filed on a board.
pub(super) fn checked(workshop: &Workshop, board: &Board, filed: Filed) -> Result<NewTicket, CliError> {
    let bad = |message: String, hint: &str| CliError::wrong_use("bad_value", message, hint);
    let title = title(&filed.title)?;
    let in_ticket = |message: String, hint: &str| bad(format!("`{}`: {message}", visible(title.as_str())), hint);
    let accepted = match filed.state.as_deref() {
        None | Some("proposed") => false,
        Some("planned") => true,
        Some(other) => {
            let hint = "The other states are reached by moves and runs.";
            return Err(in_ticket(format!("a new ticket is proposed or planned, not `{other}`"), hint));
        }
    };
    let priority = match filed.priority {
        None | Some(Value::Null) => None,
        Some(value) => Some(
            plain(&value).parse::<Priority>().map_err(|error| in_ticket(error.to_string(), "Nothing was filed."))?,
        ),
    };
    known_agent(workshop, filed.agent.as_deref())?;
    let model = filed.model.as_deref().map(model).transpose();
    let model =
        model.map_err(|error| in_ticket(error, "Leave the model out for the agent's own. Nothing was filed."))?;
    let goal = filed.goal.map(|name| goal_name::find(board, &name)).transpose()?.map(|goal| goal.id);
    let after: Result<Vec<TicketRef>, _> = filed.after.iter().map(|name| plain(name).parse::<TicketRef>()).collect();
    Ok(NewTicket {
        id: TicketId(uuid::Uuid::now_v7()),
        after: after.map_err(|error| in_ticket(error.to_string(), "`draft ticket list` shows the numbers."))?,
        description: filed.description,
        agent: filed.agent,
        model,
        verify: filed.verify,
        base_branch: filed.base_branch,
        title,
        priority,
        goal,
        accepted,
    })
}

/// Refuses the name of an agent or profile that nobody has here: a run would be in vain.
pub(super) fn known_agent(workshop: &Workshop, name: Option<&str>) -> Result<(), CliError> {
    let Some(name) = name else { return Ok(()) };
    workshop.agents()?.find(name).map(|_| ()).map_err(|unknown| {
        CliError::wrong_use("unknown_agent", unknown.to_string(), "`draft agents` lists the agents and profiles.")
    })
}

/// Reads the name of a model. Which ones there are, only the agent knows.
pub(super) fn model(name: &str) -> Result<String, String> {
    match name.trim() {
        "" => Err("a model has a name".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// Reads a title.
pub(super) fn title(text: &str) -> Result<Title, CliError> {
    Title::new(text).map_err(|error| {
        let hint = "Say in one line what is to be done; the rest is the description.";
        CliError::wrong_use("bad_value", error.to_string(), hint)
    })
}

/// Reads what somebody gave by a flag: the text itself, or what comes from standard input where it is `-`.
pub(super) fn text(given: String) -> Result<String, CliError> {
    if given != "-" {
        return Ok(given);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        let message = format!("could not read standard input: {error}");
        CliError::wrong_use("unreadable_file", message, "It must be text in UTF-8. Nothing was changed.")
    })?;
    Ok(text)
}

/// Checks the values of many tickets; an error says which of them it is about.
pub(super) fn all_checked(workshop: &Workshop, board: &Board, filed: Vec<Filed>) -> Result<Vec<NewTicket>, CliError> {
    let about = |error: CliError, index: usize| error.about(&format!("ticket {} of the file", index + 1));
    let numbered = filed.into_iter().enumerate();
    numbered.map(|(index, one)| checked(workshop, board, one).map_err(|error| about(error, index))).collect()
}

/// A number or a text as people would type it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
