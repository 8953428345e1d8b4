//! Reading: `POST /channels/{type}/{id}/read`, `GET /unread` and others (chat §11.3, §11.7).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::dialect::Time;

/// What marking as read answers.
#[derive(Serialize, Debug)]
pub struct Marked {
    /// What is told of it.
    pub event: Box<RawValue>,
}

/// What a user has not read.
#[derive(Serialize, Debug)]
pub struct Counts<'a> {
    /// Messages, over all channels.
    pub total_unread_count: usize,
    /// Threads with such replies.
    pub total_unread_threads_count: usize,
    /// Team → messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_unread_count_by_team: Option<BTreeMap<&'a str, usize>>,
    /// The channels with such messages, the latest first.
    pub channels: Vec<OfChannel<'a>>,
    /// The types of all of them.
    pub channel_type: Vec<OfType<'a>>,
    /// The threads with such replies.
    pub threads: Vec<OfThread<'a>>,
}

/// What is unread in a channel.
#[derive(Serialize, Debug)]
pub struct OfChannel<'a> {
    /// Its cid.
    pub channel_id: &'a str,
    /// How many messages.
    pub unread_count: usize,
    /// Since when.
    pub last_read: Time,
}

/// What is unread in the channels of a type.
#[derive(Serialize, Debug)]
pub struct OfType<'a> {
    /// The type.
    pub channel_type: &'a str,
    /// How many channels.
    pub channel_count: usize,
    /// How many messages.
    pub unread_count: usize,
}

/// What is unread in a thread.
#[derive(Serialize, Debug)]
pub struct OfThread<'a> {
    /// What it hangs on.
    pub parent_message_id: &'a str,
    /// How many replies.
    pub unread_count: usize,
    /// Since when.
    pub last_read: Time,
    /// Up to which reply.
    pub last_read_message_id: &'a str,
}

/// What is unread by several users.
#[derive(Serialize, Debug)]
pub struct OfBatch<'a> {
    /// User → what the user has not read.
    pub counts_by_user: BTreeMap<&'a str, Counts<'a>>,
}
