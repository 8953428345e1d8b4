//! The package of an access request (§10): one archive, the same bytes however often it is built.
//!
//! **Invariant:** names inside are made here, never taken from data; raw bodies are as they came.

mod age;
mod certificate;
mod check;
mod manifest;
mod others;
mod page;
mod seal;
mod views;
mod write;

pub use age::Recipient;
pub use check::{Summary, verify};
pub(crate) use views::{csv_cell, each};
pub(crate) use write::entries;

pub(crate) use age::Encryptor;
pub(crate) use certificate::certificate_page;
pub use certificate::signed_with;

/// Why an archive is not what its manifest says.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no archive of ours.
    #[error("this is no package: {0}")]
    Unreadable(String),
    /// The signature does not fit the manifest.
    #[error("the signature does not fit the manifest")]
    Signature,
    /// A file was changed.
    #[error("`{0}` is not the file that the manifest names")]
    Changed(String),
    /// A file is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A file is there that the manifest does not name.
    #[error("`{0}` is not in the manifest")]
    Extra(String),
    /// The files are whole, and the archive around them is not as it was signed.
    #[error("the archive was changed or packed anew: its signature does not fit its bytes")]
    Repacked,
}
