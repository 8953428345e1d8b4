//! Removing what a user has in feeds: activities, feeds, follows, reactions and items of collections (v2 §4.3, §5.5).
//!
//! A user's feeds are those with the user's id, in whatever group; a user's activities are those whose actor the user is.
//! Nothing is copied to followers, so there are no copies to chase: a timeline is a view of what is removed here.

mod v3;

use ids::{FeedId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Key, Limit, Record, Table, key::after};

use crate::{
    Result, Tx,
    feeds::{
        activities, collections, follows,
        reactions::{self, About},
    },
    keyspace::{
        ACTIVITY, FEED_REACTION, FOLLOWED, FOLLOWERS, FOLLOWING, FOLLOWING_ORDER, Feed, HORIZON, ITEM, Id, LATE, NOTED,
        Newest, POSTED,
    },
    tasks::Progress,
};

/// What may stand before the id of a user who is the actor of an activity.
const ACTOR_PREFIXES: [&str; 4] = ["", "SU:", "user:", "User:"];
/// Rows that one step looks at.
const STEP_ROWS_MAX: usize = 2048;
/// Rows that one step removes or changes, each with its mirrors.
const STEP_CHANGES_MAX: usize = 100;
/// Reactions that one step removes, each with what was posted for it.
const STEP_REACTIONS_MAX: usize = 15;
/// What it costs to write an activity again, which may be large.
const REWRITE_COST: usize = 20;

const ACTIVITIES: u8 = 0;
const FEEDS: u8 = 1;
const FOLLOWS: u8 = 2;
const REACTIONS: u8 = 3;
const COLLECTIONS: u8 = 4;
// 5 is the rest.

/// The first part of what feeds v3 hold; the walk over it keeps its own place.
const V3: u8 = 6;

/// Names under which what went is counted.
const COUNTED: [&str; 5] = ["activities", "feeds", "follows", "reactions", "collections"];

/// Whether `actor` stands for `user`.
pub fn is_actor(actor: &str, user: &UserId) -> bool {
    let id = actor.strip_suffix(user.as_str());
    id.is_some_and(|prefix| ACTOR_PREFIXES.contains(&prefix))
}

/// Whether `feed` belongs to `user`.
pub fn is_own(feed: &FeedId, user: &UserId) -> bool {
    !feed.is_stream() && feed.id() == user.as_str()
}

/// Where the removal stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
struct Spot {
    #[n(0)]
    part: u8,
    /// The last row that was looked at.
    #[cbor(n(1), with = "minicbor::bytes")]
    key: Vec<u8>,
}

/// Does a step of removing what `user` has in feeds; whether all is done. What feeds v1.0 hold has no state between there
/// and gone, so only what feeds v3 hold goes `soft`ly.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove(
    tx: &mut Tx,
    user: &UserId,
    soft: Option<Timestamp>,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<bool> {
    let mut spot: Spot = minicbor::decode(&progress.cursor).unwrap_or_default();
    if spot.part == V3 {
        progress.cursor = spot.key;
        let is_done = v3::remove(tx, user, soft, progress, now).await?;
        spot.key = std::mem::take(&mut progress.cursor);
        progress.cursor = encoded(&spot);
        return Ok(is_done);
    }
    let mut removed = 0;
    let is_done = match spot.part {
        ACTIVITIES => remove_activities(tx, user, &mut spot, &mut removed).await?,
        FEEDS => clear_feeds(tx, user, &mut removed).await?,
        FOLLOWS => remove_follows(tx, user, &mut spot, &mut removed).await?,
        REACTIONS => remove_reactions(tx, user, &mut spot, &mut removed).await?,
        COLLECTIONS => remove_items(tx, user, &mut spot, &mut removed).await?,
        _ => {
            clear_rest(tx, user);
            true
        }
    };
    if let Some(name) = COUNTED.get(usize::from(spot.part)) {
        progress.count(name, removed);
    }
    if is_done {
        spot = Spot { part: spot.part + 1, key: Vec::new() };
    }
    debug_assert!(spot.part <= V3, "the parts come one after the other");
    progress.cursor = encoded(&spot);
    Ok(false)
}

fn encoded(spot: &Spot) -> Vec<u8> {
    minicbor::to_vec(spot).expect("writing to memory cannot fail")
}

