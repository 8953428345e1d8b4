//! Automatic moderation and what moderators decide (chat §12.14; v2 §6.3–§6.6).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, Pond};

const NANOS: i64 = 1_767_225_600_000_000_000;
const CID: &str = "messaging:general";

/// A channel with amy, who made it, and bob; eve moderates.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    let users = json!({ "amy": { "id": "amy" }, "bob": { "id": "bob" }, "eve": { "id": "eve" } });
    pond.post("users", json!({ "users": users })).await.ok(201);
    let body = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/messaging/general/query", body).await.ok(201);
    pond
}

async fn policy(pond: &Pond, key: &str, sections: Value) {
    let mut body = sections;
    body["key"] = json!(key);
    pond.v2().post("moderation/config", body).await.ok(201);
}

async fn words(pond: &Pond, name: &str, words: Value) {
    pond.post("blocklists", json!({ "name": name, "words": words })).await.ok(201);
}

async fn say(client: &Client, id: &str, text: &str) -> Value {
    let body = json!({ "message": { "id": id, "text": text } });
    client.post("channels/messaging/general/message", body).await.ok(201)["message"].clone()
}

async fn said(pond: &Pond, id: &str) {
    say(&pond.user("bob"), id, "hi").await;
}

async fn queue(pond: &Pond, filter: Value) -> Value {
    pond.v2().post("moderation/review_queue", json!({ "filter": filter })).await.ok(201)["items"].clone()
}

/// The item of a message that amy flagged.
async fn flagged(pond: &Pond, id: &str) -> Value {
    let body = json!({ "entity_type": "message", "entity_id": id, "user_id": "amy" });
    pond.v2().post("moderation/flag", body).await.ok(201)["item_id"].clone()
}

async fn decide(pond: &Pond, item: &Value, kind: &str, payload: Value) -> Value {
    let body = json!({ "action_type": kind, "item_id": item, "user_id": "eve", kind: payload });
    pond.v2().post("moderation/submit_action", body).await.ok(201)["item"].clone()
}

#[tokio::test]
async fn a_policy_decides_what_becomes_of_a_users_message() {
    let pond = pond().await;
    for (name, word) in [("soft", "darn"), ("shady", "psst"), ("rude", "dang"), ("hard", "gosh")] {
        words(&pond, name, json!([word])).await;
    }
    let rule = |name: &str, action: &str| json!({ "name": name, "action": action });
    let rules = [rule("soft", "flag"), rule("shady", "shadow"), rule("rude", "bounce"), rule("hard", "remove")];
    policy(&pond, "chat:messaging", json!({ "block_list_config": { "enabled": true, "rules": rules } })).await;
    let bob = pond.user("bob");
    assert_eq!(say(&bob, "m0", "hello").await["type"], "regular");
    assert_eq!(say(&bob, "m1", "darn").await["type"], "regular");
    assert_eq!(say(&bob, "m2", "psst").await["shadowed"], true);
    for (id, text, action, list) in [("m3", "dang", "bounce", "rude"), ("m4", "gosh", "remove", "hard")] {
        let refused = say(&bob, id, text).await;
        assert_eq!(refused["type"], "error");
        let why = json!({ "action": action, "original_text": text, "blocklist_matched": list,
            "blocklists_matched": [list] });
        assert_eq!(refused["moderation"], why);
        assert_eq!(pond.get(&format!("messages/{id}")).await.refusal(), (404, 16));
    }
    let items = queue(&pond, json!({ "config_key": "chat:messaging" })).await;
    let ids: Vec<_> = items.as_array().unwrap().iter().map(|item| item["entity_id"].clone()).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    let item = &queue(&pond, json!({ "entity_id": "m1" })).await[0];
    assert_eq!((&item["recommended_action"], &item["flags_count"]), (&json!("flag"), &json!(1)));
    let flag = &item["flags"][0];
    assert_eq!((&flag["type"], &flag["labels"], &flag["user_id"]), (&json!("blocklist"), &json!(["soft"]), &json!("")));
    let payload = crate::pond::encoded(&json!({ "filter_conditions": { "user_id": "bob" } }));
    let flags = pond.get(&format!("moderation/flags/message?payload={payload}")).await.ok(200)["flags"].clone();
    assert!(flags.as_array().unwrap().iter().all(|flag| flag["created_by_automod"] == true), "{flags}");
    assert_eq!(
        pond.v2().post("moderation/flag_count", json!({ "entity_creator_id": "bob" })).await.ok(201)["count"],
        2
    );
}

