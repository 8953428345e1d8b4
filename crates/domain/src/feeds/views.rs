//! What is derived from the records and kept in memory: the newest rows of each feed, the head of each timeline, and the
//! groups of each aggregated feed.
//!
//! A view carries the stamp of the snapshot that it was made from. It is true as long as nothing that it was made from
//! changed after that, and a fixed table of stamps says when each feed last changed. So nothing is ever pushed into a
//! view: a post marks one feed, whatever the number of followers, and whoever reads next looks. Views can be dropped at
//! any moment.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ids::{ActivityId, AppId, ChannelId, FeedId};
use quick_cache::{Weighter, sync::Cache};
use store::{Direction, Limit, Published, Stamp, Stamped, Store};

use super::{
    activities::Posting,
    folds::{self, Fold},
    groups::Group,
    timelines::{Timeline, build},
};
use crate::{
    App, Result, Tx,
    chat::reads::{self, Messages},
    keyspace::{Feed, LOG, Newest, POSTED},
    log::Event,
};

/// The newest rows of a feed that are kept in memory.
pub const WINDOW_ROWS: usize = if cfg!(test) { 4 } else { 128 };
/// Entries of the table of stamps. Feeds that share one are thought to have changed together: a view is made anew
/// although it was true, and no harm is done.
const MARKS: usize = 1 << 20;

/// One row of a feed: an activity, and how and when in commit order it was posted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The activity.
    pub id: ActivityId,
    /// The stamp, and in the lowest two bits how it was posted: millions of these are kept.
    posted: u64,
}

impl Entry {
    /// The row of `id`.
    pub fn new(id: ActivityId, row: &Stamped<Posting>) -> Self {
        let how = match row.value {
            Posting::Open => 0,
            Posting::Quiet => 1,
            Posting::Addressed => 2,
        };
        Entry { id, posted: row.stamp.0 << 2 | how }
    }

    /// When it was posted to the feed.
    pub fn posted(self) -> Stamp {
        Stamp(self.posted >> 2)
    }

    /// Whether those who followed at the time did not hear of it.
    pub fn is_quiet(self) -> bool {
        self.posted & 3 == 1
    }

    /// Whether the feed was a target of the activity.
    pub fn is_addressed(self) -> bool {
        self.posted & 3 == 2
    }
}

/// The newest rows of a feed.
#[derive(Debug)]
pub struct Window {
    /// The snapshot that they were read from.
    pub as_of: Stamp,
    /// Newest first.
    pub entries: Box<[Entry]>,
    /// Whether these are all rows of the feed.
    pub is_whole: bool,
}

type ViewKey = (AppId, FeedId);

/// All views of a server.
pub struct Views {
    marks: Box<[AtomicU64]>,
    /// The stamp of the last commit whose marks are set.
    last: AtomicU64,
    windows: Cache<ViewKey, Arc<Window>, Bytes>,
    timelines: Cache<ViewKey, Arc<Timeline>, Bytes>,
    folds: Cache<ViewKey, Arc<Fold>, Bytes>,
    channels: Cache<(AppId, ChannelId), Arc<Messages>, Bytes>,
}

/// Where the table of stamps says when something last changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark(u32);

impl Mark {
    fn of(kind: u8, app: AppId, subject: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (kind, app, subject).hash(&mut hasher);
        Mark((hasher.finish() % MARKS as u64) as u32)
    }

    /// What is posted to a feed, or taken out of it.
    pub fn posts(app: AppId, feed: &FeedId) -> Self {
        Self::of(0, app, feed)
    }

    /// Whom a feed follows.
    pub fn follows(app: AppId, feed: &FeedId) -> Self {
        Self::of(1, app, feed)
    }

    /// What is said in a channel.
    pub fn messages(app: AppId, channel: &ChannelId) -> Self {
        Self::of(3, app, channel)
    }

    /// What was seen and read of a feed.
    pub fn notes(app: AppId, feed: &FeedId) -> Self {
        Self::of(5, app, feed)
    }

    /// What is taken out of a feed.
    pub fn removals(app: AppId, feed: &FeedId) -> Self {
        Self::of(4, app, feed)
    }

    /// What an activity says.
    pub fn activity(app: AppId, id: ActivityId) -> Self {
        Self::of(2, app, id)
    }
}

/// What a view was made from: the view is true as long as none of it changed.
#[derive(Debug)]
pub struct Basis {
    as_of: Stamp,
    marks: Arc<[Mark]>,
    /// The last commit up to which the marks were looked at and nothing had changed: until the next commit, asking again
    /// costs one comparison.
    checked: AtomicU64,
}

