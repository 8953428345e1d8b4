//! The store's own rows: the last stamps and the ids of recent commits.
//!
//! They live in the same ordered space as everything else, above every key that a caller may use, so that they are
//! written by the very batch they speak about. One row per group of commits: its key ends in the group's last stamp,
//! so the greatest of them is the store's position.

use std::ops::Range;

use bytes::Bytes;

use crate::error::Corrupt;
use crate::stamp::Stamp;

/// The tenant that no caller may use; its range is the store's own.
pub(crate) const TENANT: [u8; 4] = [0xff; 4];

/// The tag of the rows of groups.
const GROUPS: u8 = 1;

/// Identifies one attempt to commit.
pub(crate) type CommitId = [u8; 16];

/// What the store notes about a group of commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupRow {
    /// The last stamp known to be synced when the group was written.
    pub(crate) synced: Stamp,
    /// Where the engine stood before the group; see [`Engine::position`](crate::engine::Engine::position).
    pub(crate) position: u64,
    /// The ids of the commits, in commit order; the last has the stamp of the row's key.
    pub(crate) commits: Vec<CommitId>,
}

/// Whether `key` belongs to the store.
pub(crate) fn is_reserved(key: &[u8]) -> bool {
    key.starts_with(&TENANT)
}

/// Where the callers' keys end.
pub(crate) fn end_of_user_keys() -> Vec<u8> {
    TENANT.to_vec()
}

/// The key of the group that ends with `last`.
pub(crate) fn group_key(last: Stamp) -> Vec<u8> {
    let mut key = TENANT.to_vec();
    key.push(GROUPS);
    key.extend_from_slice(&last.to_bytes());
    key
}

/// The groups that end after `stamp`.
pub(crate) fn groups_after(stamp: Stamp) -> Range<Vec<u8>> {
    let mut end = TENANT.to_vec();
    end.push(GROUPS + 1);
    crate::key::after(group_key(stamp))..end
}

/// The last stamp of the group with this key; `None` for any other key.
pub(crate) fn group_stamp(key: &[u8]) -> Option<Stamp> {
    let rest = key.strip_prefix(&TENANT)?;
    let (tag, stamp) = rest.split_first()?;
    if *tag == GROUPS { Stamp::from_bytes(stamp) } else { None }
}

impl GroupRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.commits.len() * 16);
        out.extend_from_slice(&self.synced.to_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
        self.commits.iter().for_each(|id| out.extend_from_slice(id));
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<GroupRow, Corrupt> {
        let corrupt = || Corrupt::new("the note about a group of commits has a wrong length");
        let (synced, rest) = bytes.split_first_chunk::<8>().ok_or_else(corrupt)?;
        let (position, rest) = rest.split_first_chunk::<8>().ok_or_else(corrupt)?;
        let (commits, []) = rest.as_chunks::<16>() else { return Err(corrupt()) };
        Ok(GroupRow {
            synced: Stamp(u64::from_be_bytes(*synced)),
            position: u64::from_be_bytes(*position),
            commits: commits.to_vec(),
        })
    }
}

/// The stamp of commit `id`, if the group `(key, value)` holds it.
pub(crate) fn find_commit(key: &[u8], value: &Bytes, id: &CommitId) -> Result<Option<Stamp>, Corrupt> {
    let last = group_stamp(key).ok_or_else(|| Corrupt::new("the key of a group of commits has a wrong length"))?;
    let commits = GroupRow::decode(value)?.commits;
    let back = commits.iter().rev().position(|commit| commit == id);
    Ok(back.map(|back| Stamp(last.0 - back as u64)))
}
