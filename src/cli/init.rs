//! `draft init`: writes an explained `draft.yaml` with the agents and checks found here, and trusts what it wrote.

use clap::Args;
use serde_json::{Value, json};

use crate::app::{self, Found, Plan};
use crate::config::trust::trust_content;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session, trust};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Print what would be written, and write nothing
    #[arg(long)]
    print: bool,
}

pub(super) fn init(global: &Global, args: &InitArgs, out: &mut Out) -> Result<Exit, CliError> {
    let plan = app::plan(&session::options(global))?;
    if !args.print {
        write(global, &plan)?;
    }
    if global.json {
        out.json(&json(&plan, !args.print))?;
    } else if args.print {
        out.bytes(plan.text.as_bytes())?;
    } else if !global.quiet {
        tell(&plan, out)?;
    }
    Ok(Exit::Done)
}

fn write(global: &Global, plan: &Plan) -> Result<(), CliError> {
    if plan.is_taken() {
        return Err(taken(plan));
    }
    // Whatever is missing for a board shows before anything is written.
    let opened = session::opened(global)?;
    if !plan.write()? {
        return Err(taken(plan));
    }
    // Trust is for this text, whatever the file says by now.
    trust_content(&plan.loaded).map_or(Ok(()), |content| trust::record(&opened, content))
}

fn taken(plan: &Plan) -> CliError {
    let hint = "`draft config check` looks at it; `draft init --print` shows what would be written.";
    CliError::wrong_use("exists", format!("{} is there already and stays as it is", plan.file.display()), hint)
}

fn json(plan: &Plan, written: bool) -> Value {
    let found = |found: &[Found]| -> Vec<Value> {
        found.iter().map(|one| json!({ "command": one.command, "why": one.why })).collect()
    };
    json!({
        "file": plan.file.to_string_lossy(), "written": written, "agent": plan.agent, "agents": plan.agents,
        "checks": found(&plan.checks), "left_out": found(&plan.left_out), "setup": found(&plan.setup),
        "copy": plan.copy, "content": plan.text,
    })
}

fn tell(plan: &Plan, out: &mut Out) -> Result<(), CliError> {
    out.line(format_args!("wrote {}", visible(&plan.file.to_string_lossy())))?;
    match &plan.agent {
        Some(agent) => out.line(format_args!("  agent    {agent}"))?,
        None => out.line("  agent    the one that is asked for is not installed; `draft doctor` says how to get it")?,
    }
    if plan.checks.is_empty() {
        out.line("  checks   none, so nothing can be proven yet; name them in verify_config.commands")?;
    }
    let lines = |out: &mut Out, name: &str, found: &[Found]| {
        found.iter().try_for_each(|one| out.line(format_args!("  {name:<8} {}  ({})", one.command, one.why)))
    };
    lines(out, "check", &plan.checks)?;
    lines(out, "not yet", &plan.left_out)?;
    lines(out, "set-up?", &plan.setup)?;
    plan.copy.iter().try_for_each(|file| out.line(format_args!("  copy?    {file}  (git ignores it)")))?;
    if !plan.left_out.is_empty() || !plan.setup.is_empty() || !plan.copy.is_empty() {
        out.line("What is marked `not yet` or `?` stands there as a comment with its reason.")?;
    }
    out.line("It is trusted as it is. Commit it, and open the board with `draft`.")
}
