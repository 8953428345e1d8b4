//! Reading whole ranges of a table, page by page.

use std::ops::Range;

use store::{Direction, Key, Limit, Record, Table, key::after};

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