#[tokio::test]
async fn moderation_looks_away_from_servers_and_from_whom_it_is_told_to_unless_forced() {
    let pond = pond().await;
    words(&pond, "hard", json!(["gosh"])).await;
    let rules = json!([{ "name": "hard", "action": "remove" }]);
    policy(&pond, "default", json!({ "block_list_config": { "rules": rules } })).await;
    let send = async |id: &str, forced: bool| {
        let message = json!({ "id": id, "text": "gosh", "user_id": "bob" });
        let body = json!({ "message": message, "force_moderation": forced });
        pond.post("channels/messaging/general/message", body).await.ok(201)["message"]["type"].clone()
    };
    assert_eq!((send("s1", false).await, send("s2", true).await), (json!("regular"), json!("error")));
    pond.v2().post("moderation/bypass", json!({ "target_user_id": "bob", "enabled": true })).await.ok(201);
    assert_eq!(send("s3", true).await, "regular");
    assert_eq!(say(&pond.user("bob"), "s4", "gosh").await["type"], "regular");
    assert_eq!(say(&pond.user("amy"), "s5", "gosh").await["type"], "error");
}

#[tokio::test]
async fn floods_are_counted_for_each_user() {
    let pond = pond().await;
    let identical = json!({ "enabled": true, "threshold": 2, "time_window": "1m", "action": "remove" });
    policy(&pond, "chat", json!({ "flood_config": { "identical": identical } })).await;
    assert_eq!(say(&pond.user("bob"), "f1", "buy").await["type"], "regular");
    assert_eq!(say(&pond.user("amy"), "f2", "buy").await["type"], "regular");
    assert_eq!(say(&pond.user("bob"), "f3", "buy").await["type"], "error");
    pond.clock.advance(61_000_000);
    assert_eq!(say(&pond.user("bob"), "f4", "buy").await["type"], "regular");
}

