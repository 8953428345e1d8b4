//! Query parameters, as leniently as the contract asks (feeds-v1 §1.2).

use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// The parameters of a request, decoded, in order.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of a URL after `?`.
    pub(crate) fn parse(raw: &str) -> Self {
        Query(form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    /// The parameters in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of `name`; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, value)| *known == name && !value.is_empty()).map(|(_, value)| value)
    }

    /// Whether `name` is there at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.iter().any(|(known, _)| known == name)
    }

    /// All values of `name`: separated by commas, in repeated parameters, or both.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.iter().filter(|(known, _)| *known == name).flat_map(|(_, value)| value.split(','));
        values.map(str::trim).filter(|value| !value.is_empty()).collect()
    }

    /// A truth value; absent is false.
    ///
    /// # Errors
    /// When it is anything but `true`, `false`, `1` or `0`, in any case.
    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Error::field(name, "must be true or false")),
        }
    }

    /// A whole number; absent is `default`, and more than the range holds is its end.
    ///
    /// # Errors
    /// When it is not a number or below the range.
    pub(crate) fn number(&self, name: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number: usize =
            text.parse().map_err(|_| Error::field(name, "must be a whole number that is not negative"))?;
        if number < *range.start() {
            return Err(Error::field(name, format!("must be at least {}", range.start())));
        }
        Ok(number.min(*range.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_separated_by_commas_or_repeated() {
        let query = Query::parse("ids=a,%20b&x=1&ids=c&ids=");
        assert_eq!(query.list("ids"), ["a", "b", "c"]);
    }

    #[test]
    fn truth_values_come_in_any_case_and_as_digits() {
        let query = Query::parse("a=True&b=FALSE&c=1&d=0&e=&f=maybe");
        let flag = |name| query.flag(name).ok();
        assert_eq!(["a", "b", "c", "d", "e", "absent"].map(flag), [true, false, true, false, false, false].map(Some));
        assert!(query.flag("f").is_err());
    }

    #[test]
    fn numbers_are_cut_at_the_top_and_refused_at_the_bottom() {
        let query = Query::parse("limit=500&offset=-1&page=x&zero=0");
        assert_eq!(query.number("limit", 25, 0..=100).ok(), Some(100));
        assert_eq!(query.number("absent", 25, 0..=100).ok(), Some(25));
        assert!(query.number("offset", 0, 0..=9).is_err());
        assert!(query.number("page", 0, 0..=9).is_err());
        assert!(query.number("zero", 1, 1..=9).is_err());
    }
}
