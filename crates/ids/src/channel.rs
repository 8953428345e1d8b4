//! Channel ids: `type:id` (chat §4.2, §6.3).

use std::{fmt, sync::Arc};

use crate::{Malformed, feed::clip};

/// The longest name of a channel type, in bytes.
pub const TYPE_BYTES_MAX: usize = 64;
/// The longest part after the colon, in bytes.
pub const CHANNEL_ID_BYTES_MAX: usize = 64;

/// One channel: its type, and its id within it. The API calls the whole a cid.
///
/// Both parts hold ASCII letters, digits, `_` and `-`, the id also `!`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChannelId {
    text: Arc<str>,
    colon: u8,
}

impl ChannelId {
    /// Makes a channel id of its two parts.
    ///
    /// # Errors
    /// When a part is empty, too long or has a character that channel ids do not have.
    pub fn new(kind: &str, id: &str) -> Result<Self, Malformed> {
        check("the channel type", kind, TYPE_BYTES_MAX, false)?;
        check("the channel id", id, CHANNEL_ID_BYTES_MAX, true)?;
        let colon = u8::try_from(kind.len()).expect("a type has at most TYPE_BYTES_MAX bytes");
        Ok(ChannelId { text: format!("{kind}:{id}").into(), colon })
    }

    /// Reads `type:id`.
    ///
    /// # Errors
    /// As [`ChannelId::new`], and when there is no colon.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let parts = text.split_once(':');
        let (kind, id) = parts.ok_or_else(|| Malformed::new(format!("`{}` is not of the form type:id", clip(text))))?;
        Self::new(kind, id)
    }

    /// The channel type, such as `messaging`.
    pub fn kind(&self) -> &str {
        &self.text[..usize::from(self.colon)]
    }

    /// The id within the type.
    pub fn id(&self) -> &str {
        &self.text[usize::from(self.colon) + 1..]
    }

    /// The whole, `type:id`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether its members make its identity.
    pub fn is_distinct(&self) -> bool {
        self.id().starts_with("!members-")
    }
}

fn check(what: &str, part: &str, bytes_max: usize, may_shout: bool) -> Result<(), Malformed> {
    if part.is_empty() {
        return Err(Malformed::new(format!("{what} is empty")));
    }
    if part.len() > bytes_max {
        return Err(Malformed::new(format!("{what} is longer than {bytes_max} characters")));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || (may_shout && c == '!');
    match part.chars().all(fits) {
        true => Ok(()),
        false => Err(Malformed::new(format!("{what} `{}` may hold letters, digits, `_` and `-` only", clip(part)))),
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialOrd for ChannelId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ChannelId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.kind(), self.id()).cmp(&(other.kind(), other.id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_id_is_a_type_and_an_id() {
        let id = ChannelId::parse("messaging:!members-abc_-9").unwrap();
        assert_eq!((id.kind(), id.id(), id.as_str()), ("messaging", "!members-abc_-9", "messaging:!members-abc_-9"));
        assert!(id.is_distinct() && !ChannelId::parse("messaging:general").unwrap().is_distinct());
    }

    #[test]
    fn anything_else_is_not_a_channel_id() {
        let long = format!("messaging:{}", "x".repeat(65));
        for text in ["", "messaging", "messaging:", ":general", "messaging:a b", "mess!aging:a", "a:b:c", "a:ü", &long]
        {
            assert!(ChannelId::parse(text).is_err(), "{text}");
        }
    }
}
