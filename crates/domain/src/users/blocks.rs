//! Users whom a user blocks: their conversation is hidden from the blocker (chat §12.18).

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::{User, get, get_or_new, load, put};
use crate::{Error, Result, Tx, keyspace::BLOCKED, rows};

/// The most users whom a user blocks.
pub const BLOCKS_MAX: usize = 500;

/// That a user blocks another.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Block {
    /// Whom.
    #[n(0)]
    pub user: UserId,
    /// Since when.
    #[n(1)]
    pub created_at: Timestamp,
}

impl User {
    /// Whether this user blocks `other`.
    pub fn has_blocked(&self, other: &UserId) -> bool {
        self.blocked.iter().any(|block| block.user == *other)
    }
}

/// Lets `user` block `other`; answers since when it does.
///
/// # Errors
/// [`Error::Unfit`] when both are the same or there are too many, [`Error::Absent`] when there is no `other`.
pub async fn add(tx: &mut Tx, user: &UserId, other: &UserId, now: Timestamp) -> Result<Timestamp> {
    if user == other {
        return Err(Error::Unfit("blocked_user_id: a user cannot block itself".to_owned()));
    }
    load(tx, other).await?;
    let mut profile = get_or_new(tx, user, now).await?;
    if let Some(block) = profile.blocked.iter().find(|block| block.user == *other) {
        return Ok(block.created_at);
    }
    if profile.blocked.len() >= BLOCKS_MAX {
        return Err(Error::Unfit(format!("a user can block at most {BLOCKS_MAX} users")));
    }
    profile.blocked.push(Block { user: other.clone(), created_at: now });
    put(tx, user, &profile);
    let tenant = tx.tenant();
    BLOCKED.put(tx, tenant, &(other.to_string(), user.to_string()), &());
    Ok(now)
}

/// Ends that `user` blocks `other`, if it does.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, user: &UserId, other: &UserId) -> Result<()> {
    let Some(mut profile) = get(tx, user).await?.filter(|profile| profile.has_blocked(other)) else { return Ok(()) };
    profile.blocked.retain(|block| block.user != *other);
    put(tx, user, &profile);
    let tenant = tx.tenant();
    BLOCKED.delete(tx, tenant, &(other.to_string(), user.to_string()));
    Ok(())
}

/// How many users block `other`.
///
/// # Errors
/// When the store fails.
pub async fn count_of_target(tx: &mut Tx, other: &UserId) -> Result<usize> {
    let range = BLOCKED.prefix(tx.tenant(), &other.to_string());
    Ok(rows::list(tx, &BLOCKED, range, BLOCKS_MAX).await?.len())
}
