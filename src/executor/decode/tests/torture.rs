//! What no agent should print and some will: every dialect gets it, and none panics, forgets its bounds or reads otherwise
//! when the bytes are cut otherwise.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::*;

/// Most bytes of a reader's state, as it is written out for debugging: some 64 calls with what they carry.
const STATE_MAX: usize = 8 << 20;

/// Values that stand where others are expected.
fn wrong() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!(""),
        json!("\u{1b}[31m\n?"),
        json!([]),
        json!({}),
        json!([null, [], {}, "x", 1, { "type": "text", "text": 1, "id": [] }]),
        json!({ "type": {}, "name": [], "message": { "content": 7 }, "input": "{\"path\":" }),
    ]
}

/// Returns the places of all values in an event, as JSON pointers.
fn places(value: &Value, place: &str, out: &mut Vec<String>) {
    out.push(place.to_owned());
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                places(item, &format!("{place}/{i}"), out);
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                places(item, &format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[track_caller]
fn assert_bounded(reader: &Reader, what: &str) {
    let size = format!("{reader:?}").len();
    assert!(size < STATE_MAX, "{what}: {size} bytes of state");
}

#[test]
fn every_field_may_have_the_wrong_type() {
    let wrong = wrong();
    for (name, dialect, bytes) in streams() {
        let mut reader = Reader::new(dialect, Path::new(&root(&name)));
        let mut turn = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if let Ok(event) = serde_json::from_slice::<Value>(line) {
                let mut all = Vec::new();
                places(&event, "", &mut all);
                for place in all {
                    turn += 1;
                    let mut event = event.clone();
                    *event.pointer_mut(&place).unwrap() = wrong[turn % wrong.len()].clone();
                    let (mut copy, mut out) = (reader.clone(), Vec::new());
                    copy.feed(event.to_string().as_bytes(), &mut out);
                    copy.finish(&mut out);
                }
            }
            reader.feed(line, &mut Vec::new());
        }
        assert_bounded(&reader, &name);
    }
}

#[test]
fn fields_of_any_length_cost_bounded_memory() {
    // Eight of them would be more than a reader may keep. Lines get it when they are written out: that is slow with long texts.
    let (mark, long) = ("in place of much", "ż".repeat(1 << 19));
    for (name, dialect, bytes) in streams() {
        let mut reader = Reader::new(dialect, Path::new(&root(&name)));
        // One line of each kind is enough.
        let mut kinds = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            if kinds.len() == 8 {
                break;
            }
            let Ok(mut event) = serde_json::from_slice::<Value>(line) else { continue };
            let mut all = Vec::new();
            places(&event, "", &mut all);
            if kinds.contains(&all) {
                continue;
            }
            for place in &all {
                let text = event.pointer_mut(place).filter(|value| value.is_string());
                if let Some(text) = text.filter(|_| !place.ends_with("type") && !place.ends_with("role")) {
                    *text = json!(mark);
                    break;
                }
            }
            kinds.push(all);
            let mut out = Vec::new();
            reader.feed(format!("{event}\n").replace(mark, &long).as_bytes(), &mut out);
            assert!(out.iter().all(|entry| entry.text.len() < 64 << 10), "{name}");
            assert!(out.iter().all(|entry| format!("{entry:?}").len() < 512 << 10), "{name}");
        }
        assert_bounded(&reader, &name);
    }
}

#[test]
fn an_agent_that_never_ends_costs_bounded_memory() {
    for (name, dialect, bytes) in streams() {
        let mut reader = Reader::new(dialect, Path::new(&root(&name)));
        let text = String::from_utf8_lossy(&bytes);
        for n in 0..20 {
            // Other names, so that nothing is paired.
            let text = text.replace("_id\":\"", &format!("_id\":\"{n}")).replace("Id\":\"", &format!("Id\":\"{n}"));
            for line in text.lines().filter(|line| line.len() < 4096) {
                reader.feed(line.as_bytes(), &mut Vec::new());
                reader.feed(b"\n", &mut Vec::new());
            }
        }
        assert_bounded(&reader, &name);
    }
}

