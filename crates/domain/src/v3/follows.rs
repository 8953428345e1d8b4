//! Follows: who follows whom, and who asked to (feeds-v3 §3.8).
//!
//! A follow that was accepted is a follow of the engine between two streams, which says what it brings; the record here
//! holds what only v3 knows.

mod change;
pub mod query;

use ids::{FeedId, Fid, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

pub use change::{Added, Draft, Patch, absent, accept, add, patch, reject, remove};

use super::{
    feeds::{self, Feed},
    owned,
};
use crate::{
    Result, Tx,
    keyspace::{Feed as Stream, V3_FOLLOW},
};

/// The role of a follower if nobody says.
pub const ROLE: &str = "feed_follower";
/// The most activities that a follow may be asked to bring of those posted before it (feeds-v3 §3.8).
pub const COPY_LIMIT_MAX: usize = 1000;
/// The most feeds of a user that are looked at to find out whether one of them follows another.
const OWN_FEEDS_MAX: usize = 100;

/// How a follow stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// The follower sees what is posted.
    #[n(0)]
    Accepted,
    /// The follower asked.
    #[n(1)]
    Pending,
    /// The follower was refused.
    #[n(2)]
    Rejected,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 3] = [Status::Accepted, Status::Pending, Status::Rejected];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Status::Accepted => "accepted",
            Status::Pending => "pending",
            Status::Rejected => "rejected",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A follow.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Follow {
    /// How it stands.
    #[n(0)]
    pub status: Status,
    /// The role of the follower in the followed feed.
    #[n(1)]
    pub role: String,
    /// Whether pushes are wanted for all that is posted.
    #[n(2)]
    pub pushes_all: bool,
    /// The application's own fields: a JSON object.
    #[n(3)]
    pub custom: String,
    /// How much of what was posted before it brings; all, if absent.
    #[n(4)]
    pub copy_limit: Option<u32>,
    /// Since when.
    #[n(5)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(6)]
    pub updated_at: Timestamp,
    /// When it was accepted, if it had to be.
    #[n(7)]
    pub accepted_at: Option<Timestamp>,
    /// When it was rejected.
    #[n(8)]
    pub rejected_at: Option<Timestamp>,
}

impl Follow {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// A follow with its ends.
#[derive(Clone, PartialEq, Debug)]
pub struct Edge {
    /// The follower.
    pub source: Fid,
    /// The followed.
    pub target: Fid,
    /// The follow.
    pub follow: Follow,
}

/// The follow of `target` by `source`, both by their streams.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, source: &FeedId, target: &FeedId) -> Result<Option<Follow>> {
    let tenant = tx.tenant();
    Ok(V3_FOLLOW.get(tx, tenant, &(Stream(source.clone()), Stream(target.clone()))).await?)
}

/// Whether a feed of `user` follows `feed`, and the follow was accepted.
///
/// # Errors
/// When the store fails.
pub async fn is_followed_by(tx: &mut Tx, feed: &Feed, user: &UserId) -> Result<bool> {
    Ok(!of_user(tx, user, feed).await?.is_empty())
}

/// The accepted follows of `target` by feeds of `user`.
///
/// # Errors
/// When the store fails.
pub async fn of_user(tx: &mut Tx, user: &UserId, target: &Feed) -> Result<Vec<(Fid, Follow)>> {
    let own = own_feeds(tx, user).await?;
    let tenant = tx.tenant();
    let keys: Vec<_> =
        own.iter().map(|(_, feed)| (Stream(feed.stream.clone()), Stream(target.stream.clone()))).collect();
    let follows = V3_FOLLOW.get_many(tx, tenant, &keys).await?;
    let accepted = own.into_iter().zip(follows).filter_map(|((fid, _), follow)| Some((fid, follow?)));
    Ok(accepted.filter(|(_, follow)| follow.status == Status::Accepted).collect())
}

/// The feeds of `user`.
///
/// # Errors
/// When the store fails.
pub async fn own_feeds(tx: &mut Tx, user: &UserId) -> Result<Vec<(Fid, Feed)>> {
    let ids = owned::list(tx, user, owned::Kind::Feed, "", OWN_FEEDS_MAX).await?;
    let fids: Vec<Fid> = ids.iter().filter_map(|id| Fid::parse(id).ok()).collect();
    let feeds = feeds::get_many(tx, &fids).await?;
    Ok(fids
        .into_iter()
        .zip(feeds)
        .filter_map(|(fid, feed)| Some((fid, feed?)))
        .filter(|(_, feed)| feed.is_of(user))
        .collect())
}

#[cfg(test)]
mod tests;
