//! Removing reactions for good with what is said to them, as an erasure does.

use std::pin::Pin;

use store::{Direction, Limit};

use super::{About, Reaction, enlist, get, unpost};
use crate::{
    Result, Tx,
    keyspace::{FEED_REACTION, FEED_REACTIONS},
};

/// Removes the reactions that `about` shows, until the transaction is full; whether those were all.
///
/// # Errors
/// When the store fails.
pub(crate) async fn clear(tx: &mut Tx, about: &About) -> Result<bool> {
    let tenant = tx.tenant();
    let range = FEED_REACTIONS.prefix(tenant, about);
    let page = FEED_REACTIONS.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
    for (key, ()) in page.rows {
        let is_done = match get(tx, &key.3).await? {
            Some(reaction) => erase(tx, &key.3, &reaction).await?,
            None => {
                FEED_REACTIONS.delete(tx, tenant, &key);
                true
            }
        };
        if !is_done {
            return Ok(false);
        }
    }
    Ok(!page.more)
}

/// Removes a reaction, deleted or not, and those to it before, until the transaction is full; whether it is gone.
///
/// # Errors
/// When the store fails.
pub(crate) fn erase<'a>(
    tx: &'a mut Tx,
    id: &'a str,
    reaction: &'a Reaction,
) -> Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>> {
    Box::pin(async move {
        if !clear(tx, &About::Reaction(reaction.as_parent(id))).await? || tx.is_full() {
            return Ok(false);
        }
        if reaction.deleted_at.is_none() {
            enlist(tx, id, reaction, -1);
            unpost(tx, id, reaction, &reaction.target_feeds).await?;
        }
        let tenant = tx.tenant();
        FEED_REACTION.delete(tx, tenant, &id.to_owned());
        Ok(true)
    })
}
