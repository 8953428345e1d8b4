//! What a transaction has buffered: its writes, folded to one per key, and its assertions.
//!
//! Order of effect at commit: range deletes, then the writes of single keys, then appends. Buffering keeps that order
//! true to the calls: a range delete drops the single writes it covers, a later write stands above it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::{Error, Hex};
use crate::limits::{KEY_BYTES_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, VALUE_BYTES_MAX};
use crate::scan::bounds;
use crate::stamp::Stamp;
use crate::system;

/// The bytes that a commit adds to an appended row's prefix: stamp and index.
pub(crate) const APPEND_SUFFIX_BYTES: usize = Stamp::BYTES + 2;

/// The one write that stands for all writes of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Put(Vec<u8>),
    /// The commit appends its stamp.
    PutStamped(Vec<u8>),
    Delete,
    Add(i64),
    /// An `add` above a value that is no counter; refused at commit.
    Broken,
}

impl Write {
    fn bytes(&self) -> usize {
        match self {
            Write::Put(value) => value.len(),
            Write::PutStamped(value) => value.len() + Stamp::BYTES,
            Write::Add(_) => 8,
            Write::Delete | Write::Broken => 0,
        }
    }
}

/// A condition on the state that the commit builds on.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    pub(crate) key: Vec<u8>,
    /// The value that must be there; `None` demands absence.
    pub(crate) value: Option<Vec<u8>>,
}

/// The buffered writes of one transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writes {
    pub(crate) points: BTreeMap<Vec<u8>, Write>,
    pub(crate) ranges: Vec<Range<Vec<u8>>>,
    pub(crate) appends: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) assertions: Vec<Assertion>,
    bytes: usize,
}

/// Reads a counter's value; `None` if it is not one.
pub(crate) fn counter(value: &[u8]) -> Option<i64> {
    value.try_into().ok().map(i64::from_le_bytes)
}

impl Writes {
    pub(crate) fn write(&mut self, key: Vec<u8>, write: Write) {
        self.bytes += key.len() + write.bytes();
        let length = key.len();
        if let Some(old) = self.points.insert(key, write) {
            self.bytes -= length + old.bytes();
        }
    }

    /// Adds to a counter; sums wrap, so that the order of additions never matters.
    pub(crate) fn add(&mut self, key: Vec<u8>, delta: i64) {
        let folded = match self.points.get(&key) {
            Some(Write::Add(sum)) => Write::Add(sum.wrapping_add(delta)),
            Some(Write::Put(value)) => match counter(value) {
                Some(base) => Write::Put(base.wrapping_add(delta).to_le_bytes().to_vec()),
                None => Write::Broken,
            },
            Some(Write::Delete) => Write::Put(delta.to_le_bytes().to_vec()),
            Some(Write::PutStamped(_) | Write::Broken) => Write::Broken,
            None if self.deletes(&key) => Write::Put(delta.to_le_bytes().to_vec()),
            None => Write::Add(delta),
        };
        self.write(key, folded);
    }

    pub(crate) fn append(&mut self, prefix: Vec<u8>, value: Vec<u8>) {
        self.bytes += prefix.len() + APPEND_SUFFIX_BYTES + value.len();
        self.appends.push((prefix, value));
    }

    pub(crate) fn delete_range(&mut self, range: Range<Vec<u8>>) {
        if range.start >= range.end {
            return;
        }
        let covered: Vec<_> = self.points_in(&range).map(|(key, _)| key.clone()).collect();
        for key in covered {
            if let Some(old) = self.points.remove(&key) {
                self.bytes -= key.len() + old.bytes();
            }
        }
        self.bytes += range.start.len() + range.end.len();
        self.ranges.push(range);
    }

    pub(crate) fn assert(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.assertions.push(Assertion { key, value });
    }

    /// Whether one of the range deletes covers `key`.
    pub(crate) fn deletes(&self, key: &[u8]) -> bool {
        self.ranges.iter().any(|range| range.start.as_slice() <= key && key < range.end.as_slice())
    }

    pub(crate) fn points_in(&self, range: &Range<Vec<u8>>) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Write)> {
        self.points.range::<[u8], _>(bounds(range))
    }

    /// A prefix under which rows were appended that may fall into `range`.
    pub(crate) fn appended_in(&self, range: &Range<Vec<u8>>) -> Option<&[u8]> {
        let reaches = |prefix: &[u8]| {
            let last = [prefix, &[0xff; APPEND_SUFFIX_BYTES]].concat();
            prefix < range.end.as_slice() && range.start <= last
        };
        self.appends.iter().map(|(prefix, _)| prefix.as_slice()).find(|prefix| reaches(prefix))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.points.is_empty() && self.ranges.is_empty() && self.appends.is_empty() && self.assertions.is_empty()
    }

    pub(crate) fn operations(&self) -> usize {
        self.points.len() + self.ranges.len() + self.appends.len() + self.assertions.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Holds the buffered writes against every limit.
    pub(crate) fn check(&self) -> Result<(), Error> {
        within("the number of operations of the transaction", self.operations(), TRANSACTION_OPERATIONS_MAX)?;
        within("the size of the transaction in bytes", self.bytes, TRANSACTION_BYTES_MAX)?;
        for (key, write) in &self.points {
            check_key(key, 0)?;
            within("the size of a value in bytes", write.bytes(), VALUE_BYTES_MAX)?;
            if matches!(write, Write::Broken) {
                return Err(Error::NotACounter { key: Hex(key.clone()) });
            }
        }
        for (prefix, value) in &self.appends {
            check_key(prefix, APPEND_SUFFIX_BYTES)?;
            within("the size of a value in bytes", value.len(), VALUE_BYTES_MAX)?;
        }
        for range in &self.ranges {
            within("the size of a key in bytes", range.start.len().max(range.end.len()), KEY_BYTES_MAX)?;
        }
        self.assertions.iter().try_for_each(|assertion| check_key(&assertion.key, 0))
    }
}

pub(crate) fn within(what: &'static str, size: usize, max: usize) -> Result<(), Error> {
    if size > max { Err(Error::TooLarge { what, size, max }) } else { Ok(()) }
}

fn check_key(key: &[u8], suffix: usize) -> Result<(), Error> {
    within("the size of a key in bytes", key.len() + suffix, KEY_BYTES_MAX)?;
    if key.is_empty() || system::is_reserved(key) {
        return Err(Error::ReservedKey { key: Hex(key.to_vec()) });
    }
    Ok(())
}
