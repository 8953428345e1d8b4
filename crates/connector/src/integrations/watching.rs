//! How a deletion is followed once it is submitted, as operators set it: when its job is looked at, whether what is left is
//! looked for, and how it is remembered.

use minicbor::{Decode, Encode};

use crate::{Error, Result, words::words};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// The longest wait between two looks, in seconds.
const WAIT_SECS_MAX: u32 = 24 * 3600;
/// The most that chance adds to a wait or takes from it, in percent.
const SPREAD_PERCENT_MAX: u8 = 50;

words! {
    /// How an erased user is remembered, so that one who comes back with a backup is known (§13).
    Ledger {
        /// By a keyed hash of the id: every user there is held against it.
        0 Hash = "hash",
        /// By the hash, and by the id under the key of the integration: those alone are asked for.
        1 Encrypted = "encrypted",
        /// Not at all.
        2 Off = "off",
    }
}

/// When a job is looked at (§12.1), counted from the submission, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Poll {
    /// The first wait; it doubles.
    #[n(0)]
    pub first_secs: u32,
    /// The longest wait in the first hour.
    #[n(1)]
    pub most_secs: u32,
    /// The wait after an hour.
    #[n(2)]
    pub after_hour_secs: u32,
    /// The wait after a day.
    #[n(3)]
    pub after_day_secs: u32,
    /// How much of a wait chance adds to it or takes from it, in percent.
    #[n(4)]
    pub spread_percent: u8,
}

impl Default for Poll {
    fn default() -> Self {
        Poll { first_secs: 5, most_secs: 300, after_hour_secs: 900, after_day_secs: 3600, spread_percent: 10 }
    }
}

impl Poll {
    /// The schedules that have a name: ours, and the interval that DataGrail documents.
    pub const PRESETS: [(&str, Poll); 2] = [
        (
            "quick",
            Poll { first_secs: 5, most_secs: 300, after_hour_secs: 900, after_day_secs: 3600, spread_percent: 10 },
        ),
        (
            "hourly",
            Poll { first_secs: 3600, most_secs: 3600, after_hour_secs: 3600, after_day_secs: 3600, spread_percent: 10 },
        ),
    ];

    /// The name of the schedule, if it has one.
    pub fn preset(&self) -> Option<&'static str> {
        Poll::PRESETS.iter().find(|(_, known)| known == self).map(|(name, _)| *name)
    }

    /// Checks that every wait is one.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&self) -> Result<()> {
        let waits = [self.first_secs, self.most_secs, self.after_hour_secs, self.after_day_secs];
        if waits.iter().any(|wait| !(1..=WAIT_SECS_MAX).contains(wait)) {
            return Err(Error::invalid("poll", format!("waits must be 1 to {WAIT_SECS_MAX} seconds")));
        }
        if self.first_secs > self.most_secs {
            return Err(Error::invalid("poll", "`first_s` must not be longer than `most_s`"));
        }
        if self.spread_percent > SPREAD_PERCENT_MAX {
            return Err(Error::invalid("poll", "`spread` must be 0 to 0.5"));
        }
        Ok(())
    }

    /// The wait before the next look, in microseconds: `elapsed` since the submission, after `polls` looks.
    pub(crate) fn wait(&self, elapsed: i64, polls: u32) -> i64 {
        let micros = |secs: u32| i64::from(secs) * SECOND;
        match elapsed {
            ..HOUR => micros(self.first_secs).saturating_mul(1 << polls.min(20)).min(micros(self.most_secs)),
            HOUR..DAY => micros(self.after_hour_secs),
            _ => micros(self.after_day_secs),
        }
    }

    /// The span of chance around a wait, in microseconds.
    pub(crate) fn spread(&self, wait: i64) -> i64 {
        wait / 100 * i64::from(self.spread_percent)
    }
}

/// How a deletion is followed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Watching {
    /// When its job is looked at.
    #[n(0)]
    pub poll: Poll,
    /// Whether what is left is looked for afterwards.
    #[n(1)]
    pub verify_erasure: bool,
    /// How the erased are remembered.
    #[n(2)]
    pub ledger: Ledger,
}

impl Default for Watching {
    fn default() -> Self {
        Watching { poll: Poll::default(), verify_erasure: true, ledger: Ledger::Hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_schedule_is_the_default_and_doubles_up_to_five_minutes() {
        let poll = Poll::default();
        assert_eq!(poll.preset(), Some("quick"));
        let waits: Vec<i64> = (0..8).map(|polls| poll.wait(0, polls) / SECOND).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!((poll.wait(HOUR, 20) / SECOND, poll.wait(DAY, 200) / SECOND), (900, 3600));
        assert_eq!(poll.spread(100 * SECOND), 10 * SECOND);
    }

    #[test]
    fn a_wait_of_nothing_or_of_more_than_a_day_is_none() {
        let poll = Poll::default();
        assert!(Poll { first_secs: 0, ..poll }.check().is_err());
        assert!(Poll { after_day_secs: WAIT_SECS_MAX + 1, ..poll }.check().is_err());
        assert!(Poll { first_secs: 301, ..poll }.check().is_err());
        assert!(Poll { spread_percent: 51, ..poll }.check().is_err());
        assert!(Poll::PRESETS.iter().all(|(_, preset)| preset.check().is_ok()));
    }
}
