//! The verbs that ask for something, and those about what was asked.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::results::Delivery;

/// A person.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("person").required(true).multiple(true).args(["email", "user_id"]))]
pub(crate) struct Person {
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Vec<String>,
    /// The user id
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Vec<String>,
}

/// What a request of a person says beside who it is.
#[derive(Args, Debug)]
pub(crate) struct Asked {
    /// Only this integration; all of them if it is left out
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Vec<String>,
    /// The law that sets the deadline: gdpr, ccpa or other
    #[arg(long, default_value = "gdpr")]
    pub(crate) regulation: String,
    /// The days of the deadline, where no law sets them: 1 to 365
    #[arg(long, value_name = "COUNT")]
    pub(crate) days: Option<u32>,
    /// When the person asked, as 2026-01-31T09:00:00Z; now if it is left out
    #[arg(long, value_name = "TIME")]
    pub(crate) received_at: Option<String>,
    /// The id of whoever passes the request on
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    #[command(flatten)]
    pub(crate) verified: Verified,
}

/// How it was verified who asks, if it was.
#[derive(Args, Debug)]
pub(crate) struct Verified {
    /// Who verified that it is the person who asks
    #[arg(long, value_name = "WHO", requires = "verification_method")]
    pub(crate) verified_by: Option<String>,
    /// How, as email_link
    #[arg(long, value_name = "WORD", requires = "verified_by")]
    pub(crate) verification_method: Option<String>,
    /// When, as 2026-01-31T09:00:00Z; now if it is left out
    #[arg(long, value_name = "TIME", requires = "verified_by")]
    pub(crate) verified_at: Option<String>,
    /// Where the evidence is kept, as a number of a ticket: no personal data
    #[arg(long, value_name = "TEXT", requires = "verified_by")]
    pub(crate) evidence_ref: Option<String>,
}

/// `access`.
#[derive(Args, Debug)]
pub(crate) struct Access {
    #[command(flatten)]
    pub(crate) person: Person,
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Where the package goes
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) delivery: Delivery,
    /// How long to wait: 60, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60")]
    pub(crate) wait: String,
}

/// `delete`.
#[derive(Args, Debug)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) person: Person,
    #[command(flatten)]
    pub(crate) asked: Asked,
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

/// `list`.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// Only those of this status
    #[arg(long, value_name = "WORD")]
    pub(crate) status: Option<String>,
    /// Only these: access or deletion
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Only those that ask at this integration
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Option<String>,
    /// Only those that are due before, as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) due_before: Option<String>,
    /// Only the one that somebody passed on under this id
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// Only those of this batch
    #[arg(long, value_name = "ID")]
    pub(crate) batch: Option<String>,
}

/// `verify`.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The request
    pub(crate) id: String,
    /// Who verified that it is the person who asks
    #[arg(long = "by", value_name = "WHO")]
    pub(crate) verified_by: String,
    /// How, as email_link
    #[arg(long, value_name = "WORD")]
    pub(crate) method: String,
    /// When, as 2026-01-31T09:00:00Z; now if it is left out
    #[arg(long = "at", value_name = "TIME")]
    pub(crate) verified_at: Option<String>,
    /// Where the evidence is kept, as a number of a ticket: no personal data
    #[arg(long, value_name = "TEXT")]
    pub(crate) evidence_ref: Option<String>,
    /// Why; it is sealed with the request, and shown with it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// `select`.
#[derive(Args, Debug)]
pub(crate) struct Select {
    /// The request
    pub(crate) id: String,
    /// Numbers of matches, as `status` shows them
    #[arg(required = true)]
    pub(crate) targets: Vec<usize>,
    /// Of which execution, if the request asks at several integrations
    #[arg(long, value_name = "ID")]
    pub(crate) execution: Option<String>,
    /// Why; it is sealed with the request, and shown with it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}
