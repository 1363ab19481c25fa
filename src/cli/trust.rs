//! `draft trust`: shows what the repository's file would run, and trusts its present content.

use clap::Args;
use serde_json::json;

use crate::app::Opened;
use crate::config;
use crate::domain::rule::Trust;
use crate::store::Write;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session};

#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    /// Only show what would run and whether it is trusted
    #[arg(long)]
    show: bool,
    /// Trust it no longer
    #[arg(long, conflicts_with = "show")]
    revoke: bool,
}

/// Remembers that the user trusts what this repository's file would run.
pub(super) fn record(opened: &Opened, content: String) -> Result<(), CliError> {
    let repo_root = opened.workshop.repo.root().to_owned();
    opened.writer.write_blocking(Write::Trust { repo_root, content, at: chrono::Utc::now().into() })?;
    Ok(())
}

pub(super) fn trust(global: &Global, args: &TrustArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let shop = &opened.workshop;
    let loaded = shop.settings()?;
    let content = config::trust::trust_content(&loaded);
    if args.revoke {
        let repo_root = shop.repo.root().to_owned();
        opened.writer.write_blocking(Write::Revoke { repo_root })?;
    } else if let (false, Some(content)) = (args.show, &content) {
        record(&opened, content.clone())?;
    }
    let trusted = shop.trust()? == Trust::Given;
    let would_run = config::trust::describe(&loaded);
    if global.json {
        let repository = shop.repo.root().to_string_lossy();
        out.json(&json!({ "repository": repository, "trusted": trusted, "would_run": would_run }))?;
        return Ok(Exit::Done);
    }
    if global.quiet {
        return Ok(Exit::Done);
    }
    let file = shop.repo_config();
    let file = file.to_string_lossy();
    let file = visible(&file);
    if content.is_none() {
        out.line(format_args!("{file} would run nothing."))?;
        return Ok(Exit::Done);
    }
    out.line(format_args!("{file} would run:"))?;
    would_run.iter().try_for_each(|line| out.line(format_args!("  {}", visible(line))))?;
    out.line(if trusted { "This is trusted." } else { "This is not trusted." })?;
    Ok(Exit::Done)
}
