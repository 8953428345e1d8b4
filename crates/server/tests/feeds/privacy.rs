//! Audit logs, reports, the removal of what somebody has, and what is not recommended to anybody (§5.15, §5.16).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, Members, Pond};

async fn logs(client: &Client, query: &str) -> Value {
    client.get(&format!("audit_logs/?{query}")).await.ok(200)
}

/// What was done to what, by whom.
fn told(logs: &Value) -> Vec<(String, String)> {
    let logs = logs["audit_logs"].as_array().unwrap();
    logs.iter().map(|log| (log.text("action").to_owned(), log.text("user_id").to_owned())).collect()
}

fn by(user: &str, actions: &[&str]) -> Vec<(String, String)> {
    actions.iter().map(|action| ((*action).to_owned(), user.to_owned())).collect()
}

/// Bob likes what Amy posted: the ids of the activity and of the reaction.
async fn liked(pond: &Pond) -> (String, String) {
    let posted = pond.add("user:amy", json!({})).await.text("id").to_owned();
    let body = json!({ "kind": "like", "activity_id": posted });
    (posted, pond.user("bob").post("reaction/", body).await.ok(201).text("id").to_owned())
}

#[tokio::test]
async fn the_log_tells_what_was_done_to_a_reaction_and_by_whom() {
    let pond = Pond::new().await;
    let (_, id) = liked(&pond).await;
    let path = format!("reaction/{id}/");
    for (seconds, soft) in [(1, true), (2, false)] {
        pond.clock.advance(seconds * 1_000_000);
        if soft {
            pond.user("bob").delete(&format!("{path}?soft=true")).await.ok(200);
            pond.clock.advance(1_000_000);
            pond.call(Method::PUT, &format!("{path}restore/"), "{}").await.ok(200);
        } else {
            pond.delete(&path).await.ok(200);
        }
    }
    let found = logs(&pond, &format!("entity_type=reaction&entity_id={id}")).await;
    assert_eq!(told(&found), by("bob", &["deleted", "updated", "deleted", "created"]));
    assert_eq!(found.keys(), ["audit_logs", "next", "prev"]);
    let first = &found["audit_logs"][3];
    assert_eq!(first.keys(), ["action", "created_at", "custom", "entity_id", "entity_type", "user_id"]);
    assert_eq!((first.text("entity_type"), first.text("entity_id")), ("reaction", id.as_str()));
    assert_eq!((first.text("created_at"), &first["custom"]), ("2026-01-01T00:00:00.000000Z", &json!({})));
}

#[tokio::test]
async fn the_log_tells_what_was_done_to_an_activity() {
    let pond = Pond::new().await;
    let posted = pond.add("user:amy", json!({ "foreign_id": "x", "time": "2026-01-01T00:00:00" })).await;
    let id = posted.text("id");
    pond.clock.advance(1_000_000);
    pond.post("activity/", json!({ "id": id, "set": { "word": 1 } })).await.ok(201);
    pond.clock.advance(1_000_000);
    pond.user("amy").delete(&format!("feed/user/amy/{id}/")).await.ok(200);
    let found = logs(&pond, &format!("entity_type=activity&entity_id={id}")).await;
    assert_eq!(told(&found), by("amy", &["deleted", "updated", "created"]));
    assert_eq!(told(&logs(&pond, "user_id=amy").await), told(&found));
    assert_eq!(told(&logs(&pond, &format!("entity_type=activity&entity_id={id}&user_id=bob")).await), []);
    // What is not there is removed with a 200, and nothing happened.
    pond.user("amy").delete(&format!("feed/user/amy/{id}/")).await.ok(200);
    assert_eq!(told(&logs(&pond, &format!("entity_type=activity&entity_id={id}")).await), told(&found));
}

