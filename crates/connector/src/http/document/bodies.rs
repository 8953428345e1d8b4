//! What calls bring: the bodies that each route reads.

use serde_json::{Value, json};

use super::{JSON, TEXT};

/// The body of each route that reads one: its media types, each with the name of its schema.
#[rustfmt::skip]
const BODIES: &[(&str, &str, super::Content)] = &[
    ("POST", "/v1/integrations", &[(JSON, "NewIntegration")]),
    ("PATCH", "/v1/integrations/{id}", &[(JSON, "IntegrationChange")]),
    ("POST", "/v1/integrations/{id}/test", &[(JSON, "NewTest")]),
    ("POST", "/v1/integrations/{id}/credentials", &[(JSON, "NewCredentials")]),
    ("POST", "/v1/requests", &[(JSON, "NewRequest")]),
    ("POST", "/v1/requests/preview", &[(JSON, "NewPreview")]),
    ("POST", "/v1/requests/search", &[(JSON, "GivenIdentifier")]),
    ("POST", "/v1/requests/{id}/verify", &[(JSON, "NewVerification")]),
    ("POST", "/v1/requests/{id}/approve", &[(JSON, "NewDecision")]),
    ("POST", "/v1/requests/{id}/deny", &[(JSON, "NewDecision")]),
    ("POST", "/v1/requests/{id}/hold", &[(JSON, "NewDecision")]),
    ("POST", "/v1/requests/{id}/resume", &[(JSON, "NewDecision")]),
    ("POST", "/v1/requests/{id}/select-targets", &[(JSON, "NewSelection")]),
    ("POST", "/v1/requests/{id}/retry", &[(JSON, "NewDecision")]),
    ("POST", "/v1/requests/{id}/extend", &[(JSON, "NewExtension")]),
    ("POST", "/v1/requests/{id}/cancel", &[(JSON, "NewDecision")]),
    ("POST", "/v1/requests/{id}/end", &[(JSON, "NewDecision")]),
    ("POST", "/v1/requests/{id}/package", &[(JSON, "NewDelivery")]),
    ("POST", "/v1/requests/{id}/link", &[(JSON, "NewLink")]),
    ("POST", "/v1/batches", &[("application/x-ndjson", TEXT), ("text/csv", TEXT)]),
    ("POST", "/v1/erasures/replay", &[(JSON, "NewReplay")]),
    ("POST", "/v1/webhooks", &[(JSON, "NewWebhook")]),
    ("POST", "/v1/webhooks/{id}/rotate", &[(JSON, "NewSecret")]),
    ("PATCH", "/v1/retention", &[(JSON, "RetentionChange")]),
    ("POST", "/v1/tokens", &[(JSON, "NewToken")]),
];

/// The body that a route reads; nothing if it reads none.
pub(super) fn body(method: &str, path: &str) -> Option<Value> {
    if path.starts_with("/opendsr") && method == "POST" {
        return Some(json!({"required": true, "content": {JSON: {"schema": {"type": "object"}}}}));
    }
    let (.., content) = BODIES.iter().find(|(known, at, _)| (*known, *at) == (method, path))?;
    Some(json!({"content": super::content(content)}))
}
