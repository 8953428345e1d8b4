//! What the sets of the export of feeds hold of feeds v3, in the order of time where there are activities and comments, else
//! in that of their keys (v2 §4.2).
//!
//! The indexes of who owns what are walked, and never the whole store. What was deleted softly is still the subject's.

use std::collections::VecDeque;

use ids::{ActivityId, FeedId, Fid, UserId};
use store::{Direction, Limit, key::after};

use super::feeds::FeedRow;
use crate::{
    Result, Tx,
    exports::sets::FeedSet,
    keyspace::{
        Feed as Stream, V3_COLLECTED, V3_COLLECTION, V3_FEED, V3_FOLLOW, V3_FOLLOWER, V3_MARK, V3_MEMBER, V3_REACTED,
    },
    v3::{
        activities, bookmarks,
        collections::Ref,
        comments, feedback, feeds, folders, interests,
        marks::{self, ALL},
        objects::Object,
        owned::{self, Kind},
        pins, reactions,
    },
};

/// Rows of one page.
const PAGE: usize = 100;
/// The most folders of one user that are told.
const FOLDERS_MAX: usize = 100_000;

/// Where a walk over a set of feeds v3 stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    is_begun: bool,
    is_done: bool,
    /// The last row that was told, as its index names it.
    last: Option<Vec<u8>>,
    /// Activities that are still to be told, the oldest first.
    activities: VecDeque<ActivityId>,
    /// Feeds whose follows are still to be told, and whether those of it and not those by it.
    feeds: VecDeque<(FeedId, bool)>,
}

/// The next rows of `set` that `user` has; `None` after the last.
///
/// # Errors
/// When the store fails.
pub(super) async fn page(tx: &mut Tx, user: &UserId, set: FeedSet, place: &mut Place) -> Result<Option<Vec<FeedRow>>> {
    if place.is_done {
        return Ok(None);
    }
    let rows = match set {
        FeedSet::Feeds => own_feeds(tx, user, place).await?,
        FeedSet::Follows => own_follows(tx, user, place).await?,
        FeedSet::Activities => own_activities(tx, user, place).await?,
        FeedSet::Comments => {
            let (comments, last) = comments::of_user(tx, user, place.last.take(), PAGE).await?;
            place.turn(last);
            comments.into_iter().map(|(id, comment)| FeedRow::Comment(id, Box::new(comment))).collect()
        }
        FeedSet::Reactions => own_reactions(tx, user, place).await?,
        FeedSet::Bookmarks => {
            let (saved, last) = bookmarks::of_user(tx, user, place.last.take(), PAGE).await?;
            place.turn(last);
            saved.into_iter().map(|saved| FeedRow::Bookmark(Box::new(saved))).collect()
        }
        FeedSet::BookmarkFolders => {
            place.is_done = true;
            let folders = folders::of_user(tx, user.as_str(), FOLDERS_MAX).await?;
            folders.into_iter().map(FeedRow::Folder).collect()
        }
        FeedSet::Collections => own_collections(tx, user, place).await?,
        FeedSet::Memberships => own_memberships(tx, user, place).await?,
        FeedSet::MarkState => own_marks(tx, user, place).await?,
        FeedSet::Pins => own_pins(tx, user, place).await?,
        FeedSet::ActivityFeedback => own_feedback(tx, user, place).await?,
        FeedSet::Interests => {
            place.is_done = true;
            let tags = interests::counts(tx, user).await?;
            tags.into_iter().map(|(tag, count)| FeedRow::Interest(tag, count)).collect()
        }
        // Feeds v3 have none of their own.
        FeedSet::Profile | FeedSet::Polls | FeedSet::PollVotes | FeedSet::PushPreferences => return Ok(None),
    };
    Ok(Some(rows))
}

impl Place {
    /// Goes on after `last`; with none, this was the end.
    fn turn(&mut self, last: Option<Vec<u8>>) {
        self.is_done = last.is_none();
        self.last = last;
    }

    /// Goes on after the last of `ids`, if there may be more.
    fn turn_ids(&mut self, ids: &[String]) {
        let last = ids.last().filter(|_| ids.len() == PAGE).map(|id| id.clone().into_bytes());
        self.turn(last);
    }

    fn id(&self) -> String {
        String::from_utf8_lossy(self.last.as_deref().unwrap_or_default()).into_owned()
    }
}

