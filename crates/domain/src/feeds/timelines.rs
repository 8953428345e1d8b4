//! Timelines: what a reader of a feed sees, derived from what was posted and who follows whom (feeds-v1 §4.5, §4.6).
//!
//! A timeline is the feed's own rows and those that each of its follows brings, newest first, each activity once. The
//! sources are merged lazily: the head of the merge is kept as a view, and only who pages past it merges further.

use std::{cmp::Ordering, collections::BinaryHeap, iter, sync::Arc};

use ids::{ActivityId, FeedId};

use super::{
    follows::{self, Arrival, Span},
    views::{Basis, Entry, Mark, WINDOW_ROWS, Window},
};
use crate::{
    App, Result, Tx,
    keyspace::{Feed, Newest},
};

mod posts;
mod source;

use source::Cursor;

/// Rows of a timeline that are kept in memory.
const HEAD_ROWS: usize = if cfg!(test) { 5 } else { 100 };
/// The most rows of one page (feeds-v1 §11).
pub const LIMIT_MAX: usize = 100;
/// The most rows that a page can skip.
pub const OFFSET_MAX: usize = 100_000;

/// Which part of a timeline is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// At most so many rows.
    pub limit: usize,
    /// After so many.
    pub offset: usize,
    /// Only ids below this.
    pub below: ActivityId,
    /// Whether that id itself belongs to it.
    pub with_below: bool,
    /// Only ids above this.
    pub above: ActivityId,
    /// Whether that id itself belongs to it.
    pub with_above: bool,
}

impl Part {
    /// The newest `limit` rows.
    pub fn newest(limit: usize) -> Self {
        Part { limit, offset: 0, below: ActivityId::MAX, with_below: true, above: ActivityId::MIN, with_above: true }
    }

    fn is_too_new(&self, id: ActivityId) -> bool {
        id > self.below || (id == self.below && !self.with_below)
    }

    fn is_too_old(&self, id: ActivityId) -> bool {
        id < self.above || (id == self.above && !self.with_above)
    }
}

/// One row of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The activity.
    pub id: ActivityId,
    /// The followed feed that brought it; absent if it was posted to the feed itself.
    pub origin: Option<FeedId>,
}

/// A page of a timeline.
#[derive(Clone, Debug)]
pub struct Page {
    /// Newest first.
    pub rows: Vec<Row>,
    /// Whether older rows follow.
    pub more: bool,
    /// What a kept page goes by; absent if older rows were read for it than are kept.
    pub basis: Option<Arc<Basis>>,
    /// Whether nothing changed since the timeline was read the last time.
    pub has_settled: bool,
}

/// Where rows of a timeline come from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    feed: FeedId,
    mark: Mark,
    /// What of `feed` is seen; absent for the timeline's own feed.
    span: Option<Span>,
}

impl Source {
    /// When a row of the feed arrived in the timeline; `None` if it did not.
    fn arrival(&self, entry: Entry) -> Option<Arrival> {
        match &self.span {
            None => Some(Arrival::posted(entry.posted())),
            Some(span) => span.arrival(entry),
        }
    }
}

/// The head of a timeline and where the rest comes from.
#[derive(Debug)]
pub struct Timeline {
    /// What it was made from.
    pub(super) basis: Arc<Basis>,
    /// The feed itself, then the followed ones in order; a feed followed several times has several.
    sources: Arc<[Source]>,
    head: Box<[Merged]>,
    /// Whether the head is all there is.
    is_whole: bool,
}

/// A row of the merge: an activity, and by its index the source that brought it first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Merged {
    id: ActivityId,
    source: u32,
}

impl Timeline {
    /// Roughly how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let names = 40 * self.sources.len();
        size_of::<Self>() + self.basis.bytes() + size_of_val(&*self.head) + size_of_val(&*self.sources) + names
    }

    fn row(&self, merged: Merged) -> Row {
        row(&self.sources, merged.id, merged.source)
    }

    /// The page, if the head is enough for it.
    fn page(&self, part: &Part) -> Option<Page> {
        let start = self.head.partition_point(|row| part.is_too_new(row.id));
        let end = self.head.partition_point(|row| !part.is_too_old(row.id)).max(start);
        let end_is_known = end < self.head.len() || self.is_whole;
        let rows = &self.head[start..end];
        let wanted = part.offset.saturating_add(part.limit);
        if rows.len() <= wanted && !end_is_known {
            return None;
        }
        let page = rows.iter().skip(part.offset).take(part.limit);
        let page = page.map(|merged| self.row(*merged)).collect();
        Some(Page { rows: page, more: rows.len() > wanted, basis: Some(self.basis.clone()), has_settled: false })
    }
}

pub(super) fn row(sources: &[Source], id: ActivityId, source: u32) -> Row {
    let source = &sources[source as usize];
    Row { id, origin: source.span.is_some().then(|| source.feed.clone()) }
}

/// Reads a part of the timeline of `feed`.
///
/// # Errors
/// When the store fails.
pub async fn read(app: &App, feed: &FeedId, part: &Part) -> Result<Page> {
    let (timeline, has_settled) = app.views.timeline(app, feed).await?;
    if let Some(page) = timeline.page(part) {
        return Ok(Page { has_settled, ..page });
    }
    walk(&mut app.snapshot(), &timeline.sources, part).await
}

/// Reads a part of what stands in `feed` itself, whatever it follows.
///
/// # Errors
/// When the store fails.
pub(crate) async fn read_own(app: &App, feed: &FeedId, part: &Part) -> Result<Page> {
    let own = Source { feed: feed.clone(), mark: Mark::posts(app.id, feed), span: None };
    walk(&mut app.snapshot(), &[own].into(), part).await
}

