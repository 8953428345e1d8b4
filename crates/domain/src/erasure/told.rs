//! Taking out of the log what it tells of messages, channels, activities, comments and polls that are gone (v2 §5.2, §5.3,
//! §5.6).
//!
//! An event says what was said, and stays until the log is pruned, for hooks that have not taken it and clients that were
//! away. It goes when what it tells of was removed for good, or pruned; that something was deleted is told on, without its
//! words.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use ids::{ActivityId, ChannelId};
use store::{Direction, Key, Limit, Record, Table, Transaction, key::after};

use super::messages::{pruned, says_nothing};
use crate::{
    Result, Tx,
    chat::{
        channels::Channel,
        events::{self, Matter},
        messages::Message,
    },
    keyspace::{CHANNEL, Chat, Id, LOG, MESSAGE, POLL, V3_ACTIVITY, V3_COMMENT},
    log::Event,
    polls::Poll,
    v3::{activities::Activity, comments::Comment, events::Subject},
};

/// Pages of events that one step of the walk reads.
const STEP_PAGES_MAX: usize = 16;
/// The events that tell that a message, an activity, a comment or a poll was deleted, with it.
const DELETED: [&str; 5] =
    ["message.deleted", "feeds.activity.deleted", "feeds.comment.deleted", "poll.deleted", "feeds.poll.deleted"];
/// The event that tells of a channel that was deleted, by its id alone.
const CHANNEL_DELETED: &str = "channel.deleted";

/// Does a step of the walk over the log, from behind `cursor`; whether it is at its end.
///
/// Pages are read beside the transaction, so that nobody who writes is in its way; it watches what it changes. What is gone
/// does not come back: a message of the same id is another.
///
/// # Errors
/// When the store fails.
pub async fn forget(tx: &mut Tx, cursor: &mut Vec<u8>) -> Result<bool> {
    let (mut beside, tenant) = (tx.snapshot(), tx.tenant());
    let mut range = LOG.range(tenant);
    if !cursor.is_empty() {
        range.start = after(cursor.clone());
    }
    for _ in 0..STEP_PAGES_MAX {
        let page = beside.scan(range.clone(), Direction::Forward, Limit::PAGE).await?;
        let Some((last, _)) = page.rows.last() else { return Ok(true) };
        let told = read(&page.rows)?;
        let known = Known::load(&mut beside, tenant, &told).await?;
        for (key, event) in told {
            if tx.is_full() {
                return Ok(false);
            }
            cursor.clear();
            cursor.extend_from_slice(key);
            match known.fate(&event) {
                Fate::Stays => continue,
                Fate::Goes => tx.delete(key.to_vec()),
                Fate::LosesWords => tx.put(key.to_vec(), Event::Chat(Box::new(without_words(*event))).encode()),
            }
            tx.watch_row(key.to_vec());
        }
        cursor.clear();
        cursor.extend_from_slice(last);
        if !page.more {
            return Ok(true);
        }
        range.start = after(cursor.clone());
    }
    Ok(false)
}

/// Those of the entries that tell of chat.
fn read<B: AsRef<[u8]>>(rows: &[(B, B)]) -> Result<Vec<(&[u8], Box<events::Event>)>> {
    let mut told = Vec::new();
    for (key, value) in rows {
        let key = key.as_ref();
        if let (_, Event::Chat(event)) = LOG.decode(key, value.as_ref()).map_err(store::Error::from)? {
            told.push((key, event));
        }
    }
    Ok(told)
}

/// What becomes of an event.
enum Fate {
    Stays,
    Goes,
    LosesWords,
}

/// What is stored of what events tell of.
struct Known {
    channels: HashMap<ChannelId, Option<Channel>>,
    messages: HashMap<String, Option<Message>>,
    activities: HashMap<ActivityId, Option<Activity>>,
    comments: HashMap<String, Option<Comment>>,
    polls: HashMap<String, Option<Poll>>,
}

/// The poll that an event is about.
fn poll(event: &events::Event) -> Option<(&String, &Poll)> {
    let polled = event.feeds.as_deref().and_then(|subject| subject.poll.as_deref());
    match event.matter.as_deref() {
        Some(Matter::Poll { id, poll, .. }) => Some((id, poll)),
        _ => polled.map(|polled| (&polled.id, &polled.poll)),
    }
}

