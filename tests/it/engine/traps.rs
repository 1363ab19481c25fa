//! What real agents do that looks like something else, played by stand-ins that print what the real ones print.

use std::fs;

use serde_json::json;

use super::Yard;

const START: &str = r#"printf '{"type":"system","subtype":"init","session_id":"5e55","cwd":"%s"}\n' "$PWD""#;
const SAY: &str = r#"printf '{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"%s"}]}}\n'"#;
const WELL: &str =
    r#"printf '{"is_error":false,"type":"result","subtype":"success","result":"All done.","session_id":"5e55"}\n'"#;

impl Yard {
    /// Makes a yard in which an agent's program is this shell script. `START`, `SAY` and `WELL` stand for events.
    fn with_agent(name: &str, script: &str) -> Self {
        let yard = Self::new();
        let events = script.replace("START", START).replace("SAY", SAY).replace("WELL", WELL);
        yard.world.install(name, &yard.script(&events));
        yard
    }

    /// Files one ticket for that agent and runs it to its end.
    fn run_agent(&self, name: &str) {
        self.import(&[json!({ "title": "Ticket", "state": "planned", "agent": name, "description": "Do it." })]);
        let _ = self.run(&[]);
    }
}

#[test]
fn an_edit_that_was_refused_is_the_reason_although_the_agent_ends_well() {
    let denied = r#"printf '{"type":"system","subtype":"permission_denied","tool_name":"Write","tool_use_id":"t","message":"no"}\n'"#;
    let yard = Yard::with_agent("claude", &format!("START\n{denied}\nSAY 'I wrote it.'\nWELL"));
    yard.run_agent("claude");
    yard.show(1).assert("needs_human (refused)", "the agent was not allowed to: Write");
    yard.assert_tidy(1);
}

#[test]
fn what_an_agent_writes_outside_its_worktree_is_no_change_and_is_said() {
    let call = r#"printf '{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","id":"w","name":"Write","input":{"file_path":"@out.txt","content":"x"}}]}}\n'"#;
    let done =
        r#"printf '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"w","content":"ok"}]}}\n'"#;
    let yard = Yard::with_agent("claude", &format!("START\n{call}\nprintf x > @out.txt\n{done}\nWELL"));
    yard.run_agent("claude");
    let reason = format!("the agent changed nothing in its worktree, but wrote {}", yard.sign("out.txt").display());
    yard.show(1).assert("blocked (failed)", &reason);
    let both =
        Yard::with_agent("claude", &format!("START\n{call}\nprintf x > @out.txt\n{done}\nprintf x > a.txt\nWELL"));
    both.run_agent("claude");
    let shown = both.show(1);
    shown.assert("needs_human (review)", "");
    let told =
        |event: &serde_json::Value| event["reason"].as_str().is_some_and(|why| why.contains("wrote outside its"));
    assert!(shown.value["events"].as_array().unwrap().iter().any(told), "{:#}", shown.value);
}

#[test]
fn an_exit_code_that_is_a_status_of_http_is_told_with_the_agents_last_error() {
    let yard = Yard::with_agent("claude", "START\necho 'got status: UNAUTHENTICATED. invalid key' >&2\nexit 145");
    yard.run_agent("claude");
    yard.show(1)
        .assert("blocked (failed)", "the agent exited with code 145: got status: UNAUTHENTICATED. invalid key")
        .assert_executed("failed", Some(145), None);
}

#[test]
fn a_run_that_was_stopped_is_no_success_however_it_ends() {
    // Some end with 0, and a good word, when they are asked to stop.
    let script = "trap 'WELL; exit 0' TERM\nSTART\nprintf x > a.txt\nsleep 600 & wait";
    let yard = Yard::with_agent("claude", script);
    yard.settings("  timeout: 2\n");
    yard.run_agent("claude");
    yard.show(1).assert("blocked (failed)", "ran out of time and was stopped").assert_executed("failed", None, None);
    yard.assert_tidy(1);
}

