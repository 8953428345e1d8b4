//! The verbs and their flags.

mod asking;
mod batch;
mod integrations;
mod place;
mod results;
mod upkeep;
mod webhooks;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

pub(crate) use asking::{Access, Asked, Delete, List, Person, Select, Verify};
pub(crate) use batch::{Batch, RunBatch};
pub(crate) use integrations::{Add, Integrations, Pair, Set, Settings};
pub(crate) use place::{Output, PLACE, Place};
pub(crate) use results::{Certificate, Delivery, Packages};
pub(crate) use upkeep::{Backup, Init, ReplayErasures, Restore};
pub(crate) use webhooks::Webhooks;

/// `millpond privacy`.
#[derive(Args, Debug)]
pub(crate) struct Privacy {
    #[command(flatten)]
    pub(crate) place: Place,
    /// What is printed
    #[arg(long, global = true, value_name = "FORM", default_value = "human", help_heading = PLACE)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What it does.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Make the key if it is not there, the directory, and a first token
    #[command(after_help = "Example: millpond privacy init --kek-file privacy.kek")]
    Init(Init),
    /// Run the service and its workers
    #[command(after_help = "Example: millpond privacy serve --listen 127.0.0.1:8090")]
    Serve(Serve),
    /// Make and rotate the key-encryption key
    #[command(after_help = "Example: millpond privacy keys status")]
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Show and change how long what is known of people is kept
    #[command(after_help = "Example: millpond privacy retention set --packages 14d --identifiers 90d")]
    Retention {
        #[command(subcommand)]
        command: Retention,
    },
    /// Make, list and end tokens of the service
    #[command(after_help = "Example: millpond privacy token create --name portal --role request_operator")]
    Token {
        #[command(subcommand)]
        command: Token,
    },
    /// Connect services, test and change the connections
    #[command(after_help = "Example: millpond privacy integrations add --key-file key --secret-file secret")]
    Integrations {
        #[command(subcommand)]
        command: Integrations,
    },
    /// Fetch what a person has
    #[command(after_help = "Example: millpond privacy access --email amy@example.com --out amy.zip")]
    Access(Access),
    /// Delete what a person has
    #[command(after_help = "Example: millpond privacy delete --user-id amy --dry-run")]
    Delete(Delete),
    /// Make many requests, from a file
    #[command(after_help = "Example: millpond privacy batch run leavers.csv --type deletion")]
    Batch {
        #[command(subcommand)]
        command: Batch,
    },
    /// Show a request
    #[command(visible_alias = "show")]
    #[command(after_help = "Example: millpond privacy status dsr_01M7ZYMYGVT37FB95DEVC2JEXG")]
    Status(One),
    /// List requests
    #[command(after_help = "Example: millpond privacy list --status held --type deletion")]
    List(List),
    /// Find the requests of a person
    #[command(after_help = "Example: millpond privacy search --email amy@example.com")]
    Search(Person),
    /// Wait for a request
    #[command(after_help = "Example: millpond privacy watch dsr_01M7ZYMYGVT37FB95DEVC2JEXG --wait 1h")]
    Watch(Watch),
    /// Note who verified that it is the person who asks
    #[command(
        after_help = "Example: millpond privacy verify dsr_01M7ZYMYGVT37FB95DEVC2JEXG --by portal --method email_link"
    )]
    Verify(Verify),
    /// Do again what failed
    #[command(after_help = "Example: millpond privacy retry dsr_01M7ZYMYGVT37FB95DEVC2JEXG")]
    Retry(Decided),
    /// Withdraw a request
    #[command(after_help = "Example: millpond privacy cancel dsr_01M7ZYMYGVT37FB95DEVC2JEXG --reason withdrawn")]
    Cancel(Decided),
    /// Stop a request
    #[command(after_help = "Example: millpond privacy hold dsr_01M7ZYMYGVT37FB95DEVC2JEXG --reason \"a court asks\"")]
    Hold(Decided),
    /// Let a stopped request go on
    #[command(after_help = "Example: millpond privacy resume dsr_01M7ZYMYGVT37FB95DEVC2JEXG")]
    Resume(Decided),
    /// Approve a held request
    #[command(after_help = "Example: millpond privacy approve dsr_01M7ZYMYGVT37FB95DEVC2JEXG")]
    Approve(Decided),
    /// Refuse a held request
    #[command(after_help = "Example: millpond privacy deny dsr_01M7ZYMYGVT37FB95DEVC2JEXG --reason \"not the owner\"")]
    Deny(Decided),
    /// Say which of the matches are meant
    #[command(after_help = "Example: millpond privacy select dsr_01M7ZYMYGVT37FB95DEVC2JEXG 1 3")]
    Select(Select),
    /// End a failed request as cancelled for the controllers that handed it in over OpenDSR
    #[command(after_help = "Example: millpond privacy end dsr_01M7ZYMYGVT37FB95DEVC2JEXG")]
    End(Decided),
    /// Extend the deadline, once
    #[command(
        after_help = "Example: millpond privacy extend dsr_01M7ZYMYGVT37FB95DEVC2JEXG --reason \"many accounts\""
    )]
    Extend {
        /// The request
        id: String,
        /// Why; the person is told
        #[arg(long)]
        reason: String,
    },
    /// Fetch, hand on or check a package
    #[command(after_help = "Example: millpond privacy packages verify amy.zip")]
    Packages {
        #[command(subcommand)]
        command: Packages,
    },
    /// Fetch or check a certificate
    #[command(after_help = "Example: millpond privacy certificate verify erasure.json")]
    Certificate {
        #[command(subcommand)]
        command: Certificate,
    },
    /// Tell other systems what happens
    #[command(after_help = "Example: millpond privacy webhooks add https://example.com/hook")]
    Webhooks {
        #[command(subcommand)]
        command: Webhooks,
    },
    /// Read or check the audit log
    #[command(after_help = "Example: millpond privacy audit verify")]
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// Look whether everything is in order
    #[command(after_help = "Example: millpond privacy doctor")]
    Doctor,
    /// Write the directory to a file
    #[command(after_help = "Example: millpond privacy backup privacy.backup")]
    Backup(Backup),
    /// Make the directory from a backup
    #[command(after_help = "Example: millpond privacy restore privacy.backup --data-dir ./elsewhere")]
    Restore(Restore),
    /// Delete again who came back when a service restored a backup of its own
    #[command(after_help = "Example: millpond privacy replay-erasures --since 2026-01-31T00:00:00Z")]
    ReplayErasures(ReplayErasures),
}

