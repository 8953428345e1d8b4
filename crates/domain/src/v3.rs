//! Feeds v3: groups, feeds, members, follows and activities (feeds-v3 contract).
//!
//! There is one engine for all feeds: a feed of v3 has a **stream**, a feed of the engine below [`crate::feeds`] that
//! nobody can name, and what it shows is a view of that stream and of those that it follows (docs/decisions/0007). The
//! records here say what v3 knows beside it: who made the feed, what it is called, who may see it, what was posted.

pub mod activities;
pub mod bookmarks;
pub mod collections;
pub mod comments;
pub mod engagement;
pub mod events;
pub mod feedback;
pub mod feeds;
pub mod folders;
pub mod follows;
pub mod friends;
pub mod grants;
pub mod groups;
pub mod interests;
pub mod levels;
pub mod made;
pub mod marks;
pub mod members;
pub mod metrics;
pub mod moderated;
pub mod notifications;
pub mod objects;
pub mod owned;
pub mod pages;
pub mod permit;
pub mod pins;
pub mod polls;
pub mod query;
pub mod ranking;
pub mod reactions;
pub mod recipes;
pub mod selectors;
pub mod shares;
pub mod show;
pub mod suggestions;
pub mod timelines;
pub mod translated;
pub mod updates;
pub mod views;

use minicbor::{Decode, Encode};

/// A place on Earth.
#[derive(Clone, Copy, PartialEq, Debug, Encode, Decode)]
pub struct Location {
    /// Degrees north.
    #[n(0)]
    pub lat: f64,
    /// Degrees east.
    #[n(1)]
    pub lng: f64,
}

#[cfg(test)]
pub(crate) mod pond;
