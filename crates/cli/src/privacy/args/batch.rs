//! The verbs for many requests at once.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `batch`.
#[derive(Subcommand, Debug)]
pub(crate) enum Batch {
    /// Hand a file in, and wait for it
    #[command(after_help = "Example: millpond privacy batch run leavers.csv --type deletion --wait 1h")]
    Run(RunBatch),
    /// Show how far a batch is
    #[command(after_help = "Example: millpond privacy batch status bat_01M7ZYPEWJC7W5N521VH7HH5X2")]
    Status {
        /// The batch
        id: String,
    },
    /// List the rows of a batch with their results
    #[command(after_help = "Example: millpond privacy batch rows bat_01M7ZYPEWJC7W5N521VH7HH5X2 --status invalid")]
    Rows {
        /// The batch
        id: String,
        /// Only those of this status
        #[arg(long, value_name = "WORD")]
        status: Option<String>,
    },
    /// Stop a batch
    #[command(after_help = "Example: millpond privacy batch pause bat_01M7ZYPEWJC7W5N521VH7HH5X2")]
    Pause {
        /// The batch
        id: String,
    },
    /// Let a batch go on
    #[command(after_help = "Example: millpond privacy batch resume bat_01M7ZYPEWJC7W5N521VH7HH5X2")]
    Resume {
        /// The batch
        id: String,
    },
    /// Withdraw a batch: what has begun goes on
    #[command(after_help = "Example: millpond privacy batch cancel bat_01M7ZYPEWJC7W5N521VH7HH5X2")]
    Cancel {
        /// The batch
        id: String,
    },
    /// Write every row with its result, as CSV
    #[command(after_help = "Example: millpond privacy batch report bat_01M7ZYPEWJC7W5N521VH7HH5X2 --out report.csv")]
    Report {
        /// The batch
        id: String,
        /// Where the table goes
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// `batch run`.
#[derive(Args, Debug)]
pub(crate) struct RunBatch {
    /// Lines of JSON, or a table if its name ends in .csv
    pub(crate) file: PathBuf,
    /// What rows ask for that do not say it: access or deletion
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// It is meant that more than 5 % of an app's users are deleted
    #[arg(long)]
    pub(crate) i_know: bool,
    /// The most deletions that begin within an hour
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_deletions_per_hour: Option<u32>,
    /// How long to wait: 60, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) wait: String,
}
