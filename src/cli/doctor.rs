//! `draft doctor`: looks at everything that Draft needs and at what was left behind, and mends what is safe.

use clap::Args;
use serde_json::{Value, json};

use crate::app::{self, Check, Health, Mending};
use crate::ui::theme::Glyphs;
use crate::ui::widget::format::counted;

use super::error::{CliError, Exit};
use super::out::{Out, hanging};
use super::{Global, session};

/// Before what goes on below a check.
const BESIDE: &str = "           ";

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Mend what is safe: nothing that could be work is deleted
    #[arg(long)]
    fix: bool,
}

pub(super) fn doctor(global: &Global, args: &DoctorArgs, out: &mut Out) -> Result<Exit, CliError> {
    let mending = if args.fix { Mending::WhatIsSafe } else { Mending::No };
    let checks = session::runtime()?.block_on(app::examine(&session::options(global), mending));
    if global.json {
        out.json(&json!({ "checks": checks.iter().map(|check| wire(check, mending)).collect::<Vec<_>>() }))?;
    } else {
        print(global, &checks, out)?;
    }
    let is_bad = checks.iter().any(|check| check.health == Health::Error);
    Ok(if is_bad { Exit::AnswerIsNo } else { Exit::Done })
}

fn wire(check: &Check, mending: Mending) -> Value {
    let mut value = json!({
        "name": check.name, "status": check.health, "message": check.message, "fix": check.fix,
    });
    if mending == Mending::WhatIsSafe {
        value["mended"] = json!(check.mended);
    }
    value
}

/// Prints a sign, a word and the message of each check, and below what is wrong how to mend it.
fn print(global: &Global, checks: &[Check], out: &mut Out) -> Result<(), CliError> {
    let shown = |check: &&Check| !global.quiet || check.health != Health::Ok || check.mended.is_some();
    let absent: Vec<&str> = checks.iter().filter(|check| is_absent(check)).filter_map(agent).collect();
    let mut is_told = false;
    let columns = session::columns();
    let mut say = |first: &str, said: &str| hanging(first, said, columns).iter().try_for_each(|line| out.line(line));
    let arrow = format!("{BESIDE}{} ", Glyphs::unicode().arrow);
    for check in checks.iter().filter(shown) {
        let (glyph, word) = sign(check);
        let first = format!("{glyph} {word:<7}  ");
        if is_absent(check) {
            if !std::mem::replace(&mut is_told, true) {
                let (count, names) = (absent.len(), absent.join(", "));
                say(&first, &format!("agents: {count} are not installed: {names}"))?;
                say(&arrow, "`draft agents` says how to get one")?;
            }
            continue;
        }
        let mut lines = check.message.lines();
        say(&first, &format!("{}: {}", check.name, lines.next().unwrap_or_default()))?;
        lines.try_for_each(|line| say(BESIDE, line))?;
        if !check.fix.is_empty() && check.mended != Some(true) {
            say(&arrow, &check.fix)?;
        }
    }
    if global.quiet {
        return Ok(());
    }
    out.line(summary(checks))
}

/// Returns the agent that a check is about.
fn agent(check: &Check) -> Option<&str> {
    check.name.strip_prefix("agent ")
}

/// Says whether a check only tells how to get an agent that nobody asked for; there are many of them.
fn is_absent(check: &Check) -> bool {
    check.health == Health::Ok && check.mended.is_none() && !check.fix.is_empty() && agent(check).is_some()
}

fn sign(check: &Check) -> (&'static str, &'static str) {
    let glyphs = Glyphs::unicode();
    match (check.mended, check.health) {
        (Some(true), Health::Ok | Health::Warning | Health::Error) => (glyphs.ok, "mended"),
        (_, Health::Ok) => (glyphs.ok, "ok"),
        (_, Health::Warning) => (glyphs.warn, "warning"),
        (_, Health::Error) => (glyphs.bad, "error"),
    }
}

fn summary(checks: &[Check]) -> String {
    let count = |health: Health| checks.iter().filter(|check| check.health == health).count() as u64;
    let mended = checks.iter().filter(|check| check.mended == Some(true)).count() as u64;
    let (errors, warnings) = (count(Health::Error), count(Health::Warning));
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(counted(errors, "error", "errors"));
    }
    if warnings > 0 {
        parts.push(counted(warnings, "warning", "warnings"));
    }
    if mended > 0 {
        parts.push(format!("{mended} mended"));
    }
    if parts.is_empty() { "\nAll is well.".to_owned() } else { format!("\n{}.", parts.join(", ")) }
}
