//! Waiting until a commit can be read, for whoever heard of it from the store before.

use std::sync::Arc;

use store::{Stamp, Store};
use tokio::sync::Notify;

/// What can be read by now.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    store: Store,
    moved: Arc<Notify>,
}

impl Shown {
    /// What can be read of `store`.
    pub(crate) fn new(store: &Store) -> Self {
        let moved = Arc::new(Notify::new());
        let hook = Arc::downgrade(&moved);
        store.on_shown(Box::new(move || {
            if let Some(moved) = hook.upgrade() {
                moved.notify_waiters();
            }
        }));
        Shown { store: store.clone(), moved }
    }

    /// Sleeps until the commit `stamp` can be read.
    pub(crate) async fn until(&self, stamp: Stamp) {
        loop {
            // Whoever waits from here on hears of what is shown after the look below.
            let moved = self.moved.notified();
            if self.store.published() >= stamp {
                return;
            }
            moved.await;
        }
    }
}
