//! One app (tenant) as the domain sees it, and the transactions on its data.

use std::{
    collections::HashMap,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use ids::AppId;
use store::{Store, Transaction, limits};

use crate::{
    Error, Result,
    feeds::{groups::Group, views::Views},
};

/// Operations that the largest item of a batch needs: an activity with 100 targets, four rows each, and some of its own.
const ITEM_OPERATIONS_MAX: usize = 450;
/// Bytes that the largest item of a batch needs.
const ITEM_BYTES_MAX: usize = 200_000;

/// An app: its settings as they were when the request began, its data, its views.
#[derive(Clone)]
pub struct App {
    /// Which app.
    pub id: AppId,
    /// Its feed groups by name.
    pub groups: Arc<HashMap<String, Group>>,
    /// Where its data is.
    pub store: Store,
    /// What is derived from the data, shared by all apps of the server.
    pub views: Arc<Views>,
}

/// A transaction on one app's data.
pub struct Tx<'a> {
    inner: Transaction,
    /// The app whose rows it touches.
    pub app: &'a App,
}

impl Tx<'_> {
    /// The first part of every key.
    pub fn tenant(&self) -> u32 {
        self.app.id.0
    }

    /// Whether another item of a batch might no longer fit.
    fn is_full(&self) -> bool {
        let (operations, bytes) = self.inner.size();
        operations + ITEM_OPERATIONS_MAX > limits::TRANSACTION_OPERATIONS_MAX
            || bytes + ITEM_BYTES_MAX > limits::TRANSACTION_BYTES_MAX
    }
}

impl Deref for Tx<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.inner
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Transaction {
        &mut self.inner
    }
}

/// How far one transaction came in a batch.
enum Batch<O> {
    Whole(Vec<O>),
    Part(Vec<O>),
}

impl App {
    /// Runs `body` and commits what it wrote; runs it again when another commit got in its way.
    ///
    /// # Errors
    /// What `body` answers, and then nothing is stored; or the store's failure.
    pub async fn write<T, F>(&self, mut body: F) -> Result<T>
    where
        F: AsyncFnMut(&mut Tx<'_>) -> Result<T>,
    {
        let mut attempts = self.store.attempts();
        loop {
            let mut tx = Tx { inner: attempts.begin(), app: self };
            let value = body(&mut tx).await?;
            if attempts.commit(tx.inner).await? {
                return Ok(value);
            }
        }
    }

    /// Runs `body` on a snapshot; what it writes is thrown away.
    ///
    /// # Errors
    /// What `body` answers.
    pub async fn read<T, F>(&self, body: F) -> Result<T>
    where
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T>,
    {
        body(&mut Tx { inner: self.store.read(), app: self }).await
    }

    /// Runs `body` for each item, in one transaction if they fit, else in several.
    ///
    /// What needs several is first run to its end without a commit, so that an error stores nothing. Only a crash
    /// between two of them can leave a part, and then nobody was told that it is done.
    ///
    /// # Errors
    /// What `body` answers, and then nothing is stored; or the store's failure.
    pub async fn write_each<I, O, F>(&self, items: &[I], mut body: F) -> Result<Vec<O>>
    where
        F: AsyncFnMut(&mut Tx<'_>, &I) -> Result<O>,
    {
        if let Some(done) = self.write_whole(items, &mut body).await? {
            return Ok(done);
        }
        self.rehearse(items, &mut body).await?;
        let mut done = Vec::with_capacity(items.len());
        while done.len() < items.len() {
            let rest = &items[done.len()..];
            let part = self.write(async |tx| run(tx, rest, &mut body).await).await?;
            done.extend(part.into_done());
        }
        Ok(done)
    }

    /// Runs `body` for each item in one transaction; commits nothing and answers `None` when they do not fit.
    async fn write_whole<I, O, F>(&self, items: &[I], body: &mut F) -> Result<Option<Vec<O>>>
    where
        F: AsyncFnMut(&mut Tx<'_>, &I) -> Result<O>,
    {
        let mut attempts = self.store.attempts();
        loop {
            let mut tx = Tx { inner: attempts.begin(), app: self };
            let Batch::Whole(done) = run(&mut tx, items, body).await? else { return Ok(None) };
            if attempts.commit(tx.inner).await? {
                return Ok(Some(done));
            }
        }
    }

    /// Runs `body` for each item and throws everything away.
    async fn rehearse<I, O, F>(&self, items: &[I], body: &mut F) -> Result<()>
    where
        F: AsyncFnMut(&mut Tx<'_>, &I) -> Result<O>,
    {
        let mut done = 0;
        while done < items.len() {
            let mut tx = Tx { inner: self.store.begin(), app: self };
            done += run(&mut tx, &items[done..], body).await?.into_done().len();
        }
        Ok(())
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

impl<O> Batch<O> {
    fn into_done(self) -> Vec<O> {
        match self {
            Batch::Whole(done) | Batch::Part(done) => done,
        }
    }
}

/// Runs `body` for as many items as fit into `tx`, at least one.
async fn run<I, O, F>(tx: &mut Tx<'_>, items: &[I], body: &mut F) -> Result<Batch<O>>
where
    F: AsyncFnMut(&mut Tx<'_>, &I) -> Result<O>,
{
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        if tx.is_full() {
            return Ok(Batch::Part(done));
        }
        done.push(body(tx, item).await?);
    }
    Ok(Batch::Whole(done))
}
