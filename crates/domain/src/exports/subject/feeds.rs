//! The sets of the export of feeds.

use super::{UserRow, Walk};
use crate::{
    Result, Tx,
    erasure::feeds::{is_actor, is_own, own_feeds},
    exports::sets::{FeedSet, UserSet},
    feeds::{activities::Activity, collections::Item, follows::Follow, reactions::Reaction, users::Profile},
    keyspace::{ACTIVITY, FEED_REACTION, FOLLOWING, Feed, HORIZON, ITEM, Id, NOTED, PLACED, PROFILE},
    rows::{self, Along},
    v3,
};
use ids::{ActivityId, FeedId, Fid, Timestamp, UserId};

/// A row of the export of feeds.
#[derive(Clone, Debug)]
pub enum FeedRow {
    /// A feed to which something was ever posted.
    Feed(FeedId),
    /// Follower, followed, and the follow.
    Follow(FeedId, FeedId, Follow),
    /// An activity, and the feeds that hold it.
    Activity(ActivityId, Box<Activity>, Vec<FeedId>),
    /// A reaction and its id.
    Reaction(String, Box<Reaction>),
    /// A collection, the id in it, and the item.
    Item(String, String, Item),
    /// What feeds v1.0 know of the user.
    Profile(Profile),
    /// A notification feed, the group of it that was noted or 0 for all, and whether it was read and not only seen.
    Mark(FeedId, u64, bool),
    // From here on, of feeds v3.
    /// A feed.
    OwnFeed(Fid, Box<v3::feeds::Feed>),
    /// Follower, followed, and the follow.
    OwnFollow(Fid, Fid, Box<v3::follows::Follow>),
    /// An activity.
    OwnActivity(Box<v3::activities::Activity>),
    /// A comment and its id.
    Comment(String, Box<v3::comments::Comment>),
    /// A reaction, and the activity that it is about in the end.
    Given(Box<v3::reactions::Given>, Option<String>),
    /// A bookmark.
    Bookmark(Box<v3::bookmarks::Saved>),
    /// A folder of bookmarks.
    Folder(v3::folders::Known),
    /// An entry of a collection.
    Entry(v3::collections::Ref, Box<v3::collections::Collection>),
    /// A feed of somebody's, and how the user is a member of it.
    Membership(Fid, Box<v3::members::Member>),
    /// A feed, the activity that the user pinned there, and the pin.
    Pin(Fid, String, v3::pins::Pin),
    /// An activity, and what the user said of it to whoever ranks.
    Feedback(String, v3::feedback::Feedback),
    /// A feed, what was noted of it, whether of all that there was, and when.
    Noted(Fid, v3::marks::Kind, bool, Timestamp),
    /// A tag, and to how many activities with it the user reacted.
    Interest(String, i64),
    /// What the export of users tells, too.
    User(UserRow),
}

/// The next rows of `set` that `user` has: what feeds v1.0 hold in the order of their keys, then what feeds v3 hold; `None`
/// after the last.
///
/// # Errors
/// When the store fails.
pub async fn page(tx: &mut Tx, user: &UserId, set: FeedSet, walk: &mut Walk) -> Result<Option<Vec<FeedRow>>> {
    if walk.of_v3.is_none() {
        match of_v1(tx, user, set, walk).await? {
            Some(rows) => return Ok(Some(rows)),
            None => walk.of_v3 = Some(super::v3::Place::default()),
        }
    }
    match &mut walk.of_v3 {
        Some(place) => super::v3::page(tx, user, set, place).await,
        None => Ok(None),
    }
}

