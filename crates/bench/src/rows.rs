//! The rows of the table, a file for each: what is measured, beside what, and what it must reach.
//!
//! To add one, write its file and name it in [`ROWS`].

mod add;
mod broadcast;
mod busy_reads;
mod cold_start;
mod delivery;
mod feed_page;
mod feed_page_tail;
mod follow;
mod groups;
mod idle_socket;
mod memory;
mod privacy;
mod reactions;
mod read_at_scale;

use std::future::Future;
use std::pin::Pin;

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::report::Line;

/// A row of the table.
pub(crate) struct Row {
    /// Its number there.
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    /// What it must reach, as the table says it.
    pub(crate) must: &'static str,
    /// What it should.
    pub(crate) goal: &'static str,
    /// Whether it has a line beside Redis.
    pub(crate) wants_redis: bool,
    pub(crate) measure: Measure,
}

/// Takes samples of subject and peers, round by round.
pub(crate) type Measure = for<'a> fn(&'a mut Bench) -> Pin<Box<dyn Future<Output = Result<Vec<Line>>> + 'a>>;

/// Every row that is built.
pub(crate) static ROWS: [Row; 14] = [
    feed_page::ROW,
    feed_page_tail::ROW,
    add::ROW,
    follow::ROW,
    groups::ROW,
    reactions::ROW,
    delivery::ROW,
    broadcast::ROW,
    idle_socket::ROW,
    cold_start::ROW,
    memory::ROW,
    privacy::ROW,
    read_at_scale::ROW,
    busy_reads::ROW,
];

/// The rows with these numbers in the order of the table; all if there are none.
pub(crate) fn choose(numbers: &[u8]) -> Result<Vec<&'static Row>> {
    for number in numbers {
        let known = || ROWS.iter().map(|row| row.number.to_string()).collect::<Vec<_>>().join(", ");
        let exists = ROWS.iter().any(|row| row.number == *number);
        exists.then_some(()).with_context(|| format!("no row {number}; there are {}", known()))?;
    }
    Ok(ROWS.iter().filter(|row| numbers.is_empty() || numbers.contains(&row.number)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_number_in_the_order_of_the_table() {
        let numbers = |asked: &[u8]| choose(asked).unwrap().iter().map(|row| row.number).collect::<Vec<_>>();
        assert_eq!(numbers(&[]), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        assert_eq!(numbers(&[10, 1]), [1, 10]);
    }

    #[test]
    fn an_unknown_row_is_an_error_that_names_the_known() {
        let error = choose(&[99]).err().unwrap();
        assert_eq!(error.to_string(), "no row 99; there are 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14");
    }
}
