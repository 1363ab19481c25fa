//! Numbers as people read them: times, durations, counts, sizes and money. Nothing here reads a clock.

use std::time::Duration;

use chrono::FixedOffset;

use crate::domain::money::dollars;
use crate::domain::ticket::Usage;
use crate::domain::time::Timestamp;

pub use crate::domain::money::grouped as count;

/// Returns the time of day, `12:03:41`, in the zone given.
pub fn clock(at: Timestamp, zone: FixedOffset) -> String {
    at.to_utc().with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// Returns the day and minute, `2026-11-24 12:03`, in the zone given.
pub fn date(at: Timestamp, zone: FixedOffset) -> String {
    at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

/// Returns the day, `2026-11-24`, in the zone given.
pub fn day(at: Timestamp, zone: FixedOffset) -> String {
    at.to_utc().with_timezone(&zone).format("%Y-%m-%d").to_string()
}

/// Returns a duration in whole seconds: `32s`, `1m32s`, `3h05m`, `2d`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d", count(seconds / 86_400)),
    }
}

/// Returns how long something took, with more digits where it was short: `340ms`, `6.1s`, then as [`duration`].
pub fn took(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1_000 => format!("{millis}ms"),
        millis @ 1_000..10_000 => format!("{}.{}s", millis / 1_000, millis / 100 % 10),
        _ => duration(time),
    }
}

/// Returns how long ago something was: `now`, `32s ago`, `5m ago`, `3h ago`, `2d ago`.
pub fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..5 => "now".to_owned(),
        5..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", count(seconds / 86_400)),
    }
}

/// Returns the count and its noun: `1 line`, `1,204 lines`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Returns a number of tokens, rounded down: `950`, `1.2k`, `41k`, `2.6M`.
pub fn tokens(number: u64) -> String {
    scaled(number, &["", "k", "M", "G", "T"])
}

/// Returns a size in bytes, rounded down: `512 B`, `1.2 kB`, `41 MB`.
pub fn bytes(number: u64) -> String {
    scaled(number, &[" B", " kB", " MB", " GB", " TB"])
}

/// Writes at most three digits (of the last unit more), one of them after the point where there is room.
fn scaled(number: u64, units: &[&str]) -> String {
    let mut unit = 1;
    let mut last = 0;
    while last + 1 < units.len() && number / unit >= 1_000 {
        unit *= 1_000;
        last += 1;
    }
    let whole = number / unit;
    let tenth = number % unit / (unit / 10).max(1);
    match (last, whole, tenth) {
        (1.., 0..10, 1..10) => format!("{whole}.{tenth}{}", units[last]),
        _ => format!("{}{}", count(whole), units[last]),
    }
}

/// Returns what was used: `41k tokens`, `41k tokens · $1.42`; `dot` stands between.
pub fn usage(usage: Usage, dot: &str) -> String {
    let tokens = tokens(usage.tokens());
    match usage.cost_micros {
        None => format!("{tokens} tokens"),
        Some(micros) => format!("{tokens} tokens {dot} {}", dollars(micros)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_the_most() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (92, "1m32s"),
            (3_599, "59m59s"),
            (11_100, "3h05m"),
            (86_399, "23h59m"),
            (172_800, "2d"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        assert_eq!(duration(Duration::MAX), "213,503,982,334,601d");
        assert_eq!(took(Duration::from_millis(340)), "340ms");
        assert_eq!(took(Duration::from_millis(6_199)), "6.1s");
        assert_eq!(took(Duration::from_millis(92_500)), "1m32s");
    }

    #[test]
    fn moments_are_told_by_their_distance_or_by_the_clock() {
        for (seconds, text) in [(0, "now"), (5, "5s ago"), (300, "5m ago"), (11_100, "3h ago"), (200_000, "2d ago")] {
            assert_eq!(ago(Duration::from_secs(seconds)), text);
        }
        let at = Timestamp(1_790_078_621_000);
        let zone = FixedOffset::east_opt(2 * 3_600).unwrap();
        assert_eq!(clock(at, zone), "14:03:41");
        assert_eq!(date(at, zone), "2026-09-22 14:03");
        assert_eq!(day(at, zone), "2026-09-22");
    }

    #[test]
    fn numbers_are_short_and_never_round_up() {
        for (number, text) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(count(number), text);
        }
        for (number, text) in [
            (950, "950"),
            (1_000, "1k"),
            (1_250, "1.2k"),
            (9_999, "9.9k"),
            (41_999, "41k"),
            (999_999, "999k"),
            (2_600_000, "2.6M"),
            (u64::MAX, "18,446,744T"),
        ] {
            assert_eq!(tokens(number), text);
        }
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_250), "1.2 kB");
        assert_eq!(bytes(41_000_000), "41 MB");
        assert_eq!(counted(1, "line", "lines"), "1 line");
        assert_eq!(counted(1_204, "line", "lines"), "1,204 lines");
    }

    #[test]
    fn usage_names_the_cost_only_where_it_is_known() {
        let used = Usage { input_tokens: 40_000, output_tokens: 1_500, cost_micros: None };
        assert_eq!(usage(used, "·"), "41k tokens");
        assert_eq!(usage(Usage { cost_micros: Some(1_420_000), ..used }, "·"), "41k tokens · $1.42");
    }
}
