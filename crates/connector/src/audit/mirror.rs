//! The log once more, as the lines of a file (§19): for another disk, or for whoever collects such files.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::Entry;
use crate::{
    Connector, Error, Result, audit,
    error::file,
    keyspace::{AUDIT, HERE},
};

/// What every entry begins with, as its fields are in order.
const ENTRY_BEGINS: &[u8] = br#"{"action":"#;
/// The longest line that is looked for at the end of a file, in bytes.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// A file that has the log up to an entry.
#[derive(Debug)]
pub(crate) struct Mirror {
    path: PathBuf,
    file: File,
    /// The number of the last entry in it.
    seq: u64,
}

/// How a file ends.
struct End {
    /// The last whole line.
    line: Option<Value>,
    /// The length up to it.
    bytes: u64,
    /// Whether what comes behind it, if there is anything, is the beginning of an entry that was not written whole.
    is_ours: bool,
}

impl End {
    fn read(file: &mut File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let begin = length.saturating_sub(LINE_BYTES_MAX);
        file.seek(SeekFrom::Start(begin))?;
        let mut tail = Vec::new();
        file.take(LINE_BYTES_MAX).read_to_end(&mut tail)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, rest) = tail.split_at(whole);
        let line = lines.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty());
        // What is no JSON is no entry of ours.
        let line = line.map(|line| serde_json::from_slice(line).unwrap_or_default());
        let is_ours = rest.starts_with(ENTRY_BEGINS) || ENTRY_BEGINS.starts_with(rest);
        Ok(End { line, bytes: begin + whole as u64, is_ours })
    }
}

impl Mirror {
    /// Writes entries that follow the last one.
    fn append(&mut self, entries: &[Entry]) -> Result<()> {
        let lines: String = entries.iter().map(|entry| entry.to_json() + "\n").collect();
        self.file.write_all(lines.as_bytes()).map_err(file(&self.path))?;
        self.file.sync_data().map_err(file(&self.path))?;
        self.seq = entries.last().map_or(self.seq, |entry| entry.seq);
        Ok(())
    }
}

impl Connector {
    /// Writes every entry of the audit log to a file, too, from the one on that the file has last; a line that was not
    /// written whole is written again. The worker does so.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Conflict`] when the file is of another log.
    pub async fn with_audit_mirror(mut self, path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut opened = opened.map_err(file(path))?;
        let end = End::read(&mut opened).map_err(file(path))?;
        let seq = end.line.as_ref().map(|line| line["seq"].as_u64().unwrap_or(0));
        let entry = match seq {
            Some(seq) => AUDIT.get(&mut self.store.read(), HERE, &seq).await?,
            None => None,
        };
        let is_of_this_log = match (&end.line, entry) {
            (None, _) => true,
            (Some(line), entry) => entry.is_some_and(|entry| line["hash"] == entry.hash.as_str()),
        };
        if !is_of_this_log || !end.is_ours {
            let told = format!("{} does not end with an entry of this audit log; name another file", path.display());
            return Err(Error::Conflict(told));
        }
        opened.set_len(end.bytes).map_err(file(path))?;
        let mirror = Mirror { path: path.to_owned(), file: opened, seq: seq.unwrap_or(0) };
        self.mirror = Some(tokio::sync::Mutex::new(mirror));
        Ok(self)
    }

    /// Writes what the audit log has gained to its mirror, at most a page; answers how much that was.
    ///
    /// # Errors
    /// [`Error::File`]; when the store fails.
    pub async fn mirror_audit(&self) -> Result<usize> {
        let Some(mirror) = &self.mirror else { return Ok(0) };
        let mut mirror = mirror.lock().await;
        let entries = audit::list(&self.store, mirror.seq).await?;
        if !entries.is_empty() {
            mirror.append(&entries)?;
        }
        Ok(entries.len())
    }
}
