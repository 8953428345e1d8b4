//! The embedded engine: fjall, used for snapshots and atomic batches only.
//!
//! Everything lives in one keyspace of fjall, whose journal is synced with `fdatasync` by the committer's batches. At
//! the start, before fjall sees them, [`journal`](super::journal) checks the journals: fjall cuts a journal at the
//! first thing it cannot parse, which would silently drop acknowledged commits behind a flipped byte, and refuses a
//! torn tail whose checksum is wrong, although nothing acknowledged is in it.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fjall::config::{PartitioningPolicy, PinningPolicy};
use fjall::{CompressionType, Database, Guard, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use super::{Batch, journal};
use crate::directory::{DataDir, SyncedMark};
use crate::error::{Error, OpenError};
use crate::options::Options;
use crate::scan::{Collector, Direction, Limit, Slice};
use crate::stamp::Stamp;
use crate::system::{GroupRow, group_key, group_stamp, groups_after};

/// The name of the one keyspace.
const KEYSPACE: &str = "rows";

/// How long closing waits for the memtable to be written to a table.
const CLOSING_FLUSH_MAX: Duration = Duration::from_secs(60);

/// A fjall database in a data directory of ours.
pub(crate) struct Embedded {
    database: Database,
    rows: Keyspace,
    mark: SyncedMark,
    /// Holds the lock; dropped last.
    dir: DataDir,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

/// The rows as they were at some position.
pub(crate) struct Snapshot {
    snapshot: fjall::Snapshot,
    rows: Keyspace,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("position", &self.snapshot.seqno()).finish_non_exhaustive()
    }
}

/// An opened engine, and where it stands.
pub(crate) struct Opened {
    pub(crate) engine: Embedded,
    pub(crate) stamp: Stamp,
}

impl Embedded {
    /// Opens or makes the database in `dir`.
    pub(crate) fn open(dir: &Path, options: &Options) -> Result<Opened, OpenError> {
        Embedded::start(DataDir::open(dir)?, options)
    }

    /// Opens the database of a directory that is already ours.
    pub(crate) fn start(dir: DataDir, options: &Options) -> Result<Opened, OpenError> {
        let mark = dir.synced_mark()?;
        let found = journal::check(&dir, mark.stamp())?;
        let failed = |error: fjall::Error| OpenError::Engine { dir: dir.path().into(), reason: error.to_string() };
        let database = Database::builder(dir.engine_path())
            .cache_size(options.cache_bytes)
            .manual_journal_persist(true)
            .journal_compression(CompressionType::None)
            .open()
            .map_err(failed)?;
        let rows = database.keyspace(KEYSPACE, || keyspace_options(options)).map_err(failed)?;
        // Opening has synced the journal: what it holds will not be lost any more.
        let engine = Embedded { database, rows, mark, dir };
        let stamp = engine.stamp()?;
        if stamp < found.needed {
            return Err(engine.refuse(stamp, &found)?);
        }
        Ok(Opened { engine, stamp })
    }

    /// Lets go of a database that lacks acknowledged commits, and leaves the directory as it was found.
    fn refuse(self, stamp: Stamp, found: &journal::Found) -> Result<OpenError, OpenError> {
        let Embedded { database, rows, dir, .. } = self;
        drop((rows, database));
        found.put_back()?;
        let reason = format!("the last commit is {}, but commit {} had been acknowledged", stamp.0, found.needed.0);
        Ok(OpenError::Damaged { path: dir.path().into(), reason })
    }

    /// The last commit that the rows show.
    fn stamp(&self) -> Result<Stamp, OpenError> {
        let last = Limit { rows: 1, bytes: usize::MAX };
        let found = self.snapshot().scan(&groups_after(Stamp::default()), Direction::Backward, last);
        let dir = self.dir.path();
        let found = found.map_err(|error| OpenError::Engine { dir: dir.into(), reason: error.to_string() })?;
        Ok(found.rows.first().and_then(|(key, _)| group_stamp(key)).unwrap_or_default())
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { snapshot: self.database.snapshot(), rows: self.rows.clone() }
    }

    pub(super) fn write(&self, batch: Batch, is_synced: bool) -> Result<(), Error> {
        let mode = if is_synced { PersistMode::SyncData } else { PersistMode::Buffer };
        if batch.is_empty() {
            return self.database.persist(mode).map_err(failed);
        }
        let mut writes = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), batch.len());
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(&self.rows, key, value),
                None => writes.remove(&self.rows, key),
            }
        }
        writes.durability(Some(mode)).commit().map_err(failed)
    }

    pub(super) fn position(&self) -> u64 {
        self.database.snapshot().seqno()
    }

    pub(super) fn note_synced(&mut self, stamp: Stamp) -> Result<(), Error> {
        self.mark.set(stamp).map_err(|error| Error::Engine(error.to_string()))
    }

    pub(super) fn maintain(&mut self) -> Result<(), Error> {
        self.mark.sync().map_err(|error| Error::Engine(error.to_string()))
    }

    /// Leaves nothing to replay for the next start: what the memtable holds goes to tables, and the journal is emptied.
    ///
    /// Nothing may be written after it. When the flush takes too long or fails, the journal stays, and the next start
    /// replays it.
    pub(super) fn close(&self) {
        // Nothing is lost when it fails, and nobody is left to be told.
        let _ = self.rows.rotate_memtable().map_err(failed).and_then(|_| self.empty_journal());
    }

    fn empty_journal(&self) -> Result<(), Error> {
        let until = Instant::now() + CLOSING_FLUSH_MAX;
        while self.rows.sealed_memtable_count() > 0 {
            if Instant::now() > until {
                return Err(Error::Engine(format!("the last flush took longer than {CLOSING_FLUSH_MAX:?}")));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        journal::empty_last(&self.dir).map_err(|error| Error::Engine(error.to_string()))
    }

    /// Writes rows of a restore: not synced, because [`Embedded::set_stamp`] ends it with a sync of everything.
    pub(crate) fn load(&self, batch: Batch) -> Result<(), Error> {
        self.write(batch, false)
    }

    /// Makes `stamp` the store's position; how a restore ends.
    pub(crate) fn set_stamp(&mut self, stamp: Stamp) -> Result<(), Error> {
        let row = GroupRow { synced: Stamp::default(), position: self.position(), commits: Vec::new() };
        self.write(vec![(Bytes::from(group_key(stamp)), Some(Bytes::from(row.encode())))], true)?;
        self.note_synced(stamp)?;
        self.maintain()
    }
}

/// A start reads as little as can be: indexes and filters are cut into partitions, which are read, and kept in the
/// cache, when somebody looks for a row that they cover.
fn keyspace_options(options: &Options) -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(options.write_buffer_bytes)
        .index_block_partitioning_policy(PartitioningPolicy::all(true))
        .filter_block_partitioning_policy(PartitioningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(false))
        .filter_block_pinning_policy(PinningPolicy::all(false))
}

