//! Tables: typed keys and records over the untyped rows.
//!
//! A row's key is the tenant (four bytes), the table's tag (one byte) and the typed key, so that a tenant is one range
//! and a table of a tenant is one range inside it.

use std::marker::PhantomData;
use std::ops::{Deref, Range};

use bytes::Bytes;

use crate::error::{Corrupt, Error};
use crate::key::{Key, after, prefixed};
use crate::record::{Record, Stamped};
use crate::scan::{Direction, Limit};
use crate::scratch::written;
use crate::transaction::Transaction;

/// The typed rows of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<K, V> {
    /// Keys and records, in the direction of the scan.
    pub rows: Vec<(K, V)>,
    /// Whether the limit cut the range, with at least one more row behind the cut.
    pub more: bool,
}

/// A table of records `V` under keys `K`.
pub struct Table<K, V> {
    tag: u8,
    name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

/// The tenant, the tag and the typed part of a full key; `None` if it is too short to be a row of a table.
pub fn split(key: &[u8]) -> Option<(u32, u8, &[u8])> {
    let (tenant, rest) = key.split_first_chunk::<4>()?;
    let (tag, rest) = rest.split_first()?;
    Some((u32::from_be_bytes(*tenant), *tag, rest))
}

/// All rows of a tenant, whatever their tables.
pub fn tenant_range(tenant: u32) -> Range<Vec<u8>> {
    prefixed(tenant.to_be_bytes().to_vec())
}

/// The rows of the tables of a tenant with these tags.
pub fn tables_range(tenant: u32, tags: Range<u8>) -> Range<Vec<u8>> {
    let start = |tag: u8| [tenant.to_be_bytes().as_slice(), &[tag]].concat();
    start(tags.start)..start(tags.end)
}

impl<K: Key, V: Record> Table<K, V> {
    /// Declares a table; no two tables share a tag.
    pub const fn new(tag: u8, name: &'static str) -> Table<K, V> {
        Table { tag, name, types: PhantomData }
    }

    /// The table's tag.
    pub const fn tag(&self) -> u8 {
        self.tag
    }

    /// The table's name, as errors show it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    fn start(&self, tenant: u32) -> Vec<u8> {
        self.part(tenant, &())
    }

    /// The full key of a row.
    pub fn key(&self, tenant: u32, key: &K) -> Vec<u8> {
        self.part(tenant, key)
    }

    fn part(&self, tenant: u32, part: &impl Key) -> Vec<u8> {
        written(|out| {
            out.extend_from_slice(&tenant.to_be_bytes());
            out.push(self.tag);
            part.write(out);
        })
    }

    /// The whole table.
    pub fn range(&self, tenant: u32) -> Range<Vec<u8>> {
        prefixed(self.start(tenant))
    }

    /// The rows whose keys begin with these parts.
    pub fn prefix(&self, tenant: u32, parts: &impl Key) -> Range<Vec<u8>> {
        prefixed(self.part(tenant, parts))
    }

    /// The rows from `key` on.
    pub fn from(&self, tenant: u32, key: &K) -> Range<Vec<u8>> {
        self.key(tenant, key)..self.range(tenant).end
    }

    /// The rows after `key`; narrow the end with that of a prefix to stay inside it.
    pub fn after(&self, tenant: u32, key: &K) -> Range<Vec<u8>> {
        after(self.key(tenant, key))..self.range(tenant).end
    }

    /// The rows before `key`.
    pub fn before(&self, tenant: u32, key: &K) -> Range<Vec<u8>> {
        self.start(tenant)..self.key(tenant, key)
    }

    /// The row at `key`.
    pub async fn get(&self, tx: &mut Transaction, tenant: u32, key: &K) -> Result<Option<V>, Error> {
        let key = self.key(tenant, key);
        let value = tx.get(&key).await?;
        Ok(value.map(|value| self.decode(&key, &value)).transpose()?)
    }

