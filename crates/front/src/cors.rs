//! What browsers may do: any origin calls the API directly, with a token instead of cookies.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Stream-Auth-Type, X-Stream-Client, X-Stream-Ext, X-Client-Request-Id, X-Request-Id, \
     Content-Type, Content-Encoding, Accept, Pragma, X-Requested-With",
);
const EXPOSED: HeaderValue =
    HeaderValue::from_static("X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Request-Id");
const ANY: HeaderValue = HeaderValue::from_static("*");
/// How long a browser may remember a preflight; browsers cap it themselves.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// The answer to every `OPTIONS` request: no authentication, the same for all paths.
pub(crate) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    headers.insert(header::ALLOW, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    response
}

/// Lets a browser's page read this response: pages of any origin, or this one that may have asked with credentials.
pub(crate) fn allow(headers: &mut HeaderMap, credentialed: Option<HeaderValue>) {
    if let Some(origin) = credentialed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    } else {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}
