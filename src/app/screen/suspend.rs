//! `^Z`: gives the terminal to the shell and stops until it brings the process back.

use rustix::process::{Signal, getpgrp, kill_process_group};

use crate::app::error::AppError;
use crate::app::keyboard::Keyboard;

use super::Screen;

impl Screen {
    /// Stops the process group, as the terminal itself would; goes on when the shell says so.
    ///
    /// Supervisors are sessions of their own and go on.
    pub(super) async fn suspend(&mut self, keyboard: &mut Option<Keyboard>) -> Result<(), AppError> {
        if let Some(keyboard) = keyboard.take() {
            keyboard.stop().await;
        }
        self.terminal.leave().map_err(AppError::Terminal)?;
        // The call returns once the process is continued, or at once where nobody could continue it: the kernel does
        // not stop a group whose shell is gone.
        let stopped = kill_process_group(getpgrp(), Signal::TSTP);
        *keyboard = Some(self.come_back()?);
        stopped.map_err(|error| AppError::Terminal(error.into()))
    }
}
