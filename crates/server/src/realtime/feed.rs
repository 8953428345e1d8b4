//! From the store to the sockets: what each commit logged, in commit order.
//!
//! The store's hook only moves bytes into a bounded queue. When the queue is full, what is in it is dropped and the
//! follower reads the log instead, so nothing is lost and nothing is told out of order.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use domain::{chat::events::Event, keyspace::LOG};
use ids::AppId;
use parking_lot::Mutex;
use store::{Published, Stamp, Store};
use tokio::sync::Notify;

/// Entries that wait for the follower.
const WAITING_MAX: usize = 16_384;
/// Bytes that wait for the follower.
const WAITING_BYTES_MAX: usize = 32 << 20;

/// Something to tell.
#[derive(Debug)]
pub(super) enum Entry {
    /// A row of the log: key, value, and the commit that wrote it.
    Logged(Bytes, Bytes, Stamp),
    /// Something without a record.
    Told(AppId, Box<Event>),
}

/// What the follower takes.
#[derive(Debug)]
pub(super) struct Taken {
    /// In order.
    pub(super) entries: VecDeque<Entry>,
    /// Set when entries were dropped: read the log from the first of these commits up to the last.
    pub(super) behind: Option<(Stamp, Stamp)>,
}

/// The queue between the store and the follower.
#[derive(Debug)]
pub(crate) struct Feed {
    waiting: Mutex<Waiting>,
    woken: Notify,
    is_listening: AtomicBool,
    /// Whether something came that cannot be read yet: the follower is woken once it can.
    is_due: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The first commit that was dropped.
    behind_from: Option<Stamp>,
    /// The last commit that the hook saw.
    last: Stamp,
}

impl Feed {
    /// A feed of what is committed to `store` from now on.
    pub(crate) fn new(store: &Store) -> Arc<Self> {
        let feed = Arc::new(Feed {
            waiting: Mutex::default(),
            woken: Notify::new(),
            is_listening: AtomicBool::new(false),
            is_due: AtomicBool::new(false),
        });
        let hook = Arc::downgrade(&feed);
        store.on_publish(Box::new(move |published| {
            if let Some(feed) = hook.upgrade() {
                feed.take_in(published);
            }
        }));
        let hook = Arc::downgrade(&feed);
        store.on_shown(Box::new(move || {
            if let Some(feed) = hook.upgrade().filter(|feed| feed.is_due.swap(false, Ordering::AcqRel)) {
                feed.woken.notify_one();
            }
        }));
        feed
    }

    /// Says how many listen: while nobody does, nothing is handed over.
    pub(super) fn listen(&self, connections: usize) {
        self.is_listening.store(connections > 0, Ordering::Release);
    }

    fn take_in(&self, published: &Published) {
        if published.appended.is_empty() || !self.is_listening.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = self.waiting.lock();
        waiting.last = published.stamp;
        for (key, value) in &published.appended {
            if waiting.behind_from.is_none() && store::split(key).is_some_and(|(_, tag, _)| tag == LOG.tag()) {
                let entry = Entry::Logged(key.clone(), value.clone(), published.stamp);
                waiting.push(key.len() + value.len(), entry);
            }
        }
        drop(waiting);
        self.is_due.store(true, Ordering::Release);
    }

    /// Adds something without a record; while the follower is behind, it is forgotten.
    pub(super) fn tell(&self, app: AppId, event: Event) {
        let mut waiting = self.waiting.lock();
        if waiting.behind_from.is_none() {
            waiting.push(event.more.len(), Entry::Told(app, Box::new(event)));
        }
        drop(waiting);
        self.woken.notify_one();
    }

    /// What waits; sleeps until there is something.
    pub(super) async fn next(&self) -> Taken {
        loop {
            if let Some(taken) = self.take() {
                return taken;
            }
            self.woken.notified().await;
        }
    }

    fn take(&self) -> Option<Taken> {
        let mut waiting = self.waiting.lock();
        let behind = waiting.behind_from.take().map(|from| (from, waiting.last));
        waiting.bytes = 0;
        let entries = std::mem::take(&mut waiting.entries);
        (behind.is_some() || !entries.is_empty()).then_some(Taken { entries, behind })
    }
}

impl Waiting {
    fn push(&mut self, bytes: usize, entry: Entry) {
        self.bytes += bytes;
        self.entries.push_back(entry);
        if self.entries.len() > WAITING_MAX || self.bytes > WAITING_BYTES_MAX {
            let mut stamps = self.entries.iter().filter_map(|entry| match entry {
                Entry::Logged(_, _, stamp) => Some(*stamp),
                Entry::Told(..) => None,
            });
            self.behind_from = Some(stamps.next().unwrap_or(self.last));
            self.entries.clear();
            self.bytes = 0;
        }
    }
}
