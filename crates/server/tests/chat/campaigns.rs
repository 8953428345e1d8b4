//! Campaigns (§11.13, §11.14.16).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Pond, encoded};

const NANOS: i64 = 1_767_225_600_000_000_000;

/// Amy, who says it; bob, cat and dan; cat and dan are targets of the segment `s`.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    let user = |id: &str, name: &str| (id.to_owned(), json!({ "id": id, "name": name }));
    let users: Value =
        [user("amy", "Amy"), user("bob", "Bob"), user("cat", "Cat"), user("dan", "Dan")].into_iter().collect();
    pond.post("users", json!({ "users": users })).await.ok(201);
    pond.post("segments", json!({ "id": "s", "type": "user" })).await.ok(201);
    pond.post("segments/s/addtargets", json!({ "target_ids": ["cat", "dan", "nobody"] })).await.ok(201);
    pond
}

fn plan() -> Value {
    json!({
        "id": "c", "name": "Ice", "sender_id": "amy", "segment_ids": ["s"], "user_ids": ["bob"], "create_channels": true,
        "message_template": { "text": "Hi {{receiver.name}}, {{sender.name}} here", "poll_id": "",
            "attachments": [{ "type": "image", "custom": { "for": "{{receiver.id}}" } }], "custom": { "promo": true } },
        "channel_template": { "type": "messaging", "id": "", "custom": { "about": "{{receiver.id}}" } },
    })
}

