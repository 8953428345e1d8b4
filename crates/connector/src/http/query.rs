//! Parameters of calls, and lists by page (§15.1): `?limit=&cursor=` → `{"data": [], "next_cursor": null}`.
//!
//! **Invariant:** what is not understood is refused by name, and nothing is cut down to what would have been right.

use axum::{
    extract::{FromRequestParts, Query as Raw},
    http::{StatusCode, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::Problem;

/// How much of a list is shown, unless said otherwise.
pub(super) const PAGE: usize = 50;
/// The most of a list that is shown at once.
pub(super) const PAGE_MAX: usize = 200;

/// The parameters of a call.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Raw::<T>::try_from_uri(&parts.uri);
        read.map(|Raw(read)| Query(read)).map_err(|refused| wrong(&refused.body_text()))
    }
}

/// What axum says of parameters: the name of one and what is wrong with it, or what is not known.
fn wrong(told: &str) -> Problem {
    let told = told.rsplit_once("query string: ").map_or(told, |(_, told)| told);
    match told.split_once(": ") {
        Some((name, message)) if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
            Problem::field(name, format!("is wrong: {message}"))
        }
        _ => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", told),
    }
}

/// How many entries of a list are wanted.
pub(super) fn limit(given: Option<usize>) -> Result<usize, Problem> {
    let limit = given.unwrap_or(PAGE);
    if (1..=PAGE_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::field("limit", format!("must be 1 to {PAGE_MAX}")))
    }
}

/// An id as a cursor: the last one of the page before.
pub(super) fn cursor<'a>(given: Option<&'a str>, prefix: &str) -> Result<Option<&'a str>, Problem> {
    match given {
        Some(cursor) if !cursor.starts_with(prefix) => Err(Problem::field("cursor", "is none that this list gave")),
        given => Ok(given),
    }
}

/// A list, as it is answered.
pub(super) fn list(data: Vec<Value>, next: Option<Value>) -> Value {
    json!({"data": data, "next_cursor": next})
}

/// What a list without filters is asked with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paged {
    limit: Option<usize>,
    cursor: Option<String>,
}

impl Paged {
    /// A page of a list that is held whole, and the cursor of the next; each entry has an id of its own, which begins with
    /// `prefix`.
    pub(super) fn of<T>(
        &self,
        mut all: Vec<T>,
        prefix: &str,
        id: impl Fn(&T) -> &str,
    ) -> Result<(Vec<T>, Option<Value>), Problem> {
        let limit = limit(self.limit)?;
        let after = cursor(self.cursor.as_deref(), prefix)?;
        all.retain(|one| after.is_none_or(|after| id(one) > after));
        all.sort_by(|a, b| id(a).cmp(id(b)));
        let next = if all.len() > limit { Some(id(&all[limit - 1]).into()) } else { None };
        all.truncate(limit);
        Ok((all, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paged(limit: Option<usize>, cursor: Option<&str>) -> Result<Value, Problem> {
        let all = vec!["x_3", "x_1", "x_2"];
        let paged = Paged { limit, cursor: cursor.map(str::to_owned) };
        let (page, next) = paged.of(all, "x_", |one| one)?;
        Ok(list(page.into_iter().map(Value::from).collect(), next))
    }

    #[test]
    fn pages_are_in_order_and_the_last_has_no_next_one() {
        assert_eq!(paged(None, None).unwrap(), json!({"data": ["x_1", "x_2", "x_3"], "next_cursor": null}));
        assert_eq!(paged(Some(2), None).unwrap(), json!({"data": ["x_1", "x_2"], "next_cursor": "x_2"}));
        assert_eq!(paged(Some(2), Some("x_2")).unwrap(), json!({"data": ["x_3"], "next_cursor": null}));
        assert_eq!(paged(Some(3), None).unwrap()["next_cursor"], Value::Null, "nothing is behind a page that is full");
        assert_eq!(paged(None, Some("x_9")).unwrap(), json!({"data": [], "next_cursor": null}));
    }

    #[test]
    fn what_no_list_gave_is_refused_by_name() {
        for (limit, cursor, told) in [
            (Some(0), None, "`limit` must be 1 to 200"),
            (Some(201), None, "`limit` must be 1 to 200"),
            (None, Some("y_1"), "`cursor` is none that this list gave"),
        ] {
            assert_eq!(paged(limit, cursor).unwrap_err().detail(), told);
        }
        let problem = wrong("Failed to deserialize query string: limit: invalid digit found in string");
        assert_eq!(problem.detail(), "`limit` is wrong: invalid digit found in string");
        let problem = wrong("Failed to deserialize query string: unknown field `x`, expected `limit` or `cursor`");
        assert_eq!(problem.detail(), "unknown field `x`, expected `limit` or `cursor`");
    }
}
