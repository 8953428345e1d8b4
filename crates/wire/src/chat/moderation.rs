//! Moderation: `/moderation/…`, `/query_banned_users` and what they answer (chat §6.12, §11.8; v2 §6).

mod decisions;
mod review;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    dialect::{Members, Time},
    users::{FullUser, User, UserMute},
};

pub use decisions::{
    Appeal, AppealError, AppealResult, Appealed, Appeals, BulkDecided, Checked, CustomChecked, Decided, OneAppeal,
    TriggeredRule,
};
pub use review::{
    ActionLog, ActionLogs, BanInfo, EntityCreator, EscalationMetadata, OneReviewItem, ReviewItem, ReviewQueue,
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
    /// The id: in reports on a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
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
