//! Deactivating, deleting and restoring users (chat §11.7, v2 §2.4–§2.6). Erasing them is a task's work.

use ids::{Timestamp, UserId};

use super::{User, get, load, put, tell_updated};
use crate::{
    Error, Result, Tx,
    chat::events::{self, Event},
};

/// Locks the user `id` out; what it wrote stays.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] when it is locked out already.
pub async fn deactivate(tx: &mut Tx, id: &UserId, by: Option<&UserId>, now: Timestamp) -> Result<User> {
    let mut user = load(tx, id).await?;
    if user.deactivated_at.is_some() {
        return Err(Error::Unfit(format!("user '{id}' is already deactivated")));
    }
    user.deactivated_at = Some(now);
    user.updated_at = now;
    put(tx, id, &user);
    tell(tx, "user.deactivated", id, by, now);
    Ok(user)
}

/// Lets the user `id` in again, under another name if one is given.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] when it is not locked out.
pub async fn reactivate(
    tx: &mut Tx,
    id: &UserId,
    name: Option<&str>,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<User> {
    let mut user = load(tx, id).await?;
    if user.deactivated_at.take().is_none() {
        return Err(Error::Unfit(format!("user '{id}' is not deactivated")));
    }
    user.name = name.map(str::to_owned).or(user.name);
    user.updated_at = now;
    put(tx, id, &user);
    tell(tx, "user.reactivated", id, by, now);
    Ok(user)
}

/// Marks the user `id` deleted; everything stays, and it can be restored. `more` is what the event says of the deletion.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted.
pub async fn delete(tx: &mut Tx, id: &UserId, more: &str, now: Timestamp) -> Result<User> {
    let mut user = load(tx, id).await?;
    user.deleted_at = Some(now);
    user.updated_at = now;
    put(tx, id, &user);
    events::record(tx, Event::new("user.deleted", now, None).by(Some(id)).with(more));
    Ok(user)
}

/// Undoes [`delete`].
///
/// # Errors
/// [`Error::Absent`] when there is no such user, [`Error::Unfit`] when it was not deleted.
pub async fn restore(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<User> {
    let user = get(tx, id).await?;
    let mut user = user.ok_or_else(|| Error::Absent(format!("user not found: user_id '{id}' does not exist")))?;
    if user.is_pruned {
        return Err(Error::Unfit(format!("user '{id}' was erased and cannot be restored")));
    }
    if user.deleted_at.take().is_none() {
        return Err(Error::Unfit(format!("user '{id}' is not deleted")));
    }
    user.updated_at = now;
    put(tx, id, &user);
    tell_updated(tx, id, now);
    Ok(user)
}

fn tell(tx: &mut Tx, kind: &str, id: &UserId, by: Option<&UserId>, now: Timestamp) {
    events::record(tx, Event { other: by.cloned(), ..Event::new(kind, now, None).by(Some(id)) });
}
