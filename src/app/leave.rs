//! Keeps what agents may do in a repository: in the user's own settings, and never in the repository.

use std::path::Path;

use serde_json::{Value, json};

use super::error::AppError;
use crate::config::edit::{self, NotEdited};
use crate::config::yolo::Leave;
use crate::config::{self, SourceFile};
use crate::engine::Workshop;

const MODE: &str = "execute_config.yolo_mode";
const FOLDERS: &str = "execute_config.yolo_allowlist";

/// Keeps it. The least is said for this board alone, so that it says nothing about other repositories; everything is
/// said in the user's own file, which names each folder where it holds.
pub(super) fn keep(workshop: &Workshop, leave: Leave) -> Result<(), AppError> {
    let files = workshop.config_files();
    let mut sources = config::read(&files)?;
    let (file, source, wanted) = match leave {
        Leave::Edits => {
            (workshop.paths.board_config(&workshop.about), &mut sources.board, vec![(MODE, Value::Bool(false))])
        }
        Leave::Everything => {
            let folders = folders(workshop)?;
            let wanted = vec![(FOLDERS, json!(folders)), (MODE, Value::Bool(true))];
            (workshop.paths.user_config.clone(), &mut sources.user, wanted)
        }
    };
    let old = source.take().map(|source| String::from_utf8_lossy(&source.bytes).into_owned()).unwrap_or_default();
    let edited = wanted.iter().try_fold(old, |text, (key, value)| edit::set(&text, key, value));
    let edited = edited.map_err(|why: NotEdited| AppError::NotEdited { path: file.clone(), why: Box::new(why) })?;
    *source = Some(SourceFile { path: file.clone(), bytes: edited.clone().into_bytes() });
    config::load(&sources)?;
    config::replace(&file, &edited).map_err(|source| AppError::Io { action: "write", path: file, source })
}

/// Returns the folders that the user trusts, with this repository.
fn folders(workshop: &Workshop) -> Result<Vec<String>, AppError> {
    let root = workshop.repo.root();
    // A name that cannot be written down cannot be trusted by name.
    let Some(name) = root.to_str() else {
        let source = std::io::Error::other("its name is not UTF-8");
        return Err(AppError::Io { action: "name", path: root.to_owned(), source });
    };
    let mut folders = workshop.settings()?.config.execute_config.yolo_allowlist.clone();
    if !folders.iter().any(|folder| Path::new(folder) == root) {
        folders.push(name.to_owned());
    }
    Ok(folders)
}
