//! Threads: `POST /threads`, `GET /threads/{message_id}` and `PATCH /threads/{message_id}` (chat §6.13, §11.5).

use serde::Serialize;

use super::{
    channels::{Channel, Read},
    dialect::{Members, Time},
    drafts::Draft,
    messages::Message,
    users::User,
};

/// A thread.
#[derive(Serialize, Debug)]
pub struct Thread<'a> {
    /// Where it is.
    pub channel_cid: &'a str,
    /// The same as an object.
    pub channel: Channel<'a>,
    /// The message that it hangs on.
    pub parent_message_id: &'a str,
    /// The same as an object.
    pub parent_message: Message<'a>,
    /// Who replied first.
    pub created_by_user_id: &'a str,
    /// The same as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<User<'a>>,
    /// The title.
    pub title: &'a str,
    /// How many replies there are.
    pub reply_count: i64,
    /// How many take part.
    pub participant_count: usize,
    /// How many of them are still there.
    pub active_participant_count: usize,
    /// Who takes part.
    pub thread_participants: Vec<Participant<'a>>,
    /// When the last reply came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Time>,
    /// When the first reply came.
    pub created_at: Time,
    /// When a field was last changed.
    pub updated_at: Time,
    /// The newest replies, the oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_replies: Option<Vec<Message<'a>>>,
    /// How far participants have read; the app's own server reads it in v2 alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Vec<Read<'a>>>,
    /// What the asking user has begun to write in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft<'a>>,
    /// The application's own fields, which stand together in both dialects.
    pub custom: Members<'a>,
}

/// Who takes part in a thread.
#[derive(Serialize, Debug)]
pub struct Participant<'a> {
    /// The message that it hangs on.
    pub thread_id: &'a str,
    /// Where it is.
    pub channel_cid: &'a str,
    /// Who.
    pub user_id: &'a str,
    /// The same as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// Since when.
    pub created_at: Time,
    /// How far the user has read.
    pub last_read_at: Time,
    /// When the user last replied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_thread_message_at: Option<Time>,
    /// Nothing; v2 clients want an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Empty>,
}

/// An object with nothing in it.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Empty {}

/// An answer with one thread.
#[derive(Serialize, Debug)]
pub struct OneThread<'a> {
    /// The thread.
    pub thread: Thread<'a>,
}

/// An answer with some threads.
#[derive(Serialize, Debug)]
pub struct Threads<'a> {
    /// The threads.
    pub threads: Vec<Thread<'a>>,
    /// What asks for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What asks for the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}
