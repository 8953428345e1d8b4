//! A clock that is moved by hand.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

const SECOND: i64 = 1_000_000;

/// The moment, in microseconds since 1970. Clones share it.
#[derive(Clone, Debug)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    /// A clock that stands at `micros`.
    pub fn at(micros: i64) -> Self {
        HandClock(Arc::new(AtomicI64::new(micros)))
    }

    /// The moment.
    pub fn micros(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// The moment, in whole seconds.
    pub fn secs(&self) -> i64 {
        self.micros().div_euclid(SECOND)
    }

    /// Sets it.
    pub fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }

    /// Moves it on.
    pub fn advance(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}
