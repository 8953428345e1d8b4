//! What the document says of the bodies of calls is what the service reads.

use std::collections::BTreeSet;

use connector::http::{document, routes};
use serde_json::{Value, json};

use crate::place::*;

/// A field that nobody knows.
const UNKNOWN: &str = "canary_field";

/// The fields that a refusal of an unknown one says to be known.
fn known(detail: &str) -> BTreeSet<String> {
    if let Some((_, known)) = detail.split_once("known are ") {
        return known.split(", ").map(str::to_owned).collect();
    }
    let (_, expected) = detail.split_once("expected ").unwrap_or_else(|| panic!("no fields are named: {detail}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[tokio::test]
async fn check_50_the_document_names_exactly_the_fields_that_each_call_reads() {
    let place = Place::new().await;
    let document = document();
    let mut bodies = 0;
    for route in routes().iter().filter(|route| route.path.starts_with("/v1/")) {
        let body = &document["paths"][route.path][route.method.to_lowercase()]["requestBody"];
        let Some(name) = body["content"]["application/json"]["schema"]["$ref"].as_str() else { continue };
        bodies += 1;
        let schema = &document["components"]["schemas"][name.rsplit('/').next().unwrap()];
        let told: BTreeSet<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        let path = route.path.replace("{id}", &place.integration);
        let reply = place.call(route.method, &path, &json!({UNKNOWN: 1})).await;
        let problem = reply.json();
        assert_eq!(reply.status, 422, "{} {path}: {problem}", route.method);
        assert_eq!(known(problem["detail"].as_str().unwrap()), told, "{} {path}", route.method);
        for field in schema["required"].as_array().into_iter().flatten() {
            assert!(told.contains(field.as_str().unwrap()), "{name} requires {field}, which it does not tell");
        }
    }
    assert!(bodies > 20, "{bodies}");
}

#[tokio::test]
async fn check_50_every_call_that_changes_something_tells_its_body_or_has_none() {
    let place = Place::new().await;
    let document = document();
    for route in routes().iter().filter(|route| matches!(route.method, "POST" | "PATCH")) {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        if !operation["requestBody"].is_null() {
            continue;
        }
        // What is not told is not read: a body that nobody could read changes nothing of the answer.
        let path = route.path.replace("{id}", &place.integration);
        let body = Value::String(UNKNOWN.to_owned());
        let reply = place.call(route.method, &path, &body).await;
        assert!(!matches!(reply.status, 400 | 422), "{} {path}: {}", route.method, reply.json());
    }
}
