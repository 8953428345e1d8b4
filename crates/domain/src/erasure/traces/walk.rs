//! A walk over all rows of some tables that takes out of them what they tell of a user.

use std::ops::Range;

use ids::{Timestamp, UserId};
use memchr::memmem::Finder;
use store::{Corrupt, Direction, Limit, key::after, split, tables_range};

use super::Trace;
use crate::{
    Result, Tx,
    keyspace::{CHANNEL, Personal, TABLES},
    tasks::{Leaver, Progress},
    users::{self, User},
};

/// Pages of rows that one step of the walk reads.
const STEP_PAGES_MAX: usize = 16;

/// The tables that the walk looks at, as stretches of tags side by side. Those of feeds v1.0, most of what an app may hold,
/// are not among them: the stage before takes out all that is somebody's there.
pub(super) fn walked() -> Vec<Range<u8>> {
    let is_walked = |of: Personal| !matches!(of, Personal::None | Personal::ByFeed | Personal::ByActivity);
    let mut tables: Vec<_> = TABLES.iter().map(|(tag, _, personal, _)| (*tag, is_walked(*personal))).collect();
    tables.sort_unstable();
    let stretches = tables.chunk_by(|(_, one), (_, next)| one == next).filter(|stretch| stretch[0].1);
    stretches.map(|stretch| stretch[0].0..stretch[stretch.len() - 1].0 + 1).collect()
}

/// Does a step of a walk over the tables with these tags, in which `look` says what becomes of the rows that name who leaves.
///
/// Pages are read beside the transaction, so that nobody who writes is in its way; it watches what it changes.
pub(super) async fn walk(
    tx: &mut Tx,
    tables: &[Range<u8>],
    leaver: &Leaver,
    progress: &mut Progress,
    now: Timestamp,
    look: impl Fn(&[u8], &[u8], &Leaver) -> std::result::Result<Trace, Corrupt>,
) -> Result<bool> {
    let (mut beside, named, mut pages) = (tx.snapshot(), Finder::new(leaver.id.as_str()), 0);
    for tags in tables {
        let mut range = tables_range(tx.tenant(), tags.clone());
        if !progress.cursor.is_empty() {
            range.start = range.start.max(after(progress.cursor.clone()));
        }
        while range.start < range.end {
            if pages == STEP_PAGES_MAX {
                return Ok(false);
            }
            let page = beside.scan(range.clone(), Direction::Forward, Limit::PAGE).await?;
            pages += usize::from(!page.rows.is_empty());
            for (key, value) in &page.rows {
                if named.find(key).is_some() || named.find(value).is_some() {
                    if tx.is_full() {
                        return Ok(false);
                    }
                    let trace = look(key, value, leaver).map_err(store::Error::from)?;
                    erase_trace(tx, key, trace, leaver, now).await?;
                }
                progress.cursor.clear();
                progress.cursor.extend_from_slice(key);
            }
            if !page.more {
                break;
            }
            range.start = after(progress.cursor.clone());
        }
    }
    Ok(true)
}

/// Removes from a row what it tells of who leaves. The walk has read it beside the transaction, which watches it.
async fn erase_trace(tx: &mut Tx, key: &[u8], trace: Trace, leaver: &Leaver, now: Timestamp) -> Result<()> {
    match trace {
        Trace::Nothing => return Ok(()),
        Trace::Row => tx.delete(key.to_vec()),
        Trace::Fields(value) => {
            if split(key).is_some_and(|(_, tag, _)| tag == CHANNEL.tag()) {
                ensure_heir(tx, &leaver.heir, now).await?;
            }
            tx.put(key.to_vec(), value);
        }
    }
    tx.watch_row(key.to_vec());
    Ok(())
}

/// An heir whom nobody named is a user without a face, whom no query shows.
async fn ensure_heir(tx: &mut Tx, heir: &UserId, now: Timestamp) -> Result<()> {
    if users::get(tx, heir).await?.is_none() {
        users::put(tx, heir, &User { deleted_at: Some(now), is_pruned: true, ..User::new(now) });
    }
    Ok(())
}
