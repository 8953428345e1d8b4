//! The time in which answers are counted.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A stretch of time in which answers are counted; if none comes in it, it lasts until the first: a rate of nothing could not
/// be compared.
#[derive(Debug)]
pub(crate) struct Window {
    from: Instant,
    until: Instant,
    counted: AtomicU64,
    late: OnceLock<Instant>,
}

impl Window {
    /// The window that begins after `warm` and lasts for `measure`.
    pub(crate) fn after(warm: Duration, measure: Duration) -> Self {
        let from = Instant::now() + warm;
        Window { from, until: from + measure, counted: AtomicU64::new(0), late: OnceLock::new() }
    }

    /// When it begins.
    pub(crate) fn from(&self) -> Instant {
        self.from
    }

    /// When it ends, if something comes in it.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// Whether it was over at `now`.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.until
    }

    /// Counts an answer that came at `now`; answers whether it belongs to the window.
    pub(crate) fn count(&self, now: Instant) -> bool {
        if now < self.from {
            return false;
        }
        if !self.is_over(now) {
            self.counted.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        self.counted.load(Ordering::Relaxed) == 0 && self.late.set(now).is_ok()
    }

    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        let (counted, until) = match self.late.get() {
            Some(late) => (1, *late),
            None => (self.counted.load(Ordering::Relaxed), self.until),
        };
        counted as f64 / (until - self.from).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_comes_within_is_counted() {
        let window = Window::after(SECOND, 2 * SECOND);
        let counts = [0.5, 1.0, 2.9, 3.0].map(|at| window.count(window.from - SECOND + SECOND.mul_f64(at)));
        assert_eq!(counts, [false, true, true, false]);
        assert_eq!(window.rate(), 1.0);
    }

    #[test]
    fn a_window_in_which_nothing_comes_lasts_until_the_first_answer() {
        let window = Window::after(Duration::ZERO, SECOND);
        assert_eq!([4, 5].map(|at| window.count(window.from + at * SECOND)), [true, false]);
        assert_eq!(window.rate(), 0.25);
    }
}
