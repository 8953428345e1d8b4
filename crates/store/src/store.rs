//! The store: where transactions begin and end.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::RwLock;
use tokio::sync::oneshot;

use crate::body::Body;
use crate::committer::{Committer, Durability, EngineFault, Published, Request, Shared};
use crate::engine::{Embedded, Engine, Memory};
use crate::error::{Error, OpenError, WriteError};
use crate::fault::Fault;
use crate::limits::{ATTEMPTS_AT_ONCE, BACKOFF_MAX, RANGE_ROWS_MAX, WRITE_ATTEMPTS_MAX};
use crate::options::Options;
use crate::queue::Queue;
use crate::read_set::ReadSet;
use crate::scan::{Direction, Limit};
use crate::stamp::Stamp;
use crate::system::{self, CommitId};
use crate::transaction::{Commit, Transaction};
use crate::turn::{Turn, Turns};
use crate::view::View;
use crate::writes::Writes;

/// An ordered, transactional store of keys and values. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    queue: Queue,
    options: Options,
    /// The stamp at which the store was opened: with the number below, it makes commit ids unique.
    opened: Stamp,
    next_commit: AtomicU64,
    turns: Turns,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("published", &self.published()).finish_non_exhaustive()
    }
}

impl Store {
    /// An empty store in memory, for tests and the simulator. Its commits happen on the caller's thread.
    pub fn memory() -> Store {
        Store::memory_with(Options::default())
    }

    /// As [`Store::memory`], with options.
    pub fn memory_with(options: Options) -> Store {
        let engine = Engine::Memory(Memory::default());
        let (committer, shared) = start(engine, &options, Stamp::default());
        Store::new(shared, Queue::inline(committer), options)
    }

    /// Opens the store in `dir`, or makes it if there is nothing.
    ///
    /// One process at a time owns a directory. A newer directory is refused, and so is one in which an acknowledged
    /// commit is damaged or missing; what a power cut left behind unacknowledged is put aside.
    pub fn open(dir: &Path, options: &Options) -> Result<Store, OpenError> {
        let opened = Embedded::open(dir, options)?;
        let engine = Engine::Embedded(opened.engine);
        let (committer, shared) = start(engine, options, opened.stamp);
        let queue = Queue::thread(committer, shared.clone()).map_err(|source| OpenError::Io {
            action: "start the committer's thread for",
            path: dir.into(),
            source,
        })?;
        Ok(Store::new(shared, queue, options.clone()))
    }

    fn new(shared: Arc<Shared>, queue: Queue, options: Options) -> Store {
        let opened = shared.published.load().stamp;
        Store {
            inner: Arc::new(Inner {
                shared,
                queue,
                options,
                opened,
                next_commit: AtomicU64::new(0),
                turns: Turns::default(),
            }),
        }
    }

    /// Begins a transaction on the last published state.
    pub fn begin(&self) -> Transaction {
        Transaction::new(self.view(), true)
    }

    /// Begins a transaction that only reads; nothing is recorded, and it cannot be committed.
    pub fn read(&self) -> Transaction {
        Transaction::new(self.view(), false)
    }

    /// The stamp of the last published commit.
    pub fn published(&self) -> Stamp {
        self.inner.shared.published.load().stamp
    }

    /// Calls `hook` for every later commit, in commit order: after its sync, before any transaction can see it and
    /// before its caller is told. The hook holds up all commits, so it must be quick, and it must
    /// not wait for a commit. A hook that panics stops the store.
    pub fn on_publish(&self, hook: Box<dyn Fn(&Published) + Send + Sync>) {
        self.inner.shared.hooks.write().push(hook);
    }

    /// Calls `hook` whenever later commits have become readable, once for all that share a sync. What holds for the hooks of
    /// [`Store::on_publish`] holds for it.
    pub fn on_shown(&self, hook: Box<dyn Fn() + Send + Sync>) {
        self.inner.shared.shown_hooks.write().push(hook);
    }

    /// Commits a transaction: all of it, or on an error nothing.
    ///
    /// After [`Error::Unknown`] it may have happened; [`Store::write`] finds out by itself.
    pub async fn commit(&self, tx: Transaction, durability: Durability) -> Result<Stamp, Error> {
        let (number, id) = self.next_id();
        let _beside_others = self.inner.turns.beside_others(&Turn::default()).await;
        self.submit(tx.finish()?, number, id, durability).await
    }

