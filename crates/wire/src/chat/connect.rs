//! `GET /connect`: what the first frame says of the user (chat §6.2, §9.2).

use serde::Serialize;
use serde_json::value::RawValue;

use super::users::User;

/// A user as it sees itself.
#[derive(Serialize, Debug)]
pub struct OwnUser<'a> {
    /// What everybody sees.
    #[serde(flatten)]
    pub user: User<'a>,
    /// Devices for push.
    pub devices: Vec<Box<RawValue>>,
    /// Muted users.
    pub mutes: Vec<Box<RawValue>>,
    /// Muted channels.
    pub channel_mutes: Vec<Box<RawValue>>,
    /// Unread messages.
    pub unread_count: u64,
    /// Unread messages.
    pub total_unread_count: u64,
    /// Channels with unread messages.
    pub unread_channels: u64,
    /// Threads with unread replies.
    pub unread_threads: u64,
}

impl<'a> OwnUser<'a> {
    /// A user for whom nothing waits.
    pub fn new(user: User<'a>) -> Self {
        OwnUser {
            user,
            devices: Vec::new(),
            mutes: Vec::new(),
            channel_mutes: Vec::new(),
            unread_count: 0,
            total_unread_count: 0,
            unread_channels: 0,
            unread_threads: 0,
        }
    }
}
