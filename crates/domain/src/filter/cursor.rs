//! Places in a sorted list that survive changes of the list (chat §7).
//!
//! A cursor holds the sort of the first page and what its fields said of the row beside the cut, so that rows that come
//! and go in between neither shift nor repeat a page, and a sort that is sent with it does not matter.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ids::Timestamp;
use serde_json::{Value as Json, json};

use super::{Key, Kind, Row, Sort, Value};
use crate::{Error, Result};

/// The longest cursor that is looked at, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// A place in a sorted list.
#[derive(Clone, PartialEq, Debug)]
pub struct Cursor {
    /// The sort of the first page.
    pub sort: Sort,
    /// Whether it asks for what comes before the place.
    pub is_backward: bool,
    values: Vec<Value<'static>>,
    id: String,
}

/// A part of a sorted list.
#[derive(Debug)]
pub struct Page<R> {
    /// The rows, in their order.
    pub rows: Vec<R>,
    /// What asks for the page after this one; none if this is the last.
    pub next: Option<String>,
    /// What asks for the page before this one; none if this is the first.
    pub prev: Option<String>,
}

impl Row for Cursor {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let at = self.sort.0.iter().position(|key| key.field == field);
        at.map_or(Value::Null, |at| self.values[at].clone())
    }
}

impl Cursor {
    fn beside(row: &impl Row, sort: &Sort, is_backward: bool) -> Self {
        let values = sort.0.iter().map(|key| row.value(&key.field).into_owned()).collect();
        Cursor { sort: sort.clone(), is_backward, values, id: row.id().into_owned() }
    }

    /// Reads a cursor that a page answered.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let rule = || Error::Unfit("next and prev take what an earlier page answered".to_owned());
        if text.len() > BYTES_MAX {
            return Err(rule());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| rule())?;
        let json: Json = serde_json::from_slice(&bytes).map_err(|_| rule())?;
        Self::read(&json).ok_or_else(rule)
    }

    fn read(json: &Json) -> Option<Self> {
        let mut sort = Sort::default();
        let mut values = Vec::new();
        for key in json["sort"].as_array()? {
            let kind = match key[2].as_u64()? {
                0 => None,
                1 => Some(Kind::Number),
                _ => Some(Kind::Bool),
            };
            sort.0.push(Key { field: key[0].as_str()?.to_owned(), is_descending: key[1].as_bool()?, kind });
            values.push(match key[4].as_i64() {
                Some(micros) => Value::Time(Timestamp::from_micros(micros)),
                None => Value::from(key[3].clone()),
            });
        }
        Some(Cursor { sort, is_backward: json["back"].as_bool()?, values, id: json["id"].as_str()?.to_owned() })
    }

    /// The text that a client sends back.
    pub fn to_text(&self) -> String {
        let key = |(key, value): (&Key, &Value<'static>)| {
            let kind = match key.kind {
                None => 0,
                Some(Kind::Number) => 1,
                Some(_) => 2,
            };
            match value {
                Value::Time(time) => json!([key.field, key.is_descending, kind, null, time.micros()]),
                value => json!([key.field, key.is_descending, kind, plain(value)]),
            }
        };
        let sort: Vec<Json> = self.sort.0.iter().zip(&self.values).map(key).collect();
        URL_SAFE_NO_PAD.encode(json!({ "sort": sort, "back": self.is_backward, "id": self.id }).to_string())
    }
}

fn plain(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Time(time) => json!(time.rfc3339().to_string()),
        Value::Text(text) => json!(text),
        Value::List(values) => values.iter().map(plain).collect(),
        Value::Object(object) => object.clone(),
        // Places have no order, so no page begins at one.
        Value::Place(..) | Value::Area(_) => Json::Null,
    }
}

/// The page of `rows` at `cursor`, or the first one: at most `limit` of them, in the cursor's order or else in that of
/// `sort`.
pub fn page<R: Row>(mut rows: Vec<R>, sort: &Sort, cursor: Option<&Cursor>, limit: usize) -> Page<R> {
    let sort = cursor.map_or(sort, |cursor| &cursor.sort);
    sort.apply(&mut rows);
    let (from, until) = match cursor {
        None => (0, limit),
        Some(cursor) if cursor.is_backward => {
            let until = rows.partition_point(|row| sort.compare(row, cursor).is_lt());
            (until.saturating_sub(limit), until)
        }
        Some(cursor) => {
            let from = rows.partition_point(|row| sort.compare(row, cursor).is_le());
            (from, from.saturating_add(limit))
        }
    };
    cut(rows, sort, from, until)
}

/// The page of `rows` in the order of `sort` with the row `id` in its middle, as far as there are enough on both sides; the
/// first page if that row is not there.
pub fn page_around<R: Row>(mut rows: Vec<R>, sort: &Sort, id: &str, limit: usize) -> Page<R> {
    sort.apply(&mut rows);
    let middle = rows.iter().position(|row| row.id() == id).unwrap_or_default();
    let from = middle.saturating_sub(limit / 2).min(rows.len().saturating_sub(limit));
    cut(rows, sort, from, from.saturating_add(limit))
}

/// The sorted `rows` from one place to another, with the cursors beside them.
fn cut<R: Row>(mut rows: Vec<R>, sort: &Sort, from: usize, until: usize) -> Page<R> {
    let until = until.min(rows.len());
    let beside = |row: Option<&R>, is_backward| row.map(|row| Cursor::beside(row, sort, is_backward).to_text());
    let shown = rows.get(from..until).unwrap_or_default();
    let next = if until < rows.len() { beside(shown.last(), false) } else { None };
    let prev = if from > 0 { beside(shown.first(), true) } else { None };
    rows.truncate(until);
    Page { rows: rows.split_off(from.min(until)), next, prev }
}
