//! Moderation: who may not write, what was reported, and what was done about it (chat §11.8, §12.18; v2 §6).

pub mod actions;
pub mod appeals;
pub mod bans;
pub mod checks;
pub mod configs;
pub mod decisions;
pub mod flags;
mod news;
pub mod review;
pub mod settings;

use crate::filter::{Filter, Row, Sort};

/// The most rows that one query keeps while it looks for the best.
const FOUND_MAX: usize = 10_000;

/// The rows that fit a filter so far, of which only the first of the order are kept.
struct Found<'q, R> {
    filter: &'q Filter,
    sort: &'q Sort,
    rows: Vec<R>,
}

impl<'q, R: Row> Found<'q, R> {
    fn new(filter: &'q Filter, sort: &'q Sort) -> Self {
        Found { filter, sort, rows: Vec::new() }
    }

    fn look(&mut self, row: R) {
        if !self.filter.fits(&row) {
            return;
        }
        self.rows.push(row);
        if self.rows.len() > 2 * FOUND_MAX {
            self.sort.apply(&mut self.rows);
            self.rows.truncate(FOUND_MAX);
        }
    }

    fn sorted(mut self) -> Vec<R> {
        self.sort.apply(&mut self.rows);
        self.rows.truncate(FOUND_MAX);
        self.rows
    }
}
