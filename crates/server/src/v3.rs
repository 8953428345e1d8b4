//! Feeds v3, below `/api/v2/feeds` (feeds-v3 contract).
//!
//! Gate, tokens, bodies and errors are those of the chat API, whose table of routes takes up [`router`]. A request crosses:
//! its line there, the handler, the domain, [`show`], which writes what is stored as the contract has it.

mod activities;
mod around;
mod bookmarks;
mod change;
mod collections;
mod comments;
mod engaged;
mod events;
mod feedback;
mod feeds;
mod follows;
mod found;
mod groups;
mod levels;
mod marks;
mod members;
mod metrics;
mod news;
mod notices;
mod own;
mod pins;
mod polls;
mod previews;
mod reactions;
mod read;
pub(crate) mod reviewed;
mod revisions;
pub(crate) mod router;
mod shares;
pub(crate) mod show;
mod views;
mod visibilities;
mod watching;

pub(crate) use events::write as write_event;
