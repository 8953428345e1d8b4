//! `/openapi.json`, made from the table of routes.

use serde_json::{Map, Value, json};

use super::{opendsr, results, router::routes};

/// The schema of each good answer that is JSON.
#[rustfmt::skip]
const ANSWERS: &[(&str, &str, &str)] = &[
    ("POST", "/v1/integrations", "Integration"),
    ("GET", "/v1/integrations", "Integrations"),
    ("GET", "/v1/integrations/{id}", "Integration"),
    ("PATCH", "/v1/integrations/{id}", "Integration"),
    ("POST", "/v1/integrations/{id}/test", "TestReport"),
    ("POST", "/v1/integrations/{id}/credentials", "TestReport"),
    ("POST", "/v1/integrations/{id}/disable", "Integration"),
    ("POST", "/v1/integrations/{id}/enable", "TestReport"),
    ("GET", "/v1/integrations/{id}/limits", "Limits"),
    ("POST", "/v1/requests", "Request"),
    ("GET", "/v1/requests", "Requests"),
    ("POST", "/v1/requests/preview", "Request"),
    ("POST", "/v1/requests/search", "Requests"),
    ("GET", "/v1/requests/{id}", "Request"),
    ("POST", "/v1/requests/{id}/verify", "Request"),
    ("POST", "/v1/requests/{id}/approve", "Request"),
    ("POST", "/v1/requests/{id}/deny", "Request"),
    ("POST", "/v1/requests/{id}/hold", "Request"),
    ("POST", "/v1/requests/{id}/resume", "Request"),
    ("POST", "/v1/requests/{id}/select-targets", "Request"),
    ("POST", "/v1/requests/{id}/retry", "Request"),
    ("POST", "/v1/requests/{id}/extend", "Request"),
    ("POST", "/v1/requests/{id}/cancel", "Request"),
    ("POST", "/v1/erasures/replay", "Replays"),
    ("GET", "/v1/erasures/replay/{id}", "Replay"),
    ("GET", "/v1/audit", "AuditEntries"),
    ("POST", "/v1/audit/verify", "AuditCheck"),
    ("POST", "/v1/doctor", "Examination"),
    ("POST", "/v1/keys/verify", "KeyCheck"),
    ("POST", "/v1/tokens", "Token"),
    ("GET", "/v1/tokens", "Tokens"),
];

/// The schemas that the document names: `document/schemas.json`.
fn schemas() -> Value {
    serde_json::from_str(include_str!("document/schemas.json")).expect("the schemas are JSON")
}

fn answer(method: &str, path: &str) -> Value {
    match ANSWERS.iter().find(|(known, at, _)| (*known, *at) == (method, path)) {
        Some((_, _, name)) => json!({
            "description": "Done.",
            "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}},
        }),
        None => json!({"description": "Done."}),
    }
}

/// The OpenAPI document of the service.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let parameters: Vec<Value> = route
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        let operation = json!({
            "summary": route.about,
            "operationId": operation_id(route.method, route.path),
            "parameters": parameters,
            "security": [{"token": [route.need.word()]}],
            "responses": {
                "2XX": answer(route.method, route.path),
                "4XX": {"description": "A problem (RFC 9457).", "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                }}},
            },
        });
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation;
    }
    let certificate = json!({
        "summary": "The certificate that OpenDSR signatures are checked with",
        "operationId": "get_opendsr_certificate",
        "responses": {"200": {"description": "PEM.", "content": {"application/x-pem-file": {}}}},
    });
    let link = json!({
        "summary": "Fetch a package by a one-time link",
        "operationId": "get_links_one",
        "parameters": [{"name": "token", "in": "path", "required": true, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "The package.", "content": {"application/zip": {}}}},
    });
    paths.insert(format!("{}/{{token}}", results::LINKS_PATH), json!({"get": link}));
    paths.insert(opendsr::CERTIFICATE_PATH.to_owned(), json!({"get": certificate}));
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Millpond privacy requests", "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    })
}

fn operation_id(method: &str, path: &str) -> String {
    let path_parts = path.trim_start_matches("/v1/").split('/');
    let parts = path_parts.filter(|part| !part.is_empty() && !part.starts_with('{'));
    let one = if path.ends_with('}') { "_one" } else { "" };
    format!("{}_{}{one}", method.to_lowercase(), parts.collect::<Vec<_>>().join("_").replace('-', "_"))
}
