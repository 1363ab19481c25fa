//! What reading an agent's output costs: a stream of 100,000 lines, a flood of plain ones, and the first page of such logs.

use std::fs;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use draft_board::app::Log;
use draft_board::domain::log::{LogPlace, LogView};
use draft_board::executor::decode::{Dialect, Reader};
use draft_board::run::folder::Folder;
use tempfile::TempDir;

const RECORDED: &str = include_str!("../tests/cases/streams/claude-2.1.330.jsonl");
/// What an agent's reader is fed at once.
const CHUNK: usize = 64 * 1024;

/// A recorded session, again and again.
fn stream(lines: usize) -> String {
    RECORDED.lines().cycle().take(lines).flat_map(|line| [line, "\n"]).collect()
}

fn flood(lines: usize) -> String {
    (0..lines).map(|n| format!("test numbers::negative::case_{n} ... ok, with a few more words behind it\n")).collect()
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode 100,000 lines");
    group.sample_size(10);
    for (name, dialect, text) in
        [("claude", Dialect::Claude, stream(100_000)), ("plain", Dialect::Text, flood(100_000))]
    {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut reader = Reader::new(dialect, Path::new("/w"));
                let (mut entries, mut count) = (Vec::new(), 0);
                for chunk in text.as_bytes().chunks(CHUNK) {
                    reader.feed(chunk, &mut entries);
                    count += entries.drain(..).count();
                }
                count
            });
        });
    }
    group.finish();
}

fn log(dialect: Dialect, text: &str) -> (TempDir, impl Fn() -> Log) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("stdout"), text).expect("a file");
    fs::write(folder.path().join("stderr"), "").expect("a file");
    let path = folder.path().to_owned();
    (folder, move || Log::new(Folder::open(&path).expect("a run's folder"), dialect, Path::new("/w")))
}

fn first_page(c: &mut Criterion) {
    let mut group = c.benchmark_group("first page, at the end");
    group.sample_size(10);
    for (name, dialect, text) in [
        ("100,000 lines of claude", Dialect::Claude, stream(100_000)),
        ("1,000,000 plain lines", Dialect::Text, flood(1_000_000)),
    ] {
        let (_folder, open) = log(dialect, &text);
        for view in [LogView::Pretty, LogView::Raw] {
            group.bench_function(format!("{name}, {view}"), |b| {
                b.iter_batched(
                    &open,
                    |mut log| log.rows(view, LogPlace::End, 50).expect("rows"),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, decode, first_page);
criterion_main!(benches);
