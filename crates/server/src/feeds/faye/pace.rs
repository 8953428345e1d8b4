//! How fast somebody may speak: a leaky bucket that is one moment, when it will be empty.

use std::time::Duration;

use tokio::time::Instant;

/// Messages, or frames, that may come at once.
const BURST_MAX: u32 = 300;
/// How long it takes until one more may come: 30 a second. A client needs one for each message that it is told.
const EACH: Duration = Duration::from_micros(33_333);

/// One who speaks.
#[derive(Debug)]
pub(super) struct Pace {
    empty_at: Instant,
}

impl Pace {
    /// One who said nothing yet.
    pub(super) fn new() -> Self {
        Pace { empty_at: Instant::now() }
    }

    /// Whether one more may come now.
    pub(super) fn takes_one(&mut self) -> bool {
        let now = Instant::now();
        let filled = self.empty_at.max(now) + EACH;
        let fits = filled <= now + EACH * BURST_MAX;
        if fits {
            self.empty_at = filled;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_may_come_at_once_and_then_thirty_a_second() {
        let mut pace = Pace::new();
        assert!((0..BURST_MAX).all(|_| pace.takes_one()));
        assert!(!pace.takes_one());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..BURST_MAX).filter(|_| pace.takes_one()).count(), 30);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!((0..=BURST_MAX).filter(|_| pace.takes_one()).count(), 300, "what was not said is not saved");
    }
}
