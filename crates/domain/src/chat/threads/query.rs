//! Reading threads (chat §6.13, §7, §11.5).

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};
use store::{Direction, Limit};

use super::{Participant, Thread};
use crate::{
    Error, Result, Tx,
    chat::{
        channels::{self, Channel},
        members,
        messages::{self, Message, Scene},
    },
    filter::{self, Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value},
    keyspace::{At, CHANNEL_MESSAGE, Chat, PARTICIPANT, PARTICIPATION, REPLIES, REPLY, THREAD},
    rows,
};

/// What queries of threads name.
pub const THREADS: Schema = Schema {
    fields: &[
        Field::new("channel_cid", Kind::Text),
        Field::new("channel.disabled", Kind::Bool),
        Field::new("channel.team", Kind::Text),
        Field::new("parent_message_id", Kind::Text),
        Field::new("created_by_user_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("last_message_at", Kind::Time),
        Field::new("active_participant_count", Kind::Number),
        Field::new("participant_count", Kind::Number),
        Field::new("reply_count", Kind::Number),
        Field::new("has_unread", Kind::Bool),
    ],
    has_custom: true,
};
/// The most threads of one user that a query looks at.
const QUERIED_MAX: usize = 1000;
/// The most channels whose threads a query looks through because its filter names them.
const CHANNELS_MAX: usize = 10;
/// The most messages of one channel that are looked at for threads, the newest first.
const MESSAGES_MAX: usize = 5_000;
/// The most participants that a thread shows.
const PARTICIPANTS_MAX: usize = 100;
/// The most replies that are counted as unread.
const UNREAD_MAX: usize = 1000;

/// A thread with what is counted of it.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The message that it hangs on.
    pub parent: MessageId,
    /// That message.
    pub message: Message,
    /// The thread.
    pub thread: Thread,
    /// Where it is.
    pub channel: Channel,
    /// How many replies there are.
    pub replies: i64,
    /// When the last of them came.
    pub last_message_at: Option<Timestamp>,
    /// Who takes part.
    pub participants: Vec<(UserId, Participant)>,
    /// How many replies the asking user has not read.
    pub unread: usize,
    /// The application's own fields.
    pub custom: Object,
}

impl Counted {
    /// The title, or the text that it hangs on.
    pub fn title(&self) -> &str {
        self.thread.title.as_deref().unwrap_or(&self.message.text)
    }
}

impl Row for Counted {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.parent.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        let participants = i64::try_from(self.participants.len()).unwrap_or(i64::MAX);
        match field {
            "channel_cid" => Value::text(self.thread.channel.as_str()),
            "channel.disabled" => Value::Bool(self.channel.is_disabled),
            "channel.team" => Value::text(&self.channel.team),
            "parent_message_id" => Value::text(self.parent.as_str()),
            "created_by_user_id" => Value::maybe_text(self.thread.created_by.as_ref().map(UserId::as_str)),
            "created_at" => Value::Time(self.thread.created_at),
            "updated_at" => Value::Time(self.thread.updated_at),
            "last_message_at" => self.last_message_at.map_or(Value::Null, Value::Time),
            "active_participant_count" | "participant_count" => Value::Integer(participants),
            "reply_count" => Value::Integer(self.replies),
            "has_unread" => Value::Bool(self.unread > 0),
            _ => filter::custom(&self.custom, field),
        }
    }
}

/// The thread on `parent`, for `caller`; none is the app's own server.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when the caller may not read its channel.
pub async fn read(tx: &mut Tx, caller: Option<&UserId>, parent: &MessageId, now: Timestamp) -> Result<Counted> {
    let message = messages::read(tx, caller, parent, now).await?;
    let none = || Error::Absent(format!("Thread with parent message id {parent} doesn't exist"));
    let channel = channels::load(tx, &message.channel).await?;
    count(tx, parent, message, channel, caller).await?.ok_or_else(none)
}

