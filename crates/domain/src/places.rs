//! How far in the log somebody has come who follows it at their own pace: a hook of chat, a hook of feeds.
//!
//! What a follower was not told yet is kept in the log for it, so a place is a record, and whoever is gone has none.

use minicbor::{Decode, Encode};
use store::{Direction, Limit, Table};

use crate::{Error, Result, Tx};

/// The most followers of one table whose places are read at once; no kind of hook may be there so often.
const FOLLOWERS_MAX: usize = 51;
/// The longest id of a follower, in bytes: a key has a size limit.
const ID_BYTES_MAX: usize = 255;

/// A place in the log: what came up to it was taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Place {
    /// The commit.
    #[n(0)]
    pub stamp: u64,
    /// Which of its events.
    #[n(1)]
    pub index: u16,
}

/// The places of the followers of one kind, by their ids.
pub type Places = Table<String, Place>;

/// Notes that these are the followers, and no others. One that was there keeps its place; a new one begins here.
///
/// # Errors
/// [`Error::Unfit`] when an id is too long; when the store fails.
pub async fn keep(tx: &mut Tx, places: &Places, ids: &[String]) -> Result<()> {
    let tenant = tx.tenant();
    let before = list(tx, places).await?;
    for (gone, _) in before.iter().filter(|(id, _)| !ids.contains(id)) {
        places.delete(tx, tenant, gone);
    }
    let here = Place { stamp: tx.stamp().0, index: u16::MAX };
    for new in ids.iter().filter(|id| !before.iter().any(|(known, _)| known == *id)) {
        if new.len() > ID_BYTES_MAX {
            return Err(Error::Unfit(format!("the id of a hook has at most {ID_BYTES_MAX} bytes")));
        }
        places.put(tx, tenant, new, &here);
    }
    Ok(())
}

async fn list(tx: &mut Tx, places: &Places) -> Result<Vec<(String, Place)>> {
    let (tenant, limit) = (tx.tenant(), Limit::rows(FOLLOWERS_MAX));
    Ok(places.scan(tx, tenant, places.range(tenant), Direction::Forward, limit).await?.rows)
}

/// How far `id` has come; `None` for one that is gone.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, places: &Places, id: &str) -> Result<Option<Place>> {
    let tenant = tx.tenant();
    Ok(places.get(tx, tenant, &id.to_owned()).await?)
}

/// Notes how far `id` has come, unless it is gone.
///
/// # Errors
/// When the store fails.
pub async fn advance(tx: &mut Tx, places: &Places, id: &str, place: Place) -> Result<()> {
    if get(tx, places, id).await?.is_some() {
        let tenant = tx.tenant();
        places.put(tx, tenant, &id.to_owned(), &place);
    }
    Ok(())
}

/// The commit that somebody has come to, and none less far.
///
/// # Errors
/// When the store fails.
pub async fn least(tx: &mut Tx, places: &Places) -> Result<Option<u64>> {
    Ok(list(tx, places).await?.iter().map(|(_, place)| place.stamp).min())
}
