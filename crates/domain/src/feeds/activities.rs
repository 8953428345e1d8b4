//! Activities: adding, changing and removing what feeds show (feeds-v1 §4.2–§4.6, §5.2, §5.3, §5.9).
//!
//! An activity is one record per app, however many feeds show it; a row in a feed holds its id and when it came.

use ids::{ActivityId, FeedId, Timestamp, json::Object};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Stamp, Stamped};

use super::targets;
use crate::{
    Error, Result, Tx,
    keyspace::{ACTIVITY, ACTIVITY_FOREIGN, At, Feed, HORIZON, Id, LATE, Newest, PLACED, POSTED},
    log::{self, Event},
};

mod change;

pub use change::Change;

/// The most foreign ids that may share one hash at one microsecond.
const COLLISIONS_MAX: u8 = 16;
/// How far behind a feed's horizon an activity counts as late, in microseconds; see [`is_late`].
const LATE_AFTER_MICROS: i64 = 2 * HORIZON_STEP_MICROS;
/// How far the horizon is moved past the newest activity, in microseconds: it is written once in that time.
const HORIZON_STEP_MICROS: i64 = 60_000_000;

/// What was posted.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Activity {
    /// Who did it.
    #[n(0)]
    pub actor: String,
    /// What was done.
    #[n(1)]
    pub verb: String,
    /// To what.
    #[n(2)]
    pub object: String,
    /// With regard to what; empty when there is nothing.
    #[n(3)]
    pub target: String,
    /// The application's own id; empty when there is none.
    #[n(4)]
    pub foreign_id: String,
    /// Other feeds that it was posted to at once.
    #[n(5)]
    pub to: Vec<FeedId>,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(6)]
    pub custom: String,
}

/// How an activity was posted to a feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Posting {
    /// In the usual way: whoever follows the feed sees it.
    #[n(0)]
    Open,
    /// As one of many feeds at once: only who follows later, with a copy of what was there, sees it (feeds-v1 §4.6).
    #[n(1)]
    Quiet,
    /// As one of an activity's targets: whoever follows the feed sees it, but whoever also follows the feed that it was
    /// added to has it from there.
    #[n(2)]
    Addressed,
}

/// An activity as a caller asks for it.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// See [`Activity::actor`].
    pub actor: String,
    /// See [`Activity::verb`].
    pub verb: String,
    /// See [`Activity::object`].
    pub object: String,
    /// See [`Activity::target`].
    pub target: String,
    /// See [`Activity::foreign_id`].
    pub foreign_id: String,
    /// When it happened; now, if absent.
    pub time: Option<Timestamp>,
    /// See [`Activity::to`]; without duplicates.
    pub to: Vec<FeedId>,
    /// See [`Activity::custom`].
    pub custom: Object,
}

/// Names one activity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reference {
    /// By its id.
    Id(ActivityId),
    /// By the application's id and the time.
    Foreign(String, Timestamp),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reference::Id(id) => write!(f, "{id}"),
            Reference::Foreign(foreign_id, time) => write!(f, "`{foreign_id}` of {}", time.activity()),
        }
    }
}

/// Where and when a batch of drafts is added.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time of drafts that bring none; the next draft's is a microsecond later, so that a list keeps its order.
    pub now: Timestamp,
    /// Random; tells apart activities that have neither a foreign id nor a time of their own.
    pub seed: u64,
}

impl Moment {
    /// The moment of the `index`th draft of a list.
    #[must_use]
    pub fn nth(self, index: usize) -> Self {
        let index = index as u64;
        Moment { now: self.now.plus_micros(index.cast_signed()), seed: self.seed.wrapping_add(index) }
    }
}

/// Adds `draft` to `feed` and to its targets.
///
/// A draft with the foreign id and time of a stored activity overwrites what that says and adds no second row anywhere,
/// so a retried request adds nothing.
///
/// # Errors
/// [`Error::Unfit`] when there would be too many targets. The groups are the caller's to check:
/// [`crate::App::check_groups`].
pub async fn add(tx: &mut Tx, feed: &FeedId, draft: &Draft, moment: Moment) -> Result<(ActivityId, Activity)> {
    let (id, stored) = identify(tx, draft, moment).await?;
    let mut activity = Activity::from(draft);
    let targets: Vec<FeedId> = draft.to.iter().filter(|target| *target != feed).cloned().collect();
    if let Some(stored) = &stored {
        activity.to = joined(&stored.to, &draft.to);
        targets::check_count(&activity.to)?;
    }
    put(tx, id, &activity, stored.is_some());
    let mut posted = post(tx, id, std::slice::from_ref(feed), Posting::Open, stored.is_some()).await?;
    posted.extend(post(tx, id, &targets, Posting::Addressed, stored.is_some()).await?);
    log::posted(tx, id, &posted);
    Ok((id, activity))
}

