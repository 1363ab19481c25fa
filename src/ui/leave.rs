//! What agents may do without asking: a person is asked once, before the first agent runs in a repository.

use crate::config::yolo::Leave;
use crate::domain::command::Command;
use crate::domain::job::JobKind;

use super::model::{Model, NoticeKind};
use super::msg::Effect;
use super::screen::Overlay;
use super::screen::choice::{Choice, Choosing};

impl Model {
    /// Asks the engine for something that starts agents. Before that it asks what agents may do, where nobody chose, and
    /// whether the repository's commands may run.
    pub(super) fn with_leave(&mut self, commands: Vec<Command>) -> Vec<Effect> {
        if !commands.iter().any(|command| self.is_leave_open(command)) {
            return self.with_trust(commands);
        }
        self.over = Some(Overlay::Choice(Choice::new(Choosing::Leave { then: commands }, self)));
        // The user's files may say more by now.
        vec![Effect::LookAround]
    }

    /// Keeps what agents may do, and goes on with what was asked for.
    pub(super) fn allow(&mut self, then: Vec<Command>, leave: Leave) -> Vec<Effect> {
        self.say(NoticeKind::News, "kept in your own settings, for this repository: execute_config.yolo_mode");
        let mut effects = vec![Effect::Allow(leave)];
        effects.extend(self.with_trust(then));
        effects
    }

    /// Says whether nobody said what the agent may do that would start, and it makes a difference to that one.
    fn is_leave_open(&self, command: &Command) -> bool {
        let chosen = match command {
            Command::Run { choice, .. } => choice.agent.as_ref(),
            Command::SetAutopilot(_) => None,
            _ if command.job() == Some(JobKind::Execute) => None,
            _ => return false, // it starts no agent
        };
        let ticket = command.ticket().and_then(|ticket| self.board.find(ticket));
        let agent = chosen.or(ticket.and_then(|ticket| ticket.agent.as_ref())).unwrap_or(&self.settings.preferred);
        // One that is missing starts nothing, and its ticket says so; the autopilot holds for what is installed later, too.
        let starts = matches!(command, Command::SetAutopilot(_)) || !self.settings.missing.contains(agent);
        let matters = starts && !self.settings.indifferent.contains(agent);
        self.settings.leave_open && self.settings.problem.is_none() && matters
    }
}
