//! How content is to be moderated, as the application said (v2 §6.4): kept and told again, section by section.

use ids::{Timestamp, json::Object};
use minicbor::{Decode, Encode};

use super::checks;
use crate::{Error, Result, Tx, keyspace::MODERATION_CONFIG, rows};

/// The most configurations of an app.
pub const CONFIGS_MAX: usize = 1000;
/// The most bytes of one.
pub const CONFIG_BYTES_MAX: usize = 64 * 1024;

/// A configuration.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Config {
    /// Its sections, as they were sent: a JSON object.
    #[n(0)]
    pub sections: String,
    /// Whether content is shown before it was looked at.
    #[n(1)]
    pub is_async: bool,
    /// Since when there is it.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last set.
    #[n(3)]
    pub updated_at: Timestamp,
}

/// Sets the configuration `key` of `team`; empty for no team.
///
/// # Errors
/// [`Error::TooBig`] when it is, [`Error::Unfit`] when there are too many, or when a section that this server runs asks for
/// what cannot be done.
pub async fn upsert(
    tx: &mut Tx,
    (key, team): (&str, &str),
    sections: &Object,
    is_async: bool,
    now: Timestamp,
) -> Result<Config> {
    checks::check_sections(sections)?;
    let sections = sections.to_string();
    if sections.len() > CONFIG_BYTES_MAX {
        return Err(Error::TooBig(format!("a configuration has at most {CONFIG_BYTES_MAX} bytes")));
    }
    let before = get(tx, key, team).await?;
    if before.is_none() && list(tx).await?.len() >= CONFIGS_MAX {
        return Err(Error::Unfit(format!("an app has at most {CONFIGS_MAX} moderation configurations")));
    }
    let created_at = before.map_or(now, |before| before.created_at);
    let config = Config { sections, is_async, created_at, updated_at: now };
    let tenant = tx.tenant();
    MODERATION_CONFIG.put(tx, tenant, &(key.to_owned(), team.to_owned()), &config);
    Ok(config)
}

/// The configuration `key` of `team`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, key: &str, team: &str) -> Result<Option<Config>> {
    let tenant = tx.tenant();
    Ok(MODERATION_CONFIG.get(tx, tenant, &(key.to_owned(), team.to_owned())).await?)
}

/// Removes it; one that is not there is removed already.
pub fn remove(tx: &mut Tx, key: &str, team: &str) {
    let tenant = tx.tenant();
    MODERATION_CONFIG.delete(tx, tenant, &(key.to_owned(), team.to_owned()));
}

/// All of them, with key and team.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<((String, String), Config)>> {
    let range = MODERATION_CONFIG.range(tx.tenant());
    rows::list(tx, &MODERATION_CONFIG, range, CONFIGS_MAX).await
}
