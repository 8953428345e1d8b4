//! Removing messages with all that hangs on them (chat §12.6, v2 §5.2).

use std::collections::BTreeSet;

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Limit, key::after};

use super::{STEP_ROWS_MAX, rows::Budget};
use crate::{
    Result, Tx,
    chat::{
        events::{self, Event},
        messages::{self, Kind, Message},
        reactions, search,
    },
    keyspace::{
        AUTHORED, Chat, FLAG, FLAGGED, FLAGGED_BY, MESSAGE, PARTICIPANT, PARTICIPATION, PENDING, REACTION, REPLIES,
        REPLY, REVIEW, REVIEW_OF, STUB, THREAD, VERSION,
    },
    log,
    moderation::{flags, review},
    tasks::{DeleteMessages, Mode, Progress},
};

/// Messages that one step looks at.
const STEP_MESSAGES_MAX: usize = 50;
/// Rows that one message takes beside its reactions, its words and its thread.
const MESSAGE_ROWS: usize = 20;
/// Rows that one reaction takes.
const REACTION_ROWS: usize = 6;
/// Replies that are looked at to find one of somebody else.
const REPLIES_MAX: usize = 256;

/// What happens to each message of a user.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    /// It is marked deleted, if it is not already.
    Delete(Mode, Timestamp),
    /// It is no longer deleted, if it was deleted at this moment.
    Restore(Timestamp, Timestamp),
}

/// Does a step of a task that deletes what a user said; whether all is done.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove_of_user(
    tx: &mut Tx,
    asked: &DeleteMessages,
    progress: &mut Progress,
    (planned_at, now): (Timestamp, Timestamp),
) -> Result<bool> {
    let DeleteMessages { user, channel, mode } = asked;
    let is_done = walk(tx, user, channel.as_ref(), Fate::Delete(*mode, planned_at), progress).await?;
    if is_done {
        told(tx, user, channel.as_ref(), *mode, now);
    }
    Ok(is_done)
}

/// Does a step of what happens to all that `user` said, or said in one channel; whether all is done.
///
/// # Errors
/// When the store fails.
pub(super) async fn walk(
    tx: &mut Tx,
    user: &UserId,
    only: Option<&ChannelId>,
    fate: Fate,
    progress: &mut Progress,
) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = AUTHORED.prefix(tenant, &user.to_string());
    if !progress.cursor.is_empty() {
        range.start = after(progress.cursor.clone());
    }
    let (mut budget, mut channels) = (Budget::new(STEP_ROWS_MAX), BTreeSet::new());
    let page = AUTHORED.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP_MESSAGES_MAX)).await?;
    let mut is_done = !page.more;
    for (key, ()) in page.rows {
        let Ok(id) = MessageId::parse(&key.2) else { continue };
        let found = MESSAGE.get(tx, tenant, &key.2).await?;
        if found.as_ref().is_some_and(|message| only.is_some_and(|only| message.channel != *only)) {
            progress.cursor = AUTHORED.key(tenant, &key);
            continue;
        }
        if let Some(mut message) = found {
            channels.insert(message.channel.clone());
            let is_whole = match fate {
                Fate::Delete(Mode::Hard, _) => take_out(tx, &id, &message, &mut budget).await?,
                Fate::Delete(mode, at) => mark(tx, &id, &mut message, mode, at, &mut budget).await?,
                Fate::Restore(deleted_at, at) => restore(tx, &id, &mut message, deleted_at, at, &mut budget).await?,
            };
            if !is_whole {
                is_done = false;
                break;
            }
        } else if matches!(fate, Fate::Delete(Mode::Hard, _)) {
            AUTHORED.delete(tx, tenant, &key);
        }
        progress.cursor = AUTHORED.key(tenant, &key);
        if budget.is_spent() {
            is_done = false;
            break;
        }
    }
    for channel in channels {
        log::record(tx, &log::Event::Swept { channel });
    }
    Ok(is_done)
}

