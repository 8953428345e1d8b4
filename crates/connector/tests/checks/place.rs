//! A connector with its data directory, an upstream and a clock.

use std::{
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{body::Body, http};
use connector::{
    Asked, Connector, Detail, NewIntegration, NewRequest, Secret, Setup,
    http::{Caller, Reply, router},
    integrations::Pair,
    keys::{KEY_BYTES, Kek},
    opendsr::Processor,
    requests::{Category, GivenIdentifier, Kind, Request},
    status::{Outcome, Reason, Status},
    surroundings::{Clock, Dice, Surroundings},
    upstream::{Dialect, Http, HttpOptions, Resolver},
};
use ids::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;
use testing::{clock::HandClock, upstream::Upstream};
use tower::ServiceExt as _;

pub(crate) const START: i64 = 1_767_225_600_000_000;
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const KEY: &str = "canarykey1";
pub(crate) const SECRET: &str = "canary-secret-5e884898da28047151d0e56f8dc62927";
const KEK: u8 = 7;
const PATIENCE: Duration = Duration::from_millis(300);
/// More steps than any flow here has.
const STEPS_MAX: usize = 5_000;

struct Hand(HandClock);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.micros())
    }
}

/// Numbers that are the same in every run.
struct Seeded(Mutex<u64>);

impl Dice for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock();
        for byte in bytes {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (*state >> 56) as u8;
        }
    }
}

pub(crate) struct Place {
    // It goes before its directory does.
    connector: Option<Arc<Connector>>,
    pub(crate) clock: HandClock,
    pub(crate) upstream: Upstream,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) integration: String,
    surroundings: Surroundings,
    /// Who speaks OpenDSR, from the next start on.
    pub(crate) processor: Option<fn() -> Processor>,
    /// How long heads and bodies of answers may take, from the next start on.
    pub(crate) patience: Duration,
    /// Which key-encryption key the next start has.
    pub(crate) kek: u8,
    /// What goes wrong in the store, from the next start on.
    pub(crate) faults: Option<store::fault::Faults>,
    /// What is spoken beside what comes with the connector, from the next start on.
    pub(crate) dialects: Vec<Dialect>,
    /// A file of further trusted certificates, from the next start on.
    pub(crate) ca_file: Option<PathBuf>,
    /// Who finds the addresses of names, from the next start on.
    pub(crate) resolver: Option<Resolver>,
}

pub(crate) fn pair(key: &str, secret: &str) -> Pair {
    Pair { key: Secret::new(key.to_owned()), secret: Secret::new(secret.to_owned()) }
}

pub(crate) fn user_id(id: &str) -> GivenIdentifier {
    GivenIdentifier::new(Category::UserId, id).unwrap()
}

pub(crate) fn email(address: &str) -> GivenIdentifier {
    GivenIdentifier::new(Category::Email, address).unwrap()
}

pub(crate) fn kek() -> Kek {
    kek_of(KEK)
}

pub(crate) fn kek_of(byte: u8) -> Kek {
    Kek::new(&[byte; KEY_BYTES]).unwrap()
}

impl Place {
    /// One with an upstream and nothing connected.
    pub(crate) async fn empty() -> Self {
        let clock = HandClock::at(START);
        let upstream = Upstream::start(KEY, SECRET, &clock).await;
        let dir = tempfile::tempdir().unwrap();
        let dice = Arc::new(Seeded(Mutex::new(1)));
        let surroundings = Surroundings::new(Arc::new(Hand(clock.clone())), dice);
        let mut place = Place {
            clock,
            upstream,
            dir,
            integration: String::new(),
            connector: None,
            surroundings,
            processor: None,
            patience: PATIENCE,
            kek: KEK,
            faults: None,
            dialects: Vec::new(),
            ca_file: None,
            resolver: None,
        };
        place.reopen().await;
        place
    }

