//! Encryption for delivery (§10): the file format age, version 1, for one X25519 recipient.
//!
//! The format is small and every primitive is in the house's crypto provider, while the library for it would bring
//! eighty crates. What is written here opens with any `age` (<https://age-encryption.org/v1>).

use std::io::{self, Write};

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral},
    hkdf, hmac,
    rand::SystemRandom,
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::{Error, Result, surroundings::Surroundings};

const VERSION: &str = "age-encryption.org/v1";
const CHUNK_BYTES: usize = 64 << 10;
const FILE_KEY_BYTES: usize = 16;
const PUBLIC_KEY_BYTES: usize = 32;

/// Who can open the file: `age1…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient([u8; PUBLIC_KEY_BYTES]);

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none, or mistyped.
    pub fn parse(text: &str) -> Result<Self> {
        let key = bech32(text, "age").and_then(|bytes| bytes.try_into().ok());
        key.map(Recipient).ok_or_else(|| Error::invalid("recipient", "is no age recipient (age1…)"))
    }
}

/// Encrypts what is written to it. [`Encryptor::finish`] ends the file; without it nothing opens it.
pub(crate) struct Encryptor<W: Write> {
    out: W,
    key: LessSafeKey,
    chunk: Vec<u8>,
    chunks: u64,
}

impl<W: Write> Encryptor<W> {
    /// Writes the head of the file.
    pub(crate) fn new(mut out: W, recipient: &Recipient, surroundings: &Surroundings) -> io::Result<Self> {
        let file_key: Zeroizing<[u8; FILE_KEY_BYTES]> = Zeroizing::new(surroundings.bytes());
        let (share, wrapped) = wrap(recipient, &file_key[..])?;
        let encoded = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let head = format!("{VERSION}\n-> X25519 {}\n{}\n---", encoded(&share), encoded(&wrapped));
        let mac_key = derived(&file_key[..], &[], b"header")?;
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &mac_key[..]), head.as_bytes());
        let nonce: [u8; 16] = surroundings.bytes();
        out.write_all(format!("{head} {}\n", encoded(mac.as_ref())).as_bytes())?;
        out.write_all(&nonce)?;
        let payload_key = derived(&file_key[..], &nonce, b"payload")?;
        let key = sealing(&payload_key)?;
        Ok(Encryptor { out, key, chunk: Vec::with_capacity(CHUNK_BYTES + 16), chunks: 0 })
    }

    fn flush_chunk(&mut self, is_last: bool) -> io::Result<()> {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&self.chunks.to_be_bytes());
        nonce[11] = u8::from(is_last);
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut self.chunk).map_err(broken)?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        self.chunks += 1;
        Ok(())
    }

    /// Writes the end of the file.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.flush_chunk(true)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.flush_chunk(false)?;
        }
        let taken = &bytes[..bytes.len().min(CHUNK_BYTES - self.chunk.len())];
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn broken<E>(_: E) -> io::Error {
    io::Error::other("the package cannot be encrypted")
}

/// The share of a fresh key, and the file key that only the recipient unwraps.
fn wrap(recipient: &Recipient, file_key: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let secret = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).map_err(broken)?;
    let share = secret.compute_public_key().map_err(broken)?.as_ref().to_vec();
    let salt = [&share[..], &recipient.0].concat();
    let public = UnparsedPublicKey::new(&X25519, recipient.0);
    let key = agree_ephemeral(secret, public, broken(()), |shared| {
        derived(shared, &salt, format!("{VERSION}/X25519").as_bytes())
    })?;
    let mut wrapped = file_key.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    sealing(&key)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut wrapped).map_err(broken)?;
    Ok((share, wrapped))
}

fn sealing(key: &[u8; 32]) -> io::Result<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).map_err(broken)?))
}

/// HKDF-SHA256.
fn derived(secret: &[u8], salt: &[u8], info: &[u8]) -> io::Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let info = [info];
    let expanded = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let expanded = expanded.expand(&info, hkdf::HKDF_SHA256).map_err(broken)?;
    expanded.fill(&mut key[..]).map_err(broken)?;
    Ok(key)
}

