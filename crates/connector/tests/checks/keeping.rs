//! How long what is known of people is kept (§4.5), and how often callers may call (§15.3).

use axum::{body::Body, http::Request};
use connector::{http::router, tokens::Role};
use serde_json::json;
use tower::ServiceExt as _;

use crate::place::*;

#[tokio::test]
async fn packages_and_identifiers_are_kept_as_long_as_is_set() {
    let place = Place::new().await;
    let request = place.access(user_id("amy")).await;
    let shown = place.call("GET", "/v1/retention", &json!({})).await.json();
    assert_eq!(shown, json!({"packages_days": 7, "identifiers_days": 30}));
    let shown = place.call("PATCH", "/v1/retention", &json!({"packages_days": 2, "identifiers_days": 4})).await.json();
    assert_eq!(shown, json!({"packages_days": 2, "identifiers_days": 4}));

    place.clock.advance(2 * DAY - MINUTE);
    place.connector().sweep().await.unwrap();
    assert!(place.file(&request, "package.zip").await.is_some());
    place.clock.advance(MINUTE);
    place.connector().sweep().await.unwrap();
    assert!(place.file(&request, "package.zip").await.is_none());
    assert!(!place.request(&request.id).await.is_shredded);
    place.clock.advance(2 * DAY);
    place.connector().sweep().await.unwrap();
    assert!(place.request(&request.id).await.is_shredded);
    assert!(place.actions().await.contains(&"retention.changed".to_owned()));
}

#[tokio::test]
async fn a_link_is_good_for_as_long_as_packages_are_kept_at_most() {
    let place = Place::new().await;
    let request = place.access(user_id("amy")).await;
    let path = format!("/v1/requests/{}/link", request.id);
    let ends_after = async |body: serde_json::Value| {
        let reply = place.call("POST", &path, &body).await;
        (reply.status, reply.json()["expires_at"].as_str().map(|at| ids::Timestamp::parse(at).unwrap().micros()))
    };
    let at = |days: i64| Some((place.clock.micros() + days * DAY) / SECOND * SECOND);
    assert_eq!(ends_after(json!({})).await.1, at(7));
    assert_eq!(ends_after(json!({"expires_in_s": 8 * 86_400})).await.0, 422);
    place.call("PATCH", "/v1/retention", &json!({"packages_days": 14})).await;
    assert_eq!(ends_after(json!({"expires_in_s": 14 * 86_400})).await.1, at(14));
    place.call("PATCH", "/v1/retention", &json!({"packages_days": 2})).await;
    assert_eq!(ends_after(json!({})).await.1, at(2));
}

#[tokio::test]
async fn a_retention_survives_a_restart_and_a_wrong_one_changes_nothing() {
    let mut place = Place::new().await;
    place.call("PATCH", "/v1/retention", &json!({"identifiers_days": 90})).await;
    for wrong in [json!({"packages_days": 91}), json!({"packages_days": 0}), json!({"identifiers_days": 4000})] {
        assert_eq!(place.call("PATCH", "/v1/retention", &wrong).await.status, 422, "{wrong}");
    }
    place.reopen().await;
    let shown = place.call("GET", "/v1/retention", &json!({})).await.json();
    assert_eq!(shown, json!({"packages_days": 7, "identifiers_days": 90}));
}

#[tokio::test]
async fn a_token_that_calls_too_often_is_told_when_to_come_back() {
    let place = Place::new().await;
    let dir = tempfile::tempdir().unwrap();
    let connector = std::sync::Arc::new(place.open(dir.path()).await.unwrap().with_calls_per_minute(3));
    let (_, ann) = connector.create_token("ann", Role::Viewer, None).await.unwrap();
    let (_, bob) = connector.create_token("bob", Role::Viewer, None).await.unwrap();
    let call = async |token: &str| {
        let request = Request::builder().uri("/v1/requests").header("authorization", format!("Bearer {token}"));
        router(connector.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    for _ in 0..3 {
        assert_eq!(call(ann.expose()).await.status(), 200);
    }
    let refused = call(ann.expose()).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"20".parse().unwrap()));
    let body = axum::body::to_bytes(refused.into_body(), usize::MAX).await.unwrap();
    assert_documented(("GET", "/v1/requests"), 429, "application/problem+json", &body);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["code"], "rate_limited");
    assert_eq!(call(bob.expose()).await.status(), 200, "nobody else notices");
    place.clock.advance(20 * SECOND);
    assert_eq!(call(ann.expose()).await.status(), 200);
}
