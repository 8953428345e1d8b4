//! The connector: its data directory, and what operators ask of it.

mod asking;
mod connecting;
mod deciding;
mod explaining;
mod following;
mod integrating;
mod looking;
mod noticing;
mod removing;
mod sweeping;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
};

use futures_util::future::BoxFuture;
use ids::Timestamp;
use parking_lot::Mutex;
use store::{Options, Store, Transaction};
use tokio::sync::watch;

use crate::{
    Error, Result,
    audit::{self, Draft},
    beginning::Beginning,
    blobs::{self, Blobs},
    counters::Counters,
    error::failed,
    executions::{self, Attempt, Execution, SubTask},
    fence::Fenced,
    hooks::Queues,
    http::{CALLS_PER_MINUTE, Callers},
    integrations::{self, Integration},
    keys::{DataKey, Kek, Keyring, PEPPER, Place, SIGNING},
    keyspace::{ATTEMPT, HERE, LIMIT, REQUEST},
    opendsr::Processor,
    requests::Request,
    signing::Signer,
    surroundings::Surroundings,
    upstream::{Address, Answer, Call, Dialect, Endpoint, Http, Made, Session},
};

use following::Followers;

pub use asking::{Asked, NewRequest};
pub use connecting::Connected;
pub(crate) use explaining::check_reason;
pub use explaining::{Decision, Explained};
pub use integrating::NewIntegration;
pub(crate) use looking::Backlog;
pub use looking::{Filter, Page};
pub use noticing::is_checkpoint;

/// The cache of the store, in bytes: the connector reads little.
const CACHE_BYTES: u64 = 16 << 20;

/// An instance has so many bits for its fencing tokens; the number of the instance is above them.
const INSTANCE_BITS: u32 = 40;

/// How a connector is opened.
pub struct Setup {
    /// The key-encryption key.
    pub kek: Kek,
    /// Time and chance.
    pub surroundings: Surroundings,
    /// What makes calls.
    pub http: Http,
    /// What is spoken, beside what comes with the connector.
    pub dialects: Vec<Dialect>,
}

/// A connector on its data directory.
pub struct Connector {
    pub(crate) store: Fenced,
    pub(crate) dir: PathBuf,
    pub(crate) blobs: Blobs,
    pub(crate) ring: Keyring,
    pub(crate) pepper: DataKey,
    pub(crate) signer: Arc<Signer>,
    pub(crate) http: Http,
    pub(crate) surroundings: Surroundings,
    dialects: Vec<Dialect>,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
    pub(crate) opendsr: Option<Processor>,
    pub(crate) counters: Counters,
    /// How often each caller of the service called.
    pub(crate) callers: Callers,
    /// Told when something may have become due.
    pub(crate) news: tokio::sync::Notify,
    /// Told when something may have come up beside the steps.
    pub(crate) aside: tokio::sync::Notify,
    /// Told when there may be something to send to receivers of events.
    pub(crate) outbox: tokio::sync::Notify,
    pub(crate) queues: Queues,
    /// Where the audit log goes, too.
    pub(crate) mirror: Option<tokio::sync::Mutex<audit::Mirror>>,
    pub(crate) followers: Followers,
    /// Whether the service stops.
    pub(crate) stopping: watch::Sender<bool>,
    /// One for each batch and each search that is at work in this process.
    pub(crate) locks: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Where the queue of due executions begins, and that of batches.
    pub(crate) due: Beginning,
    pub(crate) batches_due: Beginning,
    /// Where the last look at due executions ended that did not come to their end.
    pub(crate) due_rest: Mutex<Option<Vec<u8>>>,
    /// The fencing token of the next claim.
    pub(crate) next_token: AtomicU64,
    /// The moment at which the clock was looked at last.
    pub(crate) seen_at: Mutex<Option<Timestamp>>,
    /// Told when a claim was given back.
    pub(crate) released: tokio::sync::Notify,
}

/// An execution with all that is known of it.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The execution.
    pub execution: Execution,
    /// Its sub-tasks, in order, each with its tries.
    pub tasks: Vec<(SubTask, Vec<Attempt>)>,
    /// Its matches, masked, each with whether it is meant.
    pub targets: Vec<(String, bool)>,
}

impl Connector {
    /// Opens the data directory, or makes it. One process at a time owns it.
    ///
    /// # Errors
    /// [`Error::Open`] when another process has it or it is newer; [`Error::Keys`] when the key is another one.
    pub async fn open(dir: &Path, setup: Setup) -> Result<Self> {
        Self::open_with(dir, setup, Options::default()).await
    }

