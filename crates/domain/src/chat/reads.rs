//! How far members have read (chat §6.10, §12.1).
//!
//! A mark is one row, and its stamp is its place in commit order: unread is what came later in commit order. A message
//! that was on its way while its reader marked the channel read is unread, whatever the clocks say.

use ids::{MessageId, Timestamp};
use minicbor::{Decode, Encode};

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
