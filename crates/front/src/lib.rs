//! How bytes come in and go out: sockets, deadlines, limits, compression, request ids, logs and metrics.
//!
//! Nothing here knows what Millpond serves: the front takes any [`axum::Router`] and puts a network in front of it.
//!
//! ```text
//! socket ─ accept ─ caps ─ (TLS) ─ deadlines ─ hyper ─ router ─ stack ─ handler
//!          (accept.rs, caps.rs, tls.rs, pulse.rs)              (stack.rs)
//! ```
//!
//! **Invariant:** every wait on a peer has a named limit in [`Options`], and no line that is logged holds a raw path,
//! a query or a header that could carry a token or a person's data.

mod accept;
mod caps;
mod cors;
mod encoding;
mod fast;
mod inbound;
mod metrics;
mod panics;
mod probes;
mod pulse;
mod refusal;
mod request;
mod rest;
mod stack;
mod tls;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, body::Body, response::Response};
use http::Request;
use tokio_rustls::rustls::ServerConfig;
use tower::{Layer, util::MapRequestLayer};

pub use accept::{BindError, Bound, Drained};
pub use caps::Permit;
pub use fast::{Fast, FastAnswer};
pub use metrics::Metrics;
pub use probes::Readiness;
pub use refusal::Refusal;
pub use request::Started;
pub use upgrade::reclaim;

/// Every number of the front, with its default.
#[derive(Debug, Clone)]
pub struct Options {
    /// Addresses to listen on; port 0 takes a free one. Default: `127.0.0.1:8800`.
    pub listen: Vec<SocketAddr>,
    /// Connections the kernel keeps waiting for us. Default: 4096.
    pub backlog: u32,
    /// Open connections of the process; beyond it the newest is closed at once. Default: 65536.
    pub connections_max: usize,
    /// Open connections of one peer address (an IPv6 /64 counts as one). Default: 16384, roomy enough for a proxy.
    pub connections_per_peer_max: usize,
    /// How long a new connection may say nothing. Default: 10 s.
    pub first_byte_deadline: Duration,
    /// How long a request head may take from its first byte. Default: 10 s.
    pub header_deadline: Duration,
    /// How long a connection may rest between requests. Default: 75 s, longer than common load balancers wait.
    pub idle_deadline: Duration,
    /// How long a body may take for every [`Self::body_progress_bytes`]. Default: 10 s.
    pub body_progress_deadline: Duration,
    /// What a body must bring in each [`Self::body_progress_deadline`]. Default: 1 KiB.
    pub body_progress_bytes: u64,
    /// How long a peer may refuse to take a single byte of an answer. Default: 30 s.
    pub write_stall_deadline: Duration,
    /// How long requests in flight may go on after the shutdown signal. Default: 25 s.
    pub drain_deadline: Duration,
    /// How long to go on accepting after the shutdown signal, while `/readyz` already says 503. Default: none.
    pub lame_duck: Duration,
    /// The largest request body, on the wire and after decompression. Default: 10 MiB.
    pub body_max_bytes: u64,
    /// Exceptions from [`Self::body_max_bytes`] as (matched route, bytes), such as the upload routes.
    pub route_body_max_bytes: Vec<(String, u64)>,
    /// The largest request head. Default: 64 KiB.
    pub header_max_bytes: usize,
    /// Concurrent streams of one HTTP/2 connection. Default: 256.
    pub streams_max: u32,
    /// Answers below this size are never compressed. Default: 1 KiB.
    pub compress_min_bytes: u64,
    /// Whether this server takes requests; shared with `/readyz`. Default: ready.
    pub readiness: Readiness,
    /// Words what the front itself refuses. Default: plain text.
    pub refuse: fn(Refusal) -> Response,
    /// Whether pages of any origin may call and read the answers. Default: no.
    pub cross_origin: bool,
    /// Matched routes that pages ask with credentials, as Faye's clients do: an answer names the page's origin, since no
    /// browser takes `*` then. Only for routes that look at no cookie. Default: none.
    pub credentialed_routes: Vec<&'static str>,
    /// Changes a request before it is routed, such as its path. Default: nothing.
    pub rewrite: fn(&mut Request<Body>),
    /// TLS on every address. Default: none.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8800))],
            backlog: 4096,
            connections_max: 65_536,
            connections_per_peer_max: 16_384,
            first_byte_deadline: Duration::from_secs(10),
            header_deadline: Duration::from_secs(10),
            idle_deadline: Duration::from_secs(75),
            body_progress_deadline: Duration::from_secs(10),
            body_progress_bytes: 1024,
            write_stall_deadline: Duration::from_secs(30),
            drain_deadline: Duration::from_secs(25),
            lame_duck: Duration::ZERO,
            body_max_bytes: 10 * 1024 * 1024,
            route_body_max_bytes: Vec::new(),
            header_max_bytes: 64 * 1024,
            streams_max: 256,
            compress_min_bytes: 1024,
            readiness: Readiness::default(),
            refuse: refusal::plain,
            cross_origin: false,
            credentialed_routes: Vec::new(),
            rewrite: |_| {},
            tls: None,
        }
    }
}

/// The shared part of one front; cheap to clone.
#[derive(Debug, Clone)]
pub struct Front {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    metrics: Metrics,
    ids: request::Ids,
}

impl Front {
    /// A front without sockets, for tests that call the router directly.
    #[must_use]
    pub fn new(options: Options) -> Self {
        panics::install();
        Self { shared: Arc::new(Shared { options, metrics: Metrics::default(), ids: request::Ids::new() }) }
    }

    /// Takes the listening addresses; nothing is accepted until [`Bound::serve`].
    pub async fn bind(options: Options) -> Result<Bound, BindError> {
        accept::bind(Self::new(options))
    }

    /// Puts the whole middleware stack around `router`.
    pub fn layers(&self, router: Router) -> Router {
        // Giving the state now makes the services of all routes once; otherwise axum makes them for every request.
        let routed = router.layer(stack::StackLayer::new(self.clone())).with_state(());
        let rewrite = self.options().rewrite;
        let rewritten = MapRequestLayer::new(move |mut request: Request<Body>| {
            rewrite(&mut request);
            request
        });
        // A layer of the router would come after routing; around it, it comes before.
        Router::new().fallback_service(rewritten.layer(routed)).with_state(())
    }

    /// What this front counts; other parts add their own text with [`Metrics::add_source`].
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Whether this server takes requests.
    #[must_use]
    pub fn readiness(&self) -> &Readiness {
        &self.shared.options.readiness
    }

    /// The numbers this front was made with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The largest body of `route`.
    fn body_max_bytes(&self, route: &str) -> u64 {
        let options = self.options();
        let exception = options.route_body_max_bytes.iter().find(|(name, _)| name == route);
        exception.map_or(options.body_max_bytes, |(_, bytes)| *bytes)
    }
}
