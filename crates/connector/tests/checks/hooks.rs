//! Webhooks: §17.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use aws_lc_rs::hmac;
use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::Value;

use crate::place::*;

pub(crate) type Taken = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A receiver that answers with a status, and keeps what it takes.
pub(crate) async fn receiver() -> (String, Arc<AtomicU16>, Taken) {
    let (status, taken) = (Arc::new(AtomicU16::new(200)), Taken::default());
    let (answer, kept) = (status.clone(), taken.clone());
    let take = post(async move |headers: HeaderMap, body: String| {
        let status = answer.load(Ordering::SeqCst);
        if status == 200 {
            kept.lock().push((headers, body));
        }
        StatusCode::from_u16(status).unwrap()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", take)).await.unwrap() });
    (url, status, taken)
}

/// As a receiver checks it: one of the signatures is enough.
fn is_signed(headers: &HeaderMap, body: &str, secret: &str) -> bool {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let text = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    header("webhook-signature").split(' ').any(|signature| {
        let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&key, text.as_bytes(), &signature).is_ok()
    })
}

#[tokio::test]
async fn check_44_events_are_signed_in_order_and_name_nobody() {
    let place = Place::new().await;
    let (url, _, taken) = receiver().await;
    let (_, secret) = place.connector().add_webhook(&url).await.unwrap();
    let request = place.access(email("amy@example.com")).await;
    place.connector().deliver_due().await.unwrap();
    let taken = taken.lock();
    let mut told = Vec::new();
    for (headers, body) in taken.iter() {
        assert!(is_signed(headers, body, secret.expose()));
        assert!(!body.contains("amy"), "{body}");
        let event: Value = serde_json::from_str(body).unwrap();
        assert_eq!(event["data"]["request_id"], request.id);
        told.push((event["type"].as_str().unwrap().to_owned(), event["data"]["status"].as_str().unwrap().to_owned()));
    }
    assert_eq!(told.first().unwrap().1, "queued");
    assert_eq!(told.last().unwrap(), &("request.completed".to_owned(), "complete".to_owned()));
}

#[tokio::test]
async fn check_44_a_receiver_that_is_down_for_a_day_gets_everything_in_order() {
    let place = Place::new().await;
    let (url, status, taken) = receiver().await;
    place.connector().add_webhook(&url).await.unwrap();
    status.store(503, Ordering::SeqCst);
    place.access(user_id("amy")).await;
    for _ in 0..30 {
        place.connector().deliver_due().await.unwrap();
        place.clock.advance(HOUR);
    }
    assert!(taken.lock().is_empty());
    status.store(200, Ordering::SeqCst);
    for _ in 0..3 {
        place.clock.advance(2 * HOUR);
        place.connector().deliver_due().await.unwrap();
    }
    let events: Vec<Value> = taken.lock().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let text = |event: &Value| (event["type"].as_str().unwrap().to_owned(), event["data"]["status"].clone());
    let told: Vec<_> = events.iter().map(text).collect();
    let changed = |status: &str| ("request.status_changed".to_owned(), Value::from(status));
    let completed = ("request.completed".to_owned(), Value::from("complete"));
    assert_eq!(told, [changed("queued"), changed("processing"), changed("complete"), completed]);
}

#[tokio::test]
async fn check_44_a_receiver_that_is_gone_is_disabled_and_dead_letters_can_be_sent_again() {
    let place = Place::new().await;
    let (url, status, taken) = receiver().await;
    let (hook, _) = place.connector().add_webhook(&url).await.unwrap();
    status.store(410, Ordering::SeqCst);
    place.access(user_id("amy")).await;
    place.connector().deliver_due().await.unwrap();
    assert!(place.connector().webhooks().await.unwrap()[0].is_disabled);
    status.store(200, Ordering::SeqCst);
    assert_eq!(place.connector().redeliver(&hook.id).await.unwrap(), 1);
    place.connector().deliver_due().await.unwrap();
    assert!(!taken.lock().is_empty());
    assert!(place.connector().add_webhook("https://10.0.0.1/").await.is_err());
    place.connector().remove_webhook(&hook.id).await.unwrap();
    assert!(place.connector().webhooks().await.unwrap().is_empty());
}

#[tokio::test]
async fn check_44_during_a_rotation_both_secrets_sign_and_after_it_the_new_one_alone() {
    let place = Place::new().await;
    let (url, _, taken) = receiver().await;
    let (hook, old) = place.connector().add_webhook(&url).await.unwrap();
    let signers = async |secrets: [&str; 2], about: &str| {
        taken.lock().clear();
        place.access(user_id(about)).await;
        place.connector().deliver_due().await.unwrap();
        let taken = taken.lock();
        assert!(!taken.is_empty());
        let is_by = |secret: &str| taken.iter().all(|(headers, body)| is_signed(headers, body, secret));
        (secrets.map(is_by), taken[0].0["webhook-signature"].to_str().unwrap().split(' ').count())
    };
    let (rotated, new) = place.connector().rotate_webhook(&hook.id, 3600).await.unwrap();
    assert_eq!(rotated.old_secret_ends_at(place.connector().now()).unwrap().micros(), place.clock.micros() + HOUR);
    let both = [old.expose(), new.expose()];
    assert_eq!(signers(both, "amy").await, ([true, true], 2));
    place.clock.advance(HOUR);
    assert_eq!(signers(both, "bob").await, ([false, true], 1));
    place.connector().sweep().await.unwrap();
    assert_eq!(place.connector().webhooks().await.unwrap()[0].old_secret_ends_at(place.connector().now()), None);
    // One that others know signs no more at once.
    let (_, newest) = place.connector().rotate_webhook(&hook.id, 0).await.unwrap();
    assert_eq!(signers([new.expose(), newest.expose()], "cat").await, ([false, true], 1));
    assert!(place.connector().rotate_webhook(&hook.id, connector::hooks::OVERLAP_SECS_MAX + 1).await.is_err());
    assert!(place.connector().rotate_webhook("whk_nobody", 0).await.is_err());
    assert_eq!(place.actions().await.iter().filter(|action| *action == "webhook.rotated").count(), 2);
}
