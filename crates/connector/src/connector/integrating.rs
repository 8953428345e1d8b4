//! Integrations as operators make them (§5, §6.1).

use store::Transaction;
use zeroize::Zeroizing;

use super::Connector;
use crate::{
    Error, Result,
    audit::{self, Draft},
    engine,
    error::failed,
    executions,
    integrations::{
        self, Behavior, Contents, Credential, CredentialState, DeleteOptions, Health, Integration, NAME_CHARS_MAX,
        PREFIX_OF_IDS, Pair, Policies, Watching,
    },
    keyspace::{self, CREDENTIAL, DUE, HERE, INTEGRATION, INTEGRATION_NAME},
    leases,
    status::Status,
    upstream::Address,
};

/// The share of the limits that is used unless said otherwise, in percent.
const THROTTLE_PERCENT: u8 = 75;

/// An integration as it is asked for.
pub struct NewIntegration {
    /// What people call it; unique.
    pub name: String,
    /// The base URL; that of the dialect when there is none.
    pub base_url: Option<String>,
    /// Whether http may be used to another machine.
    pub allow_insecure: bool,
    /// The name of the dialect.
    pub dialect: String,
    /// The field in which users have their e-mail address.
    pub email_field: String,
    /// When a deletion counts as done.
    pub async_deletion_behavior: Behavior,
    /// What a deletion asks for.
    pub delete_options: DeleteOptions,
    /// What may happen without a person deciding.
    pub policies: Policies,
    /// The share of the limits that is used, in percent.
    pub throttle_percent: u8,
    /// What requests take in.
    pub contents: Contents,
    /// How a deletion is followed.
    pub watching: Watching,
    /// Whether outer spaces of the credentials are removed.
    pub trim: bool,
    /// Whether it is kept though its test failed; it cannot run requests then.
    pub save_untested: bool,
    /// Whether the test tries an empty deletion.
    pub with_delete_probe: bool,
}

impl NewIntegration {
    /// One with everything as it is by default.
    pub fn new(name: &str) -> Self {
        NewIntegration {
            name: name.to_owned(),
            base_url: None,
            allow_insecure: false,
            dialect: "stream_v2".to_owned(),
            email_field: "email".to_owned(),
            async_deletion_behavior: Behavior::WaitForCompletion,
            delete_options: DeleteOptions::default(),
            policies: Policies::default(),
            throttle_percent: THROTTLE_PERCENT,
            contents: Contents::default(),
            watching: Watching::default(),
            trim: false,
            save_untested: false,
            with_delete_probe: true,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let length = self.name.chars().count();
        if self.name.trim().is_empty() || length > NAME_CHARS_MAX {
            return Err(Error::invalid("name", format!("must have 1 to {NAME_CHARS_MAX} characters")));
        }
        if self.email_field.is_empty() || self.email_field.chars().any(|c| c.is_control() || c == '$') {
            return Err(Error::invalid("email_field", "must name a field"));
        }
        if !(1..=100).contains(&self.throttle_percent) {
            return Err(Error::invalid("throttle_percent", "must be 1 to 100"));
        }
        self.contents.check()?;
        self.watching.poll.check()?;
        self.delete_options.check()
    }
}

/// There is an integration of this name already.
fn taken(name: &str) -> Error {
    Error::Conflict(format!("there is an integration `{name}` already; choose another name, or change that one"))
}

/// The names of the settings in which two integrations differ.
fn settings_changed(before: &Integration, after: &Integration) -> Vec<&'static str> {
    let settings = [
        ("name", before.name != after.name),
        ("email_field", before.email_field != after.email_field),
        ("async_deletion_behavior", before.async_deletion_behavior != after.async_deletion_behavior),
        ("delete_options", before.delete_options != after.delete_options),
        ("throttle", before.throttle_percent != after.throttle_percent),
        ("policies", before.policies != after.policies),
        ("contents", before.contents != after.contents),
        ("watching", before.watching != after.watching),
        ("health", before.health != after.health),
    ];
    settings.into_iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| name).collect()
}

