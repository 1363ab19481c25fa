//! Every recorded stream is read as its snapshot shows; and no input, however cut or broken, does harm.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::lines::LINE_MAX;
use super::*;
use crate::domain::run::RunEnd;
use crate::domain::transient::may_pass;
use crate::executor::table::Table;

mod torture;

const STREAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/streams");

fn streams() -> Vec<(String, Dialect, Vec<u8>)> {
    let files = fs::read_dir(STREAMS).unwrap().map(|file| file.unwrap().path());
    let mut streams: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension != "md"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let dialect = dialect_of(name.split('-').next().unwrap());
            (name, dialect, fs::read(path).unwrap())
        })
        .collect();
    streams.sort_by(|a, b| a.0.cmp(&b.0));
    streams
}

fn dialect_of(agent: &str) -> Dialect {
    match agent {
        "kilo" => Dialect::OpenCode,
        "qwen" => Dialect::Claude,
        // Most dialects have the name of their agent.
        name => name.parse().unwrap_or_else(|_| Table::builtin().find(name).unwrap().dialect),
    }
}

/// The worktrees of the recordings: `/srv/sample/repos/<agent>-<scenario>`; a resumed session is in the first one's.
fn root(name: &str) -> String {
    let agent = name.split('-').next().unwrap();
    let scenario = name.rsplit('.').next().unwrap();
    let scenario = if scenario == "resume" || scenario.parse::<u32>().is_ok() { "basic" } else { scenario };
    format!("/srv/sample/repos/{agent}-{scenario}")
}

fn read(dialect: Dialect, root: &str, pieces: &[&[u8]]) -> (Vec<Entry>, Report) {
    let mut reader = Reader::new(dialect, Path::new(root));
    let mut out = Vec::new();
    for piece in pieces {
        reader.feed(piece, &mut out);
    }
    reader.finish(&mut out);
    assert_eq!(reader.offset(), pieces.iter().map(|piece| piece.len() as u64).sum::<u64>());
    (out, reader.report().clone())
}

pub(super) fn read_text(dialect: Dialect, text: &str) -> (Vec<Entry>, Report) {
    read(dialect, "/w", &[text.as_bytes()])
}

/// One entry: its kind, what it carries in brackets, then its text, further lines indented.
fn show(entry: &Entry) -> String {
    let mut line = format!("{:<11}", entry.kind);
    let mut tag = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(line, " [{name} {value}]");
        }
    };
    tag("session", entry.session.clone());
    tag("tool", entry.tool.clone());
    tag("path", entry.path.clone());
    tag("exit", entry.exit_code.map(|code| code.to_string()));
    tag("ok", entry.ok.map(|ok| ok.to_string()));
    tag(
        "usage",
        entry.usage.map(|usage| format!("{} {} {:?}", usage.input_tokens, usage.output_tokens, usage.cost_micros)),
    );
    line.push(' ');
    line.push_str(&entry.text.replace('\n', "\n            "));
    line.trim_end().to_owned()
}

/// Returns each entry on a line, its kind without the spaces after it.
pub(super) fn shown(entries: &[Entry]) -> Vec<String> {
    let line = |entry| {
        let line = show(entry);
        line.split_once(' ').map_or(line.clone(), |(kind, rest)| format!("{kind} {}", rest.trim_start()))
    };
    entries.iter().map(line).collect()
}

fn show_all(entries: &[Entry], report: &Report) -> String {
    let lines: Vec<String> = entries.iter().map(show).collect();
    format!("{}\n\n{report:#?}", lines.join("\n"))
}

#[test]
fn every_recorded_stream_is_read_as_before() {
    for (name, dialect, bytes) in streams() {
        let (entries, report) = read(dialect, &root(&name), &[&bytes]);
        insta::assert_snapshot!(name, show_all(&entries, &report));
    }
}

