//! Collections: the application's own things, what `SO:` references stand for (feeds-v1 §5.11).

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, keyspace::ITEM};

/// The longest name of a collection and the longest id in it, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// A thing in a collection.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Item {
    /// A JSON object, as it was sent.
    #[n(0)]
    pub data: String,
    /// Who added it, if a user did.
    #[n(1)]
    pub user: Option<UserId>,
    /// Since when.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(3)]
    pub updated_at: Timestamp,
}

/// Names an item.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Name {
    /// The collection.
    pub collection: String,
    /// The id in it.
    pub id: String,
}

impl Name {
    /// Checks both parts.
    ///
    /// # Errors
    /// [`Error::Unfit`] when a part is empty, too long, or holds anything but letters, digits, `_` and `-`.
    pub fn new(collection: &str, id: &str) -> Result<Self> {
        for (what, part) in [("the collection", collection), ("id", id)] {
            let is_fit = part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if part.is_empty() || part.len() > NAME_BYTES_MAX || !is_fit {
                return Err(Error::Unfit(format!(
                    "{what} may hold letters, digits, `_` and `-` only, 1 to {NAME_BYTES_MAX} bytes"
                )));
            }
        }
        Ok(Name { collection: collection.to_owned(), id: id.to_owned() })
    }

    /// Reads `collection:id`.
    ///
    /// # Errors
    /// As [`Name::new`], and when there is no colon.
    pub fn parse(text: &str) -> Result<Self> {
        let parts = text.split_once(':');
        let (collection, id) = parts.ok_or_else(|| Error::Unfit("must be of the form collection:id".to_owned()))?;
        Self::new(collection, id)
    }

    fn key(&self) -> (String, String) {
        (self.collection.clone(), self.id.clone())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.collection, self.id)
    }
}

/// The item, if it is there.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, name: &Name) -> Result<Option<Item>> {
    let tenant = tx.tenant();
    Ok(ITEM.get(tx, tenant, &name.key()).await?)
}

/// The item.
///
/// # Errors
/// [`Error::Absent`] when it is not there.
pub async fn load(tx: &mut Tx, name: &Name) -> Result<Item> {
    get(tx, name).await?.ok_or_else(|| Error::Absent(format!("`{name}` does not exist")))
}

/// Adds an item.
///
/// # Errors
/// [`Error::Taken`] when it is there.
pub async fn add(tx: &mut Tx, name: &Name, data: &str, user: Option<&UserId>, now: Timestamp) -> Result<Item> {
    if get(tx, name).await?.is_some() {
        return Err(Error::Taken(format!("`{name}` exists already")));
    }
    let item = Item { data: data.to_owned(), user: user.cloned(), created_at: now, updated_at: now };
    put(tx, name, &item);
    Ok(item)
}

/// Adds an item, or replaces its data.
///
/// # Errors
/// When the store fails.
pub async fn upsert(tx: &mut Tx, name: &Name, data: &str, user: Option<&UserId>, now: Timestamp) -> Result<Item> {
    let stored = get(tx, name).await?;
    let item = Item {
        data: data.to_owned(),
        user: user.cloned().or_else(|| stored.as_ref()?.user.clone()),
        created_at: stored.map_or(now, |stored| stored.created_at),
        updated_at: now,
    };
    put(tx, name, &item);
    Ok(item)
}

/// Replaces the data of an item; `by` a user only if that user added it.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`] when it is another's.
pub async fn update(tx: &mut Tx, name: &Name, data: &str, by: Option<&UserId>, now: Timestamp) -> Result<Item> {
    let item = Item { data: data.to_owned(), updated_at: now, ..load_own(tx, name, by).await? };
    put(tx, name, &item);
    Ok(item)
}

/// Removes an item; `by` a user only if that user added it.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`] when it is another's.
pub async fn remove(tx: &mut Tx, name: &Name, by: Option<&UserId>) -> Result<()> {
    load_own(tx, name, by).await?;
    delete(tx, name);
    Ok(())
}

/// Removes an item, if it is there.
pub fn delete(tx: &mut Tx, name: &Name) {
    let tenant = tx.tenant();
    ITEM.delete(tx, tenant, &name.key());
}

async fn load_own(tx: &mut Tx, name: &Name, by: Option<&UserId>) -> Result<Item> {
    let item = load(tx, name).await?;
    match by {
        Some(user) if item.user.as_ref() != Some(user) => {
            Err(Error::NotAllowed(format!("`{name}` was added by somebody else")))
        }
        _ => Ok(item),
    }
}

fn put(tx: &mut Tx, name: &Name, item: &Item) {
    let tenant = tx.tenant();
    ITEM.put(tx, tenant, &name.key(), item);
}
