//! Changing channels, and who belongs to them, in one call (chat §11.3).

use ids::{ChannelId, Timestamp, UserId};

use super::{Channel, Details, load};
use crate::{
    Error, Result, Tx,
    chat::{
        events::{self, Event},
        members::{self, Newcomer, Terms},
    },
    custom::Edit,
    keyspace::{CHANNEL, Chat},
};

/// The most bytes of the application's own fields of a channel.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;

/// What one call changes.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What replaces the settings and the application's own fields.
    pub details: Option<Details>,
    /// Settings that change while the others stay.
    pub settings: Details,
    /// Names that queries filter by, which come.
    pub add_filter_tags: Vec<String>,
    /// And which go.
    pub remove_filter_tags: Vec<String>,
    /// Who becomes a member.
    pub add_members: Vec<Newcomer>,
    /// How they come.
    pub terms: Terms,
    /// Who goes.
    pub remove_members: Vec<UserId>,
    /// Who becomes a moderator, and a member if need be.
    pub add_moderators: Vec<UserId>,
    /// Who is one no more.
    pub demote_moderators: Vec<UserId>,
    /// Who gets which role.
    pub assign_roles: Vec<Newcomer>,
    /// Who is invited.
    pub invites: Vec<Newcomer>,
    /// What the acting user answers to an invitation: whether it is accepted.
    pub answer: Option<bool>,
}

impl Change {
    fn changes_channel(&self) -> bool {
        self.details.is_some()
            || self.settings.cooldown_seconds.is_some()
            || !(self.add_filter_tags.is_empty() && self.remove_filter_tags.is_empty())
    }

    fn changes_roles(&self) -> bool {
        !(self.add_moderators.is_empty() && self.demote_moderators.is_empty())
    }
}

/// Changes the channel `id` as `change` says.
///
/// # Errors
/// [`Error::Absent`] without the channel, [`Error::Unfit`] when members would come to a channel that they identify.
pub async fn update(tx: &mut Tx, id: &ChannelId, change: &Change, by: Option<&UserId>, now: Timestamp) -> Result<()> {
    let before = load(tx, id).await?;
    if id.is_distinct() {
        check_distinct(tx, id, change).await?;
    }
    let mut channel = before.clone();
    if let Some(details) = &change.details {
        details.check()?;
        channel.is_frozen = false;
        channel.is_disabled = false;
        channel.cooldown_seconds = 0;
        details.apply(&mut channel);
        channel.custom = details.custom.to_string();
    }
    change.settings.apply(&mut channel);
    retag(&mut channel, change);
    if change.changes_channel() {
        put(tx, id, &before, channel, by, now);
    } else if change.changes_roles() {
        events::record(tx, Event::new("channel.updated", now, Some(id)).by(by));
    }
    change_members(tx, id, change, by, now).await
}

async fn change_members(
    tx: &mut Tx,
    id: &ChannelId,
    change: &Change,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<()> {
    let with_role = |users: &[UserId], role: &str| -> Vec<Newcomer> {
        let role = Some(role.to_owned());
        users.iter().map(|user| Newcomer { channel_role: role.clone(), ..Newcomer::plain(user.clone()) }).collect()
    };
    members::add(tx, id, &change.add_members, &change.terms, by, now).await?;
    members::add(tx, id, &with_role(&change.add_moderators, members::MODERATOR), &change.terms, by, now).await?;
    members::assign(tx, id, &change.assign_roles, now).await?;
    members::assign(tx, id, &with_role(&change.demote_moderators, members::ROLE), now).await?;
    members::invite(tx, id, &change.invites, &change.terms, by, now).await?;
    if let (Some(accepts), Some(user)) = (change.answer, by) {
        members::answer(tx, id, user, accepts, now).await?;
    }
    members::remove(tx, id, &change.remove_members, by, now).await
}

/// Who would come to a channel whose members make its identity is refused.
async fn check_distinct(tx: &mut Tx, id: &ChannelId, change: &Change) -> Result<()> {
    let added = change.add_members.iter().map(|newcomer| &newcomer.user).chain(&change.add_moderators);
    for user in added {
        if members::get(tx, id, user).await?.is_none() {
            return Err(Error::Unfit("cannot add members to the distinct channel".to_owned()));
        }
    }
    match change.invites.is_empty() {
        true => Ok(()),
        false => Err(Error::Unfit("cannot invite members to the distinct channel".to_owned())),
    }
}

fn retag(channel: &mut Channel, change: &Change) {
    channel.filter_tags.retain(|tag| !change.remove_filter_tags.contains(tag));
    for tag in &change.add_filter_tags {
        if !channel.filter_tags.contains(tag) {
            channel.filter_tags.push(tag.clone());
        }
    }
}

/// Changes some settings and some own fields of the channel `id`.
///
/// # Errors
/// [`Error::Absent`] without the channel, [`Error::Unfit`] for a path that leads nowhere.
pub async fn patch(
    tx: &mut Tx,
    id: &ChannelId,
    settings: &Details,
    edit: &Edit,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<()> {
    let before = load(tx, id).await?;
    let mut channel = before.clone();
    settings.check()?;
    settings.apply(&mut channel);
    let mut custom = channel.custom();
    edit.apply(&mut custom)?;
    channel.custom = custom.to_string();
    if channel.custom.len() > CUSTOM_BYTES_MAX {
        return Err(Error::TooBig(format!("a channel has at most {CUSTOM_BYTES_MAX} bytes of own fields")));
    }
    put(tx, id, &before, channel, by, now);
    Ok(())
}

/// Writes the changed channel, and tells of it.
fn put(tx: &mut Tx, id: &ChannelId, before: &Channel, mut channel: Channel, by: Option<&UserId>, now: Timestamp) {
    channel.updated_at = now;
    let tenant = tx.tenant();
    CHANNEL.put(tx, tenant, &Chat(id.clone()), &channel);
    events::record(tx, Event::new("channel.updated", now, Some(id)).by(by));
    if before.is_frozen != channel.is_frozen {
        let kind = if channel.is_frozen { "channel.frozen" } else { "channel.unfrozen" };
        events::record(tx, Event::new(kind, now, Some(id)).by(by));
    }
}
