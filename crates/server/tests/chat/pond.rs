//! A whole server inside a test, as chat clients call it.
//!
//! Answers are JSON, so that the server's own types are on one side only.

use std::{net::SocketAddr, ops::Deref, path::Path, sync::Arc};

use axum::{Router, body::Body};
use http::{Method, Request};
use serde_json::{Value, json};
use server::{
    Options, Running,
    apps::NewApp,
    blobs::Blobs,
    front::{self, ManualClock, RateLimitSetting},
    seal::Seal,
};
use store::Store;
pub(crate) use testing::token::sign;

/// When the clock stands where it was set: 2026-01-01T00:00:00Z.
pub(crate) const NOW_SECONDS: i64 = 1_767_225_600;
/// The app's key and secret.
pub(crate) const KEY: &str = "pond-key";
pub(crate) const SECRET: &str = "pond-secret";
/// Seals secrets, also for the next server on the same directory.
const SERVER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server with one app.
pub(crate) struct Pond {
    pub(crate) clock: Arc<ManualClock>,
    tasks: server::Tasks,
    client: Client,
}

/// Calls as the app's own server, in the classic dialect.
impl Deref for Pond {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Pond {
    pub(crate) async fn new() -> Self {
        Self::start(|_| {}).await.0
    }

    /// The same with other options, and what serves its sockets.
    pub(crate) async fn start(change: impl FnOnce(&mut Options)) -> (Self, Running) {
        Self::start_on(Store::memory(), change).await
    }

    /// The same on a data directory, which may have been another server's before.
    pub(crate) async fn on_disk(dir: &Path, options: &store::Options, change: impl FnOnce(&mut Options)) -> Self {
        let change = |options: &mut Options| {
            options.blobs = Blobs::folder(dir.join("files"));
            change(options);
        };
        Self::start_on(Store::open(dir, options).unwrap(), change).await.0
    }

    /// The same on a store that may have been another server's before, or is another's now.
    pub(crate) async fn start_on(store: Store, change: impl FnOnce(&mut Options)) -> (Self, Running) {
        let clock = Arc::new(ManualClock::at(NOW_SECONDS * 1_000_000));
        let app = NewApp {
            id: Some(7),
            name: None,
            key: Some(KEY.into()),
            secret: Some(SECRET.into()),
            is_for_sdk_suites: true,
        };
        let mut options = Options {
            front: front::Options { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], ..Default::default() },
            rate_limits: RateLimitSetting::Default,
            app: Some(app),
            clock: clock.clone(),
            ..Options::new(Seal::from_base64(SERVER_KEY).unwrap())
        };
        change(&mut options);
        let running = server::start(store.clone(), options).await.unwrap();
        let token = Some(sign(SECRET, &json!({ "server": true })));
        let client = Client { routes: running.routes(), store, prefix: "", token, headers: Vec::new() };
        (Pond { clock, tasks: running.tasks(), client }, running)
    }

    /// Tables and how many rows of each still name `user`.
    pub(crate) async fn residue(&self, user: &str) -> Vec<String> {
        let wanted = server::residue::wanted(user, Vec::new(), None).unwrap();
        let found =
            server::residue::find(&self.client.store, Path::new("/nowhere"), &wanted, &mut |_| {}).await.unwrap();
        found.rows.residue.into_iter().map(|residue| format!("{}: {}", residue.table, residue.rows)).collect()
    }

    /// The store, for who looks below the API.
    pub(crate) fn store(&self) -> &Store {
        &self.client.store
    }

    /// Does all tasks that are due, to their end.
    pub(crate) async fn run_tasks(&self) {
        self.tasks.run().await.unwrap();
    }

    /// The same on a store that may fail.
    pub(crate) async fn try_tasks(&self) -> anyhow::Result<()> {
        self.tasks.run().await
    }

    /// Ends the server and gives the data directory free.
    pub(crate) fn stop(self) {
        self.client.store.close();
    }
}

impl Pond {
    /// The caller in the classic dialect.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }
}

/// `payload` as it stands in a query.
pub(crate) fn encoded(payload: &Value) -> String {
    form_urlencoded::byte_serialize(payload.to_string().as_bytes()).collect()
}

/// Calls the API.
#[derive(Clone)]
pub(crate) struct Client {
    routes: Router,
    store: Store,
    prefix: &'static str,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    /// The same in the v2 dialect.
    pub(crate) fn v2(&self) -> Client {
        Client { prefix: "api/v2/", ..self.clone() }
    }

    /// The same with this token.
    pub(crate) fn token(&self, token: Option<String>) -> Client {
        Client { token, ..self.clone() }
    }

    /// The same with a token that claims this.
    pub(crate) fn claims(&self, claims: &Value) -> Client {
        self.token(Some(sign(SECRET, claims)))
    }

    /// The same with a token of this user.
    pub(crate) fn user(&self, id: &str) -> Client {
        self.claims(&json!({ "user_id": id }))
    }

    /// The same with one more header.
    pub(crate) fn header(&self, name: &'static str, value: &str) -> Client {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    /// Calls `path`, which has no prefix.
    pub(crate) async fn call(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let and = if path.contains('?') { '&' } else { '?' };
        let key = if path.contains("api_key=") { String::new() } else { format!("{and}api_key={KEY}") };
        let mut request = Request::builder().method(method).uri(format!("/{}{path}{key}", self.prefix));
        if let Some(token) = &self.token {
            request = request.header("authorization", token).header("stream-auth-type", "jwt");
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.header("content-type", "application/json").body(body.into()).unwrap();
        Answer(testing::answer::Answer::of(&self.routes, request).await)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, body.to_string()).await
    }

    /// DELETE carries the body `null`, as the Go client sends it.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, "null").await
    }

    /// Where the store's log of commits ends.
    pub(crate) fn stamp(&self) -> store::Stamp {
        self.store.read().stamp()
    }

    /// Calls what must be refused, and sees that nothing was stored; answers status and code.
    pub(crate) async fn refuses(&self, method: Method, path: &str, body: impl Into<Body>) -> (u16, i64) {
        let before = self.store.read().stamp();
        let answer = self.call(method, path, body).await;
        assert!(answer.status >= 400, "{path} was not refused: {}", answer.text);
        assert_eq!(self.store.read().stamp(), before, "{path} was refused and stored something");
        answer.refusal()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer(testing::answer::Answer);

impl Deref for Answer {
    type Target = testing::answer::Answer;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Answer {
    /// Status and code of an error, whose shape is that of §3.1.
    #[track_caller]
    pub(crate) fn refusal(&self) -> (u16, i64) {
        let body = self.refused();
        assert_eq!(body["StatusCode"], self.status, "{}", self.text);
        assert_eq!(body["details"], json!([]));
        assert_eq!(body["more_info"], "https://getstream.io/chat/docs/api_errors_response");
        let message = body["message"].as_str().expect("a message");
        assert!(message.contains(" failed with error: \""), "{message}");
        if let Some(fields) = body.get("exception_fields") {
            assert!(fields.as_object().is_some_and(|fields| fields.values().all(Value::is_string)), "{fields}");
        }
        (self.status, body["code"].as_i64().expect("a code"))
    }
}
