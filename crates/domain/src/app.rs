//! One app (tenant) as the domain sees it, and the transactions on its data.

#![expect(clippy::manual_async_fn, reason = "an `async fn` cannot promise that its future is `Send`")]

use std::{
    collections::HashMap,
    net::IpAddr,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use ids::AppId;
use store::{Store, Transaction, limits};

use crate::{
    Error, Result,
    chat::events::Origin,
    feeds::{groups::Group, views::Views},
    settings::Settings,
};

/// Operations that the largest item of a batch needs: an activity with 100 targets, four rows each, and some of its own.
const ITEM_OPERATIONS_MAX: usize = 450;
/// Bytes that the largest item of a batch needs.
const ITEM_BYTES_MAX: usize = 200_000;
/// Reads that the largest item of a batch needs.
const ITEM_READS_MAX: usize = 1_000;

/// An app: its settings as they were when the request began, its data, its views.
#[derive(Clone)]
pub struct App {
    /// Which app.
    pub id: AppId,
    /// Its feed groups by name.
    pub groups: Arc<HashMap<String, Group>>,
    /// What its owner set for the whole of it.
    pub settings: Arc<Settings>,
    /// Where its data is.
    pub store: Store,
    /// What is derived from the data, shared by all apps of the server.
    pub views: Arc<Views>,
    /// How the call came that is served with it, where hooks are told of it.
    pub origin: Option<Arc<Origin>>,
    /// The address from which a user calls; nobody asks that of the app's own server.
    pub address: Option<IpAddr>,
}

/// A transaction on one app's data.
pub struct Tx {
    pub(crate) inner: Transaction,
    /// The app whose rows it touches.
    pub app: App,
}

impl Tx {
    /// The first part of every key.
    pub fn tenant(&self) -> u32 {
        self.app.id.0
    }

    /// Whether another item of a batch might no longer fit.
    pub(crate) fn is_full(&self) -> bool {
        let (operations, bytes) = self.inner.size();
        operations + ITEM_OPERATIONS_MAX > limits::TRANSACTION_OPERATIONS_MAX
            || bytes + ITEM_BYTES_MAX > limits::TRANSACTION_BYTES_MAX
            || self.inner.reads() + ITEM_READS_MAX > limits::TRANSACTION_READS_MAX
    }
}

impl Deref for Tx {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Transaction {
        &mut self.inner
    }
}

/// What runs in a transaction: `async |tx| { … }`.
///
/// It says the same as the `AsyncFnMut` bound beside it, which lets the compiler infer the closure; this one makes the
/// future `Send`.
pub trait Body<'a, T>: FnMut(&'a mut Tx) -> <Self as Body<'a, T>>::Run {
    /// One run of it.
    type Run: Future<Output = Result<T>> + Send;
}

impl<'a, T, F, R> Body<'a, T> for F
where
    F: FnMut(&'a mut Tx) -> R,
    R: Future<Output = Result<T>> + Send,
{
    type Run = R;
}

/// What runs for each item of a batch: `async |tx, item| { … }`; see [`Body`].
pub trait EachBody<'a, 'i, I: 'i, O>: FnMut(&'a mut Tx, &'i I) -> <Self as EachBody<'a, 'i, I, O>>::Run {
    /// One run of it.
    type Run: Future<Output = Result<O>> + Send;
}

impl<'a, 'i, I: 'i, O, F, R> EachBody<'a, 'i, I, O> for F
where
    F: FnMut(&'a mut Tx, &'i I) -> R,
    R: Future<Output = Result<O>> + Send,
{
    type Run = R;
}

impl App {
    /// The app `id` of `store` as it is without anything that is set up: no feed groups, the settings of a new app, and views in
    /// at most about `views_bytes_max` of memory.
    pub(crate) fn bare(id: AppId, store: Store, views_bytes_max: u64) -> Self {
        let views = Views::new(&store, views_bytes_max);
        App { id, groups: Arc::default(), settings: Arc::default(), store, views, origin: None, address: None }
    }

    pub(crate) fn tx(&self, inner: Transaction) -> Tx {
        Tx { inner, app: self.clone() }
    }

