//! Many agents that leave processes behind in sessions of their own: afterwards nothing is left of any of them.

use std::time::Duration;

use crate::engine::Yard;
use crate::support::until_within;

/// Ways to leave a process behind: in the agent's group, in a session of its own, with its parent gone, deaf to the polite
/// signal, under another name, without the environment that it was born with, and standing still.
const STRAYS: [&str; 6] = [
    "[[daemon 900]] [[fork 900]]",
    "[[stubborn]] [[daemon 900]] [[fork 900]]",
    "[[run setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' > /dev/null 2>&1 &]]",
    "[[run (setsid sh -c 'exec -a kworker/u8:3 sleep 900' > /dev/null 2>&1 &)]]",
    "[[run cd / && (env -i /bin/sh -c '(setsid sleep 900 &) & exit' > /dev/null 2>&1 &)]]",
    "[[run setsid sh -c 'kill -STOP $$' > /dev/null 2>&1 &]]",
];

/// How many tickets there are: a dozen, or what `DRAFT_STORM_DAEMONS` says.
fn count() -> usize {
    std::env::var("DRAFT_STORM_DAEMONS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[test]
fn nothing_is_left_of_agents_that_leave_daemons_in_their_own_sessions() {
    let yard = Yard::new();
    let script = |n: usize| format!("{} [[write made.txt {n}]] [[say done]]", STRAYS[n % STRAYS.len()]);
    yard.tickets(&(0..count()).map(script).collect::<Vec<_>>());
    let mut engine = yard.engine(&["--max-parallel", "8"]);
    until_within(Duration::from_secs(600), "all tickets are done", || engine.has_ended());
    engine.wait().ok();
    for n in 1..=count() {
        yard.show(n).assert("needs_human (review)", "");
    }
    yard.assert_tidy(count());
}
