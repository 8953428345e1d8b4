//! Why the connector does not do what it is asked.

use std::path::PathBuf;

/// What the ids of things begin with that callers name by them.
const IDS: [&str; 6] = ["dsr_", "exe_", "whk_", "tok_", "bat_", "rpl_"];
/// The things themselves.
const PERSONAL: [&str; 6] = ["request", "execution", "webhook", "token", "batch", "replay"];

/// An error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(store::Error),
    /// Another process has taken the data directory over.
    #[error("another process has taken over this data directory; stop this one, it writes nothing more")]
    Superseded,
    /// Another worker has taken over the step, because this one stood still for too long.
    #[error("another worker has taken over this step, because this one stood still for too long")]
    LeaseLost,
    /// The data directory does not open.
    #[error(transparent)]
    Open(#[from] store::OpenError),
    /// A file cannot be read or written.
    #[error("cannot use {}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why; no source of the error, which would be told twice.
        cause: std::io::Error,
    },
    /// A key is missing, wrong or gone.
    #[error(transparent)]
    Keys(#[from] crate::keys::Error),
    /// A status does not change that way.
    #[error(transparent)]
    Status(#[from] crate::status::Refused),
    /// A deadline is not extended.
    #[error(transparent)]
    Deadline(#[from] crate::deadlines::Refused),
    /// There is nothing by this id.
    #[error("there is no {what} {}", by(.id))]
    Missing {
        /// What kind of thing.
        what: &'static str,
        /// Its id; empty when it is not repeated.
        id: String,
    },
    /// A field is wrong.
    #[error("`{field}` {message}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The same id or key stands for something else.
    #[error("{0}")]
    Conflict(String),
    /// A deletion has left this machine.
    #[error("the deletion was submitted; it cannot be canceled any more")]
    Irreversible,
    /// The address of the other side cannot be used.
    #[error(transparent)]
    Address(#[from] crate::upstream::AddressError),
    /// The connection test failed, so that nothing was saved.
    #[error("the connection test failed: {}", .0.verdict().map(|finding| finding.message).unwrap_or_default())]
    TestFailed(Box<crate::probe::Report>),
    /// A service does not answer.
    #[error("the service at {url} does not answer: {cause}; is `millpond privacy serve` running there?")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// Why.
        cause: String,
    },
    /// A file ended before its end.
    #[error("the file broke off: {0}")]
    BrokenOff(String),
    /// No outbound client can be made, as without trusted certificates.
    #[error("no outbound client can be made: {0}")]
    Outbound(String),
}

/// An id, as a sentence names it.
fn by(id: &str) -> String {
    if id.is_empty() { "by this id".to_owned() } else { format!("`{id}`") }
}

/// What the connector answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether it is about one request or its integration, and nothing that others go by.
    pub(crate) fn is_of_one_request(&self) -> bool {
        !matches!(
            self,
            Error::Store(_)
                | Error::Superseded
                | Error::LeaseLost
                | Error::Open(_)
                | Error::File { .. }
                | Error::BrokenOff(_)
        )
    }

    /// There is nothing by this id. Where one belongs somebody may have put a person: what is none of ours is not repeated.
    pub(crate) fn missing(what: &'static str, id: &str) -> Self {
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_ours = is_plain && IDS.iter().any(|prefix| id.starts_with(prefix));
        let is_shown = is_ours || !PERSONAL.contains(&what);
        Error::Missing { what, id: if is_shown { id } else { "" }.to_owned() }
    }

    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Error::Invalid { field, message: message.into() }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            // Nothing is asserted here but who has the directory.
            store::Error::Assertion { .. } => Error::Superseded,
            error => Error::Store(error),
        }
    }
}

/// The error of a transaction, whichever side it came from.
pub(crate) fn failed(error: store::WriteError<Error>) -> Error {
    match error {
        store::WriteError::Body(error) => error,
        store::WriteError::Store(error) => error.into(),
    }
}

/// An error of a file, with its path.
pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.into();
    move |cause| Error::File { path, cause }
}
