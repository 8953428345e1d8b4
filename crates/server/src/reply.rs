//! Answers: a JSON object to which `duration` is added at the last moment (feeds-v1 §1.3).

use std::{fmt::Write, time::Instant};

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use reqwest::Url;
use serde::Serialize;

/// What a handler answers with.
pub(crate) trait Answer: Send {
    /// The response, with the time since `started`.
    fn finish(self, started: Instant) -> Response;
}

/// The bytes of most answers: what is written into so much room is not copied as it grows.
const ANSWER_BYTES: usize = 1024;

/// An answer that lacks only its `duration`.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// A JSON object without its closing brace.
    pub(crate) body: String,
}

impl Reply {
    /// 200 with this object.
    pub(crate) fn ok(object: &impl Serialize) -> Self {
        Reply { status: 200, body: json_object(object) }
    }

    /// An answer without content but its duration.
    pub(crate) fn empty(status: u16) -> Self {
        Reply { status, body: "{".to_owned() }
    }

    /// The response, with the time since `started`.
    pub(crate) fn finish(self, started: Instant) -> Response {
        let Reply { status, mut body } = self;
        let comma = if body.len() > 1 { "," } else { "" };
        let millis = started.elapsed().as_secs_f64() * 1000.0;
        write!(body, r#"{comma}"duration":"{millis:.2}ms"}}"#).expect("writing to memory does not fail");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).expect("statuses are written in the source");
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl Answer for Reply {
    fn finish(self, started: Instant) -> Response {
        Reply::finish(self, started)
    }
}

/// Sends a browser to another address.
#[derive(Debug)]
pub(crate) struct Redirect(HeaderValue);

impl Redirect {
    /// 302 to `url`.
    pub(crate) fn to(url: &Url) -> Self {
        Redirect(HeaderValue::from_str(url.as_str()).expect("a URL is made of printable ASCII"))
    }
}

impl Answer for Redirect {
    fn finish(self, started: Instant) -> Response {
        let mut response = Reply::empty(302).finish(started);
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, self.0);
        // The address that was asked has a token in it: nobody else is to see it, and nobody is to keep the answer.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// `object` as JSON without its closing brace.
pub(crate) fn json_object(object: &impl Serialize) -> String {
    let mut json = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut json, object).expect("wire types are JSON");
    let brace = json.pop();
    assert_eq!(brace, Some(b'}'), "an answer is a JSON object");
    String::from_utf8(json).expect("JSON is UTF-8")
}
