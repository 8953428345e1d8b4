//! Moments, each later than the one before, whatever the machine's clock does.

use std::sync::atomic::{AtomicI64, Ordering};

use ids::Timestamp;

/// Hands out moments. Messages are ordered by them, so no two are the same, and none goes back.
#[derive(Debug, Default)]
pub(crate) struct Moments(AtomicI64);

impl Moments {
    /// `now`, or if that was given out before, a moment a little later.
    pub(crate) fn next(&self, now: Timestamp) -> Timestamp {
        let later = |last: i64| now.micros().max(last.saturating_add(1));
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
        Timestamp::from_micros(later(last.expect("the update always answers a moment")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_never_the_same_and_never_go_back() {
        let moments = Moments::default();
        let given = [5, 5, 4, 9, 9].map(|micros| moments.next(Timestamp::from_micros(micros)).micros());
        assert_eq!(given, [5, 6, 7, 9, 10]);
    }
}
