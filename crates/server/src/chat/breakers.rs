//! Which apps' servers failed so often that they are left alone for a while (chat §13).

use std::collections::HashMap;

use ids::{AppId, Timestamp};
use parking_lot::Mutex;

/// Failures in a row after which nobody is asked.
const FAILURES_MAX: u32 = 5;
/// For how long.
const PAUSE_MICROS: i64 = 30 * 1_000_000;

/// How the servers of apps answered of late.
#[derive(Debug, Default)]
pub(crate) struct Breakers(Mutex<HashMap<AppId, Failures>>);

#[derive(Debug, Default)]
struct Failures {
    in_a_row: u32,
    until: Option<Timestamp>,
}

impl Breakers {
    /// Whether the app's server is left alone.
    pub(crate) fn is_open(&self, app: AppId, now: Timestamp) -> bool {
        self.0.lock().get(&app).and_then(|failures| failures.until).is_some_and(|until| now < until)
    }

    /// Notes how it answered.
    pub(crate) fn note(&self, app: AppId, has_answered: bool, now: Timestamp) {
        let mut all = self.0.lock();
        if has_answered {
            all.remove(&app);
            return;
        }
        let failures = all.entry(app).or_default();
        failures.in_a_row += 1;
        if failures.in_a_row >= FAILURES_MAX {
            // The next one to ask after the pause is a trial.
            failures.until = Some(now.plus_micros(PAUSE_MICROS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_failed_five_times_in_a_row_is_left_alone_until_the_pause_is_over() {
        let (breakers, app, at) =
            (Breakers::default(), AppId(1), |seconds: i64| Timestamp::from_micros(seconds * 1_000_000));
        for _ in 0..4 {
            breakers.note(app, false, at(0));
        }
        assert!(!breakers.is_open(app, at(0)));
        breakers.note(app, false, at(0));
        assert!(breakers.is_open(app, at(29)) && !breakers.is_open(app, at(30)) && !breakers.is_open(AppId(2), at(0)));
        breakers.note(app, false, at(30));
        assert!(breakers.is_open(app, at(31)));
        breakers.note(app, true, at(60));
        assert!(!breakers.is_open(app, at(60)));
    }
}
