//! What the front refuses, in the shape of the API.

use axum::{body::Body, response::Response};
use front::Refusal;
use http::{HeaderValue, header};
use serde_json::json;
use wire::error::MORE_INFO;

/// The API's code of a refusal, and the name of its exception.
fn named(refusal: Refusal) -> (i32, &'static str) {
    match refusal {
        Refusal::UnknownPath => (16, "DoesNotExistException"),
        Refusal::WrongMethod => (17, "NotAllowedException"),
        Refusal::Panicked => (-1, "InternalException"),
        Refusal::TooLarge { .. } => (18, "PayloadTooLargeException"),
        Refusal::TooSlow | Refusal::MalformedEncoding | Refusal::UnsupportedEncoding => (4, "InputException"),
    }
}

/// The refusal as the API words errors.
pub(crate) fn refuse(refusal: Refusal) -> Response {
    let (code, exception) = named(refusal);
    let body = json!({
        "detail": refusal.detail(),
        "status_code": refusal.status().as_u16(),
        "code": code,
        "exception": exception,
        "duration": "0.00ms",
        "more_info": MORE_INFO,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = refusal.status();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_has_the_shape_of_the_api() {
        let response = refuse(Refusal::TooLarge { max_bytes: 100 });
        assert_eq!(response.status(), 413);
        assert_eq!(response.headers()["content-type"], "application/json");
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((body["code"].as_i64(), body["status_code"].as_i64()), (Some(18), Some(413)));
        assert_eq!(body["detail"], "the request body is larger than 100 bytes");
        assert_eq!(body["more_info"], MORE_INFO);
    }
}
