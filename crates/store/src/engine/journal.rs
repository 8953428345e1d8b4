//! Checks fjall's journals before fjall reads them.
//!
//! What fjall does by itself is right in neither direction. At a tag, a length or a trailer that makes no sense it
//! cuts the journal, and every acknowledged commit behind a flipped byte is gone in silence. At a wrong checksum it
//! refuses to open, although a power cut leaves just that in a tail which nobody was told about. Here both are told
//! apart by what is known to have been synced:
//!
//! - a group is written only after the group before it was synced, and its note says up to which stamp that was;
//! - the mark beside the journals holds the last synced stamp, exactly unless the power failed;
//! - a journal that is not the last was synced whole before the next one was made.
//!
//! Damage in what was synced refuses to open and changes nothing. A torn tail is copied to `CUT` and cut off. What
//! stays open: a byte that flips in the very last group *and* a power cut that loses the mark look like a torn tail.
//!
//! The layout is that of fjall 3 (`FJL` 3), uncompressed. A batch is a start (tag 1, number of items, sequence
//! number), items (tag 2, type, compression, keyspace, three lengths, key, value) and an end (tag 3, XXH3 of the
//! items, trailer). Numbers have their little end first.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::directory::{DataDir, sync_folder};
use crate::error::OpenError;
use crate::stamp::Stamp;
use crate::system::{GroupRow, group_stamp};

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const TRAILER: [u8; 4] = [b'F', b'J', b'L', 3];
/// What fjall writes once it has made a database; without it there is none.
const VERSION_FILE: &str = "version";
/// A sequence number that jumps by more than this was not counted up.
const SEQUENCE_JUMP_MAX: u64 = 1 << 40;

/// What the journals say about what fjall must recover.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The last commit that must be there.
    pub(super) needed: Stamp,
    cut: Option<Cut>,
}

/// A torn tail that was cut off.
#[derive(Debug)]
struct Cut {
    journal: PathBuf,
    end: u64,
    rest: Vec<u8>,
}

/// Checks the journals of `dir`, of which everything up to `synced` had been acknowledged.
pub(super) fn check(dir: &DataDir, synced: Stamp) -> Result<Found, OpenError> {
    let engine = dir.engine_path();
    if !engine.join(VERSION_FILE).exists() {
        remove_unfinished(&engine, synced)?;
        return Ok(Found::default());
    }
    let journals = journals(&engine)?;
    let mut reading = Reading::default();
    let mut found = Found { needed: synced, cut: None };
    for (index, path) in journals.iter().enumerate() {
        let bytes = read_trimmed(path).map_err(|source| io("read", path, source))?;
        let end = reading.read(path, &bytes)?;
        found.needed = found.needed.max(reading.last);
        let rest = &bytes[end..];
        if !rest.is_empty() {
            found.needed = found.needed.max(later_notes(rest).max().unwrap_or_default());
            reading.judge(path, index + 1 == journals.len(), found.needed)?;
            found.cut = Some(Cut::make(path, end, rest, &dir.cut_path())?);
        }
    }
    Ok(found)
}

/// Empties the newest journal, all of which is in tables.
///
/// It must stay as a file: from a directory without a journal fjall does not learn where its sequence numbers are.
pub(super) fn empty_last(dir: &DataDir) -> Result<(), OpenError> {
    let Some(path) = journals(&dir.engine_path())?.pop() else { return Ok(()) };
    let file = OpenOptions::new().write(true).open(&path).map_err(|source| io("open", &path, source))?;
    file.set_len(0).and_then(|()| file.sync_all()).map_err(|source| io("empty", &path, source))
}

impl Found {
    /// Makes a journal what it was before the check: what seemed a torn tail held an acknowledged commit.
    pub(super) fn put_back(&self) -> Result<(), OpenError> {
        let Some(Cut { journal, end, rest }) = &self.cut else { return Ok(()) };
        let write = || {
            let mut file = OpenOptions::new().write(true).open(journal)?;
            file.seek(SeekFrom::Start(*end))?;
            file.write_all(rest)?;
            file.sync_all()
        };
        write().map_err(|source| io("put back", journal, source))
    }
}

