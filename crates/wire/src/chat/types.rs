//! Channel types and what their channels can do: `/channeltypes`, and `config` of a channel (chat §6.5, §11.2).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::dialect::Time;

/// What the channels of a type can do; `commands` are names after a change, and objects where they are read.
#[derive(Serialize, Debug)]
pub struct Config<'a, C> {
    /// The name of the type.
    pub name: &'a str,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Name → whether it is on.
    #[serde(flatten)]
    pub flags: BTreeMap<&'static str, bool>,
    /// Days, or `infinite`.
    pub message_retention: &'a str,
    /// In characters.
    pub max_message_length: u32,
    /// `disabled`, `simple` or `AI`.
    pub automod: &'a str,
    /// `flag` or `block`.
    pub automod_behavior: &'a str,
    /// From where on moderation finds something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automod_thresholds: Option<&'a RawValue>,
    /// The name of a blocklist.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub blocklist: &'a str,
    /// `flag`, `block` or `shadow_block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist_behavior: Option<&'a str>,
    /// More blocklists.
    pub blocklists: Vec<Blocklisted<'a>>,
    /// `all`, `all_mentions`, `mentions`, `direct_mentions` or `none`.
    pub push_level: &'a str,
    /// What users are told, unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_preferences: Option<&'a RawValue>,
    /// The reasons for which messages can be flagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_flag_reasons: Option<&'a [String]>,
    /// How many members a part has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_size: Option<i64>,
    /// How long a part lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_ttl: Option<&'a str>,
    /// Slash commands.
    pub commands: Vec<C>,
    /// Grants of an older kind; absent in a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<&'a RawValue>,
    /// Role → permissions; absent in a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<BTreeMap<&'a str, &'a [String]>>,
}

/// A blocklist of a type.
#[derive(Serialize, Debug)]
pub struct Blocklisted<'a> {
    /// Its name.
    pub blocklist: &'a str,
    /// What becomes of a message with one of its words.
    pub behavior: &'a str,
}

/// A slash command.
#[derive(Serialize, Clone, Debug)]
pub struct Command<'a> {
    /// What follows the slash.
    pub name: &'a str,
    /// What it does, in words.
    pub description: &'a str,
    /// What may follow the name.
    pub args: &'a str,
    /// What it belongs to.
    pub set: &'a str,
    /// Since when there is it; absent for one that every app has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Time>,
}

/// What `GET /channeltypes` answers.
#[derive(Serialize, Debug)]
pub struct Types<T> {
    /// Name → the type.
    pub channel_types: BTreeMap<String, T>,
}

/// A slash command where the app's settings list channel types: all of it in the classic dialect, its name in v2 (chat §5A.3).
#[derive(Serialize, Debug)]
#[serde(untagged)]
pub enum Listed<'a> {
    /// All of it.
    Whole(Command<'a>),
    /// Its name.
    Name(&'a str),
}

/// What `POST` and `PUT /commands` answer.
#[derive(Serialize, Debug)]
pub struct OneCommand<'a> {
    /// As it is now.
    pub command: Command<'a>,
}

/// What `GET /commands` answers.
#[derive(Serialize, Debug)]
pub struct Commands<'a> {
    /// Every command of the app.
    pub commands: Vec<Command<'a>>,
}

/// What `DELETE /commands/{name}` answers.
#[derive(Serialize, Debug)]
pub struct Removed<'a> {
    /// Which one.
    pub name: &'a str,
}
