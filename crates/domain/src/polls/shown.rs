//! Where a poll is shown, and telling those who see it there what happened to it.

use ids::{ActivityId, MessageId, Timestamp, UserId};
use store::{Direction, Limit};

use super::{Cast, Poll};
use crate::{
    Result, Tx,
    chat::{
        events::{self, Event, Matter},
        messages::{self, Message},
    },
    keyspace::{POLL_SHOWN, V3_POLL_SHOWN},
    v3::{
        activities::{self, Activity},
        events::{self as feed_events, Polled},
    },
};

/// The most messages, and the most activities, that are told of what happens to their poll.
const TOLD_MAX: usize = 10;

/// The messages that show the poll `id`, the first of them.
///
/// # Errors
/// When the store fails.
pub(super) async fn in_messages(tx: &mut Tx, id: &str) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let range = POLL_SHOWN.prefix(tenant, &id.to_owned());
    let rows = POLL_SHOWN.scan(tx, tenant, range, Direction::Forward, Limit::rows(TOLD_MAX)).await?.rows;
    Ok(rows.into_iter().map(|((_, message), ())| message).collect())
}

/// The same, read.
pub(super) async fn messages(tx: &mut Tx, id: &str) -> Result<Vec<(MessageId, Message)>> {
    let mut found = Vec::new();
    for message in in_messages(tx, id).await? {
        let Ok(message) = MessageId::parse(&message) else { continue };
        if let Some(shown) = messages::get(tx, &message).await? {
            found.push((message, shown));
        }
    }
    Ok(found)
}

/// The activities that show the poll `id`, the first of them.
///
/// # Errors
/// When the store fails.
pub(super) async fn in_activities(tx: &mut Tx, id: &str) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let range = V3_POLL_SHOWN.prefix(tenant, &id.to_owned());
    let rows = V3_POLL_SHOWN.scan(tx, tenant, range, Direction::Forward, Limit::rows(TOLD_MAX)).await?.rows;
    Ok(rows.into_iter().map(|((_, activity), ())| activity).collect())
}

/// The same, read, without those that were deleted.
pub(super) async fn activities(tx: &mut Tx, id: &str) -> Result<Vec<(ActivityId, Activity)>> {
    let mut found = Vec::new();
    for activity in in_activities(tx, id).await? {
        found.extend(activities::get_any(tx, &activity).await?.filter(|(_, activity)| activity.deleted_at.is_none()));
    }
    Ok(found)
}

/// Tells whoever watches the poll that something happened to it.
pub(super) async fn tell(
    tx: &mut Tx,
    kind: &str,
    (id, poll): (&str, &Poll),
    (by, vote): (Option<&UserId>, Option<&Cast>),
    now: Timestamp,
) -> Result<()> {
    let is_secret = poll.is_anonymous && vote.is_some();
    let by = by.filter(|_| !is_secret);
    let vote = vote.map(|cast| (cast.id.clone(), cast.vote.clone()));
    for (message, shown) in messages(tx, id).await? {
        let event = Event::new(kind, now, Some(&shown.channel)).by(by).about(&message, &shown);
        events::record(tx, event.on(Matter::Poll { id: id.to_owned(), poll: poll.clone(), vote: vote.clone() }));
    }
    for (inner, activity) in activities(tx, id).await? {
        for (at, fid) in activity.feeds.iter().enumerate() {
            // The plain event comes along once (feeds-v3 §7).
            for kind in [Some(format!("feeds.{kind}")), (at == 0).then(|| kind.to_owned())].into_iter().flatten() {
                let mut event = feed_events::Event::of_activity(&kind, fid, (inner, &activity), now).by(by);
                let polled = Polled { id: id.to_owned(), poll: poll.clone(), vote: vote.clone() };
                event.subject.poll = Some(Box::new(polled));
                feed_events::record(tx, event);
            }
        }
    }
    Ok(())
}
