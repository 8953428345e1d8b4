//! Feeds v3, below `/api/v2/feeds` (feeds-v3 contract): the answers as types. Bodies are read member by member, for
//! clients send much that may be absent or `null`.
//!
//! All of it speaks the v2 dialect: integer nanoseconds, own fields in `custom`.

pub mod activities;
pub mod bookmarks;
pub mod collections;
pub mod comments;
pub mod engagement;
pub mod events;
pub mod feeds;
pub mod follows;
pub mod found;
pub mod groups;
pub mod members;
pub mod notifications;
pub mod reactions;
pub mod visibilities;

use serde::Serialize;

/// A place on Earth.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Location {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
}

/// Where the pages beside this one are; absent at an end.
#[derive(Serialize, Clone, Debug, Default)]
pub struct Pager {
    /// The page after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The page before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
