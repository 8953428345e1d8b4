//! Removing messages with all that hangs on them (chat §12.6, v2 §5.2).

use ids::{MessageId, Timestamp, UserId};
use store::{Direction, key::after};

use super::{STEP_ROWS_MAX, rows::Budget};
use crate::{
    Result, Tx,
    chat::{
        events::{self, Event},
        messages::{self, Message},
        reactions,
    },
    keyspace::{AUTHORED, MESSAGE, PARTICIPANT, PARTICIPATION, REACTION, REPLIES, REPLY, THREAD},
    tasks::{Mode, Progress},
};

/// Messages that one step looks at.
const STEP_MESSAGES_MAX: usize = 100;

/// What happens to each message of a user.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    /// It is marked deleted, if it is not already.
    Delete(Mode, Timestamp),
    /// It is no longer deleted, if it was deleted at this moment.
    Restore(Timestamp, Timestamp),
}

/// Does a step of what happens to all that `user` said; whether all is done.
///
/// # Errors
/// When the store fails.
pub(super) async fn walk(tx: &mut Tx, user: &UserId, fate: Fate, progress: &mut Progress) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = AUTHORED.prefix(tenant, &user.to_string());
    if !progress.cursor.is_empty() {
        range.start = after(progress.cursor.clone());
    }
    let mut budget = Budget::new(STEP_ROWS_MAX);
    let limit = store::Limit::rows(STEP_MESSAGES_MAX);
    let page = AUTHORED.scan(tx, tenant, range, Direction::Forward, limit).await?;
    for (key, ()) in page.rows {
        let Ok(id) = MessageId::parse(&key.2) else { continue };
        let Some(message) = MESSAGE.get(tx, tenant, &key.2).await? else { continue };
        let is_done = match fate {
            Fate::Delete(Mode::Hard, _) => take_out(tx, &id, &message, &mut budget).await?,
            Fate::Delete(mode, at) => mark(tx, &id, message, mode, at, &mut budget).await?,
            Fate::Restore(deleted_at, at) => restore(tx, &id, message, deleted_at, at).await?,
        };
        if !is_done || budget.is_spent() {
            return Ok(false);
        }
        progress.cursor = AUTHORED.key(tenant, &key);
    }
    Ok(!page.more)
}

/// Tells that the messages of `user` were deleted everywhere.
pub(super) fn told(tx: &mut Tx, user: &UserId, mode: Mode, now: Timestamp) {
    let (is_soft, is_hard) = (mode != Mode::Hard, mode == Mode::Hard);
    let more = format!(r#"{{"soft_delete":{is_soft},"hard_delete":{is_hard}}}"#);
    events::record(tx, Event::new("user.messages.deleted", now, None).by(Some(user)).with(more));
}

async fn mark(
    tx: &mut Tx,
    id: &MessageId,
    old: Message,
    mode: Mode,
    at: Timestamp,
    budget: &mut Budget,
) -> Result<bool> {
    let mut message = old.clone();
    if mode == Mode::Pruning {
        if !remove_reactions(tx, id, budget).await? {
            return Ok(false);
        }
        messages::forget_versions(tx, id);
        message = pruned(message);
    } else if message.deleted_at.is_some() {
        return Ok(true);
    }
    message.deleted_at = message.deleted_at.or(Some(at));
    message.updated_at = at;
    budget.spend(1);
    messages::rewrite(tx, id, &old, &message).await?;
    Ok(true)
}

/// Takes back all reactions to the message, as far as `budget` goes; whether that were all.
async fn remove_reactions(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    let range = REACTION.prefix(tenant, &(id.to_string(),));
    let page = REACTION.scan(tx, tenant, range, Direction::Forward, budget.page()).await?;
    for (key, reaction) in page.rows {
        reactions::take(tx, &key, &reaction);
        budget.spend(5);
    }
    Ok(!page.more)
}

/// The message without what it said.
fn pruned(message: Message) -> Message {
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
        custom: "{}".to_owned(),
        ..message
    }
}

async fn restore(tx: &mut Tx, id: &MessageId, old: Message, deleted_at: Timestamp, at: Timestamp) -> Result<bool> {
    if old.deleted_at == Some(deleted_at) {
        let message = Message { deleted_at: None, updated_at: at, ..old.clone() };
        messages::rewrite(tx, id, &old, &message).await?;
    }
    Ok(true)
}

/// Removes a message out of its channel's list and its thread, with all that hangs on it but the replies of others.
pub(super) async fn take_out(tx: &mut Tx, id: &MessageId, message: &Message, budget: &mut Budget) -> Result<bool> {
    if !remove_reactions(tx, id, budget).await? {
        return Ok(false);
    }
    messages::erase(tx, id, message).await?;
    messages::uncount_reply(tx, message);
    budget.spend(10);
    Ok(true)
}

/// Removes the message `id` with its replies and reactions, as far as `budget` goes; whether nothing is left of it. The
/// row in its channel's list is the caller's.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    let tenant = tx.tenant();
    let replies = REPLY.prefix(tenant, &id.to_string());
    while !budget.is_spent() {
        let page = REPLY.scan(tx, tenant, replies.clone(), Direction::Forward, budget.page()).await?;
        for (key, _) in page.rows {
            if !remove_alone(tx, &key.2, budget).await? {
                return Ok(false);
            }
            REPLY.delete(tx, tenant, &key);
            budget.spend(1);
        }
        if !page.more {
            return remove_alone(tx, id.as_str(), budget).await;
        }
    }
    Ok(false)
}

async fn remove_alone(tx: &mut Tx, id: &str, budget: &mut Budget) -> Result<bool> {
    let (tenant, text) = (tx.tenant(), id.to_owned());
    let Ok(id) = MessageId::parse(id) else { return Ok(true) };
    if !remove_reactions(tx, &id, budget).await? || !remove_thread(tx, &id, budget).await? {
        return Ok(false);
    }
    if let Some(message) = MESSAGE.get(tx, tenant, &text).await? {
        messages::erase(tx, &id, &message).await?;
        budget.spend(10);
    }
    Ok(true)
}

/// Removes the thread on the message with who takes part in it; whether that were all.
async fn remove_thread(tx: &mut Tx, id: &MessageId, budget: &mut Budget) -> Result<bool> {
    let (tenant, key) = (tx.tenant(), id.to_string());
    let range = PARTICIPANT.prefix(tenant, &(key.clone(),));
    let page = PARTICIPANT.scan(tx, tenant, range, Direction::Forward, budget.page()).await?;
    for ((parent, user), _) in page.rows {
        PARTICIPATION.delete(tx, tenant, &(user.clone(), parent.clone()));
        PARTICIPANT.delete(tx, tenant, &(parent, user));
        budget.spend(2);
    }
    THREAD.delete(tx, tenant, &key);
    for is_deleted in [false, true] {
        REPLIES.delete(tx, tenant, &(key.clone(), is_deleted));
    }
    Ok(!page.more)
}
