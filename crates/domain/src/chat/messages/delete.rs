//! Deleting messages: softly, for good, or for one user (chat §12.6).

use ids::{MessageId, Timestamp, UserId};
use store::{Direction, Limit};

use super::{Message, Scene, change, page::HIDDEN_MAX, pending, send};
use crate::{
    App, Error, Result, Tx,
    chat::{
        events::{self, Event},
        locations, search,
    },
    keyspace::{
        AUTHORED, At, CHANNEL_MESSAGE, Chat, DELETED_FOR, MESSAGE, MESSAGES, PARTICIPANT, PARTICIPATION, PENDING,
        PINNED, REACTION, REACTION_GROUP, REACTION_ORDER, REACTIONS, REPLIES, REPLY, SCORES, THREAD, VERSION,
    },
    users,
};

/// How many replies or participants go in one transaction.
const STEP: usize = 50;

/// Deletes the message `id` so that it can be brought back. One that is deleted already stays as it is.
///
/// # Errors
/// [`Error::Absent`] when there is no such message, [`Error::NotAllowed`] when the caller may not, [`Error::Unfit`] when
/// it waits to be committed.
pub async fn delete(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &MessageId,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Message> {
    let mut message = check(tx, caller, id, now).await?;
    if message.pending.is_some() {
        return Err(Error::Unfit(format!("message {id} is pending; delete it with hard=true")));
    }
    if message.deleted_at.is_some() {
        return Ok(message);
    }
    mark(tx, id, &mut message, now).await?;
    let softly = Event::new("message.deleted", now, Some(&message.channel)).with(r#"{"hard_delete":false}"#);
    tell(tx, softly.by(by), id, &message).await?;
    Ok(message)
}

/// Marks a message deleted that is not, without telling of it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn mark(tx: &mut Tx, id: &MessageId, message: &mut Message, now: Timestamp) -> Result<()> {
    search::unindex(tx, id, message);
    let pin = message.pin.take();
    change::repin(tx, id, pin.as_ref(), message);
    message.deleted_at = Some(now);
    message.updated_at = now;
    put(tx, id, message, -1).await
}

/// Undoes [`mark`].
///
/// # Errors
/// When the store fails.
pub(crate) async fn unmark(tx: &mut Tx, id: &MessageId, message: &mut Message, now: Timestamp) -> Result<()> {
    message.deleted_at = None;
    message.updated_at = now;
    search::index(tx, id, None, message);
    put(tx, id, message, 1).await
}

/// Brings a deleted message back.
///
/// # Errors
/// [`Error::Absent`] when there is no such message, channel or user, [`Error::Unfit`] when it is not deleted, or its
/// parent is.
pub async fn undelete(tx: &mut Tx, id: &MessageId, by: &UserId, now: Timestamp) -> Result<Message> {
    let mut message = super::load(tx, id).await?;
    crate::chat::channels::load(tx, &message.channel).await?;
    users::load(tx, by).await?;
    if message.deleted_at.is_none() {
        return Err(Error::Unfit(format!("message {id} is not deleted")));
    }
    if let Some(parent) = &message.parent
        && super::load(tx, parent).await?.deleted_at.is_some()
    {
        return Err(Error::Unfit(format!("the parent of message {id} is deleted")));
    }
    unmark(tx, id, &mut message, now).await?;
    let event = Event::new("message.undeleted", now, Some(&message.channel));
    tell(tx, event.by(Some(by)), id, &message).await?;
    Ok(message)
}

/// Deletes the message `id` for `user` alone.
///
/// # Errors
/// [`Error::Absent`] when the user sees no such message, [`Error::Unfit`] when the user did so too often in this channel.
pub async fn delete_for(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &MessageId,
    user: &UserId,
    now: Timestamp,
) -> Result<Message> {
    let message = super::read(tx, caller, id, now).await?;
    let (tenant, channel) = (tx.tenant(), Chat(message.channel.clone()));
    let range = DELETED_FOR.prefix(tenant, &(channel.clone(), user.to_string()));
    let known = DELETED_FOR.scan(tx, tenant, range, Direction::Forward, Limit::rows(HIDDEN_MAX)).await?.rows;
    if known.len() >= HIDDEN_MAX {
        return Err(Error::Unfit(format!("a user deletes at most {HIDDEN_MAX} messages of a channel for themselves")));
    }
    DELETED_FOR.put(tx, tenant, &(channel, user.to_string(), id.to_string()), &now);
    let event = Event::new("message.deleted", now, Some(&message.channel)).by(Some(user)).about(id, &message);
    events::record(tx, event.only_for([user.clone()]).with(r#"{"deleted_for_me":true,"hard_delete":false}"#));
    Ok(message)
}

/// Deletes the message `id` for good, with its reactions and its thread.
///
/// A long thread goes in several steps, the message itself in the last.
///
/// # Errors
/// [`Error::Absent`] when there is no such message, [`Error::NotAllowed`] when the caller may not.
pub async fn delete_for_good(
    app: &App,
    caller: Option<&UserId>,
    id: &MessageId,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Message> {
    check(&mut app.snapshot(), caller, id, now).await?;
    while app.write(async |tx| erase_thread(tx, id).await).await? {}
    while !app.write(async |tx| Ok(super::forget_kept(tx, id, Limit::rows(STEP)).await?.1)).await? {}
    app.write(async |tx| {
        let mut message = check(tx, caller, id, now).await?;
        erase(tx, id, &message).await?;
        uncount_reply(tx, &message);
        message.deleted_at = Some(now);
        message.updated_at = now;
        if message.pending.is_some() {
            pending::tell(tx, id, &message, pending::DELETED, now);
            return Ok(message);
        }
        let event = Event::new("message.deleted", now, Some(&message.channel)).by(by).about(id, &message);
        events::record(tx, event.with(r#"{"hard_delete":true}"#));
        Ok(message)
    })
    .await
}

async fn check(tx: &mut Tx, caller: Option<&UserId>, id: &MessageId, now: Timestamp) -> Result<Message> {
    let message = super::read(tx, caller, id, now).await?;
    if caller.is_some() {
        let scene = Scene::load(tx, &message.channel, caller, now).await?;
        scene.check("delete-message", message.user.as_ref())?;
    }
    Ok(message)
}

/// Writes a message that was deleted (`sign` -1) or came back (1).
async fn put(tx: &mut Tx, id: &MessageId, message: &Message, sign: i64) -> Result<()> {
    let tenant = tx.tenant();
    MESSAGE.put(tx, tenant, &id.to_string(), message);
    change::recount(tx, id, message).await?;
    if send::is_in_channel(message) {
        MESSAGES.add(tx, tenant, &Chat(message.channel.clone()), sign * send::counted(message));
    }
    if let Some(parent) = &message.parent {
        REPLIES.add(tx, tenant, &(parent.to_string(), false), sign);
        REPLIES.add(tx, tenant, &(parent.to_string(), true), -sign);
    }
    Ok(())
}

/// Tells `event` of a message, and of its parent whose replies are counted anew.
async fn tell(tx: &mut Tx, event: Event, id: &MessageId, message: &Message) -> Result<()> {
    let (by, now) = (event.user.clone(), event.at);
    events::record(tx, event.about(id, message));
    if let Some(parent) = &message.parent
        && let Some(above) = super::get(tx, parent).await?
    {
        let updated = Event::new("message.updated", now, Some(&message.channel)).by(by.as_ref());
        events::record(tx, updated.about(parent, &above));
    }
    Ok(())
}

/// Removes some of what hangs on `parent`; answers whether there may be more.
async fn erase_thread(tx: &mut Tx, parent: &MessageId) -> Result<bool> {
    let (tenant, key) = (tx.tenant(), parent.to_string());
    let range = REPLY.prefix(tenant, &(key.clone(),));
    let replies = REPLY.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP)).await?.rows;
    for ((.., id), _) in &replies {
        let Ok(id) = MessageId::parse(id) else { continue };
        if let Some(message) = super::get(tx, &id).await? {
            if !super::forget_kept(tx, &id, Limit::rows(STEP)).await?.1 {
                return Ok(true);
            }
            erase(tx, &id, &message).await?;
        }
    }
    let range = PARTICIPANT.prefix(tenant, &(key.clone(),));
    let participants = PARTICIPANT.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP)).await?.rows;
    for ((parent, user), _) in &participants {
        PARTICIPANT.delete(tx, tenant, &(parent.clone(), user.clone()));
        PARTICIPATION.delete(tx, tenant, &(user.clone(), parent.clone()));
    }
    if replies.is_empty() && participants.is_empty() {
        THREAD.delete(tx, tenant, &key);
        REPLIES.delete(tx, tenant, &(key.clone(), false));
        REPLIES.delete(tx, tenant, &(key, true));
        return Ok(false);
    }
    Ok(true)
}

/// Takes a reply that goes for good out of the count of its parent.
fn uncount_reply(tx: &mut Tx, message: &Message) {
    if let Some(parent) = &message.parent {
        let (tenant, is_deleted) = (tx.tenant(), message.deleted_at.is_some());
        REPLIES.add(tx, tenant, &(parent.to_string(), is_deleted), -1);
    }
}

/// Removes every row of one message. What counts it in its thread is the caller's, and so are more reactions than one
/// transaction can remove.
///
/// # Errors
/// When the store fails.
pub(crate) async fn erase(tx: &mut Tx, id: &MessageId, message: &Message) -> Result<()> {
    let (tenant, key, channel) = (tx.tenant(), id.to_string(), Chat(message.channel.clone()));
    let at = At(message.created_at);
    MESSAGE.delete(tx, tenant, &key);
    locations::unlist(tx, id, message);
    search::unindex(tx, id, message);
    let row = (channel.clone(), at, key.clone());
    if CHANNEL_MESSAGE.exists(tx, tenant, &row).await? {
        CHANNEL_MESSAGE.delete(tx, tenant, &row);
        if message.deleted_at.is_none() {
            MESSAGES.add(tx, tenant, &channel, -send::counted(message));
        }
    }
    if let Some(author) = &message.user {
        AUTHORED.delete(tx, tenant, &(author.to_string(), at, key.clone()));
    }
    if let Some(parent) = &message.parent {
        REPLY.delete(tx, tenant, &(parent.to_string(), at, key.clone()));
    }
    if let Some(pin) = &message.pin {
        PINNED.delete(tx, tenant, &(channel.clone(), crate::keyspace::Latest(pin.at), key.clone()));
    }
    if let (Some(user), Some(_)) = (&message.user, &message.pending) {
        PENDING.delete(tx, tenant, &(channel, user.to_string(), at, key.clone()));
    }
    let of = (key,);
    tx.delete_range(REACTION.prefix(tenant, &of));
    tx.delete_range(REACTION_ORDER.prefix(tenant, &of));
    tx.delete_range(REACTION_GROUP.prefix(tenant, &of));
    tx.delete_range(REACTIONS.prefix(tenant, &of));
    tx.delete_range(SCORES.prefix(tenant, &of));
    tx.delete_range(VERSION.prefix(tenant, &of));
    Ok(())
}
