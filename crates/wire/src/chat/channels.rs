//! Channels and their state: `POST /channels/{type}/{id}/query`, `POST /channels` and others (chat §6.3, §6.4, §11.3).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    dialect::{Custom, Time},
    drafts::Draft,
    locations::Location,
    members::Member,
    messages::Message,
    push::PushPreferences,
    threads::Thread,
    types::{Command, Config},
    users::User,
};

/// A channel.
#[derive(Serialize, Debug)]
pub struct Channel<'a> {
    /// The id within the type.
    pub id: &'a str,
    /// The channel type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// `type:id`.
    pub cid: &'a str,
    /// Since when there is it.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// When something was last said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Time>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<User<'a>>,
    /// Whether nobody can write.
    pub frozen: bool,
    /// Whether users can neither write nor read.
    pub disabled: bool,
    /// Whether the asking user hid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// Messages up to this moment are hidden from the asking user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_messages_before: Option<Time>,
    /// Whether the asking user muted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// Whether the asking user blocks the only other member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Until when it is muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute_expires_at: Option<Time>,
    /// How many members there are.
    pub member_count: i64,
    /// How many messages there are, where they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_count: Option<i64>,
    /// The team that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<&'a str>,
    /// Seconds that a user waits between two messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<u32>,
    /// Messages up to this moment are hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_at: Option<Time>,
    /// Who truncated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_by: Option<User<'a>>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// Whether messages are translated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_translation_enabled: Option<bool>,
    /// Into which language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_translation_language: Option<&'a str>,
    /// Names that queries filter by.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub filter_tags: &'a [String],
    /// Members, where they are shown with the channel itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Member<'a>>>,
    /// What the asking user can do; for users' tokens alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_capabilities: Option<Vec<&'static str>>,
    /// The settings of the type, with what differs here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Config<'a, Command<'a>>>,
    /// The application's own fields.
    #[serde(flatten)]
    pub custom: Custom<'a>,
}

/// A channel with what is in it.
#[derive(Serialize, Debug)]
pub struct ChannelState<'a> {
    /// The channel.
    pub channel: Channel<'a>,
    /// What was said, the oldest first.
    pub messages: Vec<Message<'a>>,
    /// What is pinned.
    pub pinned_messages: Vec<Message<'a>>,
    /// What the asking user sent and nobody else sees yet.
    pub pending_messages: Vec<Pending<'a>>,
    /// Who belongs to it.
    pub members: Vec<Member<'a>>,
    /// The asking user as a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<Member<'a>>,
    /// How far members have read.
    pub read: Vec<Read<'a>>,
    /// Who watches.
    pub watchers: Vec<User<'a>>,
    /// How many watch; where somebody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watcher_count: Option<usize>,
    /// Whether the asking user hid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// Messages up to this moment are hidden from the asking user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_messages_before: Option<Time>,
    /// Where members are who tell it, until it is over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub active_live_locations: Vec<Location<'a>>,
    /// What the asking user has begun to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft<'a>>,
    /// Of what of it the asking user wants to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_preferences: Option<PushPreferences<'a>>,
    /// Those in which the asking user has something to read, where they were asked for.
    pub threads: Vec<Thread<'a>>,
}

/// A message that waits to be committed.
#[derive(Serialize, Debug)]
pub struct Pending<'a> {
    /// The message.
    pub message: Message<'a>,
    /// What it was sent with.
    pub metadata: BTreeMap<&'a str, &'a str>,
}

/// How far a member has read (chat §6.10).
#[derive(Serialize, Clone, Debug)]
pub struct Read<'a> {
    /// Who.
    pub user: User<'a>,
    /// When.
    pub last_read: Time,
    /// How many messages came after that.
    pub unread_messages: usize,
    /// Up to which message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_message_id: Option<&'a str>,
    /// When something was last delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered_at: Option<Time>,
    /// Which message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered_message_id: Option<&'a str>,
}

/// What changes of a channel answer.
#[derive(Serialize, Debug)]
pub struct Changed<'a> {
    /// The channel as it is now.
    pub channel: Channel<'a>,
    /// Its members; absent where the call does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Member<'a>>>,
    /// The system message that tells of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message<'a>>,
}

/// That a user muted a channel.
#[derive(Serialize, Debug)]
pub struct ChannelMute<'a> {
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// What.
    pub channel: Channel<'a>,
    /// Since when.
    pub created_at: Time,
    /// When it was last said again.
    pub updated_at: Time,
    /// Until when; for good, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}

/// What `POST /moderation/mute/channel` answers.
#[derive(Serialize, Debug)]
pub struct ChannelMuted<'a> {
    /// The first.
    pub channel_mute: ChannelMute<'a>,
    /// All of them.
    pub channel_mutes: Vec<ChannelMute<'a>>,
}

/// What `POST /channels` answers.
#[derive(Serialize, Debug)]
pub struct Channels<'a> {
    /// In the order that was asked for.
    pub channels: Vec<ChannelState<'a>>,
    /// The predefined filter by which they were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predefined_filter: Option<PredefinedFilter<'a>>,
}

/// A predefined filter with the caller's values in it.
#[derive(Serialize, Debug)]
pub struct PredefinedFilter<'a> {
    /// Its name.
    pub name: &'a str,
    /// The filter.
    pub filter: Box<RawValue>,
    /// The order, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Box<RawValue>>,
}

/// What `POST /channels/grouped` answers.
#[derive(Serialize, Debug)]
pub struct Grouped<'a> {
    /// Name → the channels of the group.
    pub groups: BTreeMap<&'a str, Bucket<'a>>,
}

/// Some channels of a group.
#[derive(Serialize, Debug)]
pub struct Bucket<'a> {
    /// In the order of the group.
    pub channels: Vec<ChannelState<'a>>,
    /// Where the next ones are; only when one group was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where those before are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// In how many channels of the group the acting user has something to read; where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_channels: Option<usize>,
}
