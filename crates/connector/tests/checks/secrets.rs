//! Canaries: secrets and identifiers are found nowhere outside their sealed fields (§5, §20).

use std::path::Path;

use connector::http::Service;
use serde_json::json;
use testing::upstream::{Fault, calls};

use crate::place::*;

fn files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[tokio::test]
async fn check_42_canaries_are_found_nowhere_on_disk() {
    let place = Place::new().await;
    place.upstream.set(|world| world.add("canary-person", "canary-person@example.com"));
    place.upstream.fail(calls::EXPORT, 1, Fault::Status(500, -1));
    place.access(email("canary-person@example.com")).await;
    place.delete(user_id("canary-person")).await;
    assert_clean(&place);
}

/// Nothing on disk holds a secret, a token or the person.
fn assert_clean(place: &Place) {
    let mut found = Vec::new();
    files(place.dir.path(), &mut found);
    assert!(found.len() > 3);
    for path in found {
        let mut bytes = std::fs::read(&path).unwrap();
        // What the journal keeps free in advance.
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        for canary in ["canary-person", SECRET, KEY, "eyJhbGciOiJIUzI1NiIs"] {
            let is_there = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!is_there, "{canary} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn check_42_rows_of_a_batch_and_what_controllers_hand_in_are_sealed() {
    let place = crate::opendsr::speaking().await;
    place.upstream.set(|world| world.add("canary-person", "canary-person@example.com"));
    let service = Service::local(place.shared());
    let rows = "{\"type\":\"deletion\",\"identifiers\":[{\"category\":\"user_id\",\"value\":\"canary-person\"}]}\n";
    let made = service.send("POST", "/v1/batches", rows.repeat(3).into_bytes(), None, None).await.unwrap();
    assert_eq!(made.status, 201);
    let body = json!({
        "regulation": "gdpr",
        "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
        "subject_request_type": "access",
        "submitted_time": "2025-12-31T09:00:00Z",
        "subject_identities": [
            {"identity_type": "email", "identity_value": "canary-person@example.com", "identity_format": "raw"},
        ],
    });
    assert_eq!(service.call("POST", "/opendsr/v2/requests", Some(&body), None).await.unwrap().status, 201);
    drop(service);
    assert_clean(&place);
    place.run().await;
    assert_clean(&place);
}

#[tokio::test]
async fn check_42_what_is_shown_of_a_request_names_nobody() {
    let place = Place::new().await;
    place.upstream.set(|world| world.add("canary-person", "canary-person@example.com"));
    let request = place.delete(email("canary-person@example.com")).await;
    let shown = format!("{request:?} {:?}", place.detail(&request).await);
    assert!(!shown.contains("canary-person"), "{shown}");
    for entry in connector::audit::list(place.connector().store(), 0).await.unwrap() {
        assert!(!entry.to_json().contains("canary"), "{}", entry.to_json());
    }
}

#[tokio::test]
async fn check_42_what_the_other_side_says_of_a_person_is_kept_without_the_person() {
    let place = Place::new().await;
    place.upstream.set(|world| world.add("canary-person", "someone@example.com"));
    let said = "canary-person <canary-person@example.com> could not be deleted";
    place.upstream.fail(calls::TASK, 1, Fault::Body(json!({"status": "failed", "error": {"description": said}})));
    let request = place.delete(user_id("canary-person")).await;
    let shown = format!("{:?}", place.detail(&request).await);
    assert!(shown.contains("[redacted] [redacted] could not be deleted"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    assert_clean(&place);
}

#[tokio::test]
async fn check_42_errors_repeat_nothing_that_was_asked_about() {
    let place = Place::new().await;
    let asks = |category: &str, value: &str| json!({"type": "access", "identifiers": [{"category": category, "value": value}]});
    let long = "canary".repeat(100);
    for body in
        [asks("email", "canary at example"), asks("phone", "canary"), asks("user_id", &long), asks("user_id", "")]
    {
        for path in ["/v1/requests", "/v1/requests/preview", "/v1/requests/search"] {
            let body = if path.ends_with("search") { &body["identifiers"][0] } else { &body };
            let reply = place.call("POST", path, body).await;
            assert_eq!(reply.status, 422, "{path}");
            assert!(!String::from_utf8_lossy(&reply.body).contains("canary"), "{path}: {}", reply.json());
        }
    }
    for path in [
        "/v1/requests/canary",
        "/v1/requests/canary@example.com",
        "/v1/batches/canary",
        "/v1/webhooks/canary/deliveries",
    ] {
        let reply = place.call("GET", path, &json!({})).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("canary"), "{path}: {}", reply.json());
        assert!(reply.json()["detail"].as_str().unwrap().ends_with("by this id"), "{}", reply.json());
    }
    let known = place.call("GET", "/v1/requests/dsr_01M7ZYMYGVT37FB95DEVC2JEXG", &json!({})).await.json();
    assert_eq!(known["detail"], "there is no request `dsr_01M7ZYMYGVT37FB95DEVC2JEXG`");
}
