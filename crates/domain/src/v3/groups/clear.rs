//! Deleting the feeds of a group that was deleted: a task does it, feed by feed (feeds-v3 §3.1).

use ids::{Fid, Timestamp};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use crate::{
    Result, Tx,
    keyspace::V3_FEED,
    tasks::{Progress, Step},
    v3::feeds::delete::{self, Deletion, Leaving},
};

/// Feeds that one step looks at.
const STEP_FEEDS_MAX: usize = 50;

/// Where the task stands.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
struct Spot {
    /// The last feed that was looked at, as its key.
    #[cbor(n(0), with = "minicbor::bytes")]
    key: Vec<u8>,
    /// The feed that is being cleared away, and how far.
    #[n(1)]
    feed: Option<(Leaving, u8)>,
}

/// Does a step of deleting the feeds of the group `name` that there were at `planned_at`; whether those were all. Feeds that were
/// made later, after the group came back, stay.
///
/// # Errors
/// When the store fails.
pub async fn step(
    tx: &mut Tx,
    name: &str,
    is_hard: bool,
    progress: &mut Progress,
    planned_at: Timestamp,
) -> Result<bool> {
    let mut spot: Spot = minicbor::decode(&progress.cursor).unwrap_or_default();
    let is_done = match spot.feed.take() {
        Some((leaving, stage)) => {
            let deletion = Deletion { feeds: vec![leaving.clone()], is_hard, purges: false };
            let mut inner = Progress { stage, ..Progress::default() };
            if delete::step(tx, &deletion, &mut inner, planned_at).await? == Step::More {
                spot.feed = Some((leaving, inner.stage));
            }
            false
        }
        None => next(tx, name, is_hard, &mut spot, planned_at).await?,
    };
    progress.cursor = minicbor::to_vec(&spot).expect("writing to memory cannot fail");
    Ok(is_done)
}

/// Goes on to the next feed of the group, and hides it; whether there is none.
async fn next(tx: &mut Tx, name: &str, is_hard: bool, spot: &mut Spot, planned_at: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = V3_FEED.prefix(tenant, &name.to_owned());
    if !spot.key.is_empty() {
        range.start = after(spot.key.clone());
    }
    let page = V3_FEED.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_FEEDS_MAX)).await?;
    for (key, feed) in page.rows {
        spot.key = V3_FEED.key(tenant, &key);
        if feed.deleted_at.is_none()
            && feed.created_at <= planned_at
            && let Ok(fid) = Fid::new(&key.0, &key.1)
        {
            let leaving = delete::mark(tx, &fid, is_hard, None, planned_at).await?;
            spot.feed = Some((leaving, 0));
            return Ok(false);
        }
    }
    Ok(!page.more)
}
