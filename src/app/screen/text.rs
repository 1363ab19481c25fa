//! A text that a person writes in an editor of their own: a private file on the way there and back, which stays where
//! something of it could be lost.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use rustix::process::WaitStatus;
use tempfile::TempPath;

use crate::app::guest::Call;

/// Longest text that is taken over, in bytes.
const LONGEST: u64 = 1 << 20;

/// A text that somebody writes.
#[derive(Debug)]
pub(super) struct Text {
    /// Nothing once it was taken over or left where it is.
    file: Option<TempPath>,
    before: String,
}

impl Text {
    /// Puts a text into a file that nobody else can read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn new(text: &str, name: &str) -> io::Result<Self> {
        let mut file = tempfile::Builder::new().prefix(&format!("draft-{name}-")).suffix(".md").tempfile()?;
        let before = if text.is_empty() { String::new() } else { format!("{}\n", text.trim_end()) };
        file.write_all(before.as_bytes())?;
        file.flush()?;
        Ok(Self { file: Some(file.into_temp_path()), before })
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.file.as_ref().map(|file| file.to_path_buf()).unwrap_or_default()
    }

    /// Returns the text once the editor is over. `trouble` says how it ended, if that was not well.
    ///
    /// # Errors
    /// In words, why it is not taken over; what was written then stays in its file, and the words say where.
    pub(super) fn take(mut self, trouble: Option<String>) -> Result<String, String> {
        let read = trouble.map_or_else(|| self.read(), Err);
        let trouble = match read {
            Ok(text) => {
                self.file = None;
                return Ok(text.trim_end().to_owned());
            }
            Err(trouble) => trouble,
        };
        Err(match self.leave() {
            Some(path) => format!("{trouble}, so nothing was taken over; what you wrote is in {}", path.display()),
            None => format!("{trouble}; the text is as it was"),
        })
    }

    fn read(&self) -> Result<String, String> {
        let path = self.path();
        let unread = |error: &dyn std::fmt::Display| format!("the text could not be read: {error}");
        let size = fs::metadata(&path).map_err(|error| unread(&error))?.len();
        if size > LONGEST {
            return Err(format!("the text is longer than {LONGEST} bytes"));
        }
        let bytes = fs::read(&path).map_err(|error| unread(&error))?;
        String::from_utf8(bytes).map_err(|error| unread(&error))
    }

    /// Leaves the file where it is if somebody wrote into it, and says where that is.
    fn leave(&mut self) -> Option<PathBuf> {
        let file = self.file.take()?;
        let written = fs::read(&file).is_ok_and(|bytes| bytes != self.before.as_bytes());
        if written { file.keep().ok() } else { None }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        if let Some(path) = self.leave() {
            tracing::warn!(path = %path.display(), "the board ended while a text was written; it is kept there");
        }
    }
}

/// Returns in words how a program of the person's own ended, unless it ended well. `variable` says which program it is.
pub(super) fn trouble_of(program: &str, variable: &str, ended: io::Result<WaitStatus>) -> Option<String> {
    match ended.map(|status| (status.exit_status(), status.terminating_signal())) {
        Ok((Some(0), _)) => None,
        Ok((Some(127), _)) => Some(format!("your {program} was not found; {variable} says which it is")),
        Ok((Some(code), _)) => Some(format!("your {program} ended with code {code}")),
        Ok((None, Some(signal))) => Some(format!("your {program} was ended by signal {signal}")),
        Ok((None, None)) => Some(format!("your {program} ended")),
        Err(error) => Some(format!("nobody saw how your {program} ended: {error}")),
    }
}

/// Returns the call of the person's own editor with a file or a folder.
///
/// # Errors
/// In words, that no editor is set.
pub(super) fn editor(opened: PathBuf, folder: PathBuf) -> Result<Call, String> {
    let set = ["VISUAL", "EDITOR"].into_iter().filter_map(std::env::var_os).find(|set| !set.is_empty());
    let Some(editor) = set else {
        return Err("no editor is set: put the name of yours into the variable VISUAL or EDITOR".to_owned());
    };
    let (Ok(editor), Ok(opened)) = (editor.into_string(), opened.into_os_string().into_string()) else {
        return Err("the name of the editor or of the file is not UTF-8".to_owned());
    };
    // Words and quotes in the variable mean what they mean to a shell, as for git.
    let args = vec!["-c".to_owned(), format!("{editor} \"$@\""), "editor".to_owned(), opened];
    Ok(Call { program: "/bin/sh".into(), args, folder, set: std::collections::BTreeMap::new(), drop: Vec::new() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_text_goes_through_a_private_file_and_leaves_nothing_behind() {
        let text = Text::new("one\ntwo", "description").unwrap();
        let path = text.path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        fs::write(&path, "three\n\n").unwrap();
        assert_eq!(text.take(None), Ok("three".to_owned()));
        assert!(!path.exists());
    }

    #[test]
    fn what_was_written_is_kept_when_the_editor_fails_and_only_then() {
        let text = Text::new("one", "description").unwrap();
        let path = text.path();
        assert_eq!(text.take(Some("it ended".into())), Err("it ended; the text is as it was".to_owned()));
        assert!(!path.exists());
        for bytes in [&b"two"[..], b"\xff"] {
            let text = Text::new("one", "description").unwrap();
            let path = text.path();
            fs::write(&path, bytes).unwrap();
            let why = text.take((bytes == b"two").then(|| "it ended".to_owned())).unwrap_err();
            assert!(why.contains(path.to_str().unwrap()), "{why}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
            fs::remove_file(path).unwrap();
        }
    }
}
