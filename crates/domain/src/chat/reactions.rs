//! Reactions to messages (chat §6.9).

use ids::Timestamp;
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
