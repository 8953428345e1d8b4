//! `/admin/apps/{app}/feed_groups`: the feed groups of an app (feeds-v1 §4.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the feeds of a group are.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Activities, newest first.
    Flat,
    /// Activities in groups.
    Aggregated,
    /// Activities in groups that can be seen and read.
    Notification,
}

/// What a user's token allows on other people's feeds.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Nothing.
    #[default]
    Private,
    /// Reading.
    GlobalRead,
    /// Adding.
    GlobalWrite,
    /// Both.
    GlobalReadWrite,
}

/// A feed group; the body of `PUT /admin/apps/{app}/feed_groups/{name}` is one without its name.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct FeedGroup {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What its feeds are.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What others may do.
    #[serde(default)]
    pub access: Access,
    /// How activities of an aggregated or notification feed are put in groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation_format: Option<String>,
    /// Name → method, with `score`, `defaults` and `functions`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ranking: BTreeMap<String, Value>,
    /// The method that is used when none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_ranking: Option<String>,
    /// Whether subscribers are told of changes.
    #[serde(default = "yes")]
    pub realtime: bool,
}

fn yes() -> bool {
    true
}

/// The answer of `GET /admin/apps/{app}/feed_groups`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub struct FeedGroups {
    /// By name.
    pub feed_groups: Vec<FeedGroup>,
}
