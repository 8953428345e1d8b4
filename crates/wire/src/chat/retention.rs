//! How long messages and channels are kept: `/retention_policy` (chat §11.14.14, §18).

use serde::Serialize;

use super::dialect::Time;

/// What `GET /retention_policy` answers.
#[derive(Serialize, Debug)]
pub struct Policies<'a> {
    /// By name.
    pub policies: Vec<RetentionPolicy<'a>>,
}

/// What `POST /retention_policy` answers.
#[derive(Serialize, Debug)]
pub struct OnePolicy<'a> {
    /// The policy.
    pub policy: RetentionPolicy<'a>,
}

/// A policy.
#[derive(Serialize, Debug)]
pub struct RetentionPolicy<'a> {
    /// The app's number.
    pub app_pk: u32,
    /// `old-messages` or `inactive-channels`.
    pub policy: &'a str,
    /// Since when it holds.
    pub enabled_at: Time,
    /// What it says.
    pub config: Config,
}

/// What a policy says.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Config {
    /// What is older goes, in hours.
    pub max_age_hours: u32,
}

/// What `POST /retention_policy/runs` answers.
#[derive(Serialize, Debug)]
pub struct Runs<'a> {
    /// In the order that was asked for.
    pub runs: Vec<RetentionRun<'a>>,
    /// Where the next ones are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where those before are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// What came of a policy on one day.
#[derive(Serialize, Debug)]
pub struct RetentionRun<'a> {
    /// The app's number.
    pub app_pk: u32,
    /// Which policy.
    pub policy: &'a str,
    /// On which day: `YYYY-MM-DD`.
    pub date: &'a str,
    /// What was removed.
    pub stats: Stats,
}

/// What was removed.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Stats {
    /// Channels.
    pub channels_deleted: u64,
    /// Messages.
    pub messages_deleted: u64,
}
