//! Finding messages (§11.4).

use serde_json::{Value, json};

use crate::{
    messages::room,
    pond::{Answer, Client},
};

async fn asked(client: &Client, path: &str, payload: &Value) -> Answer {
    let payload: String = form_urlencoded::byte_serialize(payload.to_string().as_bytes()).collect();
    client.get(&format!("{path}?payload={payload}")).await
}

fn found(answer: &Value) -> String {
    let id = |result: &Value| result["message"]["id"].as_str().unwrap().to_owned();
    answer["results"].as_array().unwrap().iter().map(id).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn words_and_filters_find_messages_with_their_channel() {
    let lake = room().await;
    lake.says("amy", "a", "The quick duck").await;
    lake.says("bob", "b", "a duck, a duck").await;
    let payload = json!({ "filter_conditions": { "cid": "messaging:room" }, "query": "duck", "sort": [] });
    let answer = asked(&lake, "search", &payload).await.ok(200);
    assert_eq!(found(&answer), "b a");
    assert_eq!(answer["results"][0]["message"]["channel"]["cid"], "messaging:room");
    assert_eq!(answer["results"][0]["message"]["text"], "a duck, a duck");
    let payload = json!({ "filter_conditions": { "cid": "messaging:room" }, "query": "",
        "message_filter_conditions": { "text": { "$q": "quick" } }, "offset": 0, "sort": [{ "field": "created_at" }] });
    let answer = asked(&lake.v2(), "chat/search", &payload).await.ok(200);
    assert_eq!((found(&answer), answer["results"][0]["message"]["custom"].clone()), ("a".into(), json!({})));
    let payload = json!({ "filter_conditions": { "members": { "$in": ["amy"] } }, "query": "quick" });
    assert_eq!(found(&asked(&lake.user("amy"), "search", &payload).await.ok(200)), "a");
    assert_eq!(found(&asked(&lake.user("eve"), "search", &payload).await.ok(200)), "");
}

#[tokio::test]
async fn pages_go_by_cursor_or_by_number() {
    let lake = room().await;
    for id in ["a", "b", "c"] {
        lake.says("amy", id, "word").await;
    }
    let payload = |more: Value| {
        let mut payload = json!({ "filter_conditions": { "type": "messaging" }, "query": "word", "limit": 2 });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payload
    };
    let first = asked(&lake, "search", &payload(json!({}))).await.ok(200);
    assert_eq!(found(&first), "a b");
    let second = asked(&lake, "search", &payload(json!({ "next": first["next"] }))).await.ok(200);
    assert_eq!((found(&second), second.get("next")), ("c".into(), None));
    assert_eq!(found(&asked(&lake, "search", &payload(json!({ "offset": 1 }))).await.ok(200)), "b c");
    let both = payload(json!({ "offset": 1, "next": first["next"] }));
    assert_eq!(asked(&lake, "search", &both).await.refusal(), (400, 4));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let lake = room().await;
    let cid = json!({ "cid": "messaging:room" });
    for payload in [
        json!({}),
        json!({ "query": "a" }),
        json!({ "filter_conditions": {}, "query": "a" }),
        json!({ "filter_conditions": cid }),
        json!({ "filter_conditions": cid, "query": "a", "message_filter_conditions": { "text": "a" } }),
        json!({ "filter_conditions": cid, "query": "a", "limit": 101 }),
        json!({ "filter_conditions": cid, "query": "a", "offset": 1001 }),
        json!({ "filter_conditions": cid, "message_filter_conditions": { "created_at": { "$gt": "then" } } }),
        json!({ "filter_conditions": { "cid": "room" }, "query": "a" }),
    ] {
        assert_eq!(asked(&lake, "search", &payload).await.refusal(), (400, 4), "{payload}");
    }
}