    /// Runs `body` and commits what it wrote; runs it again when another commit got in its way.
    ///
    /// # Errors
    /// What `body` answers, and then nothing is stored; or the store's failure.
    pub fn write<T, F>(&self, mut body: F) -> impl Future<Output = Result<T>> + Send + use<'_, T, F>
    where
        T: Send,
        F: AsyncFnMut(&mut Tx) -> Result<T> + for<'a> Body<'a, T> + Send,
    {
        async move {
            let mut attempts = self.store.attempts();
            loop {
                let mut tx = self.tx(attempts.begin());
                let value = body(&mut tx).await?;
                if attempts.commit(tx.inner).await? {
                    return Ok(value);
                }
            }
        }
    }

    /// A transaction that only reads: its data as it was at one moment. What it writes is thrown away.
    pub fn snapshot(&self) -> Tx {
        self.tx(self.store.read())
    }

    /// Runs `body` for each item, in one transaction if they fit, else in several.
    ///
    /// What needs several is first run to its end without a commit, so that an error stores nothing. Only a crash
    /// between two of them can leave a part, and then nobody was told that it is done.
    ///
    /// # Errors
    /// What `body` answers, and then nothing is stored; or the store's failure.
    pub fn write_each<'i, I, O, F>(
        &self,
        items: &'i [I],
        mut body: F,
    ) -> impl Future<Output = Result<Vec<O>>> + Send + use<'_, 'i, I, O, F>
    where
        I: Sync,
        O: Send,
        F: AsyncFnMut(&mut Tx, &I) -> Result<O> + for<'a, 'b> EachBody<'a, 'b, I, O> + Send,
    {
        async move {
            let mut done = Vec::with_capacity(items.len());
            let mut is_rehearsed = false;
            while done.len() < items.len() {
                let mut attempts = self.store.attempts();
                loop {
                    let mut tx = self.tx(attempts.begin());
                    let part = run(&mut tx, &items[done.len()..], &mut body).await?;
                    if part.len() < items.len() && !is_rehearsed {
                        self.rehearse(&items[part.len()..], &mut body).await?;
                        is_rehearsed = true;
                        continue;
                    }
                    if attempts.commit(tx.inner).await? {
                        done.extend(part);
                        break;
                    }
                }
            }
            Ok(done)
        }
    }

    /// Runs `body` for each item and throws everything away.
    fn rehearse<I, O, F>(&self, items: &[I], body: &mut F) -> impl Future<Output = Result<()>> + Send
    where
        I: Sync,
        O: Send,
        F: AsyncFnMut(&mut Tx, &I) -> Result<O> + for<'a, 'b> EachBody<'a, 'b, I, O> + Send,
    {
        async move {
            let mut done = 0;
            while done < items.len() {
                done += run(&mut self.tx(self.store.begin()), &items[done..], body).await?.len();
            }
            Ok(())
        }
    }

    /// Checks that each of these groups exists.
    ///
    /// # Errors
    /// [`Error::NoGroup`] with all that do not.
    pub fn check_groups<'g>(&self, names: impl IntoIterator<Item = &'g str>) -> Result<()> {
        let mut missing: Vec<String> = Vec::new();
        for name in names {
            if !self.groups.contains_key(name) && !missing.iter().any(|known| known == name) {
                missing.push(name.to_owned());
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(Error::NoGroup(missing)) }
    }

    /// The group called `name`.
    ///
    /// # Errors
    /// [`Error::NoGroup`] when there is none.
    pub fn group(&self, name: &str) -> Result<&Group> {
        self.groups.get(name).ok_or_else(|| Error::NoGroup(vec![name.to_owned()]))
    }
}

/// Runs `body` for as many items as fit into `tx`, at least one.
fn run<I, O, F>(tx: &mut Tx, items: &[I], body: &mut F) -> impl Future<Output = Result<Vec<O>>> + Send
where
    I: Sync,
    O: Send,
    F: AsyncFnMut(&mut Tx, &I) -> Result<O> + for<'a, 'b> EachBody<'a, 'b, I, O> + Send,
{
    async move {
        let mut done = Vec::with_capacity(items.len());
        for item in items {
            if !done.is_empty() && tx.is_full() {
                break;
            }
            done.push(body(tx, item).await?);
        }
        Ok(done)
    }
}
