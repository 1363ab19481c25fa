//! The board full screen: one loop that takes in keys, news and answers, updates the model, and draws on change only.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyEventKind};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::domain::command::Command;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::log::LogRequest;
use crate::engine::{Working, Workshop};
use crate::ui::terminal::Terminal;
use crate::ui::theme::Theme;
use crate::ui::{Effect, Model, Msg, Role, Setup, StopAgents};

use super::door::Door;
use super::error::AppError;
use super::keyboard::Keyboard;
use super::news::{News, Watcher};
use super::open::Opened;
use super::pages::{self, Target};
use super::{detail, surroundings};

/// Shortest time between two frames that no key caused.
const FRAME: Duration = Duration::from_millis(16);
/// Messages that may wait for the screen.
const WAITING: usize = 64;

/// Whether to draw in colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Color {
    /// In the terminal's own sixteen colours.
    Yes,
    /// With bold, dim and reversed only.
    No,
}

/// Shows the board until the person leaves or the terminal goes.
///
/// # Errors
/// When the terminal, the database or the engine fails; the terminal is restored before that.
pub async fn run_board(opened: Opened, color: Color) -> Result<(), AppError> {
    let workshop = Arc::clone(&opened.workshop);
    let mut door = Door::open(opened, Working::Jobs).await?;
    let role = match &door {
        Door::Own(_) => Role::Engine,
        Door::Others(_) => Role::Watcher,
    };
    let (board, watcher) = door.watch().await?;
    let terminal = Terminal::enter().map_err(AppError::Terminal)?;
    let setup = Setup {
        board,
        now: chrono::Utc::now().into(),
        size: terminal.size().map_err(AppError::Terminal)?,
        settings: surroundings::look(&workshop, role),
        spent_today: None,
        theme: match color {
            Color::Yes => Theme::color(),
            Color::No => Theme::plain(),
        },
        zone: *chrono::Local::now().offset(),
        runs: workshop.paths.runs(),
    };
    let (model, effects) = Model::new(setup);
    let (messages_in, messages) = mpsc::channel(WAITING);
    let (wishes, wished) = mpsc::channel(WAITING);
    let asker = tokio::spawn(ask_in_order(door, wished, messages_in.clone(), Arc::clone(&workshop), role));
    let (log_wanted, wanted) = watch::channel(None);
    let pages = tokio::spawn(pages::follow(Arc::clone(&workshop), wanted, messages_in.clone()));
    let screen = Screen {
        workshop,
        model,
        terminal,
        watcher,
        messages,
        messages_in,
        wishes,
        log_wanted,
        log_request: None,
        second: None,
        leaving: Leaving::No,
    };
    let shown = screen.run(effects).await;
    pages.abort();
    let door = asker.await.map_err(|error| AppError::Terminal(std::io::Error::other(error)))?;
    door.close().await?;
    shown
}

/// One thing that the person wants from the engine, in the order in which it was wanted.
#[derive(Debug)]
enum Wish {
    Command(Command),
    Trust,
}

/// Asks the engine for one thing after the other and gives the door back when nobody wants anything any more.
async fn ask_in_order(
    mut door: Door,
    mut wishes: mpsc::Receiver<Wish>,
    answers: mpsc::Sender<Msg>,
    workshop: Arc<Workshop>,
    role: Role,
) -> Door {
    while let Some(wish) = wishes.recv().await {
        let answer = match wish {
            Wish::Command(command) => match door.ask(command).await {
                Ok(()) => continue,
                Err(error) => refusal(error),
            },
            Wish::Trust => match door.trust().await {
                Ok(()) => Msg::Settings(surroundings::look(&workshop, role)),
                Err(error) => refusal(error),
            },
        };
        if answers.send(answer).await.is_err() {
            break;
        }
    }
    door
}

fn refusal(error: AppError) -> Msg {
    match error {
        AppError::Ask(crate::engine::AskError::Refused(refused)) => Msg::Refused(refused),
        other => Msg::Failed(other.to_string()),
    }
}

/// How far the person is in leaving.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    No,
    /// As soon as nothing runs any more.
    WhenStopped,
    Now,
}

struct Screen {
    workshop: Arc<Workshop>,
    model: Model,
    terminal: Terminal,
    watcher: Watcher,
    messages: mpsc::Receiver<Msg>,
    messages_in: mpsc::Sender<Msg>,
    wishes: mpsc::Sender<Wish>,
    log_wanted: watch::Sender<Option<Target>>,
    log_request: Option<LogRequest>,
    second: Option<Interval>,
    leaving: Leaving,
}

/// What woke the loop.
enum Woken {
    Terminal(Event),
    TerminalGone,
    Message(Msg),
    News(News),
    Second,
    FrameDue,
    Signal,
}

impl Screen {
    async fn run(mut self, effects: Vec<Effect>) -> Result<(), AppError> {
        let mut keyboard = Keyboard::start();
        let mut term = on(SignalKind::terminate())?;
        let mut hangup = on(SignalKind::hangup())?;
        self.carry_out(effects).await;
        self.draw()?;
        let mut last_frame = Instant::now();
        let mut waiting_to_draw = false;
        while self.leaving != Leaving::Now {
            let due = waiting_to_draw.then(|| last_frame + FRAME);
            let woken = self.wait(&mut keyboard, &mut term, &mut hangup, due).await?;
            let by_person = matches!(woken, Woken::Terminal(_));
            self.take_in(woken).await?;
            // Keys that wait already are one with the first: they cause one frame together.
            while by_person && let Some(event) = keyboard.already_there() {
                self.take_in(Woken::Terminal(event)).await?;
            }
            waiting_to_draw |= self.model.take_dirty();
            if waiting_to_draw && (by_person || last_frame.elapsed() >= FRAME) {
                self.draw()?;
                last_frame = Instant::now();
                waiting_to_draw = false;
            }
        }
        self.terminal.leave().map_err(AppError::Terminal)
    }

