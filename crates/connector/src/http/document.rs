//! `/openapi.json`, made from the table of routes.

mod bodies;

use serde_json::{Map, Value, json};

use super::{opendsr, results, router::routes};

/// A body that is told by its media type alone.
const TEXT: &str = "";
const JSON: &str = "application/json";

/// What the body of a good answer may be: its media types, each with the name of its schema.
type Content = &'static [(&'static str, &'static str)];

/// The good answer of each route; one without a body says that it is done.
#[rustfmt::skip]
const ANSWERS: &[(&str, &str, Content)] = &[
    ("POST", "/v1/integrations", &[(JSON, "Integration")]),
    ("GET", "/v1/integrations", &[(JSON, "Integrations")]),
    ("GET", "/v1/integrations/{id}", &[(JSON, "Integration")]),
    ("PATCH", "/v1/integrations/{id}", &[(JSON, "Integration")]),
    ("DELETE", "/v1/integrations/{id}", &[]),
    ("POST", "/v1/integrations/{id}/test", &[(JSON, "TestReport")]),
    ("POST", "/v1/integrations/{id}/credentials", &[(JSON, "TestReport")]),
    ("POST", "/v1/integrations/{id}/disable", &[(JSON, "Integration")]),
    ("POST", "/v1/integrations/{id}/enable", &[(JSON, "TestReport")]),
    ("GET", "/v1/integrations/{id}/limits", &[(JSON, "Limits")]),
    ("POST", "/v1/requests", &[(JSON, "Request")]),
    ("GET", "/v1/requests", &[(JSON, "Requests")]),
    ("POST", "/v1/requests/preview", &[(JSON, "Request")]),
    ("POST", "/v1/requests/search", &[(JSON, "Requests")]),
    ("GET", "/v1/requests/{id}", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/verify", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/approve", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/deny", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/hold", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/resume", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/select-targets", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/retry", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/extend", &[(JSON, "Request")]),
    ("POST", "/v1/requests/{id}/cancel", &[(JSON, "Request")]),
    ("GET", "/v1/requests/{id}/package", &[("application/zip", TEXT), ("application/octet-stream", TEXT)]),
    ("POST", "/v1/requests/{id}/package", &[("application/octet-stream", TEXT)]),
    ("GET", "/v1/requests/{id}/manifest", &[(JSON, "Manifest")]),
    ("GET", "/v1/requests/{id}/certificate", &[(JSON, "Certificate"), ("text/html", TEXT), ("text/plain", TEXT)]),
    ("GET", "/v1/requests/{id}/events", &[("text/event-stream", TEXT)]),
    ("POST", "/v1/requests/{id}/link", &[(JSON, "Link")]),
    ("POST", "/v1/batches", &[(JSON, "Batch")]),
    ("GET", "/v1/batches/{id}", &[(JSON, "Batch")]),
    ("GET", "/v1/batches/{id}/rows", &[(JSON, "BatchRows")]),
    ("POST", "/v1/batches/{id}/pause", &[(JSON, "Batch")]),
    ("POST", "/v1/batches/{id}/resume", &[(JSON, "Batch")]),
    ("POST", "/v1/batches/{id}/cancel", &[(JSON, "Batch")]),
    ("GET", "/v1/batches/{id}/report.csv", &[("text/csv", TEXT)]),
    ("POST", "/v1/erasures/replay", &[(JSON, "Replays")]),
    ("GET", "/v1/erasures/replay/{id}", &[(JSON, "Replay")]),
    ("GET", "/v1/audit", &[(JSON, "AuditEntries")]),
    ("GET", "/v1/audit/export", &[("application/x-ndjson", TEXT)]),
    ("POST", "/v1/audit/verify", &[(JSON, "AuditCheck")]),
    ("POST", "/v1/webhooks", &[(JSON, "Webhook")]),
    ("GET", "/v1/webhooks", &[(JSON, "Webhooks")]),
    ("POST", "/v1/webhooks/{id}/rotate", &[(JSON, "Webhook")]),
    ("DELETE", "/v1/webhooks/{id}", &[]),
    ("GET", "/v1/webhooks/{id}/deliveries", &[(JSON, "Deliveries")]),
    ("POST", "/v1/webhooks/{id}/redeliver", &[(JSON, "Redelivered")]),
    ("POST", "/v1/doctor", &[(JSON, "Examination")]),
    ("POST", "/v1/keys/verify", &[(JSON, "KeyCheck")]),
    ("GET", "/v1/retention", &[(JSON, "Retention")]),
    ("PATCH", "/v1/retention", &[(JSON, "Retention")]),
    ("POST", "/v1/tokens", &[(JSON, "Token")]),
    ("GET", "/v1/tokens", &[(JSON, "Tokens")]),
    ("DELETE", "/v1/tokens/{id}", &[]),
    ("POST", "/v1/requests/{id}/end", &[(JSON, "Request")]),
];

