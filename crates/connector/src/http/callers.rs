//! How often each caller may call (§15.3): the service must stay there for everybody.

use std::collections::BTreeMap;

use ids::Timestamp;
use parking_lot::Mutex;

const MINUTE: i64 = 60 * 1_000_000;
/// The calls a minute of one token, unless said otherwise.
pub const CALLS_PER_MINUTE: u32 = 3_000;
/// The callers that are remembered at least.
const REMEMBERED: usize = 1_000;

/// What each caller has used.
pub(crate) struct Callers {
    per_minute: u32,
    /// By caller: when everything that was used is given back.
    used_until: Mutex<BTreeMap<String, i64>>,
}

impl Callers {
    /// Callers of whom each may call so often a minute; without a limit if it is 0.
    pub(crate) fn new(per_minute: u32) -> Self {
        Callers { per_minute, used_until: Mutex::default() }
    }

    /// Counts a call, or says after how many seconds there is room for one.
    pub(super) fn count(&self, caller: &str, now: Timestamp) -> Result<(), i64> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let (now, cost) = (now.micros(), MINUTE / i64::from(self.per_minute));
        let mut all = self.used_until.lock();
        if all.len() >= REMEMBERED {
            all.retain(|_, until| *until > now);
        }
        let until = all.entry(caller.to_owned()).or_insert(now);
        // After a clock that stepped back nobody waits for longer than a minute.
        *until = (*until).clamp(now, now + MINUTE);
        if *until + cost > now + MINUTE {
            return Err((*until + cost - now - MINUTE + 999_999) / 1_000_000);
        }
        *until += cost;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    #[test]
    fn a_caller_may_call_so_often_a_minute_and_others_do_not_notice() {
        let callers = Callers::new(60);
        assert!((0..60).all(|_| callers.count("a", at(0)).is_ok()));
        assert_eq!(callers.count("a", at(0)), Err(1));
        assert!(callers.count("b", at(0)).is_ok());
        assert!(callers.count("a", at(1)).is_ok(), "a second gives one back");
        assert!(callers.count("a", at(1)).is_err());
        assert!((0..60).all(|_| callers.count("a", at(61)).is_ok()), "a minute gives all back");
    }

    #[test]
    fn without_a_limit_nobody_is_counted() {
        let callers = Callers::new(0);
        assert!((0..100_000).all(|_| callers.count("a", at(0)).is_ok()));
    }

    #[test]
    fn a_clock_that_steps_back_locks_nobody_out() {
        let callers = Callers::new(60);
        assert!(callers.count("a", at(3600)).is_ok());
        assert!(callers.count("a", at(0)).is_err_and(|secs| secs <= 1));
    }
}
