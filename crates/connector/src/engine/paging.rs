//! How lists of users are asked for, page by page (§8): after the last id, 100 at a time; and in another way where the other
//! side refuses that (§7.3).

use minicbor::{Decode, Encode};
use serde_json::{Value, json};

use crate::upstream::{Call, Endpoint, Meaning};

/// The users of a page, unless that is too many.
pub(crate) const PAGE: usize = 100;

/// The way in which one list is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Paging {
    /// The users of a page.
    #[n(0)]
    size: u32,
    /// Whether pages are told apart by how many users came before, and not by the last id.
    #[n(1)]
    is_by_offset: bool,
    /// The users that came before.
    #[n(2)]
    seen: u32,
}

impl Default for Paging {
    fn default() -> Self {
        Paging { size: PAGE as u32, is_by_offset: false, seen: 0 }
    }
}

impl Paging {
    /// The call for the page after the user `after`; the first page without one.
    pub(crate) fn query(&self, filter: &Value, after: Option<&str>) -> Call {
        let mut payload = json!({
            "filter_conditions": filter,
            "sort": [{"field": "id", "direction": 1}],
            "limit": self.size,
            "include_deactivated_users": true,
            "presence": false,
        });
        match after {
            Some(_) if self.is_by_offset => payload["offset"] = self.seen.into(),
            Some(after) => payload["id_gt"] = after.into(),
            None => {}
        }
        Call::get(Endpoint::QueryUsers, "").with("payload", payload.to_string())
    }

    /// How the same page is asked for when the call for it means this; nothing if there is no other way.
    pub(crate) fn instead(self, meaning: Meaning, after: Option<&str>) -> Option<Self> {
        match meaning {
            Meaning::TooLarge if self.size > 1 => Some(Paging { size: self.size / 2, ..self }),
            Meaning::Rejected if after.is_some() && !self.is_by_offset => Some(Paging { is_by_offset: true, ..self }),
            _ => None,
        }
    }

    /// Takes a page of so many users; answers whether there may be another.
    pub(crate) fn took(&mut self, users: usize) -> bool {
        self.seen += u32::try_from(users).unwrap_or(u32::MAX - self.seen);
        users >= self.size as usize
    }

    /// The list is read: the next one begins with its first page.
    pub(crate) fn ended(&mut self) {
        self.seen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(paging: Paging, after: Option<&str>) -> Value {
        serde_json::from_str(&paging.query(&json!({}), after).query[0].1).unwrap()
    }

    #[test]
    fn a_page_that_is_too_large_is_halved_down_to_one_user() {
        let mut paging = Paging::default();
        let mut sizes = vec![payload(paging, None)["limit"].as_u64().unwrap()];
        while let Some(smaller) = paging.instead(Meaning::TooLarge, None) {
            paging = smaller;
            sizes.push(payload(paging, None)["limit"].as_u64().unwrap());
        }
        assert_eq!(sizes, [100, 50, 25, 12, 6, 3, 1]);
    }

    #[test]
    fn an_offset_is_used_only_where_a_page_after_an_id_is_refused() {
        let mut paging = Paging::default();
        assert!(paging.took(100) && !paging.took(7));
        assert_eq!(payload(paging, Some("u7"))["id_gt"], "u7");
        assert_eq!(paging.instead(Meaning::Rejected, None), None, "the first page has no id to refuse");
        let by_offset = paging.instead(Meaning::Rejected, Some("u7")).unwrap();
        let asked = payload(by_offset, Some("u7"));
        assert_eq!((&asked["offset"], &asked["id_gt"]), (&json!(107), &Value::Null));
        assert_eq!(by_offset.instead(Meaning::Rejected, Some("u7")), None);
    }
}
