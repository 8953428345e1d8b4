//! Answering an invitation, and how a member sees the channel (chat §11.3, §12.22).

use ids::{ChannelId, Timestamp, UserId};

use super::{Invite, Member, add::told, load, put};
use crate::{
    Error, Result, Tx,
    chat::{
        channels::CUSTOM_BYTES_MAX,
        events::{self, Event},
    },
    custom::Edit,
};

/// Answers the invitation of `user`. Who is a member without one accepts nothing, and it is no error.
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) when the user is no member.
pub async fn answer(tx: &mut Tx, channel: &ChannelId, user: &UserId, accepts: bool, now: Timestamp) -> Result<()> {
    let before = load(tx, channel, user).await?;
    if !before.is_pending() {
        return Ok(());
    }
    let invite = Some(if accepts { Invite::Accepted(now) } else { Invite::Rejected(now) });
    let member = Member { invite, updated_at: now, ..before };
    put(tx, channel, user, &member);
    told(tx, "member.updated", channel, user, &member, now);
    let kind = if accepts { "notification.invite_accepted" } else { "notification.invite_rejected" };
    events::record(tx, Event::new(kind, now, Some(channel)).by(Some(user)).of_member(user, &member));
    Ok(())
}

/// What changes of one member.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Whether the member pins the channel.
    pub is_pinned: Option<bool>,
    /// Whether the member archives the channel.
    pub is_archived: Option<bool>,
    /// The role in the channel.
    pub channel_role: Option<String>,
    /// What changes of the application's own fields.
    pub edit: Edit,
}

/// Changes the member `user` of `channel`.
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) when the user is no member, or a path leads nowhere.
pub async fn patch(tx: &mut Tx, channel: &ChannelId, user: &UserId, patch: &Patch, now: Timestamp) -> Result<Member> {
    let mut member = load(tx, channel, user).await?;
    let since = |is_set: Option<bool>, before: Option<Timestamp>| match is_set {
        Some(true) => before.or(Some(now)),
        Some(false) => None,
        None => before,
    };
    member.pinned_at = since(patch.is_pinned, member.pinned_at);
    member.archived_at = since(patch.is_archived, member.archived_at);
    if let Some(role) = &patch.channel_role {
        member.channel_role.clone_from(role);
    }
    let mut custom = member.custom();
    patch.edit.apply(&mut custom)?;
    member.custom = custom.to_string();
    if member.custom.len() > CUSTOM_BYTES_MAX {
        return Err(Error::TooBig(format!("a member has at most {CUSTOM_BYTES_MAX} bytes of own fields")));
    }
    member.updated_at = now;
    put(tx, channel, user, &member);
    told(tx, "member.updated", channel, user, &member, now);
    Ok(member)
}
