//! The end of an integration: what is open on it ends too, and its credentials are destroyed.

use store::{Direction, Limit, Transaction};

use super::{Connector, deciding::apply};
use crate::{
    Error, Result,
    audit::{self, Draft},
    engine,
    error::failed,
    executions::Execution,
    integrations,
    keyspace::{CREDENTIAL, EXECUTION, HERE, INTEGRATION, INTEGRATION_NAME},
    leases,
    status::{Change, Outcome, Reason, Status},
};

impl Connector {
    /// Removes an integration and destroys its credentials.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Conflict`] while requests on it are open, unless `force` says to end them: what sent
    /// nothing irreversible is canceled there, and what did has failed, because nobody can look after it any more.
    pub async fn remove_integration(&self, id: &str, force: bool, actor: &str) -> Result<()> {
        integrations::load(&mut self.store.read(), id).await?;
        for execution in self.open_on(id).await? {
            if !force {
                return Err(Error::Conflict("requests on it are open; finish or cancel them first".to_owned()));
            }
            self.end_with_integration(&execution, actor).await?;
        }
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let integration = integrations::load(tx, id).await?;
            // The one before may be kept still, and the next one may be there.
            for version in integration.credential.saturating_sub(1)..=integration.credential + 1 {
                CREDENTIAL.delete(tx, HERE, &(id.to_owned(), version));
            }
            crate::keys::shred(tx, id);
            INTEGRATION_NAME.delete(tx, HERE, &integration.name);
            INTEGRATION.delete(tx, HERE, &id.to_owned());
            audit::record(tx, &Draft::by(actor, "integration.removed", id), now).await?;
            Ok(())
        });
        written.await.map_err(failed)?;
        self.sessions.lock().remove(id);
        Ok(())
    }

    /// The executions on an integration that are not done, those that wait for a person among them.
    async fn open_on(&self, integration: &str) -> Result<Vec<Execution>> {
        let mut tx = self.store.read();
        let mut range = EXECUTION.range(HERE);
        let mut open = Vec::new();
        loop {
            let page = EXECUTION.scan(&mut tx, HERE, range.clone(), Direction::Forward, Limit::PAGE).await?;
            if let Some((last, _)) = page.rows.last() {
                range.start = store::key::after(EXECUTION.key(HERE, last));
            }
            let is_open = |one: &Execution| !one.state.status().is_final() || one.is_background;
            let here = page.rows.into_iter().map(|(_, one)| one).filter(|one| one.integration == integration);
            open.extend(here.filter(is_open));
            if !page.more {
                return Ok(open);
            }
        }
    }

    /// Ends an execution whose integration goes.
    async fn end_with_integration(&self, ended: &Execution, actor: &str) -> Result<()> {
        let now = self.surroundings.now();
        self.once_released(async |tx: &mut Transaction| {
            if leases::is_claimed(tx, &ended.id, now).await? {
                return Ok(None);
            }
            let mut execution = crate::executions::load(tx, &ended.id).await?;
            (execution.next_run_at, execution.is_background) = (None, false);
            if !execution.state.status().is_final() {
                if !execution.is_irreversible {
                    apply(&mut execution, Change::Cancel(Reason::Withdrawn))?;
                } else {
                    // What is queued again was sent before.
                    if execution.state.status() == Status::Queued {
                        apply(&mut execution, Change::Process)?;
                    }
                    apply(&mut execution, Change::Fail(Outcome::Partial, Reason::IntegrationDisconnected))?;
                }
            }
            engine::put(tx, &execution).await?;
            let draft = Draft::by(actor, "execution.ended", &execution.id).of_request(&execution.request);
            audit::record(tx, &draft.with("reason", "integration_removed"), now).await?;
            engine::roll_up(tx, &execution.request, now).await?;
            Ok(Some(()))
        })
        .await?;
        self.followers.tell(&ended.request);
        Ok(())
    }
}
