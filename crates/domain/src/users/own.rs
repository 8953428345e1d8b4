//! What only the user itself, and the app's own server, see of a user (chat §6.2).

use ids::{Timestamp, UserId};

use super::{
    devices::{self, Device},
    mutes::{self, Mute},
};
use crate::{Result, Tx};

/// What a user sees of itself beside its profile.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Own {
    /// Its devices, the oldest first.
    pub devices: Vec<(String, Device)>,
    /// Whom it mutes.
    pub mutes: Vec<(UserId, Mute)>,
    /// What it has not read.
    pub unread: Unread,
}

/// How much a user has not read, over all channels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unread {
    /// Messages.
    pub messages: i64,
    /// Channels with such messages.
    pub channels: i64,
    /// Threads with such replies.
    pub threads: i64,
}

/// What the user `id` sees of itself.
///
/// # Errors
/// When the store fails.
pub async fn load(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<Own> {
    let devices = devices::list(tx, id).await?;
    let mutes = mutes::list(tx, id, now).await?;
    Ok(Own { devices, mutes, unread: Unread::default() })
}
