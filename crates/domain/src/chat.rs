//! Chat: channels, their members, and what is said in them.

pub mod blocklists;
pub mod campaigns;
pub mod channels;
pub mod commands;
pub mod drafts;
pub mod events;
pub mod hooks;
pub mod imports;
pub mod locations;
pub mod members;
pub mod messages;
pub mod permissions;
pub mod push;
pub mod reactions;
pub mod reads;
pub mod reminders;
pub mod retention;
pub mod search;
pub mod segments;
pub mod threads;
pub mod types;
pub mod unread_reminders;
pub mod user_groups;

#[cfg(test)]
pub(crate) mod pond;
