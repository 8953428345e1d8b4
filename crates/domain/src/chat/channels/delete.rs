//! Truncating, and what is left of a deleted channel (chat §11.3, §12.7). Deleting is [`crate::erasure::channels`]'s.

use ids::{ChannelId, Timestamp, UserId};
use store::{Direction, Limit};

use super::{Channel, load};
use crate::{
    Result, Tx,
    chat::{
        drafts,
        events::{self, Event},
        members,
    },
    keyspace::{CHANNEL, Chat, MEMBER},
};

/// Members that one transaction takes out: four rows each.
const MEMBERS_AT_ONCE: usize = 200;

/// Takes some members out of the channel `id` without a word, and drafts, if it was deleted; answers whether any are left. Who makes
/// it again finds it empty.
///
/// # Errors
/// When the store fails.
pub async fn clear(tx: &mut Tx, id: &ChannelId) -> Result<bool> {
    let tenant = tx.tenant();
    let known = CHANNEL.get(tx, tenant, &Chat(id.clone())).await?;
    if known.is_none_or(|channel| channel.deleted_at.is_none()) {
        return Ok(false);
    }
    let range = MEMBER.prefix(tenant, &Chat(id.clone()));
    let page = MEMBER.scan(tx, tenant, range, Direction::Forward, Limit::rows(MEMBERS_AT_ONCE)).await?;
    for ((_, user), _) in page.rows {
        members::leave(tx, id, &UserId::parse(&user).expect("keys are made of user ids"));
    }
    let limit = Limit::rows(MEMBERS_AT_ONCE);
    let (_, were_all_drafts) = drafts::forget_channel(tx, &Chat(id.clone()), limit).await?;
    Ok(page.more || !were_all_drafts)
}

/// Hides all messages of the channel `id` up to `until` from these members alone.
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) when one is no member.
pub async fn truncate_for(
    tx: &mut Tx,
    id: &ChannelId,
    users: &[UserId],
    until: Timestamp,
    now: Timestamp,
) -> Result<()> {
    for user in users {
        let mut member = members::load(tx, id, user).await?;
        member.hides_before = member.hides_before.max(Some(until));
        member.updated_at = now;
        members::put(tx, id, user, &member);
    }
    Ok(())
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
    events::record(tx, Event::new("channel.truncated", now, Some(id)).by(by));
    Ok(channel)
}
