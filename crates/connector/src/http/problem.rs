//! Errors as RFC 9457 says (§15.3).

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use front::Refusal;
use serde_json::{Value, json};

use super::views;
use crate::{Connector, Error};

tokio::task_local! {
    /// The id of the call that is answered.
    static REQUEST_ID: String;
}

/// Answers a call under an id of its own, which a problem names and every answer has as `x-request-id`.
pub(super) async fn identified(State(connector): State<Arc<Connector>>, request: Request, next: Next) -> Response {
    let id = connector.surroundings.uuid();
    let header = HeaderValue::from_str(&id);
    let mut response = REQUEST_ID.scope(id, next.run(request)).await;
    if let Ok(header) = header {
        response.headers_mut().insert("x-request-id", header);
    }
    response
}

/// Why a call is not answered as was hoped.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    more: Value,
    /// After how many seconds it is worth another try.
    retry_after: Option<i64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem { status, code, detail: detail.into(), more: Value::Null, retry_after: None }
    }

    pub(super) fn field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let more = json!({"errors": [{"field": field, "code": "invalid", "message": message}]});
        Problem { more, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", format!("`{field}` {message}")) }
    }

    /// Somebody calls too often.
    pub(super) fn too_often(secs: i64) -> Self {
        let detail = format!("too many calls; there is room for one in {secs} s");
        Problem { retry_after: Some(secs), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail) }
    }

    /// What is wrong, in a sentence.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }
}

/// What the front refuses, as RFC 9457 says.
pub(super) fn refuse(refusal: Refusal) -> Response {
    let code = match refusal {
        Refusal::UnknownPath => "not_found",
        Refusal::WrongMethod => "method_not_allowed",
        Refusal::Panicked => "internal",
        Refusal::TooLarge { .. } => "too_large",
        Refusal::TooSlow => "too_slow",
        Refusal::MalformedEncoding => "malformed",
        Refusal::UnsupportedEncoding => "unsupported_encoding",
    };
    Problem::new(refusal.status(), code, refusal.detail()).into_response()
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::Missing { .. } => (StatusCode::NOT_FOUND, "not_found"),
            Error::Invalid { field, message } => return Problem::field(field, message.clone()),
            Error::Address(_) => return Problem::field("base_url", error.to_string()),
            Error::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Error::Status(_) => (StatusCode::CONFLICT, "state"),
            Error::Deadline(_) => (StatusCode::CONFLICT, "deadline"),
            Error::Irreversible => (StatusCode::CONFLICT, "irreversible"),
            Error::Keys(crate::keys::Error::Shredded) => (StatusCode::GONE, "destroyed"),
            Error::TestFailed(report) => {
                let more = json!({"report": views::report(report)});
                let code = report.verdict().map_or("test_failed", |finding| finding.problem.word());
                return Problem { more, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string()) };
            }
            Error::Superseded | Error::LeaseLost => (StatusCode::SERVICE_UNAVAILABLE, "superseded"),
            Error::Store(_)
            | Error::Open(_)
            | Error::File { .. }
            | Error::Keys(_)
            | Error::Outbound(_)
            | Error::Unreachable { .. }
            | Error::BrokenOff(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Problem::new(status, code, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let request_id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
        let mut body = json!({
            "type": format!("https://millpond.dev/problems/{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, self.more) {
            body.extend(more);
        }
        let headers = [("content-type", "application/problem+json")];
        let mut response = (self.status, headers, Json(body).into_response().into_body()).into_response();
        if let Some(secs) = self.retry_after {
            response.headers_mut().insert("retry-after", HeaderValue::from(secs));
        }
        response
    }
}
