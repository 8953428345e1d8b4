//! Query parameters, as leniently as the contract asks (feeds-v1 §1.2).

use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// The parameters of a request, decoded, in order.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// All names and values, one after the other.
    text: String,
    /// Where in it each name ends, and its value.
    ends: Vec<(usize, usize)>,
}

impl Query {
    /// Reads the part of a URL after `?`.
    pub(crate) fn parse(raw: &str) -> Self {
        let mut query = Query { text: String::with_capacity(raw.len()), ends: Vec::new() };
        if raw.bytes().any(|byte| byte == b'%' || byte == b'+') {
            form_urlencoded::parse(raw.as_bytes()).for_each(|(name, value)| query.add(&name, &value));
        } else {
            // Nothing needs decoding, as in most requests.
            let pairs = raw.split('&').filter(|pair| !pair.is_empty());
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .for_each(|(name, value)| query.add(name, value));
        }
        query
    }

    fn add(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    /// The parameters in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |(name_end, end)| {
            let pair = (&self.text[start..*name_end], &self.text[*name_end..*end]);
            start = *end;
            pair
        })
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
    fn parameters_are_decoded_and_keep_their_order() {
        let query = Query::parse("b=1+2&a=%C3%A4%26&b=&c&=x");
        assert_eq!(query.iter().collect::<Vec<_>>(), [("b", "1 2"), ("a", "ä&"), ("b", ""), ("c", ""), ("", "x")]);
        assert_eq!((query.get("a"), query.get("c"), query.has("c")), (Some("ä&"), None, true));
    }

    #[test]
    fn parameters_without_an_escape_are_read_as_those_with_one() {
        for raw in ["", "a", "a=b", "a=b=c&&d&e=&=f", "&", "=", "ä=ö"] {
            let decoded: Vec<_> = form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
            let (query, decoded) = (Query::parse(raw), decoded.iter().map(|(name, value)| (&**name, &**value)));
            assert_eq!(query.iter().collect::<Vec<_>>(), decoded.collect::<Vec<_>>(), "{raw}");
        }
    }

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
