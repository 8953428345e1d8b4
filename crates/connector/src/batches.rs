//! Batches (§15.5): many requests from one file, read whole before anything runs, and fed in as fast as is fair.
//!
//! A batch is a queue in front of the requests: a row becomes a request when its turn comes, so that a few of them at a
//! time compete with what others ask for, and deletions stay below a fuse.
//!
//! **Invariant:** a row becomes at most one request, however often the process ends in between; what a row says of a
//! person is sealed, and gone once the request has it.

mod fuse;
mod progress;
mod reading;
mod rows;
mod running;

use ids::Timestamp;
use minicbor::{Decode, Encode, bytes::ByteVec};
use store::{Direction, Limit, Transaction};
use zeroize::Zeroizing;

use crate::{
    Connector, Error, NewRequest, Result,
    audit::{self, Draft},
    connector::load_request,
    engine::{Paging, due_key},
    error::failed,
    keys,
    keyspace::{BATCH, BATCH_DUE, BATCH_ROW, HERE},
    requests::{Kind, Request},
    words::words,
};

pub(crate) use fuse::Fuse;
pub use progress::Progress;
pub use rows::Row;

pub(crate) use reading::{columns, lines};

/// The most rows of a batch.
pub const ROWS_MAX: usize = 50_000;
/// Deletions of all batches an hour, unless said otherwise.
pub const DELETIONS_PER_HOUR: u32 = 1_000;
/// Rows that are written in one transaction.
const ROWS_PER_WRITE: usize = 200;

words! {
    /// Where a batch stands.
    BatchState {
        /// Its rows are being written; nobody was told that it was taken.
        0 Loading = "loading",
        /// It is found out how many users there are, and which share of them it would delete.
        1 Checking = "checking",
        /// Rows become requests.
        2 Running = "running",
        /// It would delete too large a share of the users: a person must let it go on.
        3 Held = "held",
        /// An operator stopped it.
        4 Paused = "paused",
        /// Every row is done.
        5 Completed = "completed",
        /// Withdrawn: rows that were no requests yet never become any.
        6 Canceled = "canceled",
    }
}

/// A batch.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Batch {
    /// `bat_` and a ULID.
    #[n(0)]
    pub id: String,
    /// Who handed it in.
    #[n(1)]
    pub requested_by: String,
    /// When.
    #[n(2)]
    pub created_at: Timestamp,
    /// Where it stands.
    #[n(3)]
    pub state: BatchState,
    /// Its rows.
    #[n(4)]
    pub rows: u32,
    /// Those that ask for a deletion.
    #[n(5)]
    pub deletions: u32,
    /// It begins none as long as so many deletions of batches began within an hour.
    #[n(6)]
    pub deletions_per_hour: u32,
    /// The rows before this one had their turn.
    #[n(7)]
    next_row: u32,
    /// The requests that run.
    #[n(8)]
    in_flight: Vec<String>,
    // 9 was the fuse of this batch alone.
    /// The integrations whose users must be counted still.
    #[n(10)]
    uncounted: Vec<String>,
    /// Users counted so far on the first of these.
    #[n(11)]
    pub counted: u32,
    #[n(12)]
    sealed_cursor: Option<ByteVec>,
    /// When it goes on.
    #[n(13)]
    pub next_run_at: Option<Timestamp>,
    /// When every row was done.
    #[n(14)]
    pub finished_at: Option<Timestamp>,
    /// Why it is held, or what counting ran into.
    #[n(15)]
    pub reason: Option<String>,
    /// How users are counted.
    #[cbor(n(16), default)]
    paging: Paging,
    /// How often the next call of counting failed.
    #[cbor(n(17), default)]
    failures: u32,
}

/// A batch as it is handed in.
pub struct NewBatch {
    /// Each row: a request, or what is wrong with it.
    pub rows: Vec<Result<NewRequest, String>>,
    /// Who hands it in.
    pub requested_by: String,
    /// The most deletions that begin within an hour.
    pub deletions_per_hour: u32,
    /// Whether it is known that it deletes a large share of the users.
    pub is_known: bool,
}

#[cfg(test)]
impl Batch {
    /// An empty batch, for tests of what looks at many.
    pub(crate) fn trial(id: &str, state: BatchState, created_at: Timestamp) -> Self {
        Batch {
            id: id.to_owned(),
            requested_by: "operator".to_owned(),
            created_at,
            state,
            rows: 0,
            deletions: 0,
            deletions_per_hour: 1,
            next_row: 0,
            in_flight: Vec::new(),
            uncounted: Vec::new(),
            counted: 0,
            sealed_cursor: None,
            next_run_at: None,
            finished_at: None,
            reason: None,
            paging: Paging::default(),
            failures: 0,
        }
    }
}