    /// Runs `body` in a transaction and commits, again if another commit interferes. Who has lost several times goes on in
    /// turn with all others who have, and at last while nobody else commits, so that no number of writers of one row keeps
    /// one of them from ever writing.
    ///
    /// The body may run several times and must touch nothing but its transaction. An error of the body commits
    /// nothing; a body that wrote nothing is not committed at all.
    ///
    /// Both bounds say the same: the first lets the compiler infer `async |tx| { … }`, the second makes the result
    /// `Send`.
    pub fn write<T, E, F>(&self, mut body: F) -> impl Future<Output = Result<T, WriteError<E>>> + Send + use<T, E, F>
    where
        T: Send,
        E: Send,
        F: AsyncFnMut(&mut Transaction) -> Result<T, E> + for<'a> Body<'a, T, E> + Send,
    {
        let store = self.clone();
        async move {
            let mut turn = Turn::default();
            for attempt in 1..=WRITE_ATTEMPTS_MAX {
                if attempt > 1 {
                    store.await_turn(attempt, &mut turn).await;
                }
                let mut tx = store.begin();
                let value = body(&mut tx).await.map_err(WriteError::Body)?;
                if tx.is_empty() {
                    return Ok(value);
                }
                match store.commit_or_resolve(tx, &turn).await {
                    Ok(_) => return Ok(value),
                    Err(error) if error.is_retryable() => {}
                    Err(error) => return Err(WriteError::Store(error)),
                }
            }
            Err(WriteError::Store(Error::Contended { attempts: WRITE_ATTEMPTS_MAX }))
        }
    }

