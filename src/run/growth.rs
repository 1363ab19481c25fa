//! Tells a follower of a log that there is more to read.

use std::time::Duration;

use tokio::time::sleep;

use super::error::RunError;
use super::folder::{Folder, Lengths};

/// Time between two looks while the output grows: what an eye takes for "at once".
const FAST: Duration = Duration::from_millis(40);
/// Time between two looks when it has not grown for a while.
const SLOW: Duration = Duration::from_millis(250);

/// Watches how long the output of a run is. It looks only while somebody waits for it, so nobody following costs nothing.
#[derive(Debug)]
pub struct Growth {
    folder: Folder,
    seen: Lengths,
    /// How long the index of times was. It is written after the output, so what is new gets its time a moment later.
    noted: u64,
    pace: Duration,
}

impl Growth {
    /// Begins to watch from what the caller has read already.
    pub fn since(folder: Folder, seen: Lengths) -> Self {
        Self { folder, seen, noted: 0, pace: FAST }
    }

    /// Waits until the lengths differ from the last ones, or more times are noted, and returns them. Nothing means that the run is over and that
    /// the last lengths are final. A length may also get smaller: the program truncated its output.
    ///
    /// # Errors
    ///
    /// [`RunError::Io`] if the folder cannot be read any more.
    pub async fn changed(&mut self) -> Result<Option<Lengths>, RunError> {
        loop {
            // Before the lengths: what was written before the end is then seen.
            let is_over = self.folder.is_over();
            let (lengths, noted) = (self.folder.lengths()?, self.folder.noted());
            if (lengths, noted) != (self.seen, self.noted) {
                (self.seen, self.noted) = (lengths, noted);
                self.pace = FAST;
                return Ok(Some(lengths));
            }
            if is_over {
                return Ok(None);
            }
            sleep(self.pace).await;
            self.pace = self.pace.mul_f32(1.5).min(SLOW);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::run::RunEnd;
    use crate::domain::time::Timestamp;
    use crate::run::folder::Stream;
    use crate::run::record::ExitRecord;
    use crate::run::spec::tests::spec;

    #[tokio::test(start_paused = true)]
    async fn a_follower_hears_of_each_change_and_of_the_end() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &spec(1), None).unwrap();
        let mut growth = Growth::since(folder.clone(), Lengths::default());
        fs::write(folder.stream(Stream::Stdout), b"12345").unwrap();
        assert_eq!(growth.changed().await.unwrap(), Some(Lengths { stdout: 5, stderr: 0 }));

        let (more, path) = (Lengths { stdout: 5, stderr: 2 }, folder.stream(Stream::Stderr));
        let (seen, ()) = tokio::join!(growth.changed(), async {
            sleep(Duration::from_secs(60)).await;
            fs::write(path, b"no").unwrap();
        });
        assert_eq!(seen.unwrap(), Some(more));

        fs::write(folder.index(), b"1000 5 2\n").unwrap();
        assert_eq!(growth.changed().await.unwrap(), Some(more), "when it was written is known now");

        let record = ExitRecord::new(RunEnd::Exited { code: 0 }, Timestamp(1), more);
        folder.write_record(&record).unwrap();
        assert_eq!(growth.changed().await.unwrap(), None);
    }
}
