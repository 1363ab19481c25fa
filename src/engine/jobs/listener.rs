//! Listens to an agent while it works: reads its output as it comes and says what it does right now.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::domain::change::Live;
use crate::domain::fact::Fact;
use crate::domain::outcome::Report;
use crate::domain::run::RunEnd;
use crate::executor::decode::{Dialect, Reader};
use crate::run::folder::{Folder, Stream};
use crate::run::tail::{Piece, Tail};

use super::super::error::EngineError;
use super::bench::Bench;
use super::supervise::Onlooker;

/// How much is read at one glance: an agent may print faster than it can be read, and others wait meanwhile.
const GLANCE_BYTES: u64 = 8 << 20;
/// How much of the end of standard error is looked at for a reason.
const STDERR_END: u64 = 64 << 10;

/// Listens to one agent. All that it says is read once, also when the agent was taken back after a crash.
pub(super) struct Listener {
    ear: Option<Ear>,
    told: Live,
    /// The session that the job is known to have.
    session: Option<String>,
}

/// What moves to a thread that may block, and back.
struct Ear {
    reader: Reader,
    fresh: Reader,
    tail: Option<Tail>,
    /// How many bytes of the file were read.
    heard: u64,
}

impl Listener {
    pub(super) fn new(dialect: Dialect, worktree: &Path, session: Option<String>) -> Self {
        let reader = Reader::new(dialect, worktree);
        Self { ear: Some(Ear { fresh: reader.clone(), reader, tail: None, heard: 0 }), told: Live::default(), session }
    }

    /// Reads to the end of a run that is over and returns what its output says, also what an agent says on standard
    /// error or by its exit code only.
    pub(super) async fn finish(&mut self, bench: &Bench, folder: &Folder, end: &RunEnd) -> Result<Report, EngineError> {
        self.listen(bench, folder, u64::MAX).await?;
        let Some(mut ear) = self.ear.take() else { return Err(EngineError::Panicked("nobody listens".to_owned())) };
        let path = folder.stream(Stream::Stderr);
        // Only better reasons: without them the exit code has to do.
        let aside = bench.blocking(move |_| Ok(end_of(&path, STDERR_END).unwrap_or_default())).await?;
        ear.reader.finish(&mut Vec::new());
        ear.reader.ended(&aside, end.code());
        Ok(ear.reader.report().clone())
    }

    async fn listen(&mut self, bench: &Bench, folder: &Folder, most: u64) -> Result<(), EngineError> {
        let Some(mut ear) = self.ear.take() else { return Ok(()) };
        let path = folder.stream(Stream::Stdout);
        let (ear, heard) = bench
            .hearing(move |_| {
                let heard = match ear.hear(&path, most) {
                    // Somebody deleted it: there is nothing to hear.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                    heard => heard,
                };
                Ok((ear, heard.map_err(|source| EngineError::Read { path, source })))
            })
            .await?;
        self.ear = Some(ear);
        heard
    }
}

impl Onlooker for Listener {
    async fn glance(&mut self, bench: &Bench, folder: &Folder) -> bool {
        // Asked here, since no thread has to be woken for that.
        let length = std::fs::metadata(folder.stream(Stream::Stdout)).map(|data| data.len());
        if self.ear.as_ref().is_some_and(|ear| length.is_ok_and(|length| length == ear.heard)) {
            return false;
        }
        if let Err(error) = self.listen(bench, folder, GLANCE_BYTES).await {
            tracing::warn!(job = %bench.job.id, %error, "an agent cannot be listened to");
            return false;
        }
        let Some(ear) = &self.ear else { return false };
        let report = ear.reader.report();
        let session = report.session.clone();
        let live = Live { usage: report.usage, retrying: report.retrying.clone(), output_bytes: ear.reader.offset() };
        if live != self.told {
            self.told = live.clone();
            bench.live(live).await;
        }
        if let Some(session) = session.filter(|session| Some(session) != self.session.as_ref()) {
            self.session = Some(session.clone());
            if let Err(error) = bench.learn(Fact::SessionTold { job: bench.job.id, session }, Vec::new()).await {
                tracing::warn!(job = %bench.job.id, %error, "an agent's session could not be kept");
            }
        }
        true
    }
}

impl Ear {
    /// Reads what is there, up to about so many bytes.
    fn hear(&mut self, path: &Path, most: u64) -> std::io::Result<()> {
        let tail = match &mut self.tail {
            Some(tail) => tail,
            none => none.insert(Tail::open(path, 0)?),
        };
        let mut entries = Vec::new();
        let mut read = 0;
        while read < most {
            match tail.next()? {
                Piece::Bytes(bytes) => {
                    read += bytes.len() as u64;
                    self.heard += bytes.len() as u64;
                    self.reader.feed(bytes, &mut entries);
                }
                Piece::Restarted => {
                    self.heard = 0;
                    self.reader = self.fresh.clone();
                }
                Piece::End => return Ok(()),
            }
            entries.clear();
        }
        Ok(())
    }
}

/// Returns the end of a file that is mostly text.
pub(super) fn end_of(path: &Path, most: u64) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
