//! The chat API and what it shares with users, tasks and moderation, in both dialects (chat §5A).
//!
//! A request crosses: its line in `chat::router`, the tolerant reading of its body in `fields`, the handler, the domain.
//! Handlers and the domain do not look at the dialect; `fields` and `to_wire` do.

mod absent;
mod app;
mod attachments;
mod blocklists;
mod blocks;
pub(crate) mod channels;
mod commands;
mod connect;
mod devices;
mod erasure;
mod error;
mod events;
mod exports;
mod fields;
mod files;
mod gate;
mod guest;
mod markdown;
mod members;
mod messages;
mod moderation;
mod og;
mod patch;
mod permissions;
mod prefix;
mod rate_limits;
mod reactions;
mod reads;
pub(crate) mod router;
mod search;
mod tasks;
mod threads;
pub(crate) mod to_wire;
mod token;
mod types;
mod user_groups;
mod users;
mod watching;

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
