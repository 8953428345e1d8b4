//! What is counted of activities.

use ids::ActivityId;

use crate::{
    Result, Tx,
    keyspace::{Id, V3_TALLY},
};

/// What is counted of an activity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tally {
    /// Activities that share it.
    Shares,
    /// Reactions to it.
    Reactions,
    /// Comments on it, replies too.
    Comments,
    /// Bookmarks of it.
    Bookmarks,
    /// Events that its metrics counted.
    Metrics,
}

impl Tally {
    /// Every one, in the order of [`Tallies`].
    pub const ALL: [Tally; 5] = [Tally::Shares, Tally::Reactions, Tally::Comments, Tally::Bookmarks, Tally::Metrics];

    /// The byte that stands for it in keys; it never changes.
    pub fn code(self) -> u8 {
        match self {
            Tally::Shares => 0,
            Tally::Reactions => 1,
            Tally::Comments => 2,
            Tally::Bookmarks => 3,
            Tally::Metrics => 4,
        }
    }
}

/// What is counted of an activity, all together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tallies {
    /// See [`Tally::Shares`].
    pub shares: i64,
    /// See [`Tally::Reactions`].
    pub reactions: i64,
    /// See [`Tally::Comments`].
    pub comments: i64,
    /// See [`Tally::Bookmarks`].
    pub bookmarks: i64,
    /// See [`Tally::Metrics`].
    pub metrics: i64,
}

impl Tallies {
    /// How popular that makes it (feeds-v3 §3.1).
    pub fn popularity(&self) -> i64 {
        self.reactions + 2 * self.comments + 3 * self.bookmarks + 3 * self.shares
    }
}

/// What is counted of the activities `ids`, in their order.
///
/// # Errors
/// When the store fails.
pub async fn tallies(tx: &mut Tx, ids: &[ActivityId]) -> Result<Vec<Tallies>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = ids.iter().flat_map(|id| Tally::ALL.map(|tally| (Id(*id), tally.code()))).collect();
    let counts = V3_TALLY.get_many(tx, tenant, &keys).await?;
    let of_one = |counts: &[i64]| Tallies {
        shares: counts[0],
        reactions: counts[1],
        comments: counts[2],
        bookmarks: counts[3],
        metrics: counts[4],
    };
    Ok(counts.chunks(Tally::ALL.len()).map(of_one).collect())
}
