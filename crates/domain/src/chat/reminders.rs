//! Reminders: messages that a user has saved for later, some with a moment at which to be reminded (chat §6.15, §11.6).
//!
//! **Invariant:** a reminder with a moment that was not told yet has one row in `REMINDER_DUE`, and no other has one. The
//! commit that tells it removes that row, so it is told once.

mod list;

pub use list::{Found, REMINDERS, of_messages, query};

use ids::{ChannelId, MessageId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{
    events::{self, Event, Matter},
    messages::{self, Scene},
};
use crate::{
    Error, Result, Tx,
    keyspace::{At, REMINDED, REMINDER, REMINDER_DUE},
    users,
};

/// The most reminders of one user, if the app does not say (chat §4.2).
const REMINDERS_MAX: usize = 250;
/// The most reminders that are told in one transaction.
const TOLD_MAX: usize = 100;

/// That a user has saved a message for later.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Reminder {
    /// Where the message is.
    #[n(0)]
    pub channel: ChannelId,
    /// When the user wants to be reminded.
    #[n(1)]
    pub remind_at: Option<Timestamp>,
    /// Since when it is saved.
    #[n(2)]
    pub created_at: Timestamp,
    /// When the moment was last set.
    #[n(3)]
    pub updated_at: Timestamp,
}

