//! Opens the board full screen: the first frame from what is stored, and only then the engine.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::domain::board::Board;
use crate::domain::sight::{Rest, Sight};
use crate::domain::time::Timestamp;
use crate::engine::{EngineError, Workshop};
use crate::ui::keys::{KeyTable, own};
use crate::ui::terminal::{self, Terminal};
use crate::ui::theme::{Glyphs, Theme};
use crate::ui::{Effect, Model, Msg, Role, Setup};

use super::error::AppError;
use super::open::Opened;
use super::screen::{Channels, Screen, Signals};
use super::service::Seen;
use super::{pages, radar, service, surroundings};

/// Messages that may wait for the screen, and wishes that may wait for the engine.
const WAITING: usize = 64;
/// How long the engine has to end in order. After that it ends as in a crash, which loses nothing either.
const ENDING: Duration = Duration::from_secs(5);

/// Whether to draw in colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Color {
    /// In the terminal's own sixteen colours.
    Yes,
    /// With bold, dim and reversed only.
    No,
}

/// Shows the board with these signs until the person leaves or the terminal goes. Returns the repository whose board is to be
/// opened next, where the person went to another one.
///
/// # Errors
/// When git is too old, or the terminal, the database or the engine fails; the terminal is restored before that.
pub async fn run_board(opened: Opened, color: Color, glyphs: Glyphs) -> Result<Option<PathBuf>, AppError> {
    let workshop = Arc::clone(&opened.workshop);
    let size = terminal::size().map_err(AppError::Terminal)?;
    // They take about as long, and none needs the others.
    let (zone, now) = (*chrono::Local::now().offset(), Timestamp::from(chrono::Utc::now()));
    let (read, settings, checked) = thread::scope(|scope| {
        let checked = scope.spawn(|| workshop.git.check());
        // Who is the engine turns out in a moment.
        let settings = scope.spawn(|| surroundings::look(&workshop, Role::Engine));
        // A column has no room for more cards than that.
        let first = usize::from(size.1) / 3 + 1;
        let read = workshop.readers.read(|reader| {
            let spent = reader.spent_since(workshop.about.id, now.start_of_day(zone))?;
            Ok((reader.sight(workshop.about.id, first)?, spent))
        });
        (read, settings.join(), checked.join())
    });
    checked.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)).map_err(AppError::Git)?;
    let settings = settings.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
    let (sight, spent_today) = read?;
    let Sight { board, rest } = sight.ok_or_else(|| EngineError::NoBoard(workshop.about.name.clone()))?;
    // The library below would heed NO_COLOR again, against what the person may have said by a flag.
    crossterm::style::force_color_output(color == Color::Yes);
    // Before the terminal is taken, so that no signal finds it taken and nobody there.
    let signals = Signals::listen().map_err(AppError::Terminal)?;
    let terminal = Terminal::enter().map_err(AppError::Terminal)?;
    let (keys, wrong_keys) = own_keys(&workshop.paths.user_config);
    let setup = Setup {
        board,
        keys,
        now,
        size,
        settings,
        spent_today,
        rest,
        theme: match color {
            Color::Yes => Theme::color(),
            Color::No => Theme::plain(),
        }
        .with_glyphs(glyphs),
        zone,
        runs: workshop.paths.runs(),
    };
    let (mut model, mut effects) = first_model(&workshop, setup)?;
    if let Some(trouble) = wrong_keys {
        effects.extend(model.update(Msg::Failed(trouble)));
    }
    let seen = if model.is_part() { Seen::Part } else { Seen::Whole };
    let (told, news) = mpsc::channel(WAITING);
    let (wishes, wished) = mpsc::channel(WAITING);
    let (log_wanted, wanted) = watch::channel(None);
    let (flights, in_flight) = watch::channel(Vec::new());
    let channels = Channels { news, told: told.clone(), wishes, log_wanted, flights };
    let mut screen = Screen::new(Arc::clone(&workshop), model, terminal, signals, channels);
    screen.draw()?;
    let mut service = tokio::spawn(service::serve(opened, wished, told.clone(), seen));
    let pages = tokio::spawn(pages::follow(Arc::clone(&workshop), wanted, told.clone()));
    let radar = tokio::spawn(radar::follow(workshop, in_flight, told));
    let shown = screen.run(size, effects, &mut service).await;
    pages.abort();
    // It ends by itself now that nobody says what is in flight, and clears up.
    let _ = timeout(ENDING, radar).await;
    match (shown, ended(service).await) {
        // The engine stopped by itself, and its own end says why.
        (Err(AppError::Engine(EngineError::Stopped)), Err(why)) => Err(why),
        (shown, ended) => shown.and_then(|next| ended.map(|()| next)),
    }
}

/// Returns the screen as it is first. Where a part of the board does not suffice for that, all of it is read.
fn first_model(workshop: &Workshop, setup: Setup) -> Result<(Model, Vec<Effect>), AppError> {
    if setup.rest.is_empty() {
        return Ok(Model::new(setup));
    }
    let first = Model::new(setup.clone());
    if first.0.is_sure() {
        return Ok(first);
    }
    let (board, _) = read(workshop)?;
    Ok(Model::new(Setup { board, rest: Rest::default(), ..setup }))
}

/// Reads the whole board, with the number of the change at which it stands.
pub(super) fn read(workshop: &Workshop) -> Result<(Board, u64), AppError> {
    let read = workshop.readers.read(|reader| reader.board(workshop.about.id))?;
    Ok(read.ok_or_else(|| EngineError::NoBoard(workshop.about.name.clone()))?)
}

/// Waits for the engine's end. One that ended before the screen was told of there.
async fn ended(mut service: JoinHandle<Result<(), AppError>>) -> Result<(), AppError> {
    if service.is_finished() {
        return Ok(());
    }
    if let Ok(ended) = timeout(ENDING, &mut service).await {
        return service::outcome(ended);
    }
    tracing::warn!("the engine did not end within {ENDING:?}");
    service.abort();
    Ok(())
}

/// Returns the keys: the user's own over the built-in ones, or those alone and what is wrong with the user's.
fn own_keys(user_config: &Path) -> (KeyTable, Option<String>) {
    let file = user_config.with_file_name(own::FILE_NAME);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return (KeyTable::built_in().clone(), None),
        Err(error) => {
            let trouble = format!("{}: {error}; the built-in keys hold", file.display());
            return (KeyTable::built_in().clone(), Some(trouble));
        }
    };
    match KeyTable::with_own(&bytes, &file) {
        Ok(keys) => (keys, None),
        Err(errors) => {
            let more = match errors.0.len() {
                0 | 1 => String::new(),
                number => format!(" (and {} more)", number - 1),
            };
            let first = errors.0.first().map(ToString::to_string).unwrap_or_default();
            (KeyTable::built_in().clone(), Some(format!("{first}{more}; the built-in keys hold")))
        }
    }
}
