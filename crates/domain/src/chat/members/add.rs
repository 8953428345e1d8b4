//! Coming and going.

use ids::{ChannelId, Timestamp, UserId, json::Object};

use super::{Invite, Member, get, load, put};
use crate::{
    Result, Tx,
    chat::{
        events::{self, Event},
        reads,
    },
    keyspace::{Chat, HIDDEN, MEMBER, MEMBERS, MEMBERSHIP, READ},
    users,
};

/// A user who is to be a member.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Who.
    pub user: UserId,
    /// The role in the channel; for one who is a member already, absent leaves it as it is.
    pub channel_role: Option<String>,
    /// The application's own fields; those named are set.
    pub custom: Object,
}

impl Newcomer {
    /// One of whom nothing else is said.
    pub fn plain(user: UserId) -> Self {
        Newcomer { user, channel_role: None, custom: Object::default() }
    }
}

/// How members come.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Messages up to this moment are hidden from them.
    pub hides_before: Option<Timestamp>,
    /// Whether unknown users are made: the app's own server calls.
    pub makes_users: bool,
}

/// Makes `newcomers` members of `channel`; who is one already gets the role and the fields that are given. Who blocks the
/// user that adds does not come, and nobody is told (chat §12.18).
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) for a deleted user, [`Error::Absent`](crate::Error::Absent) for an unknown one whom nobody makes.
pub async fn add(
    tx: &mut Tx,
    channel: &ChannelId,
    newcomers: &[Newcomer],
    terms: &Terms,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<()> {
    for newcomer in newcomers {
        match get(tx, channel, &newcomer.user).await? {
            None if blocks(tx, &newcomer.user, by).await? => {}
            None => {
                let member = join(tx, channel, newcomer, terms, None, now).await?;
                let event = |kind| Event::new(kind, now, Some(channel)).of_member(&newcomer.user, &member);
                events::record(tx, event("member.added").by(by.or(Some(&newcomer.user))));
                let alone = event("notification.added_to_channel").only_for([newcomer.user.clone()]);
                events::record(tx, alone.by(by));
            }
            Some(before) => {
                let mut member = changed(&before, newcomer);
                if member.is_pending() {
                    member.invite = None;
                }
                if member != before {
                    member.updated_at = now;
                    put(tx, channel, &newcomer.user, &member);
                    told(tx, "member.updated", channel, &newcomer.user, &member, now);
                }
            }
        }
    }
    Ok(())
}

/// Gives members roles.
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) when one is no member.
pub async fn assign(tx: &mut Tx, channel: &ChannelId, roles: &[Newcomer], now: Timestamp) -> Result<()> {
    for given in roles {
        let before = load(tx, channel, &given.user).await?;
        let member = Member { updated_at: now, ..changed(&before, given) };
        put(tx, channel, &given.user, &member);
        told(tx, "member.updated", channel, &given.user, &member, now);
    }
    Ok(())
}

/// Invites `newcomers`: members whose invitation is pending.
///
/// # Errors
/// As [`add`].
pub async fn invite(
    tx: &mut Tx,
    channel: &ChannelId,
    newcomers: &[Newcomer],
    terms: &Terms,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<()> {
    for newcomer in newcomers {
        let user = &newcomer.user;
        let member = match get(tx, channel, user).await? {
            None if blocks(tx, user, by).await? => continue,
            None => {
                let member = join(tx, channel, newcomer, terms, Some(Invite::Pending), now).await?;
                told(tx, "member.added", channel, user, &member, now);
                member
            }
            Some(before) if matches!(before.invite, Some(Invite::Pending | Invite::Accepted(_))) => continue,
            Some(before) => {
                let member = Member { invite: Some(Invite::Pending), updated_at: now, ..changed(&before, newcomer) };
                put(tx, channel, user, &member);
                told(tx, "member.updated", channel, user, &member, now);
                member
            }
        };
        let event = Event::new("notification.invited", now, Some(channel)).by(by).of_member(user, &member);
        events::record(tx, event.only_for([user.clone()]));
    }
    Ok(())
}

/// Whether `user` blocks `other`.
async fn blocks(tx: &mut Tx, user: &UserId, other: Option<&UserId>) -> Result<bool> {
    let Some(other) = other.filter(|other| *other != user) else { return Ok(false) };
    Ok(users::get(tx, user).await?.is_some_and(|user| user.has_blocked(other)))
}

/// Tells whoever watches what became of a member.
pub(super) fn told(tx: &mut Tx, kind: &str, channel: &ChannelId, user: &UserId, member: &Member, now: Timestamp) {
    events::record(tx, Event::new(kind, now, Some(channel)).by(Some(user)).of_member(user, member));
}

fn changed(before: &Member, newcomer: &Newcomer) -> Member {
    let mut member = before.clone();
    if let Some(role) = &newcomer.channel_role {
        member.channel_role.clone_from(role);
    }
    let mut custom = member.custom();
    for (name, value) in newcomer.custom.iter() {
        custom.set(name, value.to_owned());
    }
    member.custom = custom.to_string();
    member
}

/// Writes the rows of a new member, who has read all that was said before.
async fn join(
    tx: &mut Tx,
    channel: &ChannelId,
    newcomer: &Newcomer,
    terms: &Terms,
    invite: Option<Invite>,
    now: Timestamp,
) -> Result<Member> {
    let user = &newcomer.user;
    match terms.makes_users {
        true => drop(users::ensure(tx, user, now).await?),
        false => drop(users::load(tx, user).await?),
    }
    let fresh = Member { hides_before: terms.hides_before, invite, ..Member::new(now) };
    let member = changed(&fresh, newcomer);
    let (tenant, chat) = (tx.tenant(), Chat(channel.clone()));
    put(tx, channel, user, &member);
    MEMBERSHIP.put(tx, tenant, &(user.to_string(), chat.clone()), &());
    MEMBERS.add(tx, tenant, &chat, 1);
    READ.put(tx, tenant, &(chat, user.to_string()), &reads::Read::new(now));
    Ok(member)
}

/// Takes `users` out of `channel`; who is no member is passed over.
///
/// # Errors
/// When the store fails.
pub async fn remove(
    tx: &mut Tx,
    channel: &ChannelId,
    users: &[UserId],
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<()> {
    for user in users {
        let Some(member) = get(tx, channel, user).await? else { continue };
        leave(tx, channel, user);
        let event = |kind| Event::new(kind, now, Some(channel)).of_member(user, &member).by(by.or(Some(user)));
        events::record(tx, event("member.removed"));
        events::record(tx, event("notification.removed_from_channel").only_for([user.clone()]));
    }
    Ok(())
}

/// Removes the rows of a member.
pub(in crate::chat) fn leave(tx: &mut Tx, channel: &ChannelId, user: &UserId) {
    let (tenant, chat) = (tx.tenant(), Chat(channel.clone()));
    let key = (chat.clone(), user.to_string());
    MEMBER.delete(tx, tenant, &key);
    READ.delete(tx, tenant, &key);
    HIDDEN.delete(tx, tenant, &key);
    MEMBERSHIP.delete(tx, tenant, &(user.to_string(), chat.clone()));
    MEMBERS.add(tx, tenant, &chat, -1);
}
