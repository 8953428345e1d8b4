//! Membership levels: which tagged activities a member of a feed sees whole (feeds-v3 §3.9).

use std::borrow::Cow;

use ids::{Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use super::{
    activities::{Activity, Audience},
    feeds::{self, check_tags},
    members::{self, Status},
    query::{LOOKED_AT_MAX, Query},
};
use crate::{
    Error, Result, Tx,
    filter::{self, Field, Kind, Row, Schema, Value},
    keyspace::V3_LEVEL,
    rows,
};

/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 255;
/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 1024;
/// The longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 8 * 1024;
/// The order of a query that names none: the weightiest first.
pub const SORT: &[&str] = &["-priority", "-created_at"];

/// What a query of levels names.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("name", Kind::Text),
        Field::new("priority", Kind::Number),
        Field::new("tags", Kind::List),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};

/// A membership level.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Level {
    /// What it is called.
    #[n(0)]
    pub name: String,
    /// What it is.
    #[n(1)]
    pub description: String,
    /// The higher, the weightier.
    #[n(2)]
    pub priority: i64,
    /// The `visibility_tag`s that it opens.
    #[n(3)]
    pub tags: Vec<String>,
    /// The application's own fields: a JSON object.
    #[n(4)]
    pub custom: String,
    /// Since when.
    #[n(5)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(6)]
    pub updated_at: Timestamp,
}

impl Level {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }

    fn check(&self) -> Result<()> {
        check_tags("tags", &self.tags)?;
        let unfit = |rule: String| Err(Error::Unfit(rule));
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX {
            return unfit(format!("name has 1 to {NAME_BYTES_MAX} bytes"));
        }
        if self.description.len() > DESCRIPTION_BYTES_MAX {
            return unfit(format!("description has at most {DESCRIPTION_BYTES_MAX} bytes"));
        }
        match self.custom.len() > feeds::CUSTOM_BYTES_MAX {
            true => Err(Error::TooBig(format!("a level has at most {} bytes of own fields", feeds::CUSTOM_BYTES_MAX))),
            false => Ok(()),
        }
    }
}

/// What a caller says of a level; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// See [`Level::name`].
    pub name: Option<String>,
    /// See [`Level::description`].
    pub description: Option<String>,
    /// See [`Level::priority`].
    pub priority: Option<i64>,
    /// See [`Level::tags`].
    pub tags: Option<Vec<String>>,
    /// The application's own fields.
    pub custom: Option<Object>,
}

impl Change {
    fn apply(&self, level: Level) -> Level {
        Level {
            name: self.name.clone().unwrap_or(level.name),
            description: self.description.clone().unwrap_or(level.description),
            priority: self.priority.unwrap_or(level.priority),
            tags: self.tags.clone().unwrap_or(level.tags),
            custom: self.custom.as_ref().map_or(level.custom, Object::to_string),
            ..level
        }
    }
}

/// A level with its id.
#[derive(Clone, Debug)]
pub struct Known {
    /// The id.
    pub id: String,
    /// What is stored.
    pub level: Level,
    /// The application's own fields.
    pub custom: Object,
}

impl Known {
    fn new(id: &str, level: Level) -> Self {
        Known { id: id.to_owned(), custom: level.custom(), level }
    }
}

impl Row for Known {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "id" => Value::text(&self.id),
            "name" => Value::text(&self.level.name),
            "priority" => Value::Integer(self.level.priority),
            "tags" => Value::texts(&self.level.tags),
            "created_at" => Value::Time(self.level.created_at),
            "updated_at" => Value::Time(self.level.updated_at),
            _ => Value::Null,
        }
    }
}

/// The level `id`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Known>> {
    let tenant = tx.tenant();
    Ok(V3_LEVEL.get(tx, tenant, &id.to_owned()).await?.map(|level| Known::new(id, level)))
}

async fn load(tx: &mut Tx, id: &str) -> Result<Known> {
    get(tx, id).await?.ok_or_else(|| Error::Absent(format!("membership level '{id}' not found")))
}

/// Checks that a member can have the level `id`.
///
/// # Errors
/// [`Error::Unfit`] when there is none.
pub async fn check(tx: &mut Tx, id: &str) -> Result<()> {
    match get(tx, id).await? {
        Some(_) => Ok(()),
        None => Err(Error::Unfit(format!("membership_level: there is no level '{id}'"))),
    }
}

/// Makes the level `id`.
///
/// # Errors
/// [`Error::Taken`] when there is one; [`Error::Unfit`], [`Error::TooBig`].
pub async fn add(tx: &mut Tx, id: &str, change: &Change, now: Timestamp) -> Result<Known> {
    if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
        return Err(Error::Unfit(format!("id has 1 to {ID_BYTES_MAX} bytes and no control characters")));
    }
    if get(tx, id).await?.is_some() {
        return Err(Error::Taken(format!("membership level '{id}' already exists")));
    }
    let level = Level {
        name: String::new(),
        description: String::new(),
        priority: 0,
        tags: Vec::new(),
        custom: "{}".to_owned(),
        created_at: now,
        updated_at: now,
    };
    put(tx, id, change.apply(level))
}

/// Changes the level `id`.
///
/// # Errors
/// [`Error::Absent`]; as [`add`].
pub async fn update(tx: &mut Tx, id: &str, change: &Change, now: Timestamp) -> Result<Known> {
    let level = change.apply(load(tx, id).await?.level);
    put(tx, id, Level { updated_at: now, ..level })
}

fn put(tx: &mut Tx, id: &str, level: Level) -> Result<Known> {
    level.check()?;
    let tenant = tx.tenant();
    V3_LEVEL.put(tx, tenant, &id.to_owned(), &level);
    Ok(Known::new(id, level))
}

/// Removes the level `id`: members who had it open nothing with it any more.
///
/// # Errors
/// [`Error::Absent`].
pub async fn remove(tx: &mut Tx, id: &str) -> Result<()> {
    load(tx, id).await?;
    let tenant = tx.tenant();
    V3_LEVEL.delete(tx, tenant, &id.to_owned());
    Ok(())
}

/// The levels that `query` wants.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, query: &Query) -> Result<filter::Page<Known>> {
    let range = V3_LEVEL.range(tx.tenant());
    let all = rows::list(tx, &V3_LEVEL, range, LOOKED_AT_MAX).await?;
    Ok(query.page(all.into_iter().map(|(id, level)| Known::new(&id, level))))
}

/// Whether the activity is open to `user`: it has no tag, is the user's own, or the user's level in a feed that holds it opens
/// its tag.
///
/// # Errors
/// When the store fails.
pub async fn opens(tx: &mut Tx, activity: &Activity, user: &UserId) -> Result<bool> {
    let Audience::Tag(tag) = &activity.content.audience else { return Ok(true) };
    if activity.is_of(user) {
        return Ok(true);
    }
    for feed in feeds::get_many(tx, &activity.feeds).await?.into_iter().flatten() {
        let member = members::get(tx, &feed.stream, user).await?.filter(|member| member.status == Status::Member);
        let Some(id) = member.and_then(|member| member.level) else { continue };
        if get(tx, &id).await?.is_some_and(|known| known.level.tags.contains(tag)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
