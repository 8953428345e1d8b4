//! The apps of this server, as requests find them: by API key, with their secret opened and their groups loaded.

use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::hmac;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::{
    App,
    apps::{self, AppRecord},
    chat::{locations, types},
    feeds::{audit, groups, views::Views},
};
use ids::{AppId, Timestamp};
use quick_cache::sync::Cache;
use serde_json::json;
use store::Store;
use tokio::sync::Mutex;
use wire::error::Code;
use zeroize::Zeroizing;

use crate::{
    auth::{self, Token, Verifier},
    chat,
    error::{Error, Result},
    front::Clock,
    seal::{self, Seal},
};

/// Letters and digits that keys and secrets are made of; 32 of them, so that a random byte picks one evenly.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a new API key.
const KEY_LETTERS: usize = 12;
/// Letters of a new secret: 5 bits each.
const SECRET_LETTERS: usize = 64;
/// What sealed secrets in settings begin with.
pub(crate) const SEALED: &str = "sealed:";
/// Verified tokens that an app remembers.
const TOKENS_MAX: usize = 10_000;
/// The longest key, secret or name that is taken, in bytes.
const TEXT_BYTES_MAX: usize = 255;

/// An app as a request finds it.
pub struct Tenant {
    /// What the domain works on.
    pub app: App,
    /// Its API key.
    pub key: String,
    /// Whether calls are refused.
    pub is_suspended: bool,
    verifier: Verifier,
    /// Verified tokens by their text, so that one that comes again costs no signature check. A rotation makes a new
    /// `Tenant`, and with it an empty cache.
    tokens: Cache<String, Arc<Token>>,
    /// The same for tokens as chat reads them.
    chat_tokens: Cache<String, Arc<chat::Token>>,
    secret: Zeroizing<String>,
    /// What people call it.
    pub name: String,
    created_at: Timestamp,
}

type Tenants = foldhash::HashMap<String, Arc<Tenant>>;

/// All apps by API key; changed by a reload after each change in the store.
pub struct Registry {
    store: Store,
    views: Arc<Views>,
    seal: Seal,
    clock: Arc<dyn Clock>,
    tenants: ArcSwap<Tenants>,
    reloading: Mutex<()>,
}

/// What a new app is to be; what is absent is made up.
#[derive(Debug, Default, Clone)]
pub struct NewApp {
    /// Its number.
    pub id: Option<u32>,
    /// What people call it.
    pub name: Option<String>,
    /// Its API key.
    pub key: Option<String>,
    /// Its secret.
    pub secret: Option<String>,
    /// Whether it gets the feed groups that the official clients' own suites presume.
    pub is_for_sdk_suites: bool,
}

impl Registry {
    /// Loads the apps in `store`.
    ///
    /// # Errors
    /// When the store fails, or a secret does not open with `seal`.
    pub async fn load(store: Store, views: Arc<Views>, seal: Seal, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let registry = Registry { store, views, seal, clock, tenants: ArcSwap::default(), reloading: Mutex::default() };
        registry.reload().await?;
        Ok(registry)
    }

    /// Loads what changed in the store, such as an app's settings.
    ///
    /// # Errors
    /// When the store fails, or a secret does not open.
    pub async fn reload(&self) -> anyhow::Result<()> {
        // One after the other, so that an older state never replaces a newer one.
        let _turn = self.reloading.lock().await;
        let mut tenants = Tenants::default();
        for (id, record) in apps::list(&self.store).await? {
            let groups = apps::groups(&self.store, id).await?.into_iter().collect();
            let secret = self.seal.open(&record.sealed_secret, &id.to_string())?;
            let settings = apps::settings(&self.store, id).await?;
            let app = App {
                id: AppId(id),
                groups: Arc::new(groups),
                settings: Arc::new(settings),
                store: self.store.clone(),
                views: self.views.clone(),
                origin: None,
                address: None,
            };
            tenants.insert(record.key.clone(), Arc::new(tenant(app, record, secret)));
        }
        self.tenants.store(Arc::new(tenants));
        Ok(())
    }

    /// The app with this API key.
    pub fn by_key(&self, key: &str) -> Option<Arc<Tenant>> {
        self.tenants.load().get(key).cloned()
    }

    /// The app with this number.
    pub fn by_id(&self, id: AppId) -> Option<Arc<Tenant>> {
        self.tenants.load().values().find(|tenant| tenant.app.id == id).cloned()
    }

