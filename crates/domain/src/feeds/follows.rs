//! Follows: who follows whom, and what of the followed feed the follower sees (feeds-v1 §4.6, §4.7, §5.4, §5.5, §5.7).
//!
//! A follow copies nothing. It is one record that says which activities of the followed feed it brings: a [`Span`].

use ids::{ActivityId, FeedId, Timestamp};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Stamp};

use super::{
    activities,
    groups::Kind,
    views::{self, Entry, Mark},
};
use crate::{
    Error, Result, Tx,
    keyspace::{FOLLOWED, FOLLOWER_ORDER, FOLLOWERS, FOLLOWING, FOLLOWING_ORDER, Feed, HORIZON, Latest},
    log::{self, Event},
};

mod hearers;

pub use hearers::{Reached, hearers, hears_one};

/// The most activities that a follow brings of those posted before it (feeds-v1 §11).
pub const COPY_LIMIT_MAX: usize = 1000;
/// What a follow brings of those posted before it when nothing is asked (feeds-v1 §14, 6).
pub const COPY_LIMIT: usize = 100;
/// How often a feed can be unfollowed with its history kept.
const SPANS_MAX: usize = 256;

/// What `feed` sees of `target`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Follow {
    /// Whether new activities still come.
    #[n(0)]
    pub is_active: bool,
    /// When the follow, or the latest one, began.
    #[n(1)]
    pub created_at: Timestamp,
    /// What it brings: the last span is open while the follow is active; earlier ones are history that was kept.
    #[n(2)]
    pub spans: Vec<Span>,
}

/// A stretch of following: which of the followed feed's activities it brings.
///
/// As if each had been copied: those `copied` at the start, and whatever came between start and end. Positions in commit
/// order decide, not times, for an activity may be back-dated.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Span {
    /// The follow began here: what was posted later, it brings.
    #[n(0)]
    since: u64,
    /// Of what was posted before, it brings this activity and newer ones.
    #[n(1)]
    copied_from: Option<ActivityId>,
    /// Activities older than this, posted later than `since`, are in `LATE`.
    #[n(2)]
    late_before: Option<Timestamp>,
    /// The follow ended here: what was posted later, it does not bring.
    #[n(3)]
    until: Option<u64>,
    /// All that was posted up to `until` is older than this.
    #[n(4)]
    older_than: Option<Timestamp>,
}

/// When an activity arrived in the following feed: by commit order; what was copied by a follow arrived after whatever
/// the commit before it posted; what one commit posted arrived from the feed that it was added to before its targets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Arrival {
    at: Stamp,
    is_copy: bool,
    is_addressed: bool,
}

impl Arrival {
    /// The arrival of what was posted to the feed itself.
    pub fn posted(at: Stamp) -> Self {
        Arrival { at, is_copy: false, is_addressed: false }
    }

    /// Whether whoever read up to `stamp` has met it.
    pub fn is_by(self, stamp: Stamp) -> bool {
        self.at < stamp || (self.at == stamp && !self.is_copy)
    }
}

impl Span {
    /// When a row of the followed feed arrived by this span; `None` if it did not.
    pub fn arrival(&self, entry: Entry) -> Option<Arrival> {
        let (since, posted) = (Stamp(self.since), entry.posted());
        if self.until.is_some_and(|until| posted > Stamp(until)) {
            None
        } else if posted > since {
            let is_addressed = entry.is_addressed();
            (!entry.is_quiet()).then_some(Arrival { at: posted, is_copy: false, is_addressed })
        } else if self.copied_from.is_some_and(|oldest| entry.id >= oldest) {
            Some(Arrival { at: since, is_copy: true, is_addressed: false })
        } else {
            None
        }
    }

    /// Below this id only `LATE` holds activities that the span brings.
    pub fn late_below(&self) -> ActivityId {
        let in_order = self.late_before.map_or(ActivityId::MIN, ActivityId::first_at);
        self.copied_from.map_or(in_order, |copied| in_order.min(copied))
    }

