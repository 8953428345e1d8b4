//! The review queue and what moderators did: `/moderation/review_queue` and `/moderation/logs` (v2 §6.5, §6.8).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Appeal, Ban, ModerationFlag};
use crate::chat::{dialect::Time, users::User};

/// What a moderator did (v2 §6.8).
#[derive(Serialize, Debug)]
pub struct ActionLog<'a> {
    /// The id.
    pub id: &'a str,
    /// What.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Why.
    pub reason: &'a str,
    /// What kind of reporter told of it.
    pub reporter_type: &'a str,
    /// Who did it; empty for the app's own server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// To whom.
    pub target_user_id: &'a str,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_user: Option<User<'a>>,
    /// Models that took part, of which there are none here.
    pub ai_providers: [(); 0],
    /// The application's own words.
    pub custom: Box<RawValue>,
    /// When.
    pub created_at: Time,
}

/// What `POST /moderation/logs` answers.
#[derive(Serialize, Debug)]
pub struct ActionLogs<'a> {
    /// The newest first.
    pub logs: Vec<ActionLog<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// An item of the review queue (v2 §6.8).
#[derive(Serialize, Debug)]
pub struct ReviewItem<'a> {
    /// The id.
    pub id: &'a str,
    /// What kind of thing.
    pub entity_type: &'a str,
    /// Which.
    pub entity_id: &'a str,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_creator_id: Option<&'a str>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_creator: Option<EntityCreator<'a>>,
    /// `pending` or `reviewed`.
    pub status: &'static str,
    /// What the policy or the application's model asks for; empty when only people reported it.
    pub recommended_action: &'a str,
    /// The policy that found something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_key: Option<&'a str>,
    /// How bad a model finds it.
    pub ai_text_severity: &'static str,
    /// The same as a number.
    pub severity: u8,
    /// Whether it was handed on.
    pub escalated: bool,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<Time>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalated_by: Option<&'a str>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation_metadata: Option<EscalationMetadata<'a>>,
    /// Who has it locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<User<'a>>,
    /// The last appeal against what was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal: Option<Appeal<'a>>,
    /// How often it was reported.
    pub flags_count: usize,
    /// What was last done about it.
    pub latest_moderator_action: &'a str,
    /// Who looked at it; empty when nobody did.
    pub reviewed_by: &'a str,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Time>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The reports.
    pub flags: Vec<ModerationFlag<'a>>,
    /// What was done about it.
    pub actions: Vec<ActionLog<'a>>,
    /// Bans of whose it is.
    pub bans: Vec<BanInfo<'a>>,
    /// Languages that a model found.
    pub languages: [(); 0],
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
    /// The activity of feeds v3, always in the v2 dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds_v3_activity: Option<Box<RawValue>>,
    /// The comment of feeds v3, always in the v2 dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds_v3_comment: Option<Box<RawValue>>,
    /// The content that the application sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_payload: Option<Box<RawValue>>,
    /// When it was first reported.
    pub created_at: Time,
    /// When something last happened to it.
    pub updated_at: Time,
}

/// A ban, as the review queue tells it (v2 §6.8).
#[derive(Serialize, Debug)]
pub struct BanInfo<'a> {
    /// The ban, without `banned_by`.
    #[serde(flatten)]
    pub ban: Ban<'a>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<User<'a>>,
    /// From which channel; absent for the whole app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_cid: Option<&'a str>,
}

/// Whose an item of the review queue is, with what moderation knows of the user.
#[derive(Serialize, Debug)]
pub struct EntityCreator<'a> {
    /// The user.
    #[serde(flatten)]
    pub user: User<'a>,
    /// From how many places the user is banned.
    pub ban_count: usize,
    /// How often what is the user's was reported.
    pub flagged_count: usize,
    /// How often a moderator deleted something of it.
    pub deleted_content_count: usize,
}

/// Why an item was handed on.
#[derive(Serialize, Debug)]
pub struct EscalationMetadata<'a> {
    /// The reason.
    pub reason: &'a str,
    /// What is to be known.
    pub notes: &'a str,
    /// How urgent it is.
    pub priority: &'a str,
}

/// What `POST /moderation/review_queue` answers.
#[derive(Serialize, Debug)]
pub struct ReviewQueue<'a> {
    /// In the order that was asked for.
    pub items: Vec<ReviewItem<'a>>,
    /// Buttons of a dashboard that were set, by the type of what they are for.
    pub action_config: BTreeMap<String, Vec<serde_json::Value>>,
    /// Buttons that are there by themselves: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_action_config: Option<BTreeMap<(), ()>>,
    /// How many items there are, by status.
    pub stats: BTreeMap<&'static str, usize>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// What `GET /moderation/review_queue/{id}` answers.
#[derive(Serialize, Debug)]
pub struct OneReviewItem<'a> {
    /// The item as it is now.
    pub item: ReviewItem<'a>,
}
