//! Decides in commit order whether what a transaction read still holds.
//!
//! The window remembers which keys the recent commits changed. A transaction whose snapshot is older than the window
//! cannot be judged and is too old; everything at or after the window's floor is judged exactly.

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
    /// The last commit that changed each key.
    changed: BTreeMap<Bytes, Stamp>,
    commits: VecDeque<Recent>,
    /// The keys held by `commits`.
    keys: usize,
    /// The published states that transactions may still hold, oldest first.
    views: VecDeque<Weak<View>>,
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
            keys: 0,
            views: VecDeque::from([Arc::downgrade(view)]),
        }
    }

    /// Whether nothing that was read as of `snapshot` has changed since.
    pub(crate) fn check(&self, reads: &ReadSet, snapshot: Stamp) -> Result<(), Error> {
        if snapshot < self.floor {
            return Err(Error::TooOld);
        }
        let is_new = |stamp: &Stamp| *stamp > snapshot;
        let point = |key: &Vec<u8>| self.changed.get(key.as_slice()).is_some_and(is_new);
        let range =
            |range: &Range<Vec<u8>>| self.changed.range::<[u8], _>(bounds(range)).any(|(_, stamp)| is_new(stamp));
        if reads.points.iter().any(point) || reads.ranges.iter().any(range) {
            return Err(Error::Conflict);
        }
        Ok(())
    }

    /// Remembers what commit `stamp` changed.
    pub(crate) fn record(&mut self, stamp: Stamp, keys: Vec<Bytes>) {
        for key in &keys {
            self.changed.insert(key.clone(), stamp);
        }
        self.keys += keys.len();
        self.commits.push_back(Recent { stamp, keys, at: Instant::now() });
    }

    /// Notes a published state, and forgets the commits that no open transaction needs.
    pub(crate) fn publish(&mut self, view: &Arc<View>) {
        self.views.push_back(Arc::downgrade(view));
        while self.views.front().is_some_and(|view| view.strong_count() == 0) {
            self.views.pop_front();
        }
        let oldest = self.views.front().and_then(Weak::upgrade).map_or(view.stamp, |view| view.stamp);
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
        for key in recent.keys {
            if self.changed.get(&key) == Some(&recent.stamp) {
                self.changed.remove(&key);
            }
        }
    }
}
