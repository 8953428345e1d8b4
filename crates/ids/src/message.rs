//! Message ids (chat §4.2).

use std::{fmt, sync::Arc};

use crate::Malformed;

/// The longest message id, in bytes.
pub const MESSAGE_ID_BYTES_MAX: usize = 255;

/// One message of an app, by the id that its sender chose or the server made: 1 to 255 bytes of text without `,`, `%`
/// and control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// Checks `text` and makes it a message id.
    ///
    /// # Errors
    /// When it is empty, longer than [`MESSAGE_ID_BYTES_MAX`] or has a character that message ids do not have.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.len() > MESSAGE_ID_BYTES_MAX {
            return Err(Malformed::new(format!("a message id has 1 to {MESSAGE_ID_BYTES_MAX} characters")));
        }
        if text.chars().any(|c| c == ',' || c == '%' || c.is_control()) {
            return Err(Malformed::new("a message id has no `,`, no `%` and no control characters"));
        }
        Ok(MessageId(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
