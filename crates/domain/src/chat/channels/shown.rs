//! What a channel shows beside its members and the page of its messages.

use ids::{ChannelId, MessageId, UserId};
use store::{Direction, Limit};

use crate::{
    Result, Tx,
    chat::{members, messages::Page},
    keyspace::{Chat, MESSAGE, MESSAGES, PENDING},
    users::User,
};

/// The most waiting messages of a state (chat §12.15).
const PENDING_MAX: usize = 100;

/// How many messages are counted in `channel`.
///
/// # Errors
/// When the store fails.
pub async fn message_count(tx: &mut Tx, channel: &ChannelId) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(MESSAGES.get(tx, tenant, &Chat(channel.clone())).await?.max(0))
}

/// Whether `channel` is one of two members, and `user` blocks the other (chat §12.18).
///
/// # Errors
/// When the store fails.
pub async fn is_blocked(tx: &mut Tx, channel: &ChannelId, user: &User) -> Result<bool> {
    let blocked: Vec<UserId> = user.blocked.iter().map(|block| block.user.clone()).collect();
    if blocked.is_empty() || members::count(tx, channel).await? != 2 {
        return Ok(false);
    }
    Ok(members::get_many(tx, channel, &blocked).await?.iter().any(Option::is_some))
}

/// What `user` said in `channel` and waits to be committed, in the order of time: the newest of it.
///
/// # Errors
/// When the store fails.
pub async fn pending(tx: &mut Tx, channel: &ChannelId, user: &UserId) -> Result<Page> {
    let tenant = tx.tenant();
    let range = PENDING.prefix(tenant, &(Chat(channel.clone()), user.to_string()));
    let rows = PENDING.scan(tx, tenant, range, Direction::Backward, Limit::rows(PENDING_MAX)).await?.rows;
    let ids: Vec<String> = rows.into_iter().rev().map(|((.., id), ())| id).collect();
    let messages = MESSAGE.get_many(tx, tenant, &ids).await?;
    let waiting =
        ids.into_iter().zip(messages).filter_map(|(id, message)| Some((MessageId::parse(&id).ok()?, message?)));
    Ok(waiting.filter(|(_, message)| message.pending.is_some()).collect())
}
