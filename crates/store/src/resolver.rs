//! Decides in commit order whether what a transaction read still holds.
//!
//! The window remembers which keys the recent commits changed. A transaction whose snapshot is older than the window
//! cannot be judged and is too old; everything at or after the window's floor is judged exactly.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Instant;

use bytes::Bytes;

use crate::error::Error;
use crate::limits::{WINDOW_AGE_MAX, WINDOW_KEYS_MAX};
use crate::read_set::ReadSet;
use crate::scan::bounds;
use crate::stamp::Stamp;
use crate::view::View;

/// The keys that recent commits changed.
#[derive(Debug)]
pub(crate) struct Resolver {
    /// Commits up to here are forgotten.
    floor: Stamp,
    /// The last commit that changed each key, of those that are indexed.
    changed: BTreeMap<Bytes, Stamp>,
    commits: VecDeque<Recent>,
    /// How many of `commits`, from the front, are in `changed`. A commit is put there when somebody has to be held against
    /// it; where one writes after the other, nobody ever has to.
    indexed: usize,
    /// The keys held by `commits`.
    keys: usize,
    /// The published states that transactions may still hold and that can still be judged, oldest first.
    views: VecDeque<(Stamp, Weak<View>)>,
}

#[derive(Debug)]
struct Recent {
    stamp: Stamp,
    keys: Vec<Bytes>,
    at: Instant,
}

impl Resolver {
    pub(crate) fn new(view: &Arc<View>) -> Resolver {
        Resolver {
            floor: view.stamp,
            changed: BTreeMap::new(),
            commits: VecDeque::new(),
            indexed: 0,
            keys: 0,
            views: VecDeque::from([(view.stamp, Arc::downgrade(view))]),
        }
    }

    /// Whether nothing that was read as of `snapshot` has changed since.
    pub(crate) fn check(&mut self, reads: &ReadSet, snapshot: Stamp) -> Result<(), Error> {
        if snapshot < self.floor {
            return Err(Error::TooOld);
        }
        if self.commits.back().is_none_or(|last| last.stamp <= snapshot) {
            return Ok(());
        }
        self.index();
        let is_new = |stamp: &Stamp| *stamp > snapshot;
        let point = |key: &Vec<u8>| self.changed.get(key.as_slice()).is_some_and(is_new);
        let range =
            |range: &Range<Vec<u8>>| self.changed.range::<[u8], _>(bounds(range)).any(|(_, stamp)| is_new(stamp));
        if reads.points.iter().any(point) || reads.ranges.iter().any(range) {
            return Err(Error::Conflict);
        }
        Ok(())
    }

    /// Puts every commit into `changed`.
    fn index(&mut self) {
        for Recent { stamp, keys, .. } in self.commits.range(self.indexed..) {
            self.changed.extend(keys.iter().map(|key| (key.clone(), *stamp)));
        }
        self.indexed = self.commits.len();
    }

    /// Remembers what commit `stamp` changed.
    pub(crate) fn record(&mut self, stamp: Stamp, keys: Vec<Bytes>) {
        self.keys += keys.len();
        self.commits.push_back(Recent { stamp, keys, at: Instant::now() });
    }

    /// Notes a published state, and forgets the commits that no open transaction needs.
    pub(crate) fn publish(&mut self, view: &Arc<View>) {
        self.views.push_back((view.stamp, Arc::downgrade(view)));
        let is_over = |(stamp, view): &(Stamp, Weak<View>)| *stamp < self.floor || view.strong_count() == 0;
        while self.views.front().is_some_and(is_over) {
            self.views.pop_front();
        }
        let oldest = self.views.front().map_or(view.stamp, |(stamp, _)| *stamp);
        let now = Instant::now();
        while let Some(first) = self.commits.front() {
            let is_needed = first.stamp > oldest && now.duration_since(first.at) <= WINDOW_AGE_MAX;
            if is_needed && self.keys <= WINDOW_KEYS_MAX {
                break;
            }
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(recent) = self.commits.pop_front() else { return };
        self.floor = self.floor.max(recent.stamp);
        self.keys -= recent.keys.len();
        if self.indexed == 0 {
            return;
        }
        self.indexed -= 1;
        for key in recent.keys {
            if let Entry::Occupied(changed) = self.changed.entry(key)
                && *changed.get() == recent.stamp
            {
                changed.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Snapshot;

    fn view(stamp: u64) -> Arc<View> {
        Arc::new(View { stamp: Stamp(stamp), snapshot: Snapshot::Closed })
    }

    fn key(key: &'static str) -> Bytes {
        Bytes::from_static(key.as_bytes())
    }

    fn read(key: &str) -> ReadSet {
        ReadSet { points: vec![key.into()], ranges: Vec::new() }
    }

    #[test]
    fn what_an_open_transaction_may_need_is_kept() {
        let first = view(0);
        let mut resolver = Resolver::new(&first);
        resolver.record(Stamp(1), vec![key("a")]);
        resolver.publish(&view(1));
        assert_eq!(resolver.check(&read("a"), Stamp(0)), Err(Error::Conflict));
        assert_eq!(resolver.check(&read("b"), Stamp(0)), Ok(()));
        assert_eq!(resolver.check(&read("a"), Stamp(1)), Ok(()));
    }

    #[test]
    fn a_commit_is_indexed_when_somebody_is_held_against_it_and_not_before() {
        let first = view(0);
        let mut resolver = Resolver::new(&first);
        resolver.record(Stamp(1), vec![key("a")]);
        assert_eq!(resolver.check(&read("a"), Stamp(1)), Ok(()));
        assert!(resolver.changed.is_empty());
        resolver.record(Stamp(2), vec![key("b")]);
        assert_eq!(resolver.check(&read("a"), Stamp(1)), Ok(()));
        assert_eq!(resolver.check(&read("a"), Stamp(0)), Err(Error::Conflict));
        resolver.record(Stamp(3), vec![key("a"), key("c")]);
        resolver.publish(&view(3));
        drop(first);
        let last = view(4);
        resolver.record(Stamp(4), vec![key("d")]);
        resolver.publish(&last);
        assert!(resolver.changed.is_empty() && resolver.commits.is_empty() && resolver.indexed == 0);
    }

    #[test]
    fn what_nobody_needs_is_forgotten() {
        let mut resolver = Resolver::new(&view(0));
        resolver.record(Stamp(1), vec![key("a"), key("b")]);
        resolver.record(Stamp(2), vec![key("a")]);
        let last = view(2);
        resolver.publish(&last);
        assert!(resolver.changed.is_empty() && resolver.commits.is_empty() && resolver.keys == 0);
        assert_eq!(resolver.check(&read("x"), Stamp(1)), Err(Error::TooOld));
        assert_eq!(resolver.check(&read("a"), Stamp(2)), Ok(()));
    }

    #[test]
    fn a_full_window_makes_old_transactions_too_old() {
        let first = view(0);
        let mut resolver = Resolver::new(&first);
        resolver.record(Stamp(1), vec![key("a"); WINDOW_KEYS_MAX]);
        resolver.publish(&view(1));
        assert_eq!(resolver.check(&read("x"), first.stamp), Ok(()));
        resolver.record(Stamp(2), vec![key("b")]);
        let second = view(2);
        resolver.publish(&second);
        assert_eq!(resolver.check(&read("x"), first.stamp), Err(Error::TooOld));
        assert_eq!(resolver.check(&read("b"), Stamp(1)), Err(Error::Conflict));
        resolver.publish(&second);
        assert_eq!(resolver.views.front().map(|(stamp, _)| *stamp), Some(Stamp(2)));
    }
}
