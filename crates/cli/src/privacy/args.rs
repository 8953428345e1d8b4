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
    Init(Init),
    /// Run the service and its workers
    Serve(Serve),
    /// Make and rotate the key-encryption key
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Make, list and end tokens of the service
    Token {
        #[command(subcommand)]
        command: Token,
    },
    /// Connect services, test and change the connections
    Integrations {
        #[command(subcommand)]
        command: Integrations,
    },
    /// Fetch what a person has
    Access(Access),
    /// Delete what a person has
    Delete(Delete),
    /// Make many requests, from a file
    Batch {
        #[command(subcommand)]
        command: Batch,
    },
    /// Show a request
    #[command(visible_alias = "show")]
    Status(One),
    /// List requests
    List(List),
    /// Find the requests of a person
    Search(Person),
    /// Wait for a request
    Watch(Watch),
    /// Note who verified that it is the person who asks
    Verify(Verify),
    /// Do again what failed
    Retry(Decided),
    /// Withdraw a request
    Cancel(Decided),
    /// Stop a request
    Hold(Decided),
    /// Let a stopped request go on
    Resume(Decided),
    /// Approve a held request
    Approve(Decided),
    /// Refuse a held request
    Deny(Decided),
    /// Say which of the matches are meant
    Select(Select),
    /// End a failed request as cancelled for the controllers that handed it in over OpenDSR
    End(Decided),
    /// Extend the deadline, once
    Extend {
        /// The request
        id: String,
        /// Why; the person is told
        #[arg(long)]
        reason: String,
    },
    /// Fetch, hand on or check a package
    Packages {
        #[command(subcommand)]
        command: Packages,
    },
    /// Fetch or check a certificate
    Certificate {
        #[command(subcommand)]
        command: Certificate,
    },
    /// Tell other systems what happens
    Webhooks {
        #[command(subcommand)]
        command: Webhooks,
    },
    /// Read or check the audit log
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// Look whether everything is in order
    Doctor,
    /// Write the directory to a file
    Backup(Backup),
    /// Make the directory from a backup
    Restore(Restore),
    /// Delete again who came back when a service restored a backup of its own
    ReplayErasures(ReplayErasures),
}

/// `serve`.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The address to listen on
    #[arg(long, env = "MILLPOND_PRIVACY_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub(crate) listen: SocketAddr,
    /// A proxy in front does TLS: without it, only addresses of this machine are listened on
    #[arg(long)]
    pub(crate) behind_proxy: bool,
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
    Init,
    /// Say which key opens the directory
    Status,
    /// Check that the key opens everything that is sealed
    Verify,
    /// Give every data key another key
    Rotate {
        /// The new key's file; it is made if it is not there
        #[arg(long, value_name = "FILE")]
        new_kek_file: PathBuf,
    },
}

/// `token`.
#[derive(Subcommand, Debug)]
pub(crate) enum Token {
    /// Make a token; it is shown this once
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
    List,
    /// End a token
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
    Export,
    /// Check the chain
    Verify,
}
