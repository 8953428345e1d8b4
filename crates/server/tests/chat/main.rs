//! The chat API as clients meet it: through the router, without sockets, JSON against the contract's literal shapes.
//!
//! Sections (§) are those of the contract, chat.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

mod access;
mod app;
mod auth;
mod automod;
mod blocklists;
mod campaigns;
mod channels;
mod commands;
mod drafts;
mod erasure;
mod events;
mod exports;
mod files;
mod hook_events;
mod hooks;
mod imports;
mod locations;
mod messages;
mod moderation;
mod permissions;
mod polls;
mod pond;
mod push;
mod rate_limits;
mod reactions;
mod reminders;
mod residue;
mod retention;
mod search;
mod segments;
mod settings;
mod sockets;
mod tasks;
mod threads;
mod translations;
mod types;
mod user_groups;
mod users;
mod verification;
mod webhooks;
