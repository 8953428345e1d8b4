//! Activities that share another (feeds-v3 §3.3).

use ids::{ActivityId, UserId};
use store::{Direction, Limit, key::after};

use super::{
    activities::{self, Activity, Tally},
    permit,
};
use crate::{
    Result, Tx,
    keyspace::{Id, Newest, V3_SHARE, V3_TALLY},
};

/// The newest shares that an activity shows.
pub const LATEST: usize = 5;
/// The most rows that are looked at for one page.
const LOOKED_AT_MAX: usize = 1000;

/// Counts a share that is there from now on.
pub(super) fn put(tx: &mut Tx, parent: ActivityId, share: ActivityId) {
    let tenant = tx.tenant();
    V3_SHARE.put(tx, tenant, &(Id(parent), Newest(share)), &());
    V3_TALLY.add(tx, tenant, &(Id(parent), Tally::Shares.code()), 1);
}

/// Counts it no more.
pub(super) fn remove(tx: &mut Tx, parent: ActivityId, share: ActivityId) {
    let tenant = tx.tenant();
    V3_SHARE.delete(tx, tenant, &(Id(parent), Newest(share)));
    V3_TALLY.add(tx, tenant, &(Id(parent), Tally::Shares.code()), -1);
}

/// Forgets who shared an activity that goes for good.
pub(super) fn clear(tx: &mut Tx, parent: ActivityId) {
    let range = V3_SHARE.prefix(tx.tenant(), &Id(parent));
    tx.delete_range(range);
}

/// Shares of an activity that `viewer` may see, the newest first: at most `limit` of those before `below`, and whether there
/// may be more.
///
/// # Errors
/// When the store fails.
pub async fn list(
    tx: &mut Tx,
    parent: ActivityId,
    viewer: Option<&UserId>,
    below: Option<ActivityId>,
    limit: usize,
) -> Result<(Vec<(ActivityId, Activity)>, bool)> {
    let tenant = tx.tenant();
    let mut range = V3_SHARE.prefix(tenant, &Id(parent));
    if let Some(below) = below {
        range.start = after(V3_SHARE.key(tenant, &(Id(parent), Newest(below))));
    }
    let (mut found, mut looked) = (Vec::new(), 0);
    loop {
        let page = V3_SHARE.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        looked += page.rows.len();
        if let Some((last, ())) = page.rows.last() {
            range.start = after(V3_SHARE.key(tenant, last));
        }
        let ids: Vec<ActivityId> = page.rows.into_iter().map(|((_, Newest(id)), ())| id).collect();
        for (id, activity) in ids.iter().copied().zip(activities::get_many(tx, &ids).await?) {
            let Some(activity) = activity.filter(|activity| activity.deleted_at.is_none()) else { continue };
            if permit::may_see(tx, &activity, viewer).await.is_err() {
                continue;
            }
            if found.len() == limit {
                return Ok((found, true));
            }
            found.push((id, activity));
        }
        if !page.more || looked >= LOOKED_AT_MAX {
            return Ok((found, false));
        }
    }
}