#[test]
fn a_reader_says_how_far_it_read_and_a_copy_goes_on_from_there() {
    for (name, dialect, bytes) in streams() {
        let (whole, report) = read(dialect, &root(&name), &[&bytes]);
        let mut reader = Reader::new(dialect, Path::new(&root(&name)));
        let (mut rest, mut out) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            // As a pager does: copies between lines, with the number of entries before them.
            let taken = reader.feed_line(rest, &mut out);
            rest = &rest[taken..];
            assert_eq!(reader.is_between_lines(), rest.is_empty() || bytes[bytes.len() - rest.len() - 1] == b'\n');
            let (mut copy, mut later) = (reader.clone(), Vec::new());
            copy.feed(&bytes[usize::try_from(reader.offset()).unwrap()..], &mut later);
            copy.finish(&mut later);
            assert_eq!([&out[..], &later[..]].concat(), whole, "{name} from byte {}", reader.offset());
            assert_eq!(copy.report(), &report, "{name}");
        }
    }
}

#[test]
fn half_a_line_gives_nothing_until_it_ends_or_the_output_is_over() {
    let mut reader = Reader::new(Dialect::Text, Path::new(""));
    let mut out = Vec::new();
    reader.feed(b"one\r\ntw", &mut out);
    assert_eq!((out.len(), reader.offset(), reader.unread()), (1, 7, 2));
    assert_eq!(out[0], Entry::new(EntryKind::Text, "one"));
    assert!(!reader.is_between_lines());
    reader.feed(b"o", &mut out);
    reader.finish(&mut out);
    reader.finish(&mut out);
    assert_eq!(out[1..], [Entry::new(EntryKind::Text, "two")], "and only once");
}

#[test]
fn an_agent_that_is_cut_off_has_no_final_verdict() {
    for (name, dialect, bytes) in streams().into_iter().filter(|(_, dialect, _)| *dialect != Dialect::Text) {
        let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (_, report) = read(dialect, &root(&name), &[&bytes[..last]]);
        // One that failed may say so twice, and one that is refused something need not say how it ends.
        assert_ne!(report.ok, Some(true), "{name}");
        assert!(report.promises_end || !report.denied.is_empty(), "{name}");
    }
}

#[test]
fn a_connection_that_broke_may_work_again_and_a_refused_key_will_not() {
    for (name, dialect, bytes) in streams() {
        let (_, report) = read(dialect, &root(&name), &[&bytes]);
        let again = may_pass(&RunEnd::Exited { code: 1 }, &report).is_some();
        match name.rsplit('.').next() {
            Some("fail401") => assert!(!again && report.error.is_some(), "{name}: {report:?}"),
            Some("cut") if report.ok == Some(false) => assert!(again, "{name}: {report:?}"),
            _ => {}
        }
    }
}

#[test]
fn words_that_came_in_pieces_are_shown_if_the_output_ends_before_the_whole() {
    let piece = |text: &str| {
        format!(
            r#"{{"type":"stream_event","event":{{"type":"content_block_delta","delta":{{"type":"text_delta","text":"{text}"}}}}}}"#
        )
    };
    let whole = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"One two"}]}}"#;
    let (entries, report) = read_text(Dialect::Claude, &format!("{}\n{}\n", piece("One "), piece("two")));
    assert_eq!((entries, report.said), (vec![Entry::new(EntryKind::Assistant, "One two")], None));
    let (entries, _) = read_text(Dialect::Claude, &format!("{}\n{}\n{whole}\n", piece("One "), piece("two")));
    assert_eq!(entries, [Entry::new(EntryKind::Assistant, "One two")]);
}

