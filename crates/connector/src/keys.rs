//! Envelope encryption (§5): each credential and each request has a data key, and a key-encryption key wraps them.
//!
//! The cipher is AES-256-GCM of aws-lc-rs, the one crypto provider of the house, rather than a second library. Its
//! 96-bit random nonces are safe here because a data key seals the few fields of one record, and blobs have their own
//! keys; a wrapping key would have to wrap 2³² data keys before two nonces became likely to meet.
//!
//! **Invariant:** a ciphertext opens only in the table, row and field for which it was sealed.

pub mod passphrase;
mod rotation;
mod source;
mod verify;

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest, hmac,
};
use ids::Timestamp;
use minicbor::{Decode, Encode};
use parking_lot::RwLock;
use store::Transaction;
use zeroize::Zeroizing;

use crate::{
    Result,
    keyspace::{self, DATA_KEY, HERE, KEK},
    surroundings::Surroundings,
};

pub(crate) use rotation::rotate;
pub use source::Source;
pub use verify::verify;

/// The bytes of every key.
pub const KEY_BYTES: usize = 32;
/// Part of what every ciphertext is bound to; another layout of the records has another number.
const SCHEMA_VERSION: u8 = 1;

/// The owner of the key that hides identifiers in lookups.
pub(crate) const PEPPER: &str = "pepper";
/// The owner of the key that signs packages, certificates and checkpoints.
pub(crate) const SIGNING: &str = "signing";

/// Why there is no key, or something does not open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key-encryption key is another one.
    #[error("This key does not open this database (expected key id {expected})")]
    WrongKey {
        /// The id of the key that would.
        expected: String,
    },
    /// There is no key-encryption key.
    #[error(
        "there is no key: give --kek-file, MILLPOND_PRIVACY_KEK, --kek-command or --kek-passphrase-file, or let `millpond privacy init --kek-file FILE` make one"
    )]
    NoKey,
    /// The file that was named is not there.
    #[error("there is no key in {0}: `millpond privacy init` makes one there")]
    NoKeyFile(String),
    /// What was given is no key.
    #[error("the key must be base64 of {KEY_BYTES} bytes")]
    BadKey,
    /// Others may read the key file.
    #[error("the key file {0} can be read by others; make it readable by its owner only (chmod 600)")]
    Readable(String),
    /// The source of the key failed.
    #[error("the key cannot be read from {from}: {why}")]
    Source {
        /// Which source.
        from: String,
        /// Why.
        why: String,
    },
    /// The data key was destroyed.
    #[error("what was stored here was destroyed when its retention ended")]
    Shredded,
    /// A ciphertext was changed or moved.
    #[error("a stored value does not open: it was changed, or moved here from elsewhere")]
    Damaged,
}

/// A key-encryption key.
pub struct Kek {
    id: String,
    check: String,
    key: RandomizedNonceKey,
}

/// What is stored of a key-encryption key: enough to know it again.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct KekRecord {
    /// A value that only the key gives.
    #[n(0)]
    pub check: String,
    /// When it was added.
    #[n(1)]
    pub added_at: Timestamp,
    /// Whether new data keys are wrapped under it.
    #[n(2)]
    pub is_current: bool,
}

/// A data key as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct WrappedKey {
    #[n(0)]
    pub(crate) kek_id: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) wrapped: Vec<u8>,
}

/// The place that a ciphertext belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub row: &'a str,
    /// The field.
    pub field: &'a str,
}

/// The key of one record.
pub struct DataKey {
    sealing: RandomizedNonceKey,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// The key-encryption keys at hand: the current one, and during a rotation the old one.
#[derive(Clone)]
pub struct Keyring(Arc<RwLock<Vec<Arc<Kek>>>>);

impl Place<'_> {
    /// What the ciphertext is bound to; each part says its length, so that no two places read alike.
    fn bound(&self, kek_id: &str) -> Vec<u8> {
        let mut bound = vec![SCHEMA_VERSION];
        for part in [self.table, self.row, self.field, kek_id] {
            bound.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bound.extend_from_slice(part.as_bytes());
        }
        bound
    }
}

impl Kek {
    /// The key of these bytes.
    ///
    /// # Errors
    /// [`Error::BadKey`] when they are not [`KEY_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() != KEY_BYTES {
            return Err(Error::BadKey);
        }
        let told = |what: &str| hex(&mac(bytes, what.as_bytes())[..8]);
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| Error::BadKey)?;
        Ok(Kek { id: told("key id"), check: told("key check value"), key })
    }

    /// Its name, which says nothing about it.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn wrap(&self, owner: &str, bytes: &[u8; KEY_BYTES]) -> WrappedKey {
        WrappedKey { kek_id: self.id.clone(), wrapped: seal(&self.key, &wrapping(owner).bound(&self.id), bytes) }
    }

    fn unwrap(&self, owner: &str, wrapped: &WrappedKey) -> Result<DataKey, Error> {
        DataKey::new(&open(&self.key, &wrapping(owner).bound(&wrapped.kek_id), &wrapped.wrapped)?)
    }
}

