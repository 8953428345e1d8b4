//! Hiding and muting (§11.3, §12.5, §12.18).

use http::Method;
use serde_json::{Value, json};

use super::{QUERY, each, general, say};
use crate::pond::Pond;

const PATH: &str = "channels/messaging/general";

/// How many channels bob finds with this filter.
async fn found(pond: &Pond, filter: Value) -> usize {
    let body = json!({ "filter_conditions": filter, "user_id": "bob" });
    pond.post("channels", body).await.ok(201)["channels"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_hidden_channel_is_not_found_until_somebody_writes() {
    let pond = general().await;
    let (all, hidden) =
        (json!({ "members": { "$in": ["bob"] } }), json!({ "hidden": true, "cid": "messaging:general" }));
    assert_eq!(pond.post(&format!("{PATH}/hide"), json!({ "user_id": "bob" })).await.ok(201), json!({}));
    assert_eq!((found(&pond, all.clone()).await, found(&pond, hidden.clone()).await), (0, 1));
    say(&pond, "amy", "a").await;
    assert_eq!((found(&pond, all.clone()).await, found(&pond, hidden).await), (1, 0));
    pond.v2().post(&format!("chat/{PATH}/hide"), json!({ "user": { "id": "bob" } })).await.ok(201);
    pond.v2().post(&format!("chat/{PATH}/show"), json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!(found(&pond, all).await, 1);
    assert_eq!(pond.refuses(Method::POST, &format!("{PATH}/hide"), r#"{"user_id":"cat"}"#).await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, &format!("{PATH}/hide"), "{}").await, (400, 4));
}

#[tokio::test]
async fn hiding_with_clear_history_hides_what_was_said_for_good() {
    let pond = general().await;
    say(&pond, "amy", "a").await;
    pond.clock.advance(1_000_000);
    pond.post(&format!("{PATH}/hide"), json!({ "user_id": "bob", "clear_history": true })).await.ok(201);
    pond.clock.advance(1_000_000);
    say(&pond, "amy", "b").await;
    let state = pond.user("bob").post(QUERY, json!({})).await.ok(201);
    assert_eq!(
        (each(&state["messages"], "id").as_str(), &state["hide_messages_before"]),
        ("b", &json!("2026-01-01T00:00:01Z"))
    );
    assert_eq!(each(&pond.user("amy").post(QUERY, json!({})).await.ok(201)["messages"], "id"), "a b");
}

#[tokio::test]
async fn a_channel_can_stay_hidden_from_its_maker_until_somebody_writes() {
    let pond = general().await;
    let body = json!({ "data": { "created_by_id": "bob", "members": ["amy", "bob"] }, "hide_for_creator": true });
    pond.post("channels/messaging/quiet/query", body).await.ok(201);
    let quiet = json!({ "cid": "messaging:quiet" });
    assert_eq!(found(&pond, quiet.clone()).await, 0);
    let message = |more: Value| {
        let mut body = json!({ "message": { "text": "hi", "user_id": "amy" } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    pond.post("channels/messaging/quiet/message", message(json!({ "keep_channel_hidden": true }))).await.ok(201);
    assert_eq!(found(&pond, quiet.clone()).await, 0);
    pond.post("channels/messaging/quiet/message", message(json!({}))).await.ok(201);
    assert_eq!(found(&pond, quiet).await, 1);
}

#[tokio::test]
async fn a_mute_holds_until_it_ends_and_nothing_is_unread_meanwhile() {
    let pond = general().await;
    say(&pond, "amy", "a").await;
    let muted = |flag: bool| json!({ "muted": flag, "cid": "messaging:general" });
    let body = json!({ "channel_cids": ["messaging:general"], "user_id": "bob", "expiration": 5000 });
    let answer = pond.v2().post("chat/moderation/mute/channel", body.clone()).await.ok(201);
    let mute = &answer["channel_mute"];
    assert_eq!((&mute["channel"]["cid"], &mute["user"]["id"]), (&json!("messaging:general"), &json!("bob")));
    assert_eq!(mute["expires"], 1_767_225_605_000_000_000_i64);
    assert_eq!((found(&pond, muted(true)).await, found(&pond, muted(false)).await), (1, 0));
    assert_eq!(pond.get("unread?user_id=bob").await.ok(200)["total_unread_count"], 0);
    pond.clock.advance(5_000_000);
    assert_eq!((found(&pond, muted(true)).await, found(&pond, muted(false)).await), (0, 1));
    assert_eq!(pond.get("unread?user_id=bob").await.ok(200)["total_unread_count"], 1);
    let one = json!({ "channel_cid": "messaging:general", "user_id": "bob" });
    let mute = pond.post("moderation/mute/channel", one.clone()).await.ok(201)["channel_mute"].clone();
    assert_eq!((mute.get("expires"), &mute["channel"]["muted"]), (None, &json!(true)));
    assert_eq!(pond.post("moderation/unmute/channel", one).await.ok(201), json!({}));
    assert_eq!(found(&pond, muted(false)).await, 1);
    for body in [r#"{"user_id":"bob"}"#, r#"{"channel_cid":"general","user_id":"bob"}"#] {
        assert_eq!(pond.refuses(Method::POST, "moderation/mute/channel", body).await, (400, 4), "{body}");
    }
    let none = r#"{"channel_cid":"messaging:none","user_id":"bob"}"#;
    assert_eq!(pond.refuses(Method::POST, "moderation/mute/channel", none).await, (404, 16));
}
