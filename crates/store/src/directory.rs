//! A data directory: whose it is, which format it has, and how far it was synced.
//!
//! ```text
//! FORMAT      the number of the format, as text
//! LOCK        locked by the one process that owns the directory; holds its id
//! SYNCED      the last stamp known to be synced, and its checksum
//! RESTORING   there while a restore is under way
//! CUT         what the last torn tail of a journal held, kept for whoever wants to look
//! engine/     the engine's own files
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::error::OpenError;
use crate::stamp::Stamp;

/// The newest format that this version reads, and the one it writes.
pub(crate) const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "FORMAT";
const FORMAT_DRAFT: &str = "FORMAT.new";
const LOCK_FILE: &str = "LOCK";
const SYNCED_FILE: &str = "SYNCED";
const RESTORING_FILE: &str = "RESTORING";
const CUT_FILE: &str = "CUT";
const ENGINE_FOLDER: &str = "engine";

/// A data directory that this process owns.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

fn io<T>(action: &'static str, path: &Path, outcome: std::io::Result<T>) -> Result<T, OpenError> {
    outcome.map_err(|source| OpenError::Io { action, path: path.into(), source })
}

impl DataDir {
    /// Takes the directory, and makes it one of ours if it is empty.
    pub(crate) fn open(path: &Path) -> Result<DataDir, OpenError> {
        let dir = DataDir::lock(path)?;
        if dir.file(RESTORING_FILE).exists() {
            return Err(OpenError::Unfinished { dir: path.into() });
        }
        dir.check_format()?;
        Ok(dir)
    }

    /// Takes an empty directory for a restore; [`DataDir::finish_restore`] makes it fit to be opened.
    pub(crate) fn begin_restore(path: &Path) -> Result<DataDir, OpenError> {
        if path.exists() && io("read", path, fs::read_dir(path))?.next().is_some() {
            return Err(OpenError::NotEmpty { dir: path.into() });
        }
        let dir = DataDir::lock(path)?;
        let marker = dir.file(RESTORING_FILE);
        io("write", &marker, File::create(&marker).and_then(|file| file.sync_all()))?;
        io("sync", path, sync_folder(path))?;
        dir.check_format()?;
        Ok(dir)
    }

    /// Declares the restored directory whole.
    pub(crate) fn finish_restore(path: &Path) -> Result<(), OpenError> {
        let marker = path.join(RESTORING_FILE);
        io("remove", &marker, fs::remove_file(&marker))?;
        io("sync", path, sync_folder(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn engine_path(&self) -> PathBuf {
        self.file(ENGINE_FOLDER)
    }

    /// Where the cut tail of a journal is kept.
    pub(crate) fn cut_path(&self) -> PathBuf {
        self.file(CUT_FILE)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn lock(path: &Path) -> Result<DataDir, OpenError> {
        io("make", path, fs::create_dir_all(path))?;
        let lock_path = path.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let mut lock =
            io("open", &lock_path, options.read(true).write(true).create(true).truncate(false).open(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = lock.read_to_string(&mut pid);
                return Err(OpenError::Locked { dir: path.into(), pid: pid.trim().parse().ok() });
            }
            Err(fs::TryLockError::Error(source)) => {
                return Err(OpenError::Io { action: "lock", path: lock_path, source });
            }
        }
        // Always as long as the one before, so that nothing must be cut off.
        let pid = format!("{:<10}\n", std::process::id());
        io("write", &lock_path, lock.write_all(pid.as_bytes()))?;
        Ok(DataDir { path: path.into(), _lock: lock })
    }

    /// Reads the format; an empty directory gets the newest.
    fn check_format(&self) -> Result<(), OpenError> {
        let path = self.file(FORMAT_FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return self.make(&path),
            Err(source) => return Err(OpenError::Io { action: "read", path, source }),
        };
        let number = std::str::from_utf8(&text).ok().and_then(|text| text.strip_suffix('\n'));
        match number.and_then(|number| number.parse().ok()) {
            Some(found) if found > FORMAT => Err(OpenError::Newer { dir: self.path.clone(), found, known: FORMAT }),
            Some(1..) => Ok(()),
            Some(0) | None => Err(OpenError::Format { path }),
        }
    }

    fn make(&self, format: &Path) -> Result<(), OpenError> {
        let ours = [LOCK_FILE, FORMAT_DRAFT, RESTORING_FILE];
        for entry in io("read", &self.path, fs::read_dir(&self.path))? {
            let name = io("read", &self.path, entry)?.file_name();
            if !ours.iter().any(|ours| name == **ours) {
                return Err(OpenError::Foreign { dir: self.path.clone() });
            }
        }
        let draft = self.file(FORMAT_DRAFT);
        let written = File::create(&draft)
            .and_then(|mut file| file.write_all(format!("{FORMAT}\n").as_bytes()).and_then(|()| file.sync_all()));
        io("write", &draft, written)?;
        io("rename", &draft, fs::rename(&draft, format))?;
        io("sync", &self.path, sync_folder(&self.path))
    }

    /// Opens the mark of the last synced stamp.
    pub(crate) fn synced_mark(&self) -> Result<SyncedMark, OpenError> {
        let path = self.file(SYNCED_FILE);
        let mut options = OpenOptions::new();
        let mut file = io("open", &path, options.read(true).write(true).create(true).truncate(false).open(&path))?;
        let mut bytes = Vec::new();
        io("read", &path, file.read_to_end(&mut bytes))?;
        if bytes.is_empty() {
            io("sync", &self.path, sync_folder(&self.path))?;
        }
        Ok(SyncedMark { file, stamp: SyncedMark::decode(&bytes) })
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

/// The last stamp known to be synced, in a file of its own.
///
/// It is written after each sync and synced only now and then, so after a power cut it may be behind, never ahead.
/// After anything else that stops a process it is exact, and a shorter journal is then known to be damaged.
#[derive(Debug)]
pub(crate) struct SyncedMark {
    file: File,
    stamp: Stamp,
}

impl SyncedMark {
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(crate) fn set(&mut self, stamp: Stamp) -> std::io::Result<()> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&stamp.to_bytes());
        bytes[8..].copy_from_slice(&xxh3_64(&stamp.to_bytes()).to_be_bytes());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)?;
        self.stamp = stamp;
        Ok(())
    }

    pub(crate) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }

    /// A mark that cannot be read says nothing: the notes in the journal remain.
    fn decode(bytes: &[u8]) -> Stamp {
        let read = || {
            let (stamp, sum) = bytes.split_first_chunk::<8>()?;
            let sum = u64::from_be_bytes(sum.try_into().ok()?);
            (sum == xxh3_64(stamp)).then(|| Stamp(u64::from_be_bytes(*stamp)))
        };
        read().unwrap_or_default()
    }
}
