//! The chat API, in two dialects of one shape (chat §5A).
//!
//! Nearly all differences are carried by two building blocks, [`dialect::Time`] and [`dialect::Custom`]; what exists in
//! one dialect only is an `Option` that the server fills for that dialect.

pub mod app;
pub mod blocklists;
pub mod campaigns;
pub mod channels;
pub mod dialect;
pub mod drafts;
pub mod error;
pub mod events;
pub mod files;
pub mod hooks;
pub mod imports;
pub mod locations;
pub mod members;
pub mod messages;
pub mod moderation;
pub mod permissions;
pub mod polls;
pub mod push;
pub mod reads;
pub mod reminders;
pub mod retention;
pub mod search;
pub mod segments;
pub mod tasks;
pub mod threads;
pub mod types;
pub mod user_groups;
pub mod users;