impl Connector {
    /// Stores an integration that nobody has tested.
    pub(crate) async fn add_integration(&self, new: &NewIntegration, pair: &Pair) -> Result<Integration> {
        new.check()?;
        let dialect = self.dialect(&new.dialect)?;
        let base_url = new.base_url.as_deref().unwrap_or(&dialect.default_base_url);
        let address = Address::parse(base_url, new.allow_insecure)?;
        let now = self.surroundings.now();
        let integration = Integration {
            id: self.surroundings.id(PREFIX_OF_IDS),
            name: new.name.clone(),
            base_url: address.as_str().to_owned(),
            dialect: new.dialect.clone(),
            email_field: new.email_field.clone(),
            async_deletion_behavior: new.async_deletion_behavior,
            delete_options: new.delete_options.clone(),
            throttle_percent: new.throttle_percent,
            policies: new.policies.clone(),
            health: Health::Untested,
            health_reason: None,
            last_tested_at: None,
            capabilities: Vec::new(),
            created_at: now,
            credential: 1,
            contents: new.contents.clone(),
            watching: new.watching.clone(),
        };
        let bytes = Zeroizing::new(self.surroundings.bytes());
        let id = &integration.id;
        let written = self.store.write(async |tx: &mut Transaction| {
            if INTEGRATION_NAME.exists(tx, HERE, &new.name).await? {
                return Err(taken(&new.name));
            }
            let key = self.ring.make(tx, id, &bytes);
            INTEGRATION.put(tx, HERE, id, &integration);
            INTEGRATION_NAME.put(tx, HERE, &new.name, id);
            CREDENTIAL.put(tx, HERE, &(id.clone(), 1), &Credential::seal(pair, id, 1, &key));
            audit::record(tx, &Draft::for_caller("integration.added", id), now).await?;
            Ok(())
        });
        written.await.map_err(failed)?;
        Ok(integration)
    }

