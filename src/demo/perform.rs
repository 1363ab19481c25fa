//! Does what a script says: real edits, real commands, and all the ways in which a program can misbehave.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::program;
use super::script::Directive;
use super::stream::Stream;

/// Longest wait for a file, so that a forgotten agent does not live for ever.
const UNTIL_LIMIT: Duration = Duration::from_secs(600);
/// A line of a flood, its end included.
const LINE_BYTES: usize = 100;

/// How the work ended, before the final event.
pub(super) enum Ended {
    /// Well, as far as the agent can tell.
    Finished,
    /// With an error that the final event tells.
    Failed { code: u8, why: String },
    /// At once, without a final event.
    Gone(u8),
}

/// Works in a directory and prints what it does.
pub(super) struct Performer<'a, W> {
    stream: Stream<W>,
    dir: &'a Path,
    program: &'a Path,
}

/// What keeps a step from being done.
pub(super) enum Trouble {
    /// The work cannot go on; the final event says why.
    Work(String),
    /// Nobody reads the output any more, so there is no final event either.
    Output(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Work(why)
    }
}

type Step = Result<(), Trouble>;

impl<'a, W: Write> Performer<'a, W> {
    pub(super) fn new(stream: Stream<W>, dir: &'a Path, program: &'a Path) -> Self {
        Self { stream, dir, program }
    }

    pub(super) fn stream(&mut self) -> &mut Stream<W> {
        &mut self.stream
    }

    /// Follows a script in its order, until it ends or something ends it.
    pub(super) fn follow(&mut self, script: &[Directive]) -> Result<Ended, Trouble> {
        for directive in script {
            if let Some(ended) = self.perform(directive)? {
                return Ok(ended);
            }
        }
        Ok(Ended::Finished)
    }

    /// Does one thing; returns how the work ended if that ended it.
    fn perform(&mut self, directive: &Directive) -> Result<Option<Ended>, Trouble> {
        match directive {
            Directive::Begin | Directive::Session(_) => {}
            Directive::Say(text) => self.stream.say(text)?,
            Directive::Think(text) => self.stream.think(text)?,
            Directive::Nothing => self.stream.say("There is nothing to change.")?,
            Directive::Write { path, content } => self.write(path, content)?,
            Directive::Append { path, text } => self.append(path, text)?,
            Directive::Edit { path, old, new } => self.edit(path, old, new)?,
            Directive::Delete(path) => self.delete(path)?,
            Directive::Run(command) => self.run(command)?,
            Directive::Commit(message) => self.commit(message)?,
            Directive::Touch(path) => touch(&self.dir.join(path))?,
            Directive::Until(path) => wait_for(&self.dir.join(path))?,
            Directive::Fork(time) => program::leave_child(*time)?,
            Directive::Daemon(time) => program::leave_daemon(self.program, *time)?,
            Directive::Stubborn => program::ignore_polite_signal()?,
            Directive::Wait(time) => std::thread::sleep(*time),
            Directive::Lines(lines) => self.flood(*lines)?,
            Directive::Rate { lines, per_second } => self.drip(*lines, *per_second)?,
            Directive::Half => self.stream.raw(b"half a character: \xe2\x82\n")?,
            Directive::Escape => self.escape()?,
            Directive::Binary => self.binary()?,
            Directive::Denied(tool) => self.stream.denied(tool)?,
            Directive::Retry(times) => {
                for attempt in 1..=*times {
                    self.stream.retry(attempt)?;
                }
            }
            Directive::Stderr(text) => writeln!(io::stderr(), "{text}")?,
            Directive::Once { path, then } => match create_new(&self.dir.join(path))? {
                Made::Now => return self.perform(then),
                Made::Before => {}
            },
            Directive::Ask(question) => return self.ask(question).map(Some),
            Directive::Fail(code) => {
                let why = self.stream.said().unwrap_or("The script says that this fails.").to_owned();
                return Ok(Some(Ended::Failed { code: *code, why }));
            }
            Directive::Exit(code) => return Ok(Some(Ended::Gone(*code))),
            Directive::Truncate => {
                self.stream.raw(br#"{"type":"assistant","message":{"role":"assistant","content":[{"type":"te"#)?;
                return Ok(Some(Ended::Gone(0)));
            }
            Directive::Hang => program::hang(),
        }
        Ok(None)
    }

    fn ask(&mut self, question: &str) -> Result<Ended, Trouble> {
        let mark = if question.ends_with('?') { "" } else { "?" };
        self.stream.say(&format!("{question}{mark}"))?;
        Ok(Ended::Finished)
    }

    /// Reads a file of the directory, as a look at the code does.
    pub(super) fn read(&mut self, path: &Path) -> Step {
        let path = self.dir.join(path);
        let call = self.stream.call("Read", &json!({"file_path": path}))?;
        let told = match fs::read_to_string(&path) {
            Ok(content) => {
                let mut numbered = String::new();
                for (n, line) in content.lines().enumerate() {
                    numbered.push_str(&format!("{}\t{line}\n", n + 1));
                }
                self.stream.answer(&call, Ok(&numbered))
            }
            Err(error) => self.stream.answer(&call, Err(&format!("could not read {}: {error}", path.display()))),
        };
        Ok(told?)
    }

    /// Writes a file, with the folders above it.
    pub(super) fn write(&mut self, path: &Path, content: &str) -> Step {
        let path = self.dir.join(path);
        let call = self.stream.call("Write", &json!({"file_path": path, "content": content}))?;
        let done = write_file(&path, content).map(|()| format!("File created successfully at: {}", path.display()));
        self.tell(&call, done)
    }

    fn append(&mut self, path: &Path, text: &str) -> Step {
        let before = match fs::read_to_string(self.dir.join(path)) {
            Ok(before) => before,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("could not read {}: {error}", path.display()).into()),
        };
        self.write(path, &(before + text))
    }

