//! Who hears of what is posted to a feed, page by page: for who must tell each of them (feeds-v1 §9.2).

use ids::{FeedId, Timestamp};
use store::{Direction, Limit, Stamp};

use super::{Follow, Span};
use crate::{
    Result, Tx,
    keyspace::{FOLLOWER_ORDER, FOLLOWING, Feed, Latest},
};

/// Where a page ended.
pub type Reached = (Timestamp, FeedId);

impl Span {
    /// Whether it brings what is posted at `stamp`.
    fn is_open_at(&self, stamp: Stamp) -> bool {
        Stamp(self.since) < stamp && self.until.is_none_or(|until| stamp <= Stamp(until))
    }
}

impl Follow {
    /// Whether what is posted to the followed feed at `stamp` comes to the follower, and is not a copy of what was there.
    pub fn brings(&self, stamp: Stamp) -> bool {
        self.is_active && self.spans.iter().any(|span| span.is_open_at(stamp))
    }
}

/// A page of the feeds that follow `target`, and followed it when something was posted to it at `stamp`; the latest follow
/// first. Where it ended, if more may follow.
///
/// # Errors
/// When the store fails.
pub async fn hearers(
    tx: &mut Tx,
    target: &FeedId,
    stamp: Stamp,
    after: Option<Reached>,
    rows_max: usize,
) -> Result<(Vec<FeedId>, Option<Reached>)> {
    let (tenant, target) = (tx.tenant(), Feed(target.clone()));
    let mut range = FOLLOWER_ORDER.prefix(tenant, &target);
    if let Some((at, feed)) = after {
        range.start = store::key::after(FOLLOWER_ORDER.key(tenant, &(target.clone(), Latest(at), Feed(feed))));
    }
    let page = FOLLOWER_ORDER.scan(tx, tenant, range, Direction::Forward, Limit::rows(rows_max)).await?;
    let last = page.rows.last().map(|((_, Latest(at), Feed(feed)), ())| (*at, feed.clone()));
    let pairs: Vec<(Feed, Feed)> = page.rows.into_iter().map(|((_, _, feed), ())| (feed, target.clone())).collect();
    let follows = FOLLOWING.get_many(tx, tenant, &pairs).await?;
    let hears = |follow: &Option<Follow>| follow.as_ref().is_some_and(|follow| follow.brings(stamp));
    let heard = pairs.into_iter().zip(follows).filter(|(_, follow)| hears(follow));
    let feeds = heard.map(|((Feed(feed), _), _)| feed).collect();
    Ok((feeds, last.filter(|_| page.more)))
}

/// Whether one of `targets`, at `stamp`, brought what was posted to it to `feed`.
///
/// # Errors
/// When the store fails.
pub async fn hears_one(tx: &mut Tx, feed: &FeedId, targets: &[&FeedId], stamp: Stamp) -> Result<bool> {
    let tenant = tx.tenant();
    let pairs: Vec<_> = targets.iter().map(|target| (Feed(feed.clone()), Feed((*target).clone()))).collect();
    let follows = FOLLOWING.get_many(tx, tenant, &pairs).await?;
    Ok(follows.into_iter().flatten().any(|follow| follow.brings(stamp)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::pond::{Pond, feed};

    async fn all(pond: &Pond, stamp: Stamp) -> Vec<String> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let mut tx = pond.app.snapshot();
            let (page, reached) = hearers(&mut tx, &feed("user:amy"), stamp, after, 2).await.unwrap();
            found.extend(page.into_iter().map(|feed| feed.to_string()));
            after = reached;
            if after.is_none() {
                return found;
            }
        }
    }

    #[tokio::test]
    async fn who_followed_at_the_time_and_still_does_hears_of_a_post() {
        let pond = Pond::new();
        for name in ["a", "b", "c", "d"] {
            pond.follow(&format!("timeline:{name}"), "user:amy").await;
        }
        pond.add("user:amy", "skates").await;
        let posted = pond.app.store.published();
        pond.follow("timeline:late", "user:amy").await;
        pond.unfollow("timeline:b", "user:amy", true).await;
        pond.unfollow("timeline:c", "user:amy", false).await;
        assert_eq!(all(&pond, posted).await, ["timeline:d", "timeline:a"]);
        assert_eq!(all(&pond, Stamp(posted.0 + 100)).await, ["timeline:late", "timeline:d", "timeline:a"]);
        let mut tx = pond.app.snapshot();
        let (amy, bob) = (feed("user:amy"), feed("user:bob"));
        assert!(hears_one(&mut tx, &feed("timeline:a"), &[&bob, &amy], posted).await.unwrap());
        assert!(!hears_one(&mut tx, &feed("timeline:late"), &[&bob, &amy], posted).await.unwrap());
    }
}
