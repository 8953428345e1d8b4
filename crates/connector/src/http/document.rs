//! `/openapi.json`, made from the table of routes.

use serde_json::{Map, Value, json};

use super::{opendsr, results, router::routes};

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
                "2XX": {"description": "Done."},
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
            "schemas": {"Problem": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                    "detail": {"type": "string"}, "code": {"type": "string"},
                },
            }},
        },
    })
}

fn operation_id(method: &str, path: &str) -> String {
    let path_parts = path.trim_start_matches("/v1/").split('/');
    let parts = path_parts.filter(|part| !part.is_empty() && !part.starts_with('{'));
    let one = if path.ends_with('}') { "_one" } else { "" };
    format!("{}_{}{one}", method.to_lowercase(), parts.collect::<Vec<_>>().join("_").replace('-', "_"))
}
