//! The demo agent's way through one run: its arguments, its prompt, and which of its three abilities it uses.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use uuid::Uuid;

use super::fixes::{self, Fix};
use super::perform::{Ended, Performer, Trouble};
use super::program;
use super::script::{self, Directive};
use super::stream::{Ending, Stream};

/// Set to anything, it takes away the pauses that make the demo agent look like somebody at work.
pub const FAST_VARIABLE: &str = "DRAFT_DEMO_FAST";

/// Runs the demo agent in the current directory with the prompt from standard input; `args` is what follows
/// `draft demo-agent` on the command line.
///
/// It understands `--session-id ID`, `--resume ID` and `--fast`, and passes over all other arguments. Returns the exit
/// code that its script asks for, 0 after its own work, and 1 when it cannot read, print or follow its script.
pub fn main(args: Vec<String>) -> ExitCode {
    let options = Options::read(&args);
    if let Some(time) = options.daemon {
        return program::live_apart(time);
    }
    match run(&options) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nobody may be left to read this either.
            let _ = writeln!(io::stderr(), "the demo agent stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<u8> {
    let mut prompt = Vec::new();
    io::stdin().read_to_end(&mut prompt)?;
    let work = Work {
        prompt: String::from_utf8_lossy(&prompt).into_owned(),
        session: options.session.clone().unwrap_or_else(|| Uuid::now_v7().to_string()),
        dir: std::env::current_dir()?,
        program: std::env::current_exe()?,
        pause: if options.fast || std::env::var_os(FAST_VARIABLE).is_some() { Pause::None } else { Pause::Human },
    };
    work.run(io::stdout())
}

#[derive(Default, Debug, PartialEq)]
struct Options {
    session: Option<String>,
    fast: bool,
    daemon: Option<Duration>,
}

impl Options {
    fn read(args: &[String]) -> Self {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--session-id" | "--resume" => options.session = args.next().cloned(),
                "--fast" => options.fast = true,
                program::DAEMON_FLAG => {
                    let millis = args.next().and_then(|text| text.parse().ok()).unwrap_or_default();
                    options.daemon = Some(Duration::from_millis(millis));
                }
                // A row of the table of agents may give flags that mean nothing here.
                _ => {}
            }
        }
        options
    }
}

/// Whether the agent pauses between its steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pause {
    Human,
    None,
}

impl Pause {
    /// Waits as long as somebody who reads or types would.
    pub(super) fn take(self) {
        match self {
            Self::Human => std::thread::sleep(Duration::from_millis(350)),
            Self::None => {}
        }
    }
}

/// All that a run depends on.
pub(super) struct Work {
    pub(super) prompt: String,
    pub(super) session: String,
    pub(super) dir: PathBuf,
    /// This program, for a descendant of its own.
    pub(super) program: PathBuf,
    pub(super) pause: Pause,
}

impl Work {
    /// Does the work and returns the exit code.
    pub(super) fn run<W: Write>(mut self, out: W) -> io::Result<u8> {
        let script = script::read(&self.prompt);
        if let Some(name) = session_of(script.as_deref().unwrap_or_default()) {
            self.session = name;
        }
        let stream = Stream::begin(out, self.session.clone(), self.dir.clone(), &self.prompt)?;
        let mut performer = Performer::new(stream, &self.dir, &self.program);
        let worked = match script {
            Err(bad) => Err(Trouble::Work(bad.to_string())),
            Ok(script) if script.is_empty() => self.by_heart(&mut performer),
            Ok(script) => performer.follow(&script),
        };
        let ended = match worked {
            Ok(ended) => ended,
            Err(Trouble::Work(why)) => Ended::Failed { code: 1, why },
            Err(Trouble::Output(error)) => return Err(error),
        };
        finish(performer.stream(), ended)
    }

    fn by_heart<W: Write>(&self, performer: &mut Performer<'_, W>) -> Result<Ended, Trouble> {
        let title = title(&self.prompt);
        match fixes::known().find(&title).filter(|fix| fix.is_about(&self.dir)) {
            Some(fix) => self.fix(fix, performer),
            None => self.note(&title, performer),
        }
    }

    fn fix<W: Write>(&self, fix: &Fix, performer: &mut Performer<'_, W>) -> Result<Ended, Trouble> {
        let Some(attempt) = fix.attempt(&self.prompt, &self.dir) else {
            performer.stream().say("What this ticket asks for is in the files already, so I changed nothing.")?;
            return Ok(Ended::Finished);
        };
        self.pause.take();
        performer.stream().think(&attempt.thinks)?;
        for path in &attempt.reads {
            self.pause.take();
            performer.read(path)?;
        }
        for edit in &attempt.edits {
            self.pause.take();
            performer.edit(&edit.path, &edit.old, &edit.new)?;
        }
        for path in attempt.deletes.iter().filter(|path| self.dir.join(path).exists()) {
            performer.delete(path)?;
        }
        for command in &attempt.runs {
            self.pause.take();
            performer.run(command)?;
        }
        self.pause.take();
        performer.stream().say(attempt.says.trim_end())?;
        Ok(Ended::Finished)
    }

    fn note<W: Write>(&self, title: &str, performer: &mut Performer<'_, W>) -> Result<Ended, Trouble> {
        self.pause.take();
        performer.stream().think("This is no ticket of the sample repository, and I am no model.")?;
        self.pause.take();
        let path = PathBuf::from(format!("notes/{}.md", slug(title)));
        let content = format!(
            "# {title}\n\nThis note was written by the demo agent that is built into Draft. It cannot program: it only \
             knows the tickets\nof the sample repository. Give this ticket to a real agent to have it done.\n"
        );
        performer.write(&path, &content)?;
        self.pause.take();
        performer.stream().say(&format!(
            "I am the demo agent that is built into Draft, and I cannot really program. I wrote `{}` so that you can see \
             how a change goes through the board; the ticket itself is not done. Claude Code, Codex and Aider are agents that \
             can do it.",
            path.display()
        ))?;
        Ok(Ended::Finished)
    }
}

fn finish<W: Write>(stream: &mut Stream<W>, ended: Ended) -> io::Result<u8> {
    match ended {
        Ended::Finished => {
            let said = stream.said().unwrap_or("Done.").to_owned();
            stream.end(&Ending::Good(&said))?;
            Ok(0)
        }
        Ended::Failed { code, why } => {
            stream.end(&Ending::Bad(&why))?;
            Ok(code)
        }
        Ended::Gone(code) => Ok(code),
    }
}

/// A name that the script gives the session must be known before the first line is printed.
fn session_of(script: &[Directive]) -> Option<String> {
    script.iter().rev().find_map(
        |directive| {
            if let Directive::Session(name) = directive { Some(name.clone()) } else { None }
        },
    )
}

/// Returns the title of a task: its first heading, without a leading `Task:`, else its first line.
fn title(prompt: &str) -> String {
    let mut lines = prompt.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().next().unwrap_or("untitled");
    let heading = lines.find(|line| line.starts_with('#')).unwrap_or(first).trim_start_matches('#').trim();
    match heading.split_once(':') {
        Some((label, title)) if ["task", "ticket"].contains(&label.trim().to_lowercase().as_str()) => title.trim(),
        Some(_) | None => heading,
    }
    .to_owned()
}

/// Returns a name for a file: lower case, words joined by `-`, at most 60 bytes.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        if slug.len() >= 60 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "note".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests;
