//! Gives the terminal to a program in a ticket's worktree, and takes it back. Everything else goes on meanwhile; only
//! nobody reads keys and nothing is drawn.

use std::io::{self, PipeReader};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::WaitStatus;

use crate::app::error::AppError;
use crate::app::guest::{Call, Guest};
use crate::app::keyboard::Keyboard;
use crate::app::pages::Target;
use crate::config::Origin;
use crate::domain::id::TicketId;
use crate::domain::rule::Trust;
use crate::executor::invocation::takeover;
use crate::executor::table::locate;
use crate::ui::{self, LogText, Msg, Visit};

use super::Screen;
use super::pager;
use super::text::{Text, editor, trouble_of};

/// What the terminal is given away for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum HandOver {
    /// A program in a ticket's worktree.
    Visit(Visit),
    /// A text in the person's own editor.
    Text {
        /// What is there already.
        text: String,
        /// What it is.
        name: String,
        /// What is said before.
        greeting: String,
    },
    /// A log in the person's own pager.
    Pager(Box<(LogText, Target)>),
}

/// The program that has the terminal.
pub(super) struct Visiting {
    // Before the text: the editor ends before somebody looks what it wrote.
    guest: Guest,
    purpose: Purpose,
}

/// What is to be started.
struct Prepared {
    call: Call,
    purpose: Purpose,
    /// What is said before.
    greeting: String,
    /// What it reads in place of the terminal.
    read: Option<PipeReader>,
}

/// Why it has the terminal.
enum Purpose {
    /// To work in a ticket's worktree.
    Visit {
        ticket: TicketId,
        /// What it is called when it ended badly; a shell may end as it likes.
        agent: Option<String>,
    },
    /// To write a text.
    Text(Text),
    /// To read a log; whoever writes it looks whether this is still there.
    Pager(#[expect(dead_code, reason = "it is there as long as the pager")] Arc<()>),
}

impl Visiting {
    /// Waits until the program is over; for ever when there is none.
    pub(super) async fn over(visiting: &mut Option<Self>) -> io::Result<WaitStatus> {
        match visiting {
            Some(visiting) => visiting.guest.over().await,
            None => std::future::pending().await,
        }
    }
}

impl Screen {
    /// Gives the terminal away.
    pub(super) async fn hand_over(
        &mut self,
        wanted: HandOver,
        keyboard: &mut Option<Keyboard>,
    ) -> Result<(), AppError> {
        let Prepared { call, purpose, greeting, read } = match self.prepare(wanted) {
            Ok(prepared) => prepared,
            Err(trouble) => {
                self.tell_model(*trouble).await;
                return Ok(());
            }
        };
        if let Some(keyboard) = keyboard.take() {
            keyboard.stop().await;
        }
        self.terminal.hand_over(&greeting).map_err(AppError::Terminal)?;
        match Guest::start(&call, read) {
            Ok(guest) => self.visiting = Some(Visiting { guest, purpose }),
            Err(error) => {
                *keyboard = Some(self.come_back()?);
                let trouble = format!("cannot start {} in {}: {error}", call.program.display(), call.folder.display());
                self.tell_model(purpose.failed(trouble)).await;
            }
        }
        Ok(())
    }

    /// Returns what exactly is to be started and what for, or what to say when that cannot be.
    fn prepare(&self, wanted: HandOver) -> Result<Prepared, Box<Msg>> {
        match wanted {
            HandOver::Visit(Visit { ticket, folder, program, greeting }) => {
                let agent = match &program {
                    ui::Guest::Shell | ui::Guest::Editor => None,
                    ui::Guest::Session { agent, .. } => Some(agent.clone()),
                };
                let call = self.call(ticket, program, folder).map_err(|trouble| Box::new(Msg::Failed(trouble)))?;
                Ok(Prepared { call, purpose: Purpose::Visit { ticket, agent }, greeting, read: None })
            }
            HandOver::Text { text, name, greeting } => {
                let failed = |trouble: String| Box::new(Msg::Written(Err(trouble)));
                let folder = self.workshop.repo.root().to_owned();
                // First, so that nothing is written for an editor that is not there.
                let mut call = editor(PathBuf::new(), folder).map_err(failed)?;
                let text = Text::new(&text, &name);
                let text = text.map_err(|error| failed(format!("the text could not be written to a file: {error}")))?;
                call = editor(text.path(), call.folder).map_err(failed)?;
                Ok(Prepared { call, purpose: Purpose::Text(text), greeting, read: None })
            }
            HandOver::Pager(log) => {
                let (text, target) = *log;
                let failed = |trouble: String| Box::new(Msg::Failed(trouble));
                let call = pager::call(self.workshop.repo.root().to_owned()).map_err(failed)?;
                let reading = Arc::new(());
                let number = self.model.board().ticket(text.request.ticket).map(|ticket| ticket.number.to_string());
                let greeting = format!(
                    "draft: the log of {} in your pager; the board comes back when it ends",
                    number.unwrap_or_default()
                );
                let read = pager::feed(&self.workshop, target, text, Arc::downgrade(&reading));
                let read = read.map_err(|error| failed(format!("the log could not be given to a pager: {error}")))?;
                Ok(Prepared { call, purpose: Purpose::Pager(reading), greeting, read: Some(read) })
            }
        }
    }

