use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::feeds::{
    activities::Draft,
    model::Model,
    pond::{Pond, feed, feeds},
    targets::Retarget,
};

#[tokio::test]
async fn a_feed_shows_what_was_posted_newest_first() {
    let pond = Pond::new();
    pond.add("user:amy", "wakes").await;
    pond.add("user:amy", "skates").await;
    assert_snapshot!(pond.feed("user:amy").await, @r"
    skates
    wakes
    ");
    assert_snapshot!(pond.feed("user:bob").await, @"(empty)");
}

#[tokio::test]
async fn a_follow_brings_what_was_and_what_will_be_posted() {
    let pond = Pond::new();
    pond.add("user:amy", "wakes").await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.add("user:amy", "skates").await;
    assert_snapshot!(pond.feed("timeline:bob").await, @r"
    skates (from user:amy)
    wakes (from user:amy)
    ");
}

#[tokio::test]
async fn copies_do_not_travel_on() {
    let pond = Pond::new();
    pond.follow("user:bob", "user:amy").await;
    pond.follow("user:cid", "user:bob").await;
    pond.add("user:amy", "skates").await;
    assert_snapshot!(pond.feed("user:bob").await, @"skates (from user:amy)");
    assert_snapshot!(pond.feed("user:cid").await, @"(empty)");
}

#[tokio::test]
async fn unfollowing_removes_what_the_follow_brought() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.add("user:amy", "skates").await;
    pond.unfollow("timeline:bob", "user:amy", false).await;
    assert_snapshot!(pond.feed("timeline:bob").await, @"(empty)");
}

#[tokio::test]
async fn unfollowing_with_keep_history_keeps_what_came_and_brings_no_more() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.add("user:amy", "skates").await;
    pond.unfollow("timeline:bob", "user:amy", true).await;
    pond.add("user:amy", "rests").await;
    assert_snapshot!(pond.feed("timeline:bob").await, @"skates (from user:amy)");
}

#[tokio::test]
async fn the_copy_limit_counts_the_newest_of_what_was_posted_before() {
    let pond = Pond::new();
    for verb in ["one", "two", "three"] {
        pond.add("user:amy", verb).await;
    }
    pond.follow_with("timeline:bob", "user:amy", 2).await.unwrap();
    pond.follow_with("timeline:cid", "user:amy", 0).await.unwrap();
    pond.add("user:amy", "four").await;
    assert_snapshot!(pond.feed("timeline:bob").await, @r"
    four (from user:amy)
    three (from user:amy)
    two (from user:amy)
    ");
    assert_snapshot!(pond.feed("timeline:cid").await, @"four (from user:amy)");
}

#[tokio::test]
async fn a_back_dated_activity_reaches_a_follower_whatever_its_time() {
    let pond = Pond::new();
    for verb in ["one", "two", "three"] {
        pond.add("user:amy", verb).await;
    }
    pond.follow_with("timeline:bob", "user:amy", 1).await.unwrap();
    pond.add_draft("user:amy", &Draft { time: Some(Pond::at(-100_000)), ..Pond::draft("long ago") }).await;
    assert_snapshot!(pond.feed("timeline:bob").await, @r"
    three (from user:amy)
    long ago (from user:amy)
    ");
}

#[tokio::test]
async fn an_activity_that_comes_by_two_ways_shows_once_with_the_first_origin() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:bob", "topic:ice").await;
    let draft = Draft { foreign_id: "x".into(), time: Some(Pond::at(0)), ..Pond::draft("skates") };
    pond.add_draft("topic:ice", &draft).await;
    pond.add_draft("user:amy", &draft).await;
    assert_snapshot!(pond.feed("timeline:bob").await, @"skates (from topic:ice)");
    pond.unfollow("timeline:bob", "topic:ice", false).await;
    assert_snapshot!(pond.feed("timeline:bob").await, @"skates (from user:amy)");
}

#[tokio::test]
async fn targets_show_an_activity_as_their_own() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "topic:ice").await;
    pond.add_draft("user:amy", &Draft { to: feeds(&["topic:ice"]), ..Pond::draft("skates") }).await;
    assert_snapshot!(pond.feed("topic:ice").await, @"skates");
    assert_snapshot!(pond.feed("timeline:bob").await, @"skates (from topic:ice)");
}

