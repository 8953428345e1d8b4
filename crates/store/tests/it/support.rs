//! What the tests share: stores on each engine, and short words for one-row transactions.

use std::path::Path;

use store::{Bytes, Durability, Error, Options, Stamp, Store, Transaction, WriteError};

/// Options for tests: a small cache, and a panic in place of the end of the process.
pub(crate) fn options() -> Options {
    Options { cache_bytes: 8 << 20, on_fatal: std::sync::Arc::new(|reason| panic!("{reason}")), ..Options::default() }
}

/// A store, and the directory that goes when it goes.
pub(crate) struct Pond {
    pub(crate) store: Store,
    pub(crate) dir: Option<tempfile::TempDir>,
}

impl std::ops::Deref for Pond {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// Opens a store in `dir`.
pub(crate) fn open(dir: &Path) -> Store {
    Store::open(dir, &options()).unwrap()
}

/// The engines under test.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Memory,
    Embedded,
}

impl Kind {
    pub(crate) fn pond(self) -> Pond {
        self.pond_with(options())
    }

    pub(crate) fn pond_with(self, options: Options) -> Pond {
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
pub(crate) async fn commit(store: &Store, fill: impl FnOnce(&mut Transaction)) -> Result<Stamp, Error> {
    let mut tx = store.begin();
    fill(&mut tx);
    store.commit(tx, Durability::Synced).await
}

pub(crate) async fn put(store: &Store, key: &str, value: &str) -> Stamp {
    commit(store, |tx| tx.put(key.into(), value.into())).await.unwrap()
}

pub(crate) async fn get(store: &Store, key: &str) -> Option<Bytes> {
    store.read().get(key.as_bytes()).await.unwrap()
}

/// The range of all keys that begin with `prefix`.
pub(crate) fn under(prefix: &str) -> std::ops::Range<Vec<u8>> {
    store::key::prefixed(prefix.into())
}

/// Every row that a caller may see.
pub(crate) async fn all(store: &Store) -> Vec<(Bytes, Bytes)> {
    let mut tx = store.read();
    let limit = store::Limit { rows: usize::MAX, bytes: usize::MAX };
    tx.scan(under(""), store::Direction::Forward, limit).await.unwrap().rows
}

/// The error of a body that fails by itself.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, WriteError<Error>>) -> Error {
    match outcome.unwrap_err() {
        WriteError::Body(error) | WriteError::Store(error) => error,
    }
}

pub(crate) async fn get_bytes(store: &Store, key: &[u8]) -> Option<Bytes> {
    store.read().get(key).await.unwrap()
}

pub(crate) async fn count(store: &Store, key: &str) -> i64 {
    i64::from_le_bytes(get(store, key).await.unwrap()[..].try_into().unwrap())
}

pub(crate) fn keys(rows: &[(Bytes, Bytes)]) -> Vec<String> {
    rows.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect()
}

/// Rows as `key=value`, for short assertions.
pub(crate) fn shown(rows: &[(Bytes, Bytes)]) -> String {
    let show =
        |(key, value): &(Bytes, Bytes)| format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value));
    rows.iter().map(show).collect::<Vec<_>>().join(" ")
}
