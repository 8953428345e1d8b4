//! What a transaction has read, so that the resolver can tell whether it still holds.

use std::ops::Range;

/// The keys and ranges read from the snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadSet {
    pub(crate) points: Vec<Vec<u8>>,
    pub(crate) ranges: Vec<Range<Vec<u8>>>,
}

impl ReadSet {
    pub(crate) fn len(&self) -> usize {
        self.points.len() + self.ranges.len()
    }
}