#[tokio::test]
async fn of_the_feed_that_it_was_added_to_and_its_targets_an_activity_comes_from_the_first() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:bob", "topic:ice").await;
    pond.add_draft("user:amy", &Draft { to: feeds(&["topic:ice"]), ..Pond::draft("skates") }).await;
    assert_snapshot!(pond.feed("timeline:bob").await, @"skates (from user:amy)");
}

#[tokio::test]
async fn adding_to_many_feeds_reaches_no_follower_but_who_follows_later() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.add_to_many(&feeds(&["user:amy", "user:cid"]), &Pond::draft("announces")).await;
    pond.follow("timeline:eve", "user:amy").await;
    assert_snapshot!(pond.feed("user:amy").await, @"announces");
    assert_snapshot!(pond.feed("timeline:bob").await, @"(empty)");
    assert_snapshot!(pond.feed("timeline:eve").await, @"announces (from user:amy)");
}

#[tokio::test]
async fn removing_an_activity_takes_it_from_targets_and_followers() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "topic:ice").await;
    let id = pond.add_draft("user:amy", &Draft { to: feeds(&["topic:ice"]), ..Pond::draft("skates") }).await;
    pond.remove("user:amy", id).await;
    for name in ["user:amy", "topic:ice", "timeline:bob"] {
        assert_eq!(pond.feed(name).await, "(empty)", "{name}");
    }
}

#[tokio::test]
async fn a_cached_view_is_given_up_when_a_followed_feed_changes() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.add("user:amy", "wakes").await;
    let before = pond.app.views.timeline(&pond.app, &feed("timeline:bob")).await.unwrap().0;
    assert!(before.basis.is_true(&pond.app.views));
    pond.add("user:amy", "skates").await;
    assert!(!before.basis.is_true(&pond.app.views));
}

/// The kept timeline of `bob`, with what was posted since; `None` if it is merged anew.
async fn with_posts(pond: &Pond, kept: &Timeline) -> Option<Vec<Merged>> {
    let newer = kept.with_posts(&pond.app).await.unwrap()?;
    let built = build(&pond.app, &feed("timeline:bob")).await.unwrap();
    assert_eq!((&newer.head, newer.is_whole), (&built.head, built.is_whole));
    Some(newer.head.into())
}

/// A timeline that follows `user:amy` and `topic:ice`, with a row of each.
async fn kept() -> (Pond, Arc<Timeline>) {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:bob", "topic:ice").await;
    pond.add("user:amy", "wakes").await;
    pond.add("topic:ice", "melts").await;
    let kept = pond.app.views.timeline(&pond.app, &feed("timeline:bob")).await.unwrap().0;
    (pond, kept)
}

#[tokio::test]
async fn new_posts_go_in_front_of_what_was_merged_before() {
    let (pond, kept) = kept().await;
    pond.add("user:amy", "skates").await;
    pond.add("topic:ice", "freezes").await;
    let draft = Draft { to: feeds(&["topic:ice"]), ..Pond::draft("falls") };
    pond.add_draft("user:amy", &draft).await;
    let head = with_posts(&pond, &kept).await.expect("only posts came");
    assert_eq!(head.len(), 5);
    let kept = pond.app.views.timeline(&pond.app, &feed("timeline:bob")).await.unwrap().0;
    assert!(!kept.is_whole, "what is kept is full");
    pond.add("user:amy", "rests").await;
    pond.add("topic:ice", "cracks").await;
    let head = with_posts(&pond, &kept).await.expect("only posts came");
    assert_eq!(head[2..], kept.head[..HEAD_ROWS - 2], "older ones are pushed out");
}

