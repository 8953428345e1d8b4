//! Scans: the words that describe them, and the merge of stored rows with buffered writes.

use std::iter::Peekable;
use std::ops::{Bound, Range};

use bytes::Bytes;

use crate::error::{Error, Hex};
use crate::writes::{Write, Writes, counter};

/// Which end of the range comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the smallest key.
    Forward,
    /// From the greatest key.
    Backward,
}

/// How much one scan may return; at least one row is returned if there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// The most rows.
    pub rows: usize,
    /// The most bytes of keys and values.
    pub bytes: usize,
}

impl Limit {
    /// One page: what a reader takes before it lets others run.
    pub const PAGE: Limit = Limit { rows: 256, bytes: 64 << 10 };

    /// At most this many rows, and a page of bytes.
    pub const fn rows(rows: usize) -> Limit {
        Limit { rows, bytes: Limit::PAGE.bytes }
    }
}

/// Rows in the direction of the scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys and values.
    pub rows: Vec<(Bytes, Bytes)>,
    /// Whether the limit cut the range, with at least one more row behind the cut.
    pub more: bool,
}

/// The range as a `BTreeMap` wants it; one that ends before it starts is empty instead of a panic.
pub(crate) fn bounds(range: &Range<Vec<u8>>) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(&range.start), Bound::Excluded((&range.end).max(&range.start)))
}

/// What an engine returns for a scan: the rows, and the key of the first row that did not fit.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    pub(crate) rows: Vec<(Bytes, Bytes)>,
    pub(crate) next: Option<Bytes>,
}

/// Collects rows until a limit is reached.
pub(crate) struct Collector {
    rows: Vec<(Bytes, Bytes)>,
    bytes: usize,
    limit: Limit,
    next: Option<Bytes>,
}

impl Collector {
    pub(crate) fn new(limit: Limit) -> Collector {
        Collector { rows: Vec::new(), bytes: 0, limit, next: None }
    }

    /// Takes a row, or notes its key as the first that did not fit; `false` says to stop.
    pub(crate) fn take(&mut self, key: Bytes, value: Bytes) -> bool {
        let size = key.len() + value.len();
        let is_full = self.rows.len() >= self.limit.rows || self.bytes + size > self.limit.bytes;
        if is_full && !self.rows.is_empty() {
            self.next = Some(key);
            return false;
        }
        self.bytes += size;
        self.rows.push((key, value));
        true
    }

    /// What may still be taken: an engine asked for this returns everything that this collector could use.
    fn remaining(&self) -> Limit {
        Limit {
            rows: self.limit.rows.saturating_sub(self.rows.len()).saturating_add(1),
            bytes: self.limit.bytes.saturating_sub(self.bytes).max(1),
        }
    }

    pub(crate) fn into_slice(self) -> Slice {
        Slice { rows: self.rows, next: self.next }
    }
}

/// Scans `base` as if `writes` had been committed above it.
pub(crate) fn merged(
    base: impl Fn(&Range<Vec<u8>>, Direction, Limit) -> Result<Slice, Error>,
    writes: &Writes,
    range: &Range<Vec<u8>>,
    direction: Direction,
    limit: Limit,
) -> Result<Slice, Error> {
    if let Some(prefix) = writes.appended_in(range) {
        return Err(Error::Unreadable { key: Hex(prefix.to_vec()) });
    }
    let mut out = Collector::new(limit);
    let mut points = Points::new(writes, range, direction);
    for mut part in surviving(range, &writes.ranges, direction) {
        while part.start < part.end {
            let slice = base(&part, direction, out.remaining())?;
            let cut = slice.next;
            for (key, value) in slice.rows {
                if !points.emit_before(&key, &mut out)? {
                    return Ok(out.into_slice());
                }
                let Some(value) = points.above(&key, value)? else { continue };
                if !out.take(key, value) {
                    return Ok(out.into_slice());
                }
            }
            match (cut, direction) {
                (None, _) => break,
                (Some(next), Direction::Forward) => part.start = next.to_vec(),
                (Some(next), Direction::Backward) => part.end = crate::key::after(next.to_vec()),
            }
        }
    }
    points.emit_rest(&mut out)?;
    Ok(out.into_slice())
}

