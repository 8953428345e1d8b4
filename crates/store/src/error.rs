//! What can go wrong in the store, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use crate::limits::TRANSACTION_AGE_MAX;

/// Bytes shown in hex, so that an error can name a key without printing what a person wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Stored bytes that are not what their table says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Corrupt {
    reason: String,
    row: Option<(&'static str, Hex)>,
}

impl Corrupt {
    /// Says what is wrong with the bytes.
    pub fn new(reason: impl Into<String>) -> Corrupt {
        Corrupt { reason: reason.into(), row: None }
    }

    /// Names the table and the key, unless a deeper layer already did.
    pub fn in_row(mut self, table: &'static str, key: &[u8]) -> Corrupt {
        self.row.get_or_insert_with(|| (table, Hex(key.to_vec())));
        self
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.row {
            Some((table, key)) => write!(f, "corrupt row in table `{table}`, key {key}: {}", self.reason),
            None => write!(f, "corrupt bytes: {}", self.reason),
        }
    }
}

/// Why a read or a commit failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another commit changed what this transaction had read; run it again.
    #[error("another commit changed what this transaction had read; run it again")]
    Conflict,
    /// The transaction outlived what the resolver remembers; run it again, in smaller pieces.
    #[error("the transaction is too old (the limit is {} s); run it again, in smaller pieces", TRANSACTION_AGE_MAX.as_secs())]
    TooOld,
    /// Too many commits wait already; run it again later.
    #[error("too many commits wait for the disk; try again later")]
    Busy,
    /// `write` gave up after this many attempts.
    #[error("gave up after {attempts} attempts, each stopped by a conflicting commit; try again later")]
    Contended {
        /// The attempts made.
        attempts: u32,
    },
    /// An assertion did not hold at commit.
    #[error("the row {key} is not as asserted; nothing was written")]
    Assertion {
        /// The asserted key.
        key: Hex,
    },
    /// A limit of [`limits`](crate::limits) was exceeded; nothing was written.
    #[error("{what} is {size}, the limit is {max}; cut the work into several transactions")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// What it measured.
        size: usize,
        /// What it may measure.
        max: usize,
    },
    /// The key is empty or lies in the store's own range.
    #[error("the key {key} is reserved for the store; choose another")]
    ReservedKey {
        /// The refused key.
        key: Hex,
    },
    /// An `add` met a value that is not a counter of eight bytes.
    #[error("the row {key} is not a counter; only `add` may write it")]
    NotACounter {
        /// The row's key.
        key: Hex,
    },
    /// The row gets its bytes at commit, so this transaction cannot read it back.
    #[error("the row {key} gets its stamp at commit; read it in a later transaction")]
    Unreadable {
        /// The row's key, or the prefix it was appended to.
        key: Hex,
    },
    /// The transaction came from `read`, which records nothing that a commit could check.
    #[error("this transaction is for reading; begin one with `begin` or `write`")]
    ReadOnly,
    /// It is not known whether the commit happened.
    #[error("it is not known whether the commit happened; look before writing again")]
    Unknown,
    /// The store was closed.
    #[error("the store is closed; open it again")]
    Closed,
    /// Stored bytes could not be understood.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The engine failed.
    #[error("the storage engine failed: {0}; see the disk and its free space")]
    Engine(String),
}

impl Error {
    /// Whether the same work, begun again, can succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Conflict | Error::TooOld | Error::Busy)
    }
}

/// Why a commit failed; the same kinds as a read's, because a commit reads too.
pub type CommitError = Error;

/// Why `Store::write` failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError<E> {
    /// The body refused; nothing was written.
    #[error(transparent)]
    Body(E),
    /// The store could not commit.
    #[error("{0}")]
    Store(Error),
}

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the directory.
    #[error("another Millpond{} is running on {}; stop it, or choose another data directory", holder(*pid), dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// The process that wrote the lock, if it could be read.
        pid: Option<u32>,
    },
    /// A newer Millpond wrote the directory.
    #[error("{} has format {found}, this Millpond reads up to {known}; use a newer Millpond", dir.display())]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The directory's format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The `FORMAT` file is not a number.
    #[error("{} is damaged: it should hold one number; restore the directory from a backup", path.display())]
    Format {
        /// The `FORMAT` file.
        path: PathBuf,
    },
    /// The directory holds something else.
    #[error("{} holds files but no data of Millpond; choose an empty directory", dir.display())]
    Foreign {
        /// The directory.
        dir: PathBuf,
    },
    /// A restore needs an empty directory.
    #[error("{} is not empty; restore into an empty directory", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// A restore into this directory was interrupted.
    #[error("a restore into {} was interrupted; empty the directory and restore again", dir.display())]
    Unfinished {
        /// The directory.
        dir: PathBuf,
    },
    /// Acknowledged commits are damaged or missing.
    #[error("{} is damaged: {reason}; check the disk, then restore a backup into an empty directory", path.display())]
    Damaged {
        /// The damaged file or directory.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine refused the directory.
    #[error("the storage engine cannot open {}: {reason}; check the disk, or restore a backup into an empty directory", dir.display())]
    Engine {
        /// The directory.
        dir: PathBuf,
        /// What the engine said.
        reason: String,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
