//! What watchers and members hear of a channel's changes (§10.1, §10.3).

use serde_json::{Value, json};

use crate::sockets::lake::{Lake, Socket};

const PATH: &str = "channels/messaging/room";

/// A room of amy and bob; amy watches it.
async fn watched() -> (Lake, Socket, Socket) {
    let lake = Lake::new().await;
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    lake.post(&format!("{PATH}/query"), data).await.ok(201);
    let (amy, bob) = (lake.connect("amy").await, lake.connect("bob").await);
    let path = format!("{PATH}/query?connection_id={}", amy.id);
    let state = lake.user("amy").post(&path, json!({ "watch": true })).await.ok(201);
    assert_eq!((&state["watcher_count"], &state["watchers"][0]["id"]), (&json!(1), &json!("amy")));
    (lake, amy, bob)
}

#[tokio::test]
async fn who_watches_hears_of_changes_and_who_is_concerned_hears_too() {
    let (lake, mut amy, mut bob) = watched().await;
    lake.post(PATH, json!({ "data": { "name": "New" }, "user_id": "bob" })).await.ok(201);
    let event = amy.find("channel.updated").await;
    assert_eq!((&event["cid"], &event["user"]["id"]), (&json!("messaging:room"), &json!("bob")), "{event}");
    lake.patch(PATH, json!({ "set": { "frozen": true } })).await.ok(201);
    amy.find("channel.frozen").await;
    lake.post(&format!("{PATH}/hide"), json!({ "user_id": "bob", "clear_history": true })).await.ok(201);
    assert_eq!(bob.find("channel.hidden").await["clear_history"], true);
    lake.post(&format!("{PATH}/read"), json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!(amy.find("message.read").await["user"]["id"], "bob");
    bob.find("notification.mark_read").await;
    lake.post(PATH, json!({ "remove_members": ["bob"] })).await.ok(201);
    assert_eq!(amy.find("member.removed").await["member"]["user_id"], "bob");
    bob.find("notification.removed_from_channel").await;
    lake.post(PATH, json!({ "add_members": ["bob"] })).await.ok(201);
    assert_eq!(amy.find("member.added").await["member"]["user_id"], "bob");
    bob.find("notification.added_to_channel").await;
    lake.post(&format!("{PATH}/truncate"), json!({})).await.ok(201);
    amy.find("channel.truncated").await;
    bob.find("notification.channel_truncated").await;
    lake.delete(PATH).await.ok(200);
    amy.find("channel.deleted").await;
    bob.find("notification.channel_deleted").await;
}

#[tokio::test]
async fn a_query_watches_what_it_finds() {
    let (lake, _, mut bob) = watched().await;
    let body =
        json!({ "filter_conditions": { "members": { "$in": ["bob"] } }, "watch": true, "connection_id": bob.id });
    let found = lake.user("bob").post("channels", body).await.ok(201)["channels"].clone();
    assert_eq!(found[0]["watcher_count"], 2);
    let event: Value = json!({ "event": { "type": "typing.start", "user_id": "amy" } });
    lake.post(&format!("{PATH}/event"), event).await.ok(201);
    bob.find("typing.start").await;
}
