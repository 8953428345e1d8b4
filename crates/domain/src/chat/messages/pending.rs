//! What becomes of messages that wait and that nobody commits: they are deleted when their time is up (chat §12.15).

use std::collections::BTreeMap;

use ids::{MessageId, Timestamp};
use store::{Direction, Limit};

use super::{Message, delete_for_good, get};
use crate::{
    App, Result, Tx,
    chat::{
        events::{self, Event},
        hooks,
    },
    keyspace::{At, PENDING_DUE},
    settings,
};

/// What hooks hear of a message that waits.
pub(super) const PASSED_ON: &str = "PassOnPendingMessage";
/// What they hear of one that was deleted instead.
pub(super) const DELETED: &str = "DeletedPendingMessage";
/// Messages that are deleted at a time.
const PAGE: usize = 50;

/// Tells hooks what becomes of a message that waits.
pub(super) fn tell(tx: &mut Tx, id: &MessageId, message: &Message, method: &str, now: Timestamp) {
    let metadata: BTreeMap<&str, &str> =
        message.pending.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let more = serde_json::json!({ "method": method, "metadata": metadata }).to_string();
    let event = Event::new(hooks::PENDING, now, Some(&message.channel)).by(message.user.as_ref());
    events::record(tx, event.about(id, message).with(more));
}

/// Passes a message that waits on, and notes when its time is up.
pub(super) async fn pass_on(tx: &mut Tx, id: &MessageId, message: &Message, now: Timestamp) -> Result<()> {
    let due = now.plus_micros(settings::load(tx).await?.pending_micros());
    let tenant = tx.tenant();
    PENDING_DUE.put(tx, tenant, &(At(due), id.to_string()), &());
    tell(tx, id, message, PASSED_ON, now);
    Ok(())
}

/// Deletes messages that waited until `now` for nothing; answers whether there may be more.
///
/// # Errors
/// When the store fails; what was not deleted then is deleted with the next call.
pub async fn expire_due(app: &App, now: Timestamp) -> Result<bool> {
    let mut tx = app.snapshot();
    let tenant = tx.tenant();
    let range = PENDING_DUE.range(tenant).start..PENDING_DUE.key(tenant, &(At(now.plus_micros(1)), String::new()));
    let page = PENDING_DUE.scan(&mut tx, tenant, range, Direction::Forward, Limit::rows(PAGE)).await?;
    for (key, ()) in &page.rows {
        if let Ok(id) = MessageId::parse(&key.1)
            && get(&mut tx, &id).await?.is_some_and(|message| message.pending.is_some())
        {
            delete_for_good(app, None, &id, None, now).await?;
        }
        app.write(async |tx| {
            PENDING_DUE.delete(tx, tenant, key);
            Ok(())
        })
        .await?;
    }
    Ok(page.more)
}
