//! Sending and reading.

use http::Method;
use serde_json::{Value, json};

use super::{ROOM, ids, room};
use crate::pond::Client;

fn classic_user(id: &str) -> Value {
    let at = "2026-01-01T00:00:00Z";
    json!({ "id": id, "role": "user", "created_at": at, "updated_at": at, "banned": false, "online": false })
}

#[tokio::test]
async fn a_message_reads_the_same_in_both_dialects_but_for_times_and_own_fields() {
    let lake = room().await;
    let sent = json!({
        "id": "m1", "text": "hi *all*", "user_id": "amy", "mentioned_users": ["bob"], "priority": "high",
        "attachments": [{ "type": "image", "image_url": "u", "w": 9 }],
    });
    let mut classic = lake.say(sent).await;
    let user = classic["user"].take();
    assert_eq!((&user["id"], &user["role"]), (&json!("amy"), &json!("user")));
    for (name, value) in classic_user("amy").as_object().unwrap() {
        assert_eq!(user[name], *value, "{name}");
    }
    let mentioned = classic["mentioned_users"].take();
    assert_eq!(mentioned[0]["id"], "bob");
    let at = "2026-01-01T00:00:00Z";
    let expected = json!({
        "id": "m1", "cid": "messaging:room", "type": "regular", "text": "hi *all*",
        "html": "<p>hi <em>all</em></p>\n", "user": null, "member": { "channel_role": "channel_member" },
        "attachments": [{ "type": "image", "image_url": "u", "w": 9 }], "mentioned_users": null,
        "latest_reactions": [], "own_reactions": [], "reaction_counts": {}, "reaction_scores": {},
        "reaction_groups": {}, "reply_count": 0, "deleted_reply_count": 0, "silent": false, "shadowed": false,
        "restricted_visibility": [], "pinned": false, "pinned_at": null, "pinned_by": null, "pin_expires": null,
        "created_at": at, "updated_at": at, "priority": "high",
    });
    assert_eq!(classic, expected);

    let mut v2 = lake.v2().get("chat/messages/m1").await.ok(200)["message"].clone();
    let (user, mentioned) = (v2["user"].take(), v2["mentioned_users"].take());
    assert_eq!((&user["id"], &user["custom"], &mentioned[0]["id"]), (&json!("amy"), &json!({}), &json!("bob")));
    v2.as_object_mut().unwrap().remove("channel");
    let at = 1_767_225_600_000_000_000_i64;
    let expected = json!({
        "id": "m1", "cid": "messaging:room", "type": "regular", "text": "hi *all*",
        "html": "<p>hi <em>all</em></p>\n", "user": null, "member": { "channel_role": "channel_member", "notifications_muted": false },
        "attachments": [{ "type": "image", "image_url": "u", "custom": { "w": 9 } }], "mentioned_users": null,
        "mentioned_channel": false, "mentioned_here": false, "latest_reactions": [], "own_reactions": [],
        "reaction_counts": {}, "reaction_scores": {}, "reaction_groups": {}, "reply_count": 0,
        "deleted_reply_count": 0, "silent": false, "shadowed": false, "restricted_visibility": [], "pinned": false,
        "created_at": at, "updated_at": at, "custom": { "priority": "high" },
    });
    assert_eq!(v2, expected);
}

#[tokio::test]
async fn the_v2_dialect_sends_own_fields_under_custom_and_null_for_none() {
    let lake = room().await;
    let body = json!({ "message": { "id": "m1", "text": "hi", "user_id": "amy", "attachments": null,
        "mentioned_users": null, "restricted_visibility": null, "custom": { "priority": "high" } },
        "pending_message_metadata": null });
    let sent = lake.v2().post(&format!("chat/{ROOM}/message"), body).await.ok(201);
    assert_eq!(sent["message"]["custom"], json!({ "priority": "high" }));
    assert_eq!(lake.get("messages/m1").await.ok(200)["message"]["priority"], "high");
}