    /// The rows at `keys`, in the order of `keys`.
    pub async fn get_many(&self, tx: &mut Transaction, tenant: u32, keys: &[K]) -> Result<Vec<Option<V>>, Error> {
        let keys: Vec<_> = keys.iter().map(|key| self.key(tenant, key)).collect();
        let values = tx.get_many(&keys).await?;
        let decode = |(key, value): (&Vec<u8>, Option<Bytes>)| value.map(|value| self.decode(key, &value)).transpose();
        Ok(keys.iter().zip(values).map(decode).collect::<Result<_, _>>()?)
    }

    /// Whether there is a row at `key`.
    pub async fn exists(&self, tx: &mut Transaction, tenant: u32, key: &K) -> Result<bool, Error> {
        Ok(tx.get(&self.key(tenant, key)).await?.is_some())
    }

    /// Writes the row at `key`.
    pub fn put(&self, tx: &mut Transaction, tenant: u32, key: &K, value: &V) {
        tx.put(self.key(tenant, key), value.encode());
    }

    /// Removes the row at `key`, if it is there.
    pub fn delete(&self, tx: &mut Transaction, tenant: u32, key: &K) {
        tx.delete(self.key(tenant, key));
    }

    /// Demands at commit that there is no row at `key`.
    pub fn assert_absent(&self, tx: &mut Transaction, tenant: u32, key: &K) {
        tx.assert_absent(self.key(tenant, key));
    }

    /// The rows of `range`, as far as it lies in this tenant's table, up to `limit`.
    pub async fn scan(
        &self,
        tx: &mut Transaction,
        tenant: u32,
        range: Range<Vec<u8>>,
        direction: Direction,
        limit: Limit,
    ) -> Result<Rows<K, V>, Error> {
        let table = self.range(tenant);
        let range = range.start.max(table.start)..range.end.min(table.end);
        let page = tx.scan(range, direction, limit).await?;
        let rows = page.rows.iter().map(|(key, value)| Ok((self.decode_key(key)?, self.decode(key, value)?)));
        Ok(Rows { rows: rows.collect::<Result<_, Corrupt>>()?, more: page.more })
    }

    /// Reads the typed key of a full key.
    pub fn decode_key(&self, key: &[u8]) -> Result<K, Corrupt> {
        let read = || {
            let (_, tag, mut rest) = split(key).ok_or_else(|| Corrupt::new("the key is too short"))?;
            let typed = K::read(&mut rest)?;
            match (tag == self.tag, rest) {
                (true, []) => Ok(typed),
                (true, _) => Err(Corrupt::new("the key goes on after its end")),
                (false, _) => Err(Corrupt::new("the key belongs to another table")),
            }
        };
        read().map_err(|corrupt| corrupt.in_row(self.name, key))
    }

    /// Reads a record; an error names the table and the key.
    pub fn decode(&self, key: &[u8], value: &[u8]) -> Result<V, Corrupt> {
        V::decode(value).map_err(|corrupt| corrupt.in_row(self.name, key))
    }
}

/// A table whose records carry the stamp of the commit that wrote them. It reads as a `Table<K, Stamped<V>>`.
pub struct StampedTable<K, V> {
    table: Table<K, Stamped<V>>,
}

impl<K: Key, V: Record> StampedTable<K, V> {
    /// Declares a table; no two tables share a tag.
    pub const fn new(tag: u8, name: &'static str) -> StampedTable<K, V> {
        StampedTable { table: Table::new(tag, name) }
    }

    /// The table's tag.
    pub const fn tag(&self) -> u8 {
        self.table.tag
    }

    /// The table's name, as errors show it.
    pub const fn name(&self) -> &'static str {
        self.table.name
    }

    /// Writes the row at `key`; the commit adds its stamp, so this transaction cannot read it back.
    pub fn put(&self, tx: &mut Transaction, tenant: u32, key: &K, value: &V) {
        tx.put_stamped(self.key(tenant, key), value.encode());
    }
}

impl<K, V> Deref for StampedTable<K, V> {
    type Target = Table<K, Stamped<V>>;

    fn deref(&self) -> &Self::Target {
        &self.table
    }
}
