//! Reminding the members of small channels of what they have not read (chat §12.16).
//!
//! Each message plans a look at its channel for when it is old enough; until then nothing is kept for any member. Of each message a
//! member is told once, and of a channel at most once in an interval.

use std::collections::{BTreeMap, BTreeSet};

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Limit};

use super::{
    channels::{self, Channel},
    events::{self, Event, Matter},
    members::{self, Member},
    messages::Message,
    reads::{self, Reader},
    types::{self, Config},
};
use crate::{
    Error, Result, Tx,
    keyspace::{At, Chat, UNREAD_DUE},
};

/// The most members of a channel that reminds.
const MEMBERS_MAX: usize = 10;
/// The most channels and messages of each that one event tells.
const CHANNELS_MAX: usize = 10;
const MESSAGES_MAX: usize = 5;
/// Looks that one transaction takes.
const LOOKS_MAX: usize = 20;
/// How old an unread message is when its reader is reminded, if the app does not say.
const INTERVAL_SECONDS: i64 = 300;

/// What a user has not read: channels, with messages of each, the oldest first.
type Unread = Vec<(ChannelId, Vec<MessageId>)>;

/// Plans a look at the channel of `message`, if the channel reminds its members and the message counts for them.
pub(super) fn plan(tx: &mut Tx, config: &Config, message: &Message, now: Timestamp) {
    let counts = !message.is_silent && !message.is_shadowed && (message.parent.is_none() || message.shows_in_channel);
    if reminds(config) && counts {
        let at = now.plus_micros(interval(tx));
        put(tx, &message.channel, at);
    }
}

/// The same where nobody has looked at the channel.
///
/// # Errors
/// When the store fails.
pub(super) async fn plan_in(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<()> {
    if let Some((_, config)) = load(tx, &message.channel).await? {
        plan(tx, &config, message, now);
    }
    Ok(())
}

fn reminds(config: &Config) -> bool {
    config.reminders && config.read_events
}

fn put(tx: &mut Tx, channel: &ChannelId, at: Timestamp) {
    let tenant = tx.tenant();
    UNREAD_DUE.put(tx, tenant, &(At(at), Chat(channel.clone())), &());
}

fn interval(tx: &Tx) -> i64 {
    let said = tx.app.settings.other("reminders_interval");
    said.and_then(|raw| raw.get().parse().ok()).unwrap_or(INTERVAL_SECONDS) * 1_000_000
}

async fn load(tx: &mut Tx, id: &ChannelId) -> Result<Option<(Channel, Config)>> {
    let Some(channel) = channels::get(tx, id).await? else { return Ok(None) };
    let kind = match types::load(tx, id.kind()).await {
        Err(Error::Absent(_)) => return Ok(None),
        kind => kind?,
    };
    let config = types::config(&kind, &channel);
    Ok(Some((channel, config)))
}

/// Whether there is a look to be taken.
///
/// # Errors
/// When the store fails.
pub async fn is_any_due(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    Ok(!due(tx, now, 1).await?.0.is_empty())
}

async fn due(tx: &mut Tx, now: Timestamp, max: usize) -> Result<(Vec<(At, Chat)>, bool)> {
    let tenant = tx.tenant();
    let range = UNREAD_DUE.range(tenant).start..UNREAD_DUE.prefix(tenant, &At(now)).end;
    let page = UNREAD_DUE.scan(tx, tenant, range, Direction::Forward, Limit::rows(max)).await?;
    Ok((page.rows.into_iter().map(|(key, ())| key).collect(), page.more))
}

/// Takes looks that are due, and tells the app's hooks who has not read what; whether there may be more.
///
/// # Errors
/// When the store fails.
pub async fn tell_due(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    let (looks, has_more) = due(tx, now, LOOKS_MAX).await?;
    let (tenant, mut found) = (tx.tenant(), BTreeMap::new());
    let channels: BTreeSet<ChannelId> = looks.iter().map(|(_, Chat(channel))| channel.clone()).collect();
    for look in &looks {
        UNREAD_DUE.delete(tx, tenant, look);
    }
    for channel in channels {
        look(tx, &channel, &mut found, now).await?;
    }
    for (user, unread) in found {
        for part in unread.chunks(CHANNELS_MAX) {
            let event = Event::new("user.unread_message_reminder", now, None).by(Some(&user));
            events::record(tx, event.on(Matter::Unread { channels: part.to_vec() }));
        }
    }
    Ok(has_more)
}

async fn look(tx: &mut Tx, id: &ChannelId, found: &mut BTreeMap<UserId, Unread>, now: Timestamp) -> Result<()> {
    let Some((channel, config)) = load(tx, id).await? else { return Ok(()) };
    let all = members::list(tx, id, MEMBERS_MAX + 1, 0).await?;
    if !reminds(&config) || all.len() > MEMBERS_MAX {
        return Ok(());
    }
    let interval = interval(tx);
    for (user, member) in all {
        let again_at = member.reminded_at.map(|at| at.plus_micros(interval));
        if let Some(at) = again_at.filter(|at| now < *at) {
            put(tx, id, at);
            continue;
        }
        let old = now.plus_micros(-interval);
        let unread = unread(tx, (id, &channel), (&user, &member), old).await?;
        // All that was old enough when the member was last reminded was told then.
        let told_until = member.reminded_at.map(|at| at.plus_micros(-interval));
        if unread.last().is_some_and(|(at, _)| told_until.is_none_or(|told| *at > told)) {
            let ids = unread.into_iter().map(|(_, id)| id).collect();
            found.entry(user.clone()).or_default().push((id.clone(), ids));
            members::put(tx, id, &user, &Member { reminded_at: Some(now), ..member });
        }
    }
    Ok(())
}

/// The newest messages that the member has not read and that were said by `until`, the oldest first.
async fn unread(
    tx: &mut Tx,
    (id, channel): (&ChannelId, &Channel),
    (user, member): (&UserId, &Member),
    until: Timestamp,
) -> Result<Vec<(Timestamp, MessageId)>> {
    let muted = channels::mutes(tx, user, std::slice::from_ref(id), until).await?;
    let marks = reads::get_many(tx, id, std::slice::from_ref(user)).await?;
    match (muted.first(), marks.into_iter().next().flatten()) {
        (Some(None), Some(read)) => {
            let reader = Reader { user, member, read: &read };
            reads::newest_unread(&tx.app, id, channel, reader, until, MESSAGES_MAX).await
        }
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests;