    /// All integrations.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn integrations(&self) -> Result<Vec<Integration>> {
        integrations::list(&mut self.store.read()).await
    }

    /// Changes settings of an integration.
    ///
    /// # Errors
    /// [`Error::Missing`], and whatever `change` refuses.
    pub async fn change_integration(
        &self,
        id: &str,
        actor: &str,
        change: impl Fn(&mut Integration) -> Result<()> + Send + Sync,
    ) -> Result<Integration> {
        let now = self.surroundings.now();
        let change = &change;
        let written = self.store.write(async |tx: &mut Transaction| {
            let before = integrations::load(tx, id).await?;
            let mut integration = before.clone();
            change(&mut integration)?;
            integration.delete_options.check()?;
            integration.contents.check()?;
            integration.watching.poll.check()?;
            if integration.health != before.health {
                let (health, reason) = (integration.health, integration.health_reason.take());
                integration.health = before.health;
                integrations::set_health(tx, &mut integration, health, reason, now).await?;
            }
            if integration.name != before.name {
                if INTEGRATION_NAME.exists(tx, HERE, &integration.name).await? {
                    return Err(taken(&integration.name));
                }
                INTEGRATION_NAME.delete(tx, HERE, &before.name);
                INTEGRATION_NAME.put(tx, HERE, &integration.name, &before.id);
            }
            INTEGRATION.put(tx, HERE, &integration.id, &integration);
            let settings = settings_changed(&before, &integration).join(",");
            audit::record(tx, &Draft::by(actor, "integration.changed", id).with("settings", settings), now).await?;
            Ok(integration)
        });
        let changed = written.await.map_err(failed)?;
        self.sessions.lock().remove(id);
        Ok(changed)
    }

    /// Changes when a deletion counts as done; what is submitted keeps the behaviour it was submitted under.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn set_behavior(&self, id: &str, behavior: Behavior) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut integration = integrations::load(tx, id).await?;
            integration.async_deletion_behavior = behavior;
            INTEGRATION.put(tx, HERE, &integration.id, &integration);
            audit::record(tx, &Draft::for_caller("integration.changed", id).with("behavior", behavior), now).await?;
            Ok(())
        });
        written.await.map_err(failed)
    }

    /// Takes other credentials in use: they are stored as the next ones, tried, and take over in one commit; requests
    /// that waited for them go on at once. The old pair is kept for a day, a compromised one not for a moment.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::TestFailed`], and the old ones stay in use.
    pub async fn rotate_credentials(&self, id: &str, pair: &Pair, is_compromised: bool) -> Result<()> {
        let now = self.surroundings.now();
        let staged = self.store.write(async |tx: &mut Transaction| {
            let integration = integrations::load(tx, id).await?;
            let key = self.ring.load(tx, id).await?;
            let version = integration.credential + 1;
            let next = Credential::seal(pair, id, version, &key).in_state(CredentialState::Next, Some(now));
            CREDENTIAL.put(tx, HERE, &(id.to_owned(), version), &next);
            audit::record(tx, &Draft::for_caller("integration.credential_staged", id).with("version", version), now)
                .await?;
            Ok(integration)
        });
        let integration = staged.await.map_err(failed)?;
        let next = (id.to_owned(), integration.credential + 1);
        if let Err(error) = self.try_credentials(&integration, pair).await {
            let dropped = self.store.write(async |tx: &mut Transaction| {
                CREDENTIAL.delete(tx, HERE, &next);
                Ok(())
            });
            dropped.await.map_err(failed)?;
            return Err(error);
        }
        self.swap_credentials(id, is_compromised).await
    }

    /// Lets the next credentials take over.
    async fn swap_credentials(&self, id: &str, is_compromised: bool) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut integration = integrations::load(tx, id).await?;
            let (old, new) = (integration.credential, integration.credential + 1);
            let before = integrations::credential(tx, &integration).await?;
            if is_compromised {
                CREDENTIAL.delete(tx, HERE, &(id.to_owned(), old));
            } else {
                let retired = before.in_state(CredentialState::Retired, Some(now));
                CREDENTIAL.put(tx, HERE, &(id.to_owned(), old), &retired);
            }
            CREDENTIAL.delete(tx, HERE, &(id.to_owned(), old.saturating_sub(1)));
            let row = (id.to_owned(), new);
            let next = CREDENTIAL.get(tx, HERE, &row).await?.ok_or_else(|| Error::missing("credential", id))?;
            CREDENTIAL.put(tx, HERE, &row, &next.in_state(CredentialState::Active, None));
            integration.credential = new;
            INTEGRATION.put(tx, HERE, &integration.id, &integration);
            audit::record(tx, &Draft::for_caller("integration.rotated", id).with("version", new), now).await?;
            Ok(())
        });
        written.await.map_err(failed)?;
        self.sessions.lock().remove(id);
        self.wake(id).await
    }

    /// Makes everything due that waits for this integration.
    async fn wake(&self, integration: &str) -> Result<()> {
        let mut range = DUE.range(HERE);
        while range.start < range.end {
            let page = keyspace::page(&mut self.store.read(), &DUE, &mut range).await?;
            for ((_, id), ()) in &page {
                let now = self.surroundings.now();
                let woken = self.once_released(async |tx: &mut Transaction| {
                    if leases::is_claimed(tx, id, now).await? {
                        return Ok(None);
                    }
                    let mut execution = executions::load(tx, id).await?;
                    let waits = execution.state.status() == Status::Retrying && execution.integration == integration;
                    if waits {
                        execution.next_run_at = Some(now);
                        engine::put(tx, &execution).await?;
                    }
                    Ok(Some(()))
                });
                woken.await?;
                self.tell_due(now);
            }
        }
        Ok(())
    }
}