/// What amy said to `user` alone, in the classic dialect.
async fn said_to(pond: &Pond, user: &str) -> Vec<Value> {
    let filter = json!({ "filter_conditions": { "members": { "$in": [user] } }, "user_id": user });
    let found = pond.post("channels", filter).await.ok(201);
    found["channels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|state| state["messages"].as_array().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn a_campaign_is_made_read_changed_found_and_deleted() {
    let pond = pond().await;
    let v2 = pond.v2();
    let made = v2.post("chat/campaigns", plan()).await.ok(201);
    assert_eq!(made["users"], json!({}));
    let made = &made["campaign"];
    assert_eq!((&made["id"], &made["status"], &made["created_at"]), (&json!("c"), &json!("draft"), &json!(NANOS)));
    assert_eq!((&made["sender"]["id"], &made["users"][0]["id"]), (&json!("amy"), &json!("bob")));
    assert_eq!((&made["segments"][0]["id"], &made["segments"][0]["size"]), (&json!("s"), &json!(3)));
    assert_eq!(made["message_template"]["custom"], json!({ "promo": true }));
    assert_eq!(made["message_template"]["attachments"][0]["custom"], json!({ "for": "{{receiver.id}}" }));
    assert_eq!(made["channel_template"]["type"], "messaging");
    let stats = json!({ "progress": 0.0, "stats_users_sent": 0, "stats_users_read": 0, "stats_messages_sent": 0,
        "stats_channels_created": 0, "stats_started_at": null, "stats_completed_at": null });
    assert_eq!(made["stats"], stats);
    let read = pond.get("campaigns/c").await.ok(200)["campaign"].clone();
    assert_eq!((&read["name"], &read["created_at"]), (&json!("Ice"), &json!("2026-01-01T00:00:00Z")));
    let mut changed = plan();
    changed["name"] = json!("Snow");
    let changed = v2.put("chat/campaigns/c", changed).await.ok(201);
    assert_eq!((&changed["id"], &changed["name"]), (&json!("c"), &json!("Snow")), "it is flat");
    let found = v2.post("chat/campaigns/query", json!({ "filter": { "name": "Snow" }, "sort": null })).await.ok(201);
    assert_eq!(found["campaigns"][0]["id"], "c");
    let none = v2.post("chat/campaigns/query", json!({ "filter": { "status": { "$eq": "completed" } } })).await.ok(201);
    assert_eq!(none["campaigns"], json!([]));
    assert_eq!(pond.delete("campaigns/c").await.ok(200), json!({}));
    assert_eq!(pond.get("campaigns/c").await.refusal(), (404, 16));
}

#[tokio::test]
async fn a_campaign_that_is_started_reaches_each_user_once() {
    let pond = pond().await;
    pond.v2().post("chat/campaigns", plan()).await.ok(201);
    let started = pond.v2().post("chat/campaigns/c/start", json!({})).await.ok(201);
    assert_eq!(started["campaign"]["status"], "in_progress");
    pond.run_tasks().await;
    for (user, name) in [("bob", "Bob"), ("cat", "Cat"), ("dan", "Dan")] {
        let said = said_to(&pond, user).await;
        assert_eq!(said.len(), 1, "{user}: {said:?}");
        assert_eq!(said[0]["text"], format!("Hi {name}, Amy here"));
        assert_eq!((&said[0]["user"]["id"], &said[0]["promo"]), (&json!("amy"), &json!(true)));
        assert_eq!(said[0]["attachments"][0]["for"], user);
    }
    let done = pond.get("campaigns/c").await.ok(200)["campaign"].clone();
    assert_eq!((&done["status"], &done["stats"]["progress"]), (&json!("completed"), &json!(100.0)));
    assert_eq!(
        ["stats_users_sent", "stats_messages_sent", "stats_channels_created"].map(|name| done["stats"][name].clone()),
        [json!(3), json!(3), json!(3)]
    );
    assert!(done["stats"]["stats_completed_at"].is_string());
    assert_eq!(pond.refuses(Method::POST, "campaigns/c/start", "{}").await, (400, 4));
    assert_eq!(pond.refuses(Method::PUT, "campaigns/c", plan().to_string()).await, (400, 4));
    // Without create_channels only those are reached with whom there is a channel already.
    let mut other = plan();
    (other["id"], other["create_channels"], other["user_ids"]) = (json!("d"), json!(false), json!([]));
    other["channel_template"] = json!({ "type": "messaging", "id": "about-{{receiver.id}}" });
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "cat"] } });
    pond.post("channels/messaging/about-cat/query", data).await.ok(201);
    pond.post("campaigns", other).await.ok(201);
    pond.post("campaigns/d/start", json!({})).await.ok(201);
    pond.run_tasks().await;
    assert_eq!((said_to(&pond, "cat").await.len(), said_to(&pond, "dan").await.len()), (2, 1));
    assert_eq!(pond.get("campaigns/d").await.ok(200)["campaign"]["stats"]["stats_channels_created"], 0);
}

#[tokio::test]
async fn a_campaign_waits_for_its_time_and_sends_nothing_when_it_was_stopped() {
    let pond = pond().await;
    pond.post("campaigns", plan()).await.ok(201);
    let later = json!({ "scheduled_for": "2026-01-01T01:00:00Z", "stop_at": "2026-01-01T02:00:00Z" });
    let started = pond.v2().post("chat/campaigns/c/start", later.clone()).await.ok(201)["campaign"].clone();
    assert_eq!(
        (&started["status"], &started["scheduled_for"]),
        (&json!("scheduled"), &json!(NANOS + 3_600_000_000_000))
    );
    pond.run_tasks().await;
    assert_eq!(said_to(&pond, "bob").await, Vec::<Value>::new());
    let stopped = pond.v2().post("chat/campaigns/c/stop", json!({})).await.ok(201);
    assert_eq!((&stopped["id"], &stopped["status"]), (&json!("c"), &json!("stopped")), "it is flat");
    pond.clock.advance(3_600_000_000);
    pond.run_tasks().await;
    assert_eq!(said_to(&pond, "bob").await, Vec::<Value>::new());
    assert_eq!(pond.refuses(Method::POST, "campaigns/c/stop", "{}").await, (400, 4));
    let late = json!({ "stop_at": "2026-01-01T00:30:00Z" });
    assert_eq!(pond.refuses(Method::POST, "campaigns/c/start", late.to_string()).await, (400, 4));
    pond.post("campaigns/c/start", json!({ "scheduled_for": "2026-01-01T01:30:00Z" })).await.ok(201);
    pond.clock.advance(1_800_000_000);
    pond.run_tasks().await;
    assert_eq!(said_to(&pond, "bob").await.len(), 1);
}

