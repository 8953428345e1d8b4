//! What events are about that are about none of messages, reactions and members.

use ids::{ChannelId, MessageId, UserId};
use minicbor::{Decode, Encode};

use crate::{
    chat::{drafts::Draft, reminders::Reminder, user_groups::UserGroup},
    moderation::actions::Action,
    polls::{Poll, Vote},
    users::mutes::Mute,
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
    /// An item of the review queue, which is told as it stands then.
    #[n(4)]
    Review {
        /// Its id.
        #[n(0)]
        item: String,
        /// What was done about it, with the id of the note in the log.
        #[n(1)]
        action: Option<(String, Action)>,
    },
    /// An appeal, which is told as it stands then.
    #[n(5)]
    Appeal {
        /// Its id.
        #[n(0)]
        id: String,
    },
    /// How the event's user muted the channel.
    #[n(7)]
    Mute {
        /// How.
        #[n(0)]
        mute: Mute,
    },
    /// A group of users.
    #[n(6)]
    Group {
        /// Its id.
        #[n(0)]
        id: String,
        /// What it was.
        #[n(1)]
        group: UserGroup,
        /// Who came or went, where that is what happened.
        #[n(2)]
        members: Option<Vec<UserId>>,
    },
}

impl Matter {
    /// The same without what a poll says.
    pub(crate) fn without_words(self) -> Self {
        match self {
            Matter::Poll { id, poll, .. } => Matter::Poll { id, poll: poll.without_words(), vote: None },
            matter => matter,
        }
    }
}
