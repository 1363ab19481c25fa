//! The loop of the screen: takes in keys, news and answers, updates the model, and draws on change only.

use std::collections::BTreeSet;
use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyEventKind};
use rustix::process::WaitStatus;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::domain::checklist::Subject;
use crate::domain::command::Command;
use crate::domain::diff::{DiffPage, DiffRequest};
use crate::domain::id::{CommentId, GoalId, TicketId, TicketRef};
use crate::domain::log::LogRequest;
use crate::domain::outlook::{Flight, in_flight};
use crate::domain::review::NewComment;
use crate::engine::{EngineError, Workshop, find_out};
use crate::git::Repo;
use crate::ui::terminal::Terminal;
use crate::ui::{Effect, Model, Msg, StopAgents};

mod notify;
mod pager;
mod save;
mod suspend;
mod text;
mod visit;

use super::boards::glances;
use super::detail;
use super::error::AppError;
use super::keyboard::Keyboard;
use super::news::{News, Watcher};
use super::pages::{Followers, Target, aim};
use super::service::{self, Told, Wish};

use visit::{HandOver, Visiting};

/// Shortest time between two frames that no key caused.
const FRAME: Duration = Duration::from_millis(16);

/// The signals that end the board in order, and the one that tells of another size.
#[derive(Debug)]
pub(super) struct Signals {
    leave: [Signal; 4],
    window: Signal,
}

/// What a signal says.
enum Signaled {
    /// The program is to end.
    Leave,
    /// Somebody pressed `^C` or `^\` where it is a signal and no key.
    Interrupt,
    /// The terminal has another size.
    Resized,
}

