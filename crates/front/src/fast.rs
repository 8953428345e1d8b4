//! Endpoints that go past the router.
//!
//! The router costs a request about as much as a third of hyper does: boxed services and futures, a map of extensions.
//! For the few endpoints that are most of the traffic, [`Fast`] matches and answers directly. All that is done around
//! every request is the same on both ways.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::{Method, Request};

use crate::Front;
use crate::metrics::method_label;
use crate::request::Started;
use crate::stack::{Answer, Endpoint, around};

/// The answer of a fast endpoint.
pub type FastAnswer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Endpoints that are called so often that they go past the router.
///
/// The router must have them too, for other methods, for `HEAD`, and for tests without sockets.
pub trait Fast: Send + Sync + 'static {
    /// The endpoints; requests are counted and logged under these routes.
    fn endpoints(&self) -> Vec<(Method, &'static str)>;

    /// The index of the endpoint that takes this request; `None` leaves it to the router.
    fn choose(&self, method: &Method, path: &str) -> Option<usize>;

    /// Answers a request that [`Fast::choose`] took, and that was taken up at `started`. It has no [`Started`] among its
    /// extensions: to make a map of one entry costs more than all that is done with it.
    ///
    /// [`Started`]: crate::Started
    fn answer(&self, endpoint: usize, request: Request<Body>, started: Instant) -> FastAnswer;
}

/// The fast endpoints of one front.
pub(crate) struct FastLane {
    fast: Arc<dyn Fast>,
    endpoints: Vec<Arc<Endpoint>>,
}

impl FastLane {
    pub(crate) fn new(front: &Front, fast: Arc<dyn Fast>) -> Self {
        let endpoints = fast.endpoints();
        let endpoints =
            endpoints.iter().map(|(method, route)| Endpoint::new(front, route, method_label(method))).collect();
        Self { fast, endpoints }
    }

    /// The endpoint that takes `request`.
    pub(crate) fn choose(&self, request: &Request<Body>) -> Option<usize> {
        self.fast.choose(request.method(), request.uri().path())
    }

    /// Answers `request`, which the endpoint took.
    pub(crate) fn answer(&self, endpoint: usize, request: Request<Body>, started: Started) -> Answer<FastAnswer> {
        let at = started.0;
        around(Arc::clone(&self.endpoints[endpoint]), started, request, |request| {
            self.fast.answer(endpoint, request, at)
        })
    }
}
