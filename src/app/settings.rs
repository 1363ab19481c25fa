//! Tells that what the settings say has changed, so that the screen and the engine act on it without being asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::config::in_force::InForce;
use crate::engine::Workshop;

/// How often the files are looked at. They are two pages of text; a watch by the system would miss what editors do, which
/// put a new file in the place of the old one, and folders that are not there yet. Each look wakes the process two or three
/// times, so a person who saved waits for a moment.
const LOOK: Duration = Duration::from_secs(2);

/// Looks at the settings now and then.
pub(super) struct SettingsWatch {
    workshop: Arc<Workshop>,
    seen: InForce,
    looks: Interval,
}

impl SettingsWatch {
    /// Tells of what changes from now on.
    pub(super) fn new(workshop: Arc<Workshop>) -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { seen: workshop.in_force(), workshop, looks }
    }

    /// Returns once something changed. Dropping the future loses nothing.
    pub(super) async fn changed(&mut self) {
        loop {
            self.looks.tick().await;
            let now = self.workshop.in_force();
            if !same(&self.seen, &now) {
                self.seen = now;
                return;
            }
        }
    }
}

fn same(before: &InForce, now: &InForce) -> bool {
    let settings = match (&before.settings, &now.settings) {
        (Some(before), Some(now)) => Arc::ptr_eq(before, now),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    settings && before.problem == now.problem
}
