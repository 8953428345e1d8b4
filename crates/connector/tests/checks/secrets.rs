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