    /// One that is connected, with the user `amy`.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut NewIntegration)) -> Self {
        let mut place = Self::empty().await;
        place.upstream.set(|world| world.add("amy", "amy@example.com"));
        let mut new = place.stream();
        change(&mut new);
        place.integration = place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap().integration.id;
        place.upstream.forget();
        place
    }

    /// An integration with the upstream.
    pub(crate) fn stream(&self) -> NewIntegration {
        NewIntegration { base_url: Some(self.upstream.url()), ..NewIntegration::new("Stream") }
    }

    pub(crate) fn connector(&self) -> &Connector {
        self.connector.as_ref().unwrap()
    }

    /// The same, for whoever keeps it.
    pub(crate) fn shared(&self) -> Arc<Connector> {
        self.connector.clone().unwrap()
    }

    /// What a process has that is killed and started again.
    pub(crate) async fn reopen(&mut self) {
        self.try_reopen().await.unwrap();
    }

    /// The same, where it may fail.
    pub(crate) async fn try_reopen(&mut self) -> connector::Result<()> {
        drop(self.connector.take());
        self.connector = Some(Arc::new(self.open(self.dir.path()).await?));
        Ok(())
    }

    /// A connector on this directory.
    pub(crate) async fn open(&self, dir: &Path) -> connector::Result<Connector> {
        let store =
            store::Options { on_fatal: Arc::new(|_| {}), faults: self.faults.clone(), ..store::Options::default() };
        let connector = Connector::open_with(dir, self.setup(), store).await?;
        Ok(match self.processor {
            Some(processor) => connector.with_opendsr(processor()),
            None => connector,
        })
    }

    /// What a process is started with.
    pub(crate) fn setup(&self) -> Setup {
        let options = HttpOptions {
            head: self.patience,
            export_head: self.patience,
            idle: self.patience,
            ca_file: self.ca_file.clone(),
            resolver: self.resolver.clone(),
            webhook_hosts: vec!["127.0.0.1".to_owned()],
            ..HttpOptions::default()
        };
        Setup {
            kek: kek_of(self.kek),
            surroundings: self.surroundings.clone(),
            http: Http::new(options).unwrap(),
            dialects: self.dialects.clone(),
        }
    }

    pub(crate) async fn ask(&self, new: &NewRequest) -> Request {
        self.connector().ask(new).await.unwrap().request().clone()
    }

    pub(crate) async fn access(&self, identifier: GivenIdentifier) -> Request {
        let asked = self.ask(&NewRequest::new(Kind::Access, vec![identifier])).await;
        self.finish(&asked.id).await
    }

    pub(crate) async fn delete(&self, identifier: GivenIdentifier) -> Request {
        let asked = self.ask(&NewRequest::new(Kind::Deletion, vec![identifier])).await;
        self.finish(&asked.id).await
    }

    /// Runs what is due now.
    pub(crate) async fn run(&self) {
        while self.connector().run_due().await.unwrap() > 0 {}
    }

    /// Runs until a deletion has been executed over there.
    pub(crate) async fn run_until_deleted(&self) {
        for _ in 0..STEPS_MAX {
            self.connector().run_due().await.unwrap();
            if !self.upstream.deletions().is_empty() {
                return;
            }
            if let Some(at) = self.connector().next_due().await.unwrap() {
                self.clock.set(at.micros().max(self.clock.micros()));
            }
        }
        panic!("nothing is deleted");
    }

    /// Runs until nothing is due up to `until`, and leaves the clock there.
    pub(crate) async fn run_until(&self, until: i64) {
        for _ in 0..STEPS_MAX {
            self.run().await;
            match self.connector().next_due().await.unwrap() {
                Some(at) if at.micros() <= until => self.clock.set(at.micros().max(self.clock.micros())),
                _ => {
                    self.clock.set(until);
                    return;
                }
            }
        }
        panic!("more than {STEPS_MAX} steps");
    }

    /// Runs until the request waits for nobody but people.
    pub(crate) async fn finish(&self, id: &str) -> Request {
        for _ in 0..STEPS_MAX {
            self.connector().run_due().await.unwrap();
            let request = self.request(id).await;
            if request.state.status().is_final() || request.state.status() == Status::Held {
                return request;
            }
            if let Some(at) = self.connector().next_due().await.unwrap() {
                self.clock.set(at.micros().max(self.clock.micros()));
            }
        }
        panic!("more than {STEPS_MAX} steps: {:?}", self.request(id).await.state);
    }

    /// Makes every step, beside a call that waits for it; the clock goes along.
    pub(crate) async fn work(&self) -> ! {
        loop {
            self.run().await;
            match self.connector().next_due().await.unwrap() {
                Some(at) => self.clock.set(at.micros().max(self.clock.micros())),
                None => tokio::task::yield_now().await,
            }
        }
    }

    pub(crate) async fn request(&self, id: &str) -> Request {
        self.connector().request(id).await.unwrap()
    }

    pub(crate) async fn detail(&self, request: &Request) -> Detail {
        self.connector().details(&request.id).await.unwrap().remove(0)
    }

    /// A stored body of the first execution.
    pub(crate) async fn file(&self, request: &Request, name: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.connector().artifact(&request.executions[0], name, &mut bytes).await.ok()?;
        Some(bytes)
    }

    /// The package of an access request.
    pub(crate) async fn package(&self, request: &Request) -> Package {
        Package(self.file(request, "package.zip").await.unwrap())
    }

    /// The audit log.
    pub(crate) async fn log(&self) -> Vec<connector::audit::Entry> {
        let mut entries: Vec<connector::audit::Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.seq);
            let page = connector::audit::list(self.connector().store(), after).await.unwrap();
            if page.is_empty() {
                return entries;
            }
            entries.extend(page);
        }
    }

    /// Calls the service as whoever has the directory does; its answer must be what the document says of it.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.send(method, path, "application/json", body.to_string().into_bytes()).await
    }

    /// The same with a body that is no JSON.
    pub(crate) async fn send(&self, method: &str, path: &str, media_type: &str, body: Vec<u8>) -> Reply {
        let request = http::Request::builder().method(method).uri(path).extension(Caller::local());
        let request = request.header("content-type", media_type).body(Body::from(body)).unwrap();
        let response = router(self.shared()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let media_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        assert_documented((method, path), status, &media_type.unwrap_or_default(), &body);
        Reply { status, body }
    }

    /// The attempts to fetch files of a kind, as the audit log has them: their numbers, and what was answered. It has no
    /// address of any.
    pub(crate) async fn fetched(&self, kind: &str) -> Vec<(String, String)> {
        let entries =
            self.log().await.into_iter().filter(|entry| entry.details.get("path").is_some_and(|path| path == kind));
        let fetched = entries.inspect(|entry| assert!(!format!("{entry:?}").contains("http"), "{entry:?}"));
        fetched.map(|entry| (entry.details["attempt"].clone(), entry.details["status"].clone())).collect()
    }

    /// The actions of the audit log.
    pub(crate) async fn actions(&self) -> Vec<String> {
        self.log().await.into_iter().map(|entry| entry.action).collect()
    }
}

