//! A ticket as somebody files it, by flags or in a file, and what is wrong with it.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::command::NewTicket;
use crate::domain::id::{GoalId, TicketId, TicketRef};
use crate::domain::ticket::{Priority, Title};
use crate::ui::widget::text::visible;

use super::error::CliError;

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

/// Checks the values of one ticket.
pub(super) fn checked(filed: Filed) -> Result<NewTicket, CliError> {
    let bad = |message: String, hint: &str| CliError::wrong_use("bad_value", message, hint);
    let title = Title::new(&filed.title)
        .map_err(|error| bad(error.to_string(), "Say in one line what is to be done; the rest is the description."))?;
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
    let goal = match filed.goal {
        None => None,
        Some(text) => Some(text.parse::<GoalId>().map_err(|_| {
            in_ticket(format!("`{text}` is no goal's UUID"), "Leave the goal out, or name one that exists.")
        })?),
    };
    let after: Result<Vec<TicketRef>, _> = filed.after.iter().map(|name| plain(name).parse::<TicketRef>()).collect();
    Ok(NewTicket {
        id: TicketId(uuid::Uuid::now_v7()),
        after: after.map_err(|error| in_ticket(error.to_string(), "`draft ticket list` shows the numbers."))?,
        description: filed.description,
        agent: filed.agent,
        model: filed.model,
        verify: filed.verify,
        base_branch: filed.base_branch,
        title,
        priority,
        goal,
        accepted,
    })
}

/// Checks the values of many tickets; an error says which of them it is about.
pub(super) fn all_checked(filed: Vec<Filed>) -> Result<Vec<NewTicket>, CliError> {
    let numbered = filed.into_iter().enumerate();
    numbered
        .map(|(index, one)| checked(one).map_err(|error| error.about(&format!("ticket {} of the file", index + 1))))
        .collect()
}

/// A number or a text as people would type it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
