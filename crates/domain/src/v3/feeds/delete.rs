//! Deleting feeds: hidden in the call, cleared away by a task (feeds-v3 §3.2, "Feed deletion").

use ids::{ActivityId, FeedId, Fid, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{Feed, key, load, put};
use crate::{
    Result, Tx,
    feeds::follows as engine,
    keyspace::{
        FOLLOWED, FOLLOWER_ORDER, FOLLOWERS, FOLLOWING, FOLLOWING_ORDER, Feed as Stream, HORIZON, LATE, NOTED, Newest,
        POSTED, V3_COUNT, V3_FEED, V3_FOLLOW, V3_FOLLOWER, V3_STREAM,
    },
    tasks::{Progress, Step},
    v3::{
        activities::{self, Activity},
        events::{self, Event},
        members, notifications, owned,
    },
};

/// Follows that one step ends.
const STEP_FOLLOWS_MAX: usize = 100;
/// Activities that one step takes out.
const STEP_ACTIVITIES_MAX: usize = 20;
/// Members that one step removes.
const STEP_MEMBERS_MAX: usize = 100;
/// Notifications of follows that one step removes.
const STEP_NOTICES_MAX: usize = 20;

/// A feed that goes.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Leaving {
    /// Which.
    #[n(0)]
    pub fid: Fid,
    /// What holds its activities.
    #[n(1)]
    pub stream: FeedId,
    /// Whose it was.
    #[n(2)]
    pub owner: Option<UserId>,
}

/// Feeds that go, and how.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Deletion {
    /// Which.
    #[n(0)]
    pub feeds: Vec<Leaving>,
    /// Whether nothing may be left of them.
    #[n(1)]
    pub is_hard: bool,
    /// Whether the owners' activities that stand in them leave all other feeds, too.
    #[n(2)]
    pub purges: bool,
}

/// Hides the feed `fid` from everybody; what is left of it goes by a task, step by [`step`].
///
/// # Errors
/// [`crate::Error::Absent`] when there is none; when the store fails.
pub async fn mark(tx: &mut Tx, fid: &Fid, is_hard: bool, by: Option<&UserId>, now: Timestamp) -> Result<Leaving> {
    let feed = load(tx, fid).await?;
    let leaving = Leaving { fid: fid.clone(), stream: feed.stream.clone(), owner: feed.created_by.clone() };
    if is_hard {
        let tenant = tx.tenant();
        V3_FEED.delete(tx, tenant, &key(fid));
        if let Some(owner) = &feed.created_by {
            owned::remove(tx, owner, owned::Kind::Feed, fid.as_str());
        }
    } else {
        put(tx, fid, &Feed { deleted_at: Some(now), ..feed });
    }
    events::record(tx, Event::in_feed("feeds.feed.deleted", fid, now).by(by));
    Ok(leaving)
}

const FOLLOWS: u8 = 0;
const FOLLOWERS_OF_IT: u8 = 1;
const ACTIVITIES: u8 = 2;
const MEMBERS: u8 = 3;
const NOTICES: u8 = 4;

/// Does a step of clearing away the feed at hand.
///
/// # Errors
/// When the store fails.
pub async fn step(tx: &mut Tx, deletion: &Deletion, progress: &mut Progress, now: Timestamp) -> Result<Step> {
    let Some(feed) = deletion.feeds.get(progress.item()) else { return Ok(Step::Done) };
    let is_done = match progress.stage {
        FOLLOWS => end_follows(tx, &feed.stream).await?,
        FOLLOWERS_OF_IT => end_followers(tx, &feed.stream).await?,
        ACTIVITIES => take_out(tx, deletion, feed, now).await?,
        MEMBERS if deletion.is_hard => remove_members(tx, &feed.stream).await?,
        MEMBERS => true,
        NOTICES => notifications::clear_feed(tx, &feed.fid, STEP_NOTICES_MAX).await?,
        _ => {
            clear_rest(tx, &feed.stream, deletion.is_hard);
            return Ok(Step::Done);
        }
    };
    if is_done {
        progress.next_stage();
    }
    Ok(Step::More)
}

async fn end_follows(tx: &mut Tx, stream: &FeedId) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_FOLLOW.prefix(tenant, &Stream(stream.clone()));
    let page = V3_FOLLOW.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_FOLLOWS_MAX)).await?;
    for ((source, target), _) in page.rows {
        disconnect(tx, &source, &target).await?;
    }
    // History of follows that ended.
    let kept = FOLLOWING.prefix(tenant, &Stream(stream.clone()));
    let kept = FOLLOWING.scan(tx, tenant, kept, Direction::Forward, Limit::rows(STEP_FOLLOWS_MAX)).await?;
    for ((Stream(source), Stream(target)), _) in kept.rows {
        engine::remove(tx, &source, &target, false).await?;
    }
    Ok(!page.more && !kept.more)
}