async fn own_feeds(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let tenant = tx.tenant();
    let ids = owned::list(tx, user, Kind::Feed, &place.id(), PAGE).await?;
    place.turn_ids(&ids);
    let fids: Vec<Fid> = ids.iter().filter_map(|id| Fid::parse(id).ok()).collect();
    let keys: Vec<_> = fids.iter().map(|fid| (fid.group().to_owned(), fid.id().to_owned())).collect();
    let found = V3_FEED.get_many(tx, tenant, &keys).await?;
    let rows = fids.into_iter().zip(found).filter_map(|(fid, feed)| Some(FeedRow::OwnFeed(fid, Box::new(feed?))));
    Ok(rows.collect())
}

async fn own_activities(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    if !std::mem::replace(&mut place.is_begun, true) {
        let mut from = String::new();
        let mut found = Vec::new();
        loop {
            let ids = owned::list(tx, user, Kind::Activity, &from, PAGE).await?;
            for id in &ids {
                found.extend(activities::find(tx, id).await?);
            }
            match ids.last() {
                Some(last) if ids.len() == PAGE => from.clone_from(last),
                _ => break,
            }
        }
        found.sort_unstable();
        place.activities = found.into();
    }
    let ids: Vec<ActivityId> = place.activities.drain(..PAGE.min(place.activities.len())).collect();
    place.is_done = place.activities.is_empty();
    let found = activities::get_many(tx, &ids).await?;
    Ok(found.into_iter().flatten().map(|activity| FeedRow::OwnActivity(Box::new(activity))).collect())
}

async fn own_follows(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let tenant = tx.tenant();
    if !std::mem::replace(&mut place.is_begun, true) {
        let mut inner = Place::default();
        while !inner.is_done {
            for row in own_feeds(tx, user, &mut inner).await? {
                if let FeedRow::OwnFeed(_, feed) = row {
                    place.feeds.extend([(feed.stream.clone(), false), (feed.stream, true)]);
                }
            }
        }
    }
    let Some((stream, is_of_it)) = place.feeds.front().cloned() else {
        place.is_done = true;
        return Ok(Vec::new());
    };
    let begin = |range: std::ops::Range<Vec<u8>>, last: Option<Vec<u8>>| match last {
        Some(last) => after(last)..range.end,
        None => range,
    };
    let mut pairs = Vec::new();
    let more = if is_of_it {
        let range = begin(V3_FOLLOWER.prefix(tenant, &Stream(stream.clone())), place.last.take());
        let page = V3_FOLLOWER.scan(tx, tenant, range, Direction::Forward, Limit::rows(PAGE)).await?;
        place.last = page.rows.last().map(|(key, ())| V3_FOLLOWER.key(tenant, key));
        pairs.extend(page.rows.into_iter().map(|((target, source), ())| (source, target)));
        page.more
    } else {
        let range = begin(V3_FOLLOW.prefix(tenant, &Stream(stream.clone())), place.last.take());
        let page = V3_FOLLOW.scan(tx, tenant, range, Direction::Forward, Limit::rows(PAGE)).await?;
        place.last = page.rows.last().map(|(key, _)| V3_FOLLOW.key(tenant, key));
        pairs.extend(page.rows.into_iter().map(|(key, _)| key));
        page.more
    };
    if !more {
        place.feeds.pop_front();
        place.last = None;
    }
    let follows = V3_FOLLOW.get_many(tx, tenant, &pairs).await?;
    let mut rows = Vec::with_capacity(pairs.len());
    for ((source, target), follow) in pairs.into_iter().zip(follows) {
        let names = feeds::of_streams(tx, &[source.0, target.0]).await?;
        let [Some(source), Some(target)] = <[Option<Fid>; 2]>::try_from(names).unwrap_or_default() else { continue };
        // A follow between two feeds of the user is told where it begins.
        let is_told = is_of_it && is_own(tx, user, &source).await?;
        if let (Some(follow), false) = (follow, is_told) {
            rows.push(FeedRow::OwnFollow(source, target, Box::new(follow)));
        }
    }
    Ok(rows)
}

async fn is_own(tx: &mut Tx, user: &UserId, fid: &Fid) -> Result<bool> {
    let (tenant, key) = (tx.tenant(), (fid.group().to_owned(), fid.id().to_owned()));
    Ok(V3_FEED.get(tx, tenant, &key).await?.is_some_and(|feed| feed.is_of(user)))
}

