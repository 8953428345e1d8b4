//! The values that the wire and the domain share: validated identifiers, time, and JSON kept as it was sent.
//!
//! A value of one of these types is valid: nobody checks it twice. Nothing here knows HTTP, storage or rules.

pub mod activity;
pub mod channel;
pub mod feed;
pub mod fid;
pub mod json;
pub mod message;
mod stored;
pub mod time;
pub mod user;

pub use activity::ActivityId;
pub use channel::ChannelId;
pub use feed::FeedId;
pub use fid::Fid;
pub use message::MessageId;
pub use time::Timestamp;
pub use user::UserId;

/// Numbers an app (a tenant). 0 is the system itself and never an app.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AppId(pub u32);

impl std::fmt::Display for AppId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not an identifier; the message can be shown to a caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Malformed {
    fn new(message: impl Into<String>) -> Self {
        Malformed(message.into())
    }
}