/// The next rows of `table` that `fits` picks, read beside the transaction, and whether these are the last. `spot` moves
/// past what was looked at.
async fn pick<K: Key, V: Record>(
    tx: &mut Tx,
    table: &Table<K, V>,
    spot: &mut Spot,
    max: usize,
    fits: impl Fn(&K, &V) -> bool,
) -> Result<(Vec<(K, V)>, bool)> {
    let (tenant, mut beside, mut looked) = (tx.tenant(), tx.snapshot(), 0);
    let mut range = table.range(tenant);
    if !spot.key.is_empty() {
        range.start = after(spot.key.clone());
    }
    let mut picked = Vec::new();
    loop {
        let page = table.scan(&mut beside, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        looked += page.rows.len();
        for (key, row) in page.rows {
            spot.key = table.key(tenant, &key);
            if fits(&key, &row) {
                picked.push((key, row));
            }
            if picked.len() >= max {
                return Ok((picked, false));
            }
        }
        if !page.more || looked >= STEP_ROWS_MAX {
            return Ok((picked, !page.more));
        }
        range.start = after(spot.key.clone());
    }
}

/// Removes activities of which `user` is the actor, from wherever they were posted, and takes the user's feeds off the
/// targets of others' activities.
async fn remove_activities(tx: &mut Tx, user: &UserId, spot: &mut Spot, removed: &mut u64) -> Result<bool> {
    let before = spot.clone();
    let is_theirs = |activity: &activities::Activity| is_actor(&activity.actor, user);
    let targets = |activity: &activities::Activity| activity.to.iter().any(|feed| is_own(feed, user));
    let (picked, is_done) =
        pick(tx, &ACTIVITY, spot, STEP_CHANGES_MAX, |_, activity| is_theirs(activity) || targets(activity)).await?;
    let mut budget = STEP_CHANGES_MAX;
    let mut last = before.key;
    for (Id(id), activity) in picked {
        if is_theirs(&activity) {
            let mut reacted = STEP_REACTIONS_MAX;
            // What others said to it goes first, in steps of its own.
            let is_bare =
                reactions::clear(tx, &About::Activity(id), &mut reacted).await? && reacted == STEP_REACTIONS_MAX;
            if !is_bare || !activities::erase(tx, id, &mut budget).await? {
                spot.key = last;
                return Ok(false);
            }
            *removed += 1;
        } else {
            activities::forget_targets(tx, id, |feed| is_own(feed, user)).await?;
            budget = budget.saturating_sub(REWRITE_COST);
        }
        last = ACTIVITY.key(tx.tenant(), &Id(id));
        if budget == 0 {
            spot.key = last;
            return Ok(false);
        }
    }
    Ok(is_done)
}

/// Takes what others posted out of the feeds of `user`.
async fn clear_feeds(tx: &mut Tx, user: &UserId, removed: &mut u64) -> Result<bool> {
    let tenant = tx.tenant();
    let mut left = STEP_CHANGES_MAX;
    for feed in own_feeds(tx, user) {
        let range = POSTED.prefix(tenant, &Feed(feed.clone()));
        let page = POSTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(left)).await?;
        left -= page.rows.len().min(left);
        for ((_, Newest(id)), _) in page.rows {
            activities::leave(tx, &feed, id).await?;
        }
        if page.more || left == 0 {
            return Ok(false);
        }
        if HORIZON.exists(tx, tenant, &Feed(feed.clone())).await? {
            HORIZON.delete(tx, tenant, &Feed(feed));
            *removed += 1;
        }
    }
    Ok(true)
}

/// The feeds that `user` may have: one in each group.
pub fn own_feeds(tx: &Tx, user: &UserId) -> Vec<FeedId> {
    let mut groups: Vec<_> = tx.app.groups.keys().collect();
    groups.sort();
    groups.into_iter().filter_map(|group| FeedId::new(group, user.as_str()).ok()).collect()
}

async fn remove_follows(tx: &mut Tx, user: &UserId, spot: &mut Spot, removed: &mut u64) -> Result<bool> {
    let is_theirs = |(Feed(feed), Feed(target)): &(Feed, Feed)| is_own(feed, user) || is_own(target, user);
    let (picked, is_done) = pick(tx, &FOLLOWING, spot, STEP_CHANGES_MAX, |key, _| is_theirs(key)).await?;
    for ((Feed(feed), Feed(target)), _) in picked {
        follows::remove(tx, &feed, &target, false).await?;
        *removed += 1;
    }
    Ok(is_done)
}

async fn remove_reactions(tx: &mut Tx, user: &UserId, spot: &mut Spot, removed: &mut u64) -> Result<bool> {
    let (tenant, before) = (tx.tenant(), spot.clone());
    let names = |reaction: &reactions::Reaction| reaction.target_feeds.iter().any(|feed| is_own(feed, user));
    let (picked, is_done) =
        pick(tx, &FEED_REACTION, spot, STEP_REACTIONS_MAX, |_, reaction| reaction.user == *user || names(reaction))
            .await?;
    let mut budget = STEP_REACTIONS_MAX;
    let mut last = before.key;
    for (id, mut reaction) in picked {
        if reaction.user != *user {
            // What was posted there went with the feeds.
            reaction.target_feeds.retain(|feed| !is_own(feed, user));
            FEED_REACTION.put(tx, tenant, &id, &reaction);
        } else if !reactions::erase(tx, &id, &reaction, &mut budget).await? {
            spot.key = last;
            return Ok(false);
        } else {
            *removed += 1;
        }
        last = FEED_REACTION.key(tenant, &id);
    }
    Ok(is_done)
}

async fn remove_items(tx: &mut Tx, user: &UserId, spot: &mut Spot, removed: &mut u64) -> Result<bool> {
    let tenant = tx.tenant();
    let is_theirs = |item: &collections::Item| item.user.as_ref() == Some(user);
    let (picked, is_done) = pick(tx, &ITEM, spot, STEP_CHANGES_MAX, |_, item| is_theirs(item)).await?;
    for (key, _) in picked {
        ITEM.delete(tx, tenant, &key);
        *removed += 1;
    }
    Ok(is_done)
}

/// Counters, and what else is of use only with the rows that went.
fn clear_rest(tx: &mut Tx, user: &UserId) {
    let tenant = tx.tenant();
    for feed in own_feeds(tx, user) {
        let feed = Feed(feed);
        for range in [
            LATE.prefix(tenant, &feed),
            NOTED.prefix(tenant, &feed),
            FOLLOWERS.prefix(tenant, &feed),
            FOLLOWED.prefix(tenant, &feed),
            FOLLOWING_ORDER.prefix(tenant, &feed),
        ] {
            tx.delete_range(range);
        }
    }
}

#[cfg(test)]
mod tests;
