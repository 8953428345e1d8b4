//! Removing what a user has in feeds v3 (v2 §4.3, §5.5).
//!
//! The indexes of who owns what are walked, and never the whole store. For good, nothing is left; softly, feeds,
//! activities, comments and entries of collections stay where nobody reads them and nothing restores them. In both, what
//! has no softer state goes, and what is counted of it is counted down with it.

use ids::{FeedId, Fid, Timestamp, UserId};
use store::{Direction, Limit, key::after};

use super::Spot;
use crate::{
    Result, Tx,
    keyspace::{Feed as Stream, V3_COLLECTED, V3_FEED, V3_FOLDER, V3_FOLDER_NAME, V3_FOLLOW, V3_FOLLOWER, V3_REACTED},
    polls,
    tasks::{Progress, Step},
    v3::{
        activities, bookmarks,
        collections::{self, Ref},
        comments, feedback,
        feeds::{
            self,
            delete::{Deletion, Leaving},
        },
        folders, marks, members,
        owned::{self, Kind},
        reactions,
    },
};

/// Rows that one step looks at; it ends before, when its transaction is full.
const STEP_ROWS_MAX: usize = 200;
/// Follows that are counted at most of one feed.
const FOLLOWS_COUNTED_MAX: usize = 100_000;

// The parts, after those of feeds v1.0.
const ACTIVITIES: u8 = super::V3;
const COMMENTS: u8 = super::V3 + 1;
const REACTIONS: u8 = super::V3 + 2;
const BOOKMARKS: u8 = super::V3 + 3;
const FOLDERS: u8 = super::V3 + 4;
const COLLECTIONS: u8 = super::V3 + 5;
const FEEDS: u8 = super::V3 + 6;
const MEMBERSHIPS: u8 = super::V3 + 7;
const MARKS: u8 = super::V3 + 8;
const FEEDBACK: u8 = super::V3 + 9;
const VOTES: u8 = super::V3 + 10;

/// Does a step of removing what `user` has in feeds v3: softly at that moment, or for good. Answers whether its part is done;
/// nothing, when there is no such part.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove(
    tx: &mut Tx,
    user: &UserId,
    soft: Option<Timestamp>,
    spot: &mut Spot,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<Option<bool>> {
    let is_done = match spot.part {
        ACTIVITIES => remove_activities(tx, user, soft, spot, progress).await?,
        COMMENTS => {
            let (removed, is_done) = comments::erase(tx, user, soft, &mut spot.key, STEP_ROWS_MAX).await?;
            progress.count("comments", removed);
            is_done
        }
        REACTIONS => remove_reactions(tx, user, progress).await?,
        BOOKMARKS => remove_bookmarks(tx, user, progress).await?,
        FOLDERS => remove_folders(tx, user, progress).await?,
        COLLECTIONS => remove_collections(tx, user, soft, spot, progress).await?,
        FEEDS => remove_feeds(tx, user, soft.is_none(), spot, progress, now).await?,
        MARKS => marks::forget(tx, user).await?,
        FEEDBACK => feedback::forget(tx, user, STEP_ROWS_MAX).await?,
        VOTES => polls::leave_activities(tx, user, &mut spot.key).await?,
        // Memberships are not among the sets that a softer deletion takes.
        MEMBERSHIPS => soft.is_some() || leave_feeds(tx, user).await?,
        _ => return Ok(None),
    };
    Ok(Some(is_done))
}

/// The id after which a walk goes on.
fn from(spot: &Spot) -> String {
    String::from_utf8_lossy(&spot.key).into_owned()
}

async fn remove_activities(
    tx: &mut Tx,
    user: &UserId,
    soft: Option<Timestamp>,
    spot: &mut Spot,
    progress: &mut Progress,
) -> Result<bool> {
    let ids = owned::list(tx, user, Kind::Activity, &from(spot), STEP_ROWS_MAX).await?;
    for id in &ids {
        if tx.is_full() {
            return Ok(false);
        }
        let (was_there, is_done) = activities::erase(tx, id, soft).await?;
        if !is_done {
            return Ok(false);
        }
        progress.count("activities", u64::from(was_there));
        spot.key = id.clone().into_bytes();
    }
    Ok(ids.len() < STEP_ROWS_MAX)
}

async fn remove_reactions(tx: &mut Tx, user: &UserId, progress: &mut Progress) -> Result<bool> {
    let range = V3_REACTED.prefix(tx.tenant(), &user.to_string());
    let (given, _, more) = reactions::of_user(tx, range, STEP_ROWS_MAX).await?;
    for given in &given {
        if tx.is_full() {
            return Ok(false);
        }
        reactions::take(tx, given).await?;
        progress.count("reactions", 1);
    }
    Ok(!more)
}

