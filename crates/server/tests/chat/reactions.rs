//! Reactions (§6.9, §11.5).

use http::Method;
use serde_json::json;

use crate::messages::room;

#[tokio::test]
async fn a_reaction_is_counted_and_keeps_its_own_fields() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    let body = json!({ "reaction": { "type": "love", "user_id": "bob", "score": 3, "count": 42 } });
    let answer = lake.post("messages/m/reaction", body).await.ok(201);
    let (reaction, message) = (answer["reaction"].clone(), answer["message"].clone());
    assert_eq!((&reaction["type"], &reaction["score"], &reaction["count"]), (&json!("love"), &json!(3), &json!(42)));
    assert_eq!((&reaction["user_id"], &reaction["user"]["id"]), (&json!("bob"), &json!("bob")));
    let at = json!("2026-01-01T00:00:00.000001Z");
    assert_eq!((&reaction["message_id"], &reaction["created_at"]), (&json!("m"), &at));
    assert_eq!(message["reaction_counts"], json!({ "love": 1 }));
    assert_eq!(message["reaction_scores"], json!({ "love": 3 }));
    assert_eq!(message["latest_reactions"][0]["type"], "love");
    assert_eq!(message["reaction_groups"]["love"]["sum_scores"], 3);
    let read = lake.v2().get("chat/messages/m").await.ok(200)["message"].clone();
    let group = &read["reaction_groups"]["love"];
    assert_eq!(group["latest_reactions_by"][0]["user_id"], "bob");
    assert_eq!(group["first_reaction_at"], 1_767_225_600_000_001_000_i64);
    assert_eq!(read["latest_reactions"][0]["custom"], json!({ "count": 42 }));
}

#[tokio::test]
async fn one_reaction_of_a_type_for_each_user_and_with_enforce_unique_one_at_all() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    let react = async |kind: &str, is_only: bool| {
        let body = json!({ "reaction": { "type": kind, "user_id": "bob" }, "enforce_unique": is_only });
        lake.v2().post("chat/messages/m/reaction", body).await.ok(201)["message"]["reaction_counts"].clone()
    };
    react("love", false).await;
    assert_eq!(react("love", false).await, json!({ "love": 1 }));
    assert_eq!(react("like", false).await, json!({ "love": 1, "like": 1 }));
    assert_eq!(react("wow", true).await, json!({ "wow": 1 }));
}

#[tokio::test]
async fn a_reaction_is_taken_back_once() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    lake.user("bob").post("messages/m/reaction", json!({ "reaction": { "type": "love" } })).await.ok(201);
    let own = lake.user("bob").get("messages/m").await.ok(200)["message"]["own_reactions"].clone();
    assert_eq!(own[0]["type"], "love");
    assert_eq!(lake.user("amy").get("messages/m").await.ok(200)["message"]["own_reactions"], json!([]));
    let answer = lake.delete("messages/m/reaction/love?user_id=bob").await.ok(200);
    assert_eq!((&answer["reaction"]["type"], &answer["message"]["reaction_counts"]), (&json!("love"), &json!({})));
    assert_eq!(lake.delete("messages/m/reaction/love?user_id=bob").await.refusal(), (404, 16));
    assert_eq!(lake.delete("messages/m/reaction/love").await.refusal(), (400, 4));
}

#[tokio::test]
async fn reactions_are_listed_and_queried_the_newest_first() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    for (user, kind) in [("amy", "love"), ("bob", "like"), ("bob", "wow")] {
        lake.clock.advance(1_000_000);
        let body = json!({ "reaction": { "type": kind, "user_id": user } });
        lake.post("messages/m/reaction", body).await.ok(201);
    }
    let kinds = |list: &serde_json::Value| {
        let kind = |reaction: &serde_json::Value| reaction["type"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(kind).collect::<Vec<_>>().join(" ")
    };
    let list =
        async |query: &str| kinds(&lake.get(&format!("messages/m/reactions?{query}")).await.ok(200)["reactions"]);
    assert_eq!([list("").await, list("limit=1&offset=1").await], ["wow like love", "like"]);
    assert_eq!(lake.get("messages/m/reactions?limit=301").await.refusal(), (400, 4));
    assert_eq!(lake.get("messages/m/reactions?offset=1001").await.refusal(), (400, 4));
    let query = json!({ "filter": { "user_id": "bob" }, "limit": 1 });
    let page = lake.v2().post("chat/messages/m/reactions", query).await.ok(201);
    assert_eq!(kinds(&page["reactions"]), "wow");
    let query = json!({ "filter": { "user_id": "bob" }, "limit": 1, "next": page["next"] });
    let page = lake.v2().post("chat/messages/m/reactions", query).await.ok(201);
    assert_eq!((kinds(&page["reactions"]), page.get("next")), ("like".to_owned(), None));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_nothing_is_stored() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    let long = "x".repeat(2000);
    for (body, error) in [
        (json!({}), (400, 4)),
        (json!({ "reaction": { "user_id": "bob" } }), (400, 4)),
        (json!({ "reaction": { "type": "love" } }), (400, 4)),
        (json!({ "reaction": { "type": long, "user_id": "bob" } }), (400, 4)),
        (json!({ "reaction": { "type": "love", "user_id": "bob", "note": long } }), (413, 22)),
        (json!({ "reaction": { "type": "love", "user_id": "bob", "score": "high" } }), (400, 4)),
    ] {
        assert_eq!(lake.refuses(Method::POST, "messages/m/reaction", body.to_string()).await, error, "{body}");
    }
    let love = r#"{"reaction":{"type":"love","user_id":"bob"}}"#;
    assert_eq!(lake.refuses(Method::POST, "messages/nothing/reaction", love).await, (404, 16));
    assert_eq!(lake.user("amy").refuses(Method::POST, "messages/m/reaction", love).await, (403, 17));
}