#[test]
fn a_command_that_the_agent_leaves_in_a_session_of_its_own_is_stopped_with_it() {
    let yard = Yard::with_agent("claude", "START\nprintf x > a.txt\nsetsid sleep 600 </dev/null &\nWELL");
    yard.run_agent("claude");
    yard.show(1).assert("needs_human (review)", "");
    yard.assert_tidy(1);
}

#[test]
fn an_agent_that_waits_for_its_model_is_said_to_and_no_longer_once_it_goes_on() {
    let retry = r#"printf '{"type":"system","subtype":"api_retry","attempt":4,"max_retries":10,"error_status":429,"error":"rate_limit"}\n'"#;
    let yard = Yard::with_agent("claude", &format!("START\n{retry}\nsleep 600"));
    yard.settings("  timeout: 2\n");
    yard.run_agent("claude");
    yard.show(1).assert("blocked (failed)", "its model could not be reached: ").assert("blocked (failed)", "429");
    let overcome = Yard::with_agent("claude", &format!("START\n{retry}\nprintf x > a.txt\nSAY 'Going on.'\nsleep 600"));
    overcome.settings("  timeout: 2\n");
    overcome.run_agent("claude");
    let shown = overcome.show(1);
    shown.assert("blocked (failed)", "ran out of time");
    assert!(!shown.reason().contains("could not be reached"), "{}", shown.reason());
}

#[test]
fn a_half_answer_that_ends_with_0_is_no_success() {
    let yard = Yard::with_agent("claude", "START\nprintf x > a.txt\nSAY 'I begin.'");
    yard.run_agent("claude");
    yard.show(1).assert("blocked (failed)", "stops before its final event");
}

#[test]
fn a_first_line_may_be_late() {
    let yard = Yard::with_agent("claude", "sleep 3\nSTART\nprintf x > a.txt\nWELL");
    yard.run_agent("claude");
    yard.show(1).assert("needs_human (review)", "");
}

#[test]
fn what_an_agent_leaves_for_itself_is_no_change() {
    let litter = "printf x > .aider.chat.history.md; mkdir .aider.tags.cache.v4; printf x > .aider.tags.cache.v4/db";
    let yard = Yard::with_agent("aider", &format!("{litter}; git add -f .aider.chat.history.md; echo Nothing to do."));
    yard.run_agent("aider");
    yard.show(1).assert("blocked (failed)", "the agent changed nothing; it says: Nothing to do.");
    let worked = Yard::with_agent("aider", &format!("{litter}; git config --get user.name > who.txt; echo Done."));
    worked.run_agent("aider");
    let shown = worked.show(1);
    shown.assert("needs_human (review)", "");
    let revision = &shown.revisions()[0];
    let (base, head) = (revision["base"].as_str().unwrap(), revision["head"].as_str().unwrap());
    assert_eq!(worked.world.git(&["diff", "--name-only", base, head]), "who.txt");
    assert_eq!(fs::read_to_string(shown.worktree().join("who.txt")).unwrap(), "aider\n", "it need not make one up");
}

#[test]
fn a_session_is_gone_on_with_by_its_own_name_and_never_as_the_latest() {
    let script = "echo \"$*\" >> @calls\nSTART\ncase \"$*\" in *--resume*) printf y > b.txt ;; *) printf x > a.txt ;; esac\nWELL";
    let yard = Yard::with_agent("claude", script);
    yard.run_agent("claude");
    yard.world.draft(&["ticket", "tell", "1", "Also b."]).ok();
    let _ = yard.run(&[]);
    yard.show(1).assert("needs_human (review)", "");
    let calls = yard.journal("calls");
    assert!(calls.len() == 2 && calls[1].contains("--resume 5e55"), "{calls:?}");
    assert!(calls.iter().all(|call| !call.contains("--continue")), "{calls:?}");
}
