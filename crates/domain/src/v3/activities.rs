//! Activities of feeds v3: adding, changing, deleting and bringing back what feeds show (feeds-v3 §3.3).
//!
//! An activity has the id that its caller chose, or a made one; inside, it goes by an [`ActivityId`], which orders it by
//! time and stands in all keys. It is one record, however many feeds show it.

mod change;
mod delete;
pub mod query;
mod record;
mod tallies;

use ids::{ActivityId, FeedId, Fid, Timestamp, UserId};

pub(super) use change::translate;
pub use change::{Patch, add_preview, patch, update};
pub use delete::{delete, erase, restore};
pub use record::{Activity, Audience, Content, Replies};
pub use tallies::{Tallies, Tally, tallies};

use super::{
    events::{self, Event},
    feeds::{self, Feed},
    notifications::Notice,
    owned, permit, pins, polls, shares, updates,
};
use crate::{
    Error, Result, Tx,
    feeds::activities::{self as engine, Moment, Posting},
    keyspace::{Feed as Stream, Id, PLACED, V3_ACTIVITY, V3_ACTIVITY_ID, V3_COUNT},
    users,
};

/// The longest id of an activity, in bytes.
pub const ID_BYTES_MAX: usize = 255;
/// The longest type, in bytes.
pub const KIND_BYTES_MAX: usize = 255;
/// The most feeds that an activity is added to (feeds-v3 §3.3).
pub const FEEDS_MAX: usize = 25;
/// The most users that it mentions.
pub const MENTIONS_MAX: usize = 100;
/// The most items of collections that it refers to (feeds-v3 §3.3).
pub const REFS_MAX: usize = 10;
/// The most attachments.
pub const ATTACHMENTS_MAX: usize = 30;
/// The most bytes of all that it says.
pub const BYTES_MAX: usize = 64 * 1024;

/// An activity as a caller asks for it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The id; an activity that has it is changed.
    pub id: String,
    /// Who posts.
    pub user: UserId,
    /// What kind it is.
    pub kind: String,
    /// Where it is added.
    pub feeds: Vec<Fid>,
    /// What it says.
    pub content: Content,
    /// The id of the activity that it shares.
    pub parent: Option<String>,
    /// Whether unknown users that it mentions are made.
    pub creates_users: bool,
}

/// What holds a user's token back: nothing holds the app's own server.
pub type By<'a> = Option<&'a UserId>;

/// The activity `id` as it is inside.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut Tx, id: &str) -> Result<Option<ActivityId>> {
    let tenant = tx.tenant();
    Ok(V3_ACTIVITY_ID.get(tx, tenant, &id.to_owned()).await?)
}

/// The activity `id`, also a deleted one.
///
/// # Errors
/// When the store fails.
pub async fn get_any(tx: &mut Tx, id: &str) -> Result<Option<(ActivityId, Activity)>> {
    let Some(inner) = find(tx, id).await? else { return Ok(None) };
    let tenant = tx.tenant();
    Ok(V3_ACTIVITY.get(tx, tenant, &Id(inner)).await?.map(|activity| (inner, activity)))
}

/// The activity `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted.
pub async fn load(tx: &mut Tx, id: &str) -> Result<(ActivityId, Activity)> {
    let found = get_any(tx, id).await?.filter(|(_, activity)| activity.deleted_at.is_none());
    found.ok_or_else(|| absent(id))
}

/// Activities by their inner ids, in that order.
///
/// # Errors
/// When the store fails.
pub async fn get_many(tx: &mut Tx, ids: &[ActivityId]) -> Result<Vec<Option<Activity>>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = ids.iter().copied().map(Id).collect();
    Ok(V3_ACTIVITY.get_many(tx, tenant, &keys).await?)
}

/// That there is no activity `id`.
pub fn absent(id: &str) -> Error {
    Error::Absent(format!("activity '{id}' not found"))
}

/// Writes the activity.
pub(super) fn put(tx: &mut Tx, id: ActivityId, activity: &Activity) {
    let tenant = tx.tenant();
    V3_ACTIVITY.put(tx, tenant, &Id(id), activity);
}

/// Adds `draft`, or changes the activity that has its id; feeds that are not there are made.
///
/// # Errors
/// [`Error::Taken`] when the id is another user's, or of a deleted activity; [`Error::NotAllowed`] when `by` may not post
/// to one of the feeds; [`Error::Absent`] for an unknown feed group or parent; [`Error::Unfit`], [`Error::TooBig`].
pub async fn add(tx: &mut Tx, by: By<'_>, draft: &Draft, moment: Moment) -> Result<(ActivityId, Activity)> {
    check(draft)?;
    if let Some(poll) = &draft.content.poll {
        polls::check_attachable(tx, by, poll, moment.now).await?;
    }
    users::ensure(tx, &draft.user, moment.now).await?;
    ensure_mentioned(tx, &draft.content.mentioned, draft.creates_users, moment.now).await?;
    match get_any(tx, &draft.id).await? {
        Some(stored) => overwrite(tx, by, draft, stored, moment).await,
        None => create(tx, by, draft, None, moment).await,
    }
}