impl Cut {
    /// Puts the torn tail aside and cuts it off.
    fn make(journal: &Path, end: usize, rest: &[u8], aside: &Path) -> Result<Cut, OpenError> {
        fs::write(aside, rest).map_err(|source| io("write", aside, source))?;
        let file = OpenOptions::new().write(true).open(journal).map_err(|source| io("open", journal, source))?;
        let end = end as u64;
        file.set_len(end).and_then(|()| file.sync_all()).map_err(|source| io("cut", journal, source))?;
        let folder = aside.parent().unwrap_or(aside);
        sync_folder(folder).map_err(|source| io("sync", folder, source))?;
        Ok(Cut { journal: journal.into(), end, rest: rest.to_vec() })
    }
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> OpenError {
    OpenError::Io { action, path: path.into(), source }
}

fn damaged(path: &Path, reason: impl Into<String>) -> OpenError {
    OpenError::Damaged { path: path.into(), reason: reason.into() }
}

/// Clears what is left of a database whose making was interrupted, before anything could be written to it.
fn remove_unfinished(engine: &Path, synced: Stamp) -> Result<(), OpenError> {
    if synced > Stamp(0) {
        let reason = format!("the engine's files are missing, but commit {} had been acknowledged", synced.0);
        return Err(damaged(engine, reason));
    }
    if engine.exists() {
        fs::remove_dir_all(engine).map_err(|source| io("remove", engine, source))?;
    }
    Ok(())
}

/// The journals, oldest first.
fn journals(engine: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(engine).map_err(|source| io("read", engine, source))? {
        let path = entry.map_err(|source| io("read", engine, source))?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
        if let Some(number) = number {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// What has been read so far, over all journals.
#[derive(Debug, Default)]
struct Reading {
    last: Stamp,
    sequence: Option<u64>,
}

impl Reading {
    /// Reads whole batches, and returns where the last one ends.
    fn read(&mut self, path: &Path, bytes: &[u8]) -> Result<usize, OpenError> {
        let mut end = 0;
        while let Some(batch) = Batch::read(&bytes[end..]) {
            self.follow(path, &batch)?;
            end += batch.length;
        }
        Ok(end)
    }

    /// Holds a batch against those before it: its sequence number is in no checksum.
    fn follow(&mut self, path: &Path, batch: &Batch) -> Result<(), OpenError> {
        let is_next = self.sequence.is_none_or(|last| (last + 1..=last + SEQUENCE_JUMP_MAX).contains(&batch.sequence));
        let is_after = batch.group.as_ref().is_none_or(|(_, row)| row.position <= batch.sequence);
        if !is_next || !is_after {
            return Err(damaged(path, format!("a batch has the sequence number {}", batch.sequence)));
        }
        self.sequence = Some(batch.sequence);
        if let Some((stamp, _)) = batch.group {
            self.last = self.last.max(stamp);
        }
        Ok(())
    }

    /// Decides whether what follows the last whole batch can be a torn tail.
    ///
    /// If the journals hold no commit at all, fjall's tables must tell, and [`Found::needed`] is held against them.
    fn judge(&self, path: &Path, is_last: bool, needed: Stamp) -> Result<(), OpenError> {
        if !is_last {
            return Err(damaged(path, "a batch is unreadable, and later journals follow"));
        }
        if self.last > Stamp(0) && self.last < needed {
            let reason = format!(
                "the batch after commit {} is unreadable, but commit {} had been acknowledged",
                self.last.0, needed.0
            );
            return Err(damaged(path, reason));
        }
        Ok(())
    }
}

/// The stamps that whole batches somewhere in `rest` note as synced before them.
fn later_notes(rest: &[u8]) -> impl Iterator<Item = Stamp> {
    let starts = rest.iter().enumerate().filter(|(_, byte)| **byte == START).map(|(at, _)| at);
    starts.filter_map(|at| Batch::read(&rest[at..])?.group).map(|(_, row)| row.synced)
}

/// Reads a file without the zeros at its end, which fjall reserves in advance, by the dozen megabytes.
fn read_trimmed(path: &Path) -> std::io::Result<Vec<u8>> {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    let mut file = File::open(path)?;
    let mut chunk = vec![0; ZEROS.len()];
    let (mut bytes, mut zeros) = (Vec::new(), 0);
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        if chunk[..length] == ZEROS[..length] {
            zeros += length;
        } else {
            bytes.resize(bytes.len() + zeros, 0);
            bytes.extend_from_slice(&chunk[..length]);
            zeros = 0;
        }
    }
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    Ok(bytes)
}

/// One whole batch of a journal.
#[derive(Debug)]
struct Batch {
    length: usize,
    sequence: u64,
    /// The note of the committer, if the batch holds one: its stamp and what it says.
    group: Option<(Stamp, GroupRow)>,
}

impl Batch {
    /// Reads a batch at the front of `bytes`; `None` if there is no whole one.
    fn read(bytes: &[u8]) -> Option<Batch> {
        let mut input = bytes;
        let [START] = take(&mut input)? else { return None };
        let items = u32::from_le_bytes(take(&mut input)?);
        let sequence = u64::from_le_bytes(take(&mut input)?);
        let body = input;
        let mut group = None;
        for _ in 0..items {
            let (key, value) = read_item(&mut input)?;
            if let Some(stamp) = group_stamp(key)
                && !value.is_empty()
            {
                group = Some((stamp, GroupRow::decode(value).ok()?));
            }
        }
        let sum = xxh3_64(&body[..body.len() - input.len()]);
        let [END] = take(&mut input)? else { return None };
        let is_whole = u64::from_le_bytes(take(&mut input)?) == sum && take(&mut input)? == TRAILER;
        is_whole.then_some(Batch { length: bytes.len() - input.len(), sequence, group })
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*head)
}

/// Takes an item, and returns its key and value.
fn read_item<'a>(input: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let [ITEM, _type, 0] = take(input)? else { return None };
    let _keyspace: [u8; 8] = take(input)?;
    let key = usize::from(u16::from_le_bytes(take(input)?));
    let length = u32::from_le_bytes(take(input)?);
    let stored = u32::from_le_bytes(take(input)?);
    if length != stored {
        return None;
    }
    let (key, rest) = input.split_at_checked(key)?;
    let (value, rest) = rest.split_at_checked(stored as usize)?;
    *input = rest;
    Some((key, value))
}