async fn remove_bookmarks(tx: &mut Tx, user: &UserId, progress: &mut Progress) -> Result<bool> {
    let (saved, last) = bookmarks::of_user(tx, user, None, STEP_ROWS_MAX).await?;
    for saved in &saved {
        if tx.is_full() {
            return Ok(false);
        }
        bookmarks::take(tx, saved).await?;
        progress.count("bookmarks", 1);
    }
    Ok(last.is_none())
}

async fn remove_folders(tx: &mut Tx, user: &UserId, progress: &mut Progress) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_FOLDER_NAME.prefix(tenant, &user.to_string());
    let page = V3_FOLDER_NAME.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_ROWS_MAX)).await?;
    progress.count("bookmark_folders", page.rows.len() as u64);
    for (name, id) in page.rows {
        match V3_FOLDER.get(tx, tenant, &id).await? {
            Some(folder) => folders::forget(tx, &id, &folder),
            None => V3_FOLDER_NAME.delete(tx, tenant, &name),
        }
    }
    Ok(!page.more)
}

async fn remove_collections(
    tx: &mut Tx,
    user: &UserId,
    soft: Option<Timestamp>,
    spot: &mut Spot,
    progress: &mut Progress,
) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = V3_COLLECTED.prefix(tenant, &user.to_string());
    if !spot.key.is_empty() {
        range.start = after(spot.key.clone());
    }
    let page = V3_COLLECTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_ROWS_MAX)).await?;
    for (key, ()) in page.rows {
        if tx.is_full() {
            return Ok(false);
        }
        spot.key = V3_COLLECTED.key(tenant, &key);
        let of = Ref { name: key.1, id: key.2 };
        progress.count("collections", u64::from(collections::erase(tx, &of, user, soft).await?));
    }
    Ok(!page.more)
}

async fn remove_feeds(
    tx: &mut Tx,
    user: &UserId,
    is_hard: bool,
    spot: &mut Spot,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<bool> {
    if let Some((leaving, stage)) = spot.feed.take() {
        let deletion = Deletion { feeds: vec![leaving.clone()], is_hard, purges: false };
        let mut inner = Progress { stage, ..Progress::default() };
        if feeds::delete::step(tx, &deletion, &mut inner, now).await? == Step::More {
            spot.feed = Some((leaving, inner.stage));
        }
        return Ok(false);
    }
    let Some(text) = owned::list(tx, user, Kind::Feed, &from(spot), 1).await?.pop() else { return Ok(true) };
    spot.key = text.clone().into_bytes();
    let Ok(fid) = Fid::parse(&text) else { return Ok(false) };
    if let Some(leaving) = hide(tx, user, &fid, is_hard, now).await? {
        progress.count("feeds", 1);
        progress.count("follows", follows_of(tx, &leaving.stream).await?);
        spot.feed = Some((leaving, 0));
    }
    Ok(false)
}

/// Hides a feed, or removes the row of one that was hidden before; nothing, if there is nothing more to do.
async fn hide(tx: &mut Tx, user: &UserId, fid: &Fid, is_hard: bool, now: Timestamp) -> Result<Option<Leaving>> {
    let tenant = tx.tenant();
    let key = (fid.group().to_owned(), fid.id().to_owned());
    let Some(feed) = V3_FEED.get(tx, tenant, &key).await?.filter(|feed| feed.is_of(user)) else {
        owned::remove(tx, user, Kind::Feed, fid.as_str());
        return Ok(None);
    };
    match (feed.deleted_at, is_hard) {
        (None, _) => feeds::delete::mark(tx, fid, is_hard, None, now).await.map(Some),
        (Some(_), false) => Ok(None),
        (Some(_), true) => {
            V3_FEED.delete(tx, tenant, &key);
            owned::remove(tx, user, Kind::Feed, fid.as_str());
            Ok(Some(Leaving { fid: fid.clone(), stream: feed.stream, owner: Some(user.clone()) }))
        }
    }
}

/// How many follows there are by the feed and of it.
async fn follows_of(tx: &mut Tx, stream: &FeedId) -> Result<u64> {
    let (tenant, stream) = (tx.tenant(), Stream(stream.clone()));
    let by_it = crate::rows::list(tx, &V3_FOLLOW, V3_FOLLOW.prefix(tenant, &stream), FOLLOWS_COUNTED_MAX).await?;
    let of_it = crate::rows::list(tx, &V3_FOLLOWER, V3_FOLLOWER.prefix(tenant, &stream), FOLLOWS_COUNTED_MAX).await?;
    Ok((by_it.len() + of_it.len()) as u64)
}

async fn leave_feeds(tx: &mut Tx, user: &UserId) -> Result<bool> {
    let streams = owned::list(tx, user, Kind::Member, "", STEP_ROWS_MAX).await?;
    for text in &streams {
        let (group, id) = text.split_once(':').unwrap_or_default();
        match FeedId::restore(group, id) {
            Ok(stream) if members::remove(tx, &stream, user).await? => {}
            _ => owned::remove(tx, user, Kind::Member, text),
        }
    }
    Ok(streams.len() < STEP_ROWS_MAX)
}

#[cfg(test)]
mod tests;
