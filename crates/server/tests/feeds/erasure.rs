//! After a person is erased: nothing of them is told to subscribers and hooks any more (§9.2, §9.3).

use http::Method;
use serde_json::{Value, json};

use crate::{
    pond::{Members, Pond},
    shore::{Receiver, Shore},
};

/// Erases amy for good.
async fn erase(pond: &Pond, tasks: &server::Tasks) {
    let server = pond.claims(&json!({ "server": true }));
    let amy = json!({ "users": { "amy": { "id": "amy" } } });
    assert_eq!(server.post("/api/v2/users", amy).await.status, 201);
    let asked = json!({ "user_ids": ["amy"], "user": "hard", "messages": "hard", "conversations": "hard" });
    let answer = server.post("/api/v2/users/delete", asked).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    tasks.run().await.unwrap();
}

#[tokio::test]
async fn what_a_hook_was_not_told_before_an_erasure_it_is_told_without_the_person() {
    let mut receiver = Receiver::new(&[]).await;
    let (pond, running) = Pond::start(|options| options.outbound_allowed = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let tasks = running.tasks();
    pond.admin(Method::PUT, "apps/7/feed_webhooks/a", json!({ "url": receiver.url })).await.ok(200);
    pond.post("user/", json!({ "id": "amy", "data": { "name": "Amy Secret" } })).await.ok(201);
    pond.follow("timeline:bob", "user:amy").await;
    let id = pond.add("user:amy", json!({ "object": "secret fish", "to": ["user:bob"] })).await.text("id").to_owned();
    let secret = json!({ "kind": "like", "user_id": "amy", "activity_id": id, "data": { "text": "secret like" } });
    pond.post("reaction/", secret).await.ok(201);
    pond.add("notification:amy", json!({ "actor": "SU:bob", "object": "wave" })).await;
    pond.get("feed/notification/amy/?mark_seen=true").await.ok(200);
    erase(&pond, &tasks).await;
    pond.add("user:carl", json!({ "actor": "SU:carl", "object": "last" })).await;
    // Nothing was sent so far: only now its workers run.
    let shore = Shore::serve(pond, running);
    let mut told: Vec<Value> = Vec::new();
    while !told.iter().any(|object| object["new"][0]["object"] == "last") {
        told.extend(receiver.list().await);
    }
    let text = Value::from(told).to_string();
    assert!(!text.to_lowercase().contains("secret") && !text.contains("SU:amy"), "{text}");
    drop(shore);
}

#[tokio::test]
async fn a_subscriber_is_told_that_what_an_erased_person_posted_is_gone_and_nothing_more_of_them() {
    let (pond, running) = Pond::start(|_| {}).await;
    let tasks = running.tasks();
    let shore = Shore::serve(pond, running);
    let mut bob = shore.greet().await;
    for feed in ["timelinebob", "notificationamy"] {
        let token = crate::pond::sign(crate::pond::SECRET, &json!({ "resource": "*", "action": "*", "feed_id": "*" }));
        assert_eq!(bob.subscribe(feed, &token).await["successful"], true);
    }
    bob.connect().await;
    shore.follow("timeline:bob", "user:amy").await;
    let id = shore.add("user:amy", json!({ "object": "secret fish" })).await.text("id").to_owned();
    assert_eq!(bob.told().await["new"][0]["id"], id);
    erase(&shore, &tasks).await;
    let told = bob.told().await;
    assert_eq!((told.text("feed"), &told["deleted"], &told["new"]), ("timeline:bob", &json!([id]), &json!([])));
    let read = shore.get("feed/timeline/bob/").await.ok(200);
    assert_eq!(read["results"], json!([]));
}

#[tokio::test]
async fn marks_of_an_erased_persons_notification_feed_are_gone() {
    let (pond, running) = Pond::start(|_| {}).await;
    let tasks = running.tasks();
    pond.add("notification:amy", json!({ "actor": "SU:bob" })).await;
    pond.get("feed/notification/amy/?mark_seen=true&mark_read=true").await.ok(200);
    erase(&pond, &tasks).await;
    let read = pond.get("feed/notification/amy/").await.ok(200);
    assert_eq!((&read["results"], &read["unseen"]), (&json!([]), &json!(0)));
    // Whoever has the name later begins with nothing marked.
    pond.add("notification:amy", json!({ "actor": "SU:bob", "object": "again" })).await;
    let read = pond.get("feed/notification/amy/").await.ok(200);
    assert_eq!((&read["unread"], &read["unseen"]), (&json!(1), &json!(1)));
}
