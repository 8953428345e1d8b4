//! Channel types: what the channels of a type can do, and who may do what in them (chat §6.5, §8, §11.2).

use std::collections::BTreeMap;

use ids::Timestamp;
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, keyspace::CHANNEL_TYPE};

/// The types that every app has (chat §6.5).
pub const BUILT_IN: [&str; 5] = ["messaging", "livestream", "team", "gaming", "commerce"];

/// The settings of a channel type.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct ChannelType {
    /// Role → ids of permissions.
    #[n(0)]
    pub grants: BTreeMap<String, Vec<String>>,
    /// The other settings: a JSON object with the API's names, such as `{"replies":true}`, each of them present.
    #[n(1)]
    pub settings: String,
    /// Since when there is it.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(3)]
    pub updated_at: Timestamp,
}

/// The channel type `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, name: &str) -> Result<ChannelType> {
    let tenant = tx.tenant();
    let stored = CHANNEL_TYPE.get(tx, tenant, &name.to_owned()).await?;
    stored.ok_or_else(|| Error::Absent(format!("channel type \"{name}\" does not exist")))
}
