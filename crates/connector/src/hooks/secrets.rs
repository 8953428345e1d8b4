//! The secrets that events are signed with (§17): during a rotation the old one signs beside the new one, so that a
//! receiver changes over whenever it likes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::Transaction;
use zeroize::Zeroizing;

use super::{Webhook, hooks};
use crate::{
    Connector, Error, Result, Secret,
    audit::{self, Draft},
    error::failed,
    keys::{DataKey, Place, mac},
    keyspace::{HERE, WEBHOOK},
};

const SECOND: i64 = 1_000_000;
const SECRET_BYTES: usize = 32;
/// How long the old secret signs too, unless said otherwise, in seconds: as long as old credentials are kept.
pub const OVERLAP_SECS: u32 = 24 * 3600;
/// The longest, in seconds.
pub const OVERLAP_SECS_MAX: u32 = 30 * 24 * 3600;

/// A secret that was replaced.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(super) struct Old {
    #[cbor(n(0), with = "minicbor::bytes")]
    sealed_secret: Vec<u8>,
    #[n(1)]
    ends_at: Timestamp,
}

pub(super) fn place(id: &str) -> Place<'_> {
    Place { table: "webhook", row: id, field: "secret" }
}

/// A secret as its receiver is told it.
pub(super) fn shown(secret: &[u8; SECRET_BYTES]) -> Secret {
    Secret::new(format!("whsec_{}", STANDARD.encode(secret)))
}

impl Webhook {
    /// Until when the secret before the last rotation signs too.
    pub fn old_secret_ends_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.old.as_ref().map(|old| old.ends_at).filter(|ends_at| *ends_at > now)
    }

    /// The secrets that sign now, the newest first.
    pub(super) fn secrets(&self, key: &DataKey, now: Timestamp) -> Result<Vec<Zeroizing<Vec<u8>>>> {
        let old = self.old.as_ref().filter(|old| old.ends_at > now).map(|old| &old.sealed_secret);
        let sealed = std::iter::once(&self.sealed_secret).chain(old);
        sealed.map(|sealed| Ok(key.open(place(&self.id), sealed)?)).collect()
    }
}

/// The header `webhook-signature`: one signature for each secret.
pub(super) fn signatures(secrets: &[Zeroizing<Vec<u8>>], text: &str) -> String {
    let signed = secrets.iter().map(|secret| format!("v1,{}", STANDARD.encode(mac(secret, text.as_bytes()))));
    signed.collect::<Vec<_>>().join(" ")
}

impl Connector {
    pub(super) fn new_hook_secret(&self) -> Zeroizing<[u8; SECRET_BYTES]> {
        Zeroizing::new(self.surroundings.bytes())
    }

    /// Gives a receiver another secret, which is shown this once. The old one signs too for `overlap_secs`; one that is
    /// known to others gets none.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Invalid`] beyond [`OVERLAP_SECS_MAX`].
    pub async fn rotate_webhook(&self, id: &str, overlap_secs: u32) -> Result<(Webhook, Secret)> {
        if overlap_secs > OVERLAP_SECS_MAX {
            return Err(Error::invalid("overlap_s", format!("must be 0 to {OVERLAP_SECS_MAX}")));
        }
        let (secret, now) = (self.new_hook_secret(), self.surroundings.now());
        let written = self.store.write(async |tx: &mut Transaction| {
            let hook = WEBHOOK.get(tx, HERE, &id.to_owned()).await?;
            let mut hook = hook.ok_or_else(|| Error::missing("webhook", id))?;
            let key = self.ring.load(tx, id).await?;
            let before = std::mem::replace(&mut hook.sealed_secret, key.seal(place(id), &secret[..]));
            let ends_at = now.plus_micros(i64::from(overlap_secs) * SECOND);
            hook.old = (overlap_secs > 0).then_some(Old { sealed_secret: before, ends_at });
            WEBHOOK.put(tx, HERE, &hook.id, &hook);
            let draft = Draft::for_caller("webhook.rotated", id).with("overlap_s", overlap_secs);
            audit::record(tx, &draft, now).await?;
            Ok(hook)
        });
        Ok((written.await.map_err(failed)?, shown(&secret)))
    }

    /// Forgets secrets whose time beside their successors is over.
    pub(crate) async fn drop_old_hook_secrets(&self) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            for hook in hooks(tx).await? {
                if hook.old.is_some() && hook.old_secret_ends_at(now).is_none() {
                    WEBHOOK.put(tx, HERE, &hook.id, &Webhook { old: None, ..hook.clone() });
                }
            }
            Ok(())
        });
        written.await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_44_signatures_are_those_of_the_published_vector() {
        // The example that libraries of Standard Webhooks are tested with.
        let secret = Zeroizing::new(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let text = r#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        assert_eq!(signatures(&[secret], text), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
