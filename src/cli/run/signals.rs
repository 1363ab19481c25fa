//! The signals that a run hears: the person's Ctrl-C, and where it has something to put back, the wish that it ends.

use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CliError;

/// The signals of one run.
pub(super) struct Signals {
    interrupt: Signal,
    /// Of a run that has nothing to put back the system makes an end, as of any program.
    ends: Option<[Signal; 2]>,
}

impl Signals {
    pub(super) fn listen(has_to_put_back: bool) -> Result<Self, CliError> {
        let hear = |kind| {
            signal(kind)
                .map_err(|error| CliError::environment("io", format!("could not listen for signals: {error}"), ""))
        };
        let ends =
            if has_to_put_back { Some([hear(SignalKind::terminate())?, hear(SignalKind::hangup())?]) } else { None };
        Ok(Self { interrupt: hear(SignalKind::interrupt())?, ends })
    }

    /// Waits for the next signal. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Heard {
        let ends = async {
            match &mut self.ends {
                Some([terminate, hangup]) => tokio::select! {
                    Some(()) = terminate.recv() => {}
                    Some(()) = hangup.recv() => {}
                    else => pending().await,
                },
                None => pending().await,
            }
        };
        tokio::select! {
            Some(()) = self.interrupt.recv() => Heard::Interrupt,
            () = ends => Heard::End,
        }
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// Start nothing more, and the next time stop what runs.
    Interrupt,
    /// End at once: the terminal is gone, or somebody ends this process.
    End,
}
