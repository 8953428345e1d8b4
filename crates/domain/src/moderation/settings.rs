//! What dashboards of moderation keep here (v2 §6.4, §6.5): named queues, buttons, templates, and how far somebody came with
//! setting it up. Nothing of it changes what happens to content.

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, keyspace::MODERATION_SETTING, rows};

/// The most settings of a kind.
pub const SETTINGS_MAX: usize = 500;
/// The most bytes of one.
pub const SETTING_BYTES_MAX: usize = 32 * 1024;

/// What kind of setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A button of a dashboard.
    Action,
    /// A queue: a name for a filter and a sort of the review queue.
    Queue,
    /// A template for the policies of feeds.
    Template,
    /// How far the setting up is.
    Setup,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Kind::Action => "action",
            Kind::Queue => "queue",
            Kind::Template => "template",
            Kind::Setup => "setup",
        }
    }
}

/// A setting.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Setting {
    /// What it says: a JSON object.
    #[n(0)]
    pub json: String,
    /// Who made it.
    #[n(1)]
    pub created_by: Option<UserId>,
    /// Since when there is it.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(3)]
    pub updated_at: Timestamp,
}

/// Keeps a setting, instead of the one with this id; whoever made that stays its maker.
///
/// # Errors
/// [`Error::TooBig`] when it is, [`Error::Unfit`] when there are too many.
pub async fn put(
    tx: &mut Tx,
    (kind, id): (Kind, &str),
    json: &str,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Setting> {
    if json.len() > SETTING_BYTES_MAX {
        return Err(Error::TooBig(format!("a setting of moderation has at most {SETTING_BYTES_MAX} bytes")));
    }
    let before = get(tx, kind, id).await?;
    if before.is_none() && list(tx, kind).await?.len() >= SETTINGS_MAX {
        return Err(Error::Unfit(format!("an app has at most {SETTINGS_MAX} of these")));
    }
    let fresh = Setting { json: String::new(), created_by: by.cloned(), created_at: now, updated_at: now };
    let setting = Setting { json: json.to_owned(), updated_at: now, ..before.unwrap_or(fresh) };
    let tenant = tx.tenant();
    MODERATION_SETTING.put(tx, tenant, &(kind.key().to_owned(), id.to_owned()), &setting);
    Ok(setting)
}

/// A setting.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, kind: Kind, id: &str) -> Result<Option<Setting>> {
    let tenant = tx.tenant();
    Ok(MODERATION_SETTING.get(tx, tenant, &(kind.key().to_owned(), id.to_owned())).await?)
}

/// Removes a setting; answers it, if there was one.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, kind: Kind, id: &str) -> Result<Option<Setting>> {
    let known = get(tx, kind, id).await?;
    let tenant = tx.tenant();
    MODERATION_SETTING.delete(tx, tenant, &(kind.key().to_owned(), id.to_owned()));
    Ok(known)
}

/// All settings of a kind, by their ids.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, kind: Kind) -> Result<Vec<(String, Setting)>> {
    let range = MODERATION_SETTING.prefix(tx.tenant(), &(kind.key().to_owned(),));
    let rows = rows::list(tx, &MODERATION_SETTING, range, SETTINGS_MAX).await?;
    Ok(rows.into_iter().map(|((_, id), setting)| (id, setting)).collect())
}
