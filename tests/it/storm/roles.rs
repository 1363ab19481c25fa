//! What the agents of a storm do: much output with signs in between, strays left behind, and an end of their own.

use std::fmt::Write;

use super::chance::Chance;

/// The check of all tickets: it says that it started, prints what can be known before, and looks for the agent's file.
pub(super) const CHECK: &str =
    "sh -c 'echo $$ >> @checks-$DRAFT_TICKET; seq 3000; sleep 0.05; test -e made-$DRAFT_TICKET.txt'";

/// What an agent does and how it ends if nobody strikes it.
pub(super) struct Role {
    pub(super) script: String,
    pub(super) end: &'static End,
    /// How many parts its output has; each leaves a sign when it is written.
    pub(super) parts: usize,
    /// How many lines the flood of each part has.
    pub(super) lines: usize,
}

/// How an agent ends, and what becomes of its ticket.
pub(super) struct End {
    pub(super) directive: &'static str,
    pub(super) state: &'static str,
    pub(super) status: &'static str,
    pub(super) code: Option<i64>,
    pub(super) signal: Option<i64>,
}

const ENDS: [End; 6] = [
    End::new("[[say fine]]", "needs_human (review)", "succeeded", Some(0), None),
    End::new("[[binary]] [[say fine too]]", "needs_human (review)", "succeeded", Some(0), None),
    End::new("[[exit 3]]", "blocked (failed)", "failed", Some(3), None),
    End::new("[[fail 7]]", "blocked (failed)", "failed", Some(7), None),
    End::new("[[run kill -9 $PPID]]", "blocked (failed)", "failed", None, Some(9)),
    End::new("[[run kill -15 $PPID]]", "blocked (failed)", "failed", None, Some(15)),
];

impl End {
    const fn new(
        directive: &'static str,
        state: &'static str,
        status: &'static str,
        code: Option<i64>,
        signal: Option<i64>,
    ) -> Self {
        Self { directive, state, status, code, signal }
    }
}

impl Role {
    pub(super) fn new(n: usize, chance: &mut Chance) -> Self {
        let which = chance.of(0..ENDS.len());
        let [parts, lines] = [chance.of(2..6), chance.of(200..3000)];
        let mut script = format!("[[run echo $PPID >> @starts-{n}]] [[write made-{n}.txt {n}]]");
        for stray in [" [[daemon 600]]", " [[fork 600]]"] {
            if chance.once_in(3) {
                script.push_str(stray);
            }
        }
        // One that a signal is to end must not ignore it.
        if ENDS[which].signal.is_none() && chance.once_in(4) {
            script.push_str(" [[stubborn]]");
        }
        for part in 1..=parts {
            let pause = chance.of(0..400);
            let _ = write!(
                script,
                " [[say part {part}]] [[half]] [[binary]] [[lines {lines}]] [[touch @part-{n}-{part}]] [[wait 0.{pause:03}]]"
            );
        }
        let _ = write!(script, " {}", ENDS[which].directive);
        Self { script, end: &ENDS[which], parts, lines }
    }
}
