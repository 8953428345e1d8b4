//! What is counted since the start, for `/metrics`: numbers alone, nothing of a person or a request.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::{status::Reason, upstream::Endpoint};

/// Something that was measured so often, and took so long in sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Timed {
    pub(crate) micros: i64,
    pub(crate) count: u64,
}

impl Timed {
    fn add(&mut self, micros: i64) {
        self.micros = self.micros.saturating_add(micros.max(0));
        self.count += 1;
    }
}

/// The numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    /// Calls by class and status; no status when no answer came.
    pub(crate) calls: BTreeMap<(Endpoint, Option<u16>), u64>,
    /// What they took.
    pub(crate) seconds: BTreeMap<Endpoint, Timed>,
    /// What steps waited for limits.
    pub(crate) throttled: Timed,
    /// What is tried again, by why.
    pub(crate) retries: BTreeMap<Reason, u64>,
    /// How late the last look at a job was, in microseconds.
    pub(crate) poll_lag: i64,
    /// Rounds of checks that found something left.
    pub(crate) verify_failures: u64,
}

/// Where they are counted.
#[derive(Default)]
pub(crate) struct Counters(Mutex<Counted>);

impl Counters {
    /// A call ended.
    pub(crate) fn called(&self, endpoint: Endpoint, status: Option<u16>, micros: i64) {
        let mut counted = self.0.lock();
        *counted.calls.entry((endpoint, status)).or_default() += 1;
        counted.seconds.entry(endpoint).or_default().add(micros);
    }

    /// A step waits for a limit.
    pub(crate) fn throttled(&self, micros: i64) {
        self.0.lock().throttled.add(micros);
    }

    /// Something is tried again.
    pub(crate) fn retried(&self, reason: Reason) {
        *self.0.lock().retries.entry(reason).or_default() += 1;
    }

    /// A job is looked at, so much later than planned.
    pub(crate) fn polled(&self, late: i64) {
        self.0.lock().poll_lag = late.max(0);
    }

    /// A round of checks found something left.
    pub(crate) fn found_residue(&self) {
        self.0.lock().verify_failures += 1;
    }

    /// The numbers as they are.
    pub(crate) fn now(&self) -> Counted {
        self.0.lock().clone()
    }
}
