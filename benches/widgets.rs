//! How long it takes to lay out what a frame shows: a page of a log of 50 rows at 200 columns, a change, one raw line.

use std::hint::black_box;

use chrono::FixedOffset;
use criterion::{Criterion, criterion_group, criterion_main};
use draft_board::domain::diff::{Content, DiffLine, FileChange, FileDiff, Hunk};
use draft_board::domain::log::{Entry, EntryKind, LogRows};
use draft_board::domain::time::Timestamp;
use draft_board::ui::theme::Theme;
use draft_board::ui::widget::ansi::{self, AnsiState};
use draft_board::ui::widget::log::{self, Edge, Layout, Times};
use draft_board::ui::widget::{diff, markdown, text};

const COLUMNS: usize = 200;
const ROWS: usize = 50;

fn layout() -> Layout<'static> {
    let utc = FixedOffset::east_opt(0).expect("no offset is an offset");
    Layout { times: Times::Shown(utc), fold: 12, ..Layout::plain(COLUMNS) }
}

/// One entry of each kind, again and again, with a paragraph in each.
fn pretty() -> LogRows {
    let text = "I'll add the middleware and wire it into the router; the handlers then see the user.\n".repeat(3);
    let kinds = EntryKind::ALL.iter().cycle().take(ROWS);
    LogRows::Pretty(kinds.map(|kind| (Some(Timestamp(1_790_078_621_000)), Entry::new(*kind, text.as_str()))).collect())
}

const RAW_LINE: &str = "\x1b[32m   Compiling\x1b[0m draft-board v0.1.0 \x1b[2m(/home/me/draft)\x1b[0m \x1b[1;38;5;208mwarning\x1b[0m: unused\t";

fn raw() -> LogRows {
    LogRows::Raw((0..ROWS).map(|n| format!("{n} {}", RAW_LINE.repeat(3))).collect())
}

fn change() -> Vec<FileDiff> {
    let lines: Vec<_> = (0..20_000)
        .map(|n| {
            let text = format!("    let value_{n} = compute(value, {n})?;");
            if n % 3 == 0 { DiffLine::Added(text) } else { DiffLine::Context(text) }
        })
        .collect();
    let hunk = Hunk { old_start: 1, old_lines: 13_333, new_start: 1, new_lines: 20_000, lines };
    vec![FileDiff {
        change: FileChange::Modified,
        path: "src/large.rs".into(),
        old_path: None,
        modes: None,
        content: Content::Text(vec![hunk]),
    }]
}

fn logs(criterion: &mut Criterion) {
    let theme = Theme::color();
    for (name, rows) in [("pretty", pretty()), ("raw", raw())] {
        for (edge_name, edge) in [("first", Edge::Top { row: 0, skip: 0 }), ("last", Edge::Last)] {
            criterion.bench_function(&format!("log page, {name}, {edge_name}"), |bencher| {
                bencher.iter(|| log::page(black_box(&rows), layout(), ROWS, edge, &theme));
            });
        }
    }
    criterion.bench_function("one raw line", |bencher| {
        bencher.iter(|| ansi::line(black_box(RAW_LINE), &mut AnsiState::default(), 0, COLUMNS));
    });
    let flood = "x".repeat(64 * 1024);
    criterion.bench_function("one raw line of 64 KiB", |bencher| {
        bencher.iter(|| ansi::line(black_box(&flood), &mut AnsiState::default(), 0, COLUMNS));
    });
}

fn changes(criterion: &mut Criterion) {
    let theme = Theme::color();
    let files = change();
    criterion.bench_function("outline of a change of 20,000 lines", |bencher| {
        bencher.iter(|| diff::outline(black_box(&files), |_| false));
    });
    let rows = diff::outline(&files, |_| false);
    let layout = diff::Layout { width: COLUMNS, offset: 0, digits: diff::digits(&rows) };
    criterion.bench_function("page of a change of 20,000 lines", |bencher| {
        bencher.iter(|| {
            let page = rows.iter().skip(10_000).take(ROWS);
            page.map(|row| diff::line(black_box(&files), *row, layout, &theme)).collect::<Vec<_>>()
        });
    });
}

fn texts(criterion: &mut Criterion) {
    criterion.bench_function("title cut to a card", |bencher| {
        bencher
            .iter(|| text::truncate(black_box("Add zod validation to every route of the public API"), 14).into_owned());
    });
    let description =
        "# What\n\nMake `sqrt` of **negatives** an error, see [the issue](https://example.org).\n- a\n".repeat(20);
    criterion.bench_function("description of 100 lines", |bencher| {
        bencher.iter(|| markdown::lines(black_box(&description), 100, &Theme::color()));
    });
}

criterion_group!(benches, logs, changes, texts);
criterion_main!(benches);