/// The batch, which must be there.
async fn load(tx: &mut Transaction, id: &str) -> Result<Batch> {
    let batch = BATCH.get(tx, HERE, &id.to_owned()).await?.filter(|batch| batch.state != BatchState::Loading);
    batch.ok_or_else(|| Error::missing("batch", id))
}

/// Writes a batch and when it is due.
async fn put(tx: &mut Transaction, batch: &Batch) -> Result<()> {
    let before = BATCH.get(tx, HERE, &batch.id).await?.and_then(|before| before.next_run_at);
    if before != batch.next_run_at {
        if let Some(before) = before {
            BATCH_DUE.delete(tx, HERE, &(due_key(before), batch.id.clone()));
        }
        if let Some(at) = batch.next_run_at {
            BATCH_DUE.put(tx, HERE, &(due_key(at), batch.id.clone()), &());
        }
    }
    BATCH.put(tx, HERE, &batch.id, batch);
    Ok(())
}

impl Connector {
    /// Takes a batch. Rows that are wrong are stored with what is wrong with them, and stop no other.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are no rows or too many.
    pub async fn add_batch(&self, new: &NewBatch) -> Result<Batch> {
        if new.rows.is_empty() || new.rows.len() > ROWS_MAX {
            return Err(Error::invalid("rows", format!("must be 1 to {ROWS_MAX}")));
        }
        let deletes = |row: &&Result<NewRequest, String>| {
            row.as_ref().is_ok_and(|new| new.kind == Kind::Deletion && !new.is_dry_run)
        };
        let deletions = new.rows.iter().filter(deletes).count();
        let now = self.surroundings.now();
        let must_check = deletions > 0 && !new.is_known;
        let mut batch = Batch {
            id: self.surroundings.id("bat_"),
            requested_by: new.requested_by.clone(),
            created_at: now,
            state: BatchState::Loading,
            rows: u32::try_from(new.rows.len()).expect("rows are bounded"),
            deletions: u32::try_from(deletions).expect("rows are bounded"),
            deletions_per_hour: new.deletions_per_hour.max(1),
            next_row: 0,
            in_flight: Vec::new(),
            uncounted: if must_check { self.deleted_on(&new.rows).await? } else { Vec::new() },
            counted: 0,
            sealed_cursor: None,
            next_run_at: None,
            finished_at: None,
            reason: None,
            paging: Paging::default(),
            failures: 0,
        };
        self.store_rows(&batch, &new.rows).await?;
        batch.state = if must_check { BatchState::Checking } else { BatchState::Running };
        batch.next_run_at = Some(now);
        let written = self.store.write(async |tx: &mut Transaction| {
            put(tx, &batch).await?;
            let draft = Draft::by(&batch.requested_by, "batch.created", &batch.id).with("rows", batch.rows);
            audit::record(tx, &draft.with("deletions", batch.deletions).with("i_know", new.is_known), now).await?;
            Ok(())
        });
        written.await.map_err(failed)?;
        self.tell_batch_due(now);
        Ok(batch)
    }

    /// Tells the worker of a batch that is due at `at`, once that is committed.
    fn tell_batch_due(&self, at: Timestamp) {
        self.batches_due.tell(BATCH_DUE.key(HERE, &(due_key(at), String::new())));
        self.news.notify_one();
    }

    /// The integrations on which rows delete.
    async fn deleted_on(&self, rows: &[Result<NewRequest, String>]) -> Result<Vec<String>> {
        let deletions = || rows.iter().flatten().filter(|new| new.kind == Kind::Deletion && !new.is_dry_run);
        if deletions().any(|new| new.integrations.is_empty()) {
            return Ok(self.integrations().await?.into_iter().map(|one| one.id).collect());
        }
        let all: std::collections::BTreeSet<&String> = deletions().flat_map(|new| &new.integrations).collect();
        Ok(all.into_iter().cloned().collect())
    }

    async fn store_rows(&self, batch: &Batch, rows: &[Result<NewRequest, String>]) -> Result<()> {
        let bytes = Zeroizing::new(self.surroundings.bytes());
        let made = self.store.write(async |tx: &mut Transaction| {
            self.ring.make(tx, &batch.id, &bytes);
            BATCH.put(tx, HERE, &batch.id, batch);
            Ok(())
        });
        made.await.map_err(failed)?;
        let key = self.ring.load(&mut self.store.read(), &batch.id).await?;
        for (chunk, rows) in rows.chunks(ROWS_PER_WRITE).enumerate() {
            let numbered = rows.iter().zip(u32::try_from(chunk * ROWS_PER_WRITE).expect("rows are bounded")..);
            let rows: Vec<(u32, Row)> =
                numbered.map(|(row, number)| (number, Row::new(row, &key, &batch.id, number))).collect();
            let written = self.store.write(async |tx: &mut Transaction| {
                for (number, row) in &rows {
                    BATCH_ROW.put(tx, HERE, &(batch.id.clone(), *number), row);
                }
                Ok(())
            });
            written.await.map_err(failed)?;
        }
        Ok(())
    }

