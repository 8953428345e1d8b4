//! Marks, and what is unread (§6.10, §11.3, §12.1).

use http::Method;
use serde_json::{Value, json};

use super::{QUERY, general, say};
use crate::pond::Pond;

const PATH: &str = "channels/messaging/general";

async fn unread(pond: &Pond, user: &str) -> i64 {
    pond.get(&format!("unread?user_id={user}")).await.ok(200)["total_unread_count"].as_i64().unwrap()
}

/// Amy says `a`, `b` and `c`, a second apart.
async fn three() -> Pond {
    let pond = general().await;
    for id in ["a", "b", "c"] {
        pond.clock.advance(1_000_000);
        say(&pond, "amy", id).await;
    }
    pond
}

#[tokio::test]
async fn what_others_say_is_unread_until_the_channel_is_read() {
    let pond = three().await;
    assert_eq!((unread(&pond, "bob").await, unread(&pond, "amy").await), (3, 0));
    let event = pond.post(&format!("{PATH}/read"), json!({ "user_id": "bob" })).await.ok(201)["event"].clone();
    assert_eq!(
        (&event["type"], &event["cid"], &event["user"]["id"]),
        (&json!("message.read"), &json!("messaging:general"), &json!("bob"))
    );
    assert_eq!((&event["last_read_message_id"], &event["created_at"]), (&json!("c"), &json!("2026-01-01T00:00:03Z")));
    assert_eq!(unread(&pond, "bob").await, 0);
    say(&pond, "bob", "d").await;
    assert_eq!((unread(&pond, "bob").await, unread(&pond, "amy").await), (0, 1));
    assert_eq!(
        pond.refuses(Method::POST, &format!("{PATH}/read"), r#"{"user_id":"bob","message_id":"none"}"#).await,
        (404, 16)
    );
}

#[tokio::test]
async fn a_channel_is_read_up_to_a_message_and_unread_from_one_on() {
    let pond = three().await;
    let read = json!({ "user_id": "bob", "message_id": "b" });
    let event = pond.v2().post(&format!("chat/{PATH}/read"), read).await.ok(201)["event"].clone();
    assert!(event["created_at"].is_i64(), "{event}");
    assert_eq!(
        (&event["channel_id"], &event["channel_type"], &event["cid"], &event["type"]),
        (&json!("general"), &json!("messaging"), &json!("messaging:general"), &json!("message.read"))
    );
    assert_eq!(unread(&pond, "bob").await, 1);
    pond.post(&format!("{PATH}/read"), json!({ "user_id": "bob", "message_id": "", "thread_id": "" })).await.ok(201);
    assert_eq!(unread(&pond, "bob").await, 0);
    let from = json!({ "user_id": "bob", "message_id": "b" });
    assert_eq!(pond.post(&format!("{PATH}/unread"), from).await.ok(201), json!({}));
    assert_eq!(unread(&pond, "bob").await, 2);
    let state = pond.post(QUERY, json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!(
        (&state["read"][1]["last_read_message_id"], &state["read"][1]["unread_messages"]),
        (&json!("a"), &json!(2))
    );
    let time = json!({ "user_id": "bob", "message_timestamp": "2026-01-01T00:00:03Z" });
    pond.v2().post(&format!("chat/{PATH}/unread"), time).await.ok(201);
    assert_eq!(unread(&pond, "bob").await, 1);
    for body in
        [r#"{"user_id":"bob"}"#, r#"{"user_id":"bob","message_id":"a","message_timestamp":"2026-01-01T00:00:03Z"}"#]
    {
        assert_eq!(pond.refuses(Method::POST, &format!("{PATH}/unread"), body).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn the_creator_of_a_channel_without_members_may_say_that_it_is_read() {
    let pond = three().await;
    pond.v2().post("chat/channels/messaging/empty/query", json!({ "data": { "created_by_id": "amy" } })).await.ok(201);
    let read = json!({ "user_id": "amy" });
    let answer = pond.v2().post("chat/channels/messaging/empty/read", read).await.ok(201);
    assert_eq!(
        (&answer["event"]["type"], &answer["event"]["cid"]),
        (&json!("message.read"), &json!("messaging:empty"))
    );
    let state = pond.v2().post("chat/channels/messaging/empty/query", json!({})).await.ok(201);
    assert_eq!((&state["read"], &state["members"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn who_has_said_nothing_in_a_thread_may_mark_it_as_unread() {
    let pond = three().await;
    let reply = json!({ "message": { "text": "so?", "user_id": "amy", "parent_id": "b" } });
    pond.v2().post(&format!("chat/{PATH}/message"), reply).await.ok(201);
    let thread = json!({ "user_id": "bob", "thread_id": "b" });
    assert_eq!(pond.v2().post(&format!("chat/{PATH}/unread"), thread).await.ok(201), json!({}));
    let none = r#"{"user_id":"bob","thread_id":"a"}"#;
    assert_eq!(pond.refuses(Method::POST, &format!("{PATH}/unread"), none).await, (404, 16));
}

#[tokio::test]
async fn all_channels_or_some_are_read_at_once() {
    let pond = three().await;
    let make = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/team/two/query", make).await.ok(201);
    let message = json!({ "message": { "text": "hi", "user_id": "amy" } });
    pond.post("channels/team/two/message", message).await.ok(201);
    assert_eq!(unread(&pond, "bob").await, 4);
    let some = json!({ "user": { "id": "bob" }, "read_by_channel": { "messaging:general": "" } });
    let event = pond.post("channels/read", some).await.ok(201)["event"].clone();
    assert_eq!(event["type"], "notification.mark_read");
    assert_eq!(unread(&pond, "bob").await, 1);
    pond.v2().post("chat/channels/read", json!({ "user_id": "bob", "read_by_channel": null })).await.ok(201);
    assert_eq!(unread(&pond, "bob").await, 0);
}

#[tokio::test]
async fn unread_counts_have_the_literal_shape() {
    let pond = three().await;
    let expected = json!({
        "total_unread_count": 3, "total_unread_threads_count": 0, "threads": [],
        "channels": [{ "channel_id": "messaging:general", "unread_count": 3, "last_read": "2026-01-01T00:00:00Z" }],
        "channel_type": [{ "channel_type": "messaging", "channel_count": 1, "unread_count": 3 }],
    });
    assert_eq!(pond.get("unread?user_id=bob").await.ok(200), expected);
    let batch = pond.v2().post("chat/unread_batch", json!({ "user_ids": ["bob", "cat", "nobody"] })).await.ok(201);
    let counts: &Value = &batch["counts_by_user"];
    assert_eq!(counts["bob"]["channels"][0]["last_read"], 1_767_225_600_000_000_000_i64);
    assert_eq!((&counts["cat"]["total_unread_count"], counts.get("nobody")), (&json!(0), None));
    assert_eq!(pond.user("bob").get("unread").await.ok(200), expected);
    assert_eq!(pond.user("bob").refuses(Method::POST, "unread_batch", r#"{"user_ids":["amy"]}"#).await, (403, 17));
}

#[tokio::test]
async fn delivery_is_noted_and_where_it_is_off_it_is_no_error() {
    let pond = three().await;
    let delivered = json!({ "latest_delivered_messages": [{ "cid": "messaging:general", "id": "b" }] });
    assert_eq!(pond.post("channels/delivered?user_id=bob", delivered.clone()).await.ok(201), json!({}));
    let state = pond.post(QUERY, json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!(state["read"][1].get("last_delivered_message_id"), None);
    pond.put("channeltypes/messaging", json!({ "delivery_events": true })).await.ok(201);
    pond.post("channels/delivered?user_id=bob", delivered.clone()).await.ok(201);
    assert_eq!(unread(&pond, "bob").await, 3);
    let known = async || pond.post(QUERY, json!({ "user_id": "amy" })).await.ok(201)["read"][1].clone();
    let at = known().await;
    assert_eq!(
        (&at["last_delivered_message_id"], &at["last_delivered_at"]),
        (&json!("b"), &json!("2026-01-01T00:00:03Z"))
    );
    // What came before it, comes late.
    let late = json!({ "latest_delivered_messages": [{ "cid": "messaging:general", "id": "a" }] });
    pond.post("channels/delivered?user_id=bob", late).await.ok(201);
    assert_eq!(known().await["last_delivered_message_id"], "b");
    let by_body =
        json!({ "latest_delivered_messages": delivered["latest_delivered_messages"], "user": { "id": "bob" } });
    pond.v2().post("chat/channels/delivered", by_body).await.ok(201);
    assert_eq!(
        pond.refuses(
            Method::POST,
            "channels/delivered?user_id=bob",
            r#"{"latest_delivered_messages":[{"cid":"messaging:general"}]}"#
        )
        .await,
        (400, 4)
    );
}
