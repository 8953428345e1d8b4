//! Deleting activities, and bringing them back.

use ids::{ActivityId, Timestamp};

use super::{Activity, By, Tally, absent, get_any, holders, post, put, tell, unname_mentioned, unpost};
use crate::{
    Error, Result, Tx,
    keyspace::{Id, V3_ACTIVITY, V3_ACTIVITY_ID, V3_TALLY},
    v3::{engagement, feeds, metrics, notifications, owned, permit, polls, shares, updates},
};

/// What hangs on an activity and goes in one transaction with it.
const ALONG_MAX: usize = 250;

/// Deletes the activity `id`: it leaves all feeds, and with `is_hard` nothing is left of it. Answers whether that was all:
/// one on which more hangs than one transaction removes is marked deleted, and leaves with the last call.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted and is not to go for good; [`Error::NotAllowed`].
pub async fn delete(tx: &mut Tx, by: By<'_>, id: &str, is_hard: bool, now: Timestamp) -> Result<(Activity, bool)> {
    let found = get_any(tx, id).await?.filter(|(_, activity)| is_hard || activity.deleted_at.is_none());
    let (inner, mut activity) = found.ok_or_else(|| absent(id))?;
    permit::may_change(tx, &activity, by, permit::Act::Delete).await?;
    let was_there = activity.deleted_at.is_none();
    activity.deleted_at = activity.deleted_at.or(Some(now));
    activity.updated_at = now;
    let is_done = remove(tx, inner, &activity, was_there, is_hard).await?;
    if was_there {
        for fid in &activity.feeds {
            tell(tx, "feeds.activity.deleted", (fid, None), (inner, &activity), by, now);
            updates::tell(tx, fid, by, now).await?;
        }
    }
    Ok((activity, is_done))
}

/// Writes an activity that is marked deleted, or with `is_hard` removes it with what hangs on it; whether that was all.
async fn remove(tx: &mut Tx, id: ActivityId, activity: &Activity, was_there: bool, is_hard: bool) -> Result<bool> {
    if let Some(parent) = activity.parent.filter(|_| was_there) {
        shares::remove(tx, parent, id);
    }
    let mut budget = ALONG_MAX;
    let is_done = !is_hard || engagement::clear(tx, (id, activity), &mut budget).await?;
    if is_done {
        let streams = holders(tx, id).await?;
        unpost(tx, id, &streams).await?;
    }
    match is_hard && is_done {
        true => forget(tx, id, activity),
        false => put(tx, id, activity),
    }
    Ok(is_done)
}

/// Removes the rows of an activity that no feed holds.
fn forget(tx: &mut Tx, id: ActivityId, activity: &Activity) {
    let tenant = tx.tenant();
    V3_ACTIVITY.delete(tx, tenant, &Id(id));
    V3_ACTIVITY_ID.delete(tx, tenant, &activity.id);
    if let Some(user) = &activity.user {
        owned::remove(tx, user, owned::Kind::Activity, &activity.id);
    }
    unname_mentioned(tx, activity);
    polls::detach(tx, activity);
    notifications::delist(tx, id, activity);
    metrics::clear(tx, id);
    shares::clear(tx, id);
    for tally in Tally::ALL {
        V3_TALLY.delete(tx, tenant, &(Id(id), tally.code()));
    }
}

/// Removes the activity `id`, as an erasure does: nobody is told what it said. For good, or softly at that moment, and then
/// it is never restored. Answers whether there was anything to do, and whether all of it is done; if not, the call is made
/// again.
///
/// # Errors
/// When the store fails.
pub async fn erase(tx: &mut Tx, id: &str, soft: Option<Timestamp>) -> Result<(bool, bool)> {
    let Some((inner, mut activity)) = get_any(tx, id).await? else { return Ok((false, true)) };
    if soft.is_some() && activity.is_erased {
        return Ok((false, true));
    }
    let was_there = activity.deleted_at.is_none();
    activity.deleted_at = activity.deleted_at.or(soft).or(Some(activity.updated_at));
    activity.is_erased = true;
    Ok((true, remove(tx, inner, &activity, was_there, soft.is_none()).await?))
}

/// Brings the activity `id` back into the feeds that held it and are still there.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::NotAllowed`]; [`Error::Unfit`] when it was not deleted.
pub async fn restore(tx: &mut Tx, by: By<'_>, id: &str, now: Timestamp) -> Result<(ActivityId, Activity)> {
    let (inner, mut activity) = get_any(tx, id).await?.ok_or_else(|| absent(id))?;
    permit::may_change(tx, &activity, by, permit::Act::Update).await?;
    if activity.deleted_at.is_none() {
        return Err(Error::Unfit(format!("activity '{id}' is not deleted")));
    }
    if activity.is_erased {
        return Err(Error::Unfit("the activity was deleted with its author's feed data, which is final".to_owned()));
    }
    activity.deleted_at = None;
    activity.updated_at = now;
    let known = feeds::get_many(tx, &activity.feeds).await?;
    let places: Vec<_> =
        activity.feeds.iter().cloned().zip(known).filter_map(|(fid, feed)| Some((fid, feed?))).collect();
    post(tx, inner, &places, true).await?;
    if let Some(parent) = activity.parent {
        shares::put(tx, parent, inner);
    }
    put(tx, inner, &activity);
    for (fid, feed) in &places {
        tell(tx, "feeds.activity.restored", (fid, Some(feed)), (inner, &activity), by, now);
    }
    Ok((inner, activity))
}
