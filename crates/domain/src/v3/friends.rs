//! Whom a user follows, by whichever of the user's feeds, and what these did (feeds-v3 §3.2).

use std::collections::BTreeSet;

use ids::UserId;

use super::{
    feeds,
    follows::{own_feeds, query::newest},
    objects::Object,
    reactions::{self, Given},
};
use crate::{Result, Tx};

/// The most follows of one feed that are looked at.
const FOLLOWS_MAX: usize = 500;
/// The most reactions to one activity that are looked at, the newest.
const REACTIONS_MAX: usize = 1000;

/// Reactions of friends to one activity.
#[derive(Clone, Debug, Default)]
pub struct FriendReactions {
    /// The newest of them.
    pub latest: Vec<Given>,
    /// How many there are.
    pub count: usize,
}

/// Whom `user` follows; with `is_mutual` only who follows the user, too.
///
/// # Errors
/// When the store fails.
pub async fn of(tx: &mut Tx, user: &UserId, is_mutual: bool) -> Result<BTreeSet<UserId>> {
    let followed = owners(tx, user, false).await?;
    if !is_mutual {
        return Ok(followed);
    }
    let followers = owners(tx, user, true).await?;
    Ok(followed.intersection(&followers).cloned().collect())
}

/// The owners of the feeds that the feeds of `user` follow, or of those that follow them; without `user`.
async fn owners(tx: &mut Tx, user: &UserId, is_of_it: bool) -> Result<BTreeSet<UserId>> {
    let mut fids = Vec::new();
    for (_, feed) in own_feeds(tx, user).await? {
        let (edges, _) = newest(tx, &feed.stream, is_of_it, FOLLOWS_MAX, 0).await?;
        fids.extend(edges.into_iter().map(|edge| if is_of_it { edge.source } else { edge.target }));
    }
    fids.sort();
    fids.dedup();
    let mut owners = BTreeSet::new();
    for fids in fids.chunks(store::Limit::PAGE.rows) {
        let feeds = feeds::get_many(tx, fids).await?;
        owners.extend(feeds.into_iter().flatten().filter_map(|feed| feed.created_by));
    }
    owners.remove(user);
    Ok(owners)
}

/// What `friends` reacted to the activity `id`: the newest `limit`, and how many.
///
/// # Errors
/// When the store fails.
pub async fn reactions(tx: &mut Tx, id: &str, friends: &BTreeSet<UserId>, limit: usize) -> Result<FriendReactions> {
    let object = Object::Activity(id.to_owned());
    let newest = reactions::newest(tx, &object, REACTIONS_MAX).await?;
    let mut by_friends: Vec<Given> = newest.into_iter().filter(|given| friends.contains(&given.user)).collect();
    let count = by_friends.len();
    by_friends.truncate(limit);
    Ok(FriendReactions { latest: by_friends, count })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::pond::{Pond, user};

    async fn friends(pond: &Pond, is_mutual: bool) -> Vec<String> {
        let friends = of(&mut pond.app.snapshot(), &user("amy"), is_mutual).await.unwrap();
        friends.iter().map(UserId::to_string).collect()
    }

    #[tokio::test]
    async fn friends_are_whom_one_follows_by_any_feed_and_mutual_ones_follow_back() {
        let pond = Pond::new();
        for feed in ["user:amy", "timeline:amy", "user:bob", "user:cat", "timeline:cat"] {
            pond.feed(feed).await;
        }
        pond.follow("timeline:amy", "user:bob").await;
        pond.follow("user:amy", "user:cat").await;
        pond.follow("timeline:amy", "user:amy").await;
        assert_eq!(friends(&pond, false).await, ["bob", "cat"]);
        assert_eq!(friends(&pond, true).await, Vec::<String>::new());
        pond.follow("timeline:cat", "user:amy").await;
        assert_eq!(friends(&pond, true).await, ["cat"]);
    }

    #[tokio::test]
    async fn all_reactions_of_friends_are_counted_and_the_newest_shown() {
        let pond = Pond::new();
        pond.add("a1", "amy", &["user:amy"]).await;
        for who in ["bob", "cat", "dan"] {
            let draft = reactions::Draft { user: user(who), kind: "like".into(), is_only: false, custom: None };
            let now = pond.tick();
            pond.write(async |tx| reactions::add(tx, &Object::Activity("a1".into()), &draft, now).await).await;
        }
        let friends = ["bob", "dan"].map(user).into();
        let found = reactions(&mut pond.app.snapshot(), "a1", &friends, 1).await.unwrap();
        let latest: Vec<_> = found.latest.iter().map(|given| given.user.as_str()).collect();
        assert_eq!((latest, found.count), (vec!["dan"], 2));
    }
}