    async fn wait(
        &mut self,
        keyboard: &mut Keyboard,
        term: &mut Signal,
        hangup: &mut Signal,
        due: Option<Instant>,
    ) -> Result<Woken, AppError> {
        let frame = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let second = async {
            match &mut self.second {
                Some(second) => second.tick().await,
                None => pending().await,
            }
        };
        Ok(tokio::select! {
            biased;
            event = keyboard.next() => event.map_or(Woken::TerminalGone, Woken::Terminal),
            _ = term.recv() => Woken::Signal,
            _ = hangup.recv() => Woken::Signal,
            Some(message) = self.messages.recv() => Woken::Message(message),
            () = frame => Woken::FrameDue,
            news = self.watcher.next() => Woken::News(news?),
            _ = second => Woken::Second,
        })
    }

    async fn take_in(&mut self, woken: Woken) -> Result<(), AppError> {
        let msg = match woken {
            Woken::Terminal(Event::Key(key)) if key.kind != KeyEventKind::Release => Msg::Key(key),
            Woken::Terminal(Event::Paste(text)) => Msg::Paste(text),
            Woken::Terminal(Event::Resize(columns, rows)) => Msg::Resize(columns, rows),
            Woken::Terminal(Event::Key(_) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost)
            | Woken::FrameDue => return Ok(()),
            Woken::Message(msg) => msg,
            Woken::News(News::Changed(changes)) => Msg::Changed(changes),
            Woken::News(News::Reloaded(board)) => Msg::Reloaded(board),
            Woken::Second => Msg::Second(chrono::Utc::now().into()),
            Woken::TerminalGone | Woken::Signal => {
                self.leaving = Leaving::Now;
                return Ok(());
            }
        };
        let effects = self.model.update(msg);
        self.carry_out(effects).await;
        self.retarget();
        if self.leaving == Leaving::WhenStopped && self.model.board().active_jobs().next().is_none() {
            self.leaving = Leaving::Now;
        }
        Ok(())
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Do(command) => self.wish(Wish::Command(command)).await,
                Effect::File(filing) => {
                    let new = filing.into_ticket(TicketId(uuid::Uuid::now_v7()));
                    self.wish(Wish::Command(Command::AddTickets(vec![new]))).await;
                }
                Effect::Trust => self.wish(Wish::Trust).await,
                Effect::LoadDetail(ticket) => self.load_detail(ticket),
                Effect::Watch(request) => {
                    self.log_request = request;
                    self.retarget();
                }
                Effect::WakeEachSecond(true) => {
                    let mut second = interval(Duration::from_secs(1));
                    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
                    self.second = Some(second);
                }
                Effect::WakeEachSecond(false) => self.second = None,
                Effect::Quit { stop_agents: StopAgents::No } => self.leaving = Leaving::Now,
                Effect::Quit { stop_agents: StopAgents::Yes } => self.stop_and_leave().await,
            }
        }
    }

    async fn wish(&mut self, wish: Wish) {
        if self.wishes.send(wish).await.is_err() {
            self.leaving = Leaving::Now;
        }
    }

    async fn stop_and_leave(&mut self) {
        let busy: BTreeSet<TicketId> = self.model.board().active_jobs().map(|job| job.ticket).collect();
        self.leaving = if busy.is_empty() { Leaving::Now } else { Leaving::WhenStopped };
        for ticket in busy {
            self.wish(Wish::Command(Command::Cancel { ticket: TicketRef::Id(ticket) })).await;
        }
    }

    fn load_detail(&self, ticket: TicketId) {
        let (workshop, answers) = (Arc::clone(&self.workshop), self.messages_in.clone());
        // It ends by itself with the one answer; a screen that has gone needs none.
        tokio::spawn(async move {
            let loaded = tokio::task::spawn_blocking(move || detail::load_detail(&workshop, ticket)).await;
            let msg = match loaded {
                Ok(Ok(Some(detail))) => Msg::Detail(Box::new(detail)),
                Ok(Ok(None)) => return,
                Ok(Err(error)) => Msg::Failed(error.to_string()),
                Err(error) => Msg::Failed(format!("an internal error: {error}")),
            };
            let _ = answers.send(msg).await;
        });
    }

    /// Follows the run that the screen's wish means now: a new run may have begun since.
    fn retarget(&self) {
        let board = self.model.board();
        let target = self.log_request.clone().map(|request| Target::of(request, board, &self.workshop));
        self.log_wanted.send_if_modified(|wanted| {
            let differs = *wanted != target;
            if differs {
                *wanted = target;
            }
            differs
        });
    }

    fn draw(&mut self) -> Result<(), AppError> {
        let Self { terminal, model, .. } = self;
        terminal.draw(|frame| model.view(frame)).map_err(AppError::Terminal)
    }
}

fn on(kind: SignalKind) -> Result<Signal, AppError> {
    signal(kind).map_err(AppError::Terminal)
}
