//! The service on its sockets, behind the same front as the server: deadlines, caps, sizes, drain (§15.1, §18).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::routing::get;
use front::{BindError, Bound, Drained, Front, Options};
use futures_util::future::BoxFuture;

use super::{
    problem,
    router::{BODY_BYTES_MAX, router},
};
use crate::Connector;

/// Connections at the same time; a privacy office has few.
const CONNECTIONS_MAX: usize = 1024;
/// How long calls under way may go on after the signal to stop: §18 leaves 30 s for calls and steps together.
const DRAIN: Duration = Duration::from_secs(25);
/// The largest head of a call, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Takes the address; nothing is accepted until [`serve`].
///
/// # Errors
/// When the address cannot be taken.
pub async fn bind(listen: SocketAddr) -> Result<Bound, BindError> {
    Front::bind(options(listen)).await
}

fn options(listen: SocketAddr) -> Options {
    Options {
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

/// Serves the API until `stop` is done, and finishes what is under way; who waits for a request is told how it is.
pub fn serve<'s>(
    connector: Arc<Connector>,
    bound: Bound,
    stop: impl Future<Output = ()> + Send + 's,
) -> BoxFuture<'s, Drained> {
    let stop: BoxFuture<'s, ()> = Box::pin(stop);
    Box::pin(serve_until(connector, bound, stop))
}

async fn serve_until(connector: Arc<Connector>, bound: Bound, stop: BoxFuture<'_, ()>) -> Drained {
    let readiness = bound.front().readiness().clone();
    let readyz = get(async move || readiness.answer());
    let routes = router(connector.clone()).route("/readyz", readyz);
    let stop = async {
        stop.await;
        connector.stop_waiting();
    };
    bound.serve(routes, stop).await
}
