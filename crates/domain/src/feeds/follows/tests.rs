use super::*;
use crate::feeds::pond::{Pond, broken, feed};

#[tokio::test]
async fn lists_show_the_latest_first() {
    let pond = Pond::new();
    for target in ["user:b", "user:a", "user:c"] {
        pond.follow("timeline:bob", target).await;
        pond.follow(&target.replace("user", "timeline"), "user:amy").await;
    }
    assert_eq!(pond.following("timeline:bob").await, ["user:c", "user:a", "user:b"]);
    assert_eq!(pond.followers("user:amy").await, ["timeline:c", "timeline:a", "timeline:b"]);
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let pond = Pond::new();
    for number in 0..7 {
        pond.follow("timeline:bob", &format!("user:{number}")).await;
    }
    let mut tx = pond.app.snapshot();
    let page = following(&mut tx, &feed("timeline:bob"), Part { limit: 2, offset: 3 }).await.unwrap();
    assert_eq!(page.iter().map(|one| one.target.as_str()).collect::<Vec<_>>(), ["user:3", "user:2"]);
    let pair = |target: &str| (feed("timeline:bob"), feed(target));
    let some = among(&mut tx, &[pair("user:1"), pair("user:99"), pair("user:4"), pair("user:1")]).await.unwrap();
    assert_eq!(some.iter().map(|one| one.target.as_str()).collect::<Vec<_>>(), ["user:4", "user:1"]);
}

#[tokio::test]
async fn following_twice_changes_nothing() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    let first = followers(&mut pond.app.snapshot(), &feed("user:amy"), Part { limit: 9, offset: 0 }).await.unwrap();
    pond.follow("timeline:bob", "user:amy").await;
    let again = followers(&mut pond.app.snapshot(), &feed("user:amy"), Part { limit: 9, offset: 0 }).await.unwrap();
    assert_eq!(first, again);
}

#[tokio::test]
async fn unfollowing_takes_the_follow_from_both_lists_whether_or_not_history_is_kept() {
    let pond = Pond::new();
    for keeps_history in [true, false] {
        pond.follow("timeline:bob", "user:amy").await;
        pond.unfollow("timeline:bob", "user:amy", keeps_history).await;
        assert!(pond.following("timeline:bob").await.is_empty() && pond.followers("user:amy").await.is_empty());
    }
    pond.unfollow("timeline:bob", "user:nobody", false).await;
}

#[tokio::test]
async fn statistics_count_by_group() {
    let pond = Pond::new();
    for follower in ["timeline:a", "timeline:b", "user:c"] {
        pond.follow(follower, "user:amy").await;
    }
    pond.follow("timeline:a", "topic:ice").await;
    pond.unfollow("timeline:b", "user:amy", true).await;
    let mut tx = pond.app.snapshot();
    let groups = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let amy = feed("user:amy");
    assert_eq!(count_followers(&mut tx, &amy, &[]).await.unwrap(), 2);
    assert_eq!(count_followers(&mut tx, &amy, &groups(&["timeline"])).await.unwrap(), 1);
    assert_eq!(count_followers(&mut tx, &amy, &groups(&["news"])).await.unwrap(), 0);
    assert_eq!(count_following(&mut tx, &feed("timeline:a"), &[]).await.unwrap(), 2);
    assert_eq!(count_following(&mut tx, &feed("timeline:a"), &groups(&["topic"])).await.unwrap(), 1);
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused() {
    let pond = Pond::new();
    let refused = async |source: &str, target: &str| broken(pond.follow_with(source, target, 0).await);
    assert_eq!(refused("user:amy", "user:amy").await, "`user:amy` cannot follow itself");
    assert_eq!(refused("user:amy", "nowhere:bob").await, "no feed group `nowhere`; create it first");
    assert_eq!(
        refused("user:amy", "notification:bob").await,
        "`notification:bob` cannot be followed: its group is not flat"
    );
}

#[tokio::test]
async fn history_can_be_kept_a_limited_number_of_times() {
    let pond = Pond::new();
    for _ in 0..SPANS_MAX {
        pond.follow("timeline:bob", "user:amy").await;
        pond.unfollow("timeline:bob", "user:amy", true).await;
    }
    let refused = broken(pond.follow_with("timeline:bob", "user:amy", 0).await);
    assert!(refused.contains("unfollow it once without keep_history"), "{refused}");
    pond.unfollow("timeline:bob", "user:amy", false).await;
    pond.follow("timeline:bob", "user:amy").await;
}

#[tokio::test]
async fn a_follow_of_a_busy_feed_does_not_conflict_with_its_posts() {
    let pond = Pond::new();
    pond.add("user:amy", "one").await;
    let now = pond.tick();
    let draft = Draft { feed: feed("timeline:bob"), target: feed("user:amy"), copy_limit: 5 };
    let mut follow = pond.app.tx(pond.app.store.begin());
    add(&mut follow, &draft, now).await.unwrap();
    pond.add("user:amy", "two").await;
    pond.app.store.commit(follow.inner, store::Durability::Synced).await.unwrap();
    assert_eq!(pond.feed("timeline:bob").await, "two (from user:amy)\none (from user:amy)");
}
