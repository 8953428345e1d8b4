//! Channels: where members talk (chat §6.3, §11.3).

pub mod batch;
mod candidate;
mod create;
mod delete;
mod hide;
pub mod import;
mod mutes;
mod permit;
pub mod predefined;
mod query;
mod shown;
mod update;

pub use create::{Details, Draft, get_or_create};
pub use delete::{clear, truncate, truncate_for};
pub use hide::{Hidden, are_hidden, hide, show, wake};
pub use mutes::{mute, mutes, mutes_of, unmute};
pub use permit::{may_set, may_update};
pub use query::{Asker, OFFSET_MAX, QUERY, QUERY_MAX, Query, SCHEMA, query};
pub use shown::{is_blocked, message_count, pending};
pub use update::{CUSTOM_BYTES_MAX, Change, patch, update};

use ids::{ChannelId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use crate::{
    Error, Result, Tx,
    keyspace::{CHANNEL, Chat},
};

/// A channel. Its last message, its unread counts and its place in a list are views.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Channel {
    /// Who made it.
    #[n(0)]
    pub created_by: Option<UserId>,
    /// Since when there is it.
    #[n(1)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(2)]
    pub updated_at: Timestamp,
    /// The team that it belongs to; empty when there is none.
    #[n(3)]
    pub team: String,
    /// Whether nobody can write.
    #[n(4)]
    pub is_frozen: bool,
    /// Whether users can neither write nor read.
    #[n(5)]
    pub is_disabled: bool,
    /// Seconds that a user waits between two messages; 0 for none.
    #[n(6)]
    pub cooldown_seconds: u32,
    /// Messages up to this moment are hidden.
    #[n(7)]
    pub truncated_at: Option<Timestamp>,
    /// Who truncated it.
    #[n(8)]
    pub truncated_by: Option<UserId>,
    /// When it was deleted.
    #[n(9)]
    pub deleted_at: Option<Timestamp>,
    /// Whether messages are translated.
    #[n(10)]
    pub is_auto_translated: bool,
    /// Into which language; empty when nobody said.
    #[n(11)]
    pub auto_translation_language: String,
    /// Names that queries filter by.
    #[n(12)]
    pub filter_tags: Vec<String>,
    /// What differs from the type's settings: a JSON object with the API's names.
    #[n(13)]
    pub config_overrides: String,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(14)]
    pub custom: String,
}

impl Channel {
    /// A channel of which only the maker is known.
    pub fn new(created_by: Option<UserId>, now: Timestamp) -> Self {
        Channel {
            created_by,
            created_at: now,
            updated_at: now,
            team: String::new(),
            is_frozen: false,
            is_disabled: false,
            cooldown_seconds: 0,
            truncated_at: None,
            truncated_by: None,
            deleted_at: None,
            is_auto_translated: false,
            auto_translation_language: String::new(),
            filter_tags: Vec::new(),
            config_overrides: "{}".to_owned(),
            custom: "{}".to_owned(),
        }
    }

    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// The channel `id`, unless it was deleted.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &ChannelId) -> Result<Option<Channel>> {
    let tenant = tx.tenant();
    let channel = CHANNEL.get(tx, tenant, &Chat(id.clone())).await?;
    Ok(channel.filter(|channel| channel.deleted_at.is_none()))
}

/// What the channel `id` was before it was deleted; none, if it was not.
///
/// # Errors
/// When the store fails.
pub async fn get_deleted(tx: &mut Tx, id: &ChannelId) -> Result<Option<Channel>> {
    let tenant = tx.tenant();
    let channel = CHANNEL.get(tx, tenant, &Chat(id.clone())).await?;
    Ok(channel.filter(|channel| channel.deleted_at.is_some()))
}

/// The channel `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted.
pub async fn load(tx: &mut Tx, id: &ChannelId) -> Result<Channel> {
    get(tx, id).await?.ok_or_else(|| Error::Absent(format!("Can't find channel with id {id}")))
}

#[cfg(test)]
mod tests;
