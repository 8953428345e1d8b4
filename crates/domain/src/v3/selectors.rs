//! Selectors, understood: which activities of a feed, and of those that it follows, its readers see (feeds-v3 §3.1).

use ids::Timestamp;

use super::{
    activities::query::{Candidate, SCHEMA},
    groups::{CURRENT_FEED, FOLLOWING, Group, Selector},
    timelines::Found,
};
use crate::{
    Error, Result,
    filter::{Filter, Sort},
};

/// The shortest `cutoff_window`, in microseconds: an hour.
const WINDOW_MIN: i64 = 3_600 * SECOND;
const SECOND: i64 = 1_000_000;

/// A `cutoff_window`: a number and one of `s m h d w y`, in microseconds.
///
/// # Errors
/// [`Error::Unfit`] when it is none, or shorter than an hour.
pub fn window(text: &str) -> Result<i64> {
    let rule = || {
        let rule = "cutoff_window is a number with one of s, m, h, d, w and y, and at least 1h";
        Error::Unfit(format!("activity_selectors: {rule}"))
    };
    micros(text).filter(|micros| *micros >= WINDOW_MIN).ok_or_else(rule)
}

/// A number and one of `s m h d w y`, in microseconds.
pub(super) fn micros(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        'y' => 365 * 86_400,
        _ => return None,
    };
    text[..text.len() - 1].parse::<i64>().ok()?.checked_mul(unit * SECOND)
}

/// A selector, understood.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it selects from.
    pub kind: String,
    /// Only what was posted since then.
    since: Option<Timestamp>,
    /// Which of it.
    filter: Filter,
    /// In which order; the newest first, if it names no field.
    sort: Sort,
    /// The least popularity of what is popular.
    pub min_popularity: i64,
}

/// The least popularity if nobody says (feeds-v3 §3.1).
const MIN_POPULARITY: i64 = 5;

impl Rule {
    /// What `selector` means at `now`.
    ///
    /// # Errors
    /// [`Error::Unfit`] when its filter or its cutoff makes no sense.
    pub fn of(selector: &Selector, now: Timestamp) -> Result<Self> {
        let window = selector.cutoff_window.as_deref().map(window).transpose()?;
        Ok(Rule {
            kind: selector.kind.clone(),
            since: selector.cutoff_time.or(window.map(|window| Timestamp::from_micros(now.micros() - window))),
            filter: Filter::parse(selector.filter.as_deref().unwrap_or_default(), SCHEMA)?,
            sort: Sort::parse(selector.sort.as_deref().unwrap_or_default())?,
            min_popularity: selector.min_popularity.filter(|least| *least >= 1).unwrap_or(MIN_POPULARITY),
        })
    }

    /// What the selectors of `group` mean at `now`; of one without selectors, that a feed shows what stands in it.
    ///
    /// # Errors
    /// As [`Rule::of`].
    pub fn of_group(group: &Group, now: Timestamp) -> Result<Vec<Self>> {
        match group.selectors.as_deref() {
            None | Some([]) => Ok(vec![Self::of(&Selector::new(CURRENT_FEED), now)?]),
            Some(selectors) => selectors.iter().map(|selector| Self::of(selector, now)).collect(),
        }
    }

    /// Whether it selects from what the followed feeds bring, too.
    pub fn follows(&self) -> bool {
        self.kind == FOLLOWING
    }

    /// Whether it selects from the feed itself and from what it follows, and from nothing else.
    pub fn is_of_feed(&self) -> bool {
        [CURRENT_FEED, FOLLOWING].contains(&self.kind.as_str())
    }

    /// Whether it says in which order.
    pub fn has_order(&self) -> bool {
        !self.sort.0.is_empty()
    }

    /// What it selected, in its order.
    pub fn in_order(&self, mut found: Vec<(Found, Candidate)>) -> Vec<(Found, Candidate)> {
        if self.has_order() {
            found.sort_by(|(_, a), (_, b)| self.sort.compare(a, b));
        }
        found
    }

    /// Whether it looks at more than when an activity was posted.
    pub fn has_filter(&self) -> bool {
        !self.filter.is_empty()
    }

    /// Whether it selects this activity; `is_followed` says that another feed brings it.
    pub fn selects(&self, candidate: &Candidate, is_followed: bool) -> bool {
        (self.follows() || !is_followed)
            && self.since.is_none_or(|since| candidate.activity.created_at >= since)
            && self.filter.fits(candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cutoff_window_is_at_least_an_hour() {
        assert_eq!(window("1h").unwrap(), WINDOW_MIN);
        assert_eq!(window("2d").unwrap(), 48 * WINDOW_MIN);
        assert_eq!(window("1y").unwrap(), 365 * 24 * WINDOW_MIN);
        for text in ["59m", "", "h", "1", "1x", "-1d", "99999999999999999y"] {
            assert!(window(text).is_err(), "{text}");
        }
    }
}
