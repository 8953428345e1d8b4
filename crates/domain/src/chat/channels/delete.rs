//! Deleting and truncating (chat §11.3, §12.7).

use ids::{ChannelId, Timestamp, UserId};
use store::{Direction, Limit};

use super::{Channel, load};
use crate::{
    Result, Tx,
    chat::{
        events::{self, Event},
        members,
    },
    keyspace::{CHANNEL, Chat, MEMBER},
};

/// Members that one transaction takes out: four rows each.
const MEMBERS_AT_ONCE: usize = 200;

/// Deletes the channel `id`: from now on nobody finds it. Its members are taken out by [`clear`].
///
/// # Errors
/// [`Error::Absent`](crate::Error::Absent) when there is none.
pub async fn delete(
    tx: &mut Tx,
    id: &ChannelId,
    is_hard: bool,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Channel> {
    let tenant = tx.tenant();
    let channel = Channel { deleted_at: Some(now), ..load(tx, id).await? };
    CHANNEL.put(tx, tenant, &Chat(id.clone()), &channel);
    let event = |kind| Event::new(kind, now, Some(id)).by(by).with(format!(r#"{{"hard_delete":{is_hard}}}"#));
    events::record(tx, event("channel.deleted"));
    events::record(tx, event("notification.channel_deleted"));
    Ok(channel)
}

/// Takes some members out of a deleted channel without a word; answers whether any are left. Safe to run again.
///
/// # Errors
/// When the store fails.
pub async fn clear(tx: &mut Tx, id: &ChannelId) -> Result<bool> {
    let tenant = tx.tenant();
    let range = MEMBER.prefix(tenant, &Chat(id.clone()));
    let page = MEMBER.scan(tx, tenant, range, Direction::Forward, Limit::rows(MEMBERS_AT_ONCE)).await?;
    for ((_, user), _) in page.rows {
        members::leave(tx, id, &UserId::parse(&user).expect("keys are made of user ids"));
    }
    Ok(page.more)
}

/// Hides all messages of the channel `id` up to `until`.
///
/// # Errors
/// [`Error::Absent`](crate::Error::Absent) when there is none.
pub async fn truncate(
    tx: &mut Tx,
    id: &ChannelId,
    until: Timestamp,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Channel> {
    let tenant = tx.tenant();
    let before = load(tx, id).await?;
    let channel = Channel { truncated_at: Some(until), truncated_by: by.cloned(), updated_at: now, ..before };
    CHANNEL.put(tx, tenant, &Chat(id.clone()), &channel);
    let event = |kind| Event::new(kind, now, Some(id)).by(by);
    events::record(tx, event("channel.truncated"));
    events::record(tx, event("notification.channel_truncated"));
    Ok(channel)
}
