//! Threads: what is said in reply to one message (chat §6.13, §12.8).
//!
//! The first reply makes the thread. When its last reply came, how many there are and what is unread are read from the
//! replies; a reply never writes the row of the thread that it joins.

mod change;
mod import;
mod query;

pub(in crate::chat) use import::import_reply;
pub(in crate::chat) use query::Places;

pub use change::{Patch, mark_read, mark_unread, update};
pub use query::{Counted, THREADS, Unread, query, read, unread, unread_of};

use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use crate::{
    Result, Tx,
    keyspace::{PARTICIPANT, PARTICIPATION, THREAD},
};

/// A thread, by the message that it hangs on.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Thread {
    /// Where it is.
    #[n(0)]
    pub channel: ChannelId,
    /// Who replied first.
    #[n(1)]
    pub created_by: Option<UserId>,
    /// When the first reply came.
    #[n(2)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(3)]
    pub updated_at: Timestamp,
    /// The title, where somebody gave one; else it is the text of the message.
    #[n(4)]
    pub title: Option<String>,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(5)]
    pub custom: String,
}

impl Thread {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// How a user takes part in a thread.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Participant {
    /// Since when.
    #[n(0)]
    pub created_at: Timestamp,
    /// How far the user has read.
    #[n(1)]
    pub last_read: Timestamp,
    /// When the user last replied.
    #[n(2)]
    pub last_reply: Option<Timestamp>,
    /// The last reply that the user has read.
    #[n(3)]
    pub last_read_message: Option<MessageId>,
}

/// The thread that hangs on `parent`, if somebody replied.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, parent: &MessageId) -> Result<Option<Thread>> {
    let tenant = tx.tenant();
    Ok(THREAD.get(tx, tenant, &parent.to_string()).await?)
}

/// Makes `user` a participant of the thread on `parent`, who has read it until `now`.
///
/// # Errors
/// When the store fails.
pub(super) async fn join(
    tx: &mut Tx,
    parent: &MessageId,
    user: &UserId,
    reply: Option<&MessageId>,
    now: Timestamp,
) -> Result<()> {
    let (tenant, key) = (tx.tenant(), (parent.to_string(), user.to_string()));
    let mut participant = match PARTICIPANT.get(tx, tenant, &key).await? {
        Some(_) if reply.is_none() => return Ok(()),
        Some(known) => known,
        None => {
            PARTICIPATION.put(tx, tenant, &(user.to_string(), parent.to_string()), &());
            Participant { created_at: now, last_read: now, last_reply: None, last_read_message: None }
        }
    };
    if let Some(reply) = reply {
        participant.last_read = now;
        participant.last_reply = Some(now);
        participant.last_read_message = Some(reply.clone());
    }
    PARTICIPANT.put(tx, tenant, &key, &participant);
    Ok(())
}

#[cfg(test)]
mod tests;
