//! Who can open a file: the owner of a key, or who knows a passphrase.

use std::io;

use aws_lc_rs::{
    aead::{Aad, NONCE_LEN, Nonce},
    agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral},
    rand::SystemRandom,
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::{VERSION, broken, derived, sealing};
use crate::{Error, Result, Secret, surroundings::Surroundings};

const PUBLIC_KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// The shortest passphrase, in characters.
const CHARS_MIN: usize = 12;
/// The cost of trying a passphrase, as a power of two: 256 MiB and about a second, as every `age` does it.
pub(super) const WORK_LOG2: u8 = 18;
/// The block size and the lanes of scrypt, which the format fixes.
const BLOCKS: u32 = 8;
const LANES: u32 = 1;

/// Who can open the file.
pub struct Recipient(Kind);

enum Kind {
    Key([u8; PUBLIC_KEY_BYTES]),
    Passphrase { text: Secret, work_log2: u8 },
}

/// How a recipient gets at the key of the file.
pub(super) struct Stanza {
    /// Its kind and arguments.
    pub(super) words: String,
    /// The key of the file, as only the recipient unwraps it.
    pub(super) wrapped: Vec<u8>,
}

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none, or mistyped.
    pub fn parse(text: &str) -> Result<Self> {
        let key = bech32(text, "age").and_then(|bytes| bytes.try_into().ok());
        let key = key.ok_or_else(|| Error::invalid("recipient", "is no age recipient (age1…)"))?;
        Ok(Recipient(Kind::Key(key)))
    }

    /// Whoever knows the passphrase.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is too short to keep anybody out.
    pub fn passphrase(text: Secret) -> Result<Self> {
        if text.expose().chars().count() < CHARS_MIN {
            return Err(Error::invalid("passphrase", format!("must have at least {CHARS_MIN} characters")));
        }
        Ok(Recipient(Kind::Passphrase { text, work_log2: WORK_LOG2 }))
    }

    /// The same, and quick to open.
    #[cfg(test)]
    pub(super) fn cheap_passphrase(text: &str, work_log2: u8) -> Self {
        Recipient(Kind::Passphrase { text: Secret::new(text.to_owned()), work_log2 })
    }

    /// Wraps the key of a file.
    pub(super) fn wrap(&self, file_key: &[u8], surroundings: &Surroundings) -> io::Result<Stanza> {
        match &self.0 {
            Kind::Key(key) => for_key(key, file_key),
            Kind::Passphrase { text, work_log2 } => {
                let salt: [u8; SALT_BYTES] = surroundings.bytes();
                let key = stretched(text.expose(), &salt, *work_log2)?;
                let words = format!("scrypt {} {work_log2}", STANDARD_NO_PAD.encode(salt));
                Ok(Stanza { words, wrapped: wrapped(&key, file_key)? })
            }
        }
    }
}

fn for_key(recipient: &[u8; PUBLIC_KEY_BYTES], file_key: &[u8]) -> io::Result<Stanza> {
    let secret = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).map_err(broken)?;
    let share = secret.compute_public_key().map_err(broken)?.as_ref().to_vec();
    let salt = [&share[..], recipient].concat();
    let public = UnparsedPublicKey::new(&X25519, recipient);
    let key = agree_ephemeral(secret, public, broken(()), |shared| {
        derived(shared, &salt, format!("{VERSION}/X25519").as_bytes())
    })?;
    Ok(Stanza { words: format!("X25519 {}", STANDARD_NO_PAD.encode(share)), wrapped: wrapped(&key, file_key)? })
}

fn wrapped(key: &[u8; 32], file_key: &[u8]) -> io::Result<Vec<u8>> {
    let mut wrapped = file_key.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    sealing(key)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut wrapped).map_err(broken)?;
    Ok(wrapped)
}

/// The key that a passphrase stands for.
pub(super) fn stretched(text: &str, salt: &[u8; SALT_BYTES], work_log2: u8) -> io::Result<Zeroizing<[u8; 32]>> {
    // Each takes 256 MiB: callers wait for one another rather than for memory.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let salt = [format!("{VERSION}/scrypt").as_bytes(), salt].concat();
    let params = scrypt::Params::new(work_log2, BLOCKS, LANES).map_err(broken)?;
    let mut key = Zeroizing::new([0; 32]);
    let _turn = ONE_AT_A_TIME.lock();
    scrypt::scrypt(text.as_bytes(), &salt, &params, &mut key[..]).map_err(broken)?;
    Ok(key)
}

/// The bytes of a Bech32 text (BIP 173) with this prefix, if its checksum fits.
pub(super) fn bech32(text: &str, prefix: &str) -> Option<Vec<u8>> {
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
    use super::*;

    #[test]
    fn a_recipient_with_a_typing_error_is_refused() {
        let good = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert!(Recipient::parse(good).is_ok());
        let mistyped = good.replace("ql3z", "ql3y");
        for bad in ["", "age1", "age1qqqqqq", &mistyped, &good.to_uppercase(), &good[..60], "AGE-SECRET-KEY-1X"] {
            assert!(Recipient::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_passphrase_that_keeps_nobody_out_is_refused() {
        for (text, is_good) in [("", false), ("elevenchars", false), ("twelve chars", true), ("zwölf Ängste", true)] {
            assert_eq!(Recipient::passphrase(Secret::new(text.to_owned())).is_ok(), is_good, "{text}");
        }
    }
}
