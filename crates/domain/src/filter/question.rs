//! What a cursor belongs to: the filter and the order whose pages it leads through (users and GDPR contract §1.9).

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{Error, Result};

/// Stands between a place and the mark of its question; no place has it.
const MARK: char = '.';

/// A question that is answered page by page. A place in its answer is of no use for another question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question(u32);

impl Question {
    /// The question of these parts: filter, sort and whatever else says which rows there are, as JSON. How the JSON is
    /// written plays no part.
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        for part in parts {
            match serde_json::from_str::<serde_json::Value>(part) {
                // Nothing, and all ways to say so.
                Ok(value) if value.is_null() || value == serde_json::json!({}) || value == serde_json::json!([]) => {
                    "".hash(&mut hasher);
                }
                Ok(value) => value.to_string().hash(&mut hasher),
                Err(_) => part.hash(&mut hasher),
            }
        }
        let hash = hasher.finish();
        Question((hash ^ (hash >> 32)) as u32)
    }

    /// The text that a client sends back for `place`.
    pub fn seal(self, place: &str) -> String {
        format!("{place}{MARK}{:08x}", self.0)
    }

    /// The place in `text`.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is none, or of another question.
    pub fn open(self, text: &str) -> Result<&str> {
        let rule = || Error::Unfit("next and prev take what an earlier page answered".to_owned());
        let (place, mark) = text.rsplit_once(MARK).ok_or_else(rule)?;
        match mark.len() == 8 && u32::from_str_radix(mark, 16).map_err(|_| rule())? == self.0 {
            true => Ok(place),
            false => Err(Error::Unfit("next and prev take the filter and the sort of the page before".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_of_use_for_its_own_question_only() {
        let question = Question::of(&[r#"{"a":1, "b":2}"#, "[]"]);
        let text = question.seal("here");
        assert_eq!(Question::of(&[r#"{"b":2,"a":1}"#, ""]).open(&text).unwrap(), "here");
        assert!(Question::of(&[r#"{"a":1}"#, "[]"]).open(&text).is_err());
        assert!(Question::of(&[r#"{"a":1, "b":2}"#, r#"[{"field":"a"}]"#]).open(&text).is_err());
        for text in ["here", "here.", "here.zz", "", "."] {
            assert!(question.open(text).is_err(), "{text}");
        }
    }
}
