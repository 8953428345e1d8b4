//! Whose rows are whose: the index of what a user made, and of what names a user without being theirs (feeds-v3 §8).
//!
//! Both are written in the transaction of the row that they point to, and erasure and export walk them instead of the
//! whole store.

use ids::UserId;
use store::{Direction, Limit, key::after};

use crate::{
    Result, Tx,
    keyspace::{V3_NAMED, V3_OWNED},
};

/// What kind of row an index points to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A feed, by its fid.
    Feed,
    /// An activity, by its id.
    Activity,
    /// A comment, by its id.
    Comment,
    /// A reaction.
    Reaction,
    /// A bookmark.
    Bookmark,
    /// A folder of bookmarks, by its id.
    Folder,
    /// An item of a collection, by its reference.
    Collection,
    /// A membership of a feed, by the feed's stream.
    Member,
    /// Something else that is of this user alone: a mark, feedback.
    Note,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::Feed,
        Kind::Activity,
        Kind::Comment,
        Kind::Reaction,
        Kind::Bookmark,
        Kind::Folder,
        Kind::Collection,
        Kind::Member,
        Kind::Note,
    ];

    /// The byte that stands for it in keys; it never changes.
    pub fn code(self) -> u8 {
        match self {
            Kind::Feed => 1,
            Kind::Activity => 2,
            Kind::Comment => 3,
            Kind::Reaction => 4,
            Kind::Bookmark => 5,
            Kind::Folder => 6,
            Kind::Collection => 7,
            Kind::Member => 8,
            Kind::Note => 9,
        }
    }
}

/// Notes that the row `id` belongs to `user`.
pub fn put(tx: &mut Tx, user: &UserId, kind: Kind, id: &str) {
    let tenant = tx.tenant();
    V3_OWNED.put(tx, tenant, &(user.to_string(), kind.code(), id.to_owned()), &());
}

/// Takes that back.
pub fn remove(tx: &mut Tx, user: &UserId, kind: Kind, id: &str) {
    let tenant = tx.tenant();
    V3_OWNED.delete(tx, tenant, &(user.to_string(), kind.code(), id.to_owned()));
}

/// Rows of one kind that belong to `user`, by id: at most `max` of those after `from`.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, user: &UserId, kind: Kind, from: &str, max: usize) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let mut range = V3_OWNED.prefix(tenant, &(user.to_string(), kind.code()));
    if !from.is_empty() {
        range.start = after(V3_OWNED.key(tenant, &(user.to_string(), kind.code(), from.to_owned())));
    }
    let mut ids = Vec::new();
    while ids.len() < max {
        let limit = Limit { rows: (max - ids.len()).min(Limit::PAGE.rows), ..Limit::PAGE };
        let page = V3_OWNED.scan(tx, tenant, range.clone(), Direction::Forward, limit).await?;
        if let Some((key, ())) = page.rows.last() {
            range.start = after(V3_OWNED.key(tenant, key));
        }
        ids.extend(page.rows.into_iter().map(|((.., id), ())| id));
        if !page.more {
            break;
        }
    }
    Ok(ids)
}

/// Notes that the row `id` names `user`, whoever made it.
pub fn name(tx: &mut Tx, user: &UserId, kind: Kind, id: &str) {
    let tenant = tx.tenant();
    V3_NAMED.put(tx, tenant, &(user.to_string(), kind.code(), id.to_owned()), &());
}

/// Takes that back.
pub fn unname(tx: &mut Tx, user: &UserId, kind: Kind, id: &str) {
    let tenant = tx.tenant();
    V3_NAMED.delete(tx, tenant, &(user.to_string(), kind.code(), id.to_owned()));
}

/// The first rows, at most `max`, that name `user`: kind and id.
///
/// # Errors
/// When the store fails.
pub async fn naming(tx: &mut Tx, user: &UserId, max: usize) -> Result<Vec<(Kind, String)>> {
    let tenant = tx.tenant();
    let range = V3_NAMED.prefix(tenant, &user.to_string());
    let page = V3_NAMED.scan(tx, tenant, range, Direction::Forward, Limit::rows(max)).await?;
    let kind = |code: u8| Kind::ALL.into_iter().find(|kind| kind.code() == code);
    Ok(page.rows.into_iter().filter_map(|((_, code, id), ())| Some((kind(code)?, id))).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_is_given_once() {
        let codes: HashSet<u8> = Kind::ALL.into_iter().map(Kind::code).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
    }
}
