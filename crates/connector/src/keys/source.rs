//! Where the key-encryption key comes from. It is never made silently.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Error, KEY_BYTES, Kek};
use crate::surroundings::Surroundings;

/// The name of the entry in the service manager's directory of credentials.
const CREDENTIAL: &str = "millpond-privacy-kek";

/// The places that are asked, in the order of the fields; the first that is there decides.
#[derive(Default)]
pub struct Source {
    /// A file that only its owner may read.
    pub file: Option<PathBuf>,
    /// The value of `MILLPOND_PRIVACY_KEK`.
    pub env: Option<Zeroizing<String>>,
    /// The service manager's directory of credentials.
    pub credentials_dir: Option<PathBuf>,
    /// A command that prints the key, as the client of a key management service does.
    pub command: Option<String>,
    /// A passphrase, and the data directory with the recipe for its key.
    pub passphrase: Option<(Zeroizing<String>, PathBuf)>,
}

impl Source {
    /// Reads the key.
    ///
    /// # Errors
    /// [`Error::NoKey`] when nothing is there; [`Error::Readable`], [`Error::Source`] and [`Error::BadKey`].
    pub fn read(&self) -> Result<Kek, Error> {
        if let Some(path) = &self.file {
            if !path.exists() {
                return Err(Error::NoKeyFile(path.display().to_string()));
            }
            check_private(path)?;
            return from_base64(&read(path)?);
        }
        if let Some(text) = &self.env {
            return from_base64(text);
        }
        if let Some(path) = self.credentials_dir.as_ref().map(|dir| dir.join(CREDENTIAL)).filter(|path| path.exists()) {
            return from_base64(&read(&path)?);
        }
        if let Some(command) = &self.command {
            return from_base64(&printed(command)?);
        }
        let (passphrase, dir) = self.passphrase.as_ref().ok_or(Error::NoKey)?;
        super::passphrase::read(dir, passphrase)
    }

    /// Makes a key in a new file that only its owner may read: `keys init`.
    ///
    /// # Errors
    /// [`Error::Source`], also when the file is there.
    pub fn init(path: &Path, surroundings: &Surroundings) -> Result<Kek, Error> {
        let bytes: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(surroundings.bytes());
        let text = Zeroizing::new(STANDARD.encode(&bytes[..]));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| trouble(path, &error))?;
        Kek::new(&bytes[..])
    }
}

fn trouble(path: &Path, error: &std::io::Error) -> Error {
    Error::Source { from: path.display().to_string(), why: error.to_string() }
}

fn read(path: &Path) -> Result<Zeroizing<String>, Error> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| trouble(path, &error))
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), Error> {
    let about = std::fs::metadata(path).map_err(|error| trouble(path, &error))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions());
    if mode & 0o077 == 0 { Ok(()) } else { Err(Error::Readable(path.display().to_string())) }
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), Error> {
    Ok(())
}

fn printed(command: &str) -> Result<Zeroizing<String>, Error> {
    let trouble = |why: String| Error::Source { from: "the key command".to_owned(), why };
    let output = std::process::Command::new("sh").args(["-c", command]).output();
    let output = output.map_err(|error| trouble(error.to_string()))?;
    if !output.status.success() {
        return Err(trouble(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map(Zeroizing::new).map_err(|_| Error::BadKey)
}

fn from_base64(text: &str) -> Result<Kek, Error> {
    let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new).map_err(|_| Error::BadKey)?;
    Kek::new(&bytes)
}
