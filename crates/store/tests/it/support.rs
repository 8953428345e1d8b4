//! What the tests share: stores on each engine, and short words for one-row transactions.

use std::path::Path;

use store::{Bytes, Durability, Error, Options, Stamp, Store, Transaction, WriteError};

/// Options for tests: a small cache, and a panic in place of the end of the process.
pub fn options() -> Options {
    Options { cache_bytes: 8 << 20, on_fatal: std::sync::Arc::new(|reason| panic!("{reason}")), ..Options::default() }
}

/// A store, and the directory that goes when it goes.
pub struct Pond {
    pub store: Store,
    pub dir: Option<tempfile::TempDir>,
}

impl std::ops::Deref for Pond {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// Opens a store in `dir`.
pub fn open(dir: &Path) -> Store {
    Store::open(dir, &options()).unwrap()
}

/// The engines under test.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Memory,
    Embedded,
}

impl Kind {
    pub fn pond(self) -> Pond {
        self.pond_with(options())
    }

    pub fn pond_with(self, options: Options) -> Pond {
        match self {
            Kind::Memory => Pond { store: Store::memory_with(options), dir: None },
            Kind::Embedded => {
                let dir = tempfile::tempdir().unwrap();
                Pond { store: Store::open(dir.path(), &options).unwrap(), dir: Some(dir) }
            }
        }
    }
}

/// Commits what `fill` buffers.
pub async fn commit(store: &Store, fill: impl FnOnce(&mut Transaction)) -> Result<Stamp, Error> {
    let mut tx = store.begin();
    fill(&mut tx);
    store.commit(tx, Durability::Synced).await
}

pub async fn put(store: &Store, key: &str, value: &str) -> Stamp {
    commit(store, |tx| tx.put(key.into(), value.into())).await.unwrap()
}

pub async fn get(store: &Store, key: &str) -> Option<Bytes> {
    store.read().get(key.as_bytes()).await.unwrap()
}

/// The range of all keys that begin with `prefix`.
pub fn under(prefix: &str) -> std::ops::Range<Vec<u8>> {
    store::key::prefixed(prefix.into())
}

/// Every row that a caller may see.
pub async fn all(store: &Store) -> Vec<(Bytes, Bytes)> {
    let mut tx = store.read();
    let limit = store::Limit { rows: usize::MAX, bytes: usize::MAX };
    tx.scan(under(""), store::Direction::Forward, limit).await.unwrap().rows
}

/// The error of a body that fails by itself.
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, WriteError<Error>>) -> Error {
    match outcome.unwrap_err() {
        WriteError::Body(error) | WriteError::Store(error) => error,
    }
}