#[tokio::test]
async fn the_server_gives_an_id_where_the_sender_chose_none() {
    let lake = room().await;
    let message = lake.user("amy").say(json!({ "id": "", "text": "hi" })).await;
    let id = message["id"].as_str().unwrap();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
    assert_eq!(message["user"]["id"], "amy");
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_code_and_nothing_is_stored() {
    let lake = room().await;
    lake.says("amy", "taken", "hi").await;
    lake.say(json!({ "id": "reply", "text": "re", "user_id": "bob", "parent_id": "taken" })).await;
    let many: Vec<_> = (0..31).map(|_| json!({ "type": "image" })).collect();
    let big = "x".repeat(6000);
    let crowd: Vec<_> = (0..26).map(|n| format!("u{n}")).collect();
    for (message, error) in [
        (json!({ "text": "" }), (400, 4)),
        (json!({ "text": 7 }), (400, 4)),
        (json!({ "id": "taken", "text": "hi" }), (400, 4)),
        (json!({ "id": "a,b", "text": "hi" }), (400, 4)),
        (json!({ "text": "x".repeat(5001) }), (400, 20)),
        (json!({ "text": "a", "attachments": many }), (400, 4)),
        (json!({ "text": "a", "attachments": "image" }), (400, 4)),
        (json!({ "text": "a", "attachments": [{ "type": "image", "text": big }] }), (413, 22)),
        (json!({ "text": "a", "note": big }), (413, 22)),
        (json!({ "text": "a", "mentioned_users": crowd }), (400, 4)),
        (json!({ "text": "a", "mentioned_users": ["nobody"] }), (400, 4)),
        (json!({ "text": "a", "type": "deleted" }), (400, 4)),
        (json!({ "text": "a", "parent_id": "nothing" }), (404, 16)),
        (json!({ "text": "a", "parent_id": "reply" }), (400, 21)),
        (json!({ "text": "a", "quoted_message_id": "nothing" }), (404, 16)),
        (json!({ "text": "a", "pinned": true, "restricted_visibility": ["bob"] }), (400, 4)),
    ] {
        let mut message = message;
        message["user_id"] = json!("amy");
        let body = json!({ "message": message }).to_string();
        assert_eq!(lake.refuses(Method::POST, &format!("{ROOM}/message"), body).await, error, "{message}");
    }
    let refuses =
        async |client: &Client, path: &str, body: &str| client.refuses(Method::POST, path, body.to_owned()).await;
    let (path, hi) = (format!("{ROOM}/message"), r#"{"message":{"text":"hi","user_id":"amy"}}"#);
    assert_eq!(refuses(&lake, &path, r#"{"message":{"text":"hi"}}"#).await, (400, 4));
    assert_eq!(refuses(&lake, &path, "{}").await, (400, 4));
    assert_eq!(refuses(&lake, "channels/messaging/none/message", hi).await, (404, 16));
    assert_eq!(refuses(&lake.user("bob"), &path, hi).await, (403, 17));
    assert_eq!(refuses(&lake.user("eve"), &path, r#"{"message":{"text":"hi"}}"#).await, (403, 17));
    let system = r#"{"message":{"text":"hi","type":"system"}}"#;
    assert_eq!(refuses(&lake.user("amy"), &path, system).await, (403, 17));
    let pending = r#"{"message":{"text":"hi"},"pending":true}"#;
    assert_eq!(refuses(&lake.user("amy"), &path, pending).await, (403, 17));
}

#[tokio::test]
async fn where_nobody_may_write_users_are_told_why_and_the_server_writes_on() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    let says = async |client: &Client, by: &str| {
        let body = json!({ "message": { "text": "hi", "user_id": by } });
        client.post(&format!("{ROOM}/message"), body).await
    };
    let set = async |set: Value| drop(lake.patch(ROOM, json!({ "set": set })).await.ok(201));
    let (amy, love) = (lake.user("amy"), r#"{"reaction":{"type":"love"}}"#);
    set(json!({ "frozen": true })).await;
    assert_eq!(says(&amy, "amy").await.refusal(), (403, 17));
    assert_eq!(amy.refuses(Method::POST, "messages/m/reaction", love).await, (403, 17));
    amy.get("messages/m").await.ok(200);
    says(&lake, "amy").await.ok(201);
    set(json!({ "config_overrides": { "grants": { "channel_member": ["use-frozen-channel"] } } })).await;
    says(&amy, "amy").await.ok(201);
    set(json!({ "config_overrides": {}, "frozen": false, "disabled": true })).await;
    assert_eq!(says(&amy, "amy").await.refusal(), (403, 17));
    assert_eq!(amy.get("messages/m").await.refusal(), (403, 17));
    says(&lake, "amy").await.ok(201);

    set(json!({ "disabled": false, "cooldown": 10 })).await;
    says(&amy, "amy").await.ok(201);
    assert_eq!(says(&amy, "amy").await.refusal(), (403, 60));
    says(&lake.user("bob"), "bob").await.ok(201);
    says(&lake, "amy").await.ok(201);
    lake.clock.advance(11_000_000);
    says(&amy, "amy").await.ok(201);
    set(json!({ "config_overrides": { "grants": { "channel_member": ["skip-channel-cooldown"] } } })).await;
    says(&amy, "amy").await.ok(201);

    set(json!({ "cooldown": 0, "config_overrides": { "grants": { "channel_member": ["!add-links"] } } })).await;
    let link = json!({ "message": { "text": "see https://example.com" } }).to_string();
    assert_eq!(amy.refuses(Method::POST, &format!("{ROOM}/message"), link).await, (403, 17));
}

#[tokio::test]
async fn a_message_that_comes_back_as_it_was_answered_is_taken() {
    let lake = room().await;
    // What the classic Go client sends of a whole message.
    let sent = json!({ "id": "", "cid": "", "text": "hi", "type": "", "parent_id": "", "quoted_message_id": "",
        "poll_id": "", "user": { "id": "random_user_4321", "created_at": "0001-01-01T00:00:00Z" }, "attachments": null,
        "latest_reactions": null, "own_reactions": null, "reaction_counts": null, "reply_count": 0,
        "mentioned_users": null, "created_at": "0001-01-01T00:00:00Z", "silent": false, "html": "<b>hi</b>",
        "mml": "<mml>hi</mml>", "shadowed": true });
    let message = lake.say(sent).await;
    assert_eq!((&message["user"]["id"], &message["type"]), (&json!("random_user_4321"), &json!("regular")));
    assert_eq!((&message["html"], &message["mml"]), (&json!("<b>hi</b>"), &json!("<mml>hi</mml>")));
    assert_eq!((&message["created_at"], &message["shadowed"]), (&json!("2026-01-01T00:00:00Z"), &json!(false)));
    assert_eq!((message.get("parent_id"), message.get("poll_id")), (None, None));
    let own = lake.user("amy").say(json!({ "text": "hi", "html": "<b>hi</b>" })).await;
    assert_eq!(own["html"], "<p>hi</p>\n", "a user's HTML is made of its text");
}

#[tokio::test]
async fn silent_system_and_restricted_messages_say_so() {
    let lake = room().await;
    let message = lake
        .say(json!({ "text": "psst", "user_id": "amy", "silent": true, "type": "system",
            "restricted_visibility": ["bob"] }))
        .await;
    assert_eq!((&message["silent"], &message["type"]), (&json!(true), &json!("system")));
    assert_eq!(message["restricted_visibility"], json!(["bob"]));
}

#[tokio::test]
async fn a_restricted_message_is_read_by_those_it_is_for() {
    let lake = room().await;
    lake.member("messaging:room", "cat").await;
    lake.say(json!({ "id": "m", "text": "psst", "user_id": "amy", "restricted_visibility": ["bob"] })).await;
    for user in ["amy", "bob"] {
        lake.user(user).get("messages/m").await.ok(200);
    }
    assert_eq!(lake.user("cat").get("messages/m").await.refusal(), (404, 16));
}

#[tokio::test]
async fn many_are_read_in_the_order_of_the_call_and_those_that_are_not_there_are_left_out() {
    let lake = room().await;
    for id in ["a", "b", "c"] {
        lake.says("amy", id, "hi").await;
    }
    let found = lake.get(&format!("{ROOM}/messages?ids=c,nothing,a")).await.ok(200);
    assert_eq!(ids(&found["messages"]), "c a");
    let found = lake.v2().get(&format!("chat/{ROOM}/messages?ids=a,b,c")).await.ok(200);
    assert_eq!(ids(&found["messages"]), "a b c");
    assert_eq!(lake.get(&format!("{ROOM}/messages")).await.refusal(), (400, 4));
    assert_eq!(lake.get("messages/nothing").await.refusal(), (404, 16));
    assert_eq!(lake.user("eve").get("messages/a").await.refusal(), (403, 17));
}

#[tokio::test]
async fn replies_come_oldest_first_and_an_offset_counts_for_nothing() {
    let lake = room().await;
    lake.says("amy", "p", "parent").await;
    for n in 0..10 {
        lake.say(json!({ "id": format!("r{n}"), "text": "re", "user_id": "bob", "parent_id": "p" })).await;
    }
    let replies = async |query: &str| {
        let found = lake.get(&format!("messages/p/replies?{query}")).await.ok(200);
        ids(&found["messages"])
    };
    assert_eq!(replies("limit=3&offset=3").await, "r7 r8 r9");
    assert_eq!(replies("limit=2&id_lt=r5").await, "r3 r4");
    assert_eq!(replies("limit=2&id_lte=r5").await, "r4 r5");
    assert_eq!(replies("limit=2&id_gt=r5").await, "r6 r7");
    assert_eq!(replies("limit=2&id_gte=r5").await, "r5 r6");
    assert_eq!(replies("limit=3&id_around=r5").await, "r4 r5 r6");
    let parent = lake.get("messages/p").await.ok(200)["message"].clone();
    assert_eq!((&parent["reply_count"], &parent["thread_participants"][0]["id"]), (&json!(10), &json!("amy")));
    let reply = lake.get("messages/r1").await.ok(200)["message"].clone();
    assert_eq!((&reply["type"], &reply["parent_id"]), (&json!("reply"), &json!("p")));
    assert_eq!(reply["show_in_channel"], false);
}

#[tokio::test]
async fn a_quote_shows_what_it_quotes_one_level_deep() {
    let lake = room().await;
    lake.says("amy", "a", "first").await;
    lake.say(json!({ "id": "b", "text": "second", "user_id": "bob", "quoted_message_id": "a" })).await;
    let third = lake.say(json!({ "id": "c", "text": "third", "user_id": "bob", "quoted_message_id": "b" })).await;
    assert_eq!(third["quoted_message"]["text"], "second");
    assert_eq!(third["quoted_message"]["quoted_message_id"], "a");
    assert_eq!(third["quoted_message"].get("quoted_message"), None);
}

#[tokio::test]
async fn a_pending_message_is_its_authors_until_it_is_committed() {
    let lake = room().await;
    let body = json!({ "message": { "id": "m", "text": "wait", "user_id": "amy" }, "pending": true,
        "pending_message_metadata": { "k": "v" } });
    let sent = lake.post(&format!("{ROOM}/message"), body).await.ok(201);
    assert_eq!(sent["pending_message_metadata"], json!({ "k": "v" }));
    lake.user("amy").get("messages/m").await.ok(200);
    assert_eq!(lake.user("bob").get("messages/m").await.refusal(), (404, 16));
    assert_eq!(lake.delete("messages/m").await.refusal(), (400, 4));
    let committed = lake.call(Method::POST, "messages/m/commit", "null").await.ok(201);
    assert_eq!(committed["message"]["id"], "m");
    lake.user("bob").get("messages/m").await.ok(200);
    assert_eq!(lake.post("messages/m/commit", json!({})).await.refusal(), (400, 4));
}

#[tokio::test]
async fn a_new_message_reaches_those_who_watch() {
    let lake = room().await;
    let mut bob = lake.connect("bob").await;
    lake.says("amy", "m", "hi").await;
    let event = bob.find("notification.message_new").await;
    assert_eq!((&event["message"]["id"], &event["cid"]), (&json!("m"), &json!("messaging:room")));
}

#[tokio::test]
async fn roles_groups_and_everybody_are_named_and_no_field_of_these_is_the_applications_own() {
    let lake = room().await;
    lake.v2().post("usergroups", json!({ "id": "staff", "name": "Staff", "member_ids": ["amy"] })).await.ok(201);
    let sent = json!({ "id": "m1", "text": "hi", "user_id": "amy", "mentioned_roles": ["admin", "admin"],
        "mentioned_group_ids": ["staff"], "mentioned_channel": true, "mentioned_here": true });
    let classic = lake.say(sent).await;
    assert_eq!((&classic["mentioned_roles"], &classic["mentioned_group_ids"]), (&json!(["admin"]), &json!(["staff"])));
    assert_eq!((&classic["mentioned_channel"], &classic["mentioned_here"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&classic["mentioned_groups"][0]["id"], &classic["mentioned_groups"][0]["name"]),
        (&json!("staff"), &json!("Staff"))
    );
    let v2 = lake.v2().get("chat/messages/m1").await.ok(200)["message"].clone();
    assert_eq!((&v2["custom"], &v2["mentioned_roles"]), (&json!({}), &json!(["admin"])));
    assert!(v2["mentioned_groups"][0]["created_at"].is_i64());
    let patch = json!({ "user_id": "amy", "set": { "mentioned_roles": ["user"], "mentioned_channel": false }, "unset": ["mentioned_group_ids", "mentioned_here"] });
    let patched = lake.put("messages/m1", patch).await.ok(201)["message"].clone();
    assert_eq!((&patched["mentioned_roles"], patched.get("mentioned_group_ids")), (&json!(["user"]), None));
    assert_eq!((patched.get("mentioned_channel"), patched.get("mentioned_here")), (None, None));
    for (field, value) in [
        ("mentioned_group_ids", json!(["nobody"])),
        ("mentioned_roles", (0..11).map(|n| format!("r{n}")).collect::<Vec<_>>().into()),
        ("mentioned_group_ids", (0..11).map(|n| format!("g{n}")).collect::<Vec<_>>().into()),
        ("mentioned_roles", json!("admin")),
    ] {
        let mut message = json!({ "text": "x", "user_id": "amy" });
        message[field] = value;
        let body = json!({ "message": message }).to_string();
        assert_eq!(lake.refuses(Method::POST, &format!("{ROOM}/message"), body).await, (400, 4), "{field}");
    }
}

#[tokio::test]
async fn the_answer_tells_of_the_channel_and_of_the_members_who_are_named_where_that_is_asked_for() {
    let lake = room().await;
    lake.post("users", json!({ "users": { "eve": { "id": "eve" } } })).await.ok(201);
    let mut sent = json!({ "message": { "id": "m1", "text": "hi", "user_id": "amy", "mentioned_users": ["bob", "eve"] },
        "include_channel_context": true, "include_mentioned_members": true });
    let answer = lake.v2().post(&format!("chat/{ROOM}/message"), sent.clone()).await.ok(201);
    assert_eq!(answer["channel_context"], json!({ "cid": "messaging:room", "type": "messaging", "id": "room" }));
    assert_eq!(answer["mentioned_members"], json!({ "bob": true, "eve": false }));
    sent["message"]["id"] = "m2".into();
    sent["include_channel_context"] = false.into();
    sent["include_mentioned_members"] = Value::Null;
    let answer = lake.v2().post(&format!("chat/{ROOM}/message"), sent).await.ok(201);
    assert_eq!((answer.get("channel_context"), answer.get("mentioned_members")), (None, None));
}

#[tokio::test]
async fn what_the_apps_own_server_says_is_moderated_if_it_asks_for_it() {
    let lake = room().await;
    lake.post("blocklists", json!({ "name": "Mine", "words": ["darn"] })).await.ok(201);
    let kind = json!({ "blocklist": "Mine", "blocklist_behavior": "block", "automod": "disabled", "automod_behavior": "flag", "max_message_length": 5000 });
    lake.put("channeltypes/messaging", kind).await.ok(201);
    let said = async |forced: Value| {
        let body = json!({ "message": { "text": "darn it", "user_id": "amy" }, "force_moderation": forced });
        lake.post(&format!("{ROOM}/message"), body).await.ok(201)["message"]["type"].clone()
    };
    assert_eq!((said(Value::Null).await, said(json!(false)).await), (json!("regular"), json!("regular")));
    assert_eq!(said(json!(true)).await, "error");
}

#[tokio::test]
async fn messages_are_shown_with_those_own_fields_of_their_authors_memberships_that_are_asked_for() {
    let lake = room().await;
    let set = json!({ "set": { "nick": "a", "score": 7 } });
    lake.patch(&format!("{ROOM}/member/amy"), set).await.ok(201);
    lake.says("amy", "p", "hi").await;
    lake.say(json!({ "id": "r", "text": "a reply", "user_id": "amy", "parent_id": "p" })).await;
    let v2 = lake.v2();
    let names = json!({ "member_custom_include": ["nick", "none"] });
    let mut found = vec![
        v2.post(&format!("chat/{ROOM}/query"), names.clone()).await.ok(201)["messages"][0].clone(),
        v2.get(&format!("chat/{ROOM}/messages?ids=p&member_custom_include=nick")).await.ok(200)["messages"][0].clone(),
        v2.get("chat/messages/p/replies?member_custom_include=nick").await.ok(200)["messages"][0].clone(),
    ];
    let mut query = names.clone();
    query["filter_conditions"] = json!({ "cid": "messaging:room" });
    found.push(v2.post("chat/channels", query).await.ok(201)["channels"][0]["messages"][0].clone());
    let search = json!({ "filter_conditions": { "cid": "messaging:room" }, "query": "hi", "message_options": names });
    let search = format!("chat/search?payload={}", crate::pond::encoded(&search));
    found.push(v2.get(&search).await.ok(200)["results"][0]["message"].clone());
    for message in found {
        let member =
            json!({ "channel_role": "channel_member", "notifications_muted": false, "custom": { "nick": "a" } });
        assert_eq!(message["member"], member, "{message}");
    }
    let classic = lake.get(&format!("{ROOM}/messages?ids=p&member_custom_include=nick")).await.ok(200);
    assert_eq!(classic["messages"][0]["member"], json!({ "channel_role": "channel_member", "nick": "a" }));
    lake.patch("app", json!({ "member_custom_on_messages_enabled": true })).await.ok(201);
    let all = v2.get("chat/messages/p").await.ok(200)["message"]["member"]["custom"].clone();
    assert_eq!(all, json!({ "nick": "a", "score": 7 }));
    for names in [json!(["a", "b", "c", "d", "e", "f", "g", "h", "i"]), json!(["x".repeat(65)])] {
        let body = json!({ "member_custom_include": names }).to_string();
        assert_eq!(lake.refuses(Method::POST, &format!("{ROOM}/query"), body).await, (400, 4));
    }
}