    /// Removes every row of `range`, in as many transactions as it takes. Not atomic, and safe to repeat.
    pub async fn clear(&self, range: std::ops::Range<Vec<u8>>) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let rows = self.clear_some(&range).await?;
            removed += rows as u64;
            if rows == 0 {
                return Ok(removed);
            }
        }
    }

    /// Removes the first rows of `range`, up to what one transaction may remove.
    async fn clear_some(&self, range: &std::ops::Range<Vec<u8>>) -> Result<usize, Error> {
        let removed = self.write(async |tx: &mut Transaction| {
            let mut rows = 0;
            let mut start = range.start.clone();
            while rows + Limit::PAGE.rows <= RANGE_ROWS_MAX / 2 {
                let page = tx.scan(start.clone()..range.end.clone(), Direction::Forward, Limit::PAGE).await?;
                rows += page.rows.len();
                if let Some((last, _)) = page.rows.last() {
                    start = crate::key::after(last.to_vec());
                }
                if !page.more {
                    break;
                }
            }
            if rows > 0 {
                tx.delete_range(range.start.clone()..start);
            }
            Ok(rows)
        });
        removed.await.map_err(|error| match error {
            WriteError::Body(error) | WriteError::Store(error) => error,
        })
    }

    /// Writes the tables anew without what was deleted or overwritten before the last commit. Blocks; reads and commits go on
    /// beside it. The old tables' files go with [`Store::settle`].
    ///
    /// What an open transaction can still see stays. What the journal still holds goes when the store is closed, or with
    /// the next 64 MB of writes.
    ///
    /// # Errors
    /// When the engine fails, or the store is closed.
    pub fn compact(&self) -> Result<(), Error> {
        // The state that shows the tables must be let go of first, for it holds on to what it shows.
        let tables = self.view().snapshot.tables()?;
        tables.map_or(Ok(()), |tables| tables.compact())
    }

    /// Removes the files of tables that were written anew before the last commit: make one after [`Store::compact`]. Blocks.
    ///
    /// # Errors
    /// As [`Store::compact`].
    pub fn settle(&self) -> Result<(), Error> {
        let tables = self.view().snapshot.tables()?;
        tables.map_or(Ok(()), |tables| tables.settle())
    }

    /// Finishes the waiting commits, syncs, and gives the directory free. Later reads and commits fail.
    ///
    /// Dropping the last clone does the same. A transaction that is still there keeps the engine's files in use.
    pub fn close(&self) {
        self.inner.queue.close();
    }

    pub(crate) fn view(&self) -> Arc<View> {
        self.inner.shared.published.load_full()
    }

    fn next_id(&self) -> (u64, CommitId) {
        let number = self.inner.next_commit.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.inner.opened.to_bytes());
        id[8..].copy_from_slice(&number.to_be_bytes());
        (number, id)
    }

    async fn submit(&self, commit: Commit, number: u64, id: CommitId, durability: Durability) -> Result<Stamp, Error> {
        let fault = self.inner.options.faults.as_ref().map_or(Fault::None, |choose| choose(number));
        match fault {
            Fault::Conflict => return Err(Error::Conflict),
            Fault::LoseRequest => return Err(Error::Unknown),
            Fault::None | Fault::LoseAnswer | Fault::WriteFails => {}
        }
        let (reply, outcome) = oneshot::channel();
        let engine_fault = if fault == Fault::WriteFails { EngineFault::WriteFails } else { EngineFault::None };
        self.inner.queue.send(Request { commit, id, durability, fault: engine_fault, reply })?;
        let outcome = outcome.await.map_err(|_| Error::Unknown)?;
        if fault == Fault::LoseAnswer { Err(Error::Unknown) } else { outcome }
    }

    /// Commits, and finds out what became of a commit whose outcome is unknown.
    pub(crate) async fn commit_or_resolve(&self, tx: Transaction, turn: &Turn) -> Result<Stamp, Error> {
        let (number, id) = self.next_id();
        let began = tx.stamp();
        let _beside_others = self.inner.turns.beside_others(turn).await;
        match self.submit(tx.finish()?, number, id, Durability::Synced).await {
            Err(Error::Unknown) => self.resolve(id, began).await?.ok_or(Error::Conflict),
            outcome => outcome,
        }
    }

    /// The stamp of commit `id`, whose transaction began at `began`; `None` if it did not happen and never will.
    async fn resolve(&self, id: CommitId, began: Stamp) -> Result<Option<Stamp>, Error> {
        // Commits are decided in the order they arrive: once this empty one is answered, the other is decided too.
        let fence = Commit { view: self.view(), reads: ReadSet::default(), writes: Writes::default() };
        let (reply, outcome) = oneshot::channel();
        let request =
            Request { commit: fence, id: [0; 16], durability: Durability::Buffered, fault: EngineFault::None, reply };
        self.inner.queue.send(request).map_err(|_| Error::Unknown)?;
        outcome.await.map_err(|_| Error::Unknown)??;
        let view = self.view();
        let mut range = system::groups_after(began);
        while range.start < range.end {
            let slice = view.snapshot.scan(&range, Direction::Forward, Limit::PAGE)?;
            for (key, value) in &slice.rows {
                if let Some(stamp) = system::find_commit(key, value, &id)? {
                    return Ok(Some(stamp));
                }
            }
            let Some(next) = slice.next else { break };
            range.start = next.to_vec();
        }
        Ok(None)
    }

    /// Waits until the time for another attempt has come. The first few come at once, because most often the conflicting
    /// commit is already published; after too many, `turn` is waited for and kept.
    pub(crate) async fn await_turn(&self, attempt: u32, turn: &mut Turn) {
        if attempt <= ATTEMPTS_AT_ONCE {
            return tokio::task::yield_now().await;
        }
        if self.inner.turns.take(attempt, turn).await {
            return;
        }
        // The commit that interfered may still be on its way to the disk.
        let ceiling = Duration::from_micros(100) * 2_u32.pow(attempt.min(10));
        let number = self.inner.next_commit.load(Ordering::Relaxed);
        let jitter = mix(number ^ (u64::from(attempt) << 56)) % 1_000;
        tokio::time::sleep(ceiling.min(BACKOFF_MAX).mul_f64(jitter as f64 / 1_000.0)).await;
    }
}

/// Starts a committer on an engine whose last commit is `stamp`.
fn start(engine: Engine, options: &Options, stamp: Stamp) -> (Committer, Arc<Shared>) {
    let view = View { stamp, snapshot: engine.snapshot() };
    let shared = Arc::new(Shared {
        published: ArcSwap::from_pointee(view),
        hooks: RwLock::default(),
        shown_hooks: RwLock::default(),
        on_fatal: options.on_fatal.clone(),
    });
    (Committer::new(engine, shared.clone()), shared)
}

/// Spreads a counter over all bits (the finaliser of SplitMix64): jitter needs no randomness, only difference.
fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
