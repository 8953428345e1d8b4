//! Sealing of app secrets at rest: AES-256-GCM under the server's key.

use std::{fs, io::Write, path::Path};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// The bytes of a key.
const KEY_BYTES: usize = 32;

/// The server's key.
pub struct Seal(RandomizedNonceKey);

/// Why there is no key, or a secret does not open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is not base64 of 32 bytes.
    #[error("the server key must be base64 of {KEY_BYTES} bytes, such as `openssl rand -base64 32` makes")]
    BadKey,
    /// The key file cannot be read or made.
    #[error("cannot use the key file {path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The secret was sealed under another key.
    #[error("an app's secret does not open with this server key; start with the key it was sealed under")]
    WrongKey,
}

impl Seal {
    /// The key that `base64` says.
    ///
    /// # Errors
    /// [`Error::BadKey`].
    pub fn from_base64(base64: &str) -> Result<Self, Error> {
        let bytes = Zeroizing::new(STANDARD.decode(base64.trim()).map_err(|_| Error::BadKey)?);
        Self::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes).map(Seal).map_err(|_| Error::BadKey)
    }

    /// The key in `dir/server.key`, which is made if it is not there, readable by its owner only.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::BadKey`].
    pub fn from_dir(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("server.key");
        let failed = |error| Error::File { path: path.display().to_string(), error };
        if !path.exists() {
            let key = Zeroizing::new(STANDARD.encode(*Zeroizing::new(random::<KEY_BYTES>())));
            write_private(&path, &key).map_err(failed)?;
        }
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(failed)?);
        Self::from_base64(&text)
    }

    /// A key that is forgotten with the process, for servers that keep nothing.
    pub fn ephemeral() -> Self {
        Self::from_bytes(&*Zeroizing::new(random::<KEY_BYTES>())).expect("the key has the right length")
    }

    /// Seals `secret` for the app with this key.
    pub fn seal(&self, secret: &str, api_key: &str) -> Vec<u8> {
        let mut sealed = secret.as_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(api_key), &mut sealed).expect("a secret is short");
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        out
    }

    /// Opens what [`Seal::seal`] sealed for the same app.
    ///
    /// # Errors
    /// [`Error::WrongKey`].
    pub fn open(&self, sealed: &[u8], api_key: &str) -> Result<Zeroizing<String>, Error> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Error::WrongKey)?;
        let mut secret = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(api_key), &mut secret).map_err(|_| Error::WrongKey)?;
        String::from_utf8(opened.to_vec()).map(Zeroizing::new).map_err(|_| Error::WrongKey)
    }
}

/// An id that nobody can guess.
pub(crate) fn random_id() -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random()).into_uuid()
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_for_its_app_and_key_alone() {
        let seal = Seal::ephemeral();
        let sealed = seal.seal("top-secret", "key");
        assert_eq!(seal.open(&sealed, "key").unwrap().as_str(), "top-secret");
        assert!(seal.open(&sealed, "other").is_err());
        assert!(Seal::ephemeral().open(&sealed, "key").is_err());
        assert!(seal.open(&sealed[..5], "key").is_err());
    }

    #[test]
    fn a_sealed_secret_does_not_hold_its_text() {
        let sealed = Seal::ephemeral().seal("top-secret", "key");
        assert!(!sealed.windows(10).any(|bytes| bytes == b"top-secret"));
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let sealed = Seal::from_dir(dir.path()).unwrap().seal("s", "k");
        assert_eq!(Seal::from_dir(dir.path()).unwrap().open(&sealed, "k").unwrap().as_str(), "s");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.path().join("server.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_bad_key_is_refused() {
        assert!(Seal::from_base64("short").is_err() && Seal::from_base64("c2hvcnQ=").is_err());
    }
}
