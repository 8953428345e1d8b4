//! The fuse (§15.5): how many deletions of batches began within the last hour, whichever batches they were of, so that a
//! file that is cut in two deletes no faster than a whole one.

use ids::Timestamp;
use minicbor::{Decode, Encode};

const MINUTE: i64 = 60 * 1_000_000;
/// The minutes that count. A minute counts as a whole: the hour is never shorter than it says.
const MINUTES: i64 = 61;

/// The deletions of one minute.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
struct Begun {
    /// Minutes since 1970.
    #[n(0)]
    minute: i64,
    #[n(1)]
    deletions: u32,
}

/// The deletions of the last hour, by minute, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub(crate) struct Fuse {
    #[n(0)]
    minutes: Vec<Begun>,
}

impl Fuse {
    /// When one more deletion may begin, if no more than `most` may within an hour.
    pub(super) fn opens_at(&self, most: u32, now: Timestamp) -> Timestamp {
        let minute = now.micros().div_euclid(MINUTE);
        let mut sum = 0_u32;
        // From the newest back to the one with which there are too many: it must be over first.
        for begun in self.minutes.iter().rev().filter(|begun| begun.minute > minute - MINUTES) {
            sum = sum.saturating_add(begun.deletions);
            if sum >= most {
                return Timestamp::from_micros((begun.minute + MINUTES) * MINUTE);
            }
        }
        now
    }

    /// Counts a deletion that begins at `now`.
    pub(super) fn count(&mut self, now: Timestamp) {
        let minute = now.micros().div_euclid(MINUTE);
        self.minutes.retain(|begun| begun.minute > minute - MINUTES);
        match self.minutes.last_mut() {
            // After a clock that stepped back, what begins now counts in the latest minute.
            Some(last) if last.minute >= minute => last.deletions = last.deletions.saturating_add(1),
            _ => self.minutes.push(Begun { minute, deletions: 1 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * MINUTE;

    #[test]
    fn no_hour_has_more_deletions_than_the_fuse_allows() {
        let mut fuse = Fuse::default();
        let mut begun: Vec<i64> = Vec::new();
        let mut now = 1_760_000_000_000_000;
        while begun.len() < 200 {
            let at = fuse.opens_at(7, Timestamp::from_micros(now)).micros();
            if at > now {
                now = at;
                continue;
            }
            fuse.count(Timestamp::from_micros(now));
            begun.push(now);
            // At any pace.
            now += (begun.len() as i64 * 7_919 % 600) * 1_000_000;
        }
        for first in &begun {
            let within = begun.iter().filter(|at| (*first..*first + HOUR).contains(at)).count();
            assert!(within <= 7, "{within}");
        }
        let took = begun.last().unwrap() - begun[0];
        assert!(took < 200 / 7 * 2 * HOUR, "and it is used: {} h", took / HOUR);
        assert!(fuse.minutes.len() <= 61);
    }

    #[test]
    fn a_clock_that_steps_back_opens_nothing() {
        let now = 1_760_000_000_000_000;
        let mut fuse = Fuse::default();
        fuse.count(Timestamp::from_micros(now));
        let back = Timestamp::from_micros(now - HOUR);
        assert!(fuse.opens_at(1, back) > Timestamp::from_micros(now));
        fuse.count(back);
        assert_eq!(fuse.minutes.len(), 1);
    }
}
