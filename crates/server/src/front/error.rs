//! Errors in the shape of the API, for what goes wrong before or around a handler.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// Where every error body points to.
pub const MORE_INFO: &str = "https://getstream.io/docs/api_error_responses";

/// An error response as the API words it.
#[must_use]
pub fn error_body(status: StatusCode, code: i32, exception: &str, detail: &str) -> Response {
    let body = json!({
        "detail": detail,
        "status_code": status.as_u16(),
        "code": code,
        "exception": exception,
        "duration": "0.00ms",
        "more_info": MORE_INFO,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// No route matches the path.
pub(super) fn unknown_path() -> Response {
    error_body(StatusCode::NOT_FOUND, 16, "DoesNotExistException", "this path does not exist; see the API reference")
}

/// The path exists, but not with this method.
pub(super) fn wrong_method() -> Response {
    error_body(StatusCode::METHOD_NOT_ALLOWED, 17, "NotAllowedException", "this path does not accept this method")
}

/// A handler panicked.
pub(super) fn internal() -> Response {
    error_body(StatusCode::INTERNAL_SERVER_ERROR, -1, "InternalException", "an internal error; it has been logged")
}

/// The body is larger than the route takes.
pub(super) fn too_large(max_bytes: u64) -> Response {
    let detail = format!("the request body is larger than {max_bytes} bytes");
    error_body(StatusCode::PAYLOAD_TOO_LARGE, 18, "PayloadTooLargeException", &detail)
}

/// The body stopped arriving.
pub(super) fn too_slow() -> Response {
    error_body(StatusCode::REQUEST_TIMEOUT, 4, "InputException", "the request body arrived too slowly")
}

/// The body is not what its `Content-Encoding` says.
pub(super) fn malformed_encoding() -> Response {
    let detail = "the request body is not what its Content-Encoding says";
    error_body(StatusCode::BAD_REQUEST, 4, "InputException", detail)
}

/// The body is in an encoding that nobody here reads.
pub(super) fn unsupported_encoding() -> Response {
    let detail = "this Content-Encoding is not supported; send gzip, deflate or none";
    error_body(StatusCode::UNSUPPORTED_MEDIA_TYPE, 4, "InputException", detail)
}
