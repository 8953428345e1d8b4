//! Moderation: `/moderation/…`, `/query_banned_users` and what they answer (chat §6.12, §11.8; v2 §6).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    dialect::{Members, Time},
    users::{FullUser, User, UserMute},
};

/// A ban.
#[derive(Serialize, Debug)]
pub struct Ban<'a> {
    /// Who is banned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_by: Option<User<'a>>,
    /// From which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Box<RawValue>>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// Whether the banned do not notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<bool>,
    /// Since when.
    pub created_at: Time,
}

/// What `GET /query_banned_users` and `GET /query_future_channel_bans` answer.
#[derive(Serialize, Debug)]
pub struct Bans<'a> {
    /// In the order that was asked for.
    pub bans: Vec<Ban<'a>>,
    /// How many there are, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
}

/// What `POST /moderation/mute` answers.
#[derive(Serialize, Debug)]
pub struct Muted<'a> {
    /// The one mute, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute: Option<UserMute<'a>>,
    /// One for each target.
    pub mutes: Vec<UserMute<'a>>,
    /// Targets that nobody knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub non_existing_users: Vec<&'a str>,
    /// Who mutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_user: Option<FullUser<'a>>,
}

/// What `POST /moderation/unmute` answers.
#[derive(Serialize, Debug)]
pub struct Unmuted<'a> {
    /// Targets that nobody knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub non_existing_users: Vec<&'a str>,
}

/// A flag, as who made it reads it.
#[derive(Serialize, Debug)]
pub struct Flag<'a> {
    /// Who reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_message: Option<Box<RawValue>>,
    /// The same by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_message_id: Option<&'a str>,
    /// The user, or the author of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_user: Option<User<'a>>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// Whether a machine found something, and no user said so.
    pub created_by_automod: bool,
    /// What the application added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Members<'a>>,
    /// Since when.
    pub created_at: Time,
    /// When it was last said again.
    pub updated_at: Time,
}

/// What `POST /moderation/flag` and `POST /moderation/unflag` answer.
#[derive(Serialize, Debug)]
pub struct Flagged<'a> {
    /// The item of the review queue.
    pub item_id: &'a str,
    /// The flag; classic only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<Flag<'a>>,
}

/// A flag of a message, as moderators read it.
#[derive(Serialize, Debug)]
pub struct MessageFlag<'a> {
    /// Whether a machine found something, and no user said so.
    pub created_by_automod: bool,
    /// The author of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// What the application added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Members<'a>>,
    /// Since when.
    pub created_at: Time,
    /// When it was last said again.
    pub updated_at: Time,
    /// When a moderator looked at it; classic has `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Option<Time>>,
    /// Who; classic has `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<Option<User<'a>>>,
    /// Never; classic has `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Option<Time>>,
    /// Never; classic has `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_at: Option<Option<Time>>,
}

/// What lists of flags answer.
#[derive(Serialize, Debug)]
pub struct Flags<F> {
    /// In the order that was asked for.
    pub flags: Vec<F>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// All flags of a message together (chat §6.12).
#[derive(Serialize, Debug)]
pub struct FlagReport<'a> {
    /// The id.
    pub id: &'a str,
    /// The message.
    pub message: Option<Box<RawValue>>,
    /// How often it was flagged.
    pub flags_count: usize,
    /// Who wrote it.
    pub message_user_id: &'a str,
    /// Where.
    pub channel_cid: &'a str,
    /// When it was first flagged.
    pub created_at: Time,
    /// When something last happened to it.
    pub updated_at: Time,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_result: Option<&'a str>,
    /// More of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_details: Option<Box<RawValue>>,
    /// When a moderator looked at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Time>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<User<'a>>,
}

/// What `POST /moderation/reports` answers.
#[derive(Serialize, Debug)]
pub struct FlagReports<'a> {
    /// The newest first.
    pub flag_reports: Vec<FlagReport<'a>>,
}

/// What `PATCH /moderation/reports/{id}` answers.
#[derive(Serialize, Debug)]
pub struct OneFlagReport<'a> {
    /// The report as it is now.
    pub flag_report: FlagReport<'a>,
}