#[test]
fn retrying_is_over_when_work_goes_on() {
    let retry = r#"{"type":"system","subtype":"api_retry","attempt":1,"max_retries":10}"#;
    let say = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"Hello"}]}}"#;
    let (_, report) = read_text(Dialect::Claude, retry);
    assert_eq!(report.retrying.as_deref(), Some("trying to reach the model again, attempt 1 of 10"));
    assert_eq!(read_text(Dialect::Claude, &format!("{retry}\n{say}")).1.retrying, None);

    let retry = r#"{"type":"error","message":"Reconnecting... 1/5 (429)"}"#;
    let say = r#"{"type":"item.completed","item":{"type":"agent_message","text":"Hello"}}"#;
    let (_, report) = read_text(Dialect::Codex, retry);
    assert_eq!((report.retrying.as_deref(), report.error), (Some("Reconnecting... 1/5 (429)"), None));
    assert_eq!(read_text(Dialect::Codex, &format!("{retry}\n{say}")).1.retrying, None);
    assert_eq!(
        read_text(Dialect::Text, "Retrying in 0.2 seconds...\n").1.retrying.as_deref(),
        Some("Retrying in 0.2 seconds...")
    );
    assert_eq!(read_text(Dialect::Text, "Retrying in 0.2 seconds...\nHello\n").1.retrying, None);
}

#[test]
fn an_agent_that_ends_with_a_question_asks() {
    let say = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"I looked.\n\nWhich one?"}]}}"#;
    let end = r#"{"type":"result","subtype":"success","is_error":false,"result":"I looked.\n\nWhich one?"}"#;
    let (entries, report) = read_text(Dialect::Claude, &format!("{say}\n{end}"));
    assert_eq!((report.question.as_deref(), report.ok), (Some("Which one?"), Some(true)));
    assert_eq!(entries.iter().filter(|entry| entry.kind == EntryKind::Assistant).count(), 1, "said once, shown once");
    let failed = end.replace("false", "true");
    assert_eq!(read_text(Dialect::Claude, &format!("{say}\n{failed}")).1.question, None);

    let say = r#"{"type":"item.completed","item":{"type":"agent_message","text":"Which one?"}}"#;
    let end = r#"{"type":"turn.completed","usage":{}}"#;
    assert_eq!(read_text(Dialect::Codex, &format!("{say}\n{end}")).1.question.as_deref(), Some("Which one?"));
    assert_eq!(read_text(Dialect::Text, "Work.\n\nWhich\none?\n\n").1.question.as_deref(), Some("Which\none?"));
}

#[test]
fn a_refusal_is_noted_once_whether_it_is_told_at_once_or_at_the_end() {
    let call = r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"rm -rf\nx"}}]}}"#;
    let denied =
        r#"{"type":"system","subtype":"permission_denied","tool_name":"Bash","tool_use_id":"t1","message":"No."}"#;
    let end = r#"{"type":"result","subtype":"success","is_error":false,"result":"Done.","permission_denials":[{"tool_name":"Bash","tool_use_id":"t1","tool_input":{"command":"rm -rf\nx"}},{"tool_name":"Edit","tool_use_id":"t2","tool_input":{"file_path":"/w/a.rs"}}]}"#;
    let wanted = ["Bash rm -rf x", "Edit a.rs"];
    assert_eq!(read_text(Dialect::Claude, &[call, denied, end].join("\n")).1.denied, wanted);
    assert_eq!(read_text(Dialect::Claude, end).1.denied, wanted);
    let declined = r#"{"type":"item.completed","item":{"type":"command_execution","command":"/bin/sh -c 'touch x'","exit_code":null,"status":"declined"}}"#;
    assert_eq!(read_text(Dialect::Codex, declined).1.denied, ["shell touch x"]);
}

#[test]
fn a_patch_that_codex_refuses_on_standard_error_only_is_noted() {
    let stderr = "WARNING: proceeding\n2026-11-24T15:44:20.866200Z ERROR codex_core::tools::router: error=patch rejected: \
                  writing outside of the project; rejected by user approval settings\n";
    for (dialect, wanted) in [
        (Dialect::Codex, &["change a file (writing outside of the project)"][..]),
        (Dialect::Claude, &[]),
        (Dialect::Text, &[]),
    ] {
        let mut reader = Reader::new(dialect, Path::new("/w"));
        reader.overhear(stderr);
        assert_eq!(reader.report().denied, wanted, "{dialect}");
    }
}

