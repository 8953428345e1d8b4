//! Named ways to tell devices (chat §11.9).

use ids::Timestamp;
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, keyspace::PUSH_PROVIDER, rows, users::devices};

/// The most providers of an app.
pub const PROVIDERS_MAX: usize = 25;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// A named way to tell devices.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Provider {
    /// Names it inside the server; another one of the same name later has another.
    #[n(0)]
    pub internal_id: String,
    /// Since when there is it.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(2)]
    pub updated_at: Timestamp,
    /// Since when it is switched off.
    #[n(3)]
    pub disabled_at: Option<Timestamp>,
    /// Everything else by the API's names: a JSON object whose secrets are sealed.
    #[n(4)]
    pub details: String,
}

/// The kind of a provider, and its name.
pub type Name = (String, String);

/// Puts a provider in, or changes the one of this name: what is given replaces what was said before.
///
/// # Errors
/// [`Error::Unfit`] for an unknown kind, a name that is none, and one provider too many.
pub async fn put(
    tx: &mut Tx,
    name: &Name,
    details: &str,
    disabled_at: Option<Timestamp>,
    fresh: (&str, Timestamp),
) -> Result<Provider> {
    check_kind(&name.0)?;
    if name.1.is_empty() || name.1.len() > NAME_BYTES_MAX {
        return Err(Error::Unfit(format!("push_provider.name must have 1 to {NAME_BYTES_MAX} bytes")));
    }
    let (tenant, (internal_id, now)) = (tx.tenant(), fresh);
    let before = PUSH_PROVIDER.get(tx, tenant, name).await?;
    if before.is_none() && list(tx).await?.len() >= PROVIDERS_MAX {
        return Err(Error::Unfit(format!("an app has at most {PROVIDERS_MAX} push providers")));
    }
    let provider = Provider {
        internal_id: before.as_ref().map_or(internal_id, |before| &before.internal_id).to_owned(),
        created_at: before.as_ref().map_or(now, |before| before.created_at),
        updated_at: now,
        disabled_at,
        details: details.to_owned(),
    };
    PUSH_PROVIDER.put(tx, tenant, name, &provider);
    Ok(provider)
}

/// Checks the kind of a provider.
///
/// # Errors
/// [`Error::Unfit`] when it is none.
pub fn check_kind(kind: &str) -> Result<()> {
    let kinds = devices::PROVIDERS;
    match kinds.contains(&kind) {
        true => Ok(()),
        false => Err(Error::Unfit(format!("push provider type must be one of {}", kinds.join(", ")))),
    }
}

/// The provider `name`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, name: &Name) -> Result<Option<Provider>> {
    let tenant = tx.tenant();
    Ok(PUSH_PROVIDER.get(tx, tenant, name).await?)
}

/// All providers, by kind and name.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<(Name, Provider)>> {
    let range = PUSH_PROVIDER.range(tx.tenant());
    rows::list(tx, &PUSH_PROVIDER, range, PROVIDERS_MAX).await
}

/// The provider that a call means: the one of this kind and name, or the first of the kind if it gives no name.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, kind: &str, name: Option<&str>) -> Result<(Name, Provider)> {
    check_kind(kind)?;
    let mut known = list(tx).await?.into_iter().filter(|((of, _), _)| of == kind);
    let found = known.find(|((_, of), _)| name.is_none_or(|name| name == of));
    found.ok_or_else(|| match name {
        Some(name) => Error::Absent(format!("there is no push provider {kind} with name {name}")),
        None => Error::Absent(format!("no push providers configured for {kind}")),
    })
}

/// Removes the provider `name` with its templates. Devices keep naming it.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn remove(tx: &mut Tx, name: &Name) -> Result<()> {
    let (of, _) = load(tx, &name.0, Some(&name.1)).await?;
    let tenant = tx.tenant();
    PUSH_PROVIDER.delete(tx, tenant, &of);
    super::templates::clear(tx, &of).await
}

/// Checks that a device may name the provider `name`: where the app has providers of this kind, it is one of them.
///
/// # Errors
/// [`Error::Unfit`] otherwise.
pub async fn check_device(tx: &mut Tx, kind: &str, name: &str) -> Result<()> {
    let known = list(tx).await?;
    let mut of_kind = known.iter().filter(|((of, _), _)| of == kind).peekable();
    match of_kind.peek().is_none() || of_kind.any(|((_, of), _)| of == name) {
        true => Ok(()),
        false => Err(Error::Unfit(format!("push_provider_name: there is no push provider {kind} with name {name}"))),
    }
}
