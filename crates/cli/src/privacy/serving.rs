//! `serve`: the API and the worker, until a signal.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use connector::{
    http::{Metrics, Tls, TlsFiles},
    opendsr::Processor,
    surroundings::Surroundings,
};
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{
    Ended,
    args::{Output, Place, Serve},
    here,
};
use crate::{logs, output};

/// Who speaks OpenDSR, if it is configured.
fn processor(serve: &Serve) -> Result<Option<Processor>> {
    let (Some(domain), Some(key), Some(certificate)) =
        (&serve.opendsr_domain, &serve.opendsr_key_file, &serve.opendsr_certificate_file)
    else {
        return Ok(None);
    };
    let key = here::secret(key)?;
    let certificate =
        std::fs::read_to_string(certificate).with_context(|| format!("cannot read {}", certificate.display()))?;
    Ok(Some(Processor::new(domain, &key, &certificate)?))
}

/// TLS, if there is a certificate.
fn tls(serve: &Serve) -> Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (serve.tls_cert.clone(), serve.tls_key.clone()) else { return Ok(None) };
    let files = TlsFiles { certificate, key, client_ca: serve.tls_client_ca.clone() };
    Ok(Some(Tls::read(&files, Surroundings::system().now())?))
}

/// Runs the service.
pub(super) async fn run(place: &Place, serve: &Serve, form: Output) -> Result<Ended> {
    logs::start_redacted()?;
    for address in [Some(serve.listen), serve.metrics_listen].into_iter().flatten() {
        if !address.ip().is_loopback() && !serve.behind_proxy && serve.tls_cert.is_none() {
            bail!(
                "{address} can be reached from outside without TLS; give --tls-cert and --tls-key, \
                 or put a proxy in front and say --behind-proxy"
            );
        }
    }
    let tls = tls(serve)?;
    let processor = processor(serve)?;
    let connector = here::open(place).await?.with_calls_per_minute(serve.calls_per_minute);
    let connector = match &serve.audit_mirror {
        Some(path) => connector.with_audit_mirror(path).await?,
        None => connector,
    };
    let connector = Arc::new(match processor {
        Some(processor) => connector.with_opendsr(processor),
        None => connector,
    });
    let bound = connector::http::bind(serve.listen, tls.as_ref()).await?;
    let metrics = match serve.metrics_listen {
        Some(address) => Metrics::At(connector::http::bind(address, tls.as_ref()).await?),
        None => Metrics::Beside,
    };
    let address = bound.addresses().first().copied().unwrap_or(serve.listen);
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        // A sender that is gone says stop, too.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let api_stopped = stopped.clone();
    let stops = move || until(api_stopped.clone());
    let api = tokio::spawn(connector::http::serve(connector.clone(), bound, metrics, stops));
    let working = connector.clone();
    let mut worker = tokio::spawn(async move { working.work(until(stopped)).await });
    let scheme = if tls.is_some() { "https" } else { "http" };
    match form {
        Output::Json => output::json(&json!({"ready": format!("{scheme}://{address}")}))?,
        Output::Human => output::line(&format!("ready {scheme}://{address}"))?,
    }
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        // A service whose worker has failed takes requests that nobody fulfils.
        failed = &mut worker => {
            failed??;
            bail!("the worker ended by itself");
        }
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
