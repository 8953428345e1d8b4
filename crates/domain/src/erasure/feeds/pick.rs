//! Looking for a user's rows where no index leads to them: a walk over a table, a stretch of it in each step.

use ids::UserId;
use memchr::memmem::Finder;
use store::{Direction, Key, Limit, Record, Table, key::after, limits::TRANSACTION_BYTES_MAX};

use super::Spot;
use crate::{Result, Tx};

/// Rows that one step looks at.
const LOOKED_MAX: usize = 8192;
/// Rows that are picked in one step.
const PICKED_MAX: usize = 1024;

/// What a walk found.
pub(super) struct Picked<K, V> {
    /// The rows, in the order of their keys.
    pub(super) rows: Vec<(K, V)>,
    /// The last row that was looked at.
    pub(super) end: Vec<u8>,
    /// Whether nothing comes after it.
    pub(super) is_last: bool,
}

/// The next rows of `table` after `spot` that name `user` and that `fits` picks, as many as a transaction might take.
///
/// They are read beside the transaction, so that nobody who writes is in its way; who changes one of them watches it.
///
/// # Errors
/// When the store fails.
pub(super) async fn pick<K: Key, V: Record>(
    tx: &mut Tx,
    table: &Table<K, V>,
    spot: &Spot,
    user: &UserId,
    fits: impl Fn(&K, &V) -> bool,
) -> Result<Picked<K, V>> {
    let (mut beside, named) = (tx.snapshot(), Finder::new(user.as_str()));
    let mut range = table.range(tx.tenant());
    if !spot.key.is_empty() {
        range.start = after(spot.key.clone());
    }
    let mut picked = Picked { rows: Vec::new(), end: spot.key.clone(), is_last: false };
    let (mut looked, mut bytes) = (0, 0);
    while looked < LOOKED_MAX {
        let page = beside.scan(range.clone(), Direction::Forward, Limit::PAGE).await?;
        looked += page.rows.len();
        for (key, value) in &page.rows {
            // A look at the bytes spares reading the rows of everybody else.
            if named.find(value).is_some() || named.find(key).is_some() {
                let row = (
                    table.decode_key(key).map_err(store::Error::from)?,
                    table.decode(key, value).map_err(store::Error::from)?,
                );
                if fits(&row.0, &row.1) {
                    bytes += key.len() + value.len();
                    picked.rows.push(row);
                }
            }
        }
        if let Some((last, _)) = page.rows.last() {
            picked.end = last.to_vec();
            range.start = after(last.to_vec());
        }
        picked.is_last = !page.more;
        if picked.is_last || picked.rows.len() >= PICKED_MAX || bytes >= TRANSACTION_BYTES_MAX {
            break;
        }
    }
    Ok(picked)
}
