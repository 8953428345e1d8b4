//! Encryption for delivery (§10): the file format age, version 1, for one X25519 recipient or a passphrase.
//!
//! The format is small, while the library for it would bring eighty crates. What is written here opens with any `age`
//! (<https://age-encryption.org/v1>), which the tests show with Debian's.

mod recipient;

use std::io::{self, Write};

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use crate::surroundings::Surroundings;

pub use recipient::Recipient;

const VERSION: &str = "age-encryption.org/v1";
const CHUNK_BYTES: usize = 64 << 10;
const FILE_KEY_BYTES: usize = 16;

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
        let encoded = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let stanza = recipient.wrap(&file_key[..], surroundings)?;
        let head = format!("{VERSION}\n-> {}\n{}\n---", stanza.words, encoded(&stanza.wrapped));
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

#[cfg(test)]
mod tests;
