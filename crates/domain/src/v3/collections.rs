//! Collections of feeds v3: the application's own things, which activities refer to as `name:id` (feeds-v3 §3.7).
//!
//! An entry that was deleted with its owner's feed data but softly is kept where nobody reads it; its name is free.

use std::{borrow::Cow, fmt};

use ids::{Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use super::query::{LOOKED_AT_MAX, Query};
use crate::{
    Error, Result, Tx,
    filter::{self, Field, Kind, Row, Schema, Value},
    keyspace::{V3_COLLECTED, V3_COLLECTION},
    rows,
};

/// The most entries of one request.
pub const BATCH_MAX: usize = 100;
/// The longest name of a collection and the longest id in it, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// The most bytes of an entry's own fields; a hundred of them fit into one transaction.
pub const CUSTOM_BYTES_MAX: usize = 8 * 1024;
/// The order of a query that names none.
pub const SORT: &[&str] = &["-created_at"];

/// What a query of collections names; other names are the application's own fields.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("name", Kind::Text),
        Field::new("id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: true,
};

/// An entry of a collection.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Collection {
    /// The application's own fields: a JSON object, as it was sent.
    #[n(0)]
    pub custom: String,
    /// Whose it is; nobody's, if the app's own server made it without naming anybody.
    #[n(1)]
    pub user: Option<UserId>,
    /// Since when.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(3)]
    pub updated_at: Timestamp,
    /// When it was deleted with the feed data of its owner.
    #[n(4)]
    pub deleted_at: Option<Timestamp>,
}

impl Collection {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// Names an entry: the collection, and the id in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ref {
    /// The collection.
    pub name: String,
    /// The id in it.
    pub id: String,
}

impl Ref {
    /// Checks both parts.
    ///
    /// # Errors
    /// [`Error::Unfit`] when one is empty, too long, has a comma or a control character, or the name has a colon.
    pub fn new(name: &str, id: &str) -> Result<Self> {
        for (what, part) in [("name", name), ("id", id)] {
            let is_fit = !part.chars().any(|c| c == ',' || c.is_control() || (c == ':' && what == "name"));
            if part.is_empty() || part.len() > NAME_BYTES_MAX || !is_fit {
                return Err(Error::Unfit(format!(
                    "{what} must have 1 to {NAME_BYTES_MAX} bytes, no comma and no control character, a name no colon"
                )));
            }
        }
        Ok(Ref { name: name.to_owned(), id: id.to_owned() })
    }

    /// Reads `name:id`.
    ///
    /// # Errors
    /// As [`Ref::new`], and when there is no colon.
    pub fn parse(text: &str) -> Result<Self> {
        let parts = text.split_once(':');
        let (name, id) = parts.ok_or_else(|| Error::Unfit("collection_refs must be of the form name:id".to_owned()))?;
        Self::new(name, id)
    }

    fn key(&self) -> (String, String) {
        (self.name.clone(), self.id.clone())
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.id)
    }
}

/// An entry with its name.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// The name.
    pub of: Ref,
    /// The entry.
    pub collection: Collection,
    custom: Object,
}

impl Named {
    fn new(of: Ref, collection: Collection) -> Self {
        Named { of, custom: collection.custom(), collection }
    }

    /// The application's own fields.
    pub fn custom(&self) -> &Object {
        &self.custom
    }
}

impl Row for Named {
    fn id(&self) -> Cow<'_, str> {
        Cow::Owned(self.of.to_string())
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "name" => Value::text(&self.of.name),
            "id" => Value::text(&self.of.id),
            "user_id" => Value::maybe_text(self.collection.user.as_ref().map(UserId::as_str)),
            "created_at" => Value::Time(self.collection.created_at),
            "updated_at" => Value::Time(self.collection.updated_at),
            _ => filter::custom(&self.custom, field),
        }
    }
}

/// An entry as a caller describes it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub of: Ref,
    /// The application's own fields, at least one.
    pub custom: Object,
    /// See [`Collection::user`].
    pub user: Option<UserId>,
}

/// The entry `of`, unless it was deleted.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, of: &Ref) -> Result<Option<Named>> {
    let tenant = tx.tenant();
    let stored = V3_COLLECTION.get(tx, tenant, &of.key()).await?;
    Ok(stored.filter(|stored| stored.deleted_at.is_none()).map(|stored| Named::new(of.clone(), stored)))
}

