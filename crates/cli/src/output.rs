//! What goes to standard output: text for people, one JSON document per line for programs.

use std::io::{self, Write as _};

use anyhow::Result;
use serde::Serialize;

/// Prints `text` as it is.
pub(crate) fn text(text: &str) -> Result<()> {
    finish(io::stdout().write_all(text.as_bytes()))
}

/// Prints `bytes` as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<()> {
    finish(io::stdout().write_all(bytes))
}

/// Prints one line.
pub(crate) fn line(line: &str) -> Result<()> {
    text(&format!("{line}\n"))
}

/// Prints one JSON document on a line of its own.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string(value)?)
}

/// A reader that closed the pipe has seen enough: that is no failure.
fn finish(outcome: io::Result<()>) -> Result<()> {
    match outcome.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
