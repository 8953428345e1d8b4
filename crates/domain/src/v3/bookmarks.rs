//! Bookmarks of activities and of comments, private to whoever made them (feeds-v3 §3.6).
//!
//! There is one for each user, object and folder; one outside of all folders has an empty folder in its key.

mod list;

pub use list::{SCHEMA, SORT, Saved, of_object, of_user, query};

use ids::{Timestamp, UserId, json::Object as Fields};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{
    activities::Tally,
    folders,
    objects::{Object, count},
};
use crate::{
    Error, Result, Tx,
    keyspace::{V3_BOOKMARK, V3_BOOKMARKED, V3_IN_FOLDER},
};

/// The most bytes of a bookmark's own fields.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most folders that hold one object for one user.
pub const FOLDERS_OF_OBJECT_MAX: usize = 100;

/// A bookmark; user, object and folder are its key.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Bookmark {
    /// The application's own fields: a JSON object, as it was sent; empty when none were.
    #[n(0)]
    pub custom: String,
    /// Since when.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(2)]
    pub updated_at: Timestamp,
}

/// Into which folder a bookmark goes.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Folder {
    /// None.
    #[default]
    Outside,
    /// The user's folder with this id.
    Known(String),
    /// The user's folder with this name, made with the id and the own fields if there is none.
    Named {
        /// What it is called.
        name: String,
        /// Its own fields, if it is new.
        custom: Option<Fields>,
        /// Its id, if it is new.
        id: String,
    },
}

/// What changes of a bookmark; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The folder that the bookmark is in; if absent, the bookmark outside of all folders, or else the only one.
    pub from: Option<String>,
    /// Where it goes.
    pub to: Option<Folder>,
    /// See [`Bookmark::custom`].
    pub custom: Option<Fields>,
}

/// Bookmarks `object`, which the caller has seen to be there; one that is there is changed. Answers the bookmark, and
/// whether it is new.
///
/// # Errors
/// [`Error::Absent`] when there is no such folder of the user; [`Error::Unfit`] and [`Error::TooBig`] for what is past its
/// limit.
pub async fn add(
    tx: &mut Tx,
    user: &UserId,
    object: &Object,
    folder: &Folder,
    custom: Option<&Fields>,
    now: Timestamp,
) -> Result<(Saved, bool)> {
    check_custom(custom)?;
    let folder = folders::choose(tx, user, folder, now).await?;
    let key = (user.to_string(), object.clone(), folder.clone());
    let tenant = tx.tenant();
    let known = V3_BOOKMARK.get(tx, tenant, &key).await?;
    if known.is_none() && of_object(tx, user, object).await?.len() >= FOLDERS_OF_OBJECT_MAX {
        return Err(Error::Unfit(format!(
            "folder_id: one thing is in at most {FOLDERS_OF_OBJECT_MAX} folders of a user"
        )));
    }
    let kept = known.as_ref().map(|known| known.custom.clone()).unwrap_or_default();
    let bookmark = Bookmark {
        custom: custom.map_or(kept, Fields::to_string),
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        updated_at: now,
    };
    let saved = Saved { user: user.clone(), object: object.clone(), folder, bookmark };
    put(tx, &saved, known.is_none()).await?;
    Ok((saved, known.is_none()))
}

/// Changes a bookmark of `user`.
///
/// # Errors
/// [`Error::Absent`] when it, or the folder it goes to, is not there; [`Error::TooBig`].
pub async fn update(tx: &mut Tx, user: &UserId, object: &Object, change: &Change, now: Timestamp) -> Result<Saved> {
    check_custom(change.custom.as_ref())?;
    let stored = find(tx, user, object, change.from.as_deref()).await?;
    let folder = match &change.to {
        Some(to) => folders::choose(tx, user, to, now).await?,
        None => stored.folder.clone(),
    };
    let custom = change.custom.as_ref().map_or(stored.bookmark.custom.clone(), Fields::to_string);
    let bookmark = Bookmark { custom, updated_at: now, ..stored.bookmark.clone() };
    let saved = Saved { folder, bookmark, ..stored.clone() };
    let has_moved = saved.folder != stored.folder;
    let mut is_new = has_moved;
    if has_moved {
        take(tx, &stored).await?;
        // What is in that folder already becomes one with it.
        let (tenant, key) = (tx.tenant(), (user.to_string(), object.clone(), saved.folder.clone()));
        is_new = !V3_BOOKMARK.exists(tx, tenant, &key).await?;
    }
    put(tx, &saved, is_new).await?;
    Ok(saved)
}

