//! Pages that are kept in memory: each read is of what is stored now.

use serde_json::{Value, json};

use crate::pond::{Pond, activity};

/// Reads the timeline until it must have been kept, and again after the change: each time what is stored.
async fn before_and_after(change: impl AsyncFnOnce(&Pond, &Value)) -> (Vec<String>, Vec<String>) {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    let first =
        pond.add("user:amy", json!({ "object": "first", "foreign_id": "f:1", "time": "2020-01-01T00:00:00" })).await;
    pond.add("user:amy", json!({ "object": "second" })).await;
    pond.clock.advance(1);
    let before = pond.objects("timeline:bob").await;
    assert_eq!(pond.objects("timeline:bob").await, before);
    change(&pond, &first).await;
    (before, pond.objects("timeline:bob").await)
}

#[tokio::test]
async fn a_kept_page_shows_what_was_posted_since() {
    let (before, after) = before_and_after(async |pond, _| {
        pond.add("user:amy", json!({ "object": "third" })).await;
    })
    .await;
    assert_eq!(
        (before, after),
        (vec!["second".into(), "first".into()], vec!["third".into(), "second".into(), "first".into()])
    );
}

#[tokio::test]
async fn a_kept_page_shows_what_an_update_says() {
    let (_, after) = before_and_after(async |pond, first| {
        let mut changed = first.clone();
        changed["object"] = "changed".into();
        pond.post("activities/", json!({ "activities": [changed] })).await.ok(201);
    })
    .await;
    assert_eq!(after, ["second", "changed"]);
}

#[tokio::test]
async fn a_kept_page_shows_a_partial_update() {
    let pond = Pond::new().await;
    let added = pond.add("user:amy", json!({ "likes": 1 })).await;
    assert_eq!(pond.get("feed/user/amy/").await.ok(200)["results"][0]["likes"], 1);
    pond.post("activity/", json!({ "id": added["id"], "set": { "likes": 7 } })).await.ok(201);
    assert_eq!(pond.get("feed/user/amy/").await.ok(200)["results"][0]["likes"], 7);
}

#[tokio::test]
async fn a_kept_page_lacks_what_was_removed() {
    let (_, after) = before_and_after(async |pond, first| {
        pond.delete(&format!("feed/user/amy/{}/", first["id"].as_str().unwrap())).await.ok(200);
    })
    .await;
    assert_eq!(after, ["second"]);
}

#[tokio::test]
async fn a_kept_page_follows_what_is_followed() {
    let (_, after) = before_and_after(async |pond, _| {
        pond.add("user:cat", json!({ "object": "of cat", "time": "2019-01-01T00:00:00" })).await;
        pond.follow("timeline:bob", "user:cat").await;
    })
    .await;
    assert_eq!(after, ["second", "first", "of cat"]);
    let (_, after) = before_and_after(async |pond, _| {
        pond.delete("feed/timeline/bob/follows/user:amy/").await.ok(200);
    })
    .await;
    assert!(after.is_empty());
}

#[tokio::test]
async fn a_kept_page_is_of_one_app_and_for_those_who_may_read_it() {
    let pond = Pond::new().await;
    let new = json!({ "key": "other", "secret": "s", "is_for_sdk_suites": true });
    assert_eq!(pond.admin(http::Method::POST, "apps", new).await.status, 200);
    pond.post("feed/timeline/amy/", activity(json!({ "object": "mine" }))).await.ok(201);
    assert_eq!(pond.objects("timeline:amy").await, ["mine"]);
    assert!(pond.app("other", "s").objects("timeline:amy").await.is_empty());
    let refused = pond.user("bob").get("feed/timeline/amy/?limit=100").await.refusal();
    assert_eq!(refused.error, (403, 17));
}