    /// Every activity that the span brings has a lower id.
    pub fn below(&self) -> ActivityId {
        self.older_than.map_or(ActivityId::MAX, ActivityId::first_at)
    }

    /// Where in commit order the late activities lie: after the first, up to and with the second.
    pub fn late_between(&self) -> (Stamp, Stamp) {
        (Stamp(self.since), Stamp(self.until.unwrap_or(u64::MAX)))
    }
}

/// A follow as it is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The follower.
    pub feed: FeedId,
    /// The followed.
    pub target: FeedId,
    /// How many of the activities posted before it brings, at most [`COPY_LIMIT_MAX`].
    pub copy_limit: usize,
}

/// One line of a list of followers or followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relation {
    /// The follower.
    pub feed: FeedId,
    /// The followed.
    pub target: FeedId,
    /// Since when.
    pub created_at: Timestamp,
}

/// Makes `draft.feed` follow `draft.target`; following twice changes nothing.
///
/// # Errors
/// [`Error::NoGroup`], [`Error::FollowsItself`], [`Error::NotFollowable`], [`Error::TooManySpans`].
pub async fn add(tx: &mut Tx, draft: &Draft, now: Timestamp) -> Result<()> {
    check(tx, draft)?;
    connect(tx, &draft.feed, &draft.target, Some(draft.copy_limit), now).await
}

/// As [`add`], where the feeds need no group. Without a `copy_limit` it brings all that was posted before it.
///
/// # Errors
/// [`Error::TooManySpans`].
pub(crate) async fn connect(
    tx: &mut Tx,
    feed: &FeedId,
    target: &FeedId,
    copy_limit: Option<usize>,
    now: Timestamp,
) -> Result<()> {
    let tenant = tx.tenant();
    let key = (Feed(feed.clone()), Feed(target.clone()));
    let mut spans = match FOLLOWING.get(tx, tenant, &key).await? {
        Some(follow) if follow.is_active => return Ok(()),
        Some(kept) => kept.spans,
        None => Vec::new(),
    };
    if spans.len() == SPANS_MAX {
        return Err(Error::TooManySpans { feed: feed.clone(), target: target.clone(), limit: SPANS_MAX });
    }
    spans.push(begin(tx, target, copy_limit).await?);
    FOLLOWING.put(tx, tenant, &key, &Follow { is_active: true, created_at: now, spans });
    list_in_order(tx, feed, target, now);
    count(tx, feed, target, 1);
    log::record(tx, &Event::Followed { feed: feed.clone(), target: target.clone() });
    Ok(())
}

fn check(tx: &Tx, draft: &Draft) -> Result<()> {
    tx.app.check_groups([draft.feed.group(), draft.target.group()])?;
    if draft.feed == draft.target {
        return Err(Error::FollowsItself(draft.feed.clone()));
    }
    if tx.app.group(draft.target.group())?.kind != Kind::Flat {
        return Err(Error::NotFollowable(draft.target.clone()));
    }
    Ok(())
}

/// A span that begins at the transaction's snapshot.
///
/// What the snapshot holds was posted before, everything else after; so the reads here need not be repeated when another
/// commit posts to `target` meanwhile, and a busy feed can be followed without a conflict.
async fn begin(tx: &mut Tx, target: &FeedId, copy_limit: Option<usize>) -> Result<Span> {
    let since = tx.stamp().0;
    let mut snapshot = tx.app.tx(tx.snapshot());
    let tenant = tx.tenant();
    let horizon = HORIZON.get(&mut snapshot, tenant, &Feed(target.clone())).await?;
    let copied_from = match copy_limit {
        Some(copy_limit) => nth_newest(&mut snapshot, target, copy_limit).await?,
        None => Some(ActivityId::MIN),
    };
    let late_before = horizon.map(activities::late_before);
    Ok(Span { since, copied_from, late_before, until: None, older_than: None })
}

