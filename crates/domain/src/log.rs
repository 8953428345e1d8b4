//! What happened, in commit order: views, sockets and webhooks follow it.
//!
//! An event is a record in the same commit as its cause, so nothing happens unnoticed and nothing is noticed that did
//! not happen. Consumers keep their place; the rows before every consumer's place are pruned.

use ids::{ActivityId, AppId, ChannelId, FeedId};
use minicbor::{Decode, Encode};
use store::{Stamp, Store};

use crate::{Result, Tx, chat, feeds::activities::Activity, keyspace::LOG};

/// The most feeds that one event names; more are told in several events, for a record has a size limit.
const EVENT_FEEDS_MAX: usize = 100;
/// The most activities that one event names, for the same reason.
pub(crate) const EVENT_ACTIVITIES_MAX: usize = 64;
/// The last commits whose events are kept, whatever their age.
pub const COMMITS_KEPT: u64 = 100_000;

/// Something that changed what a reader sees.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Event {
    /// An activity was posted to these feeds.
    #[n(0)]
    Posted {
        /// The activity.
        #[n(0)]
        activity: ActivityId,
        /// The feeds that hold it from now on.
        #[n(1)]
        feeds: Vec<FeedId>,
    },
    /// An activity left these feeds.
    #[n(1)]
    Removed {
        /// The activity.
        #[n(0)]
        activity: ActivityId,
        /// The feeds that no longer hold it.
        #[n(1)]
        feeds: Vec<FeedId>,
        /// The application's own id of it; empty when there is none.
        #[n(2)]
        #[cbor(default)]
        foreign_id: String,
        /// Whose it was, if it had such an id: both go when that user is erased.
        #[n(3)]
        #[cbor(default)]
        actor: String,
    },
    /// Activities of one user, all that these feeds held of them, are gone because the user is erased.
    #[n(22)]
    Erased {
        /// The activities.
        #[n(0)]
        activities: Vec<Gone>,
        /// The feeds that no longer hold any of them.
        #[n(1)]
        feeds: Vec<FeedId>,
        /// Whose they were; empty once nothing may name the user.
        #[n(2)]
        user: String,
    },
    /// What an activity says changed, or it is gone.
    #[n(2)]
    Changed {
        /// The activity.
        #[n(0)]
        activity: ActivityId,
    },
    /// What `feed` follows, or followed and keeps, changed.
    #[n(3)]
    Followed {
        /// The follower.
        #[n(0)]
        feed: FeedId,
        /// The followed.
        #[n(1)]
        target: FeedId,
    },
    /// Something happened in a chat that clients may notice.
    #[n(5)]
    Chat(#[n(0)] Box<chat::events::Event>),
    /// What was seen or read of a notification feed changed.
    #[n(20)]
    Noted {
        /// The feed.
        #[n(0)]
        feed: FeedId,
        /// Which groups were read.
        #[n(1)]
        #[cbor(default)]
        read: Marked,
        /// Which groups were seen.
        #[n(2)]
        #[cbor(default)]
        seen: Marked,
    },
    /// Something happened to a reaction of feeds v1.0. Whose it is stands in the reaction alone.
    #[n(21)]
    Reacted {
        /// The reaction.
        #[n(0)]
        reaction: String,
        /// The activity that it is about.
        #[n(1)]
        activity: ActivityId,
        /// Such as `like`.
        #[n(2)]
        kind: String,
        /// What happened to it.
        #[n(3)]
        change: Reacting,
    },
    /// Messages of a channel went, or came back, of which nobody is told one by one.
    #[n(9)]
    Swept {
        /// Where.
        #[n(0)]
        channel: ChannelId,
    },
    /// There is work for the workers.
    #[n(8)]
    Planned {
        /// The task.
        #[n(0)]
        task: String,
    },
}

/// An activity that is gone.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Gone {
    /// The activity.
    #[n(0)]
    pub activity: ActivityId,
    /// The application's own id of it; empty when there is none.
    #[n(1)]
    pub foreign_id: String,
}

