//! The seam to storage engines: six functions, and a closed list of engines behind them.
//!
//! Snapshot, get, get many, scan, write, maintain. `position` and `note_synced` are there for engines whose journal must
//! be told from a torn one at the next start; others ignore them.
//!
//! An engine keeps ordered rows, takes snapshots of them and applies batches whole or not at all. Everything else
//! (conflicts, stamps, limits, durability of an acknowledgement) is the committer's, written once above the seam.

mod embedded;
mod journal;
mod memory;

use std::ops::Range;

use bytes::Bytes;

pub(crate) use embedded::{Embedded, Tables};
pub(crate) use memory::Memory;

use crate::error::Error;
use crate::scan::{Direction, Limit, Slice};
use crate::stamp::Stamp;

/// One batch: each key with its new value, or with none where it is deleted. No key stands twice.
pub(crate) type Batch = Vec<(Bytes, Option<Bytes>)>;

/// A storage engine.
#[derive(Debug)]
pub(crate) enum Engine {
    Embedded(Embedded),
    Memory(Memory),
}

impl Engine {
    /// The state as it is now, unmoved by later batches.
    pub(crate) fn snapshot(&self) -> Snapshot {
        match self {
            Engine::Embedded(engine) => Snapshot::Embedded(engine.snapshot()),
            Engine::Memory(engine) => Snapshot::Memory(engine.snapshot()),
        }
    }

    /// Applies a batch; with `is_synced`, returns only when it and everything before it would survive a power cut.
    pub(crate) fn write(&self, batch: Batch, is_synced: bool) -> Result<(), Error> {
        match self {
            Engine::Embedded(engine) => engine.write(batch, is_synced),
            Engine::Memory(engine) => {
                engine.write(batch);
                Ok(())
            }
        }
    }

    /// A number that every batch raises; notes in batches let the next start tell a gap in the journal.
    pub(crate) fn position(&self) -> u64 {
        match self {
            Engine::Embedded(engine) => engine.position(),
            Engine::Memory(_) => 0,
        }
    }

    /// Told after each sync which stamp is safe, so that the next start can tell loss from a torn tail.
    pub(crate) fn note_synced(&mut self, stamp: Stamp) -> Result<(), Error> {
        match self {
            Engine::Embedded(engine) => engine.note_synced(stamp),
            Engine::Memory(_) => Ok(()),
        }
    }

    /// Looks after the engine between groups of commits.
    pub(crate) fn maintain(&mut self) -> Result<(), Error> {
        match self {
            Engine::Embedded(engine) => engine.maintain(),
            Engine::Memory(engine) => {
                engine.maintain();
                Ok(())
            }
        }
    }

    /// Told that nothing will be written any more.
    pub(crate) fn close(&self) {
        match self {
            Engine::Embedded(engine) => engine.close(),
            Engine::Memory(_) => {}
        }
    }
}

/// A state of the engine that no later batch changes.
#[derive(Debug)]
pub(crate) enum Snapshot {
    Embedded(embedded::Snapshot),
    Memory(memory::Snapshot),
    /// What a closed store hands out.
    Closed,
}

impl Snapshot {
    /// The tables on disk, if there are any.
    pub(crate) fn tables(&self) -> Result<Option<Tables>, Error> {
        match self {
            Snapshot::Embedded(snapshot) => Ok(Some(snapshot.tables())),
            Snapshot::Memory(_) => Ok(None),
            Snapshot::Closed => Err(Error::Closed),
        }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        match self {
            Snapshot::Embedded(snapshot) => snapshot.get(key),
            Snapshot::Memory(snapshot) => Ok(snapshot.get(key)),
            Snapshot::Closed => Err(Error::Closed),
        }
    }

    pub(crate) fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>, Error> {
        match self {
            Snapshot::Embedded(snapshot) => keys.iter().map(|key| snapshot.get(key)).collect(),
            Snapshot::Memory(snapshot) => Ok(snapshot.get_many(keys)),
            Snapshot::Closed => Err(Error::Closed),
        }
    }

    /// The rows of `range`, which is not empty, up to `limit`.
    pub(crate) fn scan(&self, range: &Range<Vec<u8>>, direction: Direction, limit: Limit) -> Result<Slice, Error> {
        match self {
            Snapshot::Embedded(snapshot) => snapshot.scan(range, direction, limit),
            Snapshot::Memory(snapshot) => Ok(snapshot.scan(range, direction, limit)),
            Snapshot::Closed => Err(Error::Closed),
        }
    }
}
