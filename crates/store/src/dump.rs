//! The dump: every row of one snapshot in a file that no engine owns.
//!
//! ```text
//! header   "MILLPOND" · version u32 · stamp u64 · XXH3 of these 20 bytes, u64
//! block    length u32 (not 0) · XXH3 of the payload, seeded with the block's number, u64 · payload
//! payload  rows: key length u16 · value length u32 · key · value
//! end      length 0 u32 · rows u64 · bytes u64 · XXH3 of these 16 bytes, seeded with the number of blocks, u64
//! ```
//!
//! Numbers have their big end first. Keys rise strictly. The store's own rows are left out: a restored store goes on
//! after the header's stamp. A dump is whole or refused; a block out of its place fails by its seed.

use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::directory::DataDir;
use crate::engine::{Batch, Embedded};
use crate::error::{Error, Hex, OpenError};
use crate::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::options::Options;
use crate::scan::{Direction, Limit};
use crate::stamp::Stamp;
use crate::store::Store;
use crate::system;

const MAGIC: [u8; 8] = *b"MILLPOND";
/// The newest version of the format, and the one written.
const VERSION: u32 = 1;
/// The longest payload that a reader accepts: a page, plus one row that does not fit it.
const BLOCK_BYTES_MAX: usize = 1 << 20;
/// Rows and bytes of one block, and of one batch of a restore.
const BLOCK: Limit = Limit { rows: 4_096, bytes: 512 << 10 };

/// What a dump holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DumpSummary {
    /// The last commit in the dump.
    pub stamp: Stamp,
    /// The number of rows.
    pub rows: u64,
    /// The bytes of all keys and values.
    pub bytes: u64,
}

/// What a walk over the whole store found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CheckSummary {
    /// The last commit seen.
    pub stamp: Stamp,
    /// The number of rows.
    pub rows: u64,
    /// The bytes of all keys and values.
    pub bytes: u64,
}

/// Why a dump could not be written, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The input is something else.
    #[error("this is not a dump of Millpond; give the file that `backup` wrote")]
    NotADump,
    /// A newer Millpond wrote the dump.
    #[error("the dump has version {found}, this Millpond reads up to {known}; use a newer Millpond")]
    Newer {
        /// The dump's version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The input ends too early.
    #[error("the dump ends too early, after {rows} rows; use a whole copy of it")]
    Truncated {
        /// The rows before the end.
        rows: u64,
    },
    /// A checksum or a rule of the format is broken.
    #[error("the dump is damaged after {rows} rows: {reason}; use another copy of it")]
    Damaged {
        /// The rows before the damage.
        rows: u64,
        /// What was found.
        reason: &'static str,
    },
    /// The input could not be read, or the output not be written.
    #[error("cannot read or write the dump: {0}")]
    Io(std::io::Error),
    /// The directory to restore into is not fit.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Store {
    /// Writes every row of the last published state; `progress` hears the number of rows so far.
    pub fn dump(&self, out: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<DumpSummary, DumpError> {
        let mut writer = DumpWriter { out, blocks: 0 };
        let mut summary = DumpSummary::default();
        let stamp = self.walk(|stamp, rows| {
            if summary.rows == 0 {
                writer.header(stamp)?;
            }
            writer.block(rows)?;
            summary.rows += rows.len() as u64;
            summary.bytes += rows.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>();
            progress(summary.rows);
            Ok(())
        })?;
        if summary.rows == 0 {
            writer.header(stamp)?;
        }
        summary.stamp = stamp;
        writer.end(&summary)?;
        Ok(summary)
    }

    /// Makes a store in `dir`, which must be empty, from a dump. Until this returns, the directory cannot be opened.
    pub fn restore(
        dir: &Path,
        input: &mut dyn Read,
        options: &Options,
        progress: &mut dyn FnMut(u64),
    ) -> Result<DumpSummary, DumpError> {
        let mut engine = Embedded::start(DataDir::begin_restore(dir)?, options)?.engine;
        let summary = read(input, &mut |rows, count| {
            let batch: Batch = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
            engine.load(batch)?;
            progress(count);
            Ok(())
        })?;
        engine.set_stamp(summary.stamp)?;
        drop(engine);
        DataDir::finish_restore(dir)?;
        Ok(summary)
    }

    /// Reads a dump to its end and checks it, without keeping anything.
    pub fn check_dump(input: &mut dyn Read) -> Result<DumpSummary, DumpError> {
        read(input, &mut |_, _| Ok(()))
    }

    /// Reads every row of the last published state, which has the engine check all its blocks.
    pub fn check(&self, progress: &mut dyn FnMut(u64)) -> Result<CheckSummary, DumpError> {
        let mut summary = CheckSummary::default();
        let mut last = Bytes::new();
        summary.stamp = self.walk(|_, rows| {
            for (key, value) in rows {
                if *key <= last || key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
                    let reason = format!("the row {} is out of order or too large", Hex(key.to_vec()));
                    return Err(Error::Engine(reason).into());
                }
                last = key.clone();
                summary.bytes += (key.len() + value.len()) as u64;
            }
            summary.rows += rows.len() as u64;
            progress(summary.rows);
            Ok(())
        })?;
        Ok(summary)
    }

    /// Visits every row of one snapshot, block by block.
    fn walk(
        &self,
        mut visit: impl FnMut(Stamp, &[(Bytes, Bytes)]) -> Result<(), DumpError>,
    ) -> Result<Stamp, DumpError> {
        let view = self.view();
        let mut rest: Range<Vec<u8>> = Vec::new()..system::end_of_user_keys();
        loop {
            let slice = view.snapshot.scan(&rest, Direction::Forward, BLOCK)?;
            if !slice.rows.is_empty() {
                visit(view.stamp, &slice.rows)?;
            }
            match slice.next {
                Some(next) => rest.start = next.to_vec(),
                None => return Ok(view.stamp),
            }
        }
    }
}

