//! What nobody read of a request body: read before the answer goes out, so that the connection is good for another request.
//!
//! Whoever closes a connection with bytes unread cuts off the peer, who may have sent the next request already.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Request, Version, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// How much is read; for more than that a new connection is cheaper.
const REST_BYTES_MAX: u64 = 64 * 1024;
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is done about the rest of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing: the protocol has a stream for each request.
    Left,
    /// It is read, if it is small and comes soon.
    Read {
        /// How long that may take.
        patience: Duration,
    },
    /// The connection ends, and the answer says so: the peer waits to be told to send the body.
    Refused,
}

impl Rest {
    /// What is done about the rest of the body of `request`; nobody waits longer than `patience` for it.
    pub(crate) fn of(request: &Request<Body>, patience: Duration) -> Self {
        match request.version() {
            Version::HTTP_2 | Version::HTTP_3 => Self::Left,
            _ if waits(request.headers()) => Self::Refused,
            _ => Self::Read { patience: patience.min(PATIENCE) },
        }
    }

    /// Does it; whether the connection is good for another request then.
    pub(crate) async fn dealt_with(self, rest: Body) -> bool {
        match self {
            Self::Left => true,
            Self::Refused => false,
            Self::Read { patience } => timeout(patience, is_read(rest)).await.unwrap_or(false),
        }
    }
}

/// Makes `response` tell that the connection ends with it.
pub(crate) fn close(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

fn waits(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

/// Reads `rest`; whether that was all of it.
async fn is_read(mut rest: Body) -> bool {
    if rest.size_hint().lower() > REST_BYTES_MAX {
        return false;
    }
    let mut bytes = 0;
    while let Some(frame) = rest.frame().await {
        let Ok(frame) = frame else { return false };
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        if bytes > REST_BYTES_MAX {
            return false;
        }
    }
    true
}
