//! Transactions: reads on a snapshot, writes in a buffer.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::coop::consume_budget;
use tokio::time::Instant;

use crate::error::Error;
use crate::key::after;
use crate::limits::{TRANSACTION_AGE_MAX, TRANSACTION_READS_MAX};
use crate::read_set::ReadSet;
use crate::scan::{Direction, Limit, Page, Slice, merged, overlaid};
use crate::stamp::Stamp;
use crate::system;
use crate::view::View;
use crate::writes::{Write, Writes, within};

/// A transaction: a snapshot to read, a buffer to write.
///
/// Reads see the snapshot under the transaction's own writes; nobody else sees a write before the commit. A row
/// written by `put_stamped` or `append` gets its bytes at commit: reading it, or scanning over it, in the same
/// transaction is [`Error::Unreadable`].
///
/// Values share the engine's memory. Copy what is kept for long, or a small value keeps a whole block.
#[derive(Debug)]
pub struct Transaction {
    view: Arc<View>,
    begun: Instant,
    /// `None` for a transaction that only reads.
    reads: Option<ReadSet>,
    writes: Writes,
}

impl Transaction {
    pub(crate) fn new(view: Arc<View>, is_writing: bool) -> Transaction {
        let reads = is_writing.then(ReadSet::default);
        Transaction { view, begun: Instant::now(), reads, writes: Writes::default() }
    }

    /// The snapshot's stamp: exactly the commits up to it are visible.
    pub fn stamp(&self) -> Stamp {
        self.view.stamp
    }

    /// A transaction that only reads, on the same snapshot: what it reads cannot conflict, and it does not see the
    /// writes buffered here.
    pub fn snapshot(&self) -> Transaction {
        Transaction::new(self.view.clone(), false)
    }

    /// The row at `key`.
    pub async fn get(&mut self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        consume_budget().await;
        self.get_now(key)
    }

    /// The rows at `keys`, in the order of `keys`.
    pub async fn get_many(&mut self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>, Error> {
        consume_budget().await;
        if self.writes.is_empty() {
            if let Some(reads) = &mut self.reads {
                reads.points.extend_from_slice(keys);
            }
            return self.view.snapshot.get_many(keys);
        }
        keys.iter().map(|key| self.get_now(key)).collect()
    }

    fn get_now(&mut self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let write = self.writes.points.get(key);
        let is_own = match write {
            Some(Write::Add(_)) => false,
            Some(_) => true,
            None => self.writes.deletes(key),
        };
        let base = if is_own { None } else { self.get_base(key)? };
        match self.writes.points.get(key) {
            Some(write) => overlaid(key, write, base),
            None => Ok(base),
        }
    }

    fn get_base(&mut self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        if system::is_reserved(key) {
            return Ok(None);
        }
        if let Some(reads) = &mut self.reads {
            reads.points.push(key.to_vec());
        }
        self.view.snapshot.get(key)
    }

    /// The rows of `range`, from the end that `direction` says, up to `limit`.
    pub async fn scan(&mut self, range: Range<Vec<u8>>, direction: Direction, limit: Limit) -> Result<Page, Error> {
        consume_budget().await;
        let range = range.start..range.end.min(system::end_of_user_keys());
        if range.start >= range.end {
            return Ok(Page::default());
        }
        let snapshot = &self.view.snapshot;
        let slice = if self.writes.is_empty() {
            snapshot.scan(&range, direction, limit)?
        } else {
            let base = |part: &Range<Vec<u8>>, direction, limit| snapshot.scan(part, direction, limit);
            merged(base, &self.writes, &range, direction, limit)?
        };
        if let Some(reads) = &mut self.reads {
            reads.ranges.push(seen(range, &slice, direction));
        }
        Ok(Page { more: slice.next.is_some(), rows: slice.rows })
    }

    /// Writes a row.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.write(key, Write::Put(value));
    }

    /// Writes a row whose value the commit completes with its own stamp, eight bytes, big end first.
    pub fn put_stamped(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.write(key, Write::PutStamped(value));
    }

    /// Appends to the commit-ordered log under `prefix`.
    ///
    /// The key is the prefix, the commit's stamp (eight bytes) and the index of the append within the commit (two
    /// bytes), all big end first. A `delete_range` of the same transaction does not reach it.
    pub fn append(&mut self, prefix: Vec<u8>, value: Vec<u8>) {
        self.writes.append(prefix, value);
    }

    /// Removes a row, if it is there.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.writes.write(key, Write::Delete);
    }

    /// Removes the rows of `range`; at most [`RANGE_ROWS_MAX`](crate::limits::RANGE_ROWS_MAX) in one transaction.
    pub fn delete_range(&mut self, range: Range<Vec<u8>>) {
        self.writes.delete_range(range);
    }

    /// Adds to a counter; an absent row counts as 0, sums wrap, and additions never conflict with each other.
    pub fn add(&mut self, key: Vec<u8>, delta: i64) {
        self.writes.add(key, delta);
    }

    /// Demands at commit that the row is absent, before this transaction's own writes.
    pub fn assert_absent(&mut self, key: Vec<u8>) {
        self.writes.assert(key, None);
    }

    /// Demands at commit that the row has this value, before this transaction's own writes.
    pub fn assert_equal(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.assert(key, Some(value));
    }

    /// Demands at commit that nobody else wrote to `range` since the snapshot, as if it had been read here: for rows that
    /// were read beside the transaction, on its [`snapshot`](Transaction::snapshot), together with others.
    pub fn watch(&mut self, range: Range<Vec<u8>>) {
        if let Some(reads) = &mut self.reads {
            reads.ranges.push(range);
        }
    }

    /// Demands at commit that nobody else wrote the row at `key` since the snapshot; see [`watch`](Transaction::watch).
    pub fn watch_row(&mut self, key: Vec<u8>) {
        if let Some(reads) = &mut self.reads {
            reads.points.push(key);
        }
    }

    /// How many rows and ranges were read or are watched so far, as far as it is noted.
    pub fn reads(&self) -> usize {
        self.reads.as_ref().map_or(0, ReadSet::len)
    }

    /// The operations and bytes buffered so far, so that callers can cut work into several transactions.
    pub fn size(&self) -> (usize, usize) {
        (self.writes.operations(), self.writes.bytes())
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Checks every limit and hands over what the committer needs.
    pub(crate) fn finish(self) -> Result<Commit, Error> {
        let reads = self.reads.ok_or(Error::ReadOnly)?;
        self.writes.check()?;
        within("the number of reads of the transaction", reads.len(), TRANSACTION_READS_MAX)?;
        if self.begun.elapsed() > TRANSACTION_AGE_MAX {
            return Err(Error::TooOld);
        }
        Ok(Commit { view: self.view, reads, writes: self.writes })
    }
}

/// What a transaction asks the committer to do.
#[derive(Debug)]
pub(crate) struct Commit {
    /// Held until the commit is decided, so that the resolver remembers everything after it.
    pub(crate) view: Arc<View>,
    pub(crate) reads: ReadSet,
    pub(crate) writes: Writes,
}

/// The part of `range` that a scan has looked at: up to and with the first row that did not fit.
fn seen(range: Range<Vec<u8>>, slice: &Slice, direction: Direction) -> Range<Vec<u8>> {
    match (&slice.next, direction) {
        (None, _) => range,
        (Some(next), Direction::Forward) => range.start..after(next.to_vec()),
        (Some(next), Direction::Backward) => next.to_vec()..range.end,
    }
}
