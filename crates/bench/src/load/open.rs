//! The open loop.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::busy::Busy;
use super::schedule::Schedule;
use super::{Outcome, Script, connect, histogram, nanos};
use crate::http::Connection;

/// How long after the last instant the answers may take, as a multiple of the length of the schedule.
const OVERTIME: u32 = 2;
/// How long a single answer may take after that.
const GRACE: Duration = Duration::from_secs(10);

/// How the pacer waits for the next instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Keeps asking the clock: exact, for a client with a core of its own.
    Spin,
    /// Sleeps: exact to a millisecond, for a client that shares its core.
    Sleep,
}

/// Requests that have fallen due, and what came of them.
struct Line {
    due: Mutex<VecDeque<Instant>>,
    wake: Notify,
    latency: Mutex<Histogram<u64>>,
    /// How late the pacer itself was.
    lag: Mutex<Histogram<u64>>,
    stop: Instant,
}

/// The outcome of an open loop, and the client's own lateness.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) outcome: Outcome,
    /// The 99th percentile of how late requests were handed out, in microseconds: the client's share of the latency.
    pub(crate) lag_us: f64,
}

/// Sends `rate` requests a second for `measure`, each over whichever connection is free.
///
/// What is unanswered long after the end counts with the latency it has by then.
pub(crate) async fn open<S: Script>(
    address: SocketAddr,
    scripts: Vec<S>,
    rate: f64,
    measure: Duration,
    pace: Pace,
) -> Result<Opened> {
    let connections = connect(address, scripts.len()).await?;
    let start = Instant::now() + Duration::from_millis(5);
    let schedule = Schedule::new(start, rate, measure);
    let line = Arc::new(Line {
        due: Mutex::default(),
        wake: Notify::new(),
        latency: Mutex::new(histogram()?),
        lag: Mutex::new(histogram()?),
        stop: start + measure + measure * OVERTIME,
    });
    let mut workers = JoinSet::new();
    for (connection, script) in connections.into_iter().zip(scripts) {
        workers.spawn(answer(connection, script, Arc::clone(&line)));
    }
    let busy = Busy::start();
    hand_out(&schedule, &line, pace).await;
    let parts = busy.parts();
    drain(workers, &line).await?;
    Ok(finish(&line, schedule.total(), measure, parts))
}

/// Hands out every request at its instant, then marks the end with one wake for each connection.
async fn hand_out(schedule: &Schedule, line: &Line, pace: Pace) {
    let mut sent = 0;
    while sent < schedule.total() {
        let now = Instant::now();
        let due = schedule.due(now);
        while sent < due {
            let instant = schedule.instant(sent);
            line.lag.lock().saturating_record(nanos(now - instant));
            line.due.lock().push_back(instant);
            line.wake.notify_one();
            sent += 1;
        }
        match pace {
            Pace::Spin => tokio::task::yield_now().await,
            Pace::Sleep => tokio::time::sleep_until(schedule.instant(sent)).await,
        }
    }
}

async fn answer<S: Script>(mut connection: Connection, mut script: S, line: Arc<Line>) -> Result<()> {
    loop {
        let due = line.due.lock().pop_front();
        let Some(due) = due else {
            line.wake.notified().await;
            continue;
        };
        if Instant::now() < line.stop {
            let response = connection.exchange(script.request()).await?;
            script.check(&response)?;
        }
        line.latency.lock().saturating_record(nanos(Instant::now() - due));
    }
}

/// Waits until all that fell due is answered; the first failure ends it.
async fn drain(mut workers: JoinSet<Result<()>>, line: &Line) -> Result<()> {
    let handed = line.lag.lock().len();
    let deadline = line.stop + GRACE;
    while line.latency.lock().len() < handed {
        let tick = Instant::now() + Duration::from_millis(1);
        if let Ok(Some(worker)) = tokio::time::timeout_at(tick, workers.join_next()).await {
            worker.context("a connection's task failed")??;
        }
        anyhow::ensure!(Instant::now() < deadline, "answers are missing long after the end");
    }
    Ok(())
}

fn finish(line: &Line, total: u64, measure: Duration, parts: Option<(f64, f64)>) -> Opened {
    let (busy, waited) = parts.unzip();
    let rate = total as f64 / measure.as_secs_f64();
    let outcome = Outcome { rate, latency: line.latency.lock().clone(), busy, waited };
    let lag_us = line.lag.lock().value_at_quantile(0.99) as f64 / 1e3;
    Opened { outcome, lag_us }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{self, Response};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    struct Ok200;

    impl Script for Ok200 {
        fn request(&mut self) -> &[u8] {
            b"GET / HTTP/1.1\r\n\r\n"
        }

        fn check(&mut self, response: &Response<'_>) -> Result<()> {
            crate::verify::Expected::exactly(200, b"ok").check(response)
        }
    }

    fn line() -> Line {
        Line {
            due: Mutex::default(),
            wake: Notify::new(),
            latency: Mutex::new(histogram().unwrap()),
            lag: Mutex::new(histogram().unwrap()),
            stop: Instant::now() + Duration::from_secs(60),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_request_is_handed_out_at_its_instant() {
        let line = line();
        let start = Instant::now();
        let schedule = Schedule::new(start, 1_000.0, Duration::from_secs(1));
        hand_out(&schedule, &line, Pace::Sleep).await;
        let due = line.due.lock();
        assert_eq!(due.len(), 1_000);
        assert!((0..1_000).all(|index| due[index as usize] == schedule.instant(index)));
        // The clock of the test stands still while the pacer runs, so it was never late by more than its timer.
        assert!(line.lag.lock().max() <= 1_010_000);
    }

    #[tokio::test(start_paused = true)]
    async fn latency_counts_from_the_instant_a_request_was_due() {
        // The server answers nothing for 500 ms; meanwhile 50 requests fall due on one connection.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            let mut is_first = true;
            while stream.read(&mut request).await.unwrap() > 0 {
                if std::mem::take(&mut is_first) {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        });
        let line = Arc::new(line());
        let connection = http::Connection::open(address).await.unwrap();
        let mut workers = JoinSet::new();
        workers.spawn(answer(connection, Ok200, Arc::clone(&line)));
        let schedule = Schedule::new(Instant::now(), 100.0, Duration::from_millis(500));
        hand_out(&schedule, &line, Pace::Sleep).await;
        drain(workers, &line).await.unwrap();
        // A closed loop would have seen one slow answer; here half of the requests waited for 250 ms or more.
        let latency = line.latency.lock();
        assert_eq!(latency.len(), 50);
        assert!(latency.value_at_quantile(0.5) >= 230_000_000, "{}", latency.value_at_quantile(0.5));
        assert!(latency.max() >= 490_000_000, "{}", latency.max());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_body_ends_the_load() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            while stream.read(&mut request).await.unwrap() > 0 {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nko").await.unwrap();
            }
        });
        let error = open(address, vec![Ok200], 100.0, Duration::from_millis(100), Pace::Sleep).await.unwrap_err();
        assert!(error.to_string().contains("a wrong body"), "{error}");
    }
}
