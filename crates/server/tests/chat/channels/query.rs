//! `POST /channels` (§7, §11.3).

use http::Method;
use serde_json::{Value, json};

use super::{each, general};
use crate::pond::{Client, Pond};

/// Channels `a` to `d` beside `general`, a second apart, with other members each.
async fn several() -> Pond {
    let pond = general().await;
    let channels = [
        ("messaging/a", json!({ "created_by_id": "amy", "members": ["amy", "bob"], "name": "Alpha centauri", "n": 1 })),
        ("messaging/b", json!({ "created_by_id": "bob", "members": ["bob", "cat"], "frozen": true, "n": 2 })),
        ("team/c", json!({ "created_by_id": "cat", "members": ["amy", "bob", "cat"], "team": "blue" })),
        ("livestream/d", json!({ "created_by_id": "cat", "filter_tags": ["x", "y"] })),
    ];
    for (path, data) in channels {
        pond.clock.advance(1_000_000);
        pond.post(&format!("channels/{path}/query"), json!({ "data": data })).await.ok(201);
    }
    pond
}

async fn find(client: &Client, body: Value) -> String {
    let answer = client.post("channels", body).await.ok(201);
    let channels = answer["channels"].as_array().unwrap();
    channels.iter().map(|state| state["channel"]["id"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

async fn filter(client: &Client, filter: Value) -> String {
    find(client, json!({ "filter_conditions": filter })).await
}

#[tokio::test]
async fn channels_are_found_by_what_they_are() {
    let pond = several().await;
    for (asked, found) in [
        (json!({}), "d c b a general"),
        (json!({ "cid": "messaging:a" }), "a"),
        (json!({ "cid": { "$in": ["messaging:a", "team:c", "team:none"] } }), "c a"),
        (json!({ "id": "d" }), "d"),
        (json!({ "type": "messaging", "id": { "$in": ["a", "c"] } }), "a"),
        (json!({ "type": "messaging" }), "b a general"),
        (json!({ "frozen": true }), "b"),
        (json!({ "team": "blue" }), "c"),
        (json!({ "filter_tags": { "$in": ["x", "z"] } }), "d"),
        (json!({ "created_by_id": "cat" }), "d c"),
        (json!({ "n": { "$gte": 2 } }), "b"),
        (json!({ "name": { "$autocomplete": "cent" } }), "a"),
        (json!({ "member_count": { "$gt": 2 } }), "c"),
        (json!({ "created_at": { "$lt": "2026-01-01T00:00:01Z" } }), "general"),
        (json!({ "last_message_at": { "$exists": true } }), ""),
        (json!({ "$or": [{ "n": 1 }, { "type": "livestream" }] }), "d a"),
    ] {
        assert_eq!(filter(&pond, asked.clone()).await, found, "{asked}");
    }
}

#[tokio::test]
async fn channels_are_found_by_their_members() {
    let pond = several().await;
    for (asked, found) in [
        (json!({ "members": { "$in": ["amy"] } }), "c a general"),
        (json!({ "members": { "$in": ["amy", "cat"] } }), "c b a general"),
        (json!({ "members": ["bob", "amy"] }), "a general"),
        (json!({ "members": { "$eq": ["cat", "bob"] } }), "b"),
        (json!({ "members": "cat" }), "c b"),
        (json!({ "members": { "$nin": ["amy"] } }), "d b"),
        (json!({ "$and": [{ "members": { "$in": ["amy"] } }, { "members": { "$in": ["cat"] } }] }), "c"),
    ] {
        assert_eq!(filter(&pond, asked.clone()).await, found, "{asked}");
    }
    let joined = |flag: bool| json!({ "filter_conditions": { "joined": flag }, "user_id": "amy" });
    assert_eq!(
        (find(&pond, joined(true)).await.as_str(), find(&pond, joined(false)).await.as_str()),
        ("c a general", "d b")
    );
    pond.post("users", json!({ "users": { "cat": { "id": "cat", "name": "Cat Stevens" } } })).await.ok(201);
    assert_eq!(filter(&pond, json!({ "member.user.name": { "$autocomplete": "stev" } })).await, "c b");
}

#[tokio::test]
async fn the_latest_comes_first_unless_another_order_is_asked_for() {
    let pond = several().await;
    pond.clock.advance(1_000_000);
    super::say(&pond, "amy", "m").await;
    assert_eq!(filter(&pond, json!({})).await, "general d c b a");
    let sorted = async |sort: Value| find(&pond, json!({ "sort": sort, "user_id": "bob" })).await;
    assert_eq!(sorted(json!([{ "field": "created_at", "direction": 1 }])).await, "general a b c d");
    assert_eq!(
        sorted(json!([{ "field": "member_count", "direction": -1 }, { "field": "cid" }])).await,
        "c a b general d"
    );
    assert_eq!(sorted(json!({ "last_message_at": -1 })).await, "general d a b c");
    assert_eq!(sorted(json!([{ "field": "has_unread", "direction": -1 }])).await, "general d a b c");
    assert_eq!(
        sorted(json!([{ "field": "unread_count", "direction": -1 }, { "field": "created_at" }])).await,
        "general a b c d"
    );
    assert_eq!(find(&pond, json!({ "filter_conditions": { "has_unread": true }, "user_id": "bob" })).await, "general");
    assert_eq!(find(&pond, json!({ "limit": 2, "offset": 1 })).await, "d c");
    pond.patch("channels/messaging/a/member/bob", json!({ "set": { "pinned": true } })).await.ok(201);
    assert_eq!(
        sorted(json!([{ "field": "pinned_at", "direction": -1 }, { "field": "created_at" }])).await,
        "a general b c d"
    );
}

#[tokio::test]
async fn a_found_channel_has_as_much_of_its_state_as_is_asked_for() {
    let pond = several().await;
    for id in ["x", "y"] {
        super::say(&pond, "amy", id).await;
    }
    let body = json!({
        "filter_conditions": { "cid": "messaging:general" }, "message_limit": 1, "member_limit": 1, "user_id": "bob",
    });
    let state = pond.post("channels", body).await.ok(201)["channels"][0].clone();
    assert_eq!((each(&state["messages"], "id").as_str(), each(&state["members"], "user_id").as_str()), ("y", "amy"));
    assert_eq!((&state["membership"]["user_id"], &state["threads"]), (&json!("bob"), &json!([])));
    let body = json!({ "filter_conditions": { "cid": "messaging:general" }, "state": false, "sort": null });
    let state = pond.v2().post("chat/channels", body).await.ok(201)["channels"][0].clone();
    assert_eq!((&state["messages"], &state["channel"]["custom"]), (&json!([]), &json!({ "name": "General" })));
}

#[tokio::test]
async fn a_user_finds_what_the_user_may_read() {
    let pond = several().await;
    assert_eq!(filter(&pond.user("amy"), json!({})).await, "d c a general");
    assert_eq!(filter(&pond.user("dan"), json!({})).await, "d");
    assert_eq!(filter(&pond.token(None).header("stream-auth-type", "anonymous"), json!({})).await, "d");
    let named = r#"{"filter_conditions":{"cid":"messaging:b"}}"#;
    assert_eq!(pond.user("amy").refuses(Method::POST, "channels", named).await, (403, 70));
}

#[tokio::test]
async fn what_is_not_a_query_is_refused() {
    let pond = general().await;
    for body in [
        json!({ "limit": 31 }),
        json!({ "offset": 1001 }),
        json!({ "message_limit": 301 }),
        json!({ "member_limit": 101 }),
        json!({ "limit": -1 }),
        json!({ "sort": "x" }),
        json!({ "filter_conditions": { "frozen": { "$gt": true } } }),
        json!({ "filter_conditions": { "cid": { "$near": "x" } } }),
        json!({ "filter_conditions": { "created_at": "yesterday" } }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "channels", body.to_string()).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn a_blocked_users_channel_of_two_is_hidden() {
    let pond = several().await;
    pond.post("users/block", json!({ "blocked_user_id": "bob", "user_id": "amy" })).await.ok(201);
    let of_amy = |filter: Value| json!({ "filter_conditions": filter, "user_id": "amy" });
    assert_eq!(find(&pond, of_amy(json!({ "joined": true }))).await, "c");
    assert_eq!(find(&pond, of_amy(json!({ "joined": true, "blocked": true }))).await, "a general");
}
