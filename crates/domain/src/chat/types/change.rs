//! Making, changing and removing channel types (chat §11.2).

use ids::{Timestamp, json::Object};
use store::{Direction, Limit};

use super::{BUILT_IN, ChannelType, Grants};
use crate::{
    Error, Result, Tx,
    chat::commands,
    keyspace::{CHANNEL, CHANNEL_TYPE},
};

/// The most bytes of a list of them.
const LIST_BYTES_MAX: usize = 16 << 20;
/// The most types of an app.
const TYPES_MAX: usize = 50;
/// The most roles that a type grants something.
const ROLES_MAX: usize = 50;
/// The most permissions of one role.
const GRANTS_MAX: usize = 200;

/// What is said of a type; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Settings by the API's names.
    pub settings: Object,
    /// What becomes of the grants.
    pub grants: Regrant,
    /// Grants of an older kind: a JSON list.
    pub permissions: Option<String>,
}

/// What becomes of grants.
#[derive(Clone, Debug, Default)]
pub enum Regrant {
    /// They stay.
    #[default]
    Keep,
    /// All are as they were before anybody changed them.
    Reset,
    /// These roles are granted this.
    Replace(Grants),
}

impl Regrant {
    /// Applies it to what was changed before.
    ///
    /// # Errors
    /// [`Error::Unfit`] when there are too many.
    pub fn apply(&self, changed: &mut Grants) -> Result<()> {
        match self {
            Regrant::Keep => {}
            Regrant::Reset => changed.clear(),
            Regrant::Replace(roles) => changed.extend(roles.clone()),
        }
        match changed.len() > ROLES_MAX || changed.values().any(|ids| ids.len() > GRANTS_MAX) {
            true => {
                Err(Error::Unfit(format!("grants hold at most {ROLES_MAX} roles with {GRANTS_MAX} permissions each")))
            }
            false => Ok(()),
        }
    }
}

/// Makes the type `name`.
///
/// # Errors
/// [`Error::Unfit`] when there is one, when there are too many, or when a value is not what its name asks for.
pub async fn create(tx: &mut Tx, name: &str, change: &Change, now: Timestamp) -> Result<ChannelType> {
    if super::get(tx, name).await?.is_some() {
        return Err(Error::Unfit(format!("channel type \"{name}\" already exists")));
    }
    if list(tx).await?.len() >= TYPES_MAX {
        return Err(Error::Unfit(format!("an app has at most {TYPES_MAX} channel types")));
    }
    put(tx, ChannelType::new(name, now), change, now).await
}

/// Changes the type `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when a value is not what its name asks for.
pub async fn update(tx: &mut Tx, name: &str, change: &Change, now: Timestamp) -> Result<ChannelType> {
    let kind = super::load(tx, name).await?;
    put(tx, kind, change, now).await
}

async fn put(tx: &mut Tx, mut kind: ChannelType, change: &Change, now: Timestamp) -> Result<ChannelType> {
    kind.config = kind.config.changed(change.settings.iter())?;
    change.grants.apply(&mut kind.changed_grants)?;
    kind.permissions = change.permissions.clone().unwrap_or(kind.permissions);
    kind.updated_at = now;
    for command in &kind.config.commands {
        commands::load(tx, command).await.map_err(|error| Error::Unfit(error.to_string()))?;
    }
    let tenant = tx.tenant();
    CHANNEL_TYPE.put(tx, tenant, &kind.name, &kind);
    Ok(kind)
}

/// Removes the type `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when it is built in or has channels.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<()> {
    super::load(tx, name).await?;
    if BUILT_IN.contains(&name) {
        return Err(Error::Unfit(format!("channel type \"{name}\" is built in and cannot be deleted")));
    }
    if has_channels(tx, name).await? {
        return Err(Error::Unfit(format!("channel type \"{name}\" has channels; delete them first")));
    }
    let tenant = tx.tenant();
    CHANNEL_TYPE.delete(tx, tenant, &name.to_owned());
    Ok(())
}

/// Whether a channel of this type is there and not deleted.
async fn has_channels(tx: &mut Tx, name: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = CHANNEL.prefix(tenant, &name.to_owned());
    loop {
        let page = CHANNEL.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if page.rows.iter().any(|(_, channel)| channel.deleted_at.is_none()) {
            return Ok(true);
        }
        match page.rows.last() {
            Some((last, _)) if page.more => range.start = CHANNEL.after(tenant, last).start,
            _ => return Ok(false),
        }
    }
}

/// Every type of the app, the built-in ones among them, by name.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<ChannelType>> {
    let tenant = tx.tenant();
    let limit = Limit { rows: TYPES_MAX + BUILT_IN.len(), bytes: LIST_BYTES_MAX };
    let stored = CHANNEL_TYPE.scan(tx, tenant, CHANNEL_TYPE.range(tenant), Direction::Forward, limit).await?.rows;
    let mut kinds: Vec<ChannelType> = stored.into_iter().map(|(_, kind)| kind).collect();
    let is_stored = |name: &&str| kinds.iter().any(|kind| kind.name == *name);
    let others: Vec<_> =
        BUILT_IN.into_iter().filter(|name| !is_stored(name)).filter_map(ChannelType::built_in).collect();
    kinds.extend(others);
    kinds.sort_by(|a, b| a.name.cmp(&b.name));
    let rules = tx.app.settings.rules();
    kinds.iter_mut().for_each(|kind| kind.rules = rules);
    Ok(kinds)
}
