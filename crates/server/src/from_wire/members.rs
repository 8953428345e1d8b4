//! The members of a JSON object that a client sent, taken one by one; `null` counts as absent (feeds-v1 §1.2).

use ids::{UserId, json::Object};
use serde_json::Value;

use crate::error::{Error, Result};
use wire::error::Code;

/// The most bytes of the application's own fields in a user, a reaction, or a thing of a collection.
const DATA_BYTES_MAX: usize = 64 * 1024;

/// What was sent.
pub(crate) struct Members(Object);

impl Members {
    /// The members of `object`.
    pub(crate) fn new(object: Object) -> Self {
        Members(object)
    }

    /// Reads a JSON object; nothing at all counts as an empty one.
    ///
    /// # Errors
    /// 400 when it is anything else.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        match bytes.trim_ascii() {
            [] => Ok(Members(Object::default())),
            bytes => Ok(Members(super::body(bytes)?)),
        }
    }

    /// The member `name`.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        let value = serde_json::from_str(self.0.get(name)?.get()).unwrap_or(Value::Null);
        (value != Value::Null).then_some(value)
    }

    /// The text `name` of 1 to `bytes_max` bytes.
    ///
    /// # Errors
    /// 400 when it is anything else.
    pub(crate) fn text(&self, name: &str, bytes_max: usize) -> Result<Option<String>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= bytes_max => Ok(Some(text)),
            Some(_) => Err(Error::field(name, format!("must be a text of 1 to {bytes_max} bytes"))),
        }
    }

    /// The user id `name`.
    ///
    /// # Errors
    /// 400 when it is not one.
    pub(crate) fn user(&self, name: &str) -> Result<Option<UserId>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| Error::field(name, "must be a text"))?;
        UserId::parse(text).map(Some).map_err(|error| Error::field(name, error.to_string()))
    }

    /// The object `name`.
    ///
    /// # Errors
    /// 400 when it is not an object, 413 when it is too large.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Object>> {
        let Some(raw) = self.0.get(name).filter(|raw| raw.get() != "null") else { return Ok(None) };
        if raw.get().len() > DATA_BYTES_MAX {
            return Err(Error::new(Code::TooLarge, format!("{name} has at most {DATA_BYTES_MAX} bytes of JSON")));
        }
        Object::parse(raw.get()).map(Some).map_err(|_| Error::field(name, "must be an object"))
    }

    /// The truth value `name`; absent is false.
    ///
    /// # Errors
    /// 400 when it is anything else.
    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(Error::field(name, "must be true or false")),
        }
    }

    /// The list of texts `name`; absent is empty.
    ///
    /// # Errors
    /// 400 when it is anything else.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>> {
        let items = match self.value(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Error::field(name, "must be a list of texts")),
        };
        let text = |item: &Value| item.as_str().map(str::to_owned);
        items.iter().map(text).collect::<Option<_>>().ok_or_else(|| Error::field(name, "must be a list of texts"))
    }

    /// What was sent.
    pub(crate) fn object_itself(&self) -> &Object {
        &self.0
    }
}

/// 400 for a member that must be there.
pub(crate) fn missing(name: &str) -> Error {
    Error::field(name, "this field is required")
}
