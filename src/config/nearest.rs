//! Finds the word that somebody probably meant.

/// Returns the candidate that is nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let scored = candidates.map(|candidate| {
        let part = word.len() >= 4 && (candidate.contains(word) || word.contains(candidate));
        (distance(word, candidate), part, candidate)
    });
    let near = scored.filter(|(distance, part, _)| *part || *distance <= limit);
    near.min_by_key(|(distance, _, _)| *distance).map(|(_, _, candidate)| candidate)
}

/// Returns how many letters must be changed, added, taken away or swapped with a neighbour to make one from the other.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(100).map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<char> = b.chars().take(100).map(|c| c.to_ascii_lowercase()).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let words = ["timeout", "idle_timeout", "commands", "default_strategy"];
        for (word, expected) in [
            ("timeuot", Some("timeout")),
            ("Timeout", Some("timeout")),
            ("timeouts", Some("timeout")),
            ("command", Some("commands")),
            ("strategy", Some("default_strategy")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, words.into_iter()), expected, "{word}");
        }
    }

    #[test]
    fn the_distance_counts_a_swap_as_one() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