/// Those of the entries `refs` that are there, in their order.
///
/// # Errors
/// When the store fails.
pub async fn get_many(tx: &mut Tx, refs: &[Ref]) -> Result<Vec<Named>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = refs.iter().map(Ref::key).collect();
    let stored = V3_COLLECTION.get_many(tx, tenant, &keys).await?;
    let shown = |(of, stored): (&Ref, Option<Collection>)| {
        let stored = stored.filter(|stored| stored.deleted_at.is_none())?;
        Some(Named::new(of.clone(), stored))
    };
    Ok(refs.iter().zip(stored).filter_map(shown).collect())
}

/// Adds entries; of several with one name the last counts.
///
/// # Errors
/// [`Error::Taken`] when one is there; [`Error::Unfit`] when one has no own fields, [`Error::TooBig`] when too many.
pub async fn create(tx: &mut Tx, drafts: &[Draft], now: Timestamp) -> Result<Vec<Named>> {
    let drafts = without_duplicates(drafts);
    for draft in &drafts {
        check(&draft.custom)?;
        if get(tx, &draft.of).await?.is_some() {
            return Err(Error::Taken(format!("collection `{}` exists already", draft.of)));
        }
    }
    let mut created = Vec::with_capacity(drafts.len());
    for draft in drafts {
        created.push(put_new(tx, draft, now).await?);
    }
    Ok(created)
}

/// Adds entries, or replaces the own fields of those that are there; `by` a user only if they are the user's.
///
/// # Errors
/// [`Error::NotAllowed`] when one is another's, and as [`create`] for the own fields.
pub async fn upsert(tx: &mut Tx, drafts: &[Draft], by: Option<&UserId>, now: Timestamp) -> Result<Vec<Named>> {
    let drafts = without_duplicates(drafts);
    let mut stored = Vec::with_capacity(drafts.len());
    for draft in &drafts {
        check(&draft.custom)?;
        let known = get(tx, &draft.of).await?;
        if let Some(known) = &known {
            check_own(known, by)?;
        }
        stored.push(known);
    }
    let mut all = Vec::with_capacity(drafts.len());
    for (draft, known) in drafts.into_iter().zip(stored) {
        all.push(match known {
            Some(known) => put_changed(tx, known, &draft.custom, now),
            None => put_new(tx, draft, now).await?,
        });
    }
    Ok(all)
}

/// Replaces the own fields of entries; `by` a user only if they are the user's.
///
/// # Errors
/// [`Error::Absent`] when one is not there; [`Error::NotAllowed`] when it is another's; and as [`create`] for the fields.
pub async fn update(tx: &mut Tx, changes: &[(Ref, Object)], by: Option<&UserId>, now: Timestamp) -> Result<Vec<Named>> {
    let mut stored: Vec<(Named, &Object)> = Vec::with_capacity(changes.len());
    for (of, custom) in changes {
        check(custom)?;
        let known = get(tx, of).await?.ok_or_else(|| absent(of))?;
        check_own(&known, by)?;
        stored.retain(|(other, _)| other.of != *of);
        stored.push((known, custom));
    }
    Ok(stored.into_iter().map(|(known, custom)| put_changed(tx, known, custom, now)).collect())
}

/// Removes entries; one that is not there is no error. `by` a user only if they are the user's.
///
/// # Errors
/// [`Error::NotAllowed`] when one is another's, and then nothing is removed.
pub async fn delete(tx: &mut Tx, refs: &[Ref], by: Option<&UserId>) -> Result<()> {
    let known = get_many(tx, refs).await?;
    for known in &known {
        check_own(known, by)?;
    }
    for known in known {
        forget(tx, &known.of, known.collection.user.as_ref());
    }
    Ok(())
}

/// A page of those that fit, of `owner` alone if one is given.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, owner: Option<&UserId>, query: &Query) -> Result<filter::Page<Named>> {
    let mut found = Vec::new();
    let users: Option<Vec<String>> = match (owner, query.filter.only("user_id")) {
        (Some(owner), _) => Some(vec![owner.to_string()]),
        (None, only) => only.map(|users| users.into_iter().map(str::to_owned).collect()),
    };
    match (users, query.filter.only("name")) {
        (Some(users), _) => {
            for user in users {
                found.extend(of_user(tx, &user, LOOKED_AT_MAX).await?);
            }
        }
        (None, Some(names)) => {
            for name in names {
                found.extend(listed(tx, Some(name)).await?);
            }
        }
        (None, None) => found = listed(tx, None).await?,
    }
    Ok(query.page(found))
}