/// Merges `sources` down to the end of `part`.
async fn walk(tx: &mut Tx, sources: &Arc<[Source]>, part: &Part) -> Result<Page> {
    let mut merge = Merge::begin(tx, sources.clone(), part.below).await?;
    let mut page = Page { rows: Vec::with_capacity(part.limit), more: false, basis: None, has_settled: false };
    let mut skipped = 0;
    while let Some(head) = merge.next(tx).await? {
        if part.is_too_new(head.id) {
            continue;
        }
        if part.is_too_old(head.id) {
            break;
        }
        if skipped < part.offset {
            skipped += 1;
        } else if page.rows.len() < part.limit {
            page.rows.push(row(sources, head.id, head.source));
        } else {
            page.more = true;
            break;
        }
    }
    Ok(page)
}

/// Makes the view of the timeline of `feed`.
pub(super) async fn build(app: &App, feed: &FeedId) -> Result<Timeline> {
    let mut tx = app.snapshot();
    let sources: Arc<[Source]> = sources(&mut tx, feed).await?.into();
    let mut merge = Merge::begin(&mut tx, sources.clone(), ActivityId::MAX).await?;
    let mut head = Vec::new();
    while head.len() < HEAD_ROWS {
        let Some(row) = merge.next(&mut tx).await? else { break };
        head.push(Merged { id: row.id, source: row.source });
    }
    let is_whole = head.len() < HEAD_ROWS;
    let marks = marks(app, feed, &sources);
    Ok(Timeline { basis: Basis::new(tx.stamp(), marks).into(), sources, head: head.into(), is_whole })
}

/// The newest rows of a timeline with when each arrived, and what they were read from.
pub(super) struct Gathered {
    /// The snapshot that they were read from.
    pub(super) tx: Tx,
    /// What the timeline was made from.
    pub(super) marks: Vec<Mark>,
    /// See [`row`].
    pub(super) sources: Arc<[Source]>,
    /// Activity, arrival, source; newest first.
    pub(super) rows: Vec<(ActivityId, Arrival, u32)>,
}

/// Reads the newest `max` rows of the timeline of `feed`.
pub(super) async fn gather(app: &App, feed: &FeedId, max: usize) -> Result<Gathered> {
    let mut tx = app.snapshot();
    let sources: Arc<[Source]> = sources(&mut tx, feed).await?.into();
    let mut merge = Merge::begin(&mut tx, sources.clone(), ActivityId::MAX).await?;
    let mut rows = Vec::new();
    while rows.len() < max {
        let Some(Head { id, arrival, source }) = merge.next(&mut tx).await? else { break };
        rows.push((id, arrival, source));
    }
    Ok(Gathered { tx, marks: marks(app, feed, &sources), sources, rows })
}

fn marks(app: &App, feed: &FeedId, sources: &[Source]) -> Vec<Mark> {
    iter::once(Mark::follows(app.id, feed)).chain(sources.iter().map(|source| source.mark)).collect()
}

async fn sources(tx: &mut Tx, feed: &FeedId) -> Result<Vec<Source>> {
    let app = tx.app.id;
    let mut sources = vec![Source { feed: feed.clone(), mark: Mark::posts(app, feed), span: None }];
    for (target, follow) in follows::all_of(tx, feed).await? {
        let mark = Mark::posts(app, &target);
        sources.extend(follow.spans.into_iter().map(|span| Source { feed: target.clone(), mark, span: Some(span) }));
    }
    Ok(sources)
}

/// The merge of all sources, newest first.
struct Merge {
    sources: Arc<[Source]>,
    cursors: Vec<Cursor>,
    heads: BinaryHeap<Head>,
}

/// The next row of one source; the greatest is the newest, and among sources that have the same activity, the one where
/// it arrived first.
#[derive(PartialEq, Eq)]
struct Head {
    id: ActivityId,
    arrival: Arrival,
    source: u32,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.id, other.arrival, other.source).cmp(&(other.id, self.arrival, self.source))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Merge {
    /// Finds the first row of each source, from about `below` down.
    async fn begin(tx: &mut Tx, sources: Arc<[Source]>, below: ActivityId) -> Result<Self> {
        let heads = BinaryHeap::with_capacity(sources.len());
        let mut merge = Merge { cursors: Vec::with_capacity(sources.len()), heads, sources };
        for at in 0..merge.sources.len() {
            let source = &merge.sources[at];
            let window = tx.app.views.window(&tx.app, &source.feed, source.mark, WINDOW_ROWS).await?;
            merge.cursors.push(Cursor::new(window, source, below));
            merge.advance(tx, at).await?;
        }
        Ok(merge)
    }

    async fn advance(&mut self, tx: &mut Tx, at: usize) -> Result<()> {
        if let Some((entry, arrival)) = self.cursors[at].next(tx, &self.sources[at]).await? {
            let source = u32::try_from(at).expect("a feed follows fewer than four billion feeds");
            self.heads.push(Head { id: entry.id, arrival, source });
        }
        Ok(())
    }

    /// The next activity, once, with the source where it arrived first.
    async fn next(&mut self, tx: &mut Tx) -> Result<Option<Head>> {
        let Some(first) = self.heads.pop() else { return Ok(None) };
        self.advance(tx, first.source as usize).await?;
        while self.heads.peek().is_some_and(|head| head.id == first.id) {
            let again = self.heads.pop().expect("it was just seen");
            self.advance(tx, again.source as usize).await?;
        }
        Ok(Some(first))
    }
}

#[cfg(test)]
mod tests;
