//! Folders of bookmarks: each of one user, each with a name that no other folder of that user has (feeds-v3 §3.6).

use std::borrow::Cow;

use ids::{Timestamp, UserId, json::Object as Fields};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{
    bookmarks::{self, Saved},
    query::{LOOKED_AT_MAX, Query},
};
use crate::{
    Error, Result, Tx,
    filter::{self, Field, Kind, Operator, Row, Schema, Value},
    keyspace::{V3_BOOKMARK, V3_FOLDER, V3_FOLDER_NAME, V3_IN_FOLDER},
    rows,
};

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// The most bytes of a folder's own fields.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// Bookmarks that go in one transaction with their folder.
const TAKEN_AT_ONCE: usize = 200;
/// The order of a query that names none.
pub const SORT: &[&str] = &["-created_at"];

/// What a query of folders names.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("user_id", Kind::Text),
        Field::new("folder_name", Kind::Text).only(&[Operator::Eq, Operator::In, Operator::Query, Operator::Contains]),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};

/// A folder.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Folder {
    /// Whose it is.
    #[n(0)]
    pub user: UserId,
    /// What it is called.
    #[n(1)]
    pub name: String,
    /// The application's own fields: a JSON object, as it was sent; empty when none were.
    #[n(2)]
    pub custom: String,
    /// Since when.
    #[n(3)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(4)]
    pub updated_at: Timestamp,
}

/// A folder with its id.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// The id.
    pub id: String,
    /// The folder.
    pub folder: Folder,
}

impl Row for Known {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "user_id" => Value::text(self.folder.user.as_str()),
            "folder_name" => Value::text(&self.folder.name),
            "created_at" => Value::Time(self.folder.created_at),
            "updated_at" => Value::Time(self.folder.updated_at),
            _ => Value::Null,
        }
    }
}

/// The folder `id`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Folder>> {
    let tenant = tx.tenant();
    Ok(V3_FOLDER.get(tx, tenant, &id.to_owned()).await?)
}

/// The folder `id`; `by` a user only if it is the user's.
///
/// # Errors
/// [`Error::Absent`] when there is none, also when it is another's: folders are private.
pub async fn load(tx: &mut Tx, id: &str, by: Option<&UserId>) -> Result<Folder> {
    let folder = get(tx, id).await?.filter(|folder| by.is_none_or(|user| folder.user == *user));
    folder.ok_or_else(|| absent(id))
}

fn absent(id: &str) -> Error {
    Error::Absent(format!("bookmark folder with id '{id}' not found"))
}

/// The folder that a bookmark is in.
///
/// # Errors
/// When the store fails.
pub async fn of(tx: &mut Tx, saved: &Saved) -> Result<Option<Known>> {
    let Some(id) = saved.folder() else { return Ok(None) };
    Ok(get(tx, id).await?.map(|folder| Known { id: id.to_owned(), folder }))
}

/// The id of the folder that is meant, made if it is to be; empty for none.
///
/// # Errors
/// [`Error::Absent`] when there is no such folder of `user`; [`Error::Unfit`], [`Error::TooBig`] for a new one.
pub(super) async fn choose(tx: &mut Tx, user: &UserId, asked: &bookmarks::Folder, now: Timestamp) -> Result<String> {
    match asked {
        bookmarks::Folder::Outside => Ok(String::new()),
        bookmarks::Folder::Known(id) => load(tx, id, Some(user)).await.map(|_| id.clone()),
        bookmarks::Folder::Named { name, custom, id } => {
            check(name, custom.as_ref())?;
            let (tenant, key) = (tx.tenant(), (user.to_string(), name.clone()));
            if let Some(known) = V3_FOLDER_NAME.get(tx, tenant, &key).await? {
                return Ok(known);
            }
            let custom = custom.as_ref().map(Fields::to_string).unwrap_or_default();
            let folder = Folder { user: user.clone(), name: name.clone(), custom, created_at: now, updated_at: now };
            V3_FOLDER.put(tx, tenant, id, &folder);
            V3_FOLDER_NAME.put(tx, tenant, &key, id);
            Ok(id.clone())
        }
    }
}

fn check(name: &str, custom: Option<&Fields>) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Error::Unfit(format!("name of a folder must have 1 to {NAME_BYTES_MAX} bytes")));
    }
    match custom.is_some_and(|custom| custom.to_string().len() > CUSTOM_BYTES_MAX) {
        true => Err(Error::TooBig(format!("custom of a folder has at most {CUSTOM_BYTES_MAX} bytes"))),
        false => Ok(()),
    }
}

