//! Values that conditions compare, whatever they were stored as.

use std::{borrow::Cow, cmp::Ordering};

use ids::{Timestamp, json::Object};
use serde_json::{Value as Json, value::RawValue};

use super::Area;

/// What a row says of a field, or what a condition compares it with.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// A moment.
    Time(Timestamp),
    /// A text.
    Text(Cow<'a, str>),
    /// Several values.
    List(Vec<Value<'a>>),
    /// An object, which only equals its like.
    Object(Json),
    /// A place on Earth: degrees north, degrees east.
    Place(f64, f64),
    /// A part of the Earth. A place is the same when it is in it.
    Area(Area),
}

impl<'a> Value<'a> {
    /// A text.
    pub fn text(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }

    /// Several texts.
    pub fn texts<T: AsRef<str> + 'a>(texts: &'a [T]) -> Self {
        Value::List(texts.iter().map(|text| Value::text(text.as_ref())).collect())
    }

    /// A text, or nothing.
    pub fn maybe_text(text: Option<&'a str>) -> Self {
        text.map_or(Value::Null, Value::text)
    }

    /// A moment, or none.
    pub fn maybe_time(time: Option<Timestamp>) -> Self {
        time.map_or(Value::Null, Value::Time)
    }

    /// The same, with texts of its own.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(flag),
            Value::Integer(number) => Value::Integer(number),
            Value::Float(number) => Value::Float(number),
            Value::Time(time) => Value::Time(time),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
            Value::Object(object) => Value::Object(object),
            Value::Place(lat, lng) => Value::Place(lat, lng),
            Value::Area(area) => Value::Area(area),
        }
    }

    /// Whether there is one.
    pub fn is_set(&self) -> bool {
        *self != Value::Null
    }

    /// The text in it.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether both are the same; a whole number equals its like with a fraction of zero.
    pub fn is_same(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b)),
            (Value::Null, Value::Null) => true,
            (Value::Object(a), Value::Object(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Place(lat, lng), Value::Area(area)) => area.holds(*lat, *lng),
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// How the two compare, if they do: numbers by size, texts letter by letter, and moments, also those in texts.
    pub fn order(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
            (Value::Integer(_) | Value::Float(_), Value::Integer(_) | Value::Float(_)) => {
                self.number()?.partial_cmp(&other.number()?)
            }
            (Value::Text(a), Value::Text(b)) => Some(match (moment_in(a), moment_in(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.cmp(b),
            }),
            (Value::Time(_), _) | (_, Value::Time(_)) => Some(self.moment()?.cmp(&other.moment()?)),
            _ => None,
        }
    }

    /// The number in it, also in a text.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The moment in it: RFC 3339, or a number whose unit is told by its size.
    pub(super) fn moment(&self) -> Option<Timestamp> {
        match self {
            Value::Time(time) => Some(*time),
            Value::Text(text) => moment_in(text),
            Value::Integer(number) => Some(Timestamp::from_micros(match number.unsigned_abs() {
                100_000_000_000_000_000.. => number / 1000,
                100_000_000_000_000.. => *number,
                100_000_000_000.. => number.saturating_mul(1000),
                _ => number.saturating_mul(1_000_000),
            })),
            _ => None,
        }
    }
}

/// The moment that a text tells: `2024-01-01T00:00:00Z` and its like.
fn moment_in(text: &str) -> Option<Timestamp> {
    let has_a_date = matches!(text.as_bytes(), [year, .., _] if year.is_ascii_digit()) && text.contains(['T', 't']);
    has_a_date.then(|| Timestamp::parse(text).ok())?
}

impl From<Json> for Value<'static> {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(flag),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Value::Integer(number),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(Cow::Owned(text)),
            Json::Array(values) => Value::List(values.into_iter().map(Value::from).collect()),
            Json::Object(_) => Value::Object(json),
        }
    }
}

/// What the application's own fields say of `path`: `color`, `custom.color` or `detail.topic`.
pub fn custom(fields: &Object, path: &str) -> Value<'static> {
    at_path(fields, path).or_else(|| at_path(fields, path.strip_prefix("custom.")?)).map_or(Value::Null, Value::from)
}

fn at_path(fields: &Object, path: &str) -> Option<Json> {
    let parse = |raw: &RawValue| serde_json::from_str::<Json>(raw.get()).ok();
    if let Some(value) = fields.get(path) {
        return parse(value);
    }
    let (first, rest) = path.split_once('.')?;
    inside(parse(fields.get(first)?)?, rest)
}

/// The value at a dotted path; of a list, what its members say.
fn inside(json: Json, path: &str) -> Option<Json> {
    match json {
        Json::Object(mut members) => {
            if let Some(value) = members.remove(path) {
                return Some(value);
            }
            let (first, rest) = path.split_once('.')?;
            inside(members.remove(first)?, rest)
        }
        Json::Array(values) => Some(values.into_iter().filter_map(|value| inside(value, path)).collect()),
        _ => None,
    }
}
