//! Bodies and parameters: what is not known is refused by name.

use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::Problem;
use crate::words::Words;

/// Reads a body; nothing is an empty object.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        // What serde says names fields and what they should be; it quotes values only if they are words of an enum.
        Category::Data => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", named(&error.to_string())),
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body is not JSON"),
    })
}

/// The message without what was sent.
fn named(message: &str) -> String {
    match message.split_once("invalid type: ") {
        Some((before, after)) => {
            format!("{before}wrong type,{}", after.split_once(',').map_or("", |(_, expected)| expected))
        }
        None => message.to_owned(),
    }
}

/// The variant that a word stands for.
pub(super) fn word<T: Words>(field: &str, text: &str) -> Result<T, Problem> {
    T::WORDS.iter().copied().find(|known| known.spelled() == text).ok_or_else(|| {
        let known: Vec<&str> = T::WORDS.iter().map(|known| known.spelled()).collect();
        Problem::field(field, format!("must be one of {}", known.join(", ")))
    })
}

/// A moment.
pub(super) fn moment(field: &str, text: &str) -> Result<ids::Timestamp, Problem> {
    ids::Timestamp::parse(text).map_err(|_| Problem::field(field, "must be a time as RFC 3339 writes it"))
}
