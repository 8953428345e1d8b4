//! Answers: a JSON object to which `duration` is added at the last moment (feeds-v1 §1.3).

use std::{
    convert::Infallible,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};
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
        if body.len() > 1 {
            body.push(',');
        }
        close(&mut body, started);
        let mut response = json(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).expect("statuses are written in the source");
        response
    }
}

/// Adds the `duration`, in milliseconds, and the closing brace.
fn close(body: &mut String, started: Instant) {
    body.push_str(r#""duration":""#);
    write_duration(body, started.elapsed());
    body.push_str(r#""}"#);
}

fn write_duration(body: &mut String, duration: Duration) {
    let hundredths = (duration.as_micros() as u64 + 5) / 10;
    let mut digits = itoa::Buffer::new();
    body.push_str(digits.format(hundredths / 100));
    body.push_str(if hundredths % 100 < 10 { ".0" } else { "." });
    body.push_str(digits.format(hundredths % 100));
    body.push_str("ms");
}

fn json(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A page of a feed: 200 with an object that is not empty, without its closing brace. Others may be answered with the same
/// bytes, so its `duration` goes out beside them.
#[derive(Debug)]
pub(crate) struct Page(pub(crate) Bytes);

impl Answer for Page {
    fn finish(self, started: Instant) -> Response {
        let mut end = String::with_capacity(32);
        end.push(',');
        close(&mut end, started);
        json(Body::new(Joined { first: self.0, last: end.into() }))
    }
}

/// A body in two pieces.
struct Joined {
    first: Bytes,
    last: Bytes,
}

impl http_body::Body for Joined {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match mem::take(&mut self.first) {
            first if first.is_empty() => mem::take(&mut self.last),
            first => first,
        };
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.first.len() + self.last.len()) as u64)
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

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_page_has_its_duration_and_its_length() {
        let response = Page(Bytes::from_static(br#"{"results":[]"#)).finish(Instant::now());
        let length = response.body().size_hint().exact();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(length, Some(bytes.len() as u64));
        let page: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert!(page["duration"].as_str().unwrap().ends_with("ms"), "{page}");
    }

    #[test]
    fn a_duration_is_in_milliseconds_with_two_decimals() {
        for (micros, expected) in [(0, "0.00ms"), (46, "0.05ms"), (1_234, "1.23ms"), (61_000_000, "61000.00ms")] {
            let mut body = String::new();
            write_duration(&mut body, Duration::from_micros(micros));
            assert_eq!(body, expected);
        }
    }
}
