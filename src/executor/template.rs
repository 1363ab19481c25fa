//! Command lines with placeholders: which there are, how they are filled, and what a row may not do with them.

use super::row::PromptBy;

/// Become as many arguments as they need, so they stand alone.
const LISTS: [&str; 3] = ["{approve}", "{model}", "{extra}"];
/// Become text, also as part of an argument.
const TEXTS: [&str; 3] = ["{session}", "{prompt}", "{prompt_file}"];

/// What the placeholders become.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) approve: &'a [String],
    pub(super) model_args: &'a [String],
    pub(super) model: Option<&'a str>,
    pub(super) extra: &'a [String],
    pub(super) session: Option<&'a str>,
    pub(super) prompt: &'a str,
    pub(super) prompt_file: &'a str,
}

/// Fills a command line. What was filled in is never looked through again, so a prompt may hold a placeholder.
pub(super) fn fill(line: &[String], values: &Values<'_>) -> Vec<String> {
    let mut args = Vec::with_capacity(line.len());
    for arg in line {
        match arg.as_str() {
            "{approve}" => args.extend_from_slice(values.approve),
            "{extra}" => args.extend_from_slice(values.extra),
            "{model}" => {
                let Some(model) = values.model else { continue };
                args.extend(values.model_args.iter().map(|arg| arg.replace("{model}", model)));
            }
            _ => args.push(fill_text(arg, values)),
        }
    }
    args
}

fn fill_text(arg: &str, values: &Values<'_>) -> String {
    let mut filled = String::with_capacity(arg.len());
    let mut rest = arg;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let known = [
            ("{session}", values.session.unwrap_or_default()),
            ("{prompt_file}", values.prompt_file),
            ("{prompt}", values.prompt),
        ];
        match known.iter().find(|(name, _)| from.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                rest = &from[name.len()..];
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Returns what is wrong with a command line, if anything is.
pub(super) fn problem(line: &[String], prompt: PromptBy) -> Option<String> {
    for (i, arg) in line.iter().enumerate() {
        for name in names(arg) {
            if LISTS.contains(&name) && arg != name {
                return Some(format!("has `{arg}`: {name} must be an argument of its own"));
            }
            if !LISTS.contains(&name) && !TEXTS.contains(&name) {
                let known = [LISTS, TEXTS].concat().join(", ");
                return Some(format!("has `{arg}`: {name} is not known; known are {known}"));
            }
        }
        let guarded = arg.starts_with("--") && arg.contains('=') || line[..i].iter().any(|before| before == "--");
        if arg.contains("{prompt}") && !guarded {
            return Some("must have `--` before {prompt}, or `--option={prompt}`".to_owned());
        }
    }
    let has = |name: &str| line.iter().any(|arg| arg.contains(name));
    let (by_argument, by_file) = (has("{prompt}"), has("{prompt_file}"));
    match prompt {
        PromptBy::Stdin if by_argument || by_file => Some("has a prompt, but `prompt` says stdin".to_owned()),
        PromptBy::Argument if !by_argument => Some("needs {prompt}, since `prompt` says argument".to_owned()),
        PromptBy::File if !by_file => Some("needs {prompt_file}, since `prompt` says file".to_owned()),
        PromptBy::Stdin | PromptBy::Argument | PromptBy::File => None,
    }
}

/// Returns everything in braces that looks like a placeholder. Braces around other text, as in JSON, are left alone.
fn names(arg: &str) -> impl Iterator<Item = &str> {
    arg.match_indices('{').filter_map(|(at, _)| {
        let rest = &arg[at..];
        let end = rest.find('}')?;
        let word = &rest[1..end];
        let simple = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        simple.then(|| &rest[..=end])
    })
}
