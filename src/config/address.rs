//! Finds what a person means by the full name of a setting, and turns what they typed into a value for it.

use serde_json::Value;

use super::Problem;
use super::keys::{self, Kind};
use super::names;
use super::table::{KEYS, PROFILE};
use super::tree;
use super::values;
use super::walk::meant;

/// What a setting takes, as far as that says how to read what was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// A text, also one that looks like a number.
    Text,
    /// A text or null.
    OptionalText,
    /// A list, each entry typed apart or all of it at once.
    List,
    /// Anything else: numbers, switches, maps.
    Else,
}

/// Reads what was typed for the setting of that name.
///
/// # Errors
/// When there is no such setting, or what was typed is no YAML.
pub fn typed(path: &str, words: &[String]) -> Result<Value, Problem> {
    let shape = shape(path)?;
    let whole = |word: &String| {
        let node = tree::parse(word.as_bytes()).map_err(|(_, problem)| problem)?;
        values::json(path, &node).map_err(|(_, problem)| problem)
    };
    match (shape, words) {
        (Shape::Text, [word]) => Ok(word.as_str().into()),
        (Shape::OptionalText, [word]) if matches!(word.as_str(), "null" | "~") => Ok(Value::Null),
        (Shape::OptionalText, [word]) => Ok(word.as_str().into()),
        (Shape::Else, [word]) => whole(word),
        (Shape::List, [word]) if word.trim_start().starts_with('[') => whole(word),
        // A command may be a map.
        (Shape::List, words) => {
            let entry = |word: &String| if word.starts_with('{') { whole(word) } else { Ok(word.as_str().into()) };
            words.iter().map(entry).collect()
        }
        (Shape::Text | Shape::OptionalText | Shape::Else, _) => Err(Problem::OneValue { path: path.to_owned() }),
    }
}

/// Says whether there can be a setting of that name.
///
/// # Errors
/// When there cannot.
pub fn known(path: &str) -> Result<(), Problem> {
    // What is deleted may be a whole section, or an old name.
    if keys::is_section(KEYS, path) || keys::find(KEYS, path).is_some() { Ok(()) } else { shape(path).map(drop) }
}

fn shape(path: &str) -> Result<Shape, Problem> {
    if let Some(row) = keys::find(KEYS, path) {
        return of_kind(&row.kind, path);
    }
    let mut parts = path.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("executor_profiles" | "executors"), Some(name), _) if !names::is_name(name) => {
            Err(Problem::BadName { path: path.to_owned() })
        }
        (Some("executor_profiles"), Some(_), None) | (Some("executors"), Some(_), _) => Ok(Shape::Else),
        (Some("executor_profiles"), Some(name), Some(rest)) => match keys::find(PROFILE, rest) {
            Some(row) => of_kind(&row.kind, path),
            None if rest.starts_with("env.") => Ok(Shape::Text),
            None => {
                let prefix = format!("executor_profiles.{name}");
                let nearest = meant(PROFILE, "", rest).map(|near| keys::join(&prefix, &near));
                Err(Problem::UnknownKey { path: path.to_owned(), nearest })
            }
        },
        _ => {
            let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
            Err(Problem::UnknownKey { path: path.to_owned(), nearest: meant(KEYS, section, name) })
        }
    }
}

fn of_kind<S>(kind: &Kind<S>, path: &str) -> Result<Shape, Problem> {
    Ok(match kind {
        Kind::Text { .. } | Kind::Lines { .. } | Kind::BranchTemplate { .. } | Kind::Word { .. } | Kind::Url { .. } => {
            Shape::Text
        }
        Kind::OptionalText { .. } => Shape::OptionalText,
        Kind::Texts { .. } | Kind::Flags { .. } | Kind::Commands { .. } => Shape::List,
        Kind::Seconds { .. }
        | Kind::OptionalSeconds { .. }
        | Kind::Count { .. }
        | Kind::Bytes { .. }
        | Kind::Switch { .. }
        | Kind::Webhooks { .. }
        | Kind::Variables { .. }
        | Kind::Profiles { .. }
        | Kind::Rows { .. } => Shape::Else,
        Kind::Old { note } => return Err(Problem::OldName { path: path.to_owned(), note }),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(path: &str, words: &[&str]) -> Result<Value, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        typed(path, &words).map_err(|problem| problem.to_string())
    }

    #[test]
    fn what_was_typed_is_read_as_its_setting_needs_it() {
        for (path, words, value) in [
            ("execute_config.timeout", vec!["60"], json!(60)),
            ("execute_config.executor_model", vec!["4.5"], json!("4.5")),
            ("execute_config.executor_model", vec!["null"], json!(null)),
            ("execute_config.preferred_executor", vec!["null"], json!("null")),
            ("planner_config.features.auto_execute", vec!["true"], json!(true)),
            ("verify_config.commands", vec!["cargo test", "make"], json!(["cargo test", "make"])),
            ("verify_config.commands", vec!["[a, 'b c']"], json!(["a", "b c"])),
            ("verify_config.commands", vec!["{run: a | b, shell: true}"], json!([{"run": "a | b", "shell": true}])),
            ("executor_profiles.fast.timeout", vec!["5"], json!(5)),
            ("executor_profiles.fast.env.PORT", vec!["80"], json!("80")),
            ("executors.mine", vec!["{program: x}"], json!({"program": "x"})),
        ] {
            assert_eq!(read(path, &words), Ok(value), "{path}");
        }
    }

    #[test]
    fn names_that_are_none_are_told_with_the_nearest() {
        for (path, words, said) in [
            ("execute_config.timeuot", vec!["1"], "did you mean `execute_config.timeout`"),
            ("executor_profiles.fast.modle", vec!["1"], "did you mean `executor_profiles.fast.model`"),
            ("executor_profiles.a/b.model", vec!["1"], "a name here is made of"),
            ("execute_config.timeout", vec!["1", "2"], "takes one value"),
            ("execute_config.timeout", vec!["[1"], "not valid YAML"),
            ("verify_commands", vec!["a"], "write `verify_config.commands`"),
        ] {
            let told = read(path, &words).unwrap_err();
            assert!(told.contains(said), "{path}: {told}");
        }
        assert!(known("execute_config").is_ok() && known("verify_commands").is_ok() && known("nothing").is_err());
    }
}