/// Removes the bookmark of `object` in this folder of `user`, or all of them, and answers the first.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn delete(tx: &mut Tx, user: &UserId, object: &Object, folder: Option<&str>) -> Result<Saved> {
    let removed = match folder {
        Some(folder) => vec![find(tx, user, object, Some(folder)).await?],
        None => of_object(tx, user, object).await?,
    };
    for saved in &removed {
        take(tx, saved).await?;
    }
    removed.into_iter().next().ok_or_else(|| absent(object))
}

fn absent(object: &Object) -> Error {
    Error::Absent(format!("bookmark of {} '{}' not found", object.kind(), object.id()))
}

/// The bookmark of `object` in this folder; without one, that outside of all folders, or else the only one.
async fn find(tx: &mut Tx, user: &UserId, object: &Object, folder: Option<&str>) -> Result<Saved> {
    let mut all = of_object(tx, user, object).await?;
    let at = match folder {
        Some(folder) => all.iter().position(|saved| saved.folder == folder),
        None => all.iter().position(|saved| saved.folder.is_empty()).or((all.len() == 1).then_some(0)),
    };
    at.map(|at| all.swap_remove(at)).ok_or_else(|| absent(object))
}

fn check_custom(custom: Option<&Fields>) -> Result<()> {
    match custom.is_some_and(|custom| custom.to_string().len() > CUSTOM_BYTES_MAX) {
        true => Err(Error::TooBig(format!("custom of a bookmark has at most {CUSTOM_BYTES_MAX} bytes"))),
        false => Ok(()),
    }
}

async fn put(tx: &mut Tx, saved: &Saved, is_new: bool) -> Result<()> {
    let tenant = tx.tenant();
    let Saved { user, object, folder, bookmark } = saved;
    let user = user.to_string();
    V3_BOOKMARK.put(tx, tenant, &(user.clone(), object.clone(), folder.clone()), bookmark);
    if is_new {
        V3_BOOKMARKED.put(tx, tenant, &(object.clone(), user, folder.clone()), &());
        if !folder.is_empty() {
            V3_IN_FOLDER.put(tx, tenant, &(folder.clone(), object.clone()), &());
        }
        count(tx, object, Tally::Bookmarks, 1).await?;
    }
    Ok(())
}

/// Removes every row of one bookmark.
pub(crate) async fn take(tx: &mut Tx, saved: &Saved) -> Result<()> {
    let tenant = tx.tenant();
    let Saved { user, object, folder, .. } = saved;
    let user = user.to_string();
    V3_BOOKMARK.delete(tx, tenant, &(user.clone(), object.clone(), folder.clone()));
    V3_BOOKMARKED.delete(tx, tenant, &(object.clone(), user, folder.clone()));
    if !folder.is_empty() {
        V3_IN_FOLDER.delete(tx, tenant, &(folder.clone(), object.clone()));
    }
    count(tx, object, Tally::Bookmarks, -1).await
}

/// Removes bookmarks of `object`, as far as `budget` goes; whether those were all.
pub(crate) async fn clear(tx: &mut Tx, object: &Object, budget: &mut usize) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_BOOKMARKED.prefix(tenant, &object.clone());
    let page = V3_BOOKMARKED.scan(tx, tenant, range, Direction::Forward, Limit::rows((*budget).max(1))).await?;
    *budget = budget.saturating_sub(page.rows.len());
    for ((object, user, folder), ()) in page.rows {
        if tx.is_full() {
            return Ok(false);
        }
        let user = UserId::parse(&user).map_err(|error| store::Corrupt::new(error.to_string()));
        let user = user.map_err(store::Error::from)?;
        let key = (user.to_string(), object.clone(), folder.clone());
        if let Some(bookmark) = V3_BOOKMARK.get(tx, tenant, &key).await? {
            take(tx, &Saved { user, object, folder, bookmark }).await?;
        }
    }
    Ok(!page.more)
}

#[cfg(test)]
mod tests;
