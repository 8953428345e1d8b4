//! What users' tokens may (§8, §12.4).

use http::Method;
use serde_json::json;

use super::{QUERY, each, general};

const PATH: &str = "channels/messaging/general";

#[tokio::test]
async fn a_stranger_may_neither_read_nor_change() {
    let pond = general().await;
    let cat = pond.user("cat");
    let refuses = async |method, path: &str, body: &'static str| cat.refuses(method, path, body).await;
    for (method, path, body) in [
        (Method::POST, QUERY, "{}"),
        (Method::GET, PATH, ""),
        (Method::POST, PATH, r#"{"data":{"name":"x"}}"#),
        (Method::POST, PATH, r#"{"add_members":["cat"]}"#),
        (Method::PATCH, PATH, r#"{"set":{"name":"x"}}"#),
        (Method::DELETE, PATH, ""),
        (Method::POST, "channels/messaging/general/truncate", "{}"),
        (Method::POST, "channels/messaging/general/hide", "{}"),
        (Method::POST, "channels/messaging/general/read", "{}"),
        (Method::POST, "channels/messaging/general/unread", r#"{"message_id":"x"}"#),
        (Method::POST, "moderation/mute/channel", r#"{"channel_cid":"messaging:general"}"#),
        (Method::PATCH, "channels/messaging/general/member", r#"{"set":{"pinned":true}}"#),
        (Method::GET, "members?payload=%7B%22type%22%3A%22messaging%22%2C%22id%22%3A%22general%22%7D", ""),
    ] {
        assert_eq!(refuses(method, path, body).await, (403, 17), "{path} {body}");
    }
}

#[tokio::test]
async fn a_member_reads_and_leaves_but_changes_nothing() {
    let pond = general().await;
    let bob = pond.user("bob");
    let state = bob.post(QUERY, json!({})).await.ok(201);
    let capabilities = state["channel"]["own_capabilities"].as_array().unwrap();
    assert!(capabilities.contains(&json!("send-message")) && !capabilities.contains(&json!("update-channel")));
    assert_eq!(state["membership"]["user_id"], "bob");
    for body in [
        r#"{"data":{"name":"x"}}"#,
        r#"{"add_members":["cat"]}"#,
        r#"{"remove_members":["amy"]}"#,
        r#"{"add_moderators":["bob"]}"#,
        r#"{"invites":["cat"]}"#,
    ] {
        assert_eq!(bob.refuses(Method::POST, PATH, body).await, (403, 17), "{body}");
    }
    assert_eq!(
        bob.refuses(Method::PATCH, "channels/messaging/general/member/amy", r#"{"set":{"pinned":true}}"#).await,
        (403, 17)
    );
    assert_eq!(bob.refuses(Method::POST, &format!("{PATH}/read"), r#"{"user_id":"amy"}"#).await, (403, 17));
    bob.patch("channels/messaging/general/member", json!({ "set": { "pinned": true } })).await.ok(201);
    let left = bob.post(PATH, json!({ "remove_members": ["bob"] })).await.ok(201);
    assert_eq!(each(&left["members"], "user_id"), "amy");
}

#[tokio::test]
async fn who_made_the_channel_changes_it_but_for_what_is_the_servers() {
    let pond = general().await;
    let amy = pond.user("amy");
    let answer = amy.post(PATH, json!({ "data": { "name": "New" }, "add_members": ["cat"] })).await.ok(201);
    assert_eq!(
        (&answer["channel"]["name"], each(&answer["members"], "user_id").as_str()),
        (&json!("New"), "amy bob cat")
    );
    amy.post(PATH, json!({ "remove_members": ["cat"] })).await.ok(201);
    for body in [
        r#"{"data":{"frozen":true}}"#,
        r#"{"data":{"cooldown":5}}"#,
        r#"{"data":{"disabled":true}}"#,
        r#"{"data":{"config_overrides":{"replies":false}}}"#,
        r#"{"data":{"team":"blue"}}"#,
        r#"{"assign_roles":[{"user_id":"bob","channel_role":"channel_moderator"}]}"#,
    ] {
        assert_eq!(amy.refuses(Method::POST, PATH, body).await, (403, 17), "{body}");
    }
    assert_eq!(amy.refuses(Method::PATCH, PATH, r#"{"set":{"frozen":true}}"#).await, (403, 17));
    pond.patch(PATH, json!({ "set": { "frozen": true } })).await.ok(201);
    let answer = amy.post(PATH, json!({ "data": { "name": "Newer" } })).await.ok(201);
    assert_eq!(answer["channel"]["frozen"], true);
    amy.delete(PATH).await.ok(200);
}

#[tokio::test]
async fn a_disabled_channel_is_for_the_server_only_but_still_listed() {
    let pond = general().await;
    pond.patch(PATH, json!({ "set": { "disabled": true } })).await.ok(201);
    let bob = pond.user("bob");
    assert_eq!(bob.refuses(Method::POST, QUERY, "{}").await, (403, 17));
    assert_eq!(bob.refuses(Method::POST, &format!("{PATH}/hide"), "{}").await, (403, 17));
    let listed = bob.post("channels", json!({ "filter_conditions": { "members": { "$in": ["bob"] } } })).await.ok(201);
    assert_eq!(listed["channels"][0]["channel"]["disabled"], true);
    pond.post(QUERY, json!({})).await.ok(201);
}

#[tokio::test]
async fn a_user_makes_channels_as_itself_and_a_guest_does_not() {
    let pond = general().await;
    let state = pond
        .user("cat")
        .post("channels/messaging/own/query", json!({ "data": { "members": ["cat", "bob"] } }))
        .await
        .ok(201);
    assert_eq!(
        (&state["channel"]["created_by"]["id"], each(&state["members"], "user_id").as_str()),
        (&json!("cat"), "bob cat")
    );
    let anonymous = pond.token(None).header("stream-auth-type", "anonymous");
    assert_eq!(anonymous.refuses(Method::POST, "channels/livestream/own/query", "{}").await, (403, 17));
    assert_eq!(anonymous.refuses(Method::POST, QUERY, "{}").await, (403, 17));
}

#[tokio::test]
async fn watching_needs_a_connection() {
    let pond = general().await;
    assert_eq!(pond.user("bob").refuses(Method::POST, QUERY, r#"{"watch":true}"#).await, (400, 4));
    assert_eq!(pond.user("bob").refuses(Method::POST, "channels", r#"{"watch":true}"#).await, (400, 4));
    let state = pond.post(QUERY, json!({ "watch": true, "watchers": { "limit": 10 } })).await.ok(201);
    assert_eq!((&state["watchers"], &state["watcher_count"]), (&json!([]), &json!(0)));
}
