//! What a setting holds, read off its definition: which TOML values fit, and how its text is written as TOML.

use std::any::TypeId;

use clap::{Arg, ArgAction};
use server::front::RateLimitSetting;
use toml::de::DeValue;

use crate::size::Size;

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Integer,
    Size,
    /// A word or a number.
    Rate,
    Text,
    Texts,
}

impl Kind {
    /// The kind of `arg`.
    pub(super) fn of(arg: &Arg) -> Self {
        let id = arg.get_value_parser().type_id();
        let is_one_of = |types: &[TypeId]| types.iter().any(|known| id == *known);
        if matches!(arg.get_action(), ArgAction::Append) {
            Self::Texts
        } else if is_one_of(&[TypeId::of::<bool>()]) {
            Self::Boolean
        } else if is_one_of(&[TypeId::of::<u64>(), TypeId::of::<u32>()]) {
            Self::Integer
        } else if is_one_of(&[TypeId::of::<Size>()]) {
            Self::Size
        } else if is_one_of(&[TypeId::of::<RateLimitSetting>()]) {
            Self::Rate
        } else {
            Self::Text
        }
    }

    /// What fits, in words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Size => "a size such as \"10MiB\" or 10485760",
            Self::Rate => "\"off\", \"default\" or a number",
            Self::Text => "a text in quotes",
            Self::Texts => "a list of texts such as [\"…\", \"…\"]",
        }
    }

    /// The values in a file as the words of a command line, if they fit.
    pub(super) fn words(self, value: &DeValue<'_>) -> Option<Vec<String>> {
        let one = |word: String| Some(vec![word]);
        match (self, value) {
            (Self::Boolean, DeValue::Boolean(value)) => one(value.to_string()),
            (Self::Integer | Self::Size | Self::Rate, DeValue::Integer(value)) => {
                one(i64::from_str_radix(value.as_str(), value.radix()).ok()?.to_string())
            }
            (Self::Rate, DeValue::Float(value)) => one(value.as_str().to_owned()),
            (Self::Size | Self::Rate | Self::Text | Self::Texts, DeValue::String(value)) => one(value.to_string()),
            (Self::Texts, DeValue::Array(values)) => values.iter().map(|value| text(value.get_ref())).collect(),
            _ => None,
        }
    }

    /// The words of a command line as a value in a file.
    pub(super) fn toml(self, words: &[String]) -> String {
        let quoted: Vec<String> = words.iter().map(|word| toml::Value::from(word.as_str()).to_string()).collect();
        let first = words.first().map(String::as_str).unwrap_or_default();
        match self {
            Self::Texts => format!("[{}]", quoted.join(", ")),
            Self::Boolean | Self::Integer => first.to_owned(),
            Self::Rate | Self::Size if first.parse::<f64>().is_ok() => first.to_owned(),
            Self::Rate | Self::Size | Self::Text => quoted.first().cloned().unwrap_or_default(),
        }
    }
}

fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

/// What a value in a file is, in words.
pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
