//! From what is stored to what chat clients read, in the dialect of the request; a file for each resource.

pub(crate) mod channels;
pub(crate) mod drafts;
pub(crate) mod locations;
pub(crate) mod messages;
pub(crate) mod moderation;
pub(crate) mod polls;
pub(crate) mod push;
pub(crate) mod reminders;
pub(crate) mod tasks;
pub(crate) mod threads;
pub(crate) mod types;
pub(crate) mod user_groups;
pub(crate) mod users;
