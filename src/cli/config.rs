//! `draft config`: checks the settings, shows them with where each comes from, changes one in a file, and prints the schema.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::{ConfigFiles, config_files};
use crate::config::{
    self, ConfigError, ConfigErrors, Files, Loaded, Problem, Setting, SourceFile, Sources, Used, Warning, address, edit,
};
use crate::executor::table::Table;
use crate::store::Reader;
use crate::ui::keys::{KeyTable, own};
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session, trust};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say all that is wrong in your file, your keys.yaml and the repository's file, with file, line and column
    Check,
    /// Show the settings in force, with where each comes from
    Show(ShowArgs),
    /// Set one in a file; all else there stays as it is, comments too
    Set(SetArgs),
    /// Delete one from a file
    Unset(UnsetArgs),
    /// Print a JSON Schema of the files, for editors
    Schema,
    /// Print what every setting is, as Markdown
    Reference,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A setting or a section, such as `execute_config.timeout` [default: all]
    key: Option<String>,
    /// Only what somebody set
    #[arg(long)]
    changed: bool,
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// The setting, such as `execute_config.timeout`
    key: String,
    /// Its value; several for a list. After `--` it may begin with a dash
    #[arg(required = true)]
    values: Vec<String>,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(super) struct UnsetArgs {
    /// The setting or section
    key: String,
    #[command(flatten)]
    which: Which,
}

/// Which file; without a flag it is the repository's draft.yaml.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Which {
    /// In your own file, for all your repositories
    #[arg(long)]
    user: bool,
    /// In your settings for this repository's board, which win over draft.yaml
    #[arg(long)]
    on_board: bool,
}

impl Which {
    fn source<'s>(&self, sources: &'s mut Sources) -> &'s mut Option<SourceFile> {
        match (self.user, self.on_board) {
            (true, _) => &mut sources.user,
            (false, true) => &mut sources.board,
            (false, false) => &mut sources.repo,
        }
    }

    /// Returns where the file is or is to be.
    fn file(&self, files: &Files, global: &Global) -> Result<PathBuf, CliError> {
        let file = match (self.user, self.on_board) {
            (true, _) => files.user.clone(),
            (false, false) => files.repo.clone(),
            // Its name is the board's, so there has to be one.
            (false, true) if files.repo.is_some() => {
                let opened = session::opened(global)?;
                Some(opened.workshop.paths.board_config(&opened.workshop.about))
            }
            (false, true) => None,
        };
        let hint = "Go into a repository, or use --user for your own file.";
        file.ok_or_else(|| CliError::wrong_use("no_repository", "there is no repository here", hint))
    }
}

pub(super) fn config(global: &Global, command: ConfigCommand, out: &mut Out) -> Result<Exit, CliError> {
    match command {
        ConfigCommand::Check => check(global, out),
        ConfigCommand::Show(args) => show(global, &args, out),
        ConfigCommand::Set(args) => {
            let value = address::typed(&args.key, &args.values).map_err(|problem| bad_value(&problem))?;
            change(global, &args.key, &args.which, Some(&value), out)
        }
        ConfigCommand::Unset(args) => {
            address::known(&args.key).map_err(|problem| bad_value(&problem))?;
            change(global, &args.key, &args.which, None, out)
        }
        ConfigCommand::Reference => {
            out.bytes(config::reference().as_bytes())?;
            Ok(Exit::Done)
        }
        ConfigCommand::Schema => {
            out.line(format_args!("{:#}", config::schema()))?;
            Ok(Exit::Done)
        }
    }
}

/// Returns the files that count here, and what they say.
fn read(global: &Global) -> Result<(ConfigFiles, Result<Sources, ConfigErrors>), CliError> {
    let found = config_files(&session::options(global))?;
    let sources = config::read(&found.files);
    Ok((found, sources))
}

fn check(global: &Global, out: &mut Out) -> Result<Exit, CliError> {
    let (ConfigFiles { files, .. }, sources) = read(global)?;
    let loaded = sources.as_ref().map_err(Clone::clone).and_then(config::load);
    let loaded = loaded.and_then(|loaded| Table::of(&loaded).map(|_| loaded));
    let keys = files.user.as_ref().map(|file| file.with_file_name(own::FILE_NAME)).filter(|file| file.exists());
    let (mut errors, warnings) = match &loaded {
        Ok(loaded) => (Vec::new(), &loaded.warnings[..]),
        Err(ConfigErrors(errors)) => (errors.clone(), &[][..]),
    };
    errors.extend(keys.iter().flat_map(|file| wrong_keys(file)));
    let all: Vec<&Path> = files.all().chain(keys.as_deref()).collect();
    if global.json {
        out.json(&json!({
            "ok": errors.is_empty(),
            "errors": errors.iter().map(error_json).collect::<Vec<_>>(),
            "warnings": warnings.iter().map(warning_json).collect::<Vec<_>>(),
            "files": all.iter().map(|file| json!({ "path": file.to_string_lossy(), "exists": file.exists() })).collect::<Vec<_>>(),
        }))?;
    } else {
        errors.iter().try_for_each(|error| out.line(visible(&error.to_string())))?;
        warnings
            .iter()
            .try_for_each(|warning| out.line(format_args!("{} (warning)", visible(&warning.to_string()))))?;
        if errors.is_empty() && !global.quiet {
            for file in all {
                let is = if file.exists() { "no mistakes" } else { "is not there, which is fine" };
                out.line(format_args!("{}: {is}", visible(&file.to_string_lossy())))?;
            }
        }
    }
    Ok(if errors.is_empty() { Exit::Done } else { Exit::BadConfiguration })
}

