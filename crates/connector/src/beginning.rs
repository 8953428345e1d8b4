//! Where a queue begins. A row of it is deleted when it had its turn, and the store passes over what was deleted until it
//! writes its tables anew: a queue that is always read from the first key passes over all that ever was in it, and a batch
//! of ten thousand rows gets slower with each. So it is read from where it began the last time.
//!
//! **Invariant:** whoever commits a row tells of it afterwards ([`Beginning::tell`]); a step that puts its own row off need
//! not, because until its commit the old row, which is older, is there.
//!
//! A caller that goes away between its commit and its word is made good by itself: every so often all of it is read.

use std::ops::Range;

use parking_lot::Mutex;

/// The looks after which one begins at the first key again.
const LOOKS_MAX: u32 = 256;

/// Where a queue begins, as far as is known.
#[derive(Default)]
pub(crate) struct Beginning(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// No row is before this key.
    from: Vec<u8>,
    /// How often somebody told of a row.
    told: u64,
    looks: u32,
}

/// A look at the queue that is under way.
pub(crate) struct Look {
    told: u64,
}

impl Beginning {
    /// Begins a look, before the snapshot is taken that it reads; moves the beginning of `range` to that of the queue.
    pub(crate) fn look(&self, range: &mut Range<Vec<u8>>) -> Look {
        let mut known = self.0.lock();
        known.looks += 1;
        if known.looks >= LOOKS_MAX {
            (known.looks, known.from) = (0, Vec::new());
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
        let mut range = vec![1]..vec![9];
        (beginning.look(&mut range), range)
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
    fn all_of_it_is_read_every_so_often() {
        let beginning = Beginning::default();
        let (look, _) = range(&beginning);
        beginning.found(&look, vec![5]);
        let starts: Vec<Vec<u8>> = (0..LOOKS_MAX).map(|_| range(&beginning).1.start).collect();
        assert_eq!(starts.iter().filter(|start| **start == [1]).count(), 2, "{starts:?}");
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
