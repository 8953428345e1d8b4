//! Where a queue begins. A row of it is deleted when it had its turn, and the store passes over what was deleted until it
//! writes its tables anew: a queue that is always read from the first key passes over all that ever was in it, and a batch
//! of ten thousand rows gets slower with each. So it is read from where it began the last time.
//!
//! **Invariant:** whoever commits a row tells of it afterwards ([`Beginning::tell`]); a step that puts its own row off need
//! not, because until its commit the old row, which is older, is there.
//!
//! A caller that goes away between its commit and its word is made good by itself: now and then all of it is read. That
//! goes by time and not by the number of looks: there are more looks the more rows there were, and each would cost more.

use std::{ops::Range, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long looks begin where the queue began, until one begins at the first key again.
const ALL_EVERY: Duration = Duration::from_secs(60);

/// Where a queue begins, as far as is known.
#[derive(Default)]
pub(crate) struct Beginning(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// No row is before this key.
    from: Vec<u8>,
    /// How often somebody told of a row.
    told: u64,
    /// When all of it was read.
    all_at: Option<Instant>,
}

/// A look at the queue that is under way.
pub(crate) struct Look {
    told: u64,
}

impl Beginning {
    /// Begins a look, before the snapshot is taken that it reads; moves the beginning of `range` to that of the queue.
    pub(crate) fn look(&self, range: &mut Range<Vec<u8>>) -> Look {
        self.look_at(range, Instant::now())
    }

    fn look_at(&self, range: &mut Range<Vec<u8>>, now: Instant) -> Look {
        let mut known = self.0.lock();
        if known.all_at.is_none_or(|at| now.duration_since(at) >= ALL_EVERY) {
            (known.all_at, known.from) = (Some(now), Vec::new());
        }
        if known.from > range.start {
            // A range that ends before the queue begins is empty, and not upside down.
            range.start = known.from.clone().min(range.end.clone());
        }
        Look { told: known.told }
    }

    /// Ends a look that found this key first, unless somebody told of a row meanwhile.
    pub(crate) fn found(&self, look: &Look, first: Vec<u8>) {
        let mut known = self.0.lock();
        if known.told == look.told && first > known.from {
            known.from = first;
        }
    }

    /// There is a row with this key.
    pub(crate) fn tell(&self, key: Vec<u8>) {
        let mut known = self.0.lock();
        known.told += 1;
        if key < known.from {
            known.from = key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(beginning: &Beginning) -> (Look, Range<Vec<u8>>) {
        range_at(beginning, Instant::now())
    }

    fn range_at(beginning: &Beginning, now: Instant) -> (Look, Range<Vec<u8>>) {
        let mut range = vec![1]..vec![9];
        (beginning.look_at(&mut range, now), range)
    }

    #[test]
    fn a_look_begins_where_the_last_one_found_the_first_row() {
        let beginning = Beginning::default();
        let (look, first) = range(&beginning);
        assert_eq!(first, vec![1]..vec![9]);
        beginning.found(&look, vec![5]);
        assert_eq!(range(&beginning).1, vec![5]..vec![9]);
        beginning.tell(vec![3]);
        assert_eq!(range(&beginning).1, vec![3]..vec![9]);
    }

    #[test]
    fn what_is_told_during_a_look_is_not_passed_over_by_what_it_found() {
        let beginning = Beginning::default();
        let (look, _) = range(&beginning);
        // It was committed after the look took its snapshot.
        beginning.tell(vec![3]);
        beginning.found(&look, vec![5]);
        assert_eq!(range(&beginning).1, vec![1]..vec![9]);
    }

    #[test]
    fn all_of_it_is_read_after_a_while_however_many_looks_there_are() {
        let beginning = Beginning::default();
        let now = Instant::now();
        let (look, _) = range_at(&beginning, now);
        beginning.found(&look, vec![5]);
        let start_at = |after: Duration| range_at(&beginning, now + after).1.start;
        let almost = ALL_EVERY - Duration::from_millis(1);
        assert!((0..1_000).all(|_| start_at(almost) == [5]));
        assert_eq!(start_at(ALL_EVERY), [1]);
    }

    #[test]
    fn a_range_before_the_beginning_is_empty() {
        let beginning = Beginning::default();
        let (look, _) = range(&beginning);
        beginning.found(&look, vec![8]);
        let mut before = vec![1]..vec![4];
        beginning.look(&mut before);
        assert_eq!(before, vec![4]..vec![4]);
    }
}