#[tokio::test]
async fn the_log_is_read_page_by_page() {
    let pond = Pond::new().await;
    for _ in 0..3 {
        pond.add("user:amy", json!({})).await;
        pond.clock.advance(1_000_000);
    }
    let first = logs(&pond, "user_id=amy&limit=2").await;
    assert_eq!((first["audit_logs"].as_array().unwrap().len(), first.text("prev")), (2, ""));
    let second = logs(&pond, &format!("user_id=amy&limit=2&next={}", first.text("next"))).await;
    assert_eq!((second["audit_logs"].as_array().unwrap().len(), second.text("next")), (1, ""));
    let back = logs(&pond, &format!("user_id=amy&limit=2&prev={}", second.text("prev"))).await;
    assert_eq!(back["audit_logs"], first["audit_logs"]);
}

#[tokio::test]
async fn a_log_is_of_something_for_the_application_alone_and_kept_only_where_that_is_wanted() {
    let pond = Pond::new().await;
    for query in [
        "",
        "entity_type=reaction",
        "entity_id=x",
        "entity_type=user&entity_id=x",
        "user_id=amy&limit=0",
        "user_id=amy&next=x",
        "user_id=amy&next=&prev=..",
    ] {
        assert_eq!(pond.get(&format!("audit_logs/?{query}")).await.refusal().error, (400, 4), "{query}");
    }
    let refused = async |client: Client| client.get("audit_logs/?user_id=amy").await.refusal().error;
    assert_eq!(refused(pond.user("amy")).await, (403, 17));
    assert_eq!(refused(pond.scope("feed", "*", "*")).await, (403, 17));
    logs(&pond.scope("audit_logs", "read", "*"), "user_id=amy").await;
    let off = json!({ "feed_audit_logs_enabled": false }).to_string();
    assert_eq!(pond.call(Method::PATCH, "/api/v2/app", off).await.status, 201);
    let refusal = pond.get("audit_logs/?user_id=amy").await.refusal();
    assert_eq!(refusal.error, (403, 17));
    assert!(refusal.detail.contains("feed_audit_logs_enabled"), "{}", refusal.detail);
}

#[tokio::test]
async fn the_log_forgets_who_it_was_when_a_user_is_erased() {
    let pond = Pond::new().await;
    let (_, id) = liked(&pond).await;
    pond.post("/api/v2/users", json!({ "users": { "bob": { "id": "bob" } } })).await;
    assert_eq!(
        pond.post("/api/v2/users/delete", json!({ "user_ids": ["bob"], "user": "hard", "messages": "hard" }))
            .await
            .status,
        201
    );
    pond.run_tasks().await;
    let found = logs(&pond, &format!("entity_type=reaction&entity_id={id}")).await;
    assert_eq!(told(&found), by("", &["created"]));
    assert_eq!(told(&logs(&pond, "user_id=bob").await), []);
}

#[tokio::test]
async fn a_user_is_reported_by_another_or_by_the_application_and_waits_for_review() {
    let pond = Pond::new().await;
    let body = json!({ "entity_type": "stream:user", "entity_id": "bob", "user_id": "amy", "reason": "spam" });
    let flagged = pond.post("moderation/flag", body).await.ok(201);
    assert_eq!(flagged.keys(), ["created_at", "flag_id", "target_user_id"]);
    assert_eq!((flagged.text("target_user_id"), flagged.text("created_at")), ("bob", "2026-01-01T00:00:00.000000Z"));
    let body = json!({ "entity_type": "stream:user", "entity_id": "bob", "user_id": null, "reason": null });
    let again = pond.scope("moderation", "write", "*").post("moderation/flag/", body).await.ok(201);
    assert_eq!(again["flag_id"], flagged["flag_id"]);
    let queue = pond.post("/api/v2/moderation/review_queue", json!({})).await;
    assert_eq!(queue.status, 201, "{}", queue.text);
    assert!(queue.text.contains(flagged.text("flag_id")), "{}", queue.text);
}

