//! Requests to the API of feeds: whatever path, query and JSON, an answer of the API comes back, never a 500.
//!
//! An input is lines of method, path below `/api/v1.0/` and body; each is asked in turn.

use axum::body::Body;
use http::{Method, Request, Uri};

use super::pond::Pond;
use crate::Target;

/// The most requests of an input.
const REQUESTS_MAX: usize = 8;

/// The target.
pub const TARGET: Target = Target {
    name: "requests",
    about: "requests to the API of feeds",
    words: &[
        "feed/user/amy/",
        "feed/aggregated/amy/",
        "feed/notification/amy/",
        "feed/ranked/amy/",
        "enrich/",
        "activities/",
        "activity/",
        "follows/",
        "reaction/",
        "collections/food/",
        "user/amy/",
        "users/",
        "stats/follow/",
        "follow_many/",
        "?limit=",
        "&offset=",
        "&id_lt=",
        "&ranking=popularity",
        "&ranking_vars={}",
        "&withRecentReactions=true",
        "&mark_read=current",
        "\"actor\":",
        "\"to\":[",
        "\"time\":\"2024-01-01T00:00:00\"",
        "\"foreign_id\":",
        "SU:amy",
        "SO:food:a",
        "\n",
        "POST ",
        "GET ",
        "PUT ",
        "DELETE ",
        "8b866680-82b8-11e8-8080-80014b9d80a2",
        "null",
        "1e999",
        "-1",
        "{",
        "}",
        "[",
        "%00",
        "\\u0000",
    ],
    changed_seeds: 1500,
    run,
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    Pond::with(|pond| text.lines().take(REQUESTS_MAX).for_each(|line| ask(pond, line)));
}

fn ask(pond: &mut Pond, line: &str) {
    let mut parts = line.splitn(3, ' ');
    let (method, path, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let and = if path.contains('?') { '&' } else { '?' };
    let Ok(uri) = Uri::try_from(format!("/api/v1.0/{path}{and}api_key=pond-key")) else { return };
    // What other servers are asked for is another target.
    if uri.path().trim_end_matches('/').ends_with("og") {
        return;
    }
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("authorization", &pond.token).header("stream-auth-type", "jwt");
    let answer = pond.ask(request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap());
    assert_ne!(answer.status, 500, "{line}\n{}", answer.text);
    if answer.headers.get("content-type").is_some_and(|kind| kind == "application/json") && !answer.text.is_empty() {
        answer.json();
    }
}
