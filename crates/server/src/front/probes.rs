//! `/livez`, `/readyz` and `/metrics`: what an operator's tools ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use super::Front;

const STARTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

/// Whether a server takes requests; shared by whoever starts it, `/readyz` and the drain.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<AtomicU8>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(READY)))
    }
}

impl Readiness {
    /// Not ready until [`Self::set_ready`].
    #[must_use]
    pub fn starting() -> Self {
        Self(Arc::new(AtomicU8::new(STARTING)))
    }

    /// Says that requests are welcome; has no effect on a server that is draining.
    pub fn set_ready(&self) {
        // Failure means ready already, or draining, which nothing takes back.
        let _ = self.0.compare_exchange(STARTING, READY, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Says that this server is about to stop.
    pub fn set_draining(&self) {
        self.0.store(DRAINING, Ordering::Relaxed);
    }

    /// Whether requests are welcome.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed) == READY
    }

    fn word(&self) -> &'static str {
        match self.0.load(Ordering::Relaxed) {
            STARTING => "starting\n",
            READY => "ready\n",
            _ => "draining\n",
        }
    }
}

/// The three probes.
pub(super) fn router(front: &Front) -> Router {
    let (ready, metrics) = (front.clone(), front.clone());
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(move || async move { readyz(ready.readiness()) }))
        .route("/metrics", get(move || async move { render(&metrics) }))
}

fn readyz(readiness: &Readiness) -> Response {
    let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, readiness.word()).into_response()
}

fn render(front: &Front) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], front.metrics().render()).into_response()
}
