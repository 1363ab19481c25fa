//! Writes a whole log as text: into a file that a person named, or to whoever reads at the other end of a pipe.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::domain::log::{LogPlace, LogRequest, LogRows, LogView};
use crate::run::folder::Stream;
use crate::ui::widget::{ansi, format, plain};
use crate::ui::{Controls, Existing, LogText, Saved};

use super::logs::Log;

/// Writes all of a log that is there when its end is reached. Stops in the middle when nobody wants it any more.
///
/// # Errors
/// What the system says if it cannot be read or written.
pub(super) fn write(
    log: &mut Log,
    text: &LogText,
    out: &mut impl Write,
    is_wanted: impl Fn() -> bool,
) -> io::Result<()> {
    if text.request.view == LogView::Raw && text.request.filter.is_open() && text.controls == Controls::Kept {
        return copy_bytes(log, out, is_wanted);
    }
    let mut next = 0;
    while is_wanted() {
        let request = LogRequest { place: LogPlace::From(next), ..text.request.clone() };
        let rows = log.look(&request)?;
        if rows.behind {
            continue;
        }
        // At the end there are the last rows once more.
        let known = usize::try_from(next.saturating_sub(rows.first)).unwrap_or(usize::MAX);
        let fresh = rows.rows.len().saturating_sub(known);
        write_rows(&rows.rows, known, text, out)?;
        next += fresh as u64;
        if fresh < usize::from(request.rows) {
            return Ok(());
        }
    }
    Ok(())
}

fn write_rows(rows: &LogRows, skip: usize, text: &LogText, out: &mut impl Write) -> io::Result<()> {
    match rows {
        LogRows::Raw(lines) => lines.iter().skip(skip).try_for_each(|line| match text.controls {
            Controls::Kept => writeln!(out, "{line}"),
            Controls::Shown => writeln!(out, "{}", ansi::shown(line)),
        }),
        LogRows::Pretty(entries) => entries.iter().skip(skip).try_for_each(|(at, entry)| {
            if let (Some(zone), Some(at)) = (text.times, at) {
                write!(out, "{} ", format::date(*at, zone))?;
            }
            writeln!(out, "{}", plain::entry(&plain::colourless(entry.clone())))
        }),
    }
}

fn copy_bytes(log: &Log, out: &mut impl Write, is_wanted: impl Fn() -> bool) -> io::Result<()> {
    for stream in [Stream::Stdout, Stream::Stderr] {
        let file = File::open(log.path(stream))?;
        // As long as it is now: who writes faster than this reads would never let it end.
        let mut left = file.metadata()?.len();
        while left > 0 && is_wanted() {
            let copied = io::copy(&mut io::Read::take(&file, left.min(PIECE)), out)?;
            if copied == 0 {
                break;
            }
            left -= copied;
        }
    }
    Ok(())
}

/// How much is copied before somebody asks whether it is still wanted, in bytes.
const PIECE: u64 = 1 << 20;

/// Saves a log to a file that only its owner can read. A file that is there is whole until the new one takes its place.
pub(super) fn save(
    log: &mut Log,
    text: LogText,
    path: &Path,
    existing: Existing,
    is_wanted: impl Fn() -> bool,
) -> Saved {
    match try_save(log, &text, path, existing, is_wanted) {
        Ok(bytes) => Saved::Done { path: path.display().to_string(), bytes },
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Saved::Exists { text: Box::new(text), path: path.display().to_string() }
        }
        Err(error) => Saved::Failed(format!("the log could not be saved to {}: {error}", path.display())),
    }
}

fn try_save(
    log: &mut Log,
    text: &LogText,
    path: &Path,
    existing: Existing,
    is_wanted: impl Fn() -> bool,
) -> io::Result<u64> {
    // What a link leads to is what is meant.
    let path = match fs::metadata(path) {
        Ok(there) if !there.is_file() => return Err(io::Error::other("that is no file")),
        Ok(_) if existing == Existing::Kept => return Err(ErrorKind::AlreadyExists.into()),
        Ok(_) => fs::canonicalize(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(io::Error::other(format!("there is no folder {}", folder.display())));
    }
    // The library would name a file that nobody asked for.
    let made = tempfile::Builder::new().prefix(".draft-log-").tempfile_in(folder);
    let mut file = made.map_err(|error| io::Error::from(error.kind()))?;
    let mut out = BufWriter::new(file.as_file_mut());
    write(log, text, &mut out, &is_wanted)?;
    out.flush()?;
    drop(out);
    if !is_wanted() {
        return Err(io::Error::other("the board was left before it was whole"));
    }
    let bytes = file.as_file().metadata()?.len();
    match existing {
        Existing::Kept => file.persist_noclobber(&path).map_err(|error| error.error)?,
        Existing::Replaced => file.persist(&path).map_err(|error| error.error)?,
    };
    Ok(bytes)
}

/// Returns the file that a person means by what they typed: `~` is their home, and a name alone is in the folder in which
/// they started Draft.
pub(super) fn meant(typed: &str) -> io::Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let path = match typed.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(typed),
    };
    std::path::absolute(path)
}
