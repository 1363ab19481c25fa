//! Makes the pictures of the documentation from real runs: `cargo build && cargo run --example picture`. It plays with
//! `draft demo` in a terminal of its own until the board has a ticket in every state, and writes what is on the screen as
//! `docs/*.svg`.

mod svg;
mod terminal;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portable_pty::CommandBuilder;

use terminal::Terminal;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Columns and rows of the board.
const BOARD: (u16, u16) = (150, 40);
/// Columns and rows of a shell.
const SHELL: (u16, u16) = (100, 18);

fn main() -> Result<()> {
    let world = World::new()?;
    world.fill()?;
    world.board()?;
    world.shell()
}

/// A home, a sample repository and its board, away from those of whoever makes the pictures.
struct World {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl World {
    fn new() -> Result<Self> {
        let example = std::env::current_exe()?;
        // The program is built beside the folder of the examples.
        let programs = example.parent().and_then(Path::parent).ok_or("an example lies in a folder")?.to_owned();
        let world = Self { folder: tempfile::tempdir()?, programs };
        fs::write(world.at("gitconfig"), "[user]\n\tname = Ada\n\temail = ada@example.org\n")?;
        Ok(world)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn environment(&self) -> Result<Vec<(&'static str, PathBuf)>> {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(self.programs.clone()).chain(std::env::split_paths(&inherited)))?;
        Ok(vec![
            ("PATH", path.into()),
            ("HOME", self.at("home")),
            ("XDG_CONFIG_HOME", self.at("home/.config")),
            ("GIT_CONFIG_GLOBAL", self.at("gitconfig")),
            ("DRAFT_DATA_DIR", self.at("data")),
            ("TERM", "xterm-256color".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("SHELL", "/bin/sh".into()),
        ])
    }

    /// Runs a command in a folder, which is to end with this code.
    fn run(&self, folder: &str, program: &str, args: &[&str], code: i32) -> Result<()> {
        // Ours, not one that is installed.
        let path = if program == "draft" { self.programs.join(program) } else { program.into() };
        let ran = Command::new(path).args(args).current_dir(self.at(folder)).envs(self.environment()?).output()?;
        if ran.status.code() != Some(code) {
            return Err(format!("{program} {args:?}: {}{}", ran.status, String::from_utf8_lossy(&ran.stderr)).into());
        }
        Ok(())
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        self.run("demo/repo", "git", args, 0)
    }

    fn draft(&self, args: &[&str]) -> Result<()> {
        self.run("demo/repo", "draft", args, 0)
    }

    fn terminal(&self, size: (u16, u16), program: &Path, args: &[&str]) -> Result<Terminal> {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(self.at("demo/repo"));
        for (name, value) in self.environment()? {
            command.env(name, value);
        }
        Terminal::start(size, command)
    }

    /// Brings the board to where it has something of nearly everything: the rest is at work while it is looked at.
    fn fill(&self) -> Result<()> {
        self.run("", "draft", &["demo", "--headless", "--dir", "demo"], 0)?;
        fs::write(self.at("demo/repo/tests/soak.sh"), "# Runs until somebody has seen enough.\nsleep 600\n")?;
        self.git(&["add", "tests/soak.sh"])?;
        self.git(&["commit", "--quiet", "--message", "A test that takes its time"])?;
        self.draft(&["review", "3", "--approve"])?;
        self.draft(&["merge", "3"])?;
        self.add(
            "Stand a day of load",
            &["--verify", "sh tests/soak.sh", "--description", "[[write docs/load.md A day.]]"],
        )?;
        let nothing = "[[say The roots are small; a cache would not be faster.]]";
        self.add("Cache the roots of small numbers", &["--description", nothing])?;
        self.run("demo/repo", "draft", &["run", "9"], 1)?;
        self.add("Print a report a day", &["--after", "4"])
    }

    fn add(&self, title: &str, more: &[&str]) -> Result<()> {
        self.draft(&[&["ticket", "add", "--state", "planned", title], more].concat())
    }

    /// Takes the pictures of the board.
    fn board(&self) -> Result<()> {
        let mut terminal = self.terminal(BOARD, &self.programs.join("draft"), &["--color", "always"])?;
        terminal.until("Planned 3")?;
        terminal.press(":Stand a day", "Stand a day of load")?;
        terminal.press("\r", "╭ #8")?;
        terminal.press("x", "Verifying 1")?;
        terminal.press(":Report the total", "Report the total as")?;
        terminal.press("\r", "╭ #4")?;
        terminal.press("x", "edited,")?;
        write(
            &terminal,
            "board",
            "The board: tickets in columns from proposed to done, and the log of an agent at work",
        )?;

        terminal.press("gq", "What runs and what waits")?;
        write(&terminal, "queue", "What runs, and what waits for what, in the order of turns")?;
        terminal.close("\x1b", "What runs and what waits")?;
        terminal.press(":re", ": re")?;
        write(&terminal, "palette", "The palette over the board: commands and tickets, found by a few letters")?;
        terminal.close("\x1b", "Go to or do")?;

        terminal.press(":Survive", "Survive a percentage")?;
        terminal.press("\r", "╭ #5")?;
        terminal.press("d", "  1   1  # Prints")?;
        terminal.close("|", "  1   1  # Prints")?;
        write(&terminal, "diff", "The change of a ticket, both sides beside each other")?;
        terminal.press("\x1b", "╭ #5")?;
        terminal.press("z<", "run 4 of 5")?;
        terminal.press("<", "run 3 of 5")?;
        terminal.until("edited,")?;
        terminal.press("/percent\r", "/percent 1")?;
        write(&terminal, "log", "A log over the whole screen, with what was searched for marked")?;
        terminal.leave("qs")
    }

    /// Takes the picture of a shell.
    fn shell(&self) -> Result<()> {
        let script = "for line in 'draft diff 5 --stat' 'draft review 5 --approve' 'draft merge 5' 'git log --oneline --no-decorate -2'; do
            printf '\\033[1;32m$\\033[0m %s\\n' \"$line\"; $line; echo; done; printf '\\033[1;32m$\\033[0m '; read end";
        let terminal = self.terminal(SHELL, Path::new("/bin/sh"), &["-c", script])?;
        terminal.until("Show minutes")?;
        write(&terminal, "review", "A change is looked at, approved and landed from a shell")?;
        terminal.leave("\n")
    }
}

fn write(terminal: &Terminal, name: &str, title: &str) -> Result<()> {
    let svg = terminal.look(|screen| svg::picture(screen, title));
    Ok(fs::write(format!("docs/{name}.svg"), svg)?)
}
