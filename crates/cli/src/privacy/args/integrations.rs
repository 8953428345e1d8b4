//! The verbs about connections, and every setting of one.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// A key and a secret.
#[derive(Args, Debug)]
pub(crate) struct Pair {
    /// The file with the API Key; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    /// The file with the API Secret; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: PathBuf,
}

/// `integrations`.
#[derive(Subcommand, Debug)]
pub(crate) enum Integrations {
    /// Test a connection and save it
    #[command(
        after_help = "Example: millpond privacy integrations add --name Stream --key-file key --secret-file secret"
    )]
    Add(Box<Add>),
    /// List integrations
    #[command(after_help = "Example: millpond privacy integrations list")]
    List,
    /// Show an integration with its settings
    #[command(after_help = "Example: millpond privacy integrations show Stream")]
    Show(Named),
    /// Change settings; those that are left out stay as they are
    #[command(after_help = "Example: millpond privacy integrations set Stream --approval true --cooling-off 1d")]
    Set(Box<Set>),
    /// Test a connection again
    #[command(after_help = "Example: millpond privacy integrations test Stream")]
    Test {
        #[command(flatten)]
        named: Named,
        /// Do not try an empty deletion
        #[arg(long)]
        no_delete_probe: bool,
    },
    /// Replace the credentials
    #[command(after_help = "Example: millpond privacy integrations rotate Stream --key-file key --secret-file secret")]
    Rotate {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        pair: Pair,
        /// The old secret is known to others: do not keep it for a moment
        #[arg(long)]
        compromised: bool,
    },
    /// Switch off
    #[command(after_help = "Example: millpond privacy integrations disable Stream")]
    Disable(Named),
    /// Switch on
    #[command(after_help = "Example: millpond privacy integrations enable Stream")]
    Enable(Named),
    /// Remove it and destroy its credentials
    #[command(after_help = "Example: millpond privacy integrations remove Stream")]
    Remove {
        #[command(flatten)]
        named: Named,
        /// Though requests are open
        #[arg(long)]
        force: bool,
    },
    /// Show what is known of its limits
    #[command(after_help = "Example: millpond privacy integrations limits Stream")]
    Limits(Named),
}

/// An integration.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// Its name or id
    pub(crate) integration: String,
}

