//! Appeals, decisions and checks: `/moderation/appeal`, `/moderation/submit_action`, `/moderation/check` (v2 §6.3, §6.5, §6.6).

use serde::Serialize;

use super::ReviewItem;
use crate::chat::{dialect::Time, users::User};

/// An appeal (v2 §6.8).
#[derive(Serialize, Debug)]
pub struct Appeal<'a> {
    /// The id.
    pub id: &'a str,
    /// Why, in the user's words.
    pub appeal_reason: &'a str,
    /// `submitted`, `accepted` or `rejected`.
    pub status: &'static str,
    /// What kind of thing it is about.
    pub entity_type: &'a str,
    /// Which.
    pub entity_id: &'a str,
    /// Its item in the review queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_queue_item_id: Option<&'a str>,
    /// Why it was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<&'a str>,
    /// Addresses of what is to be looked at.
    pub attachments: &'a [String],
    /// Who appeals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What `POST /moderation/appeal` answers.
#[derive(Serialize, Debug)]
pub struct Appealed<'a> {
    /// The appeal.
    pub appeal_id: &'a str,
}

/// What `GET /moderation/appeal/{id}` answers.
#[derive(Serialize, Debug)]
pub struct OneAppeal<'a> {
    /// The appeal.
    pub item: Appeal<'a>,
}

/// What `POST /moderation/appeals` answers.
#[derive(Serialize, Debug)]
pub struct Appeals<'a> {
    /// In the order that was asked for.
    pub items: Vec<Appeal<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// What `POST /moderation/appeals/bulk_action` answers.
#[derive(Serialize, Debug)]
pub struct BulkDecided<'a> {
    /// Appeals that were decided.
    pub results: Vec<AppealResult<'a>>,
    /// Appeals that were not, and why.
    pub errors: Vec<AppealError<'a>>,
}

/// An appeal that was decided among many.
#[derive(Serialize, Debug)]
pub struct AppealResult<'a> {
    /// Which.
    pub appeal_id: &'a str,
    /// As it is now.
    pub appeal_item: Appeal<'a>,
}

/// An appeal that was not decided among many.
#[derive(Serialize, Debug)]
pub struct AppealError<'a> {
    /// Which.
    pub appeal_id: &'a str,
    /// Why not.
    pub error: String,
}

/// What `POST /moderation/submit_action` answers.
#[derive(Serialize, Debug)]
pub struct Decided<'a> {
    /// The item as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ReviewItem<'a>>,
    /// The appeal that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal_item: Option<Appeal<'a>>,
}

/// What `POST /moderation/check` answers.
#[derive(Serialize, Debug)]
pub struct Checked<'a> {
    /// `completed`: nothing is checked later.
    pub status: &'static str,
    /// `keep`, `flag`, `shadow`, `bounce` or `remove`.
    pub recommended_action: &'static str,
    /// The rule that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triggered_rule: Option<TriggeredRule<'a>>,
    /// Every rule that was broken.
    pub triggered_rules: Vec<TriggeredRule<'a>>,
    /// The item of the review queue, unless the content is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ReviewItem<'a>>,
}

/// A rule that content broke.
#[derive(Serialize, Debug)]
pub struct TriggeredRule<'a> {
    /// The blocklist, or the name of the rule.
    pub rule_id: &'a str,
    /// The same.
    pub rule_name: &'a str,
    /// Which engine found it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it asks for.
    pub actions: [&'static str; 1],
}

/// What `POST /moderation/custom_check` answers.
#[derive(Serialize, Debug)]
pub struct CustomChecked<'a> {
    /// The item of the review queue.
    pub id: &'a str,
    /// How it stands.
    pub status: &'static str,
    /// The item.
    pub item: ReviewItem<'a>,
}
