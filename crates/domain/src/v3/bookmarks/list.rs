//! Reading bookmarks: of one object, of a user, by a filter.

use std::borrow::Cow;

use ids::UserId;
use store::{Direction, Limit, key::after};

use super::{Bookmark, FOLDERS_OF_OBJECT_MAX};
use crate::{
    Result, Tx,
    filter::{self, Field, Kind, Row, Schema, Value},
    keyspace::V3_BOOKMARK,
    rows,
    v3::{
        comments::{self, Comment},
        made::seen,
        objects::Object,
        query::{LOOKED_AT_MAX, Query},
    },
};

/// The order of a query that names none.
pub const SORT: &[&str] = &["-created_at"];

/// What a query of bookmarks names.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("user_id", Kind::Text),
        Field::new("activity_id", Kind::Text),
        Field::new("object_id", Kind::Text),
        Field::new("object_type", Kind::Text),
        Field::new("folder_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};

/// A bookmark with what its key says.
#[derive(Clone, PartialEq, Debug)]
pub struct Saved {
    /// Whose it is.
    pub user: UserId,
    /// Of what.
    pub object: Object,
    /// The folder; empty for none.
    pub folder: String,
    /// The rest.
    pub bookmark: Bookmark,
}

impl Saved {
    /// The folder that it is in.
    pub fn folder(&self) -> Option<&str> {
        Some(self.folder.as_str()).filter(|folder| !folder.is_empty())
    }
}

impl Row for Saved {
    fn id(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}:{}:{}:{}", self.user, self.object.kind(), self.object.id(), self.folder))
    }

    fn value(&self, field: &str) -> Value<'_> {
        match (field, &self.object) {
            ("user_id", _) => Value::text(self.user.as_str()),
            ("activity_id", Object::Activity(id)) => Value::text(id),
            ("object_id", object) => Value::text(object.id()),
            ("object_type", object) => Value::text(object.kind()),
            ("folder_id", _) => Value::maybe_text(self.folder()),
            ("created_at", _) => Value::Time(self.bookmark.created_at),
            ("updated_at", _) => Value::Time(self.bookmark.updated_at),
            _ => Value::Null,
        }
    }
}

fn saved(((user, object, folder), bookmark): ((String, Object, String), Bookmark)) -> Option<Saved> {
    Some(Saved { user: UserId::parse(&user).ok()?, object, folder, bookmark })
}

/// The bookmarks of `user` of one object: first that outside of all folders.
///
/// # Errors
/// When the store fails.
pub async fn of_object(tx: &mut Tx, user: &UserId, object: &Object) -> Result<Vec<Saved>> {
    let range = V3_BOOKMARK.prefix(tx.tenant(), &(user.to_string(), object.clone()));
    let rows = rows::list(tx, &V3_BOOKMARK, range, FOLDERS_OF_OBJECT_MAX).await?;
    Ok(rows.into_iter().filter_map(saved).collect())
}

/// The next bookmarks of `user` after the key `from`, at most `max`, and the last key; none after the last.
///
/// # Errors
/// When the store fails.
pub async fn of_user(
    tx: &mut Tx,
    user: &UserId,
    from: Option<Vec<u8>>,
    max: usize,
) -> Result<(Vec<Saved>, Option<Vec<u8>>)> {
    let tenant = tx.tenant();
    let mut range = V3_BOOKMARK.prefix(tenant, &user.to_string());
    if let Some(from) = from {
        range.start = after(from);
    }
    let page = V3_BOOKMARK.scan(tx, tenant, range, Direction::Forward, Limit::rows(max)).await?;
    let last = page.rows.last().filter(|_| page.more).map(|(key, _)| V3_BOOKMARK.key(tenant, key));
    Ok((page.rows.into_iter().filter_map(saved).collect(), last))
}

/// A page of the bookmarks that fit, of what is still there; of `owner` alone, and of what that user sees, if one is given.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, owner: Option<&UserId>, query: &Query) -> Result<filter::Page<Saved>> {
    let tenant = tx.tenant();
    let users: Option<Vec<String>> = match (owner, query.filter.only("user_id")) {
        (Some(owner), _) => Some(vec![owner.to_string()]),
        (None, only) => only.map(|users| users.into_iter().map(str::to_owned).collect()),
    };
    let ranges = match users {
        Some(users) => users.iter().map(|user| V3_BOOKMARK.prefix(tenant, user)).collect(),
        None => vec![V3_BOOKMARK.range(tenant)],
    };
    let mut found = Vec::new();
    for range in ranges {
        found.extend(rows::list(tx, &V3_BOOKMARK, range, LOOKED_AT_MAX).await?.into_iter().filter_map(saved));
    }
    found.retain(|saved| query.filter.fits(saved));
    let activities = activities_of(tx, &found).await?;
    let seen = seen(tx, activities.iter().flatten().cloned().collect(), owner).await?;
    let is_seen = |activity: Option<String>| activity.is_some_and(|activity| seen.get(&activity) == Some(&true));
    let shown = found.into_iter().zip(activities).filter(|(_, activity)| is_seen(activity.clone()));
    Ok(query.page(shown.map(|(saved, _)| saved)))
}

/// The activity that each is about in the end; none for one of a comment that is gone.
async fn activities_of(tx: &mut Tx, all: &[Saved]) -> Result<Vec<Option<String>>> {
    let mut activities = Vec::with_capacity(all.len());
    for saved in all {
        activities.push(match &saved.object {
            Object::Activity(id) => Some(id.clone()),
            Object::Comment(id) => {
                comments::get(tx, id).await?.filter(Comment::is_live).map(|comment| comment.activity)
            }
        });
    }
    Ok(activities)
}
