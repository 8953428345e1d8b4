//! Changing, pinning, and what was said before.

use http::Method;
use serde_json::{Value, json};

use super::{ROOM, ids, room};

#[tokio::test]
async fn a_whole_update_drops_own_fields_and_a_partial_one_keeps_them() {
    let lake = room().await;
    lake.say(json!({ "id": "m", "text": "one", "user_id": "amy", "a": 1, "b": { "c": 1, "d": 2 } })).await;
    let body = json!({ "set": { "text": "two", "b.c": 3 }, "unset": ["a", "b.d"], "user_id": "amy" });
    let message = lake.put("messages/m", body).await.ok(201)["message"].clone();
    assert_eq!((&message["text"], &message["b"], message.get("a")), (&json!("two"), &json!({ "c": 3 }), None));
    assert_eq!(message["html"], "<p>two</p>\n");
    assert!(message["message_text_updated_at"].is_string(), "{message}");
    let body = json!({ "message": { "id": "m", "text": "three", "user_id": "amy" } });
    let message = lake.post("messages/m", body).await.ok(201)["message"].clone();
    assert_eq!((&message["text"], message.get("b")), (&json!("three"), None));
    let body = json!({ "set": { "color": "red" }, "unset": null, "user_id": "amy" });
    let message = lake.v2().put("chat/messages/m", body).await.ok(201)["message"].clone();
    assert_eq!((&message["custom"], &message["text"]), (&json!({ "color": "red" }), &json!("three")));
}

#[tokio::test]
async fn a_user_changes_what_it_said_itself() {
    let lake = room().await;
    lake.says("amy", "m", "one").await;
    lake.user("amy").put("messages/m", json!({ "set": { "text": "two" } })).await.ok(201);
    let body = r#"{"set":{"text":"three"}}"#;
    assert_eq!(lake.user("bob").refuses(Method::PUT, "messages/m", body).await, (403, 17));
    assert_eq!(lake.refuses(Method::PUT, "messages/nothing", body).await, (404, 16));
    let long = json!({ "set": { "text": "x".repeat(5001) }, "user_id": "amy" }).to_string();
    assert_eq!(lake.refuses(Method::PUT, "messages/m", long).await, (400, 20));
    let both = r#"{"set":{"a":1},"unset":["a.b"],"user_id":"amy"}"#;
    assert_eq!(lake.refuses(Method::PUT, "messages/m", both).await, (400, 4));
}