/// A page of the threads in which `user` takes part, and of those in channels of the user's that `filter` names, as far as
/// they fit it; `caller` is who asks.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: &UserId,
    (filter, sort): (&Filter, &Sort),
    (cursor, limit): (Option<&Cursor>, usize),
    now: Timestamp,
) -> Result<Page<Counted>> {
    let mut places = Places::default();
    let mut found = Vec::new();
    let mut parents: BTreeSet<MessageId> = of_user(tx, user).await?.into_iter().collect();
    parents.extend(of_named(tx, filter, user).await?);
    for parent in parents {
        let Some(message) = messages::get(tx, &parent).await?.filter(|message| message.deleted_at.is_none()) else {
            continue;
        };
        let Some(channel) = places.get(tx, &message.channel, caller, now).await? else { continue };
        let counted = count(tx, &parent, message, channel, Some(user)).await?;
        found.extend(counted.filter(|counted| counted.replies > 0 && filter.fits(counted)));
    }
    Ok(filter::page(found, sort, cursor, limit))
}

/// The threads in which `user` takes part, by the messages that they hang on.
async fn of_user(tx: &mut Tx, user: &UserId) -> Result<Vec<MessageId>> {
    let range = PARTICIPATION.prefix(tx.tenant(), &(user.to_string(),));
    let rows = rows::list(tx, &PARTICIPATION, range, QUERIED_MAX).await?;
    Ok(rows.into_iter().filter_map(|((_, parent), ())| MessageId::parse(&parent).ok()).collect())
}

/// The threads of the channels that `filter` names and of which `user` is a member: there the user finds those, too, in
/// which others alone take part (chat §11.5).
async fn of_named(tx: &mut Tx, filter: &Filter, user: &UserId) -> Result<Vec<MessageId>> {
    let Some(named) = filter.only("channel_cid") else { return Ok(Vec::new()) };
    // Who takes no part in a thread has nothing to read in it.
    if filter.equals("has_unread") == Some(&Value::Bool(true)) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for id in named.into_iter().filter_map(|cid| ChannelId::parse(cid).ok()).take(CHANNELS_MAX) {
        let Some(channel) = channels::get(tx, &id).await? else { continue };
        let Some(member) = members::get(tx, &id, user).await? else { continue };
        found.extend(of_channel(tx, &id, channel.truncated_at.max(member.hides_before), user).await?);
    }
    Ok(found)
}

/// The threads of a channel that hang on messages which `user` sees: those after `hidden_until`.
async fn of_channel(
    tx: &mut Tx,
    id: &ChannelId,
    hidden_until: Option<Timestamp>,
    user: &UserId,
) -> Result<Vec<MessageId>> {
    let (tenant, chat, mut passed) = (tx.tenant(), Chat(id.clone()), 0);
    let mut range = CHANNEL_MESSAGE.prefix(tenant, &(chat.clone(),));
    if let Some(until) = hidden_until {
        range.start = CHANNEL_MESSAGE.prefix(tenant, &(chat, At(until.plus_micros(1)))).start;
    }
    let mut found = Vec::new();
    while passed < MESSAGES_MAX && range.start < range.end {
        let page = CHANNEL_MESSAGE.scan(tx, tenant, range.clone(), Direction::Backward, Limit::PAGE).await?;
        let Some((last, _)) = page.rows.last() else { break };
        range.end = CHANNEL_MESSAGE.key(tenant, last);
        passed += page.rows.len();
        let seen = page.rows.into_iter().filter(|(_, listed)| listed.value.is_visible_to(user));
        let ids: Vec<String> = seen.map(|((.., id), _)| id).collect();
        let threads = THREAD.get_many(tx, tenant, &ids).await?;
        let with_thread = ids.iter().zip(threads).filter(|(_, thread)| thread.is_some());
        found.extend(with_thread.filter_map(|(id, _)| MessageId::parse(id).ok()));
        if !page.more {
            break;
        }
    }
    Ok(found)
}

