//! Where a line went: comments follow their lines from one revision to the next.

use super::diff::{Content, DiffLine, FileChange, FileDiff, Hunk};
use super::review::{Side, Spot};

/// Where something that was said about a revision is in a newer one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// There, perhaps in a file of another name or at another line.
    At(Spot),
    /// Its line was edited, or its file is gone.
    Orphaned,
}

/// Returns where a spot is now, given what differs between the revision that it is about and the newer one.
///
/// A spot on the old side is about what the change started from, which is the same for both.
pub fn follow(spot: &Spot, between: &[FileDiff]) -> Place {
    if spot.side == Side::Old {
        return Place::At(spot.clone());
    }
    let name_before = |file: &FileDiff| match file.change {
        FileChange::Added => false,
        FileChange::Renamed => file.old_path.as_deref() == Some(spot.path.as_str()),
        FileChange::Deleted | FileChange::Modified => file.path == spot.path,
    };
    let Some(file) = between.iter().find(|file| name_before(file)) else { return Place::At(spot.clone()) };
    if file.change == FileChange::Deleted {
        return Place::Orphaned;
    }
    let moved = match (spot.lines, &file.content) {
        (None, _) => Some(None),
        (Some((first, last)), Content::Text(hunks)) => match (line(first, hunks), line(last, hunks)) {
            (Some(first), Some(last)) if first <= last => Some(Some((first, last))),
            _ => None,
        },
        (Some(_), Content::Binary { .. } | Content::TooLarge { .. } | Content::Submodule { .. }) => None,
    };
    moved.map_or(Place::Orphaned, |lines| Place::At(Spot { path: file.path.clone(), lines, ..spot.clone() }))
}

/// Returns the number that a line has after these hunks; nothing for one that is not there any more.
pub fn line(number: u32, hunks: &[Hunk]) -> Option<u32> {
    let mut shift = 0_i64;
    for hunk in hunks {
        // As git counts: where a side has no line, the number is that of the line before.
        let start = hunk.old_start + u32::from(hunk.old_lines == 0);
        if number < start {
            break;
        }
        if number < start + hunk.old_lines {
            return within(number, hunk);
        }
        shift = i64::from(hunk.new_start + u32::from(hunk.new_lines == 0)) + i64::from(hunk.new_lines)
            - i64::from(start)
            - i64::from(hunk.old_lines);
    }
    u32::try_from(i64::from(number) + shift).ok()
}

fn within(number: u32, hunk: &Hunk) -> Option<u32> {
    let (mut old, mut new) = (hunk.old_start, hunk.new_start);
    for line in &hunk.lines {
        match line {
            DiffLine::Context(_) if old == number => return Some(new),
            DiffLine::Removed(_) if old == number => return None,
            DiffLine::Context(_) => (old, new) = (old + 1, new + 1),
            DiffLine::Removed(_) => old += 1,
            DiffLine::Added(_) => new += 1,
            DiffLine::NoNewline => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file as lines that are all different, edited: what is kept, with what comes before each line.
    fn edits() -> impl Strategy<Value = Vec<(bool, u32)>> {
        prop::collection::vec((prop::bool::weighted(0.8), prop_oneof![6 => Just(0_u32), 1 => 1_u32..4]), 1..80)
    }

    /// The hunks of such an edit with `context` lines around, and for each old line its number now.
    fn hunks(edits: &[(bool, u32)], context: usize) -> (Vec<Hunk>, Vec<Option<u32>>) {
        let mut all = Vec::new();
        let mut now = Vec::new();
        let mut new = 0;
        for (at, (kept, before)) in edits.iter().enumerate() {
            for n in 0..*before {
                new += 1;
                all.push(DiffLine::Added(format!("new {at}.{n}")));
            }
            if *kept {
                new += 1;
                now.push(Some(new));
                all.push(DiffLine::Context(format!("old {at}")));
            } else {
                now.push(None);
                all.push(DiffLine::Removed(format!("old {at}")));
            }
        }
        let is_edit = |line: &DiffLine| !matches!(line, DiffLine::Context(_));
        let near = |at: usize| {
            let from = at.saturating_sub(context);
            all[from..(at + context + 1).min(all.len())].iter().any(is_edit)
        };
        let mut hunks: Vec<Hunk> = Vec::new();
        let (mut old, mut new) = (0, 0);
        let mut open = false;
        for (at, line) in all.iter().enumerate() {
            if near(at) {
                if !open {
                    hunks.push(Hunk { old_start: old, old_lines: 0, new_start: new, new_lines: 0, lines: Vec::new() });
                }
                hunks.last_mut().unwrap().lines.push(line.clone());
            }
            open = near(at);
            let (in_old, in_new) = (!matches!(line, DiffLine::Added(_)), !matches!(line, DiffLine::Removed(_)));
            (old, new) = (old + u32::from(in_old), new + u32::from(in_new));
            if open {
                let hunk = hunks.last_mut().unwrap();
                if in_old && hunk.old_lines == 0 {
                    hunk.old_start = old;
                }
                if in_new && hunk.new_lines == 0 {
                    hunk.new_start = new;
                }
                hunk.old_lines += u32::from(in_old);
                hunk.new_lines += u32::from(in_new);
            }
        }
        (hunks, now)
    }

    fn spot(first: u32, last: u32) -> Spot {
        Spot {
            path: "a.rs".into(),
            side: Side::New,
            lines: Some((first, last)),
            quoted: String::new(),
            hunk: String::new(),
        }
    }

    fn file(change: FileChange, path: &str, hunks: Vec<Hunk>) -> FileDiff {
        FileDiff { change, path: path.into(), old_path: None, modes: None, content: Content::Text(hunks) }
    }

    #[test]
    fn a_spot_goes_with_its_file_and_is_lost_with_it() {
        let renamed = FileDiff { old_path: Some("a.rs".into()), ..file(FileChange::Renamed, "b.rs", Vec::new()) };
        let Place::At(there) = follow(&spot(3, 4), &[renamed]) else { panic!("it is there") };
        assert_eq!((there.path.as_str(), there.lines), ("b.rs", Some((3, 4))));
        assert_eq!(follow(&spot(3, 4), &[file(FileChange::Deleted, "a.rs", Vec::new())]), Place::Orphaned);
        let elsewhere = [file(FileChange::Deleted, "c.rs", Vec::new())];
        assert_eq!(follow(&spot(3, 4), &elsewhere), Place::At(spot(3, 4)));
        let binary = FileDiff {
            content: Content::Binary { old_size: 1, new_size: 2 },
            ..file(FileChange::Modified, "a.rs", Vec::new())
        };
        assert_eq!(follow(&spot(3, 4), std::slice::from_ref(&binary)), Place::Orphaned);
        let whole = Spot { lines: None, ..spot(1, 1) };
        assert_eq!(follow(&whole, &[binary]), Place::At(whole));
    }

    proptest! {
        #[test]
        fn a_line_that_was_kept_is_found_and_no_other_is(edits in edits(), context in 0_usize..4) {
            let (hunks, now) = hunks(&edits, context);
            for (number, expected) in (1..).zip(&now) {
                prop_assert_eq!(line(number, &hunks), *expected, "line {} in {:?}", number, &hunks);
            }
        }

        #[test]
        fn a_range_never_turns_around(edits in edits(), first in 1_u32..80, more in 0_u32..9) {
            let (hunks, _) = hunks(&edits, 3);
            let between = [file(FileChange::Modified, "a.rs", hunks)];
            if let Place::At(Spot { lines: Some((first, last)), .. }) = follow(&spot(first, first + more), &between) {
                prop_assert!(first <= last);
            }
        }
    }
}
