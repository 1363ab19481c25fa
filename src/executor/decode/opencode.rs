//! OpenCode's `run --format json`, which its fork Kilo prints too: steps, and parts that are over when they are printed.
//!
//! There is no final event. A run is over when the output ends after a step that stopped; one that is refused something
//! ends without, since nobody could answer.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Outcome, result_text, stray_result};
use super::edits::{Done, EditSize, hunks};
use super::shape::{clip, counted, micros, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::outcome::first_line;
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct OpenCode {
    /// Steps since the last end, and what they used.
    steps: u64,
    used: Usage,
    /// A tool was used in this step.
    called: bool,
}

impl OpenCode {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        begin(event, scene);
        let part = &event["part"];
        match event["type"].as_str().unwrap_or_default() {
            "step_start" => self.step_start(scene),
            "text" => say(part["text"].as_str().unwrap_or_default(), scene),
            "reasoning" => {
                let text = part["text"].as_str().unwrap_or_default();
                if !text.trim().is_empty() {
                    scene.say(EntryKind::Thinking, text);
                }
            }
            "tool_use" => {
                self.called = true;
                tool(part, scene);
            }
            "step_finish" => self.step_finish(part, scene),
            "error" => error(&event["error"], scene),
            "done" => done(event, scene),
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    /// Work goes on, so an end before this was not the last.
    fn step_start(&mut self, scene: &mut Scene<'_>) {
        self.called = false;
        scene.report.ok = None;
        scene.report.promises_end = true;
    }

    fn step_finish(&mut self, part: &Value, scene: &mut Scene<'_>) {
        let used = usage(part);
        self.steps += 1;
        self.used = self.used + used;
        scene.report.usage = scene.report.usage + used;
        // Old versions do not say why a step is over.
        let why = part["reason"].as_str().unwrap_or(if self.called { "tool-calls" } else { "stop" });
        match why {
            "stop" => {
                self.show_usage(scene);
                let steps = counted(std::mem::take(&mut self.steps), "step", "steps");
                scene.end(true, &steps);
            }
            "length" => self.stop(scene, "the model's answer was cut at its greatest length"),
            "content-filter" => self.stop(scene, "the model's answer was held back by a content filter"),
            "error" => self.stop(scene, "the model broke off with an error"),
            // The agent goes on: with the results of its tools, or because it takes the answer for half of one.
            _ => {}
        }
    }

    /// Ends a turn that the agent gives up.
    fn stop(&mut self, scene: &mut Scene<'_>, why: &str) {
        self.show_usage(scene);
        scene.error(why);
        let steps = counted(std::mem::take(&mut self.steps), "step", "steps");
        scene.end(false, &format!("failed after {steps}"));
    }

    fn show_usage(&mut self, scene: &mut Scene<'_>) {
        scene.used(std::mem::take(&mut self.used));
    }
}

/// Every line has the session.
fn begin(event: &Value, scene: &mut Scene<'_>) {
    let Some(session) = event["sessionID"].as_str().filter(|_| scene.report.session.is_none()) else { return };
    scene.report.session = Some(session.to_owned());
    scene.add(Entry { session: Some(session.to_owned()), ..Entry::new(EntryKind::Session, session) });
}

fn say(text: &str, scene: &mut Scene<'_>) {
    if !text.trim().is_empty() {
        scene.report.said = Some(clip(text));
        scene.say(EntryKind::Assistant, text);
    }
}

/// A call that is over; it is printed only once.
fn tool(part: &Value, scene: &mut Scene<'_>) {
    let state = &part["state"];
    let name = part["tool"].as_str().unwrap_or("tool");
    if name == "invalid" {
        return invalid(&state["input"], scene);
    }
    let call = Call::new(part["callID"].as_str().unwrap_or_default(), name, &state["input"], scene);
    if state["status"].as_str() == Some("error") {
        let why = result_text(&state["error"]);
        let refused = ["rejected permission", "prevents you from using"].iter().any(|words| why.contains(words));
        if refused {
            // A person would be asked now, so the turn ends here.
            scene.report.promises_end = false;
            return call.show_denial(&why, scene);
        }
        show_start(&call, scene);
        return call.show_end(Outcome::new(false, &why), scene);
    }
    let data = &state["metadata"];
    let code = data["exit"].as_i64().and_then(|code| i32::try_from(code).ok());
    let text = match &call.action {
        Action::Command { .. } => {
            let printed = data["output"].as_str().map_or_else(|| result_text(&state["output"]), str::to_owned);
            if printed == "(no output)" { String::new() } else { printed }
        }
        // What the model gets has line numbers and marks around it.
        Action::Other { .. } if data["display"]["text"].is_string() => result_text(&data["display"]["text"]),
        Action::Edit { .. } | Action::Ask { .. } | Action::Other { .. } => result_text(&state["output"]),
    };
    let diff = data["diff"].as_str().or_else(|| data["filediff"]["patch"].as_str());
    let lines = diff.and_then(hunks);
    let outcome = Outcome {
        diff: lines.as_deref(),
        ok: Some(code.is_none_or(|code| code == 0)),
        code,
        done: (data["exists"].as_bool() == Some(false)).then_some(Done::Created),
        size: diff.and_then(EditSize::of_unified),
        text: &text,
    };
    show_start(&call, scene);
    call.show_end(outcome, scene);
}

/// Shows a call whose end does not say what it was.
fn show_start(call: &Call, scene: &mut Scene<'_>) {
    match &call.action {
        Action::Edit { .. } | Action::Command { .. } => {}
        Action::Ask { .. } | Action::Other { .. } => call.show_start(scene),
    }
}

/// A call that could not be made: of a tool that is not there, or with an input that makes no sense. It counts as one of
/// another tool that went well.
fn invalid(input: &Value, scene: &mut Scene<'_>) {
    let tool = input["tool"].as_str().unwrap_or("tool");
    stray_result(Some(tool), Outcome::new(false, &result_text(&input["error"])), scene);
}

fn error(error: &Value, scene: &mut Scene<'_>) {
    let name = error["name"].as_str().unwrap_or("error");
    let data = &error["data"];
    let message = [&data["message"], &error["message"], error].into_iter().find_map(Value::as_str).unwrap_or(name);
    // Whether another try may help is read from the words of an error, so its status belongs to them.
    let text = match data["statusCode"].as_u64() {
        Some(status) => format!("{message} (HTTP {status})"),
        None => message.to_owned(),
    };
    scene.error(&text);
    scene.end(false, &format!("failed: {name}"));
}

/// Newer versions say at the end what nobody allowed.
fn done(event: &Value, scene: &mut Scene<'_>) {
    let rejected = event["rejected"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for what in rejected.filter(|_| scene.report.denied.is_empty()).collect::<Vec<_>>() {
        scene.denied(first_line(what));
        scene.report.promises_end = false;
    }
}

/// Notes what was refused and is told on standard error only:
/// `! permission requested: external_directory (/srv/docs/*); auto-rejecting`.
pub(super) fn overhear(line: &str, scene: &mut Scene<'_>) {
    let Some((_, what)) = line.split_once("permission requested: ") else { return };
    let Some((what, _)) = what.split_once("; auto-rejecting") else { return };
    if scene.report.denied.is_empty() {
        scene.denied(first_line(what));
        scene.report.promises_end = false;
    }
}

/// Tokens and cost of a step; what the cache held is read too, and what was thought is written too.
fn usage(part: &Value) -> Usage {
    let tokens = |value: &Value| value.as_u64().unwrap_or(0);
    let counts = &part["tokens"];
    let input_tokens = tokens(&counts["input"])
        .saturating_add(tokens(&counts["cache"]["read"]))
        .saturating_add(tokens(&counts["cache"]["write"]));
    let output_tokens = tokens(&counts["output"]).saturating_add(tokens(&counts["reasoning"]));
    // A model without a price costs 0, which says nothing.
    let cost = part["cost"].as_f64().filter(|cost| *cost > 0.0);
    Usage { input_tokens, output_tokens, cost_micros: cost.and_then(micros) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read_text;
    use super::super::{Dialect, Reader};
    use super::*;
    use crate::domain::outcome::Report;

    fn read(lines: &[&str]) -> (Vec<Entry>, Report) {
        read_text(Dialect::OpenCode, &lines.join("\n"))
    }

    const SAY: &str = r#"{"type":"text","sessionID":"s","part":{"text":"Which one?"}}"#;
    const STEP: &str = r#"{"type":"step_start","sessionID":"s","part":{}}"#;
    const CALLS: &str = r#"{"type":"step_finish","sessionID":"s","part":{"reason":"tool-calls","tokens":{"input":10,"output":2,"reasoning":3,"cache":{"read":5,"write":1}},"cost":0.01}}"#;
    const STOP: &str = r#"{"type":"step_finish","sessionID":"s","part":{"reason":"stop","tokens":{"input":20,"output":4},"cost":0.02}}"#;
    const REFUSED: &str = r#"{"type":"tool_use","sessionID":"s","part":{"tool":"bash","callID":"c","state":{"status":"error","input":{"command":"rm x"},"error":"The user rejected permission to use this specific tool call."}}}"#;

    #[test]
    fn steps_add_up_and_only_one_that_stops_ends() {
        let (_, report) = read(&[STEP, CALLS, STEP, SAY]);
        assert_eq!((report.ok, report.session.as_deref()), (None, Some("s")));
        let (entries, report) = read(&[STEP, CALLS, STEP, SAY, STOP]);
        assert_eq!((report.ok, report.question.as_deref()), (Some(true), Some("Which one?")));
        let used = Usage { input_tokens: 36, output_tokens: 9, cost_micros: Some(30_000) };
        assert_eq!((report.usage, entries[entries.len() - 2].usage), (used, Some(used)));
        assert_eq!(entries.last().unwrap().text, "2 steps");
        assert_eq!(read(&[STEP, STOP, STEP]).1.ok, None, "work goes on");
        let silent = r#"{"type":"step_finish","sessionID":"s","part":{}}"#;
        assert_eq!(read(&[STEP, REFUSED, silent]).1.ok, None);
        assert_eq!(read(&[STEP, SAY, silent]).1.ok, Some(true));
    }

    #[test]
    fn half_an_answer_is_no_end_and_a_cut_one_is_a_failure() {
        let half = STOP.replace("stop", "unknown");
        assert_eq!(read(&[STEP, SAY, &half]).1.ok, None);
        let (_, report) = read(&[STEP, SAY, &STOP.replace("stop", "length")]);
        assert_eq!(report.ok, Some(false));
        assert_eq!(report.error.as_deref(), Some("the model's answer was cut at its greatest length"));
    }

    #[test]
    fn a_run_that_is_refused_something_ends_without_an_end() {
        let (_, report) = read(&[STEP, REFUSED, CALLS]);
        assert_eq!((report.promises_end, report.denied), (false, vec!["bash rm x".to_owned()]));
        let (_, report) = read(&[STEP, REFUSED, CALLS, STEP]);
        assert!(report.promises_end, "where it goes on all the same, an end is to come");
    }

    #[test]
    fn what_nobody_allowed_is_told_on_standard_error_or_at_the_end() {
        let mut reader = Reader::new(Dialect::OpenCode, std::path::Path::new(""));
        reader.overhear("\u{1b}[93m! \u{1b}[0mpermission requested: external_directory (/srv/*); auto-rejecting\n");
        assert_eq!(reader.report().denied, ["external_directory (/srv/*)"]);
        let done = r#"{"type":"done","sessionID":"s","reason":"idle","rejected":["edit"]}"#;
        assert_eq!(read(&[STEP, CALLS, done]).1.denied, ["edit"]);
        assert_eq!(read(&[STEP, REFUSED, CALLS, done]).1.denied, ["bash rm x"], "once");
    }

    #[test]
    fn an_error_has_its_status_whether_it_is_a_text_or_an_object() {
        let error = r#"{"type":"error","sessionID":"s","error":{"name":"APIError","data":{"message":"slow down","statusCode":429}}}"#;
        let (_, report) = read(&[error]);
        assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("slow down (HTTP 429)")));
        let error = r#"{"type":"error","sessionID":"s","error":{"name":"MessageAbortedError"}}"#;
        assert_eq!(read(&[error]).1.error.as_deref(), Some("MessageAbortedError"));
        let error = r#"{"type":"error","sessionID":"s","error":"no such model"}"#;
        assert_eq!(read(&[error]).1.error.as_deref(), Some("no such model"));
    }

    #[test]
    fn a_command_that_failed_counts_as_completed() {
        let failed = r#"{"type":"tool_use","sessionID":"s","part":{"tool":"bash","callID":"c","state":{"status":"completed","input":{"command":"false"},"output":"","metadata":{"output":"","exit":1}}}}"#;
        let (entries, _) = read(&[failed]);
        assert_eq!((entries[1].kind, entries[1].exit_code, entries[1].ok), (EntryKind::Command, Some(1), Some(false)));
        let patch = r#"{"type":"tool_use","sessionID":"s","part":{"tool":"apply_patch","callID":"c","state":{"status":"completed","input":{"patchText":"*** Begin Patch\n*** Add File: a.txt\n+one\n*** Update File: b.txt\n@@\n-x\n+y\n+z\n*** End Patch"},"output":"ok","metadata":{}}}}"#;
        let (entries, _) = read(&[patch]);
        let edits: Vec<_> = entries[1..].iter().map(|edit| (edit.path.as_deref(), edit.text.as_str())).collect();
        assert_eq!(edits, [(Some("a.txt"), "created, +1 -0"), (Some("b.txt"), "edited, +2 -1")]);
    }

    #[test]
    fn a_question_that_nobody_may_answer_is_for_the_person() {
        let asks = r#"{"type":"tool_use","sessionID":"s","part":{"tool":"question","callID":"c","state":{"status":"error","input":{"questions":[{"question":"Which colour?","options":[{"label":"red"},{"label":"blue"}]}]},"error":"The user has specified a rule which prevents you from using this specific tool call."}}}"#;
        let say = SAY.replace("Which one?", "I could not ask.");
        let (_, report) = read(&[STEP, asks, CALLS, STEP, &say, STOP]);
        assert_eq!(report.question.as_deref(), Some("Which colour?\n- red\n- blue"));
        assert_eq!((report.ok, report.denied.len()), (Some(true), 0));
    }
}