/// Adds `draft` to many feeds, of which no follower hears.
///
/// A request with more feeds than one transaction takes is several calls, with the same `draft` and `moment`.
///
/// # Errors
/// When the store fails.
pub async fn add_to_many(tx: &mut Tx, feeds: &[FeedId], draft: &Draft, moment: Moment) -> Result<ActivityId> {
    let id = create(tx, draft, moment).await?;
    let posted = post(tx, id, feeds, Posting::Quiet, true).await?;
    log::posted(tx, id, &posted);
    Ok(id)
}

/// Adds `draft` to each of `feeds`, in the usual way; what `draft` says replaces what it said before.
///
/// # Errors
/// When the store fails.
pub(super) async fn add_to(tx: &mut Tx, feeds: &[FeedId], draft: &Draft, moment: Moment) -> Result<()> {
    let id = create(tx, draft, moment).await?;
    let posted = post(tx, id, feeds, Posting::Open, true).await?;
    log::posted(tx, id, &posted);
    Ok(())
}

/// Stores `draft` without posting it to any feed, or overwrites what the activity with its foreign id and time says.
///
/// # Errors
/// When the store fails.
pub async fn create(tx: &mut Tx, draft: &Draft, moment: Moment) -> Result<ActivityId> {
    let (id, stored) = identify(tx, draft, moment).await?;
    let mut activity = Activity::from(draft);
    activity.to = stored.as_ref().map(|stored| stored.to.clone()).unwrap_or_default();
    put(tx, id, &activity, stored.is_some());
    Ok(id)
}

/// Finds the id that `draft` has or gets, and the activity if it is stored already.
async fn identify(tx: &mut Tx, draft: &Draft, moment: Moment) -> Result<(ActivityId, Option<Activity>)> {
    let time = draft.time.unwrap_or(moment.now);
    if !draft.foreign_id.is_empty() {
        return identify_foreign(tx, &draft.foreign_id, time).await;
    }
    if draft.time.is_none() {
        return Ok((ActivityId::from_seed(moment.seed, time), None));
    }
    let content = [&draft.actor, &draft.verb, &draft.object, &draft.target, &draft.custom.to_string()];
    let id = ActivityId::from_content(content.map(String::as_str).join("\0").as_bytes(), time);
    let tenant = tx.tenant();
    Ok((id, ACTIVITY.get(tx, tenant, &Id(id)).await?))
}

async fn identify_foreign(tx: &mut Tx, foreign_id: &str, time: Timestamp) -> Result<(ActivityId, Option<Activity>)> {
    let tenant = tx.tenant();
    for collision in 0..COLLISIONS_MAX {
        let id = ActivityId::from_foreign_id(foreign_id, time, collision);
        match ACTIVITY.get(tx, tenant, &Id(id)).await? {
            Some(stored) if stored.foreign_id != foreign_id => {}
            stored => return Ok((id, stored)),
        }
    }
    Err(Error::Unfit(format!("foreign_id `{foreign_id}`: too many activities share this moment; use another time")))
}

fn put(tx: &mut Tx, id: ActivityId, activity: &Activity, was_stored: bool) {
    let tenant = tx.tenant();
    ACTIVITY.put(tx, tenant, &Id(id), activity);
    if was_stored {
        log::record(tx, &Event::Changed { activity: id });
    } else if !activity.foreign_id.is_empty() {
        ACTIVITY_FOREIGN.put(tx, tenant, &(activity.foreign_id.clone(), At(id.time())), &id);
    }
}

/// Puts a row for the activity into each of `feeds` that has none; answers which those were.
pub(crate) async fn post(
    tx: &mut Tx,
    id: ActivityId,
    feeds: &[FeedId],
    posting: Posting,
    may_be_there: bool,
) -> Result<Vec<FeedId>> {
    let tenant = tx.tenant();
    let mut posted = Vec::with_capacity(feeds.len());
    for feed in feeds {
        let row = (Feed(feed.clone()), Newest(id));
        if may_be_there && holds(tx, feed, id).await? {
            continue;
        }
        if is_late(tx, feed, id.time()).await? && posting != Posting::Quiet {
            let prefix = LATE.prefix(tenant, &row.0).start;
            tx.append(prefix, store::Record::encode(&id));
        }
        POSTED.put(tx, tenant, &row, &posting);
        PLACED.put(tx, tenant, &(Id(id), row.0), &());
        posted.push(feed.clone());
    }
    Ok(posted)
}