#[test]
fn every_dialect_reads_what_no_agent_should_print() {
    let deep = |open: &str, close: &str| format!("{{\"type\":{}1{}}}", open.repeat(100_000), close.repeat(100_000));
    let lines = [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        "{\"type\":\"\\ud800\"}".to_owned(),
        "{\"type\":1e400}".to_owned(),
        format!("{{\"type\":{}}}", "9".repeat(5000)),
        "{\"type\":\"a\",\"type\":\"b\"}".to_owned(),
        "\0\0\0{}".to_owned(),
        "{}{}".to_owned(),
        "\u{feff}{\"type\":\"x\"}".to_owned(),
    ];
    for dialect in Dialect::ALL.iter().copied() {
        for line in &lines {
            let (entries, report) = read_text(dialect, line);
            assert_eq!(entries.len(), 1, "{dialect}: {}", &line[..line.floor_char_boundary(40)]);
            assert!(entries[0].text.len() < 64 << 10 && report.ok.is_none(), "{dialect}");
        }
        for byte in [b'x', b'{', b'"', 0, 0xff] {
            let mut reader = Reader::new(dialect, Path::new(""));
            let mut out = Vec::new();
            for _ in 0..3 {
                reader.feed(&vec![byte; 1 << 20], &mut out);
            }
            assert!(out.is_empty() && reader.half.capacity() <= 2 * LINE_MAX, "{dialect} {byte}");
            reader.finish(&mut out);
            assert!(out.len() == 1 && out[0].text.len() < 64 << 10, "{dialect} {byte}");
        }
    }
}

/// What happens to a recording on its way.
#[derive(Clone, Debug)]
enum Harm {
    Drop(Index),
    Repeat(Index),
    Swap(Index, Index),
    /// Only the beginning of a line is there, and the next one follows at once.
    Cut(Index, Index),
    /// A value of another type stands in a line.
    Wrong(Index, Index, Index),
    /// A byte is another one.
    Byte(Index, Index, u8),
}

fn harm() -> impl Strategy<Value = Harm> {
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Harm::Drop),
        index().prop_map(Harm::Repeat),
        (index(), index()).prop_map(|(a, b)| Harm::Swap(a, b)),
        (index(), index()).prop_map(|(line, at)| Harm::Cut(line, at)),
        (index(), index(), index()).prop_map(|(line, place, value)| Harm::Wrong(line, place, value)),
        (index(), index(), any::<u8>()).prop_map(|(line, at, byte)| Harm::Byte(line, at, byte)),
    ]
}

fn do_harm(lines: &mut Vec<Vec<u8>>, harm: &Harm) {
    if lines.is_empty() {
        return;
    }
    match harm {
        Harm::Drop(at) => drop(lines.remove(at.index(lines.len()))),
        Harm::Repeat(at) => lines.push(lines[at.index(lines.len())].clone()),
        Harm::Swap(a, b) => {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
        }
        Harm::Cut(line, at) => {
            let line = line.index(lines.len());
            let at = at.index(lines[line].len() + 1);
            lines[line].truncate(at);
        }
        Harm::Byte(line, at, byte) => {
            let line = line.index(lines.len());
            if !lines[line].is_empty() {
                let at = at.index(lines[line].len());
                lines[line][at] = *byte;
            }
        }
        Harm::Wrong(line, place, value) => {
            let line = line.index(lines.len());
            if let Ok(mut event) = serde_json::from_slice::<Value>(&lines[line]) {
                let mut all = Vec::new();
                places(&event, "", &mut all);
                *event.pointer_mut(&all[place.index(all.len())]).unwrap() = value.get(&wrong()).clone();
                lines[line] = format!("{event}\n").into_bytes();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_recording_that_was_harmed_is_read_the_same_however_it_is_cut(
        harms in prop::collection::vec(harm(), 1..12),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
        rest in any::<Index>(),
    ) {
        for (name, dialect, bytes) in streams() {
            let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            harms.iter().for_each(|harm| do_harm(&mut lines, harm));
            let mut bytes = lines.concat();
            bytes.truncate(bytes.len() - rest.index(bytes.len() / 4 + 1));
            let whole = read(dialect, &root(&name), &[&bytes]);
            prop_assert_eq!(read(dialect, &root(&name), &cut(&bytes, &cuts)), whole, "{}", name);
        }
    }
}
