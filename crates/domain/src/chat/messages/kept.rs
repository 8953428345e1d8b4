//! What is kept beside a message and goes with it when it goes for good.

use ids::MessageId;
use store::Limit;

use crate::{Result, Tx, chat::reminders, polls};

/// Rows that go at most with one row of what is kept.
pub(crate) const KEPT_ROWS: usize = 6;

/// Removes what is kept beside the message `id`, at most `limit` of it; how many rows that took at most, and whether
/// nothing is left.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_kept(tx: &mut Tx, id: &MessageId, limit: Limit) -> Result<(usize, bool)> {
    let (reminders, were_all) = reminders::forget_message(tx, id, limit).await?;
    if !were_all {
        return Ok((KEPT_ROWS * reminders, false));
    }
    let poll = super::get(tx, id).await?.and_then(|message| message.poll);
    let (votes, were_all) = match poll {
        Some(poll) => polls::forget_message(tx, &poll, id, limit).await?,
        None => (0, true),
    };
    Ok((KEPT_ROWS * (reminders + votes), were_all))
}
