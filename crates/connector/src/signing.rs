//! Signatures under packages and certificates: Ed25519, with a key that is sealed like everything else.

use aws_lc_rs::{
    digest,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::keys::{DataKey, hex, mac};

/// What stands before the bytes of an Ed25519 key in a SubjectPublicKeyInfo.
const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// The key that signs.
pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    /// The signing key that comes from a data key.
    pub(crate) fn new(key: &DataKey) -> Self {
        let seed = zeroize::Zeroizing::new(mac(key.bytes(), b"ed25519"));
        Signer(Ed25519KeyPair::from_seed_unchecked(&seed).expect("a hash has the length of a seed"))
    }

    /// One for tests.
    #[cfg(test)]
    pub(crate) fn of_seed(seed: &[u8; 32]) -> Self {
        Signer(Ed25519KeyPair::from_seed_unchecked(seed).unwrap())
    }

    /// The signature of `bytes`, in base64.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.0.sign(bytes).as_ref())
    }

    /// The public key, in base64.
    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode(self.0.public_key().as_ref())
    }

    /// The public key as PEM, which other programs read (RFC 8410).
    pub(crate) fn public_key_pem(&self) -> String {
        let der = [&SPKI_HEAD[..], self.0.public_key().as_ref()].concat();
        format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", STANDARD.encode(der))
    }
}

/// The SHA-256 of a file that comes in pieces.
#[derive(Clone)]
pub struct Fingerprint(digest::Context);

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint(digest::Context::new(&digest::SHA256))
    }
}

impl Fingerprint {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash, in hexadecimal.
    pub fn finish(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

/// The public key in base64 of one as PEM; nothing if it is none of Ed25519.
pub(crate) fn public_key_of(pem: &str) -> Option<String> {
    let text = pem.trim().strip_prefix(PEM_BEGIN)?.strip_suffix(PEM_END)?.trim();
    Some(STANDARD.encode(STANDARD.decode(text).ok()?.strip_prefix(&SPKI_HEAD)?))
}

/// Whether `signature` over `bytes` was made with the key that `public_key` belongs to; both in base64.
pub fn verify(bytes: &[u8], signature: &str, public_key: &str) -> bool {
    let (Ok(signature), Ok(key)) = (STANDARD.decode(signature.trim()), STANDARD.decode(public_key.trim())) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(bytes, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_the_same_as_pem() {
        let signer = Signer::of_seed(&[7; 32]);
        let pem = signer.public_key_pem();
        assert_eq!(public_key_of(&pem), Some(signer.public_key()));
        // As `openssl pkey -pubin -text` reads it, too.
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA"), "{pem}");
        assert_eq!(public_key_of(&signer.public_key()), None);
    }
}
