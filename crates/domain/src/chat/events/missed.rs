//! What somebody missed who was away for a while (chat §11.12).

use std::collections::HashSet;

use ids::{ChannelId, Timestamp};
use store::{Limit, Place};

use super::Event;
use crate::{
    Error, Result, Tx,
    chat::hooks::PENDING,
    keyspace::LOG,
    log::{self, Event as Logged},
};

/// The most events that are told at once.
const EVENTS_MAX: usize = 1000;
/// How long ago it may be, in microseconds: 30 days.
const AGO_MAX_MICROS: i64 = 30 * 24 * 3600 * 1_000_000;
/// How much later than its cause an event may be committed, in microseconds.
const LATE_MICROS: i64 = 10 * 1_000_000;

/// The events of `channels` after `since`, the oldest first.
///
/// # Errors
/// [`Error::Unfit`] when that is too long ago or too many: then a client asks for its channels anew.
pub async fn missed(
    tx: &mut Tx,
    channels: &HashSet<ChannelId>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Event>> {
    let too_long = || Error::Unfit("last_sync_at is too long ago; query the channels instead".to_owned());
    if now.micros() - since.micros() > AGO_MAX_MICROS {
        return Err(too_long());
    }
    let mut missed = Vec::new();
    let mut before: Option<Place> = None;
    let tenant = tx.tenant();
    loop {
        let page = LOG.scan_back(tx, tenant, before, Limit::PAGE).await?;
        before = page.rows.last().map(|(place, _)| *place).or(before);
        for (_, logged) in page.rows {
            let Logged::Chat(event) = logged else { continue };
            if event.at.plus_micros(LATE_MICROS) < since {
                missed.reverse();
                return Ok(missed);
            }
            let is_theirs = event.channel.as_ref().is_some_and(|channel| channels.contains(channel));
            // What waits is nobody's but its author's.
            if is_theirs && event.at > since && event.kind != PENDING {
                missed.push(*event);
            }
        }
        if missed.len() > EVENTS_MAX {
            return Err(Error::Unfit(format!("more than {EVENTS_MAX} events were missed; query the channels instead")));
        }
        if !page.more {
            // What is older than what is left was pruned, if so much was ever there.
            let is_whole = tx.stamp().0 <= log::COMMITS_KEPT;
            missed.reverse();
            return if is_whole { Ok(missed) } else { Err(too_long()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chat::events::record, feeds::pond::Pond};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000)
    }

    #[tokio::test]
    async fn what_was_missed_are_the_events_of_the_named_channels_after_the_moment_oldest_first() {
        let pond = Pond::new();
        let (ours, other) = (ChannelId::parse("a:ours").unwrap(), ChannelId::parse("a:other").unwrap());
        for (kind, seconds, channel) in
            [("before", 0, &ours), ("one", 100, &ours), ("elsewhere", 101, &other), ("two", 102, &ours)]
        {
            let event = Event::new(kind, at(seconds), Some(channel));
            let written = pond.app.write(async |tx| {
                record(tx, event.clone());
                Ok(())
            });
            written.await.unwrap();
        }
        let channels = HashSet::from([ours]);
        let kinds = async |since, now| {
            let missed = missed(&mut pond.app.snapshot(), &channels, since, now).await?;
            Ok::<_, Error>(missed.into_iter().map(|event| event.kind).collect::<Vec<_>>())
        };
        assert_eq!(kinds(at(50), at(200)).await.unwrap(), ["one", "two"]);
        assert_eq!(kinds(at(102), at(200)).await.unwrap(), [""; 0]);
        assert!(kinds(at(-1), at(30 * 24 * 3600)).await.is_err());
    }
}
