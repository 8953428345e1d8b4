//! Files that tell what is stored: whose data each holds, and when it goes (v2 §2.8, §3.2, §4.2).
//!
//! The content is beside the store, under the name that the row says. Whoever removes a row writes into the same commit
//! that its file is stale; the file goes a moment later. Erasing a user removes the files that hold the user's data,
//! however new they are.

pub mod sets;
pub mod subject;

use ids::UserId;
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use crate::{
    Error, Result, Tx,
    keyspace::{EXPORT, EXPORTED, STALE_FILE},
};

/// A file that a task writes or has written.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Export {
    /// Its name, unlike every other.
    #[n(0)]
    pub file: String,
    /// Those whom it was asked for.
    #[n(1)]
    pub subjects: Vec<UserId>,
}

/// Stores that the task `task` writes `file`, about `subjects`.
pub fn plan(tx: &mut Tx, task: &str, file: String, subjects: Vec<UserId>) {
    let tenant = tx.tenant();
    note(tx, task, &subjects);
    EXPORT.put(tx, tenant, &task.to_owned(), &Export { file, subjects });
}

/// Stores that the file of `task` holds data of `users`, too.
pub fn note<'u>(tx: &mut Tx, task: &str, users: impl IntoIterator<Item = &'u UserId>) {
    let tenant = tx.tenant();
    for user in users {
        EXPORTED.put(tx, tenant, &(user.to_string(), task.to_owned()), &());
    }
}

/// The file of the task `task`, unless it went.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, task: &str) -> Result<Option<Export>> {
    let tenant = tx.tenant();
    Ok(EXPORT.get(tx, tenant, &task.to_owned()).await?)
}

/// The file of the task `task`.
///
/// # Errors
/// [`Error::Absent`] when it went.
pub async fn load(tx: &mut Tx, task: &str) -> Result<Export> {
    let gone = || Error::Absent("what the export was to hold was erased".to_owned());
    get(tx, task).await?.ok_or_else(gone)
}

/// Removes the file of the task `task`, if there is one; whether there was.
///
/// # Errors
/// When the store fails.
pub async fn discard(tx: &mut Tx, task: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let Some(export) = get(tx, task).await? else { return Ok(false) };
    for user in &export.subjects {
        EXPORTED.delete(tx, tenant, &(user.to_string(), task.to_owned()));
    }
    EXPORT.delete(tx, tenant, &task.to_owned());
    discard_file(tx, &export.file);
    Ok(true)
}

/// Stores that nobody needs `file` any more.
pub fn discard_file(tx: &mut Tx, file: &str) {
    let tenant = tx.tenant();
    STALE_FILE.put(tx, tenant, &file.to_owned(), &());
}

/// Removes some of the files that hold data of `user`; whether that were all.
///
/// # Errors
/// When the store fails.
pub(crate) async fn discard_of(tx: &mut Tx, user: &UserId, max: usize) -> Result<bool> {
    let tenant = tx.tenant();
    let range = EXPORTED.prefix(tenant, &user.to_string());
    let page = EXPORTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(max)).await?;
    for ((user, task), ()) in page.rows {
        discard(tx, &task).await?;
        EXPORTED.delete(tx, tenant, &(user, task));
    }
    Ok(!page.more)
}

/// Some of the files that nobody needs any more.
///
/// # Errors
/// When the store fails.
pub async fn stale(tx: &mut Tx) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let page = STALE_FILE.scan(tx, tenant, STALE_FILE.range(tenant), Direction::Forward, Limit::PAGE).await?;
    Ok(page.rows.into_iter().map(|(file, ())| file).collect())
}

/// Notes that these files are no longer there.
pub fn forget(tx: &mut Tx, files: &[String]) {
    let tenant = tx.tenant();
    for file in files {
        STALE_FILE.delete(tx, tenant, file);
    }
}