impl Basis {
    /// What `marks` stand for, as it was at `as_of`.
    pub fn new(as_of: Stamp, marks: impl Into<Arc<[Mark]>>) -> Self {
        Basis { as_of, marks: marks.into(), checked: AtomicU64::new(as_of.0) }
    }

    /// The same, as it was at `as_of`.
    pub(super) fn at(&self, as_of: Stamp) -> Self {
        Self::new(as_of, self.marks.clone())
    }

    /// Whether none of it changed since.
    pub fn is_true(&self, views: &Views) -> bool {
        // The order matters: every mark of the commits up to `last` is set before it.
        let last = views.last.load(Ordering::Acquire);
        if last <= self.checked.load(Ordering::Relaxed) {
            return true;
        }
        let is_true = self.marks.iter().all(|mark| views.is_as_of(*mark, self.as_of));
        if is_true {
            self.checked.fetch_max(last, Ordering::Relaxed);
        }
        is_true
    }

    /// What it was made from: see [`Basis::new`].
    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The moment of which it speaks.
    pub fn as_of(&self) -> Stamp {
        self.as_of
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.marks)
    }
}

impl Views {
    /// Views of what is in `store`, in at most about `bytes_max` of memory.
    pub fn new(store: &Store, bytes_max: u64) -> Arc<Self> {
        let views = Arc::new(Views {
            // Zeroed memory that nobody touches is not there: a start does not pay for the table.
            marks: bytemuck::zeroed_slice_box(MARKS),
            last: AtomicU64::new(store.published().0),
            windows: Cache::with_weighter(100_000, bytes_max / 6, Bytes),
            timelines: Cache::with_weighter(100_000, bytes_max / 3, Bytes),
            folds: Cache::with_weighter(10_000, bytes_max / 6, Bytes),
            channels: Cache::with_weighter(100_000, bytes_max / 3, Bytes),
        });
        let follower = Arc::downgrade(&views);
        store.on_publish(Box::new(move |published| {
            if let Some(views) = follower.upgrade() {
                views.follow(published);
            }
        }));
        views
    }

    /// Marks what a commit changed. Runs before anybody can read that commit.
    fn follow(&self, published: &Published) {
        for (key, value) in &published.appended {
            let Some((tenant, tag, _)) = store::split(key) else { continue };
            if tag != LOG.tag() {
                continue;
            }
            let (_, event) = LOG.decode(key, value).expect("the log holds what this server wrote to it");
            self.mark(AppId(tenant), &event, published.stamp);
        }
        self.last.store(published.stamp.0, Ordering::Release);
    }

    fn mark(&self, app: AppId, event: &Event, stamp: Stamp) {
        let set = |mark: Mark| self.marks[mark.0 as usize].store(stamp.0, Ordering::Release);
        let set_left = |feed: &FeedId| {
            set(Mark::removals(app, feed));
            set(Mark::posts(app, feed));
        };
        match event {
            Event::Posted { feeds, .. } => feeds.iter().for_each(|feed| set(Mark::posts(app, feed))),
            Event::Removed { feeds, .. } => feeds.iter().for_each(set_left),
            Event::Erased { activities, feeds, .. } => {
                feeds.iter().for_each(set_left);
                activities.iter().for_each(|gone| set(Mark::activity(app, gone.activity)));
            }
            Event::Changed { activity } => set(Mark::activity(app, *activity)),
            Event::Followed { feed, .. } => set(Mark::follows(app, feed)),
            Event::Chat(event) => {
                if let Some(channel) = event.channel.as_ref().filter(|_| event.changes_messages()) {
                    set(Mark::messages(app, channel));
                }
            }
            Event::Noted { feed, .. } => set(Mark::notes(app, feed)),
            Event::Swept { channel } => set(Mark::messages(app, channel)),
            Event::Planned { .. } | Event::Reacted { .. } => {}
        }
    }

    /// Whether what `mark` stands for is as it was at `stamp`.
    pub fn is_as_of(&self, mark: Mark, stamp: Stamp) -> bool {
        self.marks[mark.0 as usize].load(Ordering::Acquire) <= stamp.0
    }

    /// The newest rows of `feed`: at least `rows`, if there are so many, and [`WINDOW_ROWS`].
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn window(&self, app: &App, feed: &FeedId, mark: Mark, rows: usize) -> Result<Arc<Window>> {
        let key = (app.id, feed.clone());
        if let Some(window) = self.windows.get(&key)
            && self.is_as_of(mark, window.as_of)
            && (window.is_whole || window.entries.len() >= rows)
        {
            return Ok(window);
        }
        let window = Arc::new(load(&mut app.snapshot(), feed, rows.max(WINDOW_ROWS)).await?);
        self.windows.insert(key, window.clone());
        Ok(window)
    }

