//! Changing threads, and how far their participants have read (chat §11.3, §11.5).

use ids::{MessageId, Timestamp, UserId, json::Object};
use serde_json::json;
use store::{Direction, Limit};

use super::{Counted, Thread, query};
use crate::{
    Error, Result, Tx,
    chat::{
        events::{self, Event},
        messages::{self, Scene},
    },
    custom::Edit,
    keyspace::{At, PARTICIPANT, REPLY, THREAD},
};

/// The longest title, in characters.
const TITLE_MAX: usize = 255;
/// The most bytes of a thread's own fields.
const CUSTOM_BYTES_MAX: usize = 5 * 1024;

/// Fields of a thread that change.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// The title; with nothing in it, the text of the message is the title again.
    pub title: Option<Option<String>>,
    /// The application's own fields.
    pub custom: Edit,
}

/// Changes the thread on `parent` on behalf of `caller`; `by` is who is said to have done it.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when the caller may not, [`Error::Unfit`] and
/// [`Error::TooBig`] for what is past its limit.
pub async fn update(
    tx: &mut Tx,
    caller: Option<&UserId>,
    parent: &MessageId,
    by: Option<&UserId>,
    patch: &Patch,
    now: Timestamp,
) -> Result<Counted> {
    let mut counted = query::read(tx, caller, parent, now).await?;
    let scene = Scene::load(tx, &counted.thread.channel, caller, now).await?;
    scene.check("update-message", counted.message.user.as_ref())?;
    let Thread { title, custom, updated_at, .. } = &mut counted.thread;
    if let Some(given) = &patch.title {
        *title = given.clone().filter(|title| !title.is_empty());
    }
    if title.as_ref().is_some_and(|title| title.chars().count() > TITLE_MAX) {
        return Err(Error::Unfit(format!("title may have {TITLE_MAX} characters")));
    }
    patch.custom.apply(&mut counted.custom)?;
    *custom = counted.custom.to_string();
    *updated_at = now;
    if custom.len() > CUSTOM_BYTES_MAX {
        return Err(Error::TooBig(format!("the own fields of a thread may have {CUSTOM_BYTES_MAX} bytes")));
    }
    let tenant = tx.tenant();
    THREAD.put(tx, tenant, &parent.to_string(), &counted.thread);
    let event = Event::new("thread.updated", now, Some(&counted.thread.channel)).by(by);
    events::record(tx, event.with(told(&counted, &counted.custom)));
    Ok(counted)
}

/// What the event says of the thread.
fn told(counted: &Counted, custom: &Object) -> String {
    let at = |at: Timestamp| at.rfc3339_short().to_string();
    let custom: serde_json::Value = serde_json::from_str(&custom.to_string()).unwrap_or_default();
    let thread = json!({
        "channel_cid": counted.thread.channel.as_str(),
        "parent_message_id": counted.parent.as_str(),
        "created_by_user_id": counted.thread.created_by.as_ref().map(UserId::as_str),
        "title": counted.title(),
        "custom": custom,
        "reply_count": counted.replies,
        "participant_count": counted.participants.len(),
        "active_participant_count": counted.participants.len(),
        "created_at": at(counted.thread.created_at),
        "updated_at": at(counted.thread.updated_at),
    });
    json!({ "thread": thread }).to_string()
}

/// Marks the thread on `parent` as read by `user`; nothing happens to who takes no part in it.
///
/// # Errors
/// [`Error::Absent`] when there is no such thread.
pub async fn mark_read(tx: &mut Tx, parent: &MessageId, user: &UserId, now: Timestamp) -> Result<()> {
    let thread = load(tx, parent).await?;
    let (tenant, key) = (tx.tenant(), (parent.to_string(), user.to_string()));
    let Some(mut participant) = PARTICIPANT.get(tx, tenant, &key).await? else { return Ok(()) };
    let range = REPLY.prefix(tenant, &(key.0.clone(),));
    let newest = REPLY.scan(tx, tenant, range, Direction::Backward, Limit::rows(1)).await?.rows;
    let newest = newest.into_iter().next().map(|((_, At(at), id), _)| (at, id));
    // A reply can have got its time ahead of this one.
    participant.last_read = newest.as_ref().map_or(now, |(at, _)| now.max(*at));
    participant.last_read_message = newest.and_then(|(_, id)| MessageId::parse(&id).ok());
    PARTICIPANT.put(tx, tenant, &key, &participant);
    let last = participant.last_read_message.as_ref().map(MessageId::as_str);
    let more = json!({ "thread_id": parent.as_str(), "last_read_message_id": last }).to_string();
    let event = |kind| Event::new(kind, now, Some(&thread.channel)).by(Some(user)).with(more.clone());
    events::record(tx, event("message.read"));
    events::record(tx, event("notification.mark_read").only_for([user.clone()]));
    Ok(())
}

/// Marks the thread on `parent` as unread by `user`, all of it; nothing happens to who takes no part in it.
///
/// # Errors
/// [`Error::Absent`] when there is no such thread.
pub async fn mark_unread(tx: &mut Tx, parent: &MessageId, user: &UserId, now: Timestamp) -> Result<()> {
    let thread = load(tx, parent).await?;
    let (tenant, key) = (tx.tenant(), (parent.to_string(), user.to_string()));
    let Some(mut participant) = PARTICIPANT.get(tx, tenant, &key).await? else { return Ok(()) };
    participant.last_read = thread.created_at.plus_micros(-1);
    participant.last_read_message = None;
    PARTICIPANT.put(tx, tenant, &key, &participant);
    let more = json!({ "thread_id": parent.as_str() }).to_string();
    let event = Event::new("notification.mark_unread", now, Some(&thread.channel)).by(Some(user)).with(more);
    events::record(tx, event.only_for([user.clone()]));
    Ok(())
}

async fn load(tx: &mut Tx, parent: &MessageId) -> Result<Thread> {
    messages::load(tx, parent).await?;
    let none = || Error::Absent(format!("Thread with parent message id {parent} doesn't exist"));
    super::get(tx, parent).await?.ok_or_else(none)
}
