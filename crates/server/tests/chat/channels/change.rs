//! Updates, partial updates, truncation, deletion (§11.3, §12.7).

use http::Method;
use serde_json::json;

use super::{QUERY, each, general, say};

const PATH: &str = "channels/messaging/general";

#[tokio::test]
async fn an_update_replaces_all_own_fields_and_keeps_the_members() {
    let pond = general().await;
    let answer = pond.post(PATH, json!({ "data": { "color": "red", "frozen": true } })).await.ok(201);
    let channel = &answer["channel"];
    assert_eq!((channel.get("name"), &channel["color"], &channel["frozen"]), (None, &json!("red"), &json!(true)));
    assert_eq!(each(&answer["members"], "user_id"), "amy bob");
    let body = json!({
        "data": { "custom": { "color": "blue" } }, "message": { "text": "changed", "user_id": "amy" },
    });
    let answer = pond.v2().post("chat/channels/messaging/general", body).await.ok(201);
    assert_eq!(
        (&answer["channel"]["custom"], &answer["channel"]["frozen"]),
        (&json!({ "color": "blue" }), &json!(false))
    );
    assert_eq!((&answer["message"]["type"], &answer["message"]["text"]), (&json!("system"), &json!("changed")));
    assert_eq!(pond.refuses(Method::POST, PATH, r#"{"data":{"cooldown":121}}"#).await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "channels/messaging/none", r#"{"data":{}}"#).await, (404, 16));
}

#[tokio::test]
async fn a_partial_update_sets_and_unsets_in_both_dialects() {
    let pond = general().await;
    let set = json!({ "set": { "color": "red", "detail.topic": 1, "frozen": true, "cooldown": 5 }, "unset": ["name"] });
    let channel = pond.patch(PATH, set).await.ok(201)["channel"].clone();
    assert_eq!(
        (channel.get("name"), &channel["color"], &channel["detail"]),
        (None, &json!("red"), &json!({ "topic": 1 }))
    );
    assert_eq!((&channel["frozen"], &channel["cooldown"]), (&json!(true), &json!(5)));
    let set = json!({ "set": { "custom.size": 2, "custom": { "shape": "round" } }, "unset": ["custom.color", "frozen", "detail.topic"] });
    let answer = pond.v2().patch("chat/channels/messaging/general", set).await.ok(201);
    assert_eq!(answer["channel"]["custom"], json!({ "detail": {}, "size": 2, "shape": "round" }));
    assert_eq!(
        (&answer["channel"]["frozen"], each(&answer["members"], "user_id").as_str()),
        (&json!(false), "amy bob")
    );
    for body in [
        r#"{"set":{"a b":1}}"#,
        r#"{"set":{"a":1},"unset":["a.b"]}"#,
        r#"{"set":{"config_overrides":{"replies":"no"}}}"#,
    ] {
        assert_eq!(pond.refuses(Method::PATCH, PATH, body).await, (400, 4), "{body}");
    }
    let big = json!({ "set": { "bio": "x".repeat(6000) } }).to_string();
    assert_eq!(pond.refuses(Method::PATCH, PATH, big).await, (413, 22));
}

#[tokio::test]
async fn filter_tags_come_and_go() {
    let pond = general().await;
    let tags = async |body| pond.post(PATH, body).await.ok(201)["channel"].get("filter_tags").cloned();
    assert_eq!(tags(json!({ "add_filter_tags": ["a", "b"] })).await, Some(json!(["a", "b"])));
    assert_eq!(tags(json!({ "add_filter_tags": ["b"], "remove_filter_tags": ["a"] })).await, Some(json!(["b"])));
    assert_eq!(tags(json!({ "remove_filter_tags": ["b"], "add_filter_tags": null })).await, None);
}

#[tokio::test]
async fn truncation_empties_the_channel_but_for_the_message_that_tells_of_it() {
    let pond = general().await;
    say(&pond, "amy", "a").await;
    pond.clock.advance(1_000_000);
    let answer = pond.post(&format!("{PATH}/truncate"), json!({ "user_id": "bob" })).await.ok(201);
    let channel = &answer["channel"];
    assert_eq!(
        (&channel["truncated_at"], &channel["truncated_by"]["id"]),
        (&json!("2026-01-01T00:00:01Z"), &json!("bob"))
    );
    assert_eq!((channel.get("last_message_at"), answer.get("message")), (None, None));
    assert_eq!(pond.post(QUERY, json!({})).await.ok(201)["messages"], json!([]));
    say(&pond, "amy", "b").await;
    let body = json!({ "message": { "text": "emptied", "user_id": "amy" }, "hard_delete": true, "skip_push": true });
    let answer = pond.v2().post("chat/channels/messaging/general/truncate", body).await.ok(201);
    assert_eq!(answer["message"]["type"], "system");
    pond.clock.advance(1_000_000);
    pond.run_tasks().await;
    let state = pond.post(QUERY, json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!(
        (each(&state["messages"], "text").as_str(), each(&state["members"], "user_id").as_str()),
        ("emptied", "amy bob")
    );
    assert_eq!(pond.get("messages/b").await.refusal(), (404, 16));
    let secret = r#"{"message":{"text":"x","user_id":"amy","restricted_visibility":["bob"]}}"#;
    assert_eq!(pond.refuses(Method::POST, &format!("{PATH}/truncate"), secret).await, (400, 4));
}

#[tokio::test]
async fn truncation_up_to_a_moment_keeps_what_was_said_after_it() {
    let pond = general().await;
    for id in ["a", "b", "c"] {
        pond.clock.advance(1_000_000);
        say(&pond, "amy", id).await;
    }
    let up_to = json!({ "truncated_at": "2026-01-01T00:00:02Z", "user": { "id": "amy" } });
    let channel = pond.post(&format!("{PATH}/truncate"), up_to).await.ok(201)["channel"].clone();
    assert_eq!(channel["truncated_at"], "2026-01-01T00:00:02Z");
    assert_eq!(each(&pond.post(QUERY, json!({})).await.ok(201)["messages"], "id"), "c");
    let unread = pond.get("unread?user_id=bob").await.ok(200)["total_unread_count"].clone();
    assert_eq!((unread, channel["last_message_at"].clone()), (json!(1), json!("2026-01-01T00:00:03Z")));
}

#[tokio::test]
async fn truncation_for_some_members_hides_what_was_said_from_them_alone() {
    let pond = general().await;
    say(&pond, "amy", "a").await;
    pond.clock.advance(1_000_000);
    pond.v2().post(&format!("chat/{PATH}/truncate"), json!({ "member_ids": ["bob"] })).await.ok(201);
    let seen = async |user: &str| each(&pond.user(user).post(QUERY, json!({})).await.ok(201)["messages"], "id");
    assert_eq!((seen("amy").await.as_str(), seen("bob").await.as_str()), ("a", ""));
}

#[tokio::test]
async fn who_did_not_make_a_deleted_channel_makes_it_anew_only_if_that_is_granted() {
    let pond = general().await;
    pond.delete(PATH).await.ok(200);
    assert_eq!(pond.user("cat").refuses(Method::POST, QUERY, "{}").await, (403, 17));
    let anew = pond.user("amy").post(QUERY, json!({ "data": { "members": ["amy"] } })).await.ok(201);
    assert_eq!(anew["channel"]["created_by"]["id"], "amy");
    pond.user("amy").delete(PATH).await.ok(200);
    let role = json!({ "users": [{ "id": "cat", "set": { "role": "admin" } }] });
    pond.patch("users", role).await.ok(201);
    let anew = pond.user("cat").post(QUERY, json!({})).await.ok(201);
    assert_eq!(anew["channel"]["created_by"]["id"], "cat");
}

#[tokio::test]
async fn a_deleted_channel_is_gone_and_made_anew_it_is_empty() {
    let pond = general().await;
    say(&pond, "amy", "a").await;
    let answer = pond.delete(PATH).await.ok(200);
    assert_eq!(answer["channel"]["deleted_at"], "2026-01-01T00:00:00Z");
    assert_eq!(pond.get(PATH).await.refusal(), (404, 16));
    let found = pond.post("channels", json!({ "filter_conditions": { "cid": "messaging:general" } })).await.ok(201);
    assert_eq!(found["channels"], json!([]));
    pond.clock.advance(1_000_000);
    let state = pond.post(QUERY, json!({ "data": { "created_by_id": "cat", "members": ["cat"] } })).await.ok(201);
    assert_eq!((&state["messages"], each(&state["members"], "user_id").as_str()), (&json!([]), "cat"));
    assert_eq!((&state["channel"]["member_count"], &state["channel"]["created_by"]["id"]), (&json!(1), &json!("cat")));
}

#[tokio::test]
async fn what_is_deleted_hard_leaves_nothing() {
    let pond = general().await;
    say(&pond, "amy", "a").await;
    pond.v2().delete("chat/channels/messaging/general?hard_delete=true").await.ok(200);
    pond.run_tasks().await;
    assert_eq!(pond.get("messages/a").await.refusal(), (404, 16));
    assert_eq!(pond.delete(PATH).await.refusal(), (404, 16));
}
