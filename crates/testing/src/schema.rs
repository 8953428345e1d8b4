//! Whether answers are what an OpenAPI document says of them: the few keywords that our documents use, and no field that a
//! schema with fields does not name.

use serde_json::Value;

/// What does not fit, each with its place.
pub fn faults(document: &Value, name: &str, value: &Value) -> Vec<String> {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "the document has no schema `{name}`");
    let mut faults = Vec::new();
    check(document, schema, value, name, &mut faults);
    unknown(document, schema, value, name, &mut faults);
    faults
}

/// What does not fit of an answer to a call: its status or media type is not told, or its JSON is not that of the schema.
pub fn answer_faults(document: &Value, call: (&str, &str), status: u16, media_type: &str, body: &[u8]) -> Vec<String> {
    let (method, path) = call;
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (known, asked): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        known.len() == asked.len() && known.iter().zip(&asked).all(|(one, two)| one.starts_with('{') || one == two)
    };
    // A word of the path says more than a name that stands for any.
    let paths = document["paths"].as_object().unwrap().iter().filter(|(template, _)| fits(template));
    let found = paths.min_by_key(|(template, _)| template.matches('{').count());
    let Some((template, operations)) = found else {
        let problem = serde_json::from_slice(body).unwrap_or_default();
        return if status == 404 { faults(document, "Problem", &problem) } else { vec![format!("{path} is not told")] };
    };
    let answers = &operations[method.to_lowercase()]["responses"];
    let [exact, class] = [status.to_string(), format!("{}XX", status / 100)];
    let Some(told) = answers.get(&exact).or_else(|| answers.get(&class)) else {
        return vec![format!("{method} {template} answers {status}, which is not told")];
    };
    let Some(content) = told.get("content") else {
        return if body.is_empty() { Vec::new() } else { vec![format!("{method} {template} has a body")] };
    };
    let media_type = media_type.split(';').next().unwrap_or_default();
    let Some(told) = content.get(media_type) else {
        return vec![format!("{method} {template} answers {status} with `{media_type}`, which is not told")];
    };
    if !media_type.ends_with("/json") && !media_type.ends_with("+json") {
        return Vec::new();
    }
    let value: Value = serde_json::from_slice(body).unwrap();
    let name = told["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    faults(document, name, &value).into_iter().map(|fault| format!("{method} {template} {status}: {fault}")).collect()
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => &document["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    }
}

/// The schemas of the fields, of all parts together.
fn fields<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a String, &'a Value)> {
    let schema = resolved(document, schema);
    let own = schema["properties"].as_object().into_iter().flatten();
    let parts = schema["allOf"].as_array().into_iter().flatten();
    own.chain(parts.flat_map(|part| fields(document, part))).collect()
}

/// Fields that no schema names, wherever one names any.
fn unknown(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let known = fields(document, schema);
    for (field, value) in value.as_object().into_iter().flatten().filter(|_| !known.is_empty()) {
        match known.iter().find(|(name, _)| *name == field) {
            Some((_, schema)) => unknown(document, schema, value, &format!("{at}.{field}"), faults),
            None => faults.push(format!("{at}.{field} is not told")),
        }
    }
    let items = &resolved(document, schema)["items"];
    for item in value.as_array().into_iter().flatten() {
        unknown(document, items, item, &format!("{at}[]"), faults);
    }
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
