//! What a server's routes answered: status, headers and body.

use axum::{Router, body::Body};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
    /// The body as text; what is none in it is replaced.
    pub text: String,
}

impl Answer {
    /// What `routes` answer to `request`.
    pub async fn of(routes: &Router, request: Request<Body>) -> Self {
        let (parts, body) = routes.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes, text }
    }

    /// The body.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of a success with this status, but for its duration.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.timed()
    }

    /// The body of a refusal, but for its duration.
    #[track_caller]
    pub fn refused(&self) -> Value {
        assert!(self.status >= 400, "not refused: {}", self.text);
        self.timed()
    }

    /// A body says how long its making took, as `"1.23ms"`: what is around that.
    #[track_caller]
    fn timed(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        let mut body = self.json();
        let duration = body.as_object_mut().and_then(|object| object.remove("duration"));
        let duration = duration.as_ref().and_then(Value::as_str).unwrap_or_else(|| panic!("no duration: {body}"));
        assert!(duration.strip_suffix("ms").is_some_and(|number| number.parse::<f64>().is_ok()), "{duration}");
        body
    }
}
