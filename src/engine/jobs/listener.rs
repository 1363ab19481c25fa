//! Listens to an agent while it works: reads its output as it comes and says what it does right now.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::domain::change::Live;
use crate::domain::outcome::Report;
use crate::executor::decode::{Dialect, Reader};
use crate::run::folder::{Folder, Stream};
use crate::run::tail::{Piece, Tail};

use super::super::error::EngineError;
use super::bench::Bench;
use super::supervise::Onlooker;

/// How much of standard error is looked at for a reason.
const STDERR_END: u64 = 4096;

/// Listens to one agent. All that it says is read once, also when the agent was taken back after a crash.
pub(super) struct Listener {
    ear: Option<Ear>,
    told: Live,
}

/// What moves to a thread that may block, and back.
struct Ear {
    reader: Reader,
    fresh: Reader,
    tail: Option<Tail>,
}

impl Listener {
    pub(super) fn new(dialect: Dialect, worktree: &Path) -> Self {
        let reader = Reader::new(dialect, worktree);
        Self { ear: Some(Ear { fresh: reader.clone(), reader, tail: None }), told: Live::default() }
    }

    /// Reads to the end of a run that is over and returns what its output says. Where an agent says its reason on
    /// standard error only, that is the error.
    pub(super) async fn finish(&mut self, bench: &Bench, folder: &Folder) -> Result<Report, EngineError> {
        self.listen(bench, folder).await?;
        let Some(mut ear) = self.ear.take() else { return Err(EngineError::Panicked("nobody listens".to_owned())) };
        ear.reader.finish(&mut Vec::new());
        let mut report = ear.reader.report().clone();
        if report.error.is_none() {
            let path = folder.stream(Stream::Stderr);
            // Only a better reason: without it the exit code has to do.
            report.error = bench.blocking(move |_| Ok(last_words(&path).unwrap_or_default())).await?;
        }
        Ok(report)
    }

    async fn listen(&mut self, bench: &Bench, folder: &Folder) -> Result<(), EngineError> {
        let Some(mut ear) = self.ear.take() else { return Ok(()) };
        let path = folder.stream(Stream::Stdout);
        let (ear, heard) = bench
            .blocking(move |_| {
                let heard = ear.hear(&path);
                Ok((ear, heard.map_err(|source| EngineError::Read { path, source })))
            })
            .await?;
        self.ear = Some(ear);
        heard
    }
}

impl Onlooker for Listener {
    async fn glance(&mut self, bench: &Bench, folder: &Folder) {
        if let Err(error) = self.listen(bench, folder).await {
            tracing::warn!(job = %bench.job.id, %error, "an agent cannot be listened to");
            return;
        }
        let Some(ear) = &self.ear else { return };
        let report = ear.reader.report();
        let live = Live { usage: report.usage, retrying: report.retrying.clone(), output_bytes: ear.reader.offset() };
        if live != self.told {
            self.told = live.clone();
            bench.live(live).await;
        }
    }
}

impl Ear {
    fn hear(&mut self, path: &Path) -> std::io::Result<()> {
        let tail = match &mut self.tail {
            Some(tail) => tail,
            none => none.insert(Tail::open(path, 0)?),
        };
        let mut entries = Vec::new();
        loop {
            match tail.next()? {
                Piece::Bytes(bytes) => self.reader.feed(bytes, &mut entries),
                Piece::Restarted => self.reader = self.fresh.clone(),
                Piece::End => return Ok(()),
            }
            entries.clear();
        }
    }
}

/// Returns the last line of a file that has something on it.
fn last_words(path: &Path) -> std::io::Result<Option<String>> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(STDERR_END)))?;
    let mut bytes = Vec::new();
    file.take(STDERR_END).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned))
}