    /// The app with this number, or with this API key.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn by_name(&self, name: &str) -> Result<Arc<Tenant>> {
        let tenants = self.tenants.load();
        let by_id = name.parse::<u32>().ok().and_then(|id| tenants.values().find(|tenant| tenant.app.id.0 == id));
        tenants.get(name).or(by_id).cloned().ok_or_else(|| {
            Error::new(Code::DoesNotExist, format!("there is no app `{name}`; `millpond app list` shows all"))
        })
    }

    /// All apps by number.
    pub fn all(&self) -> Vec<Arc<Tenant>> {
        let mut all: Vec<_> = self.tenants.load().values().cloned().collect();
        all.sort_by_key(|tenant| tenant.app.id);
        all
    }

    /// Makes an app.
    ///
    /// # Errors
    /// 400 for a bad name, key or secret; 409 when the number or the key is taken.
    pub async fn create(&self, new: NewApp) -> Result<Arc<Tenant>> {
        for (name, text) in [("name", &new.name), ("key", &new.key), ("secret", &new.secret)] {
            check_text(name, text.as_deref())?;
        }
        let id = new.id.unwrap_or_else(|| self.all().last().map_or(1, |last| last.app.id.0 + 1));
        let secret = new.secret.unwrap_or_else(letters::<SECRET_LETTERS>);
        let record = AppRecord {
            name: new.name.unwrap_or_else(|| format!("app {id}")),
            key: new.key.unwrap_or_else(letters::<KEY_LETTERS>),
            sealed_secret: self.seal.seal(&secret, &id.to_string()),
            created_at: Timestamp::from_micros(self.clock.now_micros()),
            is_suspended: false,
        };
        apps::create(&self.store, id, &record, &groups_of(new.is_for_sdk_suites)).await?;
        self.add_types(id, new.is_for_sdk_suites).await?;
        self.changed(&record.key).await
    }

    /// Makes sure that the app with `key` is there and has what it should.
    ///
    /// # Errors
    /// As [`Registry::create`]; 409 when the app is there with another secret or number.
    pub async fn ensure(&self, new: NewApp) -> Result<Arc<Tenant>> {
        let Some(known) = new.key.as_ref().and_then(|key| self.by_key(key)) else { return self.create(new).await };
        let has_other_secret = new.secret.as_ref().is_some_and(|secret| *secret != *known.secret);
        if has_other_secret || new.id.is_some_and(|id| id != known.app.id.0) {
            let detail =
                format!("app `{}` exists with another secret or number; `millpond app list` shows it", known.key);
            return Err(Error { status: 409, ..Error::input(detail) });
        }
        apps::add_groups(&self.store, known.app.id.0, &groups_of(new.is_for_sdk_suites)).await?;
        self.add_types(known.app.id.0, new.is_for_sdk_suites).await?;
        self.changed(&known.key).await
    }

    async fn add_types(&self, id: u32, is_for_sdk_suites: bool) -> Result<()> {
        if is_for_sdk_suites {
            let now = Timestamp::from_micros(self.clock.now_micros());
            apps::add_types(&self.store, id, &types::of_the_sdk_suites(now)).await?;
            apps::add_v3_of_the_sdk_suites(&self.store, id, now).await?;
            apps::switch_on(&self.store, id, audit::SWITCH).await?;
            apps::switch_on(&self.store, id, locations::SWITCH).await?;
        }
        Ok(())
    }

    /// Seals a secret of the app, in words that can stand in its settings.
    pub(crate) fn seal(&self, id: AppId, secret: &str) -> String {
        format!("{SEALED}{}", STANDARD.encode(self.seal.seal(secret, &id.0.to_string())))
    }

    /// A secret of the app's settings, in plain: one that was never sealed is plain already. `None` when it was sealed with
    /// another key.
    pub(crate) fn unseal(&self, id: AppId, stored: &str) -> Option<Zeroizing<String>> {
        let Some(sealed) = stored.strip_prefix(SEALED) else { return Some(Zeroizing::new(stored.to_owned())) };
        let sealed = STANDARD.decode(sealed).ok()?;
        self.seal.open(&sealed, &id.0.to_string()).ok()
    }

    /// Gives the app another secret; tokens signed with the old one are worth nothing from now on.
    ///
    /// # Errors
    /// 404 when there is no such app.
    pub async fn rotate(&self, id: u32) -> Result<Arc<Tenant>> {
        let sealed = self.seal.seal(&letters::<SECRET_LETTERS>(), &id.to_string());
        let record = apps::update(&self.store, id, |app| app.sealed_secret.clone_from(&sealed)).await?;
        self.changed(&record.key).await
    }

    /// Refuses every call of the app from now on; its data stays.
    ///
    /// # Errors
    /// 404 when there is no such app.
    pub async fn revoke(&self, id: u32) -> Result<Arc<Tenant>> {
        let record = apps::update(&self.store, id, |app| app.is_suspended = true).await?;
        self.changed(&record.key).await
    }

    /// Takes up what changed in the store; the app with `key` as it is then.
    ///
    /// # Errors
    /// 404 when it is not there; 500 when the store fails.
    pub(crate) async fn changed(&self, key: &str) -> Result<Arc<Tenant>> {
        self.reload().await.map_err(|error| {
            tracing::error!(%error, "the apps could not be loaded");
            Error::new(Code::Internal, "the apps could not be loaded; the log says why")
        })?;
        self.by_key(key).ok_or_else(|| Error::new(Code::DoesNotExist, "the app went away meanwhile"))
    }
}

