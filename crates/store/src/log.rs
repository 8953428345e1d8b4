//! The commit-ordered log: what happened, in the order in which it was committed.

use std::ops::Range;

use crate::error::{Corrupt, Error};
use crate::record::Record;
use crate::scan::{Direction, Limit};
use crate::stamp::Stamp;
use crate::table::{Rows, Table};
use crate::transaction::Transaction;

/// The place of an entry: its commit, and its index among the entries of that commit, in all logs together.
pub type Place = (Stamp, u16);

/// A log of entries `V` for each tenant.
pub struct Log<V> {
    table: Table<Place, V>,
}

impl<V: Record> Log<V> {
    /// Declares a log; no two tables share a tag.
    pub const fn new(tag: u8, name: &'static str) -> Log<V> {
        Log { table: Table::new(tag, name) }
    }

    /// The log's tag.
    pub const fn tag(&self) -> u8 {
        self.table.tag()
    }

    /// The log's name, as errors show it.
    pub const fn name(&self) -> &'static str {
        self.table.name()
    }

    /// The whole log.
    pub fn range(&self, tenant: u32) -> Range<Vec<u8>> {
        self.table.range(tenant)
    }

    /// Appends an entry; the commit gives it its place.
    pub fn append(&self, tx: &mut Transaction, tenant: u32, entry: &V) {
        tx.append(self.range(tenant).start, entry.encode());
    }

    /// The entries of commits after `after`.
    ///
    /// A limit may cut between two entries of one commit: if there is more, go on with [`Log::scan_from`].
    pub async fn scan(
        &self,
        tx: &mut Transaction,
        tenant: u32,
        after: Stamp,
        limit: Limit,
    ) -> Result<Rows<Place, V>, Error> {
        self.scan_from(tx, tenant, (after, u16::MAX), limit).await
    }

    /// The entries after the place `after`.
    pub async fn scan_from(
        &self,
        tx: &mut Transaction,
        tenant: u32,
        after: Place,
        limit: Limit,
    ) -> Result<Rows<Place, V>, Error> {
        self.table.scan(tx, tenant, self.table.after(tenant, &after), Direction::Forward, limit).await
    }

    /// The entries before the place `before`, or the last ones: the latest first.
    pub async fn scan_back(
        &self,
        tx: &mut Transaction,
        tenant: u32,
        before: Option<Place>,
        limit: Limit,
    ) -> Result<Rows<Place, V>, Error> {
        let range = before.map_or_else(|| self.range(tenant), |place| self.table.before(tenant, &place));
        self.table.scan(tx, tenant, range, Direction::Backward, limit).await
    }

    /// The entries of commits up to and with `up_to`.
    pub fn until(&self, tenant: u32, up_to: Stamp) -> Range<Vec<u8>> {
        self.range(tenant).start..self.table.after(tenant, &(up_to, u16::MAX)).start
    }

    /// Removes the entries of commits up to and with `up_to`, within the limit of rows of one transaction.
    pub fn prune(&self, tx: &mut Transaction, tenant: u32, up_to: Stamp) {
        tx.delete_range(self.until(tenant, up_to));
    }

    /// Reads an entry from a full key and value, as a publish hook gets them.
    pub fn decode(&self, key: &[u8], value: &[u8]) -> Result<(Place, V), Corrupt> {
        Ok((self.table.decode_key(key)?, self.table.decode(key, value)?))
    }
}
