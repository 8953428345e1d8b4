//! The service on its sockets, behind the same front as the server: deadlines, caps, sizes, drain (§15.1, §18).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::routing::get;
use front::{BindError, Bound, Drained, Front, Options};
use futures_util::future::BoxFuture;

use super::{
    Tls, problem,
    router::{BODY_BYTES_MAX, metrics_of, served},
};
use crate::Connector;

/// Connections at the same time; a privacy office has few.
const CONNECTIONS_MAX: usize = 1024;
/// How long calls under way may go on after the signal to stop: §18 leaves 30 s for calls and steps together.
const DRAIN: Duration = Duration::from_secs(25);
/// The largest head of a call, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Takes the address, to speak HTTP there or, if it is given, TLS; nothing is accepted until [`serve`].
///
/// # Errors
/// When the address cannot be taken.
pub async fn bind(listen: SocketAddr, tls: Option<&Tls>) -> Result<Bound, BindError> {
    Front::bind(options(listen, tls)).await
}

fn options(listen: SocketAddr, tls: Option<&Tls>) -> Options {
    Options {
        tls: tls.map(|tls| tls.0.clone()),
        listen: vec![listen],
        connections_max: CONNECTIONS_MAX,
        connections_per_peer_max: CONNECTIONS_MAX,
        drain_deadline: DRAIN,
        body_max_bytes: BODY_BYTES_MAX as u64,
        header_max_bytes: HEAD_BYTES_MAX,
        refuse: problem::refuse,
        ..Options::default()
    }
}

/// Where the numbers of the service are told (§15.1).
pub enum Metrics {
    /// Beside the API.
    Beside,
    /// At an address of their own, and nowhere else.
    At(Bound),
}

/// Serves the API until `stopped()` is done, and finishes what is under way; who waits for a request is told how it is.
pub fn serve<'s, S: Future<Output = ()> + Send + 's>(
    connector: Arc<Connector>,
    bound: Bound,
    metrics: Metrics,
    stopped: impl Fn() -> S,
) -> BoxFuture<'s, Drained> {
    let stops: [BoxFuture<'s, ()>; 2] = [Box::pin(stopped()), Box::pin(stopped())];
    Box::pin(serve_until(connector, bound, metrics, stops))
}

async fn serve_until(
    connector: Arc<Connector>,
    bound: Bound,
    metrics: Metrics,
    [stop, stop_metrics]: [BoxFuture<'_, ()>; 2],
) -> Drained {
    let readiness = bound.front().readiness().clone();
    let readyz = get(async move || readiness.answer());
    let routes = served(connector.clone()).route("/readyz", readyz);
    let numbers = metrics_of(connector.clone());
    let (routes, elsewhere) = match metrics {
        Metrics::Beside => (routes.merge(numbers), None),
        Metrics::At(bound) => (routes, Some(bound.serve(numbers, stop_metrics))),
    };
    let stop = async {
        stop.await;
        connector.stop_waiting();
    };
    let elsewhere = async {
        match elsewhere {
            Some(serving) => Some(serving.await),
            None => None,
        }
    };
    tokio::join!(bound.serve(routes, stop), elsewhere).0
}
