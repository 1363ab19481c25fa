//! Waiting for a condition with a deadline, and failing with what was waited for.

use std::time::{Duration, Instant};

/// How long a test waits for anything before it fails. Only a test that fails ever takes that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition is looked at that nobody announces.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until the condition holds.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, || holds().then_some(()));
}

/// Waits until the condition holds, for work that takes long on a busy machine.
#[track_caller]
pub(crate) fn until_within(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    if wait_as_long_as(patience, || holds().then_some(())).is_none() {
        panic!("waited {patience:?} in vain until {what}");
    }
}

/// Waits until there is something and returns it.
#[track_caller]
pub(crate) fn until_some<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    match wait_for(look) {
        Some(found) => found,
        None => panic!("waited {PATIENCE:?} in vain until {what}"),
    }
}

/// Waits until there is something; returns nothing when the time is up, so that the caller can say more.
pub(super) fn wait_for<T>(look: impl FnMut() -> Option<T>) -> Option<T> {
    wait_as_long_as(PATIENCE, look)
}

fn wait_as_long_as<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
