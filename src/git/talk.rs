//! Talks with a child: gives it its input, takes all that it says and waits for its end, without a thread of its own.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// How long to listen after a child ended, when a child of its own keeps its output open.
const DRAIN: Duration = Duration::from_millis(200);
/// How much may still lie in the two pipes of a child when it has ended; no pipe is larger, unless root made it so.
const PIPES: usize = 2 << 20;
/// How much is read at once. It lies on the stack: many calls at once would tear large holes into the heap.
const CHUNK: usize = 16 * 1024;

/// A talk with a child.
pub(super) struct Talk {
    process: OwnedFd,
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    input: Option<Input>,
    said: Said,
    /// How many bytes of output are taken at the most.
    most: usize,
    /// When the child was seen to have ended, and how much may lie in its pipes at most.
    ended: Option<(Instant, usize)>,
}

/// What a child said.
#[derive(Default)]
pub(super) struct Said {
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
}

/// Whether a child is heard out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// It has ended, and all its output is there.
    Out,
    /// It has not ended in time.
    NotInTime,
    /// It says more than anybody wants to hear.
    TooMuch,
}

struct Input {
    pipe: ChildStdin,
    bytes: Vec<u8>,
    given: usize,
}

/// Who has something for us, or takes something.
struct Ready {
    out: bool,
    err: bool,
    input: bool,
    process: bool,
}

impl Talk {
    /// Begins a talk. The child stays a zombie when it ends, so that its id cannot become another process's.
    pub(super) fn with(child: &mut Child, input: Option<Vec<u8>>) -> io::Result<Self> {
        let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        let input = match (child.stdin.take(), input) {
            (Some(pipe), Some(bytes)) => {
                fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
                Some(Input { pipe, bytes, given: 0 })
            }
            (_, _) => None,
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Ok(Self { process, out, err, input, said: Said::default(), most: usize::MAX, ended: None })
    }

    /// Takes no more output than this.
    pub(super) fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Returns what was said.
    pub(super) fn said(self) -> Said {
        self.said
    }

    /// Talks until the child has ended and all its output is there. Once it has ended in time its output is read however
    /// late this thread gets its turn: half of what git says is worse than nothing. Somebody else who keeps a pipe open is
    /// listened to for a moment only.
    pub(super) fn go_on(&mut self, deadline: Instant) -> Heard {
        let mut buffer = [0; CHUNK];
        loop {
            match self.ended {
                Some(_) if self.out.is_none() && self.err.is_none() => return Heard::Out,
                Some((at, 0)) if at.elapsed() >= DRAIN => return Heard::Out,
                Some(_) | None => {}
            }
            let until = self.ended.map_or(deadline, |(at, _)| at + DRAIN);
            let Some(ready) = self.wait(until) else {
                return if self.ended.is_some() { Heard::Out } else { Heard::NotInTime };
            };
            let mut taken = 0;
            if ready.out {
                taken += take(&mut self.out, &mut buffer, &mut self.said.out);
            }
            if ready.err {
                taken += take(&mut self.err, &mut buffer, &mut self.said.err);
            }
            if self.said.out.len() > self.most {
                return Heard::TooMuch;
            }
            if ready.input {
                self.give();
            }
            self.ended = self.ended.map(|(at, left)| (at, left.saturating_sub(taken)));
            if ready.process {
                self.ended = Some((Instant::now(), PIPES));
                self.input = None;
            }
            if self.ended.is_none() && Instant::now() >= deadline {
                return Heard::NotInTime;
            }
        }
    }

    /// Waits until somebody is ready; nothing when it is too late.
    fn wait(&self, until: Instant) -> Option<Ready> {
        let process = self.ended.is_none().then(|| self.process.as_fd());
        let asked: [(Option<BorrowedFd<'_>>, PollFlags); 4] = [
            (self.out.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.err.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.input.as_ref().map(|input| input.pipe.as_fd()), PollFlags::OUT),
            (process, PollFlags::IN),
        ];
        let mut polled: Vec<PollFd<'_>> =
            asked.iter().filter_map(|(fd, flags)| fd.map(|fd| PollFd::from_borrowed_fd(fd, *flags))).collect();
        loop {
            let time = Timespec::try_from(until.saturating_duration_since(Instant::now())).ok();
            match poll(&mut polled, time.as_ref()) {
                Err(Errno::INTR) => {}
                Err(_) | Ok(0) => return None,
                Ok(_) => break,
            }
        }
        let mut answers = polled.iter().map(|one| !one.revents().is_empty());
        let [out, err, input, process] = asked.map(|(fd, _)| fd.is_some() && answers.next() == Some(true));
        Some(Ready { out, err, input, process })
    }

    /// Gives as much input as the pipe takes. A child that ends without reading everything says why itself.
    fn give(&mut self) {
        let Some(input) = &mut self.input else { return };
        match input.pipe.write(&input.bytes[input.given..]) {
            Ok(count) if count > 0 => input.given += count,
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Ok(_) | Err(_) => input.given = input.bytes.len(),
        }
        if input.given == input.bytes.len() {
            self.input = None;
        }
    }
}

/// Takes what lies in a pipe, once, and drops the pipe at its end. Returns how much it was.
fn take(pipe: &mut Option<impl Read>, buffer: &mut [u8], said: &mut Vec<u8>) -> usize {
    let Some(reader) = pipe else { return 0 };
    match reader.read(buffer) {
        Ok(count) if count > 0 => {
            said.extend_from_slice(&buffer[..count]);
            count
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
        Ok(_) | Err(_) => {
            *pipe = None;
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::process::{WaitId, WaitIdOptions, waitid};

    use super::*;

    #[test]
    fn output_is_there_however_late_its_reader_gets_its_turn() {
        let script = "head -c 60000 /dev/zero; echo no >&2";
        let mut shell = Command::new("sh");
        let pipes = shell.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let mut talk = Talk::with(&mut child, None).unwrap();
        let pid = Pid::from_child(&child);
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        assert_eq!(talk.go_on(Instant::now()), Heard::Out);
        let said = talk.said();
        assert_eq!((said.out.len(), said.err), (60_000, b"no\n".to_vec()));
        child.wait().unwrap();
    }

    #[test]
    fn a_child_that_talks_without_an_end_is_not_in_time() {
        let mut child = Command::new("yes").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut talk = Talk::with(&mut child, None).unwrap();
        assert_eq!(talk.go_on(Instant::now() + Duration::from_millis(20)), Heard::NotInTime);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
