//! Threads (§6.13, §11.5).

use http::Method;
use serde_json::{Value, json};

use crate::{messages::room, sockets::lake::Lake};

/// A room where bob replied twice to `p` and once to `q`, both of amy.
async fn two_threads() -> Lake {
    let lake = room().await;
    for (id, text) in [("p", "first"), ("q", "second")] {
        lake.says("amy", id, text).await;
    }
    for (id, parent) in [("r1", "p"), ("r2", "p"), ("s1", "q")] {
        lake.clock.advance(1_000_000);
        lake.say(json!({ "id": id, "text": id, "user_id": "bob", "parent_id": parent })).await;
    }
    lake
}

#[tokio::test]
async fn a_thread_is_made_by_its_first_reply() {
    let lake = two_threads().await;
    let thread = lake.get("threads/p?reply_limit=10").await.ok(200)["thread"].clone();
    let expected = json!({
        "channel_cid": "messaging:room", "parent_message_id": "p", "created_by_user_id": "bob", "title": "first",
        "reply_count": 2, "participant_count": 2, "active_participant_count": 2, "custom": {},
        "created_at": "2026-01-01T00:00:01Z", "updated_at": "2026-01-01T00:00:01Z",
        "last_message_at": "2026-01-01T00:00:02Z",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(thread[name], *value, "{name}");
    }
    assert_eq!((&thread["channel"]["cid"], &thread["parent_message"]["id"]), (&json!("messaging:room"), &json!("p")));
    assert_eq!((&thread["created_by"]["id"], thread.get("read")), (&json!("bob"), None));
    assert_eq!(crate::messages::ids(&thread["latest_replies"]), "r1 r2");
    let bob = &thread["thread_participants"][1];
    assert_eq!((&bob["user_id"], &bob["thread_id"], &bob["user"]["id"]), (&json!("bob"), &json!("p"), &json!("bob")));
    assert_eq!(bob["created_at"], "2026-01-01T00:00:01Z");
    assert_eq!(lake.get("threads/r1").await.refusal(), (404, 16));
    assert_eq!(lake.get("threads/nothing").await.refusal(), (404, 16));
    assert_eq!(lake.user("eve").get("threads/p").await.refusal(), (403, 17));
}

#[tokio::test]
async fn the_v2_dialect_and_users_are_told_how_far_participants_have_read() {
    let lake = two_threads().await;
    let thread = lake.v2().get("chat/threads/p").await.ok(200)["thread"].clone();
    let read = &thread["read"];
    assert_eq!((&read[0]["user"]["id"], &read[0]["unread_messages"]), (&json!("amy"), &json!(2)));
    assert_eq!((&read[1]["user"]["id"], &read[1]["unread_messages"]), (&json!("bob"), &json!(0)));
    assert_eq!(thread["created_at"], 1_767_225_601_000_000_000_i64);
    assert!(thread["thread_participants"][0]["last_read_at"].is_i64());
    assert_eq!(thread["thread_participants"][0]["custom"], json!({}));
    assert!(lake.user("amy").get("threads/p").await.ok(200)["thread"]["read"].is_array());
}

#[tokio::test]
async fn a_participant_pages_through_its_threads() {
    let lake = two_threads().await;
    let parents = |page: &Value| {
        let parent = |thread: &Value| thread["parent_message_id"].as_str().unwrap().to_owned();
        page["threads"].as_array().unwrap().iter().map(parent).collect::<Vec<_>>().join(" ")
    };
    let first = lake.v2().post("chat/threads", json!({ "user_id": "amy", "limit": 1, "filter": null })).await.ok(201);
    assert_eq!(parents(&first), "q");
    let next = json!({ "user_id": "amy", "limit": 1, "next": first["next"] });
    let second = lake.v2().post("chat/threads", next).await.ok(201);
    assert_eq!((parents(&second), second.get("next")), ("p".to_owned(), None));
    let asked = json!({ "filter": { "channel_cid": "messaging:room" }, "sort": [{ "field": "created_at" }] });
    assert_eq!(parents(&lake.user("bob").post("threads", asked).await.ok(201)), "p q");
    assert_eq!(parents(&lake.post("threads", json!({ "user_id": "cat" })).await.ok(201)), "");
    assert_eq!(lake.refuses(Method::POST, "threads", "{}").await, (400, 4));
    assert_eq!(lake.refuses(Method::POST, "threads", r#"{"user_id":"amy","limit":26}"#).await, (400, 4));
}

#[tokio::test]
async fn a_member_finds_the_threads_of_a_channel_that_the_filter_names_without_taking_part() {
    let lake = two_threads().await;
    lake.member("messaging:room", "cat").await;
    lake.say(json!({ "id": "t", "text": "psst", "user_id": "amy", "restricted_visibility": ["bob"] })).await;
    lake.say(json!({ "id": "u", "text": "psst", "user_id": "bob", "parent_id": "t" })).await;
    let found = async |user: &str, filter: Value| {
        let asked = json!({ "user_id": user, "filter": filter, "sort": [{ "field": "created_at" }] });
        let page = lake.post("threads", asked).await.ok(201);
        let parent = |thread: &Value| thread["parent_message_id"].as_str().unwrap().to_owned();
        page["threads"].as_array().unwrap().iter().map(parent).collect::<Vec<_>>().join(" ")
    };
    let room = || json!({ "channel_cid": { "$eq": "messaging:room" } });
    assert_eq!(found("cat", room()).await, "p q");
    assert_eq!(found("cat", json!({ "channel_cid": { "$in": ["messaging:room", "messaging:none"] } })).await, "p q");
    assert_eq!(found("cat", json!({})).await, "");
    assert_eq!(found("cat", json!({ "channel_cid": "messaging:room", "has_unread": true })).await, "");
    assert_eq!(found("bob", room()).await, "p q t");
    assert_eq!(found("eve", room()).await, "", "who is no member finds nothing");
    lake.post("channels/messaging/room", json!({ "add_members": ["dan"], "hide_history": true })).await.ok(201);
    assert_eq!(found("dan", room()).await, "", "what was said before is hidden");
}

#[tokio::test]
async fn a_title_and_own_fields_are_set_and_unset() {
    let lake = two_threads().await;
    let body = json!({ "user_id": "amy", "set": { "title": "news", "k": 1 }, "unset": [] });
    let thread = lake.patch("threads/p", body).await.ok(201)["thread"].clone();
    assert_eq!((&thread["title"], &thread["custom"]), (&json!("news"), &json!({ "k": 1 })));
    assert_eq!((thread.get("latest_replies"), thread.get("read")), (None, None));
    let body = json!({ "user_id": "amy", "set": null, "unset": ["title", "k"] });
    let thread = lake.v2().patch("chat/threads/p", body).await.ok(201)["thread"].clone();
    assert_eq!((&thread["title"], &thread["custom"]), (&json!("first"), &json!({})));
    let body = r#"{"set":{"title":"no"}}"#;
    assert_eq!(lake.user("bob").refuses(Method::PATCH, "threads/p", body).await, (403, 17));
    let long = json!({ "set": { "title": "x".repeat(300) } }).to_string();
    assert_eq!(lake.refuses(Method::PATCH, "threads/p", long).await, (400, 4));
}

#[tokio::test]
async fn a_query_watches_the_channels_of_its_threads_and_shows_as_many_members_as_are_asked_for() {
    let lake = two_threads().await;
    let (mut socket, amy) = (lake.connect("amy").await, lake.user("amy"));
    let asked = json!({ "watch": true, "presence": true, "connection_id": socket.id, "member_limit": 1, "limit": 1 });
    let threads = amy.post("threads", asked).await.ok(201)["threads"].clone();
    assert_eq!(threads[0]["channel"]["members"].as_array().unwrap().len(), 1);
    lake.says("bob", "news", "all in the room hear this").await;
    while socket.next().await["type"] != "message.new" {}
    let bob = lake.connect("bob").await;
    let path = format!("threads/p?watch=true&member_limit=2&connection_id={}", bob.id);
    let thread = lake.user("bob").get(&path).await.ok(200)["thread"].clone();
    assert_eq!(thread["channel"]["members"][1]["user_id"], "bob");
    assert_eq!(amy.refuses(Method::POST, "threads", r#"{"watch":true}"#).await, (400, 4));
    assert_eq!(amy.refuses(Method::GET, "threads/p?member_limit=101", "").await, (400, 4));
}

#[tokio::test]
async fn a_cursor_goes_with_the_filter_that_it_was_made_for_whatever_the_sort() {
    let lake = two_threads().await;
    let room = json!({ "channel_cid": "messaging:room" });
    let asked = json!({ "user_id": "amy", "limit": 1, "filter": room });
    let next = lake.post("threads", asked).await.ok(201)["next"].clone();
    let other = json!({ "user_id": "amy", "limit": 1, "next": next, "filter": { "channel_cid": "messaging:x" } });
    assert_eq!(lake.refuses(Method::POST, "threads", other.to_string()).await, (400, 4));
    let same =
        json!({ "user_id": "amy", "limit": 1, "next": next, "filter": room, "sort": [{ "field": "created_at" }] });
    assert_eq!(lake.post("threads", same).await.ok(201)["threads"][0]["parent_message_id"], "p");
}

#[tokio::test]
async fn a_channel_shows_its_threads_with_what_is_unread_if_that_is_asked_for() {
    let lake = two_threads().await;
    let query = async |user: &str, body: Value| {
        let state = lake.user(user).post("channels/messaging/room/query", body).await.ok(201);
        let threads = state["threads"].as_array().unwrap().clone();
        assert!(threads.iter().all(|thread| thread["latest_replies"].is_array()), "{state}");
        let unread = |thread: &Value| {
            let own = thread["read"].as_array().unwrap().iter().find(|read| read["user"]["id"] == user).cloned();
            (thread["parent_message_id"].clone(), own.unwrap()["unread_messages"].clone())
        };
        threads.iter().map(unread).collect::<Vec<_>>()
    };
    let asked = json!({ "thread_unread_counts": true });
    assert_eq!(query("amy", asked.clone()).await, [(json!("q"), json!(1)), (json!("p"), json!(2))]);
    assert_eq!(query("bob", asked.clone()).await, []);
    assert_eq!(query("amy", json!({})).await, []);
    assert_eq!(query("amy", json!({ "thread_unread_counts": true, "state": false })).await, []);
    lake.user("amy").post("channels/messaging/room/read", json!({ "thread_id": "p" })).await.ok(201);
    assert_eq!(query("amy", asked).await, [(json!("q"), json!(1))]);
    let elsewhere = json!({ "thread_unread_counts": true, "data": { "members": ["amy"] } });
    let other = lake.user("amy").post("channels/messaging/other/query", elsewhere).await.ok(201);
    assert_eq!(other["threads"], json!([]));
}
