//! The closed loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::busy::Busy;
use super::{Outcome, Script, Window, connect, histogram, nanos};
use crate::http::Connection;

/// How long after the end the last answers may take.
const GRACE: Duration = Duration::from_secs(10);

/// Lets every script ask as fast as it is answered: for `warm` uncounted, then for `measure`.
pub(crate) async fn closed<S: Script>(
    address: SocketAddr,
    scripts: Vec<S>,
    warm: Duration,
    measure: Duration,
) -> Result<Outcome> {
    let connections = connect(address, scripts.len()).await?;
    let latency = Arc::new(Mutex::new(histogram()?));
    let window = Arc::new(Window::after(warm, measure));
    let mut workers = JoinSet::new();
    for (connection, script) in connections.into_iter().zip(scripts) {
        workers.spawn(ask(connection, script, Arc::clone(&latency), Arc::clone(&window)));
    }
    tokio::time::sleep_until(window.from().into()).await;
    let busy = Busy::start();
    tokio::time::sleep_until(window.until().into()).await;
    let (busy, waited) = busy.parts().unzip();
    tokio::time::timeout(GRACE, finish(workers)).await.context("answers are missing long after the end")??;
    let latency = latency.lock().clone();
    Ok(Outcome { rate: window.rate(), latency, busy, waited })
}

async fn ask<S: Script>(
    mut connection: Connection,
    mut script: S,
    latency: Arc<Mutex<Histogram<u64>>>,
    window: Arc<Window>,
) -> Result<()> {
    let mut sent = Instant::now();
    loop {
        let response = connection.exchange(script.request()).await?;
        script.check(&response)?;
        let now = Instant::now();
        if window.count(now) {
            latency.lock().saturating_record(nanos(now - sent));
        }
        if window.is_over(now) {
            return Ok(());
        }
        sent = now;
    }
}

async fn finish(mut workers: JoinSet<Result<()>>) -> Result<()> {
    while let Some(worker) = workers.join_next().await {
        worker.context("a connection's task failed")??;
    }
    Ok(())
}