/// Changes the folder `id`; `by` a user only if it is the user's. What is absent stays.
///
/// # Errors
/// [`Error::Absent`]; [`Error::Taken`] when another folder of the user has the name; as [`choose`] for the fields.
pub async fn update(
    tx: &mut Tx,
    id: &str,
    name: Option<&str>,
    custom: Option<&Fields>,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Folder> {
    let stored = load(tx, id, by).await?;
    check(name.unwrap_or(&stored.name), custom)?;
    let tenant = tx.tenant();
    if let Some(name) = name.filter(|name| *name != stored.name) {
        let key = (stored.user.to_string(), name.to_owned());
        if V3_FOLDER_NAME.exists(tx, tenant, &key).await? {
            return Err(Error::Taken(format!("name: another folder is called '{name}'")));
        }
        V3_FOLDER_NAME.delete(tx, tenant, &(stored.user.to_string(), stored.name.clone()));
        V3_FOLDER_NAME.put(tx, tenant, &key, &id.to_owned());
    }
    let folder = Folder {
        name: name.unwrap_or(&stored.name).to_owned(),
        custom: custom.map_or(stored.custom.clone(), Fields::to_string),
        updated_at: now,
        ..stored
    };
    V3_FOLDER.put(tx, tenant, &id.to_owned(), &folder);
    Ok(folder)
}

/// Removes the folder `id` with the bookmarks in it; `by` a user only if it is the user's. Answers the folder, and whether
/// that was all; if not, the call is made again.
///
/// # Errors
/// [`Error::Absent`].
pub async fn delete(tx: &mut Tx, id: &str, by: Option<&UserId>) -> Result<(Folder, bool)> {
    let folder = load(tx, id, by).await?;
    let tenant = tx.tenant();
    let range = V3_IN_FOLDER.prefix(tenant, &id.to_owned());
    let page = V3_IN_FOLDER.scan(tx, tenant, range, Direction::Forward, Limit::rows(TAKEN_AT_ONCE)).await?;
    for ((folder_id, object), ()) in page.rows {
        let key = (folder.user.to_string(), object.clone(), folder_id.clone());
        match V3_BOOKMARK.get(tx, tenant, &key).await? {
            Some(bookmark) => {
                let saved = Saved { user: folder.user.clone(), object, folder: folder_id, bookmark };
                bookmarks::take(tx, &saved).await?;
            }
            None => V3_IN_FOLDER.delete(tx, tenant, &(folder_id, object)),
        }
    }
    if !page.more {
        forget(tx, id, &folder);
    }
    Ok((folder, !page.more))
}

/// Removes the rows of a folder in which nothing is.
pub(crate) fn forget(tx: &mut Tx, id: &str, folder: &Folder) {
    let tenant = tx.tenant();
    V3_FOLDER.delete(tx, tenant, &id.to_owned());
    V3_FOLDER_NAME.delete(tx, tenant, &(folder.user.to_string(), folder.name.clone()));
}

/// The folders of `user`, by name, at most `max`.
///
/// # Errors
/// When the store fails.
pub async fn of_user(tx: &mut Tx, user: &str, max: usize) -> Result<Vec<Known>> {
    let tenant = tx.tenant();
    let range = V3_FOLDER_NAME.prefix(tenant, &user.to_owned());
    let ids: Vec<String> = rows::list(tx, &V3_FOLDER_NAME, range, max).await?.into_iter().map(|(_, id)| id).collect();
    let found = V3_FOLDER.get_many(tx, tenant, &ids).await?;
    Ok(ids.into_iter().zip(found).filter_map(|(id, folder)| Some(Known { id, folder: folder? })).collect())
}

/// A page of the folders that fit, of `owner` alone if one is given.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, owner: Option<&UserId>, query: &Query) -> Result<filter::Page<Known>> {
    let users: Option<Vec<String>> = match (owner, query.filter.only("user_id")) {
        (Some(owner), _) => Some(vec![owner.to_string()]),
        (None, only) => only.map(|users| users.into_iter().map(str::to_owned).collect()),
    };
    let Some(users) = users else {
        let range = V3_FOLDER.range(tx.tenant());
        let all = rows::list(tx, &V3_FOLDER, range, LOOKED_AT_MAX).await?;
        return Ok(query.page(all.into_iter().map(|(id, folder)| Known { id, folder })));
    };
    let mut found = Vec::new();
    for user in users {
        found.extend(of_user(tx, &user, LOOKED_AT_MAX).await?);
    }
    Ok(query.page(found))
}
