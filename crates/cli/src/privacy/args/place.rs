//! Where the connector is, how it is opened, and in which form it answers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The heading of what every verb takes.
pub(crate) const PLACE: &str = "Where the connector is";

/// The form of what is printed.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people
    Human,
    /// One JSON document
    Json,
}

/// Where the connector is.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = PLACE)]
pub(crate) struct Place {
    /// The connector's own directory; one process at a time owns it
    #[arg(
        long,
        global = true,
        env = "MILLPOND_PRIVACY_DATA_DIR",
        value_name = "DIR",
        default_value = "./millpond-privacy"
    )]
    pub(crate) data_dir: PathBuf,
    /// The key-encryption key, in a file that only its owner may read
    #[arg(long, global = true, env = "MILLPOND_PRIVACY_KEK_FILE", value_name = "FILE")]
    pub(crate) kek_file: Option<PathBuf>,
    /// A command that prints the key, as the client of a key management service does
    #[arg(long, global = true, env = "MILLPOND_PRIVACY_KEK_COMMAND", value_name = "COMMAND")]
    pub(crate) kek_command: Option<String>,
    /// A passphrase that the key is made from, in a file; `-` is standard input
    #[arg(long, global = true, env = "MILLPOND_PRIVACY_KEK_PASSPHRASE_FILE", value_name = "FILE")]
    pub(crate) kek_passphrase_file: Option<PathBuf>,
    /// A running service to ask instead of the directory
    #[arg(long, global = true, value_name = "URL", requires = "token_file")]
    pub(crate) server: Option<String>,
    /// The file with the token for it
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The certificate to show to a service that asks for one, as PEM
    #[arg(long, global = true, value_name = "FILE", requires = "server", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// Its key, as PEM
    #[arg(long, global = true, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Further trusted certificates, as PEM
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A dialect of the API beside those that are built in, as JSON; `--dialect` of an integration names it
    #[arg(long, global = true, env = "MILLPOND_PRIVACY_DIALECT_FILES", value_name = "FILE", value_delimiter = ',')]
    pub(crate) dialect_file: Vec<PathBuf>,
    /// Hosts inside that webhooks may go to, over http too
    #[arg(long, global = true, env = "MILLPOND_PRIVACY_WEBHOOK_HOSTS", value_name = "HOST", value_delimiter = ',')]
    pub(crate) webhook_host: Vec<String>,
}