struct DumpWriter<'a> {
    out: &'a mut dyn Write,
    blocks: u64,
}

impl DumpWriter<'_> {
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), DumpError> {
        parts.iter().try_for_each(|part| self.out.write_all(part)).map_err(DumpError::Io)
    }

    fn header(&mut self, stamp: Stamp) -> Result<(), DumpError> {
        let header = [&MAGIC[..], &VERSION.to_be_bytes(), &stamp.to_bytes()].concat();
        self.put(&[&header, &xxh3_64(&header).to_be_bytes()])
    }

    fn block(&mut self, rows: &[(Bytes, Bytes)]) -> Result<(), DumpError> {
        let mut payload = Vec::with_capacity(BLOCK.bytes + BLOCK.rows * 6);
        for (key, value) in rows {
            payload.extend_from_slice(&(key.len() as u16).to_be_bytes());
            payload.extend_from_slice(&(value.len() as u32).to_be_bytes());
            payload.extend_from_slice(key);
            payload.extend_from_slice(value);
        }
        let sum = xxh3_64_with_seed(&payload, self.blocks);
        self.blocks += 1;
        self.put(&[&(payload.len() as u32).to_be_bytes(), &sum.to_be_bytes(), &payload])
    }

    fn end(&mut self, summary: &DumpSummary) -> Result<(), DumpError> {
        let end = [summary.rows.to_be_bytes(), summary.bytes.to_be_bytes()].concat();
        let sum = xxh3_64_with_seed(&end, self.blocks);
        self.put(&[&0_u32.to_be_bytes(), &end, &sum.to_be_bytes()])?;
        self.out.flush().map_err(DumpError::Io)
    }
}

/// Takes the rows of one block, and the number of rows up to its end.
type Take<'a> = dyn FnMut(Vec<(Bytes, Bytes)>, u64) -> Result<(), DumpError> + 'a;