async fn of_v1(tx: &mut Tx, user: &UserId, set: FeedSet, walk: &mut Walk) -> Result<Option<Vec<FeedRow>>> {
    let tenant = tx.tenant();
    match set {
        FeedSet::Feeds => match walk.is_first() {
            true => Ok(Some(feeds(tx, user).await?.into_iter().map(FeedRow::Feed).collect())),
            false => Ok(None),
        },
        FeedSet::Follows => {
            let rows = walk.next_naming(tx, &FOLLOWING, user).await?;
            let is_theirs = |feed: &FeedId, target: &FeedId| is_own(feed, user) || is_own(target, user);
            Ok(each(rows, |((Feed(feed), Feed(target)), follow)| {
                is_theirs(&feed, &target).then_some(FeedRow::Follow(feed, target, follow))
            }))
        }
        FeedSet::Activities => activities(tx, user, walk).await,
        FeedSet::Reactions => {
            let rows = walk.next_naming(tx, &FEED_REACTION, user).await?;
            Ok(each(rows, |(id, row)| (row.user == *user).then(|| FeedRow::Reaction(id, Box::new(row)))))
        }
        FeedSet::Collections => {
            let rows = walk.next_naming(tx, &ITEM, user).await?;
            let is_theirs = |item: &Item| item.user.as_ref() == Some(user);
            Ok(each(rows, |((name, id), item)| is_theirs(&item).then_some(FeedRow::Item(name, id, item))))
        }
        FeedSet::Profile => match walk.is_first() {
            true => Ok(PROFILE.get(tx, tenant, &user.to_string()).await?.map(|row| vec![FeedRow::Profile(row)])),
            false => Ok(None),
        },
        FeedSet::MarkState => marks(tx, user, walk).await,
        FeedSet::Polls => of_user(tx, user, UserSet::Polls, walk).await,
        FeedSet::PollVotes => of_user(tx, user, UserSet::Votes, walk).await,
        FeedSet::PushPreferences => of_user(tx, user, UserSet::PushPreferences, walk).await,
        // Feeds v1.0 have none.
        FeedSet::Comments
        | FeedSet::Bookmarks
        | FeedSet::BookmarkFolders
        | FeedSet::Memberships
        | FeedSet::Pins
        | FeedSet::ActivityFeedback
        | FeedSet::Interests => Ok(None),
    }
}

async fn of_user(tx: &mut Tx, user: &UserId, set: UserSet, walk: &mut Walk) -> Result<Option<Vec<FeedRow>>> {
    Ok(each(super::user_page(tx, user, set, walk).await?, |row| Some(FeedRow::User(row))))
}

fn each<R>(rows: Option<Vec<R>>, told: impl FnMut(R) -> Option<FeedRow>) -> Option<Vec<FeedRow>> {
    Some(rows?.into_iter().filter_map(told).collect())
}

async fn activities(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<FeedRow>>> {
    let tenant = tx.tenant();
    let Some(rows) = walk.next_naming(tx, &ACTIVITY, user).await? else { return Ok(None) };
    let placed = walk.beside.get_or_insert_with(|| Along::new(PLACED.range(tenant)));
    let mut found = Vec::new();
    for (Id(id), activity) in rows {
        if !is_actor(&activity.actor, user) {
            continue;
        }
        let (range, mut feeds) = (PLACED.prefix(tenant, &Id(id)), Vec::new());
        while let Some((key, _)) = placed.next(tx, &range).await? {
            let (_, Feed(feed)) = PLACED.decode_key(&key).map_err(store::Error::from)?;
            feeds.push(feed);
        }
        found.push(FeedRow::Activity(id, Box::new(activity), feeds));
    }
    Ok(Some(found))
}

async fn marks(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<FeedRow>>> {
    if !walk.is_first() {
        return Ok(None);
    }
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for feed in own_feeds(tx, user) {
        let range = NOTED.prefix(tenant, &Feed(feed.clone()));
        let noted = rows::list(tx, &NOTED, range, usize::MAX).await?;
        found.extend(noted.into_iter().map(|((_, kind, group), _)| FeedRow::Mark(feed.clone(), group, kind != 0)));
    }
    Ok(Some(found))
}

/// The feeds of `user` to which something was ever posted.
///
/// # Errors
/// When the store fails.
pub async fn feeds(tx: &mut Tx, user: &UserId) -> Result<Vec<FeedId>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for feed in own_feeds(tx, user) {
        if HORIZON.exists(tx, tenant, &Feed(feed.clone())).await? {
            found.push(feed);
        }
    }
    Ok(found)
}
