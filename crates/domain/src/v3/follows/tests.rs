use ids::FeedId;

use super::*;
use crate::v3::{
    activities,
    feeds::{Counts, Input, Visibility, counts, delete},
    pond::{Pond, broken, draft, fid, user},
};

async fn counted(pond: &Pond, id: &str) -> Counts {
    let mut tx = pond.app.snapshot();
    let feed = feeds::load(&mut tx, &fid(id)).await.unwrap();
    counts(&mut tx, &feed.stream).await.unwrap()
}

async fn clear(pond: &Pond, id: &str, is_hard: bool, purges: bool) {
    let (fid, now) = (fid(id), pond.tick());
    let leaving = pond.app.write(async |tx| delete::mark(tx, &fid, is_hard, None, now).await).await.unwrap();
    delete::run(&pond.app, &delete::Deletion { feeds: vec![leaving], is_hard, purges }, now).await;
}

fn open(visibility: Visibility) -> Input {
    Input { visibility: Some(visibility), ..Input::default() }
}

#[tokio::test]
async fn a_timeline_shows_what_the_followed_feeds_hold_and_a_user_feed_shows_its_own_alone() {
    let pond = Pond::new();
    for id in ["timeline:bob", "user:bob", "user:amy"] {
        pond.feed(id).await;
    }
    pond.add("a1", "amy", &["user:amy"]).await;
    assert!(pond.follow("timeline:bob", "user:amy").await.is_new);
    pond.follow("user:bob", "user:amy").await;
    pond.add("a2", "amy", &["user:amy"]).await;
    assert_eq!(pond.read("timeline:bob").await, "a2 a1");
    assert_eq!(pond.read("user:bob").await, "");
}

#[tokio::test]
async fn what_was_posted_before_comes_as_far_as_the_copy_limit_goes() {
    let pond = Pond::new();
    for id in ["timeline:bob", "timeline:cat", "timeline:dan", "user:amy"] {
        pond.feed(id).await;
    }
    for n in 1..=3 {
        pond.add(&format!("a{n}"), "amy", &["user:amy"]).await;
    }
    for (source, copy_limit) in [("timeline:bob", None), ("timeline:cat", Some(0)), ("timeline:dan", Some(2))] {
        let draft = Draft { copy_limit, ..Draft::new(fid(source), fid("user:amy")) };
        pond.try_follow(None, &draft).await.unwrap();
    }
    pond.add("a4", "amy", &["user:amy"]).await;
    let read = [pond.read("timeline:bob").await, pond.read("timeline:cat").await, pond.read("timeline:dan").await];
    assert_eq!(read, ["a4 a3 a2 a1", "a4", "a4 a3 a2"]);
}

#[tokio::test]
async fn unfollowing_removes_what_the_follow_brought_unless_its_history_is_kept() {
    let pond = Pond::new();
    for id in ["timeline:bob", "timeline:cat", "user:amy"] {
        pond.feed(id).await;
    }
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:cat", "user:amy").await;
    pond.add("a1", "amy", &["user:amy"]).await;
    assert!(pond.unfollow("timeline:bob", "user:amy", false).await);
    assert!(pond.unfollow("timeline:cat", "user:amy", true).await);
    assert!(!pond.unfollow("timeline:cat", "user:amy", true).await, "there is no follow any more");
    pond.add("a2", "amy", &["user:amy"]).await;
    assert_eq!((pond.read("timeline:bob").await, pond.read("timeline:cat").await), ("".into(), "a1".into()));
}

#[tokio::test]
async fn a_feed_that_asks_waits_until_it_is_accepted() {
    let pond = Pond::new();
    pond.feed("timeline:bob").await;
    pond.feed_with("user:amy", &open(Visibility::Followers)).await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let asked = pond.follow("timeline:bob", "user:amy").await;
    assert_eq!((asked.edge.follow.status, pond.read("timeline:bob").await), (Status::Pending, String::new()));
    let (source, target, now) = (fid("timeline:bob"), fid("user:amy"), pond.tick());
    let bob = user("bob");
    let by_bob = pond.app.write(async |tx| accept(tx, Some(&bob), (&source, &target), None, now).await).await;
    assert!(broken(by_bob).contains("belongs to another user"));
    pond.write(async |tx| accept(tx, None, (&source, &target), None, now).await).await;
    assert_eq!(pond.read("timeline:bob").await, "a1");
    assert_eq!((counted(&pond, "user:amy").await.followers, counted(&pond, "timeline:bob").await.following), (1, 1));
}

