//! In which order rows are wanted.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json};

use super::{Kind, Row, Value};
use crate::{Error, Result};

/// The most fields of one sort.
const KEYS_MAX: usize = 10;

/// A field to sort by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The field.
    pub field: String,
    /// Whether the greatest comes first.
    pub is_descending: bool,
    /// As what its values compare, if the caller said so.
    pub kind: Option<Kind>,
}

/// An order of rows; what is equal in all fields goes by id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sort(pub Vec<Key>);

impl Sort {
    /// By these fields; a name that begins with `-` is descending.
    pub fn by(fields: &[&str]) -> Self {
        let key = |field: &&str| match field.strip_prefix('-') {
            Some(field) => Key { field: field.to_owned(), is_descending: true, kind: None },
            None => Key { field: (*field).to_owned(), is_descending: false, kind: None },
        };
        Sort(fields.iter().map(key).collect())
    }

    /// Reads `[{"field":"name","direction":-1,"type":"number"}]`, `{"name":-1}`, `[{"name":-1},{"id":1}]`, or the first
    /// without its brackets; nothing, `null` and an empty list are an empty sort.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is something else.
    pub fn parse(text: &str) -> Result<Self> {
        let text = match text.trim() {
            "" | "null" => return Ok(Sort::default()),
            text if text.starts_with('{') => format!("[{text}]"),
            text => text.to_owned(),
        };
        let parts: Vec<Map<String, Json>> =
            serde_json::from_str(&text).map_err(|_| Error::Unfit("sort must be a list of objects".to_owned()))?;
        let mut keys = Vec::with_capacity(parts.len());
        for part in parts {
            match part.get("field") {
                Some(Json::String(field)) if !field.is_empty() => keys.push(key(field, &part)?),
                Some(Json::Number(_)) | None => {
                    for (field, value) in &part {
                        keys.push(Key { field: field.clone(), is_descending: is_descending(value)?, kind: None });
                    }
                }
                Some(_) => return Err(Error::Unfit("sort.field must be the name of a field".to_owned())),
            }
        }
        match keys.len() > KEYS_MAX {
            true => Err(Error::Unfit(format!("sort takes at most {KEYS_MAX} fields"))),
            false => Ok(Sort(keys)),
        }
    }

    /// This, or `default` if it names no field.
    #[must_use]
    pub fn or(self, default: &[&str]) -> Self {
        if self.0.is_empty() { Sort::by(default) } else { self }
    }

    /// Checks that it names only these fields.
    ///
    /// # Errors
    /// [`Error::Unfit`] with the first that it names beside them.
    pub fn check(&self, fields: &[&str]) -> Result<()> {
        match self.0.iter().find(|key| !fields.contains(&key.field.as_str())) {
            Some(key) => Err(Error::Unfit(format!("cannot sort by the field `{}`", key.field))),
            None => Ok(()),
        }
    }

    /// Which of the two comes first; never equal for two ids.
    pub fn compare(&self, a: &impl Row, b: &impl Row) -> Ordering {
        let by_key = |key: &Key| {
            let order = compare(&a.value(&key.field), &b.value(&key.field), key.kind);
            if key.is_descending { order.reverse() } else { order }
        };
        let ordered = self.0.iter().map(by_key).find(|order| order.is_ne());
        ordered.unwrap_or_else(|| a.id().cmp(&b.id()))
    }

    /// Puts `rows` into this order.
    pub fn apply<R: Row>(&self, rows: &mut [R]) {
        rows.sort_by(|a, b| self.compare(a, b));
    }
}

fn key(field: &str, part: &Map<String, Json>) -> Result<Key> {
    let kind = match part.get("type").and_then(Json::as_str).unwrap_or_default() {
        "" | "string" => None,
        "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Bool),
        other => return Err(Error::Unfit(format!("sort.type must be number or boolean, not `{other}`"))),
    };
    let is_descending = part.get("direction").map_or(Ok(false), is_descending)?;
    Ok(Key { field: field.to_owned(), is_descending, kind })
}

fn is_descending(direction: &Json) -> Result<bool> {
    match direction {
        Json::Null => Ok(false),
        Json::Number(number) => match number.as_f64() {
            Some(-1.0) => Ok(true),
            // A client that leaves the direction out sends 0.
            Some(0.0 | 1.0) => Ok(false),
            _ => Err(Error::Unfit("sort.direction must be 1 or -1".to_owned())),
        },
        Json::String(text) if text == "-1" || text == "desc" => Ok(true),
        Json::String(text) if text == "1" || text == "asc" => Ok(false),
        _ => Err(Error::Unfit("sort.direction must be 1 or -1".to_owned())),
    }
}

/// The order of all values: nothing before anything, so that it comes first ascending and last descending; values of
/// different kinds by their kinds.
fn compare(a: &Value<'_>, b: &Value<'_>, kind: Option<Kind>) -> Ordering {
    if kind == Some(Kind::Number) {
        let number = |value: &Value<'_>| value.number().filter(|number| !number.is_nan());
        return match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
    }
    let rank = |value: &Value<'_>| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Integer(_) | Value::Float(_) => 2,
        Value::Time(_) => 3,
        Value::Text(_) => 4,
        Value::List(_) => 5,
        Value::Object(_) => 6,
        Value::Place(..) | Value::Area(_) => 7,
    };
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Integer(_) | Value::Float(_), Value::Integer(_) | Value::Float(_)) => {
            a.number().unwrap_or(f64::NAN).total_cmp(&b.number().unwrap_or(f64::NAN))
        }
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::List(a), Value::List(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| compare(a, b, None)).find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| a.order(b).unwrap_or(Ordering::Equal)),
    }
}
