//! Events that callers send, and what was missed (§11.3, §11.7, §11.12).

use http::Method;
use serde_json::json;

use crate::sockets::lake::Lake;

/// A room of which amy is a member.
async fn room() -> Lake {
    let lake = Lake::new().await;
    lake.member("messaging:room", "amy").await;
    lake
}

#[tokio::test]
async fn a_user_event_reaches_the_users_connections_and_has_no_dot_in_its_name() {
    let lake = Lake::new().await;
    let mut amy = lake.connect("amy").await;
    let sent = json!({ "event": { "type": "friendship_request", "text": "hi" } });
    assert_eq!(lake.post("users/amy/event", sent).await.ok(201), json!({}));
    let event = amy.find("friendship_request").await;
    assert_eq!((&event["text"], &event["user"]["id"]), (&json!("hi"), &json!("amy")), "{event}");
    // One client sends the event itself.
    lake.post("users/amy/event", json!({ "type": "wave", "text": "ho" })).await.ok(201);
    assert_eq!(amy.find("wave").await["text"], "ho");
    let refuses = async |path, body| lake.refuses(Method::POST, path, body).await;
    assert_eq!(refuses("users/nobody/event", r#"{"event":{"type":"x"}}"#).await, (404, 16));
    assert_eq!(refuses("users/amy/event", r#"{"event":{"type":"x.y"}}"#).await, (400, 4));
    assert_eq!(refuses("users/amy/event", r#"{"event":{}}"#).await, (400, 4));
    let long = json!({ "event": { "type": "x", "bio": "x".repeat(6000) } }).to_string();
    assert_eq!(lake.refuses(Method::POST, "users/amy/event", long).await, (413, 22));
    assert_eq!(lake.user("amy").refuses(Method::POST, "users/amy/event", r#"{"event":{"type":"x"}}"#).await, (403, 17));
}

#[tokio::test]
async fn an_event_that_is_sent_is_answered_in_the_dialect_of_the_call() {
    let lake = room().await;
    let typing = json!({ "event": { "type": "typing.start", "user_id": "amy", "parent_id": "p" } });
    let event = lake.post("channels/messaging/room/event", typing.clone()).await.ok(201)["event"].clone();
    assert_eq!((&event["type"], &event["cid"]), (&json!("typing.start"), &json!("messaging:room")));
    assert_eq!((&event["parent_id"], &event["user"]["id"]), (&json!("p"), &json!("amy")), "{event}");
    assert_eq!(event["created_at"], "2026-01-01T00:00:00Z");
    let own = json!({ "event": { "type": "wave", "user": { "id": "amy" }, "custom": { "n": 1 } } });
    let event = lake.v2().post("chat/channels/messaging/room/event", own).await.ok(201)["event"].clone();
    assert_eq!((&event["custom"], &event["channel_id"]), (&json!({ "n": 1 }), &json!("room")), "{event}");
}

#[tokio::test]
async fn who_watches_is_told_how_far_a_machine_is() {
    let lake = room().await;
    let mut amy = lake.connect("amy").await;
    let watch = json!({ "watch": true });
    let path = format!("channels/messaging/room/query?connection_id={}", amy.id);
    lake.user("amy").post(&path, watch).await.ok(201);
    for kind in ["ai_indicator.update", "ai_indicator.clear", "ai_indicator.stop"] {
        let event = json!({ "type": kind, "user_id": "bot", "ai_state": "AI_STATE_THINKING", "message_id": "m" });
        lake.post("channels/messaging/room/event", json!({ "event": event })).await.ok(201);
        let told = amy.find(kind).await;
        assert_eq!((&told["ai_state"], &told["message_id"]), (&json!("AI_STATE_THINKING"), &json!("m")), "{told}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let lake = room().await;
    let refuses = async |path, body: &str| lake.refuses(Method::POST, path, body.to_owned()).await;
    let path = "channels/messaging/room/event";
    assert_eq!(refuses(path, r#"{"event":{"type":"typing.start"}}"#).await, (400, 4));
    assert_eq!(refuses(path, r#"{"event":{"user_id":"amy"}}"#).await, (400, 4));
    for kind in ["message.new", "channel.deleted", "own.thing"] {
        let event = json!({ "event": { "type": kind, "user_id": "amy" } }).to_string();
        assert_eq!(refuses(path, &event).await, (400, 18), "{kind}");
    }
    let big = json!({ "event": { "type": "wave", "user_id": "amy", "bio": "x".repeat(6000) } }).to_string();
    assert_eq!(refuses(path, &big).await, (413, 22));
    let none = "channels/messaging/none/event";
    assert_eq!(refuses(none, r#"{"event":{"type":"typing.start","user_id":"amy"}}"#).await, (404, 16));
    let stranger = lake.user("stranger");
    lake.post("users", json!({ "users": { "stranger": { "id": "stranger" } } })).await.ok(201);
    for kind in ["typing.start", "wave"] {
        let body = json!({ "event": { "type": kind } }).to_string();
        assert_eq!(stranger.refuses(Method::POST, path, body).await, (403, 17), "{kind}");
    }
}

#[tokio::test]
async fn what_was_missed_comes_back_in_order_and_only_from_channels_that_may_be_read() {
    let lake = room().await;
    lake.member("messaging:other", "bob").await;
    lake.clock.advance(60_000_000);
    for name in ["one", "two"] {
        lake.clock.advance(1_000_000);
        let event = json!({ "event": { "type": name, "user_id": "amy" } });
        lake.post("channels/messaging/room/event", event.clone()).await.ok(201);
        let other = json!({ "event": { "type": name, "user_id": "bob" } });
        lake.post("channels/messaging/other/event", other).await.ok(201);
    }
    let sync = json!({
        "channel_cids": ["messaging:room", "messaging:other"], "last_sync_at": "2026-01-01T00:00:30Z",
        "with_inaccessible_cids": true,
    });
    let missed = lake.user("amy").post("sync", sync.clone()).await.ok(201);
    let told: Vec<_> =
        missed["events"].as_array().unwrap().iter().map(|event| (&event["type"], &event["cid"])).collect();
    let [ours, other] = [json!("messaging:room"), json!("messaging:other")];
    let (one, two, removed) = (json!("one"), json!("two"), json!("notification.removed_from_channel"));
    assert_eq!(told, [(&one, &ours), (&two, &ours), (&removed, &other)]);
    assert_eq!(missed["inaccessible_cids"], json!(["messaging:other"]));
    assert_eq!(lake.post("sync", sync).await.ok(201)["events"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_sync_from_too_long_ago_or_without_channels_is_refused() {
    let lake = room().await;
    for body in [
        r#"{"channel_cids":["messaging:room"],"last_sync_at":"2025-12-01T00:00:00Z"}"#,
        r#"{"channel_cids":["messaging:room"]}"#,
        r#"{"channel_cids":[],"last_sync_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"channel_cids":["room"],"last_sync_at":"2026-01-01T00:00:00Z"}"#,
    ] {
        assert_eq!(lake.refuses(Method::POST, "sync", body).await, (400, 4), "{body}");
    }
}
