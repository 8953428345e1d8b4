//! Settings of the whole app: `GET` and `PATCH /app`, and what checks them (chat §11.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{dialect::Time, push::PushProvider};

/// What `GET /app` answers.
#[derive(Serialize, Debug)]
pub struct Answer<A> {
    /// The app.
    pub app: A,
}

/// The app, as its own server sees it.
#[derive(Serialize, Debug)]
pub struct App<'a, T> {
    /// The app's number.
    pub id: u32,
    /// What people call it.
    pub name: &'a str,
    /// Whether its calls are refused.
    pub suspended: bool,
    /// Whether tokens are taken without looking at their signature.
    pub disable_auth_checks: bool,
    /// Whether users may do everything.
    pub disable_permissions_checks: bool,
    /// Users' tokens from before are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_tokens_issued_before: Option<Time>,
    /// Role → permissions outside of channels.
    pub grants: BTreeMap<&'a str, &'a [String]>,
    /// Who is told of what happens.
    pub event_hooks: Vec<Hook<'a>>,
    /// Name → channel type.
    pub channel_configs: BTreeMap<String, T>,
    /// How devices are told.
    pub push_notifications: Push<'a>,
    /// The other settings.
    #[serde(flatten)]
    pub others: BTreeMap<&'a str, Box<RawValue>>,
}

/// The app, as its users see it.
#[derive(Serialize, Debug)]
pub struct PublicApp<'a> {
    /// What people call it.
    pub name: &'a str,
    /// What may be uploaded, and what the app can do.
    #[serde(flatten)]
    pub others: BTreeMap<&'a str, Box<RawValue>>,
}

/// Somebody who is told of what happens.
#[derive(Serialize, Debug)]
pub struct Hook<'a> {
    /// The id.
    pub id: &'a str,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// What it is and what it is told.
    #[serde(flatten)]
    pub details: BTreeMap<String, Value>,
}

/// How devices are told.
#[derive(Serialize, Debug)]
pub struct Push<'a> {
    /// Always `v2`.
    pub version: &'static str,
    /// Whether only those are told who are not connected.
    pub offline_only: bool,
    /// Apple's service.
    pub apn: Provider,
    /// Google's.
    pub firebase: Provider,
    /// Huawei's.
    pub huawei: Provider,
    /// Xiaomi's.
    pub xiaomi: Provider,
    /// Named ways to tell devices.
    pub providers: Vec<PushProvider<'a>>,
}

/// A way to tell devices; what was set, but for its secrets.
#[derive(Serialize, Debug)]
pub struct Provider {
    /// Whether it can be used.
    pub enabled: bool,
    /// What was set.
    #[serde(flatten)]
    pub details: BTreeMap<String, Value>,
}

/// What `POST /check_sqs` and `POST /check_sns` answer.
#[derive(Serialize, Debug)]
pub struct QueueCheck {
    /// `ok` or `error`.
    pub status: &'static str,
    /// What went wrong.
    pub error: String,
    /// Always empty here; clients want an object.
    pub data: BTreeMap<String, String>,
}

/// What `GET /rate_limits` answers: platform → operation → how it stands.
#[derive(Serialize, Debug)]
pub struct RateLimits<'a> {
    /// Platform → operation → how it stands.
    #[serde(flatten)]
    pub platforms: BTreeMap<&'static str, BTreeMap<&'a str, RateLimit>>,
}

/// How an operation stands.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct RateLimit {
    /// Calls a minute.
    pub limit: u32,
    /// Calls that are left.
    pub remaining: u32,
    /// When all are left again, in seconds since 1970.
    pub reset: i64,
}