async fn own_reactions(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let mut range = V3_REACTED.prefix(tx.tenant(), &user.to_string());
    if let Some(last) = place.last.take() {
        range.start = after(last);
    }
    let (given, last, more) = reactions::of_user(tx, range, PAGE).await?;
    place.turn(last.filter(|_| more));
    let mut rows = Vec::with_capacity(given.len());
    for given in given {
        let activity = match &given.object {
            Object::Activity(id) => Some(id.clone()),
            Object::Comment(id) => comments::get(tx, id).await?.map(|comment| comment.activity),
        };
        rows.push(FeedRow::Given(Box::new(given), activity));
    }
    Ok(rows)
}

async fn own_collections(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let tenant = tx.tenant();
    let mut range = V3_COLLECTED.prefix(tenant, &user.to_string());
    if let Some(last) = place.last.take() {
        range.start = after(last);
    }
    let page = V3_COLLECTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(PAGE)).await?;
    place.turn(page.rows.last().filter(|_| page.more).map(|(key, ())| V3_COLLECTED.key(tenant, key)));
    let keys: Vec<_> = page.rows.into_iter().map(|((_, name, id), ())| (name, id)).collect();
    let found = V3_COLLECTION.get_many(tx, tenant, &keys).await?;
    let rows = keys.into_iter().zip(found);
    Ok(rows.filter_map(|((name, id), entry)| Some(FeedRow::Entry(Ref { name, id }, Box::new(entry?)))).collect())
}

async fn own_memberships(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let tenant = tx.tenant();
    let ids = owned::list(tx, user, Kind::Member, &place.id(), PAGE).await?;
    place.turn_ids(&ids);
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let (group, id) = id.split_once(':').unwrap_or_default();
        let Ok(stream) = FeedId::restore(group, id) else { continue };
        let member = V3_MEMBER.get(tx, tenant, &(Stream(stream.clone()), user.to_string())).await?;
        if let (Some(member), Some(fid)) = (member, feeds::of_stream(tx, &stream).await?) {
            rows.push(FeedRow::Membership(fid, Box::new(member)));
        }
    }
    Ok(rows)
}

async fn own_marks(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let tenant = tx.tenant();
    let mut range = V3_MARK.prefix(tenant, &user.to_string());
    if let Some(last) = place.last.take() {
        range.start = after(last);
    }
    let page = V3_MARK.scan(tx, tenant, range, Direction::Forward, Limit::rows(PAGE)).await?;
    place.turn(page.rows.last().filter(|_| page.more).map(|(key, _)| V3_MARK.key(tenant, key)));
    let mut rows = Vec::with_capacity(page.rows.len());
    for ((_, Stream(stream), code, of), at) in page.rows {
        if let (Some(kind), Some(fid)) = (marks::Kind::of(code), feeds::of_stream(tx, &stream).await?) {
            rows.push(FeedRow::Noted(fid, kind, of == ALL, at));
        }
    }
    Ok(rows)
}

/// The next rows of the index of what is the user's alone: pins and feedback.
async fn notes(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<String>> {
    let ids = owned::list(tx, user, Kind::Note, &place.id(), PAGE).await?;
    place.turn_ids(&ids);
    Ok(ids)
}

async fn own_pins(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let mut rows = Vec::new();
    for note in notes(tx, user, place).await? {
        let Some((stream, inner, pin)) = pins::noted(tx, &note).await? else { continue };
        let activity = activities::get_many(tx, &[inner]).await?.pop().flatten();
        if let (Some(fid), Some(activity)) = (feeds::of_stream(tx, &stream).await?, activity) {
            rows.push(FeedRow::Pin(fid, activity.id, pin));
        }
    }
    Ok(rows)
}

async fn own_feedback(tx: &mut Tx, user: &UserId, place: &mut Place) -> Result<Vec<FeedRow>> {
    let mut rows = Vec::new();
    for id in notes(tx, user, place).await? {
        let Some(inner) = activities::find(tx, &id).await? else { continue };
        let said = feedback::of_user(tx, user, &[inner]).await?.pop().flatten();
        rows.extend(said.map(|said| FeedRow::Feedback(id, said)));
    }
    Ok(rows)
}