async fn end_followers(tx: &mut Tx, stream: &FeedId) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_FOLLOWER.prefix(tenant, &Stream(stream.clone()));
    let page = V3_FOLLOWER.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_FOLLOWS_MAX)).await?;
    for ((target, source), ()) in page.rows {
        disconnect(tx, &source, &target).await?;
    }
    Ok(!page.more)
}

async fn disconnect(tx: &mut Tx, source: &Stream, target: &Stream) -> Result<()> {
    engine::remove(tx, &source.0, &target.0, false).await?;
    let tenant = tx.tenant();
    V3_FOLLOW.delete(tx, tenant, &(source.clone(), target.clone()));
    V3_FOLLOWER.delete(tx, tenant, &(target.clone(), source.clone()));
    Ok(())
}

/// Takes activities out of the feed; one that stands in no other goes as the feed does. Whether those were all.
async fn take_out(tx: &mut Tx, deletion: &Deletion, feed: &Leaving, now: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let range = POSTED.prefix(tenant, &Stream(feed.stream.clone()));
    let page = POSTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_ACTIVITIES_MAX)).await?;
    let ids: Vec<ActivityId> = page.rows.iter().map(|((_, Newest(id)), _)| *id).collect();
    for (id, activity) in ids.iter().copied().zip(activities::get_many(tx, &ids).await?) {
        let is_done = match activity {
            None => activities::unpost(tx, id, std::slice::from_ref(&feed.stream)).await.map(|_| true)?,
            Some(activity) => leave(tx, deletion, feed, id, activity, now).await?,
        };
        if !is_done {
            // As much hangs on it as one step removes.
            return Ok(false);
        }
    }
    Ok(!page.more)
}

async fn leave(
    tx: &mut Tx,
    deletion: &Deletion,
    feed: &Leaving,
    id: ActivityId,
    activity: Activity,
    now: Timestamp,
) -> Result<bool> {
    let is_elsewhere = activities::holders(tx, id).await?.iter().any(|holder| *holder != feed.stream);
    let is_purged = deletion.purges && activity.user.is_some() && activity.user == feed.owner;
    if is_elsewhere && !is_purged {
        activities::unpost(tx, id, std::slice::from_ref(&feed.stream)).await?;
        let feeds = activity.feeds.iter().filter(|fid| **fid != feed.fid).cloned().collect();
        activities::put(tx, id, &Activity { feeds, ..activity });
        return Ok(true);
    }
    Ok(activities::delete(tx, None, &activity.id, deletion.is_hard, now).await?.1)
}

async fn remove_members(tx: &mut Tx, stream: &FeedId) -> Result<bool> {
    let members = members::list(tx, stream, STEP_MEMBERS_MAX).await?;
    for (user, _) in &members {
        members::remove(tx, stream, user).await?;
    }
    Ok(members.len() < STEP_MEMBERS_MAX)
}

/// Counters, and what else is of use only with the rows that went.
fn clear_rest(tx: &mut Tx, stream: &FeedId, is_hard: bool) {
    let (tenant, stream) = (tx.tenant(), Stream(stream.clone()));
    HORIZON.delete(tx, tenant, &stream);
    if is_hard {
        V3_STREAM.delete(tx, tenant, &stream);
        tx.delete_range(V3_COUNT.prefix(tenant, &stream));
    }
    for range in [
        LATE.prefix(tenant, &stream),
        NOTED.prefix(tenant, &stream),
        FOLLOWERS.prefix(tenant, &stream),
        FOLLOWED.prefix(tenant, &stream),
        FOLLOWING_ORDER.prefix(tenant, &stream),
        FOLLOWER_ORDER.prefix(tenant, &stream),
    ] {
        tx.delete_range(range);
    }
}

/// Does all steps.
#[cfg(test)]
pub(crate) async fn run(app: &crate::App, deletion: &Deletion, now: Timestamp) {
    let mut progress = Progress::default();
    while progress.item() < deletion.feeds.len() {
        let ran = app.write(async |tx| {
            let mut after = progress.clone();
            let step = step(tx, deletion, &mut after, now).await?;
            Ok((step, after))
        });
        let (step, after) = ran.await.unwrap();
        progress = after;
        if step == Step::Done {
            progress.next_item(None);
        }
    }
}