fn check(draft: &Draft) -> Result<()> {
    if draft.id.is_empty() || draft.id.len() > ID_BYTES_MAX || draft.id.chars().any(char::is_control) {
        return Err(Error::Unfit(format!("id has 1 to {ID_BYTES_MAX} bytes and no control characters")));
    }
    if draft.kind.is_empty() || draft.kind.len() > KIND_BYTES_MAX {
        return Err(Error::Unfit(format!("type has 1 to {KIND_BYTES_MAX} bytes")));
    }
    check_feeds(&draft.feeds)?;
    draft.content.check()
}

fn check_feeds(feeds: &[Fid]) -> Result<()> {
    match feeds.len() {
        1..=FEEDS_MAX => Ok(()),
        _ => Err(Error::Unfit(format!("feeds must hold 1 to {FEEDS_MAX} feeds"))),
    }
}

/// Adds an activity that is not there; one with a `notice` notifies of something.
pub(super) async fn create(
    tx: &mut Tx,
    by: By<'_>,
    draft: &Draft,
    notice: Option<Notice>,
    moment: Moment,
) -> Result<(ActivityId, Activity)> {
    let id = ActivityId::from_seed(moment.seed, moment.now);
    let parent = match &draft.parent {
        None => None,
        Some(parent) => Some(load(tx, parent).await?.0),
    };
    let activity = Activity {
        id: draft.id.clone(),
        user: Some(draft.user.clone()),
        kind: draft.kind.clone(),
        feeds: draft.feeds.clone(),
        content: draft.content.clone(),
        parent,
        created_at: moment.now,
        updated_at: moment.now,
        edited_at: None,
        deleted_at: None,
        is_erased: false,
        notice: notice.map(Box::new),
    };
    let places = places(tx, by, &draft.feeds, &draft.user, moment).await?;
    let tenant = tx.tenant();
    V3_ACTIVITY.assert_absent(tx, tenant, &Id(id));
    put(tx, id, &activity);
    V3_ACTIVITY_ID.put(tx, tenant, &activity.id, &id);
    owned::put(tx, &draft.user, owned::Kind::Activity, &activity.id);
    name_mentioned(tx, &activity);
    polls::attach(tx, &activity);
    if let Some(parent) = parent {
        shares::put(tx, parent, id);
    }
    post(tx, id, &places, false).await?;
    for (fid, feed) in &places {
        tell(tx, "feeds.activity.added", (fid, Some(feed)), (id, &activity), Some(&draft.user), moment.now);
        updates::tell(tx, fid, Some(&draft.user), moment.now).await?;
    }
    Ok((id, activity))
}

async fn overwrite(
    tx: &mut Tx,
    by: By<'_>,
    draft: &Draft,
    (id, before): (ActivityId, Activity),
    moment: Moment,
) -> Result<(ActivityId, Activity)> {
    if !before.is_of(&draft.user) {
        return Err(Error::Taken(format!("activity '{}' belongs to another user", draft.id)));
    }
    if before.deleted_at.is_some() {
        return Err(Error::Taken(format!("activity '{}' was deleted; restore it, or delete it for good", draft.id)));
    }
    let mut activity = Activity {
        kind: draft.kind.clone(),
        content: draft.content.clone(),
        updated_at: moment.now,
        edited_at: Some(moment.now),
        ..before.clone()
    };
    activity.content.keep_translations(&before.content);
    move_to(tx, by, id, &mut activity, &draft.feeds, moment).await?;
    store_changed(tx, id, &before, &activity, by.or(Some(&draft.user)), moment.now);
    Ok((id, activity))
}

/// Writes a changed activity, and tells the feeds that hold it.
fn store_changed(tx: &mut Tx, id: ActivityId, before: &Activity, activity: &Activity, by: By<'_>, now: Timestamp) {
    unname_mentioned(tx, before);
    name_mentioned(tx, activity);
    if activity.content.poll != before.content.poll {
        polls::detach(tx, before);
        polls::attach(tx, activity);
    }
    put(tx, id, activity);
    for fid in &activity.feeds {
        tell(tx, "feeds.activity.updated", (fid, None), (id, activity), by, now);
    }
}

