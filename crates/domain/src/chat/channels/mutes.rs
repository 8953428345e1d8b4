//! Muting channels (chat §11.3, §12.18): nothing in a muted channel is unread.

use ids::{ChannelId, Timestamp, UserId};

use crate::{
    Result, Tx,
    chat::events::{self, Event, Matter},
    keyspace::{CHANNEL_MUTE, Chat},
    rows,
    users::mutes::Mute,
};

/// The most muted channels that a user is shown of itself.
const MUTES_MAX: usize = 100;

/// Whether it holds at `now`.
fn holds(mute: &Mute, now: Timestamp) -> bool {
    mute.expires.is_none_or(|expires| now < expires)
}

/// Mutes `channel` for `user`; muting again changes only until when.
///
/// # Errors
/// [`Error::Absent`](crate::Error::Absent) when there is no such channel.
pub async fn mute(
    tx: &mut Tx,
    user: &UserId,
    channel: &ChannelId,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<Mute> {
    super::load(tx, channel).await?;
    let (tenant, key) = (tx.tenant(), (user.to_string(), Chat(channel.clone())));
    let before = CHANNEL_MUTE.get(tx, tenant, &key).await?.filter(|mute| holds(mute, now));
    let mute = Mute { created_at: before.map_or(now, |mute| mute.created_at), updated_at: now, expires };
    CHANNEL_MUTE.put(tx, tenant, &key, &mute);
    told(tx, "channel.muted", user, channel, &mute, now);
    Ok(mute)
}

/// Takes the mute of `channel` by `user` back; nothing happens when there is none.
///
/// # Errors
/// When the store fails.
pub async fn unmute(tx: &mut Tx, user: &UserId, channel: &ChannelId, now: Timestamp) -> Result<()> {
    let (tenant, key) = (tx.tenant(), (user.to_string(), Chat(channel.clone())));
    if let Some(mute) = CHANNEL_MUTE.get(tx, tenant, &key).await? {
        CHANNEL_MUTE.delete(tx, tenant, &key);
        told(tx, "channel.unmuted", user, channel, &mute, now);
    }
    Ok(())
}

fn told(tx: &mut Tx, kind: &str, user: &UserId, channel: &ChannelId, mute: &Mute, now: Timestamp) {
    let event = |kind| Event::new(kind, now, Some(channel)).by(Some(user)).only_for([user.clone()]);
    events::record(tx, event(kind).on(Matter::Mute { mute: mute.clone() }));
    events::record(tx, event("notification.channel_mutes_updated"));
}

/// How `user` muted each of `channels`, where it holds at `now`.
///
/// # Errors
/// When the store fails.
pub async fn mutes(tx: &mut Tx, user: &UserId, channels: &[ChannelId], now: Timestamp) -> Result<Vec<Option<Mute>>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = channels.iter().map(|channel| (user.to_string(), Chat(channel.clone()))).collect();
    let mutes = CHANNEL_MUTE.get_many(tx, tenant, &keys).await?;
    Ok(mutes.into_iter().map(|mute| mute.filter(|mute| holds(mute, now))).collect())
}

/// The channels that `user` mutes at `now`, by their ids; some of them, if they are very many.
///
/// # Errors
/// When the store fails.
pub async fn mutes_of(tx: &mut Tx, user: &UserId, now: Timestamp) -> Result<Vec<(ChannelId, Mute)>> {
    let range = CHANNEL_MUTE.prefix(tx.tenant(), &user.to_string());
    let rows = rows::list(tx, &CHANNEL_MUTE, range, MUTES_MAX).await?;
    Ok(rows.into_iter().filter(|(_, mute)| holds(mute, now)).map(|((_, Chat(id)), mute)| (id, mute)).collect())
}
