//! What events are about that are about none of messages, reactions and members.

use ids::{ChannelId, MessageId};
use minicbor::{Decode, Encode};

use crate::{
    chat::{drafts::Draft, reminders::Reminder},
    polls::{Poll, Vote},
};

/// What beside messages an event is about, as it was then. Whose it is, is the event's user.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Matter {
    /// Something that somebody has begun to write.
    #[n(0)]
    Draft {
        /// In which thread; in the channel itself, if absent.
        #[n(0)]
        parent: Option<MessageId>,
        /// What.
        #[n(1)]
        draft: Draft,
    },
    /// A message that somebody saved for later.
    #[n(1)]
    Reminder {
        /// Which.
        #[n(0)]
        message: MessageId,
        /// How.
        #[n(1)]
        reminder: Reminder,
    },
    /// What a user has not read.
    #[n(3)]
    Unread {
        /// Channels, with messages of each.
        #[n(0)]
        channels: Vec<(ChannelId, Vec<MessageId>)>,
    },
    /// A poll.
    #[n(2)]
    Poll {
        /// Its id.
        #[n(0)]
        id: String,
        /// What it said.
        #[n(1)]
        poll: Poll,
        /// The vote that was cast, changed or removed, with its id.
        #[n(2)]
        vote: Option<(String, Vote)>,
    },
}
