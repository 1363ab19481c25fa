//! Columns and values: how each type of the domain is written into a column and read back.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Fault;
use crate::domain::autopilot::Autopilot;
use crate::domain::event::{ActorKind, EventKind};
use crate::domain::evidence::EvidenceKind;
use crate::domain::id::{BoardId, CommentId, EvidenceId, GoalId, JobId, TicketId, TicketNumber};
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::landing::Strategy;
use crate::domain::review::{Side, Verdict};
use crate::domain::revision::RevisionStatus;
use crate::domain::run::{RunEnd, RunKind};
use crate::domain::state::{Blocked, NeedsHuman, StateName};
use crate::domain::ticket::{Priority, Title, Usage};
use crate::domain::time::Timestamp;

/// Reads the columns of a row one after the other, in the order of the SELECT. Looking columns up by name would take
/// most of the time of loading a large board.
pub(super) struct Columns<'row, 'stmt> {
    row: &'row Row<'stmt>,
    next: usize,
}

impl<'row, 'stmt> Columns<'row, 'stmt> {
    pub(super) fn of(row: &'row Row<'stmt>) -> Self {
        Self { row, next: 0 }
    }

    /// Reads the next column.
    pub(super) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.get(index)
    }

    /// Reads the next column with a conversion of the caller's.
    pub(super) fn next_with<T: FromSql, U, E>(&mut self, convert: impl FnOnce(T) -> Result<U, E>) -> rusqlite::Result<U>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let index = self.next;
        convert(self.next()?).map_err(|error| broken(index, error))
    }

    /// Reads the three columns of what an agent used.
    pub(super) fn usage(&mut self) -> rusqlite::Result<Usage> {
        Ok(Usage {
            input_tokens: self.next::<Count>()?.0,
            output_tokens: self.next::<Count>()?.0,
            cost_micros: self.next::<Option<Count>>()?.map(|count| count.0),
        })
    }

    /// Reads the four columns of how a run ended.
    pub(super) fn end(&mut self) -> rusqlite::Result<Option<RunEnd>> {
        let index = self.next;
        let how: Option<String> = self.next()?;
        let code: Option<i32> = self.next()?;
        let signal: Option<i32> = self.next()?;
        let error: Option<String> = self.next()?;
        let Some(how) = how else { return Ok(None) };
        let end = match (how.as_str(), code, signal, error) {
            ("exited", Some(code), _, _) => RunEnd::Exited { code },
            ("signaled", _, Some(signal), _) => RunEnd::Signaled { signal },
            ("timed_out", ..) => RunEnd::TimedOut,
            ("silent", ..) => RunEnd::Silent,
            ("too_much_output", ..) => RunEnd::TooMuchOutput,
            ("stopped", ..) => RunEnd::Stopped,
            ("not_started", _, _, Some(error)) => RunEnd::NotStarted { error },
            ("lost", ..) => RunEnd::Lost,
            _ => return Err(broken(index, BadEnd(how))),
        };
        Ok(Some(end))
    }
}

/// Returns the last row of each ticket that is wanted, of a SELECT of tickets and rows in the order of tickets and then of
/// age. It reads an index and nothing else, so what is older costs next to nothing.
pub(super) fn last_of_each(
    db: &Connection,
    select: &str,
    is_wanted: impl Fn(TicketId) -> bool,
) -> Result<Vec<i64>, Fault> {
    let mut query = db.prepare_cached(select)?;
    let mut rows = query.query([])?;
    let mut last: Vec<(TicketId, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (ticket, at) = (row.get(0)?, row.get(1)?);
        match last.last_mut() {
            Some((same, older)) if *same == ticket => *older = at,
            Some(_) | None => last.push((ticket, at)),
        }
    }
    Ok(last.into_iter().filter(|(ticket, _)| is_wanted(*ticket)).map(|(_, at)| at).collect())
}

/// The stored end of a run makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no end of a run, or lacks its code, signal or error")]
struct BadEnd(String);

