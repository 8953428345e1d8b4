//! Reading: marks, and what is unread (chat §11.3, §11.7, §12.1).

use std::collections::BTreeMap;

use domain::chat::{
    events::Event,
    reads::{self, From, Total},
    threads::{self, Unread},
};
use ids::{ChannelId, MessageId, UserId};
use serde_json::json;
use wire::chat::{
    dialect::Time,
    error::Code,
    reads::{Counts, Marked, OfBatch, OfChannel, OfThread, OfType},
};

use super::{
    channels::{Spot, path},
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};
use crate::{realtime, reply::Reply};

/// The most unread channels that one answer lists.
const LISTED_MAX: usize = 100;
/// The most users of one call.
const USERS_MAX: usize = 100;
/// The most channels or messages of one call.
const CHANNELS_MAX: usize = 100;

/// `POST /channels/{type}/{id}/read`: the acting user has read the channel, or up to a message, or a thread.
pub(crate) async fn read(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, user, now) = (path(&call)?, call.some_actor(&mut sent)?, call.now());
    let (up_to, thread) = (sent.message("message_id")?, sent.message("thread_id")?);
    readable(&call, &id).await?;
    if let Some(parent) = &thread {
        in_channel(&call, &id, parent).await?;
        call.app.write(async |tx| threads::mark_read(tx, parent, &user, now).await).await?;
        let more = json!({ "thread_id": parent.as_str() }).to_string();
        return told(&call, Event::new("message.read", now, Some(&id)).by(Some(&user)).with(more)).await;
    }
    let mark = call.app.write(async |tx| reads::mark_read(tx, &id, &user, up_to.as_ref(), now).await).await?;
    let more = json!({ "last_read_message_id": mark.last_read_message.as_ref().map(MessageId::as_str) });
    let event = Event::new("message.read", now, Some(&id)).by(Some(&user)).with(more.to_string());
    told(&call, event).await
}

/// The channel, whose reading the caller may note.
async fn readable(call: &Call, id: &ChannelId) -> Result<()> {
    let spot = Spot::load(call, id).await?;
    spot.check(call, "read-channel")?;
    match spot.config().read_events {
        true => Ok(()),
        false => Err(domain::Error::EventOff(format!("read events are disabled for channel {id}")).into()),
    }
}

/// Checks that the thread hangs on a message of this channel.
async fn in_channel(call: &Call, id: &ChannelId, parent: &MessageId) -> Result<()> {
    let thread = threads::get(&mut call.snapshot(), parent).await?;
    match thread.is_some_and(|thread| thread.channel == *id) {
        true => Ok(()),
        false => Err(Error::new(Code::DoesNotExist, format!("Thread with parent message id {parent} doesn't exist"))),
    }
}

async fn told(call: &Call, event: Event) -> Result<Reply> {
    let now = event.at;
    let event = realtime::show(&call.server, &call.tenant, event, call.dialect, now).await?;
    call.answer(&Marked { event })
}

/// `POST /channels/{type}/{id}/unread`: from a message on, the channel is unread for the acting user.
pub(crate) async fn unread(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, user, now) = (path(&call)?, call.some_actor(&mut sent)?, call.now());
    let message = sent.message("message_id")?.map(From::Message);
    let time = sent.time("message_timestamp")?.map(From::Time);
    let thread = sent.message("thread_id")?;
    if usize::from(message.is_some()) + usize::from(time.is_some()) + usize::from(thread.is_some()) != 1 {
        return Err(Error::input("exactly one of message_id, thread_id and message_timestamp must be given"));
    }
    readable(&call, &id).await?;
    let Some(from) = message.or(time) else {
        let parent = thread.expect("exactly one of the three is there");
        in_channel(&call, &id, &parent).await?;
        call.app.write(async |tx| threads::mark_unread(tx, &parent, &user, now).await).await?;
        return call.done();
    };
    call.app.write(async |tx| reads::mark_unread(tx, &id, &user, &from, now).await).await?;
    call.done()
}

/// `POST /channels/read`: the acting user has read these channels, or all of them.
pub(crate) async fn read_all(call: Call, mut sent: Fields) -> Result<Reply> {
    let (user, now) = (call.some_actor(&mut sent)?, call.now());
    let channels: Vec<(ChannelId, Option<MessageId>)> = match sent.object("read_by_channel")? {
        Some(named) if !named.is_empty() => named_channels(named)?,
        _ => {
            let unread = reads::total(&call.tenant.app, &user, now).await?;
            unread.into_iter().map(|total| (total.channel, None)).collect()
        }
    };
    for (id, _) in &channels {
        readable(&call, id).await?;
    }
    let read = call
        .app
        .write_each(&channels, async |tx, (id, up_to)| reads::mark_read(tx, id, &user, up_to.as_ref(), now).await);
    read.await?;
    let one = channels.first().filter(|_| channels.len() == 1).map(|(id, _)| id);
    told(&call, Event::new("notification.mark_read", now, one).by(Some(&user))).await
}

