//! `/livez`, `/readyz` and `/metrics`: what an operator's tools ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::Front;

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

    /// What `/readyz` says: 200 when requests are welcome, else 503 with the reason.
    pub fn answer(&self) -> Response {
        let status = if self.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, self.word()).into_response()
    }

    fn word(&self) -> &'static str {
        match self.0.load(Ordering::Relaxed) {
            STARTING => "starting\n",
            READY => "ready\n",
            _ => "draining\n",
        }
    }
}

impl Front {
    /// The three probes, for a service that has none of its own.
    pub fn probes(&self) -> Router {
        let (ready, metrics) = (self.clone(), self.clone());
        Router::new()
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(move || async move { ready.readiness().answer() }))
            .route("/metrics", get(move || async move { render(&metrics) }))
    }
}

fn render(front: &Front) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], front.metrics().render()).into_response()
}
