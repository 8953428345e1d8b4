//! Who may call (§2.2).

use http::Method;
use serde_json::json;

use crate::pond::{NOW_SECONDS, Pond, sign};

const BODY: &str = r#"{"users":{"amy":{"id":"amy"}}}"#;

#[tokio::test]
async fn each_fault_of_a_key_or_a_token_has_its_status_and_code() {
    let pond = Pond::new().await;
    let refused = async |token: Option<String>| pond.token(token).refuses(Method::POST, "users", BODY).await;
    assert_eq!(pond.refuses(Method::POST, "users?api_key=nobody", BODY).await, (401, 2));
    assert_eq!(refused(None).await, (401, 5));
    assert_eq!(refused(Some("nonsense".into())).await, (401, 5));
    assert_eq!(refused(Some(sign("other", &json!({})))).await, (401, 43));
    let claims = |claims| Some(sign("pond-secret", &claims));
    assert_eq!(refused(claims(json!({ "exp": NOW_SECONDS - 60 }))).await, (401, 40));
    assert_eq!(refused(claims(json!({ "nbf": NOW_SECONDS + 600 }))).await, (401, 41));
    assert_eq!(refused(claims(json!({ "iat": NOW_SECONDS + 600 }))).await, (401, 42));
    let odd = pond.token(None).header("stream-auth-type", "magic");
    assert_eq!(odd.refuses(Method::POST, "users", BODY).await, (401, 5));
}

#[tokio::test]
async fn a_server_token_needs_no_claims_and_may_be_sent_as_a_bearer() {
    let pond = Pond::new().await;
    for claims in [json!({}), json!({ "server": true }), json!({ "server": "true" })] {
        let token = sign("pond-secret", &claims);
        pond.token(Some(token.clone())).post("users", json!({ "users": { "a": { "id": "a" } } })).await.ok(201);
        pond.token(Some(format!("Bearer {token}")))
            .post("users", json!({ "users": { "a": { "id": "a" } } }))
            .await
            .ok(201);
    }
}

#[tokio::test]
async fn an_unknown_path_is_told_so_in_the_chat_apis_shape() {
    let pond = Pond::new().await;
    let answer = pond.get("no/such/path").await;
    assert_eq!(answer.refusal(), (404, 16));
    assert!(answer.text.contains("Not Found"), "{}", answer.text);
    assert_eq!(pond.v2().get("chat/no/such/path").await.refusal(), (404, 16));
    assert_eq!(pond.call(Method::PUT, "users", "{}").await.refusal(), (405, 17));
}

#[tokio::test]
async fn every_answer_tells_the_rate() {
    let pond = Pond::new().await;
    for answer in [
        pond.post("users", json!({ "users": { "a": { "id": "a" } } })).await,
        pond.post("users", json!({})).await,
        pond.token(None).post("users", json!({})).await,
        pond.get("no/such/path").await,
    ] {
        let limit: u32 = answer.headers["x-ratelimit-limit"].to_str().unwrap().parse().unwrap();
        assert!(limit > 0 && answer.headers.contains_key("x-ratelimit-remaining"), "{answer:?}");
    }
}