fn named_channels(named: Fields) -> Result<Vec<(ChannelId, Option<MessageId>)>> {
    let mut channels = Vec::new();
    for (cid, value) in named.rest().iter() {
        let rule = |rule: String| Error::field("read_by_channel", &rule);
        let id = ChannelId::parse(cid).map_err(|error| rule(error.to_string()))?;
        let message: Option<String> =
            serde_json::from_str(value.get()).map_err(|_| rule("must hold ids of messages".to_owned()))?;
        let message = message.filter(|id| !id.is_empty()).map(|id| MessageId::parse(&id)).transpose();
        channels.push((id, message.map_err(|error| rule(error.to_string()))?));
    }
    match channels.len() <= CHANNELS_MAX {
        true => Ok(channels),
        false => Err(Error::field("read_by_channel", &format!("must hold at most {CHANNELS_MAX} channels"))),
    }
}

/// `POST /channels/delivered`: what reached the acting user's devices.
pub(crate) async fn delivered(call: Call, mut sent: Fields) -> Result<Reply> {
    let (user, now) = (call.some_actor(&mut sent)?, call.now());
    let mut delivered = Vec::new();
    for mut one in sent.objects("latest_delivered_messages")?.unwrap_or_default() {
        let (Some(id), Some(message)) = (one.channel("cid")?, one.message("id")?) else {
            return Err(Error::field("latest_delivered_messages", "must hold objects with cid and id"));
        };
        let spot = Spot::load(&call, &id).await?;
        spot.check(&call, "read-channel")?;
        if spot.config().delivery_events {
            delivered.push((id, message));
        }
    }
    if delivered.len() > CHANNELS_MAX {
        return Err(Error::field("latest_delivered_messages", &format!("must hold at most {CHANNELS_MAX} messages")));
    }
    let noted =
        call.app.write_each(&delivered, async |tx, (id, message)| reads::deliver(tx, id, &user, message, now).await);
    noted.await?;
    call.done()
}

/// `GET /unread`: what the acting user has not read.
pub(crate) async fn totals(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let totals = reads::total(&call.tenant.app, &user, call.now()).await?;
    let threads = threads::unread_of(&mut call.snapshot(), &user).await?;
    call.answer(&counts(&call, &totals, &threads))
}

/// `POST /unread_batch`: the same of several users.
pub(crate) async fn totals_of_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let users = sent.users("user_ids")?.unwrap_or_default();
    if users.is_empty() || users.len() > USERS_MAX {
        return Err(Error::field("user_ids", &format!("must hold 1 to {USERS_MAX} ids")));
    }
    let known = domain::users::get_many(&mut call.snapshot(), &users).await?;
    let mut totals: Vec<(UserId, Vec<Total>, Vec<Unread>)> = Vec::new();
    for (user, _) in users.into_iter().zip(known).filter(|(_, known)| known.is_some()) {
        let total = reads::total(&call.tenant.app, &user, call.now()).await?;
        let threads = threads::unread_of(&mut call.snapshot(), &user).await?;
        totals.push((user, total, threads));
    }
    let counts_by_user = totals.iter().map(|(user, totals, threads)| (user.as_str(), counts(&call, totals, threads)));
    let counts_by_user = counts_by_user.collect();
    call.answer(&OfBatch { counts_by_user })
}

fn counts<'a>(call: &Call, totals: &'a [Total], threads: &'a [Unread]) -> Counts<'a> {
    let mut by_type: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut by_team: BTreeMap<&str, usize> = BTreeMap::new();
    for total in totals {
        let (channels, unread) = by_type.entry(total.channel.kind()).or_default();
        (*channels, *unread) = (*channels + 1, *unread + total.unread);
        if !total.team.is_empty() {
            *by_team.entry(&total.team).or_default() += total.unread;
        }
    }
    Counts {
        total_unread_count: totals.iter().map(|total| total.unread).sum(),
        total_unread_threads_count: threads.len(),
        total_unread_count_by_team: Some(by_team).filter(|teams| !teams.is_empty()),
        channels: totals
            .iter()
            .take(LISTED_MAX)
            .map(|total| OfChannel {
                channel_id: total.channel.as_str(),
                unread_count: total.unread,
                last_read: Time { at: total.last_read, dialect: call.dialect },
            })
            .collect(),
        channel_type: by_type
            .into_iter()
            .map(|(channel_type, (channel_count, unread_count))| OfType { channel_type, channel_count, unread_count })
            .collect(),
        threads: threads
            .iter()
            .map(|thread| OfThread {
                parent_message_id: thread.parent.as_str(),
                unread_count: thread.count,
                last_read: Time { at: thread.last_read, dialect: call.dialect },
                last_read_message_id: thread.last_read_message.as_ref().map_or("", MessageId::as_str),
            })
            .collect(),
    }
}
