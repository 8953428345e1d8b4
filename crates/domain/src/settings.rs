//! What an app's owner sets for the whole app (chat §11.1).
//!
//! What the server acts upon is a field; the other settings are kept by the API's names, as they were sent.

pub mod hooks;
pub mod uploads;

use std::collections::BTreeMap;

use ids::{Timestamp, json::Object};
use minicbor::{Decode, Encode};
use serde_json::value::RawValue;

use crate::{
    Result, Tx,
    chat::{
        permissions::Rules,
        types::{Grants, Regrant, defaults},
    },
    feeds::hooks::Hook as FeedHook,
    keyspace::{HOOK_PLACE, SETTINGS},
    places,
};
use hooks::Hook;

/// The settings of an app.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Settings {
    /// Whether tokens are taken without looking at their signature.
    #[n(0)]
    pub disable_auth_checks: bool,
    /// Whether users may do everything.
    #[n(1)]
    pub disable_permissions_checks: bool,
    /// Users' tokens from before are refused.
    #[n(2)]
    pub revoke_tokens_issued_before: Option<Timestamp>,
    /// What was changed of the grants outside of channels.
    #[n(3)]
    pub changed_grants: Grants,
    /// Who is told of what happens.
    #[n(4)]
    pub event_hooks: Vec<Hook>,
    /// Every other setting that was set: a JSON object.
    #[n(5)]
    pub others: String,
    /// Who is told of what changes in feeds v1.0.
    #[n(6)]
    #[cbor(default)]
    pub feed_hooks: Vec<FeedHook>,
}

/// What is said of an app; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// See [`Settings::disable_auth_checks`].
    pub disable_auth_checks: Option<bool>,
    /// See [`Settings::disable_permissions_checks`].
    pub disable_permissions_checks: Option<bool>,
    /// See [`Settings::revoke_tokens_issued_before`]; `Some(None)` takes tokens of any age again.
    pub revoke_tokens_issued_before: Option<Option<Timestamp>>,
    /// What becomes of [`Settings::changed_grants`].
    pub grants: Regrant,
    /// Replaces [`Settings::event_hooks`]; those whose ids are known stay as old as they are.
    pub event_hooks: Option<Vec<Hook>>,
    /// Other settings.
    pub others: Object,
}

impl Settings {
    /// What the role is granted outside of channels.
    pub fn granted(&self, role: &str) -> &[String] {
        let changed = self.changed_grants.get(role);
        changed.or_else(|| defaults::of_app().get(role)).map_or(&[], Vec::as_slice)
    }

    /// Role → what it is granted outside of channels.
    pub fn grants(&self) -> BTreeMap<&str, &[String]> {
        let defaults = defaults::of_app().keys().filter(|role| !defaults::GLOBAL_ROLES.contains(&&***role));
        let roles = defaults.chain(self.changed_grants.keys());
        roles.map(|role| (role.as_str(), self.granted(role))).collect()
    }

    /// How permissions are checked.
    pub fn rules(&self) -> Rules {
        Rules { are_off: self.disable_permissions_checks, has_teams: self.is_on("multi_tenant_enabled") }
    }

    /// The setting `name` of those that are no fields.
    pub fn other(&self, name: &str) -> Option<Box<RawValue>> {
        // Asked of almost every call, and almost no app sets any: what is not there need not be read.
        if !self.others.contains(name) {
            return None;
        }
        Some(self.others().get(name)?.to_owned())
    }

    /// All settings that are no fields.
    pub fn others(&self) -> Object {
        match self.others.as_str() {
            "" => Object::default(),
            json => Object::parse(json).expect("settings were parsed before they were stored"),
        }
    }

    /// Whether the switch `name` is on, of those that are no fields.
    pub fn is_on(&self, name: &str) -> bool {
        self.other(name).is_some_and(|value| value.get() == "true")
    }

    /// The text `name` of those that are no fields; empty when nobody said.
    pub fn text(&self, name: &str) -> String {
        self.other(name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
    }

    /// The texts `name` of those that are no fields; empty when nobody said.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.other(name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
    }
}

/// The settings of the app.
///
/// # Errors
/// When the store fails.
pub async fn load(tx: &mut Tx) -> Result<Settings> {
    let tenant = tx.tenant();
    Ok(SETTINGS.get(tx, tenant, &KEY).await?.unwrap_or_default())
}

/// The key of the one row.
pub(crate) const KEY: u32 = 0;

/// Changes the settings of the app.
///
/// # Errors
/// When the store fails.
pub async fn update(tx: &mut Tx, change: &Change) -> Result<Settings> {
    let mut settings = load(tx).await?;
    settings.disable_auth_checks = change.disable_auth_checks.unwrap_or(settings.disable_auth_checks);
    settings.disable_permissions_checks =
        change.disable_permissions_checks.unwrap_or(settings.disable_permissions_checks);
    settings.revoke_tokens_issued_before =
        change.revoke_tokens_issued_before.unwrap_or(settings.revoke_tokens_issued_before);
    change.grants.apply(&mut settings.changed_grants)?;
    if let Some(hooks) = &change.event_hooks {
        settings.event_hooks = hooks.iter().map(|hook| renewed(hook, &settings.event_hooks)).collect();
    }
    let mut others = settings.others();
    for (name, value) in change.others.iter() {
        others.set(name, value.to_owned());
    }
    settings.others = others.to_string();
    let tenant = tx.tenant();
    SETTINGS.put(tx, tenant, &KEY, &settings);
    let hooks: Vec<String> = settings.webhooks().into_iter().map(|hook| hook.id).collect();
    places::keep(tx, &HOOK_PLACE, &hooks).await?;
    Ok(settings)
}

/// A hook that was there before stays as old as it is, and is as it was if nothing new is said of it.
fn renewed(hook: &Hook, before: &[Hook]) -> Hook {
    match before.iter().find(|known| known.id == hook.id) {
        Some(known) if known.details == hook.details && known.is_v2 == hook.is_v2 => known.clone(),
        Some(known) => Hook { created_at: known.created_at, ..hook.clone() },
        None => hook.clone(),
    }
}