    /// The newest messages of `channel`: at least `rows`, if there are so many, and [`reads::WINDOW_ROWS`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn messages(&self, app: &App, channel: &ChannelId, rows: usize) -> Result<Arc<Messages>> {
        let key = (app.id, channel.clone());
        if let Some(messages) = self.channels.get(&key)
            && self.is_as_of(Mark::messages(app.id, channel), messages.as_of)
            && (messages.is_whole || messages.rows.len() >= rows)
        {
            return Ok(messages);
        }
        let messages = reads::load(&mut app.snapshot(), channel, rows.max(reads::WINDOW_ROWS)).await?;
        let messages = Arc::new(messages);
        self.channels.insert(key, messages.clone());
        Ok(messages)
    }

    /// The timeline of `feed`, and whether it was there already and is still true.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn timeline(&self, app: &App, feed: &FeedId) -> Result<(Arc<Timeline>, bool)> {
        let key = (app.id, feed.clone());
        let known = self.timelines.get(&key);
        if let Some(timeline) = &known
            && timeline.basis.is_true(self)
        {
            return Ok((timeline.clone(), true));
        }
        let newer = match &known {
            Some(timeline) => timeline.with_posts(app).await?,
            None => None,
        };
        let timeline = Arc::new(match newer {
            Some(timeline) => timeline,
            None => build(app, feed).await?,
        });
        self.timelines.insert(key, timeline.clone());
        Ok((timeline, false))
    }
}

impl Views {
    /// The groups of `feed`, a feed of `group`.
    ///
    /// # Errors
    /// [`crate::Error::BrokenFormat`]; when the store fails.
    pub async fn fold(&self, app: &App, feed: &FeedId, group: &Group) -> Result<Arc<Fold>> {
        let key = (app.id, feed.clone());
        let known = self.folds.get(&key);
        if let Some(fold) = &known
            && fold.formats == folds::mark(group)
            && fold.basis.is_true(self)
        {
            return Ok(fold.clone());
        }
        let fold = Arc::new(folds::build(app, feed, group, known.as_deref()).await?);
        self.folds.insert(key, fold.clone());
        Ok(fold)
    }
}

/// The newest `rows` of `feed`, as `tx` sees them.
pub(super) async fn load(tx: &mut Tx, feed: &FeedId, rows: usize) -> Result<Window> {
    let (tenant, as_of) = (tx.tenant(), tx.stamp());
    let mut range = POSTED.prefix(tenant, &Feed(feed.clone()));
    let mut entries = Vec::with_capacity(rows);
    loop {
        let limit = Limit { rows: Limit::PAGE.rows.min(rows - entries.len()), ..Limit::PAGE };
        let page = POSTED.scan(tx, tenant, range.clone(), Direction::Forward, limit).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = store::key::after(POSTED.key(tenant, key));
        }
        entries.extend(page.rows.iter().map(|((_, Newest(id)), row)| Entry::new(*id, row)));
        if !page.more || entries.len() == rows {
            return Ok(Window { as_of, entries: entries.into(), is_whole: !page.more });
        }
    }
}

/// Weighs views by the memory that they take.
#[derive(Clone)]
struct Bytes;

/// What a cache spends on an entry beside the view itself.
const OVERHEAD_BYTES: usize = 120;

impl Weighter<ViewKey, Arc<Window>> for Bytes {
    fn weight(&self, (_, feed): &ViewKey, window: &Arc<Window>) -> u64 {
        (OVERHEAD_BYTES + feed.as_str().len() + size_of_val(&*window.entries)) as u64
    }
}

impl Weighter<(AppId, ChannelId), Arc<Messages>> for Bytes {
    fn weight(&self, (_, channel): &(AppId, ChannelId), messages: &Arc<Messages>) -> u64 {
        (OVERHEAD_BYTES + channel.as_str().len() + messages.bytes()) as u64
    }
}

impl Weighter<ViewKey, Arc<Timeline>> for Bytes {
    fn weight(&self, (_, feed): &ViewKey, timeline: &Arc<Timeline>) -> u64 {
        (OVERHEAD_BYTES + feed.as_str().len() + timeline.bytes()) as u64
    }
}

impl Weighter<ViewKey, Arc<Fold>> for Bytes {
    fn weight(&self, (_, feed): &ViewKey, fold: &Arc<Fold>) -> u64 {
        (OVERHEAD_BYTES + feed.as_str().len() + fold.bytes()) as u64
    }
}