    /// The batch.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn batch(&self, id: &str) -> Result<Batch> {
        load(&mut self.store.read(), id).await
    }

    /// Rows after number `after`, at most a page, each with its request.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn batch_rows(&self, id: &str, after: Option<u32>) -> Result<Vec<(u32, Row, Option<Request>)>> {
        let mut tx = self.store.read();
        let mut range = BATCH_ROW.prefix(HERE, &(id.to_owned(),));
        if let Some(after) = after {
            range.start = store::key::after(BATCH_ROW.key(HERE, &(id.to_owned(), after)));
        }
        let page = BATCH_ROW.scan(&mut tx, HERE, range, Direction::Forward, Limit::PAGE).await?;
        let mut rows = Vec::new();
        for ((_, number), row) in page.rows {
            let request = match &row.request {
                Some(request) => Some(load_request(&mut tx, request).await?),
                None => None,
            };
            rows.push((number, row, request));
        }
        Ok(rows)
    }

    /// How far a batch is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn batch_progress(&self, batch: &Batch) -> Result<Progress> {
        let is_canceled = batch.state == BatchState::Canceled;
        let mut progress = Progress::default();
        let mut after = None;
        loop {
            let rows = self.batch_rows(&batch.id, after).await?;
            let Some((last, ..)) = rows.last() else { return Ok(progress) };
            after = Some(*last);
            for (_, row, request) in &rows {
                progress.count(row, request.as_ref(), is_canceled);
            }
        }
    }

    /// Stops a batch: no row becomes a request until it is resumed; requests that run go on.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is done.
    pub async fn pause_batch(&self, id: &str, actor: &str) -> Result<Batch> {
        self.decide_batch(id, actor, "batch.paused", |batch| {
            (batch.state, batch.next_run_at) = (BatchState::Paused, None);
        })
        .await
    }

    /// Lets a batch go on that was stopped, or held for the share of users that it deletes.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is done.
    pub async fn resume_batch(&self, id: &str, actor: &str) -> Result<Batch> {
        let now = self.surroundings.now();
        let resumed = self.decide_batch(id, actor, "batch.resumed", |batch| {
            if batch.state == BatchState::Held {
                batch.uncounted.clear();
            }
            batch.reason = None;
            batch.state = if batch.uncounted.is_empty() { BatchState::Running } else { BatchState::Checking };
            batch.next_run_at = Some(now);
        });
        let batch = resumed.await?;
        self.tell_batch_due(now);
        Ok(batch)
    }

    /// Withdraws a batch, and those of its requests that have sent nothing irreversible.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is done.
    pub async fn cancel_batch(&self, id: &str, actor: &str) -> Result<Batch> {
        let canceled = self.decide_batch(id, actor, "batch.canceled", |batch| {
            (batch.state, batch.next_run_at) = (BatchState::Canceled, None);
        });
        let batch = canceled.await?;
        let mut after = None;
        loop {
            let rows = self.batch_rows(id, after).await?;
            let Some((last, ..)) = rows.last() else { break };
            after = Some(*last);
            for (_, row, request) in &rows {
                if let Some(request) = request.as_ref().filter(|_| !row.is_duplicate) {
                    self.cancel_if_open(request, actor).await?;
                }
            }
        }
        self.shred_rows(id).await?;
        Ok(batch)
    }

    /// Cancels a request that has sent nothing irreversible.
    async fn cancel_if_open(&self, request: &Request, actor: &str) -> Result<()> {
        if request.state.status().is_final() {
            return Ok(());
        }
        match self.cancel(&request.id, actor).await {
            Ok(()) | Err(Error::Conflict(_) | Error::Irreversible | Error::Status(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Destroys what rows say that became no requests.
    async fn shred_rows(&self, id: &str) -> Result<()> {
        let written = self.store.write(async |tx: &mut Transaction| {
            keys::shred(tx, id);
            Ok(())
        });
        written.await.map_err(failed)
    }

    async fn decide_batch(
        &self,
        id: &str,
        actor: &str,
        action: &'static str,
        change: impl Fn(&mut Batch) + Send + Sync,
    ) -> Result<Batch> {
        let lock = self.lock(id);
        let _held = lock.lock().await;
        let now = self.surroundings.now();
        let change = &change;
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut batch = load(tx, id).await?;
            if matches!(batch.state, BatchState::Completed | BatchState::Canceled) {
                return Err(Error::Conflict("the batch is done".to_owned()));
            }
            change(&mut batch);
            put(tx, &batch).await?;
            audit::record(tx, &Draft::by(actor, action, id), now).await?;
            Ok(batch)
        });
        written.await.map_err(failed)
    }
}
