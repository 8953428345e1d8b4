//! `/faye`: what happens in feeds, told as it happens (feeds-v1 §9).
//!
//! Bayeux 1.0 over WebSocket, long-polling and callback-polling. A client is known by its id, whichever way it comes in: it
//! shakes hands, subscribes to feeds that its token may read, and asks again and again what is new.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, WebSocketUpgrade},
    response::Response,
};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{Server, gate, query::Query, router::FAYE};

mod bayeux;
mod follow;
mod hub;
mod pace;
mod socket;

pub(crate) use follow::follow;
pub(crate) use hub::Hub;

use bayeux::{Asked, Connect};

/// How long a client that asks what is new waits when nothing is: less than clients are told, and than proxies wait.
const HOLD: Duration = Duration::from_secs(25);
/// How long clients are told to wait, in milliseconds.
const TIMEOUT_MILLIS: u64 = 45_000;
/// The most messages of one request or frame.
const MESSAGES_MAX: usize = 100;
/// The largest frame, in bytes.
const FRAME_BYTES_MAX: usize = 256 * 1024;
/// The longest name of a function in a page that is called with the answer.
const CALLBACK_BYTES_MAX: usize = 128;

/// How large the bodies may be that come by other ways than a WebSocket.
pub(crate) fn body_limits() -> impl Iterator<Item = (String, u64)> {
    FAYE.into_iter().map(|path| (path.to_owned(), FRAME_BYTES_MAX as u64))
}

/// How often silent clients are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Forgets clients that say nothing, and with them what waits for them, until the server ends.
pub(crate) async fn sweep(server: Arc<Server>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        server.faye.sweep();
    }
}

/// Answers a request to `/faye`.
pub(crate) async fn answer(server: Arc<Server>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        let upgrade = upgrade.max_message_size(FRAME_BYTES_MAX).max_frame_size(FRAME_BYTES_MAX);
        return upgrade.on_upgrade(move |socket| socket::run(server, socket));
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    if parts.method == Method::GET {
        return by_callback(&server, &query).await;
    }
    let Ok(bytes) = gate::read(body).await else { return refused("the body could not be read") };
    let sent = std::str::from_utf8(&bytes).unwrap_or_default();
    // Pages of another origin send a form and call it plain text, so that no preflight is due.
    let form = sent.starts_with("message=").then(|| Query::parse(sent));
    let sent = form.as_ref().map_or(sent, |form| form.get("message").unwrap_or_default());
    match messages(sent) {
        Some(messages) => response("application/json", list(&polled(&server, messages).await)),
        None => refused("send a JSON list of Bayeux messages"),
    }
}

/// Callback-polling: the answer is a call of a function in the page.
async fn by_callback(server: &Arc<Server>, query: &Query) -> Response {
    let name = query.get("jsonp").unwrap_or("jsonpcallback");
    let is_name = name.len() <= CALLBACK_BYTES_MAX
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'));
    match query.get("message").and_then(messages).filter(|_| is_name) {
        Some(messages) => {
            // Two characters of JSON end lines in scripts.
            let list =
                list(&polled(server, messages).await).replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
            response("text/javascript; charset=utf-8", format!("/**/{name}({list});"))
        }
        None => refused("send a list of Bayeux messages in `message`"),
    }
}

/// The messages in a text; `None` when it is neither one nor a list of them.
fn messages(text: &str) -> Option<Vec<Value>> {
    match serde_json::from_str(text).ok()? {
        Value::Array(messages) if messages.len() <= MESSAGES_MAX => Some(messages),
        message @ Value::Object(_) => Some(vec![message]),
        _ => None,
    }
}

/// The answers to `messages`, once there is something to tell, or nothing for long enough.
async fn polled(server: &Arc<Server>, messages: Vec<Value>) -> Vec<String> {
    let (mut answers, mut held) = (Vec::new(), None);
    for message in &messages {
        match bayeux::ask(server, message).await {
            Asked::Answer(answer) => answers.push(answer.to_string()),
            Asked::Connect(connect) => held = Some(connect),
        }
    }
    if let Some(Connect { client, answer, timeout }) = held {
        // Whoever has other answers waiting gets them at once.
        let timeout = if answers.is_empty() { timeout } else { Duration::ZERO };
        let told = server.faye.wait(&client, timeout).await;
        answers.push(answer.to_string());
        answers.extend(told.iter().map(|message| message.to_string()));
    }
    answers
}

fn list(messages: &[String]) -> String {
    format!("[{}]", messages.join(","))
}

fn response(kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    response
}

fn refused(words: &str) -> Response {
    let mut response = response("application/json", json!({ "error": words }).to_string());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
