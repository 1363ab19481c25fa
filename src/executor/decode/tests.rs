//! Every recorded stream is read as its snapshot shows; and no input, however cut or broken, does harm.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::lines::LINE_MAX;
use super::*;

const STREAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/streams");

fn streams() -> Vec<(String, Dialect, Vec<u8>)> {
    let mut streams: Vec<_> = fs::read_dir(STREAMS)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let dialect = match name.split('-').next().unwrap() {
                "aider" => Dialect::Text,
                agent => agent.parse().unwrap(),
            };
            (name, dialect, fs::read(path).unwrap())
        })
        .collect();
    streams.sort_by(|a, b| a.0.cmp(&b.0));
    streams
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

fn read_text(dialect: Dialect, text: &str) -> (Vec<Entry>, Report) {
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
