//! Reading what clients send, as leniently as the contract asks (chat §5, §5A.2).
//!
//! [`Fields`] is a JSON object from which a handler takes what it knows; what is left is the application's own. `null`
//! means not given, and an empty list stands for an empty object, because one client cannot tell the two apart.

use bytes::Bytes;
use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};
use wire::chat::dialect::Dialect;

use super::error::{Error, Result};

/// The largest time that clients send for "none": before it nothing happened.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// The members of an object that nobody has taken yet.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    object: Object,
    dialect: Dialect,
}

impl Fields {
    /// The body of a request; an empty one, `null` and `[]` are `{}`.
    ///
    /// # Errors
    /// 4 when it is not a JSON object.
    pub(crate) fn body(bytes: &Bytes, dialect: Dialect) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|_| Error::input("the body is not valid UTF-8"))?;
        Self::parse(text, dialect)
    }

    /// A JSON text that stands for an object.
    ///
    /// # Errors
    /// 4 when it does not.
    pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Self> {
        let text = text.trim();
        let object = match text {
            "" | "null" | "[]" => Object::default(),
            _ => Object::parse(text).map_err(|error| Error::input(format!("invalid JSON object: {error}")))?,
        };
        Ok(Fields { object, dialect })
    }

    /// Which dialect the request speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether the member is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| value.get() != "null")
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.object.is_empty()
    }

    /// Whether the member is there as `null`.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| value.get() == "null")
    }

    /// Puts a member in.
    pub(crate) fn put(&mut self, name: &str, value: &RawValue) {
        self.object.set(name, value.to_owned());
    }

    /// Takes the member as it was sent.
    pub(crate) fn raw(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.object.remove(name).filter(|value| value.get() != "null")
    }

    fn typed<T: DeserializeOwned>(&mut self, name: &str, what: &str) -> Result<Option<T>> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| Error::field(name, &format!("must be {what}")))
    }

    /// A text.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.typed(name, "a string")
    }

    /// A text; an empty one is not given.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn filled(&mut self, name: &str) -> Result<Option<String>> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// A truth value: also 1, 0 and the words.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        match self.typed::<Value>(name, "a boolean")? {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(Value::Number(number)) if number.as_i64() == Some(1) => Ok(Some(true)),
            Some(Value::Number(number)) if number.as_i64() == Some(0) => Ok(Some(false)),
            Some(Value::String(text)) if matches!(text.as_str(), "" | "false" | "0") => Ok(Some(false)),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1") => Ok(Some(true)),
            Some(_) => Err(Error::field(name, "must be a boolean")),
        }
    }

    /// A whole number: also one in a text.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<i64>> {
        match self.typed::<Value>(name, "a number")? {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| Error::field(name, "must be a number")),
            Some(value) => match (value.as_i64(), value.as_f64()) {
                (Some(number), _) => Ok(Some(number)),
                (None, Some(number)) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(Some(number as i64)),
                _ => Err(Error::field(name, "must be a whole number")),
            },
        }
    }

    /// A number of things, from 0 to `max`; `default` if it is 0 or not given.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn count(&mut self, name: &str, default: usize, max: usize) -> Result<usize> {
        let Some(number) = self.number(name)?.filter(|number| *number != 0) else { return Ok(default) };
        let count = usize::try_from(number).ok().filter(|count| *count <= max);
        count.ok_or_else(|| Error::field(name, &format!("must be between 0 and {max}")))
    }

    /// A time: RFC 3339, or a number whose unit is told by its size or, in the v2 dialect, nanoseconds. The zero time of
    /// some clients is not given.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Timestamp>> {
        match self.typed::<Value>(name, "a time")? {
            None => Ok(None),
            Some(value) => time(&value, self.dialect).map_err(|rule| Error::field(name, &rule)),
        }
    }

    /// A list of whatever.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<Box<RawValue>>>> {
        self.typed(name, "a list")
    }

    /// A list of texts.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        self.typed(name, "a list of strings")
    }

    /// An object.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Fields>> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let fields = Self::parse(raw.get(), self.dialect).map_err(|_| Error::field(name, "must be an object"))?;
        Ok(Some(fields))
    }

    /// A list of objects.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn objects(&mut self, name: &str) -> Result<Option<Vec<Fields>>> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let read = |raw: Box<RawValue>| Self::parse(raw.get(), self.dialect);
        list.into_iter().map(read).collect::<Result<_>>().map(Some).map_err(|_| Error::field(name, "must hold objects"))
    }

    /// An id of a user.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn user(&mut self, name: &str) -> Result<Option<UserId>> {
        let id = self.filled(name)?;
        id.map(|id| user(&id).map_err(|error| Error::field(name, &error.reason))).transpose()
    }

    /// Ids of users: a list of ids, of objects with an `id` or `user_id`, or of both.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn users(&mut self, name: &str) -> Result<Option<Vec<UserId>>> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let read = |raw: Box<RawValue>| match serde_json::from_str::<String>(raw.get()) {
            Ok(id) => user(&id),
            Err(_) => {
                let mut object = Self::parse(raw.get(), self.dialect)?;
                let id = match object.user("user_id")? {
                    Some(id) => Some(id),
                    None => object.user("id")?,
                };
                id.ok_or_else(|| Error::field(name, "must hold ids of users"))
            }
        };
        list.into_iter().map(read).collect::<Result<_>>().map(Some)
    }

    /// A cid.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn channel(&mut self, name: &str) -> Result<Option<ChannelId>> {
        let id = self.filled(name)?;
        id.map(|id| ChannelId::parse(&id).map_err(|error| Error::field(name, &error.to_string()))).transpose()
    }

    /// An id of a message.
    ///
    /// # Errors
    /// 4 when it is something else.
    pub(crate) fn message(&mut self, name: &str) -> Result<Option<MessageId>> {
        let id = self.filled(name)?;
        id.map(|id| MessageId::parse(&id).map_err(|error| Error::field(name, &error.to_string()))).transpose()
    }

    /// Drops members that clients echo and that are not theirs to set.
    pub(crate) fn skip(&mut self, names: &[&str]) {
        for name in names {
            self.object.remove(name);
        }
    }

    /// The application's own fields: what is left, and in the v2 dialect what stands in `custom`, which wins.
    ///
    /// # Errors
    /// 4 when `custom` is not an object in the v2 dialect.
    pub(crate) fn custom(mut self) -> Result<Object> {
        let nested = match self.dialect {
            Dialect::V2 => self.object("custom")?,
            // Some clients wrap their own fields once more.
            Dialect::Classic => self.object("extra_data").unwrap_or_default(),
        };
        let mut custom = self.object;
        for (name, value) in nested.iter().flat_map(|nested| nested.object.iter()) {
            custom.set(name, value.to_owned());
        }
        Ok(custom)
    }

    /// What is left, as it was sent.
    pub(crate) fn rest(self) -> Object {
        self.object
    }
}