impl Signals {
    /// Listens from now on, in place of what the signals do by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        let leave = [
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::quit())?,
        ];
        // The keyboard tells of sizes too, but loses one that comes together with a key.
        Ok(Self { leave, window: signal(SignalKind::window_change())? })
    }

    async fn next(&mut self) -> Signaled {
        let [term, hangup, interrupt, quit] = &mut self.leave;
        tokio::select! {
            _ = term.recv() => Signaled::Leave,
            _ = hangup.recv() => Signaled::Leave,
            _ = interrupt.recv() => Signaled::Interrupt,
            _ = quit.recv() => Signaled::Interrupt,
            _ = self.window.recv() => Signaled::Resized,
        }
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

/// The ends of the channels of a screen.
pub(super) struct Channels {
    /// What is told to the screen.
    pub(super) news: mpsc::Receiver<Told>,
    /// For those who work for the screen.
    pub(super) told: mpsc::Sender<Told>,
    /// To the engine.
    pub(super) wishes: mpsc::Sender<Wish>,
    /// To whoever follows the log.
    pub(super) log_wanted: watch::Sender<Option<Target>>,
    /// To whoever looks ahead.
    pub(super) flights: watch::Sender<Vec<Flight>>,
}

/// The screen with everything that it listens to.
pub(super) struct Screen {
    workshop: Arc<Workshop>,
    model: Model,
    terminal: Terminal,
    signals: Signals,
    channels: Channels,
    /// Nothing until the engine is there.
    watcher: Option<Watcher>,
    log_request: Option<LogRequest>,
    /// Those who follow all running logs while these are shown.
    followers: Followers,
    second: Option<Interval>,
    /// To whom the terminal is to be given.
    hand_over: Option<HandOver>,
    /// The process is to stop until the shell brings it back.
    suspend: bool,
    /// Who has the terminal.
    visiting: Option<Visiting>,
    /// The terminal changed its size, and may have lost some of the picture even if it has the old size again.
    is_stale: bool,
    leaving: Leaving,
    /// The repository whose board is opened next.
    next: Option<PathBuf>,
}

/// What woke the loop.
enum Woken {
    Terminal(Event),
    Told(Told),
    News(News),
    Second,
    FrameDue,
    /// Nothing that matters.
    Nothing,
    /// Who had the terminal is over.
    Alone(io::Result<WaitStatus>),
    /// A signal, or the terminal is gone.
    MustLeave,
}

impl Screen {
    /// Makes a screen that shows nothing yet.
    pub(super) fn new(
        workshop: Arc<Workshop>,
        model: Model,
        terminal: Terminal,
        signals: Signals,
        channels: Channels,
    ) -> Self {
        let followers = Followers::new(Arc::clone(&workshop), channels.told.clone());
        Self {
            workshop,
            followers,
            model,
            terminal,
            signals,
            channels,
            watcher: None,
            log_request: None,
            second: None,
            hand_over: None,
            suspend: false,
            visiting: None,
            is_stale: false,
            leaving: Leaving::No,
            next: None,
        }
    }

    /// Runs until the person leaves, then gives the terminal back and returns the repository whose board is opened next, if
    /// there is one. The model was made for a terminal of this `size`, and wanted these `effects`.
    pub(super) async fn run(
        mut self,
        size: (u16, u16),
        effects: Vec<Effect>,
        service: &mut JoinHandle<Result<(), AppError>>,
    ) -> Result<Option<PathBuf>, AppError> {
        let mut keyboard = Some(Keyboard::start());
        // Nobody told of a change before there was the keyboard.
        let (columns, rows) = self.terminal.size().map_err(AppError::Terminal)?;
        if (columns, rows) != size {
            self.take_in(Woken::Terminal(Event::Resize(columns, rows))).await;
        }
        self.carry_out(effects).await;
        let mut last_frame = Instant::now();
        let mut waiting_to_draw = false;
        while self.leaving != Leaving::Now {
            let due = waiting_to_draw.then(|| last_frame + FRAME);
            let woken = self.wait(keyboard.as_mut(), service, due).await?;
            let by_person = matches!(woken, Woken::Terminal(_) | Woken::Alone(_));
            let since = Instant::now();
            if let Woken::Alone(ended) = woken {
                keyboard = Some(self.welcome_back(ended).await?);
            } else {
                self.take_in(woken).await;
            }
            // Keys that wait already are one with the first: they cause one frame together.
            while by_person
                && !self.model.is_part()
                && since.elapsed() < FRAME
                && let Some(event) = keyboard.as_mut().and_then(Keyboard::already_there)
            {
                self.take_in(Woken::Terminal(event)).await;
            }
            if let Some(wanted) = self.hand_over.take() {
                self.hand_over(wanted, &mut keyboard).await?;
            }
            if std::mem::take(&mut self.suspend) {
                self.suspend(&mut keyboard).await?;
            }
            waiting_to_draw |= self.model.take_dirty() || self.is_stale;
            if waiting_to_draw && self.visiting.is_none() && (by_person || last_frame.elapsed() >= FRAME) {
                self.draw()?;
                last_frame = Instant::now();
                waiting_to_draw = false;
            }
        }
        self.terminal.leave().map_err(AppError::Terminal)?;
        Ok(self.next)
    }

    async fn wait(
        &mut self,
        keyboard: Option<&mut Keyboard>,
        service: &mut JoinHandle<Result<(), AppError>>,
        due: Option<Instant>,
    ) -> Result<Woken, AppError> {
        let key = async {
            match keyboard {
                Some(keyboard) => keyboard.next().await,
                None => pending().await,
            }
        };
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
        let news = async {
            match &mut self.watcher {
                Some(watcher) => watcher.next().await,
                None => pending().await,
            }
        };
        // Keys are about the whole board, which is read while its first picture is looked at.
        let may_type = !self.model.is_part();
        Ok(tokio::select! {
            biased;
            event = key, if may_type => event.map_or(Woken::MustLeave, Woken::Terminal),
            signaled = self.signals.next() => match (signaled, self.terminal.size()) {
                (Signaled::Resized, Ok((columns, rows))) => Woken::Terminal(Event::Resize(columns, rows)),
                (Signaled::Interrupt, _) if self.visiting.is_some() => Woken::Nothing,
                (Signaled::Resized, Err(_)) | (Signaled::Leave | Signaled::Interrupt, _) => Woken::MustLeave,
            },
            ended = service => return Err(service::outcome(ended).err().unwrap_or(EngineError::Stopped.into())),
            ended = Visiting::over(&mut self.visiting) => Woken::Alone(ended),
            Some(told) = self.channels.news.recv() => Woken::Told(told),
            () = frame => Woken::FrameDue,
            news = news => Woken::News(news?),
            _ = second => Woken::Second,
        })
    }

    async fn take_in(&mut self, woken: Woken) {
        let messages = match woken {
            Woken::Terminal(Event::Key(key)) if key.kind != KeyEventKind::Release => vec![Msg::Key(key)],
            Woken::Terminal(Event::Paste(text)) => vec![Msg::Paste(text)],
            Woken::Terminal(Event::Resize(columns, rows)) => {
                self.is_stale = true;
                vec![Msg::Resize(columns, rows)]
            }
            Woken::Terminal(Event::Mouse(event)) => vec![Msg::Mouse(event, chrono::Utc::now().into())],
            Woken::Terminal(Event::FocusGained) => vec![Msg::Focus(true)],
            Woken::Terminal(Event::FocusLost) => vec![Msg::Focus(false)],
            Woken::Terminal(Event::Key(_)) | Woken::FrameDue | Woken::Nothing | Woken::Alone(_) => return,
            Woken::Told(Told::Msg(msg)) => vec![*msg],
            Woken::Told(Told::Switch(root)) => {
                self.next = Some(root);
                self.leaving = Leaving::Now;
                return;
            }
            Woken::Told(Told::Whole(board)) => vec![Msg::Reloaded(board)],
            Woken::Told(Told::Engine(engine)) => {
                let (board, watcher, settings) = *engine;
                self.watcher = Some(watcher);
                vec![Msg::Settings(Box::new(settings)), Msg::Reloaded(Box::new(board))]
            }
            Woken::News(News::Changed(changes)) => vec![Msg::Changed(changes)],
            Woken::News(News::Reloaded(board)) => vec![Msg::Reloaded(board)],
            Woken::Second => vec![Msg::Second(chrono::Utc::now().into())],
            Woken::MustLeave => {
                self.leaving = Leaving::Now;
                return;
            }
        };
        for msg in messages {
            self.tell_model(msg).await;
        }
        self.retarget();
        if self.leaving == Leaving::WhenStopped && self.model.board().active_jobs().next().is_none() {
            self.leaving = Leaving::Now;
        }
    }

    async fn tell_model(&mut self, msg: Msg) {
        let effects = self.model.update(msg);
        self.carry_out(effects).await;
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Do(command) => self.wish(Wish::Command(command)).await,
                Effect::File(filing) => {
                    let new = filing.into_ticket(TicketId(uuid::Uuid::now_v7()));
                    self.wish(Wish::Command(Command::AddTickets(vec![new]))).await;
                }
                Effect::Trust { content } => self.wish(Wish::Trust(content)).await,
                Effect::Allow(leave) => self.wish(Wish::Allow(leave)).await,
                Effect::LookAround => self.wish(Wish::LookAround).await,
                Effect::DoAll(commands) => self.wish(Wish::Commands(commands)).await,
                Effect::HandOver(visit) => self.hand_over = Some(HandOver::Visit(visit)),
                Effect::EditText { text, name, greeting } => {
                    self.hand_over = Some(HandOver::Text { text, name, greeting });
                }
                // A terminal that does not take it cannot be told from one that does.
                Effect::Copy(text) => drop(self.terminal.copy(&text)),
                Effect::SaveLog { text, path, existing } => self.save_log(text, &path, existing),
                Effect::PageLog(text) => {
                    let target = Target::of(text.request.clone(), self.model.board(), &self.workshop);
                    self.hand_over = Some(HandOver::Pager(Box::new((text, target))));
                }
                Effect::Suspend => self.suspend = true,
                Effect::Redraw => self.is_stale = true,
                Effect::Notify(text) => self.notify(&text),
                Effect::AddGoal(draft) => {
                    let (id, board) = (GoalId(uuid::Uuid::now_v7()), self.workshop.about.id);
                    let goal = draft.into_goal(id, board, chrono::Utc::now().into());
                    self.wish(Wish::Command(Command::AddGoal(goal))).await;
                }
                Effect::LoadBoards => self.load_boards(),
                Effect::Switch(root) => self.look_for_board(root),
                Effect::LoadDetail(ticket) => self.load_detail(ticket),
                Effect::Comment { ticket, revision, spot, body, reply_to } => {
                    let new = NewComment { id: CommentId(uuid::Uuid::now_v7()), spot, body, reply_to };
                    let (ticket, comments) = (TicketRef::Id(ticket), vec![new]);
                    self.wish(Wish::Command(Command::Comment { ticket, revision, comments })).await;
                }
                Effect::LoadDiff(request) => self.load_diff(request),
                Effect::LoadChecklist(ticket) => self.load_checklist(ticket),
                Effect::Watch(request) => {
                    self.log_request = request;
                    self.retarget();
                }
                Effect::WatchAll(requests) => self.followers.follow(requests, self.model.board()),
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
        // Without a service the loop ends by itself and says why.
        let _ = self.channels.wishes.send(wish).await;
    }

    async fn stop_and_leave(&mut self) {
        let busy: BTreeSet<TicketId> = self.model.board().active_jobs().map(|job| job.ticket).collect();
        self.leaving = if busy.is_empty() { Leaving::Now } else { Leaving::WhenStopped };
        for ticket in busy {
            self.wish(Wish::Command(Command::Cancel { ticket: TicketRef::Id(ticket) })).await;
        }
    }

    fn load_detail(&self, ticket: TicketId) {
        let (workshop, told) = (Arc::clone(&self.workshop), self.channels.told.clone());
        // It ends by itself with the one answer; a screen that has gone needs none.
        tokio::spawn(async move {
            let loaded = tokio::task::spawn_blocking(move || detail::load_detail(&workshop, ticket)).await;
            let msg = match loaded {
                Ok(Ok(Some(detail))) => Msg::Detail(Box::new(detail)),
                Ok(Ok(None)) => return,
                Ok(Err(error)) => Msg::Failed(error.to_string()),
                Err(error) => Msg::Failed(format!("an internal error: {error}")),
            };
            let _ = told.send(Told::Msg(Box::new(msg))).await;
        });
    }

    fn load_boards(&self) {
        let (paths, told) = (self.workshop.paths.clone(), self.channels.told.clone());
        // As with details: one answer, and it ends.
        tokio::spawn(async move {
            let msg = match tokio::task::spawn_blocking(move || glances(&paths)).await {
                Ok(Ok(boards)) => Msg::Boards(boards),
                Ok(Err(error)) => Msg::Failed(error.to_string()),
                Err(error) => Msg::Failed(format!("an internal error: {error}")),
            };
            let _ = told.send(Told::Msg(Box::new(msg))).await;
        });
    }

    /// Leaves for the board of a repository, if that is one: who could not go there stays here.
    fn look_for_board(&self, root: PathBuf) {
        let (git, told) = (self.workshop.git.clone(), self.channels.told.clone());
        // As with details: one answer, and it ends.
        tokio::spawn(async move {
            let found = tokio::task::spawn_blocking(move || Repo::discover(&git, &root).map(|_| root)).await;
            let answer = match found {
                Ok(Ok(root)) => Told::Switch(root),
                Ok(Err(error)) => Told::Msg(Box::new(Msg::Failed(error.to_string()))),
                Err(error) => Told::Msg(Box::new(Msg::Failed(format!("an internal error: {error}")))),
            };
            let _ = told.send(answer).await;
        });
    }

    fn load_diff(&self, request: DiffRequest) {
        let (workshop, told) = (Arc::clone(&self.workshop), self.channels.told.clone());
        // As with details: one answer, and it ends.
        tokio::spawn(async move {
            let loaded = tokio::task::spawn_blocking(move || detail::load_diff(&workshop, request)).await;
            let change = match loaded {
                Ok(Ok(Some(change))) => Ok(change),
                Ok(Ok(None)) => Err(format!("there is no revision {} of this ticket", request.revision)),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(format!("an internal error: {error}")),
            };
            let _ = told.send(Told::Msg(Box::new(Msg::Diff(Box::new(DiffPage { request, change }))))).await;
        });
    }

    fn load_checklist(&self, ticket: TicketId) {
        let Some(subject) = Subject::of(self.model.board(), ticket) else { return };
        let (workshop, told) = (Arc::clone(&self.workshop), self.channels.told.clone());
        // As with details: one answer, and it ends.
        tokio::spawn(async move {
            let found = tokio::task::spawn_blocking(move || find_out(&workshop, &subject)).await;
            let found = match found {
                Ok(found) => found.map_err(|error| error.to_string()),
                Err(error) => Err(format!("an internal error: {error}")),
            };
            let _ = told.send(Told::Msg(Box::new(Msg::Checklist { ticket, found: Box::new(found) }))).await;
        });
    }

    /// Follows the run that the screen's wish means now, and what is in flight: both may be others since.
    fn retarget(&self) {
        let board = self.model.board();
        let target = self.log_request.clone().map(|request| Target::of(request, board, &self.workshop));
        aim(&self.channels.log_wanted, target);
        self.followers.retarget(board);
        let flights = in_flight(board);
        self.channels.flights.send_if_modified(|known| {
            let differs = *known != flights;
            if differs {
                *known = flights;
            }
            differs
        });
    }

    /// Draws what the model is now.
    pub(super) fn draw(&mut self) -> Result<(), AppError> {
        let Self { terminal, model, .. } = self;
        terminal.set_mouse(model.wants_mouse()).map_err(AppError::Terminal)?;
        terminal.set_title(&model.window_title()).map_err(AppError::Terminal)?;
        if std::mem::take(&mut self.is_stale) {
            terminal.draw_anew().map_err(AppError::Terminal)?;
        }
        terminal.draw(|frame| model.view(frame)).map_err(AppError::Terminal)
    }
}
