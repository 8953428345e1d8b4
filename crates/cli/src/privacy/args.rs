//! The verbs and their flags.

mod batch;
mod place;
mod upkeep;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

pub(crate) use batch::{Batch, RunBatch};
pub(crate) use place::{Output, Place};
pub(crate) use upkeep::{Backup, Init, ReplayErasures, Restore};

/// `millpond privacy`.
#[derive(Args, Debug)]
pub(crate) struct Privacy {
    #[command(flatten)]
    pub(crate) place: Place,
    /// What is printed
    #[arg(long, global = true, value_name = "FORM", default_value = "human")]
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
    List {
        /// Only those of this status
        #[arg(long)]
        status: Option<String>,
        /// Only these: access or deletion
        #[arg(long = "type")]
        kind: Option<String>,
    },
    /// Wait for a request
    Watch(Watch),
    /// Do again what failed
    Retry(One),
    /// Withdraw a request
    Cancel(One),
    /// Stop a request
    Hold(One),
    /// Let a stopped request go on
    Resume(One),
    /// Approve a held request
    Approve(One),
    /// Refuse a held request
    Deny(One),
    /// Say which of the matches are meant
    Select {
        /// The request
        id: String,
        /// Numbers of matches, as `status` shows them
        #[arg(required = true)]
        targets: Vec<usize>,
    },
    /// Extend the deadline, once
    Extend {
        /// The request
        id: String,
        /// Why; the person is told
        #[arg(long)]
        reason: String,
    },
    /// Check a package
    Packages {
        #[command(subcommand)]
        command: Packages,
    },
    /// Fetch or check a certificate
    Certificate {
        #[command(subcommand)]
        command: Certificate,
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
    },
    /// List tokens
    List,
    /// End a token
    Revoke {
        /// Its id
        id: String,
    },
}

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
    Add {
        /// What people call it
        #[arg(long, default_value = "Stream")]
        name: String,
        #[command(flatten)]
        pair: Pair,
        /// The base URL; Stream's if it is left out
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
        /// stream_v2 or millpond
        #[arg(long, default_value = "stream_v2")]
        dialect: String,
        /// When a deletion counts as done: wait_for_completion or complete_on_submit
        #[arg(long, value_name = "WORD", default_value = "wait_for_completion")]
        async_deletion_behavior: String,
        /// The field in which users have their e-mail address
        #[arg(long, value_name = "FIELD", default_value = "email")]
        email_field: String,
        /// The share of the service's limits to use
        #[arg(long, value_name = "SHARE", default_value_t = 0.75)]
        throttle: f64,
        /// Remove outer spaces of the credentials, and say so
        #[arg(long)]
        trim: bool,
        /// Do not try an empty deletion
        #[arg(long)]
        no_delete_probe: bool,
        /// Keep it though its test failed; it runs no requests
        #[arg(long)]
        save_untested: bool,
    },
    /// List integrations
    List,
    /// Show an integration
    Show(Named),
    /// Test a connection again
    Test(Named),
    /// Replace the credentials
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
    Disable(Named),
    /// Switch on
    Enable(Named),
    /// Remove it and destroy its credentials
    Remove {
        #[command(flatten)]
        named: Named,
        /// Though requests are open
        #[arg(long)]
        force: bool,
    },
    /// Show what is known of its limits
    Limits(Named),
}

/// An integration.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// Its name or id
    pub(crate) integration: String,
}

/// A person.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("person").required(true).multiple(true).args(["email", "user_id"]))]
pub(crate) struct Person {
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Vec<String>,
    /// The user id
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Vec<String>,
    /// Only this integration; all of them if it is left out
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Vec<String>,
    /// gdpr, ccpa or other
    #[arg(long, default_value = "gdpr")]
    pub(crate) regulation: String,
    /// The id of whoever passes the request on
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
}

/// `access`.
#[derive(Args, Debug)]
pub(crate) struct Access {
    #[command(flatten)]
    pub(crate) person: Person,
    /// Where the package goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Who alone can open it: an age recipient
    #[arg(long, value_name = "age1…", requires = "out")]
    pub(crate) recipient: Option<String>,
    /// How long to wait: 60, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60")]
    pub(crate) wait: String,
}

/// `delete`.
#[derive(Args, Debug)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) person: Person,
    /// Only look
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What a dry run printed: exactly the users that it showed are deleted
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["dry_run", "yes"])]
    pub(crate) confirm: Option<String>,
    /// Delete what the preview shows without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) yes: bool,
    /// How long to wait: 60, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60")]
    pub(crate) wait: String,
}

/// A request.
#[derive(Args, Debug)]
pub(crate) struct One {
    /// The request
    pub(crate) id: String,
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

/// `packages`.
#[derive(Subcommand, Debug)]
pub(crate) enum Packages {
    /// Check signature, hashes, missing and extra files
    Verify {
        /// The package
        file: PathBuf,
    },
}

/// `certificate`.
#[derive(Subcommand, Debug)]
pub(crate) enum Certificate {
    /// Fetch the certificate of a deletion, with its signature beside it
    Fetch {
        /// The request
        id: String,
        /// Where it goes; its signature goes beside it, with `.sig`
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The page for people instead
        #[arg(long)]
        html: bool,
    },
    /// Check the signature of a certificate
    Verify {
        /// The certificate
        file: PathBuf,
        /// Its signature; beside it, with `.sig`, if it is left out
        #[arg(long, value_name = "FILE")]
        signature: Option<PathBuf>,
    },
}

/// `audit`.
#[derive(Subcommand, Debug)]
pub(crate) enum Audit {
    /// Print the log as lines of JSON
    Export,
    /// Check the chain
    Verify,
}
