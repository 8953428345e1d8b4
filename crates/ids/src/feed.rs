//! Feed ids: `group:id` (feeds-v1 §4.1).

use std::{fmt, sync::Arc};

use crate::Malformed;

/// The longest name of a feed group, in bytes.
pub const GROUP_BYTES_MAX: usize = 64;
/// The longest part after the colon, in bytes.
pub const FEED_ID_BYTES_MAX: usize = 255;

/// The group of streams; no caller can name it, for groups have other characters.
const STREAM_GROUP: &str = "~";

/// One feed: the group that it belongs to and the id within it, which is its owner's user id.
///
/// Both parts hold ASCII letters, digits, `_` and `-`: what the official clients let through.
#[derive(Clone)]
pub struct FeedId {
    text: Arc<str>,
    colon: u8,
}

impl FeedId {
    /// Makes a feed id of its two parts.
    ///
    /// # Errors
    /// When a part is empty, too long or has a character that feed ids do not have.
    pub fn new(group: &str, id: &str) -> Result<Self, Malformed> {
        check("the feed group", group, GROUP_BYTES_MAX)?;
        check("the feed id", id, FEED_ID_BYTES_MAX)?;
        Ok(Self::assemble(group, id))
    }

    /// Reads `group:id`.
    ///
    /// # Errors
    /// As [`FeedId::new`], and when there is no colon.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (group, id) = text
            .split_once(':')
            .ok_or_else(|| Malformed::new(format!("`{}` is not of the form group:id", clip(text))))?;
        Self::new(group, id)
    }

    /// What holds the activities of the feed of feeds v3 with this number: a feed that no caller can name, so that nothing
    /// of it is met by those who read feeds v1.0, whatever the feed is called.
    pub fn stream(number: u64) -> Self {
        Self::assemble(STREAM_GROUP, &format!("{number:016x}"))
    }

    /// Whether it is a [`FeedId::stream`].
    pub fn is_stream(&self) -> bool {
        self.group() == STREAM_GROUP
    }

    /// Makes a feed id, or a stream, of two parts that were stored.
    ///
    /// # Errors
    /// As [`FeedId::new`].
    pub fn restore(group: &str, id: &str) -> Result<Self, Malformed> {
        match group {
            STREAM_GROUP => Ok(Self::assemble(group, id)),
            group => Self::new(group, id),
        }
    }

    fn assemble(group: &str, id: &str) -> Self {
        let colon = u8::try_from(group.len()).expect("a group has at most GROUP_BYTES_MAX bytes");
        // Joined on the stack: every request about a feed makes one.
        let (mut joined, length) = ([b':'; GROUP_BYTES_MAX + 1 + FEED_ID_BYTES_MAX], group.len() + 1 + id.len());
        joined[..group.len()].copy_from_slice(group.as_bytes());
        joined[group.len() + 1..length].copy_from_slice(id.as_bytes());
        let text = str::from_utf8(&joined[..length]).expect("two texts and a colon are a text");
        FeedId { text: text.into(), colon }
    }

    /// The feed group, such as `timeline`.
    pub fn group(&self) -> &str {
        &self.text[..usize::from(self.colon)]
    }

    /// The id within the group: the user id of the feed's owner.
    pub fn id(&self) -> &str {
        &self.text[usize::from(self.colon) + 1..]
    }

    /// The whole, `group:id`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

pub(crate) fn check(what: &str, part: &str, bytes_max: usize) -> Result<(), Malformed> {
    if part.is_empty() {
        return Err(Malformed::new(format!("{what} is empty")));
    }
    if part.len() > bytes_max {
        return Err(Malformed::new(format!("{what} is longer than {bytes_max} bytes")));
    }
    if part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        return Ok(());
    }
    Err(Malformed::new(format!("{what} `{}` may hold letters, digits, `_` and `-` only", clip(part))))
}

/// A text that is safe to echo in a message.
pub(crate) fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for FeedId {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FeedId {}

impl std::hash::Hash for FeedId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for FeedId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FeedId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.group(), self.id()).cmp(&(other.group(), other.id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_id_is_a_group_and_an_id() {
        let feed = FeedId::parse("timeline:bob-1").unwrap();
        assert_eq!((feed.group(), feed.id(), feed.as_str()), ("timeline", "bob-1", "timeline:bob-1"));
        assert_eq!(feed, FeedId::new("timeline", "bob-1").unwrap());
    }

    #[test]
    fn what_the_clients_refuse_is_not_a_feed_id() {
        for text in
            ["", ":", "user", "user:", ":bob", "user:a b", "us er:bob", "user:bob:1", "user:b/b", "üser:bob", "user:bø"]
        {
            assert!(FeedId::parse(text).is_err(), "{text}");
        }
        assert!(FeedId::new(&"g".repeat(65), "x").is_err());
        assert!(FeedId::new("g", &"x".repeat(256)).is_err());
        assert!(FeedId::new(&"g".repeat(64), &"x".repeat(255)).is_ok());
    }

    #[test]
    fn feeds_sort_by_group_then_id() {
        let mut feeds = ["user:b", "user-x:a", "user:a"].map(|text| FeedId::parse(text).unwrap());
        feeds.sort();
        assert_eq!(feeds.map(|feed| feed.to_string()), ["user:a", "user:b", "user-x:a"]);
    }
}
