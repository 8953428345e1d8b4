//! Integrations are tried before they are saved, and again whenever somebody asks (§6.2).

use std::collections::BTreeMap;

use store::Transaction;

use super::{Connector, NewIntegration};
use crate::{
    Error, Result,
    audit::{self, Draft},
    error::failed,
    integrations::{self, Health, Integration, Pair},
    keyspace::{HERE, INTEGRATION},
    probe::{self, Report, StepStatus, Trial},
    upstream::{Address, Session},
};

/// Beyond this the clock of an integration is told of, in microseconds (§14).
const SKEW_MAX: i64 = 30 * 1_000_000;

/// A new integration with the test that it passed.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The integration.
    pub integration: Integration,
    /// What the test found.
    pub report: Report,
}

impl Connector {
    /// Tests and saves an integration. One that fails the test is not saved, unless `save_untested` says to keep it as
    /// one that cannot run requests; outer spaces of the credentials go if `trim` says so.
    ///
    /// # Errors
    /// [`Error::TestFailed`], [`Error::Invalid`], [`Error::Address`] and [`Error::Conflict`].
    pub async fn connect(&self, new: &NewIntegration, pair: Pair) -> Result<Connected> {
        new.check()?;
        let (pair, is_trimmed) = if new.trim { probe::trimmed(pair) } else { (pair, false) };
        let dialect = self.dialect(&new.dialect)?;
        let address = Address::parse(new.base_url.as_deref().unwrap_or(&dialect.default_base_url), new.allow_insecure)?;
        let percent = new.throttle_percent;
        let session = Session::new(address, dialect, copied(&pair), percent, BTreeMap::new());
        let http = &self.http;
        let (email_field, with_delete) = (new.email_field.as_str(), new.with_delete_probe);
        let trial = Trial { session: &session, http, pair: &pair, email_field, with_delete };
        let mut report = probe::run(&trial, &self.surroundings).await;
        if is_trimmed {
            report.note = Some("Outer spaces or invisible characters of the credentials were removed.".to_owned());
        }
        if !report.is_ok() {
            self.note_refusal(&new.name, &report).await?;
            if !new.save_untested {
                return Err(Error::TestFailed(Box::new(report)));
            }
        }
        let integration = self.add_integration(new, &pair).await?;
        if !report.is_ok() {
            return Ok(Connected { integration, report });
        }
        let integration = self.note_test(&integration.id, &report, session.offset()).await?;
        Ok(Connected { integration, report })
    }

    /// Tests a saved integration again.
    ///
    /// # Errors
    /// [`Error::Missing`]. A failed test is no error: it is in the report, and in the health of the integration.
    pub async fn test_integration(&self, id: &str, with_delete: bool) -> Result<Report> {
        let mut tx = self.store.read();
        let integration = integrations::load(&mut tx, id).await?;
        let credential = integrations::credential(&mut tx, &integration).await?;
        let key = self.ring.load(&mut tx, id).await?;
        let pair = credential.open(id, integration.credential, &key)?;
        drop(tx);
        let session = self.session(&integration).await?;
        let email_field = integration.email_field.as_str();
        let trial = Trial { session: &session, http: &self.http, pair: &pair, email_field, with_delete };
        let report = probe::run(&trial, &self.surroundings).await;
        self.note_test(id, &report, session.offset()).await?;
        Ok(report)
    }

    /// Tries the credentials that are to come into use.
    pub(super) async fn try_credentials(&self, integration: &Integration, pair: &Pair) -> Result<()> {
        let dialect = self.dialect(&integration.dialect)?;
        let address = Address::parse(&integration.base_url, true)?;
        let session = Session::new(address, dialect, copied(pair), integration.throttle_percent, BTreeMap::new());
        let email_field = integration.email_field.as_str();
        let trial = Trial { session: &session, http: &self.http, pair, email_field, with_delete: true };
        let report = probe::run(&trial, &self.surroundings).await;
        if report.is_ok() {
            let noted = self.store.write(async |tx: &mut Transaction| note_calls(tx, &integration.id, &report).await);
            return noted.await.map_err(failed);
        }
        self.note_refusal(&integration.id, &report).await?;
        Err(Error::TestFailed(Box::new(report)))
    }

    /// The first characters of the API key.
    pub(crate) async fn hint(&self, integration: &Integration) -> Result<Option<String>> {
        match integrations::credential(&mut self.store.read(), integration).await {
            Ok(credential) => Ok(Some(credential.hint)),
            Err(Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Notes a test that failed for something that is not saved, or not in use yet.
    async fn note_refusal(&self, object: &str, report: &Report) -> Result<()> {
        let written = self.store.write(async |tx: &mut Transaction| {
            note_calls(tx, object, report).await?;
            let problem = report.verdict().map(|finding| finding.problem.word()).unwrap_or_default();
            let draft = Draft::for_caller("integration.refused", object).with("problem", problem);
            audit::record(tx, &draft, report.tested_at).await?;
            Ok(())
        });
        written.await.map_err(failed)
    }

    /// Notes what a test found; `offset` is how far the clock of the other side is ahead, in microseconds.
    async fn note_test(&self, id: &str, report: &Report, offset: i64) -> Result<Integration> {
        let verdict = report.verdict();
        let warnings = report.steps.iter().any(|step| step.status == StepStatus::Warning);
        let is_off = offset.abs() > SKEW_MAX;
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut integration = integrations::load(tx, id).await?;
            integration.last_tested_at = Some(report.tested_at);
            let is_limited = verdict.as_ref().is_some_and(|finding| finding.problem == probe::Problem::RateLimited);
            if integration.health != Health::Disabled && !is_limited {
                let health = match (&verdict, warnings || is_off) {
                    (Some(_), _) => Health::Disconnected,
                    (None, true) => Health::Degraded,
                    (None, false) => Health::Connected,
                };
                let problem = verdict.as_ref().map(|finding| finding.problem);
                let problem = problem.or(is_off.then_some(probe::Problem::ClockWrong));
                let reason = problem.map(|problem| problem.word().to_owned());
                integrations::set_health(tx, &mut integration, health, reason, report.tested_at).await?;
                let able = report.capabilities.iter().filter(|(_, is_there)| **is_there);
                integration.capabilities = able.map(|(name, _)| (*name).to_owned()).collect();
            }
            INTEGRATION.put(tx, HERE, &integration.id, &integration);
            note_calls(tx, id, report).await?;
            let draft = Draft::for_caller("integration.tested", id).with("health", integration.health);
            audit::record(tx, &draft, report.tested_at).await?;
            Ok(integration)
        });
        written.await.map_err(failed)
    }
}

/// Notes each call that a test made.
async fn note_calls(tx: &mut Transaction, object: &str, report: &Report) -> Result<()> {
    for (step, made) in &report.calls {
        let draft = Draft::for_caller("upstream.call", object).with("step", step).with_all(made.details());
        audit::record(tx, &draft, report.tested_at).await?;
    }
    Ok(())
}

fn copied(pair: &Pair) -> Pair {
    let copy = |secret: &crate::Secret| crate::Secret::new(secret.expose().to_owned());
    Pair { key: copy(&pair.key), secret: copy(&pair.secret) }
}
