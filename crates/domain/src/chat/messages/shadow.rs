//! Hiding a message from all but its author, and showing it again (v2 §6.5).

use ids::{MessageId, Timestamp};

use super::{Kind, Message, page::relist, put_changed, send};
use crate::{Error, Result, Tx};

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
    put_changed(tx, id, &mut message, now);
    let listed = send::listed(tx, &message).await?;
    relist(tx, id, &message, &listed).await?;
    Ok(message)
}
