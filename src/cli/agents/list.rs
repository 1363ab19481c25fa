//! `draft agents`: which agents there are, which are installed, and how each is run.

use serde_json::{Value, json};

use crate::app::{self, Seen, SignedIn, Survey, Version};
use crate::executor::invocation::{Approve, Run, sketch};
use crate::ui::theme::Glyphs;
use crate::ui::widget::text::{Side, pad, width};

use super::super::error::{CliError, Exit};
use super::super::out::{Out, hanging};
use super::super::{Global, session};

pub(super) fn list(global: &Global, out: &mut Out) -> Result<Exit, CliError> {
    let survey = session::runtime()?.block_on(app::survey(&session::options(global)))?;
    if global.json {
        let agents: Vec<Value> = survey.agents.iter().map(|seen| wire(seen, &survey)).collect();
        out.json(&json!({ "agents": agents }))?;
        return Ok(Exit::Done);
    }
    let widest = survey.agents.iter().map(|seen| width(&seen.executor.name)).max().unwrap_or(0);
    let (there, missing): (Vec<&Seen>, Vec<&Seen>) = survey.agents.iter().partition(|seen| seen.program.is_some());
    let columns = session::columns();
    for seen in there.into_iter().chain(missing) {
        for (first, said) in lines(seen, &survey, widest) {
            hanging(&first, &said, columns).iter().try_for_each(|line| out.line(line))?;
        }
    }
    if survey.untrusted {
        session::say("Agents that this repository brings were not asked anything: `draft trust --show` shows them.");
    }
    Ok(Exit::Done)
}

/// Returns a line on what it is here, and one on each way in which it is run: how the line begins, and what it says.
fn lines(seen: &Seen, survey: &Survey, widest: usize) -> Vec<(String, String)> {
    let agent = &seen.executor;
    let glyphs = Glyphs::unicode();
    let sign = if seen.program.is_some() { glyphs.ok } else { "–" };
    let mut words = vec![agent.display.clone()];
    words.extend(is_preferred(seen, survey).then(|| "preferred".to_owned()));
    match (&seen.program, &seen.version) {
        (None, _) => words.push(format!("not installed: {}", agent.install)),
        (Some(path), Version::Says(version)) => words.push(format!("{version} at {}", path.display())),
        (Some(path), Version::NotAsked) => words.push(format!("at {}", path.display())),
        (Some(path), Version::Fails(why)) => {
            words.push(format!("at {}, its version is not known: it {why}", path.display()))
        }
    }
    if seen.program.is_some() {
        words.push(match &seen.login {
            SignedIn::Yes(how) => format!("signed in: {how}"),
            SignedIn::No(how) => format!("not signed in: {how}"),
            SignedIn::Unknown(why) => format!("whether signed in is not known: {why}"),
        });
    }
    words.push(format!("{} output", agent.dialect));
    words.push(agent.source.as_str().to_owned());
    words.extend(agent.profile_of.as_ref().map(|base| format!("profile of {base}")));
    let mut lines = vec![(format!("{sign} {}  ", pad(&agent.name, widest, Side::Left)), words.join(" · "))];
    let mut say = |what: &str, said: String| lines.push((format!("{}{what}", " ".repeat(widest + 4)), said));
    let everything = sketch(agent, Approve::Everything, Run::First);
    let edits = sketch(agent, Approve::Edits, Run::First);
    match (everything, edits) {
        (Err(error), _) => say("", error.to_string()),
        (Ok(all), Ok(edits)) if all == edits => say("runs ", all),
        (Ok(all), Ok(edits)) => {
            say("runs ", edits);
            say("yolo ", all);
        }
        (Ok(all), Err(_)) => say("yolo ", format!("{all} (only so: it cannot be held to edits)")),
    }
    if let Some(note) = &agent.note {
        say("", note.clone());
    }
    lines
}

fn is_preferred(seen: &Seen, survey: &Survey) -> bool {
    seen.executor.is_called(&survey.preferred)
}

fn wire(seen: &Seen, survey: &Survey) -> Value {
    let agent = &seen.executor;
    let (version, problem) = match &seen.version {
        Version::Says(version) => (Some(version), None),
        Version::NotAsked => (None, None),
        Version::Fails(why) => (None, Some(why)),
    };
    let (logged_in, login) = match &seen.login {
        SignedIn::Yes(how) => (Some(true), how),
        SignedIn::No(how) => (Some(false), how),
        SignedIn::Unknown(why) => (None, why),
    };
    let call = |approve, run| sketch(agent, approve, run).ok();
    json!({
        "name": agent.name, "aliases": agent.aliases, "display": agent.display, "source": agent.source.as_str(),
        "profile_of": agent.profile_of, "preferred": is_preferred(seen, survey), "installed": seen.program.is_some(),
        "path": seen.program.as_ref().map(|path| path.to_string_lossy()), "version": version, "problem": problem,
        "logged_in": logged_in, "login": login, "install": agent.install, "seen": agent.seen, "note": agent.note,
        "interactive": agent.interactive, "dialect": agent.dialect, "prompt": agent.prompt, "session": agent.session,
        "usage": agent.usage, "model": agent.default_model, "takes_model": !agent.model.is_empty(),
        "memory_mib": agent.memory, "set": agent.set, "drop": agent.drop, "litter": agent.litter,
        "command": call(Approve::Everything, Run::First), "command_edits": call(Approve::Edits, Run::First),
        "command_resume": call(Approve::Everything, Run::Again), "command_resume_edits": call(Approve::Edits, Run::Again),
    })
}