/// `integrations add`.
#[derive(Args, Debug)]
pub(crate) struct Add {
    /// What people call it
    #[arg(long, default_value = "Stream")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) pair: Pair,
    /// The base URL; Stream's if it is left out
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Use http to another machine: whoever is between sees everything
    #[arg(long)]
    pub(crate) allow_insecure: bool,
    /// stream_v2 or millpond
    #[arg(long, default_value = "stream_v2")]
    pub(crate) dialect: String,
    /// Remove outer spaces of the credentials, and say so
    #[arg(long)]
    pub(crate) trim: bool,
    /// Do not try an empty deletion
    #[arg(long)]
    pub(crate) no_delete_probe: bool,
    /// Keep it though its test failed; it runs no requests
    #[arg(long)]
    pub(crate) save_untested: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// `integrations set`.
#[derive(Args, Debug)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) named: Named,
    /// What people call it from now on
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What can be set at any time. What is left out is the default at first, and stays as it is later.
#[derive(Args, Debug)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Settings {
    /// When a deletion counts as done: wait_for_completion (the default) or complete_on_submit
    #[arg(long, value_name = "WORD")]
    pub(crate) async_deletion_behavior: Option<String>,
    /// The field in which users have their e-mail address; `email` by default
    #[arg(long, value_name = "FIELD")]
    pub(crate) email_field: Option<String>,
    /// The share of the service's limits to use; 0.75 by default
    #[arg(long, value_name = "SHARE")]
    pub(crate) throttle: Option<f64>,
    /// How user records are deleted: soft, pruning or hard (the default)
    #[arg(long, value_name = "WORD")]
    pub(crate) delete_user: Option<String>,
    /// How messages are deleted: soft, pruning or hard (the default)
    #[arg(long, value_name = "WORD")]
    pub(crate) delete_messages: Option<String>,
    /// How one-to-one conversations are deleted: soft or hard (the default)
    #[arg(long, value_name = "WORD")]
    pub(crate) delete_conversations: Option<String>,
    /// How one-to-one calls are deleted: soft or hard (the default)
    #[arg(long, value_name = "WORD")]
    pub(crate) delete_calls: Option<String>,
    /// The forms of the option for files to try, in order; `hard,true` by default
    #[arg(long, value_name = "FORM", value_delimiter = ',')]
    pub(crate) files_forms: Option<Vec<String>>,
    /// Who gets the channels of the deleted; "" for nobody
    #[arg(long, value_name = "ID")]
    pub(crate) new_channel_owner_id: Option<String>,
    /// What an access does that matches several users: all (the default) or hold
    #[arg(long, value_name = "WORD")]
    pub(crate) multi_match_access: Option<String>,
    /// What a deletion does that matches several users: hold (the default) or all
    #[arg(long, value_name = "WORD")]
    pub(crate) multi_match_delete: Option<String>,
    /// Whether deletions wait for an approver
    #[arg(long, value_name = "BOOL")]
    pub(crate) approval: Option<bool>,
    /// Whether nobody approves a request of their own
    #[arg(long, value_name = "BOOL")]
    pub(crate) four_eyes: Option<bool>,
    /// Whether requests wait until it is verified who asks
    #[arg(long, value_name = "BOOL")]
    pub(crate) require_verification: Option<bool>,
    /// The grace before a deletion: 60, 5m, 1h, 1d
    #[arg(long, value_name = "TIME")]
    pub(crate) cooling_off: Option<String>,
    /// Whether it is looked for what is left after a deletion; without it nothing is ever called erased
    #[arg(long, value_name = "BOOL")]
    pub(crate) verify_erasure: Option<bool>,
    /// How the erased are remembered: hash (the default), encrypted, with their ids too, or off
    #[arg(long, value_name = "WORD")]
    pub(crate) erasure_ledger: Option<String>,
    /// When the job of a deletion is looked at: quick (the default) or hourly
    #[arg(long, value_name = "WORD")]
    pub(crate) poll: Option<String>,
    /// The first wait before it is looked at, which doubles: 5 by default
    #[arg(long, value_name = "TIME")]
    pub(crate) poll_first: Option<String>,
    /// The longest wait in the first hour: 5m by default
    #[arg(long, value_name = "TIME")]
    pub(crate) poll_most: Option<String>,
    /// The wait after an hour: 15m by default
    #[arg(long, value_name = "TIME")]
    pub(crate) poll_after_an_hour: Option<String>,
    /// The wait after a day: 1h by default
    #[arg(long, value_name = "TIME")]
    pub(crate) poll_after_a_day: Option<String>,
    /// The share of a wait that chance adds or takes; 0.1 by default
    #[arg(long, value_name = "SHARE")]
    pub(crate) poll_spread: Option<f64>,
    /// Whether feeds data is exported and deleted too: true, false, or auto (the default), which is what the test finds
    #[arg(long, value_name = "WORD")]
    pub(crate) include_feeds: Option<String>,
    /// Whether files that the person's messages name are fetched
    #[arg(long, value_name = "BOOL")]
    pub(crate) include_files: Option<bool>,
    /// More hosts to fetch files from; `.example.com` means all below it, "" none
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) file_hosts: Option<Vec<String>>,
    /// Whether ids and names of others are masked in what is made for people
    #[arg(long, value_name = "BOOL")]
    pub(crate) redact_others: Option<bool>,
    /// Whether bodies are in the package as they came
    #[arg(long, value_name = "BOOL")]
    pub(crate) raw: Option<bool>,
    /// Whether accounts that are too large for one answer are exported as a file
    #[arg(long, value_name = "BOOL")]
    pub(crate) async_export_fallback: Option<bool>,
    /// Whether a deletion makes the package of an access first
    #[arg(long, value_name = "BOOL")]
    pub(crate) export_before_delete: Option<bool>,
}
