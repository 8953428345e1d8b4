//! A whole server inside a test, as clients of feeds v3 call it: below `/api/v2/feeds`.

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use axum::{Router, body::Body};
use http::{Method, Request};
use serde_json::{Value, json};
use server::{
    Options, Running,
    apps::NewApp,
    front::{self, ManualClock, RateLimitSetting},
    seal::Seal,
};
use store::Store;
use testing::{answer::Answer, token::sign};

use crate::contract;

/// When the clock stands where it was set: 2026-01-01T00:00:00Z.
const NOW_SECONDS: i64 = 1_767_225_600;
/// The same in the unit of answers.
pub(crate) const NOW: i64 = NOW_SECONDS * 1_000_000_000;
pub(crate) const KEY: &str = "pond-key";
pub(crate) const SECRET: &str = "pond-secret";

/// A server with one app.
pub(crate) struct Pond {
    pub(crate) running: Running,
    pub(crate) clock: Arc<ManualClock>,
    client: Client,
}

/// Calls as the app's own server.
impl Deref for Pond {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Pond {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let (store, clock) = (Store::memory(), Arc::new(ManualClock::at(NOW_SECONDS * 1_000_000)));
        let app = NewApp {
            id: Some(7),
            name: None,
            key: Some(KEY.into()),
            secret: Some(SECRET.into()),
            is_for_sdk_suites: true,
        };
        let mut options = Options {
            front: front::Options { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], ..Default::default() },
            rate_limits: RateLimitSetting::Off,
            app: Some(app),
            clock: clock.clone(),
            ..Options::new(Seal::ephemeral())
        };
        change(&mut options);
        let running = server::start(store.clone(), options).await.unwrap();
        let client = Client { routes: running.routes(), store, token: sign(SECRET, &json!({ "server": true })) };
        Pond { running, clock, client }
    }

    /// Tables that still name `user`.
    pub(crate) async fn residue(&self, user: &str) -> Vec<&'static str> {
        let user = ids::UserId::parse(user).unwrap();
        let found = domain::erasure::traces::residue(&self.client.store, &user, &mut |_| {}).await.unwrap();
        found.into_iter().map(|residue| residue.table).collect()
    }

    /// Tables that hold `text`.
    pub(crate) async fn holding(&self, text: &str) -> Vec<&'static str> {
        let user = ids::UserId::parse("nobody").unwrap();
        let wanted = domain::erasure::residue::Wanted { user, needles: vec![text.to_owned()], app: None };
        let found = domain::erasure::residue::residue(&self.client.store, &wanted, &mut |_| {}).await.unwrap();
        found.residue.into_iter().map(|residue| residue.table).collect()
    }

    /// Serves it on a socket, as long as the test runs.
    pub(crate) fn serve(self) -> Lake {
        let address = self.running.addresses()[0];
        tokio::spawn(self.running.serve(std::future::pending()));
        Lake { address, client: self.client }
    }

    /// The same a second later: what was planned at a call's own moment, which is a little ahead of the clock, is due then.
    pub(crate) async fn run_tasks_later(&self) {
        self.clock.advance(1_000_000);
        self.run_tasks().await;
    }

    /// Does all tasks that are due, to their end.
    pub(crate) async fn run_tasks(&self) {
        self.running.tasks().run().await.unwrap();
    }
}

/// A pond on a socket.
pub(crate) struct Lake {
    pub(crate) address: SocketAddr,
    client: Client,
}

impl Deref for Lake {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Calls the API.
#[derive(Clone)]
pub(crate) struct Client {
    routes: Router,
    store: Store,
    token: String,
}

impl Client {
    /// The same with a token of this user.
    pub(crate) fn user(&self, id: &str) -> Client {
        Client { token: sign(SECRET, &json!({ "user_id": id })), ..self.clone() }
    }

    /// The same with this token.
    pub(crate) fn with_token(&self, token: String) -> Client {
        Client { token, ..self.clone() }
    }

    /// Calls `path`, which stands below `/api/v2/feeds/`, or is absolute.
    pub(crate) async fn call(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let and = if path.contains('?') { '&' } else { '?' };
        let below = if path.starts_with('/') { "" } else { "/api/v2/feeds/" };
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{below}{path}{and}api_key={KEY}"))
            .header("authorization", &self.token)
            .header("stream-auth-type", "jwt")
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap();
        let answer = Answer::of(&self.routes, request).await;
        if answer.status < 300 && !below.is_empty() {
            contract::check(&method, path, &answer.json());
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, Body::empty()).await.ok(200)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body.to_string()).await.ok(201)
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        self.call(Method::PUT, path, body.to_string()).await.ok(201)
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Value {
        self.call(Method::PATCH, path, body.to_string()).await.ok(201)
    }

    /// DELETE carries the body `null`, as the Go client sends it.
    pub(crate) async fn delete(&self, path: &str) -> Value {
        self.call(Method::DELETE, path, "null").await.ok(200)
    }

    /// Calls what must be refused, and sees that nothing was stored; answers status and code.
    pub(crate) async fn refuses(&self, method: Method, path: &str, body: Value) -> (u16, i64) {
        let before = self.store.read().stamp();
        let answer = self.call(method, path, body.to_string()).await;
        let error = answer.refused();
        assert_eq!(self.store.read().stamp(), before, "{path} was refused and stored something");
        assert_eq!(error["StatusCode"], answer.status);
        (answer.status, error["code"].as_i64().unwrap())
    }

    pub(crate) async fn refuses_post(&self, path: &str, body: Value) -> (u16, i64) {
        self.refuses(Method::POST, path, body).await
    }

    /// Makes the feed `group:id` for the user of its id.
    pub(crate) async fn make(&self, fid: &str, visibility: &str) {
        let (group, id) = fid.split_once(':').unwrap();
        let body = json!({ "user_id": id, "data": { "visibility": visibility } });
        self.post(&format!("feed_groups/{group}/feeds/{id}"), body).await;
    }

    /// `author` posts an activity with this id to these feeds.
    pub(crate) async fn add(&self, id: &str, author: &str, feeds: &[&str]) -> Value {
        let body = json!({ "id": id, "type": "post", "user_id": author, "feeds": feeds, "text": id });
        self.post("activities", body).await["activity"].take()
    }

    /// The ids of a page of the feed, in one line.
    pub(crate) async fn read(&self, fid: &str) -> String {
        let (group, id) = fid.split_once(':').unwrap();
        let page = self.post(&format!("feed_groups/{group}/feeds/{id}"), json!({ "user_id": id })).await;
        ids(&page["activities"])
    }
}

/// The same with each moment of now as [`NOW`]: moments are handed out a microsecond apart.
pub(crate) fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Number(number) if number.as_i64().is_some_and(|n| (NOW..NOW + 1_000_000).contains(&n)) => json!(NOW),
        Value::Array(list) => list.drain(..).map(timeless).collect(),
        Value::Object(members) => {
            std::mem::take(members).into_iter().map(|(name, one)| (name, timeless(one))).collect()
        }
        _ => value,
    }
}

/// The ids in a list, in one line.
pub(crate) fn ids(list: &Value) -> String {
    list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}
