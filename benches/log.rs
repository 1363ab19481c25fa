//! What the log of a very large run costs beside the least that the system allows for the same bytes: opening it, going
//! to its end and its middle, a line that comes, and a search of all of it.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use draft_board::app::Log;
use draft_board::domain::id::TicketId;
use draft_board::domain::log::{LogPlace, LogRequest, LogView};
use draft_board::domain::log_filter::LogFilter;
use draft_board::domain::log_find::{Sought, Words};
use draft_board::executor::decode::Dialect;
use draft_board::run::folder::Folder;
use tempfile::TempDir;

/// How large the log is.
const SIZE: usize = 2 << 30;
/// A line in so many has what is looked for.
const RARE: usize = 1_000_000;
const ROWS: u16 = 50;
/// What is read at once where the system alone is measured.
const CHUNK: usize = 64 * 1024;

/// A run that printed two gigabytes of plain lines.
struct Flood {
    _folder: TempDir,
    path: PathBuf,
}

impl Flood {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_owned();
        let mut out = BufWriter::new(File::create(path.join("stdout")).expect("a file"));
        let (mut written, mut n) = (0, 0);
        while written < SIZE {
            let how = if n % RARE == RARE - 1 { "FAILED" } else { "ok" };
            let line = format!("test numbers::negative::case_{n} ... {how}, with a few more words behind it\n");
            out.write_all(line.as_bytes()).expect("room for two gigabytes");
            written += line.len();
            n += 1;
        }
        out.flush().expect("room for two gigabytes");
        File::create(path.join("stderr")).expect("a file");
        Self { _folder: folder, path }
    }

    fn stdout(&self) -> PathBuf {
        self.path.join("stdout")
    }

    fn open(&self) -> Log {
        Log::new(Folder::open(&self.path).expect("a run's folder"), Dialect::Text, Path::new("/w"))
    }

    fn append(&self, line: &str) {
        let mut file = OpenOptions::new().append(true).open(self.stdout()).expect("the file");
        file.write_all(line.as_bytes()).expect("room for a line");
    }
}

fn request(view: LogView, place: LogPlace) -> LogRequest {
    let ticket = TicketId(uuid::Uuid::nil());
    LogRequest { ticket, run: None, view, place, rows: ROWS, filter: LogFilter::default(), sought: None }
}

/// Opens the file and reads its last piece: what any program must do.
fn read_end(path: &Path) -> usize {
    let file = File::open(path).expect("the file");
    let length = file.metadata().expect("a length").len();
    let mut buffer = vec![0; CHUNK];
    file.read_at(&mut buffer, length - CHUNK as u64).expect("bytes")
}

/// Reads all of it and looks for the words as they are written: what any search must do.
fn read_all(path: &Path, words: &str) -> usize {
    let file = File::open(path).expect("the file");
    let finder = memchr::memmem::Finder::new(words);
    let (mut buffer, mut at, mut found) = (vec![0; CHUNK], 0, 0);
    loop {
        let count = file.read_at(&mut buffer, at).expect("bytes");
        if count == 0 {
            return found;
        }
        found += finder.find_iter(&buffer[..count]).count();
        at += count as u64;
    }
}

fn all_found(log: &mut Log, request: &LogRequest) -> u64 {
    loop {
        let rows = log.look(request).expect("rows");
        if !rows.behind {
            return rows.found.map_or(0, |found| found.total);
        }
    }
}

fn log(c: &mut Criterion) {
    // Other than `cargo bench`, nobody wants to wait for this.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let flood = Flood::new();
    let mut group = c.benchmark_group("a log of 2 GB");
    group.sample_size(10);
    group.bench_function("open and read the end, floor", |b| b.iter(|| read_end(&flood.stdout())));
    for view in [LogView::Raw, LogView::Pretty] {
        let end = request(view, LogPlace::End);
        group.bench_function(format!("open at the end, {view}"), |b| {
            b.iter_batched(|| flood.open(), |mut log| log.look(&end).expect("rows"), BatchSize::PerIteration);
        });
        let top = request(view, LogPlace::From(0));
        group.bench_function(format!("open at the start, {view}"), |b| {
            b.iter_batched(|| flood.open(), |mut log| log.look(&top).expect("rows"), BatchSize::PerIteration);
        });
        let mut log = flood.open();
        log.look(&end).expect("rows");
        group.bench_function(format!("a line comes, {view}"), |b| {
            b.iter(|| {
                flood.append("one more line\n");
                log.look(&end).expect("rows")
            });
        });
    }
    group.bench_function("a line comes, floor", |b| {
        b.iter(|| {
            flood.append("one more line\n");
            read_end(&flood.stdout())
        });
    });
    group.bench_function("search all of it, floor", |b| b.iter(|| read_all(&flood.stdout(), "FAILED")));
    for words in ["FAILED", "failed"] {
        let sought = Some(Sought::Words(Words::new(words).expect("words")));
        let request = LogRequest { sought, ..request(LogView::Raw, LogPlace::End) };
        group.bench_function(format!("search all of it for {words}"), |b| {
            b.iter_batched(|| flood.open(), |mut log| all_found(&mut log, &request), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, log);
criterion_main!(benches);
