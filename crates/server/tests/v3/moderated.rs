//! What moderation makes of what users say (§1).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

/// A pond where swearing comes to `action`.
async fn pond(action: &str) -> Pond {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let policy =
        json!({ "key": "feeds", "block_list_config": { "rules": [{ "name": "profanity_en", "action": action }] } });
    pond.post("/api/v2/moderation/config", policy).await;
    pond
}

fn swearing(id: &str) -> Value {
    json!({ "id": id, "type": "post", "feeds": ["user:amy"], "text": "oh shit" })
}

fn comment(id: &str) -> Value {
    json!({ "id": id, "comment": "oh shit", "object_id": "a1", "object_type": "activity" })
}

#[tokio::test]
async fn what_a_user_says_is_refused_wherever_it_is_said_and_changes_nothing() {
    let pond = pond("remove").await;
    let amy = pond.user("amy");
    let text = json!({ "set": { "text": "oh shit" } });
    amy.post("comments", json!({ "id": "c1", "comment": "hi", "object_id": "a1", "object_type": "activity" })).await;
    for (method, path, body) in [
        (Method::POST, "activities", swearing("a2")),
        (Method::POST, "activities/batch", json!({ "activities": [swearing("a2")] })),
        (Method::PUT, "activities/a1", json!({ "text": "oh shit" })),
        (Method::PATCH, "activities/a1", text.clone()),
        (
            Method::PATCH,
            "activities/batch/partial",
            json!({ "changes": [{ "activity_id": "a1", "set": text["set"] }] }),
        ),
        (Method::POST, "comments", comment("c2")),
        (Method::POST, "comments/batch", json!({ "comments": [comment("c2")] })),
        (Method::PATCH, "comments/c1", json!({ "comment": "oh shit" })),
        (Method::POST, "comments/c1/partial", text),
    ] {
        assert_eq!(amy.refuses(method.clone(), path, body).await, (400, 73), "{method} {path}");
    }
    assert_eq!(amy.get("activities/a1").await["activity"]["text"], "a1");
    assert_eq!(amy.get("comments/c1").await["comment"]["text"], "hi");
    assert_eq!(amy.refuses(Method::GET, "activities/a2", Value::Null).await, (404, 16));
}

#[tokio::test]
async fn the_apps_own_server_is_looked_at_with_force_moderation_alone() {
    let pond = pond("remove").await;
    let by_amy = |mut body: Value, is_forced: bool| {
        body["user_id"] = json!("amy");
        body["force_moderation"] = json!(is_forced);
        body
    };
    pond.post("activities", by_amy(swearing("a2"), false)).await;
    pond.post("comments", by_amy(comment("c1"), false)).await;
    assert_eq!(pond.refuses_post("activities", by_amy(swearing("a3"), true)).await, (400, 73));
    assert_eq!(pond.refuses_post("comments", by_amy(comment("c2"), true)).await, (400, 73));
}

#[tokio::test]
async fn what_is_to_be_looked_at_stays_and_a_moderator_finds_it_in_the_queue() {
    let pond = pond("flag").await;
    pond.user("amy").post("activities", swearing("a2")).await;
    pond.user("amy").post("comments", comment("c1")).await;
    let found = pond.post("/api/v2/moderation/review_queue", json!({})).await;
    let mut found: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| item["entity_id"].clone()).collect();
    found.sort_by_key(Value::to_string);
    assert_eq!(found, ["a2", "c1"]);
}