#[test]
fn what_a_sub_agent_says_is_marked_and_is_not_the_agents_own_word() {
    let call = r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"Task","input":{"description":"Look around","prompt":"Long."}}]}}"#;
    let say =
        r#"{"type":"assistant","parent_tool_use_id":"t1","message":{"content":[{"type":"text","text":"Found it."}]}}"#;
    let (entries, report) = read_text(Dialect::Claude, &format!("{call}\n{say}"));
    let of_task = |kind, text: &str| Entry { tool: Some("Task".into()), ..Entry::new(kind, text) };
    assert_eq!(entries, [of_task(EntryKind::ToolCall, "Look around"), of_task(EntryKind::Assistant, "Found it.")]);
    assert_eq!(report.said, None);
}

#[test]
fn qwen_code_says_errors_of_its_model_as_if_the_model_had_said_them() {
    let say = |text: &str| {
        format!(r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{text}"}}],"usage":{{}}}}}}"#)
    };
    let retry = r#"{"type":"system","subtype":"retry","data":{"reason":"retry"}}"#;
    let error = "[API Error: 401 no key]";
    let end = format!(
        r#"{{"type":"result","subtype":"error_during_execution","is_error":true,"error":{{"message":"{error}"}}}}"#
    );
    let (entries, report) = read_text(
        Dialect::Claude,
        &[say("Half."), retry.into(), retry.into(), say(&format!("Half.{error}")), end].join("\n"),
    );
    let shown: Vec<(EntryKind, &str)> = entries.iter().map(|entry| (entry.kind, entry.text.as_str())).collect();
    let again = "trying to reach the model again";
    assert_eq!(shown[..3], [(EntryKind::Assistant, "Half."), (EntryKind::Retry, again), (EntryKind::Error, error)]);
    assert_eq!((shown.len(), report.ok, report.error.as_deref()), (4, Some(false), Some(error)));
    assert_eq!((report.said.as_deref(), report.retrying), (Some("Half."), None));
}

#[test]
fn qwen_code_gives_an_account_of_a_command_that_failed() {
    let call = r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"c","name":"run_shell_command","input":{"command":"make"}}],"usage":{"input_tokens":10,"output_tokens":2,"cache_read_input_tokens":8,"total_tokens":12}}}"#;
    let told = |output: &str| {
        format!(
            r#"{{"type":"user","message":{{"content":[{{"type":"tool_result","tool_use_id":"c","is_error":true,"content":"Command: make\nDirectory: (root)\nOutput: {output}\nError: (none)\nExit Code: 2\nSignal: (none)"}}]}}}}"#
        )
    };
    let (entries, report) = read_text(Dialect::Claude, &format!("{call}\n{}", told("Exit Code: 7\\nno rule")));
    assert_eq!((entries[1].exit_code, entries[2].text.as_str()), (Some(2), "Exit Code: 7\nno rule"));
    assert_eq!(report.usage.input_tokens, 10, "cached tokens are among them");
    assert_eq!(read_text(Dialect::Claude, &format!("{call}\n{}", told("(empty)"))).0.len(), 2);
    let goal = |goal: &str| {
        format!(r#"{{"type":"stream_event","event":{{"type":"goal_state","goal_state":{{"goal":{goal}}}}}}}"#)
    };
    assert_eq!(read_text(Dialect::Claude, &goal("null")).0, []);
    assert_eq!(read_text(Dialect::Claude, &goal(r#""win""#)).0.len(), 1);
}

#[test]
fn a_final_event_counts_only_if_no_work_comes_after_it() {
    let end = r#"{"type":"result","subtype":"success","is_error":false,"result":"Done."}"#;
    let say = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"More."}]}}"#;
    assert_eq!(read_text(Dialect::Claude, &format!("{end}\n{say}")).1.ok, None);
    assert_eq!(read_text(Dialect::Claude, &format!("{end}\n{say}\n{end}")).1.ok, Some(true));
    let limit = r#"{"type":"result","subtype":"error_max_turns","is_error":false}"#;
    let (_, report) = read_text(Dialect::Claude, limit);
    assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("error max turns")));
}

