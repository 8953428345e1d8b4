//! Blocklists (§11.11).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

fn names(lists: &Value) -> Vec<&str> {
    lists["blocklists"].as_array().unwrap().iter().map(|list| list["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_list_is_made_read_changed_and_deleted() {
    let pond = Pond::new().await;
    let at = "2026-01-01T00:00:00Z";
    let shown = |words: Value, is_leet: bool| {
        json!({ "blocklist": { "name": "Mine", "type": "word", "words": words, "created_at": at, "updated_at": at,
            "is_substring_matching_enabled": false, "is_leet_check_enabled": is_leet,
            "is_plural_check_enabled": false, "is_confusable_folding_enabled": false } })
    };
    let sent = json!({ "name": "Mine", "words": ["darn", "heck"] });
    assert_eq!(pond.post("blocklists", sent).await.ok(201), shown(json!(["darn", "heck"]), false));
    assert_eq!(pond.get("blocklists/Mine").await.ok(200), shown(json!(["darn", "heck"]), false));
    let changed = pond.put("blocklists/Mine", json!({ "is_leet_check_enabled": true, "words": null })).await.ok(201);
    assert_eq!(changed, shown(json!(["darn", "heck"]), true));
    assert_eq!(pond.put("blocklists/Mine", json!({ "words": ["x"] })).await.ok(201), shown(json!(["x"]), true));
    let v2 = pond.v2().get("blocklists/Mine").await.ok(200);
    assert_eq!(v2["blocklist"]["created_at"], 1_767_225_600_000_000_000_i64);
    assert_eq!(pond.delete("blocklists/Mine").await.ok(200), json!({}));
    assert_eq!(pond.refuses(Method::GET, "blocklists/Mine", "").await, (404, 16));
}

#[tokio::test]
async fn lists_come_in_pages_and_for_one_team() {
    let pond = Pond::new().await;
    for (name, team) in [("a", ""), ("b", "blue"), ("c", "")] {
        pond.post("blocklists", json!({ "name": name, "words": [], "team": team })).await.ok(201);
    }
    let all = pond.get("blocklists").await.ok(200);
    assert_eq!((names(&all), all.get("next_cursor")), (vec!["a", "b", "c", "profanity_en_2020_v1"], None));
    let page = pond.get("blocklists?limit=2").await.ok(200);
    assert_eq!((names(&page), &page["next_cursor"]), (vec!["a", "b"], &json!("b")));
    let page = pond.get("blocklists?limit=2&cursor=b").await.ok(200);
    assert_eq!((names(&page), page.get("next_cursor")), (vec!["c", "profanity_en_2020_v1"], None));
    assert_eq!(names(&pond.get("blocklists?team=blue").await.ok(200)), ["b"]);
    assert_eq!(pond.refuses(Method::GET, "blocklists/b", "").await, (404, 16));
    assert_eq!(pond.get("blocklists/b?team=blue").await.ok(200)["blocklist"]["team"], "blue");
}

#[tokio::test]
async fn ten_thousand_words_fit_and_no_more() {
    let pond = Pond::new().await;
    let words: Vec<String> = (0..10_000).map(|n| format!("{n:040}")).collect();
    pond.post("blocklists", json!({ "name": "big", "words": words })).await.ok(201);
    assert_eq!(pond.get("blocklists/big").await.ok(200)["blocklist"]["words"], json!(words));
    pond.put("blocklists/big", json!({ "words": ["one"] })).await.ok(201);
    assert_eq!(pond.get("blocklists/big").await.ok(200)["blocklist"]["words"], json!(["one"]));
    let more: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
    assert_eq!(pond.refuses(Method::PUT, "blocklists/big", json!({ "words": more }).to_string()).await, (400, 4));
}

#[tokio::test]
async fn a_deleted_list_leaves_the_types_that_named_it() {
    let pond = Pond::new().await;
    pond.post("blocklists", json!({ "name": "mine", "words": ["x"] })).await.ok(201);
    let blocklists = json!([{ "blocklist": "mine", "behavior": "flag" }, { "blocklist": "profanity_en_2020_v1",
        "behavior": "block" }]);
    pond.put("channeltypes/team", json!({ "blocklist": "mine", "blocklists": blocklists })).await.ok(201);
    pond.delete("blocklists/mine").await.ok(200);
    let team = pond.get("channeltypes/team").await.ok(200);
    assert_eq!((team.get("blocklist"), team["blocklists"].as_array().unwrap().len()), (None, 1));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused() {
    let pond = Pond::new().await;
    for body in [
        json!({ "words": ["x"] }),
        json!({ "name": "x" }),
        json!({ "name": "x", "words": ["x"], "type": "poem" }),
        json!({ "name": "x", "words": ["x".repeat(41)] }),
        json!({ "name": "x", "words": [" "] }),
        json!({ "name": "x", "words": ["("], "type": "regex" }),
        json!({ "name": "profanity_en_2020_v1", "words": ["x"] }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "blocklists", body.to_string()).await, (400, 4), "{body}");
    }
    assert_eq!(pond.refuses(Method::DELETE, "blocklists/profanity_en_2020_v1", "null").await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "blocklists/x/import", r#"{"items":["a"]}"#).await, (404, 16));
    for n in 0..15 {
        let kind = if n % 2 == 0 { "regex" } else { "email_allowlist" };
        let body = json!({ "name": format!("l{n}"), "words": ["a+"], "type": kind });
        pond.post("blocklists", body).await.ok(201);
    }
    assert_eq!(pond.refuses(Method::POST, "blocklists", r#"{"name":"x","words":["x"]}"#).await, (400, 4));
}

#[tokio::test]
async fn what_a_list_wants_to_be_looked_at_is_sent_and_stands_in_the_review_queue() {
    let pond = Pond::new().await;
    pond.post("blocklists", json!({ "name": "mine", "words": ["heck"] })).await.ok(201);
    let listed = json!([{ "blocklist": "mine", "behavior": "flag" }]);
    pond.put("channeltypes/messaging", json!({ "blocklists": listed })).await.ok(201);
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy"] } });
    pond.post("channels/messaging/general/query", data).await.ok(201);
    let queued = async || {
        let items = pond.v2().post("moderation/review_queue", json!({})).await.ok(201)["items"].clone();
        items.as_array().unwrap().iter().map(|item| item["entity_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let says = async |id: &str, text: &str| {
        let body = json!({ "message": { "id": id, "text": text } });
        pond.user("amy").post("channels/messaging/general/message", body).await.ok(201)["message"]["type"].clone()
    };
    assert_eq!(says("nice", "hello").await, "regular");
    assert!(queued().await.is_empty());
    assert_eq!(says("rude", "what the heck").await, "regular");
    assert_eq!(queued().await, ["rude"]);
    let body = json!({ "message": { "text": "oh heck" } });
    pond.user("amy").post("messages/nice", body).await.ok(201);
    let mut both = queued().await;
    both.sort();
    assert_eq!(both, ["nice", "rude"]);
}

#[tokio::test]
async fn an_import_adds_what_a_list_does_not_hold_and_doing_it_again_adds_nothing() {
    let pond = Pond::new().await;
    pond.post("blocklists", json!({ "name": "Mine", "words": ["a", "b"] })).await.ok(201);
    for _ in 0..2 {
        let sent = json!({ "items": ["b", "c", "c"], "chunk_size": 1 });
        let task = pond.post("blocklists/Mine/import", sent).await.ok(201)["task_id"].clone();
        pond.run_tasks().await;
        let task = pond.get(&format!("tasks/{}", task.as_str().unwrap())).await.ok(200);
        assert_eq!(task["status"], "completed");
        assert_eq!(pond.get("blocklists/Mine").await.ok(200)["blocklist"]["words"], json!(["a", "b", "c"]));
    }
    let long = json!({ "items": ["x".repeat(41)] }).to_string();
    assert_eq!(pond.refuses(Method::POST, "blocklists/Mine/import", long).await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "blocklists/Mine/import", "{}").await, (400, 4));
    let built_in = r#"{"items":["a"]}"#;
    assert_eq!(pond.refuses(Method::POST, "blocklists/profanity_en_2020_v1/import", built_in).await, (400, 4));
}
