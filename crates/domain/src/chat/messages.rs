//! Messages (chat §6.7, §11.4, §12).
//!
//! **Invariant:** a message that others may see has one row in `CHANNEL_MESSAGE`, unless it shows in its thread alone, and
//! one in `REPLY` if it has a parent. One that waits to be committed, and an ephemeral one, has neither.

mod change;
mod commands;
mod delete;
mod draft;
mod history;
pub mod import;
mod kept;
mod page;
mod pending;
mod preview;
mod read;
mod scene;
mod send;
mod shadow;
mod translate;
mod views;

pub use change::{Change, Patch, answer, commit, release, update};
pub use delete::{delete, delete_for, delete_for_good, undelete};
pub(crate) use delete::{erase, mark, unmark};
pub use draft::Draft;
pub use history::{HISTORY, Written, history};
pub(crate) use kept::{KEPT_ROWS, forget_kept};
pub use page::{Edge, Page, Part, Viewer, page, pinned, replies};
pub use pending::expire_due;
pub use preview::{add_preview, link};
pub use read::{read, read_many};
pub use scene::Scene;
pub use send::send;
pub use shadow::shadow;
pub use translate::translate;
pub(in crate::chat) use views::reacted;
pub use views::{Author, Beside, Group, Reacted, Shown, Tally, gather, include_member_custom};

use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use super::{
    events::{self, Event},
    locations::{self, Location},
};
use crate::{Error, Result, Tx, keyspace::MESSAGE};

/// What kind of message it is (chat §6.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// What somebody said in the channel.
    #[n(0)]
    Regular,
    /// What somebody said in a thread.
    #[n(1)]
    Reply,
    /// What the application noted.
    #[n(2)]
    System,
    /// What only its author sees, until it is sent.
    #[n(3)]
    Ephemeral,
    /// What was refused, told to its author.
    #[n(4)]
    Error,
}

/// A message. Reactions and replies are counted, not stored here.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Message {
    /// Where it was said.
    #[n(0)]
    pub channel: ChannelId,
    /// Who said it.
    #[n(1)]
    pub user: Option<UserId>,
    /// What kind it is, whatever became of it.
    #[n(2)]
    pub kind: Kind,
    /// The text.
    #[n(3)]
    pub text: String,
    /// The text as HTML, where the application gave it; else it is made from the text.
    #[n(4)]
    pub html: Option<String>,
    /// The markup of the application's own.
    #[n(5)]
    pub mml: Option<String>,
    /// Attachments: each a JSON object in the classic shape.
    #[n(6)]
    pub attachments: Vec<String>,
    /// Whom it names.
    #[n(7)]
    pub mentioned: Vec<UserId>,
    /// The message that it replies to, in a thread.
    #[n(8)]
    pub parent: Option<MessageId>,
    /// Whether a reply shows in the channel, too.
    #[n(9)]
    pub shows_in_channel: bool,
    /// The message that it quotes.
    #[n(10)]
    pub quoted: Option<MessageId>,
    /// Whether it counts for nobody as unread.
    #[n(11)]
    pub is_silent: bool,
    /// Whether only its author sees it.
    #[n(12)]
    pub is_shadowed: bool,
    /// Since when and by whom it is pinned.
    #[n(13)]
    pub pin: Option<Pin>,
    /// Who may see it; everybody, if empty.
    #[n(14)]
    pub visible_to: Vec<UserId>,
    /// `<language>_text` → text, and `language`.
    #[n(15)]
    pub translations: Vec<(String, String)>,
    /// The slash command that made it, with its arguments.
    #[n(16)]
    pub command: Option<(String, String)>,
    /// When it was said.
    #[n(17)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(18)]
    pub updated_at: Timestamp,
    /// When the text was last changed.
    #[n(19)]
    pub text_updated_at: Option<Timestamp>,
    /// When it was deleted.
    #[n(20)]
    pub deleted_at: Option<Timestamp>,
    /// What a message that waits to be committed was sent with; absent for one that waits no more.
    #[n(21)]
    pub pending: Option<Vec<(String, String)>>,
    /// The poll that it shows.
    #[n(22)]
    pub poll: Option<String>,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(23)]
    pub custom: String,
    /// Whether it names all members.
    #[n(24)]
    #[cbor(default)]
    pub mentions_channel: bool,
    /// Whether it names all who are there.
    #[n(25)]
    #[cbor(default)]
    pub mentions_here: bool,
    /// Who wrote the text as it is now; its author, if nobody changed it.
    #[n(26)]
    pub edited_by: Option<UserId>,
    /// Where its author is.
    #[n(27)]
    pub location: Option<Location>,
    /// The roles whose holders it names.
    #[n(28)]
    #[cbor(default)]
    pub mentioned_roles: Vec<String>,
    /// The groups of users that it names.
    #[n(29)]
    #[cbor(default)]
    pub mentioned_groups: Vec<String>,
    /// Why moderation refused it: of a [`Kind::Error`] alone, which is stored nowhere.
    #[n(30)]
    pub moderation: Option<Moderation>,
}

