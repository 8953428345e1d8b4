//! Messages as a file brings them (chat §11.12): nobody is told, and nothing is unread that is older than the mark of who
//! reads.

use ids::{MessageId, Timestamp, UserId};

use super::{Draft, Kind, Message, Pin, Scene, change, delete, get, send};
use crate::{
    Error, Result, Tx,
    chat::{
        channels,
        imports::{Outcome, Terms, absent},
        search, threads,
    },
    keyspace::{AUTHORED, At, CHANNEL_MESSAGE, Chat, Latest, MESSAGE, MESSAGES, PINNED, REPLIES, REPLY},
    log::{self, Event},
    users,
};

/// A message as a file has it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Which.
    pub id: MessageId,
    /// Where.
    pub channel: ids::ChannelId,
    /// What it says.
    pub draft: Draft,
    /// When it was said.
    pub created_at: Timestamp,
    /// When a field was last changed.
    pub updated_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Since when and by whom it is pinned.
    pub pin: Option<(Timestamp, Option<UserId>)>,
}

/// Stores a message.
///
/// # Errors
/// [`Error::Unfit`] when what it refers to is not there, or the message stands in another place here; what
/// [`Draft::check_limits`] answers.
pub async fn import(tx: &mut Tx, given: &Imported, terms: Terms, now: Timestamp) -> Result<Outcome> {
    let known = get(tx, &given.id).await?;
    if known.is_some() && !terms.replaces {
        return Ok(Outcome::Skipped);
    }
    channels::get(tx, &given.channel).await?.ok_or_else(|| absent("channel_id", "channel"))?;
    let scene = Scene::load(tx, &given.channel, None, now).await?;
    given.draft.check_limits(&scene)?;
    check_references(tx, given).await?;
    let message = composed(given, known.as_ref(), terms);
    match known {
        None => insert(tx, &given.id, &message, now).await.map(|()| Outcome::Inserted),
        Some(known) => replace(tx, &given.id, &known, message).await.map(|()| Outcome::Updated),
    }
}

async fn check_references(tx: &mut Tx, given: &Imported) -> Result<()> {
    let author = given.draft.user.as_ref().ok_or_else(|| Error::Unfit("user is a required field".to_owned()))?;
    users::get(tx, author).await?.ok_or_else(|| absent("user", "user"))?;
    let mentioned = users::get_many(tx, &given.draft.mentioned).await?;
    if mentioned.iter().any(Option::is_none) {
        return Err(absent("mentioned_users", "user"));
    }
    if let Some(by) = given.pin.as_ref().and_then(|(_, by)| by.as_ref()) {
        users::get(tx, by).await?.ok_or_else(|| absent("pinned_by_id", "user"))?;
    }
    let Some(parent) = &given.draft.parent else { return Ok(()) };
    match get(tx, parent).await?.filter(|parent| parent.channel == given.channel) {
        None => Err(absent("parent_id", "message in this channel")),
        Some(parent) if parent.parent.is_some() => Err(Error::NestedReply),
        Some(_) => Ok(()),
    }
}

fn composed(given: &Imported, known: Option<&Message>, terms: Terms) -> Message {
    let before = known.map(Message::custom).unwrap_or_default();
    let custom = ids::json::Object::parse(&given.draft.custom).unwrap_or_default();
    let made = given.draft.clone().message(given.channel.clone(), given.created_at);
    Message {
        kind: if made.kind == Kind::Regular && made.parent.is_some() { Kind::Reply } else { made.kind },
        pin: given.pin.clone().map(|(at, by)| Pin { at, by, expires: given.draft.pin_expires }),
        updated_at: given.updated_at.unwrap_or(given.created_at),
        deleted_at: given.deleted_at,
        custom: terms.custom(before, &custom).to_string(),
        ..made
    }
}

async fn insert(tx: &mut Tx, id: &MessageId, message: &Message, now: Timestamp) -> Result<()> {
    let (tenant, channel, key) = (tx.tenant(), Chat(message.channel.clone()), id.to_string());
    let (at, is_deleted) = (At(message.created_at), message.deleted_at.is_some());
    let listed = send::listed(tx, message).await?;
    MESSAGE.put(tx, tenant, &key, message);
    search::index(tx, id, None, message);
    if let Some(author) = &message.user {
        AUTHORED.put(tx, tenant, &(author.to_string(), at, key.clone()), &());
    }
    if let Some(pin) = &message.pin {
        PINNED.put(tx, tenant, &(channel.clone(), Latest(pin.at), key.clone()), &());
    }
    if send::is_in_channel(message) {
        CHANNEL_MESSAGE.put(tx, tenant, &(channel.clone(), at, key.clone()), &listed);
        if !is_deleted {
            MESSAGES.add(tx, tenant, &channel, send::counted(message));
        }
        log::record(tx, &Event::Swept { channel: message.channel.clone() });
    }
    if let Some(parent) = &message.parent {
        REPLY.put(tx, tenant, &(parent.to_string(), at, key), &listed);
        REPLIES.add(tx, tenant, &(parent.to_string(), is_deleted), 1);
        threads::import_reply(tx, parent, id, message, now).await?;
    }
    Ok(())
}

/// Changes what a message says, which stays where it stands.
async fn replace(tx: &mut Tx, id: &MessageId, known: &Message, mut message: Message) -> Result<()> {
    let place = |message: &Message| {
        (
            message.channel.clone(),
            message.user.clone(),
            message.created_at,
            message.parent.clone(),
            message.shows_in_channel,
        )
    };
    if place(known) != place(&message) || known.pending.is_some() {
        return Err(Error::Unfit(
            "id: the message stands in another place here, or was said by somebody else, or at another time".to_owned(),
        ));
    }
    (message.poll, message.location) = (known.poll.clone(), known.location.clone());
    let deleted_at = message.deleted_at.take();
    let was_deleted = known.deleted_at.is_some();
    // Nothing leads to a deleted message.
    search::index(tx, id, (!was_deleted).then_some(known), &message);
    change::repin(tx, id, known.pin.as_ref(), &message);
    if was_deleted {
        delete::unmark(tx, id, &mut message.clone(), message.updated_at).await?;
    }
    let tenant = tx.tenant();
    MESSAGE.put(tx, tenant, &id.to_string(), &message);
    if let Some(at) = deleted_at {
        let updated_at = message.updated_at;
        delete::mark(tx, id, &mut message, at).await?;
        MESSAGE.put(tx, tenant, &id.to_string(), &Message { updated_at, ..message.clone() });
    }
    change::recount(tx, id, &message).await?;
    log::record(tx, &Event::Swept { channel: message.channel.clone() });
    Ok(())
}
