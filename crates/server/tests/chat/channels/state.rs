//! What a state holds (§6.4).

use serde_json::json;

use super::{QUERY, each, general, say};

#[tokio::test]
async fn a_state_has_the_page_of_messages_that_is_asked_for_oldest_first() {
    let pond = general().await;
    for id in ["a", "b", "c", "d", "e"] {
        pond.clock.advance(1_000_000);
        say(&pond, "amy", id).await;
    }
    let page = async |messages| {
        let state = pond.post(QUERY, json!({ "messages": messages })).await.ok(201);
        each(&state["messages"], "id")
    };
    assert_eq!(page(json!({})).await, "a b c d e");
    assert_eq!(page(json!({ "limit": 2 })).await, "d e");
    assert_eq!(page(json!({ "limit": 2, "id_lt": "c" })).await, "a b");
    assert_eq!(page(json!({ "limit": 2, "id_gt": "b" })).await, "c d");
    assert_eq!(page(json!({ "limit": 3, "id_around": "c" })).await, "b c d");
    assert_eq!(page(json!({ "created_at_after_or_equal": "2026-01-01T00:00:04Z" })).await, "d e");
    let state = pond.get("channels/messaging/general?state=true&messages_limit=1&messages_id_lte=b").await.ok(200);
    assert_eq!(each(&state["messages"], "id"), "b");
    let state = pond.post(QUERY, json!({ "state": false })).await.ok(201);
    assert_eq!((&state["messages"], &state["members"], &state["read"]), (&json!([]), &json!([]), &json!([])));
    assert_eq!(state["channel"]["last_message_at"], "2026-01-01T00:00:05Z");
}

#[tokio::test]
async fn a_state_says_how_far_each_member_has_read() {
    let pond = general().await;
    pond.clock.advance(1_000_000);
    say(&pond, "amy", "a").await;
    let state = pond.post(QUERY, json!({ "user_id": "bob" })).await.ok(201);
    let read = state["read"].as_array().unwrap();
    let unread: Vec<_> = read.iter().map(|read| (&read["user"]["id"], &read["unread_messages"])).collect();
    assert_eq!(unread, [(&json!("amy"), &json!(0)), (&json!("bob"), &json!(1))]);
    assert_eq!(
        (&read[0]["last_read"], &read[0]["last_read_message_id"], read[1].get("last_read_message_id")),
        (&json!("2026-01-01T00:00:01Z"), &json!("a"), None)
    );
}

#[tokio::test]
async fn pinned_messages_and_those_that_wait_are_in_the_state() {
    let pond = general().await;
    let pinned = json!({ "message": { "id": "p", "text": "p", "user_id": "amy", "pinned": true } });
    pond.post("channels/messaging/general/message", pinned).await.ok(201);
    let waits = json!({
        "message": { "id": "w", "text": "w", "user_id": "amy" }, "pending": true,
        "pending_message_metadata": { "k": "v" },
    });
    pond.post("channels/messaging/general/message", waits).await.ok(201);
    let state = pond.post(QUERY, json!({ "user_id": "amy" })).await.ok(201);
    assert_eq!((each(&state["messages"], "id").as_str(), each(&state["pinned_messages"], "id").as_str()), ("p", "p"));
    let pending = &state["pending_messages"];
    assert_eq!((&pending[0]["message"]["id"], &pending[0]["metadata"]), (&json!("w"), &json!({ "k": "v" })));
    let state = pond.post(QUERY, json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!(state["pending_messages"], json!([]));
}

#[tokio::test]
async fn messages_are_counted_where_the_type_says_so_unless_the_channel_says_otherwise() {
    let pond = general().await;
    assert_eq!(pond.get("channels/messaging/general").await.ok(200)["channel"].get("message_count"), None);
    let body = json!({ "data": { "created_by_id": "amy", "members": ["amy"] } });
    pond.post("channels/team/t/query", body).await.ok(201);
    let message = json!({ "message": { "text": "hi", "user_id": "amy" } });
    pond.post("channels/team/t/message", message).await.ok(201);
    assert_eq!(pond.get("channels/team/t").await.ok(200)["channel"]["message_count"], 1);
    let off = json!({ "set": { "config_overrides": { "count_messages": false } } });
    let answer = pond.patch("channels/team/t", off).await.ok(201);
    assert_eq!(answer["channel"].get("message_count"), None);
}

#[tokio::test]
async fn who_shows_nobody_how_far_they_have_read_shows_only_themselves() {
    let pond = general().await;
    let private =
        json!({ "users": { "bob": { "id": "bob", "privacy_settings": { "read_receipts": { "enabled": false } } } } });
    pond.post("users", private).await.ok(201);
    let seen_by = async |user: &str| {
        let state = pond.user(user).post(QUERY, json!({})).await.ok(201);
        let read = state["read"].as_array().unwrap().iter().map(|read| read["user"]["id"].clone());
        read.collect::<Vec<_>>()
    };
    assert_eq!((seen_by("amy").await, seen_by("bob").await), (vec![json!("amy")], vec![json!("amy"), json!("bob")]));
}
