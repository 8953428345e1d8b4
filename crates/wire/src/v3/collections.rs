//! Collections: `/collections` (feeds-v3 §3.7, §4.1).

use serde::Serialize;
use serde_json::value::RawValue;

use super::Pager;
use crate::chat::dialect::Time;

/// An entry of a collection.
#[derive(Serialize, Debug)]
pub struct Collection<'a> {
    /// The collection.
    pub name: &'a str,
    /// The id in it.
    pub id: &'a str,
    /// Whether the entry is there, `ok` or `notfound`; told where an activity refers to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a str>,
    /// The application's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Box<RawValue>>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Time>,
}

/// Some entries.
#[derive(Serialize, Debug)]
pub struct Collections<'a> {
    /// In the order that was asked for.
    pub collections: Vec<Collection<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}