impl Known {
    async fn load(tx: &mut Transaction, tenant: u32, told: &[(&[u8], Box<events::Event>)]) -> Result<Self> {
        let (mut channels, mut messages) = (BTreeSet::new(), BTreeSet::new());
        let (mut activities, mut comments, mut polls) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (_, event) in told {
            channels.extend(event.channel.clone());
            messages.extend(event.message.as_deref().map(|(id, _)| id.to_string()));
            let subject = event.feeds.as_deref();
            activities.extend(subject.and_then(|subject| Some(subject.activity.as_ref()?.0)));
            comments.extend(subject.and_then(|subject| Some(subject.comment.as_ref()?.0.clone())));
            polls.extend(poll(event).map(|(id, _)| id.clone()));
        }
        Ok(Known {
            channels: stored(tx, tenant, &CHANNEL, |Chat(id)| id, channels.into_iter().map(Chat).collect()).await?,
            messages: stored(tx, tenant, &MESSAGE, |id| id, messages.into_iter().collect()).await?,
            activities: stored(tx, tenant, &V3_ACTIVITY, |Id(id)| id, activities.into_iter().map(Id).collect()).await?,
            comments: stored(tx, tenant, &V3_COMMENT, |id| id, comments.into_iter().collect()).await?,
            polls: stored(tx, tenant, &POLL, |id| id, polls.into_iter().collect()).await?,
        })
    }

    fn fate(&self, event: &events::Event) -> Fate {
        let channel = event.channel.as_ref().and_then(|id| self.channels.get(id));
        if let Some(stored) = channel
            && event.kind != CHANNEL_DELETED
            && stored.as_ref().is_none_or(|channel| channel.created_at > event.at)
        {
            return Fate::Goes;
        }
        let is_there = event.message.as_deref().is_none_or(|(id, message)| self.has_message(id.as_str(), message))
            && event.feeds.as_deref().is_none_or(|subject| self.has_subject(subject))
            && poll(event).is_none_or(|(id, told)| self.has_poll(id, told));
        match is_there {
            true => Fate::Stays,
            false if !DELETED.contains(&event.kind.as_str()) => Fate::Goes,
            false if *event == without_words(event.clone()) => Fate::Stays,
            false => Fate::LosesWords,
        }
    }

    /// Whether the message is stored, with what it said then or something else that it said since.
    fn has_message(&self, id: &str, told: &Message) -> bool {
        let stored = self.messages.get(id).and_then(Option::as_ref);
        stored.is_some_and(|stored| {
            let is_pruned = stored.deleted_at.is_some() && says_nothing(stored);
            stored.created_at == told.created_at && (!is_pruned || says_nothing(told))
        })
    }

    fn has_poll(&self, id: &str, told: &Poll) -> bool {
        self.polls.get(id).and_then(Option::as_ref).is_some_and(|stored| stored.created_at == told.created_at)
    }

    /// Whether the activity and the comment that it is about are stored; what replies left of a comment is not it.
    fn has_subject(&self, subject: &Subject) -> bool {
        let has_activity = |id| self.activities.get(id).is_some_and(Option::is_some);
        let has_comment = |(id, told): &(String, Box<Comment>)| {
            let stored = self.comments.get(id).and_then(Option::as_ref);
            stored.is_some_and(|stored| stored.created_at == told.created_at && stored.user.is_some())
        };
        subject.activity.as_ref().is_none_or(|(id, _)| has_activity(id))
            && subject.comment.as_ref().is_none_or(has_comment)
    }
}

/// The rows at `keys`, by what `named` makes of these.
async fn stored<K: Key, V: Record, N: Eq + Hash>(
    tx: &mut Transaction,
    tenant: u32,
    table: &Table<K, V>,
    named: fn(K) -> N,
    keys: Vec<K>,
) -> Result<HashMap<N, Option<V>>> {
    let rows = table.get_many(tx, tenant, &keys).await?;
    Ok(keys.into_iter().map(named).zip(rows).collect())
}

/// The event with what it is about as pruning leaves it.
fn without_words(event: events::Event) -> events::Event {
    let message = event.message.map(|message| Box::new((message.0, pruned(message.1))));
    let feeds = event.feeds.map(|subject| Box::new(subject.without_words()));
    let matter = event.matter.map(|matter| Box::new(matter.without_words()));
    events::Event { message, feeds, matter, ..event }
}

#[cfg(test)]
mod tests;
