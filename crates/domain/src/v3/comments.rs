//! Comments on activities, in threads (feeds-v3 §3.4).
//!
//! A comment is one record, and one row in the thread that it is in. A comment that was deleted while others had replied to
//! it is shown as a **stub**, without words and, when it was deleted for good, without an author. Whether it is shown is
//! found out when it is read: it is as long as a comment below it is.

mod change;
mod erase;
mod list;
mod threads;

pub(super) use change::translate;
pub use change::{Change, Draft, add, add_preview, delete, restore, update};
pub(crate) use erase::{clear, erase};
pub use list::{LATEST, Order, SCHEMA, Scored, Shown, gather, latest, of_user, query};
pub use threads::{Asked, Meta, Node, REPLIES_LIMIT, THREAD_DEPTH, THREAD_DEPTH_MAX, thread};

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::{
    activities::Tally,
    objects::{ID_BYTES_MAX, Object, count},
};
use crate::{
    Error, Result, Tx,
    keyspace::{At, V3_COMMENT, V3_COMMENT_ORDER, V3_COMMENTED},
};

/// The longest text of a comment, in bytes.
pub const TEXT_BYTES_MAX: usize = 20_000;
/// The most bytes of a comment's own fields.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most attachments of a comment.
pub const ATTACHMENTS_MAX: usize = 30;
/// The most bytes of all attachments of a comment.
pub const ATTACHMENTS_BYTES_MAX: usize = 40_000;
/// The most bytes of all that a comment says, with its translations.
pub const BYTES_MAX: usize = 65 * 1024;
/// The most users that a comment mentions.
pub const MENTIONS_MAX: usize = 100;
/// How deep replies nest at most.
pub const NESTING_MAX: u16 = 100;

/// A comment.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Comment {
    /// The activity that it is about.
    #[n(0)]
    pub activity: String,
    /// The comment that it replies to.
    #[n(1)]
    pub parent: Option<String>,
    /// Who wrote it; nobody, if it was deleted for good.
    #[n(2)]
    pub user: Option<UserId>,
    /// What it says.
    #[n(3)]
    pub text: String,
    /// Attachments: JSON objects, in the classic shape.
    #[n(4)]
    pub attachments: Vec<String>,
    /// Whom it mentions.
    #[n(5)]
    pub mentioned: Vec<UserId>,
    /// The application's own fields: a JSON object, as it was sent; empty when none were.
    #[n(6)]
    pub custom: String,
    /// How moderation left it.
    #[n(7)]
    pub status: Status,
    /// How many comments are above it.
    #[n(8)]
    pub depth: u16,
    /// Since when.
    #[n(9)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(10)]
    pub updated_at: Timestamp,
    /// When its text or attachments were last changed.
    #[n(11)]
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    #[n(12)]
    pub deleted_at: Option<Timestamp>,
    /// Whether it was deleted with its author's feed data, and never comes back.
    #[n(13)]
    pub is_erased: bool,
    /// The text in other languages, until it is another text: names and texts, as the API's `i18n` has them.
    #[n(14)]
    #[cbor(default)]
    pub translations: Vec<(String, String)>,
}

/// How moderation left a comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// Everybody sees it.
    #[default]
    #[n(0)]
    Active,
    /// It was taken down.
    #[n(1)]
    Removed,
    /// It is hidden.
    #[n(2)]
    Hidden,
}

impl Comment {
    /// Whether it says what it says; else it is a stub, or not shown at all.
    pub fn is_live(&self) -> bool {
        self.deleted_at.is_none() && self.status == Status::Active
    }

    /// The API's `status`.
    pub fn status(&self) -> &'static str {
        match (self.deleted_at, self.status) {
            (Some(_), _) => "deleted",
            (None, Status::Active) => "active",
            (None, Status::Removed) => "removed",
            (None, Status::Hidden) => "hidden",
        }
    }

    /// How many bytes it says, with its translations.
    pub(super) fn bytes(&self) -> usize {
        let texts = self.attachments.iter().chain(self.translations.iter().map(|(_, text)| text));
        self.text.len() + self.custom.len() + texts.map(String::len).sum::<usize>()
    }

    /// Whether `user` wrote it.
    pub fn is_of(&self, user: &UserId) -> bool {
        self.user.as_ref() == Some(user)
    }

    /// What is left of it for those who see that something was there.
    pub(super) fn without_words(&self) -> Comment {
        Comment {
            text: String::new(),
            attachments: Vec::new(),
            mentioned: Vec::new(),
            custom: String::new(),
            translations: Vec::new(),
            ..self.clone()
        }
    }
}

/// The comment `id`, also if it was deleted.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Comment>> {
    let tenant = tx.tenant();
    Ok(V3_COMMENT.get(tx, tenant, &id.to_owned()).await?)
}

/// The comment `id`, unless it was deleted or taken down.
///
/// # Errors
/// [`Error::Absent`] when it is not there.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Comment> {
    get(tx, id).await?.filter(Comment::is_live).ok_or_else(|| absent(id))
}

/// That there is no comment `id`.
pub fn absent(id: &str) -> Error {
    Error::Absent(format!("comment with id '{id}' not found"))
}

fn put(tx: &mut Tx, id: &str, comment: &Comment) {
    let tenant = tx.tenant();
    V3_COMMENT.put(tx, tenant, &id.to_owned(), comment);
}

/// The place of a comment in its thread.
fn place(id: &str, comment: &Comment) -> (String, String, At, String) {
    let parent = comment.parent.clone().unwrap_or_default();
    (comment.activity.clone(), parent, At(comment.created_at), id.to_owned())
}

/// Puts a new comment among those of its thread and of its author.
fn enlist(tx: &mut Tx, id: &str, comment: &Comment) {
    let tenant = tx.tenant();
    V3_COMMENT_ORDER.put(tx, tenant, &place(id, comment), &());
    if let Some(user) = &comment.user {
        V3_COMMENTED.put(tx, tenant, &(user.to_string(), At(comment.created_at), id.to_owned()), &());
    }
}

fn delist(tx: &mut Tx, id: &str, comment: &Comment) {
    let tenant = tx.tenant();
    V3_COMMENT_ORDER.delete(tx, tenant, &place(id, comment));
    if let Some(user) = &comment.user {
        V3_COMMENTED.delete(tx, tenant, &(user.to_string(), At(comment.created_at), id.to_owned()));
    }
}

/// Counts a comment that is live from now on, or with -1 no longer: for its activity, and for the comment above it.
async fn tally(tx: &mut Tx, comment: &Comment, delta: i64) -> Result<()> {
    count(tx, &Object::Activity(comment.activity.clone()), Tally::Comments, delta).await?;
    match &comment.parent {
        Some(parent) => count(tx, &Object::Comment(parent.clone()), Tally::Comments, delta).await,
        None => Ok(()),
    }
}

/// Checks an id that a caller chose.
fn check_id(id: &str) -> Result<()> {
    match id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
        true => Err(Error::Unfit(format!("id must have 1 to {ID_BYTES_MAX} bytes and no control characters"))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
