//! Campaigns: `/campaigns` (chat §11.13, §11.14.16).

use serde::Serialize;
use serde_json::value::RawValue;

use super::{dialect::Time, segments::Segment, users::User};

/// A campaign.
#[derive(Serialize, Debug)]
pub struct Campaign<'a> {
    /// The id.
    pub id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// `draft`, `scheduled`, `in_progress`, `stopped` or `completed`.
    pub status: &'static str,
    /// Who says it; empty if the user was erased.
    pub sender_id: &'a str,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<User<'a>>,
    /// How the sender takes part.
    pub sender_mode: &'a str,
    /// Who sees the sender.
    pub sender_visibility: &'a str,
    /// The segments that it goes to.
    pub segment_ids: &'a [String],
    /// The same.
    pub segments: Vec<Segment<'a>>,
    /// The users that it goes to.
    pub user_ids: Vec<&'a str>,
    /// The same.
    pub users: Vec<User<'a>>,
    /// What is said.
    pub message_template: MessageTemplate<'a>,
    /// Where it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_template: Option<Box<RawValue>>,
    /// Whether channels are made that are not there.
    pub create_channels: bool,
    /// Whether users see channels again that they hid.
    pub show_channels: bool,
    /// Whether nobody's devices are told.
    pub skip_push: bool,
    /// Whether hooks were not to be told.
    pub skip_webhook: bool,
    /// When it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<Time>,
    /// When it stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_at: Option<Time>,
    /// What came of it.
    pub stats: Stats,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What a campaign says.
#[derive(Serialize, Debug)]
pub struct MessageTemplate<'a> {
    /// The text.
    pub text: &'a str,
    /// What hangs on it.
    pub attachments: Vec<Box<RawValue>>,
    /// The poll that it shows.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub poll_id: &'a str,
    /// Whether searches were to find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searchable: Option<bool>,
    /// The application's own fields.
    pub custom: Box<RawValue>,
}

/// What came of a campaign.
#[derive(Serialize, Debug)]
pub struct Stats {
    /// How much of it was sent, from 0 to 100.
    pub progress: f64,
    /// To how many users.
    pub stats_users_sent: u32,
    /// How many have read it: nobody counts that.
    pub stats_users_read: u32,
    /// How many messages.
    pub stats_messages_sent: u32,
    /// How many channels were made.
    pub stats_channels_created: u32,
    /// When it began.
    pub stats_started_at: Option<Time>,
    /// When it ended.
    pub stats_completed_at: Option<Time>,
}

/// What calls about one campaign answer, some of them.
#[derive(Serialize, Debug)]
pub struct OneCampaign<'a> {
    /// As it is now.
    pub campaign: Campaign<'a>,
    /// Where more of its users are: all of them are in the campaign.
    pub users: Pager,
}

/// Where other pages are.
#[derive(Serialize, Debug, Default)]
pub struct Pager {
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// What `POST /campaigns/query` answers.
#[derive(Serialize, Debug)]
pub struct Campaigns<'a> {
    /// In the order that was asked for.
    pub campaigns: Vec<Campaign<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