#[tokio::test]
async fn a_campaign_goes_into_the_channels_of_a_segment() {
    let pond = pond().await;
    let data = json!({ "data": { "created_by_id": "bob", "members": ["bob"] } });
    pond.post("channels/team/hq/query", data).await.ok(201);
    pond.post("segments", json!({ "id": "rooms", "type": "channel" })).await.ok(201);
    pond.post("segments/rooms/addtargets", json!({ "target_ids": ["team:hq", "team:none"] })).await.ok(201);
    let news =
        json!({ "id": "n", "sender_id": "amy", "segment_ids": ["rooms"], "message_template": { "text": "news" } });
    pond.post("campaigns", news).await.ok(201);
    pond.post("campaigns/n/start", json!({})).await.ok(201);
    pond.run_tasks().await;
    let said = pond.post("channels/team/hq/query", json!({})).await.ok(201)["messages"].clone();
    assert_eq!((&said[0]["text"], said.as_array().unwrap().len()), (&json!("news"), 1));
    assert_eq!(pond.get("campaigns/n").await.ok(200)["campaign"]["stats"]["stats_users_sent"], 0);
}

#[tokio::test]
async fn who_is_erased_is_in_no_campaign_any_more() {
    let pond = pond().await;
    pond.post("campaigns", plan()).await.ok(201);
    pond.post("campaigns/c/start", json!({})).await.ok(201);
    pond.run_tasks().await;
    for user in ["amy", "bob", "dan"] {
        let body = json!({ "user_ids": [user], "user": "hard", "messages": "hard", "conversations": "hard" });
        pond.post("users/delete", body).await.ok(201);
        pond.run_tasks().await;
        assert_eq!(pond.residue(user).await, Vec::<String>::new(), "{user}");
    }
    let campaign = pond.get("campaigns/c").await.ok(200)["campaign"].clone();
    assert_eq!((&campaign["sender_id"], &campaign["user_ids"]), (&json!(""), &json!([])));
}

#[tokio::test]
async fn what_is_no_campaign_is_refused_and_nothing_is_stored() {
    let pond = pond().await;
    pond.post("segments", json!({ "id": "all", "type": "user", "all_users": true })).await.ok(201);
    pond.post("campaigns", plan()).await.ok(201);
    let with = |name: &str, value: Value| {
        let mut plan = plan();
        plan["id"] = json!("other");
        plan[name] = value;
        plan.to_string()
    };
    for (body, error) in [
        (plan().to_string(), (400, 4)),
        (with("id", json!("a b")), (400, 4)),
        (with("sender_id", json!(null)), (400, 4)),
        (with("sender_id", json!("nobody")), (404, 16)),
        (with("segment_ids", json!(["none"])), (404, 16)),
        (with("message_template", json!(null)), (400, 4)),
        (with("channel_template", json!({ "id": "x" })), (400, 4)),
        (with("message_template", json!({ "text": "x".repeat(30_000) })), (413, 22)),
    ] {
        assert_eq!(pond.refuses(Method::POST, "campaigns", body.clone()).await, error, "{body}");
    }
    pond.call(Method::POST, "campaigns", with("segment_ids", json!(["all"]))).await.ok(201);
    assert_eq!(pond.refuses(Method::POST, "campaigns/other/start", "{}").await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "campaigns/none/start", "{}").await, (404, 16));
    let query = format!("users?payload={}", encoded(&json!({ "filter_conditions": { "id": "nobody" } })));
    assert_eq!(pond.get(&query).await.ok(200)["users"], json!([]), "a campaign makes no users");
}
