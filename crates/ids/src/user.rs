//! User ids.

use std::{fmt, sync::Arc};

use crate::Malformed;

/// The longest user id, in bytes (feeds-v1 §11).
pub const USER_ID_BYTES_MAX: usize = 255;

/// A user of an app: 1 to 255 bytes of text without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Checks `text` and makes it a user id.
    ///
    /// # Errors
    /// When it is empty, longer than [`USER_ID_BYTES_MAX`] or holds a control character.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.len() > USER_ID_BYTES_MAX {
            return Err(Malformed::new(format!("a user id has 1 to {USER_ID_BYTES_MAX} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(Malformed::new("a user id has no control characters"));
        }
        Ok(UserId(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