/// The parts of `range` that no deleted range covers, in scan order.
fn surviving(range: &Range<Vec<u8>>, deleted: &[Range<Vec<u8>>], direction: Direction) -> Vec<Range<Vec<u8>>> {
    let mut deleted: Vec<_> = deleted.iter().collect();
    deleted.sort_by(|a, b| a.start.cmp(&b.start));
    let mut parts = Vec::new();
    let mut start = range.start.clone();
    for hole in deleted {
        if hole.start > start {
            parts.push(start.clone()..hole.start.clone().min(range.end.clone()));
        }
        start = start.max(hole.end.clone());
    }
    parts.push(start..range.end.clone());
    parts.retain(|part| part.start < part.end);
    if direction == Direction::Backward {
        parts.reverse();
    }
    parts
}

/// A buffered write and its key.
type Point<'a> = (&'a Vec<u8>, &'a Write);

/// The buffered writes inside the range, in scan order.
struct Points<'a> {
    rest: Peekable<Box<dyn Iterator<Item = Point<'a>> + Send + 'a>>,
    direction: Direction,
}

impl<'a> Points<'a> {
    fn new(writes: &'a Writes, range: &'a Range<Vec<u8>>, direction: Direction) -> Points<'a> {
        let points = writes.points_in(range);
        let rest: Box<dyn Iterator<Item = Point<'a>> + Send> = match direction {
            Direction::Forward => Box::new(points),
            Direction::Backward => Box::new(points.rev()),
        };
        Points { rest: rest.peekable(), direction }
    }

    fn is_before(&self, left: &[u8], right: &[u8]) -> bool {
        match self.direction {
            Direction::Forward => left < right,
            Direction::Backward => left > right,
        }
    }

    /// Emits the buffered rows that come before the stored row `key`; `false` says that the limit is reached.
    fn emit_before(&mut self, key: &[u8], out: &mut Collector) -> Result<bool, Error> {
        while let Some((point, write)) = self.rest.peek().copied() {
            if !self.is_before(point, key) {
                break;
            }
            self.rest.next();
            if !emit(point, write, out)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The stored row's value under the buffered write of the same key, if there is one.
    fn above(&mut self, key: &[u8], value: Bytes) -> Result<Option<Bytes>, Error> {
        match self.rest.next_if(|(point, _)| point.as_slice() == key) {
            Some((_, write)) => overlaid(key, write, Some(value)),
            None => Ok(Some(value)),
        }
    }

    fn emit_rest(&mut self, out: &mut Collector) -> Result<(), Error> {
        for (point, write) in self.rest.by_ref() {
            if !emit(point, write, out)? {
                break;
            }
        }
        Ok(())
    }
}

fn emit(key: &[u8], write: &Write, out: &mut Collector) -> Result<bool, Error> {
    match overlaid(key, write, None)? {
        Some(value) => Ok(out.take(Bytes::copy_from_slice(key), value)),
        None => Ok(true),
    }
}

/// The value of `key` after `write`, above the stored `base`.
pub(crate) fn overlaid(key: &[u8], write: &Write, base: Option<Bytes>) -> Result<Option<Bytes>, Error> {
    match write {
        Write::Put(value) => Ok(Some(Bytes::copy_from_slice(value))),
        Write::Delete => Ok(None),
        Write::PutStamped(_) => Err(Error::Unreadable { key: Hex(key.to_vec()) }),
        Write::Broken => Err(Error::NotACounter { key: Hex(key.to_vec()) }),
        Write::Add(delta) => {
            let base = match base {
                None => 0,
                Some(value) => counter(&value).ok_or_else(|| Error::NotACounter { key: Hex(key.to_vec()) })?,
            };
            Ok(Some(Bytes::copy_from_slice(&base.wrapping_add(*delta).to_le_bytes())))
        }
    }
}