/// The bytes of a Bech32 text (BIP 173) with this prefix, if its checksum fits.
fn bech32(text: &str, prefix: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const CHECKSUM: usize = 6;
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return None;
    }
    let digits = text.strip_prefix(prefix)?.strip_prefix('1')?.bytes();
    let values: Option<Vec<u8>> =
        digits.map(|digit| DIGITS.iter().position(|known| *known == digit)?.try_into().ok()).collect();
    let values = values.filter(|values| values.len() > CHECKSUM)?;
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    if polymod(high.chain([0]).chain(low).chain(values.iter().copied())) != 1 {
        return None;
    }
    let (mut bytes, mut rest, mut bits) = (Vec::new(), 0_u32, 0);
    for value in &values[..values.len() - CHECKSUM] {
        (rest, bits) = (rest << 5 | u32::from(*value), bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push((rest >> bits & 0xff) as u8);
        }
    }
    let padding = rest & ((1 << bits) - 1);
    (bits < 5 && padding == 0).then_some(bytes)
}

fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
        let terms = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        terms.fold(sum, |sum, (_, term)| sum ^ term)
    })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::agreement::{PrivateKey, agree};

    use super::*;

    /// Opens a file as the format says, step by step from its own words.
    fn open(sealed: &[u8], secret: &PrivateKey) -> Vec<u8> {
        let end = sealed.windows(5).position(|window| window == b"\n--- ").unwrap() + 5;
        let (head, rest) = sealed.split_at(end);
        let mac_end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let lines: Vec<&str> = std::str::from_utf8(head).unwrap().lines().collect();
        assert_eq!(lines[0], VERSION);
        let decoded = |text: &str| STANDARD_NO_PAD.decode(text).unwrap();
        let share = decoded(lines[1].strip_prefix("-> X25519 ").unwrap());
        let salt = [&share[..], secret.compute_public_key().unwrap().as_ref()].concat();
        let peer = UnparsedPublicKey::new(&X25519, &share);
        let info = b"age-encryption.org/v1/X25519";
        let key = agree(secret, peer, broken(()), |shared| derived(shared, &salt, info)).unwrap();
        let mut file_key = decoded(lines[2]);
        let zero = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let file_key = sealing(&key).unwrap().open_in_place(zero, Aad::empty(), &mut file_key).unwrap().to_vec();
        let mac_key = hmac::Key::new(hmac::HMAC_SHA256, &derived(&file_key, &[], b"header").unwrap()[..]);
        let mac = decoded(std::str::from_utf8(&rest[..mac_end]).unwrap());
        hmac::verify(&mac_key, &head[..head.len() - 1], &mac).unwrap();
        let (nonce, payload) = rest[mac_end + 1..].split_at(16);
        let key = sealing(&derived(&file_key, nonce, b"payload").unwrap()).unwrap();
        let chunks: Vec<&[u8]> = payload.chunks(CHUNK_BYTES + 16).collect();
        let mut bytes = Vec::new();
        for (number, chunk) in chunks.iter().enumerate() {
            let mut nonce = [0; NONCE_LEN];
            nonce[3..11].copy_from_slice(&(number as u64).to_be_bytes());
            nonce[11] = u8::from(number + 1 == chunks.len());
            let mut chunk = chunk.to_vec();
            let nonce = Nonce::assume_unique_for_key(nonce);
            bytes.extend_from_slice(key.open_in_place(nonce, Aad::empty(), &mut chunk).unwrap());
        }
        bytes
    }

    #[test]
    fn what_is_sealed_for_a_recipient_opens_with_the_key_of_the_recipient() {
        let secret = PrivateKey::generate(&X25519).unwrap();
        let public = secret.compute_public_key().unwrap().as_ref().try_into().unwrap();
        for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let body = vec![b'x'; length];
            let mut out = Encryptor::new(Vec::new(), &Recipient(public), &Surroundings::system()).unwrap();
            out.write_all(&body).unwrap();
            let sealed = out.finish().unwrap();
            assert_eq!(open(&sealed, &secret), body, "{length}");
        }
    }

    #[test]
    fn a_recipient_with_a_typing_error_is_refused() {
        let good = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert!(Recipient::parse(good).is_ok());
        let mistyped = good.replace("ql3z", "ql3y");
        for bad in ["", "age1", "age1qqqqqq", &mistyped, &good.to_uppercase(), &good[..60], "AGE-SECRET-KEY-1X"] {
            assert!(Recipient::parse(bad).is_err(), "{bad}");
        }
    }
}