/// Why a message was refused by moderation (chat §6.7).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Moderation {
    /// `bounce` or `remove`.
    #[n(0)]
    pub action: String,
    /// What its author said.
    #[n(1)]
    pub original_text: String,
    /// The blocklists that found something in it.
    #[n(2)]
    pub blocklists: Vec<String>,
}

/// An older version of a message (chat §6.15).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Version {
    /// Who wrote it.
    #[n(0)]
    pub by: Option<UserId>,
    /// The text.
    #[n(1)]
    pub text: String,
    /// Attachments: each a JSON object in the classic shape.
    #[n(2)]
    pub attachments: Vec<String>,
    /// The application's own fields: a JSON object.
    #[n(3)]
    pub custom: String,
    /// Whether the message was deleted then.
    #[n(4)]
    pub is_deleted: bool,
}

/// How a message is pinned.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Pin {
    /// Since when.
    #[n(0)]
    pub at: Timestamp,
    /// By whom.
    #[n(1)]
    pub by: Option<UserId>,
    /// Until when; for good, if absent.
    #[n(2)]
    pub expires: Option<Timestamp>,
}

impl Pin {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// How a message stands in a list: all that counting needs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Listed {
    /// Who said it.
    #[n(0)]
    pub user: Option<UserId>,
    /// Whether it counts as unread for others.
    #[n(1)]
    pub counts: bool,
    /// Whether it makes the channel the latest.
    #[n(2)]
    pub is_last: bool,
    /// Who may see it; everybody, if empty.
    #[n(3)]
    pub visible_to: Vec<UserId>,
}

impl Listed {
    /// Whether `user` may see it.
    pub fn is_visible_to(&self, user: &UserId) -> bool {
        self.visible_to.is_empty() || self.visible_to.contains(user) || self.user.as_ref() == Some(user)
    }
}

impl Message {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// The message `id`, deleted or not.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &MessageId) -> Result<Option<Message>> {
    let tenant = tx.tenant();
    Ok(MESSAGE.get(tx, tenant, &id.to_string()).await?)
}

/// The message `id`, deleted or not.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &MessageId) -> Result<Message> {
    get(tx, id).await?.ok_or_else(|| Error::Absent(format!("Message with id {id} doesn't exist")))
}

/// Stores a message that nobody edited, but that was changed at `now`, and tells who watches.
fn put_changed(tx: &mut Tx, id: &MessageId, message: &mut Message, now: Timestamp) {
    message.updated_at = now;
    let tenant = tx.tenant();
    MESSAGE.put(tx, tenant, &id.to_string(), message);
    let event = Event::new("message.updated", now, Some(&message.channel)).by(message.user.as_ref());
    events::record(tx, event.about(id, message));
}

/// Whether the message waits to be committed, or is for its author's eyes only.
pub fn is_private(message: &Message) -> bool {
    message.pending.is_some() || message.is_shadowed || matches!(message.kind, Kind::Ephemeral | Kind::Error)
}

/// Takes the location of a message out of the lists of what is live.
pub(crate) fn unlist_location(tx: &mut Tx, id: &MessageId, message: &Message) {
    locations::unlist(tx, id, message);
}

/// Whether `user` may see `message`, who may read its channel.
pub fn is_visible(message: &Message, user: &UserId) -> bool {
    let is_author = message.user.as_ref() == Some(user);
    is_author || (!is_private(message) && (message.visible_to.is_empty() || message.visible_to.contains(user)))
}

#[cfg(test)]
mod tests;
