//! What queries of feeds v3 have in common: a filter, an order and a page (feeds-v3 §1, §6).

use crate::filter::{self, Cursor, Filter, Row, Sort};

/// Rows of a page when nobody says.
pub const LIMIT: usize = 20;
/// The most rows of a page.
pub const LIMIT_MAX: usize = 100;
/// The most rows that one query looks at: the first of the index that it goes by.
pub const LOOKED_AT_MAX: usize = 10_000;

/// Which rows are wanted, in which order, which part of them.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Which.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Where the page is.
    pub cursor: Option<Cursor>,
    /// At most how many.
    pub limit: usize,
}

impl Query {
    /// The page of those of `rows` that fit.
    pub fn page<R: Row>(&self, rows: impl IntoIterator<Item = R>) -> filter::Page<R> {
        let fitting = rows.into_iter().filter(|row| self.filter.fits(row)).collect();
        filter::page(fitting, &self.sort, self.cursor.as_ref(), self.limit)
    }
}
