//! Removing what a user has in feeds: activities, feeds, follows, reactions and items of collections (v2 §4.3, §5.5).
//!
//! A user's feeds are those with the user's id, in whatever group; a user's activities are those whose actor the user is.
//! Nothing is copied to followers, so there are no copies to chase: a timeline is a view of what is removed here.

mod activities;
mod pick;
mod v3;

use ids::{FeedId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use crate::{
    Result, Tx,
    feeds::{activities as posts, collections, follows, reactions},
    keyspace::{
        FEED_REACTION, FOLLOWED, FOLLOWERS, FOLLOWING, FOLLOWING_ORDER, Feed, HORIZON, ITEM, LATE, NOTED, Newest,
        POSTED,
    },
    tasks::Progress,
    v3::feeds::delete::Leaving,
};
use pick::pick;

/// What may stand before the id of a user who is the actor of an activity.
const ACTOR_PREFIXES: [&str; 4] = ["", "SU:", "user:", "User:"];

// The parts, one after the other.
const ACTIVITIES: u8 = 0;
const FEEDS: u8 = 1;
const FOLLOWS: u8 = 2;
const REACTIONS: u8 = 3;
const COLLECTIONS: u8 = 4;
const REST: u8 = 5;
/// A former version noted here how far it came with what feeds v3 hold, in its own words: that begins anew.
const RETIRED: u8 = 6;
/// The first part of what feeds v3 hold.
const V3: u8 = 7;

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
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
struct Spot {
    #[n(0)]
    part: u8,
    /// The last row that was looked at, where rows stay.
    #[cbor(n(1), with = "minicbor::bytes")]
    key: Vec<u8>,
    /// The feed of feeds v3 that is being cleared away, and how far.
    #[n(2)]
    feed: Option<(Leaving, u8)>,
}

/// Does a step of removing what `user` has in feeds: as much of one part as a transaction takes; whether all is done. What
/// feeds v1.0 hold has no state between there and gone, so only what feeds v3 hold goes `soft`ly.
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
    let mut removed = 0;
    let is_done = match spot.part {
        ACTIVITIES => activities::remove(tx, user, &mut spot, &mut removed).await?,
        FEEDS => clear_feeds(tx, user, &mut removed).await?,
        FOLLOWS => remove_follows(tx, user, &mut spot, &mut removed).await?,
        REACTIONS => remove_reactions(tx, user, &mut spot, &mut removed).await?,
        COLLECTIONS => remove_items(tx, user, &mut spot, &mut removed).await?,
        REST => {
            clear_rest(tx, user);
            true
        }
        RETIRED => true,
        _ => match v3::remove(tx, user, soft, &mut spot, progress, now).await? {
            Some(is_done) => is_done,
            None => return Ok(true),
        },
    };
    if let Some(name) = COUNTED.get(usize::from(spot.part)) {
        progress.count(name, removed);
    }
    if is_done {
        spot = Spot { part: spot.part + 1, ..Spot::default() };
    }
    progress.cursor = minicbor::to_vec(&spot).expect("writing to memory cannot fail");
    Ok(false)
}

/// Takes what others posted out of the feeds of `user`.
async fn clear_feeds(tx: &mut Tx, user: &UserId, removed: &mut u64) -> Result<bool> {
    let tenant = tx.tenant();
    for feed in own_feeds(tx, user) {
        let range = POSTED.prefix(tenant, &Feed(feed.clone()));
        let page = POSTED.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
        for ((_, Newest(id)), _) in page.rows {
            if tx.is_full() {
                return Ok(false);
            }
            posts::leave(tx, &feed, id).await?;
        }
        if page.more {
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
    let picked = pick(tx, &FOLLOWING, spot, user, |key, _| is_theirs(key)).await?;
    for ((Feed(feed), Feed(target)), _) in picked.rows {
        if tx.is_full() {
            return Ok(false);
        }
        follows::remove(tx, &feed, &target, false).await?;
        spot.key = FOLLOWING.key(tx.tenant(), &(Feed(feed), Feed(target)));
        *removed += 1;
    }
    spot.key = picked.end;
    Ok(picked.is_last)
}

async fn remove_reactions(tx: &mut Tx, user: &UserId, spot: &mut Spot, removed: &mut u64) -> Result<bool> {
    let tenant = tx.tenant();
    let names = |reaction: &reactions::Reaction| reaction.target_feeds.iter().any(|feed| is_own(feed, user));
    let picked = pick(tx, &FEED_REACTION, spot, user, |_, reaction| reaction.user == *user || names(reaction)).await?;
    for (id, mut reaction) in picked.rows {
        if tx.is_full() {
            return Ok(false);
        }
        if reaction.user != *user {
            // What was posted there went with the feeds.
            reaction.target_feeds.retain(|feed| !is_own(feed, user));
            tx.watch_row(FEED_REACTION.key(tenant, &id));
            FEED_REACTION.put(tx, tenant, &id, &reaction);
        } else if !FEED_REACTION.exists(tx, tenant, &id).await? {
            // It went with another of theirs, to which it was.
            *removed += 1;
        } else if !reactions::erase(tx, &id, &reaction).await? {
            return Ok(false);
        } else {
            *removed += 1;
        }
        spot.key = FEED_REACTION.key(tenant, &id);
    }
    spot.key = picked.end;
    Ok(picked.is_last)
}

async fn remove_items(tx: &mut Tx, user: &UserId, spot: &mut Spot, removed: &mut u64) -> Result<bool> {
    let tenant = tx.tenant();
    let is_theirs = |item: &collections::Item| item.user.as_ref() == Some(user);
    let picked = pick(tx, &ITEM, spot, user, |_, item| is_theirs(item)).await?;
    for (key, _) in picked.rows {
        if tx.is_full() {
            return Ok(false);
        }
        spot.key = ITEM.key(tenant, &key);
        tx.watch_row(spot.key.clone());
        ITEM.delete(tx, tenant, &key);
        *removed += 1;
    }
    spot.key = picked.end;
    Ok(picked.is_last)
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
