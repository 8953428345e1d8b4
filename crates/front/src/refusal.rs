//! What the front itself refuses, before or around a handler; each service words it in its own API's shape.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// Why a request is answered by the front and not by a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No route matches the path.
    UnknownPath,
    /// The path exists, but not with this method.
    WrongMethod,
    /// A handler panicked; it has been logged.
    Panicked,
    /// The body is larger than the route takes.
    TooLarge {
        /// What the route takes, in bytes.
        max_bytes: u64,
    },
    /// The body stopped arriving.
    TooSlow,
    /// The body is not what its `Content-Encoding` says.
    MalformedEncoding,
    /// The body is in an encoding that nobody here reads.
    UnsupportedEncoding,
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MalformedEncoding => StatusCode::BAD_REQUEST,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn detail(self) -> String {
        match self {
            Self::UnknownPath => "this path does not exist; see the API reference".to_owned(),
            Self::WrongMethod => "this path does not accept this method".to_owned(),
            Self::Panicked => "an internal error; it has been logged".to_owned(),
            Self::TooLarge { max_bytes } => format!("the request body is larger than {max_bytes} bytes"),
            Self::TooSlow => "the request body arrived too slowly".to_owned(),
            Self::MalformedEncoding => "the request body is not what its Content-Encoding says".to_owned(),
            Self::UnsupportedEncoding => {
                "this Content-Encoding is not supported; send gzip, deflate or none".to_owned()
            }
        }
    }
}

/// A refusal as plain text, for a service that has no shape of its own for errors.
pub(crate) fn plain(refusal: Refusal) -> Response {
    let mut response = Response::new(Body::from(refusal.detail()));
    *response.status_mut() = refusal.status();
    response
}
