//! What happened, in commit order: views, sockets and webhooks follow it.
//!
//! An event is a record in the same commit as its cause, so nothing happens unnoticed and nothing is noticed that did
//! not happen. Consumers keep their place; the rows before every consumer's place are pruned.

use ids::{ActivityId, FeedId};
use minicbor::{Decode, Encode};

use crate::{Tx, keyspace::LOG};

/// The most feeds that one event names; more are told in several events, for a record has a size limit.
const EVENT_FEEDS_MAX: usize = 100;

/// Something that changed what a reader sees.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
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
}

/// Tells that `activity` was posted to `feeds`.
pub fn posted(tx: &mut Tx, activity: ActivityId, feeds: &[FeedId]) {
    for feeds in feeds.chunks(EVENT_FEEDS_MAX) {
        record(tx, &Event::Posted { activity, feeds: feeds.to_vec() });
    }
}

/// Tells that `activity` left `feeds`.
pub fn removed(tx: &mut Tx, activity: ActivityId, feeds: &[FeedId]) {
    for feeds in feeds.chunks(EVENT_FEEDS_MAX) {
        record(tx, &Event::Removed { activity, feeds: feeds.to_vec() });
    }
}

/// Writes one event.
pub fn record(tx: &mut Tx, event: &Event) {
    let tenant = tx.tenant();
    LOG.append(tx, tenant, event);
}
