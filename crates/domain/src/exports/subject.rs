//! What is stored of one user, to be told to whoever may ask (v2 §2.7, §2.8, §4.2).
//!
//! Each set is read in pages, so that memory does not grow with it. Whose page it is and which tables it reads is matched
//! over all sets of [`super::sets`].

mod channels;
mod feeds;
mod polls;
mod users;
mod v3;

pub use channels::said;
pub use feeds::{FeedRow, feeds, page as feed_page};
pub use users::{Membership, ReactedTo, UserRow, page as user_page};

use std::ops::Range;

use ids::UserId;
use memchr::memmem::Finder;
use store::{Direction, Key, Limit, Record, Table, key::after};

use crate::{Result, Tx, rows::Along};

/// Where a walk over what a user has stands.
#[derive(Debug, Default)]
pub struct Walk {
    last: Option<Vec<u8>>,
    /// Where among the rows that the one after `last` leads to.
    inner: Option<Vec<u8>>,
    is_done: bool,
    /// Where among what feeds v3 hold, once what v1.0 hold was told.
    of_v3: Option<v3::Place>,
    /// What is read along the rows.
    beside: Option<Along>,
}

impl Walk {
    /// What is left of `range`; nothing at the end.
    fn rest(&self, mut range: Range<Vec<u8>>) -> Option<Range<Vec<u8>>> {
        if self.is_done {
            return None;
        }
        if let Some(last) = &self.last {
            range.start = after(last.clone());
        }
        Some(range)
    }

    fn note(&mut self, last: Option<Vec<u8>>, more: bool) {
        self.last = last.or(self.last.take());
        self.is_done = !more;
    }

    /// The next rows of `table` in `range`; `None` after the last.
    async fn next<K: Key, V: Record>(
        &mut self,
        tx: &mut Tx,
        table: &Table<K, V>,
        range: Range<Vec<u8>>,
        limit: Limit,
    ) -> Result<Option<Vec<(K, V)>>> {
        let tenant = tx.tenant();
        let Some(range) = self.rest(range) else { return Ok(None) };
        let page = table.scan(tx, tenant, range, Direction::Forward, limit).await?;
        self.note(page.rows.last().map(|(key, _)| table.key(tenant, key)), page.more);
        Ok(Some(page.rows))
    }

    /// The rows of the next page of `table` that name `user`, perhaps none; `None` after the last page.
    ///
    /// A look at the bytes spares reading the rows of everybody else.
    async fn next_naming<K: Key, V: Record>(
        &mut self,
        tx: &mut Tx,
        table: &Table<K, V>,
        user: &UserId,
    ) -> Result<Option<Vec<(K, V)>>> {
        let Some(range) = self.rest(table.range(tx.tenant())) else { return Ok(None) };
        let (page, named) = (tx.scan(range, Direction::Forward, Limit::PAGE).await?, Finder::new(user.as_str()));
        self.note(page.rows.last().map(|(key, _)| key.to_vec()), page.more);
        let mut rows = Vec::new();
        for (key, value) in &page.rows {
            if named.find(value).is_some() || named.find(key).is_some() {
                rows.push((
                    table.decode_key(key).map_err(store::Error::from)?,
                    table.decode(key, value).map_err(store::Error::from)?,
                ));
            }
        }
        Ok(Some(rows))
    }

    /// Whether this is the first page, of a set that has one alone.
    fn is_first(&mut self) -> bool {
        !std::mem::replace(&mut self.is_done, true)
    }
}

#[cfg(test)]
mod tests;
