//! Runs whose output is not kept any more: what they printed goes, and one line says when; what they were and how they
//! ended stays.

use std::fs;
use std::io;
use std::path::Path;

use super::folder::{Folder, Stream};
use crate::domain::time::Timestamp;

/// Says that the output of a run is gone.
const NOTE: &str = "cleaned";

/// Says whether there is output of a run that is over.
pub fn is_due(path: &Path) -> bool {
    let is_over = Folder::open(path).is_ok_and(|folder| folder.is_over());
    is_over && !path.join(NOTE).exists() && output(path) > 0
}

/// Returns how much a run printed, in bytes.
pub fn output(path: &Path) -> u64 {
    Folder::open(path).ok().and_then(|folder| folder.lengths().ok()).map_or(0, |lengths| lengths.total())
}

/// Removes what a run printed and leaves a line in its place. Returns how much it was. Doing it again finishes it.
///
/// # Errors
/// When the disk is full or a file cannot be replaced.
pub fn clean(path: &Path, at: Timestamp) -> io::Result<u64> {
    let folder = Folder::open(path).map_err(io::Error::other)?;
    let bytes = output(path);
    let line = format!("The output of this run ({bytes} bytes) was cleaned up at {at}; how it ended is kept.\n");
    replace(&folder.stream(Stream::Stderr), "")?;
    replace(&path.join("index"), "")?;
    replace(&folder.stream(Stream::Stdout), &line)?;
    replace(&path.join(NOTE), &format!("{at}\n"))?;
    Ok(bytes)
}

/// Puts a new file in the place of an old one: whoever reads that goes on to have it whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".cleaned-").tempfile_in(folder)?;
    fs::write(file.path(), text)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::adopt;
    use crate::run::spec::tests::spec;

    #[test]
    fn the_output_of_a_run_that_is_over_goes_and_a_line_says_when() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &spec(1), None).unwrap();
        fs::write(folder.stream(Stream::Stdout), "much\n").unwrap();
        fs::write(folder.stream(Stream::Stderr), "more\n").unwrap();
        assert!(!is_due(folder.path()), "it is not over");
        adopt::settle(&folder, Timestamp(1)).unwrap();
        assert!(is_due(folder.path()));
        assert_eq!(clean(folder.path(), Timestamp(0)).unwrap(), 10);
        let said = fs::read_to_string(folder.stream(Stream::Stdout)).unwrap();
        assert!(said.starts_with("The output of this run (10 bytes) was cleaned up at 1970-01-01"), "{said}");
        assert_eq!(fs::read(folder.stream(Stream::Stderr)).unwrap(), b"");
        assert!(!is_due(folder.path()), "once is enough");
        assert!(Folder::open(folder.path()).unwrap().is_over(), "how it ended stays");
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with(".cleaned-")));
    }
}
