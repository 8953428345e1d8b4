//! What keeps calls back from a service that cannot be reached (§7.3): after five in a row that were not even sent, none
//! goes for a minute, and then one to see.

use ids::Timestamp;

/// Calls in a row that could not be sent, after which the next ones wait.
const UNSENT_MAX: u32 = 5;
/// How long they wait, in microseconds.
const PAUSE: i64 = 60 * 1_000_000;

/// What is known of whether an integration can be reached.
#[derive(Default)]
pub(crate) struct Breaker {
    /// Calls in a row that could not be sent.
    unsent: u32,
    /// Until when none goes.
    open_until: Option<Timestamp>,
}

impl Breaker {
    /// Until when no call goes; nothing if one may.
    pub(crate) fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_until.filter(|until| now < *until)
    }

    /// A call goes. While it is not known whether the service is back, the others wait for what comes of this one.
    pub(crate) fn goes(&mut self, now: Timestamp) {
        if self.open_until.is_some() {
            self.open_until = Some(now.plus_micros(PAUSE));
        }
    }

    /// A call could not be sent.
    pub(crate) fn unsent(&mut self, now: Timestamp) {
        self.unsent = self.unsent.saturating_add(1);
        if self.unsent >= UNSENT_MAX {
            self.open_until = Some(now.plus_micros(PAUSE));
        }
    }

    /// A call was sent.
    pub(crate) fn sent(&mut self) {
        *self = Breaker::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    #[test]
    fn a23_33_after_five_calls_that_were_not_sent_one_goes_each_minute_until_one_is_sent() {
        let mut breaker = Breaker::default();
        for secs in 1..5 {
            breaker.unsent(at(secs));
            assert_eq!(breaker.open_until(at(secs)), None);
        }
        breaker.unsent(at(5));
        assert_eq!(breaker.open_until(at(5)), Some(at(65)));
        assert_eq!(breaker.open_until(at(65)), None, "one may see");
        breaker.goes(at(65));
        assert_eq!(breaker.open_until(at(66)), Some(at(125)), "the others wait for it");
        breaker.unsent(at(70));
        assert_eq!(breaker.open_until(at(71)), Some(at(130)));
        breaker.goes(at(130));
        breaker.sent();
        assert_eq!(breaker.open_until(at(131)), None);
        breaker.unsent(at(132));
        assert_eq!(breaker.open_until(at(132)), None, "it counts from nothing again");
    }
}
