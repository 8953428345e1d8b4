//! Threads that grow by replies of a file (chat §11.12): nobody is told, and all of it counts as read.

use ids::{MessageId, Timestamp, UserId};

use super::{Participant, Thread, get};
use crate::{
    Result, Tx,
    chat::messages::{self, Message},
    keyspace::{PARTICIPANT, PARTICIPATION, THREAD},
};

/// Makes the thread on `parent` hold `reply`: begins it, or joins it. Replies may come in any order.
///
/// # Errors
/// When the store fails.
pub(in crate::chat) async fn import_reply(
    tx: &mut Tx,
    parent: &MessageId,
    id: &MessageId,
    reply: &Message,
    now: Timestamp,
) -> Result<()> {
    let tenant = tx.tenant();
    let known = get(tx, parent).await?;
    if known.as_ref().is_none_or(|thread| reply.created_at < thread.created_at) {
        let new = || Thread {
            channel: reply.channel.clone(),
            created_by: None,
            created_at: reply.created_at,
            updated_at: reply.created_at,
            title: None,
            custom: "{}".to_owned(),
        };
        let is_new = known.is_none();
        let thread = known.unwrap_or_else(new);
        let thread = Thread { created_by: reply.user.clone(), created_at: reply.created_at, ..thread };
        THREAD.put(tx, tenant, &parent.to_string(), &thread);
        if is_new && let Some(author) = messages::get(tx, parent).await?.and_then(|above| above.user) {
            join(tx, parent, &author, None, reply.created_at, now).await?;
        }
    }
    match &reply.user {
        Some(author) => join(tx, parent, author, Some((id, reply.created_at)), reply.created_at, now).await,
        None => Ok(()),
    }
}

async fn join(
    tx: &mut Tx,
    parent: &MessageId,
    user: &UserId,
    reply: Option<(&MessageId, Timestamp)>,
    since: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let (tenant, key) = (tx.tenant(), (parent.to_string(), user.to_string()));
    let known = PARTICIPANT.get(tx, tenant, &key).await?;
    PARTICIPATION.put(tx, tenant, &(key.1.clone(), key.0.clone()), &());
    let mut participant =
        known.unwrap_or(Participant { created_at: since, last_read: now, last_reply: None, last_read_message: None });
    participant.created_at = participant.created_at.min(since);
    if let Some((id, at)) = reply.filter(|(_, at)| participant.last_reply.is_none_or(|last| last < *at)) {
        participant.last_reply = Some(at);
        participant.last_read_message = Some(id.clone());
    }
    PARTICIPANT.put(tx, tenant, &key, &participant);
    Ok(())
}
