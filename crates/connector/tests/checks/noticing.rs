//! What is told without being asked: events (§17), the stream of a request, metrics (§20); and links (§10).

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use connector::{
    Connector, Error, NewRequest,
    http::{Reply, router},
    integrations::Behavior,
    is_checkpoint,
    requests::{Flag, Kind},
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use testing::upstream::{Fault, calls};
use tower::ServiceExt as _;

use crate::{
    hooks::{Taken, receiver},
    place::*,
};

async fn call(place: &Place, method: &str, path: &str, body: Value) -> Reply {
    place.call(method, path, &body).await
}

async fn anybody(place: &Place, path: &str) -> (StatusCode, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(place.shared()).oneshot(request).await.unwrap();
    let status = response.status();
    (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
}

async fn listening(place: &Place) -> Taken {
    let (url, _, taken) = receiver().await;
    place.connector().add_webhook(&url).await.unwrap();
    taken
}

/// The events of a type that were taken.
async fn told(connector: &Connector, taken: &Taken, kind: &str) -> Vec<Value> {
    while connector.deliver_due().await.unwrap() > 0 {}
    let all: Vec<Value> = taken.lock().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    all.into_iter().filter(|event| event["type"] == kind).map(|event| event["data"].clone()).collect()
}

#[tokio::test]
async fn check_47_a_deadline_is_warned_of_at_each_share_of_its_time_once() {
    let place = Place::with(|new| new.policies.needs_verification = true).await;
    let taken = listening(&place).await;
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    let mut percents = Vec::new();
    for _ in 0..40 {
        place.connector().sweep().await.unwrap();
        place.clock.advance(DAY);
    }
    for event in told(place.connector(), &taken, "request.deadline").await {
        assert_eq!(event["request_id"], asked.id);
        percents.push(event["percent"].as_u64().unwrap());
    }
    assert_eq!(percents, [50, 80, 100]);
    let (_, metrics) = anybody(&place, "/metrics").await;
    assert!(String::from_utf8(metrics).unwrap().contains("mp_requests_overdue 1\n"));
}

#[tokio::test]
async fn check_19_a_job_that_takes_days_is_told_of_once() {
    let place = Place::new().await;
    let taken = listening(&place).await;
    place.upstream.set(|world| world.task_words = vec!["running".into()]);
    place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until(START + 3 * DAY).await;
    let slow = told(place.connector(), &taken, "task.slow").await;
    assert_eq!(slow.len(), 1, "{slow:?}");
    assert_eq!(slow[0]["after"], "24h");
}

#[tokio::test]
async fn check_16_a_failure_after_completion_is_told_of() {
    let place = Place::with(|new| new.async_deletion_behavior = Behavior::CompleteOnSubmit).await;
    let taken = listening(&place).await;
    place.upstream.set(|world| world.deletes = false);
    let request = place.delete(user_id("amy")).await;
    place.run_until(place.clock.micros() + 3 * DAY).await;
    assert!(place.detail(&request).await.execution.flags.contains(&Flag::PostCompletionFailure));
    let failures = told(place.connector(), &taken, "request.post_completion_failure").await;
    assert_eq!(failures.len(), 1);
    assert_eq!((&failures[0]["request_id"], &failures[0]["reason"]), (&json!(request.id), &json!("residual_data")));
}

#[tokio::test]
async fn check_34_a_change_of_health_is_told_of_once() {
    let place = Place::new().await;
    let taken = listening(&place).await;
    place.upstream.fail(calls::QUERY, 2, Fault::Status(401, 43));
    place.access(user_id("amy")).await;
    let changes = told(place.connector(), &taken, "integration.health_changed").await;
    let told: Vec<(&str, &str)> =
        changes.iter().map(|one| (one["before"].as_str().unwrap(), one["health"].as_str().unwrap())).collect();
    assert_eq!(told, [("connected", "disconnected"), ("disconnected", "connected")]);
}

#[tokio::test]
async fn check_41_the_end_of_the_audit_log_is_signed_and_sent_away() {
    let place = Place::new().await;
    let taken = listening(&place).await;
    assert!(!place.connector().checkpoint_due().await.unwrap(), "nothing is due on the first day");
    place.clock.advance(DAY);
    assert!(place.connector().checkpoint_due().await.unwrap());
    assert!(!place.connector().checkpoint_due().await.unwrap());
    place.clock.advance(2 * DAY);
    assert!(!place.connector().checkpoint_due().await.unwrap(), "nothing was done since");
    let sent = told(place.connector(), &taken, "audit.checkpoint").await;
    assert_eq!(sent.len(), 1);
    let text = |name: &str| sent[0][name].as_str().unwrap().to_owned();
    let seq = sent[0]["seq"].as_u64().unwrap();
    assert_eq!(text("public_key"), place.connector().public_key());
    assert!(is_checkpoint(seq, &text("hash"), &text("signature"), &text("public_key")));
    assert!(!is_checkpoint(seq + 1, &text("hash"), &text("signature"), &text("public_key")));
    let entry = connector::audit::list(place.connector().store(), seq - 1).await.unwrap().remove(0);
    assert_eq!(entry.hash, text("hash"));
    assert!(connector::audit::verify(place.connector().store()).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_request_is_followed_as_a_stream_until_it_is_done() {
    let place = Place::new().await;
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    let (_, token) = place.connector().create_token("t", connector::tokens::Role::Viewer, None).await.unwrap();
    let request = Request::get(format!("/v1/requests/{}/events", asked.id))
        .header("authorization", format!("Bearer {}", token.expose()))
        .body(Body::empty())
        .unwrap();
    let response = router(place.shared()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let first = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.contains("event: request\n") && first.contains("\"status\":\"queued\""), "{first}");
    place.finish(&asked.id).await;
    let mut last = String::new();
    while let Some(chunk) = stream.next().await {
        last.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    assert!(last.trim_end().rsplit("\n\n").next().unwrap().contains("\"status\":\"complete\""), "{last}");
    assert!(!last.contains("\"amy\""), "who follows learns no identifier");
    assert_eq!(call(&place, "GET", "/v1/requests/dsr_x/events", json!({})).await.status, 404);
}

#[tokio::test]
async fn a_link_hands_the_package_out_so_often_and_no_longer_than_it_says() {
    let place = Place::new().await;
    let request = place.access(user_id("amy")).await;
    let path = format!("/v1/requests/{}/link", request.id);
    let made = call(&place, "POST", &path, json!({})).await;
    assert_eq!(made.status, 201);
    assert_eq!((&made.json()["downloads"], &made.json()["expires_at"]), (&json!(1), &json!("2026-01-08T00:00:00Z")));
    let url = made.json()["url"].as_str().unwrap().to_owned();
    let (status, package) = anybody(&place, &url).await;
    assert_eq!(status, StatusCode::OK);
    assert!(connector::package::verify(std::io::Cursor::new(package)).is_ok());
    assert_eq!(anybody(&place, &url).await.0, StatusCode::NOT_FOUND, "it was for one download");
    let made = call(&place, "POST", &path, json!({"expires_in_s": 60, "downloads": 2})).await.json();
    place.clock.advance(61 * SECOND);
    assert_eq!(anybody(&place, made["url"].as_str().unwrap()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(anybody(&place, "/v1/links/mpl_x").await.0, StatusCode::NOT_FOUND);
    let actions = place.actions().await;
    let count = |action: &str| actions.iter().filter(|one| *one == action).count();
    assert_eq!((count("package.link_made"), count("package.link_used"), count("package.link_refused")), (2, 1, 2));
    for body in [json!({"downloads": 0}), json!({"expires_in_s": 999_999_999}), json!({"colour": 1})] {
        assert_eq!(call(&place, "POST", &path, body).await.status, 422);
    }
    let deletion = place.delete(user_id("amy")).await;
    let none = call(&place, "POST", &format!("/v1/requests/{}/link", deletion.id), json!({})).await;
    assert_eq!(none.status, 404, "there is no link to nothing");
}

#[tokio::test]
async fn check_42_every_metric_is_there_and_names_nobody() {
    let place = Place::new().await;
    place.upstream.fail(calls::QUERY, 1, Fault::Status(429, 9));
    place.upstream.fail(calls::EXPORT, 1, Fault::Bare(500));
    place.access(user_id("amy")).await;
    place.upstream.set(|world| world.lingers = 4);
    place.delete(user_id("amy")).await;
    place.ask(&NewRequest::new(Kind::Access, vec![user_id("bob")])).await;
    let (_, text) = anybody(&place, "/metrics").await;
    let text = String::from_utf8(text).unwrap();
    for name in [
        "mp_requests_total",
        "mp_requests_open",
        "mp_request_seconds_sum",
        "mp_requests_overdue",
        "mp_upstream_calls_total",
        "mp_upstream_seconds_count",
        "mp_rate_limit",
        "mp_rate_utilisation",
        "mp_throttle_wait_seconds_sum",
        "mp_429_total",
        "mp_retries_total",
        "mp_poll_lag_seconds",
        "mp_tasks_waiting",
        "mp_verify_failures_total",
        "mp_webhook_pending",
        "mp_audit_seq",
        "mp_integration_up",
        "mp_clock_skew_seconds",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing:\n{text}");
    }
    assert!(text.contains("mp_429_total{class=\"query_users\"} 1\n"), "{text}");
    assert!(text.contains("mp_retries_total{reason=\"upstream_trouble\"} 1\n"), "{text}");
    assert!(text.contains("mp_upstream_calls_total{class=\"export_user\",status=\"500\"} 1\n"), "{text}");
    assert!(!text.contains("amy") && !text.contains(SECRET) && !text.contains(KEY));
}

#[tokio::test]
async fn other_credentials_are_tried_before_they_take_over() {
    let place = Place::new().await;
    let bad = pair(KEY, "wrong-secret-0123456789");
    let refused = place.connector().rotate_credentials(&place.integration, &bad, false);
    assert!(matches!(refused.await, Err(Error::TestFailed(_))));
    assert_eq!(place.connector().integration(&place.integration).await.unwrap().credential, 1);
    assert_eq!(state(&place.access(user_id("amy")).await), FOUND, "the old ones are in use");
    place.upstream.set(|world| world.secret = "another-canary-secret".to_owned());
    let good = pair(KEY, "another-canary-secret");
    place.connector().rotate_credentials(&place.integration, &good, false).await.unwrap();
    assert_eq!(place.connector().integration(&place.integration).await.unwrap().credential, 2);
    place.clock.advance(2 * DAY);
    place.connector().sweep().await.unwrap();
    assert_eq!(state(&place.access(user_id("amy")).await), FOUND);
}

#[tokio::test]
async fn check_15_a_certificate_is_there_for_people_and_tells_the_whole_story() {
    let place = Place::with(|new| new.delete_options.new_channel_owner_id = Some("archive".to_owned())).await;
    let request = place.delete(user_id("amy")).await;
    let path = format!("/v1/requests/{}/certificate", request.id);
    let certificate = call(&place, "GET", &path, json!({})).await.json();
    let what: Vec<&str> =
        certificate["timeline"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["resolve", "reread", "delete_users", "poll_task"]);
    assert!(certificate["scope"][0].as_str().unwrap().contains("archive"));
    assert!(certificate["audit_seqs"].as_array().unwrap().len() >= 2, "{certificate}");
    let page = call(&place, "GET", &format!("{path}?format=html"), json!({})).await;
    let signature = call(&place, "GET", &format!("{path}?format=html.sig"), json!({})).await.body;
    let signature = String::from_utf8(signature).unwrap();
    assert!(connector::signing::verify(&page.body, &signature, &place.connector().public_key()));
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("Certificate of erasure") && !page.contains("amy"));
    assert_eq!(call(&place, "GET", &format!("{path}?format=pdf"), json!({})).await.status, 422);
}