/// What `user` owns, at most `max` entries.
///
/// # Errors
/// When the store fails.
pub async fn of_user(tx: &mut Tx, user: &str, max: usize) -> Result<Vec<Named>> {
    let range = V3_COLLECTED.prefix(tx.tenant(), &user.to_owned());
    let rows = rows::list(tx, &V3_COLLECTED, range, max).await?;
    let refs: Vec<Ref> = rows.into_iter().map(|((_, name, id), ())| Ref { name, id }).collect();
    get_many(tx, &refs).await
}

async fn listed(tx: &mut Tx, name: Option<&str>) -> Result<Vec<Named>> {
    let tenant = tx.tenant();
    let range = match name {
        Some(name) => V3_COLLECTION.prefix(tenant, &name.to_owned()),
        None => V3_COLLECTION.range(tenant),
    };
    let rows = rows::list(tx, &V3_COLLECTION, range, LOOKED_AT_MAX).await?;
    let live = rows.into_iter().filter(|(_, collection)| collection.deleted_at.is_none());
    Ok(live.map(|((name, id), collection)| Named::new(Ref { name, id }, collection)).collect())
}

/// Deletes an entry with the feed data of its owner `user`: softly, it is kept where nobody reads it.
pub(crate) async fn erase(tx: &mut Tx, of: &Ref, user: &UserId, soft: Option<Timestamp>) -> Result<bool> {
    let tenant = tx.tenant();
    let Some(stored) = V3_COLLECTION.get(tx, tenant, &of.key()).await? else {
        V3_COLLECTED.delete(tx, tenant, &(user.to_string(), of.name.clone(), of.id.clone()));
        return Ok(false);
    };
    match soft {
        None => forget(tx, of, Some(user)),
        Some(_) if stored.deleted_at.is_some() => return Ok(false),
        Some(_) => V3_COLLECTION.put(tx, tenant, &of.key(), &Collection { deleted_at: soft, ..stored }),
    }
    Ok(true)
}

/// The entries in their order, of several with one name the last.
fn without_duplicates(drafts: &[Draft]) -> Vec<&Draft> {
    let is_last = |at: usize, draft: &Draft| drafts[at + 1..].iter().all(|later| later.of != draft.of);
    drafts.iter().enumerate().filter(|(at, draft)| is_last(*at, draft)).map(|(_, draft)| draft).collect()
}

fn check(custom: &Object) -> Result<()> {
    if custom.is_empty() {
        return Err(Error::Unfit("custom is a required field with at least one key".to_owned()));
    }
    match custom.to_string().len() > CUSTOM_BYTES_MAX {
        true => Err(Error::TooBig(format!("custom of a collection has at most {CUSTOM_BYTES_MAX} bytes"))),
        false => Ok(()),
    }
}

fn check_own(known: &Named, by: Option<&UserId>) -> Result<()> {
    match by {
        Some(_) if known.collection.user.as_ref() != by => {
            Err(Error::NotAllowed(format!("collection `{}` is somebody else's", known.of)))
        }
        _ => Ok(()),
    }
}

fn absent(of: &Ref) -> Error {
    Error::Absent(format!("collection `{of}` not found"))
}

/// Stores a new entry. One that was deleted softly makes way.
async fn put_new(tx: &mut Tx, draft: &Draft, now: Timestamp) -> Result<Named> {
    let tenant = tx.tenant();
    if let Some(before) = V3_COLLECTION.get(tx, tenant, &draft.of.key()).await? {
        forget(tx, &draft.of, before.user.as_ref());
    }
    let collection = Collection {
        custom: draft.custom.to_string(),
        user: draft.user.clone(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    V3_COLLECTION.put(tx, tenant, &draft.of.key(), &collection);
    if let Some(user) = &draft.user {
        V3_COLLECTED.put(tx, tenant, &(user.to_string(), draft.of.name.clone(), draft.of.id.clone()), &());
    }
    Ok(Named::new(draft.of.clone(), collection))
}

fn put_changed(tx: &mut Tx, known: Named, custom: &Object, now: Timestamp) -> Named {
    let tenant = tx.tenant();
    let collection = Collection { custom: custom.to_string(), updated_at: now, ..known.collection };
    V3_COLLECTION.put(tx, tenant, &known.of.key(), &collection);
    Named::new(known.of, collection)
}

fn forget(tx: &mut Tx, of: &Ref, user: Option<&UserId>) {
    let tenant = tx.tenant();
    V3_COLLECTION.delete(tx, tenant, &of.key());
    if let Some(user) = user {
        V3_COLLECTED.delete(tx, tenant, &(user.to_string(), of.name.clone(), of.id.clone()));
    }
}

#[cfg(test)]
mod tests;
