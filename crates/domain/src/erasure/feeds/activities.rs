//! Removing the activities of a user, from wherever they were posted, as many at a time as a transaction takes.

use std::collections::HashMap;

use ids::{ActivityId, FeedId, UserId};
use store::{Direction, Limit, Transaction};

use super::{Spot, is_actor, is_own, pick::pick};
use crate::{
    Result, Tx,
    feeds::{
        activities::{self, Activity},
        reactions::{self, About},
    },
    keyspace::{ACTIVITY, FEED_REACTIONS, Feed, Id, LATE, PLACED},
    log::{self, EVENT_ACTIVITIES_MAX, Event, Gone},
    rows::Along,
};

/// Feeds that an activity is taken out of at once.
const FEEDS_MAX: usize = 100;

/// Removes activities of which `user` is the actor, and takes the user's feeds off the targets of others' activities;
/// whether those were all.
pub(super) async fn remove(tx: &mut Tx, user: &UserId, spot: &mut Spot, removed: &mut u64) -> Result<bool> {
    let is_theirs = |activity: &Activity| is_actor(&activity.actor, user);
    let targets = |activity: &Activity| activity.to.iter().any(|feed| is_own(feed, user));
    let picked = pick(tx, &ACTIVITY, spot, user, |_, activity| is_theirs(activity) || targets(activity)).await?;
    let (mut hanging, mut news) = (Hanging::new(tx), News::new(user));
    let mut is_cut = false;
    for (Id(id), activity) in picked.rows {
        is_cut = tx.is_full();
        if is_cut {
            break;
        }
        if !is_theirs(&activity) {
            activities::forget_targets(tx, id, |feed| is_own(feed, user)).await?;
        } else if remove_one(tx, id, activity, &mut hanging, &mut news).await? {
            *removed += 1;
        } else {
            is_cut = true;
            break;
        }
        spot.key = ACTIVITY.key(tx.tenant(), &Id(id));
    }
    news.tell(tx);
    if !is_cut {
        spot.key = picked.end;
    }
    Ok(!is_cut && picked.is_last)
}

/// What is told of activities that are gone, in as few events as can be: those of one user are mostly in the same feeds.
struct News<'u> {
    user: &'u UserId,
    feeds: Vec<FeedId>,
    gone: Vec<Gone>,
}

impl<'u> News<'u> {
    fn new(user: &'u UserId) -> Self {
        News { user, feeds: Vec::new(), gone: Vec::new() }
    }

    /// Takes up that `gone` left `feeds`.
    fn add(&mut self, tx: &mut Tx, gone: Gone, feeds: Vec<FeedId>) {
        if self.feeds != feeds || self.gone.len() >= EVENT_ACTIVITIES_MAX {
            self.tell(tx);
            self.feeds = feeds;
        }
        self.gone.push(gone);
    }

    /// Tells what is not told yet.
    fn tell(&mut self, tx: &mut Tx) {
        if !self.gone.is_empty() {
            let (activities, feeds) = (std::mem::take(&mut self.gone), self.feeds.clone());
            log::record(tx, &Event::Erased { activities, feeds, user: self.user.to_string() });
        }
    }
}

/// Removes an activity, after what others said to it; whether nothing is left of it.
async fn remove_one(
    tx: &mut Tx,
    id: ActivityId,
    activity: Activity,
    hanging: &mut Hanging,
    news: &mut News<'_>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let about = About::Activity(id);
    if hanging.has_reactions(tenant, &about).await? {
        if !reactions::clear(tx, &about).await? || tx.is_full() {
            return Ok(false);
        }
    } else {
        tx.watch(FEED_REACTIONS.prefix(tenant, &about));
    }
    match hanging.feeds(tenant, id).await? {
        Some(feeds) => {
            tx.watch_row(ACTIVITY.key(tenant, &Id(id)));
            tx.watch(PLACED.prefix(tenant, &Id(id)));
            activities::take(tx, id, &activity, &feeds);
            news.add(tx, Gone { activity: id, foreign_id: activity.foreign_id }, feeds);
            Ok(true)
        }
        None => activities::erase(tx, id, FEEDS_MAX).await,
    }
}

/// What hangs on activities, read beside the transaction along their ids.
struct Hanging {
    beside: Transaction,
    placed: Along,
    reacted: Along,
    /// Whether a feed holds anything that came late, which is in a list of its own.
    late: HashMap<FeedId, bool>,
}

impl Hanging {
    fn new(tx: &Tx) -> Self {
        let tenant = tx.tenant();
        Hanging {
            beside: tx.snapshot(),
            placed: Along::new(PLACED.range(tenant)),
            reacted: Along::new(FEED_REACTIONS.range(tenant)),
            late: HashMap::new(),
        }
    }

    async fn has_reactions(&mut self, tenant: u32, about: &About) -> Result<bool> {
        let range = FEED_REACTIONS.prefix(tenant, about);
        Ok(self.reacted.next(&mut self.beside, &range).await?.is_some())
    }

    /// The feeds that hold the activity, if they are not too many for one step and it came late to none.
    async fn feeds(&mut self, tenant: u32, id: ActivityId) -> Result<Option<Vec<FeedId>>> {
        let range = PLACED.prefix(tenant, &Id(id));
        let mut feeds = Vec::new();
        while let Some((key, _)) = self.placed.next(&mut self.beside, &range).await? {
            let (_, Feed(feed)) = PLACED.decode_key(&key).map_err(store::Error::from)?;
            if feeds.len() >= FEEDS_MAX || self.has_late(tenant, &feed).await? {
                return Ok(None);
            }
            feeds.push(feed);
        }
        Ok(Some(feeds))
    }

    async fn has_late(&mut self, tenant: u32, feed: &FeedId) -> Result<bool> {
        if let Some(known) = self.late.get(feed) {
            return Ok(*known);
        }
        let range = LATE.prefix(tenant, &Feed(feed.clone()));
        let found = !self.beside.scan(range, Direction::Forward, Limit::rows(1)).await?.rows.is_empty();
        self.late.insert(feed.clone(), found);
        Ok(found)
    }
}