#[tokio::test]
async fn who_was_rejected_may_ask_again() {
    let pond = Pond::new();
    pond.feed("timeline:bob").await;
    pond.feed_with("user:amy", &open(Visibility::Followers)).await;
    pond.follow("timeline:bob", "user:amy").await;
    let (source, target, now) = (fid("timeline:bob"), fid("user:amy"), pond.tick());
    pond.write(async |tx| reject(tx, None, (&source, &target), now).await).await;
    let again = pond.follow("timeline:bob", "user:amy").await;
    assert_eq!((again.is_new, again.edge.follow.status), (true, Status::Pending));
}

#[tokio::test]
async fn following_twice_changes_nothing_and_itself_nobody_follows() {
    let pond = Pond::new();
    pond.feed("timeline:bob").await;
    pond.feed("user:amy").await;
    pond.follow("timeline:bob", "user:amy").await;
    assert!(!pond.follow("timeline:bob", "user:amy").await.is_new);
    assert_eq!(counted(&pond, "user:amy").await.followers, 1);
    let itself = Draft::new(fid("user:amy"), fid("user:amy"));
    assert!(broken(pond.try_follow(None, &itself).await).contains("cannot follow itself"));
}

#[tokio::test]
async fn what_is_private_or_for_members_is_not_followed_by_others() {
    let pond = Pond::new();
    pond.feed("timeline:bob").await;
    for visibility in [Visibility::Private, Visibility::Members] {
        let id = format!("user:{}", visibility.name());
        pond.feed_with(&id, &open(visibility)).await;
        let draft = Draft::new(fid("timeline:bob"), fid(&id));
        assert!(broken(pond.try_follow(Some("bob"), &draft).await).contains("may not follow"), "{id}");
    }
}

#[tokio::test]
async fn nobody_follows_in_anothers_name() {
    let pond = Pond::new();
    pond.feed("timeline:bob").await;
    pond.feed("user:amy").await;
    let draft = Draft::new(fid("timeline:bob"), fid("user:amy"));
    assert!(broken(pond.try_follow(Some("cat"), &draft).await).contains("belongs to another user"));
}

#[tokio::test]
async fn a_hard_deleted_feed_takes_its_follows_and_what_stands_in_no_other_feed() {
    let pond = Pond::new();
    pond.feed("timeline:bob").await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.add("a2", "amy", &["user:amy", "user:hiking"]).await;
    pond.follow("timeline:bob", "user:amy").await;
    clear(&pond, "user:amy", true, false).await;
    assert_eq!((pond.read("timeline:bob").await, pond.read("user:hiking").await), (String::new(), "a2".into()));
    assert_eq!(counted(&pond, "timeline:bob").await.following, 0);
    let mut tx = pond.app.snapshot();
    assert!(activities::get_any(&mut tx, "a1").await.unwrap().is_none());
    let (_, left) = activities::load(&mut tx, "a2").await.unwrap();
    assert_eq!(left.feeds, [fid("user:hiking")]);
}

#[tokio::test]
async fn purging_takes_the_owners_activities_out_of_other_feeds_too() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy", "user:hiking"]).await;
    pond.try_add(None, &draft("b1", "bob", &["user:amy", "user:hiking"])).await.unwrap();
    clear(&pond, "user:amy", true, true).await;
    assert_eq!(pond.read("user:hiking").await, "b1");
}

#[tokio::test]
async fn a_soft_deleted_feed_reads_as_absent_and_made_again_it_is_new_and_empty() {
    let pond = Pond::new();
    pond.add("a1", "amy", &["user:amy"]).await;
    let before = pond.feed("user:amy").await.stream;
    clear(&pond, "user:amy", false, false).await;
    let absent = feeds::load(&mut pond.app.snapshot(), &fid("user:amy")).await;
    assert!(broken(absent).contains("not found"));
    let after: FeedId = pond.feed("user:amy").await.stream;
    assert_ne!(before, after);
    assert_eq!(pond.read("user:amy").await, "");
    // The activity is marked, and a restore finds no feed to go to.
    let now = pond.tick();
    let (_, activity) = pond.write(async |tx| activities::restore(tx, None, "a1", now).await).await;
    assert_eq!(activity.feeds, [fid("user:amy")]);
}

#[tokio::test]
async fn every_change_of_a_follow_is_told_once() {
    let pond = Pond::new();
    pond.feed("timeline:bob").await;
    pond.feed("user:amy").await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.unfollow("timeline:bob", "user:amy", false).await;
    pond.unfollow("timeline:bob", "user:amy", false).await;
    let told = pond.told().await;
    let of_follows: Vec<_> = told.iter().filter(|kind| kind.starts_with("feeds.follow.")).collect();
    assert_eq!(of_follows, ["feeds.follow.created", "feeds.follow.deleted"]);
}
