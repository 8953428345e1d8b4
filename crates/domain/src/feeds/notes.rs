//! What was seen and what was read of a notification feed (feeds-v1 §4.8).

use std::collections::{HashMap, HashSet};

use ids::FeedId;
use store::Stamp;

use super::follows::Arrival;
use crate::{
    Result, Tx,
    keyspace::{Feed, NOTED},
    log::{self, Event, Marked},
    rows,
};

/// Stands for all groups.
const ALL: u64 = 0;
/// The most rows of a feed that are looked at; more do not come about, for groups that are gone are forgotten.
const ROWS_MAX: usize = 50_000;

/// What is noted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Seen = 0,
    Read = 1,
}

/// What is known of a feed.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) seen: Marks,
    pub(super) read: Marks,
}

/// Up to which commit what was noted.
#[derive(Debug, Default)]
pub(super) struct Marks(HashMap<u64, Stamp>);

impl Marks {
    /// Whether a group was noted after whatever arrived last in it.
    pub(super) fn covers(&self, group: u64, arrived: Arrival) -> bool {
        [ALL, group].iter().any(|mark| self.0.get(mark).is_some_and(|stamp| arrived.is_by(*stamp)))
    }
}

pub(super) async fn load(tx: &mut Tx, feed: &FeedId) -> Result<Notes> {
    let range = NOTED.prefix(tx.tenant(), &Feed(feed.clone()));
    let mut notes = Notes::default();
    for ((_, kind, group), stamp) in rows::list(tx, &NOTED, range, ROWS_MAX).await? {
        let marks = if kind == Kind::Seen as u8 { &mut notes.seen } else { &mut notes.read };
        marks.0.insert(group, Stamp(stamp));
    }
    Ok(notes)
}

/// Notes all groups that there are at `as_of`.
pub(super) fn put_all(tx: &mut Tx, feed: &FeedId, kind: Kind, as_of: Stamp) {
    let tenant = tx.tenant();
    NOTED.put(tx, tenant, &(Feed(feed.clone()), kind as u8, ALL), &as_of.0);
}

/// Notes some groups; those that are not `there` any more are forgotten.
pub(super) async fn put(
    tx: &mut Tx,
    feed: &FeedId,
    kind: Kind,
    groups: impl Iterator<Item = u64>,
    there: &HashSet<u64>,
    as_of: Stamp,
) -> Result<()> {
    let tenant = tx.tenant();
    let key = |group| (Feed(feed.clone()), kind as u8, group);
    let range = NOTED.prefix(tenant, &(Feed(feed.clone()), kind as u8));
    // Read beside the transaction, so that two who note groups are not in each other's way.
    let known = rows::list(&mut beside(tx), &NOTED, range, ROWS_MAX).await?;
    for ((_, _, group), _) in
        known.iter().filter(|((_, _, group), _)| *group != ALL && !there.contains(group)).take(500)
    {
        NOTED.delete(tx, tenant, &key(*group));
    }
    for group in groups {
        NOTED.put(tx, tenant, &key(group), &as_of.0);
    }
    Ok(())
}

fn beside(tx: &Tx) -> Tx {
    tx.app.tx(tx.snapshot())
}

/// Tells whoever keeps what was derived from it, and whoever subscribed.
pub(super) fn tell(tx: &mut Tx, feed: &FeedId, read: Marked, seen: Marked) {
    log::record(tx, &Event::Noted { feed: feed.clone(), read, seen });
}
