//! Whether a value is what a schema of the document says: the few keywords that the document uses.

use serde_json::Value;

/// What does not fit, each with its place.
pub(crate) fn faults(document: &Value, name: &str, value: &Value) -> Vec<String> {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "the document has no schema `{name}`");
    let mut faults = Vec::new();
    check(document, schema, value, name, &mut faults);
    faults
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        return check(document, &document["components"]["schemas"][name], value, at, faults);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        check(document, part, value, at, faults);
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is(kind, value)) {
        faults.push(format!("{at} is no {}: {value}", kinds.join(" or ")));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        faults.push(format!("{at} is none of the known words: {value}"));
    }
    let is_time = schema["format"] == "date-time" && value.is_string();
    if is_time && ids::Timestamp::parse(value.as_str().unwrap()).is_err() {
        faults.push(format!("{at} is no time: {value}"));
    }
    for field in schema["required"].as_array().into_iter().flatten().filter(|_| value.is_object()) {
        if value.get(field.as_str().unwrap()).is_none() {
            faults.push(format!("{at} has no {field}"));
        }
    }
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(field) {
            check(document, schema, value, &format!("{at}.{field}"), faults);
        }
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate().filter(|_| schema["items"].is_object()) {
        check(document, &schema["items"], item, &format!("{at}[{number}]"), faults);
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[test]
fn a_validator_that_lets_everything_through_would_be_noticed() {
    let document = connector::http::document();
    let token = serde_json::json!({"id": 7, "name": "x", "role": "king", "created_at": "yesterday"});
    let faults = faults(&document, "Token", &token);
    assert_eq!(faults.len(), 4, "{faults:?}");
}