#[tokio::test]
async fn a_timeline_is_merged_anew_when_more_than_posts_changed() {
    let (pond, kept) = kept().await;
    pond.follow("timeline:bob", "user:cid").await;
    assert_eq!(with_posts(&pond, &kept).await, None, "a follow");

    let (pond, kept) = self::kept().await;
    let id = pond.add("user:amy", "skates").await;
    pond.remove("user:amy", id).await;
    assert_eq!(with_posts(&pond, &kept).await, None, "a removal");

    let (pond, kept) = self::kept().await;
    let id = kept.head[0].id;
    pond.retarget("topic:ice", id, Retarget::Replace(feeds(&["user:amy"]))).await.unwrap();
    assert_eq!(with_posts(&pond, &kept).await, None, "another way to what it shows");
}

/// One call of a random history.
#[derive(Clone, Debug)]
enum Step {
    Add { feed: usize, name: usize, second: i64, to: Vec<usize> },
    AddToMany { feeds: Vec<usize>, name: usize, second: i64 },
    Remove { feed: usize, name: usize, second: i64 },
    Retarget { feed: usize, name: usize, second: i64, to: Vec<usize> },
    Follow { feed: usize, target: usize, copy_limit: usize },
    Unfollow { feed: usize, target: usize, keeps_history: bool },
}

/// Few feeds, so that histories meet; timelines first, because they follow more.
const FEEDS: [&str; 6] = ["timeline:a", "timeline:b", "user:a", "user:b", "topic:a", "user:c"];

/// Seconds around the start: some close together, some so far back that they count as late.
fn second() -> impl Strategy<Value = i64> {
    prop_oneof![0..40_i64, -400..400_i64, (0..8_i64).prop_map(|n| n * 100_000 - 400_000)]
}

fn step() -> impl Strategy<Value = Step> {
    let (every, to) = (0..FEEDS.len(), prop::collection::vec(2..FEEDS.len(), 0..3));
    prop_oneof![
        6 => (2..FEEDS.len(), 0..3_usize, second(), to.clone()).prop_map(|(feed, name, second, to)| Step::Add { feed, name, second, to }),
        1 => (every.clone(), 0..3_usize, second(), to.clone()).prop_map(|(feed, name, second, to)| Step::Add { feed, name, second, to }),
        1 => (to.clone(), 0..3_usize, second()).prop_map(|(feeds, name, second)| Step::AddToMany { feeds, name, second }),
        2 => (every.clone(), 0..3_usize, second()).prop_map(|(feed, name, second)| Step::Remove { feed, name, second }),
        1 => (every.clone(), 0..3_usize, second(), to).prop_map(|(feed, name, second, to)| Step::Retarget { feed, name, second, to }),
        4 => (every.clone(), every.clone(), 0..6_usize).prop_map(|(feed, target, copy_limit)| Step::Follow { feed, target, copy_limit }),
        3 => (every.clone(), every, any::<bool>()).prop_map(|(feed, target, keeps_history)| Step::Unfollow { feed, target, keeps_history }),
    ]
}

fn distinct(to: &[usize]) -> Vec<FeedId> {
    let mut all: Vec<FeedId> = Vec::new();
    for name in to.iter().map(|&at| feed(FEEDS[at])) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// Names and times used so far, so that removals and updates of targets meet what is there.
fn nearest(ids: &[(ActivityId, usize, i64)], name: usize, second: i64) -> Option<ActivityId> {
    ids.iter().min_by_key(|(_, known, at)| (known.abs_diff(name), at.abs_diff(second))).map(|(id, ..)| *id)
}

async fn run(pond: &Pond, model: &mut Model, ids: &mut Vec<(ActivityId, usize, i64)>, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Add { feed: at, name, second, to } => {
                let to: Vec<FeedId> = distinct(to).into_iter().filter(|target| target.as_str() != FEEDS[*at]).collect();
                let draft = Draft {
                    foreign_id: format!("f{name}"),
                    time: Some(Pond::at(*second)),
                    to: to.clone(),
                    ..Pond::draft("does")
                };
                let id = pond.add_draft(FEEDS[*at], &draft).await;
                model.add(&feed(FEEDS[*at]), id, &to);
                ids.push((id, *name, *second));
            }
            Step::AddToMany { feeds, name, second } => {
                let feeds = distinct(feeds);
                let draft =
                    Draft { foreign_id: format!("f{name}"), time: Some(Pond::at(*second)), ..Pond::draft("does") };
                let id = pond.add_to_many(&feeds, &draft).await;
                model.add_to_many(&feeds, id);
                ids.push((id, *name, *second));
            }
            Step::Remove { feed: at, name, second } => {
                if let Some(id) = nearest(ids, *name, *second) {
                    pond.remove(FEEDS[*at], id).await;
                    model.remove(&feed(FEEDS[*at]), id);
                }
            }
            Step::Retarget { feed: at, name, second, to } => {
                if let Some(id) = nearest(ids, *name, *second) {
                    let to = distinct(to);
                    // Refused when the feed does not hold the activity; the model then does nothing either.
                    let _refused = pond.retarget(FEEDS[*at], id, Retarget::Replace(to.clone())).await;
                    model.retarget(&feed(FEEDS[*at]), id, &to);
                }
            }
            Step::Follow { feed: at, target, copy_limit } if at != target => {
                pond.follow_with(FEEDS[*at], FEEDS[*target], *copy_limit).await.unwrap();
                model.follow(&feed(FEEDS[*at]), &feed(FEEDS[*target]), *copy_limit);
            }
            Step::Follow { .. } => {}
            Step::Unfollow { feed: at, target, keeps_history } => {
                pond.unfollow(FEEDS[*at], FEEDS[*target], *keeps_history).await;
                model.unfollow(&feed(FEEDS[*at]), &feed(FEEDS[*target]), *keeps_history);
            }
        }
    }
}

