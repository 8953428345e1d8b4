//! Shared locations (§6.15, §11.6; v2 §7.6).

use http::Method;
use serde_json::{Value, json};

use crate::{
    messages::{ROOM, room},
    sockets::lake::Lake,
};

const END: &str = "2026-01-01T01:00:00Z";

/// A room of an app that shares locations.
async fn shared() -> Lake {
    let lake = room().await;
    lake.patch("app", json!({ "shared_locations_enabled": true })).await.ok(201);
    let overrides = json!({ "set": { "config_overrides": { "shared_locations": true } } });
    lake.patch(ROOM, overrides).await.ok(201);
    lake
}

fn here(end_at: Value) -> Value {
    json!({ "latitude": 60.5, "longitude": -25, "created_by_device_id": "phone", "end_at": end_at })
}

#[tokio::test]
async fn a_message_tells_a_location_in_both_dialects_and_the_channel_lists_the_live_ones() {
    let lake = shared().await;
    let sent = lake.say(json!({ "id": "m", "user_id": "amy", "shared_location": here(json!(END)) })).await;
    let location = &sent["shared_location"];
    assert_eq!((&location["latitude"], &location["longitude"]), (&json!(60.5), &json!(-25.0)));
    assert_eq!((&location["end_at"], &location["created_by_device_id"]), (&json!(END), &json!("phone")));
    assert_eq!((&location["message_id"], &location["user_id"]), (&json!("m"), &json!("amy")));
    lake.say(json!({ "id": "n", "user_id": "bob", "shared_location": here(Value::Null) })).await;
    let state = lake.v2().post(&format!("chat/{ROOM}/query"), json!({})).await.ok(201);
    let live = state["active_live_locations"].as_array().unwrap();
    assert_eq!((live.len(), &live[0]["message_id"]), (1, &json!("m")));
    assert_eq!(live[0]["end_at"], 1_767_229_200_000_000_000_i64);
    assert_eq!(state["messages"][1]["shared_location"].get("end_at"), None);
}

#[tokio::test]
async fn a_user_lists_moves_and_ends_live_locations() {
    let lake = shared().await;
    lake.say(json!({ "id": "m", "user_id": "amy", "shared_location": here(json!(END)) })).await;
    let list = async || {
        let found = lake.v2().get("users/live_locations?user_id=amy").await.ok(200);
        found["active_live_locations"].as_array().unwrap().len()
    };
    assert_eq!(list().await, 1);
    let mut bob = lake.connect("bob").await;
    let watch = json!({ "watch": true });
    lake.user("bob").post(&format!("{ROOM}/query?connection_id={}", bob.id), watch).await.ok(201);
    let to = json!({ "message_id": "m", "latitude": 61.0 });
    let moved = lake.v2().put("users/live_locations?user_id=amy", to).await.ok(201);
    assert_eq!((&moved["latitude"], &moved["longitude"]), (&json!(61.0), &json!(-25.0)));
    assert_eq!((&moved["message"]["id"], &moved["channel"]["cid"]), (&json!("m"), &json!("messaging:room")));
    assert_eq!(bob.find("message.updated").await["message"]["shared_location"]["latitude"], 61.0);
    let own = lake.user("amy").get("users/live_locations").await.ok(200);
    assert_eq!(own["active_live_locations"][0]["latitude"], 61.0);
    let end = json!({ "message_id": "m", "end_at": "2026-01-01T00:00:00Z" });
    lake.user("amy").put("users/live_locations", end.clone()).await.ok(201);
    assert_eq!(list().await, 0);
    assert_eq!(lake.user("amy").put("users/live_locations", end).await.refusal(), (400, 4));
}

#[tokio::test]
async fn a_live_location_ends_by_itself() {
    let lake = shared().await;
    lake.say(json!({ "id": "m", "user_id": "amy", "shared_location": here(json!("2026-01-01T00:00:05Z")) })).await;
    lake.clock.advance(5_000_000);
    let found = lake.get("users/live_locations?user_id=amy").await.ok(200);
    assert_eq!(found["active_live_locations"], json!([]));
    let state = lake.post(&format!("{ROOM}/query"), json!({})).await.ok(201);
    assert_eq!(state.get("active_live_locations"), None);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_nothing_is_stored() {
    let lake = shared().await;
    lake.say(json!({ "id": "m", "user_id": "amy", "shared_location": here(json!(END)) })).await;
    for (location, error) in [
        (json!({ "longitude": 1 }), (400, 4)),
        (json!({ "latitude": "north", "longitude": 1 }), (400, 4)),
        (json!({ "latitude": 91, "longitude": 1 }), (400, 4)),
        (json!({ "latitude": 1, "longitude": 181 }), (400, 4)),
        (here(json!("2025-12-31T00:00:00Z")), (400, 4)),
    ] {
        let body = json!({ "message": { "user_id": "amy", "shared_location": location } }).to_string();
        assert_eq!(lake.refuses(Method::POST, &format!("{ROOM}/message"), body).await, error, "{location}");
    }
    let put = async |lake: &crate::pond::Client, body: Value| {
        lake.refuses(Method::PUT, "users/live_locations", body.to_string()).await
    };
    assert_eq!(put(&lake.user("amy"), json!({})).await, (400, 4));
    assert_eq!(put(&lake.user("amy"), json!({ "message_id": "nothing" })).await, (404, 16));
    assert_eq!(put(&lake.user("bob"), json!({ "message_id": "m" })).await, (404, 16));
    lake.patch("app", json!({ "shared_locations_enabled": false })).await.ok(201);
    let body = json!({ "message": { "user_id": "amy", "shared_location": here(json!(END)) } });
    let off = lake.post(&format!("{ROOM}/message"), body).await;
    assert!(off.text.contains("not enabled"), "{}", off.text);
    assert_eq!(off.refusal().1, 19);
}
