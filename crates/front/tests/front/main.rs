//! The front over real sockets: what it accepts, refuses, cuts, compresses, counts and says.
//!
//! Deadlines are tiny here and only their outcome is asserted, never how long it took.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

mod bodies;
mod connections;
mod fast;
mod pond;
mod requests;

use axum::body::Bytes;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::time::Duration;

/// A deadline that passes at once, as far as a person can tell.
const TINY: Duration = Duration::from_millis(60);

/// A few routes of every kind.
fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { "pond" }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/upload", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/large", get(|| async { Json(json!({ "pond": "still water ".repeat(1000) })) }))
        .route("/small", get(|| async { Json(json!({ "pond": "still" })) }))
        .route("/feed/{group}/{id}", get(|| async { "feed" }))
}
