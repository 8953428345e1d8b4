//! Answers as a strict client decodes them: by the contract's own models, which know nothing of the server's types (§3, §4).
//!
//! Every call of these tests that succeeds is looked at.

use std::{collections::HashMap, sync::LazyLock};

use http::Method;
use serde_json::Value;

/// A member: its name, whether it may be absent, what it is.
type Field = (String, bool, String);

struct Contract {
    models: HashMap<String, Vec<Field>>,
    /// Method, and path in segments.
    answers: Vec<(String, Vec<String>, Vec<Field>)>,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let (mut models, mut answers) = (HashMap::new(), Vec::new());
    let text = include_str!("../../../../e2e/python/feeds_v3.txt");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, rest) = line.split_once(':').unwrap();
        let fields = rest.split_whitespace().map(field).collect();
        match name.split_once(" /") {
            Some((method, path)) => answers.push((method.to_owned(), segments(path), fields)),
            None => drop(models.insert(name.to_owned(), fields)),
        }
    }
    Contract { models, answers }
});

fn field(text: &str) -> Field {
    let (name, kind) = text.split_once(':').unwrap_or((text, "str"));
    (name.trim_end_matches('?').to_owned(), name.ends_with('?'), kind.to_owned())
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

/// Fails unless the answer decodes; `path` stands below `/api/v2/feeds/`.
pub(crate) fn check(method: &Method, path: &str, answer: &Value) {
    let path = segments(path.split('?').next().unwrap());
    // A pattern with fewer names in braces fits more closely.
    let fits = |pattern: &[String]| {
        pattern.len() == path.len() && pattern.iter().zip(&path).all(|(a, b)| a == b || a.starts_with('{'))
    };
    let known = CONTRACT.answers.iter().filter(|(verb, pattern, _)| verb == method.as_str() && fits(pattern));
    let known = known.min_by_key(|(_, pattern, _)| pattern.iter().filter(|part| part.starts_with('{')).count());
    let Some((_, _, fields)) = known else { return };
    let mut faults = Vec::new();
    look_at_members(fields, answer, "", &mut faults);
    assert!(answer["duration"].is_string(), "{answer}");
    assert!(faults.is_empty(), "{method} {}: {}", path.join("/"), faults.join("\n"));
}

fn look_at_members(fields: &[Field], value: &Value, path: &str, faults: &mut Vec<String>) {
    let Some(members) = value.as_object() else { return faults.push(format!("{path} is {value}, and no object")) };
    for (name, is_optional, kind) in fields {
        match members.get(name) {
            None if *is_optional => {}
            None => faults.push(format!("{path}.{name} is missing")),
            Some(inner) => look(kind, inner, &format!("{path}.{name}"), faults),
        }
    }
    for name in members.keys().filter(|name| name.as_str() != "duration") {
        if !fields.iter().any(|(known, ..)| known == name) {
            faults.push(format!("{path}.{name} is not in the contract"));
        }
    }
}

fn look(kind: &str, value: &Value, path: &str, faults: &mut Vec<String>) {
    let inner = || &kind[1..kind.len() - 1];
    let is_fit = match kind {
        "str" => value.is_string(),
        "int" | "ts" => value.is_i64(),
        "num" => value.is_number(),
        "bool" => value.is_boolean(),
        "obj" => value.is_object(),
        _ if kind.starts_with('[') => match value.as_array() {
            Some(list) => {
                return list
                    .iter()
                    .enumerate()
                    .for_each(|(n, one)| look(inner(), one, &format!("{path}[{n}]"), faults));
            }
            None => false,
        },
        _ if kind.starts_with('{') => match value.as_object() {
            Some(map) => {
                return map.iter().for_each(|(name, one)| look(inner(), one, &format!("{path}.{name}"), faults));
            }
            None => false,
        },
        model => return look_at_members(&CONTRACT.models[model], value, path, faults),
    };
    if !is_fit {
        faults.push(format!("{path} is {value}, and no {kind}"));
    }
}
