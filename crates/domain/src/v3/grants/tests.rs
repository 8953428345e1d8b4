//! The facts of grants.

use super::*;
use crate::v3::{
    feeds,
    follows::Draft,
    permit,
    pond::{Pond, fid, user},
};

fn grants(json: &str) -> Grants {
    Grants::parse(&Object::parse(json).unwrap()).unwrap()
}

async fn set_visible(pond: &Pond, json: &str) {
    let granted = grants(json);
    let run = pond.write(async |tx| {
        set(tx, Visibility::Visible, &granted);
        Ok(())
    });
    run.await;
}

async fn can(pond: &Pond, feed: &Feed, id: &str) -> String {
    permit::capabilities(&mut pond.app.snapshot(), feed, &user(id)).await.unwrap().join(" ")
}

#[test]
fn what_is_no_capability_or_no_list_of_them_is_refused() {
    for (json, rule) in [
        (r#"{"user":["fly"]}"#, "fly"),
        (r#"{"user":"read-feed"}"#, "lists"),
        (r#"{"":[]}"#, "name roles"),
        (r#"{"user":[1]}"#, "lists"),
    ] {
        let error = Grants::parse(&Object::parse(json).unwrap()).unwrap_err().to_string();
        assert!(error.contains(rule), "{json}: {error}");
    }
    let many: Vec<String> = (0..=ROLES_MAX).map(|n| format!(r#""r{n}":[]"#)).collect();
    assert!(Grants::parse(&Object::parse(&format!("{{{}}}", many.join(","))).unwrap()).is_err());
}

#[test]
fn the_capabilities_are_each_once_and_in_order() {
    assert!(CAPABILITIES.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn what_is_usual_names_capabilities_only() {
    let pond = Pond::new();
    let feed = pond.feed("user:amy").await;
    let usual = can(&pond, &feed, "amy").await;
    assert!(usual.contains("pin-activity"));
    assert!(usual.split(' ').all(|id| CAPABILITIES.contains(&id)), "{usual}");
}

#[tokio::test]
async fn a_user_may_what_any_role_of_the_user_may_and_nothing_else() {
    let pond = Pond::new();
    let feed = pond.feed("user:amy").await;
    pond.feed("timeline:bob").await;
    set_visible(&pond, r#"{"user":["read-feed"],"feed_follower":["add-comment"],"feed_owner":["update-feed"]}"#).await;
    assert_eq!(can(&pond, &feed, "amy").await, "read-feed update-feed");
    assert_eq!(can(&pond, &feed, "bob").await, "read-feed");
    pond.follow("timeline:bob", "user:amy").await;
    assert_eq!(can(&pond, &feed, "bob").await, "add-comment read-feed");
    // Feeds that are seen otherwise are as they were.
    let public = feeds::Input { visibility: Some(Visibility::Public), ..feeds::Input::default() };
    let other = pond.feed_with("user:eve", &public).await;
    assert!(can(&pond, &other, "bob").await.contains("add-activity"));
}

#[tokio::test]
async fn a_role_that_is_not_named_counts_as_the_usual_one_of_its_kind() {
    let granted = grants(r#"{"user":["read-feed"],"vip":["follow"]}"#);
    assert_eq!(granted.of_kind("vip", USER), ["follow"]);
    assert_eq!(granted.of_kind("guest", USER), ["read-feed"]);
    assert!(granted.of_kind("editor", members::ROLE).is_empty());
}

#[tokio::test]
async fn who_is_not_granted_to_follow_does_not_follow() {
    let pond = Pond::new();
    pond.feed("user:amy").await;
    pond.feed("timeline:bob").await;
    set_visible(&pond, r#"{"user":["read-feed"],"feed_owner":["create-feed"]}"#).await;
    let draft = Draft::new(fid("timeline:bob"), fid("user:amy"));
    assert!(matches!(pond.try_follow(Some("bob"), &draft).await, Err(Error::NotAllowed(_))));
    pond.try_follow(None, &draft).await.unwrap();
}