#[tokio::test]
async fn the_status_of_moderation_is_what_the_review_queue_has() {
    let pond = Pond::new().await;
    let status = async |user: &str| {
        let asked = format!("moderation/status/?entity_type=stream:user&entity_id={user}");
        let mut answer = pond.get(&asked).await.ok(200);
        assert_eq!(answer.as_object_mut().unwrap().remove("entity_id"), Some(json!(user)));
        answer
    };
    let told = |status: &str, action: &str| json!({ "entity_type": "stream:user", "status": status, "recommended_action": action });
    assert_eq!(status("bob").await, told("complete", "keep"));
    let flagged = pond.post("moderation/flag", json!({ "entity_type": "stream:user", "entity_id": "bob" })).await;
    assert_eq!(status("bob").await, told("pending", "keep"));
    let item = flagged.ok(201)["flag_id"].clone();
    let reviewed = json!({ "item_id": item, "action_type": "mark_reviewed", "user_id": "mod", "mark_reviewed": {} });
    pond.post("/api/v2/users", json!({ "users": { "mod": { "id": "mod" } } })).await;
    let done = pond.post("/api/v2/moderation/submit_action", reviewed).await;
    assert_eq!(done.status, 201, "{}", done.text);
    assert_eq!(status("bob").await, told("complete", "keep"));
    let ban = json!({ "item_id": item, "action_type": "ban", "user_id": "mod", "ban": { "reason": "spam" } });
    let done = pond.post("/api/v2/moderation/submit_action", ban).await;
    assert_eq!(done.status, 201, "{}", done.text);
    assert_eq!(status("bob").await, told("complete", "ban"));

    let asked = |user: &str| json!({ "entity_type": "stream:user", "entity_id": user });
    let many = pond.post("moderation/status/batch/", json!({ "entities": [asked("bob"), asked("amy")] })).await.ok(201);
    assert_eq!(many["results"][0]["recommended_action"], "ban");
    assert_eq!((&many["results"][1]["entity_id"], &many["results"][1]["status"]), (&json!("amy"), &json!("complete")));
}

#[tokio::test]
async fn a_question_for_the_status_of_nothing_or_of_too_much_is_refused() {
    let pond = Pond::new().await;
    for path in ["moderation/status/", "moderation/status/?entity_type=stream:user&entity_id="] {
        assert_eq!(pond.get(path).await.refusal().error, (400, 4), "{path}");
    }
    let asked = json!({ "entity_type": "stream:user", "entity_id": "bob" });
    for body in [json!({}), json!({ "entities": [{}] }), json!({ "entities": vec![asked; 101] })] {
        assert_eq!(pond.refuses("moderation/status/batch/", body.to_string()).await.error, (400, 4), "{body}");
    }
    assert_eq!(pond.user("amy").get("moderation/status/").await.refusal().error, (403, 17));
}

#[tokio::test]
async fn a_report_that_says_nothing_is_refused() {
    let pond = Pond::new().await;
    for body in [
        json!({}),
        json!({ "entity_type": "stream:user" }),
        json!({ "entity_type": "stream:user", "entity_id": "" }),
        json!({ "entity_type": "stream:user", "entity_id": null }),
        json!({ "entity_type": "stream:chat:v1:message", "entity_id": "m" }),
        json!({ "entity_type": "stream:user", "entity_id": "bob", "user_id": 3 }),
        json!({ "entity_type": "stream:user", "entity_id": "bob", "reason": "x".repeat(2000) }),
    ] {
        assert_eq!(pond.refuses("moderation/flag", body.to_string()).await.error, (400, 4), "{body}");
    }
    let body = json!({ "entity_type": "stream:user", "entity_id": "bob" }).to_string();
    assert_eq!(pond.user("amy").refuses("moderation/flag", body).await.error, (403, 17));
    pond.delete("moderation/user/cache/amy/").await.ok(200);
}