/// Adds the activity to those of `feeds` that do not hold it, and takes it out of the others.
async fn move_to(
    tx: &mut Tx,
    by: By<'_>,
    id: ActivityId,
    activity: &mut Activity,
    feeds: &[Fid],
    moment: Moment,
) -> Result<()> {
    let user = activity.user.clone();
    let new: Vec<Fid> = feeds.iter().filter(|fid| !activity.feeds.contains(fid)).cloned().collect();
    let gone: Vec<Fid> = activity.feeds.iter().filter(|fid| !feeds.contains(fid)).cloned().collect();
    if let (Some(user), false) = (&user, new.is_empty()) {
        let places = places(tx, by, &new, user, moment).await?;
        post(tx, id, &places, true).await?;
    }
    let streams = streams_of(tx, &gone).await?;
    unpost(tx, id, &streams).await?;
    activity.feeds = feeds.to_vec();
    for fid in &gone {
        tell(tx, "feeds.activity.removed_from_feed", (fid, None), (id, activity), by, moment.now);
    }
    Ok(())
}

/// The feeds `fids`, made for `owner` where they are not there, if `by` may post to each.
async fn places(tx: &mut Tx, by: By<'_>, fids: &[Fid], owner: &UserId, moment: Moment) -> Result<Vec<(Fid, Feed)>> {
    let mut places: Vec<(Fid, Feed)> = Vec::with_capacity(fids.len());
    for (at, fid) in fids.iter().enumerate() {
        if places.iter().any(|(known, _)| known == fid) {
            continue;
        }
        let number = moment.nth(at).seed;
        let (feed, is_new) = feeds::ensure(tx, fid, Some(owner), &feeds::Input::default(), number, moment.now).await?;
        match by {
            Some(_) if is_new => permit::may_create(tx, fid, feed.visibility, by).await?,
            Some(user) => permit::may_post(tx, fid, &feed, user).await?,
            None => {}
        }
        places.push((fid.clone(), feed));
    }
    Ok(places)
}

/// Puts a row into each feed that has none.
async fn post(tx: &mut Tx, id: ActivityId, places: &[(Fid, Feed)], may_be_there: bool) -> Result<()> {
    let streams: Vec<FeedId> = places.iter().map(|(_, feed)| feed.stream.clone()).collect();
    let posted = engine::post(tx, id, &streams, Posting::Open, may_be_there).await?;
    let tenant = tx.tenant();
    for stream in &posted {
        V3_COUNT.add(tx, tenant, &(Stream(stream.clone()), feeds::Count::Activities.code()), 1);
    }
    crate::log::posted(tx, id, &posted);
    Ok(())
}

/// Takes the activity out of those of `streams` that hold it.
pub(super) async fn unpost(tx: &mut Tx, id: ActivityId, streams: &[FeedId]) -> Result<()> {
    let left = engine::unpost(tx, id, streams).await?;
    let tenant = tx.tenant();
    for stream in &left {
        V3_COUNT.add(tx, tenant, &(Stream(stream.clone()), feeds::Count::Activities.code()), -1);
        pins::forget(tx, stream, id).await?;
    }
    crate::log::removed(tx, id, None, &left);
    Ok(())
}

/// The streams that hold the activity.
pub(super) async fn holders(tx: &mut Tx, id: ActivityId) -> Result<Vec<FeedId>> {
    let tenant = tx.tenant();
    let rows = crate::rows::list(tx, &PLACED, PLACED.prefix(tenant, &Id(id)), FEEDS_MAX).await?;
    Ok(rows.into_iter().map(|((_, Stream(stream)), ())| stream).collect())
}

async fn streams_of(tx: &mut Tx, fids: &[Fid]) -> Result<Vec<FeedId>> {
    Ok(feeds::get_many(tx, fids).await?.into_iter().flatten().map(|feed| feed.stream).collect())
}

async fn ensure_mentioned(tx: &mut Tx, mentioned: &[UserId], creates: bool, now: Timestamp) -> Result<()> {
    for user in mentioned {
        match creates {
            true => users::ensure(tx, user, now).await.map(|_| ())?,
            false => users::load(tx, user).await.map(|_| ()).map_err(|error| match error {
                Error::Absent(_) => Error::Unfit(format!("mentioned_user_ids: user '{user}' does not exist")),
                error => error,
            })?,
        }
    }
    Ok(())
}

fn name_mentioned(tx: &mut Tx, activity: &Activity) {
    for user in &activity.content.mentioned {
        owned::name(tx, user, owned::Kind::Activity, &activity.id);
    }
}

fn unname_mentioned(tx: &mut Tx, activity: &Activity) {
    for user in &activity.content.mentioned {
        owned::unname(tx, user, owned::Kind::Activity, &activity.id);
    }
}

fn tell(
    tx: &mut Tx,
    kind: &str,
    (fid, feed): (&Fid, Option<&Feed>),
    activity: (ActivityId, &Activity),
    by: By<'_>,
    at: Timestamp,
) {
    let mut event = Event::of_activity(kind, fid, activity, at).by(by);
    event.subject.visibility = feed.map(|feed| feed.visibility);
    events::record(tx, event);
}

#[cfg(test)]
mod tests;
