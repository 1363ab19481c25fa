//! Tells that a branch may have moved: the system says when a file changes in the folder of its ref. What counts is read afterwards.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::{read, retry_on_intr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The system's watch on the folders of some refs.
#[derive(Debug)]
pub(super) struct Refs {
    /// Nothing where the system has none left; then there is the slow look.
    inotify: Option<AsyncFd<OwnedFd>>,
    common_dir: PathBuf,
    watched: HashMap<PathBuf, i32>,
}

impl Refs {
    #[expect(deprecated, reason = "the other way is unsafe, which an owned descriptor does not need")]
    pub(super) fn of(common_dir: &Path) -> Self {
        let made = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)
            .map_err(std::io::Error::from)
            .and_then(|inotify| AsyncFd::with_interest(inotify, Interest::READABLE));
        let inotify =
            made.inspect_err(|error| tracing::warn!(%error, "no watch on branches; that they moved is seen late"));
        Self { inotify: inotify.ok(), common_dir: common_dir.to_owned(), watched: HashMap::new() }
    }

    /// Watches these branches and no others any more.
    pub(super) fn watch(&mut self, branches: &BTreeSet<String>) {
        let Some(inotify) = &self.inotify else { return };
        let folders: BTreeSet<PathBuf> = branches
            .iter()
            .flat_map(|branch| ["refs/heads", "refs/remotes"].map(|kind| self.common_dir.join(kind).join(branch)))
            .filter_map(|file| file.parent().map(Path::to_owned))
            .collect();
        self.watched.retain(|folder, watch| {
            folders.contains(folder) || {
                // One whose folder is gone is gone with it.
                let _ = inotify::remove_watch(inotify.get_ref(), *watch);
                false
            }
        });
        for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
            let flags = WatchFlags::MOVED_TO | WatchFlags::CLOSE_WRITE | WatchFlags::DELETE;
            // A folder that was made anew has another watch under the same name.
            if let Ok(watch) = inotify::add_watch(inotify.get_ref(), &folder, flags) {
                self.watched.insert(folder, watch);
            }
        }
    }

    /// Returns once something changed in one of the folders. Dropping the future loses nothing.
    pub(super) async fn moved(&self) {
        let Some(inotify) = &self.inotify else { return std::future::pending().await };
        if inotify.readable().await.is_err() {
            // The runtime ends.
            std::future::pending::<()>().await;
        }
    }

    /// Forgets what was told so far.
    pub(super) fn heard(&self) {
        let Some(inotify) = &self.inotify else { return };
        let mut buffer = [0; 4096];
        let more =
            || inotify.try_io(Interest::READABLE, |inotify| Ok(retry_on_intr(|| read(inotify, &mut buffer[..]))?));
        std::iter::repeat_with(more).take_while(Result::is_ok).for_each(drop);
    }
}
