//! What is done from time to time: what has been kept long enough is destroyed (§4.5), and connections are tried again.

use ids::Timestamp;
use store::{Key, Record, Table, Transaction};

use super::{Connector, Filter, asking::IDEMPOTENCY_KEPT};
use crate::{
    Error, Result,
    batches::{Batch, BatchState},
    error::failed,
    executions,
    hooks::DeliveryState,
    integrations::{Health, Integration},
    keys,
    keyspace::{self, ARTIFACT, BATCH, BATCH_ROW, CALLBACK, CREDENTIAL, DELIVERY, HERE, IDEMPOTENCY, LINK},
    requests::Request,
    retention::Retention,
};

const DAY: i64 = 24 * 3600 * 1_000_000;
const PAGE: usize = 200;
/// How long events and callbacks are listed that were taken or given up, in microseconds.
const SENT_KEPT: i64 = 30 * DAY;

impl Connector {
    /// Destroys what has been kept long enough, and tries connections that nobody has tried for a day.
    ///
    /// # Errors
    /// When the store or the folder of blobs fails.
    pub async fn sweep(&self) -> Result<()> {
        let retention = self.retention().await?;
        let mut after = None::<String>;
        loop {
            let page = self.requests(&Filter::default(), after.as_deref(), PAGE).await?;
            for request in &page.requests {
                self.warn_of_deadline(request).await?;
                self.sweep_one(request, retention).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        self.drop_ended().await?;
        self.drop_old_hook_secrets().await?;
        for integration in self.integrations().await? {
            let is_tried = matches!(integration.health, Health::Connected | Health::Degraded | Health::Disconnected);
            self.drop_retired(&integration).await?;
            let tested_at = integration.last_tested_at.unwrap_or(integration.created_at);
            if is_tried && self.surroundings.now().micros() - tested_at.micros() >= DAY {
                let with_delete = integration.capabilities.iter().any(|one| one == "delete");
                match self.test_integration(&integration.id, with_delete).await {
                    // One that cannot be tested at all, as without its dialect, holds up nothing else.
                    Err(error) if error.is_of_one_request() => {}
                    tested => drop(tested?),
                }
            }
        }
        Ok(())
    }

    /// Removes links that have ended, keys of calls that stand for nothing any more, what was sent long ago, and batches whose
    /// rows were never written whole.
    async fn drop_ended(&self) -> Result<()> {
        let now = self.surroundings.now();
        let is_older = |at: i64, than: i64| now.micros() - at >= than;
        self.drop_rows(&LINK, |link| link.expires_at <= now).await?;
        self.drop_rows(&IDEMPOTENCY, |(used_at, ..)| is_older(*used_at, IDEMPOTENCY_KEPT)).await?;
        let is_sent = |state, at: Timestamp| state != DeliveryState::Pending && is_older(at.micros(), SENT_KEPT);
        self.drop_rows(&DELIVERY, |sent| is_sent(sent.state, sent.created_at)).await?;
        self.drop_rows(&CALLBACK, |sent| is_sent(sent.state, sent.created_at)).await?;
        let mut batches = BATCH.range(HERE);
        while batches.start < batches.end {
            let page = keyspace::page(&mut self.store.read(), &BATCH, &mut batches).await?;
            let is_left =
                |batch: &Batch| batch.state == BatchState::Loading && now.micros() - batch.created_at.micros() >= DAY;
            for (id, _) in page.into_iter().filter(|(_, batch)| is_left(batch)) {
                self.store.clear(BATCH_ROW.prefix(HERE, &(id.clone(),))).await?;
                let written = self.store.write(async |tx: &mut Transaction| {
                    BATCH.delete(tx, HERE, &id);
                    keys::shred(tx, &id);
                    Ok(())
                });
                written.await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Removes the rows of a table that are over, a page in a commit.
    async fn drop_rows<K: Key + Send + Sync, V: Record + Send + Sync>(
        &self,
        table: &Table<K, V>,
        is_over: impl Fn(&V) -> bool + Send + Sync,
    ) -> Result<()> {
        let (mut range, is_over) = (table.range(HERE), &is_over);
        while range.start < range.end {
            let from = range.clone();
            let written = self.store.write(async |tx: &mut Transaction| {
                let mut rest = from.clone();
                for (key, row) in keyspace::page(tx, table, &mut rest).await? {
                    if is_over(&row) {
                        table.delete(tx, HERE, &key);
                    }
                }
                Ok(rest)
            });
            range = written.await.map_err(failed)?;
        }
        Ok(())
    }

    /// Removes credentials that were replaced a day ago, and those that never came into use.
    async fn drop_retired(&self, integration: &Integration) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let range = CREDENTIAL.prefix(HERE, &(integration.id.clone(),));
            for (row, credential) in keyspace::all(tx, &CREDENTIAL, range).await? {
                if credential.ended_at.is_some_and(|at| now.micros() - at.micros() >= DAY) {
                    CREDENTIAL.delete(tx, HERE, &row);
                }
            }
            Ok(())
        });
        written.await.map_err(failed)
    }

    async fn sweep_one(&self, request: &Request, retention: Retention) -> Result<()> {
        let Some(finished_at) = request.finished_at.filter(|_| !request.is_shredded) else { return Ok(()) };
        let kept = self.surroundings.now().micros() - finished_at.micros();
        if kept >= retention.identifiers() {
            // One that is watched in the background is kept until that ends.
            return match self.shred(&request.id).await {
                Err(Error::Conflict(_)) => Ok(()),
                done => done,
            };
        }
        if kept >= retention.packages() {
            self.drop_bodies(request).await?;
        }
        Ok(())
    }

    /// Removes what was fetched about the person; certificates stay.
    async fn drop_bodies(&self, request: &Request) -> Result<()> {
        for id in &request.executions {
            let written = self.store.write(async |tx: &mut Transaction| {
                let mut blobs = Vec::new();
                for (name, artifact) in executions::artifacts(tx, id).await? {
                    if !name.starts_with("erasure-certificate") {
                        ARTIFACT.delete(tx, HERE, &(id.clone(), name));
                        blobs.push(artifact.blob);
                    }
                }
                Ok(blobs)
            });
            for blob in written.await.map_err(failed)? {
                self.blobs.remove(&blob)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{links::Link, trial};

    const MANY: usize = 2 * store::Limit::PAGE.rows;

    async fn rows(connector: &Connector) -> (Vec<(String, Link)>, Vec<(String, Batch)>) {
        let mut tx = connector.store.read();
        let links = keyspace::all(&mut tx, &LINK, LINK.range(HERE)).await.unwrap();
        (links, keyspace::all(&mut tx, &BATCH, BATCH.range(HERE)).await.unwrap())
    }

    #[tokio::test]
    async fn what_has_ended_goes_however_much_that_stays_is_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let (connector, clock) = trial::connector(dir.path()).await;
        let now = connector.surroundings.now();
        let written = connector.store.write(async |tx: &mut Transaction| {
            for number in 0..=MANY {
                let days = if number == MANY { 1 } else { 30 };
                let link = Link { request: "dsr_1".to_owned(), expires_at: now.plus_micros(days * DAY), left: 1 };
                LINK.put(tx, HERE, &format!("{number:06}"), &link);
                let used_at = if number == MANY { now.micros() } else { now.micros() + 1 };
                let row = (used_at, String::new(), String::new());
                IDEMPOTENCY.put(tx, HERE, &("desk".to_owned(), format!("{number:06}")), &row);
                let state = if number == MANY { BatchState::Loading } else { BatchState::Paused };
                let batch = Batch::trial(&format!("bat_{number:06}"), state, now);
                BATCH.put(tx, HERE, &batch.id, &batch);
            }
            Ok(())
        });
        written.await.map_err(failed).unwrap();
        clock.advance(DAY);
        connector.sweep().await.unwrap();
        let (links, batches) = rows(&connector).await;
        assert_eq!((links.len(), batches.len()), (MANY, MANY));
        let keys = keyspace::all(&mut connector.store.read(), &IDEMPOTENCY, IDEMPOTENCY.range(HERE)).await.unwrap();
        assert!(keys.len() == MANY && keys.iter().all(|((_, key), _)| *key != format!("{MANY:06}")));
        assert!(links.iter().all(|(_, link)| link.expires_at > connector.surroundings.now()));
        assert!(batches.iter().all(|(_, batch)| batch.state == BatchState::Paused));
    }
}
