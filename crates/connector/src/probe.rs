//! The connection test (§6.2, §6.3): what works is proved call by call, and each cause of a failure has its own words.
//!
//! **Invariant:** it asks for a person who cannot exist and changes nothing; it never repeats a secret.

mod credentials;
mod steps;

use std::collections::BTreeMap;

use ids::Timestamp;

use crate::{upstream::Made, words::words};

pub(crate) use credentials::lint;
pub use credentials::trimmed;
pub(crate) use steps::{Trial, run};

words! {
    /// Why a connection does not work: stable codes.
    Problem {
        /// The key or the secret has characters that nobody sees.
        0 CredentialWhitespace = "credential_whitespace",
        /// The key or the secret is missing.
        1 CredentialEmpty = "credential_empty",
        /// A token was given instead of the secret.
        2 CredentialIsToken = "credential_is_token",
        /// Key and secret were exchanged.
        3 CredentialSwapped = "credential_swapped",
        /// The key is not known.
        4 ApiKeyInvalid = "api_key_invalid",
        /// The key is known, the signature refused.
        5 ApiSecretWrong = "api_secret_wrong",
        /// The clocks differ.
        6 ClockWrong = "clock_wrong",
        /// A call is not allowed.
        7 PermissionMissing = "permission_missing",
        /// The app is suspended.
        8 AppSuspended = "app_suspended",
        /// This is not the API that is needed.
        9 AccountTypeMismatch = "account_type_mismatch",
        /// The key's role is too low.
        10 RoleInsufficient = "role_insufficient",
        /// A call does not exist there.
        11 EndpointMissing = "endpoint_missing",
        /// The limit is reached; says nothing about the credentials.
        12 RateLimited = "rate_limited",
        /// Nobody answers.
        13 Unreachable = "unreachable",
        /// The certificate is not to be trusted.
        14 TlsInvalid = "tls_invalid",
        /// The address points elsewhere.
        15 Redirected = "redirected",
        /// Somebody else answers.
        16 NotStream = "not_stream",
        /// The other side is in trouble.
        17 UpstreamTrouble = "upstream_trouble",
    }
}

words! {
    /// How a step of the test ended.
    StepStatus {
        /// Passed.
        0 Ok = "ok",
        /// The connection cannot be made.
        1 Failed = "failed",
        /// It works without this.
        2 Warning = "warning",
        /// Not tried.
        3 Skipped = "skipped",
    }
}

/// A cause, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The stable code.
    pub problem: Problem,
    /// The sentence that people read.
    pub message: String,
}

/// A step of the test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// `T0` to `T8`.
    pub name: &'static str,
    /// What it tries.
    pub what: &'static str,
    /// How it ended.
    pub status: StepStatus,
    /// How long the answer took.
    pub latency_ms: i64,
    /// The HTTP status.
    pub http: Option<u16>,
    /// The code of the other side.
    pub code: Option<i64>,
    /// What is wrong.
    pub finding: Option<Finding>,
}

/// What the test found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// When.
    pub tested_at: Timestamp,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// What the connection is good for.
    pub capabilities: BTreeMap<&'static str, bool>,
    /// What was done to the credentials, if anything.
    pub note: Option<String>,
    /// Every call that was made, for the audit log, with the name of its step.
    pub(crate) calls: Vec<(&'static str, Made)>,
}

impl Finding {
    pub(crate) fn new(problem: Problem, message: impl Into<String>) -> Self {
        Finding { problem, message: message.into() }
    }
}

impl Report {
    /// Whether the connection can be made.
    pub fn is_ok(&self) -> bool {
        self.steps.iter().all(|step| step.status != StepStatus::Failed)
    }

    /// Why it cannot. Missing permissions are named together.
    pub fn verdict(&self) -> Option<Finding> {
        let failed: Vec<&Step> = self.steps.iter().filter(|step| step.status == StepStatus::Failed).collect();
        let first = failed.first()?.finding.clone()?;
        if first.problem != Problem::PermissionMissing {
            return Some(first);
        }
        let is_missing =
            |step: &&&Step| step.finding.as_ref().is_some_and(|finding| finding.problem == Problem::PermissionMissing);
        let calls: Vec<&str> = failed.iter().filter(is_missing).map(|step| step.what).collect();
        Some(Finding::new(Problem::PermissionMissing, missing(&calls.join(", "))))
    }
}

fn missing(calls: &str) -> String {
    format!(
        "The credentials work, but {calls} are not allowed. Grant the missing permissions; the connection cannot be \
         made without them."
    )
}
