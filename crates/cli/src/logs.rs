//! Where log lines go, and in which form.

use std::io::IsTerminal as _;

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