/// Tells that the messages of `user` were deleted, everywhere or in one channel.
pub(super) fn told(tx: &mut Tx, user: &UserId, channel: Option<&ChannelId>, mode: Mode, now: Timestamp) {
    let (is_soft, is_hard) = (mode != Mode::Hard, mode == Mode::Hard);
    let pruning = if mode == Mode::Pruning { r#","pruning":true"# } else { "" };
    let more = format!(r#"{{"soft_delete":{is_soft},"hard_delete":{is_hard}{pruning}}}"#);
    events::record(tx, Event::new("user.messages.deleted", now, channel).by(Some(user)).with(more));
}

/// Marks a message deleted; pruned, it keeps its place and nothing that it said.
async fn mark(
    tx: &mut Tx,
    id: &MessageId,
    message: &mut Message,
    mode: Mode,
    at: Timestamp,
    budget: &mut Budget,
) -> Result<bool> {
    let tenant = tx.tenant();
    if mode == Mode::Pruning
        && !(clear_reactions(tx, id, budget).await?
            && clear_kept(tx, id, budget).await?
            && clear_flags(tx, id, message.user.as_ref(), budget).await?
            && budget.clear(tx, VERSION.prefix(tenant, &(id.to_string(),))).await?)
    {
        return Ok(false);
    }
    if message.deleted_at.is_none() {
        forget_pending(tx, id, message);
        messages::mark(tx, id, message, at).await?;
    }
    if mode == Mode::Pruning {
        search::unindex(tx, id, message);
        messages::unlist_location(tx, id, message);
        MESSAGE.put(tx, tenant, &id.to_string(), &pruned(message.clone()));
    }
    budget.spend(MESSAGE_ROWS);
    Ok(true)
}

/// A message that waits to be committed waits no more.
fn forget_pending(tx: &mut Tx, id: &MessageId, message: &mut Message) {
    let tenant = tx.tenant();
    if let (Some(user), Some(_)) = (&message.user, message.pending.take()) {
        let at = crate::keyspace::At(message.created_at);
        PENDING.delete(tx, tenant, &(Chat(message.channel.clone()), user.to_string(), at, id.to_string()));
    }
}

/// Whether the message is as pruning leaves one.
pub(super) fn says_nothing(message: &Message) -> bool {
    *message == pruned(message.clone())
}

/// The message without what it said.
pub(super) fn pruned(message: Message) -> Message {
    Message {
        text: String::new(),
        html: None,
        mml: None,
        attachments: Vec::new(),
        mentioned: Vec::new(),
        quoted: None,
        pin: None,
        translations: Vec::new(),
        command: None,
        poll: None,
        location: None,
        custom: "{}".to_owned(),
        ..message
    }
}

async fn restore(
    tx: &mut Tx,
    id: &MessageId,
    message: &mut Message,
    deleted_at: Timestamp,
    at: Timestamp,
    budget: &mut Budget,
) -> Result<bool> {
    if message.deleted_at == Some(deleted_at) {
        messages::unmark(tx, id, message, at).await?;
        budget.spend(MESSAGE_ROWS);
    }
    Ok(true)
}

/// Removes a message out of its channel's list and its thread, with all that hangs on it but the replies of others: for
/// these, a message without author and text stays; whether all is done.
async fn take_out(tx: &mut Tx, id: &MessageId, message: &Message, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    let has_others = has_replies_of_others(tx, id, message.user.as_ref()).await?;
    if !clear_reactions(tx, id, budget).await?
        || !clear_kept(tx, id, budget).await?
        || !has_others && !clear_thread(tx, id, budget).await?
    {
        return Ok(false);
    }
    erase(tx, id, message, budget).await?;
    if has_others {
        MESSAGE.put(tx, tenant, &id.to_string(), &stub(message));
        STUB.put(tx, tenant, &(Chat(message.channel.clone()), id.to_string()), &());
    }
    Ok(true)
}

/// What stays of a message for the sake of the replies to it.
fn stub(message: &Message) -> Message {
    Message {
        user: None,
        kind: Kind::Regular,
        visible_to: Vec::new(),
        pending: None,
        edited_by: None,
        text_updated_at: None,
        deleted_at: message.deleted_at.or(Some(message.updated_at)),
        ..pruned(message.clone())
    }
}

async fn has_replies_of_others(tx: &mut Tx, id: &MessageId, author: Option<&UserId>) -> Result<bool> {
    let tenant = tx.tenant();
    let replies = REPLY.prefix(tenant, &id.to_string());
    let page = REPLY.scan(tx, tenant, replies, Direction::Forward, Limit::rows(REPLIES_MAX)).await?;
    Ok(page.more || page.rows.iter().any(|(_, row)| row.value.user.as_ref() != author))
}

/// Removes the message's own rows, and what counts it in its thread.
async fn erase(tx: &mut Tx, id: &MessageId, message: &Message, budget: &mut Budget) -> Result<()> {
    let tenant = tx.tenant();
    if let Some(parent) = &message.parent {
        REPLIES.add(tx, tenant, &(parent.to_string(), message.deleted_at.is_some()), -1);
    }
    budget.spend(MESSAGE_ROWS + words(message));
    messages::erase(tx, id, message).await
}

/// Rows of the index that the message may have.
fn words(message: &Message) -> usize {
    message.text.split_whitespace().count()
}

/// Removes the reactions to the message, with what each user keeps of them; whether that were all.
async fn clear_reactions(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    let range = REACTION.prefix(tenant, &id.to_string());
    while !budget.is_spent() {
        let limit = budget.page_of(REACTION_ROWS);
        let page = REACTION.scan(tx, tenant, range.clone(), Direction::Forward, limit).await?;
        for (key, reaction) in &page.rows {
            reactions::take(tx, key, reaction);
            budget.spend(REACTION_ROWS);
        }
        if !page.more {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what is kept beside the message; whether that were all.
async fn clear_kept(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    let (rows, were_all) = messages::forget_kept(tx, id, budget.page_of(messages::KEPT_ROWS)).await?;
    budget.spend(rows);
    Ok(were_all)
}

/// Removes the reports about the message; its item of the review queue stays without what it said. Whether that were all.
async fn clear_flags(tx: &mut Tx, id: &MessageId, author: Option<&UserId>, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    let thing = (flags::MESSAGE.to_owned(), id.to_string());
    let page = FLAG.scan(tx, tenant, FLAG.prefix(tenant, &thing), Direction::Forward, budget.page_of(2)).await?;
    for (key, _) in page.rows {
        FLAGGED_BY.delete(tx, tenant, &(key.2.clone(), key.0.clone(), key.1.clone()));
        FLAG.delete(tx, tenant, &key);
        budget.spend(2);
    }
    if page.more {
        return Ok(false);
    }
    if let Some(author) = author {
        FLAGGED.delete(tx, tenant, &(author.to_string(), thing.0.clone(), thing.1.clone()));
    }
    if let Some(item) = REVIEW_OF.get(tx, tenant, &thing).await?
        && let Some(queued) = REVIEW.get(tx, tenant, &item).await?
    {
        REVIEW.put(tx, tenant, &item, &review::Item { payload: "{}".to_owned(), ..queued });
    }
    Ok(true)
}

/// Removes what makes a thread of the message, but the replies; whether that were all.
async fn clear_thread(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    let (tenant, key) = (tx.tenant(), id.to_string());
    if !THREAD.exists(tx, tenant, &key).await? {
        return Ok(true);
    }
    let range = PARTICIPANT.prefix(tenant, &(key.clone(),));
    let page = PARTICIPANT.scan(tx, tenant, range, Direction::Forward, budget.page_of(2)).await?;
    for ((parent, user), _) in page.rows {
        PARTICIPATION.delete(tx, tenant, &(user.clone(), parent.clone()));
        PARTICIPANT.delete(tx, tenant, &(parent, user));
        budget.spend(2);
    }
    if page.more {
        return Ok(false);
    }
    THREAD.delete(tx, tenant, &key);
    for is_deleted in [false, true] {
        REPLIES.delete(tx, tenant, &(key.clone(), is_deleted));
    }
    Ok(true)
}

/// Removes the message `id` with its replies and reactions, as far as `budget` goes; whether nothing is left of it.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    let replies = REPLY.prefix(tenant, &id.to_string());
    while !budget.is_spent() {
        let limit = budget.page_of(MESSAGE_ROWS);
        let page = REPLY.scan(tx, tenant, replies.clone(), Direction::Forward, limit).await?;
        for (key, _) in page.rows {
            let Ok(reply) = MessageId::parse(&key.2) else { continue };
            if !remove_alone(tx, &reply, budget).await? {
                return Ok(false);
            }
            REPLY.delete(tx, tenant, &key);
        }
        if !page.more {
            return Ok(clear_thread(tx, id, budget).await? && remove_alone(tx, id, budget).await?);
        }
    }
    Ok(false)
}

async fn remove_alone(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    if budget.is_spent() || !clear_reactions(tx, id, budget).await? || !clear_kept(tx, id, budget).await? {
        return Ok(false);
    }
    if let Some(message) = messages::get(tx, id).await? {
        erase(tx, id, &message, budget).await?;
    }
    Ok(true)
}

/// Removes what stayed of messages of `channel` for the sake of replies, and the replies; whether that were all.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove_stubs(tx: &mut Tx, channel: &ChannelId, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    let range = STUB.prefix(tenant, &Chat(channel.clone()));
    let page = STUB.scan(tx, tenant, range, Direction::Forward, budget.page_of(MESSAGE_ROWS)).await?;
    for (key, ()) in page.rows {
        let Ok(id) = MessageId::parse(&key.1) else { continue };
        if !remove(tx, &id, budget).await? {
            return Ok(false);
        }
        STUB.delete(tx, tenant, &key);
    }
    Ok(!page.more)
}
