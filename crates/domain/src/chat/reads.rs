//! How far members have read (chat §6.10, §12.1).
//!
//! A mark is one row, and its stamp is its place in commit order: unread is what came later in commit order. A message
//! that was on its way while its reader marked the channel read is unread, whatever the clocks say.

mod mark;
mod unread;
mod window;

pub use mark::{From, deliver, mark_read, mark_unread};
pub use unread::{Reader, Total, last_message_at, memberships, newest_unread, total, total_of, unread};
pub use window::{Messages, Row, WINDOW_ROWS, load};

use ids::{ChannelId, MessageId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::Stamped;

use crate::{
    Result, Tx,
    keyspace::{Chat, READ},
};

/// How far a member has read; see the stamp of the row.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Read {
    /// When the member read.
    #[n(0)]
    pub last_read: Timestamp,
    /// The last message that was read.
    #[n(1)]
    pub last_read_message: Option<MessageId>,
    /// Where in commit order the mark was set back to, when a message was marked unread: then this counts, not the stamp.
    #[n(2)]
    pub until: Option<u64>,
    /// When something was last delivered to the member.
    #[n(3)]
    pub last_delivered: Option<Timestamp>,
    /// The last message that was delivered.
    #[n(4)]
    pub last_delivered_message: Option<MessageId>,
}

impl Read {
    /// A mark at `now`: all that was committed before is read.
    pub fn new(now: Timestamp) -> Self {
        Read {
            last_read: now,
            last_read_message: None,
            until: None,
            last_delivered: None,
            last_delivered_message: None,
        }
    }
}

/// The marks of `users` in `channel`, in their order.
///
/// # Errors
/// When the store fails.
pub async fn get_many(tx: &mut Tx, channel: &ChannelId, users: &[UserId]) -> Result<Vec<Option<Stamped<Read>>>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = users.iter().map(|user| (Chat(channel.clone()), user.to_string())).collect();
    Ok(READ.get_many(tx, tenant, &keys).await?)
}

#[cfg(test)]
mod tests;
