//! Whole feed pages, kept in memory by what was asked: who reads a page again that nothing changed gets the same bytes.
//!
//! A page is kept with what it was made from, the timeline and the activities on it, and is true as long as none of that
//! changed. Whether the caller may read it was decided before.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use bytes::Bytes;
use domain::{App, feeds::views::Basis};
use ids::AppId;
use quick_cache::{Equivalent, Weighter, sync::Cache};

/// A page as it was answered.
pub(crate) struct Rendered {
    /// What the timeline was made from.
    pub(crate) timeline: Arc<Basis>,
    /// The activities on it.
    pub(crate) activities: Basis,
    /// The answer without `duration` and closing brace.
    pub(crate) body: Bytes,
}

/// What is known of a page.
pub(crate) enum Kept {
    /// It was kept and is still true.
    Page(Arc<Rendered>),
    /// It was kept, and something changed since.
    Old,
    /// It was not kept.
    Nothing,
}

/// Pages of all apps, by the path and query that asked for them.
pub(crate) struct Pages(Cache<Key, Arc<Rendered>, Weight>);

#[derive(PartialEq, Eq)]
struct Key(AppId, Box<str>);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked(self.0, &self.1).hash(state);
    }
}

/// A [`Key`] that is not kept.
#[derive(Hash)]
struct Asked<'a>(AppId, &'a str);

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0 && *self.1 == *key.1
    }
}

#[derive(Clone)]
struct Weight;

/// What the cache spends on an entry beside its texts and bases.
const OVERHEAD_BYTES: usize = 120;

impl Weighter<Key, Arc<Rendered>> for Weight {
    fn weight(&self, Key(_, target): &Key, page: &Arc<Rendered>) -> u64 {
        (OVERHEAD_BYTES + target.len() + page.body.len() + page.activities.bytes()) as u64
    }
}

impl Pages {
    /// At most about `bytes_max` of them.
    pub(crate) fn new(bytes_max: u64) -> Self {
        Pages(Cache::with_weighter(50_000, bytes_max, Weight))
    }

    /// The page that `target`, a path with its query, asked for before.
    pub(crate) fn get(&self, app: &App, target: &str) -> Kept {
        match self.0.get(&Asked(app.id, target)) {
            None => Kept::Nothing,
            Some(page) if page.timeline.is_true(&app.views) && page.activities.is_true(&app.views) => Kept::Page(page),
            Some(_) => Kept::Old,
        }
    }

    /// Forgets all of them: what a feed group is has changed.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }

    /// Keeps a page for the next who asks for `target`.
    pub(crate) fn keep(&self, app: &App, target: &str, page: Rendered) {
        self.0.insert(Key(app.id, target.into()), Arc::new(page));
    }
}
