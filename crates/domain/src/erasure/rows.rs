//! Removing rows within the bounds of a step.

use std::ops::Range;

use store::{Direction, Limit};

use crate::{Result, Tx};

/// How many more rows a step may remove.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new(rows: usize) -> Self {
        Budget(rows)
    }

    /// How many are left, as the limit of a page.
    pub(super) fn page(&self) -> Limit {
        Limit { rows: self.0.clamp(1, Limit::PAGE.rows), ..Limit::PAGE }
    }

    /// The same for rows that bring `each` others with them.
    pub(super) fn page_of(&self, each: usize) -> Limit {
        Limit { rows: (self.0 / each).clamp(1, Limit::PAGE.rows), ..Limit::PAGE }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }

    pub(super) fn spend(&mut self, rows: usize) {
        self.0 = self.0.saturating_sub(rows);
    }

    /// Removes rows of `range`; whether that were all.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn clear(&mut self, tx: &mut Tx, range: Range<Vec<u8>>) -> Result<bool> {
        while !self.is_spent() {
            let page = tx.scan(range.clone(), Direction::Forward, self.page()).await?;
            self.spend(page.rows.len());
            for (key, _) in page.rows {
                tx.delete(key.to_vec());
            }
            if !page.more {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
