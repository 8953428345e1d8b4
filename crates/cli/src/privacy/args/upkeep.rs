//! The verbs that look after the connector itself.

use std::path::PathBuf;

use clap::Args;

/// `init`.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Whose the first token is
    #[arg(long, value_name = "NAME", default_value = "first")]
    pub(crate) token_name: String,
}

/// `replay-erasures`.
#[derive(Args, Debug)]
pub(crate) struct ReplayErasures {
    /// Only erasures since then, as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only this integration; all of them if it is left out
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Vec<String>,
    /// How long to wait: 60, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) wait: String,
}

/// `backup`.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The file, which appears only when it is whole
    pub(crate) file: PathBuf,
}

/// `restore`.
#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The backup
    pub(crate) file: PathBuf,
}
