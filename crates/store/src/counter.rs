//! Counters: rows that every transaction may add to without a conflict.

use std::ops::Range;

use crate::error::{Corrupt, Error};
use crate::key::Key;
use crate::record::Record;
use crate::scan::{Direction, Limit};
use crate::table::{Rows, Table};
use crate::transaction::Transaction;

/// The value of a counter: eight bytes, little end first.
struct Sum(i64);

impl Record for Sum {
    fn encode(&self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let bytes = bytes.try_into().map_err(|_| Corrupt::new("a counter has eight bytes"))?;
        Ok(Sum(i64::from_le_bytes(bytes)))
    }
}

/// A table of counters under keys `K`. An absent counter is 0.
pub struct Counter<K> {
    table: Table<K, Sum>,
}

impl<K: Key> Counter<K> {
    /// Declares a table of counters; no two tables share a tag.
    pub const fn new(tag: u8, name: &'static str) -> Counter<K> {
        Counter { table: Table::new(tag, name) }
    }

    /// The table's tag.
    pub const fn tag(&self) -> u8 {
        self.table.tag()
    }

    /// The table's name, as errors show it.
    pub const fn name(&self) -> &'static str {
        self.table.name()
    }

    /// The full key of a counter.
    pub fn key(&self, tenant: u32, key: &K) -> Vec<u8> {
        self.table.key(tenant, key)
    }

    /// All counters of the table.
    pub fn range(&self, tenant: u32) -> Range<Vec<u8>> {
        self.table.range(tenant)
    }

    /// The counters whose keys begin with these parts.
    pub fn prefix(&self, tenant: u32, parts: &impl Key) -> Range<Vec<u8>> {
        self.table.prefix(tenant, parts)
    }

    /// Adds to a counter.
    pub fn add(&self, tx: &mut Transaction, tenant: u32, key: &K, delta: i64) {
        tx.add(self.key(tenant, key), delta);
    }

    /// The value of a counter. Reading it makes the transaction conflict with whoever adds.
    pub async fn get(&self, tx: &mut Transaction, tenant: u32, key: &K) -> Result<i64, Error> {
        Ok(self.table.get(tx, tenant, key).await?.map_or(0, |sum| sum.0))
    }

    /// The values of several counters, in the order of `keys`.
    pub async fn get_many(&self, tx: &mut Transaction, tenant: u32, keys: &[K]) -> Result<Vec<i64>, Error> {
        let sums = self.table.get_many(tx, tenant, keys).await?;
        Ok(sums.into_iter().map(|sum| sum.map_or(0, |sum| sum.0)).collect())
    }

    /// Sets a counter back to absent, which counts as 0.
    pub fn delete(&self, tx: &mut Transaction, tenant: u32, key: &K) {
        self.table.delete(tx, tenant, key);
    }

    /// The counters of `range`, up to `limit`.
    pub async fn scan(
        &self,
        tx: &mut Transaction,
        tenant: u32,
        range: Range<Vec<u8>>,
        direction: Direction,
        limit: Limit,
    ) -> Result<Rows<K, i64>, Error> {
        let Rows { rows, more } = self.table.scan(tx, tenant, range, direction, limit).await?;
        Ok(Rows { rows: rows.into_iter().map(|(key, sum)| (key, sum.0)).collect(), more })
    }
}