/// `serve`.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The address to listen on
    #[arg(long, env = "MILLPOND_PRIVACY_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub(crate) listen: SocketAddr,
    /// The certificate for TLS, with those that lead to its authority, as PEM
    #[arg(long, env = "MILLPOND_PRIVACY_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its key, as PEM
    #[arg(long, env = "MILLPOND_PRIVACY_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Let in only clients that show a certificate of these authorities, as PEM
    #[arg(long, env = "MILLPOND_PRIVACY_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// A proxy in front does TLS: without it or a certificate, only addresses of this machine are listened on
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// Tell the numbers for Prometheus at this address instead, and not beside the API
    #[arg(long, env = "MILLPOND_PRIVACY_METRICS_LISTEN", value_name = "ADDR")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Write every entry of the audit log to this file, too, as a line
    #[arg(long, env = "MILLPOND_PRIVACY_AUDIT_MIRROR", value_name = "FILE")]
    pub(crate) audit_mirror: Option<PathBuf>,
    /// How often each token may call in a minute; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value_t = connector::http::CALLS_PER_MINUTE)]
    pub(crate) calls_per_minute: u32,
    /// Speak OpenDSR as this domain, which leads here and which the certificate names
    #[arg(long, value_name = "DOMAIN", requires = "opendsr_key_file", requires = "opendsr_certificate_file")]
    pub(crate) opendsr_domain: Option<String>,
    /// The RSA key that signs answers and callbacks of OpenDSR, as PEM
    #[arg(long, value_name = "FILE", requires = "opendsr_domain")]
    pub(crate) opendsr_key_file: Option<PathBuf>,
    /// Its certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "opendsr_domain")]
    pub(crate) opendsr_certificate_file: Option<PathBuf>,
}