/// The tables of a database that is open, whatever is written meanwhile.
pub(crate) struct Tables(Keyspace);

impl Tables {
    /// Writes what is in memory to tables, and these anew without what nobody can see any more. Blocks.
    pub(crate) fn compact(&self) -> Result<(), Error> {
        self.settle()?;
        self.0.major_compact().map_err(failed)
    }

    /// Writes what is in memory to tables; with it go the files of tables that nobody can see any more. Blocks.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        self.0.rotate_memtable_and_wait().map_err(failed)
    }
}

impl Snapshot {
    pub(super) fn tables(&self) -> Tables {
        Tables(self.rows.clone())
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(self.snapshot.get(&self.rows, key).map_err(failed)?.map(Bytes::from))
    }

    pub(super) fn scan(&self, range: &Range<Vec<u8>>, direction: Direction, limit: Limit) -> Result<Slice, Error> {
        let mut found = self.snapshot.range(&self.rows, range.start.as_slice()..range.end.as_slice());
        let mut out = Collector::new(limit);
        loop {
            let next = match direction {
                Direction::Forward => found.next(),
                Direction::Backward => found.next_back(),
            };
            let Some(row) = next.map(Guard::into_inner) else { break };
            let (key, value) = row.map_err(failed)?;
            if !out.take(key.into(), value.into()) {
                break;
            }
        }
        Ok(out.into_slice())
    }
}

fn failed(error: fjall::Error) -> Error {
    Error::Engine(error.to_string())
}
