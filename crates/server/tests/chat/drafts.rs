//! Drafts (§6.15, §11.6).

use http::Method;
use serde_json::json;

use crate::messages::{ROOM, room};

#[tokio::test]
async fn a_draft_is_kept_read_and_thrown_away_in_both_dialects() {
    let lake = room().await;
    lake.says("amy", "p", "hello").await;
    let message = json!({ "text": "wip", "user_id": "bob", "quoted_message_id": "p", "k": 1, "custom": { "n": 2 },
        "mentioned_users": ["amy"], "attachments": [{ "type": "image", "w": 9 }] });
    let draft = lake.post(&format!("{ROOM}/draft"), json!({ "message": message })).await.ok(201)["draft"].clone();
    assert_eq!((&draft["channel_cid"], &draft["channel"]["id"]), (&json!("messaging:room"), &json!("room")));
    assert_eq!((&draft["message"]["text"], &draft["message"]["custom"]), (&json!("wip"), &json!({ "k": 1, "n": 2 })));
    assert_eq!((&draft["quoted_message"]["id"], draft.get("parent_id")), (&json!("p"), None));
    assert_eq!(draft["message"]["mentioned_users"][0]["id"], "amy");
    assert!(draft["created_at"].is_string());

    let again = lake.user("bob").get(&format!("{ROOM}/draft")).await.ok(200)["draft"].clone();
    assert_eq!(again["message"]["id"], draft["message"]["id"]);
    let v2 = lake.v2().get(&format!("chat/{ROOM}/draft?user_id=bob")).await.ok(200)["draft"].clone();
    assert!(v2["created_at"].is_i64());
    assert_eq!(v2["message"]["attachments"], json!([{ "type": "image", "custom": { "w": 9 } }]));
    assert_eq!(lake.get(&format!("{ROOM}/draft?user_id=amy")).await.refusal(), (404, 16));

    lake.delete(&format!("{ROOM}/draft?user_id=bob")).await.ok(200);
    assert_eq!(lake.get(&format!("{ROOM}/draft?user_id=bob")).await.refusal(), (404, 16));
    lake.delete(&format!("{ROOM}/draft?user_id=bob")).await.ok(200);
}

#[tokio::test]
async fn a_draft_shows_in_the_state_of_its_channel_and_of_its_thread_to_its_user_alone() {
    let lake = room().await;
    lake.says("amy", "p", "hello").await;
    lake.say(json!({ "id": "r", "text": "r", "user_id": "amy", "parent_id": "p" })).await;
    let bob = lake.user("bob");
    bob.post(&format!("{ROOM}/draft"), json!({ "message": { "text": "aloud" } })).await.ok(201);
    let reply = json!({ "message": { "text": "aside", "parent_id": "p" } });
    let draft = bob.post(&format!("{ROOM}/draft"), reply).await.ok(201)["draft"].clone();
    assert_eq!((&draft["parent_id"], &draft["parent_message"]["id"]), (&json!("p"), &json!("p")));

    let state = bob.post(&format!("{ROOM}/query"), json!({})).await.ok(201);
    assert_eq!(state["draft"]["message"]["text"], "aloud");
    assert_eq!(state["messages"][0]["draft"]["message"]["text"], "aside");
    assert_eq!(bob.get("threads/p").await.ok(200)["thread"]["draft"]["message"]["text"], "aside");
    let state = lake.user("amy").post(&format!("{ROOM}/query"), json!({})).await.ok(201);
    assert_eq!((state.get("draft"), state["messages"][0].get("draft")), (None, None));

    bob.post(&format!("{ROOM}/message"), json!({ "message": { "text": "aloud" } })).await.ok(201);
    assert_eq!(bob.get(&format!("{ROOM}/draft")).await.refusal(), (404, 16));
    bob.get(&format!("{ROOM}/draft?parent_id=p")).await.ok(200);
}

#[tokio::test]
async fn drafts_are_queried_page_by_page() {
    let lake = room().await;
    lake.member("messaging:other", "bob").await;
    for channel in ["room", "other"] {
        lake.clock.advance(1_000_000);
        let body = json!({ "message": { "text": channel, "user_id": "bob" } });
        lake.post(&format!("channels/messaging/{channel}/draft"), body).await.ok(201);
    }
    let page =
        lake.v2().post("chat/drafts/query", json!({ "user_id": "bob", "limit": 1, "filter": null })).await.ok(201);
    assert_eq!(page["drafts"][0]["message"]["text"], "other");
    let next = json!({ "user_id": "bob", "limit": 1, "next": page["next"] });
    let page = lake.v2().post("chat/drafts/query", next).await.ok(201);
    assert_eq!((&page["drafts"][0]["message"]["text"], page.get("next")), (&json!("room"), None));
    let asked = json!({ "filter": { "channel_cid": "messaging:room" }, "sort": [] });
    let page = lake.user("bob").post("drafts/query", asked).await.ok(201);
    assert_eq!(page["drafts"].as_array().unwrap().len(), 1);
    assert_eq!(lake.post("drafts/query", json!({ "user_id": "amy" })).await.ok(201)["drafts"], json!([]));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_nothing_is_stored() {
    let lake = room().await;
    let draft = format!("{ROOM}/draft");
    for (body, error) in [
        (json!({}), (400, 4)),
        (json!({ "message": { "text": "x" } }), (400, 4)),
        (json!({ "message": { "text": "x".repeat(5001), "user_id": "bob" } }), (400, 20)),
        (json!({ "message": { "text": "x", "user_id": "bob", "pinned": true } }), (400, 4)),
        (json!({ "message": { "text": "x", "user_id": "bob", "parent_id": "nothing" } }), (404, 16)),
        (json!({ "message": { "text": "x", "user_id": "bob", "note": "x".repeat(6000) } }), (413, 22)),
    ] {
        assert_eq!(lake.refuses(Method::POST, &draft, body.to_string()).await, error, "{body}");
    }
    let body = r#"{"message":{"text":"x"}}"#;
    assert_eq!(lake.user("eve").refuses(Method::POST, &draft, body).await, (403, 17));
    assert_eq!(
        lake.user("bob").refuses(Method::POST, &draft, r#"{"message":{"text":"x","user_id":"amy"}}"#).await,
        (403, 17)
    );
    assert_eq!(lake.user("eve").get(&draft).await.refusal(), (403, 17));
}

#[tokio::test]
async fn the_users_other_connections_hear_of_a_draft_and_nobody_else() {
    let lake = room().await;
    let (mut bob, mut v2) = (lake.connect("bob").await, lake.connect_at("/api/v2/connect", "bob").await);
    let mut amy = lake.connect("amy").await;
    lake.user("bob").post(&format!("{ROOM}/draft"), json!({ "message": { "text": "wip" } })).await.ok(201);
    let event = bob.event().await;
    assert_eq!((&event["type"], &event["cid"]), (&json!("draft.updated"), &json!("messaging:room")), "{event}");
    assert_eq!(event["draft"]["message"]["text"], "wip");
    assert!(v2.event().await["draft"]["created_at"].is_i64());
    lake.user("bob").delete(&format!("{ROOM}/draft")).await.ok(200);
    assert_eq!(bob.event().await["type"], "draft.deleted");
    lake.says("amy", "m", "hi").await;
    assert_eq!(amy.event().await["type"], "notification.message_new");
}