#[test]
fn tokens_are_counted_while_the_agent_works_and_settled_at_the_end() {
    let message = |id: &str| {
        format!(
            r#"{{"type":"assistant","message":{{"id":"{id}","content":[],"usage":{{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}}}}"#
        )
    };
    let end =
        r#"{"type":"result","is_error":false,"usage":{"input_tokens":40,"output_tokens":7},"total_cost_usd":0.5}"#;
    let running = [message("a"), message("a"), message("b")].join("\n");
    let usage = read_text(Dialect::Claude, &running).1.usage;
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cost_micros), (30, 2, None));
    let usage = read_text(Dialect::Claude, &format!("{running}\n{end}")).1.usage;
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cost_micros), (40, 7, Some(500_000)));
}

#[test]
fn unknown_events_and_lines_that_are_no_json_are_kept() {
    for dialect in Dialect::ALL.iter().copied().filter(|dialect| *dialect != Dialect::Text) {
        let lines =
            ["{\"type\":\"new.thing\",\"n\":1}", "{}", "[1]", "warning: ż", "", "  ", "{\"cut\":", "{\"type\":7}"];
        let (entries, report) = read_text(dialect, &lines.join("\n"));
        let shown: Vec<(EntryKind, &str)> = entries.iter().map(|entry| (entry.kind, entry.text.as_str())).collect();
        let wanted = [
            (EntryKind::System, "new.thing n=1"),
            (EntryKind::System, "unknown event"),
            (EntryKind::Text, "[1]"),
            (EntryKind::Text, "warning: ż"),
            (EntryKind::Text, "{\"cut\":"),
            (EntryKind::System, "unknown event"),
        ];
        assert_eq!(shown, wanted, "{dialect}");
        assert_eq!(report, Report { promises_end: dialect != Dialect::Json, ..Report::default() });
    }
    let (entries, _) =
        read_text(Dialect::Codex, r#"{"type":"item.completed","item":{"id":"i","type":"dream","of":"sheep"}}"#);
    assert_eq!(entries, [Entry::new(EntryKind::System, "dream id=i of=sheep")]);
}

#[test]
fn a_final_event_of_fifty_megabytes_is_read_in_little_memory() {
    let piece = vec![b'x'; 1 << 20];
    let mut reader = Reader::new(Dialect::Claude, Path::new("/w"));
    let mut out = Vec::new();
    reader.feed(
        br#"{"permission_denials":[{"tool_name":"Write","tool_input":{"file_path":"/w/big","content":""#,
        &mut out,
    );
    for _ in 0..50 {
        reader.feed(&piece, &mut out);
        assert!(reader.half.capacity() <= 2 * LINE_MAX);
    }
    reader.feed(b"\"}}],\"is_error\":false,\"result\":\"Done.\",\"type\":\"result\"}\n", &mut out);
    assert_eq!(reader.report().ok, Some(true));
    assert_eq!(reader.report().denied, ["Write big"]);
    assert!(reader.half.capacity() <= 64 << 10);
}

#[test]
fn output_without_a_line_end_costs_bounded_memory() {
    for (dialect, byte) in
        [(Dialect::Text, b'x'), (Dialect::Codex, b'{'), (Dialect::Claude, 0), (Dialect::Claude, 0xff)]
    {
        let mut reader = Reader::new(dialect, Path::new(""));
        let mut out = Vec::new();
        for _ in 0..8 {
            reader.feed(&vec![byte; 1 << 20], &mut out);
            assert!(out.is_empty() && reader.half.capacity() <= 2 * LINE_MAX);
        }
        reader.finish(&mut out);
        assert_eq!(out.len(), 1);
        assert!(out[0].text.len() < 64 << 10, "{dialect}");
    }
}

#[test]
fn json_as_deep_as_a_well_is_kept_as_text() {
    let deep = format!("{{\"type\":{}1{}}}\n", "[".repeat(5000), "]".repeat(5000));
    let (entries, _) = read_text(Dialect::Claude, &deep);
    assert_eq!(entries.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [EntryKind::Text]);
}

/// Cuts bytes at the given places.
fn cut<'a>(bytes: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let starts = std::iter::once(0).chain(places.iter().copied());
    starts.zip(places.iter().copied().chain([bytes.len()])).map(|(from, to)| &bytes[from..to]).collect()
}

