//! What is done from time to time: what has been kept long enough is destroyed (§4.5), and connections are tried again.

use store::{Direction, Limit, Transaction};

use super::{Connector, Filter};
use crate::{
    Error, Result,
    batches::BatchState,
    error::failed,
    executions,
    integrations::{Health, Integration},
    keys,
    keyspace::{ARTIFACT, BATCH, BATCH_ROW, CREDENTIAL, HERE, LINK},
    requests::Request,
    retention::Retention,
};

const DAY: i64 = 24 * 3600 * 1_000_000;
const PAGE: usize = 200;

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
                self.test_integration(&integration.id, integration.capabilities.iter().any(|one| one == "delete"))
                    .await?;
            }
        }
        Ok(())
    }

    /// Removes links that have ended, and batches whose rows were never written whole.
    async fn drop_ended(&self) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let page = LINK.scan(tx, HERE, LINK.range(HERE), Direction::Forward, Limit::PAGE).await?;
            for (hash, _) in page.rows.into_iter().filter(|(_, link)| link.expires_at <= now) {
                LINK.delete(tx, HERE, &hash);
            }
            Ok(())
        });
        written.await.map_err(failed)?;
        let mut tx = self.store.read();
        let page = BATCH.scan(&mut tx, HERE, BATCH.range(HERE), Direction::Forward, Limit::PAGE).await?;
        for (id, batch) in page.rows {
            if batch.state == BatchState::Loading && now.micros() - batch.created_at.micros() >= DAY {
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

    /// Removes credentials that were replaced a day ago, and those that never came into use.
    async fn drop_retired(&self, integration: &Integration) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let range = CREDENTIAL.prefix(HERE, &(integration.id.clone(),));
            let page = CREDENTIAL.scan(tx, HERE, range, Direction::Forward, Limit::PAGE).await?;
            for (row, credential) in page.rows {
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
