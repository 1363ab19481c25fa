//! How much of the disk a folder takes.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

/// How many entries are counted between two looks at the clock.
const LOOK_EVERY: usize = 256;

/// How much of the disk something takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskUse {
    /// What was counted, in bytes, as the disk gives them out.
    pub bytes: u64,
    /// Everything was counted: else there was no time for it, and it is this much at least.
    pub is_whole: bool,
}

impl DiskUse {
    /// Returns both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(other.bytes), is_whole: self.is_whole && other.is_whole }
    }

    /// Counts a folder until then at most. Files with several names are counted once, links are not followed.
    pub fn of(folder: &Path, until: Instant) -> Self {
        let (mut bytes, mut counted, mut seen) = (0_u64, 0_usize, HashSet::new());
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                counted += 1;
                if counted.is_multiple_of(LOOK_EVERY) && Instant::now() >= until {
                    return Self { bytes, is_whole: false };
                }
                // What vanishes meanwhile takes nothing.
                let Ok(data) = entry.metadata() else { continue };
                if data.nlink() > 1 && !data.is_dir() && !seen.insert((data.dev(), data.ino())) {
                    continue;
                }
                bytes = bytes.saturating_add(data.blocks().saturating_mul(512));
                if data.is_dir() {
                    open.push(entry.path());
                }
            }
        }
        Self { bytes, is_whole: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_counted_whole_with_each_file_once_or_it_is_said_that_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let large = dir.path().join("large");
        fs::write(&large, vec![1; 1 << 20]).unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::hard_link(&large, dir.path().join("sub/same")).unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("sub/root")).unwrap();
        let now = Instant::now();
        let found = DiskUse::of(dir.path(), now + std::time::Duration::from_secs(60));
        assert!(found.is_whole && (1 << 20..3 << 19).contains(&found.bytes), "{found:?}");
        for n in 0..LOOK_EVERY {
            fs::write(dir.path().join(n.to_string()), "").unwrap();
        }
        assert!(!DiskUse::of(dir.path(), now).is_whole);
        assert_eq!(DiskUse::of(&dir.path().join("missing"), now), DiskUse { bytes: 0, is_whole: true });
    }
}