#[tokio::test]
async fn a_check_answers_what_the_policy_asks_for_and_queues_what_is_not_kept() {
    let pond = pond().await;
    let v2 = pond.v2();
    let body = |more: Value| {
        let mut body = json!({ "entity_type": "photo", "entity_id": "p1", "entity_creator_id": "bob" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let shit = json!({ "texts": ["oh shit"], "images": [] });
    let kept = json!({ "status": "completed", "recommended_action": "keep", "triggered_rules": [] });
    let unknown = body(json!({ "moderation_payload": shit, "config_key": "none" }));
    assert_eq!(v2.post("moderation/check", unknown).await.ok(201), kept);
    let rules = json!([{ "name": "profanity_en_2020_v1", "action": "remove" }]);
    policy(&pond, "photos", json!({ "block_list_config": { "rules": rules } })).await;
    let clean = body(json!({ "moderation_payload": { "texts": ["hello"] }, "config_key": "photos:big" }));
    assert_eq!(v2.post("moderation/check", clean).await.ok(201), kept);
    let test = body(json!({ "moderation_payload": shit, "config_key": "photos:big", "test_mode": true }));
    let tested = v2.post("moderation/check", test).await.ok(201);
    assert_eq!((&tested["recommended_action"], tested.get("item")), (&json!("remove"), None));
    assert_eq!(queue(&pond, json!({})).await, json!([]));
    let real = body(json!({ "moderation_payload": shit, "config_key": "photos:big" }));
    let found = v2.post("moderation/check", real).await.ok(201);
    let rule = json!({ "rule_id": "profanity_en_2020_v1", "rule_name": "profanity_en_2020_v1", "type": "blocklist",
        "actions": ["remove"] });
    assert_eq!((&found["triggered_rule"], &found["triggered_rules"]), (&rule, &json!([rule])));
    let item = &found["item"];
    assert_eq!(
        (&item["entity_type"], &item["config_key"], &item["moderation_payload"]),
        (&json!("photo"), &json!("photos"), &shit)
    );
    assert_eq!(
        (&item["entity_creator"]["id"], &item["entity_creator"]["flagged_count"], &item["status"]),
        (&json!("bob"), &json!(1), &json!("pending"))
    );
    let given = json!({ "block_list_config": { "rules": [{ "name": "profanity_en", "action": "flag" }] } });
    let own = body(json!({ "moderation_payload": shit, "config": given, "test_mode": true }));
    assert_eq!(v2.post("moderation/check", own).await.ok(201)["recommended_action"], "flag");
    assert_eq!(v2.refuses(Method::POST, "moderation/check", r#"{"entity_id":"x"}"#).await, (400, 4));
}

#[tokio::test]
async fn a_stored_message_is_checked_by_what_it_says() {
    let pond = pond().await;
    say(&pond.user("bob"), "m1", "well shit").await;
    let rules = json!([{ "name": "profanity_en_2020_v1", "action": "flag" }]);
    policy(&pond, "default", json!({ "block_list_config": { "rules": rules } })).await;
    let body = json!({ "entity_type": "stream:chat:v1:message", "entity_id": "m1", "entity_creator_id": "bob" });
    let found = pond.v2().post("moderation/check", body).await.ok(201);
    assert_eq!((&found["recommended_action"], &found["item"]["message"]["id"]), (&json!("flag"), &json!("m1")));
}

#[tokio::test]
async fn verdicts_of_models_of_the_applications_own_stand_in_the_queue() {
    let pond = pond().await;
    let v2 = pond.v2();
    let flag = |kind: &str| json!({ "type": kind, "reason": "nude", "labels": ["nudity"], "custom": { "score": 9 } });
    let body = json!({ "entity_type": "photo", "entity_id": "p1", "entity_creator_id": "bob",
        "moderation_payload": { "images": ["https://example.com/p1"] }, "flags": [flag("eye"), flag("nose")] });
    let first = v2.post("moderation/custom_check", body.clone()).await.ok(201);
    assert_eq!((&first["status"], &first["item"]["flags_count"]), (&json!("pending"), &json!(2)));
    let shown = &first["item"]["flags"][0];
    assert_eq!(
        (&shown["type"], &shown["labels"], &shown["custom"]),
        (&json!("eye"), &json!(["nudity"]), &json!({ "score": 9 }))
    );
    let again = v2.post("moderation/custom_check", body).await.ok(201);
    assert_eq!(
        (&again["id"], &again["item"]["flags_count"]),
        (&first["id"], &json!(2)),
        "a model replaces what it said"
    );
    let by_type = v2.post("moderation/flags", json!({ "filter": { "type": "eye" } })).await.ok(201);
    assert_eq!(by_type["flags"].as_array().unwrap().len(), 1);
    let none = json!({ "entity_type": "photo", "entity_id": "p1", "flags": [] }).to_string();
    assert_eq!(v2.refuses(Method::POST, "moderation/custom_check", none).await, (400, 4));
}

#[tokio::test]
async fn the_automod_simple_checks_the_list_of_every_app_and_ai_is_refused() {
    let pond = pond().await;
    let set = async |body: Value| pond.put("channeltypes/messaging", body).await;
    set(json!({ "automod": "simple", "automod_behavior": "block" })).await.ok(201);
    assert_eq!(say(&pond.user("bob"), "a1", "oh shit").await["type"], "error");
    set(json!({ "automod_behavior": "flag" })).await.ok(201);
    assert_eq!(say(&pond.user("bob"), "a2", "oh shit").await["type"], "regular");
    assert_eq!(queue(&pond, json!({ "status": "pending" })).await[0]["entity_id"], "a2");
    set(json!({ "automod": "disabled" })).await.ok(201);
    say(&pond.user("bob"), "a3", "oh shit").await;
    assert_eq!(queue(&pond, json!({})).await.as_array().unwrap().len(), 1);
    for body in [json!({ "automod": "AI" }), json!({ "automod_thresholds": { "spam": { "flag": 0.5 } } })] {
        assert_eq!(pond.refuses(Method::PUT, "channeltypes/messaging", body.to_string()).await, (400, 4), "{body}");
    }
    set(json!({ "automod_thresholds": null })).await.ok(201);
}

#[tokio::test]
async fn a_moderator_takes_messages_away_and_brings_them_back() {
    let pond = pond().await;
    said(&pond, "m1").await;
    let item = flagged(&pond, "m1").await;
    let kind = async || pond.get("messages/m1?show_deleted_message=true").await.ok(200)["message"].clone();
    decide(&pond, &item, "block", json!({ "reason": "rude" })).await;
    assert_eq!(kind().await["type"], "deleted");
    decide(&pond, &item, "unblock", json!({ "decision_reason": "fine" })).await;
    assert_eq!(kind().await["type"], "regular");
    decide(&pond, &item, "shadow_block", json!({})).await;
    assert_eq!(kind().await["shadowed"], true);
    let state = pond.user("amy").post("channels/messaging/general/query", json!({ "state": true })).await.ok(201);
    assert_eq!(state["messages"], json!([]), "others do not see it");
    let done = decide(&pond, &item, "unblock", json!({})).await;
    assert_eq!((&kind().await["shadowed"], &done["latest_moderator_action"]), (&json!(false), &json!("unblock")));
    decide(&pond, &item, "delete_message", json!({ "hard_delete": true })).await;
    assert_eq!(pond.get("messages/m1").await.refusal(), (404, 16));
}

#[tokio::test]
async fn a_moderator_hands_an_item_on_and_takes_that_back() {
    let pond = pond().await;
    said(&pond, "m1").await;
    let item = flagged(&pond, "m1").await;
    let payload = json!({ "reason": "hard", "notes": "look twice", "priority": "high" });
    let handed = decide(&pond, &item, "escalate", payload.clone()).await;
    assert_eq!(
        (&handed["escalated"], &handed["status"], &handed["escalated_by"]),
        (&json!(true), &json!("pending"), &json!("eve"))
    );
    assert_eq!((&handed["escalation_metadata"], &handed["escalated_at"]), (&payload, &json!(NANOS)));
    assert_eq!(queue(&pond, json!({ "escalated": true })).await[0]["id"], item);
    let back = decide(&pond, &item, "de_escalate", json!({})).await;
    assert_eq!((&back["escalated"], back.get("escalated_at")), (&json!(false), None));
    let again = decide(&pond, &item, "flag", json!({ "reason": "also rude" })).await;
    assert_eq!((&again["flags_count"], &again["status"]), (&json!(2), &json!("pending")));
}

#[tokio::test]
async fn a_moderator_acts_on_the_user() {
    let pond = pond().await;
    said(&pond, "m1").await;
    said(&pond, "m2").await;
    let (one, two) = (flagged(&pond, "m1").await, flagged(&pond, "m2").await);
    decide(&pond, &one, "bypass", json!({ "enabled": true })).await;
    let path = format!("users?payload={}", crate::pond::encoded(&json!({ "filter_conditions": { "id": "bob" } })));
    assert_eq!(pond.v2().get(&path).await.ok(200)["users"][0]["bypass_moderation"], true);
    decide(&pond, &one, "mark_reviewed", json!({ "content_to_mark_as_reviewed_limit": 10 })).await;
    assert_eq!(queue(&pond, json!({ "status": "pending" })).await, json!([]), "what else is the user's, too");
    decide(&pond, &two, "delete_user_messages", json!({ "delete_messages": "soft" })).await;
    pond.run_tasks().await;
    for id in ["m1", "m2"] {
        assert_eq!(pond.get(&format!("messages/{id}")).await.ok(200)["message"]["type"], "deleted", "{id}");
    }
    decide(&pond, &two, "delete_user", json!({ "hard_delete": true })).await;
    pond.run_tasks().await;
    assert_eq!(pond.residue("bob").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_ban_can_take_along_what_the_user_said_where_it_holds() {
    let pond = pond().await;
    let body = json!({ "data": { "created_by_id": "amy", "members": ["bob"] } });
    pond.post("channels/messaging/other/query", body).await.ok(201);
    for (channel, id) in [("general", "here"), ("other", "there")] {
        let body = json!({ "message": { "id": id, "text": "hi", "user_id": "bob" } });
        pond.post(&format!("channels/messaging/{channel}/message"), body).await.ok(201);
    }
    let ban = json!({ "target_user_id": "bob", "user_id": "amy", "channel_cid": CID, "delete_messages": "hard" });
    pond.post("moderation/ban", ban).await.ok(201);
    pond.run_tasks().await;
    assert_eq!(pond.get("messages/here").await.refusal(), (404, 16));
    assert_eq!(pond.get("messages/there").await.ok(200)["message"]["type"], "regular");
    let ban = json!({ "target_user_id": "bob", "banned_by_id": "amy", "delete_messages": "soft" });
    pond.v2().post("moderation/ban", ban).await.ok(201);
    pond.run_tasks().await;
    assert_eq!(pond.get("messages/there").await.ok(200)["message"]["type"], "deleted");
    let wrong = json!({ "target_user_id": "bob", "user_id": "amy", "delete_messages": "all" }).to_string();
    assert_eq!(pond.refuses(Method::POST, "moderation/ban", wrong).await, (400, 4));
}

#[tokio::test]
async fn items_are_locked_for_one_moderator_at_a_time() {
    let pond = pond().await;
    for id in ["m1", "m2"] {
        said(&pond, id).await;
        flagged(&pond, id).await;
    }
    let take = async |user: &str, count: usize| {
        let body = json!({ "lock_items": true, "lock_count": count, "lock_duration": 60, "user_id": user });
        pond.v2().post("moderation/review_queue", body).await.ok(201)["items"].as_array().unwrap().clone()
    };
    let first = take("eve", 1).await;
    assert_eq!((first.len(), &first[0]["assigned_to"]["id"]), (1, &json!("eve")));
    let others = take("amy", 5).await;
    assert_eq!((others.len(), others[0]["id"] == first[0]["id"]), (1, false));
    assert_eq!(queue(&pond, json!({})).await.as_array().unwrap().len(), 2, "who does not lock sees all");
    pond.clock.advance(61_000_000);
    assert_eq!(take("amy", 5).await.len(), 2);
    assert_eq!(pond.v2().refuses(Method::POST, "moderation/review_queue", r#"{"lock_items":true}"#).await, (400, 4));
}

#[tokio::test]
async fn an_appeal_is_made_by_whom_it_concerns_and_decided_once() {
    let pond = pond().await;
    for id in ["m1", "m2"] {
        said(&pond, id).await;
    }
    let (one, two) = (flagged(&pond, "m1").await, flagged(&pond, "m2").await);
    for item in [&one, &two] {
        decide(&pond, item, "delete_message", json!({})).await;
    }
    let plea = |id: &str| {
        json!({ "entity_type": "stream:chat:v1:message", "entity_id": id, "appeal_reason": "a joke",
        "attachments": ["https://example.com/why"] })
    };
    let (bob, v2) = (pond.user("bob").v2(), pond.v2());
    assert_eq!(
        pond.user("amy").v2().refuses(Method::POST, "moderation/appeal", plea("m1").to_string()).await,
        (403, 17)
    );
    let first = bob.post("moderation/appeal", plea("m1")).await.ok(201)["appeal_id"].clone();
    let second = bob.post("moderation/appeal", plea("m2")).await.ok(201)["appeal_id"].clone();
    assert_eq!(bob.refuses(Method::POST, "moderation/appeal", plea("m1").to_string()).await, (400, 4), "it waits");
    let path = format!("moderation/appeal/{}", first.as_str().unwrap());
    let appeal = bob.get(&path).await.ok(200)["item"].clone();
    let expected = json!({ "id": first, "appeal_reason": "a joke", "status": "submitted",
        "entity_type": "stream:chat:v1:message", "entity_id": "m1", "review_queue_item_id": one,
        "attachments": ["https://example.com/why"], "user": appeal["user"], "created_at": NANOS, "updated_at": NANOS });
    assert_eq!((&appeal, &appeal["user"]["id"]), (&expected, &json!("bob")));
    assert_eq!(pond.user("amy").v2().get(&path).await.refusal(), (404, 16));
    assert_eq!(queue(&pond, json!({ "appeal": true })).await.as_array().unwrap().len(), 2);
    let restore = json!({ "action_type": "restore", "appeal_id": first, "user_id": "eve",
        "restore": { "decision_reason": "it is one" } });
    let done = v2.post("moderation/submit_action", restore).await.ok(201);
    assert_eq!(
        (&done["appeal_item"]["status"], &done["appeal_item"]["decision_reason"], &done["item"]["id"]),
        (&json!("accepted"), &json!("it is one"), &one)
    );
    assert_eq!(pond.get("messages/m1").await.ok(200)["message"]["type"], "regular");
    let reject = json!({ "action_type": "reject_appeal", "appeal_ids": [first, second, "none"], "user_id": "eve",
        "reject_appeal": { "decision_reason": "no joke" } });
    let bulk = v2.post("moderation/appeals/bulk_action", reject).await.ok(201);
    assert_eq!(
        (&bulk["results"][0]["appeal_id"], &bulk["results"][0]["appeal_item"]["status"]),
        (&second, &json!("rejected"))
    );
    assert_eq!(bulk["errors"].as_array().unwrap().len(), 2, "{bulk}");
    let rejected = v2.post("moderation/appeals", json!({ "filter": { "status": "rejected" } })).await.ok(201);
    assert_eq!(rejected["items"][0]["id"], second);
    assert_eq!(pond.user("amy").v2().post("moderation/appeals", json!({})).await.ok(201)["items"], json!([]));
    let report = v2.get("moderation/user_report?user_id=bob").await.ok(200);
    assert_eq!(report["appeals"].as_array().unwrap().len(), 2);
    let wordless = json!({ "action_type": "reject_appeal", "appeal_id": second }).to_string();
    assert_eq!(v2.refuses(Method::POST, "moderation/submit_action", wordless).await, (400, 4));
}

#[tokio::test]
async fn dashboards_keep_their_buttons_queues_templates_and_setup() {
    let pond = pond().await;
    let v2 = pond.v2();
    let button = |order: i64| json!({ "action": "ban", "entity_type": "photo", "order": order, "description": "out" });
    let made = v2.post("moderation/action_config", button(2)).await.ok(201)["action_config"].clone();
    assert_eq!((&made["action"], &made["icon"]), (&json!("ban"), &json!("")));
    let many = json!({ "action_configs": [button(1), button(3)] });
    v2.post("moderation/action_config/bulk", many).await.ok(201);
    let listed = v2.get("moderation/action_config?entity_type=photo").await.ok(200)["action_config"]["photo"].clone();
    let orders: Vec<_> = listed.as_array().unwrap().iter().map(|button| button["order"].clone()).collect();
    assert_eq!(orders, [json!(1), json!(2), json!(3)]);
    let path = format!("moderation/action_config/{}", made["id"].as_str().unwrap());
    assert_eq!(v2.delete(&path).await.ok(200)["deleted"], 1);
    let rest = json!({ "ids": [listed[0]["id"], listed[2]["id"], "none"] });
    assert_eq!(v2.post("moderation/action_config/bulk_delete", rest).await.ok(201)["deleted"], 2);

    said(&pond, "m1").await;
    flagged(&pond, "m1").await;
    let queue = json!({ "name": "open", "type": "custom", "filters": { "status": "pending" }, "user_id": "eve" });
    let made = v2.post("moderation/queues", queue).await.ok(201)["queue"].clone();
    assert_eq!((&made["item_count"], &made["created_by"], &made["sort"]), (&json!(1), &json!("eve"), &json!([])));
    let path = format!("moderation/queues/{}", made["id"].as_str().unwrap());
    let changed = v2.patch(&path, json!({ "description": "first", "filters": { "status": "reviewed" } })).await.ok(201);
    assert_eq!((&changed["queue"]["name"], &changed["queue"]["item_count"]), (&json!("open"), &json!(0)));
    assert_eq!(v2.get(&path).await.ok(200), v2.get(&path).await.ok(200));
    assert_eq!(v2.get("moderation/queues").await.ok(200)["queues"][0]["description"], "first");
    v2.post(&format!("{path}/delete"), json!({})).await.ok(201);
    assert_eq!(v2.get(&path).await.refusal(), (404, 16));
    let wrong = json!({ "name": "x", "type": "custom", "filters": { "color": 1 } }).to_string();
    assert_eq!(v2.refuses(Method::POST, "moderation/queues", wrong).await, (400, 4));

    let template = json!({ "name": "t", "config": { "config_key": "feeds" } });
    let made = v2.post("moderation/feeds_moderation_template", template).await.ok(201);
    assert_eq!((&made["name"], &made["created_at"]), (&json!("t"), &json!(NANOS)));
    assert_eq!(
        v2.get("moderation/feeds_moderation_template").await.ok(200)["templates"][0]["config"]["config_key"],
        "feeds"
    );
    v2.delete("moderation/feeds_moderation_template").await.ok(200);
    assert_eq!(v2.get("moderation/feeds_moderation_template").await.ok(200)["templates"], json!([]));

    assert_eq!(v2.get("moderation/setup").await.ok(200).get("setup_session"), None);
    let step = json!({ "current_step": "input", "status": "in_progress", "setup_data": { "a": 1 } });
    v2.post("moderation/setup", step).await.ok(201);
    assert_eq!(v2.get("moderation/setup").await.ok(200)["setup_session"]["setup_data"], json!({ "a": 1 }));
}

#[tokio::test]
async fn what_needs_a_model_says_that_there_is_none() {
    let v2 = pond().await.v2();
    for path in
        ["analyze", "labels", "bulk_image_moderation", "check_s3_access", "moderation_rule", "policy_tests/sets"]
    {
        assert_eq!(v2.refuses(Method::POST, &format!("moderation/{path}"), "{}").await, (501, -1), "{path}");
    }
    assert_eq!(v2.post("moderation/moderation_rules", json!({})).await.ok(201)["rules"], json!([]));
    assert_eq!(v2.post("moderation/labels/results", json!({})).await.ok(201)["label_results"], json!([]));
    assert_eq!(v2.get("moderation/policy_tests/sets").await.ok(200)["sets"], json!([]));
    let velocity = json!({ "key": "x", "velocity_filter_config": { "enabled": true, "cascading_actions": true } });
    assert_eq!(v2.refuses(Method::POST, "moderation/config", velocity.to_string()).await, (400, 4));
    for kind in ["kick_user", "end_call", "unmask"] {
        let body = json!({ "action_type": kind, "item_id": "x" }).to_string();
        assert_eq!(v2.refuses(Method::POST, "moderation/submit_action", body).await, (501, -1), "{kind}");
    }
}
