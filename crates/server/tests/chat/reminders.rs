//! Reminders of messages (§6.15, §11.6).

use http::Method;
use serde_json::{Value, json};

use crate::{messages::room, sockets::lake::Lake};

const AT: &str = "2026-01-01T01:00:00Z";

async fn saved() -> Lake {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    lake.says("amy", "n", "ho").await;
    lake
}

#[tokio::test]
async fn creating_is_wrapped_in_both_dialects_and_flat_as_well_in_v2() {
    let lake = saved().await;
    let body = json!({ "user_id": "bob", "remind_at": AT });
    let classic = lake.post("messages/m/reminders", body.clone()).await.ok(201)["reminder"].clone();
    assert_eq!((&classic["message_id"], &classic["user_id"]), (&json!("m"), &json!("bob")));
    assert_eq!((&classic["channel_cid"], &classic["channel_id"]), (&json!("messaging:room"), &json!("room")));
    assert_eq!((&classic["remind_at"], &classic["message"]["text"]), (&json!(AT), &json!("hi")));
    assert_eq!((&classic["user"]["id"], &classic["channel"]["cid"]), (&json!("bob"), &json!("messaging:room")));
    let v2 = lake.v2().post("chat/messages/n/reminders", body).await.ok(201);
    assert_eq!((&v2["message_id"], &v2["reminder"]["message_id"]), (&json!("n"), &json!("n")), "both forms: {v2}");
    assert_eq!((&v2["message_id"], v2.get("channel_id")), (&json!("n"), None));
    assert_eq!(v2["remind_at"], 1_767_229_200_000_000_000_i64);
    let changed = lake.v2().patch("chat/messages/n/reminders", json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!((&changed["reminder"]["message_id"], changed["reminder"].get("remind_at")), (&json!("n"), None));
    lake.delete("messages/n/reminders?user_id=bob").await.ok(200);
    assert_eq!(lake.delete("messages/n/reminders?user_id=bob").await.refusal(), (404, 16));
    assert_eq!(lake.patch("messages/n/reminders", json!({ "user_id": "bob" })).await.refusal(), (404, 16));
}

#[tokio::test]
async fn a_message_shows_the_reminder_of_its_reader_and_of_nobody_else() {
    let lake = saved().await;
    lake.user("bob").post("messages/m/reminders", json!({})).await.ok(201);
    let read = async |user: &str| lake.user(user).get("messages/m").await.ok(200)["message"].clone();
    assert_eq!(read("bob").await["reminder"]["user_id"], "bob");
    assert_eq!(read("amy").await.get("reminder"), None);
    let state = lake.user("bob").v2().post("chat/channels/messaging/room/query", json!({})).await.ok(201);
    assert!(state["messages"][0]["reminder"]["created_at"].is_i64());
}

#[tokio::test]
async fn reminders_are_queried_by_moment_and_message() {
    let lake = saved().await;
    lake.post("messages/m/reminders", json!({ "user_id": "bob", "remind_at": AT })).await.ok(201);
    lake.post("messages/n/reminders", json!({ "user_id": "bob" })).await.ok(201);
    let ids = |page: &Value| {
        let id = |reminder: &Value| reminder["message_id"].as_str().unwrap().to_owned();
        page["reminders"].as_array().unwrap().iter().map(id).collect::<Vec<_>>().join(" ")
    };
    for (filter, expected) in [
        (json!({ "remind_at": null }), "n"),
        (json!({ "message_id": "m" }), "m"),
        (json!({ "remind_at": { "$lt": "2026-01-02T00:00:00Z" } }), "m"),
        (json!({ "channel_cid": "messaging:room" }), "n m"),
        (json!([]), "n m"),
        (json!(null), "n m"),
    ] {
        let body = json!({ "user_id": "bob", "filter": filter, "sort": [] });
        assert_eq!(ids(&lake.post("reminders/query", body).await.ok(201)), expected, "{filter}");
    }
    let older = json!({ "user_id": "bob", "filter_conditions": { "message_id": "m" } });
    assert_eq!(ids(&lake.post("reminders/query", older).await.ok(201)), "m");
    let page = lake.user("bob").post("reminders/query", json!({ "limit": 1, "offset": 1 })).await.ok(201);
    assert_eq!(ids(&page), "m");
    assert_eq!(
        lake.post("reminders/query", json!({ "user_id": "bob", "filter": { "color": 1 } })).await.refusal(),
        (400, 4)
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_nothing_is_stored() {
    let lake = saved().await;
    lake.post("messages/m/reminders", json!({ "user_id": "bob" })).await.ok(201);
    let again = lake.post("messages/m/reminders", json!({ "user_id": "bob" })).await;
    assert!(again.text.contains("user already has reminder created for this message_id"), "{}", again.text);
    for (path, body, error) in [
        ("messages/m/reminders", r#"{"user_id":"bob"}"#, (400, 4)),
        ("messages/n/reminders", "{}", (400, 4)),
        ("messages/n/reminders", r#"{"user_id":"bob","remind_at":"soon"}"#, (400, 4)),
        ("messages/nothing/reminders", r#"{"user_id":"bob"}"#, (404, 16)),
    ] {
        assert_eq!(lake.refuses(Method::POST, path, body).await, error, "{path} {body}");
    }
    assert_eq!(lake.user("eve").refuses(Method::POST, "messages/n/reminders", "{}").await, (403, 17));
    lake.member("livestream:stage", "bob").await;
    let sent = json!({ "message": { "id": "l", "text": "hi", "user_id": "bob" } });
    lake.post("channels/livestream/stage/message", sent).await.ok(201);
    let off = lake.post("messages/l/reminders", json!({ "user_id": "bob" })).await;
    assert!(off.text.contains("not enabled"), "{}", off.text);
    assert_eq!(off.refusal().1, 19);
}

#[tokio::test]
async fn the_user_hears_of_the_reminder_and_of_its_moment_once() {
    let lake = saved().await;
    let (mut bob, mut v2) = (lake.connect("bob").await, lake.connect_at("/api/v2/connect", "bob").await);
    let soon = "2026-01-01T00:00:02Z";
    lake.user("bob").post("messages/m/reminders", json!({ "remind_at": soon })).await.ok(201);
    let event = bob.event().await;
    assert_eq!((&event["type"], &event["message_id"]), (&json!("reminder.created"), &json!("m")), "{event}");
    assert_eq!((&event["user_id"], &event["reminder"]["remind_at"]), (&json!("bob"), &json!(soon)));
    assert_eq!(v2.event().await["reminder"]["remind_at"], 1_767_225_602_000_000_000_i64);
    lake.clock.advance(2_000_000);
    lake.run_tasks().await;
    lake.run_tasks().await;
    assert_eq!(bob.event().await["type"], "notification.reminder_due");
    lake.user("bob").delete("messages/m/reminders").await.ok(200);
    assert_eq!(bob.event().await["type"], "reminder.deleted", "it was told once");
}

#[tokio::test]
async fn a_due_reminder_is_told_by_the_next_server_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = store::Options { cache_bytes: 8 << 20, ..store::Options::default() };
    let pond = crate::pond::Pond::on_disk(dir.path(), &options, |_| {}).await;
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/messaging/room/query", data).await.ok(201);
    pond.says("amy", "m", "hi").await;
    pond.post("messages/m/reminders", json!({ "user_id": "bob", "remind_at": AT })).await.ok(201);
    pond.stop();
    for expected in [1, 1] {
        let pond = crate::pond::Pond::on_disk(dir.path(), &options, |_| {}).await;
        pond.clock.advance(3_700_000_000);
        pond.run_tasks().await;
        let body =
            json!({ "user_id": "bob", "channel_cids": ["messaging:room"], "last_sync_at": "2026-01-01T00:30:00Z" });
        let events = pond.post("sync", body).await.ok(201)["events"].clone();
        let is_due = |event: &&Value| event["type"] == "notification.reminder_due";
        assert_eq!(events.as_array().unwrap().iter().filter(is_due).count(), expected, "{events}");
        pond.stop();
    }
}
