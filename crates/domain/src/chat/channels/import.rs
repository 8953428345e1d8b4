//! Channels as a file brings them (chat §11.12): nobody is told.

use ids::{ChannelId, Timestamp, UserId};

use super::{Channel, Details};
use crate::{
    Error, Result, Tx,
    chat::{
        imports::{Outcome, Terms, absent},
        types,
    },
    keyspace::{CHANNEL, Chat},
    users,
};

/// A channel as a file has it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Which.
    pub id: ChannelId,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// Its settings.
    pub details: Details,
    /// Since when there is it; since the import, if absent.
    pub created_at: Option<Timestamp>,
    /// When a field was last changed.
    pub updated_at: Option<Timestamp>,
    /// Messages up to this moment are hidden.
    pub truncated_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// Stores a channel. One that was deleted here stays deleted.
///
/// # Errors
/// [`Error::Unfit`] without its type or its maker, and for settings that do not fit.
pub async fn import(tx: &mut Tx, given: &Imported, terms: Terms, now: Timestamp) -> Result<Outcome> {
    let (tenant, key) = (tx.tenant(), Chat(given.id.clone()));
    let known = CHANNEL.get(tx, tenant, &key).await?;
    if known.is_some() && !terms.replaces {
        return Ok(Outcome::Skipped);
    }
    if known.as_ref().is_some_and(|channel| channel.deleted_at.is_some()) {
        return Err(Error::Unfit("id: the channel was deleted here".to_owned()));
    }
    types::load(tx, given.id.kind()).await?;
    if let Some(maker) = &given.created_by {
        users::get(tx, maker).await?.ok_or_else(|| absent("created_by", "user"))?;
    } else if known.is_none() {
        return Err(Error::Unfit("created_by is a required field".to_owned()));
    }
    given.details.check()?;
    let outcome = if known.is_some() { Outcome::Updated } else { Outcome::Inserted };
    let mut channel = known.unwrap_or_else(|| Channel::new(None, now));
    given.details.apply(&mut channel);
    channel.custom = terms.custom(channel.custom(), &given.details.custom).to_string();
    channel.created_by = given.created_by.clone().or(channel.created_by);
    channel.created_at = given.created_at.unwrap_or(channel.created_at);
    let said_at = given.updated_at.or(given.created_at.filter(|_| outcome == Outcome::Inserted));
    channel.updated_at = said_at.unwrap_or(now);
    channel.truncated_at = given.truncated_at.or(channel.truncated_at);
    channel.deleted_at = given.deleted_at;
    CHANNEL.put(tx, tenant, &key, &channel);
    Ok(outcome)
}