/// `keys`.
#[derive(Subcommand, Debug)]
pub(crate) enum Keys {
    /// Make a key in a new file, named by --kek-file, or the recipe for that of a passphrase
    #[command(after_help = "Example: millpond privacy keys init --kek-file privacy.kek")]
    Init,
    /// Say which key opens the directory
    #[command(after_help = "Example: millpond privacy keys status")]
    Status,
    /// Check that the key opens everything that is sealed
    #[command(after_help = "Example: millpond privacy keys verify")]
    Verify,
    /// Give every data key another key
    #[command(after_help = "Example: millpond privacy keys rotate --new-kek-file new.kek")]
    Rotate {
        /// The new key's file; it is made if it is not there
        #[arg(long, value_name = "FILE")]
        new_kek_file: PathBuf,
    },
}

/// `retention`.
#[derive(Subcommand, Debug)]
pub(crate) enum Retention {
    /// Show it
    #[command(after_help = "Example: millpond privacy retention show")]
    Show,
    /// Change it, for what is there already too; what is left out stays as it is
    #[command(after_help = "Example: millpond privacy retention set --packages 14d --identifiers 90d")]
    Set {
        /// How long packages are kept after their request is done, as 7d
        #[arg(long, value_name = "TIME", required_unless_present = "identifiers")]
        packages: Option<String>,
        /// How long identifiers and everything else are kept, as 30d; then the key of the request is destroyed
        #[arg(long, value_name = "TIME")]
        identifiers: Option<String>,
    },
}

/// `token`.
#[derive(Subcommand, Debug)]
pub(crate) enum Token {
    /// Make a token; it is shown this once
    #[command(after_help = "Example: millpond privacy token create --name portal --role request_operator")]
    Create {
        /// Whose it is
        #[arg(long)]
        name: String,
        /// super_admin, connections_manager, request_operator, approver, auditor or viewer
        #[arg(long)]
        role: String,
        /// When it ends, as 2027-01-31T09:00:00Z; never if it is left out
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
    },
    /// List tokens
    #[command(after_help = "Example: millpond privacy token list")]
    List,
    /// End a token
    #[command(after_help = "Example: millpond privacy token revoke tok_01M7ZYMFH6F3EYFPM2RQ6DE01K")]
    Revoke {
        /// Its id
        id: String,
    },
}

/// A request.
#[derive(Args, Debug)]
pub(crate) struct One {
    /// The request
    pub(crate) id: String,
}

/// A decision about a request.
#[derive(Args, Debug)]
pub(crate) struct Decided {
    /// The request
    pub(crate) id: String,
    /// Why; it is sealed with the request, and shown with it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// `watch`.
#[derive(Args, Debug)]
pub(crate) struct Watch {
    /// The request
    pub(crate) id: String,
    /// How long to wait: 60, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) wait: String,
}

/// `audit`.
#[derive(Subcommand, Debug)]
pub(crate) enum Audit {
    /// Print the log as lines of JSON
    #[command(after_help = "Example: millpond privacy audit export > audit.jsonl")]
    Export,
    /// Check the chain
    #[command(after_help = "Example: millpond privacy audit verify audit.jsonl")]
    Verify {
        /// An exported log, wherever it is kept; the log of the connector if it is left out
        file: Option<PathBuf>,
        /// The file is what `serve --audit-mirror` writes, whose end nobody signs
        #[arg(long, requires = "file")]
        mirror: bool,
    },
}
