//! How much of a core the calling thread has used.

use std::time::{Duration, Instant};

/// A stretch of the calling thread's life.
pub(super) struct Busy {
    started: Instant,
    used: Option<Duration>,
}

impl Busy {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), used: used() }
    }

    /// The part of the time since the start that this thread was on a core.
    pub(super) fn part(&self) -> Option<f64> {
        let used = used()?.checked_sub(self.used?)?;
        Some(used.as_secs_f64() / self.started.elapsed().as_secs_f64())
    }
}

/// The kernel's own account of the calling thread, where it keeps one.
fn used() -> Option<Duration> {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    line.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
