//! Deleting activities, and bringing them back.

use ids::{ActivityId, Timestamp};

use super::{Activity, By, Tally, absent, get_any, holders, post, put, tell, unname_mentioned, unpost};
use crate::{
    Error, Result, Tx,
    keyspace::{Id, V3_ACTIVITY, V3_ACTIVITY_ID, V3_TALLY},
    v3::{engagement, feeds, owned, permit},
};

/// Deletes the activity `id`: it leaves all feeds, and with `is_hard` nothing is left of it.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted and is not to go for good; [`Error::NotAllowed`].
pub async fn delete(tx: &mut Tx, by: By<'_>, id: &str, is_hard: bool, now: Timestamp) -> Result<Activity> {
    let found = get_any(tx, id).await?.filter(|(_, activity)| is_hard || activity.deleted_at.is_none());
    let (inner, mut activity) = found.ok_or_else(|| absent(id))?;
    permit::may_change(&activity, by)?;
    let was_there = activity.deleted_at.is_none();
    if was_there {
        leave_all(tx, inner, &activity).await?;
    }
    if is_hard {
        forget(tx, inner, &activity);
        engagement::forget(tx, inner).await?;
    } else {
        activity.deleted_at = Some(now);
        activity.updated_at = now;
        put(tx, inner, &activity);
    }
    if was_there {
        for fid in &activity.feeds {
            tell(tx, "feeds.activity.deleted", (fid, None), (inner, &activity), by, now);
        }
    }
    Ok(activity)
}

async fn leave_all(tx: &mut Tx, id: ActivityId, activity: &Activity) -> Result<()> {
    let streams = holders(tx, id).await?;
    unpost(tx, id, &streams).await?;
    if let Some(parent) = activity.parent {
        let tenant = tx.tenant();
        V3_TALLY.add(tx, tenant, &(Id(parent), Tally::Shares.code()), -1);
    }
    Ok(())
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
    for tally in Tally::ALL {
        V3_TALLY.delete(tx, tenant, &(Id(id), tally.code()));
    }
}

/// Removes the activity `id` for good, as an erasure does: nobody is told what it said. What hangs on it is the business
/// of [`engagement::forget`].
///
/// # Errors
/// When the store fails.
pub async fn erase(tx: &mut Tx, id: &str) -> Result<bool> {
    let Some((inner, activity)) = get_any(tx, id).await? else { return Ok(false) };
    if activity.deleted_at.is_none() {
        leave_all(tx, inner, &activity).await?;
    }
    forget(tx, inner, &activity);
    engagement::forget(tx, inner).await?;
    Ok(true)
}

/// Brings the activity `id` back into the feeds that held it and are still there.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::NotAllowed`]; [`Error::Unfit`] when it was not deleted.
pub async fn restore(tx: &mut Tx, by: By<'_>, id: &str, now: Timestamp) -> Result<(ActivityId, Activity)> {
    let (inner, mut activity) = get_any(tx, id).await?.ok_or_else(|| absent(id))?;
    permit::may_change(&activity, by)?;
    if activity.deleted_at.is_none() {
        return Err(Error::Unfit(format!("activity '{id}' is not deleted")));
    }
    activity.deleted_at = None;
    activity.updated_at = now;
    let known = feeds::get_many(tx, &activity.feeds).await?;
    let places: Vec<_> =
        activity.feeds.iter().cloned().zip(known).filter_map(|(fid, feed)| Some((fid, feed?))).collect();
    post(tx, inner, &places, true).await?;
    if let Some(parent) = activity.parent {
        let tenant = tx.tenant();
        V3_TALLY.add(tx, tenant, &(Id(parent), Tally::Shares.code()), 1);
    }
    put(tx, inner, &activity);
    for (fid, feed) in &places {
        tell(tx, "feeds.activity.restored", (fid, Some(feed)), (inner, &activity), by, now);
    }
    Ok((inner, activity))
}
