//! Hiding a message from all but its author, and showing it again (v2 §6.5).

use ids::{MessageId, Timestamp};

use super::{Kind, Message, page::relist, send};
use crate::{
    Error, Result, Tx,
    chat::events::{self, Event},
    keyspace::MESSAGE,
};

/// Hides the message `id` from all but its author, or shows it to all who may see it.
///
/// # Errors
/// [`Error::Absent`] when there is no such message, [`Error::Unfit`] when it was deleted or waits to be committed.
pub async fn shadow(tx: &mut Tx, id: &MessageId, is_shadowed: bool, now: Timestamp) -> Result<Message> {
    let mut message = super::load(tx, id).await?;
    if message.deleted_at.is_some() || message.pending.is_some() || message.kind == Kind::Ephemeral {
        return Err(Error::Unfit(format!("message {id} is deleted or shown to nobody else")));
    }
    if message.is_shadowed == is_shadowed {
        return Ok(message);
    }
    message.is_shadowed = is_shadowed;
    message.updated_at = now;
    let tenant = tx.tenant();
    MESSAGE.put(tx, tenant, &id.to_string(), &message);
    let listed = send::listed(tx, &message).await?;
    relist(tx, id, &message, &listed).await?;
    let event = Event::new("message.updated", now, Some(&message.channel)).by(message.user.as_ref());
    events::record(tx, event.about(id, &message));
    Ok(message)
}
