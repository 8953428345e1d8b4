//! Marking as read, unread and delivered: one row each (chat §11.3).

use ids::{ChannelId, MessageId, Timestamp, UserId};
use serde_json::json;
use store::{Direction, Limit, Stamp, Stamped};

use super::{Read, Reader, WINDOW_ROWS, unread};
use crate::{
    Error, Result, Tx,
    chat::{
        channels,
        events::{self, Event},
        members, messages,
        messages::Listed,
    },
    keyspace::{At, CHANNEL_MESSAGE, Chat, READ},
    users,
};

/// From where on a channel is to be unread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum From {
    /// From this message on.
    Message(MessageId),
    /// From the first message at this moment or later.
    Time(Timestamp),
}

/// Marks `channel` as read by `user`, all of it or up to and with a message; nothing is kept of who is no member, such as
/// the creator of a channel without members.
///
/// # Errors
/// [`Error::Absent`] when the message is not there.
pub async fn mark_read(
    tx: &mut Tx,
    channel: &ChannelId,
    user: &UserId,
    up_to: Option<&MessageId>,
    now: Timestamp,
) -> Result<Read> {
    let is_member = members::get(tx, channel, user).await?.is_some();
    let before = get(tx, channel, user).await?;
    let mut mark = Read { last_read: now, until: None, ..before.map_or_else(|| Read::new(now), |mark| mark.value) };
    match up_to {
        Some(id) => {
            let (at, listed) = listed(tx, channel, id).await?;
            mark.until = Some(listed.stamp.0);
            (mark.last_read, mark.last_read_message) = (at, Some(id.clone()));
        }
        None => {
            let newest = tx.app.views.messages(&tx.app, channel, WINDOW_ROWS).await?;
            mark.last_read_message = newest.rows.first().map(|row| row.id.clone()).or(mark.last_read_message);
        }
    }
    if !is_member {
        return Ok(mark);
    }
    put(tx, channel, user, &mark);
    let more = json!({ "last_read_message_id": mark.last_read_message.as_ref().map(MessageId::as_str) }).to_string();
    let event = |kind| Event::new(kind, now, Some(channel)).by(Some(user)).with(more.clone());
    // Who tells nobody how far they have read is not told of.
    let privacy = users::get(tx, user).await?.and_then(|user| user.privacy);
    if privacy.and_then(|privacy| privacy.read_receipts) != Some(false) {
        events::record(tx, event("message.read"));
    }
    events::record(tx, event("notification.mark_read").only_for([user.clone()]));
    Ok(mark)
}

/// Marks `channel` as unread by its member `user`, from a message on.
///
/// # Errors
/// [`Error::Unfit`] when the user is no member, [`Error::Absent`] when there is no such message.
pub async fn mark_unread(tx: &mut Tx, channel: &ChannelId, user: &UserId, from: &From, now: Timestamp) -> Result<()> {
    let member = members::load(tx, channel, user).await?;
    let tenant = tx.tenant();
    let (first, at, stamp) = match from {
        From::Message(id) => {
            let (at, listed) = listed(tx, channel, id).await?;
            (id.clone(), at, listed.stamp)
        }
        From::Time(time) => {
            let mut range = CHANNEL_MESSAGE.prefix(tenant, &(Chat(channel.clone()), At(*time)));
            range.end = CHANNEL_MESSAGE.prefix(tenant, &Chat(channel.clone())).end;
            let rows = CHANNEL_MESSAGE.scan(tx, tenant, range, Direction::Forward, Limit::rows(1)).await?.rows;
            let none = || Error::Absent("there is no message at message_timestamp or later".to_owned());
            let ((_, At(at), id), listed) = rows.into_iter().next().ok_or_else(none)?;
            (MessageId::parse(&id).expect("keys are made of message ids"), at, listed.stamp)
        }
    };
    let before = get(tx, channel, user).await?.map_or_else(|| Read::new(now), |mark| mark.value);
    let last_read_message = before_row(tx, channel, at, &first).await?;
    let last_read = at.plus_micros(-1);
    let mark = Read { last_read, last_read_message, until: Some(stamp.0 - 1), ..before };
    put(tx, channel, user, &mark);
    let marked = Stamped { stamp: Stamp(0), value: mark.clone() };
    let reader = Reader { user, member: &member, read: &marked };
    let of = channels::load(tx, channel).await?;
    let more = json!({
        "first_unread_message_id": first.as_str(),
        "unread_messages": unread(&tx.app, channel, &of, reader).await?,
        "last_read_at": last_read.rfc3339_short().to_string(),
        "last_read_message_id": mark.last_read_message.as_ref().map(MessageId::as_str),
    });
    let event = Event::new("notification.mark_unread", now, Some(channel)).by(Some(user)).with(more.to_string());
    events::record(tx, event.only_for([user.clone()]));
    Ok(())
}

