//! Calls a person who looks elsewhere, in the way of the settings.

use std::process::Stdio;

use tokio::process::Command;

use crate::app::service::Told;
use crate::ui::Msg;
use crate::ui::call::Call;
use crate::ui::widget::text;

use super::Screen;

impl Screen {
    /// Tells the person one line. What cannot be is said on the board, where it is seen later.
    pub(super) fn notify(&mut self, said: &str) {
        let ui = self.model.ui_settings();
        let called = match (Call::of(&ui.notify), &ui.notify_command) {
            // Whoever has the terminal now knows nothing of our sequences.
            (Some(_), _) if self.visiting.is_some() => Ok(()),
            (Some(way), _) => self.terminal.call(way, said).map_err(|error| error.to_string()),
            (None, Some(command)) if ui.notify == "command" => run(command, said),
            (None, _) => Ok(()),
        };
        if let Err(trouble) = called {
            let msg = Msg::Failed(format!("ui.notify could not tell you: {trouble}"));
            // A board with so much to hear that this finds no room is not told.
            let _ = self.channels.told.try_send(Told::Msg(Box::new(msg)));
        }
    }
}

/// Starts the user's program with the message as its last argument.
fn run(command: &str, said: &str) -> Result<(), String> {
    let words = shlex::split(command).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| format!("`{command}` is no command line"))?;
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .arg(text::visible(said).as_ref())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", words[0]))?;
    // Its owner only takes its end; how it ends matters to nobody.
    tokio::spawn(async move { child.wait().await });
    Ok(())
}
