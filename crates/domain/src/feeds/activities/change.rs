//! Partial updates: setting and unsetting fields by dotted path (feeds-v1 §5.9).

use ids::json::Object;
use serde_json::value::RawValue;

use crate::{Error, Result};

/// The largest that an activity's own fields may become, in bytes of JSON (feeds-v1 §11).
const CUSTOM_BYTES_MAX: usize = 10 * 1024;

/// Fields to set and fields to take away. A dot in a name leads into an object.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Path and new value; it replaces the old one whole.
    pub set: Object,
    /// Paths of what goes.
    pub unset: Vec<String>,
}

impl Change {
    /// What becomes of the fields `custom`, a JSON object.
    ///
    /// # Errors
    /// [`Error::Unfit`] when a path leads through something that is not an object, or the result is too large.
    pub(super) fn apply(&self, custom: &str) -> Result<String> {
        let mut object = read(custom)?;
        for (path, value) in self.set.iter() {
            set(&mut object, path, path, value.to_owned())?;
        }
        for path in &self.unset {
            unset(&mut object, path, path)?;
        }
        let changed = object.to_string();
        if changed.len() > CUSTOM_BYTES_MAX {
            return Err(Error::Unfit(format!("the activity would be larger than {CUSTOM_BYTES_MAX} bytes")));
        }
        Ok(changed)
    }
}

/// Sets the value at `rest`, the part of `path` that is left to walk.
fn set(object: &mut Object, path: &str, rest: &str, value: Box<RawValue>) -> Result<()> {
    let Some((name, rest)) = rest.split_once('.') else {
        object.set(rest, value);
        return Ok(());
    };
    let mut child = child(object, name)
        .ok_or_else(|| Error::Unfit(format!("set: `{path}` leads through `{name}`, which is not an object")))?;
    set(&mut child, path, rest, value)?;
    object.set(name, raw(&child));
    Ok(())
}

fn unset(object: &mut Object, path: &str, rest: &str) -> Result<()> {
    let Some((name, rest)) = rest.split_once('.') else {
        object.remove(rest);
        return Ok(());
    };
    let mut child = child(object, name)
        .ok_or_else(|| Error::Unfit(format!("unset: `{path}` leads through `{name}`, which is not an object")))?;
    unset(&mut child, path, rest)?;
    object.set(name, raw(&child));
    Ok(())
}

fn child(object: &Object, name: &str) -> Option<Object> {
    Object::parse(object.get(name)?.get()).ok()
}

fn read(custom: &str) -> Result<Object> {
    Object::parse(custom).map_err(|error| Error::Unfit(format!("the stored fields cannot be read: {error}")))
}

fn raw(object: &Object) -> Box<RawValue> {
    RawValue::from_string(object.to_string()).expect("an object shows itself as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(custom: &str, set: &str, unset: &[&str]) -> String {
        let change =
            Change { set: Object::parse(set).unwrap(), unset: unset.iter().map(|&path| path.to_owned()).collect() };
        change.apply(custom).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn set_replaces_the_whole_value() {
        assert_eq!(changed(r#"{"a":{"x":1},"b":2}"#, r#"{"a":[3]}"#, &[]), r#"{"a":[3],"b":2}"#);
    }

    #[test]
    fn a_dotted_path_walks_into_objects() {
        assert_eq!(
            changed(r#"{"a":{"b":{"c":1,"d":2}}}"#, r#"{"a.b.c":9,"a.new":1.0}"#, &["a.b.d"]),
            r#"{"a":{"b":{"c":9},"new":1.0}}"#
        );
    }

    #[test]
    fn a_path_through_something_absent_or_not_an_object_is_refused() {
        assert_eq!(changed(r#"{"a":1}"#, r#"{"a.b":2}"#, &[]), "set: `a.b` leads through `a`, which is not an object");
        assert_eq!(changed("{}", r#"{"a.b":2}"#, &[]), "set: `a.b` leads through `a`, which is not an object");
        assert_eq!(changed(r#"{"a":[1]}"#, "{}", &["a.0"]), "unset: `a.0` leads through `a`, which is not an object");
    }

    #[test]
    fn unset_of_an_absent_field_changes_nothing() {
        assert_eq!(changed(r#"{"a":1}"#, "{}", &["b"]), r#"{"a":1}"#);
    }

    #[test]
    fn an_activity_cannot_grow_past_its_limit_by_partial_updates() {
        let large = format!("{{\"b\":\"{}\"}}", "x".repeat(CUSTOM_BYTES_MAX));
        assert!(changed("{}", &large, &[]).contains("larger than"));
    }
}
