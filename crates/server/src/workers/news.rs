//! Waking a worker for what commits brought, once it can read it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use store::{Published, Store};
use tokio::sync::Notify;

/// Is notified of commits that are news.
///
/// Not before they can be read: a worker that is woken earlier finds nothing, and sleeps again.
pub(super) fn of(store: &Store, is_news: impl Fn(&Published) -> bool + Send + Sync + 'static) -> Arc<Notify> {
    let (notify, is_due) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (woken, shown) = (notify.clone(), is_due.clone());
    store.on_publish(Box::new(move |published| {
        if is_news(published) {
            is_due.store(true, Ordering::Relaxed);
        }
    }));
    store.on_shown(Box::new(move || {
        if shown.swap(false, Ordering::Relaxed) {
            woken.notify_one();
        }
    }));
    notify
}
