//! Moments in UTC with the resolution that Draft stores: a millisecond.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns how long ago `earlier` was, or nothing when the clock went back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns when the day began in which this is, by the clocks of a zone.
    pub fn start_of_day(self, zone: FixedOffset) -> Self {
        const DAY: i64 = 86_400_000;
        let ahead = i64::from(zone.local_minus_utc()) * 1000;
        Self(self.0 - (self.0.saturating_add(ahead)).rem_euclid(DAY))
    }

    /// Returns the moment that is so much later.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the moment as chrono knows it; one that chrono cannot hold becomes 1970.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_millis())
    }
}

/// RFC 3339 with milliseconds, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_somebody_lives() {
        let zone = |hours: i32| FixedOffset::east_opt(hours * 3600).unwrap();
        // 2026-11-24 23:30 UTC.
        let at = Timestamp(1_795_563_000_000);
        let begun = |hours| at.start_of_day(zone(hours)).to_string();
        assert_eq!(begun(0), "2026-11-24T00:00:00.000Z");
        assert_eq!(begun(9), "2026-11-24T15:00:00.000Z", "it is the 25th there");
        assert_eq!(begun(-5), "2026-11-24T05:00:00.000Z");
    }
}
