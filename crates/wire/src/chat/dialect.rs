//! The two dialects, and the two values that differ in each object (chat §5A.2).

use ids::{Timestamp, json::Object};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// How an answer is written; the path prefix of the request decides (chat §5A.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// RFC 3339 times, custom fields flat: unprefixed paths.
    Classic,
    /// Integer nanoseconds, custom fields under `custom`: paths under `/api/v2`.
    V2,
}

impl Dialect {
    /// `value` in the classic dialect, nothing in the other.
    pub fn classic_only<T>(self, value: T) -> Option<T> {
        (self == Dialect::Classic).then_some(value)
    }

    /// `value` in the v2 dialect, nothing in the other.
    pub fn v2_only<T>(self, value: T) -> Option<T> {
        (self == Dialect::V2).then_some(value)
    }
}

/// A time in the dialect of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Time {
    /// When.
    pub at: Timestamp,
    /// How it is written.
    pub dialect: Dialect,
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.dialect {
            Dialect::Classic => serializer.collect_str(&self.at.rfc3339_short()),
            Dialect::V2 => serializer.serialize_i64(self.at.nanos()),
        }
    }
}

/// The application's own fields of an object: flat beside the others, or in the member `custom`. Flatten it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Custom<'a> {
    /// The fields.
    pub fields: &'a Object,
    /// Where they stand.
    pub dialect: Dialect,
}

impl Serialize for Custom<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.dialect {
            Dialect::Classic => {
                for (name, value) in self.fields.iter() {
                    map.serialize_entry(name, value)?;
                }
            }
            Dialect::V2 => map.serialize_entry("custom", &Members(self.fields))?,
        }
        map.end()
    }
}

/// Raw members as one JSON object, whatever the dialect.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Members<'a>(pub &'a Object);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing<'a> {
        id: &'a str,
        created_at: Time,
        #[serde(flatten)]
        custom: Custom<'a>,
    }

    fn shown(dialect: Dialect, time: &str) -> String {
        let fields = Object::parse(r#"{"color":"red","n":1.00,"custom":[1, 2]}"#).unwrap();
        let at = Timestamp::parse(time).unwrap();
        let thing = Thing { id: "a", created_at: Time { at, dialect }, custom: Custom { fields: &fields, dialect } };
        serde_json::to_string(&thing).unwrap()
    }

    #[test]
    fn classic_times_are_texts_without_trailing_zeros_and_custom_fields_are_flat() {
        let expected = r#"{"id":"a","created_at":"2024-01-01T00:00:00.5Z","color":"red","n":1.00,"custom":[1, 2]}"#;
        assert_eq!(shown(Dialect::Classic, "2024-01-01T00:00:00.500Z"), expected);
        assert!(shown(Dialect::Classic, "2024-01-01T00:00:00Z").contains(r#""2024-01-01T00:00:00Z""#));
    }

    #[test]
    fn v2_times_are_nanoseconds_and_custom_fields_stand_together() {
        let expected =
            r#"{"id":"a","created_at":1704067200000005000,"custom":{"color":"red","n":1.00,"custom":[1, 2]}}"#;
        assert_eq!(shown(Dialect::V2, "2024-01-01T00:00:00.000005Z"), expected);
    }
}
