//! Devices that pushes go to (chat §6.11, §11.9).

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, keyspace::DEVICE, rows};

/// The most devices of a user; a new one takes the place of the oldest.
pub const DEVICES_MAX: usize = 25;
/// The longest id of a device, in bytes.
pub const DEVICE_ID_BYTES_MAX: usize = 512;
/// Who can carry a push.
pub const PROVIDERS: [&str; 4] = ["apn", "firebase", "huawei", "xiaomi"];

/// A device of a user.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Device {
    /// Who carries pushes to it.
    #[n(0)]
    pub push_provider: String,
    /// Which of the app's configurations of that provider.
    #[n(1)]
    pub push_provider_name: Option<String>,
    /// The machine, whatever the app on it.
    #[n(2)]
    pub hardware_id: Option<String>,
    /// Whether it rings.
    #[n(3)]
    pub is_voip: bool,
    /// Since when it is known.
    #[n(4)]
    pub created_at: Timestamp,
    /// Why nothing is sent to it any more.
    #[n(5)]
    pub disabled_reason: Option<String>,
}

/// Notes a device of `user`; one that is known stays as it is.
///
/// # Errors
/// [`Error::Unfit`] when the id or the provider is none.
pub async fn add(tx: &mut Tx, user: &UserId, id: &str, device: &Device) -> Result<()> {
    if id.is_empty() || id.len() > DEVICE_ID_BYTES_MAX {
        return Err(Error::Unfit(format!("id must have 1 to {DEVICE_ID_BYTES_MAX} bytes")));
    }
    if !PROVIDERS.contains(&device.push_provider.as_str()) {
        return Err(Error::Unfit(format!("push_provider must be one of {}", PROVIDERS.join(", "))));
    }
    let known = list(tx, user).await?;
    if known.iter().any(|(known, _)| known == id) {
        return Ok(());
    }
    let tenant = tx.tenant();
    if known.len() >= DEVICES_MAX
        && let Some((oldest, _)) = known.first()
    {
        DEVICE.delete(tx, tenant, &(user.to_string(), oldest.clone()));
    }
    DEVICE.put(tx, tenant, &(user.to_string(), id.to_owned()), device);
    Ok(())
}

/// The devices of `user`, the oldest first.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, user: &UserId) -> Result<Vec<(String, Device)>> {
    let range = DEVICE.prefix(tx.tenant(), &user.to_string());
    let rows = rows::list(tx, &DEVICE, range, DEVICES_MAX).await?;
    let mut devices: Vec<_> = rows.into_iter().map(|((_, id), device)| (id, device)).collect();
    devices.sort_by(|(a, left), (b, right)| (left.created_at, a).cmp(&(right.created_at, b)));
    Ok(devices)
}

/// Forgets a device; one that is not known is forgotten already.
pub fn remove(tx: &mut Tx, user: &UserId, id: &str) {
    let tenant = tx.tenant();
    DEVICE.delete(tx, tenant, &(user.to_string(), id.to_owned()));
}
