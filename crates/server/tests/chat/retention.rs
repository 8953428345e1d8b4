//! How long messages and channels are kept (§11.14.14).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

const HOUR: i64 = 3600 * 1_000_000;

async fn said(pond: &Pond, channel: &str, id: &str) {
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy"] } });
    pond.post(&format!("channels/messaging/{channel}/query"), data).await.ok(201);
    let message = json!({ "message": { "id": id, "text": "hi", "user_id": "amy" } });
    pond.post(&format!("channels/messaging/{channel}/message"), message).await.ok(201);
}

async fn runs(pond: &Pond, body: Value) -> Value {
    pond.v2().post("chat/retention_policy/runs", body).await.ok(201)
}

#[tokio::test]
async fn policies_are_set_shown_and_ended_in_both_dialects() {
    let pond = Pond::new().await;
    assert_eq!(pond.get("retention_policy").await.ok(200), json!({ "policies": [] }));
    let policy = |at: Value, hours: i64| json!({ "app_pk": 7, "policy": "old-messages", "enabled_at": at, "config": { "max_age_hours": hours } });
    let at = "2026-01-01T00:00:00Z";
    let set = pond.post("retention_policy", json!({ "policy": "old-messages", "max_age_hours": 24 })).await.ok(201);
    assert_eq!(set, json!({ "policy": policy(at.into(), 24) }));
    pond.clock.advance(HOUR);
    let longer = json!({ "policy": "old-messages", "max_age_hours": 48 });
    let set = pond.v2().post("chat/retention_policy", longer).await.ok(201);
    assert_eq!(set, json!({ "policy": policy(1_767_225_600_000_000_000_i64.into(), 48) }));
    assert_eq!(pond.get("retention_policy").await.ok(200), json!({ "policies": [policy(at.into(), 48)] }));
    pond.post("retention_policy/delete", json!({ "policy": "old-messages" })).await.ok(201);
    assert_eq!(pond.get("retention_policy").await.ok(200), json!({ "policies": [] }));
    let again = r#"{"policy":"old-messages"}"#;
    assert_eq!(pond.refuses(Method::POST, "retention_policy/delete", again).await, (404, 16));
    for body in [
        r#"{"max_age_hours":24}"#,
        r#"{"policy":"old-messages"}"#,
        r#"{"policy":"old-messages","max_age_hours":0}"#,
        r#"{"policy":"old-users","max_age_hours":24}"#,
    ] {
        assert_eq!(pond.refuses(Method::POST, "retention_policy", body).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn old_messages_go_once_a_day_and_the_run_says_how_many() {
    let pond = Pond::new().await;
    said(&pond, "a", "old").await;
    pond.clock.advance(30 * HOUR);
    said(&pond, "a", "new").await;
    pond.post("retention_policy", json!({ "policy": "old-messages", "max_age_hours": 24 })).await.ok(201);
    pond.run_tasks().await;
    assert_eq!(pond.refuses(Method::GET, "messages/old", "").await, (404, 16));
    pond.get("messages/new").await.ok(200);
    let run = |date: &str, messages: u64| {
        json!({ "app_pk": 7, "policy": "old-messages", "date": date,
        "stats": { "channels_deleted": 0, "messages_deleted": messages } })
    };
    assert_eq!(runs(&pond, json!({})).await, json!({ "runs": [run("2026-01-02", 1)] }));
    pond.run_tasks().await;
    assert_eq!(runs(&pond, json!({})).await["runs"].as_array().unwrap().len(), 1);

    pond.clock.advance(24 * HOUR);
    pond.run_tasks().await;
    let first = runs(&pond, json!({ "limit": 1 })).await;
    assert_eq!(first["runs"], json!([run("2026-01-03", 1)]));
    let second = runs(&pond, json!({ "limit": 1, "next": first["next"] })).await;
    assert_eq!((&second["runs"], second.get("next")), (&json!([run("2026-01-02", 1)]), None));
    let filter = json!({ "filter_conditions": { "date": { "$lt": "2026-01-03" }, "policy": "old-messages" } });
    assert_eq!(runs(&pond, filter).await["runs"], json!([run("2026-01-02", 1)]));
    let wrong = r#"{"filter_conditions":{"color":"red"}}"#;
    assert_eq!(pond.refuses(Method::POST, "retention_policy/runs", wrong).await, (400, 4));
}

#[tokio::test]
async fn channels_in_which_nothing_is_said_go_whole() {
    let pond = Pond::new().await;
    said(&pond, "a", "m").await;
    pond.clock.advance(30 * HOUR);
    said(&pond, "b", "n").await;
    pond.post("retention_policy", json!({ "policy": "inactive-channels", "max_age_hours": 24 })).await.ok(201);
    pond.run_tasks().await;
    let left = pond.post("channels", json!({ "filter_conditions": {} })).await.ok(201);
    let left = left["channels"].as_array().unwrap().iter().map(|state| state["channel"]["id"].clone());
    assert_eq!(left.collect::<Vec<_>>(), ["b"]);
    assert_eq!(pond.refuses(Method::GET, "messages/m", "").await, (404, 16));
    let stats = &runs(&pond, json!({})).await["runs"][0]["stats"];
    assert_eq!(*stats, json!({ "channels_deleted": 1, "messages_deleted": 0 }));
}
