//! What was said in channels, whoever said it (chat §11.12).

use ids::{ChannelId, MessageId};
use store::{Direction, Limit, key::after};

use super::Walk;
use crate::{
    Result, Tx,
    chat::messages::Message,
    keyspace::{CHANNEL_MESSAGE, Chat, MESSAGE, REPLY},
};

/// Messages of a channel that are read at a time, each with its thread.
const SAID_MAX: usize = 50;

/// The next messages and replies of `channel`, the oldest message first, each with its thread behind it; `None` after the
/// last.
///
/// # Errors
/// When the store fails.
pub async fn said(tx: &mut Tx, channel: &ChannelId, walk: &mut Walk) -> Result<Option<Vec<(MessageId, Message)>>> {
    let tenant = tx.tenant();
    let range = CHANNEL_MESSAGE.prefix(tenant, &Chat(channel.clone()));
    let Some(range) = walk.rest(range) else { return Ok(None) };
    let page = CHANNEL_MESSAGE.scan(tx, tenant, range, Direction::Forward, Limit::rows(SAID_MAX)).await?;
    walk.note(page.rows.last().map(|(key, _)| CHANNEL_MESSAGE.key(tenant, key)), page.more);
    let mut all = Vec::new();
    for ((.., id), _) in page.rows {
        let Some(message) = MESSAGE.get(tx, tenant, &id).await? else { continue };
        let Ok(id) = MessageId::parse(&id) else { continue };
        if message.parent.is_some() {
            // It stands in its thread.
            continue;
        }
        let mut replies = REPLY.prefix(tenant, &id.to_string());
        all.push((id, message));
        loop {
            let page = REPLY.scan(tx, tenant, replies.clone(), Direction::Forward, Limit::PAGE).await?;
            for ((.., id), _) in &page.rows {
                if let (Ok(id), Some(reply)) = (MessageId::parse(id), MESSAGE.get(tx, tenant, id).await?) {
                    all.push((id, reply));
                }
            }
            match page.rows.last() {
                Some((last, _)) if page.more => replies.start = after(REPLY.key(tenant, last)),
                _ => break,
            }
        }
    }
    Ok(Some(all))
}
