//! A format that changes holds for what arrives from then on (feeds-v1 §7).

use super::*;
use crate::feeds::groups::{self, PAST_FORMATS_MAX};

/// Gives the group of [`AMY`] this format.
async fn set(pond: &mut Pond, format: &str) {
    let group = Group { aggregation: Some(format.to_owned()), ..pond.app.groups["notification"].clone() };
    pond.app.write(async |tx| groups::replace(tx, "notification", &group).await).await.unwrap();
    let stored = groups::list(&mut pond.app.snapshot()).await.unwrap();
    let mut known = (*pond.app.groups).clone();
    known.extend(stored);
    pond.app.groups = Arc::new(known);
}

async fn names(pond: &Pond) -> Vec<(String, u32)> {
    pond.shown(AMY).await.into_iter().map(|(name, activities, _)| (name, activities)).collect()
}

#[tokio::test]
async fn what_arrived_before_a_change_of_the_format_stays_in_its_group() {
    let mut pond = Pond::new();
    set(&mut pond, "{{ verb }}").await;
    pond.by(AMY, "bob", "like", 1).await;
    set(&mut pond, "{{ actor }}").await;
    assert_eq!(names(&pond).await, [("like".to_owned(), 1)]);
    pond.by(AMY, "bob", "like", 2).await;
    pond.by(AMY, "bob", "follow", 3).await;
    assert_eq!(names(&pond).await, [("bob".to_owned(), 2), ("like".to_owned(), 1)]);
    set(&mut pond, "{{ verb }}").await;
    pond.by(AMY, "carl", "like", 4).await;
    assert_eq!(names(&pond).await, [("like".to_owned(), 2), ("bob".to_owned(), 2)]);
}

#[tokio::test]
async fn the_arrival_in_the_feed_decides_and_not_the_time_or_the_post() {
    let mut pond = Pond::new();
    set(&mut pond, "{{ verb }}").await;
    pond.by("user:bob", "bob", "old", 1).await;
    pond.follow(AMY, "user:bob").await;
    pond.by("user:carl", "carl", "older", 1).await;
    set(&mut pond, "{{ actor }}").await;
    pond.follow(AMY, "user:carl").await;
    pond.by(AMY, "dora", "late", -100).await;
    let mut names: Vec<String> = names(&pond).await.into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["carl", "dora", "old"]);
    // It leaves, and arrives again by another follow.
    pond.unfollow(AMY, "user:bob", false).await;
    pond.follow(AMY, "user:bob").await;
    let again = pond.shown(AMY).await;
    assert!(again.iter().any(|(name, ..)| name == "bob") && !again.iter().any(|(name, ..)| name == "old"), "{again:?}");
}

#[tokio::test]
async fn a_format_that_was_broken_put_nothing_in_groups() {
    let mut pond = Pond::new();
    set(&mut pond, "{{test[]}}").await;
    pond.by(AMY, "bob", "like", 1).await;
    set(&mut pond, "{{ verb }}").await;
    assert_eq!(names(&pond).await, [("like".to_owned(), 1)]);
}

#[tokio::test]
async fn a_group_remembers_a_few_formats_and_what_is_older_goes_by_the_oldest_of_them() {
    let mut pond = Pond::new();
    for n in 0..=PAST_FORMATS_MAX + 1 {
        set(&mut pond, &format!("format {n}")).await;
        pond.by(AMY, "bob", "like", i64::try_from(n).unwrap()).await;
    }
    let names = names(&pond).await;
    assert_eq!(names.len(), PAST_FORMATS_MAX + 1);
    assert_eq!((names[0].0.as_str(), names.last().unwrap()), ("format 9", &("format 1".to_owned(), 2)));
}

#[tokio::test]
async fn saying_the_same_again_changes_no_group() {
    let mut pond = Pond::new();
    set(&mut pond, "{{ verb }}").await;
    pond.by(AMY, "bob", "like", 1).await;
    set(&mut pond, "{{ verb }}").await;
    assert_eq!(pond.app.groups["notification"].past_formats, []);
}
