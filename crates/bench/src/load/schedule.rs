//! When requests fall due: a fixed rate from a fixed start, whatever happens to the answers.

use std::time::Duration;

use tokio::time::Instant;

/// The instants of an open loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    start: Instant,
    rate: f64,
    total: u64,
}

impl Schedule {
    /// `rate` requests a second from `start`, for `length`; at least one.
    pub(super) fn new(start: Instant, rate: f64, length: Duration) -> Self {
        let total = (rate * length.as_secs_f64()) as u64;
        Self { start, rate, total: total.max(1) }
    }

    /// How many requests there are in all.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// When request number `index` (from 0) is due.
    ///
    /// Counted from the start rather than from the request before, so that rounding does not add up.
    pub(super) fn instant(&self, index: u64) -> Instant {
        self.start + Duration::from_secs_f64(index as f64 / self.rate)
    }

    /// How many requests are due at `now`.
    pub(super) fn due(&self, now: Instant) -> u64 {
        let Some(since) = now.checked_duration_since(self.start) else { return 0 };
        let guess = (since.as_secs_f64() * self.rate) as u64;
        // The guess may be off by one where the division was rounded; the instants themselves decide.
        let first = guess.saturating_sub(1);
        let due = (first..=guess + 1).take_while(|index| self.instant(*index) <= now).count() as u64;
        (first + due).min(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_evenly_spaced_and_do_not_drift() {
        let start = Instant::now();
        let schedule = Schedule::new(start, 3_000.0, Duration::from_secs(10));
        assert_eq!(schedule.total(), 30_000);
        assert_eq!(schedule.instant(0), start);
        assert_eq!(schedule.instant(3_000), start + Duration::from_secs(1));
        assert_eq!(schedule.instant(27_000), start + Duration::from_secs(9));
    }

    #[test]
    fn what_is_due_agrees_with_the_instants() {
        let start = Instant::now();
        let schedule = Schedule::new(start, 7_777.7, Duration::from_secs(1));
        assert_eq!(schedule.due(start), 1);
        for index in 1..schedule.total() {
            let instant = schedule.instant(index);
            assert_eq!(schedule.due(instant), index + 1, "at {index}");
            assert_eq!(schedule.due(instant - Duration::from_nanos(2)), index, "before {index}");
        }
    }

    #[test]
    fn nothing_is_due_before_the_start_nor_beyond_the_total() {
        let start = Instant::now() + Duration::from_secs(60);
        let schedule = Schedule::new(start, 100.0, Duration::from_millis(50));
        assert_eq!(schedule.due(start - Duration::from_secs(1)), 0);
        assert_eq!(schedule.due(start + Duration::from_secs(9)), 5);
    }

    #[test]
    fn a_slow_rate_still_asks_once() {
        assert_eq!(Schedule::new(Instant::now(), 0.5, Duration::from_secs(1)).total(), 1);
    }
}