/// Notes that `message` was delivered to the member `user`; nothing happens to who is no member, or has got a later one.
///
/// # Errors
/// [`Error::Absent`] when the message is not there.
pub async fn deliver(
    tx: &mut Tx,
    channel: &ChannelId,
    user: &UserId,
    message: &MessageId,
    now: Timestamp,
) -> Result<()> {
    let Some(mark) = get(tx, channel, user).await? else { return Ok(()) };
    let privacy = users::get(tx, user).await?.and_then(|user| user.privacy);
    if privacy.and_then(|privacy| privacy.delivery_receipts) == Some(false) {
        return Ok(());
    }
    let (at, _) = listed(tx, channel, message).await?;
    let before = match &mark.value.last_delivered_message {
        Some(before) => listed(tx, channel, before).await,
        None => return note_delivered(tx, channel, user, (message, mark), now),
    };
    match before {
        Ok((known, _)) if known >= at => Ok(()),
        // One that is gone holds nothing back.
        Ok(_) | Err(Error::Absent(_)) => note_delivered(tx, channel, user, (message, mark), now),
        Err(error) => Err(error),
    }
}

fn note_delivered(
    tx: &mut Tx,
    channel: &ChannelId,
    user: &UserId,
    (message, mark): (&MessageId, Stamped<Read>),
    now: Timestamp,
) -> Result<()> {
    let until = mark.value.until.or(Some(mark.stamp.0));
    let mark = Read { last_delivered: Some(now), last_delivered_message: Some(message.clone()), until, ..mark.value };
    put(tx, channel, user, &mark);
    let at = now.rfc3339_short().to_string();
    let more = json!({ "last_delivered_at": at, "last_delivered_message_id": message.as_str() }).to_string();
    events::record(tx, Event::new("message.delivered", now, Some(channel)).by(Some(user)).with(more));
    Ok(())
}

async fn get(tx: &mut Tx, channel: &ChannelId, user: &UserId) -> Result<Option<Stamped<Read>>> {
    let tenant = tx.tenant();
    Ok(READ.get(tx, tenant, &(Chat(channel.clone()), user.to_string())).await?)
}

fn put(tx: &mut Tx, channel: &ChannelId, user: &UserId, mark: &Read) {
    let tenant = tx.tenant();
    READ.put(tx, tenant, &(Chat(channel.clone()), user.to_string()), mark);
}

/// How the message `id` stands in `channel`, and when it was said.
async fn listed(tx: &mut Tx, channel: &ChannelId, id: &MessageId) -> Result<(Timestamp, Stamped<Listed>)> {
    let tenant = tx.tenant();
    let message = messages::load(tx, id).await?;
    let key = (Chat(channel.clone()), At(message.created_at), id.to_string());
    let listed = CHANNEL_MESSAGE.get(tx, tenant, &key).await?;
    let listed = listed.ok_or_else(|| Error::Absent(format!("Message with id {id} doesn't exist in {channel}")))?;
    Ok((message.created_at, listed))
}

/// The message right before `id`, which was said at `at`.
async fn before_row(tx: &mut Tx, channel: &ChannelId, at: Timestamp, id: &MessageId) -> Result<Option<MessageId>> {
    let (tenant, chat) = (tx.tenant(), Chat(channel.clone()));
    let mut range = CHANNEL_MESSAGE.prefix(tenant, &chat);
    range.end = CHANNEL_MESSAGE.key(tenant, &(chat, At(at), id.to_string()));
    let rows = CHANNEL_MESSAGE.scan(tx, tenant, range, Direction::Backward, Limit::rows(1)).await?.rows;
    Ok(rows.first().and_then(|((.., id), _)| MessageId::parse(id).ok()))
}
