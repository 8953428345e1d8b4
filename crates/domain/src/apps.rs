//! Apps (tenants): their keys, secrets and settings (design §5).
//!
//! Secrets stand here sealed; whoever seals and opens them has the key, and that is not the domain.

use ids::Timestamp;
use minicbor::{Decode, Encode};
use serde_json::value::RawValue;
use store::{Direction, Limit, Store, Transaction, WriteError};

use crate::{
    Error, Result,
    chat::types::ChannelType,
    feeds::groups::Group,
    keyspace::{APP, APP_KEY, CHANNEL_TYPE, GROUP, SETTINGS, SYSTEM, V3_GROUP, V3_VIEW},
    settings::{self, Settings},
    v3::{
        self,
        groups::{CURRENT_FEED, Selector},
        views::View,
    },
};

/// An app.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct AppRecord {
    /// What people call it.
    #[n(0)]
    pub name: String,
    /// The API key, by which callers name it.
    #[n(1)]
    pub key: String,
    /// The secret that signs tokens, sealed under the server's key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed_secret: Vec<u8>,
    /// When it was made.
    #[n(3)]
    pub created_at: Timestamp,
    /// Whether calls are refused.
    #[n(4)]
    pub is_suspended: bool,
}

/// Stores a new app with its feed groups.
///
/// # Errors
/// [`Error::AppExists`] when the id or the key is taken.
pub async fn create(store: &Store, id: u32, app: &AppRecord, groups: &[(&str, Group)]) -> Result<()> {
    let written = store.write(async |tx: &mut Transaction| {
        if id == SYSTEM.0 || APP.exists(tx, SYSTEM.0, &id).await? {
            return Err(Error::AppExists("id"));
        }
        if APP_KEY.exists(tx, SYSTEM.0, &app.key).await? {
            return Err(Error::AppExists("key"));
        }
        APP.put(tx, SYSTEM.0, &id, app);
        APP_KEY.put(tx, SYSTEM.0, &app.key, &id);
        for (name, group) in groups {
            GROUP.put(tx, id, &(*name).to_owned(), group);
        }
        Ok(())
    });
    written.await.map_err(failed)
}

/// Adds those of `groups` that the app does not have.
///
/// # Errors
/// When the store fails.
pub async fn add_groups(store: &Store, id: u32, groups: &[(&str, Group)]) -> Result<()> {
    let written = store.write(async |tx: &mut Transaction| {
        for (name, group) in groups {
            let name = (*name).to_owned();
            if !GROUP.exists(tx, id, &name).await? {
                GROUP.put(tx, id, &name, group);
            }
        }
        Ok(())
    });
    written.await.map_err(failed)
}

/// Changes what `change` changes of the app `id`; answers the app as it is then.
///
/// # Errors
/// [`Error::NoApp`]; [`Error::AppExists`] when the new key is taken.
pub async fn update(store: &Store, id: u32, change: impl Fn(&mut AppRecord) + Sync) -> Result<AppRecord> {
    let written = store.write(async |tx: &mut Transaction| {
        let mut app = APP.get(tx, SYSTEM.0, &id).await?.ok_or(Error::NoApp(id))?;
        let old_key = app.key.clone();
        change(&mut app);
        if app.key != old_key {
            if APP_KEY.exists(tx, SYSTEM.0, &app.key).await? {
                return Err(Error::AppExists("key"));
            }
            APP_KEY.delete(tx, SYSTEM.0, &old_key);
            APP_KEY.put(tx, SYSTEM.0, &app.key, &id);
        }
        APP.put(tx, SYSTEM.0, &id, &app);
        Ok(app)
    });
    written.await.map_err(failed)
}

/// Every app with its id.
///
/// # Errors
/// When the store fails.
pub async fn list(store: &Store) -> Result<Vec<(u32, AppRecord)>> {
    let mut tx = store.read();
    let mut range = APP.range(SYSTEM.0);
    let mut apps = Vec::new();
    loop {
        let page = APP.scan(&mut tx, SYSTEM.0, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((id, _)) = page.rows.last() {
            range.start = store::key::after(APP.key(SYSTEM.0, id));
        }
        apps.extend(page.rows);
        if !page.more {
            return Ok(apps);
        }
    }
}

/// The feed groups of the app `id`.
///
/// # Errors
/// When the store fails.
pub async fn groups(store: &Store, id: u32) -> Result<Vec<(String, Group)>> {
    let mut tx = store.read();
    let mut range = GROUP.range(id);
    let mut groups = Vec::new();
    loop {
        let page = GROUP.scan(&mut tx, id, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((name, _)) = page.rows.last() {
            range.start = store::key::after(GROUP.key(id, name));
        }
        groups.extend(page.rows);
        if !page.more {
            return Ok(groups);
        }
    }
}

/// The settings of the app `id`.
///
/// # Errors
/// When the store fails.
pub async fn settings(store: &Store, id: u32) -> Result<Settings> {
    Ok(SETTINGS.get(&mut store.read(), id, &settings::KEY).await?.unwrap_or_default())
}

/// Adds those of `kinds` that the app does not have a row for.
///
/// # Errors
/// When the store fails.
pub async fn add_types(store: &Store, id: u32, kinds: &[ChannelType]) -> Result<()> {
    let written = store.write(async |tx: &mut Transaction| {
        for kind in kinds {
            if !CHANNEL_TYPE.exists(tx, id, &kind.name).await? {
                CHANNEL_TYPE.put(tx, id, &kind.name, kind);
            }
        }
        Ok(())
    });
    written.await.map_err(failed)
}

/// Adds the feed group and the feed view of v3 that the official clients' suites read, where the app has none of that name.
///
/// # Errors
/// When the store fails.
pub async fn add_v3_of_the_sdk_suites(store: &Store, id: u32, now: Timestamp) -> Result<()> {
    let (group, view) = ("feed_group_id".to_owned(), "feedViewID".to_owned());
    let made = v3::groups::Group { created_at: Some(now), updated_at: Some(now), ..Default::default() };
    let shown = View { selectors: vec![Selector::new(CURRENT_FEED)], ..View::default() };
    let written = store.write(async |tx: &mut Transaction| {
        if !V3_GROUP.exists(tx, id, &group).await? {
            V3_GROUP.put(tx, id, &group, &made);
        }
        if !V3_VIEW.exists(tx, id, &view).await? {
            V3_VIEW.put(tx, id, &view, &shown);
        }
        Ok(())
    });
    written.await.map_err(failed)
}

/// Switches the setting `name` on, unless somebody has set it.
///
/// # Errors
/// When the store fails.
pub async fn switch_on(store: &Store, id: u32, name: &str) -> Result<()> {
    let written = store.write(async |tx: &mut Transaction| {
        let mut settings = SETTINGS.get(tx, id, &settings::KEY).await?.unwrap_or_default();
        let mut others = settings.others();
        if others.get(name).is_none() {
            others.set(name, RawValue::from_string("true".to_owned()).expect("it is JSON"));
            settings.others = others.to_string();
            SETTINGS.put(tx, id, &settings::KEY, &settings);
        }
        Ok(())
    });
    written.await.map_err(failed)
}

fn failed(error: WriteError<Error>) -> Error {
    match error {
        WriteError::Body(error) => error,
        WriteError::Store(error) => Error::Store(error),
    }
}
