//! JSON objects whose members are kept as they were sent.
//!
//! Custom fields belong to the application: a number keeps its digits and a nested object the order of its members,
//! because nothing here parses a value that nobody asked about.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The deepest nesting of objects and lists inside a value.
pub const DEPTH_MAX: usize = 64;
/// The most members of one object.
pub const MEMBERS_MAX: usize = 1000;

/// An object: names and raw JSON values, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// When `text` is not an object, nests deeper than [`DEPTH_MAX`], has more than [`MEMBERS_MAX`] members, or holds half of a
    /// surrogate pair, which few can read.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the member `name`.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Takes the member `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Sets the member `name`, in its place if it is there, else at the end.
    pub fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(member) => member.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

/// Whether `json` nests deeper than [`DEPTH_MAX`]; `json` is valid JSON.
fn is_too_deep(json: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return true;
                }
            }
            (false, b'}' | b']') => depth -= 1,
            _ => {}
        }
    }
    false
}

/// Whether an escape in `json`, which is valid but for that, is one half of a surrogate pair without the other.
///
/// A raw value is not read, so nobody else would notice before a client, or a part of this server that reads it.
fn has_half_character(json: &str) -> bool {
    let mut rest = json;
    while let Some((_, escaped)) = rest.split_once('\\') {
        rest = match code_unit(escaped) {
            Some(0xd800..=0xdbff) => match escaped[5..].strip_prefix('\\').and_then(code_unit) {
                Some(0xdc00..=0xdfff) => &escaped[11..],
                _ => return true,
            },
            Some(0xdc00..=0xdfff) => return true,
            Some(_) => &escaped[5..],
            None => &escaped[1..],
        };
    }
    false
}

/// What `u` and four digits stand for.
fn code_unit(escaped: &str) -> Option<u16> {
    u16::from_str_radix(escaped.strip_prefix('u')?.get(..4)?, 16).ok()
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let name = serde_json::to_string(name).map_err(|_| fmt::Error)?;
            write!(f, "{comma}{name}:{}", value.get())?;
        }
        f.write_str("}")
    }
}

/// The same members in the same order with the same bytes.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.iter().zip(other.iter()).all(|(a, b)| a.0 == b.0 && a.1.get() == b.1.get())
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object::default();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if is_too_deep(value.get()) {
                        return Err(serde::de::Error::custom(format!("`{name}` nests deeper than {DEPTH_MAX} levels")));
                    }
                    if has_half_character(value.get()) {
                        return Err(serde::de::Error::custom(format!("`{name}` has half of a surrogate pair")));
                    }
                    object.set(&name, value);
                    if object.len() > MEMBERS_MAX {
                        return Err(serde::de::Error::custom(format!("an object has at most {MEMBERS_MAX} members")));
                    }
                }
                Ok(object)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_sent() {
        let text =
            r#"{"n":1.00,"big":123456789012345678901234567890,"e":1e5,"deep":{"b":[1, 2],"a":null},"t":"é\u00e9"}"#;
        assert_eq!(Object::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn the_last_of_two_members_with_one_name_counts() {
        assert_eq!(Object::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap().to_string(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn only_an_object_is_an_object() {
        for text in ["", "[]", "1", "\"a\"", "{", "{\"a\":}", "{} x"] {
            assert!(Object::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_number_of_members_has_a_limit() {
        let wide = |members: usize| {
            format!("{{{}}}", (0..members).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","))
        };
        assert!(Object::parse(&wide(MEMBERS_MAX)).is_ok());
        assert!(Object::parse(&wide(MEMBERS_MAX + 1)).is_err());
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Object::parse(&nested(DEPTH_MAX)).is_ok());
        assert!(Object::parse(&nested(DEPTH_MAX + 1)).is_err());
        assert!(Object::parse(&nested(100_000)).is_err());
        assert!(Object::parse(&format!("{{\"a\":\"{}\"}}", "[".repeat(1000))).is_ok());
    }

    #[test]
    fn half_of_a_surrogate_pair_is_no_text() {
        for whole in [r"\ud83d\udc69", r"\uD83D\uDC69x", r"\\ud83d", r"\u00e9\n\ud83d\udc69\ud83d\udc69", "👩", r#"\""#]
        {
            let text = format!(r#"{{"a":["{whole}"]}}"#);
            assert_eq!(Object::parse(&text).unwrap().to_string(), text);
        }
        for half in
            [r"\ud83d", r"\udc69", r"\ud83dud83d", r"\ud83d\ud83d\udc69", r"\ud83d\n", r"\udc69\ud83d", r"\ud83d\u0041"]
        {
            let text = format!(r#"{{"a":["{half}"]}}"#);
            assert!(Object::parse(&text).is_err(), "{text}");
        }
    }
}