#[tokio::test]
async fn a_message_is_for_those_whom_a_change_names_and_stays_so() {
    let lake = room().await;
    lake.member("messaging:room", "cat").await;
    lake.say(json!({ "id": "m", "text": "psst", "user_id": "amy", "restricted_visibility": ["bob"] })).await;
    let readers = async || {
        let mut readers = String::new();
        for user in ["amy", "bob", "cat"] {
            let listed = lake.user(user).post(&format!("{ROOM}/query"), json!({})).await.ok(201)["messages"].clone();
            let is_read = lake.user(user).get("messages/m").await.status == 200;
            assert_eq!(is_read, ids(&listed) == "m", "{user}");
            readers.push_str(if is_read { &user[..1] } else { "-" });
        }
        readers
    };
    assert_eq!(readers().await, "ab-");
    let whole = |more: Value| {
        let mut message = json!({ "text": "psst!", "user_id": "amy" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "message": message })
    };
    let message =
        lake.post("messages/m", whole(json!({ "restricted_visibility": ["cat"] }))).await.ok(201)["message"].clone();
    assert_eq!((&message["restricted_visibility"], readers().await), (&json!(["cat"]), "a-c".to_owned()));
    // A change of something else opens to nobody what was for some.
    for more in [json!({}), json!({ "restricted_visibility": null }), json!({ "restricted_visibility": [] })] {
        lake.post("messages/m", whole(more)).await.ok(201);
        assert_eq!(readers().await, "a-c");
    }
    let body = json!({ "set": { "restricted_visibility": ["bob", "cat"] }, "user_id": "amy" });
    let message = lake.v2().put("chat/messages/m", body).await.ok(201)["message"].clone();
    assert_eq!((&message["restricted_visibility"], readers().await), (&json!(["bob", "cat"]), "abc".to_owned()));
    let body = json!({ "set": { "restricted_visibility": ["bob"] } }).to_string();
    assert_eq!(lake.user("amy").refuses(Method::PUT, "messages/m", body).await, (403, 17));
    assert_eq!(lake.refuses(Method::PUT, "messages/m", r#"{"set":{"pinned":true},"user_id":"amy"}"#).await, (400, 4));
    lake.put("messages/m", json!({ "unset": ["restricted_visibility"], "user_id": "amy" })).await.ok(201);
    lake.member("messaging:room", "dan").await;
    lake.user("dan").get("messages/m").await.ok(200);
}

#[tokio::test]
async fn a_pin_holds_until_it_expires_or_is_taken_off() {
    let lake = room().await;
    let body = json!({ "id": "m", "text": "hi", "user_id": "amy", "pinned": true,
        "pin_expires": "2026-01-01T00:00:03Z" });
    let message = lake.say(body).await;
    assert_eq!((&message["pinned"], &message["pinned_at"]), (&json!(true), &json!("2026-01-01T00:00:00Z")));
    assert_eq!((&message["pinned_by"]["id"], &message["pin_expires"]), (&json!("amy"), &json!("2026-01-01T00:00:03Z")));
    lake.clock.advance(4_000_000);
    let message = lake.get("messages/m").await.ok(200)["message"].clone();
    for (name, value) in [("pinned", json!(false)), ("pinned_at", Value::Null), ("pin_expires", Value::Null)] {
        assert_eq!(message[name], value, "{name}");
    }
    let pin = async |flag: bool| {
        let body = json!({ "set": { "pinned": flag }, "user_id": "bob" });
        lake.v2().put("chat/messages/m", body).await.ok(201)["message"].clone()
    };
    let message = pin(true).await;
    assert_eq!((&message["pinned"], &message["pinned_by"]["id"]), (&json!(true), &json!("bob")));
    let message = pin(false).await;
    assert_eq!((&message["pinned"], message.get("pinned_at")), (&json!(false), None));
}

#[tokio::test]
async fn the_history_is_older_versions_with_who_wrote_them() {
    let lake = room().await;
    lake.says("amy", "m", "one").await;
    for (by, text) in [("bob", "two"), ("cat", "three")] {
        lake.clock.advance(1_000_000);
        let body = json!({ "message": { "id": "m", "text": text, "user_id": by } });
        lake.post("messages/m", body).await.ok(201);
    }
    let asked = json!({ "filter": { "message_id": "m" }, "sort": [] });
    let history = lake.post("messages/history", asked).await.ok(201)["message_history"].clone();
    let said = |n: usize| (history[n]["text"].clone(), history[n]["message_updated_by_id"].clone());
    assert_eq!([said(0), said(1)], [(json!("two"), json!("bob")), (json!("one"), json!("amy"))]);
    let asked = json!({ "filter": { "message_id": "m" }, "limit": 1,
        "sort": [{ "field": "message_updated_at", "direction": 1 }] });
    let page = lake.v2().post("chat/messages/history", asked).await.ok(201);
    let entry = &page["message_history"][0];
    assert_eq!((&entry["text"], &entry["is_deleted"], &entry["custom"]), (&json!("one"), &json!(false), &json!({})));
    let asked = json!({ "filter": { "message_id": "m" }, "limit": 1, "next": page["next"] });
    let page = lake.v2().post("chat/messages/history", asked).await.ok(201);
    assert_eq!((&page["message_history"][0]["text"], page.get("next")), (&json!("two"), None));
    assert_eq!(lake.refuses(Method::POST, "messages/history", "{}").await, (400, 4));
}

#[tokio::test]
async fn a_translation_is_off_where_nobody_translates() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    assert_eq!(lake.refuses(Method::POST, "messages/m/translate", r#"{"language":"es"}"#).await, (400, 19));
    assert_eq!(lake.refuses(Method::POST, "messages/m/translate", "{}").await, (400, 4));
}

#[tokio::test]
async fn an_ephemeral_message_is_sent_shuffled_or_cancelled_by_its_author() {
    let lake = room().await;
    let amy = lake.user("amy");
    let asked = amy.say(json!({ "id": "g", "text": "/giphy wave" })).await;
    assert_eq!(
        (&asked["type"], &asked["command"], &asked["args"]),
        (&json!("ephemeral"), &json!("giphy"), &json!("wave"))
    );
    assert_eq!(asked["attachments"][0]["actions"].as_array().unwrap().len(), 3);
    assert_eq!(lake.user("bob").get("messages/g").await.refusal(), (404, 16));
    let act = |action: &str| json!({ "form_data": { "image_action": action } });
    let shuffled = amy.post("messages/g/action", act("shuffle")).await.ok(201)["message"].clone();
    assert_eq!(shuffled["type"], "ephemeral");
    let sent = amy.post("messages/g/action", act("send")).await.ok(201)["message"].clone();
    assert_eq!((&sent["type"], sent["attachments"][0].get("actions")), (&json!("regular"), None));
    lake.user("bob").get("messages/g").await.ok(200);
    amy.say(json!({ "id": "h", "text": "/giphy wave" })).await;
    assert_eq!(amy.post("messages/h/action", act("cancel")).await.ok(201), json!({}));
    assert_eq!(amy.get("messages/h").await.refusal(), (404, 16));
    assert_eq!(amy.refuses(Method::POST, "messages/g/action", act("dance").to_string()).await, (400, 4));
    // The app's own server presses for the author, whoever that is.
    lake.say(json!({ "id": "i", "text": "/giphy wave", "user_id": "amy" })).await;
    assert_eq!(lake.post("messages/i/action", act("send")).await.ok(201)["message"]["type"], "regular");
    lake.say(json!({ "id": "j", "text": "/giphy wave", "user_id": "amy" })).await;
    assert_eq!(lake.post("messages/j/action", act("cancel")).await.ok(201), json!({}));
    assert_eq!(lake.get("messages/j").await.refusal(), (404, 16));
    let text = amy.say(json!({ "text": "/unheard of" })).await;
    assert_eq!((&text["type"], text.get("command")), (&json!("regular"), None));
}

#[tokio::test]
async fn pinned_messages_come_in_pages_the_latest_pinned_first() {
    let lake = room().await;
    for id in ["m1", "m2", "m3", "m4"] {
        lake.clock.advance(1_000_000);
        lake.say(json!({ "id": id, "text": id, "user_id": "amy", "pinned": true })).await;
    }
    let page = async |payload: Value| {
        let path = format!("{ROOM}/pinned_messages?payload={}", crate::pond::encoded(&payload));
        super::ids(&lake.get(&path).await.ok(200)["messages"])
    };
    assert_eq!(page(json!({})).await, "m4 m3 m2 m1");
    assert_eq!(page(json!({ "limit": 2 })).await, "m4 m3");
    assert_eq!(page(json!({ "limit": 1, "id_lt": "m3" })).await, "m2");
    assert_eq!(page(json!({ "limit": 1, "id_gt": "m2" })).await, "m3");
    assert_eq!(page(json!({ "id_lte": "m2" })).await, "m2 m1");
    assert_eq!(page(json!({ "limit": 3, "id_around": "m3" })).await, "m4 m3 m2");
    assert_eq!(page(json!({ "pinned_at_after": "2026-01-01T00:00:02Z" })).await, "m4 m3");
    assert_eq!(page(json!({ "pinned_at_before_or_equal": "2026-01-01T00:00:02Z" })).await, "m2 m1");
    assert_eq!(page(json!({ "sort": [{ "field": "pinned_at", "direction": 1 }] })).await, "m1 m2 m3 m4");
    let plain = lake.user("bob").get(&format!("{ROOM}/pinned_messages?limit=1")).await.ok(200);
    assert_eq!(super::ids(&plain["messages"]), "m4");
    assert_eq!(lake.user("eve").get(&format!("{ROOM}/pinned_messages")).await.refusal(), (403, 17));
    for wrong in [json!({ "id_lt": "none" }), json!({ "limit": 301 }), json!({ "sort": [{ "field": "text" }] })] {
        let path = format!("{ROOM}/pinned_messages?payload={}", crate::pond::encoded(&wrong));
        assert_eq!(lake.refuses(Method::GET, &path, "").await, (400, 4), "{wrong}");
    }
}
