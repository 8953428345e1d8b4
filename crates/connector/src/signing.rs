//! Signatures under packages and certificates: Ed25519, with a key that is sealed like everything else.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::keys::{DataKey, mac};

/// The key that signs.
pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    /// The signing key that comes from a data key.
    pub(crate) fn new(key: &DataKey) -> Self {
        let seed = zeroize::Zeroizing::new(mac(key.bytes(), b"ed25519"));
        Signer(Ed25519KeyPair::from_seed_unchecked(&seed).expect("a hash has the length of a seed"))
    }

    /// The signature of `bytes`, in base64.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.0.sign(bytes).as_ref())
    }

    /// The public key, in base64.
    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode(self.0.public_key().as_ref())
    }
}

/// Whether `signature` over `bytes` was made with the key that `public_key` belongs to; both in base64.
pub fn verify(bytes: &[u8], signature: &str, public_key: &str) -> bool {
    let (Ok(signature), Ok(key)) = (STANDARD.decode(signature.trim()), STANDARD.decode(public_key.trim())) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(bytes, &signature).is_ok()
}