#[tokio::test]
async fn what_a_user_has_is_told_by_its_ids_and_goes_by_them() {
    let pond = Pond::new().await;
    let (posted, reaction) = liked(&pond).await;
    let told = async |user: &str| pond.get(&format!("data_privacy/export_ids/{user}")).await.ok(200);
    let amys = json!({ "export": { "user_id": "amy", "activity_count": 1, "reaction_count": 0,
        "activity_ids": [posted], "reaction_ids": [] } });
    let bobs = json!({ "export": { "user_id": "bob", "activity_count": 0, "reaction_count": 1,
        "activity_ids": [], "reaction_ids": [reaction] } });
    assert_eq!((told("amy").await, told("bob").await), (amys, bobs));
    // One that can be restored counts, and goes.
    pond.delete(&format!("reaction/{reaction}/?soft=true")).await.ok(200);
    assert_eq!(told("bob").await["export"]["reaction_count"], 1);
    pond.post("data_privacy/delete_reactions/", json!({ "ids": [reaction, "none"] })).await.ok(201);
    let body = json!({ "activities": [{ "id": posted, "remove_from_feeds": ["user:amy"] }] });
    pond.post("data_privacy/delete_activities/", body.clone()).await.ok(201);
    pond.post("data_privacy/delete_activities/", body).await.ok(201);
    assert_eq!(told("amy").await["export"]["activity_count"], 0);
    assert_eq!(told("bob").await["export"]["reaction_count"], 0);
    assert!(pond.objects("user:amy").await.is_empty());
}

#[tokio::test]
async fn the_log_tells_that_the_application_removed_something_for_good_and_not_whose_it_was() {
    let pond = Pond::new().await;
    let (posted, reaction) = liked(&pond).await;
    pond.clock.advance(1_000_000);
    for _ in 0..2 {
        pond.post("data_privacy/delete_reactions/", json!({ "ids": [reaction] })).await.ok(201);
        pond.post("data_privacy/delete_activities/", json!({ "activities": [{ "id": posted }] })).await.ok(201);
        pond.clock.advance(1_000_000);
    }
    for (kind, id, by) in [("reaction", &reaction, "bob"), ("activity", &posted, "amy")] {
        let found = told(&logs(&pond, &format!("entity_type={kind}&entity_id={id}")).await);
        assert_eq!(found, [("deleted".to_owned(), String::new()), ("created".to_owned(), by.to_owned())]);
    }
}

#[tokio::test]
async fn what_is_not_an_id_is_refused_and_users_remove_nothing_this_way() {
    let pond = Pond::new().await;
    let (activities, reactions) = ("data_privacy/delete_activities/", "data_privacy/delete_reactions/");
    let many: Vec<_> = (0..101).map(|n| n.to_string()).collect();
    for (path, body) in [
        (activities, json!({})),
        (activities, json!({ "activities": [{ "id": "x" }] })),
        (activities, json!({ "activities": [{ "remove_from_feeds": [] }] })),
        (reactions, json!({})),
        (reactions, json!({ "ids": [1] })),
        (reactions, json!({ "ids": [""] })),
        (reactions, json!({ "ids": many })),
    ] {
        assert_eq!(pond.refuses(path, body.to_string()).await.error, (400, 4), "{body}");
    }
    assert_eq!(pond.user("amy").refuses(reactions, r#"{"ids":["x"]}"#).await.error, (403, 17));
    assert_eq!(pond.user("amy").get("data_privacy/export_ids/amy/").await.refusal().error, (403, 17));
    assert_eq!(pond.scope("feed", "*", "*").refuses(reactions, r#"{"ids":["x"]}"#).await.error, (403, 17));
}

#[tokio::test]
async fn nothing_is_recommended_to_anybody() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    for path in ["enrich/personalization/feed/", "personalization/feed/"] {
        let of = async |query: &str| amy.get(&format!("{path}?{query}")).await;
        assert_eq!(of("user_id=amy&feed_slug=timeline").await.ok(200), json!({ "results": [], "next": "" }));
        assert_eq!(of("limit=x").await.refusal().fields, ["limit"]);
        assert_eq!(of("user_id=bob&endpoint=x").await.refusal().error, (403, 17));
        assert_eq!(of("user_id=amy&endpoint=x").await.refusal().error, (404, 16));
    }
    assert_eq!(pond.get("/personalization/v1.0/follow_recommendations/").await.refusal().error, (404, 16));
}