/// The parameters of each route that reads some beside those of its path.
#[rustfmt::skip]
const QUERIES: &[(&str, &str, &[&str])] = &[
    ("GET", "/v1/integrations", &["limit", "cursor"]),
    ("DELETE", "/v1/integrations/{id}", &["force"]),
    ("GET", "/v1/requests", &["status", "type", "external_id", "due_before", "batch", "integration", "limit", "cursor"]),
    ("GET", "/v1/requests/{id}/package", &["recipient"]),
    ("GET", "/v1/requests/{id}/certificate", &["format"]),
    ("POST", "/v1/batches", &["type", "i_know", "max_deletions_per_hour"]),
    ("GET", "/v1/batches/{id}/rows", &["status", "limit", "cursor"]),
    ("GET", "/v1/audit", &["after", "cursor", "limit"]),
    ("GET", "/v1/webhooks", &["limit", "cursor"]),
    ("GET", "/v1/webhooks/{id}/deliveries", &["state", "limit", "cursor"]),
    ("GET", "/v1/tokens", &["limit", "cursor"]),
];

/// The parameters of a route: those of its path, and those that it may be asked with.
fn parameters(method: &str, path: &str) -> Vec<Value> {
    let one = |name: &str, place: &str| json!({"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}});
    let of_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let asked = QUERIES.iter().filter(|(known, at, _)| (*known, *at) == (method, path)).flat_map(|(.., names)| *names);
    of_path.map(|name| one(name, "path")).chain(asked.map(|name| one(name, "query"))).collect()
}

/// The good answers of each version of OpenDSR.
fn of_opendsr(method: &str, path: &str) -> Content {
    match method {
        "POST" => &[(JSON, "DsrReceipt")],
        "DELETE" => &[(JSON, "DsrCancellation")],
        _ if path.ends_with("/discovery") => &[(JSON, "DsrDiscovery")],
        _ => &[(JSON, "DsrStatus")],
    }
}

/// The schemas that the document names: `document/schemas.json`.
fn schemas() -> Value {
    serde_json::from_str(include_str!("document/schemas.json")).expect("the schemas are JSON")
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The answers of a route.
fn answers(method: &str, path: &str) -> Value {
    let is_opendsr = path.starts_with("/opendsr");
    let told = ANSWERS.iter().find(|(known, at, _)| (*known, *at) == (method, path));
    let content = match told {
        Some((_, _, content)) => *content,
        None if is_opendsr => of_opendsr(method, path),
        None => panic!("`{method} {path}` stands in no row of the answers"),
    };
    let problem = |told: &str| json!({"description": told, "content": {"application/problem+json": {"schema": schema("Problem")}}});
    let mut answers = json!({"4XX": problem("A problem (RFC 9457)."), "5XX": problem("The service failed.")});
    if is_opendsr {
        let content = json!({JSON: {"schema": schema("DsrError")}});
        answers["400"] = json!({"description": "What the protocol knows as an error.", "content": content});
    }
    if content.is_empty() {
        answers["204"] = json!({"description": "Done."});
        return answers;
    }
    answers["2XX"] = json!({"description": "Done.", "content": self::content(content)});
    answers
}

/// A body by its media types.
fn content(content: Content) -> Map<String, Value> {
    let one = |(media_type, name): &(&str, &str)| match *name {
        TEXT => ((*media_type).to_owned(), json!({"schema": {"type": "string"}})),
        name => ((*media_type).to_owned(), json!({"schema": schema(name)})),
    };
    content.iter().map(one).collect()
}

/// The OpenAPI document of the service.
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let mut operation = json!({
            "summary": route.about,
            "operationId": operation_id(route.method, route.path),
            "parameters": parameters(route.method, route.path),
            "security": [{"token": [route.need.word()]}],
            "responses": answers(route.method, route.path),
        });
        if let Some(body) = bodies::body(route.method, route.path) {
            operation["requestBody"] = body;
        }
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation;
    }
    let certificate = json!({
        "summary": "The certificate that OpenDSR signatures are checked with",
        "operationId": "get_opendsr_certificate",
        "responses": {"200": {"description": "PEM.", "content": {"application/x-pem-file": {"schema": {"type": "string"}}}}},
    });
    let link = json!({
        "summary": "Fetch a package by a one-time link",
        "operationId": "get_links_one",
        "parameters": [{"name": "token", "in": "path", "required": true, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "The package.", "content": {"application/zip": {"schema": {"type": "string"}}}}},
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
