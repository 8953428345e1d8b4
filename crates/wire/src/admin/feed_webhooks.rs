//! `/admin/apps/{app}/feed_webhooks`: who is told of what changes in feeds (feeds-v1 §9.3).

use serde::{Deserialize, Serialize};

/// A webhook; the body of `PUT /admin/apps/{app}/feed_webhooks/{id}` is one without its id.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct FeedWebhook {
    /// By which it is changed and taken away.
    #[serde(default)]
    pub id: String,
    /// Where what changes is posted to.
    pub url: String,
    /// The groups whose feeds it is told of; all, if empty.
    #[serde(default)]
    pub feed_groups: Vec<String>,
    /// Whether it is told of reactions.
    #[serde(default = "yes")]
    pub reactions: bool,
    /// Whether the address must answer a GET with the app's API key before the webhook is made. Not shown.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub verify: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_yes(yes: &bool) -> bool {
    *yes
}

fn yes() -> bool {
    true
}

/// The answer of `GET /admin/apps/{app}/feed_webhooks`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct FeedWebhooks {
    /// In the order in which they were made.
    pub feed_webhooks: Vec<FeedWebhook>,
}
