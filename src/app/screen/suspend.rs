//! `^Z`: gives the terminal to the shell and stops until it brings the process back.

use std::time::Duration;

use rustix::process::{Signal, getpgrp, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::app::error::AppError;
use crate::app::keyboard::Keyboard;

use super::Screen;

/// How long a stop may take that does not come.
const PATIENCE: Duration = Duration::from_millis(500);

impl Screen {
    /// Stops the process group, as the terminal itself would; goes on when the shell says so.
    ///
    /// Supervisors are sessions of their own and go on.
    pub(super) async fn suspend(&mut self, keyboard: &mut Option<Keyboard>) -> Result<(), AppError> {
        if let Some(keyboard) = keyboard.take() {
            keyboard.stop().await;
        }
        self.terminal.leave().map_err(AppError::Terminal)?;
        // Another thread may take the signal, so this one must not touch the terminal before it is known that the process
        // was stopped and goes on. Where nobody could continue it, the kernel stops no group whose shell is gone.
        let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw())).map_err(AppError::Terminal)?;
        let stopped = kill_process_group(getpgrp(), Signal::TSTP);
        let _ = timeout(PATIENCE, continued.recv()).await;
        *keyboard = Some(self.come_back()?);
        stopped.map_err(|error| AppError::Terminal(error.into()))
    }
}
