//! Making what was erased unreadable in the store's files (v2 §5.6).
//!
//! The store appends: what a row said stands in older files until these are written anew. That happens by itself sooner or
//! later; here it is done at once.

use domain::keyspace::{COMPACTED, SYSTEM};
use futures_util::future::BoxFuture;
use ids::Timestamp;
use store::{Store, Transaction, WriteError};
use tokio::sync::Mutex;

use crate::front::Clock;

/// Writes the tables of `store` anew without what was removed from them, and notes when it was done.
///
/// What the journal still holds goes when the store is closed, or with the next 64 MB of writes.
///
/// # Errors
/// When the store fails.
pub fn compact<'c>(store: &'c Store, clock: &dyn Clock) -> BoxFuture<'c, Result<(), store::Error>> {
    let now = Timestamp::from_micros(clock.now_micros());
    Box::pin(async move {
        // The note is the newest commit, so that nobody looks at a state in which what was removed before is still there.
        note(store, now).await?;
        blocking(store, Store::compact).await?;
        // The same for the tables that were written anew.
        note(store, now).await?;
        blocking(store, Store::settle).await
    })
}

async fn note(store: &Store, now: Timestamp) -> Result<(), store::Error> {
    let noted = store.write(async |tx: &mut Transaction| {
        COMPACTED.put(tx, SYSTEM.0, &0, &now);
        Ok::<_, store::Error>(())
    });
    noted.await.map_err(|error| match error {
        WriteError::Body(error) | WriteError::Store(error) => error,
    })
}

async fn blocking(store: &Store, work: fn(&Store) -> Result<(), store::Error>) -> Result<(), store::Error> {
    let store = store.clone();
    let done = tokio::task::spawn_blocking(move || work(&store)).await;
    done.map_err(|error| store::Error::Engine(error.to_string()))?
}

/// What follows an erasure, if the server was told so.
pub(crate) struct AfterErasure {
    store: Option<Mutex<Store>>,
}

impl AfterErasure {
    /// Compacts `store` after erasures if `is_on`.
    pub(crate) fn new(store: &Store, is_on: bool) -> Self {
        AfterErasure { store: is_on.then(|| Mutex::new(store.clone())) }
    }

    /// Something was erased for good. Who comes while another compaction runs waits for it: it may have begun too early.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn erased(&self, clock: &dyn Clock) -> Result<(), store::Error> {
        let Some(store) = &self.store else { return Ok(()) };
        compact(&*store.lock().await, clock).await
    }
}