/// Reads a dump to its end, and hands each checked block on.
fn read(input: &mut dyn Read, take: &mut Take<'_>) -> Result<DumpSummary, DumpError> {
    let mut reader = DumpReader { input, summary: DumpSummary::default(), last: Bytes::new() };
    reader.summary.stamp = reader.header()?;
    for block in 0.. {
        let Some(rows) = reader.block(block)? else { break };
        take(rows, reader.summary.rows)?;
    }
    Ok(reader.summary)
}

struct DumpReader<'a> {
    input: &'a mut dyn Read,
    summary: DumpSummary,
    last: Bytes,
}

impl DumpReader<'_> {
    fn damaged(&self, reason: &'static str) -> DumpError {
        DumpError::Damaged { rows: self.summary.rows, reason }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), DumpError> {
        self.input.read_exact(bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => DumpError::Truncated { rows: self.summary.rows },
            _ => DumpError::Io(error),
        })
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], DumpError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn header(&mut self) -> Result<Stamp, DumpError> {
        let magic = match self.number::<8>() {
            Err(DumpError::Truncated { .. }) => return Err(DumpError::NotADump),
            magic => magic?,
        };
        if magic != MAGIC {
            return Err(DumpError::NotADump);
        }
        let version = self.number::<4>()?;
        let found = u32::from_be_bytes(version);
        if found > VERSION {
            return Err(DumpError::Newer { found, known: VERSION });
        }
        let stamp = self.number::<8>()?;
        let sum = u64::from_be_bytes(self.number()?);
        if sum != xxh3_64(&[&magic[..], &version, &stamp].concat()) {
            return Err(self.damaged("the header's checksum is wrong"));
        }
        Ok(Stamp(u64::from_be_bytes(stamp)))
    }

    /// Reads block `number`; `None` at the end.
    fn block(&mut self, number: u64) -> Result<Option<Vec<(Bytes, Bytes)>>, DumpError> {
        let length = u32::from_be_bytes(self.number()?) as usize;
        if length == 0 {
            return self.end(number).map(|()| None);
        }
        if length > BLOCK_BYTES_MAX {
            return Err(self.damaged("a block is too long"));
        }
        let sum = u64::from_be_bytes(self.number()?);
        let mut payload = vec![0; length];
        self.fill(&mut payload)?;
        if xxh3_64_with_seed(&payload, number) != sum {
            return Err(self.damaged("a block's checksum is wrong"));
        }
        let mut rest = Bytes::from(payload);
        let mut rows = Vec::new();
        while !rest.is_empty() {
            let (key, value) = split_row(&mut rest).ok_or_else(|| self.damaged("a row is cut"))?;
            if key <= self.last || system::is_reserved(&key) {
                return Err(self.damaged("a row is out of order"));
            }
            self.last = key.clone();
            self.summary.rows += 1;
            self.summary.bytes += (key.len() + value.len()) as u64;
            rows.push((key, value));
        }
        Ok(Some(rows))
    }

    fn end(&mut self, blocks: u64) -> Result<(), DumpError> {
        let end = self.number::<16>()?;
        let sum = u64::from_be_bytes(self.number()?);
        let counted = [self.summary.rows.to_be_bytes(), self.summary.bytes.to_be_bytes()].concat();
        if sum != xxh3_64_with_seed(&end, blocks) || end != *counted {
            return Err(self.damaged("the end does not fit what came before"));
        }
        match self.input.read(&mut [0]).map_err(DumpError::Io)? {
            0 => Ok(()),
            _ => Err(self.damaged("more follows after the end")),
        }
    }
}

fn split_row(rest: &mut Bytes) -> Option<(Bytes, Bytes)> {
    let (key, tail) = rest.split_first_chunk::<2>()?;
    let (value, _) = tail.split_first_chunk::<4>()?;
    let key = usize::from(u16::from_be_bytes(*key));
    let value = u32::from_be_bytes(*value) as usize;
    if rest.len() - 6 < key + value {
        return None;
    }
    let mut row = rest.split_to(6 + key + value).slice(6..);
    let key = row.split_to(key);
    Some((key, row))
}
