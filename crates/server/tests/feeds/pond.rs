//! A whole server inside a test: the router with everything around it, a store in memory, a clock moved by hand.
//!
//! Answers are JSON, so that the server's own types are on one side only.

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use axum::{Router, body::Body};
use form_urlencoded::byte_serialize;
use http::{Method, Request};
use serde_json::{Map, Value, json};
use server::{
    Options, Route, Running, Tasks,
    apps::NewApp,
    front::{self, ManualClock, RateLimitSetting},
    seal::Seal,
};
use store::{Stamp, Store};
pub(crate) use testing::token::sign;

/// When the clock stands where it was set: 2026-01-01T00:00:00Z.
pub(crate) const NOW_SECONDS: i64 = 1_767_225_600;
/// The key under which apps' secrets are sealed: what one server stored, another can open.
const SERVER_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// The first app's key and secret.
pub(crate) const KEY: &str = "pond-key";
pub(crate) const SECRET: &str = "pond-secret";

/// A server with one app that has the feed groups of the contract's §13.
pub(crate) struct Pond {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) admin_token: String,
    pub(crate) feed_routes: Vec<Route>,
    pub(crate) admin_routes: Vec<Route>,
    client: Client,
    tasks: Tasks,
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
        Self::with_rate_limits(RateLimitSetting::Default).await
    }

    pub(crate) async fn with_rate_limits(rate_limits: RateLimitSetting) -> Self {
        Self::with(|options| options.rate_limits = rate_limits).await
    }

    /// One whose server may call what listens on this machine, for tests that serve something there.
    pub(crate) async fn reaching_this_machine() -> Self {
        Self::with(|options| options.outbound_allowed = vec!["127.0.0.1/32".parse().unwrap()]).await
    }

    async fn with(tell: impl FnOnce(&mut Options)) -> Self {
        let (pond, running) = Self::start(tell).await;
        tokio::spawn(running.tell_subscribers());
        pond
    }

    /// A server that is told more by `tell`, before its workers run.
    pub(crate) async fn start(tell: impl FnOnce(&mut Options)) -> (Self, Running) {
        Self::start_on(Store::memory(), tell).await
    }

    /// A server on what another one stored.
    pub(crate) async fn start_on(store: Store, tell: impl FnOnce(&mut Options)) -> (Self, Running) {
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
            app: Some(app),
            clock: clock.clone(),
            ..Options::new(Seal::from_base64(SERVER_KEY).unwrap())
        };
        tell(&mut options);
        let running = server::start(store.clone(), options).await.unwrap();
        let tasks = running.tasks();
        let caller = Caller { key: KEY.into(), secret: SECRET.into(), token: None, headers: Vec::new() };
        let client = Client { routes: running.routes(), store, caller }.scope("*", "*", "*");
        let (feed_routes, admin_routes) = (running.feed_routes(), running.admin_routes());
        let admin_token = running.admin_token().to_owned();
        (Pond { clock, admin_token, feed_routes, admin_routes, client, tasks }, running)
    }

    /// Does what was planned, to its end.
    pub(crate) async fn run_tasks(&self) {
        self.tasks.run().await.unwrap();
    }

    /// A call of the administrator.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: Value) -> Answer {
        let authorization = format!("Bearer {}", self.admin_token);
        let request = Request::builder().method(method).uri(format!("/admin/{path}"));
        self.send(request.header("authorization", authorization).body(Body::from(body.to_string())).unwrap()).await
    }
}

/// Calls the API.
#[derive(Clone)]
pub(crate) struct Client {
    routes: Router,
    store: Store,
    caller: Caller,
}

/// Who calls.
#[derive(Clone)]
struct Caller {
    key: String,
    secret: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    /// The same, for another app.
    pub(crate) fn app(&self, key: &str, secret: &str) -> Client {
        let mut client = self.clone();
        (client.caller.key, client.caller.secret) = (key.to_owned(), secret.to_owned());
        client.scope("*", "*", "*")
    }

    /// The same with this API key, its token left as it is.
    pub(crate) fn key(&self, key: &str) -> Client {
        let mut client = self.clone();
        client.caller.key = key.to_owned();
        client
    }

    /// The same with this token.
    pub(crate) fn token(&self, token: Option<String>) -> Client {
        let mut client = self.clone();
        client.caller.token = token;
        client
    }

    /// The same with a token that claims this.
    pub(crate) fn claims(&self, claims: &Value) -> Client {
        self.token(Some(sign(&self.caller.secret, claims)))
    }

    /// The same with a token of this user.
    pub(crate) fn user(&self, id: &str) -> Client {
        self.claims(&json!({ "user_id": id }))
    }

    /// The same with a token of this scope.
    pub(crate) fn scope(&self, resource: &str, action: &str, feed_id: &str) -> Client {
        self.claims(&json!({ "resource": resource, "action": action, "feed_id": feed_id }))
    }

    /// The same with one more header.
    pub(crate) fn header(&self, name: &'static str, value: &str) -> Client {
        let mut client = self.clone();
        client.caller.headers.push((name, value.to_owned()));
        client
    }

    /// The same without a token, and `path` with the token in it.
    pub(crate) fn with_its_token_in(&self, path: &str) -> (Client, String) {
        let token: String = self.caller.token.iter().flat_map(|token| byte_serialize(token.as_bytes())).collect();
        (self.token(None), format!("{path}?authorization={token}"))
    }

