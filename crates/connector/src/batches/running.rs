//! One step of a batch: users are counted, or rows become requests; everything it waits for is a row with a due time.

use serde_json::json;
use store::{Direction, Limit, Transaction};

use super::{Batch, BatchState, Row, load, put, rows::place};
use crate::{
    Asked, Connector, Error, Result,
    audit::{self, Draft},
    connector::load_request,
    engine::{PUT_OFF_FOR, due_key},
    error::failed,
    hooks, integrations, keys,
    keyspace::{BATCH_DUE, BATCH_ROW, FUSE, HERE},
    requests::Kind,
    status::{Reason, Status},
    upstream::{Endpoint, Meaning},
};

/// Requests of a batch that run at the same time: what others ask for competes with no more than these.
const IN_FLIGHT_MAX: usize = 20;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
/// A batch may delete one user of so many without a person saying that it is meant: 5 %.
const USERS_PER_DELETION: u32 = 20;
/// Users that are counted before it is said that nobody knows how many there are.
const COUNTED_MAX: u32 = 20_000;
/// Between two looks at requests of people who take their time.
const LOOK_EVERY: i64 = MINUTE;

impl Connector {
    /// Makes one step of each batch that is due; answers how many there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run_batches(&self) -> Result<usize> {
        let now = self.surroundings.now();
        let mut range = BATCH_DUE.before(HERE, &(due_key(now) + 1, String::new()));
        let look = self.batches_due.look(&mut range);
        let page = BATCH_DUE.scan(&mut self.store.read(), HERE, range, Direction::Forward, Limit::PAGE).await?;
        let count = page.rows.len();
        if let Some((first, ())) = page.rows.first() {
            self.batches_due.found(&look, BATCH_DUE.key(HERE, first));
        }
        for ((_, id), ()) in page.rows {
            let lock = self.lock(&id);
            let _held = lock.lock().await;
            let batch = load(&mut self.store.read(), &id).await?;
            let made = match batch.state {
                BatchState::Checking => self.count_users(batch).await,
                BatchState::Running => self.feed(batch).await,
                _ => Ok(()),
            };
            match made {
                Err(error) if error.is_of_one_request() => self.put_batch_off(&id).await?,
                made => made?,
            }
        }
        Ok(count)
    }

    /// Leaves a batch alone for a while that cannot be gone on with as it is: it holds up no other one.
    async fn put_batch_off(&self, id: &str) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut batch = load(tx, id).await?;
            batch.next_run_at = Some(now.plus_micros(PUT_OFF_FOR));
            batch.reason = Some(Reason::IntegrationDisconnected.word().to_owned());
            put(tx, &batch).await?;
            audit::record(tx, &Draft::system("batch.put_off", id), now).await?;
            Ok(())
        });
        written.await.map_err(failed)
    }

    async fn save_batch(&self, batch: &Batch) -> Result<()> {
        let written = self.store.write(async |tx: &mut Transaction| put(tx, batch).await);
        written.await.map_err(failed)
    }

    /// Counts a page of the users of an integration, until there are so many that the batch is a small share of them.
    async fn count_users(&self, mut batch: Batch) -> Result<()> {
        let now = self.surroundings.now();
        let Some(first) = batch.uncounted.first().cloned() else {
            (batch.state, batch.next_run_at) = (BatchState::Running, Some(now));
            return self.save_batch(&batch).await;
        };
        let mut tx = self.store.read();
        let integration = match integrations::load(&mut tx, &first).await {
            Ok(integration) => integration,
            // It was removed meanwhile: nothing is deleted there.
            Err(Error::Missing { .. }) => {
                batch.uncounted.remove(0);
                (batch.counted, batch.sealed_cursor) = (0, None);
                return self.save_batch(&batch).await;
            }
            Err(error) => return Err(error),
        };
        let key = self.ring.load(&mut tx, &batch.id).await?;
        drop(tx);
        let session = self.session(&integration).await?;
        if let Some(until) = session.gate(Endpoint::QueryUsers, now).until() {
            batch.next_run_at = Some(until);
            return self.save_batch(&batch).await;
        }
        let cursor = batch.sealed_cursor.as_ref();
        let cursor = cursor.map(|sealed| key.open_text(place(&batch.id, "cursor"), sealed)).transpose()?;
        let call = batch.paging.query(&json!({}), cursor.as_deref());
        let answer = session.call(&self.http, &call, None, &self.surroundings).await;
        self.note_call(&batch.id, &session, &call, &answer, batch.failures).await?;
        if let Some(paging) = batch.paging.instead(answer.meaning, cursor.as_deref()) {
            (batch.paging, batch.next_run_at) = (paging, Some(now));
            return self.save_batch(&batch).await;
        }
        let body = answer.json().unwrap_or_default();
        let (Meaning::Ok, Some(users)) = (answer.meaning, body["users"].as_array()) else {
            batch.reason = Some(crate::upstream::reason(answer.meaning).word().to_owned());
            batch.next_run_at = Some(now.plus_micros(MINUTE));
            batch.failures += 1;
            return self.save_batch(&batch).await;
        };
        (batch.reason, batch.failures) = (None, 0);
        let is_full = batch.paging.took(users.len());
        batch.counted += u32::try_from(users.len()).unwrap_or(u32::MAX);
        let last = users.last().and_then(|user| user["id"].as_str());
        batch.sealed_cursor = last.map(|last| key.seal(place(&batch.id, "cursor"), last.as_bytes()).into());
        batch.next_run_at = Some(now);
        if batch.counted >= batch.deletions.saturating_mul(USERS_PER_DELETION) {
            batch.uncounted.remove(0);
            batch.paging.ended();
            (batch.counted, batch.sealed_cursor) = (0, None);
        } else if !is_full || batch.counted >= COUNTED_MAX {
            let why = if !is_full { "share_too_large" } else { "share_unknown" };
            (batch.state, batch.next_run_at) = (BatchState::Held, None);
            batch.reason = Some(why.to_owned());
            self.record(Draft::system("batch.held", &batch.id).with("reason", why)).await?;
        }
        self.save_batch(&batch).await
    }

    /// Lets rows have their turn, as many as may run at the same time.
    async fn feed(&self, mut batch: Batch) -> Result<()> {
        let now = self.surroundings.now();
        let mut running = Vec::new();
        for id in std::mem::take(&mut batch.in_flight) {
            let status = load_request(&mut self.store.read(), &id).await?.state.status();
            if !status.is_final() && status != Status::Held {
                running.push(id);
            }
        }
        batch.in_flight = running;
        (batch.next_run_at, batch.reason) = (Some(now.plus_micros(SECOND)), None);
        while batch.in_flight.len() < IN_FLIGHT_MAX && batch.next_row < batch.rows {
            let number = batch.next_row;
            let row = BATCH_ROW.get(&mut self.store.read(), HERE, &(batch.id.clone(), number)).await?;
            let row = row.ok_or_else(|| Error::missing("row", &number.to_string()))?;
            let deletes = row.kind == Some(Kind::Deletion);
            if deletes {
                let fuse = FUSE.get(&mut self.store.read(), HERE, &()).await?.unwrap_or_default();
                let opens_at = fuse.opens_at(batch.deletions_per_hour, now);
                if opens_at > now {
                    batch.next_run_at = Some(opens_at);
                    break;
                }
            }
            batch.next_row += 1;
            if row.problem.is_none() {
                self.let_in(&mut batch, row, number).await?;
            }
        }
        if batch.next_row == batch.rows && batch.in_flight.is_empty() {
            return self.finish_batch(batch).await;
        }
        self.save_batch(&batch).await
    }

    /// Makes a row a request. What is refused is noted, and stops no other row.
    async fn let_in(&self, batch: &mut Batch, mut row: Row, number: u32) -> Result<()> {
        let now = self.surroundings.now();
        let key = self.ring.load(&mut self.store.read(), &batch.id).await?;
        let asked = match row.open(&key, &batch.id, number)?.request(batch, number) {
            Ok(new) => self.ask(&new).await,
            Err(error) => Err(error),
        };
        row.sealed = None;
        match asked {
            Ok(asked) => {
                let request = asked.request();
                let is_ours = request.batch.as_ref() == Some(&batch.id);
                row.is_duplicate =
                    matches!(asked, Asked::Duplicate(_)) && (!is_ours || batch.in_flight.contains(&request.id));
                row.request = Some(request.id.clone());
                if !request.state.status().is_final() && !batch.in_flight.contains(&request.id) {
                    batch.in_flight.push(request.id.clone());
                }
            }
            Err(error @ (Error::Invalid { .. } | Error::Conflict(_) | Error::Missing { .. })) => {
                row.problem = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
        let batch = &*batch;
        let written = self.store.write(async |tx: &mut Transaction| {
            BATCH_ROW.put(tx, HERE, &(batch.id.clone(), number), &row);
            if row.kind == Some(Kind::Deletion) {
                let mut fuse = FUSE.get(tx, HERE, &()).await?.unwrap_or_default();
                fuse.count(now);
                FUSE.put(tx, HERE, &(), &fuse);
            }
            put(tx, batch).await
        });
        written.await.map_err(failed)
    }

    /// Ends a batch whose rows are all done; requests that wait for people are waited for.
    async fn finish_batch(&self, mut batch: Batch) -> Result<()> {
        let now = self.surroundings.now();
        let progress = self.batch_progress(&batch).await?;
        if progress.done() < batch.rows {
            batch.next_run_at = Some(now.plus_micros(LOOK_EVERY));
            return self.save_batch(&batch).await;
        }
        (batch.state, batch.next_run_at, batch.finished_at) = (BatchState::Completed, None, Some(now));
        let data = json!({
            "batch_id": batch.id,
            "total": batch.rows,
            "complete": progress.complete,
            "no_records": progress.no_records,
            "failed": progress.failed,
            "canceled": progress.canceled,
        });
        let written = self.store.write(async |tx: &mut Transaction| {
            put(tx, &batch).await?;
            keys::shred(tx, &batch.id);
            let draft = Draft::system("batch.completed", &batch.id).with("failed", progress.failed);
            let seq = audit::record(tx, &draft.with("complete", progress.complete), now).await?;
            hooks::announce(tx, "batch.completed", &batch.id, &data, seq, now).await
        });
        written.await.map_err(failed)
    }
}
