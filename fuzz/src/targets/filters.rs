//! The filter language of chat (chat §8): one that can be read is true or false of every row.
//!
//! An input is a filter, an empty line, an order, an empty line, and the fields of a row.

use std::borrow::Cow;

use domain::{
    Error,
    filter::{Cursor, Field, Filter, Kind, Row, Schema, Sort, Value, custom, page},
};
use ids::json::Object;

use crate::Target;

/// The target.
pub const TARGET: Target = Target {
    name: "filters",
    about: "filters, orders and cursors of chat, and rows that fit them",
    words: &[
        "$and",
        "$or",
        "$nor",
        "$eq",
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$in",
        "$nin",
        "$exists",
        "$autocomplete",
        "$q",
        "$contains",
        "{\"",
        "\":{",
        "[",
        "]",
        "null",
        "true",
        "1e400",
        "-0",
        "id",
        "name",
        "seen",
        "tags",
        "count",
        "a.b.c",
        "\"direction\":-1",
        "2020-01-01T00:00:00Z",
    ],
    changed_seeds: 20_000,
    run,
};

const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("name", Kind::Text),
        Field::new("count", Kind::Number),
        Field::new("is_seen", Kind::Bool),
        Field::new("seen", Kind::Time),
        Field::new("tags", Kind::List),
    ],
    has_custom: true,
};

struct Thing<'a> {
    id: &'static str,
    fields: &'a Object,
}

impl Row for Thing<'_> {
    fn id(&self) -> Cow<'_, str> {
        self.id.into()
    }

    fn value(&self, field: &str) -> Value<'_> {
        if field == "id" { Value::text(self.id) } else { custom(self.fields, field) }
    }
}

fn run(input: &[u8]) {
    let Some([filter, sort, fields]) = super::parts(input) else { return };
    if let Err(error) = Cursor::parse(filter) {
        assert!(matches!(error, Error::Unfit(_)), "{error}");
    }
    let fields = Object::parse(fields).unwrap_or_default();
    let rows = || ["one", "two", "three"].map(|id| Thing { id, fields: &fields });
    match Filter::parse(filter, SCHEMA) {
        Ok(filter) => rows().iter().for_each(|row| {
            assert_eq!(filter.fits(row), filter.fits(row), "a row fits and does not");
        }),
        Err(error) => assert!(matches!(error, Error::Unfit(_)), "{error}"),
    }
    let Ok(sort) = Sort::parse(sort) else { return };
    let shown = page(Vec::from(rows()), &sort, None, 2);
    assert_eq!(shown.rows.len(), 2, "a page of three rows has not two");
    let Some(next) = shown.next else { panic!("nothing follows two of three") };
    let read = Cursor::parse(&next).expect("what was answered is taken");
    let rest = page(Vec::from(rows()), &sort, Some(&read), 2).rows;
    assert_eq!(rest.len(), 1, "two of three are followed by {}", rest.len());
    assert!(shown.rows.iter().all(|row| row.id != rest[0].id), "a row is on two pages");
}