/// The `n`th of the newest activities of `feed`, or the oldest if there are fewer.
async fn nth_newest(snapshot: &mut Tx, feed: &FeedId, n: usize) -> Result<Option<ActivityId>> {
    if n == 0 {
        return Ok(None);
    }
    let mark = Mark::posts(snapshot.app.id, feed);
    let kept = snapshot.app.views.window(&snapshot.app, feed, mark, n).await?;
    // A newer one has what this snapshot does not hold.
    let window = if kept.as_of <= snapshot.stamp() { kept } else { views::load(snapshot, feed, n).await?.into() };
    Ok(window.entries.iter().take(n).next_back().map(|entry| entry.id))
}

/// Ends the follow of `target` by `feed`; nothing happens when there is none.
///
/// With `keeps_history` what the follow brought stays. Otherwise it goes, with what earlier follows of `target` left.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, feed: &FeedId, target: &FeedId, keeps_history: bool) -> Result<()> {
    let tenant = tx.tenant();
    let key = (Feed(feed.clone()), Feed(target.clone()));
    let Some(mut follow) = FOLLOWING.get(tx, tenant, &key).await? else { return Ok(()) };
    if !follow.is_active && keeps_history {
        return Ok(());
    }
    if follow.is_active {
        unlist(tx, feed, target, follow.created_at);
        count(tx, feed, target, -1);
    }
    if keeps_history {
        end(tx, target, &mut follow).await?;
        FOLLOWING.put(tx, tenant, &key, &follow);
    } else {
        FOLLOWING.delete(tx, tenant, &key);
    }
    log::record(tx, &Event::Followed { feed: feed.clone(), target: target.clone() });
    Ok(())
}

/// Ends the open span at the transaction's snapshot.
async fn end(tx: &mut Tx, target: &FeedId, follow: &mut Follow) -> Result<()> {
    let (until, tenant) = (tx.stamp().0, tx.tenant());
    let horizon = HORIZON.get(&mut tx.snapshot(), tenant, &Feed(target.clone())).await?;
    follow.is_active = false;
    let span = follow.spans.last_mut().expect("a follow has the span that it began with");
    span.until = Some(until);
    // Nothing was ever posted where there is no horizon; then the span brings nothing.
    span.older_than = Some(horizon.unwrap_or(Timestamp::from_micros(i64::MIN)));
    Ok(())
}

fn list_in_order(tx: &mut Tx, feed: &FeedId, target: &FeedId, created_at: Timestamp) {
    let tenant = tx.tenant();
    let (feed, target) = (Feed(feed.clone()), Feed(target.clone()));
    FOLLOWING_ORDER.put(tx, tenant, &(feed.clone(), Latest(created_at), target.clone()), &());
    FOLLOWER_ORDER.put(tx, tenant, &(target, Latest(created_at), feed), &());
}

fn unlist(tx: &mut Tx, feed: &FeedId, target: &FeedId, created_at: Timestamp) {
    let tenant = tx.tenant();
    let (feed, target) = (Feed(feed.clone()), Feed(target.clone()));
    FOLLOWING_ORDER.delete(tx, tenant, &(feed.clone(), Latest(created_at), target.clone()));
    FOLLOWER_ORDER.delete(tx, tenant, &(target, Latest(created_at), feed));
}

fn count(tx: &mut Tx, feed: &FeedId, target: &FeedId, delta: i64) {
    let tenant = tx.tenant();
    FOLLOWERS.add(tx, tenant, &(Feed(target.clone()), feed.group().to_owned()), delta);
    FOLLOWED.add(tx, tenant, &(Feed(feed.clone()), target.group().to_owned()), delta);
}

