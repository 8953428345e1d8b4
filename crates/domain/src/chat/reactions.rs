//! Reactions to messages (chat §6.9).

pub mod import;
mod list;
mod send;

pub use list::{REACTIONS, list, query};
pub(crate) use send::take;
pub use send::{Draft, delete, send};

use ids::{Timestamp, json::Object};
use minicbor::{Decode, Encode};

/// A reaction: one per message, user and type.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Reaction {
    /// How strong; 1 when nobody said.
    #[n(0)]
    pub score: i64,
    /// Since when.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(2)]
    pub updated_at: Timestamp,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(3)]
    pub custom: String,
}

impl Reaction {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

#[cfg(test)]
mod tests;
