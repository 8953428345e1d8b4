//! Members as a file brings them (chat §11.12): nobody is told.

use ids::{ChannelId, Timestamp, UserId, json::Object};
use store::Stamp;

use super::{Invite, Member, get, put};
use crate::{
    Result, Tx,
    chat::{
        channels::{self, Hidden},
        imports::{Outcome, Terms, absent},
        reads::Read,
    },
    keyspace::{Chat, HIDDEN, MEMBERS, MEMBERSHIP, READ},
    users,
};

/// A member as a file has it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Of which channel.
    pub channel: ChannelId,
    /// Who.
    pub user: UserId,
    /// The role in the channel; a plain member's, if absent.
    pub channel_role: Option<String>,
    /// Whether the member was invited, and what became of it.
    pub invite: Option<Invite>,
    /// Since when; since the import, if absent.
    pub created_at: Option<Timestamp>,
    /// When a field was last changed.
    pub updated_at: Option<Timestamp>,
    /// When the member pinned the channel.
    pub pinned_at: Option<Timestamp>,
    /// When the member archived the channel.
    pub archived_at: Option<Timestamp>,
    /// Messages up to this moment are hidden from the member.
    pub hides_before: Option<Timestamp>,
    /// Whether the member hid the channel until something is said.
    pub is_hidden: bool,
    /// How far the member has read; all there is at the import, if absent.
    pub last_read: Option<Timestamp>,
    /// The application's own fields.
    pub custom: Object,
}

/// Stores a member.
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) when the channel or the user is not there.
pub async fn import(tx: &mut Tx, given: &Imported, terms: Terms, now: Timestamp) -> Result<Outcome> {
    channels::get(tx, &given.channel).await?.ok_or_else(|| absent("channel_id", "channel"))?;
    users::get(tx, &given.user).await?.ok_or_else(|| absent("user_id", "user"))?;
    let known = get(tx, &given.channel, &given.user).await?;
    if known.is_some() && !terms.replaces {
        return Ok(Outcome::Skipped);
    }
    let (tenant, chat) = (tx.tenant(), Chat(given.channel.clone()));
    let (is_new, mut member) = (known.is_none(), known.unwrap_or_else(|| Member::new(now)));
    member.custom = terms.custom(member.custom(), &given.custom).to_string();
    member.channel_role = given.channel_role.clone().unwrap_or(member.channel_role);
    member.created_at = given.created_at.unwrap_or(member.created_at);
    member.updated_at = given.updated_at.or(given.created_at.filter(|_| is_new)).unwrap_or(now);
    member.invite = given.invite.or(member.invite);
    member.pinned_at = given.pinned_at.or(member.pinned_at);
    member.archived_at = given.archived_at.or(member.archived_at);
    member.hides_before = given.hides_before.or(member.hides_before);
    put(tx, &given.channel, &given.user, &member);
    let key = (chat.clone(), given.user.to_string());
    if is_new {
        MEMBERSHIP.put(tx, tenant, &(key.1.clone(), chat.clone()), &());
        MEMBERS.add(tx, tenant, &chat, 1);
    }
    if is_new || given.last_read.is_some() {
        // The messages of the file come later in commit order, so that those after this moment are unread.
        let until = given.last_read.is_some().then_some(Stamp::default().0);
        READ.put(tx, tenant, &key, &Read { until, ..Read::new(given.last_read.unwrap_or(now)) });
    }
    if given.is_hidden {
        HIDDEN.put(tx, tenant, &key, &Hidden { at: now });
    }
    Ok(if is_new { Outcome::Inserted } else { Outcome::Updated })
}
