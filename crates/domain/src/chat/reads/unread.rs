//! Counting what is unread: never stored, always derived (chat §12.1, §12.2).

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Limit, Stamp, Stamped};

use super::{Messages, Read, Row, WINDOW_ROWS};
use crate::{
    App, Result, Tx,
    chat::{
        channels::{self, Channel},
        members::{self, Member},
        types,
    },
    keyspace::{Chat, MEMBERSHIP, READ},
    users,
};

/// The most messages of a channel that are counted as unread.
pub(super) const UNREAD_MAX: usize = 10_000;
/// How long before its commit a message can have got its time.
///
/// What was committed after a mark was said at most so much before it, for no transaction grows older.
const LATE_MICROS: i64 = 60 * 1_000_000;

/// A member who reads.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Who.
    pub user: &'a UserId,
    /// The member.
    pub member: &'a Member,
    /// How far the member has read.
    pub read: &'a Stamped<Read>,
}

impl Reader<'_> {
    /// Where in commit order the mark is.
    fn mark(&self) -> Stamp {
        self.read.value.until.map_or(self.read.stamp, Stamp)
    }

    fn counts(&self, row: &Row) -> bool {
        let is_visible = row.visible_to.is_empty() || row.visible_to.contains(self.user);
        row.counts && is_visible && row.stamp > self.mark() && row.user.as_ref() != Some(self.user)
    }
}

/// How many messages of `channel` the member has not read; whether the channel counts for the member at all, the caller
/// knows.
///
/// # Errors
/// When the store fails.
pub async fn unread(app: &App, id: &ChannelId, channel: &Channel, reader: Reader<'_>) -> Result<usize> {
    if reader.member.is_pending() {
        return Ok(0);
    }
    let hidden = channel.truncated_at.max(reader.member.hides_before);
    let earliest = reader.read.value.last_read.plus_micros(-LATE_MICROS);
    let is_over = |row: &Row| row.at < earliest || hidden.is_some_and(|hidden| row.at <= hidden);
    let mut rows = WINDOW_ROWS;
    loop {
        let messages = app.views.messages(app, id, rows).await?;
        let newer = messages.rows.iter().take_while(|row| !is_over(row));
        let count = newer.filter(|row| reader.counts(row)).count();
        let is_enough = messages.is_whole || messages.rows.last().is_none_or(is_over) || count >= UNREAD_MAX;
        if is_enough || rows >= 4 * UNREAD_MAX {
            return Ok(count.min(UNREAD_MAX));
        }
        rows = messages.rows.len() * 4;
    }
}

/// The newest of the messages kept in memory that the member has not read and that were said by `until`, at most `max`: when and
/// which, the oldest first.
///
/// # Errors
/// When the store fails.
pub async fn newest_unread(
    app: &App,
    id: &ChannelId,
    channel: &Channel,
    reader: Reader<'_>,
    until: Timestamp,
    max: usize,
) -> Result<Vec<(Timestamp, MessageId)>> {
    if reader.member.is_pending() {
        return Ok(Vec::new());
    }
    let hidden = channel.truncated_at.max(reader.member.hides_before);
    let earliest = reader.read.value.last_read.plus_micros(-LATE_MICROS);
    let is_over = |row: &Row| row.at < earliest || hidden.is_some_and(|hidden| row.at <= hidden);
    let messages = app.views.messages(app, id, WINDOW_ROWS).await?;
    let newer = messages.rows.iter().take_while(|row| !is_over(row));
    let unread = newer.filter(|row| row.at <= until && reader.counts(row)).take(max);
    let mut unread: Vec<_> = unread.map(|row| (row.at, row.id.clone())).collect();
    unread.reverse();
    Ok(unread)
}

/// When something was last said in `channel`.
///
/// # Errors
/// When the store fails.
pub async fn last_message_at(app: &App, id: &ChannelId, channel: &Channel) -> Result<Option<Timestamp>> {
    let mut rows = WINDOW_ROWS;
    loop {
        let messages = app.views.messages(app, id, rows).await?;
        if let Some(last) = last(&messages) {
            return Ok(Some(last.at).filter(|at| channel.truncated_at.is_none_or(|truncated| *at > truncated)));
        }
        if messages.is_whole || rows >= UNREAD_MAX {
            return Ok(None);
        }
        rows = messages.rows.len() * 4;
    }
}

fn last(messages: &Messages) -> Option<&Row> {
    messages.rows.iter().find(|row| row.is_last)
}

/// What a user has not read in one channel.
#[derive(Clone, PartialEq, Debug)]
pub struct Total {
    /// Where.
    pub channel: ChannelId,
    /// The team of the channel.
    pub team: String,
    /// Since when.
    pub last_read: Timestamp,
    /// How many messages.
    pub unread: usize,
    /// When something was last said.
    pub last_message_at: Option<Timestamp>,
}

/// What `user` has not read, channel by channel, where there is something: the latest first.
///
/// # Errors
/// When the store fails.
pub async fn total(app: &App, user: &UserId, now: Timestamp) -> Result<Vec<Total>> {
    let mut tx = app.snapshot();
    let mut totals = Vec::new();
    for id in memberships(&mut tx, user).await? {
        if let Some(total) = total_of(&mut tx, id, user, now).await?
            && total.unread > 0
        {
            totals.push(total);
        }
    }
    totals.sort_by(|a, b| b.last_message_at.cmp(&a.last_message_at).then_with(|| a.channel.cmp(&b.channel)));
    Ok(totals)
}

/// What `user` has not read in the channel `id`; `None` where nothing is counted.
///
/// # Errors
/// When the store fails.
pub async fn total_of(tx: &mut Tx, id: ChannelId, user: &UserId, now: Timestamp) -> Result<Option<Total>> {
    let tenant = tx.tenant();
    let Some(channel) = channels::get(tx, &id).await? else { return Ok(None) };
    let Some(member) = members::get(tx, &id, user).await? else { return Ok(None) };
    let Some(read) = READ.get(tx, tenant, &(Chat(id.clone()), user.to_string())).await? else { return Ok(None) };
    let kind = types::load(tx, id.kind()).await?;
    let is_muted = channels::mutes(tx, user, std::slice::from_ref(&id), now).await?[0].is_some();
    let is_blocked = match users::get(tx, user).await? {
        Some(profile) => channels::is_blocked(tx, &id, &profile).await?,
        None => false,
    };
    if is_muted || is_blocked || !types::config(&kind, &channel).read_events {
        return Ok(None);
    }
    let unread = unread(&tx.app, &id, &channel, Reader { user, member: &member, read: &read }).await?;
    let last_message_at = last_message_at(&tx.app, &id, &channel).await?;
    Ok(Some(Total { channel: id, team: channel.team, last_read: read.value.last_read, unread, last_message_at }))
}

/// The channels that `user` is a member of.
///
/// # Errors
/// When the store fails.
pub async fn memberships(tx: &mut Tx, user: &UserId) -> Result<Vec<ChannelId>> {
    let tenant = tx.tenant();
    let mut range = MEMBERSHIP.prefix(tenant, &user.to_string());
    let mut channels = Vec::new();
    loop {
        let page = MEMBERSHIP.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, ())) = page.rows.last() {
            range.start = store::key::after(MEMBERSHIP.key(tenant, key));
        }
        channels.extend(page.rows.into_iter().map(|((_, Chat(id)), ())| id));
        if !page.more {
            return Ok(channels);
        }
    }
}
