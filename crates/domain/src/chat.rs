//! Chat: channels, their members, and what is said in them.

pub mod channels;
pub mod commands;
pub mod events;
pub mod members;
pub mod messages;
pub mod permissions;
pub mod reactions;
pub mod reads;
pub mod search;
pub mod threads;
pub mod types;

#[cfg(test)]
mod pond;