/// Values in the places where a dialect expects others.
fn json() -> impl Strategy<Value = String> {
    const WORDS: [&str; 52] = [
        "type",
        "subtype",
        "message",
        "content",
        "item",
        "event",
        "result",
        "tool_use",
        "tool_result",
        "assistant",
        "user",
        "system",
        "init",
        "api_retry",
        "stream_event",
        "item.completed",
        "command_execution",
        "file_change",
        "changes",
        "error",
        "turn.failed",
        "turn.completed",
        "usage",
        "status",
        "id",
        "name",
        "input",
        "structuredPatch",
        "part",
        "state",
        "tokens",
        "step_finish",
        "text",
        "tool",
        "delta",
        "role",
        "tool_call",
        "parameters",
        "tool_id",
        "toolName",
        "value",
        "completion",
        "data",
        "toolCallId",
        "arguments",
        "assistant.message",
        "tool.execution_start",
        "tool.execution_complete",
        "write",
        "bash",
        "command",
        "path",
    ];
    let leaf = prop_oneof![
        prop::sample::select(WORDS.to_vec()).prop_map(|word| format!("\"{word}\"")),
        Just("null".to_owned()),
        Just("-1e400".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<bool>().prop_map(|b| b.to_string()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let fields = prop::collection::vec((prop::sample::select(WORDS.to_vec()), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            fields.prop_map(|fields| {
                let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(places in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        for (name, dialect, bytes) in streams() {
            prop_assert_eq!(read(dialect, &root(&name), &cut(&bytes, &places)), read(dialect, &root(&name), &[&bytes]));
        }
    }

    #[test]
    fn broken_streams_are_read_without_harm(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        swap in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        for (name, dialect, mut bytes) in streams() {
            for (place, byte) in &places {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            let end = bytes.len();
            bytes.copy_within(swap.0.index(end).., swap.1.index(end).min(swap.0.index(end)));
            read(dialect, &root(&name), &[&bytes]);
        }
    }

    #[test]
    fn any_bytes_and_any_json_are_read_without_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        events in prop::collection::vec(json(), 0..8),
    ) {
        for dialect in Dialect::ALL {
            let (entries, _) = read(*dialect, "/w", &[&bytes]);
            prop_assert!(entries.len() <= bytes.len());
            read_text(*dialect, &events.join("\n"));
        }
    }
}

proptest! {
    // Each line has over a megabyte.
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_long_line_is_pruned_the_same_however_it_is_cut(
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        unit in prop::sample::select(&["x", "ż", "\\u017c", "\\ud83d\\ude80", "\",\"", "\\\"", "{}"][..]),
        start in prop::sample::select(&["{\"type\":\"", " {\"a\":[\"", "plain", ""][..]),
    ) {
        let line = format!("{start}{}\",\"end\":1}}\nnext\n", unit.repeat(LINE_MAX / unit.len() + 10));
        for dialect in [Dialect::Claude, Dialect::Text] {
            let whole = read(dialect, "", &[line.as_bytes()]);
            prop_assert_eq!(read(dialect, "", &cut(line.as_bytes(), &places)), whole);
        }
    }
}

#[test]
fn the_end_of_a_trace_is_nobodys_last_word() {
    let trace = "Retrying.\nError: no such model\n    at run (file:///srv/cli.js:1:2)\n    at async main {\n  }\n}\n\n";
    assert_eq!(last_words(trace), Some("Error: no such model"));
    assert_eq!(last_words("at last\n---\n"), None);
    assert_eq!(last_words(""), None);
    let called_wrongly = "Invalid --session-id: \"x\".\nUsage: agent [options]\n\n  -h, --help  Show help";
    assert_eq!(last_words(called_wrongly), Some("Invalid --session-id: \"x\"."));
}