    /// The program is over: takes the terminal back.
    pub(super) async fn welcome_back(&mut self, ended: io::Result<WaitStatus>) -> Result<Keyboard, AppError> {
        let keyboard = self.come_back()?;
        match self.visiting.take().map(|visiting| visiting.purpose) {
            Some(Purpose::Visit { ticket, agent }) => {
                let trouble = agent.and_then(|agent| how_badly(&agent, ended));
                self.tell_model(Msg::Returned { ticket, trouble }).await;
            }
            Some(Purpose::Text(text)) => {
                let trouble = trouble_of("editor", "VISUAL or EDITOR", ended);
                self.tell_model(Msg::Written(text.take(trouble))).await;
            }
            Some(Purpose::Pager(_)) => {
                if let Some(trouble) = trouble_of("pager", "PAGER", ended) {
                    self.tell_model(Msg::Failed(trouble)).await;
                }
            }
            None => {}
        }
        Ok(keyboard)
    }

    pub(super) fn come_back(&mut self) -> Result<Keyboard, AppError> {
        // Before the board can be seen: a key after that is meant for it.
        Keyboard::forget_old();
        self.terminal.take_back().map_err(AppError::Terminal)?;
        // The size may have changed meanwhile, and nobody was told.
        self.is_stale = true;
        Ok(Keyboard::start())
    }

    /// Returns what exactly is to be started, or why that cannot be.
    fn call(&self, ticket: TicketId, program: ui::Guest, folder: PathBuf) -> Result<Call, String> {
        let shop = &self.workshop;
        let worktree = self.model.board().ticket(ticket).and_then(|ticket| ticket.worktree.as_ref());
        // With settings that cannot be read the variables are those of the built-in ones.
        let config = shop.settings().map(|loaded| loaded.config.clone()).unwrap_or_default();
        let mut set = worktree.map(|worktree| shop.variables(&config, worktree)).unwrap_or_default();
        match program {
            ui::Guest::Editor => {
                let call = editor(folder.clone(), folder)?;
                Ok(Call { set, ..call })
            }
            ui::Guest::Shell => {
                let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
                let program = shell.map_or_else(|| PathBuf::from("/bin/sh"), PathBuf::from);
                Ok(Call { program, args: Vec::new(), folder, set, drop: Vec::new() })
            }
            ui::Guest::Session { agent, session } => {
                let agents = shop.agents().map_err(|error| error.to_string())?;
                let executor = agents.find(&agent).map_err(|error| error.to_string())?;
                if executor.source == Origin::Repo && shop.trust().is_ok_and(|trust| trust != Trust::Given) {
                    return Err(format!(
                        "{agent} is this repository's own, and its file is not trusted: `draft trust`"
                    ));
                }
                let program = locate(executor, &shop.path_env, &shop.draft_program)
                    .ok_or_else(|| agents.missing(executor, &shop.path_env, &shop.draft_program))?;
                let args = takeover(executor, &session).map_err(|error| error.to_string())?;
                let args = args.ok_or_else(|| format!("{}'s sessions cannot be opened by hand", executor.display))?;
                set.extend(executor.set.clone());
                Ok(Call { program, args, folder, set, drop: executor.drop.clone() })
            }
        }
    }
}

impl Purpose {
    /// Returns what to say when the program could not start.
    fn failed(self, trouble: String) -> Msg {
        match self {
            Self::Visit { .. } | Self::Pager(_) => Msg::Failed(trouble),
            Self::Text(_) => Msg::Written(Err(trouble)),
        }
    }
}

/// Returns in words how an agent's session ended, unless it ended well.
fn how_badly(agent: &str, ended: io::Result<WaitStatus>) -> Option<String> {
    match ended {
        Ok(status) if status.exit_status() == Some(0) => None,
        Ok(status) => Some(match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => format!("{agent}'s session ended with code {code}; leave with q to see what it said"),
            (None, Some(signal)) => format!("{agent}'s session was ended by signal {signal}"),
            (None, None) => format!("{agent}'s session ended"),
        }),
        Err(error) => Some(format!("nobody saw how {agent}'s session ended: {error}")),
    }
}
