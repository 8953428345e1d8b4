//! What happens to users, on sockets: presence, bans, mutes (§10.1, §12.19).

use http::Method;
use serde_json::{Value, json};

use super::lake::Lake;
use crate::pond::encoded;

/// The user `id` as it is found by a filter with these members more.
async fn find(lake: &Lake, filter: Value) -> Vec<Value> {
    let path = format!("users?payload={}", encoded(&json!({ "filter_conditions": filter })));
    lake.get(&path).await.ok(200)["users"].as_array().unwrap().clone()
}

#[tokio::test]
async fn whoever_is_connected_is_online_unless_invisible() {
    let lake = Lake::new().await;
    let users =
        json!({ "jack": { "id": "jack" }, "jill": { "id": "jill", "invisible": true }, "joe": { "id": "joe" } });
    lake.post("users", json!({ "users": users })).await.ok(201);
    let (_jack, _jill) = (lake.connect("jack").await, lake.connect("jill").await);
    let online = find(&lake, json!({ "online": true })).await;
    assert_eq!((online.len(), &online[0]["id"], &online[0]["online"]), (1, &json!("jack"), &json!(true)));
    assert_eq!(online[0]["last_active"], "2026-01-01T00:00:00Z");
    let jill = &find(&lake, json!({ "id": "jill" })).await[0];
    assert_eq!((&jill["online"], &jill["invisible"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn whoever_asks_for_presence_hears_when_found_users_come_and_hide() {
    let lake = Lake::new().await;
    lake.post("users", json!({ "users": { "jack": { "id": "jack" }, "jill": { "id": "jill" } } })).await.ok(201);
    let mut jack = lake.connect("jack").await;
    let payload = encoded(&json!({ "filter_conditions": { "id": "jill" }, "presence": true }));
    lake.user("jack").get(&format!("users?payload={payload}&connection_id={}", jack.id)).await.ok(200);
    let _jill = lake.connect("jill").await;
    let came = jack.find("user.presence.changed").await;
    assert_eq!((&came["user"]["id"], &came["user"]["online"]), (&json!("jill"), &json!(true)));
    let hide = json!({ "users": [{ "id": "jill", "set": { "invisible": true } }] });
    lake.user("jill").patch("users", hide).await.ok(201);
    let hid = jack.find("user.presence.changed").await;
    assert_eq!(hid["user"]["online"], false);
    let path = format!("users?payload={payload}");
    assert_eq!(lake.user("jack").refuses(Method::GET, &path, "").await, (400, 4), "there must be a connection");
}

#[tokio::test]
async fn whoever_is_banned_hears_of_it_and_so_do_those_who_watch_the_channel() {
    let lake = Lake::new().await;
    lake.post("users", json!({ "users": { "jack": { "id": "jack" }, "jill": { "id": "jill" } } })).await.ok(201);
    lake.member("messaging:room", "jack").await;
    let mut jack = lake.connect("jack").await;
    let ban = json!({ "target_user_id": "jack", "user_id": "jill", "reason": "spam", "timeout": 1 });
    lake.post("moderation/ban", ban).await.ok(201);
    let event = jack.find("user.banned").await;
    assert_eq!((&event["user"]["id"], &event["created_by"]["id"]), (&json!("jack"), &json!("jill")));
    assert_eq!((&event["reason"], &event["shadow"], &event["total_bans"]), (&json!("spam"), &json!(false), &json!(1)));
    assert_eq!((&event["expiration"], event.get("cid")), (&json!("2026-01-01T00:01:00Z"), None));
    lake.delete("moderation/ban?target_user_id=jack").await.ok(200);
    assert_eq!(jack.find("user.unbanned").await["user"]["banned"], false);
    let here = json!({ "target_user_id": "jack", "user_id": "jill", "type": "messaging", "id": "room" });
    lake.post("moderation/ban", here).await.ok(201);
    let event = jack.find("user.banned").await;
    assert_eq!((&event["cid"], &event["channel_type"]), (&json!("messaging:room"), &json!("messaging")));
}

#[tokio::test]
async fn whoever_mutes_hears_of_it_on_all_connections() {
    let lake = Lake::new().await;
    lake.post("users", json!({ "users": { "jack": { "id": "jack" }, "jill": { "id": "jill" } } })).await.ok(201);
    let mut jack = lake.connect("jack").await;
    lake.user("jack").post("moderation/mute", json!({ "target_id": "jill" })).await.ok(201);
    assert_eq!(jack.find("user.muted").await["target_user"]["id"], "jill");
    jack.find("notification.mutes_updated").await;
    // A flag is nobody's business but the application's.
    lake.post("moderation/flag", json!({ "target_user_id": "jack", "user_id": "jill" })).await.ok(201);
    lake.user("jack").post("moderation/unmute", json!({ "target_id": "jill" })).await.ok(201);
    assert_eq!(jack.event().await["type"], "user.unmuted");
}
