//! What becomes of the events that tell of a user (v2 §5.6).

use ids::{FeedId, UserId};
use store::{Corrupt, Record};

use super::{Trace, names};
use crate::{erasure::feeds, keyspace::LOG, log::Event, tasks::Leaver};

/// Events that tell of a deletion: whose, and nothing else.
pub(in crate::erasure) const MUST_BE_TOLD: [&str; 2] = ["user.deleted", "user.messages.deleted"];

/// What becomes of an event.
pub(super) fn any(key: &[u8], value: &[u8], leaver: &Leaver) -> Result<Trace, Corrupt> {
    Ok(match LOG.decode(key, value)?.1 {
        Event::Chat(event) if MUST_BE_TOLD.contains(&event.kind.as_str()) => Trace::Nothing,
        Event::Chat(_) | Event::Swept { .. } | Event::Planned { .. } => match names(value, &leaver.id) {
            true => Trace::Row,
            false => Trace::Nothing,
        },
        event => feeds_event(event, &leaver.id),
    })
}

/// The same, if it tells of feeds; others stay as they are.
pub(super) fn of_feeds(key: &[u8], value: &[u8], leaver: &Leaver) -> Result<Trace, Corrupt> {
    Ok(match LOG.decode(key, value)?.1 {
        Event::Chat(event) if event.feeds.is_some() && names(value, &leaver.id) => Trace::Row,
        event => feeds_event(event, &leaver.id),
    })
}

/// The same, if it tells of feeds v1.0.
pub(super) fn of_feeds_v1(key: &[u8], value: &[u8], leaver: &Leaver) -> Result<Trace, Corrupt> {
    Ok(feeds_event(LOG.decode(key, value)?.1, &leaver.id))
}

/// What becomes of an event of feeds: what left the feeds of others is told on, by ids that say nothing of whose it was.
fn feeds_event(mut event: Event, user: &UserId) -> Trace {
    let is_own = |feed: &FeedId| feeds::is_own(feed, user);
    let is_theirs = match &mut event {
        Event::Posted { feeds, .. } => feeds.iter().any(is_own),
        Event::Removed { feeds, foreign_id, actor, .. } => {
            if feeds::is_actor(actor, user) && !feeds.iter().any(is_own) {
                foreign_id.clear();
                actor.clear();
                return Trace::Fields(event.encode());
            }
            feeds.iter().any(is_own)
        }
        Event::Erased { activities, feeds, user: erased } => {
            let is_named = erased == user.as_str() || feeds.iter().any(is_own);
            feeds.retain(|feed| !is_own(feed));
            if is_named && !feeds.is_empty() {
                activities.iter_mut().for_each(|gone| gone.foreign_id.clear());
                erased.clear();
                return Trace::Fields(event.encode());
            }
            is_named
        }
        Event::Followed { feed, target } => is_own(feed) || is_own(target),
        Event::Noted { feed, .. } => is_own(feed),
        // Whose a reaction was stands in the reaction alone.
        Event::Reacted { .. } | Event::Changed { .. } => false,
        Event::Chat(_) | Event::Swept { .. } | Event::Planned { .. } => false,
    };
    if is_theirs { Trace::Row } else { Trace::Nothing }
}
