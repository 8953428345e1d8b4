//! Reminders: `/messages/{id}/reminders` and `POST /reminders/query` (chat §6.15, §11.6).

use serde::Serialize;

use super::{channels::Channel, dialect::Time, messages::Message, users::User};

/// That a user saved a message for later.
#[derive(Serialize, Debug)]
pub struct Reminder<'a> {
    /// Where the message is.
    pub channel_cid: &'a str,
    /// The channel's id within its type; the classic dialect alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<&'a str>,
    /// Which message.
    pub message_id: &'a str,
    /// Who saved it.
    pub user_id: &'a str,
    /// The same as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// When the user wants to be reminded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Time>,
    /// Since when it is saved.
    pub created_at: Time,
    /// When the moment was last set.
    pub updated_at: Time,
    /// The channel, where the answer is about reminders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Box<Channel<'a>>>,
    /// The message, where the answer is about reminders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<Message<'a>>>,
}

/// An answer with one reminder.
#[derive(Serialize, Debug)]
pub struct OneReminder<'a> {
    /// The reminder.
    pub reminder: Reminder<'a>,
}

/// What saving a message answers in v2: the reminder at the top, where older clients read it, and under its name (§11.14.5).
#[derive(Serialize, Debug)]
pub struct Saved<'a> {
    /// At the top.
    #[serde(flatten)]
    pub top: &'a Reminder<'a>,
    /// Under its name.
    pub reminder: &'a Reminder<'a>,
}

/// An answer with some reminders.
#[derive(Serialize, Debug)]
pub struct Reminders<'a> {
    /// The reminders.
    pub reminders: Vec<Reminder<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