/// An answer must be what the document says of it.
#[track_caller]
pub(crate) fn assert_documented(call: (&str, &str), status: u16, media_type: &str, body: &[u8]) {
    let faults = testing::schema::answer_faults(&connector::http::document(), call, status, media_type, body);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Status, outcome and reason, to compare.
pub(crate) fn state(request: &Request) -> (Status, Option<Outcome>, Option<Reason>) {
    (request.state.status(), request.state.outcome(), request.state.reason())
}

pub(crate) const ERASED: (Status, Option<Outcome>, Option<Reason>) = (Status::Complete, Some(Outcome::Erased), None);
pub(crate) const FOUND: (Status, Option<Outcome>, Option<Reason>) =
    (Status::Complete, Some(Outcome::RecordsFound), None);

pub(crate) fn is_new(asked: &Asked) -> bool {
    matches!(asked, Asked::Created(_))
}

pub(crate) struct Package(pub(crate) Vec<u8>);

impl Package {
    pub(crate) fn names(&self) -> Vec<String> {
        let zip = zip::ZipArchive::new(Cursor::new(&self.0)).unwrap();
        zip.file_names().map(|name| name.unwrap().into_owned()).collect()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let mut zip = zip::ZipArchive::new(Cursor::new(&self.0)).unwrap();
        let mut bytes = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.bytes(name)).unwrap()
    }
}
