//! What requests of an integration take in, as operators set it.

use minicbor::{Decode, Encode};

use crate::{Error, Result};

/// What requests take in beside the user and what was written (§9.4 to §9.6, §10).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Contents {
    /// Whether feeds data is exported and deleted too; if the test finds it, when nobody says.
    #[n(0)]
    pub include_feeds: Option<bool>,
    /// Whether files that the person's messages name are fetched.
    #[n(1)]
    pub include_files: bool,
    /// Hosts beside the service's own from which files are fetched; one that begins with a dot means all below it.
    #[n(2)]
    pub file_hosts: Vec<String>,
    /// Whether ids and names of others are masked in what is made for people.
    #[n(3)]
    pub redact_others: bool,
    /// Whether bodies are in the package as they came, though others are masked in what is made of them.
    #[n(4)]
    pub raw: bool,
    /// Whether accounts that are too large for one answer are exported as a file.
    #[n(5)]
    pub async_export_fallback: bool,
    /// Whether a deletion makes the package of an access first (§11.6).
    #[cbor(n(6), default)]
    pub export_before_delete: bool,
}

impl Contents {
    /// Checks what does not go together.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&self) -> Result<()> {
        if !self.raw && !self.redact_others {
            return Err(Error::invalid("raw", "may be false only where `redact_others` is true"));
        }
        Ok(())
    }
}

impl Default for Contents {
    fn default() -> Self {
        Contents {
            include_feeds: None,
            include_files: false,
            file_hosts: Vec::new(),
            redact_others: false,
            raw: true,
            async_export_fallback: true,
            export_before_delete: false,
        }
    }
}