/// Whether an activity of `time` comes well behind what `feed` already holds; moves the horizon when it comes first.
///
/// A follow remembers the horizon. Whatever is posted after the follow is then either in `LATE` or at most
/// [`LATE_AFTER_MICROS`] behind that horizon, so a timeline finds it without walking through all that is older than the
/// follow. This holds because posting reads the horizon in its own transaction: when another commit moves it, posting runs
/// again. The horizon stays ahead by a step so that this is rare.
async fn is_late(tx: &mut Tx, feed: &FeedId, time: Timestamp) -> Result<bool> {
    let (tenant, feed) = (tx.tenant(), Feed(feed.clone()));
    let horizon = HORIZON.get(tx, tenant, &feed).await?;
    if horizon.is_none_or(|horizon| time >= horizon) {
        HORIZON.put(tx, tenant, &feed, &time.plus_micros(HORIZON_STEP_MICROS));
    }
    Ok(horizon.is_some_and(|horizon| time < late_before(horizon)))
}

/// Activities of a feed older than this that come after its horizon was `horizon` are in `LATE`.
pub(super) fn late_before(horizon: Timestamp) -> Timestamp {
    horizon.plus_micros(-LATE_AFTER_MICROS)
}

/// Takes the rows of the activity out of those of `feeds` that have one; answers which those were.
pub(crate) async fn unpost(tx: &mut Tx, id: ActivityId, feeds: &[FeedId]) -> Result<Vec<FeedId>> {
    let tenant = tx.tenant();
    let mut left = Vec::with_capacity(feeds.len());
    for feed in feeds {
        let row = (Feed(feed.clone()), Newest(id));
        let Some(Stamped { stamp, .. }) = POSTED.get(tx, tenant, &row).await? else { continue };
        forget_late(tx, feed, id, stamp).await?;
        POSTED.delete(tx, tenant, &row);
        PLACED.delete(tx, tenant, &(Id(id), row.0));
        left.push(feed.clone());
    }
    Ok(left)
}

async fn forget_late(tx: &mut Tx, feed: &FeedId, id: ActivityId, posted: Stamp) -> Result<()> {
    let tenant = tx.tenant();
    let range = LATE.prefix(tenant, &(Feed(feed.clone()), posted));
    let rows = LATE.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?.rows;
    for (key, _) in rows.iter().filter(|(_, late)| *late == id) {
        LATE.delete(tx, tenant, key);
    }
    Ok(())
}

/// Takes the activity out of `feed` and of its targets; nothing happens when `feed` does not hold it. Answers whether it did.
///
/// The activity itself goes when no feed holds it any more.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, feed: &FeedId, id: ActivityId) -> Result<bool> {
    let tenant = tx.tenant();
    if !holds(tx, feed, id).await? {
        return Ok(false);
    }
    let Some(mut activity) = ACTIVITY.get(tx, tenant, &Id(id)).await? else { return Ok(false) };
    let mut feeds = vec![feed.clone()];
    feeds.extend(activity.to.iter().filter(|target| *target != feed).cloned());
    let left = unpost(tx, id, &feeds).await?;
    if is_anywhere(tx, id).await? {
        activity.to.clear();
        put(tx, id, &activity, true);
    } else {
        delete(tx, id, &activity);
    }
    log::removed(tx, id, Some(&activity), &left);
    Ok(true)
}

/// Removes the activity from the feeds that hold it, at most `max` of them, and itself after the last; whether nothing is
/// left of it. Whoever is told hears its id alone: all else may be just what is to be forgotten.
///
/// # Errors
/// When the store fails.
pub(crate) async fn erase(tx: &mut Tx, id: ActivityId, max: usize) -> Result<bool> {
    let tenant = tx.tenant();
    let page = PLACED.scan(tx, tenant, PLACED.prefix(tenant, &Id(id)), Direction::Forward, Limit::rows(max)).await?;
    let feeds: Vec<_> = page.rows.into_iter().map(|((_, Feed(feed)), ())| feed).collect();
    let left = unpost(tx, id, &feeds).await?;
    log::removed(tx, id, None, &left);
    if page.more {
        return Ok(false);
    }
    if let Some(activity) = ACTIVITY.get(tx, tenant, &Id(id)).await? {
        delete(tx, id, &activity);
    }
    Ok(true)
}

/// Removes the activity, of which the caller read, and watches, that it says this and is held by these `feeds` and no others,
/// and came late to none. The caller tells of it by [`Event::Erased`].
pub(crate) fn take(tx: &mut Tx, id: ActivityId, activity: &Activity, feeds: &[FeedId]) {
    let tenant = tx.tenant();
    for feed in feeds {
        POSTED.delete(tx, tenant, &(Feed(feed.clone()), Newest(id)));
        PLACED.delete(tx, tenant, &(Id(id), Feed(feed.clone())));
    }
    forget(tx, id, activity);
}

/// Takes the activity out of `feed` alone; it goes when no other feed holds it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn leave(tx: &mut Tx, feed: &FeedId, id: ActivityId) -> Result<()> {
    let tenant = tx.tenant();
    let left = unpost(tx, id, std::slice::from_ref(feed)).await?;
    let activity = ACTIVITY.get(tx, tenant, &Id(id)).await?;
    log::removed(tx, id, activity.as_ref(), &left);
    if let Some(activity) = &activity
        && !is_anywhere(tx, id).await?
    {
        delete(tx, id, activity);
    }
    Ok(())
}

