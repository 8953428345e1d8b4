//! Feeds that a user might want to follow: what those follow whom the user follows, then what many follow (feeds-v3 §3.2).

use std::collections::{BTreeMap, BTreeSet};

use ids::{Fid, UserId};

use super::{
    feeds::{self, Feed, Visibility},
    follows::{own_feeds, query::newest},
    groups,
};
use crate::{Result, Tx, keyspace::V3_FEED, rows};

/// The most follows of one feed that are looked at.
const FOLLOWS_MAX: usize = 100;
/// The most feeds of a group that are looked at.
const FEEDS_MAX: usize = 1000;

/// A feed that is suggested.
#[derive(Clone, Debug)]
pub struct Suggestion {
    /// Which.
    pub fid: Fid,
    /// What is stored.
    pub feed: Feed,
    /// How many feeds that the user follows follow it.
    pub friends: i64,
    /// How many feeds follow it.
    pub followers: i64,
}

impl Suggestion {
    /// The higher, the more is to be said for it: a friend weighs as much as ten others.
    pub fn score(&self) -> f64 {
        self.friends as f64 + self.followers as f64 / 10.0
    }
}

/// Feeds of `group` that `user` might want to follow, at most `limit`, the best first: none of the user's, none that one of
/// them follows, and none that one cannot ask to follow.
///
/// # Errors
/// [`crate::Error::Absent`] when there is no such group; when the store fails.
pub async fn list(tx: &mut Tx, group: &str, user: &UserId, limit: usize) -> Result<Vec<Suggestion>> {
    groups::load(tx, group).await?;
    let mut followed = BTreeSet::new();
    for (_, feed) in own_feeds(tx, user).await? {
        let (edges, _) = newest(tx, &feed.stream, false, FOLLOWS_MAX, 0).await?;
        followed.extend(edges.into_iter().map(|edge| edge.target));
    }
    let friends = followed_by(tx, &followed).await?;
    let tenant = tx.tenant();
    let known = rows::list(tx, &V3_FEED, V3_FEED.prefix(tenant, &group.to_owned()), FEEDS_MAX).await?;
    let mut found = Vec::new();
    for ((group, id), feed) in known {
        let Ok(fid) = Fid::new(&group, &id) else { continue };
        let can_follow = matches!(feed.visibility, Visibility::Visible | Visibility::Public | Visibility::Followers);
        if feed.deleted_at.is_some() || !can_follow || feed.is_of(user) || followed.contains(&fid) {
            continue;
        }
        let followers = feeds::counts(tx, &feed.stream).await?.followers;
        let friends = friends.get(&fid).copied().unwrap_or_default();
        found.push(Suggestion { fid, feed, friends, followers });
    }
    found.sort_by(|a, b| b.score().total_cmp(&a.score()).then_with(|| a.fid.cmp(&b.fid)));
    found.truncate(limit);
    Ok(found)
}

/// What feeds follow: how many of them which.
async fn followed_by(tx: &mut Tx, fids: &BTreeSet<Fid>) -> Result<BTreeMap<Fid, i64>> {
    let fids: Vec<Fid> = fids.iter().take(FOLLOWS_MAX).cloned().collect();
    // A friend's other feeds follow, too: the timeline of whoever owns what is followed.
    let owners: BTreeSet<UserId> =
        feeds::get_many(tx, &fids).await?.into_iter().flatten().filter_map(|feed| feed.created_by).collect();
    let mut counts = BTreeMap::new();
    for owner in &owners {
        let mut of_owner = BTreeSet::new();
        for (_, feed) in own_feeds(tx, owner).await? {
            let (edges, _) = newest(tx, &feed.stream, false, FOLLOWS_MAX, 0).await?;
            of_owner.extend(edges.into_iter().map(|edge| edge.target));
        }
        for fid in of_owner {
            *counts.entry(fid).or_default() += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::pond::{Pond, user};

    #[tokio::test]
    async fn what_friends_follow_comes_before_what_others_follow_and_ones_own_never() {
        let pond = Pond::new();
        for who in ["amy", "bob", "cat", "dan", "eve"] {
            pond.feed(&format!("user:{who}")).await;
            pond.feed(&format!("timeline:{who}")).await;
        }
        let hidden = feeds::Input { visibility: Some(Visibility::Private), ..feeds::Input::default() };
        pond.feed_with("user:fay", &hidden).await;
        pond.follow("timeline:amy", "user:bob").await;
        pond.follow("timeline:bob", "user:dan").await;
        for who in ["dan", "eve"] {
            pond.follow(&format!("timeline:{who}"), "user:cat").await;
        }
        let found = list(&mut pond.app.snapshot(), "user", &user("amy"), 10).await.unwrap();
        let line: Vec<String> =
            found.iter().map(|one| format!("{}:{}:{}", one.fid.id(), one.friends, one.followers)).collect();
        assert_eq!(line, ["dan:1:1", "cat:0:2", "eve:0:0"]);
        assert_eq!(list(&mut pond.app.snapshot(), "user", &user("amy"), 1).await.unwrap().len(), 1);
        assert!(list(&mut pond.app.snapshot(), "none", &user("amy"), 1).await.is_err());
    }
}