impl Keyring {
    /// Opens the keys of a database with `kek`; an empty database takes it as its own.
    ///
    /// # Errors
    /// [`Error::WrongKey`].
    pub async fn open(store: &store::Store, kek: Kek, surroundings: &Surroundings) -> Result<Self> {
        let ring = Keyring(Arc::new(RwLock::new(vec![Arc::new(kek)])));
        let kek = ring.current();
        let now = surroundings.now();
        let written = store.write(async |tx: &mut Transaction| {
            if let Some(known) = KEK.get(tx, HERE, &kek.id).await? {
                return if known.check == kek.check { Ok(()) } else { Err(wrong(&kek.id)) };
            }
            let known = keyspace::all(tx, &KEK, KEK.range(HERE)).await?;
            if let Some((expected, _)) = known.iter().rev().max_by_key(|(_, record)| record.is_current) {
                return Err(wrong(expected));
            }
            let record = KekRecord { check: kek.check.clone(), added_at: now, is_current: true };
            KEK.put(tx, HERE, &kek.id, &record);
            Ok(())
        });
        written.await.map_err(crate::error::failed)?;
        Ok(ring)
    }

    /// The key under which new data keys are wrapped.
    pub fn current(&self) -> Arc<Kek> {
        self.0.read().first().expect("a key ring has a key").clone()
    }

    fn find(&self, id: &str) -> Option<Arc<Kek>> {
        self.0.read().iter().find(|kek| kek.id == id).cloned()
    }

    /// Makes the data key of `owner`.
    pub(crate) fn make(&self, tx: &mut Transaction, owner: &str, bytes: &Zeroizing<[u8; KEY_BYTES]>) -> DataKey {
        DATA_KEY.put(tx, HERE, &owner.to_owned(), &self.current().wrap(owner, bytes));
        DataKey::new(&bytes[..]).expect("the length is right")
    }

    /// The data key of `owner`.
    pub(crate) async fn load(&self, tx: &mut Transaction, owner: &str) -> Result<DataKey> {
        let wrapped = DATA_KEY.get(tx, HERE, &owner.to_owned()).await?.ok_or(Error::Shredded)?;
        let kek = self.find(&wrapped.kek_id).ok_or_else(|| wrong(&wrapped.kek_id))?;
        Ok(kek.unwrap(owner, &wrapped)?)
    }

    /// The data key of `owner`, made if it is not there.
    pub(crate) async fn load_or_make(
        &self,
        store: &store::Store,
        owner: &str,
        surroundings: &Surroundings,
    ) -> Result<DataKey> {
        let bytes = Zeroizing::new(surroundings.bytes());
        let written = store.write(async |tx: &mut Transaction| match self.load(tx, owner).await {
            Err(crate::Error::Keys(Error::Shredded)) => Ok(self.make(tx, owner, &bytes)),
            loaded => loaded,
        });
        written.await.map_err(crate::error::failed)
    }
}

/// Destroys the data key of `owner`, and with it everything sealed under it.
pub(crate) fn shred(tx: &mut Transaction, owner: &str) {
    DATA_KEY.delete(tx, HERE, &owner.to_owned());
}

impl DataKey {
    fn new(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| Error::Damaged)?;
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| Error::Damaged)?;
        Ok(DataKey { sealing, bytes: Zeroizing::new(bytes) })
    }

    /// Seals `bytes` for `place`.
    pub fn seal(&self, place: Place<'_>, bytes: &[u8]) -> Vec<u8> {
        seal(&self.sealing, &place.bound(""), bytes)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        open(&self.sealing, &place.bound(""), sealed)
    }

    /// Opens a text.
    pub(crate) fn open_text(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, Error> {
        String::from_utf8(self.open(place, sealed)?.to_vec()).map_err(|_| Error::Damaged)
    }

    /// A keyed hash of `bytes`, in hexadecimal: the same for the same, and telling nobody without the key.
    pub(crate) fn hash(&self, bytes: &[u8]) -> String {
        hex(&mac(&self.bytes[..], bytes))
    }

    /// The key's bytes, for what derives from it.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }
}

fn wrapping(owner: &str) -> Place<'_> {
    Place { table: "data_key", row: owner, field: "wrapped" }
}

fn wrong(expected: &str) -> crate::Error {
    Error::WrongKey { expected: expected.to_owned() }.into()
}

fn seal(key: &RandomizedNonceKey, bound: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut sealed = bytes.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(bound), &mut sealed).expect("a field is short");
    let mut out = nonce.as_ref().to_vec();
    out.append(&mut sealed);
    out
}

fn open(key: &RandomizedNonceKey, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Error::Damaged)?;
    let mut bytes = Zeroizing::new(rest.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = key.open_in_place(nonce, Aad::from(bound), &mut bytes).map_err(|_| Error::Damaged)?.len();
    bytes.truncate(length);
    Ok(bytes)
}

/// HMAC-SHA256.
pub(crate) fn mac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref().to_vec()
}

/// SHA-256, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Hexadecimal, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
