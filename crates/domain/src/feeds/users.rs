//! Users as feeds know them: what `SU:` references stand for (feeds-v1 §5.12).
//!
//! They are not the users of chat: the application says who they are in a free form, and an activity may name one that is
//! not here.

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, keyspace::PROFILE};

/// What the application says of a user.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Profile {
    /// A JSON object, as it was sent.
    #[n(0)]
    pub data: String,
    /// Since when.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(2)]
    pub updated_at: Timestamp,
}

/// The user `id`, if it is there.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &UserId) -> Result<Option<Profile>> {
    let tenant = tx.tenant();
    Ok(PROFILE.get(tx, tenant, &id.to_string()).await?)
}

/// The user `id`.
///
/// # Errors
/// [`Error::Absent`] when it is not there.
pub async fn load(tx: &mut Tx, id: &UserId) -> Result<Profile> {
    get(tx, id).await?.ok_or_else(|| Error::Absent(format!("user `{id}` does not exist")))
}

/// Makes the user `id`.
///
/// # Errors
/// [`Error::Taken`] when it is there.
pub async fn create(tx: &mut Tx, id: &UserId, data: &str, now: Timestamp) -> Result<Profile> {
    match get(tx, id).await? {
        Some(_) => Err(Error::Taken(format!("user `{id}` exists already"))),
        None => Ok(put(tx, id, data, now, now)),
    }
}

/// The user `id` as it is, made if it is not there; and whether it was made.
///
/// # Errors
/// When the store fails.
pub async fn ensure(tx: &mut Tx, id: &UserId, data: &str, now: Timestamp) -> Result<(Profile, bool)> {
    match get(tx, id).await? {
        Some(profile) => Ok((profile, false)),
        None => Ok((put(tx, id, data, now, now), true)),
    }
}

/// Replaces what is said of the user `id`.
///
/// # Errors
/// [`Error::Absent`] when it is not there.
pub async fn update(tx: &mut Tx, id: &UserId, data: Option<&str>, now: Timestamp) -> Result<Profile> {
    let stored = load(tx, id).await?;
    Ok(put(tx, id, data.unwrap_or(&stored.data), stored.created_at, now))
}

/// Makes the user `id`, or replaces what is said of it.
///
/// # Errors
/// When the store fails.
pub async fn upsert(tx: &mut Tx, id: &UserId, data: &str, now: Timestamp) -> Result<Profile> {
    let created_at = get(tx, id).await?.map_or(now, |stored| stored.created_at);
    Ok(put(tx, id, data, created_at, now))
}

/// Removes the user `id`; answers whether it was there.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, id: &UserId) -> Result<bool> {
    let was_there = get(tx, id).await?.is_some();
    let tenant = tx.tenant();
    PROFILE.delete(tx, tenant, &id.to_string());
    Ok(was_there)
}

fn put(tx: &mut Tx, id: &UserId, data: &str, created_at: Timestamp, updated_at: Timestamp) -> Profile {
    let profile = Profile { data: data.to_owned(), created_at, updated_at };
    let tenant = tx.tenant();
    PROFILE.put(tx, tenant, &id.to_string(), &profile);
    profile
}
