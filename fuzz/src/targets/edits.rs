//! JSON objects that are kept as they came, and partial changes of them by dotted paths (chat §5.15).
//!
//! An input is an object, an empty line, what is set, an empty line, and what is unset, with commas.

use domain::custom::Edit;
use ids::json::Object;

use crate::Target;

/// The target.
pub const TARGET: Target = Target {
    name: "edits",
    about: "JSON objects that are kept as they came, and partial changes of them",
    words: &[
        "{\"a\":",
        "{\"a\":{\"b\":1}}",
        "a.b",
        "a.b.c",
        ".",
        "..",
        "\\u0000",
        "\\ud800",
        "\"",
        "1e400",
        "{}",
        "[]",
        ",",
        "null",
    ],
    changed_seeds: 20_000,
    run,
};

fn run(input: &[u8]) {
    let Some([object, set, unset]) = super::parts(input) else { return };
    let Ok(mut object) = Object::parse(object) else { return };
    assert_same(&object);
    let Ok(set) = Object::parse(set) else { return };
    let unset: Vec<String> = unset.split(',').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    let edit = Edit { set, unset };
    if edit.apply(&mut object).is_err() {
        return;
    }
    assert_same(&object);
    // A number may be too large for anybody here, and is kept all the same.
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&object.to_string()) else { return };
    for path in &edit.unset {
        assert_eq!(at(&json, path), None, "`{path}` is still there");
    }
    for (path, value) in edit.set.iter() {
        // What is set below another path that is set may have replaced it.
        let is_below = edit.set.iter().any(|(other, _)| other != path && (below(other, path) || below(path, other)));
        if !is_below && let Ok(value) = serde_json::from_str::<serde_json::Value>(value.get()) {
            assert_eq!(at(&json, path), Some(&value), "`{path}` is not what was set");
        }
    }
}

fn below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
}

fn at<'j>(json: &'j serde_json::Value, path: &str) -> Option<&'j serde_json::Value> {
    path.split('.').try_fold(json, |json, part| json.as_object()?.get(part))
}

/// What was read is written so that it is read as the same again, and by others too.
fn assert_same(object: &Object) {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&object.to_string()) {
        assert!(error.to_string().starts_with("number out of range"), "{error}: {object}");
    }
    let again = Object::parse(&object.to_string()).expect("what was written is read");
    assert_eq!(&again, object, "an object changes when it is read again");
}