    /// Replaces the first place where `old` stands.
    pub(super) fn edit(&mut self, path: &Path, old: &str, new: &str) -> Step {
        let path = self.dir.join(path);
        let input = json!({"file_path": path, "old_string": old, "new_string": new, "replace_all": false});
        let call = self.stream.call("Edit", &input)?;
        let done =
            edit_file(&path, old, new).map(|()| format!("The file {} has been updated successfully.", path.display()));
        self.tell(&call, done)
    }

    /// Deletes a file.
    pub(super) fn delete(&mut self, path: &Path) -> Step {
        let command = format!("rm -- {}", shlex::try_quote(&path.to_string_lossy()).unwrap_or_default());
        let call = self.stream.call("Bash", &json!({"command": command}))?;
        let path = self.dir.join(path);
        let done = fs::remove_file(&path)
            .map(|()| "(Bash completed with no output)".to_owned())
            .map_err(|error| format!("could not delete {}: {error}", path.display()));
        self.tell(&call, done)
    }

    /// Runs a command with the shell; that it fails is no failure of the agent.
    pub(super) fn run(&mut self, command: &str) -> Step {
        let call = self.stream.call("Bash", &json!({"command": command}))?;
        let printed = program::shell(self.dir, command);
        Ok(self.stream.answer(&call, printed.as_deref().map_err(String::as_str))?)
    }

    fn commit(&mut self, message: &str) -> Step {
        let quoted = shlex::try_quote(message).unwrap_or_default().into_owned();
        let call = self.stream.call("Bash", &json!({"command": format!("git add -A && git commit -m {quoted}")}))?;
        let done = program::git(self.dir, &["add", "-A"])
            .and_then(|_| program::git(self.dir, &["commit", "--quiet", "-m", message]))
            .and_then(|_| program::git(self.dir, &["log", "-1", "--oneline"]));
        self.tell(&call, done)
    }

    fn tell(&mut self, call: &str, done: Result<String, String>) -> Step {
        self.stream.answer(call, done.as_deref().map_err(String::as_str))?;
        done?;
        Ok(())
    }

    /// Prints numbered lines of 100 bytes as fast as it can.
    fn flood(&mut self, lines: u64) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(64 * 1024, self.stream.out());
        for n in 1..=lines {
            out.write_all(&numbered_line(n))?;
        }
        out.flush()
    }

    /// Prints numbered lines at an even pace.
    fn drip(&mut self, lines: u64, per_second: u64) -> io::Result<()> {
        let started = Instant::now();
        for n in 1..=lines {
            self.stream.raw(&numbered_line(n))?;
            let due = Duration::from_micros(n.saturating_mul(1_000_000) / per_second);
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
        Ok(())
    }

    fn escape(&mut self) -> io::Result<()> {
        let hostile =
            "\u{1b}[2J\u{1b}[H\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} \u{1b}[?1049h\u{9b}5n\rover \u{8}\u{202e}back";
        self.stream.raw(hostile.as_bytes())?;
        self.stream.raw(b"\n")?;
        self.stream.say(hostile)
    }

    fn binary(&mut self) -> io::Result<()> {
        let mut bytes: Vec<u8> = (0..=255).collect();
        bytes.push(b'\n');
        self.stream.raw(&bytes)
    }
}

fn numbered_line(n: u64) -> Vec<u8> {
    let mut line = format!("L{n:09} ").into_bytes();
    line.resize(LINE_BYTES - 1, b'.');
    line.push(b'\n');
    line
}

fn write_file(path: &Path, content: &str) -> Result<(), String> {
    let written = match path.parent() {
        Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(path, content)),
        None => fs::write(path, content),
    };
    written.map_err(|error| format!("could not write {}: {error}", path.display()))
}

fn edit_file(path: &Path, old: &str, new: &str) -> Result<(), String> {
    let before = fs::read_to_string(path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    if !before.contains(old) {
        return Err(format!("the text to be replaced is not in {}", path.display()));
    }
    write_file(path, &before.replacen(old, new, 1))
}

fn touch(path: &Path) -> Result<(), String> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map(drop)
        .map_err(|error| format!("could not touch {}: {error}", path.display()))
}

/// Whether a file was made just now.
enum Made {
    Now,
    Before,
}

fn create_new(path: &Path) -> Result<Made, String> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(_) => Ok(Made::Now),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Made::Before),
        Err(error) => Err(format!("could not create {}: {error}", path.display())),
    }
}

fn wait_for(path: &Path) -> Result<(), String> {
    let started = Instant::now();
    while !path.exists() {
        if started.elapsed() > UNTIL_LIMIT {
            return Err(format!("waited {} s for {}", UNTIL_LIMIT.as_secs(), path.display()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
