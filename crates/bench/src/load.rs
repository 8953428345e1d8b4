//! Load: who asks what, how often, and what came of it.
//!
//! - [`closed`]: each connection asks again as soon as it has its answer. Its result is the throughput.
//! - [`open`]: requests fall due at fixed instants whether or not earlier ones were answered. Its result is the latency,
//!   counted from the instant a request was due, so that a stall is charged to every request that it delayed.
//!
//! Everything runs on the calling thread, which is meant to have a core of its own.

mod busy;
mod closed;
mod open;
mod schedule;
mod window;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;

use crate::http::{Connection, Response};
use crate::verify::Expected;

pub(crate) use closed::closed;
pub(crate) use open::{Opened, Pace, open};
pub(crate) use window::Window;

/// The longest latency that a histogram holds, in nanoseconds; longer ones count as this.
const LATENCY_MAX: u64 = 60_000_000_000;

/// What one connection asks, one request after the other.
pub(crate) trait Script: Send + 'static {
    /// The bytes of the next request.
    fn request(&mut self) -> &[u8];

    /// Checks the answer to it.
    fn check(&mut self, response: &Response<'_>) -> Result<()>;
}

/// The same request again and again.
#[derive(Debug, Clone)]
pub(crate) struct Repeated {
    pub(crate) request: Vec<u8>,
    pub(crate) expected: Expected,
}

impl Script for Repeated {
    fn request(&mut self) -> &[u8] {
        &self.request
    }

    fn check(&mut self, response: &Response<'_>) -> Result<()> {
        self.expected.check(response)
    }
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Latencies in nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// The part of the time that the client's own thread was on a core, if the system tells.
    pub(crate) busy: Option<f64>,
    /// The part of the time that it waited because something else had its core.
    pub(crate) waited: Option<f64>,
}

impl Outcome {
    /// A quantile of the latency in microseconds.
    pub(crate) fn latency_us(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }

    /// How many requests a second this client could have done, by the time it was idle.
    pub(crate) fn capacity(&self) -> Option<f64> {
        self.busy.filter(|busy| *busy > 0.01).map(|busy| self.rate / busy.min(1.0))
    }
}

/// An empty histogram of latencies.
fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_max(LATENCY_MAX, 3).context("making a histogram")
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(LATENCY_MAX)
}

async fn connect(address: SocketAddr, count: usize) -> Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(Connection::open(address).await?);
    }
    Ok(connections)
}
