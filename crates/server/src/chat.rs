//! The chat API and what it shares with users, tasks and moderation, in both dialects (chat §5A).
//!
//! A request crosses: its line in `chat::router`, the tolerant reading of its body in `fields`, the handler, the domain.
//! Handlers and the domain do not look at the dialect; `fields` and `to_wire` do.

pub(crate) mod absent;
mod app;
pub(crate) mod attachments;
mod blocklists;
mod blocks;
mod breakers;
mod campaigns;
pub(crate) mod channels;
mod commands;
mod connect;
mod devices;
mod drafts;
mod erasure;
pub(crate) mod error;
mod events;
pub(crate) mod exports;
pub(crate) mod fields;
mod files;
pub(crate) mod gate;
mod guest;
mod imports;
mod locations;
mod markdown;
mod members;
pub(crate) mod messages;
pub(crate) mod moderation;
pub(crate) mod og;
pub(crate) mod origin;
pub(crate) mod patch;
mod permissions;
mod polls;
mod prefix;
mod push;
pub(crate) mod rate_limits;
mod reactions;
mod reads;
mod reminders;
mod retention;
pub(crate) mod router;
mod search;
mod segments;
mod tasks;
mod threads;
pub(crate) mod to_wire;
mod token;
pub(crate) mod translated;
mod types;
mod user_groups;
pub(crate) mod users;
pub(crate) mod watching;

pub(crate) use breakers::Breakers;
pub(crate) use erasure::{Modes, mark, new_heir};
pub(crate) use error::Error;
pub(crate) use files::FORMS;
pub(crate) use messages::Moments;
pub(crate) use prefix::rewrite;
pub use router::Declared;
pub(crate) use token::Token;

/// Whether `request` asks for something of the chat API.
pub(crate) fn is_chat(request: &axum::extract::Request) -> bool {
    request.uri().path().starts_with(prefix::INSIDE)
}
