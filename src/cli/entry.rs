//! An entry of a log as commands print it for programs.

use serde_json::Value;

use crate::domain::log::Entry;

/// Returns an entry for programs.
pub(super) fn json(entry: &Entry) -> Value {
    let mut value = serde_json::to_value(entry).unwrap_or(Value::Null);
    if let Some(usage) = entry.usage {
        value["tokens"] = usage.tokens().into();
        value["cost_usd"] = usage.cost_usd().into();
    }
    value
}
