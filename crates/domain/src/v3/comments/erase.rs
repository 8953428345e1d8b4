//! Removing comments for good: with their activity, with their author, or one by one.

use ids::{Timestamp, UserId};
use store::{Direction, Limit};

use super::{Comment, change::remove_row, get, put, tally};
use crate::{
    Result, Tx,
    keyspace::{At, V3_COMMENT_ORDER, V3_COMMENT_TALLY, V3_COMMENTED},
    v3::{
        bookmarks,
        notifications::{self, About},
        objects::Object,
        reactions,
    },
};

/// What one comment costs of the budget of a step.
const COST: usize = 8;

/// Leaves of a comment, which is counted no longer, a stub without an author if something stands below it, else nothing;
/// stubs above it for which nothing stands any more go with it. What others made of it was cleared before.
pub(super) async fn bury(tx: &mut Tx, id: &str, comment: &Comment) -> Result<()> {
    remove_row(tx, id, comment);
    if has_children(tx, &comment.activity, id).await? {
        let deleted_at = comment.deleted_at.or(Some(comment.updated_at));
        let stub = Comment { user: None, edited_at: None, deleted_at, ..comment.without_words() };
        put(tx, id, &stub);
        let tenant = tx.tenant();
        V3_COMMENT_ORDER.put(tx, tenant, &super::place(id, &stub), &());
        return Ok(());
    }
    forget_counters(tx, id);
    let mut above = comment.parent.clone();
    while let Some(id) = above {
        let Some(stub) = get(tx, &id).await?.filter(|comment| comment.user.is_none()) else { return Ok(()) };
        if has_children(tx, &stub.activity, &id).await? {
            return Ok(());
        }
        remove_row(tx, &id, &stub);
        forget_counters(tx, &id);
        above = stub.parent;
    }
    Ok(())
}

/// Reactions and bookmarks that go in one transaction with their comment.
pub(super) const ALONG_MAX: usize = 250;

/// Removes reactions to the comment `id`, bookmarks of it and notifications about it, as far as `budget` goes; whether those were all.
pub(super) async fn clear_object(tx: &mut Tx, id: &str, budget: &mut usize) -> Result<bool> {
    let object = Object::Comment(id.to_owned());
    Ok(reactions::clear(tx, &object, budget).await?
        && bookmarks::clear(tx, &object, budget).await?
        && notifications::clear(tx, &About::Comment(id.to_owned()), budget).await?)
}

fn forget_counters(tx: &mut Tx, id: &str) {
    let counters = V3_COMMENT_TALLY.prefix(tx.tenant(), &id.to_owned());
    tx.delete_range(counters);
}

async fn has_children(tx: &mut Tx, activity: &str, id: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_COMMENT_ORDER.prefix(tenant, &(activity.to_owned(), id.to_owned()));
    let page = V3_COMMENT_ORDER.scan(tx, tenant, range, Direction::Forward, Limit::rows(1)).await?;
    Ok(!page.rows.is_empty())
}

/// Deletes comments of `user` with the user's feed data, the newest first so that replies go before what they reply to;
/// softly, at that moment, or for good. Answers how many went, and whether those were all; `spot` is the last key.
pub(crate) async fn erase(
    tx: &mut Tx,
    user: &UserId,
    soft: Option<Timestamp>,
    spot: &mut Vec<u8>,
    max: usize,
) -> Result<(u64, bool)> {
    let tenant = tx.tenant();
    let mut range = V3_COMMENTED.prefix(tenant, &user.to_string());
    if !spot.is_empty() {
        range.end.clone_from(spot);
    }
    let page = V3_COMMENTED.scan(tx, tenant, range, Direction::Backward, Limit::rows(max)).await?;
    let mut erased = 0;
    for ((name, At(at), id), ()) in page.rows {
        if tx.is_full() {
            return Ok((erased, false));
        }
        let key = (name, At(at), id);
        let Some(comment) = get(tx, &key.2).await? else {
            V3_COMMENTED.delete(tx, tenant, &key);
            continue;
        };
        let mut budget = ALONG_MAX;
        if soft.is_none() && !clear_object(tx, &key.2, &mut budget).await? {
            return Ok((erased, false));
        }
        erased += u64::from(erase_one(tx, &key.2, comment, soft).await?);
        *spot = V3_COMMENTED.key(tenant, &key);
    }
    Ok((erased, !page.more))
}

async fn erase_one(tx: &mut Tx, id: &str, comment: Comment, soft: Option<Timestamp>) -> Result<bool> {
    if comment.is_live() {
        tally(tx, &comment, -1).await?;
    }
    match soft {
        None => bury(tx, id, &comment).await?,
        Some(_) if comment.is_erased => return Ok(false),
        Some(at) => {
            let deleted_at = Some(comment.deleted_at.unwrap_or(at));
            put(tx, id, &Comment { deleted_at, is_erased: true, ..comment });
        }
    }
    Ok(true)
}

/// Removes comments on an activity, which goes with what is counted of it, as far as `budget` goes; whether those were all.
pub(crate) async fn clear(tx: &mut Tx, activity: &str, budget: &mut usize) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_COMMENT_ORDER.prefix(tenant, &activity.to_owned());
    let page =
        V3_COMMENT_ORDER.scan(tx, tenant, range, Direction::Forward, Limit::rows((*budget / COST).max(1))).await?;
    for (key, ()) in page.rows {
        if *budget == 0 || tx.is_full() || !clear_object(tx, &key.3, budget).await? {
            return Ok(false);
        }
        *budget = budget.saturating_sub(COST);
        match get(tx, &key.3).await? {
            Some(comment) => remove_row(tx, &key.3, &comment),
            None => V3_COMMENT_ORDER.delete(tx, tenant, &key),
        }
        forget_counters(tx, &key.3);
    }
    Ok(!page.more)
}
