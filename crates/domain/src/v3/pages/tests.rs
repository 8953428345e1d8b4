use ids::Timestamp;

use super::*;
use crate::{
    filter::Filter,
    v3::{
        groups::{Group, Selector},
        marks,
        pond::{Pond, fid, user},
        ranking,
    },
};

fn group(kinds: &[&str]) -> Group {
    Group { selectors: Some(kinds.iter().map(|kind| Selector::new(kind)).collect()), ..Group::default() }
}

async fn picked(pond: &Pond, feed: &str, group: &Group, marks: &Marks) -> (Recipe, Vec<Picked>) {
    let now = pond.tick();
    let recipe = Recipe::of(group, now).unwrap();
    let feed = pond.feed(feed).await;
    let filter = Filter::default();
    let place = timelines::Place::First;
    let wanted = Wanted { limit: 20, place, filter: &filter, viewer: None, without: None, now };
    let moment = ranking::moment(now, 7, None).unwrap();
    let reader =
        Reader { interests: Interests::default(), moment, marks, suggested: HashSet::new(), around: Around::Nowhere };
    let picked = gather(&pond.app, &feed, &recipe, &wanted, &reader).await.unwrap();
    (recipe, picked)
}

fn ids(picked: &[Picked]) -> String {
    picked.iter().map(|one| one.found.activity.id.as_str()).collect::<Vec<_>>().join(" ")
}

async fn pond() -> Pond {
    let pond = Pond::new();
    for (id, author) in [("a1", "amy"), ("b1", "bob"), ("a2", "amy")] {
        pond.add(id, author, &["user:amy"]).await;
    }
    pond
}

#[tokio::test]
async fn a_formula_orders_by_its_scores() {
    let pond = pond().await;
    let oldest = r#"{"type":"expression","score":"0 - time"}"#.to_owned();
    let ranked = Group { ranking: Some(oldest), ..group(&["current_feed"]) };
    let (_, picked) = picked(&pond, "user:amy", &ranked, &Marks::default()).await;
    assert_eq!(ids(&picked), "a1 b1 a2");
    assert!(picked[0].score > picked[2].score && picked[0].variables.contains_key("time"));
}

#[tokio::test]
async fn several_selectors_select_each_activity_once_and_private_feeds_never_leak() {
    let pond = pond().await;
    pond.add("c1", "cat", &["user:cat"]).await;
    let private = feeds::Input { visibility: Some(feeds::Visibility::Private), ..feeds::Input::default() };
    pond.feed_with("user:dan", &private).await;
    pond.add("d1", "dan", &["user:dan"]).await;
    let (_, all) = picked(&pond, "user:amy", &group(&["current_feed", "query"]), &Marks::default()).await;
    assert_eq!(ids(&all), "c1 a2 b1 a1");
    let (_, popular) = picked(&pond, "user:amy", &group(&["popular"]), &Marks::default()).await;
    assert_eq!(ids(&popular), "", "five points are the least");
}

#[tokio::test]
async fn groups_are_named_by_the_format_and_counted() {
    let pond = pond().await;
    let by_user = r#"{"format":"{{ user_id }}"}"#.to_owned();
    let grouped = Group { aggregation: Some(by_user), ..group(&["current_feed"]) };
    let (recipe, picked) = picked(&pond, "user:amy", &grouped, &Marks::default()).await;
    let bundles = bundles(picked, &recipe, recipe.grouping.as_ref().unwrap(), &Marks::default());
    let seen: Vec<_> = bundles.iter().map(|one| (one.name.as_str(), one.activity_count, ids(&one.picked))).collect();
    assert_eq!(seen, [("amy", 2, "a2 a1".to_owned()), ("bob", 1, "b1".to_owned())]);
    assert!(!bundles[0].is_read && bundles[0].user_count == 1 && bundles[0].created_at < bundles[0].updated_at);
}

#[tokio::test]
async fn stories_come_oldest_first_and_watched_ones_can_be_left_out() {
    let pond = pond().await;
    let stories = r#"{"track_watched":true,"skip_watched":true}"#.to_owned();
    let by_user = r#"{"format":"{{ user_id }}"}"#.to_owned();
    let group = Group { aggregation: Some(by_user), stories: Some(stories), ..group(&["current_feed"]) };
    let marking = marks::Marking { watched: vec!["b1".to_owned()], ..marks::Marking::default() };
    let (amy, now) = (user("amy"), pond.tick());
    let feed = fid("user:amy");
    pond.app.write(async |tx| marks::mark(tx, None, &feed, &amy, (&marking, "{}"), now).await).await.unwrap();
    let stream = pond.feed("user:amy").await.stream;
    let noted = marks::load(&mut pond.app.snapshot(), &amy, &stream).await.unwrap();
    let (recipe, picked) = picked(&pond, "user:amy", &group, &noted).await;
    let bundles = bundles(picked, &recipe, recipe.grouping.as_ref().unwrap(), &noted);
    assert_eq!((bundles.len(), ids(&bundles[0].picked)), (1, "a1 a2".to_owned()));
}

#[tokio::test]
async fn what_comes_after_all_was_read_is_new() {
    let pond = pond().await;
    let (amy, now) = (user("amy"), pond.tick());
    let (feed, marking) = (fid("user:amy"), marks::Marking { all_read: true, ..marks::Marking::default() });
    pond.app.write(async |tx| marks::mark(tx, None, &feed, &amy, (&marking, "{}"), now).await).await.unwrap();
    pond.add("a3", "amy", &["user:amy"]).await;
    let stream = pond.feed("user:amy").await.stream;
    let noted = marks::load(&mut pond.app.snapshot(), &amy, &stream).await.unwrap();
    let (_, picked) = picked(&pond, "user:amy", &group(&["current_feed"]), &noted).await;
    let is_read = |one: &Picked| noted.cover(Kind::Read, &one.found.activity.id, one.found.activity.created_at);
    let unread: Vec<_> = picked.iter().filter(|one| !is_read(one)).cloned().collect();
    assert_eq!((ids(&unread), noted.last(Kind::Read), noted.last(Kind::Seen)), ("a3".to_owned(), Some(now), None));
    let bob = marks::load(&mut pond.app.snapshot(), &user("bob"), &stream).await.unwrap();
    assert_eq!(bob.last(Kind::Read), None::<Timestamp>);
}
