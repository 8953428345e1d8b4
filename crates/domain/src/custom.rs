//! Partial changes of the application's own fields, by dotted paths (chat §5.15).

use ids::json::Object;
use serde_json::value::RawValue;

use crate::{Error, Result};

/// The most parts of a path.
const PATH_PARTS_MAX: usize = 16;

/// Fields to set and fields to take away. A dot in a name leads into an object.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Path and new value; it replaces the old one whole.
    pub set: Object,
    /// Paths of what goes.
    pub unset: Vec<String>,
}

impl Edit {
    /// Checks the paths.
    ///
    /// # Errors
    /// [`Error::Unfit`] when one holds a space or an empty part, or a field and what it is in are both set and unset.
    pub fn check(&self) -> Result<()> {
        for path in self.set.iter().map(|(path, _)| path).chain(self.unset.iter().map(String::as_str)) {
            let is_fit = !path.contains(char::is_whitespace) && path.split('.').all(|part| !part.is_empty());
            if !is_fit || path.split('.').count() > PATH_PARTS_MAX {
                return Err(Error::Unfit(format!(
                    "`{path}` is not a path: it has a space, an empty part, or too many"
                )));
            }
        }
        for unset in &self.unset {
            if let Some((set, _)) = self.set.iter().find(|(set, _)| leads_to(set, unset) || leads_to(unset, set)) {
                return Err(Error::Unfit(format!("`{set}` cannot be set while `{unset}` is unset")));
            }
        }
        Ok(())
    }

    /// Changes `fields`. What a path leads through is made if it is absent; taking the last field of an object away
    /// leaves an empty object.
    ///
    /// # Errors
    /// As [`Edit::check`], and [`Error::Unfit`] when a path to set leads through what is not an object.
    pub fn apply(&self, fields: &mut Object) -> Result<()> {
        self.check()?;
        for (path, value) in self.set.iter() {
            set(fields, path, path, value)?;
        }
        for path in &self.unset {
            unset(fields, path);
        }
        Ok(())
    }
}

/// Whether `path` is `other`, or something that `other` is in.
fn leads_to(path: &str, other: &str) -> bool {
    other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn set(object: &mut Object, path: &str, rest: &str, value: &RawValue) -> Result<()> {
    let Some((name, rest)) = rest.split_once('.') else {
        object.set(rest, value.to_owned());
        return Ok(());
    };
    let mut inner = match object.get(name).map(|value| Object::parse(value.get())) {
        None => Object::default(),
        Some(Ok(inner)) => inner,
        Some(Err(_)) => return Err(Error::Unfit(format!("`{path}` leads through `{name}`, which is not an object"))),
    };
    set(&mut inner, path, rest, value)?;
    object.set(name, raw(&inner));
    Ok(())
}

fn unset(object: &mut Object, path: &str) {
    let Some((name, rest)) = path.split_once('.') else {
        object.remove(path);
        return;
    };
    if let Some(Ok(mut inner)) = object.get(name).map(|value| Object::parse(value.get())) {
        unset(&mut inner, rest);
        object.set(name, raw(&inner));
    }
}

fn raw(object: &Object) -> Box<RawValue> {
    RawValue::from_string(object.to_string()).expect("an object shows itself as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(fields: &str, set: &str, unset: &[&str]) -> String {
        let mut fields = Object::parse(fields).unwrap();
        let unset = unset.iter().map(|&path| path.to_owned()).collect();
        match (Edit { set: Object::parse(set).unwrap(), unset }).apply(&mut fields) {
            Ok(()) => fields.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_dotted_path_leads_into_objects_and_makes_them() {
        assert_eq!(
            edited(r#"{"a":{"b":1.0,"c":2}}"#, r#"{"a.b":[3],"x.y.z":1}"#, &["a.c"]),
            r#"{"a":{"b":[3]},"x":{"y":{"z":1}}}"#
        );
        assert!(edited(r#"{"a":1}"#, r#"{"a.b":1}"#, &[]).contains("not an object"));
    }

    #[test]
    fn unsetting_the_last_field_leaves_an_empty_object_and_of_what_is_not_there_nothing() {
        assert_eq!(edited(r#"{"test":{"passed":true}}"#, "{}", &["test.passed"]), r#"{"test":{}}"#);
        assert_eq!(edited(r#"{"a":1}"#, "{}", &["b", "a.b", "c.d"]), r#"{"a":1}"#);
    }

    #[test]
    fn a_field_and_what_it_is_in_are_not_set_and_unset_at_once() {
        for (set, unset) in [(r#"{"a":1}"#, "a"), (r#"{"a.b":1}"#, "a"), (r#"{"a":1}"#, "a.b")] {
            assert!(edited("{}", set, &[unset]).contains("cannot be set"), "{set} {unset}");
        }
        assert_eq!(edited("{}", r#"{"ab":1}"#, &["a"]), r#"{"ab":1}"#);
    }

    #[test]
    fn a_path_has_no_spaces_and_no_empty_parts() {
        for path in ["a b", "a..b", ".a", "a.", ""] {
            assert!(edited("{}", "{}", &[path]).contains("not a path"), "{path}");
        }
    }
}