/// Channels that the caller may read; each is looked at once.
#[derive(Default)]
pub(in crate::chat) struct Places(HashMap<ChannelId, Option<Channel>>);

impl Places {
    /// The channel `id`, if there is one that the caller may read.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::chat) async fn get(
        &mut self,
        tx: &mut Tx,
        id: &ChannelId,
        caller: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Option<Channel>> {
        if let Some(known) = self.0.get(id) {
            return Ok(known.clone());
        }
        let channel = match channels::get(tx, id).await? {
            Some(channel) if Scene::load(tx, id, caller, now).await?.check_reading().is_ok() => Some(channel),
            _ => None,
        };
        self.0.insert(id.clone(), channel.clone());
        Ok(channel)
    }
}

async fn count(
    tx: &mut Tx,
    parent: &MessageId,
    message: Message,
    channel: Channel,
    user: Option<&UserId>,
) -> Result<Option<Counted>> {
    let Some(thread) = super::get(tx, parent).await? else { return Ok(None) };
    let (tenant, key) = (tx.tenant(), parent.to_string());
    let range = PARTICIPANT.prefix(tenant, &(key.clone(),));
    let rows = PARTICIPANT.scan(tx, tenant, range, Direction::Forward, Limit::rows(PARTICIPANTS_MAX)).await?.rows;
    let participants: Vec<_> =
        rows.into_iter().filter_map(|((_, user), known)| Some((UserId::parse(&user).ok()?, known))).collect();
    let own = participants.iter().find(|(known, _)| Some(known) == user).map(|(_, known)| known.last_read);
    let unread = match (user, own) {
        (Some(user), Some(last_read)) => unread(tx, parent, user, last_read).await?,
        _ => 0,
    };
    let newest = REPLY.prefix(tenant, &(key.clone(),));
    let newest = REPLY.scan(tx, tenant, newest, Direction::Backward, Limit::rows(1)).await?.rows;
    Ok(Some(Counted {
        replies: REPLIES.get(tx, tenant, &(key, false)).await?,
        last_message_at: newest.first().map(|((_, At(at), _), _)| *at),
        custom: thread.custom(),
        parent: parent.clone(),
        message,
        thread,
        channel,
        participants,
        unread,
    }))
}

/// How many replies to `parent` came after `last_read`, but for those of `user`.
///
/// # Errors
/// When the store fails.
pub async fn unread(tx: &mut Tx, parent: &MessageId, user: &UserId, last_read: Timestamp) -> Result<usize> {
    let tenant = tx.tenant();
    let mut range = REPLY.prefix(tenant, &(parent.to_string(),));
    range.start = REPLY.prefix(tenant, &(parent.to_string(), At(last_read.plus_micros(1)))).start;
    let rows = rows::list(tx, &REPLY, range, UNREAD_MAX).await?;
    let is_unread =
        |listed: &messages::Listed| listed.counts && listed.is_visible_to(user) && listed.user.as_ref() != Some(user);
    Ok(rows.iter().filter(|(_, listed)| is_unread(&listed.value)).count())
}

/// A thread that holds something unread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    /// The message that it hangs on.
    pub parent: MessageId,
    /// How many replies are unread.
    pub count: usize,
    /// How far the user has read.
    pub last_read: Timestamp,
    /// The last reply that the user has read.
    pub last_read_message: Option<MessageId>,
}

/// The threads with replies that `user` has not read.
///
/// # Errors
/// When the store fails.
pub async fn unread_of(tx: &mut Tx, user: &UserId) -> Result<Vec<Unread>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for parent in of_user(tx, user).await? {
        let key = (parent.to_string(), user.to_string());
        let Some(participant) = PARTICIPANT.get(tx, tenant, &key).await? else { continue };
        let count = unread(tx, &parent, user, participant.last_read).await?;
        if count > 0 {
            let Participant { last_read, last_read_message, .. } = participant;
            found.push(Unread { parent, count, last_read, last_read_message });
        }
    }
    Ok(found)
}
