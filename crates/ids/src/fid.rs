//! Ids of feeds v3: `group:id` (feeds-v3 §2).

use std::{fmt, sync::Arc};

use crate::{
    Malformed,
    feed::{FEED_ID_BYTES_MAX, GROUP_BYTES_MAX, check, clip},
};

/// One feed of feeds v3: the group that it belongs to and the id within it, which need not be a user's.
///
/// The group holds ASCII letters, digits, `_` and `-`; the id may hold what ids of users may hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fid {
    text: Arc<str>,
    colon: u8,
}

impl Fid {
    /// Makes an id of its two parts.
    ///
    /// # Errors
    /// When a part is empty, too long or has a character that such ids do not have.
    pub fn new(group: &str, id: &str) -> Result<Self, Malformed> {
        check("the feed group", group, GROUP_BYTES_MAX)?;
        if id.is_empty() || id.len() > FEED_ID_BYTES_MAX {
            return Err(Malformed::new(format!("the feed id has 1 to {FEED_ID_BYTES_MAX} bytes")));
        }
        let is_fit = |c: char| c.is_ascii_alphanumeric() || "@_-.!:|".contains(c);
        if !id.chars().all(is_fit) {
            return Err(Malformed::new(format!(
                "the feed id `{}` may hold letters, digits, `@`, `_`, `-` and `.` only",
                clip(id)
            )));
        }
        let colon = u8::try_from(group.len()).expect("a group has at most GROUP_BYTES_MAX bytes");
        Ok(Fid { text: format!("{group}:{id}").into(), colon })
    }

    /// Reads `group:id`.
    ///
    /// # Errors
    /// As [`Fid::new`], and when there is no colon.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (group, id) = text
            .split_once(':')
            .ok_or_else(|| Malformed::new(format!("`{}` is not of the form group:id", clip(text))))?;
        Self::new(group, id)
    }

    /// The feed group, such as `timeline`.
    pub fn group(&self) -> &str {
        &self.text[..usize::from(self.colon)]
    }

    /// The id within the group.
    pub fn id(&self) -> &str {
        &self.text[usize::from(self.colon) + 1..]
    }

    /// The whole, `group:id`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Fid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_hold_what_ids_of_users_hold_and_a_group_may_not() {
        for text in ["user:amy", "user:amy.lee@pond", "timeline:a:b", "a-b_C:!x|y"] {
            assert_eq!(Fid::parse(text).unwrap().as_str(), text);
        }
        for text in ["user", "user:", ":amy", "us er:amy", "user:a b", "us.er:amy", "user:a/b", "~:0"] {
            assert!(Fid::parse(text).is_err(), "{text}");
        }
        assert!(Fid::new("user", &"x".repeat(256)).is_err());
    }
}
