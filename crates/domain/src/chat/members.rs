//! Members of channels (chat §6.6).

mod add;
mod change;
pub mod import;
mod list;
mod query;

pub(in crate::chat) use add::leave;
pub use add::{Newcomer, Terms, add, assign, invite, remove};
pub use change::{Patch, answer, patch};
pub use list::{LIST_MAX, all, count, list};
pub use query::{OFFSET_MAX, Query, SCHEMA, query};

use ids::{ChannelId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use crate::{
    Error, Result, Tx,
    keyspace::{Chat, MEMBER},
    users::Ban,
};

/// The channel role of a member of whom nobody said anything else.
pub const ROLE: &str = "channel_member";
/// The channel role of a moderator.
pub const MODERATOR: &str = "channel_moderator";

/// A member of a channel, and how the member sees it.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Member {
    /// The role in the channel.
    #[n(0)]
    pub channel_role: String,
    /// Since when.
    #[n(1)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(2)]
    pub updated_at: Timestamp,
    /// Whether the member was invited, and what became of it.
    #[n(3)]
    pub invite: Option<Invite>,
    /// When the member pinned the channel.
    #[n(4)]
    pub pinned_at: Option<Timestamp>,
    /// When the member archived the channel.
    #[n(5)]
    pub archived_at: Option<Timestamp>,
    /// Messages up to this moment are hidden from the member.
    #[n(7)]
    pub hides_before: Option<Timestamp>,
    /// The ban from this channel.
    #[n(8)]
    pub ban: Option<Ban>,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(9)]
    pub custom: String,
    /// When the member was last reminded of what is unread here.
    #[n(10)]
    pub reminded_at: Option<Timestamp>,
}

/// An invitation to a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Invite {
    /// Nothing was answered yet.
    #[n(0)]
    Pending,
    /// It was accepted.
    #[n(1)]
    Accepted(#[n(0)] Timestamp),
    /// It was rejected.
    #[n(2)]
    Rejected(#[n(0)] Timestamp),
}

impl Member {
    /// A plain member from `now` on.
    pub fn new(now: Timestamp) -> Self {
        Member {
            channel_role: ROLE.to_owned(),
            created_at: now,
            updated_at: now,
            invite: None,
            pinned_at: None,
            archived_at: None,
            hides_before: None,
            ban: None,
            custom: "{}".to_owned(),
            reminded_at: None,
        }
    }

    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }

    /// Whether an invitation still waits for its answer.
    pub fn is_pending(&self) -> bool {
        self.invite == Some(Invite::Pending)
    }
}

/// The member `user` of `channel`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, channel: &ChannelId, user: &UserId) -> Result<Option<Member>> {
    let tenant = tx.tenant();
    Ok(MEMBER.get(tx, tenant, &(Chat(channel.clone()), user.to_string())).await?)
}

/// The members `users` of `channel`, in their order.
///
/// # Errors
/// When the store fails.
pub async fn get_many(tx: &mut Tx, channel: &ChannelId, users: &[UserId]) -> Result<Vec<Option<Member>>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = users.iter().map(|user| (Chat(channel.clone()), user.to_string())).collect();
    Ok(MEMBER.get_many(tx, tenant, &keys).await?)
}

/// The member `user` of `channel`.
///
/// # Errors
/// [`Error::Unfit`] when the user is no member.
pub async fn load(tx: &mut Tx, channel: &ChannelId, user: &UserId) -> Result<Member> {
    let member = get(tx, channel, user).await?;
    member.ok_or_else(|| Error::Unfit(format!("user '{user}' is not a member of the channel '{channel}'")))
}

/// Notes how `user` is banned from `channel`, if it is a member: bans are told with members.
pub(crate) async fn set_ban(tx: &mut Tx, channel: &ChannelId, user: &UserId, ban: Option<&Ban>) -> Result<()> {
    if let Some(member) = get(tx, channel, user).await? {
        put(tx, channel, user, &Member { ban: ban.cloned(), ..member });
    }
    Ok(())
}

/// Writes the member.
pub(in crate::chat) fn put(tx: &mut Tx, channel: &ChannelId, user: &UserId, member: &Member) {
    let tenant = tx.tenant();
    MEMBER.put(tx, tenant, &(Chat(channel.clone()), user.to_string()), member);
}