/// Returns an error for a stored value that makes no sense.
pub(super) fn broken(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

/// How a run ended, as its four columns.
#[derive(Default)]
pub(super) struct EndColumns<'a> {
    pub(super) how: Option<&'static str>,
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) error: Option<&'a str>,
}

impl<'a> EndColumns<'a> {
    pub(super) fn of(end: Option<&'a RunEnd>) -> Self {
        let Some(end) = end else { return Self::default() };
        let error = match end {
            RunEnd::NotStarted { error } => Some(error.as_str()),
            RunEnd::Exited { .. }
            | RunEnd::Signaled { .. }
            | RunEnd::TimedOut
            | RunEnd::Silent
            | RunEnd::TooMuchOutput
            | RunEnd::Stopped
            | RunEnd::Lost => None,
        };
        Self { how: Some(end_word(end)), code: end.code(), signal: end.signal(), error }
    }
}

fn end_word(end: &RunEnd) -> &'static str {
    match end {
        RunEnd::Exited { .. } => "exited",
        RunEnd::Signaled { .. } => "signaled",
        RunEnd::TimedOut => "timed_out",
        RunEnd::Silent => "silent",
        RunEnd::TooMuchOutput => "too_much_output",
        RunEnd::Stopped => "stopped",
        RunEnd::NotStarted { .. } => "not_started",
        RunEnd::Lost => "lost",
    }
}

/// A value as JSON text.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text =
            serde_json::to_string(&self.0).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(error.into()))
    }
}

/// A path: text where it is UTF-8, so that people can read it, else its bytes.
pub(super) struct PathColumn<P>(pub(super) P);

impl<P: AsRef<Path>> ToSql for PathColumn<P> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let path: &OsStr = self.0.as_ref().as_os_str();
        Ok(ToSqlOutput::Borrowed(match path.to_str() {
            Some(text) => ValueRef::Text(text.as_bytes()),
            None => ValueRef::Blob(path.as_bytes()),
        }))
    }
}

impl FromSql for PathColumn<PathBuf> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                Ok(Self(std::ffi::OsString::from_vec(bytes.to_vec()).into()))
            }
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Err(FromSqlError::InvalidType),
        }
    }
}

/// A count. SQLite's integers have a sign and nobody counts further than they reach, so a larger count is kept as the
/// largest that fits.
pub(super) struct Count(pub(super) u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

/// Values that are kept as their text.
macro_rules! as_text {
    ($($type:ty, $text:expr);+ $(;)?) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let text: fn(&$type) -> ToSqlOutput<'_> = $text;
                Ok(text(self))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )+};
}

as_text! {
    BoardId, |id| id.to_string().into();
    GoalId, |id| id.to_string().into();
    TicketId, |id| id.to_string().into();
    JobId, |id| id.to_string().into();
    CommentId, |id| id.to_string().into();
    Strategy, |word| word.as_str().into();
    Verdict, |word| word.as_str().into();
    Side, |word| word.as_str().into();
    EvidenceId, |id| id.to_string().into();
    StateName, |word| word.as_str().into();
    NeedsHuman, |word| word.as_str().into();
    Blocked, |word| word.as_str().into();
    JobKind, |word| word.as_str().into();
    JobStatus, |word| word.as_str().into();
    RunKind, |word| word.as_str().into();
    EvidenceKind, |word| word.as_str().into();
    RevisionStatus, |word| word.as_str().into();
    EventKind, |word| word.as_str().into();
    ActorKind, |word| word.as_str().into();
    Autopilot, |word| word.as_str().into();
}

impl ToSql for Title {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Title {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::new(value.as_str()?).map_err(|error| FromSqlError::Other(error.into()))
    }
}

impl ToSql for Priority {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.value().into())))
    }
}

impl FromSql for Priority {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u8::column_result(value)?
            .try_into()
            .map_err(|error: <Self as TryFrom<u8>>::Error| FromSqlError::Other(error.into()))
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for TicketNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for TicketNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u32::column_result(value).map(Self)
    }
}