    /// As [`Connector::open`], with these options of the store.
    ///
    /// # Errors
    /// The same.
    pub async fn open_with(dir: &Path, setup: Setup, options: Options) -> Result<Self> {
        let store = Store::open(&dir.join("store"), &Options { cache_bytes: CACHE_BYTES, ..options })?;
        Self::on(store, dir, setup).await
    }

    /// A connector on a store, whose data it takes over from whoever had it.
    ///
    /// # Errors
    /// [`Error::Keys`] when the key is another one.
    pub fn on<'d>(store: Store, dir: &'d Path, setup: Setup) -> BoxFuture<'d, Result<Self>> {
        Box::pin(Self::take_over(store, dir, setup))
    }

    async fn take_over(store: Store, dir: &Path, setup: Setup) -> Result<Self> {
        let Setup { kek, surroundings, http, dialects } = setup;
        // A process without the key takes nothing over.
        let ring = Keyring::open(&store, kek, &surroundings).await?;
        let store = Fenced::take_over(&store, &surroundings).await?;
        let instance = store.instance();
        let pepper = ring.load_or_make(&store, PEPPER, &surroundings).await?;
        let signer = Arc::new(Signer::new(&ring.load_or_make(&store, SIGNING, &surroundings).await?));
        let blobs = Blobs::open(dir.join("blobs"))?;
        let dialects = dialects.into_iter().chain(Dialect::built_in()).collect();
        let (sessions, locks) = (Mutex::default(), Mutex::default());
        let news = tokio::sync::Notify::new();
        let (followers, stopping) = (Followers::default(), watch::Sender::new(false));
        let connector = Connector {
            store,
            dir: dir.to_owned(),
            blobs,
            ring,
            pepper,
            signer,
            http,
            surroundings,
            dialects,
            sessions,
            opendsr: None,
            counters: Counters::default(),
            callers: Callers::new(CALLS_PER_MINUTE),
            news,
            aside: tokio::sync::Notify::new(),
            outbox: tokio::sync::Notify::new(),
            queues: Queues::default(),
            mirror: None,
            followers,
            stopping,
            locks,
            due: Beginning::default(),
            batches_due: Beginning::default(),
            due_rest: Mutex::default(),
            next_token: AtomicU64::new(instance << INSTANCE_BITS),
            seen_at: Mutex::default(),
            released: tokio::sync::Notify::new(),
        };
        connector.forget_claims().await?;
        connector.record(Draft::system("connector.started", "connector").with("instance", instance)).await?;
        Ok(connector)
    }

    /// Lets each caller of the service call so often a minute; without a limit if it is 0.
    pub fn with_calls_per_minute(mut self, most: u32) -> Self {
        self.callers = Callers::new(most);
        self
    }

    pub(crate) async fn record(&self, draft: Draft) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            audit::record(tx, &draft, now).await?;
            Ok(())
        });
        written.await.map_err(failed)
    }

    /// Notes a call that no execution makes; `failures` are those of the attempts before it.
    pub(crate) async fn note_call(
        &self,
        object: &str,
        session: &Session,
        call: &Call,
        answer: &Answer,
        failures: u32,
    ) -> Result<()> {
        let made = Made::call(&session.dialect, call, answer, failures + 1);
        self.record(Draft::system("upstream.call", object).with_all(made.details())).await
    }

    pub(crate) fn dialect(&self, name: &str) -> Result<Dialect> {
        let found = self.dialects.iter().find(|dialect| dialect.name == name);
        found.cloned().ok_or_else(|| {
            let known: Vec<&str> = self.dialects.iter().map(|dialect| dialect.name.as_str()).collect();
            Error::invalid("dialect", format!("must be one of {}, or named by a dialect file", known.join(", ")))
        })
    }

    /// The connection to an integration, made once for each version of its credentials.
    pub(crate) async fn session(&self, integration: &Integration) -> Result<Arc<Session>> {
        if let Some(session) = self.sessions.lock().get(&integration.id) {
            return Ok(session.clone());
        }
        let mut tx = self.store.read();
        let credential = integrations::credential(&mut tx, integration).await?;
        let key = self.ring.load(&mut tx, &integration.id).await?;
        let pair = credential.open(&integration.id, integration.credential, &key)?;
        let mut limits = BTreeMap::new();
        for endpoint in Endpoint::ALL {
            let row = (integration.id.clone(), endpoint.word().to_owned());
            if let Some(limit) = LIMIT.get(&mut tx, HERE, &row).await? {
                limits.insert(*endpoint, limit);
            }
        }
        // It was checked when it was stored.
        let address = Address::parse(&integration.base_url, true)?;
        let dialect = self.dialect(&integration.dialect)?;
        let session = Arc::new(Session::new(address, dialect, pair, integration.throttle_percent, limits));
        Ok(self.sessions.lock().entry(integration.id.clone()).or_insert(session).clone())
    }

    /// How far the clock of an integration is ahead, in microseconds, as its answers said.
    pub(crate) fn skew(&self, integration: &str) -> i64 {
        self.sessions.lock().get(integration).map_or(0, |session| session.offset())
    }

    /// The request.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn request(&self, id: &str) -> Result<Request> {
        load_request(&mut self.store.read(), id).await
    }

    /// The executions of a request, with all that is known of them.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn details(&self, request: &str) -> Result<Vec<Detail>> {
        let mut tx = self.store.read();
        let request = load_request(&mut tx, request).await?;
        let key = self.ring.load(&mut tx, &request.id).await.ok();
        let mut details = Vec::new();
        for id in &request.executions {
            let execution = executions::load(&mut tx, id).await?;
            let mut tasks = Vec::new();
            for (order, task) in executions::sub_tasks(&mut tx, id).await? {
                let numbers: Vec<_> = (1..=task.attempts).map(|number| (id.clone(), order, number)).collect();
                let attempts = ATTEMPT.get_many(&mut tx, HERE, &numbers).await?;
                tasks.push((task, attempts.into_iter().flatten().collect()));
            }
            let mut targets = Vec::new();
            for (number, target) in executions::targets(&mut tx, id).await?.iter().enumerate() {
                let field = number.to_string();
                let place = Place { table: "target", row: id, field: &field };
                let name = key.as_ref().and_then(|key| key.open_text(place, &target.sealed_id).ok());
                targets.push((crate::redact::masked(&name.unwrap_or_default()), !target.is_excluded));
            }
            details.push(Detail { execution, tasks, targets });
        }
        Ok(details)
    }

    /// A stored body of an execution: `package.zip`, `erasure-certificate.json` and its `.sig`.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Keys`] when it was destroyed.
    pub async fn artifact(&self, execution: &str, name: &str, out: &mut (dyn std::io::Write + Send)) -> Result<()> {
        let mut reader = self.open_artifact(execution, name).await?;
        std::io::copy(&mut reader, out).map_err(crate::error::file(name))?;
        Ok(())
    }

    /// The same, to be read a piece at a time. That it is read goes to the audit log.
    pub(crate) async fn open_artifact(&self, execution: &str, name: &str) -> Result<blobs::Reader> {
        let mut tx = self.store.read();
        let record = executions::load(&mut tx, execution).await?;
        let artifacts = executions::artifacts(&mut tx, execution).await?;
        let found = artifacts.into_iter().find(|(known, _)| known == name);
        let (_, artifact) = found.ok_or_else(|| Error::missing("file", name))?;
        let key = self.ring.load(&mut tx, &record.request).await?;
        let place = Place { table: "artifact", row: execution, field: name };
        let blob_key = key.open(place, &artifact.sealed_key)?;
        let reader = self.blobs.read(&artifact.blob, &blob_key)?;
        drop(tx);
        let draft = Draft::for_caller("artifact.read", execution).of_request(&record.request).with("name", name);
        self.record(draft).await?;
        Ok(reader)
    }

    /// The public key under which packages and certificates are signed, in base64.
    pub fn public_key(&self) -> String {
        self.signer.public_key()
    }

    /// The store, for the audit log and the rotation of keys.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The key-encryption keys at hand.
    pub fn keyring(&self) -> &Keyring {
        &self.ring
    }

    /// Gives every data key another key-encryption key; answers how many there were.
    ///
    /// # Errors
    /// When the store fails. It is safe to repeat.
    pub async fn rotate_keys(&self, new: Kek) -> Result<u64> {
        let count = crate::keys::rotate(&self.store, &self.ring, new, &self.surroundings).await?;
        self.record(Draft::for_caller("keys.rotated", "connector").with("data_keys", count)).await?;
        Ok(count)
    }
}

/// The request, which must be there.
pub(crate) async fn load_request(tx: &mut Transaction, id: &str) -> Result<Request> {
    REQUEST.get(tx, HERE, &id.to_owned()).await?.ok_or_else(|| Error::missing("request", id))
}