/// Takes those feeds off the targets that the activity names.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_targets(tx: &mut Tx, id: ActivityId, is_out: impl Fn(&FeedId) -> bool) -> Result<()> {
    let tenant = tx.tenant();
    if let Some(mut activity) = ACTIVITY.get(tx, tenant, &Id(id)).await? {
        activity.to.retain(|feed| !is_out(feed));
        put(tx, id, &activity, true);
    }
    Ok(())
}

fn delete(tx: &mut Tx, id: ActivityId, activity: &Activity) {
    forget(tx, id, activity);
    log::record(tx, &Event::Changed { activity: id });
}

fn forget(tx: &mut Tx, id: ActivityId, activity: &Activity) {
    let tenant = tx.tenant();
    ACTIVITY.delete(tx, tenant, &Id(id));
    if !activity.foreign_id.is_empty() {
        ACTIVITY_FOREIGN.delete(tx, tenant, &(activity.foreign_id.clone(), At(id.time())));
    }
}

/// Whether `feed` holds the activity in its own right, and not through a follow.
pub(crate) async fn holds(tx: &mut Tx, feed: &FeedId, id: ActivityId) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(PLACED.exists(tx, tenant, &(Id(id), Feed(feed.clone()))).await?)
}

async fn is_anywhere(tx: &mut Tx, id: ActivityId) -> Result<bool> {
    let tenant = tx.tenant();
    let range = PLACED.prefix(tenant, &Id(id));
    let one = Limit { rows: 1, ..Limit::PAGE };
    Ok(!PLACED.scan(tx, tenant, range, Direction::Forward, one).await?.rows.is_empty())
}

/// The activities in `feed` with this foreign id, of any time.
///
/// # Errors
/// When the store fails.
pub async fn with_foreign_id(tx: &mut Tx, feed: &FeedId, foreign_id: &str) -> Result<Vec<ActivityId>> {
    let tenant = tx.tenant();
    let mut range = ACTIVITY_FOREIGN.prefix(tenant, &foreign_id.to_owned());
    let mut found = Vec::new();
    loop {
        let page = ACTIVITY_FOREIGN.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        for (key, id) in &page.rows {
            if holds(tx, feed, *id).await? {
                found.push(*id);
            }
            range.start = store::key::after(ACTIVITY_FOREIGN.key(tenant, key));
        }
        if !page.more {
            return Ok(found);
        }
    }
}

/// The activity that `reference` names, if it is there.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, reference: &Reference) -> Result<Option<(ActivityId, Activity)>> {
    let tenant = tx.tenant();
    let id = match reference {
        Reference::Id(id) => *id,
        Reference::Foreign(foreign_id, time) => {
            let key = (foreign_id.clone(), At(*time));
            let Some(id) = ACTIVITY_FOREIGN.get(tx, tenant, &key).await? else { return Ok(None) };
            id
        }
    };
    Ok(ACTIVITY.get(tx, tenant, &Id(id)).await?.map(|activity| (id, activity)))
}

/// The activity that `reference` names.
///
/// # Errors
/// [`Error::NoActivity`] when it is not there.
pub async fn load(tx: &mut Tx, reference: &Reference) -> Result<(ActivityId, Activity)> {
    get(tx, reference).await?.ok_or_else(|| Error::NoActivity(reference.to_string()))
}

/// Changes some of an activity's own fields.
///
/// # Errors
/// [`Error::NoActivity`]; [`Error::Unfit`] when a path leads nowhere or the result is too large.
pub async fn change(tx: &mut Tx, reference: &Reference, change: &Change) -> Result<(ActivityId, Activity)> {
    let (id, mut activity) = load(tx, reference).await?;
    activity.custom = change.apply(&activity.custom)?;
    put(tx, id, &activity, true);
    Ok((id, activity))
}

/// Stores another list of targets.
pub(super) fn put_targets(tx: &mut Tx, id: ActivityId, activity: &Activity) {
    put(tx, id, activity, true);
}

/// `first`, then what only `second` has.
pub(super) fn joined(first: &[FeedId], second: &[FeedId]) -> Vec<FeedId> {
    let mut all = first.to_vec();
    all.extend(second.iter().filter(|feed| !first.contains(feed)).cloned());
    all
}

impl From<&Draft> for Activity {
    fn from(draft: &Draft) -> Self {
        Activity {
            actor: draft.actor.clone(),
            verb: draft.verb.clone(),
            object: draft.object.clone(),
            target: draft.target.clone(),
            foreign_id: draft.foreign_id.clone(),
            to: draft.to.clone(),
            custom: draft.custom.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
