//! Channels: making, reading and changing them (§6.3–6.6, §11.3, §12.3–12.5, §12.7).

mod batch;
mod change;
mod events;
mod hide;
mod members;
mod permissions;
mod query;
mod reads;
mod state;

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, Pond};

const QUERY: &str = "channels/messaging/general/query";

/// A channel `messaging:general`, made by amy, with the members amy and bob; cat is a user, too.
async fn general() -> Pond {
    let pond = Pond::new().await;
    let users = json!({ "users": { "amy": { "id": "amy" }, "bob": { "id": "bob" }, "cat": { "id": "cat" } } });
    pond.post("users", users).await.ok(201);
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"], "name": "General" } });
    pond.post(QUERY, data).await.ok(201);
    pond
}

/// Says something as a user in `messaging:general`.
async fn say(client: &Client, user: &str, id: &str) -> Value {
    let message = json!({ "message": { "id": id, "text": id, "user_id": user } });
    client.post("channels/messaging/general/message", message).await.ok(201)["message"].clone()
}

/// The values of `field` in a list, in one line.
fn each(list: &Value, field: &str) -> String {
    let values = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    values.iter().map(|value| value[field].as_str().unwrap_or("?")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_channel_is_made_once_and_then_answered() {
    let pond = general().await;
    let again = json!({ "data": { "created_by_id": "bob", "name": "Other", "members": ["cat"] } });
    let state = pond.post(QUERY, again).await.ok(201);
    let channel = &state["channel"];
    assert_eq!((&channel["cid"], &channel["name"]), (&json!("messaging:general"), &json!("General")));
    assert_eq!((&channel["created_by"]["id"], &channel["member_count"]), (&json!("amy"), &json!(2)));
    assert_eq!((&channel["frozen"], &channel["disabled"]), (&json!(false), &json!(false)));
    assert_eq!(channel["created_at"], "2026-01-01T00:00:00Z");
    assert_eq!(each(&state["members"], "user_id"), "amy bob");
    for list in ["messages", "pinned_messages", "pending_messages", "watchers", "threads"] {
        assert_eq!(state[list], json!([]), "{list}");
    }
    assert_eq!((state.get("membership"), channel.get("own_capabilities")), (None, None));
}

#[tokio::test]
async fn v2_has_its_own_fields_under_custom_and_times_as_numbers() {
    let pond = general().await;
    let body = json!({ "data": {
        "created_by_id": "amy", "members": [{ "user_id": "amy", "custom": { "color": "red" } }],
        "custom": { "name": "V2", "color": "blue" },
    } });
    let state = pond.v2().post("chat/channels/messaging/v2/query", body).await.ok(201);
    let channel = &state["channel"];
    assert_eq!(channel["custom"], json!({ "name": "V2", "color": "blue" }));
    assert_eq!(channel["created_at"], 1_767_225_600_000_000_000_i64);
    assert_eq!(channel.get("name"), None);
    assert_eq!(state["members"][0]["custom"], json!({ "color": "red" }));
    let classic = pond.get("channels/messaging/v2?state=true").await.ok(200);
    assert_eq!((&classic["channel"]["color"], &classic["members"][0]["color"]), (&json!("blue"), &json!("red")));
}

#[tokio::test]
async fn who_made_it_is_a_member_only_if_listed_and_must_be_named() {
    let pond = general().await;
    let state = pond.post("channels/team/a/query", json!({ "data": { "created_by": { "id": "new" } } })).await.ok(201);
    assert_eq!((&state["members"], &state["channel"]["created_by"]["id"]), (&json!([]), &json!("new")));
    let refuses = async |path, body: &'static str| pond.refuses(Method::POST, path, body).await;
    assert_eq!(refuses("channels/team/b/query", "{}").await, (400, 4));
    assert_eq!(refuses("channels/nothing/b/query", r#"{"data":{"created_by_id":"amy"}}"#).await, (404, 16));
    let long = format!("channels/team/{}/query", "x".repeat(65));
    assert_eq!(pond.refuses(Method::POST, &long, r#"{"data":{"created_by_id":"amy"}}"#).await, (400, 4));
    let big = json!({ "data": { "created_by_id": "amy", "bio": "x".repeat(6000) } }).to_string();
    assert_eq!(pond.refuses(Method::POST, "channels/team/c/query", big).await, (413, 22));
}

#[tokio::test]
async fn the_same_members_in_any_order_make_the_same_channel() {
    let pond = general().await;
    let make = async |kind: &str, members: Value| {
        let body = json!({ "data": { "created_by_id": "amy", "members": members } });
        let state = pond.post(&format!("channels/{kind}/query"), body).await.ok(201);
        state["channel"]["cid"].as_str().unwrap().to_owned()
    };
    let one = make("messaging", json!(["amy", "bob"])).await;
    assert_eq!(one, make("messaging", json!([{ "user_id": "bob" }, "amy"])).await);
    assert_ne!(one, make("messaging", json!(["amy", "cat"])).await);
    assert_ne!(one["messaging".len()..], make("team", json!(["amy", "cat"])).await["team".len()..]);
    let id = one.strip_prefix("messaging:!members-").unwrap();
    assert!(id.len() == 43 && !id.contains('='), "{id}");
    assert_eq!(
        pond.refuses(Method::POST, "channels/messaging/query", r#"{"data":{"created_by_id":"amy"}}"#).await,
        (400, 4)
    );
    let path = format!("channels/messaging/!members-{id}");
    for body in [r#"{"add_members":["cat"]}"#, r#"{"invites":["cat"]}"#] {
        assert_eq!(pond.refuses(Method::POST, &path, body).await, (400, 4), "{body}");
    }
    let left = pond.post(&path, json!({ "remove_members": ["bob"] })).await.ok(201);
    assert_eq!(each(&left["members"], "user_id"), "amy");
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_not_made_by_reading_it() {
    let pond = general().await;
    assert_eq!(pond.get("channels/messaging/none").await.refusal(), (404, 16));
    let state = pond.v2().get("chat/channels/messaging/general").await.ok(200);
    assert_eq!((&state["members"], &state["channel"]["custom"]), (&json!([]), &json!({ "name": "General" })));
    let state = pond.get("channels/messaging/general?state=true&members_limit=1&user_id=bob").await.ok(200);
    assert_eq!((each(&state["members"], "user_id").as_str(), &state["membership"]["user_id"]), ("amy", &json!("bob")));
}

#[tokio::test]
async fn a_new_channel_is_as_it_was_asked_for_and_what_the_server_sets_is_ignored() {
    let pond = general().await;
    let data = json!({
        "created_by": { "id": "amy", "created_at": "0001-01-01T00:00:00Z", "name": "not hers" },
        "members": [{ "user_id": "amy" }, "bob"], "invites": ["cat"], "team": "red", "frozen": true, "disabled": false,
        "auto_translation_enabled": true, "auto_translation_language": "en", "filter_tags": ["a"],
        "config_overrides": { "replies": false }, "config_override": { "quotes": false }, "name": "New",
        "cid": "messaging:other", "member_count": 99, "created_at": "0001-01-01T00:00:00Z", "own_capabilities": [],
    });
    let state = pond.post("channels/messaging/new/query", json!({ "data": data })).await.ok(201);
    let channel = &state["channel"];
    for (name, value) in [
        ("cid", json!("messaging:new")),
        ("team", json!("red")),
        ("frozen", json!(true)),
        ("auto_translation_enabled", json!(true)),
        ("auto_translation_language", json!("en")),
        ("filter_tags", json!(["a"])),
        ("name", json!("New")),
        ("config_override", json!({ "quotes": false })),
        ("created_at", json!("2026-01-01T00:00:00Z")),
    ] {
        assert_eq!(channel[name], value, "{name}");
    }
    assert_eq!((&channel["config"]["replies"], &channel["config"]["quotes"]), (&json!(false), &json!(true)));
    assert_eq!((channel["created_by"].get("name"), channel.get("config_overrides")), (None, None));
    assert_eq!(each(&state["members"], "user_id"), "amy bob cat");
    assert_eq!((&state["members"][2]["invited"], &state["members"][2]["status"]), (&json!(true), &json!("pending")));
}

#[tokio::test]
async fn members_of_a_state_come_in_pages() {
    let pond = general().await;
    pond.post("channels/messaging/general", json!({ "add_members": ["cat", "dan"] })).await.ok(201);
    let page = async |members: Value| {
        each(&pond.post(QUERY, json!({ "members": members })).await.ok(201)["members"], "user_id")
    };
    assert_eq!(page(json!({ "limit": 2 })).await, "amy bob");
    assert_eq!(page(json!({ "limit": 2, "offset": 1 })).await, "bob cat");
    assert_eq!(page(json!({ "limit": 100, "offset": 4 })).await, "");
    for wrong in [r#"{"members":{"limit":301}}"#, r#"{"members":{"offset":10001}}"#, r#"{"watchers":{"limit":301}}"#] {
        assert_eq!(pond.refuses(Method::POST, QUERY, wrong).await, (400, 4), "{wrong}");
    }
}