/// Saves the message `id` for `user`, who is reminded of it at `remind_at`.
///
/// # Errors
/// [`Error::Absent`] when the caller sees no such message, [`Error::FeatureOff`] when its channel has no such reminders,
/// [`Error::Unfit`] when it is saved already, was deleted, or the user has too many.
pub async fn create(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: &UserId,
    id: &MessageId,
    remind_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Found> {
    let message = messages::read(tx, caller, id, now).await?;
    let scene = Scene::load(tx, &message.channel, caller, now).await?;
    if !scene.config.user_message_reminders {
        return Err(Error::FeatureOff(format!("user_message_reminders is not enabled for channel {}", scene.id)));
    }
    if message.deleted_at.is_some() {
        return Err(Error::Unfit(format!("message {id} was deleted")));
    }
    let (tenant, key) = (tx.tenant(), key(user, id));
    if REMINDER.exists(tx, tenant, &key).await? {
        return Err(Error::Unfit("user already has reminder created for this message_id".to_owned()));
    }
    let max = most(tx);
    let own = REMINDER.prefix(tenant, &key.0);
    if REMINDER.scan(tx, tenant, own, Direction::Forward, Limit::rows(max)).await?.rows.len() >= max {
        return Err(Error::Unfit(format!("a user has at most {max} reminders")));
    }
    users::ensure(tx, user, now).await?;
    let reminder = Reminder { channel: message.channel, remind_at, created_at: now, updated_at: now };
    REMINDED.put(tx, tenant, &(id.to_string(), user.to_string()), &());
    put(tx, user, id, None, &reminder);
    let found = Found { user: user.clone(), message: id.clone(), reminder };
    tell(tx, "reminder.created", &found, message.parent.as_ref(), now);
    Ok(found)
}

/// Sets the moment of a reminder, or takes it away.
///
/// # Errors
/// [`Error::Absent`] when there is no such reminder.
pub async fn update(
    tx: &mut Tx,
    user: &UserId,
    id: &MessageId,
    remind_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Found> {
    let old = load(tx, user, id).await?;
    let reminder = Reminder { remind_at, updated_at: now, ..old.clone() };
    put(tx, user, id, Some(&old), &reminder);
    let found = Found { user: user.clone(), message: id.clone(), reminder };
    let parent = messages::get(tx, id).await?.and_then(|message| message.parent);
    tell(tx, "reminder.updated", &found, parent.as_ref(), now);
    Ok(found)
}

/// Removes a reminder.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn delete(tx: &mut Tx, user: &UserId, id: &MessageId, now: Timestamp) -> Result<()> {
    let reminder = load(tx, user, id).await?;
    forget(tx, &key(user, id), &reminder);
    let found = Found { user: user.clone(), message: id.clone(), reminder };
    let parent = messages::get(tx, id).await?.and_then(|message| message.parent);
    tell(tx, "reminder.deleted", &found, parent.as_ref(), now);
    Ok(())
}

async fn load(tx: &mut Tx, user: &UserId, id: &MessageId) -> Result<Reminder> {
    let tenant = tx.tenant();
    let known = REMINDER.get(tx, tenant, &key(user, id)).await?;
    known.ok_or_else(|| Error::Absent(format!("user '{user}' has no reminder for message {id}")))
}

fn key(user: &UserId, id: &MessageId) -> (String, String) {
    (user.to_string(), id.to_string())
}

fn most(tx: &Tx) -> usize {
    let said = tx.app.settings.other("reminders_max_per_user");
    said.and_then(|raw| raw.get().parse().ok()).unwrap_or(REMINDERS_MAX)
}

/// Writes a reminder and its place in the queue, where it stood as `old`.
fn put(tx: &mut Tx, user: &UserId, id: &MessageId, old: Option<&Reminder>, new: &Reminder) {
    let (tenant, key) = (tx.tenant(), key(user, id));
    if let Some(at) = old.and_then(|old| old.remind_at) {
        REMINDER_DUE.delete(tx, tenant, &(At(at), key.0.clone(), key.1.clone()));
    }
    if let Some(at) = new.remind_at {
        REMINDER_DUE.put(tx, tenant, &(At(at), key.0.clone(), key.1.clone()), &());
    }
    REMINDER.put(tx, tenant, &key, new);
}

fn tell(tx: &mut Tx, kind: &str, found: &Found, parent: Option<&MessageId>, now: Timestamp) {
    let mut more = serde_json::json!({ "message_id": found.message.as_str(), "user_id": found.user.as_str() });
    if let Some(parent) = parent {
        more["parent_id"] = parent.as_str().into();
    }
    let event = Event::new(kind, now, Some(&found.reminder.channel)).by(Some(&found.user));
    let matter = Matter::Reminder { message: found.message.clone(), reminder: found.reminder.clone() };
    events::record(tx, event.only_for([found.user.clone()]).with(more.to_string()).on(matter));
}

/// Tells reminders whose moment has come, those that waited longest first; whether there may be more.
///
/// What became of the message meanwhile counts: of a deleted one nobody is reminded.
///
/// # Errors
/// When the store fails.
pub async fn tell_due(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let range = REMINDER_DUE.range(tenant).start..REMINDER_DUE.prefix(tenant, &At(now)).end;
    let page = REMINDER_DUE.scan(tx, tenant, range, Direction::Forward, Limit::rows(TOLD_MAX)).await?;
    for (due, ()) in page.rows {
        REMINDER_DUE.delete(tx, tenant, &due);
        let (_, user, message) = due;
        let (Ok(id), Ok(by)) = (MessageId::parse(&message), UserId::parse(&user)) else { continue };
        let Some(reminder) = REMINDER.get(tx, tenant, &(user, message)).await? else { continue };
        let Some(message) = messages::get(tx, &id).await?.filter(|message| message.deleted_at.is_none()) else {
            continue;
        };
        let found = Found { user: by, message: id, reminder };
        tell(tx, "notification.reminder_due", &found, message.parent.as_ref(), now);
    }
    Ok(page.more)
}

/// Whether a reminder's moment has come.
///
/// # Errors
/// When the store fails.
pub async fn is_any_due(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    let range = REMINDER_DUE.range(tenant).start..REMINDER_DUE.prefix(tenant, &At(now)).end;
    Ok(!REMINDER_DUE.scan(tx, tenant, range, Direction::Forward, Limit::rows(1)).await?.rows.is_empty())
}

/// Removes every row of a reminder.
fn forget(tx: &mut Tx, key: &(String, String), reminder: &Reminder) {
    let (tenant, (user, message)) = (tx.tenant(), key.clone());
    if let Some(at) = reminder.remind_at {
        REMINDER_DUE.delete(tx, tenant, &(At(at), user.clone(), message.clone()));
    }
    REMINDED.delete(tx, tenant, &(message, user));
    REMINDER.delete(tx, tenant, key);
}

/// Removes reminders of `user`, at most `limit`, without telling of it; how many, and whether those were all.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_user(tx: &mut Tx, user: &UserId, limit: Limit) -> Result<(usize, bool)> {
    let tenant = tx.tenant();
    let page = REMINDER.scan(tx, tenant, REMINDER.prefix(tenant, &user.to_string()), Direction::Forward, limit).await?;
    for (key, reminder) in &page.rows {
        forget(tx, key, reminder);
    }
    Ok((page.rows.len(), !page.more))
}

/// The same for reminders of anybody for the message `id`.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_message(tx: &mut Tx, id: &MessageId, limit: Limit) -> Result<(usize, bool)> {
    let tenant = tx.tenant();
    let page = REMINDED.scan(tx, tenant, REMINDED.prefix(tenant, &id.to_string()), Direction::Forward, limit).await?;
    for ((message, user), ()) in &page.rows {
        let key = (user.clone(), message.clone());
        match REMINDER.get(tx, tenant, &key).await? {
            Some(reminder) => forget(tx, &key, &reminder),
            None => REMINDED.delete(tx, tenant, &(message.clone(), user.clone())),
        }
    }
    Ok((page.rows.len(), !page.more))
}

#[cfg(test)]
mod tests;
