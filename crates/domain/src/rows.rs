//! Reading whole ranges of a table, page by page.

use std::{iter::Peekable, ops::Range, vec};

use store::{Bytes, Direction, Key, Limit, Record, Table, Transaction, key::after};

use crate::{Result, Tx};

/// The rows of `range`, at most `max` of them.
///
/// # Errors
/// When the store fails.
pub(crate) async fn list<K: Key, V: Record>(
    tx: &mut Tx,
    table: &Table<K, V>,
    mut range: Range<Vec<u8>>,
    max: usize,
) -> Result<Vec<(K, V)>> {
    let tenant = tx.tenant();
    let mut rows = Vec::new();
    loop {
        let page = table.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = after(table.key(tenant, key));
        }
        rows.extend(page.rows);
        if !page.more || rows.len() >= max {
            rows.truncate(max);
            return Ok(rows);
        }
    }
}

/// Rows that [`Along`] reads at least at a time, and at most.
const AHEAD: Range<usize> = 4..256;

/// Reads a range of rows along smaller ones that come in ascending order, such as what hangs on each row of another table:
/// what lies close together is read at once, and what lies between is passed by.
#[derive(Debug)]
pub(crate) struct Along {
    rows: Peekable<vec::IntoIter<(Bytes, Bytes)>>,
    /// What was not read yet.
    unread: Range<Vec<u8>>,
    /// How many rows are read next.
    ahead: usize,
    /// Whether each row of the last page was asked for.
    was_useful: bool,
}

impl Along {
    /// Before the first row of `range`.
    pub(crate) fn new(range: Range<Vec<u8>>) -> Self {
        Along { rows: Vec::new().into_iter().peekable(), unread: range, ahead: AHEAD.start, was_useful: false }
    }

    /// The next row of `range`; `None` after its last. A range begins where the one before it ended, or later.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn next(
        &mut self,
        tx: &mut Transaction,
        range: &Range<Vec<u8>>,
    ) -> Result<Option<(Bytes, Bytes)>> {
        loop {
            match self.rows.peek() {
                Some((key, _)) if key[..] < range.start[..] => {
                    self.was_useful = false;
                    self.rows.next();
                }
                Some((key, _)) if key[..] < range.end[..] => return Ok(self.rows.next()),
                Some(_) => return Ok(None),
                None if self.unread.start >= self.unread.end || self.unread.start >= range.end => return Ok(None),
                None => self.read(tx, &range.start).await?,
            }
        }
    }

    async fn read(&mut self, tx: &mut Transaction, start: &[u8]) -> Result<()> {
        self.ahead = if self.was_useful { self.ahead * 2 } else { self.ahead / 2 }.clamp(AHEAD.start, AHEAD.end);
        if self.unread.start.as_slice() < start {
            self.unread.start = start.to_vec();
        }
        let page = tx.scan(self.unread.clone(), Direction::Forward, Limit::rows(self.ahead)).await?;
        self.unread.start = match page.rows.last() {
            Some((last, _)) if page.more => after(last.to_vec()),
            _ => self.unread.end.clone(),
        };
        self.was_useful = true;
        self.rows = page.rows.into_iter().peekable();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use store::Store;

    use super::*;

    const NUMBERS: Table<(u32, u32), ()> = Table::new(10, "numbers");

    /// Every third number has as many rows as it says.
    async fn numbers() -> Store {
        let store = Store::memory();
        let written = store.write(async |tx: &mut Transaction| {
            for number in (0..300).step_by(3) {
                for n in 0..number % 7 {
                    NUMBERS.put(tx, 1, &(number, n), &());
                }
            }
            Ok::<_, store::Error>(())
        });
        written.await.unwrap();
        store
    }

    #[tokio::test]
    async fn what_lies_along_is_what_each_range_holds_however_far_they_are_apart() {
        let store = numbers().await;
        for step in [1, 2, 7, 60] {
            let (mut tx, mut along) = (store.read(), Along::new(NUMBERS.range(1)));
            for number in (0..400).step_by(step) {
                let range = NUMBERS.prefix(1, &number);
                let mut found = Vec::new();
                while let Some((key, _)) = along.next(&mut tx, &range).await.unwrap() {
                    found.push(NUMBERS.decode_key(&key).unwrap().1);
                }
                let expected = if number % 3 == 0 && number < 300 { number % 7 } else { 0 };
                assert_eq!(found, (0..expected).collect::<Vec<_>>(), "{number} in steps of {step}");
            }
        }
    }

    #[tokio::test]
    async fn a_row_that_nobody_takes_is_passed_by() {
        let store = numbers().await;
        let (mut tx, mut along) = (store.read(), Along::new(NUMBERS.range(1)));
        for number in [6_u32, 27, 48] {
            let first = along.next(&mut tx, &NUMBERS.prefix(1, &number)).await.unwrap();
            assert!(first.is_some(), "{number}");
        }
    }
}
