//! Channel types (§6.5, §8.4, §11.2).

use http::Method;
use serde_json::{Value, json};

use crate::{
    files::upload,
    pond::{Client, Pond, encoded},
};

const BUILT_IN: [&str; 6] = ["giphy", "ban", "unban", "mute", "unmute", "flag"];

fn names(commands: &Value) -> Vec<&str> {
    commands.as_array().unwrap().iter().map(|command| command["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_built_in_types_are_there_and_stay() {
    let pond = Pond::new().await;
    for client in [(*pond).clone(), pond.v2()] {
        let types = client.get("channeltypes").await.ok(200);
        let kinds: Vec<_> = types["channel_types"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(kinds, ["commerce", "gaming", "livestream", "messaging", "team"]);
        assert_eq!(names(&types["channel_types"]["team"]["commands"]), BUILT_IN);
    }
    assert_eq!(pond.refuses(Method::DELETE, "channeltypes/messaging", "null").await, (400, 4));
}

#[tokio::test]
async fn a_new_type_has_the_defaults_and_commands_are_names_after_a_change() {
    let pond = Pond::new().await;
    let made = pond.post("channeltypes", json!({ "name": "Support" })).await.ok(201);
    let at = "2026-01-01T00:00:00Z";
    let mut rest = made.clone();
    let grants = rest.as_object_mut().unwrap().remove("grants").unwrap();
    assert_eq!(
        rest,
        json!({
            "name": "Support", "created_at": at, "updated_at": at,
            "typing_events": true, "read_events": true, "connect_events": true, "delivery_events": false,
            "custom_events": true, "search": true, "reactions": true, "replies": true, "quotes": true, "mutes": true,
            "uploads": true, "url_enrichment": true, "push_notifications": true, "polls": false, "reminders": false,
            "user_message_reminders": false, "shared_locations": false, "count_messages": false,
            "mark_messages_pending": false, "skip_last_msg_update_for_system_msgs": false,
            "message_retention": "infinite", "max_message_length": 5000, "automod": "disabled",
            "automod_behavior": "flag", "blocklist_behavior": "flag", "blocklists": [], "push_level": "all",
            "commands": BUILT_IN, "permissions": [],
        })
    );
    let messaging = pond.get("channeltypes/messaging").await.ok(200)["grants"].clone();
    assert_eq!((&grants, grants["channel_member"].as_array().unwrap().len()), (&messaging, 16));
    let read = pond.get("channeltypes/Support").await.ok(200);
    assert_eq!(names(&read["commands"]), BUILT_IN);
    assert_eq!(
        read["commands"][0],
        json!({ "name": "giphy", "description": "Post a random gif to the channel", "args": "[text]", "set": "fun_set" })
    );
    assert_eq!(pond.refuses(Method::POST, "channeltypes", r#"{"name":"Support"}"#).await, (400, 4));
}

#[tokio::test]
async fn every_field_is_stored_and_shown_in_both_dialects() {
    let pond = Pond::new().await;
    let sent = json!({
        "name": "all", "typing_events": false, "read_events": false, "connect_events": false, "delivery_events": true,
        "custom_events": false, "search": false, "reactions": false, "replies": false, "quotes": false, "mutes": false,
        "uploads": false, "url_enrichment": false, "push_notifications": false, "polls": true, "reminders": true,
        "user_message_reminders": true, "shared_locations": true, "count_messages": true,
        "mark_messages_pending": true, "skip_last_msg_update_for_system_msgs": true, "message_retention": "7",
        "max_message_length": 20000, "automod": "simple", "automod_behavior": "block",
        "blocklist": "profanity_en_2020_v1",
        "blocklist_behavior": "shadow_block", "blocklists": [{ "blocklist": "profanity_en_2020_v1", "behavior": "flag" }],
        "commands": ["giphy"], "permissions": [{ "name": "P", "action": "Deny", "priority": 5, "resources": ["*"],
            "roles": ["*"], "owner": false }],
        "push_level": "mentions", "chat_preferences": { "default_preference": "none" },
        "allowed_flag_reasons": ["spam"], "partition_size": 10, "partition_ttl": "24h0m0s",
    });
    for client in [(*pond).clone(), pond.v2()] {
        let made = client.post("channeltypes", sent.clone()).await.ok(201);
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&made[name], value, "{name}");
        }
        let read = client.get("channeltypes/all").await.ok(200);
        assert_eq!((&read["permissions"], &read["commands"][0]["name"]), (&made["permissions"], &json!("giphy")));
        client.delete("channeltypes/all").await.ok(200);
        assert_eq!(client.refuses(Method::GET, "channeltypes/all", "").await, (404, 16));
    }
    let made = pond.v2().post("chat/channeltypes", sent).await.ok(201);
    assert_eq!(made["created_at"], 1_767_225_600_000_000_000_i64);
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_nothing_else() {
    let pond = Pond::new().await;
    pond.post("channeltypes", json!({ "name": "t", "commands": ["giphy"], "polls": true })).await.ok(201);
    // What the Go client of the v2 dialect always sends.
    let sent = json!({ "automod": "disabled", "automod_behavior": "flag", "max_message_length": 99, "commands": null,
        "permissions": null, "grants": null, "blocklists": null, "allowed_flag_reasons": null, "NameFromPath": "x" });
    pond.clock.advance(1_000_000);
    let changed = pond.v2().put("chat/channeltypes/t", sent).await.ok(201);
    assert_eq!((&changed["max_message_length"], &changed["commands"]), (&json!(99), &json!(["giphy"])));
    assert_eq!((&changed["polls"], &changed["name"]), (&json!(true), &json!("t")));
    assert_eq!(changed["updated_at"], 1_767_225_601_000_000_000_i64);
    let changed = pond.put("channeltypes/t", json!({ "commands": ["all"], "blocklists": {} })).await.ok(201);
    assert_eq!(changed["commands"], json!(BUILT_IN));
    let changed = pond.put("channeltypes/t", json!({ "commands": ["moderation_set", { "name": "giphy" }] })).await;
    assert_eq!(changed.ok(201)["commands"].as_array().unwrap().len(), 6);
    assert_eq!(pond.refuses(Method::PUT, "channeltypes/none", "{}").await, (404, 16));
}

#[tokio::test]
async fn a_change_of_grants_replaces_the_roles_it_names_and_null_resets_in_classic_alone() {
    let pond = Pond::new().await;
    let grants = async |client: &Client, grants: Value| {
        client.put("channeltypes/team", json!({ "grants": grants })).await.ok(201)["grants"].clone()
    };
    let before = pond.get("channeltypes/team").await.ok(200)["grants"].clone();
    let changed = grants(&pond, json!({ "user": ["read-channel"], "guest": [], "vip": ["create-message"] })).await;
    assert_eq!(
        (&changed["user"], &changed["guest"], &changed["vip"], &changed["admin"]),
        (&json!(["read-channel"]), &json!([]), &json!(["create-message"]), &before["admin"])
    );
    assert_eq!(grants(&pond.v2(), json!(null)).await, changed);
    assert_eq!(grants(&pond, json!(null)).await, before);
}

#[tokio::test]
async fn what_is_not_what_its_name_asks_for_is_refused_with_the_name() {
    let pond = Pond::new().await;
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("has space")),
        ("max_message_length", json!(20001)),
        ("max_message_length", json!(-1)),
        ("automod", json!("strict")),
        ("automod_behavior", json!("shout")),
        ("blocklist_behavior", json!("shout")),
        ("push_level", json!("loud")),
        ("commands", json!("all")),
        ("grants", json!({ "user": "read-channel" })),
        ("permissions", json!("x")),
        ("typing_events", json!("maybe")),
        ("message_retention", json!("often")),
    ] {
        let mut body = json!({ "name": "t" });
        body[field] = value;
        let answer = pond.post("channeltypes", body.clone()).await;
        assert_eq!(answer.refusal(), (400, 4), "{body}");
        assert!(answer.text.contains(field), "{}", answer.text);
        assert_eq!(pond.refuses(Method::POST, "channeltypes", body.to_string()).await, (400, 4));
    }
    let unknown = json!({ "name": "t", "commands": ["nonsense"] }).to_string();
    assert_eq!(pond.refuses(Method::POST, "channeltypes", unknown).await, (400, 4));
}

#[tokio::test]
async fn an_app_has_at_most_fifty_types() {
    let pond = Pond::new().await;
    for n in 0..45 {
        pond.post("channeltypes", json!({ "name": format!("t{n}") })).await.ok(201);
    }
    assert_eq!(pond.refuses(Method::POST, "channeltypes", r#"{"name":"one-more"}"#).await, (400, 4));
}

#[tokio::test]
async fn what_a_type_switches_off_is_refused_in_its_channels() {
    let pond = Pond::new().await;
    let off = [
        "typing_events",
        "read_events",
        "custom_events",
        "reactions",
        "replies",
        "quotes",
        "mutes",
        "uploads",
        "search",
        "polls",
        "shared_locations",
        "user_message_reminders",
    ];
    let mut kind: serde_json::Map<String, Value> = off.iter().map(|name| ((*name).to_owned(), false.into())).collect();
    kind.insert("name".to_owned(), "quiet".into());
    pond.post("channeltypes", kind.into()).await.ok(201);
    let room = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/quiet/room/query", room).await.ok(201);
    pond.patch("app", json!({ "shared_locations_enabled": true })).await.ok(201);
    let said = json!({ "message": { "id": "m", "text": "hi", "user_id": "amy" } });
    pond.post("channels/quiet/room/message", said).await.ok(201);
    let poll = json!({ "id": "p", "name": "Lunch?", "options": [{ "text": "soup" }], "user_id": "amy" });
    pond.post("polls", poll).await.ok(201);
    let event = |kind: &str| json!({ "event": { "type": kind, "user_id": "amy" } });
    let message = |more: Value| {
        let mut message = json!({ "text": "ho", "user_id": "amy" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "message": message })
    };
    let place = json!({ "shared_location": { "latitude": 1.0, "longitude": 2.0, "created_by_device_id": "d" } });
    let (of_room, room) = ("channels/quiet/room/event", "channels/quiet/room/message");
    for (path, body, code) in [
        (of_room, event("typing.start"), 18),
        (of_room, event("wave"), 18),
        (of_room, event("message.read"), 18),
        ("channels/quiet/room/read", json!({ "user_id": "bob" }), 18),
        ("channels/quiet/room/unread", json!({ "user_id": "bob", "message_id": "m" }), 18),
        ("messages/m/reaction", json!({ "reaction": { "type": "love", "user_id": "bob" } }), 19),
        (room, message(json!({ "parent_id": "m" })), 19),
        (room, message(json!({ "quoted_message_id": "m" })), 19),
        (room, message(json!({ "poll_id": "p" })), 19),
        (room, message(place), 19),
        ("moderation/mute/channel", json!({ "channel_cid": "quiet:room", "user_id": "bob" }), 19),
        ("messages/m/reminders", json!({ "user_id": "bob" }), 19),
    ] {
        assert_eq!(pond.refuses(Method::POST, path, body.to_string()).await, (400, code), "{path} {body}");
    }
    let file = [("user", None, r#"{"id":"amy"}"#), ("file", Some("a.png"), "x")];
    for (client, path) in [(pond.client(), "channels/quiet/room/file"), (pond.v2(), "chat/channels/quiet/room/image")] {
        let before = pond.stamp();
        assert_eq!(upload(&client, path, &file).await.refusal(), (400, 19), "{path}");
        assert_eq!(pond.stamp(), before, "{path}");
    }
    let search = |filter: Value| {
        let asked = json!({ "filter_conditions": filter, "query": "hi" });
        format!("search?payload={}", encoded(&asked))
    };
    assert_eq!(pond.refuses(Method::GET, &search(json!({ "cid": "quiet:room" })), "").await, (400, 19));
    // Where one looks in several channels, those that are not searched have nothing to find.
    let loud = json!({ "data": { "created_by_id": "amy", "members": ["amy"] } });
    pond.post("channels/messaging/loud/query", loud).await.ok(201);
    let said = json!({ "message": { "id": "n", "text": "hi", "user_id": "amy" } });
    pond.post("channels/messaging/loud/message", said).await.ok(201);
    let found = pond.get(&search(json!({ "members": { "$in": ["amy"] } }))).await.ok(200)["results"].clone();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["message"]["id"]), (1, &json!("n")));
}

#[tokio::test]
async fn what_is_said_in_a_type_that_marks_it_pending_waits_unless_the_call_says_otherwise() {
    let pond = Pond::new().await;
    pond.post("channeltypes", json!({ "name": "slow", "mark_messages_pending": true })).await.ok(201);
    let room = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/slow/room/query", room).await.ok(201);
    let says = async |client: &Client, id: &str, pending: Value| {
        let mut body = json!({ "message": { "id": id, "text": "hi", "user_id": "amy" } });
        body.as_object_mut().unwrap().extend(pending.as_object().unwrap().clone());
        client.post("channels/slow/room/message", body).await.ok(201);
        pond.user("bob").get(&format!("messages/{id}")).await.status
    };
    assert_eq!(says(&pond, "m1", json!({})).await, 404, "it waits");
    assert_eq!(says(&pond.user("amy"), "m2", json!({})).await, 404, "it waits");
    assert_eq!(says(&pond, "m3", json!({ "pending": false })).await, 200);
    pond.post("messages/m1/commit", json!({})).await.ok(201);
    pond.user("bob").get("messages/m1").await.ok(200);
}
