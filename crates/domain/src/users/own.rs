//! What only the user itself, and the app's own server, see of a user (chat §6.2).

use std::collections::BTreeMap;

use ids::{ChannelId, Timestamp, UserId, json::Object};

use super::{
    devices::{self, Device},
    mutes::{self, Mute},
};
use crate::{
    Result, Tx,
    chat::{
        channels::{self, Channel},
        members,
        push::preferences::{self, Preference},
        reads, threads,
    },
};

/// What a user sees of itself beside its profile.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Own {
    /// Its devices, the oldest first.
    pub devices: Vec<(String, Device)>,
    /// Whom it mutes.
    pub mutes: Vec<(UserId, Mute)>,
    /// Which channels it mutes.
    pub channel_mutes: Vec<MutedChannel>,
    /// Of what it wants its devices told.
    pub push: Option<Preference>,
    /// What it has not read, where that was counted.
    pub unread: Option<Unread>,
}

/// A channel that a user mutes.
#[derive(Clone, PartialEq, Debug)]
pub struct MutedChannel {
    /// Which.
    pub id: ChannelId,
    /// The channel.
    pub channel: Channel,
    /// The application's own fields of it.
    pub custom: Object,
    /// How many members there are.
    pub member_count: i64,
    /// How it is muted.
    pub mute: Mute,
}

impl Own {
    /// The users whom it names.
    pub fn named(&self) -> impl Iterator<Item = &UserId> {
        let makers = self.channel_mutes.iter().filter_map(|muted| muted.channel.created_by.as_ref());
        self.mutes.iter().map(|(target, _)| target).chain(makers)
    }
}

/// How much a user has not read, over all channels.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Unread {
    /// Messages.
    pub messages: i64,
    /// Channels with such messages.
    pub channels: i64,
    /// Threads with such replies.
    pub threads: i64,
    /// These replies.
    pub replies: i64,
    /// The messages by team, for channels that have one.
    pub by_team: BTreeMap<String, i64>,
}

/// What the user `id` sees of itself.
///
/// # Errors
/// When the store fails.
pub async fn load(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<Own> {
    let own = load_uncounted(tx, id, now).await?;
    Ok(Own { unread: Some(unread(tx, id, now).await?), ..own })
}

/// The same without counting what it has not read, which takes a look at every channel of the user.
///
/// # Errors
/// When the store fails.
pub async fn load_uncounted(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<Own> {
    let devices = devices::list(tx, id).await?;
    let mutes = mutes::list(tx, id, now).await?;
    let mut channel_mutes = Vec::new();
    for (channel, mute) in channels::mutes_of(tx, id, now).await? {
        if let Some(known) = channels::get(tx, &channel).await? {
            let member_count = members::count(tx, &channel).await?;
            let custom = known.custom();
            channel_mutes.push(MutedChannel { id: channel, channel: known, custom, member_count, mute });
        }
    }
    let push = preferences::get(tx, id, None).await?;
    Ok(Own { devices, mutes, channel_mutes, push, unread: None })
}

/// How much the user `id` has not read.
///
/// # Errors
/// When the store fails.
pub async fn unread(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<Unread> {
    let totals = reads::total(&tx.app, id, now).await?;
    let threads = threads::unread_of(tx, id).await?;
    let messages = totals.iter().map(|total| count(total.unread)).sum();
    let replies = threads.iter().map(|thread| count(thread.count)).sum();
    let mut by_team = BTreeMap::new();
    for total in totals.iter().filter(|total| !total.team.is_empty()) {
        *by_team.entry(total.team.clone()).or_default() += count(total.unread);
    }
    Ok(Unread { by_team, messages, channels: count(totals.len()), threads: count(threads.len()), replies })
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
