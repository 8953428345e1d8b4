//! Removing a channel with all that was said in it (chat §12.7, v2 §5.3).

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Limit};

use super::{STEP_ROWS_MAX, messages, rows::Budget};
use crate::{
    Result, Tx,
    chat::{
        drafts,
        events::{self, Event},
    },
    keyspace::{
        At, CHANNEL, CHANNEL_MESSAGE, CHANNEL_MUTE, Chat, DELETED_FOR, HIDDEN, MEMBER, MEMBERS, MEMBERSHIP, MESSAGES,
        PACE, PENDING, PINNED, READ,
    },
    log,
    tasks::Step,
};

const SAID: u8 = 0;
const MEMBERSHIPS: u8 = 1;
const REST: u8 = 2;

/// Hides the channel `id` from everybody at once; whether it was there. What remains of it is a task's business.
///
/// # Errors
/// When the store fails.
pub async fn mark(tx: &mut Tx, id: &ChannelId, is_hard: bool, by: Option<&UserId>, now: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let Some(mut channel) = CHANNEL.get(tx, tenant, &Chat(id.clone())).await? else { return Ok(false) };
    if channel.deleted_at.is_none() {
        channel.deleted_at = Some(now);
        channel.updated_at = now;
        CHANNEL.put(tx, tenant, &Chat(id.clone()), &channel);
        let event = Event::new("channel.deleted", now, Some(id)).by(by);
        events::record(tx, event.with(format!(r#"{{"hard_delete":{is_hard}}}"#)));
    }
    Ok(true)
}

/// Does a step of removing the channel `id` as it was at `planned_at`. If somebody made it again since, that one stays.
///
/// # Errors
/// When the store fails.
pub(crate) async fn remove(tx: &mut Tx, id: &ChannelId, stage: &mut u8, planned_at: Timestamp) -> Result<Step> {
    let tenant = tx.tenant();
    let key = Chat(id.clone());
    let mut budget = Budget::new(STEP_ROWS_MAX);
    let is_new = CHANNEL.get(tx, tenant, &key).await?.is_some_and(|channel| channel.deleted_at.is_none());
    if *stage == SAID && remove_messages(tx, &key, planned_at, &mut budget, &mut 0).await? {
        *stage += 1;
    }
    if is_new && *stage > SAID {
        return Ok(Step::Done);
    }
    if *stage == MEMBERSHIPS && remove_members(tx, &key, &mut budget).await? {
        *stage += 1;
    }
    if *stage < REST {
        return Ok(Step::More);
    }
    let (drafts, were_all) = drafts::forget_channel(tx, &key, budget.page_of(2)).await?;
    budget.spend(2 * drafts);
    if !were_all {
        return Ok(Step::More);
    }
    let spoken = [PINNED.prefix(tenant, &key), DELETED_FOR.prefix(tenant, &key), PENDING.prefix(tenant, &key)];
    let members = [READ.prefix(tenant, &key), HIDDEN.prefix(tenant, &key), PACE.prefix(tenant, &key)];
    for range in spoken.into_iter().chain(members) {
        if !budget.clear(tx, range).await? {
            return Ok(Step::More);
        }
    }
    MEMBERS.delete(tx, tenant, &key);
    MESSAGES.delete(tx, tenant, &key);
    CHANNEL.delete(tx, tenant, &key);
    Ok(Step::Done)
}

/// Does a step of removing messages up to `until` from the channel `id`, which stays; whether that were all.
///
/// # Errors
/// When the store fails.
pub(crate) async fn remove_old(tx: &mut Tx, id: &ChannelId, until: Timestamp, removed: &mut u64) -> Result<bool> {
    let (tenant, key) = (tx.tenant(), Chat(id.clone()));
    let end = CHANNEL_MESSAGE.prefix(tenant, &(key.clone(), At(until))).end;
    let range = CHANNEL_MESSAGE.prefix(tenant, &key).start..end;
    // Usually there are none, and then nothing is told.
    if CHANNEL_MESSAGE.scan(tx, tenant, range, Direction::Forward, Limit::rows(1)).await?.rows.is_empty() {
        return Ok(true);
    }
    remove_messages(tx, &key, until, &mut Budget::new(STEP_ROWS_MAX), removed).await
}

/// Removes messages up to `until`, counting them; whether that were all.
async fn remove_messages(
    tx: &mut Tx,
    channel: &Chat,
    until: Timestamp,
    budget: &mut Budget,
    removed: &mut u64,
) -> Result<bool> {
    let tenant = tx.tenant();
    let end = CHANNEL_MESSAGE.prefix(tenant, &(channel.clone(), At(until))).end;
    log::record(tx, &log::Event::Swept { channel: channel.0.clone() });
    if !messages::remove_stubs(tx, &channel.0, budget).await? {
        return Ok(false);
    }
    while !budget.is_spent() {
        let range = CHANNEL_MESSAGE.prefix(tenant, channel).start..end.clone();
        let page = CHANNEL_MESSAGE.scan(tx, tenant, range, Direction::Forward, budget.page()).await?;
        for (key, _) in page.rows {
            let Ok(message) = MessageId::parse(&key.2) else { continue };
            if !messages::remove(tx, &message, budget).await? {
                return Ok(false);
            }
            CHANNEL_MESSAGE.delete(tx, tenant, &key);
            *removed += 1;
            budget.spend(1);
        }
        if !page.more {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn remove_members(tx: &mut Tx, channel: &Chat, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    while !budget.is_spent() {
        let page = MEMBER.scan(tx, tenant, MEMBER.prefix(tenant, channel), Direction::Forward, budget.page()).await?;
        for ((channel, user), _) in page.rows {
            MEMBERSHIP.delete(tx, tenant, &(user.clone(), channel.clone()));
            CHANNEL_MUTE.delete(tx, tenant, &(user.clone(), channel.clone()));
            MEMBER.delete(tx, tenant, &(channel, user));
            budget.spend(3);
        }
        if !page.more {
            return Ok(true);
        }
    }
    Ok(false)
}
