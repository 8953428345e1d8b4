//! Who may see a feed, changed: follows and members that the new level does not allow go, by a task (feeds-v3 §3.2).

use ids::{FeedId, Fid, Timestamp};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use super::{Feed, Visibility, get, load, of_stream, put};
use crate::{
    Result, Tx,
    keyspace::{Feed as Stream, V3_FOLLOWER},
    tasks::Progress,
    v3::{
        activities::By,
        events::{self, Event},
        follows, members, permit,
    },
};

/// Follows, or members, that one step looks at.
const STEP_ROWS_MAX: usize = 50;

/// What becomes of follows that wait when they need not ask any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Pending {
    /// They are accepted.
    #[default]
    #[n(0)]
    Accept,
    /// They are rejected.
    #[n(1)]
    Reject,
}

/// A feed whose follows and members are to be looked through.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Change {
    /// Which.
    #[n(0)]
    pub fid: Fid,
    /// What holds its activities: another one means that it was deleted since.
    #[n(1)]
    pub stream: FeedId,
    /// Who sees it now: another level means that it was changed again, which has a task of its own.
    #[n(2)]
    pub to: Visibility,
    /// What becomes of follows that wait.
    #[n(3)]
    pub pending: Pending,
}

/// Lets `to` see the feed `fid` from now on; what follows from it is for the task to [`step`] through.
///
/// # Errors
/// [`crate::Error::Absent`]; [`crate::Error::NotAllowed`] when `by` does not own the feed.
pub async fn change(
    tx: &mut Tx,
    by: By<'_>,
    fid: &Fid,
    (to, pending): (Visibility, Pending),
    now: Timestamp,
) -> Result<(Feed, Change)> {
    let mut feed = load(tx, fid).await?;
    permit::may(tx, fid, &feed, by, "update-feed").await?;
    feed.visibility = to;
    feed.updated_at = now;
    put(tx, fid, &feed);
    events::record(tx, Event::of_feed("feeds.feed.updated", fid, &feed, now).by(by));
    let change = Change { fid: fid.clone(), stream: feed.stream.clone(), to, pending };
    Ok((feed, change))
}

const FOLLOWS: u8 = 0;
const MEMBERS: u8 = 1;

/// Does a step of looking through the follows and the members of a feed whose visibility changed; whether those were all.
///
/// # Errors
/// When the store fails.
pub async fn step(tx: &mut Tx, change: &Change, progress: &mut Progress, now: Timestamp) -> Result<bool> {
    let feed = get(tx, &change.fid).await?;
    let is_as_then = |feed: &Feed| feed.stream == change.stream && feed.visibility == change.to;
    let Some(feed) = feed.filter(is_as_then) else { return Ok(true) };
    match progress.stage {
        FOLLOWS => {
            if look_through_follows(tx, &feed, change, progress, now).await? {
                progress.next_stage();
            }
            Ok(false)
        }
        MEMBERS if change.to == Visibility::Private => remove_members(tx, &feed, change, now).await,
        _ => Ok(true),
    }
}

async fn look_through_follows(
    tx: &mut Tx,
    feed: &Feed,
    change: &Change,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = V3_FOLLOWER.prefix(tenant, &Stream(feed.stream.clone()));
    if !progress.cursor.is_empty() {
        range.start = after(progress.cursor.clone());
    }
    let page = V3_FOLLOWER.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_ROWS_MAX)).await?;
    for (key, ()) in page.rows {
        progress.cursor = V3_FOLLOWER.key(tenant, &key);
        let Some(source) = of_stream(tx, &key.1.0).await? else { continue };
        let Some(follower) = get(tx, &source).await? else { continue };
        let Some(follow) = follows::get(tx, &follower.stream, &feed.stream).await? else { continue };
        let ends = (&source, &change.fid);
        if !may_stay(tx, feed, &follower).await? {
            follows::remove(tx, None, ends, false, now).await?;
        } else if follow.status == follows::Status::Pending && !must_ask(change.to) {
            match change.pending {
                Pending::Accept => follows::accept(tx, None, ends, None, now).await?,
                Pending::Reject => follows::reject(tx, None, ends, now).await?,
            };
        }
    }
    Ok(!page.more)
}

fn must_ask(visibility: Visibility) -> bool {
    visibility == Visibility::Followers
}

/// Whether `follower` may follow the feed as it is seen now. Who asked for it, or was let in before, stays while followers
/// may be there at all.
async fn may_stay(tx: &mut Tx, feed: &Feed, follower: &Feed) -> Result<bool> {
    let Some(user) = &follower.created_by else {
        return Ok(!matches!(feed.visibility, Visibility::Members | Visibility::Private));
    };
    permit::may_follow(tx, feed, user).await
}

/// A private feed has none.
async fn remove_members(tx: &mut Tx, feed: &Feed, change: &Change, now: Timestamp) -> Result<bool> {
    let members = members::list(tx, &feed.stream, STEP_ROWS_MAX).await?;
    for (user, _) in &members {
        members::leave(tx, &change.fid, feed, user, None, now).await?;
    }
    Ok(members.len() < STEP_ROWS_MAX)
}