    /// Calls a path below `/api/v1.0/`, or a whole one, such as `next` names.
    pub(crate) async fn call(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let url = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1.0/{path}") };
        let and = if url.contains('?') { '&' } else { '?' };
        let url = match url.contains("api_key=") || self.caller.key.is_empty() {
            true => url,
            false => format!("{url}{and}api_key={}", self.caller.key),
        };
        let mut request = Request::builder().method(method).uri(url).header("stream-auth-type", "jwt");
        for (name, value) in &self.caller.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &self.caller.token {
            request = request.header("authorization", token);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    /// How far the store has come.
    pub(crate) fn stamp(&self) -> Stamp {
        self.store.read().stamp()
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        Answer(testing::answer::Answer::of(&self.routes, request).await)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, Body::empty()).await
    }

    /// Posts what must be refused, and sees that nothing was stored; answers status and code.
    pub(crate) fn refuses(&self, path: &str, body: impl Into<Body>) -> impl Future<Output = Refusal> {
        self.refuses_to(Method::POST, path, body)
    }

    /// Calls what must be refused, and sees that nothing was stored; answers status and code.
    pub(crate) async fn refuses_to(&self, method: Method, path: &str, body: impl Into<Body>) -> Refusal {
        let before = self.stamp();
        let answer = self.call(method, path, body).await;
        assert!(answer.status >= 400, "{path} was not refused: {}", answer.text);
        assert_eq!(self.stamp(), before, "{path} was refused and stored something");
        answer.refusal()
    }

    /// Adds an activity with these fields to `feed`, and answers what was stored.
    pub(crate) async fn add(&self, feed: &str, fields: Value) -> Value {
        self.post(&path(feed), activity(fields)).await.ok(201)
    }

    /// What the activities of `feed` are about, as its reader sees them.
    pub(crate) async fn objects(&self, feed: &str) -> Vec<String> {
        self.get(&format!("{}?limit=100", path(feed))).await.ok(200).list("object")
    }

    /// Lets `feed` follow `target`.
    pub(crate) async fn follow(&self, feed: &str, target: &str) {
        self.post(&format!("{}follows/", path(feed)), json!({ "target": target })).await.ok(201);
    }
}

/// The path of a feed.
pub(crate) fn path(feed: &str) -> String {
    format!("feed/{}/", feed.replace(':', "/"))
}

/// Amy posts a fish, but for what `fields` say.
pub(crate) fn activity(fields: Value) -> Value {
    with(json!({ "actor": "SU:amy", "verb": "post", "object": "fish" }), fields)
}

/// `object` with some members replaced.
pub(crate) fn with(mut object: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("{fields} is not an object") };
    object.as_object_mut().unwrap().extend(fields);
    object
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
    /// The error, whose shape is that of §3.
    #[track_caller]
    pub(crate) fn refusal(&self) -> Refusal {
        let mut body = self.refused();
        let mut take = |name: &str| body.as_object_mut().unwrap().remove(name);
        let fields = match take("exception_fields") {
            None => Map::new(),
            Some(Value::Object(fields)) if !fields.is_empty() => fields,
            Some(other) => panic!("exception_fields are {other}"),
        };
        for (field, rules) in &fields {
            assert!(rules.as_array().is_some_and(|rules| rules.iter().all(Value::is_string)), "{field}: {rules}");
        }
        let code = take("code").and_then(|code| code.as_i64()).expect("a code");
        let detail = take("detail").and_then(|detail| Some(detail.as_str()?.to_owned())).expect("a detail");
        let exception = match code {
            -1 => "InternalException",
            2 => "ApiKeyException",
            4 => "InputException",
            5 => "CustomFieldException",
            6 => "FeedConfigException",
            7 => "SiteSuspendedException",
            9 => "RateLimitReached",
            11 => "RankingException",
            12 => "MissingRankingException",
            14 => "JinjaRuntimeException",
            16 => "DoesNotExistException",
            17 => "NotAllowedException",
            18 => "PayloadTooLargeException",
            22 => "ConflictException",
            _ => panic!("no such code: {}", self.text),
        };
        let rest = json!({
            "status_code": self.status,
            "exception": exception,
            "more_info": "https://getstream.io/docs/api_error_responses",
        });
        assert_eq!(body, rest, "{}", self.text);
        Refusal { error: (self.status, code), detail, fields: fields.into_iter().map(|(name, _)| name).collect() }
    }
}

/// What is told of a call that was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Status and code.
    pub(crate) error: (u16, i64),
    pub(crate) detail: String,
    /// The names of `exception_fields`, sorted.
    pub(crate) fields: Vec<String>,
}

/// The members of a JSON object or of each result.
pub(crate) trait Members {
    /// The names of its members, sorted.
    fn keys(&self) -> Vec<&str>;
    /// The text `name` of each of its `results`.
    fn list(&self, name: &str) -> Vec<String>;
    /// The member `name`, a text.
    fn text(&self, name: &str) -> &str;
}

impl Members for Value {
    #[track_caller]
    fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.as_object().expect("an object").keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    #[track_caller]
    fn list(&self, name: &str) -> Vec<String> {
        let results = self["results"].as_array().expect("results");
        results.iter().map(|result| result.text(name).to_owned()).collect()
    }

    #[track_caller]
    fn text(&self, name: &str) -> &str {
        self[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {self}"))
    }
}
