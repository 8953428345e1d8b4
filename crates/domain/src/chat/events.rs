//! What clients may notice, as records in the commit that caused it (chat §10).
//!
//! An event holds what it says of its cause, for that may be gone when the event is told. What depends on the receiver
//! (unread counts, watcher counts) is added when it is told.
//!
//! Who hears of an event (chat §10.1): the users in `only_for`, if there are any; else those who watch the channel; else,
//! where there is no channel, `user` itself and whoever follows its presence. From some events the socket side makes
//! another for members who do not watch: `notification.message_new` from `message.new`, and
//! `notification.channel_deleted` and `notification.channel_truncated`. All other `notification.…` events are recorded
//! beside their cause, with `only_for`.

mod matter;
mod missed;
mod origin;

pub use matter::Matter;
pub use missed::missed;
pub use origin::Origin;

use ids::{ChannelId, MessageId, Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::{members::Member, messages::Message, reactions::Reaction};
use crate::{
    Tx,
    log::{self, Event as Logged},
};

/// Something that happened.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Event {
    /// The type, by its name in the API: `message.new`.
    #[n(0)]
    pub kind: String,
    /// When.
    #[n(1)]
    pub at: Timestamp,
    /// Where; absent for what happens to users outside of channels.
    #[n(2)]
    pub channel: Option<ChannelId>,
    /// Who did it, or to whom it happened: what the API shows as `user`.
    #[n(3)]
    pub user: Option<UserId>,
    /// For whom alone it is; for whoever watches the channel, if empty.
    #[n(4)]
    pub only_for: Vec<UserId>,
    /// The message that it is about, as it was then.
    #[n(5)]
    pub message: Option<Box<(MessageId, Message)>>,
    /// The reaction that it is about: type, who, and what.
    #[n(6)]
    pub reaction: Option<(String, UserId, Reaction)>,
    /// The member that it is about.
    #[n(7)]
    pub member: Option<(UserId, Member)>,
    /// Another user that it is about: the API's `target_user` or `created_by`.
    #[n(8)]
    pub other: Option<UserId>,
    /// More members of the event: a JSON object in the classic shape, such as `{"hard_delete":true}`; for an event of the
    /// application's own, all of it.
    #[n(9)]
    pub more: String,
    /// What of the feeds v3 it is about.
    #[n(10)]
    pub feeds: Option<Box<crate::v3::events::Subject>>,
    /// What beside messages it is about.
    #[n(11)]
    pub matter: Option<Box<Matter>>,
    /// How the call came that it happened by, in apps that have hooks.
    #[n(12)]
    pub origin: Option<Box<Origin>>,
}

impl Event {
    /// An event of which only the type, the time and the place are known.
    pub fn new(kind: &str, at: Timestamp, channel: Option<&ChannelId>) -> Self {
        Event {
            kind: kind.to_owned(),
            at,
            channel: channel.cloned(),
            user: None,
            only_for: Vec::new(),
            message: None,
            reaction: None,
            member: None,
            other: None,
            more: "{}".to_owned(),
            feeds: None,
            matter: None,
            origin: None,
        }
    }

    /// Whether what a channel shows of its messages is another after it.
    pub fn changes_messages(&self) -> bool {
        let is_about_readers = matches!(self.kind.as_str(), "message.read" | "message.delivered");
        (self.kind.starts_with("message.") && !is_about_readers) || self.kind.starts_with("channel.")
    }

    /// The same by `user`.
    #[must_use]
    pub fn by(self, user: Option<&UserId>) -> Self {
        Event { user: user.cloned(), ..self }
    }

    /// The same about this message.
    #[must_use]
    pub fn about(self, id: &MessageId, message: &Message) -> Self {
        Event { message: Some(Box::new((id.clone(), message.clone()))), ..self }
    }

    /// The same about this member.
    #[must_use]
    pub fn of_member(self, user: &UserId, member: &Member) -> Self {
        Event { member: Some((user.clone(), member.clone())), ..self }
    }

    /// The same about something beside messages.
    #[must_use]
    pub fn on(self, matter: Matter) -> Self {
        Event { matter: Some(Box::new(matter)), ..self }
    }

    /// The same, for these users alone.
    #[must_use]
    pub fn only_for(self, users: impl IntoIterator<Item = UserId>) -> Self {
        Event { only_for: users.into_iter().collect(), ..self }
    }

    /// The same with more members: a JSON object.
    #[must_use]
    pub fn with(self, more: impl Into<String>) -> Self {
        Event { more: more.into(), ..self }
    }
}

/// Writes `event` into the log of the commit, with how the call came that it happens by.
pub fn record(tx: &mut Tx, event: Event) {
    let origin = event.origin.or_else(|| tx.app.origin.as_deref().cloned().map(Box::new));
    let event = Event { origin, ..event };
    log::record(tx, &Logged::Chat(Box::new(event)));
}
