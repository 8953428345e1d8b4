//! The memory engine, for tests and the simulator: every version of a row that some snapshot can still see.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use super::Batch;
use crate::scan::{Collector, Direction, Limit, Slice, bounds};

/// The versions of one row, oldest first: since which batch, and the value or its absence.
type Versions = Vec<(u64, Option<Bytes>)>;

#[derive(Debug, Default)]
struct Rows {
    /// The number of batches applied.
    batches: u64,
    rows: BTreeMap<Bytes, Versions>,
    /// Rows that hold an old version or a deletion, by the batch that made it so.
    stale: VecDeque<(u64, Bytes)>,
}

/// How many snapshots stand at each batch.
type Live = Mutex<BTreeMap<u64, usize>>;

#[derive(Debug, Default)]
struct Shared {
    rows: RwLock<Rows>,
    live: Live,
}

/// An engine whose rows live and die with the process.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    shared: Arc<Shared>,
}

/// The rows as they were after some batch.
#[derive(Debug)]
pub(crate) struct Snapshot {
    shared: Arc<Shared>,
    batch: u64,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut live = self.shared.live.lock();
        if let Some(count) = live.get_mut(&self.batch) {
            *count -= 1;
            if *count == 0 {
                live.remove(&self.batch);
            }
        }
    }
}

impl Memory {
    pub(super) fn snapshot(&self) -> Snapshot {
        let rows = self.shared.rows.read();
        *self.shared.live.lock().entry(rows.batches).or_default() += 1;
        Snapshot { shared: self.shared.clone(), batch: rows.batches }
    }

    pub(super) fn write(&self, batch: Batch) {
        let mut rows = self.shared.rows.write();
        rows.batches += 1;
        let now = rows.batches;
        for (key, value) in batch {
            let versions = rows.rows.entry(key.clone()).or_default();
            let is_stale = !versions.is_empty() || value.is_none();
            versions.push((now, value));
            if is_stale {
                rows.stale.push_back((now, key));
            }
        }
        self.prune(&mut rows);
    }

    pub(super) fn maintain(&self) {
        self.prune(&mut self.shared.rows.write());
    }

    /// Forgets the versions that no snapshot can see any more.
    fn prune(&self, rows: &mut Rows) {
        let oldest = self.shared.live.lock().keys().next().copied().unwrap_or(rows.batches);
        while rows.stale.front().is_some_and(|(batch, _)| *batch <= oldest) {
            let Some((_, key)) = rows.stale.pop_front() else { break };
            let Some(versions) = rows.rows.get_mut(&key) else { continue };
            let visible = versions.partition_point(|(batch, _)| *batch <= oldest);
            versions.drain(..visible.saturating_sub(1));
            if let [(batch, None)] = versions.as_slice()
                && *batch <= oldest
            {
                rows.rows.remove(&key);
            }
        }
    }
}

impl Snapshot {
    fn visible(&self, versions: &Versions) -> Option<Bytes> {
        let visible = versions.partition_point(|(batch, _)| *batch <= self.batch);
        versions[..visible].last().and_then(|(_, value)| value.clone())
    }

    fn find(&self, rows: &Rows, key: &[u8]) -> Option<Bytes> {
        rows.rows.get(key).and_then(|versions| self.visible(versions))
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.find(&self.shared.rows.read(), key)
    }

    pub(super) fn get_many(&self, keys: &[Vec<u8>]) -> Vec<Option<Bytes>> {
        let rows = self.shared.rows.read();
        keys.iter().map(|key| self.find(&rows, key)).collect()
    }

    pub(super) fn scan(&self, range: &Range<Vec<u8>>, direction: Direction, limit: Limit) -> Slice {
        let rows = self.shared.rows.read();
        let found = rows.rows.range::<[u8], _>(bounds(range));
        let mut out = Collector::new(limit);
        let mut take = |(key, versions): (&Bytes, &Versions)| match self.visible(versions) {
            Some(value) => out.take(key.clone(), value),
            None => true,
        };
        match direction {
            Direction::Forward => found.into_iter().all(&mut take),
            Direction::Backward => found.rev().all(&mut take),
        };
        out.into_slice()
    }
}