type Seen = Vec<(ActivityId, Option<FeedId>)>;

async fn seen(pond: &Pond, of: &str, part: &Part) -> (Seen, bool) {
    let page = pond.page(of, part).await;
    (page.rows.into_iter().map(|row| (row.id, row.origin)).collect(), page.more)
}

/// The part of a whole timeline that `part` asks for, computed the plain way.
fn expected(whole: &Seen, part: &Part) -> (Seen, bool) {
    let inside = |id: &ActivityId| {
        (if part.with_below { *id <= part.below } else { *id < part.below })
            && (if part.with_above { *id >= part.above } else { *id > part.above })
    };
    let rows: Seen = whole.iter().filter(|(id, _)| inside(id)).cloned().collect();
    let more = rows.len() > part.offset + part.limit;
    (rows.into_iter().skip(part.offset).take(part.limit).collect(), more)
}

/// Every part that begins or ends at a row, or skips to it.
fn parts(whole: &Seen) -> Vec<Part> {
    let mut parts = vec![Part::newest(1), Part::newest(100), Part { offset: whole.len(), ..Part::newest(3) }];
    for (at, (id, _)) in whole.iter().enumerate() {
        for limit in [1, 3, 100] {
            parts.push(Part { offset: at, ..Part::newest(limit) });
            for with in [true, false] {
                parts.push(Part { below: *id, with_below: with, ..Part::newest(limit) });
                parts.push(Part { above: *id, with_above: with, ..Part::newest(limit) });
            }
        }
        let other = whole[whole.len() - 1 - at].0;
        parts.push(Part { below: *id, above: other, ..Part::newest(2) });
        parts.push(Part { below: *id, above: *id, ..Part::newest(1) });
        parts.push(Part { below: *id, offset: 2, ..Part::newest(2) });
    }
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn timelines_show_what_copying_would_show_at_every_page_boundary(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (pond, mut model) = (Pond::new(), Model::default());
            run(&pond, &mut model, &mut Vec::new(), &steps).await;
            for name in FEEDS {
                let whole = model.read(&feed(name));
                for part in parts(&whole) {
                    prop_assert_eq!(seen(&pond, name, &part).await, expected(&whole, &part), "{} {:?}", name, part);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_view_that_was_read_before_every_step_shows_the_same(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (pond, mut model) = (Pond::new(), Model::default());
            let mut ids = Vec::new();
            for at in 0..steps.len() {
                run(&pond, &mut model, &mut ids, &steps[at..=at]).await;
                for name in FEEDS {
                    let part = Part::newest(100);
                    prop_assert_eq!(seen(&pond, name, &part).await.0, model.read(&feed(name)), "{}", name);
                }
            }
            Ok(())
        })?;
    }
}
