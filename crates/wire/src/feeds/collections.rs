//! `collections/{name}/`, `collections/{name}/{id}/`, `collections/` (feeds-v1 §5.11).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

/// A thing in a collection.
#[derive(Serialize, Clone, Debug)]
pub struct Item {
    /// The id in the collection.
    pub id: String,
    /// The collection.
    pub collection: String,
    /// `collection:id`.
    pub foreign_id: String,
    /// What the application says of it.
    pub data: Box<RawValue>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

/// The answer of `POST collections/`: what was sent.
#[derive(Serialize, Debug)]
pub struct Upserted {
    /// Collection → items.
    pub data: BTreeMap<String, Vec<Box<RawValue>>>,
}

/// The answer of `GET collections/`.
#[derive(Serialize, Debug)]
pub struct Selected {
    /// What was found.
    pub response: Found,
}

/// See [`Selected`].
#[derive(Serialize, Debug)]
pub struct Found {
    /// In the order of the request.
    pub data: Vec<Item>,
}
