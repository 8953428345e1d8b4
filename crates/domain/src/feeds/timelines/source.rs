//! Walking one source of a timeline, newest first.
//!
//! First the window in memory, then the stored rows after it, both down to where only late activities remain; then those
//! late activities.

use std::collections::VecDeque;

use store::{Direction, Limit};

use super::{ActivityId, Arc, Arrival, Entry, Feed, Newest, Result, Source, Span, Tx, Window};
use crate::keyspace::{LATE, POSTED};

/// Rows read from the store at once, after those in memory.
const PAGE: Limit = Limit { rows: if cfg!(test) { 3 } else { 64 }, ..Limit::PAGE };

pub(super) struct Cursor {
    window: Arc<Window>,
    /// The next entry of the window.
    at: usize,
    /// Rows read from the store and not walked yet.
    read: VecDeque<Entry>,
    rest: Rest,
}

/// What is left in the store after `read`.
enum Rest {
    /// Rows below this id.
    InOrder(ActivityId),
    /// Late ones below this id.
    Late(ActivityId),
    Nothing,
}

impl Cursor {
    /// A walk over what `source` brings, from about `below` down.
    pub(super) fn new(window: Arc<Window>, source: &Source, below: ActivityId) -> Self {
        let below = source.span.as_ref().map_or(below, |span| below.min(span.below()));
        // The row at `below` itself may be wanted.
        let at = window.entries.partition_point(|entry| entry.id > below);
        let rest = match window.entries.last() {
            _ if window.is_whole => Rest::Nothing,
            Some(last) if last.id <= below => Rest::InOrder(last.id),
            _ => Rest::InOrder(just_above(below)),
        };
        Cursor { window, at, read: VecDeque::new(), rest }
    }

    /// The next entry that the source brings.
    pub(super) async fn next(&mut self, tx: &mut Tx, source: &Source) -> Result<Option<(Entry, Arrival)>> {
        loop {
            let Some(entry) = self.next_row(tx, source).await? else { return Ok(None) };
            if let Some(arrival) = source.arrival(entry) {
                return Ok(Some((entry, arrival)));
            }
        }
    }

    async fn next_row(&mut self, tx: &mut Tx, source: &Source) -> Result<Option<Entry>> {
        if let Some(entry) = self.window.entries.get(self.at) {
            self.at += 1;
            return Ok(Some(*entry));
        }
        loop {
            if let Some(entry) = self.read.pop_front() {
                return Ok(Some(entry));
            }
            match self.rest {
                Rest::Nothing => return Ok(None),
                Rest::InOrder(below) => self.read_in_order(tx, source, below).await?,
                Rest::Late(below) => self.read_late(tx, source, below).await?,
            }
        }
    }

    async fn read_in_order(&mut self, tx: &mut Tx, source: &Source, below: ActivityId) -> Result<()> {
        let late_below = source.span.as_ref().map_or(ActivityId::MIN, Span::late_below);
        if below <= late_below {
            self.rest = Rest::Late(below);
            return Ok(());
        }
        let tenant = tx.tenant();
        let feed = Feed(source.feed.clone());
        let start = store::key::after(POSTED.key(tenant, &(feed.clone(), Newest(below))));
        let range = start..POSTED.prefix(tenant, &feed).end;
        let page = POSTED.scan(tx, tenant, range, Direction::Forward, PAGE).await?;
        self.read.extend(page.rows.iter().map(|((_, Newest(id)), row)| Entry::new(*id, row)));
        self.rest = match self.read.back() {
            Some(last) if page.more => Rest::InOrder(last.id),
            _ => Rest::Nothing,
        };
        Ok(())
    }

    /// Reads all late activities that the span brings, below what was walked in order.
    ///
    /// Each of them belongs to the timeline, so this costs no more than what there is to see.
    async fn read_late(&mut self, tx: &mut Tx, source: &Source, below: ActivityId) -> Result<()> {
        self.rest = Rest::Nothing;
        let Some(span) = &source.span else { return Ok(()) };
        let (tenant, feed) = (tx.tenant(), Feed(source.feed.clone()));
        let (since, until) = span.late_between();
        let mut range = LATE.prefix(tenant, &feed);
        range.start = store::key::after(LATE.key(tenant, &(feed, since, u16::MAX)));
        let mut late = Vec::new();
        loop {
            let page = LATE.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
            let Some((last, _)) = page.rows.last() else { break };
            range.start = store::key::after(LATE.key(tenant, last));
            let in_span = page.rows.iter().filter(|((_, posted, _), id)| *posted <= until && *id < below);
            late.extend(in_span.map(|(_, id)| (Feed(source.feed.clone()), Newest(*id))));
            if !page.more {
                break;
            }
        }
        let rows = POSTED.get_many(tx, tenant, &late).await?;
        let entries = late.iter().zip(rows).filter_map(|((_, Newest(id)), row)| Some(Entry::new(*id, &row?)));
        let mut entries: Vec<Entry> = entries.collect();
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id));
        self.read = entries.into();
        Ok(())
    }
}

/// The id after which a walk that includes `id` begins.
fn just_above(id: ActivityId) -> ActivityId {
    let number = u128::from_be_bytes(id.to_ordered_bytes());
    ActivityId::from_ordered_bytes(number.saturating_add(1).to_be_bytes())
}
