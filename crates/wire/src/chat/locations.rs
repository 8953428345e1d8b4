//! Shared locations: `/users/live_locations`, and messages that tell one (chat §6.15, §11.6; v2 §7.6).

use serde::Serialize;

use super::{channels::Channel, dialect::Time, messages::Message};

/// Where somebody is.
#[derive(Serialize, Debug)]
pub struct Location<'a> {
    /// Where it was told.
    pub channel_cid: &'a str,
    /// The message that tells it.
    pub message_id: &'a str,
    /// Who.
    pub user_id: &'a str,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Which device of the user's tells.
    pub created_by_device_id: &'a str,
    /// Until when it is told anew; it is told once, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Time>,
    /// When it was first told.
    pub created_at: Time,
    /// When it was last told.
    pub updated_at: Time,
    /// The channel, where the answer is about locations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Box<Channel<'a>>>,
    /// The message, where the answer is about locations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<Message<'a>>>,
}

/// What `GET /users/live_locations` answers.
#[derive(Serialize, Debug)]
pub struct Locations<'a> {
    /// Those that are not over.
    pub active_live_locations: Vec<Location<'a>>,
}
