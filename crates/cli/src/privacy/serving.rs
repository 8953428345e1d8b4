//! `serve`: the API and the worker, until a signal.

use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{
    Ended,
    args::{Place, Serve},
    here,
};
use crate::output;

/// Runs the service.
pub(super) async fn run(place: &Place, serve: &Serve) -> Result<Ended> {
    if !serve.listen.ip().is_loopback() && !serve.behind_proxy {
        bail!("{} can be reached from outside without TLS; put a proxy in front and say --behind-proxy", serve.listen);
    }
    let connector = Arc::new(here::open(place).await?);
    let bound = connector::http::bind(serve.listen).await?;
    let address = bound.addresses().first().copied().unwrap_or(serve.listen);
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        // A sender that is gone says stop, too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let api = tokio::spawn(connector::http::serve(connector.clone(), bound, until(stopped.clone())));
    let working = connector.clone();
    let worker = tokio::spawn(async move { working.work(until(stopped)).await });
    output::line(&format!("ready http://{address}"))?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // Whoever listens is told; nobody listening is fine.
    let _ = stop.send(true);
    worker.await??;
    let drained = api.await?;
    if drained.cut > 0 {
        eprintln!("{} connections did not end and were cut", drained.cut);
    }
    Ok(Ended::Done)
}