/// A user id as the API takes it.
///
/// # Errors
/// 4 when it has another character than letters, digits, `@`, `_`, `-`, `.`, `!`, `:` or `|`.
pub(crate) fn user(text: &str) -> Result<UserId> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@_-.!:|".contains(c);
    if !text.chars().all(is_plain) {
        return Err(Error::field("id", "may hold letters, digits, `@`, `_`, `-` and `.` only"));
    }
    UserId::parse(text).map_err(|error| Error::field("id", &error.to_string()))
}

/// A time as clients send it; `None` for the zero time.
pub(crate) fn time(value: &Value, dialect: Dialect) -> std::result::Result<Option<Timestamp>, String> {
    match value {
        Value::String(text) if text.is_empty() || text == ZERO_TIME => Ok(None),
        Value::String(text) => Timestamp::parse(text).map(Some).map_err(|error| error.to_string()),
        Value::Number(number) => {
            let number = number.as_i64().ok_or("must be a time")?;
            let micros = match (dialect, number.unsigned_abs()) {
                (Dialect::V2, _) | (_, 100_000_000_000_000_000..) => number / 1000,
                (_, 100_000_000_000_000..) => number,
                (_, 100_000_000_000..) => number.saturating_mul(1000),
                _ => number.saturating_mul(1_000_000),
            };
            Ok(Some(Timestamp::from_micros(micros)))
        }
        _ => Err("must be a time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::parse(text, Dialect::Classic).unwrap()
    }

    #[test]
    fn nothing_null_and_an_empty_list_are_an_empty_object() {
        for text in ["", " ", "null", "[]", "{}"] {
            assert!(fields(text).is_empty(), "{text}");
        }
        assert!(Fields::parse("[1]", Dialect::Classic).is_err() && Fields::parse("{", Dialect::Classic).is_err());
        assert!(fields(r#"{"a":[]}"#).object("a").unwrap().unwrap().is_empty());
    }

    #[test]
    fn null_is_not_given() {
        let mut sent = fields(r#"{"a":null,"b":null,"c":null}"#);
        assert!(!sent.has("a"));
        assert_eq!((sent.text("a").unwrap(), sent.texts("b").unwrap(), sent.flag("c").unwrap()), (None, None, None));
    }

    #[test]
    fn truth_values_and_numbers_come_in_several_forms() {
        let mut sent = fields(r#"{"a":true,"b":1,"c":"0","d":"7","e":2.0,"f":"maybe"}"#);
        assert_eq!(
            [sent.flag("a"), sent.flag("b"), sent.flag("c")].map(Result::unwrap),
            [Some(true), Some(true), Some(false)]
        );
        assert_eq!([sent.number("d"), sent.number("e")].map(Result::unwrap), [Some(7), Some(2)]);
        assert!(sent.flag("f").is_err());
    }

    #[test]
    fn times_come_as_texts_and_as_numbers_of_any_unit() {
        let micros = |text: &str, dialect| {
            let value: Value = serde_json::from_str(text).unwrap();
            time(&value, dialect).unwrap().map(Timestamp::micros)
        };
        let second = 1_704_067_200_000_000;
        for text in [
            "\"2024-01-01T00:00:00Z\"",
            "\"2024-01-01T01:00:00+01:00\"",
            "1704067200",
            "1704067200000",
            "1704067200000000",
            "1704067200000000000",
        ] {
            assert_eq!(micros(text, Dialect::Classic), Some(second), "{text}");
        }
        assert_eq!(micros("1704067200000000000", Dialect::V2), Some(second));
        assert_eq!(micros("\"0001-01-01T00:00:00Z\"", Dialect::Classic), None);
    }

    #[test]
    fn users_come_as_ids_and_as_objects() {
        let mut sent = fields(r#"{"members":["amy",{"user_id":"bob","x":1},{"id":"cat"}]}"#);
        let ids: Vec<_> = sent.users("members").unwrap().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["amy", "bob", "cat"]);
    }

    #[test]
    fn what_is_left_is_the_applications_own_and_in_v2_custom_wins() {
        let text = r#"{"id":"a","color":"red","custom":{"color":"blue","n":1.0}}"#;
        let custom = |dialect| {
            let mut sent = Fields::parse(text, dialect).unwrap();
            sent.text("id").unwrap();
            sent.custom().unwrap().to_string()
        };
        assert_eq!(custom(Dialect::Classic), r#"{"color":"red","custom":{"color":"blue","n":1.0}}"#);
        assert_eq!(custom(Dialect::V2), r#"{"color":"blue","n":1.0}"#);
    }
}