/// Which groups of a notification feed were marked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub enum Marked {
    /// None.
    #[default]
    #[n(0)]
    Nothing,
    /// All that there are.
    #[n(1)]
    All,
    /// Those with these ids.
    #[n(2)]
    Groups(#[n(0)] Vec<ActivityId>),
}

impl Marked {
    /// Marks what `other` marks, too.
    pub fn add(&mut self, other: &Marked) {
        match (&mut *self, other) {
            (Marked::All, _) | (_, Marked::Nothing) => {}
            (Marked::Groups(ids), Marked::Groups(more)) => ids.extend(more),
            (_, other) => *self = other.clone(),
        }
    }
}

/// What happened to a reaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Reacting {
    /// It was made, or restored.
    #[n(0)]
    New,
    /// It was changed.
    #[n(1)]
    Updated,
    /// It was deleted, for good or not.
    #[n(2)]
    Deleted,
}

/// Whether `entry`, as it is stored, is an [`Event::Planned`]: asked of every commit, so it reads no further than it must.
pub fn is_planned(entry: &[u8]) -> bool {
    let mut decoder = minicbor::Decoder::new(entry);
    decoder.array().is_ok() && decoder.u32().is_ok_and(|kind| kind == 8)
}

/// Tells that `activity` was posted to `feeds`.
pub fn posted(tx: &mut Tx, activity: ActivityId, feeds: &[FeedId]) {
    for feeds in feeds.chunks(EVENT_FEEDS_MAX) {
        record(tx, &Event::Posted { activity, feeds: feeds.to_vec() });
    }
}

/// Tells that `activity`, of which `known` was said, left `feeds`.
pub fn removed(tx: &mut Tx, activity: ActivityId, known: Option<&Activity>, feeds: &[FeedId]) {
    let named = known.filter(|known| !known.foreign_id.is_empty());
    let (foreign_id, actor) = named.map(|known| (known.foreign_id.clone(), known.actor.clone())).unwrap_or_default();
    for feeds in feeds.chunks(EVENT_FEEDS_MAX) {
        let (feeds, foreign_id, actor) = (feeds.to_vec(), foreign_id.clone(), actor.clone());
        record(tx, &Event::Removed { activity, feeds, foreign_id, actor });
    }
}

/// Removes the events of the app `app` from commits up to and with `up_to`; answers how many there were.
///
/// # Errors
/// When the store fails; what is left then goes with the next call.
pub async fn prune(store: &Store, app: AppId, up_to: Stamp) -> Result<u64> {
    Ok(store.clear(LOG.until(app.0, up_to)).await?)
}

/// Writes one event.
pub fn record(tx: &mut Tx, event: &Event) {
    let tenant = tx.tenant();
    LOG.append(tx, tenant, event);
}

#[cfg(test)]
mod tests {
    use store::Limit;

    use super::*;
    use crate::feeds::pond::Pond;

    #[test]
    fn that_work_was_planned_shows_in_the_first_bytes_of_an_event() {
        let stored = |event: &Event| minicbor::to_vec(event).unwrap();
        assert!(is_planned(&stored(&Event::Planned { task: "t".into() })));
        let changed = Event::Changed { activity: ActivityId::from_seed(0, ids::Timestamp::from_micros(0)) };
        assert!(!is_planned(&stored(&changed)) && !is_planned(&[]));
    }

    #[tokio::test]
    async fn pruning_removes_what_is_old_and_keeps_what_came_later() {
        let pond = Pond::new();
        for _ in 0..5 {
            pond.add("user:amy", "skates").await;
        }
        let middle = pond.app.store.published();
        let later = pond.add("user:amy", "rests").await;
        assert_eq!(prune(&pond.app.store, pond.app.id, middle).await.unwrap(), 5);
        let mut tx = pond.app.snapshot();
        let left = LOG.scan(&mut tx, 1, Stamp::default(), Limit::PAGE).await.unwrap().rows;
        let events: Vec<Event> = left.into_iter().map(|(_, event)| event).collect();
        assert!(matches!(events.as_slice(), [Event::Posted { activity, .. }] if *activity == later), "{events:?}");
        assert_eq!(pond.feed("user:amy").await.lines().count(), 6);
    }
}
