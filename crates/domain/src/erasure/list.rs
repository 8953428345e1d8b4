//! The list of erasures: by hashes of ids, so that it names nobody and can still be held against a backup (v2 §5.6).
//!
//! A backup from before an erasure brings the erased back. Who keeps the list apart from the backups applies it after a
//! restore: whoever is on it, and was there when it was written, is erased again.

use ids::{Timestamp, UserId};
use store::{Direction, Limit, Store, key, key::after, split};

use crate::{
    App, Result, Tx,
    keyspace::{ERASED, USER},
    users::User,
};

/// That somebody was erased.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Erased {
    /// Of which app.
    pub app: u32,
    /// The hash of the user's id, in hexadecimal digits.
    pub hash: String,
    /// When.
    pub at: Timestamp,
}

/// Notes that the user whose id has this hash was erased.
pub(super) fn note(tx: &mut Tx, hash: &str, now: Timestamp) {
    let tenant = tx.tenant();
    ERASED.put(tx, tenant, &hash.to_owned(), &now);
}

/// Whether the user whose id has this hash is on the list.
///
/// # Errors
/// When the store fails.
pub(crate) async fn is_listed(tx: &mut Tx, hash: &str) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(ERASED.exists(tx, tenant, &hash.to_owned()).await?)
}

/// Everybody on the list, of all apps.
///
/// # Errors
/// When the store fails, or a row cannot be read.
pub async fn all(store: &Store) -> Result<Vec<Erased>> {
    let mut found = Vec::new();
    walk(store, ERASED.tag(), |app, key, value| {
        found.push(Erased { app, hash: ERASED.decode_key(key)?, at: ERASED.decode(key, value)? });
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Apps and users that `is_listed` picks by app, id and the moment at which the user was made, deleted ones too.
///
/// # Errors
/// When the store fails, or a row cannot be read.
pub async fn find(
    store: &Store,
    mut is_listed: impl FnMut(u32, &UserId, Timestamp) -> bool,
) -> Result<Vec<(u32, UserId)>> {
    let mut found = Vec::new();
    walk(store, USER.tag(), |app, key, value| {
        let user: User = USER.decode(key, value)?;
        if let Ok(id) = UserId::parse(&USER.decode_key(key)?)
            && is_listed(app, &id, user.created_at)
        {
            found.push((app, id));
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Shows `look` each row of the table with this tag, of all apps.
async fn walk(
    store: &Store,
    tag: u8,
    mut look: impl FnMut(u32, &[u8], &[u8]) -> std::result::Result<(), store::Corrupt>,
) -> Result<()> {
    let (mut tx, mut start) = (store.read(), Vec::new());
    loop {
        let page = tx.scan(start..key::prefixed(Vec::new()).end, Direction::Forward, Limit::PAGE).await?;
        for (key, value) in &page.rows {
            if let Some((app, _, _)) = split(key).filter(|(_, known, _)| *known == tag) {
                look(app, key, value).map_err(store::Error::from)?;
            }
        }
        match page.rows.last() {
            Some((last, _)) if page.more => start = after(last.to_vec()),
            _ => return Ok(()),
        }
    }
}

/// The app `id` of `store`, for a task to be planned in it while no server runs.
pub fn app(store: &Store, id: u32) -> App {
    App::bare(ids::AppId(id), store.clone(), 0)
}
