//! The table of keys as a JSON Schema, so that editors complete and check a configuration file as it is typed.

use serde_json::{Map, Value, json};

use super::keys::{Key, Kind, Used, Who};
use super::later::Webhook;
use super::names::NAME_BYTES_MAX;
use super::table::{COMMAND, KEYS, PROFILE, WEBHOOK};
use super::{CommandSpec, Config, ExecutorProfile};

/// Returns the schema of a configuration file, draft 2020-12.
pub fn schema() -> Value {
    let Value::Object(root) = section(KEYS, &Config::default()) else { return Value::Null };
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("draft.yaml"));
    schema.insert("description".to_owned(), json!("Settings of Draft for a repository, or a user's own."));
    schema.extend(root);
    Value::Object(schema)
}

/// Returns the schema of a map with these keys.
fn section<S: Clone>(table: &'static [Key<S>], settings: &S) -> Value {
    let mut root = empty();
    for key in table {
        let mut at = &mut root;
        let mut names = key.path.split('.').peekable();
        while let Some(name) = names.next() {
            let Some(Value::Object(properties)) = at.get_mut("properties") else { break };
            let is_last = names.peek().is_none();
            at = properties.entry(name).or_insert_with(|| if is_last { of_key(key, settings) } else { empty() });
        }
    }
    root
}

/// A section whose keys are all commented out is null.
fn empty() -> Value {
    json!({ "type": ["object", "null"], "additionalProperties": false, "properties": {} })
}

fn of_key<S: Clone>(key: &Key<S>, settings: &S) -> Value {
    let mut about = key.about.to_owned();
    if key.used == Used::Later {
        about.push_str(" (not in use yet)");
    }
    if key.who == Who::User {
        about.push_str(" (in your own file only)");
    }
    let mut schema = of_kind(&key.kind);
    let default = match &key.kind {
        Kind::Variables { .. } | Kind::Profiles { .. } | Kind::Rows { .. } => Some(json!({})),
        _ => key.leaves("", &mut settings.clone()).pop().map(|leaf| leaf.value),
    };
    if let Value::Object(schema) = &mut schema {
        if matches!(key.kind, Kind::Old { .. }) {
            schema.insert("deprecated".to_owned(), json!(true));
            about = format!("`{}` {about}", key.path);
        }
        schema.insert("description".to_owned(), json!(about));
        if let Some(default) = default {
            schema.insert("default".to_owned(), default);
        }
    }
    schema
}

fn of_kind<S>(kind: &Kind<S>) -> Value {
    let text = json!({ "type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f]*[^\\s][^\\u0000-\\u001f\\u007f]*$" });
    match kind {
        Kind::Seconds { least, most, .. } | Kind::Bytes { least, most, .. } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::OptionalSeconds { least, most, .. } => {
            json!({ "type": ["integer", "null"], "minimum": least, "maximum": most })
        }
        Kind::Count { least, most, .. } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Switch { .. } => json!({ "type": "boolean" }),
        Kind::Lines { .. } => json!({ "type": "string", "minLength": 1 }),
        Kind::Text { .. } | Kind::BranchTemplate { .. } => text,
        Kind::OptionalText { .. } => json!({ "type": ["string", "null"], "pattern": text["pattern"] }),
        Kind::Word { words, .. } => json!({ "enum": words }),
        Kind::Url { .. } => json!({ "type": "string", "pattern": "^https?://[^\\s]+$" }),
        Kind::Texts { .. } | Kind::Flags { .. } => json!({ "type": "array", "items": text }),
        Kind::Commands { .. } => {
            let map = demanding(section(COMMAND, &CommandSpec::default()), "run");
            json!({ "type": "array", "items": { "anyOf": [text, map] } })
        }
        Kind::Webhooks { .. } => {
            json!({ "type": "array", "items": demanding(section(WEBHOOK, &Webhook::default()), "url") })
        }
        Kind::Variables { .. } => json!({
            "type": ["object", "null"], "additionalProperties": { "type": "string" },
            "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
        }),
        Kind::Profiles { .. } => by_name(section(PROFILE, &ExecutorProfile::default())),
        Kind::Rows { .. } => by_name(json!({ "type": "object" })),
        Kind::Old { .. } => json!({}),
    }
}

fn by_name(entry: Value) -> Value {
    let pattern = format!("^[A-Za-z0-9][A-Za-z0-9_-]{{0,{}}}$", NAME_BYTES_MAX - 1);
    json!({ "type": ["object", "null"], "propertyNames": { "pattern": pattern }, "additionalProperties": entry })
}

fn demanding(mut map: Value, key: &str) -> Value {
    map["type"] = json!("object");
    map["required"] = json!([key]);
    map
}
