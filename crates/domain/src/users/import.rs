//! Users, their mutes and their devices as a file brings them (chat §11.12): nobody is told.

use ids::{ChannelId, Timestamp, UserId};

use super::{
    CUSTOM_BYTES_MAX, Profile, User,
    devices::{self, DEVICES_MAX, Device},
    get,
    mutes::{self, MUTES_MAX, Mute},
    names, put,
};
use crate::{
    Error, Result, Tx,
    chat::{
        channels,
        imports::{Outcome, Terms, absent},
        push::preferences::{self, Change, Preference},
    },
    erasure::list,
    keyspace::{CHANNEL_MUTE, Chat, MUTE, MUTED},
};

/// A user as a file has it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Who.
    pub id: UserId,
    /// By which hash the list of erasures would name the user.
    pub hash: String,
    /// What is said of the user.
    pub profile: Profile,
    /// Since when there is the user; since the import, if absent.
    pub created_at: Option<Timestamp>,
    /// When a field was last changed.
    pub updated_at: Option<Timestamp>,
    /// Since when the user cannot connect.
    pub deactivated_at: Option<Timestamp>,
    /// When the user was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Whether nothing is pushed to the user's devices.
    pub is_push_disabled: Option<bool>,
    /// Whom the user mutes.
    pub mutes: Vec<UserId>,
    /// Which channels the user mutes.
    pub channel_mutes: Vec<ChannelId>,
}

impl Imported {
    /// Whether there is something that needs other users and channels to be there.
    pub fn has_mutes(&self) -> bool {
        !self.mutes.is_empty() || !self.channel_mutes.is_empty()
    }
}

/// Stores a user; not the mutes, which [`import_mutes`] stores when all are there.
///
/// # Errors
/// [`Error::Unfit`] for a user who was deleted or erased here, and for fields that do not fit.
pub async fn import(tx: &mut Tx, given: &Imported, terms: Terms, now: Timestamp) -> Result<Outcome> {
    let known = get(tx, &given.id).await?;
    if known.as_ref().is_some_and(|user| user.deleted_at.is_some()) {
        return Err(Error::Unfit("id: the user was deleted here".to_owned()));
    }
    if known.is_none() && list::is_listed(tx, &given.hash).await? {
        return Err(Error::Unfit("id: the user was erased here".to_owned()));
    }
    if known.is_some() && !terms.replaces {
        return Ok(Outcome::Skipped);
    }
    let before = known.as_ref().and_then(|user| user.name.clone());
    let outcome = if known.is_some() { Outcome::Updated } else { Outcome::Inserted };
    let mut user = known.unwrap_or_else(|| User::new(given.created_at.unwrap_or(now)));
    given.profile.apply(&mut user)?;
    user.custom = terms.custom(user.custom(), &given.profile.custom).to_string();
    if user.custom.len() > CUSTOM_BYTES_MAX {
        return Err(Error::TooBig(format!("a user has at most {CUSTOM_BYTES_MAX} bytes of own fields")));
    }
    user.created_at = given.created_at.unwrap_or(user.created_at);
    let said_at = given.updated_at.or(given.created_at.filter(|_| outcome == Outcome::Inserted));
    user.updated_at = said_at.unwrap_or(now);
    user.deactivated_at = given.deactivated_at.or(user.deactivated_at);
    user.deleted_at = given.deleted_at;
    names::note(tx, &given.id, before.as_deref(), &user).await?;
    put(tx, &given.id, &user);
    Ok(outcome)
}

/// Stores whom and which channels a user mutes, and whether anything is pushed; what is known stays.
///
/// # Errors
/// [`Error::Unfit`] when one of them is not there.
pub async fn import_mutes(tx: &mut Tx, given: &Imported, now: Timestamp) -> Result<()> {
    let user = get(tx, &given.id).await?.ok_or_else(|| absent("id", "user"))?;
    if given.mutes.contains(&given.id) || given.mutes.len() > MUTES_MAX || given.channel_mutes.len() > MUTES_MAX {
        return Err(Error::Unfit(format!("user_mutes, channel_mutes: at most {MUTES_MAX}, and not the user itself")));
    }
    for target in &given.mutes {
        get(tx, target).await?.ok_or_else(|| absent("user_mutes", "user"))?;
    }
    for channel in &given.channel_mutes {
        channels::get(tx, channel).await?.ok_or_else(|| absent("channel_mutes", "channel"))?;
    }
    let known = mutes::list(tx, &given.id, now).await?;
    if known.len() + given.mutes.len() > MUTES_MAX {
        return Err(Error::Unfit(format!("user_mutes: a user can mute at most {MUTES_MAX} users")));
    }
    let (tenant, id) = (tx.tenant(), given.id.to_string());
    let mute = Mute { created_at: now, updated_at: now, expires: None };
    for target in given.mutes.iter().filter(|target| !known.iter().any(|(known, _)| known == *target)) {
        MUTE.put(tx, tenant, &(id.clone(), target.to_string()), &mute);
        MUTED.put(tx, tenant, &(target.to_string(), id.clone()), &());
    }
    for channel in &given.channel_mutes {
        let key = (id.clone(), Chat(channel.clone()));
        if !CHANNEL_MUTE.exists(tx, tenant, &key).await? {
            CHANNEL_MUTE.put(tx, tenant, &key, &mute);
        }
    }
    if let (Some(is_disabled), None) = (given.is_push_disabled, user.deleted_at) {
        let chat_level = Some(if is_disabled { "none" } else { "default" }.to_owned());
        let said = Preference { chat_level, ..Preference::default() };
        preferences::set(tx, &Change { user: given.id.clone(), channel: None, said, is_enabled_again: false }).await?;
    }
    Ok(())
}

/// Stores a device; one that is known stays as it is, and none is put out for it.
///
/// # Errors
/// [`Error::Unfit`] when the user is not there or has too many, or the device is none.
pub async fn import_device(tx: &mut Tx, user: &UserId, id: &str, device: &Device) -> Result<Outcome> {
    get(tx, user).await?.filter(|user| user.deleted_at.is_none()).ok_or_else(|| absent("user_id", "user"))?;
    let known = devices::list(tx, user).await?;
    if known.iter().any(|(known, _)| known == id) {
        return Ok(Outcome::Skipped);
    }
    if known.len() >= DEVICES_MAX {
        return Err(Error::Unfit(format!("user_id: a user has at most {DEVICES_MAX} devices")));
    }
    devices::add(tx, user, id, device).await?;
    Ok(Outcome::Inserted)
}
