//! The limits of the strictest engine, asserted on every engine.
//!
//! What works on one machine's embedded engine must work on a cluster, so a limit is never looser because an engine
//! happens to allow it. Exceeding one is a typed error at commit, never a panic.

use std::time::Duration;

/// The longest key, of a row or of one end of a range, in bytes.
pub const KEY_BYTES_MAX: usize = 1_024;
/// The longest value, in bytes; the stamp that [`put_stamped`](crate::Transaction::put_stamped) adds counts.
pub const VALUE_BYTES_MAX: usize = 90_000;
/// The most bytes of keys and values that one transaction may write.
pub const TRANSACTION_BYTES_MAX: usize = 1_000_000;
/// The most operations of one transaction: rows written, ranges deleted, assertions.
pub const TRANSACTION_OPERATIONS_MAX: usize = 2_000;
/// The most reads (points and ranges) that one writing transaction may have made.
pub const TRANSACTION_READS_MAX: usize = 10_000;
/// The oldest that a transaction may be when it commits.
pub const TRANSACTION_AGE_MAX: Duration = Duration::from_secs(4);
/// The most rows that the range deletions of one transaction may remove; [`Store::clear`](crate::Store::clear) cuts.
pub const RANGE_ROWS_MAX: usize = 10_000;

/// The most commits that share one sync.
pub(crate) const GROUP_COMMITS_MAX: usize = 256;
/// How often the committer gives way to those who are about to commit before it takes a group.
pub(crate) const GATHER_MAX: usize = 4;
/// The bytes after which a group takes no further commit.
pub(crate) const GROUP_BYTES_MAX: usize = 1 << 20;
/// The most commits that wait for the committer; beyond it a commit is refused as [`Error::Busy`](crate::Error::Busy).
pub(crate) const COMMITS_WAITING_MAX: usize = 16_384;
/// The most keys that the resolver remembers; beyond it the oldest transactions become too old.
pub(crate) const WINDOW_KEYS_MAX: usize = 1 << 20;
/// The longest that the resolver remembers a commit for a transaction that is still open.
pub(crate) const WINDOW_AGE_MAX: Duration = Duration::from_secs(8);
/// The groups whose commit ids are kept, so that an unknown outcome can be looked up.
pub(crate) const COMMIT_GROUPS_KEPT: usize = 1_024;
/// How often `Store::write` runs its body before it gives up.
pub(crate) const WRITE_ATTEMPTS_MAX: u32 = 64;
/// How many attempts are made without a pause.
pub(crate) const ATTEMPTS_AT_ONCE: u32 = 3;
/// How many attempts are made beside others before a writer waits for its turn: see [`crate::Store::write`].
pub(crate) const ATTEMPTS_BESIDE_OTHERS: u32 = 8;
/// How many attempts are made before a writer commits while nobody else does: newcomers could go on making it lose.
pub(crate) const ATTEMPTS_NOT_ALONE: u32 = 16;
/// The longest pause between two attempts.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_millis(20);
/// The groups after which the engine is asked to look after itself.
pub(crate) const MAINTAIN_EVERY_GROUPS: u64 = 4_096;
