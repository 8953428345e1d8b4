//! Where log lines go, and in which form.

use std::io::{self, IsTerminal as _, Write};

use anyhow::{Context as _, Result};
use tracing_subscriber::EnvFilter;

use crate::args::{LogFormat, Logs};

/// The storage engine tells at level info what is of use only to its makers; the setting can ask for it by name.
const QUIET: &str = "fjall=warn,lsm_tree=warn";

/// Starts logging to standard error.
pub(crate) fn start(logs: &Logs) -> Result<()> {
    let filter = EnvFilter::builder().parse(format!("{QUIET},{}", logs.log_level)).with_context(|| {
        format!("`{}` is no log level; write error, warn, info, debug or trace, or directives", logs.log_level)
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match logs.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

/// Starts logging to standard error for a service that names nobody: lines of JSON without anything that has the shape of an
/// e-mail address or a token. Panics are told in the same way.
pub(crate) fn start_redacted() -> Result<()> {
    let filter = EnvFilter::new(format!("{QUIET},info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Redacted(io::stderr()));
    let started = builder.json().flatten_event(true).try_init();
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))?;
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, panic = text.unwrap_or("without a message"), "something panicked");
    }));
    Ok(())
}

/// Writes lines of a log without people and tokens.
struct Redacted<W>(W);

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A line of the log comes whole.
        self.0.write_all(connector::redact::line(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_written_without_people() {
        let mut written = Vec::new();
        Redacted(&mut written).write_all(br#"{"panic":"no amy@example.com here"}"#).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert!(written.ends_with("[redacted] here\"}") && !written.contains("amy"), "{written}");
    }
}
