//! Keeps lists of places in a file bounded, however long the file gets.

/// Drops every second one of a list, beginning with the second: what is left stands at twice the distance.
pub fn halve<T>(list: &mut Vec<T>) {
    let mut keep = false;
    list.retain(|_| {
        keep = !keep;
        keep
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stays_and_the_rest_stand_twice_as_far_apart() {
        let mut list = vec![0, 10, 20, 30, 40];
        halve(&mut list);
        assert_eq!(list, [0, 20, 40]);
        halve(&mut list);
        assert_eq!(list, [0, 40]);
    }
}