/// Everything that `feed` sees of others: its follows, and the history kept of ended ones.
///
/// # Errors
/// When the store fails.
pub async fn all_of(tx: &mut Tx, feed: &FeedId) -> Result<Vec<(FeedId, Follow)>> {
    let tenant = tx.tenant();
    let mut range = FOLLOWING.prefix(tenant, &Feed(feed.clone()));
    let mut follows = Vec::new();
    loop {
        let page = FOLLOWING.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = store::key::after(FOLLOWING.key(tenant, key));
        }
        follows.extend(page.rows.into_iter().map(|((_, Feed(target)), follow)| (target, follow)));
        if !page.more {
            return Ok(follows);
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// How many.
    pub limit: usize,
    /// After how many.
    pub offset: usize,
}

/// Whom `feed` follows, the latest first.
///
/// # Errors
/// When the store fails.
pub async fn following(tx: &mut Tx, feed: &FeedId, part: Part) -> Result<Vec<Relation>> {
    let others = in_order(tx, &FOLLOWING_ORDER, feed, part).await?;
    let relation = |(target, created_at)| Relation { feed: feed.clone(), target, created_at };
    Ok(others.into_iter().map(relation).collect())
}

/// Who follows `target`, the latest first.
///
/// # Errors
/// When the store fails.
pub async fn followers(tx: &mut Tx, target: &FeedId, part: Part) -> Result<Vec<Relation>> {
    let others = in_order(tx, &FOLLOWER_ORDER, target, part).await?;
    let relation = |(feed, created_at)| Relation { feed, target: target.clone(), created_at };
    Ok(others.into_iter().map(relation).collect())
}

type Order = store::Table<(Feed, Latest, Feed), ()>;

async fn in_order(tx: &mut Tx, order: &Order, feed: &FeedId, part: Part) -> Result<Vec<(FeedId, Timestamp)>> {
    let tenant = tx.tenant();
    let mut range = order.prefix(tenant, &Feed(feed.clone()));
    let (mut skip, mut found) = (part.offset, Vec::with_capacity(part.limit));
    while found.len() < part.limit {
        let page = order.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, ())) = page.rows.last() {
            range.start = store::key::after(order.key(tenant, key));
        }
        let skipped = skip.min(page.rows.len());
        skip -= skipped;
        found.extend(page.rows.into_iter().skip(skipped).map(|((_, Latest(at), Feed(other)), ())| (other, at)));
        if !page.more {
            break;
        }
    }
    found.truncate(part.limit);
    Ok(found)
}

/// Which of the pairs (follower, followed) are follows, the latest first.
///
/// # Errors
/// When the store fails.
pub async fn among(tx: &mut Tx, pairs: &[(FeedId, FeedId)]) -> Result<Vec<Relation>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = pairs.iter().map(|(feed, target)| (Feed(feed.clone()), Feed(target.clone()))).collect();
    let follows = FOLLOWING.get_many(tx, tenant, &keys).await?;
    let active = pairs.iter().zip(follows).filter_map(|((feed, target), follow)| {
        let Follow { created_at, .. } = follow.filter(|follow| follow.is_active)?;
        Some(Relation { feed: feed.clone(), target: target.clone(), created_at })
    });
    let mut relations: Vec<Relation> = active.collect();
    relations.sort_by(|a, b| (b.created_at, &a.feed, &a.target).cmp(&(a.created_at, &b.feed, &b.target)));
    relations.dedup();
    Ok(relations)
}

/// How many feeds follow `feed`; only those of `groups`, if any are named.
///
/// # Errors
/// When the store fails.
pub async fn count_followers(tx: &mut Tx, feed: &FeedId, groups: &[String]) -> Result<i64> {
    sum(tx, &FOLLOWERS, feed, groups).await
}

/// How many feeds `feed` follows; only those of `groups`, if any are named.
///
/// # Errors
/// When the store fails.
pub async fn count_following(tx: &mut Tx, feed: &FeedId, groups: &[String]) -> Result<i64> {
    sum(tx, &FOLLOWED, feed, groups).await
}

async fn sum(tx: &mut Tx, counter: &store::Counter<(Feed, String)>, feed: &FeedId, groups: &[String]) -> Result<i64> {
    let tenant = tx.tenant();
    let range = counter.prefix(tenant, &Feed(feed.clone()));
    // A row per group, and an app has few groups.
    let counts = counter.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?.rows;
    let is_wanted = |group: &String| groups.is_empty() || groups.contains(group);
    Ok(counts.into_iter().filter(|((_, group), _)| is_wanted(group)).map(|(_, count)| count).sum())
}

#[cfg(test)]
mod tests;
