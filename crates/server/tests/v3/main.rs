//! Feeds v3 as clients meet it: through the router, JSON against the contract's literal shapes.
//!
//! Sections (§) are those of the contract, feeds v3.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

mod activities;
mod bookmarks;
mod collections;
mod comments;
mod contract;
mod feeds;
mod follows;
mod found;
mod groups;
mod levels;
mod members;
mod moderated;
mod notices;
mod own;
mod pins;
mod polls;
mod pond;
mod previews;
mod queries;
mod reactions;
mod reading;
mod said;
mod translations;
mod user_data;
mod visibilities;
mod watching;