/// A flag of whatever (v2 §6.8).
#[derive(Serialize, Debug)]
pub struct ModerationFlag<'a> {
    /// What kind of thing.
    pub entity_type: &'a str,
    /// Which.
    pub entity_id: &'a str,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_creator_id: Option<&'a str>,
    /// Who reported it; withheld from who was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// `user_report` if a person said so, else the name of the engine or model that found something.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// The item of the review queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_queue_item_id: Option<&'a str>,
    /// Verdicts of models, of which there are none here.
    pub result: [(); 0],
    /// What the engine or model calls it.
    pub labels: &'a [String],
    /// What the application added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Members<'a>>,
    /// Since when.
    pub created_at: Time,
    /// When it was last said again.
    pub updated_at: Time,
    /// `pending` or `reviewed`: in reports on a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_status: Option<&'static str>,
    /// When a moderator looked at it: in reports on a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Time>,
}

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
    pub bans: Vec<Ban<'a>>,
    /// Languages that a model found.
    pub languages: [(); 0],
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
    /// The content that the application sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_payload: Option<Box<RawValue>>,
    /// When it was first reported.
    pub created_at: Time,
    /// When something last happened to it.
    pub updated_at: Time,
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

/// How content is to be moderated (v2 §6.4).
#[derive(Serialize, Debug)]
pub struct Config<'a> {
    /// Its name.
    pub key: &'a str,
    /// For which team; empty for none.
    pub team: &'a str,
    /// Whether content is shown before it was looked at.
    #[serde(rename = "async")]
    pub is_async: bool,
    /// What can be found in calls: nothing here.
    pub supported_video_call_harm_types: [(); 0],
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last set.
    pub updated_at: Time,
    /// Its sections, as they were sent.
    #[serde(flatten)]
    pub sections: Members<'a>,
}

/// What calls about one configuration answer.
#[derive(Serialize, Debug)]
pub struct OneConfig<'a> {
    /// The configuration.
    pub config: Config<'a>,
}

/// What `POST /moderation/configs` answers.
#[derive(Serialize, Debug)]
pub struct Configs<'a> {
    /// By key and team.
    pub configs: Vec<Config<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How many flags there are.
#[derive(Serialize, Debug)]
pub struct FlagCount {
    /// How many.
    pub count: usize,
}

/// What is known of a user's part in moderation (v2 §2.9). Who flagged, muted, blocked or banned the user is withheld.
#[derive(Serialize, Debug)]
pub struct UserReport<'a> {
    /// Who.
    pub user_id: &'a str,
    /// The same.
    pub user: User<'a>,
    /// How often what.
    pub summary: BTreeMap<&'static str, usize>,
    /// Reports of the user and of what the user wrote.
    pub flags_received: Vec<ModerationFlag<'a>>,
    /// The same by another name.
    pub flags: Vec<ModerationFlag<'a>>,
    /// Reports that the user made.
    pub flags_made: Vec<ModerationFlag<'a>>,
    /// Bans of the user.
    pub bans: Vec<ReportedBan<'a>>,
    /// Whom the user mutes.
    pub mutes: Vec<ReportedMute<'a>>,
    /// Whom the user blocks.
    pub blocks: Vec<ReportedBlock<'a>>,
    /// What moderators did about the user.
    pub actions: Vec<ActionLog<'a>>,
    /// Appeals of the user.
    pub appeals: Vec<Appeal<'a>>,
    /// What asks for the next page of each list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A ban in a report on a user.
#[derive(Serialize, Debug)]
pub struct ReportedBan<'a> {
    /// From which channel; empty for the whole app.
    pub channel_cid: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Whether the banned do not notice.
    pub shadow: bool,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// Since when.
    pub created_at: Time,
}

/// A mute in a report on a user.
#[derive(Serialize, Debug)]
pub struct ReportedMute<'a> {
    /// Whom.
    pub target_id: &'a str,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// Since when.
    pub created_at: Time,
}

/// A block in a report on a user.
#[derive(Serialize, Debug)]
pub struct ReportedBlock<'a> {
    /// Whom.
    pub blocked_user_id: &'a str,
    /// Since when.
    pub created_at: Time,
}