impl Tenant {
    /// The token in the text; its times are the caller's to check.
    ///
    /// # Errors
    /// 403 when it is malformed, signed otherwise, or grants nothing.
    pub(crate) fn verify(&self, text: &str) -> Result<Arc<Token>> {
        if let Some(token) = self.tokens.get(text) {
            return Ok(token);
        }
        let token = Arc::new(self.verifier.verify(text)?);
        self.tokens.insert(text.to_owned(), token.clone());
        Ok(token)
    }

    /// The token in the text, as chat reads it; its times are the caller's to check.
    ///
    /// # Errors
    /// 401 when it is malformed or signed otherwise.
    pub(crate) fn verify_for_chat(&self, text: &str) -> std::result::Result<Arc<chat::Token>, chat::Error> {
        if let Some(token) = self.chat_tokens.get(text) {
            return Ok(token);
        }
        let token = Arc::new(chat::Token::verify(text, &self.secret)?);
        self.chat_tokens.insert(text.to_owned(), token.clone());
        Ok(token)
    }

    /// The signature of a body that this app's hooks are sent: hexadecimal HMAC-SHA256 with the app's secret.
    pub(crate) fn sign(&self, body: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes()), body);
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A token of this app: for `user`, or without one for the app's own server.
    pub fn token(&self, user: Option<&str>, expires_at: Option<i64>) -> String {
        let mut claims = match user {
            Some(user) => json!({ "user_id": user }),
            None => json!({ "resource": "*", "action": "*", "feed_id": "*", "server": true }),
        };
        if let Some(at) = expires_at {
            claims["exp"] = at.into();
        }
        auth::sign(&self.secret, &claims)
    }

    /// The signature of a link that this app gives out.
    pub(crate) fn sign_link(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.link_key(), text.as_bytes()))
    }

    /// Whether `signature` is that of [`Tenant::sign_link`].
    pub(crate) fn is_signed_link(&self, text: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        hmac::verify(&self.link_key(), text.as_bytes(), &signature).is_ok()
    }

    /// A key of its own, so that a link's signature is never a token's.
    fn link_key(&self) -> hmac::Key {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&secret, b"millpond link").as_ref())
    }

    /// The app as its administrator sees it, secret included.
    pub fn to_wire(&self) -> wire::admin::App {
        wire::admin::App {
            id: self.app.id.0,
            name: self.name.clone(),
            key: self.key.clone(),
            secret: self.secret.to_string(),
            is_suspended: self.is_suspended,
            created_at: self.created_at.rfc3339().to_string(),
        }
    }
}

fn tenant(app: App, record: AppRecord, secret: Zeroizing<String>) -> Tenant {
    Tenant {
        app,
        verifier: Verifier::new(&secret),
        tokens: Cache::new(TOKENS_MAX),
        chat_tokens: Cache::new(TOKENS_MAX),
        secret,
        key: record.key,
        name: record.name,
        is_suspended: record.is_suspended,
        created_at: record.created_at,
    }
}

fn groups_of(is_for_sdk_suites: bool) -> Vec<(&'static str, groups::Group)> {
    if is_for_sdk_suites { groups::of_the_sdk_suites() } else { groups::of_a_new_app() }
}

fn check_text(name: &str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) => {
            Err(Error::field(name, format!("must have 1 to {TEXT_BYTES_MAX} bytes and no control characters")))
        }
        _ => Ok(()),
    }
}

fn letters<const N: usize>() -> String {
    seal::random::<N>().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).iter().collect()
}