/// Says what is wrong with the person's own keys.
fn wrong_keys(file: &Path) -> Vec<ConfigError> {
    let wrong = match std::fs::read(file) {
        Ok(bytes) => KeyTable::with_own(&bytes, file).err(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let problem = Problem::Unreadable(error.to_string());
            Some(ConfigErrors(vec![ConfigError { file: file.to_owned(), place: None, problem }]))
        }
    };
    wrong.map(|ConfigErrors(errors)| errors).unwrap_or_default()
}

fn error_json(error: &ConfigError) -> Value {
    let (line, column) = (error.place.map(|place| place.line), error.place.map(|place| place.column));
    json!({
        "file": error.file.to_string_lossy(), "line": line, "column": column, "message": error.problem.to_string(),
    })
}

fn warning_json(warning: &Warning) -> Value {
    let (line, column) = (warning.place.map(|place| place.line), warning.place.map(|place| place.column));
    json!({
        "file": warning.file.to_string_lossy(), "line": line, "column": column, "key": warning.path,
        "message": format!("`{}` {}", warning.path, warning.note),
    })
}

fn show(global: &Global, args: &ShowArgs, out: &mut Out) -> Result<Exit, CliError> {
    let (_, sources) = read(global)?;
    let loaded = config::load(&sources?)?;
    if let Some(key) = &args.key {
        address::known(key).map_err(|problem| bad_value(&problem))?;
    }
    let within = |setting: &Setting| {
        args.key.as_ref().is_none_or(|key| {
            setting.path.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let changed = |setting: &Setting| !args.changed || setting.origin != config::Origin::BuiltIn;
    let settings: Vec<Setting> = loaded.settings().filter(|setting| within(setting) && changed(setting)).collect();
    if global.json {
        let settings = settings.iter().map(|setting| {
            json!({
                "key": setting.path, "value": setting.value, "origin": setting.origin.as_str(),
                "in_use": setting.used == Used::Now, "about": setting.about,
            })
        });
        out.json(&json!({ "settings": settings.collect::<Vec<_>>() }))?;
        return Ok(Exit::Done);
    }
    for setting in &settings {
        let later = if setting.used == Used::Later { ", not in use yet" } else { "" };
        let line = format!("{}: {}", setting.path, setting.value);
        out.line(format_args!("{:<60}  # {}{later}", visible(&line), setting.origin.as_str()))?;
    }
    Ok(Exit::Done)
}

/// Changes one setting in a file, unless the files would then be wrong.
fn change(global: &Global, key: &str, which: &Which, value: Option<&Value>, out: &mut Out) -> Result<Exit, CliError> {
    let (found, sources) = read(global)?;
    let before = sources?;
    let file = which.file(&found.files, global)?;
    let old = which.source(&mut before.clone()).take();
    let text = match old {
        Some(source) => String::from_utf8(source.bytes)
            .map_err(|_| bad(&file, &Problem::NotUtf8.to_string(), "Save the file as UTF-8."))?,
        None => String::new(),
    };
    let edited = match value {
        Some(value) => edit::set(&text, key, value),
        None => edit::unset(&text, key),
    };
    let edited = edited.map_err(|why| bad(&file, &why.to_string(), "`draft config check` says what is wrong."))?;
    let mut after = before.clone();
    *which.source(&mut after) = Some(SourceFile { path: file.clone(), bytes: edited.clone().into_bytes() });
    let loaded = config::load(&after)
        .map_err(|errors| CliError::wrong_use("bad_value", errors.to_string(), "Nothing was changed."))?;
    if edited != text {
        write(&file, &edited)?;
        keep_trust(global, found.repo_root, &before, &loaded)?;
    }
    if global.json {
        out.json(&json!({ "file": file.to_string_lossy(), "key": key, "value": value, "changed": edited != text }))?;
    } else if !global.quiet {
        let did = if edited == text { "nothing to change in" } else { "changed" };
        out.line(format_args!("{did} {}", visible(&file.to_string_lossy())))?;
    }
    Ok(Exit::Done)
}

/// A person who sets what the repository's file runs trusts that, as long as they trusted what it ran before.
fn keep_trust(global: &Global, repo_root: Option<PathBuf>, before: &Sources, after: &Loaded) -> Result<(), CliError> {
    let (Some(repo_root), Some(content)) = (repo_root, config::trust::trust_content(after)) else {
        return Ok(());
    };
    let old = config::load(before).ok().and_then(|loaded| config::trust::trust_content(&loaded));
    if old.as_ref() == Some(&content) {
        return Ok(());
    }
    let opened = session::opened(global)?;
    let trusted = Reader::open(&opened.workshop.paths.database())?.trusted(&repo_root)?;
    if old.is_none() || trusted == old {
        trust::record(&opened, content)?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    config::replace(file, text).map_err(|error| {
        let message = format!("could not write {}: {error}", file.display());
        CliError::environment("io", message, "Nothing was changed.")
    })
}

fn bad_value(problem: &Problem) -> CliError {
    CliError::wrong_use("bad_value", problem.to_string(), "`draft config show` lists all settings.")
}

fn bad(file: &Path, why: &str, hint: &str) -> CliError {
    CliError::wrong_use("bad_configuration", format!("{}: {why}", file.display()), hint)
}
